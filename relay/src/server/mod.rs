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
mod client;
mod config;
mod discovery;
mod drain;
mod forwarding;
mod gate;
mod index;
mod meter;
mod nonce;
mod party;
mod policy;
mod quota;
mod requests;
mod shaping;
mod slots;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use self::allocation::AllocationId;
use self::allocation::{Allocation, Second, State};
use self::client::Keyed;
pub use self::client::{Client, StreamId};
pub use self::config::{
    Bandwidth, BitRate, Limits, Partner, PeerPolicy, PeerProof, ServerConfig, TcpListen, TlsCertificate,
    TlsListen,
};
use self::drain::Drain;
pub use self::forwarding::{Lead, Onward};
use self::gate::Gate;
pub(crate) use self::gate::SourcePrefix;
use self::index::Index;
pub use self::meter::Receipt;
use self::nonce::Nonces;
pub use self::policy::canonical;
use self::quota::Quota;
use self::shaping::Shaper;
use self::slots::Slots;
pub use self::stats::Stats;
use crate::wire::{self, AddressFamily, AttributeType, ChannelData, Class, ErrorCode, Method};
use crate::{CredentialIssuer, Now, credentials};

/// Datagrams that wait for the driver; when it does not collect them, the oldest are dropped.
const MAX_TRANSMITS: usize = 1024;
/// Receipts that wait for the driver; when it does not collect them, the oldest are dropped.
const MAX_RECEIPTS: usize = 1024;

/// A STUN and TURN server without sockets.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    listening: SocketAddr,
    relay_ip: IpAddr,
    epoch: Instant,
    issuer: CredentialIssuer,
    nonces: Nonces,
    gate: Gate,
    quota: Quota,
    shaper: Shaper,
    rng: StdRng,
    allocations: Slots,
    hash: Keyed,
    by_client: Index,
    by_relayed: Index,
    expiries: BTreeSet<(Instant, AllocationId)>,
    transmits: VecDeque<Transmit>,
    effects: VecDeque<Effect>,
    receipts: VecDeque<Receipt>,
    drain: Drain,
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
    /// A connection of a client over TCP or TLS.
    Stream(StreamId),
    /// The one of an allocation.
    Relayed(AllocationId),
}

/// What the driver shall do with sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Bind a port for an allocation and report it with [`Server::handle_relay_port`].
    OpenRelayPort(AllocationId, PortParity),
    /// The same for the address of the other family, reported with [`Server::handle_second_port`].
    OpenSecondPort(AllocationId),
    /// Close them.
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
            epoch: now.instant,
            issuer: CredentialIssuer::new(config.secret),
            nonces: Nonces::new(nonce_key, now.instant),
            gate: Gate::new(&config.limits, now.instant),
            quota: Quota::default(),
            shaper: Shaper::new(config.limits.bandwidth, now.instant, now.unix),
            allocations: Slots::default(),
            hash: Keyed::new([rng.next_u64(), rng.next_u64()]),
            by_client: Index::default(),
            by_relayed: Index::default(),
            expiries: BTreeSet::new(),
            transmits: VecDeque::new(),
            effects: VecDeque::new(),
            receipts: VecDeque::new(),
            drain: Drain::Serving,
            stats: Stats::default(),
            rng,
            config,
        }
    }

    /// Takes a datagram that reached the listening socket.
    pub fn handle_client(&mut self, now: Now, from: SocketAddr, datagram: &[u8]) {
        self.handle(now, Client::udp(from), datagram);
    }

    /// Takes one message that came over a TCP or TLS connection (RFC 8656 §2.1).
    pub fn handle_stream(&mut self, now: Now, stream: StreamId, from: SocketAddr, message: &[u8]) {
        self.handle(now, Client::stream(from, stream), message);
    }

    /// A connection has ended: with it its allocation, whose client nobody can reach any more.
    pub fn handle_stream_closed(&mut self, now: Now, stream: StreamId, from: SocketAddr) {
        let client = Client::stream(from, stream);
        if let Some((id, _)) = self.find(self.lead(client), client) {
            self.remove(now.instant, id);
        }
    }

    fn handle(&mut self, now: Now, from: Client, datagram: &[u8]) {
        let mut tally = Stats::default();
        let onward = self.forward_from_client(now.instant, from, datagram, &mut tally);
        self.stats.add(&tally);
        if onward != Onward::Control {
            return self.carry_out(onward, datagram);
        }
        if ChannelData::matches(datagram) {
            return self.send_check(now.instant, from, datagram);
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
            (Class::Indication, Method::Send) => self.send_check(now.instant, from, datagram),
            // RFC 8489 §3: keeps a NAT's mapping alive, wants no answer.
            (Class::Indication, Method::Binding) => {}
            (Class::Indication, Method::Other(_)) if self.answer_for_partner(now, from.address, &message) => {
            }
            _ => self.stats.malformed += 1,
        }
    }

    /// Takes a datagram that reached the relayed port of an allocation.
    pub fn handle_peer(&mut self, now: Now, id: AllocationId, from: SocketAddr, payload: &[u8]) {
        let mut tally = Stats::default();
        let onward = self.forward_from_peer(now.instant, id, from, payload, &mut tally);
        self.stats.add(&tally);
        match onward {
            Onward::Control => self.receive_check(now.instant, id, from, payload),
            onward => self.carry_out(onward, payload),
        }
    }

    /// Learns what became of a relayed port asked for by [`Effect::OpenRelayPort`].
    pub fn handle_relay_port(&mut self, now: Now, id: AllocationId, outcome: PortOutcome) {
        let ip = self.family_of(id).and_then(|family| self.ip_of(family));
        let Some(allocation) = self.allocations.get_mut(id) else {
            // Released while it was being opened.
            self.effects.push_back(Effect::CloseRelayPort(id));
            return;
        };
        match outcome {
            PortOutcome::Opened(port) => {
                let Some(ip) = ip else { return };
                let relayed = SocketAddr::new(ip, port);
                allocation.state = State::Open { relayed };
                let wants_second = allocation.second == Second::Wanted;
                self.by_relayed.insert(self.hash.hash_one(Client::udp(relayed)), id.index());
                self.stats.allocations_made += 1;
                if wants_second && self.ip_of(AddressFamily::Ipv6).is_some() {
                    self.effects.push_back(Effect::OpenSecondPort(id));
                } else {
                    self.answer_allocate(id);
                }
            }
            PortOutcome::Refused => {
                let (client, key, transaction) = (allocation.client, allocation.key, allocation.transaction);
                self.remove(now.instant, id);
                let reply = self.error(Method::Allocate, transaction, ErrorCode::INSUFFICIENT_CAPACITY);
                self.reply(client, reply.seal(&key, wire::Fingerprint::Without));
            }
        }
        self.handle_timeout(now);
    }

    /// Learns what became of a port asked for by [`Effect::OpenSecondPort`].
    pub fn handle_second_port(&mut self, id: AllocationId, outcome: PortOutcome) {
        let ip = self.ip_of(AddressFamily::Ipv6);
        let Some(allocation) = self.allocations.get_mut(id) else {
            self.effects.push_back(Effect::CloseRelayPort(id));
            return;
        };
        match (outcome, ip) {
            (PortOutcome::Opened(port), Some(ip)) => {
                let relayed = SocketAddr::new(ip, port);
                allocation.second = Second::Open(relayed);
                self.by_relayed.insert(self.hash.hash_one(Client::udp(relayed)), id.index());
            }
            (PortOutcome::Opened(_) | PortOutcome::Refused, _) => allocation.second = Second::Refused,
        }
        self.answer_allocate(id);
    }

    /// The family of the address that [`Effect::OpenRelayPort`] is about.
    pub fn family_of(&self, id: AllocationId) -> Option<AddressFamily> {
        self.allocations.get(id).map(|allocation| allocation.family)
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((expires, id)) = self.expiries.first().copied()
            && expires <= now.instant
        {
            self.remove(now.instant, id);
        }
        self.shaper.handle_timeout(now.unix);
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to do with sockets; done before the next datagram is handled.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What an allocation that has ended used.
    pub fn poll_receipt(&mut self) -> Option<Receipt> {
        self.receipts.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.expiries.first().map(|(expires, _)| (*expires, "allocation expiry"))
    }

    /// Whether a client has one.
    pub fn has_allocation(&self, now: Instant, client: Client) -> bool {
        self.allocation_of(now, client).is_some()
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        Stats { allocations: self.allocations.len() as u64, ..self.stats }
    }

    /// Our address of a family, if we have one.
    fn ip_of(&self, family: AddressFamily) -> Option<IpAddr> {
        let ours = [Some(self.relay_ip), self.config.second_ip];
        ours.into_iter().flatten().find(|ip| AddressFamily::of(*ip) == family)
    }

    /// The live allocation of a client; one that is past its time is as good as gone.
    fn allocation_of(&self, now: Instant, client: Client) -> Option<(AllocationId, &Allocation)> {
        self.allocation_by(now, self.lead(client), client)
    }

    fn allocation_by(&self, now: Instant, lead: Lead, client: Client) -> Option<(AllocationId, &Allocation)> {
        self.find(lead, client).filter(|(_, allocation)| now < allocation.expires)
    }

    fn find(&self, Lead(hash): Lead, client: Client) -> Option<(AllocationId, &Allocation)> {
        let is_theirs = |slot| self.allocations.at(slot).is_some_and(|(_, made)| made.client == client);
        self.allocations.at(self.by_client.find(hash, is_theirs)?)
    }

    /// The allocation whose relayed address this is.
    fn allocation_at(&self, peer: SocketAddr) -> Option<&Allocation> {
        if !self.is_our_ip(peer.ip()) {
            return None;
        }
        let is_there = |slot| {
            let at = self.allocations.at(slot);
            at.is_some_and(|(_, made)| [made.relayed(), made.second.open()].contains(&Some(peer)))
        };
        let slot = self.by_relayed.find(self.hash.hash_one(Client::udp(peer)), is_there)?;
        self.allocations.at(slot).map(|(_, made)| made)
    }

    fn is_our_ip(&self, ip: IpAddr) -> bool {
        ip == self.relay_ip || Some(ip) == self.config.second_ip
    }

    /// Whether a payload may leave for `peer`, which is not the relayed address of an allocation. Then it is never our
    /// listening port, and never another service of this machine.
    fn may_send_to(&self, peer: SocketAddr) -> bool {
        let (ip, port) = (canonical(peer.ip()), peer.port());
        let is_listener = port == self.listening.port() && (self.is_our_ip(ip) || ip == self.listening.ip());
        !is_listener && !self.is_near(ip) && self.config.peers.allows(peer)
    }

    /// Whether a permission for `ip` may be had: our own address counts, since callers of one relay meet there.
    fn may_permit(&self, ip: IpAddr) -> bool {
        self.is_our_ip(ip) || (!self.is_near(canonical(ip)) && self.config.peers.allows_ip(ip))
    }

    /// Whether a canonical address is this machine's or in its network, on the open internet.
    fn is_near(&self, ip: IpAddr) -> bool {
        let ours = [Some(self.relay_ip), self.config.second_ip];
        let is_neighbour = ours.into_iter().flatten().any(|ours| policy::is_neighbour(ours, ip));
        self.config.peers == PeerPolicy::Public && (self.is_our_ip(ip) || is_neighbour)
    }

    fn prefix(&self, source: SocketAddr) -> SourcePrefix {
        SourcePrefix::of(self.config.peers, source)
    }

    fn remove(&mut self, now: Instant, id: AllocationId) {
        let Some(gone) = self.allocations.remove(id) else { return };
        self.by_client.remove(self.hash.hash_one(gone.client), id.index());
        self.expiries.remove(&(gone.expires, id));
        self.quota.leave(credentials::identity(&gone.username), gone.prefix);
        let (bytes_to_peers, bytes_to_client) = gone.meter.read();
        match gone.state {
            // The driver still owes us the port; it is told to close it when it reports.
            State::Opening => {}
            State::Open { relayed } => {
                for at in [Some(relayed), gone.second.open()].into_iter().flatten() {
                    self.by_relayed.remove(self.hash.hash_one(Client::udp(at)), id.index());
                }
                self.effects.push_back(Effect::CloseRelayPort(id));
                if self.receipts.len() == MAX_RECEIPTS {
                    self.receipts.pop_front();
                }
                self.receipts.push_back(Receipt {
                    username: gone.username.to_string(),
                    lasted: now.min(gone.expires).saturating_duration_since(gone.began),
                    bytes_to_peers,
                    bytes_to_client,
                });
            }
        }
        drop(gone);
        self.shaper.forget_unused(now);
    }

    fn reply(&mut self, to: Client, payload: Vec<u8>) {
        let via = to.stream.map_or(Via::Listener, Via::Stream);
        self.transmit(Transmit { via, to: to.address, payload });
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
