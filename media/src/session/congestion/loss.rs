//! What losses say of the rate.
//!
//! Losses are judged against those the way has anyway (`inherent`: radio, bad cables). While a queue stands, more than
//! these brake: most likely the queue overflows. Without one it may be a policer, or the way became worse, so the brake is
//! a trial: losses that are ours all but vanish when no more is sent than gets through.
//!
//! ```text
//!             more than inherent, no queue                       as many at the lower rate: they are inherent
//!  Watching ───────────────────────────────────▶ Trial ──────────────────────────────────────────────▶ Watching
//!     ▲  │ more than inherent, a queue: brake       │ fewer: they were ours, the brake stays
//!     └──┘                                          └─────────────────────────────────────────────────▶ Watching
//! ```
//!
//! draft-ietf-rmcat-gcc-02 §6 brakes over 10 % and does not grow over 2 %, whatever the cause: with 5 % of random loss it
//! stays where it starts, and beside a policer it loses a tenth for good.

use std::time::{Duration, Instant};

/// Losses are judged over this and at least [`LEAST_PACKETS`].
const WINDOW: Duration = Duration::from_millis(1000);
/// See [`WINDOW`]: with fewer, chance decides.
const LEAST_PACKETS: u32 = 50;
/// However few packets there are, they are judged after this.
const LONGEST: Duration = Duration::from_secs(4);
/// Losses beyond the inherent ones that matter (draft-ietf-rmcat-gcc-02 §6).
const SOME: f64 = 0.02;
/// A queue of this length may overflow.
const QUEUE: Duration = Duration::from_millis(50);
/// So many deviations of what chance does are no chance.
const CHANCE: f64 = 3.0;
/// A trial sends so much less than gets through, so that losses that are ours end.
const DECISIVE: f64 = 0.03;
/// A trial keeps at least this share of the rate.
const LEAST_KEPT: f64 = 0.5;
/// In a trial losses that are ours fall below this share of what they were.
const OURS: f64 = 0.5;
/// What a window with less counts in the inherent loss. More is learnt by trial alone, else losses of ours would creep in.
const WEIGHT: f64 = 0.1;
/// More than this is no way but a failure: it is never called inherent.
const MOST_INHERENT: f64 = 0.3;

/// How many packets [`Loss::recent`] is about.
const RECENT: f64 = 200.0;

#[derive(Debug)]
pub(super) struct Loss {
    state: State,
    began: Option<Instant>,
    arrived: u32,
    lost: u32,
    queue: Duration,
    inherent: f64,
    recent: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Watching,
    /// The loss before the rate was lowered.
    Trial {
        before: f64,
    },
}

/// What a window of losses asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Nothing to say.
    Fine,
    /// Do not grow.
    Hold,
    /// Keep this share of the rate.
    Brake(f64),
    /// The last brake was in vain.
    InVain,
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            state: State::Watching,
            began: None,
            arrived: 0,
            lost: 0,
            queue: Duration::ZERO,
            inherent: 0.0,
            recent: 0.0,
        }
    }
}

impl Loss {
    /// Takes one feedback into account: packets that arrived, were lost, and were lost but came late.
    pub(super) fn update(&mut self, now: Instant, fates: Fates, standing: Duration) -> Option<Verdict> {
        let many = f64::from(fates.arrived + fates.lost);
        let kept = (1.0 - many / RECENT).max(0.0);
        let news = (f64::from(fates.lost) - f64::from(fates.late)) / RECENT.max(many);
        self.recent = (self.recent * kept + news).clamp(0.0, 1.0);
        let began = *self.began.get_or_insert(now);
        self.arrived = self.arrived.saturating_add(fates.arrived + fates.late);
        self.lost = self.lost.saturating_add(fates.lost).saturating_sub(fates.late);
        self.queue = self.queue.max(standing);
        let elapsed = now.saturating_duration_since(began);
        let many = self.arrived + self.lost;
        let complete = elapsed >= WINDOW && many >= LEAST_PACKETS || elapsed >= LONGEST;
        if !complete || many == 0 {
            return None;
        }
        let verdict = self.judge(f64::from(self.lost) / f64::from(many), f64::from(many));
        (self.began, self.arrived, self.lost, self.queue) = (Some(now), 0, 0, Duration::ZERO);
        Some(verdict)
    }

    /// The share of the last packets that was lost, and has not come late.
    pub(super) fn recent(&self) -> f64 {
        self.recent
    }

    /// The share that is lost whatever is sent, at most [`MOST_INHERENT`].
    pub(super) fn inherent(&self) -> f64 {
        self.inherent
    }

    fn judge(&mut self, loss: f64, many: f64) -> Verdict {
        let queue = self.queue >= QUEUE;
        if let State::Trial { before } = self.state {
            self.state = State::Watching;
            if loss > OURS * before && before <= MOST_INHERENT && !queue {
                self.inherent = ((loss + before) / 2.0).min(MOST_INHERENT);
                return Verdict::InVain;
            }
        }
        let excess = loss - self.inherent;
        if excess <= 0.0 {
            self.inherent += WEIGHT * excess;
        }
        let usual = self.inherent + SOME;
        let chance = CHANCE * (usual * (1.0 - usual) / many).sqrt();
        match (excess > SOME + chance, queue) {
            (true, true) => Verdict::Brake(1.0 - 0.5 * loss),
            (true, false) => {
                self.state = State::Trial { before: loss };
                Verdict::Brake((1.0 - loss - DECISIVE).max(LEAST_KEPT))
            }
            (false, true) if excess > SOME => Verdict::Hold,
            (false, _) => Verdict::Fine,
        }
    }
}

/// What became of packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fates {
    pub(super) arrived: u32,
    pub(super) lost: u32,
    /// Thought lost, and arrived after all.
    pub(super) late: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    #[test]
    fn what_came_late_after_all_was_not_lost() {
        let (mut loss, now) = (Loss::default(), origin());
        for _ in 0..50 {
            loss.update(now, Fates { arrived: 18, lost: 2, late: 0 }, Duration::ZERO);
        }
        assert!((0.08..0.12).contains(&loss.recent()), "{}", loss.recent());
        for _ in 0..50 {
            loss.update(now, Fates { arrived: 18, lost: 2, late: 2 }, Duration::ZERO);
        }
        assert!(loss.recent() < 0.01, "{}", loss.recent());
    }

    /// Verdicts over windows of a second with so many of 100 packets lost and a queue of so many ms.
    fn verdicts(loss: &mut Loss, from: Instant, windows: &[(u32, u64)]) -> Vec<Verdict> {
        let (mut now, mut verdicts) = (from, Vec::new());
        loss.update(now, Fates::default(), Duration::ZERO);
        for &(lost, queue) in windows {
            now += WINDOW;
            let fates = Fates { arrived: 100 - lost, lost, late: 0 };
            verdicts.extend(loss.update(now, fates, Duration::from_millis(queue)));
        }
        verdicts
    }

    fn braked(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Brake(share) if *share < 1.0 && *share >= 0.5)
    }

    #[test]
    fn random_loss_brakes_once_and_is_known_then() {
        let windows: Vec<(u32, u64)> =
            (0..60).map(|nth| (7 + nth * 7 % 5 - 2, nth as u64 % 3 * 10)).collect();
        let said = verdicts(&mut Loss::default(), origin(), &windows);
        let brakes = said.iter().filter(|verdict| braked(verdict)).count();
        assert_eq!((brakes, said.contains(&Verdict::InVain)), (1, true), "{said:?}");
    }

    #[test]
    fn loss_with_a_queue_brakes_and_inherent_loss_with_a_queue_does_not() {
        let said = verdicts(&mut Loss::default(), origin(), &[(0, 0), (9, 200)]);
        assert!(braked(&said[1]), "{said:?}");
        let mut windows = vec![(9, 0); 20];
        windows.push((10, 200));
        let said = verdicts(&mut Loss::default(), origin(), &windows);
        assert_eq!(said[20], Verdict::Fine);
    }

    #[test]
    fn a_brake_in_vain_is_the_last_one_and_a_brake_that_helps_stays() {
        let said = verdicts(&mut Loss::default(), origin(), &[(25, 0), (24, 0), (25, 0), (24, 0)]);
        assert!(braked(&said[0]));
        assert_eq!(said[1..], [Verdict::InVain, Verdict::Fine, Verdict::Fine]);
        // A policer: little is lost at what it lets through, and much again beyond it.
        let said = verdicts(&mut Loss::default(), origin(), &[(20, 0), (1, 0), (0, 0), (15, 0), (0, 0)]);
        assert!(braked(&said[0]) && braked(&said[3]), "{said:?}");
        assert!(!said.contains(&Verdict::InVain));
    }

    #[test]
    fn everything_lost_brakes_again_and_again() {
        let said = verdicts(&mut Loss::default(), origin(), &[(100, 0); 6]);
        assert!(said.iter().all(braked), "{said:?}");
    }

    #[test]
    fn what_came_late_was_not_lost() {
        let (mut loss, now) = (Loss::default(), origin());
        loss.update(now, Fates { arrived: 50, lost: 50, late: 0 }, Duration::ZERO);
        let late = Fates { arrived: 0, lost: 0, late: 49 };
        assert_eq!(loss.update(now + WINDOW, late, Duration::ZERO), Some(Verdict::Fine));
    }
}
