//! Whether the queue on the way is ours.
//!
//! A queue of ours drains when less is sent than gets through. One that stands nevertheless is filled by somebody else,
//! who brakes for losses only; who then waits for it to drain gets next to nothing (on 3 Mbit/s of the lab 154 kbit/s of
//! video beside Reno and 83 beside Cubic), so growth goes on beside it, slowly (1,140 and 950).
//!
//! ```text
//!           the rate fell              a second later the queue stands as before,
//!  Alone ───────────────────▶ Draining ── and after one more fall of the rate ──▶ Contended
//!    ▲                          │ the queue is gone, or does not stir:              │ the queue is gone
//!    │                          │ the way is longer now                             │
//!    └──────────────────────────┴───────────────────────────────────────────────────┘
//! ```

use std::time::{Duration, Instant};

/// How long a queue of ours gets to drain, beyond half a round trip until what is sent less arrives: at what is kept of
/// the rate, a seventh of this drains.
const PATIENCE: Duration = Duration::from_secs(1);
/// A queue that became shorter by this drains.
const DRAINED: Duration = Duration::from_millis(50);
/// What stirs less than this in half a second is no queue: whoever fills one adds to it.
const STILL: Duration = Duration::from_millis(4);

/// What is longer than this is no way but a queue that is full.
const LONGEST_DETOUR: Duration = Duration::from_millis(150);

/// Who fills the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Contention {
    /// We, if there is one.
    #[default]
    Alone,
    /// We shall see.
    Draining { attempt: Attempt, since: Instant, queue: Duration, settled: Option<Range> },
    /// Somebody else too.
    Contended,
}

/// The first time what got through was perhaps measured while the way still carried more, and too much is kept of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Attempt {
    #[default]
    First,
    Second,
}

/// Between what a queue was while it should have drained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    least: Duration,
    most: Duration,
}

/// What the queue turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Nothing,
    /// It should have drained: send less still.
    Stubborn,
    /// It is no queue: the empty way takes longer than it did.
    Longer,
}

impl Contention {
    /// The rate fell.
    pub(super) fn backed(&mut self, now: Instant, queue: Duration) {
        let attempt = match *self {
            Self::Alone => Attempt::First,
            Self::Draining { attempt, .. } => attempt,
            Self::Contended => return,
        };
        *self = Self::Draining { attempt, since: now, queue, settled: None };
    }

    /// How long the queue is that stands, and what is so short that it is none.
    pub(super) fn update(
        &mut self,
        now: Instant,
        queue: Duration,
        none: Duration,
        trip: Duration,
    ) -> Finding {
        if queue < none {
            *self = Self::Alone;
        }
        let Self::Draining { attempt, since, queue: before, settled } = self else { return Finding::Nothing };
        let elapsed = now.saturating_duration_since(*since);
        if elapsed < PATIENCE / 2 + trip / 2 {
            return Finding::Nothing;
        }
        let range = settled.get_or_insert(Range { least: queue, most: queue });
        *range = Range { least: range.least.min(queue), most: range.most.max(queue) };
        if elapsed < PATIENCE + trip / 2 {
            return Finding::Nothing;
        }
        let still = range.most - range.least < STILL && range.most < LONGEST_DETOUR;
        let drains = queue + DRAINED < *before;
        let (next, finding) = match (drains, still, *attempt) {
            (true, _, _) => {
                (Self::Draining { attempt: *attempt, since: now, queue, settled: None }, Finding::Nothing)
            }
            (false, true, _) => (Self::Alone, Finding::Longer),
            (false, false, Attempt::First) => {
                let attempt = Attempt::Second;
                (Self::Draining { attempt, since: now, queue, settled: None }, Finding::Stubborn)
            }
            (false, false, Attempt::Second) => (Self::Contended, Finding::Nothing),
        };
        *self = next;
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    const MS: Duration = Duration::from_millis(1);

    const NONE: Duration = Duration::from_millis(10);

    /// Every 100 ms another queue, in ms.
    fn findings(contention: &mut Contention, from: Instant, queues: &[u32]) -> Vec<Finding> {
        let update =
            |(nth, queue): (u32, &u32)| contention.update(from + 100 * MS * nth, MS * *queue, NONE, 50 * MS);
        (0..).zip(queues).map(update).collect()
    }

    #[test]
    fn a_queue_that_drains_is_ours() {
        let (mut contention, start) = (Contention::default(), origin());
        contention.backed(start, 400 * MS);
        let drains: Vec<u32> = (0..=40).map(|nth| 400 - 10 * nth).collect();
        assert_eq!(findings(&mut contention, start, &drains), [Finding::Nothing; 41]);
        assert_eq!(contention, Contention::Alone);
    }

    #[test]
    fn a_queue_that_stands_twice_is_somebody_elses_until_it_is_gone() {
        let (mut contention, start) = (Contention::default(), origin());
        contention.backed(start, 200 * MS);
        let stands: Vec<u32> = (0..30).map(|nth| 200 + 20 * (nth % 3)).collect();
        let said = findings(&mut contention, start, &stands);
        assert_eq!(said.iter().filter(|finding| **finding == Finding::Stubborn).count(), 1);
        assert_eq!(contention, Contention::Contended);
        contention.backed(start, 200 * MS);
        assert_eq!(contention, Contention::Contended);
        findings(&mut contention, start, &[5]);
        assert_eq!(contention, Contention::Alone);
    }

    #[test]
    fn what_does_not_stir_is_the_way() {
        let (mut contention, start) = (Contention::default(), origin());
        contention.backed(start, 60 * MS);
        let still: Vec<u32> = (0..12).map(|nth| 60 + nth % 3).collect();
        let said = findings(&mut contention, start, &still);
        assert_eq!(said.iter().position(|finding| *finding == Finding::Longer), Some(11));
        assert_eq!(contention, Contention::Alone);
    }
}
