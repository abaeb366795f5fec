//! Which pairs carry the call.
//!
//! ```text
//!              first proven pair               100 ms without a sign of life on `on`
//!   Seeking ─────────────────────▶ Single(on) ───────────────────────────────────────▶ Bridging(on, also)
//!      ▲                            │      ▲                                             │          │
//!      │ base gone,       a better  │      │ a while later             heard again on it │          │ silent 300 ms more,
//!      │ none proven      pair, 2 s ▼      │                                             ▼          ▼ heard on another
//!      └───────────────────────── Doubled(on, also) ◀──────────────────────────────── same `on`   new `on`
//! ```
//!
//! Everything leaves on `on` and on `also`; SRTP's replay window drops what comes twice (RFC 3711 §3.3.2), so moving loses
//! nothing. A gap is judged against our own lateness: who wakes up late has not looked yet. Gaps shorter than a third of a
//! second, or a stalled peer, cause copies but no move; and nothing moves back before two seconds have passed.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use super::{ALIVE, Pairs, PairsEvent, USUAL};
use crate::session::description::CandidateKind;
use crate::session::path::SocketId;
use crate::session::path::pair::{Pace, Pair, PairId};
use crate::session::path::probe::Mark;

/// Sound comes every 20 ms, keep-alives every 50: this long without either is a gap. At 100 ms a frame more was missed of
/// each relay that died; at 10 % loss four packets in a row are lost every few minutes, which costs a second of copies. Where
/// sound comes less often, three times what it comes later than usual is added.
const GAP: Duration = Duration::from_millis(85);
/// A pair newly in use is given this long, and two round trips, until the other end feeds it.
const FIRST_FED: Duration = Duration::from_millis(500);
/// Who wakes up later than this has stalled, and looks at its sockets for [`GRACE`] before it judges.
const LATE: Duration = Duration::from_millis(20);
const GRACE: Duration = Duration::from_millis(40);
/// A gap after which the call moves, provided something is heard elsewhere.
const GIVE_UP: Duration = Duration::from_millis(300);
/// How long another pair is tried in a gap before the next.
const TURN: Duration = Duration::from_millis(100);
/// A gap is looked into this urgently, and then more calmly.
const URGENT_FOR: Duration = Duration::from_secs(3);
/// Copies after a gap, while moving to a better pair, and at the other end's wish: longer than its own copies last.
const COPIES_AFTER_GAP: Duration = Duration::from_secs(1);
const COPIES_WHILE_MOVING: Duration = Duration::from_millis(500);
const COPIES_AT_WISH: Duration = Duration::from_millis(1500);
/// A pair must have been better for this long.
const HOLD: Duration = Duration::from_secs(2);
/// Better by round-trip time: by this much, and by a fifth.
const FASTER: Duration = Duration::from_millis(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// No pair is proven.
    Seeking,
    /// All is well.
    Single { on: PairId },
    /// Copies leave on a second pair.
    Doubled { on: PairId, also: PairId, until: Instant },
    /// Nothing comes on `on`; others are tried one after the other.
    Bridging { on: PairId, also: Option<PairId>, since: Instant, turn_at: Instant, turns: usize },
}

/// What the gap watch knows besides the pairs.
#[derive(Default)]
pub(super) struct Watch {
    /// Whether the other end has sent sound or a keep-alive anywhere: before that there is nothing to miss.
    hears: bool,
    /// When watching the pair in use began.
    since: Option<Instant>,
    /// Not judged before, for we were late.
    excused: Option<Instant>,
}

impl Watch {
    pub(super) fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// Sound or a keep-alive came.
    pub(super) fn heard(&mut self, flow: Flow, id: PairId) {
        self.hears = true;
        if flow.targets()[0] == Some(id) {
            self.excused = None;
        }
    }

    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }
}

impl Flow {
    pub(super) const fn targets(&self) -> [Option<PairId>; 2] {
        match *self {
            Self::Seeking => [None, None],
            Self::Single { on } => [Some(on), None],
            Self::Doubled { on, also, .. } => [Some(on), Some(also)],
            Self::Bridging { on, also, .. } => [Some(on), also],
        }
    }

    pub(super) fn uses(&self, id: PairId) -> bool {
        self.targets().contains(&Some(id))
    }

    pub(super) fn is_urgent(&self, now: Instant) -> bool {
        matches!(self, Self::Bridging { since, .. } if now < *since + URGENT_FOR)
    }

    /// How a probe on this pair is marked: the stand-in of a gap is where the other end should send, too.
    pub(super) fn wish(&self, id: PairId) -> Mark {
        match self {
            Self::Bridging { also: Some(also), .. } if *also == id => Mark::Use,
            _ => Mark::None,
        }
    }
}

impl Pairs {
    /// Does what is due, and what follows from what came.
    pub(super) fn evaluate(&mut self, now: Instant) {
        match self.flow {
            Flow::Seeking => {
                if let Some(best) = self.best() {
                    self.carry(now, best, None);
                }
            }
            Flow::Doubled { on, until, .. } if until <= now => {
                self.flow = Flow::Single { on };
                self.look_for_better(now, on);
            }
            Flow::Single { on } | Flow::Doubled { on, .. } => self.look_for_better(now, on),
            Flow::Bridging { .. } => self.bridge(now),
        }
    }

    /// Notices a gap on the pair in use.
    pub(super) fn watch_gap(&mut self, now: Instant) {
        let Some(due) = self.gap_at().filter(|due| *due <= now) else { return };
        let (Flow::Single { on } | Flow::Doubled { on, .. }) = self.flow else { return };
        let late = now.saturating_duration_since(due);
        // Excused once a gap, and again only for another long stall: who is always late must judge some time.
        if late > LATE && (self.watch.excused.is_none() || late > GAP) {
            self.watch.excused = Some(now + GRACE);
            return;
        }
        let also = match self.flow {
            Flow::Doubled { also, .. } => Some(also),
            _ => self.standbys().first().copied(),
        };
        self.flow = Flow::Bridging { on, also, since: now, turn_at: now + TURN, turns: 0 };
        // Gaps on a relayed pair do not put off a direct one: where every second has one it would never be taken.
        self.rival = self
            .rival
            .filter(|(id, _)| self.pairs.get(id).is_some_and(|rival| rival.ends.is_direct()) && *id != on);
        for pair in self.pairs.values_mut() {
            pair.hurry(now, Pace::Urgent);
        }
    }

    /// When the pair in use has been silent for too long.
    pub(super) fn gap_at(&self) -> Option<Instant> {
        let (Flow::Single { on } | Flow::Doubled { on, .. }) = self.flow else { return None };
        let (since, pair) = (self.watch.since.filter(|_| self.watch.hears)?, self.pairs.get(&on)?);
        let due = match pair.traffic.filter(|traffic| *traffic + COPIES_AFTER_GAP > since) {
            Some(traffic) => traffic.max(since) + GAP + self.their_spacing.saturating_sub(USUAL) * 3,
            None => since + FIRST_FED + pair.rtt.unwrap_or_default() * 2,
        };
        Some(self.watch.excused.map_or(due, |excused| excused.max(due)))
    }

    /// When [`Self::evaluate`] has something to do though nothing comes.
    pub(super) fn flow_at(&self) -> Option<Instant> {
        let move_at = self.rival.map(|(_, since)| since + HOLD);
        match self.flow {
            Flow::Seeking => None,
            Flow::Single { .. } => move_at,
            Flow::Doubled { until, .. } => Some(move_at.map_or(until, |at| at.min(until))),
            Flow::Bridging { turn_at, .. } => Some(turn_at),
        }
    }

    /// The base whose pair should have brought something.
    pub(in crate::session::path) const fn missing(&self) -> Option<SocketId> {
        match self.flow {
            Flow::Bridging { on, .. } => Some(on.socket),
            Flow::Seeking | Flow::Single { .. } | Flow::Doubled { .. } => None,
        }
    }

    /// Whether a call has lost all it had: its pair fell silent, and nothing is heard on any other.
    pub(in crate::session::path) fn is_cut_off(&self, now: Instant) -> bool {
        match self.flow {
            Flow::Seeking => self.talking && self.usable,
            Flow::Bridging { since, .. } => {
                let heard = |pair: &Pair| pair.heard.is_some_and(|heard| heard > since);
                since + GIVE_UP <= now && !self.pairs.values().any(heard)
            }
            Flow::Single { .. } | Flow::Doubled { .. } => false,
        }
    }

    /// The other end misses us, and wants copies here.
    pub(super) fn handle_wish(&mut self, now: Instant, id: PairId) {
        let proven = self.pairs.get(&id).is_some_and(Pair::is_proven);
        match self.flow {
            Flow::Single { on } | Flow::Doubled { on, .. } if proven && on != id => {
                self.flow = Flow::Doubled { on, also: id, until: now + COPIES_AT_WISH };
            }
            _ => {}
        }
    }

    /// Pairs are gone: nothing may refer to them.
    pub(super) fn forget_gone(&mut self, now: Instant) {
        let [on, also] = self.flow.targets().map(|id| id.filter(|id| self.pairs.contains_key(id)));
        self.rival = self.rival.filter(|(id, _)| self.pairs.contains_key(id));
        match (self.flow, on, also) {
            (Flow::Seeking, _, _) | (_, Some(_), Some(_)) | (Flow::Single { .. }, Some(_), None) => {}
            (Flow::Bridging { since, turn_at, turns, .. }, Some(on), None) => {
                self.flow = Flow::Bridging { on, also: None, since, turn_at, turns };
            }
            (_, Some(on), None) => self.flow = Flow::Single { on },
            (_, None, also) => match also.filter(|id| self.is_proven(*id)).or_else(|| self.best()) {
                Some(next) => self.carry(now, next, None),
                None => self.flow = Flow::Seeking,
            },
        }
    }

    /// Proven pairs that could take over, best first: those that share no relay with the pair in use, then by rank.
    pub(super) fn standbys(&self) -> Vec<PairId> {
        let [on, _] = self.flow.targets();
        let used = on.and_then(|on| Some((on, self.pairs.get(&on)?)));
        let mut standbys: Vec<_> = self
            .pairs
            .iter()
            .filter(|(id, pair)| pair.is_proven() && on != Some(**id))
            .map(|(id, pair)| (used.is_some_and(|used| shares_fate(used, (*id, pair))), rank(pair), *id))
            .collect();
        standbys.sort_unstable();
        standbys.into_iter().map(|(_, _, id)| id).collect()
    }

    fn best(&self) -> Option<PairId> {
        let proven = self.pairs.iter().filter(|(_, pair)| pair.is_proven());
        proven.min_by_key(|(id, pair)| (rank(pair), **id)).map(|(id, _)| *id)
    }

    fn is_proven(&self, id: PairId) -> bool {
        self.pairs.get(&id).is_some_and(Pair::is_proven)
    }

    fn look_for_better(&mut self, now: Instant, on: PairId) {
        let Some(best) = self.best().filter(|best| *best != on) else {
            self.rival = None;
            return;
        };
        let (Some(used), Some(other)) = (self.pairs.get(&on), self.pairs.get(&best)) else { return };
        // Before there is sound, and where the pair in use has stopped to answer, there is nothing to hold on to.
        let at_once = !used.is_proven() || !self.talking;
        if !is_better(other, used) && used.is_proven() {
            self.rival = None;
            return;
        }
        let since = match self.rival {
            Some((rival, since)) if rival == best => since,
            _ => now,
        };
        self.rival = Some((best, since));
        if at_once || since + HOLD <= now {
            self.carry(now, best, Some(now + COPIES_WHILE_MOVING).filter(|_| self.talking));
        }
    }

    fn bridge(&mut self, now: Instant) {
        let Flow::Bridging { on, also, since, turn_at, turns } = self.flow else { return };
        let heard = |id: PairId| self.pairs.get(&id).and_then(|pair| pair.heard).is_some_and(|at| at > since);
        if heard(on) {
            self.watch = Watch { hears: true, since: Some(now), excused: None };
            self.flow = match also {
                Some(also) => Flow::Doubled { on, also, until: now.max(since + COPIES_AFTER_GAP) },
                None => Flow::Single { on },
            };
            return;
        }
        let standbys = self.standbys();
        let alive = also.filter(|also| heard(*also) && self.is_proven(*also));
        match alive.or_else(|| standbys.iter().copied().find(|id| heard(*id))) {
            Some(alive) if since + GIVE_UP <= now => {
                if let Some(pair) = self.pairs.get_mut(&on) {
                    pair.silence();
                }
                self.carry(now, alive, Some(now + COPIES_AFTER_GAP));
            }
            Some(alive) => {
                let turn_at = since + GIVE_UP;
                self.flow = Flow::Bridging { on, also: Some(alive), since, turn_at, turns };
            }
            None if turn_at <= now => {
                let turns = turns + 1;
                let also = standbys.get(turns % standbys.len().max(1)).copied().or(also);
                self.flow = Flow::Bridging { on, also, since, turn_at: now + TURN, turns };
            }
            None => {}
        }
    }

    /// From now on the call is on this pair; copies stay where it was.
    fn carry(&mut self, now: Instant, to: PairId, copies_until: Option<Instant>) {
        let [before, _] = self.flow.targets();
        let before = before.filter(|before| self.pairs.contains_key(before) && *before != to);
        self.flow = match (before, copies_until) {
            (Some(also), Some(until)) => Flow::Doubled { on: to, also, until },
            _ => Flow::Single { on: to },
        };
        self.watch = Watch { since: Some(now), excused: None, ..self.watch };
        self.rival = None;
        let standbys = self.standbys();
        for id in standbys.iter().take(super::STANDBYS).chain([&to]) {
            if let Some(pair) = self.pairs.get_mut(id) {
                pair.hurry(now, Pace::Standby);
            }
        }
        if std::mem::replace(&mut self.usable, true) {
            self.events.push_back(PairsEvent::Changed);
        } else {
            self.events.push_back(PairsEvent::Proven);
            self.hasten_flight(now, to);
        }
    }
}

/// Direct ones first, then those with fewer streams on the way, then the fastest.
fn rank(pair: &Pair) -> (bool, usize, Duration) {
    (!pair.ends.is_direct(), pair.ends.streams(), pair.rtt.unwrap_or(ALIVE))
}

fn is_better(other: &Pair, used: &Pair) -> bool {
    let ((other_relayed, other_streams, other_rtt), (used_relayed, used_streams, used_rtt)) =
        (rank(other), rank(used));
    match (other_relayed, other_streams).cmp(&(used_relayed, used_streams)) {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal => other_rtt + FASTER.max(used_rtt / 5) < used_rtt,
    }
}

/// Whether what kills the one is likely to kill the other.
fn shares_fate((one_id, one): (PairId, &Pair), (other_id, other): (PairId, &Pair)) -> bool {
    let relays = |id: PairId, pair: &Pair| {
        let far = (pair.ends.remote.kind == CandidateKind::Relay).then(|| id.remote.ip());
        [pair.ends.server.map(|server| server.ip()), far]
    };
    if one.ends.is_direct() && other.ends.is_direct() {
        return true;
    }
    let others = relays(other_id, other);
    relays(one_id, one).into_iter().flatten().any(|relay| others.contains(&Some(relay)))
}
