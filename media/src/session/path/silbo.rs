//! The path between two Silbos: everything [`Path`] does with its pairs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use relay::wire;

use super::guessing::Guessing;
use super::mirror::{self, Mirror};
use super::pair::{Hop, PairId};
use super::pairs::{Pairs, PairsEvent};
use super::probe::{Probe, Secret};
use super::{Inbound, MAX_REMOTES, Path, PathEvent, SocketId, Transmit};
use crate::session::description::{Candidate, CandidateKind, Description};
use crate::session::sdp::Role;
use crate::session::{PathProtocol, PathReport};

/// What takes the place of ICE's checks where both ends are ours.
pub(super) struct Silbo {
    pub(super) pairs: Pairs,
    pub(super) guessing: Guessing,
    mirror: Mirror,
}

/// What became of a datagram.
pub(super) enum Taken {
    ForIce(Inbound),
    Done,
    Refused,
}

impl Silbo {
    pub(super) fn new(role: Role, pairs: [u8; 32], guessing: [u8; 32]) -> Self {
        Self { pairs: Pairs::new(pairs), guessing: Guessing::new(guessing), mirror: Mirror::new(role) }
    }
}

impl Path {
    /// The one address of ours ICE is shown, between Silbos.
    pub(in crate::session) fn ice_candidate(&self) -> Option<Candidate> {
        self.silbo.as_ref().and_then(|_| mirror::candidate(mirror::LOCAL))
    }

    /// The one address of the other end ICE is shown.
    pub(in crate::session) fn ice_remote(&self) -> Option<Candidate> {
        self.silbo.as_ref().and_then(|_| mirror::candidate(mirror::REMOTE))
    }

    /// The first flight of the handshake, where nothing came back yet: it travels with our description.
    pub(in crate::session) fn hello(&self) -> Option<&[u8]> {
        self.silbo.as_ref()?.pairs.hello()
    }

    /// What of it came inside the other end's description.
    pub(in crate::session) fn take_hello(&mut self, hello: &[u8]) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.take_hello(hello);
        }
    }

    /// What we told the other end.
    pub(in crate::session) fn set_own(&mut self, own: &Description) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.set_own(Secret::of(own));
        }
    }

    /// What the other end told us: probes begin.
    pub(in crate::session) fn set_peer(&mut self, now: Instant, peer: &Description) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.set_peer(now, Secret::of(peer));
        }
    }

    /// Somebody has picked up, and there is no way yet: now it is urgent.
    pub(in crate::session) fn hurry(&mut self, now: Instant) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.reopen(now);
        }
    }

    /// The other end is proven, sound begins: watch for it, and let there always be something to hear.
    pub(in crate::session) fn set_talking(&mut self, now: Instant) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.set_talking(now);
        }
        self.collect(now);
    }

    /// Sound that nobody but the other end can have sent came by this pair.
    pub(in crate::session) fn handle_sound(&mut self, now: Instant, by: PairId) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.handle_sound(now, by);
        }
        self.heard_through(now, by.socket);
        self.collect(now);
    }

    /// What comes back for a packet of ICE's that never leaves this machine: nothing while no pair is alive; `None` where
    /// ICE's packets are for the network.
    pub(in crate::session) fn answer_ice(&mut self, now: Instant, packet: &[u8]) -> Option<Vec<Vec<u8>>> {
        let Silbo { pairs, mirror, .. } = self.silbo.as_mut()?;
        match packet.first() {
            Some(0..=3) if pairs.is_alive(now) => Some(mirror.answer(pairs.secrets(), packet)),
            Some(0..=3) => Some(Vec::new()),
            _ => None,
        }
    }

    /// The way the call takes: between Silbos the pair in use, else ICE's.
    pub(in crate::session) fn report(
        &self,
        ice: Option<(SocketAddr, SocketAddr)>,
        ice_rtt: Option<Duration>,
    ) -> Option<PathReport> {
        let (local, remote, protocol, rtt) = match &self.silbo {
            Some(Silbo { pairs, .. }) => {
                let (id, pair) = pairs.in_use()?;
                let direct = self.direct.get(&id.socket).map(super::DirectLeg::local);
                let leg = self.turn.get(&id.socket);
                let local = direct.or_else(|| leg.and_then(super::TurnLeg::relayed))?;
                let protocol = leg.map_or(PathProtocol::Udp, super::TurnLeg::protocol);
                (local, pair.ends.remote.kind, protocol, pair.rtt)
            }
            None => {
                let (local, peer) = ice?;
                let remote = self.remotes.get(&peer).map_or(CandidateKind::PeerReflexive, |end| end.kind);
                let leg = self.turn.values().find(|leg| leg.relayed() == Some(local));
                let protocol = leg.map_or(PathProtocol::Udp, super::TurnLeg::protocol);
                (local, remote, protocol, ice_rtt)
            }
        };
        let (local, relay) = self.local_kind(local, remote);
        Some(PathReport {
            local,
            remote,
            protocol,
            direct: local != CandidateKind::Relay && remote != CandidateKind::Relay,
            relay,
            rtt,
        })
    }

    /// When the other end was last heard on any pair, between Silbos.
    pub(in crate::session) fn last_heard(&self) -> Option<Instant> {
        self.silbo.as_ref()?.pairs.last_heard()
    }

    /// The round-trip time of the pair in use, between Silbos.
    pub(in crate::session) fn rtt(&self) -> Option<Duration> {
        self.silbo.as_ref()?.pairs.in_use()?.1.rtt
    }

    /// Whether packets go through a relay, between Silbos.
    pub(in crate::session) fn is_lent(&self) -> bool {
        let pair = self.silbo.as_ref().and_then(|silbo| silbo.pairs.in_use());
        pair.is_some_and(|(_, pair)| !pair.ends.is_direct())
    }

    /// How long the last probe of the pair in use took, once for each; between Silbos.
    pub(in crate::session) fn poll_round_trip(&mut self) -> Option<Duration> {
        self.silbo.as_mut()?.pairs.poll_round_trip()
    }

    /// Our voice leaves this often.
    pub(in crate::session) fn set_spacing(&mut self, ours: Duration) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.set_spacing(ours);
        }
    }

    /// The other end's voice comes this often.
    pub(in crate::session) fn set_their_spacing(&mut self, theirs: Duration) {
        if let Some(Silbo { pairs, .. }) = &mut self.silbo {
            pairs.set_their_spacing(theirs);
        }
    }

    /// Probes are for the pairs, DTLS and SRTP from where the other end has shown itself for ICE; and an address that is
    /// new, but the other end's beyond doubt, is taken in (RFC 8445 §7.3.1.3).
    pub(super) fn take_silbo(
        &mut self,
        now: Instant,
        socket: SocketId,
        inbound: Inbound,
        datagram: &[u8],
    ) -> Taken {
        let id = PairId { socket, remote: inbound.peer };
        let packet = &datagram[inbound.range.clone()];
        let Some(Silbo { pairs, .. }) = &mut self.silbo else { return Taken::Refused };
        match packet.first() {
            Some(0..=3) => {}
            Some(20..=63) => {
                let taken = pairs.take_dtls(now, id, packet);
                self.collect(now);
                return if taken { for_ice(inbound, id) } else { Taken::Refused };
            }
            Some(128..=191) if pairs.admits(id) => {
                return for_ice(inbound, id);
            }
            _ => return Taken::Refused,
        }
        let Some(probe) = wire::parse(packet).ok().and_then(|message| pairs.read(&message)) else {
            return Taken::Refused;
        };
        if let Probe::Request { base, .. } = probe
            && !self.remotes.contains_key(&id.remote)
        {
            let seen = super::candidate(base, id.remote, 0, Hop::Datagrams);
            let Some(seen) = seen else { return Taken::Refused };
            let taken =
                self.add_remote(now, &seen) || self.make_room_for_heard(now) && self.add_remote(now, &seen);
            if !taken {
                return Taken::Refused;
            }
        }
        if let (Probe::Request { .. }, Some(end), Some(silbo)) =
            (probe, self.remotes.get(&id.remote), &mut self.silbo)
        {
            silbo.pairs.admit(now, id, *end);
        }
        let used = self.silbo.as_mut().is_some_and(|silbo| silbo.pairs.handle_probe(now, id, probe));
        if used {
            self.heard_through(now, socket);
        }
        self.collect(now);
        if used { Taken::Done } else { Taken::Refused }
    }

    /// The other end was heard by this socket: if that is a relay's, it is there.
    fn heard_through(&mut self, now: Instant, socket: SocketId) {
        if let Some(leg) = self.turn.get_mut(&socket) {
            leg.hear(now);
        }
    }

    /// Forgets an address of the other end that came to nothing.
    pub(super) fn make_room(&mut self, now: Instant) -> bool {
        let Some(Silbo { pairs, .. }) = &mut self.silbo else { return false };
        let Some(useless) = self.remotes.keys().copied().find(|remote| pairs.is_useless(now, *remote)) else {
            return false;
        };
        self.remotes.remove(&useless);
        pairs.drop_remote(now, useless);
        true
    }

    /// Forgets the address probed in vain for longest: the other end was heard from another one.
    fn make_room_for_heard(&mut self, now: Instant) -> bool {
        let Some(Silbo { pairs, .. }) = &mut self.silbo else { return false };
        let vainest = pairs.vainest().filter(|_| self.remotes.len() >= MAX_REMOTES);
        let Some(vainest) = vainest else { return false };
        self.remotes.remove(&vainest);
        pairs.drop_remote(now, vainest);
        true
    }

    /// Moves what the pairs have to say onto the legs.
    pub(super) fn collect_pairs(&mut self, now: Instant) {
        while let Some((PairId { socket, remote }, payload)) =
            self.silbo.as_mut().and_then(|silbo| silbo.pairs.poll_transmit())
        {
            if let Some(leg) = self.turn.get_mut(&socket) {
                leg.send(now, remote, &payload);
            } else {
                self.push(Transmit { socket, destination: remote, payload });
            }
        }
        while let Some(event) = self.silbo.as_mut().and_then(|silbo| silbo.pairs.poll_event()) {
            self.events.push_back(match event {
                PairsEvent::Proven => PathEvent::Proven,
                PairsEvent::Changed => PathEvent::Changed,
            });
        }
    }

    /// The kind of the leg behind ICE's local address, and its relay. A host candidate that talks to something beyond
    /// this network does so through its reflexive address.
    fn local_kind(&self, local: SocketAddr, remote: CandidateKind) -> (CandidateKind, Option<SocketAddr>) {
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
}

/// A packet of the other end's, as ICE sees it.
fn for_ice(Inbound { range, .. }: Inbound, by: PairId) -> Taken {
    Taken::ForIce(Inbound { local: mirror::LOCAL, peer: mirror::REMOTE, range, by: Some(by) })
}
