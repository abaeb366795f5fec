//! Whole calls in virtual time.

mod signal;
mod whole_call;
mod world;
