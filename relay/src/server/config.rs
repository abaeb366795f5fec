//! What a relay's owner decides.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Everything a relay is told at start.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen for clients; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address peers reach this machine at, advertised in relayed addresses; `None` takes the listening one.
    pub public_ip: Option<IpAddr>,
    /// The authentication realm; kept short, since it travels in replies to strangers.
    pub realm: String,
    /// The secret the issuer of credentials shares with this relay.
    pub secret: [u8; 32],
    /// Which peers may be sent to.
    pub peers: PeerPolicy,
    /// How much of this machine may be used.
    pub limits: Limits,
    /// Randomness for keys that live as long as this server.
    pub seed: [u8; 32],
}

impl ServerConfig {
    /// A relay at `listen` with limits that are safe on the open internet.
    pub fn new(listen: SocketAddr, secret: [u8; 32], seed: [u8; 32]) -> Self {
        Self {
            listen,
            public_ip: None,
            realm: "silbo".into(),
            secret,
            peers: PeerPolicy::Public,
            limits: Limits::default(),
            seed,
        }
    }
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("public_ip", &self.public_ip)
            .field("realm", &self.realm)
            .field("peers", &self.peers)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Which peer addresses the relay forwards to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerPolicy {
    /// Only addresses of the public internet, ports from 1024 up, never this machine.
    Public,
    /// Test networks: private, loopback and documentation addresses too, and every IP:PORT counts as a prefix of its own.
    Lab,
}

/// How much of this machine may be used. When a limit is reached requests are refused (486 or 508) or, where the sender
/// is not authenticated, not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Allocations at one time.
    pub allocations: usize,
    /// Allocations at one time by one username.
    pub allocations_per_username: usize,
    /// Allocations at one time from one source prefix (/24 or /56).
    pub allocations_per_prefix: usize,
    /// Permissions of one allocation.
    pub permissions: usize,
    /// Channels of one allocation.
    pub channels: usize,
    /// The longest lifetime granted to an allocation.
    pub max_lifetime: Duration,
    /// Replies per second to unauthenticated requests, from one prefix.
    pub replies_per_prefix: u32,
    /// Replies per second to unauthenticated requests, in total.
    pub replies: u32,
}

impl Limits {
    /// For test networks, where one long-lived credential is handed to everybody: no limit per username or prefix
    /// below the total.
    pub fn lab() -> Self {
        let limits = Self::default();
        Self {
            allocations_per_username: limits.allocations,
            allocations_per_prefix: limits.allocations,
            ..limits
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 256,
            allocations_per_username: 8,
            allocations_per_prefix: 32,
            permissions: 64,
            channels: 64,
            max_lifetime: Duration::from_secs(3600),
            replies_per_prefix: 50,
            replies: 1000,
        }
    }
}
