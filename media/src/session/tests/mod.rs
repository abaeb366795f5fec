//! Whole calls in virtual time.

mod guesses;
mod paths;
mod relays;
mod signal;
mod streams;
mod whole_call;
mod wires;
mod world;
