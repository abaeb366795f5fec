//! One way between the two ends: a base of ours and an address of theirs, and whether it works.
//!
//! ```text
//!                 answer                  4 probes unanswered and nothing heard, or a gap
//!   Probing ──────────────────▶ Proven ───────────────────────────────────────────▶ Silent
//!      │ 72 s, 87 probes           ▲                     answer                       │
//!      ▼                           └──────────────────────────────────────────────────┘
//!   GivenUp ── the other end's probe comes ──▶ Probing
//! ```
//!
//! Only a proven pair carries anything but probes: the other end has answered, from where it was asked, what only it can
//! answer. Probing begins at 50 ms, which opens address translators, and slows down; a relayed pair is first probed when
//! its relay lets the address through.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use relay::wire::TransactionId;

use super::SocketId;
use crate::session::description::{Candidate, CandidateKind};

/// How an unproven pair is probed: until this age, this often.
const PATIENCE: [(Duration, Duration); 3] = [
    (AT_FIRST, Duration::from_millis(50)),
    (PUNCHING, Duration::from_millis(200)),
    (Duration::from_secs(72), Duration::from_secs(5)),
];
/// Who hears nothing for so long is probed less often, and gives way to an address not tried yet.
pub(super) const AT_FIRST: Duration = Duration::from_secs(1);
/// As long as a call may take to connect.
const PUNCHING: Duration = Duration::from_secs(12);
/// How often a pair that may be needed any moment is probed, and any other proven one.
const STANDBY: Duration = Duration::from_millis(1200);
const SPARE: Duration = Duration::from_secs(6);
/// While a call misses its sound, and once a pair is silent.
const URGENT: Duration = Duration::from_millis(100);
const SILENT: Duration = Duration::from_secs(1);
/// A probe counts as unanswered after this, or after twice the round-trip time if that is longer.
const ANSWERED_WITHIN: Duration = Duration::from_millis(300);
/// Unanswered probes in a row that make a pair silent.
const MISSES: u32 = 4;
/// A pair that was heard within this time is not silent, however many probes are lost.
const HEARD: Duration = Duration::from_secs(1);
/// Probes whose answers are waited for; the oldest is forgotten.
const ASKED: usize = 32;
/// A probe of the other end causes one of ours at most this often.
const PROMPTED: Duration = Duration::from_millis(40);

/// Names a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::session) struct PairId {
    pub(super) socket: SocketId,
    pub(super) remote: SocketAddr,
}

/// A relayed address has a local preference (RFC 8445 §5.1.2.1) below this if its owner reaches the relay over a stream.
pub(super) const BEHIND_STREAM: u32 = 1 << 15;

/// What lies between an end and its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hop {
    /// UDP, or no relay.
    Datagrams,
    /// TCP or TLS.
    Stream,
}

/// One end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) kind: CandidateKind,
    pub(super) hop: Hop,
}

/// What lies at the two ends of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Host or relay.
    pub(super) local: End,
    /// Our relay, where the base is one.
    pub(super) server: Option<SocketAddr>,
    pub(super) remote: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Probing { since: Instant },
    Proven,
    Silent,
    GivenUp,
}

/// How urgently a pair is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The call has missed something.
    Urgent,
    /// The pair in use, and those that would follow it.
    Standby,
    Spare,
}

/// A probe whose answer is waited for.
struct Asked {
    transaction: TransactionId,
    at: Instant,
    /// Whether it has been counted as unanswered; its answer may still come, where a queue has grown meanwhile.
    missed: bool,
}

pub(super) struct Pair {
    pub(super) ends: Ends,
    pub(super) state: State,
    /// Smoothed.
    pub(super) rtt: Option<Duration>,
    /// The same of the last probe that was answered.
    pub(super) latest: Option<Duration>,
    /// The other end has probed it: what comes from there may be for the call.
    pub(super) admitted: bool,
    /// When anything authentic came last.
    pub(super) heard: Option<Instant>,
    /// When sound, or a keep-alive in its place, came last.
    pub(super) traffic: Option<Instant>,
    /// When the other end last showed that this is the pair it sends on.
    pub(super) led: Option<Instant>,
    /// When sound, or a keep-alive in its place, left last.
    pub(super) fed: Option<Instant>,
    /// When a keep-alive left last.
    pub(super) kept_alive: Option<Instant>,
    /// `None` until probes can leave, and when there is no use in more.
    probe_at: Option<Instant>,
    probed: Option<Instant>,
    asked: VecDeque<Asked>,
    misses: u32,
}

impl End {
    /// One that is not behind a stream.
    pub(super) const fn plain(kind: CandidateKind) -> Self {
        Self { kind, hop: Hop::Datagrams }
    }

    /// What the other end says about an address of its own.
    pub(super) fn told(candidate: &Candidate) -> Self {
        let preference = candidate.priority >> 8 & 0xffff;
        let behind = candidate.kind == CandidateKind::Relay && preference < BEHIND_STREAM;
        Self { kind: candidate.kind, hop: if behind { Hop::Stream } else { Hop::Datagrams } }
    }
}

impl Ends {
    pub(super) const fn is_direct(&self) -> bool {
        !matches!(self.local.kind, CandidateKind::Relay) && !matches!(self.remote.kind, CandidateKind::Relay)
    }

    /// Streams between the two ends.
    pub(super) fn streams(&self) -> usize {
        [self.local, self.remote].iter().filter(|end| end.hop == Hop::Stream).count()
    }
}

impl Pair {
    pub(super) const fn new(now: Instant, ends: Ends) -> Self {
        Self {
            ends,
            state: State::Probing { since: now },
            rtt: None,
            latest: None,
            admitted: false,
            heard: None,
            traffic: None,
            led: None,
            fed: None,
            kept_alive: None,
            probe_at: None,
            probed: None,
            asked: VecDeque::new(),
            misses: 0,
        }
    }

    /// Probes may leave now.
    pub(super) fn open(&mut self, now: Instant) {
        if let State::Probing { since } = &mut self.state {
            *since = now;
        }
        self.probe_at = Some(now);
    }

    pub(super) const fn probe_at(&self) -> Option<Instant> {
        self.probe_at
    }

    pub(super) const fn is_proven(&self) -> bool {
        matches!(self.state, State::Proven)
    }

    /// Whether it has stopped to work, or never did.
    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.state, State::Silent | State::GivenUp)
    }

    /// Whether it works, or is still being punched for.
    pub(super) fn is_hopeful(&self, now: Instant) -> bool {
        match self.state {
            State::Proven => true,
            State::Probing { since } => self.probe_at.is_some() && now < since + PUNCHING,
            State::Silent | State::GivenUp => false,
        }
    }

    /// Since when it has been probed without a sign of the other end.
    pub(super) const fn in_vain_since(&self) -> Option<Instant> {
        match self.state {
            State::Probing { since } if !self.admitted && self.heard.is_none() => Some(since),
            _ => None,
        }
    }

    /// A probe leaves.
    pub(super) fn probe(&mut self, now: Instant, transaction: TransactionId, pace: Pace) {
        let patience = self.rtt.map_or(ANSWERED_WITHIN, |rtt| ANSWERED_WITHIN.max(rtt * 2));
        if matches!(self.state, State::Proven) {
            for asked in self.asked.iter_mut().filter(|asked| !asked.missed && asked.at + patience <= now) {
                asked.missed = true;
                self.misses += 1;
            }
            // Where the other end is heard all the same, it is loss.
            if self.misses >= MISSES && self.heard.is_none_or(|heard| heard + HEARD <= now) {
                self.silence();
            }
        }
        if self.asked.len() == ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked { transaction, at: now, missed: false });
        self.probed = Some(now);
        let interval = match self.state {
            State::Probing { since } => {
                let age = now.saturating_duration_since(since);
                let interval = PATIENCE.iter().find(|(until, _)| age < *until).map(|(_, interval)| *interval);
                if interval.is_none() {
                    self.state = State::GivenUp;
                }
                interval
            }
            State::Proven | State::Silent if pace == Pace::Urgent => Some(URGENT),
            State::Proven if self.misses > 0 => Some(patience),
            State::Proven if pace == Pace::Standby => Some(STANDBY),
            State::Proven => Some(SPARE),
            State::Silent => Some(SILENT),
            State::GivenUp => None,
        };
        self.probe_at = interval.map(|interval| now + interval);
    }

    /// Wants a probe within this time.
    pub(super) fn hurry(&mut self, now: Instant, pace: Pace) {
        let latest = now
            + match pace {
                Pace::Urgent => Duration::ZERO,
                Pace::Standby => STANDBY,
                Pace::Spare => SPARE,
            };
        if matches!(self.state, State::Proven | State::Silent) {
            self.probe_at = self.probe_at.map(|at| at.min(latest));
        }
    }

    /// The other end probes: whatever kept ours from arriving may be gone (RFC 8445 §7.3.1.4).
    pub(super) fn prompt(&mut self, now: Instant) {
        if self.state == State::GivenUp {
            self.state = State::Probing { since: now };
            self.probe_at = Some(now);
        }
        if !self.is_proven() && self.probed.is_none_or(|at| at + PROMPTED <= now) {
            self.probe_at = self.probe_at.map(|at| at.min(now));
        }
    }

    /// The other end answers; whether that proves the pair anew, or nothing if it was not asked.
    pub(super) fn answered(&mut self, now: Instant, transaction: TransactionId, pace: Pace) -> Option<bool> {
        let asked = self.asked.iter().find(|asked| asked.transaction == transaction)?.at;
        let rtt = now.saturating_duration_since(asked);
        self.latest = Some(rtt);
        self.rtt = Some(self.rtt.map_or(rtt, |smooth| (smooth * 3 + rtt) / 4));
        self.asked.retain(|later| later.at > asked);
        self.misses = 0;
        let newly = !self.is_proven();
        if newly {
            self.state = State::Proven;
            self.probe_at = Some(now + if pace == Pace::Spare { SPARE } else { STANDBY });
        }
        Some(newly)
    }

    /// How long it has not answered: since the first probe after the last one that it did.
    pub(super) fn unanswered_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.asked.front()?.at))
    }

    /// It carries nothing until it answers again.
    pub(super) fn silence(&mut self) {
        self.state = State::Silent;
        self.asked.clear();
        self.misses = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    const MS: Duration = Duration::from_millis(1);

    fn pair(now: Instant) -> Pair {
        let host = End::plain(CandidateKind::Host);
        let ends = Ends { local: host, server: None, remote: host };
        let mut pair = Pair::new(now, ends);
        pair.open(now);
        pair
    }

    fn id(n: u32) -> TransactionId {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&n.to_be_bytes());
        TransactionId(id)
    }

    /// Probes whenever due until `until`; how often.
    fn probe_until(pair: &mut Pair, until: Instant) -> u32 {
        let mut probes = 0;
        while let Some(due) = pair.probe_at().filter(|due| *due < until) {
            probes += 1;
            pair.probe(due, id(probes), Pace::Standby);
        }
        probes
    }

    #[test]
    fn an_address_that_never_answers_gets_a_bounded_number_of_probes() {
        let start = origin();
        let mut pair = pair(start);
        let probes = probe_until(&mut pair, start + Duration::from_secs(1000));
        assert_eq!(pair.state, State::GivenUp);
        assert!((80..=100).contains(&probes), "{probes}");
        pair.prompt(start + Duration::from_secs(1000));
        assert!(pair.probe_at().is_some(), "the other end's probe starts it again");
    }

    #[test]
    fn only_an_answer_to_a_question_of_ours_proves_it() {
        let start = origin();
        let mut pair = pair(start);
        pair.probe(start, id(1), Pace::Standby);
        assert_eq!(pair.answered(start + 9 * MS, id(2), Pace::Standby), None);
        assert!(!pair.is_proven());
        assert_eq!(pair.answered(start + 30 * MS, id(1), Pace::Standby), Some(true));
        assert_eq!((pair.is_proven(), pair.rtt), (true, Some(30 * MS)));
        assert_eq!(pair.answered(start + 31 * MS, id(1), Pace::Standby), None, "answered twice");
    }

    #[test]
    fn a_standby_that_dies_is_silent_within_four_seconds_and_comes_back_with_an_answer() {
        let start = origin();
        let mut pair = pair(start);
        pair.probe(start, id(1), Pace::Standby);
        pair.answered(start + 30 * MS, id(1), Pace::Standby);
        probe_until(&mut pair, start + 4000 * MS);
        assert_eq!(pair.state, State::Silent);
        pair.probe(start + 4000 * MS, id(99), Pace::Standby);
        assert_eq!(pair.answered(start + 4030 * MS, id(99), Pace::Standby), Some(true));
    }

    #[test]
    fn a_queue_that_grows_on_a_fast_pair_is_measured_though_probes_are_missed_meanwhile() {
        let start = origin();
        let mut pair = pair(start);
        pair.probe(start, id(1), Pace::Standby);
        pair.answered(start + 80 * MS, id(1), Pace::Standby);
        for n in 2..6 {
            pair.probe(start + 300 * MS * n, id(n), Pace::Urgent);
        }
        assert_eq!(pair.answered(start + 1500 * MS, id(2), Pace::Urgent), Some(false));
        assert_eq!(pair.latest, Some(900 * MS));
        assert_eq!(pair.misses, 0);
    }

    #[test]
    fn a_slow_pair_is_not_silent_for_being_slow() {
        let start = origin();
        let mut pair = pair(start);
        let mut answers = VecDeque::new();
        let mut n = 0;
        while let Some(due) = pair.probe_at().filter(|due| *due < start + Duration::from_secs(20)) {
            while let Some((at, id)) = answers.pop_front_if(|(at, _)| *at <= due) {
                pair.answered(at, id, Pace::Standby);
            }
            n += 1;
            pair.probe(due, id(n), Pace::Standby);
            answers.push_back((due + 900 * MS, id(n)));
            assert!(pair.state != State::Silent, "{n}");
        }
        assert!(pair.is_proven());
    }
}
