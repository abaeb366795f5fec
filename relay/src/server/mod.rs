//! The relay itself: STUN Binding and TURN over UDP (RFC 8489, RFC 8656), sans-I/O.
//!
//! ```text
//!             handle_client                            handle_peer
//! client ---> listening socket ---> Server <--- relayed port <--- peer
//!        <--- Transmit{Listener}      |  |        Transmit{Relayed} --->
//!                                     |  +--> Effect::OpenRelayPort / CloseRelayPort (the driver owns sockets)
//!                                     +--> handed over in memory when the peer is one of our own relayed addresses
//! ```
//!
//! Nothing is kept for a client before it has authenticated: nonces are recomputed, credentials carry their own expiry.
//! A credential's expiry counts when an allocation is made; who holds one may renew it, so that a call outlives its
//! ticket.

mod allocation;
mod config;
mod gate;
mod nonce;
mod policy;
mod quota;
mod relaying;
mod requests;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use self::allocation::AllocationId;
use self::allocation::{Allocation, State};
pub use self::config::{Limits, PeerPolicy, ServerConfig};
use self::gate::{Gate, SourcePrefix};
use self::nonce::Nonces;
pub use self::policy::canonical;
use self::quota::Quota;
pub use self::stats::Stats;
use crate::wire::{self, AddressFamily, AttributeType, ChannelData, Class, ErrorCode, Method};
use crate::{CredentialIssuer, Now};

/// Datagrams that wait for the driver; when it does not collect them, the oldest are dropped.
const MAX_TRANSMITS: usize = 1024;

/// A STUN and TURN server without sockets.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    listening: SocketAddr,
    relay_ip: IpAddr,
    issuer: CredentialIssuer,
    nonces: Nonces,
    gate: Gate,
    quota: Quota,
    rng: StdRng,
    next_id: u64,
    allocations: BTreeMap<AllocationId, Allocation>,
    by_client: BTreeMap<SocketAddr, AllocationId>,
    by_relayed: BTreeMap<SocketAddr, AllocationId>,
    expiries: BTreeSet<(Instant, AllocationId)>,
    transmits: VecDeque<Transmit>,
    effects: VecDeque<Effect>,
    stats: Stats,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From which socket.
    pub via: Via,
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub payload: Vec<u8>,
}

/// One of the server's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The one clients talk to.
    Listener,
    /// The one of an allocation.
    Relayed(AllocationId),
}

/// What the driver shall do with sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Bind a port for an allocation and report it with [`Server::handle_relay_port`].
    OpenRelayPort(AllocationId, PortParity),
    /// Close it.
    CloseRelayPort(AllocationId),
}

/// What EVEN-PORT asks for (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortParity {
    /// Any port.
    Any,
    /// An even one.
    Even,
}

/// What became of [`Effect::OpenRelayPort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOutcome {
    /// Bound at this port.
    Opened(u16),
    /// The system gave none.
    Refused,
}

impl Server {
    /// A server whose listening socket is bound at `listening`; that address, or `config.public_ip`, is advertised.
    pub fn new(config: ServerConfig, listening: SocketAddr, now: Now) -> Self {
        let mut rng = StdRng::from_seed(config.seed);
        let mut nonce_key = [0; 32];
        rng.fill_bytes(&mut nonce_key);
        Self {
            listening,
            relay_ip: config.public_ip.unwrap_or(listening.ip()),
            issuer: CredentialIssuer::new(config.secret),
            nonces: Nonces::new(nonce_key, now.instant),
            gate: Gate::new(&config.limits, now.instant),
            quota: Quota::default(),
            rng,
            next_id: 0,
            allocations: BTreeMap::new(),
            by_client: BTreeMap::new(),
            by_relayed: BTreeMap::new(),
            expiries: BTreeSet::new(),
            transmits: VecDeque::new(),
            effects: VecDeque::new(),
            stats: Stats::default(),
            config,
        }
    }

    /// Takes a datagram that reached the listening socket.
    pub fn handle_client(&mut self, now: Now, from: SocketAddr, datagram: &[u8]) {
        if ChannelData::matches(datagram) {
            match ChannelData::parse(datagram) {
                Ok(received) => self.channel_data(now, from, received),
                Err(_) => self.stats.malformed += 1,
            }
            return;
        }
        let Ok(message) = wire::parse(datagram) else {
            self.stats.malformed += 1;
            return;
        };
        match (message.class(), message.method()) {
            (Class::Request, Method::Binding) => self.binding(now, from, &message, datagram.len()),
            (
                Class::Request,
                Method::Allocate | Method::Refresh | Method::CreatePermission | Method::ChannelBind,
            ) => self.authenticated_request(now, from, &message, datagram.len()),
            (Class::Indication, Method::Send) => self.send_indication(now, from, &message),
            // RFC 8489 §3: keeps a NAT's mapping alive, wants no answer.
            (Class::Indication, Method::Binding) => {}
            _ => self.stats.malformed += 1,
        }
    }

    /// Takes a datagram that reached the relayed port of an allocation.
    pub fn handle_peer(&mut self, now: Now, id: AllocationId, from: SocketAddr, payload: &[u8]) {
        self.deliver_to_client(now, id, from, payload);
    }

    /// Learns what became of a relayed port asked for by [`Effect::OpenRelayPort`].
    pub fn handle_relay_port(&mut self, now: Now, id: AllocationId, outcome: PortOutcome) {
        let Some(allocation) = self.allocations.get_mut(&id) else {
            // Released while it was being opened.
            self.effects.push_back(Effect::CloseRelayPort(id));
            return;
        };
        match outcome {
            PortOutcome::Opened(port) => {
                let relayed = SocketAddr::new(self.relay_ip, port);
                allocation.state = State::Open { relayed };
                self.by_relayed.insert(relayed, id);
                self.stats.allocations_made += 1;
                self.answer_allocate(id);
            }
            PortOutcome::Refused => {
                let (client, key, transaction) = (allocation.client, allocation.key, allocation.transaction);
                self.remove(id);
                let reply = self.error(Method::Allocate, transaction, ErrorCode::INSUFFICIENT_CAPACITY);
                self.reply(client, reply.seal(&key, wire::Fingerprint::Without));
            }
        }
        self.handle_timeout(now);
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((expires, id)) = self.expiries.first().copied()
            && expires <= now.instant
        {
            self.remove(id);
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to do with sockets; done before the next datagram is handled.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.expiries.first().map(|(expires, _)| (*expires, "allocation expiry"))
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        Stats { allocations: self.allocations.len() as u64, ..self.stats }
    }

    /// The family relayed addresses have; one per server.
    fn family(&self) -> AddressFamily {
        AddressFamily::of(self.relay_ip)
    }

    /// The live allocation of a client; one that is past its time is as good as gone.
    fn allocation_of(&self, now: Now, client: SocketAddr) -> Option<AllocationId> {
        let id = *self.by_client.get(&client)?;
        let allocation = self.allocations.get(&id)?;
        (now.instant < allocation.expires).then_some(id)
    }

    /// Whether a relayed payload may leave for `peer`. One of our own addresses is only good when it is the relayed
    /// address of an allocation: never our listening port, never another service of this machine.
    fn may_send_to(&self, peer: SocketAddr) -> bool {
        if self.by_relayed.contains_key(&peer) {
            return true;
        }
        let (ip, port) = (canonical(peer.ip()), peer.port());
        let is_listener = port == self.listening.port() && (ip == self.relay_ip || ip == self.listening.ip());
        let is_ours = self.config.peers == PeerPolicy::Public && ip == self.relay_ip;
        !is_listener && !is_ours && self.config.peers.allows(peer)
    }

    /// Whether a permission for `ip` may be had: our own address counts, since callers of one relay meet there.
    fn may_permit(&self, ip: IpAddr) -> bool {
        ip == self.relay_ip || self.config.peers.allows_ip(ip)
    }

    fn prefix(&self, source: SocketAddr) -> SourcePrefix {
        SourcePrefix::of(self.config.peers, source)
    }

    fn remove(&mut self, id: AllocationId) {
        let Some(gone) = self.allocations.remove(&id) else { return };
        self.by_client.remove(&gone.client);
        self.expiries.remove(&(gone.expires, id));
        self.quota.leave(&gone.username, gone.prefix);
        match gone.state {
            // The driver still owes us the port; it is told to close it when it reports.
            State::Opening => {}
            State::Open { relayed } => {
                self.by_relayed.remove(&relayed);
                self.effects.push_back(Effect::CloseRelayPort(id));
            }
        }
    }

    fn reply(&mut self, to: SocketAddr, payload: Vec<u8>) {
        self.transmit(Transmit { via: Via::Listener, to, payload });
    }

    fn transmit(&mut self, transmit: Transmit) {
        if self.transmits.len() == MAX_TRANSMITS {
            self.transmits.pop_front();
        }
        self.transmits.push_back(transmit);
    }

    fn random_transaction(&mut self) -> wire::TransactionId {
        let mut transaction = [0; 12];
        self.rng.fill_bytes(&mut transaction);
        wire::TransactionId(transaction)
    }

    fn error(
        &mut self,
        method: Method,
        transaction: wire::TransactionId,
        code: ErrorCode,
    ) -> wire::MessageBuilder {
        self.stats.errors += 1;
        wire::MessageBuilder::new(Class::Error, method, transaction).error_code(code)
    }
}

/// Attributes our requests may carry; other comprehension-required ones are answered with 420.
const UNDERSTOOD: [AttributeType; 15] = [
    AttributeType::USERNAME,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::DATA,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
    AttributeType::PADDING,
];
