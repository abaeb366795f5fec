//! The ways packets take below ICE: legs, and the routing between a leg and the addresses ICE knows.
//!
//! ```text
//!            ICE (call::Call)                    local address = name of a leg
//!        local ─ peer ─ bytes                    host candidate ─▶ DirectLeg,  relayed address ─▶ TurnLeg
//!   ┌───────────┴───────────┐
//!   │ Path                  │  DirectLeg: one socket on one interface; asks STUN servers for our reflexive address
//!   │  legs, remotes, inbox │  TurnLeg:   one socket to one relay; wraps and unwraps (RFC 8656)
//!   └───────────┬───────────┘
//!   socket ─ destination ─ bytes                 what the driver moves
//! ```
//!
//! Sans-I/O: sockets are numbers given by the driver. ICE sees host and relay candidates only; server-reflexive ones are
//! told to the other end, but packets for them leave from and arrive at the host candidate that is their base, and one
//! pair for both halves the checks.

mod direct;
mod turn;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use relay::wire::{self, AttributeType, Class};

use super::description::{Candidate, CandidateKind};
use super::{AddressScope, PathPolicy, RelayServer, Relayed};
use direct::DirectLeg;
use turn::TurnLeg;

/// Interfaces offered; further ones are left out, the first addresses of the system's list win.
const MAX_INTERFACES: usize = 8;
/// Servers asked for our address, each from every interface; further ones are left out.
const MAX_STUN_SERVERS: usize = 4;
/// Allocations made; further relays are only asked for our address.
const MAX_RELAYS: usize = 2;
/// Addresses of the other end taken; what comes after is dropped.
const MAX_REMOTES: usize = 24;
/// Datagrams waiting for the driver; the oldest is dropped when more come.
const MAX_TRANSMITS: usize = 256;

/// A socket of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketId(pub(super) u32);

/// A datagram for the driver to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Transmit {
    pub(super) socket: SocketId,
    pub(super) destination: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// A packet for ICE inside a received datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inbound {
    /// The candidate of ours it came to.
    pub(super) local: SocketAddr,
    /// Who sent it.
    pub(super) peer: SocketAddr,
    /// Where in the datagram it is.
    pub(super) range: Range<usize>,
}

/// What the legs have found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PathEvent {
    /// An address packets leave from: for ICE and for the other end.
    Local(Candidate),
    /// An address for the other end only.
    Reflexive(Candidate),
}

/// What was thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Datagrams that are none of STUN, DTLS, RTP or ChannelData, or of nobody we know.
    pub(super) malformed: u64,
    /// Packets for a leg that no longer exists.
    pub(super) unroutable: u64,
    /// Datagrams the driver was too slow for.
    pub(super) overflow: u64,
}

/// The legs of one call.
pub(super) struct Path {
    policy: PathPolicy,
    scope: AddressScope,
    random: StdRng,
    direct: BTreeMap<SocketId, DirectLeg>,
    turn: BTreeMap<SocketId, TurnLeg>,
    stun_servers: BTreeSet<SocketAddr>,
    remotes: BTreeMap<SocketAddr, CandidateKind>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<PathEvent>,
    dropped: Dropped,
}

impl Path {
    pub(super) fn new(policy: PathPolicy, scope: AddressScope, seed: [u8; 32]) -> Self {
        Self {
            policy,
            scope,
            random: StdRng::from_seed(seed),
            direct: BTreeMap::new(),
            turn: BTreeMap::new(),
            stun_servers: BTreeSet::new(),
            remotes: BTreeMap::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            dropped: Dropped::default(),
        }
    }

    /// Whether the driver should open a socket on an interface with this address.
    pub(super) fn wants_interface(&self, ip: IpAddr) -> bool {
        self.policy != PathPolicy::Relay
            && self.direct.len() < MAX_INTERFACES
            && !is_link_local(ip)
            && !ip.is_unspecified()
            && (self.scope == AddressScope::Lab || !ip.is_loopback())
    }

    /// A socket bound to one interface's address.
    pub(super) fn add_interface(&mut self, now: Instant, socket: SocketId, local: SocketAddr) {
        let nth = self.direct.len();
        let Some(candidate) = candidate(CandidateKind::Host, local, nth) else { return };
        let mut leg = DirectLeg::new(local, nth);
        for server in &self.stun_servers {
            leg.ask(now, *server, self.random.random());
        }
        self.direct.insert(socket, leg);
        self.events.push_back(PathEvent::Local(candidate));
        self.collect();
    }

    /// A server that tells us our address.
    pub(super) fn add_stun_server(&mut self, now: Instant, server: SocketAddr) {
        if self.stun_servers.len() == MAX_STUN_SERVERS || !self.stun_servers.insert(server) {
            return;
        }
        for leg in self.direct.values_mut() {
            leg.ask(now, server, self.random.random());
        }
        self.collect();
    }

    /// Whether the driver should open a socket for an allocation on this relay.
    pub(super) fn wants_relay(&self, relay: &RelayServer) -> bool {
        self.policy != PathPolicy::Direct
            && relay.credentials.is_some()
            && self.turn.len() < MAX_RELAYS
            && !self.turn.values().any(|leg| leg.server() == relay.udp)
    }

    /// A socket for one relay alone.
    pub(super) fn add_relay(&mut self, now: Instant, socket: SocketId, relay: &RelayServer) {
        let Some(credentials) = relay.credentials.clone() else { return };
        let mut leg = TurnLeg::new(now, relay.udp, credentials, self.random.random());
        for peer in self.remotes.keys() {
            leg.open(now, *peer);
        }
        self.turn.insert(socket, leg);
        self.collect();
    }

    /// An address of the other end; `false` when it is not to be used. Relays are told of it at once, so that they let
    /// its first checks through.
    pub(super) fn add_remote(&mut self, now: Instant, candidate: &Candidate) -> bool {
        let ip = candidate.address.ip();
        let reachable = self.scope == AddressScope::Lab || !(ip.is_loopback() || is_link_local(ip));
        let allowed = self.policy != PathPolicy::Direct || candidate.kind != CandidateKind::Relay;
        if !reachable || !allowed || self.remotes.len() >= MAX_REMOTES {
            return false;
        }
        self.remotes.entry(candidate.address).or_insert(candidate.kind);
        for leg in self.turn.values_mut() {
            leg.open(now, candidate.address);
        }
        self.collect();
        true
    }

    /// Sends a packet of ICE's from its candidate `local` to `peer`.
    pub(super) fn send(&mut self, now: Instant, local: SocketAddr, peer: SocketAddr, payload: Vec<u8>) {
        if let Some((socket, _)) = self.direct.iter().find(|(_, leg)| leg.local() == local) {
            let socket = *socket;
            self.push(Transmit { socket, destination: peer, payload });
        } else if let Some(leg) = self.turn.values_mut().find(|leg| leg.relayed() == Some(local)) {
            leg.send(now, peer, &payload);
            self.collect();
        } else {
            self.dropped.unroutable += 1;
        }
    }

    /// A datagram that came to a socket: what of it is for ICE, if anything.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) -> Option<Inbound> {
        let inbound = if let Some(leg) = self.direct.get_mut(&socket) {
            if leg.handle_answer(now, source, datagram) {
                self.collect();
                return None;
            }
            Some(Inbound { local: leg.local(), peer: source, range: 0..datagram.len() })
        } else if let Some(leg) = self.turn.get_mut(&socket) {
            let inbound = leg.handle_datagram(now, source, datagram);
            let was_ours = source == leg.server();
            self.collect();
            match inbound {
                None if was_ours => return None,
                inbound => inbound,
            }
        } else {
            None
        };
        let inbound = inbound.filter(|inbound| self.is_acceptable(inbound, &datagram[inbound.range.clone()]));
        self.dropped.malformed += u64::from(inbound.is_none());
        inbound
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for leg in self.direct.values_mut() {
            leg.handle_timeout(now);
        }
        for leg in self.turn.values_mut() {
            leg.handle_timeout(now);
        }
        self.collect();
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let direct = self.direct.values().filter_map(DirectLeg::poll_timeout);
        let turn = self.turn.values().filter_map(TurnLeg::poll_timeout);
        direct.chain(turn).min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// Gives relayed addresses back; send what [`Self::poll_transmit`] has afterwards.
    pub(super) fn close(&mut self, now: Instant) {
        for leg in self.turn.values_mut() {
            leg.close(now);
        }
        self.collect();
    }

    /// What went through relays until now.
    pub(super) fn relayed(&self, now: Instant) -> Vec<Relayed> {
        self.turn.values().map(|leg| leg.carried(now)).filter(|relayed| relayed.bytes > 0).collect()
    }

    /// The kind of the leg behind ICE's local address, and its relay. A host candidate that talks to something beyond
    /// this network does so through its reflexive address.
    pub(super) fn local_kind(
        &self,
        local: SocketAddr,
        remote: CandidateKind,
    ) -> (CandidateKind, Option<SocketAddr>) {
        if let Some(leg) = self.turn.values().find(|leg| leg.relayed() == Some(local)) {
            return (CandidateKind::Relay, Some(leg.server()));
        }
        let translated = self.direct.values().any(|leg| leg.local() == local && leg.is_translated());
        match remote {
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive if translated => {
                (CandidateKind::ServerReflexive, None)
            }
            _ => (CandidateKind::Host, None),
        }
    }

    /// The kind under which the other end told us of an address; what it did not tell is peer-reflexive.
    pub(super) fn remote_kind(&self, peer: SocketAddr) -> CandidateKind {
        self.remotes.get(&peer).copied().unwrap_or(CandidateKind::PeerReflexive)
    }

    pub(super) const fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// RFC 7983 §7: STUN, DTLS, RTP and RTCP; nothing else is for ICE.
    ///
    /// A check from a relayed address that was never told to us (it overtook its candidate, or we refuse it) is dropped:
    /// ICE would take the address for a direct one. The other end repeats the check in 50 ms.
    fn is_acceptable(&self, inbound: &Inbound, packet: &[u8]) -> bool {
        match packet.first() {
            Some(0..=3) => {
                let Ok(message) = wire::parse(packet) else { return false };
                self.remotes.contains_key(&inbound.peer)
                    || message.class() != Class::Request
                    || message
                        .attribute(AttributeType::PRIORITY)
                        .and_then(|attribute| Some(u32::from_be_bytes(attribute.value.try_into().ok()?)))
                        .is_some_and(|priority| priority >> 24 > CandidateKind::Relay.preference())
            }
            Some(20..=63 | 128..=191) => true,
            _ => false,
        }
    }

    /// Moves what the legs have to say into our own queues.
    fn collect(&mut self) {
        let mut transmits = Vec::new();
        let mut found = Vec::new();
        for (socket, leg) in &mut self.direct {
            while let Some((destination, payload)) = leg.poll_transmit() {
                transmits.push(Transmit { socket: *socket, destination, payload });
            }
            while let Some(reflexive) = leg.poll_reflexive() {
                found.push((CandidateKind::ServerReflexive, reflexive, leg.nth()));
            }
        }
        for (nth, (socket, leg)) in self.turn.iter_mut().enumerate() {
            if let Some(relayed) = leg.poll_allocated() {
                found.push((CandidateKind::Relay, relayed, nth));
            }
            while let Some(payload) = leg.poll_transmit() {
                transmits.push(Transmit { socket: *socket, destination: leg.server(), payload });
            }
        }
        for (kind, address, nth) in found {
            let Some(candidate) = candidate(kind, address, nth) else { continue };
            self.events.push_back(match kind {
                CandidateKind::Relay => PathEvent::Local(candidate),
                _ => PathEvent::Reflexive(candidate),
            });
        }
        for transmit in transmits {
            self.push(transmit);
        }
    }

    fn push(&mut self, transmit: Transmit) {
        if self.transmits.len() == MAX_TRANSMITS {
            self.transmits.pop_front();
            self.dropped.overflow += 1;
        }
        self.transmits.push_back(transmit);
    }
}

/// Priorities of RFC 8445 §5.1.2: by kind, loopback last, then in order of discovery.
fn candidate(kind: CandidateKind, address: SocketAddr, nth: usize) -> Option<Candidate> {
    let behind = if address.ip().is_loopback() { 1 << 12 } else { 0 };
    let local_preference = u32::from(u16::MAX) - behind - nth as u32;
    let priority = kind.preference() << 24 | local_preference << 8 | 255;
    Candidate::new(kind, address, priority).ok()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
