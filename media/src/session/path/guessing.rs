//! Guesses of a call on its path: whose they are, what they leave from, and what comes of one that gets through.
//!
//! ```text
//!   DirectLeg::mapping, own policy ─┐                              ┌─▶ probes from the base, or from sockets beside it
//!   candidates told, MAPPING ───────┼──▶ Guess ── Shot, GuessEvent ┤
//!   Pairs: talks through a relay ───┘                              └─▶ Wish::OpenBeside, Wish::HangUp
//!
//!   socket beside the base ── authentic request from whom it was opened to ──▶ DirectLeg, base of a pair: proven as any
//! ```
//!
//! On the easy side nothing is kept of a guess: the hard side answers one that comes through with a probe of its own, from
//! the port that was guessed (a triggered check, RFC 8445 §7.3.1.4).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use relay::wire;

use super::direct::DirectLeg;
use super::guess::{
    Behaviour, Claim, Guess, GuessEvent, LocalPreference, Mapping, Muzzle, Round, Shot, Wanted, resolve,
};
use super::pair::{End, Hop};
use super::silbo::Silbo;
use super::streams::Wish;
use super::{Path, SocketId, Transmit, candidate};
use crate::session::PathPolicy;
use crate::session::description::{Candidate, CandidateKind};

/// Candidates of the other end remembered; the oldest is forgotten when more come.
const MAX_TOLD: usize = 16;
/// Sockets beside the base that became legs, kept while they work; what comes to others by then is dropped.
const MAX_GUESSED: usize = 4;

/// What guessing keeps beside the guess itself.
pub(super) struct Guessing {
    guess: Guess,
    /// The socket our mapping was observed on.
    base: Option<SocketId>,
    /// Sockets opened beside it, by their addresses.
    beside: BTreeMap<SocketId, SocketAddr>,
    told: VecDeque<Candidate>,
}

impl Guessing {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { guess: Guess::new(seed), base: None, beside: BTreeMap::new(), told: VecDeque::new() }
    }

    /// The other end told or showed an address.
    pub(super) fn note(&mut self, candidate: &Candidate) {
        match candidate.kind {
            CandidateKind::Host | CandidateKind::ServerReflexive => {}
            CandidateKind::PeerReflexive | CandidateKind::Relay => return,
        }
        self.told.retain(|told| told.address != candidate.address);
        if self.told.len() == MAX_TOLD {
            self.told.pop_front();
        }
        self.told.push_back(*candidate);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.guess.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.guess.poll_timeout()
    }
}

impl Path {
    /// A socket that was wished for beside another one.
    pub(in crate::session) fn add_beside(&mut self, now: Instant, socket: SocketId, local: SocketAddr) {
        if let Some(Silbo { guessing, .. }) = &mut self.silbo {
            guessing.beside.insert(socket, local);
            guessing.guess.add_socket(socket);
        }
        self.collect(now);
    }

    /// The system gives no more sockets.
    pub(in crate::session) fn refuse_beside(&mut self, now: Instant) {
        if let Some(Silbo { guessing, .. }) = &mut self.silbo {
            guessing.guess.refuse_socket();
        }
        self.collect(now);
    }

    /// Makes a leg of a socket that was opened to guess with, if what came to it is the other end's, from where it was
    /// awaited; what it says is for the pairs.
    pub(super) fn take_guess(&mut self, now: Instant, socket: SocketId, source: SocketAddr, datagram: &[u8]) {
        let Some(Silbo { pairs, guessing, .. }) = &mut self.silbo else { return };
        if !guessing.guess.has(socket) || guessing.guess.towards() != Some(source) {
            return;
        }
        if self.direct.values().filter(|leg| leg.beside().is_some()).count() == MAX_GUESSED {
            return;
        }
        let authentic = wire::parse(datagram).is_ok_and(|message| pairs.secrets().verify(&message).is_some());
        let base = guessing.base.and_then(|base| Some((base, self.direct.get(&base)?)));
        let local = guessing.beside.get(&socket).copied();
        let (true, Some((base, leg)), Some(local)) = (authentic, base, local) else { return };
        tracing::debug!("a guess came through");
        guessing.guess.take(socket);
        let end = End::plain(CandidateKind::ServerReflexive);
        let end = self.remotes.get(&source).copied().unwrap_or(end);
        pairs.add_base(now, socket, local.ip(), None, std::iter::once((&source, &end)));
        let leg = leg.guessed(base, local);
        self.direct.insert(socket, leg);
    }

    /// Closes sockets that guesses came through to, of these.
    pub(super) fn drop_guessed(&mut self, now: Instant, of: impl Fn(SocketId, &DirectLeg) -> bool) {
        let guessed = self.direct.iter().filter(|(socket, leg)| leg.beside().is_some() && of(**socket, leg));
        for socket in guessed.map(|(socket, _)| *socket).collect::<Vec<_>>() {
            self.direct.remove(&socket);
            self.drop_base(now, socket);
            self.hang_up_beside(socket);
        }
    }

    /// Tells the guess how things stand, and does what it says.
    pub(super) fn collect_guesses(&mut self, now: Instant) {
        let Some(Silbo { pairs, guessing, .. }) = &mut self.silbo else { return };
        if self.policy != PathPolicy::Any || pairs.has_direct() {
            guessing.guess.review(now, Wanted::No, None, None);
            pairs.set_claim(now, None);
            // Not those that came through as well: the other end may have chosen one of them.
            let hopeful =
                |socket| self.silbo.as_ref().is_some_and(|silbo| silbo.pairs.is_base_hopeful(now, socket));
            let guessed = self.direct.iter().filter(|(_, leg)| leg.beside().is_some());
            let idle: Vec<SocketId> =
                guessed.map(|(socket, _)| *socket).filter(|socket| !hopeful(*socket)).collect();
            self.drop_guessed(now, |socket, _| idle.contains(&socket));
        } else {
            let own = own(&self.direct);
            let wanted = if pairs.is_talking() { Wanted::Yes } else { Wanted::No };
            let peer = pairs.claimed().and_then(|claim| resolve(claim, guessing.told.iter(), self.scope));
            guessing.base = own.as_ref().map(|own| own.base);
            guessing.guess.review(now, wanted, own.as_ref().map(|own| own.mapping.clone()), peer);
            pairs.set_claim(now, own.map(|own| own.claim(guessing.guess.round())));
        }
        self.do_what_guesses_want();
    }

    fn do_what_guesses_want(&mut self) {
        let Some(Silbo { guessing, .. }) = &mut self.silbo else { return };
        let (mut events, mut shots) = (Vec::new(), Vec::new());
        while let Some(event) = guessing.guess.poll_event() {
            events.push(event);
        }
        while let Some(shot) = guessing.guess.poll_transmit() {
            shots.push(shot);
        }
        let base = guessing.base;
        for event in events {
            match event {
                GuessEvent::Open => self.wishes.extend(base.map(Wish::OpenBeside)),
                GuessEvent::Close(socket) => self.hang_up_beside(socket),
            }
        }
        for Shot { from, to } in shots {
            let socket = match from {
                Muzzle::Base => base,
                Muzzle::Beside(socket) => Some(socket),
            };
            let payload = self.silbo.as_mut().and_then(|silbo| silbo.pairs.guess());
            if let (Some(socket), Some(payload)) = (socket, payload) {
                self.push(Transmit { socket, destination: to, payload });
            }
        }
    }

    fn hang_up_beside(&mut self, socket: SocketId) {
        if let Some(Silbo { guessing, .. }) = &mut self.silbo {
            guessing.beside.remove(&socket);
        }
        self.wishes.push_back(Wish::HangUp(socket));
    }
}

/// What we know of our own translator.
struct Own {
    base: SocketId,
    preference: LocalPreference,
    mapping: Mapping,
}

impl Own {
    fn claim(&self, round: Round) -> Claim {
        let behaviour = match self.mapping {
            Mapping::Independent { .. } => Behaviour::Independent,
            Mapping::Dependent { .. } => Behaviour::Dependent { round },
        };
        Claim { behaviour, base: self.preference }
    }
}

/// Of the first interface that any server has seen; IPv6 is not translated (RFC 4864 §2.1).
fn own(direct: &BTreeMap<SocketId, DirectLeg>) -> Option<Own> {
    let seen = direct.iter().filter(|(_, leg)| leg.local().is_ipv4() && leg.is_seen());
    let (base, leg) = seen.min_by_key(|(_, leg)| leg.nth())?;
    let mapping = leg.mapping()?;
    let told = candidate(CandidateKind::ServerReflexive, mapping.shown_at()?, leg.nth(), Hop::Datagrams)?;
    Some(Own { base: *base, preference: LocalPreference::of(&told), mapping })
}
