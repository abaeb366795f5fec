//! What losses say of the rate.
//!
//! Losses are judged against those the way has anyway (`inherent`: radio, bad cables), learnt while no queue stands. More
//! than these brakes, sooner if a queue stands, because then it is most likely the queue that overflows. Without a queue
//! it may be a policer or bad luck, so the brake is a trial:
//!
//! ```text
//!             many more than inherent, no queue                    as many at the lower rate: they are inherent
//!  Watching ───────────────────────────────────▶ Trial ──────────────────────────────────────────────▶ Watching
//!     ▲  │ more than inherent, a queue: brake       │ fewer: they were ours, the brake stays
//!     └──┘                                          └─────────────────────────────────────────────────▶ Watching
//! ```
//!
//! draft-ietf-rmcat-gcc-02 §6 brakes over 10 % and does not grow over 2 %, whatever the cause: with 5 % of random loss it
//! stays where it starts.

use std::time::{Duration, Instant};

/// Losses are judged over this and at least [`LEAST_PACKETS`].
const WINDOW: Duration = Duration::from_millis(1000);
/// See [`WINDOW`]: with fewer, chance decides.
const LEAST_PACKETS: u32 = 50;
/// However few packets there are, they are judged after this.
const LONGEST: Duration = Duration::from_secs(4);
/// Losses beyond the inherent ones that brake (draft-ietf-rmcat-gcc-02 §6).
const MANY: f64 = 0.10;
/// The same while a queue stands, and where growth ends in any case (draft-ietf-rmcat-gcc-02 §6).
const SOME: f64 = 0.02;
/// A queue of this length may overflow.
const QUEUE: Duration = Duration::from_millis(50);
/// At a lower rate losses that are ours fall below this share of what they were.
const OURS: f64 = 0.75;
/// What a window counts in the inherent loss.
const WEIGHT: f64 = 0.2;
/// More than this is no way but a failure: it is never called inherent.
const MOST_INHERENT: f64 = 0.3;

#[derive(Debug)]
pub(super) struct Loss {
    state: State,
    began: Option<Instant>,
    arrived: u32,
    lost: u32,
    queue: Duration,
    inherent: f64,
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
        }
    }
}

impl Loss {
    /// Takes one feedback into account: packets that arrived, were lost, and were lost but came late.
    pub(super) fn update(&mut self, now: Instant, fates: Fates, standing: Duration) -> Option<Verdict> {
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

    fn judge(&mut self, loss: f64, many: f64) -> Verdict {
        // Two deviations of what chance makes of the inherent loss.
        let chance = |share: f64| 2.0 * (share * (1.0 - share) / many).sqrt();
        if let State::Trial { before } = self.state {
            self.state = State::Watching;
            if loss > OURS * before && before <= MOST_INHERENT && self.queue < QUEUE {
                self.inherent = (loss + before) / 2.0;
                return Verdict::InVain;
            }
        }
        let excess = loss - self.inherent;
        let limit = if self.queue >= QUEUE { SOME } else { MANY };
        if excess > limit + chance(self.inherent + limit) {
            if self.queue < QUEUE {
                self.state = State::Trial { before: loss };
            }
            return Verdict::Brake(1.0 - 0.5 * loss);
        }
        if self.queue < QUEUE {
            self.inherent = (self.inherent + WEIGHT * excess).clamp(0.0, MOST_INHERENT);
            return Verdict::Fine;
        }
        if excess > SOME { Verdict::Hold } else { Verdict::Fine }
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
    fn random_loss_does_not_brake() {
        let windows: Vec<(u32, u64)> =
            (0..60).map(|nth| (5 + nth * 7 % 5 - 2, nth as u64 % 3 * 10)).collect();
        let said = verdicts(&mut Loss::default(), origin(), &windows);
        assert!(said.iter().all(|verdict| *verdict == Verdict::Fine), "{said:?}");
    }

    #[test]
    fn loss_with_a_queue_brakes_and_inherent_loss_with_a_queue_does_not() {
        let said = verdicts(&mut Loss::default(), origin(), &[(0, 0), (8, 200)]);
        assert!(braked(&said[1]), "{said:?}");
        let mut windows = vec![(6, 0); 20];
        windows.push((7, 200));
        let said = verdicts(&mut Loss::default(), origin(), &windows);
        assert_eq!(said[20], Verdict::Fine);
    }

    #[test]
    fn a_brake_in_vain_is_the_last_one_and_a_brake_that_helps_is_not() {
        let said = verdicts(&mut Loss::default(), origin(), &[(25, 0), (24, 0), (25, 0), (24, 0)]);
        assert!(braked(&said[0]));
        assert_eq!(said[1..], [Verdict::InVain, Verdict::Fine, Verdict::Fine]);
        // A policer: half is lost, then less at the lower rate.
        let said = verdicts(&mut Loss::default(), origin(), &[(50, 0), (33, 0), (20, 0), (11, 0)]);
        assert!(said[..2].iter().all(braked), "{said:?}");
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
