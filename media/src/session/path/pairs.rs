//! All pairs of a call between two Silbos: which of them work ([`Pair`]), and which carry the call ([`Flow`]).
//!
//! ```text
//!   base (socket, allocation) × remote address = pair ── probes, one every 5 ms at most ──▶ proven
//!   call's packets ──▶ Flow: the pair in use, and for a while a second one ──▶ pairs
//! ```
//!
//! Sans-I/O. What goes to an address that has not answered is a bounded number of probes; what comes from one that has
//! not probed us is dropped. Both ends choose for themselves; each feeds the pair the other one sends on, so that either
//! can tell silence from quiet.

mod flow;
mod handshake;
mod room;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use relay::wire::{Message, TransactionId};

use super::SocketId;
use super::guess::Claim;
use super::pair::{End, Ends, Hop, Pace, Pair, PairId};
use super::probe::{Mark, Probe, Replays, Secret, Secrets};
use crate::session::description::CandidateKind;
use flow::{Flow, Watch};
use handshake::Handshake;
use room::Worth;

/// Pairs kept; see [`Worth`].
const MAX_PAIRS: usize = 64;
/// One probe at most in this time, over all pairs (RFC 8445 §14.2).
const PACING: Duration = Duration::from_millis(5);
/// A pair the call is on or may be on hears something from us at least this often, sound or not.
const KEEP_ALIVE: Duration = Duration::from_millis(50);
/// How often the voice leaves where there is room.
const USUAL: Duration = Duration::from_millis(20);
/// The probes of the pair in use are unanswered for so long: whatever is the matter, they take no less. By chance that is rare
/// where three of ten packets are lost either way.
const UNANSWERED: Duration = Duration::from_secs(3);
/// Where nothing was heard for so long, it is the way that is gone, not its room.
const GAP_AT_MOST: Duration = Duration::from_millis(500);
/// The other end is taken to send on a pair for this long after it showed so.
const LED: Duration = Duration::from_millis(200);
/// Packets waiting to be sent; the oldest is dropped when more come.
const MAX_OUT: usize = 256;
/// The call is alive while anything authentic came within this time.
const ALIVE: Duration = Duration::from_millis(2500);
/// Pairs besides the one in use that are probed as often as it is.
const STANDBYS: usize = 3;

/// What the pairs say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairsEvent {
    /// The first pair is proven.
    Proven,
    /// Another pair carries the call.
    Changed,
}

/// One end of pairs: a socket on an interface, or an allocation.
struct Base {
    end: End,
    ip: IpAddr,
    server: Option<SocketAddr>,
    /// Whom an allocation lets through.
    ready: BTreeSet<SocketAddr>,
}

pub(super) struct Pairs {
    secrets: Secrets,
    random: StdRng,
    /// Of the last message sent.
    counter: u64,
    replays: Replays,
    bases: BTreeMap<SocketId, Base>,
    pairs: BTreeMap<PairId, Pair>,
    flow: Flow,
    watch: Watch,
    /// A better pair than the one in use, and since when it is better.
    rival: Option<(PairId, Instant)>,
    /// How often our voice leaves, and theirs comes: seldom where the link is narrow, and then little else leaves, too.
    spacing: Duration,
    their_spacing: Duration,
    /// Of the last probe of the pair in use, until somebody asks.
    round_trip: Option<Duration>,
    talking: bool,
    usable: bool,
    handshake: Handshake,
    last_heard: Option<Instant>,
    /// What requests say of our translator.
    claim: Option<Claim>,
    /// What the other end's say of its own, by the counter of the latest.
    claimed: Option<(u64, Claim)>,
    /// No probe leaves before.
    next_probe: Option<Instant>,
    out: VecDeque<(PairId, Vec<u8>)>,
    events: VecDeque<PairsEvent>,
}

impl Pairs {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            secrets: Secrets::default(),
            random: StdRng::from_seed(seed),
            counter: 0,
            replays: Replays::default(),
            bases: BTreeMap::new(),
            pairs: BTreeMap::new(),
            flow: Flow::Seeking,
            watch: Watch::default(),
            rival: None,
            spacing: USUAL,
            their_spacing: USUAL,
            round_trip: None,
            talking: false,
            usable: false,
            handshake: Handshake::default(),
            last_heard: None,
            claim: None,
            claimed: None,
            next_probe: None,
            out: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub(super) fn set_own(&mut self, own: Secret) {
        self.secrets.own = Some(own);
    }

    /// The other end is known: probes begin.
    pub(super) fn set_peer(&mut self, now: Instant, peer: Secret) {
        self.secrets.peer = Some(peer);
        self.reopen(now);
    }

    /// What does not work yet is probed as if it were new, unless nothing is hoped for any more.
    pub(super) fn reopen(&mut self, now: Instant) {
        for pair in self.pairs.values_mut().filter(|pair| !pair.is_proven() && pair.probe_at().is_some()) {
            pair.open(now);
        }
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Sound begins: the call is watched from here on.
    pub(super) fn set_talking(&mut self, now: Instant) {
        self.talking = true;
        self.tell_claim(now);
        self.watch.begin(now);
        self.evaluate(now);
    }

    pub(super) const fn set_spacing(&mut self, ours: Duration) {
        self.spacing = ours;
    }

    pub(super) const fn set_their_spacing(&mut self, theirs: Duration) {
        self.their_spacing = theirs;
    }

    /// How long the last probe of the pair in use took, there and back, or has taken so far; once for each.
    pub(super) const fn poll_round_trip(&mut self) -> Option<Duration> {
        self.round_trip.take()
    }

    /// A socket on an interface, or an allocation (on whose relay, and how that is reached), and the addresses of the
    /// other end.
    pub(super) fn add_base<'a>(
        &mut self,
        now: Instant,
        socket: SocketId,
        ip: IpAddr,
        via: Option<(SocketAddr, Hop)>,
        remotes: impl Iterator<Item = (&'a SocketAddr, &'a End)>,
    ) {
        let end = match via {
            Some((_, hop)) => End { kind: CandidateKind::Relay, hop },
            None => End::plain(CandidateKind::Host),
        };
        let server = via.map(|(server, _)| server);
        let ready = self.bases.remove(&socket).map(|base| base.ready).unwrap_or_default();
        self.bases.insert(socket, Base { end, ip, server, ready });
        for (remote, end) in remotes {
            self.add_pair(now, PairId { socket, remote: *remote }, *end, Worth::MayWork);
        }
    }

    /// The socket or allocation is gone, and everything that went through it.
    pub(super) fn drop_base(&mut self, now: Instant, socket: SocketId) {
        self.bases.remove(&socket);
        self.pairs.retain(|id, _| id.socket != socket);
        self.out.retain(|(id, _)| id.socket != socket);
        self.forget_gone(now);
    }

    /// An address of the other end, told by it or seen.
    pub(super) fn add_remote(&mut self, now: Instant, remote: SocketAddr, end: End) {
        let sockets: Vec<SocketId> = self.bases.keys().copied().collect();
        for socket in sockets {
            self.add_pair(now, PairId { socket, remote }, end, Worth::MayWork);
        }
    }

    /// The other end has shown itself on this pair: there is one, whatever else there is.
    pub(super) fn admit(&mut self, now: Instant, id: PairId, remote: End) {
        if !self.pairs.contains_key(&id) {
            self.add_pair(now, id, remote, Worth::Heard);
        }
    }

    /// An address nothing came of.
    pub(super) fn drop_remote(&mut self, now: Instant, remote: SocketAddr) {
        self.pairs.retain(|id, _| id.remote != remote);
        self.forget_gone(now);
    }

    /// The allocation lets this address through.
    pub(super) fn open(&mut self, now: Instant, id: PairId) {
        if let Some(base) = self.bases.get_mut(&id.socket) {
            base.ready.insert(id.remote);
        }
        if let Some(pair) = self.pairs.get_mut(&id) {
            pair.open(now);
            self.introduce(id);
        }
    }

    /// What to say of our translator from now on, at once where there is somebody to tell.
    pub(super) fn set_claim(&mut self, now: Instant, claim: Option<Claim>) {
        if std::mem::replace(&mut self.claim, claim) != claim && claim.is_some() {
            self.tell_claim(now);
        }
    }

    /// What the other end says of its translator.
    pub(super) fn claimed(&self) -> Option<Claim> {
        self.claimed.map(|(_, claim)| claim)
    }

    /// A probe that belongs to no pair yet, from a socket of ours.
    pub(super) fn guess(&mut self) -> Option<Vec<u8>> {
        let transaction = self.transaction();
        self.counter += 1;
        self.secrets.request(transaction, self.counter, CandidateKind::Host, None, Mark::None)
    }

    /// Whether a way without a relay is proven.
    pub(super) fn has_direct(&self) -> bool {
        self.pairs.values().any(|pair| pair.is_proven() && pair.ends.is_direct())
    }

    pub(super) const fn is_talking(&self) -> bool {
        self.talking
    }

    /// Whether any pair of this base works, or has a chance to soon.
    pub(super) fn is_base_hopeful(&self, now: Instant, socket: SocketId) -> bool {
        let mut pairs = self.pairs.iter().filter(|(id, _)| id.socket == socket);
        pairs.any(|(id, pair)| pair.is_hopeful(now) || self.flow.uses(*id))
    }

    /// What an authentic, never seen message says.
    pub(super) fn read(&mut self, message: &Message<'_>) -> Option<Probe> {
        let probe = self.secrets.verify(message)?;
        let new = match probe {
            Probe::Request { counter, .. } | Probe::KeepAlive { counter, .. } => self.replays.accept(counter),
            // Answers are new when they answer a question that waits.
            Probe::Answer { .. } => true,
        };
        new.then_some(probe)
    }

    /// A message that was read, on its pair; whether there was use for it.
    pub(super) fn handle_probe(&mut self, now: Instant, id: PairId, probe: Probe) -> bool {
        let pace = self.pace(now, id);
        let Some(pair) = self.pairs.get_mut(&id) else { return false };
        match probe {
            Probe::Request { transaction, counter, claim, mark, .. } => {
                if let Some(claim) = claim
                    && self.claimed.is_none_or(|(latest, _)| latest < counter)
                {
                    self.claimed = Some((counter, claim));
                }
                let first = !std::mem::replace(&mut pair.admitted, true);
                (pair.heard, self.last_heard) = (Some(now), Some(now));
                pair.prompt(now);
                if let Some(answer) = self.secrets.answer(transaction, id.remote) {
                    self.push(id, answer);
                }
                if mark == Mark::Use {
                    self.handle_wish(now, id);
                }
                if first && !self.usable {
                    self.hasten_flight(now, id);
                }
            }
            Probe::Answer { transaction } => {
                if pair.answered(now, transaction, pace).is_none() {
                    return false;
                }
                if self.flow.targets()[0] == Some(id) {
                    self.round_trip = pair.latest;
                }
                (pair.heard, self.last_heard) = (Some(now), Some(now));
            }
            Probe::KeepAlive { .. } if !(pair.admitted || pair.is_proven()) => return false,
            Probe::KeepAlive { mark, .. } => {
                (pair.heard, self.last_heard, pair.traffic) = (Some(now), Some(now), Some(now));
                if mark == Mark::Use {
                    pair.led = Some(now);
                }
                self.watch.heard(self.flow, id);
            }
        }
        self.evaluate(now);
        true
    }

    /// Whether what came on this pair may be for the call.
    pub(super) fn admits(&self, id: PairId) -> bool {
        self.pairs.get(&id).is_some_and(|pair| pair.admitted || pair.is_proven())
    }

    /// Sound of the other end came on this pair, and nobody else can have sent it.
    pub(super) fn handle_sound(&mut self, now: Instant, id: PairId) {
        if let Some(pair) = self.pairs.get_mut(&id) {
            (pair.heard, pair.traffic, pair.led) = (Some(now), Some(now), Some(now));
            self.last_heard = Some(now);
            self.finish_handshake();
            self.watch.heard(self.flow, id);
            self.evaluate(now);
        }
    }

    /// Sends a packet of the call's; whether there was a pair for it. Before there is sound everything leaves twice where it
    /// can: a handshake is short, and waits a second for what is lost.
    pub(super) fn send(&mut self, now: Instant, payload: &[u8]) -> bool {
        self.keep_flight(now, payload);
        let [on, mut also] = self.flow.targets();
        if on.is_none() {
            let targets = self.unproven(payload);
            targets.iter().for_each(|id| self.push(*id, payload.to_vec()));
            return !targets.is_empty();
        }
        if !self.talking {
            also = also.or_else(|| self.standbys().first().copied());
        }
        for id in [on, also].into_iter().flatten() {
            if let Some(pair) = self.pairs.get_mut(&id) {
                pair.fed = Some(now);
            }
            self.push(id, payload.to_vec());
        }
        true
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let waiting = self.in_use().and_then(|(_, pair)| pair.unanswered_for(now));
        if self.talking
            && self.last_heard.is_some_and(|heard| now < heard + GAP_AT_MOST)
            && waiting.is_some_and(|waiting| waiting >= UNANSWERED)
        {
            self.round_trip = waiting;
        }
        self.watch_gap(now);
        self.evaluate(now);
        self.repeat_if_due(now);
        self.feed(now);
        self.probe(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let probe = self.due_probe().map(|(at, _)| (at.max(self.next_probe.unwrap_or(at)), "probe"));
        let feed = self.pairs.iter().filter_map(|(id, pair)| self.feed_at(*id, pair)).min();
        let feed = feed.map(|at| (at, "keep-alive"));
        let gap = self.gap_at().map(|at| (at, "gap watch"));
        let flow = self.flow_at().map(|at| (at, "choice of a pair"));
        let repeat = self.repeat_at().map(|at| (at, "handshake"));
        [probe, feed, gap, flow, repeat].into_iter().flatten().min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<(PairId, Vec<u8>)> {
        self.out.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<PairsEvent> {
        self.events.pop_front()
    }

    /// Whether the other end is still there, or has not been found yet.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        !self.usable || self.last_heard.is_some_and(|heard| heard + ALIVE > now)
    }

    /// When anything authentic came last, by whatever pair.
    pub(super) const fn last_heard(&self) -> Option<Instant> {
        self.last_heard
    }

    /// The pair in use.
    pub(super) fn in_use(&self) -> Option<(PairId, &Pair)> {
        let [on, _] = self.flow.targets();
        let on = on?;
        Some((on, self.pairs.get(&on)?))
    }

    fn tell_claim(&mut self, now: Instant) {
        let [on, _] = self.flow.targets();
        if let Some(pair) = on.and_then(|on| self.pairs.get_mut(&on)).filter(|_| self.claim.is_some()) {
            pair.hurry(now, Pace::Urgent);
        }
    }

    fn add_pair(&mut self, now: Instant, id: PairId, remote: End, worth: Worth) {
        let Some(Base { end, ip, server, ready }) = self.bases.get(&id.socket) else { return };
        let far = id.remote.ip();
        let reachable = ip.is_ipv4() == far.is_ipv4() && ip.is_loopback() == far.is_loopback();
        let open = end.kind != CandidateKind::Relay || ready.contains(&id.remote);
        let ends = Ends { local: *end, server: *server, remote };
        if let Some(known) = self.pairs.get_mut(&id) {
            // Seen first, told now.
            known.ends.remote = remote;
        } else if reachable && (self.pairs.len() < MAX_PAIRS || self.make_room(now, worth)) {
            let mut pair = Pair::new(now, ends);
            if open {
                pair.open(now);
            }
            self.pairs.insert(id, pair);
            if open {
                self.introduce(id);
            }
        }
    }

    /// The next probe that is due, whenever that is.
    fn due_probe(&self) -> Option<(Instant, PairId)> {
        self.secrets.peer.as_ref()?;
        self.pairs.iter().filter_map(|(id, pair)| Some((pair.probe_at()?, *id))).min()
    }

    fn probe(&mut self, now: Instant) {
        if self.next_probe.is_some_and(|at| at > now) {
            return;
        }
        let Some((_, id)) = self.due_probe().filter(|(at, _)| *at <= now) else { return };
        let (pace, mark) = (self.pace(now, id), self.flow.wish(id));
        let transaction = self.transaction();
        let Some(pair) = self.pairs.get_mut(&id) else { return };
        pair.probe(now, transaction, pace);
        let base = pair.ends.local.kind;
        let claim = self.claim.filter(|_| pair.is_proven());
        self.next_probe = Some(now + PACING);
        self.counter += 1;
        if let Some(request) = self.secrets.request(transaction, self.counter, base, claim, mark) {
            self.push(id, request);
        }
    }

    /// Keeps pairs fed that must not fall silent.
    fn feed(&mut self, now: Instant) {
        let due = self.pairs.iter().filter(|(id, pair)| self.feed_at(**id, pair).is_some_and(|at| at <= now));
        let due: Vec<PairId> = due.map(|(id, _)| *id).collect();
        let [on, _] = self.flow.targets();
        for id in due {
            let transaction = self.transaction();
            self.counter += 1;
            let mark = if on == Some(id) { Mark::Use } else { Mark::None };
            if let Some(pair) = self.pairs.get_mut(&id) {
                pair.kept_alive = Some(now);
            }
            if let Some(keep_alive) = self.secrets.keep_alive(transaction, self.counter, mark) {
                self.push(id, keep_alive);
            }
        }
    }

    /// When this pair needs a keep-alive: where sound goes alone, it is one; where it goes twice, the second copy is no
    /// proof to anybody; and a pair the other end sends on is fed although we send elsewhere.
    fn feed_at(&self, id: PairId, pair: &Pair) -> Option<Instant> {
        if !self.talking {
            return None;
        }
        let led = pair.led.is_some_and(|led| self.latest().is_some_and(|latest| latest <= led + LED));
        let last = match self.flow {
            Flow::Single { on } if on == id => pair.fed.max(pair.kept_alive),
            _ if self.flow.uses(id) || (led && pair.is_proven()) => pair.kept_alive,
            _ => return None,
        };
        let spacing = if self.spacing > USUAL { self.spacing * 2 } else { KEEP_ALIVE };
        last.map_or_else(|| self.watch.since(), |last| Some(last + spacing))
    }

    /// When the other end last showed anywhere which pair it sends on.
    fn latest(&self) -> Option<Instant> {
        self.pairs.values().filter_map(|pair| pair.led).max()
    }

    fn push(&mut self, id: PairId, payload: Vec<u8>) {
        if self.out.len() == MAX_OUT {
            self.out.pop_front();
        }
        self.out.push_back((id, payload));
    }

    fn transaction(&mut self) -> TransactionId {
        let mut transaction = [0; 12];
        self.random.fill_bytes(&mut transaction);
        TransactionId(transaction)
    }

    fn pace(&self, now: Instant, id: PairId) -> Pace {
        if self.spacing > USUAL {
            // There is no room for more.
            if self.flow.uses(id) { Pace::Standby } else { Pace::Spare }
        } else if self.flow.is_urgent(now) {
            Pace::Urgent
        } else if self.flow.uses(id) || self.standbys().iter().take(STANDBYS).any(|standby| *standby == id) {
            Pace::Standby
        } else {
            Pace::Spare
        }
    }
}
