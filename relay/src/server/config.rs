//! What a relay's owner decides.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything a relay is told at start.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen for clients; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether clients may come over TCP, too (RFC 8656 §2.1).
    pub tcp: TcpListen,
    /// Where clients may come over TLS.
    pub tls: Option<TlsListen>,
    /// Threads that carry packets; each has its own socket at the listening address.
    pub threads: usize,
    /// The address peers reach this machine at, advertised in relayed addresses; `None` takes the listening one.
    pub public_ip: Option<IpAddr>,
    /// This machine's address of the other family, for clients that want relayed addresses of it or of both
    /// (RFC 8656 §7.2).
    pub second_ip: Option<IpAddr>,
    /// Another supernode that answers for this one, so that clients can learn what their NAT lets in (RFC 5780).
    pub partner: Option<Partner>,
    /// The authentication realm; kept short, since it travels in replies to strangers.
    pub realm: String,
    /// The secret the issuer of credentials shares with this relay.
    pub secret: [u8; 32],
    /// Which peers may be sent to.
    pub peers: PeerPolicy,
    /// What a peer outside this relay has to show before it is sent anything but checks.
    pub proof: PeerProof,
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
            tcp: TcpListen::Beside,
            tls: None,
            threads: 1,
            public_ip: None,
            second_ip: None,
            partner: None,
            realm: "silbo".into(),
            secret,
            peers: PeerPolicy::Public,
            proof: PeerProof::Required,
            limits: Limits::default(),
            seed,
        }
    }
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("tcp", &self.tcp)
            .field("tls", &self.tls)
            .field("threads", &self.threads)
            .field("public_ip", &self.public_ip)
            .field("realm", &self.realm)
            .field("second_ip", &self.second_ip)
            .field("partner", &self.partner)
            .field("peers", &self.peers)
            .field("proof", &self.proof)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Where the relay listens for TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpListen {
    /// Nowhere.
    Off,
    /// At the same address and port as for UDP.
    Beside,
}

/// Where the relay listens for TLS, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsListen {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it shows to clients.
    pub certificate: TlsCertificate,
}

/// The certificate of a TLS listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsCertificate {
    /// One made at start. TURN clients that know the relay by its credentials need no more: what they send is encrypted
    /// end to end already, and TLS only gets it past firewalls.
    SelfSigned,
    /// A chain and its key, both PEM.
    Files {
        /// The chain, this server's certificate first.
        chain: PathBuf,
        /// The key of the first certificate.
        key: PathBuf,
    },
}

/// A supernode at another address, and the key the two agreed on.
#[derive(Clone, PartialEq, Eq)]
pub struct Partner {
    /// Where it listens.
    pub address: SocketAddr,
    /// What requests between the two are sealed with.
    pub key: [u8; 32],
}

impl std::fmt::Debug for Partner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partner").field("address", &self.address).finish_non_exhaustive()
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

/// Whether a peer must take part in the call before payloads are sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerProof {
    /// It has answered a STUN check of the client, as every ICE agent does; until then only checks pass.
    Required,
    /// A permission is enough, as with other TURN servers: for tests and measurements against such.
    Waived,
}

/// Bits per second on the wire, IP and UDP headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BitRate(pub u64);

/// How much of this machine's line may be used; `None` is no limit. When a limit is reached payloads are dropped,
/// whatever is not voice first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// All relayed traffic.
    pub total: Option<BitRate>,
    /// That of one source prefix (/24 or /56).
    pub per_prefix: Option<BitRate>,
    /// That of one identity: the id within the username, whatever its expiry.
    pub per_username: Option<BitRate>,
    /// Bytes from midnight to midnight UTC; past it no new allocations are made and old ones carry voice only.
    pub bytes_per_day: Option<u64>,
}

impl Bandwidth {
    /// No limit at all: for measurements.
    pub const UNLIMITED: Self =
        Self { total: None, per_prefix: None, per_username: None, bytes_per_day: None };

    /// The same with at most `rate` in total, of which nobody gets more than all of it.
    pub fn capped(self, rate: BitRate) -> Self {
        let at_most = |limit: Option<BitRate>| limit.map(|limit| limit.min(rate));
        Self {
            total: Some(rate),
            per_prefix: at_most(self.per_prefix),
            per_username: at_most(self.per_username),
            ..self
        }
    }

    /// Whether there is nothing to count.
    pub const fn is_unlimited(&self) -> bool {
        self.total.is_none()
            && self.per_prefix.is_none()
            && self.per_username.is_none()
            && self.bytes_per_day.is_none()
    }
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self {
            total: Some(BitRate(20_000_000)),
            per_prefix: Some(BitRate(10_000_000)),
            per_username: Some(BitRate(4_000_000)),
            bytes_per_day: None,
        }
    }
}

/// How much of this machine may be used. When a limit is reached requests are refused (486 or 508) or, where the sender
/// is not authenticated, not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Allocations at one time.
    pub allocations: usize,
    /// Allocations at one time by one identity: the id within the username, whatever its expiry.
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
    /// TCP and TLS connections at one time; further ones are closed at once.
    pub streams: usize,
    /// The same from one source prefix.
    pub streams_per_prefix: usize,
    /// How much of the line.
    pub bandwidth: Bandwidth,
}

impl Limits {
    /// For test networks, where one long-lived credential is handed to everybody: no limit per username or prefix
    /// below the total.
    pub fn lab() -> Self {
        let limits = Self::default();
        Self {
            allocations_per_username: limits.allocations,
            allocations_per_prefix: limits.allocations,
            streams_per_prefix: limits.streams,
            bandwidth: Bandwidth { per_prefix: None, per_username: None, ..limits.bandwidth },
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
            streams: 512,
            streams_per_prefix: 32,
            bandwidth: Bandwidth::default(),
        }
    }
}
