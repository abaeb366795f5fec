//! The relay itself: STUN Binding and TURN over UDP, sans-I/O.

mod config;
mod stats;

pub use config::{Limits, PeerPolicy, ServerConfig};
pub use stats::Stats;

/// A STUN and TURN server without sockets.
#[derive(Debug)]
pub struct Server {}
