//! What a node is told when it is made: its network, its role and its limits.

use std::net::{IpAddr, SocketAddr};

use minicbor::{Decode, Encode};

use crate::{record::CertificateHash, volunteer::Volunteer};

/// Which network a node belongs to. Both ends of a link must belong to the same: each tells the other in its Hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Network {
    /// The real one.
    #[n(0)]
    Main,
    /// A test network: private and loopback addresses are allowed, every IP:PORT is a prefix of its own.
    #[n(1)]
    Lab,
}

impl Network {
    /// The name used on the command line, in multicast DNS and in signatures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Lab => "lab",
        }
    }
}

/// What a node does for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Nothing: it uses supernodes.
    #[n(0)]
    Leaf,
    /// Directory, introducer and, when it has one, relay.
    #[n(1)]
    Supernode,
}

/// What homes saw of this node's address translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NatKind {
    /// Too few observations.
    #[default]
    Unknown,
    /// Our own address is what others see: no translation.
    Open,
    /// The same outer address towards every home: direct paths are likely.
    EndpointIndependent,
    /// Another outer address towards every home ("symmetric"): direct paths are unlikely.
    AddressDependent,
}

impl NatKind {
    /// A stable word for events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::EndpointIndependent => "endpoint_independent",
            Self::AddressDependent => "address_dependent",
        }
    }
}

/// How the core of a node is made (the driver fills this in).
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Which network.
    pub network: Network,
    /// Present when this node serves others.
    pub supernode: Option<SupernodeConfig>,
    /// Present when its owner agreed that this node may serve others once it is fit and needed; not used beside
    /// `supernode`.
    pub volunteer: Option<Volunteer>,
    /// Addresses of this machine, to tell whether we are translated.
    pub local_addresses: Vec<IpAddr>,
    /// Everything that grows is bounded by these.
    pub limits: Limits,
}

impl NodeConfig {
    /// A leaf of `network` with default limits.
    pub fn leaf(network: Network) -> Self {
        Self {
            network,
            supernode: None,
            volunteer: None,
            local_addresses: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// A supernode of `network` reachable at `address`, with default limits and no relay.
    pub fn supernode(network: Network, address: SocketAddr) -> Self {
        let supernode = SupernodeConfig { address, tcp: None, relay: None, max_leaves: DEFAULT_MAX_LEAVES };
        Self { supernode: Some(supernode), ..Self::leaf(network) }
    }
}

/// What a supernode offers.
#[derive(Debug, Clone)]
pub struct SupernodeConfig {
    /// Where others reach its links.
    pub address: SocketAddr,
    /// Another TCP port of that address where links are accepted.
    pub tcp: Option<u16>,
    /// Its relay, when it runs one.
    pub relay: Option<RelayConfig>,
    /// Most leaves it is a home of; the next is answered "busy", those that have another home a little earlier.
    pub max_leaves: usize,
}

/// The relay beside a supernode.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where others reach it (TURN and STUN over UDP).
    pub address: SocketAddr,
    /// The same in the other family, for those who have no address of the first.
    pub second: Option<SocketAddr>,
    /// Of its TLS, when it serves TURN over TCP and TLS too, where links are accepted over TCP.
    pub certificate: Option<CertificateHash>,
    /// Issues the credentials the relay accepts.
    pub issuer: relay::CredentialIssuer,
}

impl RelayConfig {
    /// Where somebody who is seen at `ip` reaches it.
    pub(crate) fn address_for(&self, ip: IpAddr) -> SocketAddr {
        let is_v4 = ip.to_canonical().is_ipv4();
        self.second
            .filter(|second| second.is_ipv4() == is_v4 && self.address.is_ipv4() != is_v4)
            .unwrap_or(self.address)
    }
}

/// Leaves a supernode serves unless told otherwise.
pub const DEFAULT_MAX_LEAVES: usize = 2_000;

/// Bounds of everything a node keeps for others or learns from them. The defaults are safe on the open internet.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Supernodes a leaf knows; when full, a bucket beyond its share makes room, or the newcomer waits.
    pub known_by_leaf: usize,
    /// Supernodes a supernode knows; when full, a bucket beyond its share makes room, or the newcomer waits.
    pub known_by_supernode: usize,
    /// What each bucket may keep for itself when a leaf, and a supernode, knows that many.
    pub bucket_of_leaf: usize,
    /// See [`Limits::bucket_of_leaf`].
    pub bucket_of_supernode: usize,
    /// Links a supernode keeps to other supernodes.
    pub mesh_links: usize,
    /// Links of every kind; the next inbound one is refused with "busy".
    pub links: usize,
    /// Username claims held in total; further ones are answered "busy".
    pub claims: usize,
    /// Expired claims kept so that nobody else takes their names for a while; beyond it, the one free first goes.
    pub quarantined: usize,
    /// Username claims held that came from one address prefix (/24 or /48).
    pub claims_per_prefix: usize,
    /// Proofs of work checked per second, some milliseconds each; claims with further ones are answered "busy".
    pub proofs_per_second: u32,
    /// Introduction records held in total; further ones are answered "busy".
    pub introductions: usize,
    /// Letters to people who are away, kept in total; further ones are answered "busy".
    pub letters: usize,
    /// Letters kept that came from one address prefix (/24 or /48); further ones are answered "busy".
    pub letters_per_prefix: usize,
    /// Presence records held in total; further ones are answered "busy".
    pub presences: usize,
    /// Requests awaiting an answer; further ones fail at once.
    pub outstanding: usize,
    /// Commands (lookups, registrations, envelopes) under way; further ones fail at once.
    pub queries: usize,
    /// Messages per second and link, sustained; further ones are answered "busy" or dropped.
    pub messages_per_second: u32,
    /// Messages a link may send at once after a pause.
    pub message_burst: u32,
    /// Messages per second from all links together.
    pub total_messages_per_second: u32,
    /// Envelopes per second and link a supernode passes on.
    pub envelopes_per_second: u32,
    /// Envelopes a link may send at once after a pause.
    pub envelope_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            known_by_leaf: 200,
            known_by_supernode: 4_096,
            bucket_of_leaf: 20,
            bucket_of_supernode: 1_024,
            mesh_links: 64,
            links: 4_096,
            claims: 200_000,
            quarantined: 50_000,
            claims_per_prefix: 20_000,
            proofs_per_second: 20,
            introductions: 100_000,
            letters: 16_384,
            letters_per_prefix: 256,
            presences: 50_000,
            outstanding: 1_024,
            queries: 256,
            messages_per_second: 100,
            message_burst: 1_000,
            total_messages_per_second: 20_000,
            envelopes_per_second: 10,
            envelope_burst: 60,
        }
    }
}
