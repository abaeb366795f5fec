//! Whole calls in virtual time.

mod paths;
mod relays;
mod signal;
mod whole_call;
mod world;
