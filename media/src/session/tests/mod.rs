//! Whole calls in virtual time.

mod guesses;
mod matrix;
mod narrow;
mod near;
mod paths;
mod relays;
mod ringing;
mod signal;
mod silence;
mod streams;
mod translator;
mod video;
mod whole_call;
mod wires;
mod world;
