//! Bad input of every kind: what decoders do with bytes that nobody sent, what a node does with records that nobody
//! should have sent, and that neither costs memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails there")]

mod bench;
mod corpus;
mod counting;
mod flood;
mod memory;
mod mutate;
mod refusals;
