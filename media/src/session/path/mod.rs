//! The ways packets take below ICE: legs, and what lies between a leg and the addresses ICE knows.
//!
//! ```text
//!            ICE (call::Call)
//!        local ─ peer ─ bytes                    to a stock end: host candidate = DirectLeg, relayed address = TurnLeg
//!   ┌───────────┴───────────┐                    between Silbos: one pair of addresses that stands for all ways
//!   │ Path                  │  Pairs:     which leg and which address of the other end carry the call, proven and watched
//!   │  Mirror, Pairs        │  Mirror:    the other end of ICE's checks of that one pair
//!   │  legs, remotes        │  DirectLeg: one socket on one interface; asks STUN servers for our reflexive address
//!   │                       │  TurnLeg:   one socket or connection to one relay; wraps and unwraps (RFC 8656)
//!   │                       │  Ways:      of one relay: UDP, and where that is silent TCP and TLS
//!   │                       │  Supply:    which relays are used, and when others are asked for
//!   │                       │  Guess:     ports tried where one end's translator takes another one for everybody
//!   └───────────┬───────────┘
//!   socket ─ destination ─ bytes                 what the driver moves
//! ```
//!
//! Sans-I/O: sockets are numbers given by the driver. A stock end's ICE checks host and relay candidates; server-reflexive
//! ones are told to the other end, but packets for them leave from and arrive at the host candidate that is their base,
//! and one pair for both halves the checks.

mod direct;
mod guess;
mod guessing;
mod mirror;
mod pair;
mod pairs;
pub(super) mod probe;
mod silbo;
mod stream;
pub(super) mod streams;
mod supply;
mod turn;
mod ways;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use relay::wire::{self, AttributeType, Class};

use super::call::PeerKind;
use super::description::{Candidate, CandidateKind};
use super::sdp::Role;
use super::{AddressScope, PathPolicy, RelayHealth, Relayed, RelaysWanted};
use direct::DirectLeg;
use pair::{End, Hop, PairId};
use silbo::{Silbo, Taken};
pub(super) use stream::StreamKind;
use streams::Wish;
use supply::Supply;
use turn::TurnLeg;
use ways::Ways;

/// Interfaces offered; further ones are left out, the first addresses of the system's list win.
const MAX_INTERFACES: usize = 8;
/// Servers asked for our address, each from every interface; further ones are left out.
const MAX_STUN_SERVERS: usize = 4;
/// Relays that serve a call, each over UDP and, while that is silent, over two streams; further ones are spares, and asked
/// for our address.
const MAX_RELAYS: usize = 2;
/// Addresses of the other end taken. Between Silbos one that came to nothing makes room for a new one; else what comes
/// after is dropped.
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
    /// The pair it came by, between Silbos.
    pub(super) by: Option<PairId>,
}

/// What the legs have found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PathEvent {
    /// An address packets leave from: for ICE and for the other end.
    Local(Candidate),
    /// An address for the other end only.
    Told(Candidate),
    /// Between Silbos, the first pair is proven.
    Proven,
    /// The call goes another way.
    Changed,
    /// The relays there are will not do.
    RelaysWanted(RelaysWanted),
    /// How a relay is, when that changes.
    Relay(SocketAddr, RelayHealth),
}

/// What was thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Datagrams that are none of STUN, DTLS, RTP or ChannelData, of nobody we know, or of no use.
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
    /// Of the relays used, by their UDP addresses.
    ways: BTreeMap<SocketAddr, Ways>,
    supply: Supply,
    wishes: VecDeque<Wish>,
    /// Between Silbos.
    silbo: Option<Silbo>,
    /// How many there were so far.
    interfaces: usize,
    stun_servers: BTreeSet<SocketAddr>,
    remotes: BTreeMap<SocketAddr, End>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<PathEvent>,
    dropped: Dropped,
}

impl Path {
    pub(super) fn new(
        role: Role,
        peer: PeerKind,
        policy: PathPolicy,
        scope: AddressScope,
        seed: [u8; 32],
    ) -> Self {
        let mut random = StdRng::from_seed(seed);
        let silbo = match peer {
            PeerKind::Silbo => Some(Silbo::new(role, random.random(), random.random())),
            PeerKind::Stock => None,
        };
        Self {
            policy,
            scope,
            random,
            direct: BTreeMap::new(),
            turn: BTreeMap::new(),
            ways: BTreeMap::new(),
            supply: Supply::default(),
            wishes: VecDeque::new(),
            silbo,
            interfaces: 0,
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
            && self.direct.values().filter(|leg| leg.beside().is_none()).count() < MAX_INTERFACES
            && !is_link_local(ip)
            && !ip.is_unspecified()
            && (self.scope == AddressScope::Lab || !ip.is_loopback())
    }

    /// A socket bound to one interface's address.
    pub(super) fn add_interface(&mut self, now: Instant, socket: SocketId, local: SocketAddr) {
        let nth = self.interfaces;
        self.interfaces += 1;
        let Some(candidate) = candidate(CandidateKind::Host, local, nth, Hop::Datagrams) else { return };
        let mut leg = DirectLeg::new(local, nth);
        for server in &self.stun_servers {
            leg.ask(now, *server, self.random.random());
        }
        self.direct.insert(socket, leg);
        self.tell(candidate);
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.add_base(now, socket, local.ip(), None, self.remotes.iter());
        }
        self.collect(now);
    }

    /// A router has opened its port `outside` for our socket at `inside`: one more address at which the other end reaches
    /// that socket, whatever the router filters. What leaves the socket leaves it as before.
    pub(super) fn add_mapping(&mut self, now: Instant, inside: SocketAddr, outside: SocketAddr) {
        for leg in self.direct.values_mut().filter(|leg| leg.local() == inside) {
            leg.add_reflexive(outside);
        }
        self.collect(now);
    }

    /// The interface's address is gone, and with it what was bound to it.
    pub(super) fn remove_interface(&mut self, now: Instant, socket: SocketId) {
        if self.direct.remove(&socket).is_some() {
            self.drop_base(now, socket);
            self.drop_guessed(now, |_, leg| leg.beside() == Some(socket));
            self.collect(now);
        }
    }

    /// A server that tells us our address.
    pub(super) fn add_stun_server(&mut self, now: Instant, server: SocketAddr) {
        if self.stun_servers.len() == MAX_STUN_SERVERS || !self.stun_servers.insert(server) {
            return;
        }
        for leg in self.direct.values_mut() {
            leg.ask(now, server, self.random.random());
        }
        self.collect(now);
    }

    /// A socket for one relay alone, as was wished for.
    pub(super) fn add_relay(&mut self, now: Instant, socket: SocketId, server: SocketAddr) {
        let credentials = self.ways.get(&server).and_then(|ways| ways.relay().credentials.clone());
        let Some(credentials) = credentials else { return };
        let mut leg = TurnLeg::new(now, server, credentials, self.random.random());
        for peer in self.remotes.keys() {
            leg.open(now, *peer);
        }
        self.turn.insert(socket, leg);
        self.collect(now);
    }

    /// A socket for a relay used already, whose old socket no longer reaches it: our address has changed, and a relay knows
    /// an allocation by it (RFC 8656 §3.2).
    pub(super) fn replace_relay(&mut self, now: Instant, socket: SocketId, server: SocketAddr) {
        let Some(ways) = self.ways.get(&server).map(|ways| ways.anew(now)) else { return };
        self.forget_relay(now, server);
        self.ways.insert(server, ways);
        self.add_relay(now, socket, server);
    }

    /// An address of the other end; `false` when it is not to be used. Relays are told of it at once, so that they let
    /// its first checks through.
    pub(super) fn add_remote(&mut self, now: Instant, candidate: &Candidate) -> bool {
        let ip = candidate.address.ip();
        let reachable = self.scope == AddressScope::Lab || !(ip.is_loopback() || is_link_local(ip));
        let allowed = self.policy != PathPolicy::Direct || candidate.kind != CandidateKind::Relay;
        if !reachable || !allowed {
            return false;
        }
        let known = self.remotes.contains_key(&candidate.address);
        if !known && self.remotes.len() >= MAX_REMOTES && !self.make_room(now) {
            return false;
        }
        if self.silbo.is_some() {
            // Seen first, told now: what it was told as counts.
            self.remotes.insert(candidate.address, End::told(candidate));
        } else {
            self.remotes.entry(candidate.address).or_insert(End::told(candidate));
        }
        for leg in self.turn.values_mut() {
            leg.open(now, candidate.address);
        }
        if let Some(Silbo { pairs, guessing, .. }) = &mut self.silbo {
            pairs.add_remote(now, candidate.address, End::told(candidate));
            guessing.note(candidate);
        }
        self.collect(now);
        true
    }

    /// Sends a packet of the call's; to a stock end from ICE's candidate `local` to `peer`.
    pub(super) fn send(&mut self, now: Instant, local: SocketAddr, peer: SocketAddr, payload: Vec<u8>) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            let sent = pairs.send(now, &payload);
            self.dropped.unroutable += u64::from(!sent);
            self.collect(now);
        } else if let Some((socket, _)) = self.direct.iter().find(|(_, leg)| leg.local() == local) {
            let socket = *socket;
            self.push(Transmit { socket, destination: peer, payload });
        } else if let Some(leg) = self.turn.values_mut().find(|leg| leg.relayed() == Some(local)) {
            leg.send(now, peer, &payload);
            self.collect(now);
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
        self.take_guess(now, socket, source, datagram);
        let inbound = if let Some(leg) = self.direct.get_mut(&socket) {
            if leg.handle_answer(now, source, datagram) {
                self.collect(now);
                return None;
            }
            Some(Inbound { local: leg.local(), peer: source, range: 0..datagram.len(), by: None })
        } else if let Some(leg) = self.turn.get_mut(&socket) {
            let inbound = leg.handle_datagram(now, source, datagram);
            let was_ours = source == leg.server();
            self.collect(now);
            match inbound {
                None if was_ours => return None,
                inbound => inbound,
            }
        } else {
            None
        };
        let inbound = if self.silbo.is_some() {
            match inbound.map(|inbound| self.take_silbo(now, socket, inbound, datagram)) {
                Some(Taken::ForIce(inbound)) => Some(inbound),
                Some(Taken::Done) => return None,
                Some(Taken::Refused) | None => None,
            }
        } else {
            inbound.filter(|inbound| self.is_acceptable(inbound, &datagram[inbound.range.clone()]))
        };
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
        if self.silbo.as_ref().is_some_and(|silbo| silbo.pairs.is_cut_off(now)) {
            self.hurry_ways(now);
        }
        self.dial_ways(now);
        if let Some(Silbo { pairs, guessing, .. }) = &mut self.silbo {
            pairs.handle_timeout(now);
            guessing.handle_timeout(now);
            if let Some(leg) = pairs.missing().and_then(|socket| self.turn.get_mut(&socket)) {
                leg.suspect(now);
            }
        }
        self.collect(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let direct = self.direct.values().filter_map(DirectLeg::poll_timeout);
        let turn = self.turn.values().filter_map(TurnLeg::poll_timeout);
        let ways = self.ways.values().filter_map(Ways::poll_timeout);
        let pairs = self.silbo.iter().filter_map(|silbo| silbo.pairs.poll_timeout());
        let guesses = self.silbo.iter().filter_map(|silbo| silbo.guessing.poll_timeout());
        let legs = direct.chain(turn).chain(ways).chain(pairs).chain(guesses);
        legs.chain(self.supply.poll_timeout()).min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// Gives relayed addresses back; send what [`Self::poll_transmit`] has afterwards.
    pub(super) fn close(&mut self, now: Instant) {
        self.ways.clear();
        self.supply.close();
        for leg in self.turn.values_mut() {
            leg.close(now);
        }
        self.collect(now);
    }

    /// What went through relays until now.
    pub(super) fn relayed(&self, now: Instant) -> Vec<Relayed> {
        let live = self.turn.values().map(|leg| leg.carried(now));
        live.chain(self.supply.bills()).filter(|relayed| relayed.bytes > 0).collect()
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

    /// Moves what pairs and legs have to say into our own queues.
    fn collect(&mut self, now: Instant) {
        for leg in self.direct.values_mut() {
            while let Some(reflexive) = leg.poll_reflexive() {
                let found = candidate(CandidateKind::ServerReflexive, reflexive, leg.nth(), Hop::Datagrams);
                self.events.extend(found.map(PathEvent::Told));
            }
        }
        let (mut allocated, mut served, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, (socket, leg)) in self.turn.iter_mut().enumerate() {
            if let Some(relayed) = leg.poll_allocated() {
                allocated.extend(candidate(CandidateKind::Relay, relayed, nth, leg.hop()));
                served.push(*socket);
                if let Some(Silbo { pairs, .. }) = &mut self.silbo {
                    let via = Some((leg.server(), leg.hop()));
                    pairs.add_base(now, *socket, relayed.ip(), via, self.remotes.iter());
                }
            }
            while let Some(peer) = leg.poll_ready() {
                if let Some(Silbo { pairs, .. }) = &mut self.silbo {
                    pairs.open(now, PairId { socket: *socket, remote: peer });
                }
            }
            if leg.is_lost() {
                lost.push(*socket);
            }
        }
        for candidate in allocated {
            self.tell(candidate);
        }
        self.settle_ways(now, served, lost);
        self.supply_relays(now);
        self.collect_guesses(now);
        self.collect_pairs(now);
        let mut transmits = Vec::new();
        for (socket, leg) in &mut self.direct {
            while let Some((destination, payload)) = leg.poll_transmit() {
                transmits.push(Transmit { socket: *socket, destination, payload });
            }
        }
        for (socket, leg) in &mut self.turn {
            while let Some(payload) = leg.poll_transmit(now) {
                transmits.push(Transmit { socket: *socket, destination: leg.server(), payload });
            }
        }
        for transmit in transmits {
            self.push(transmit);
        }
    }

    fn drop_base(&mut self, now: Instant, socket: SocketId) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.drop_base(now, socket);
        }
    }

    /// An address of ours was found.
    fn tell(&mut self, candidate: Candidate) {
        let for_ice = self.silbo.is_none();
        self.events.push_back(if for_ice { PathEvent::Local(candidate) } else { PathEvent::Told(candidate) });
    }

    fn push(&mut self, transmit: Transmit) {
        if self.transmits.len() == MAX_TRANSMITS {
            self.transmits.pop_front();
            self.dropped.overflow += 1;
        }
        self.transmits.push_back(transmit);
    }
}

/// Priorities of RFC 8445 §5.1.2: by kind, what a stream lies before last, then loopback, then in order of discovery.
fn candidate(kind: CandidateKind, address: SocketAddr, nth: usize, hop: Hop) -> Option<Candidate> {
    let behind = if address.ip().is_loopback() { 1 << 12 } else { 0 };
    let best = match hop {
        Hop::Datagrams => u32::from(u16::MAX),
        Hop::Stream => pair::BEHIND_STREAM - 1,
    };
    let local_preference = best - behind - nth as u32;
    let priority = kind.preference() << 24 | local_preference << 8 | 255;
    Candidate::new(kind, address, priority).ok()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
