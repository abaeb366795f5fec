//! Whether the queue on the way is ours.
//!
//! A queue of ours drains when less is sent than gets through. One that stands nevertheless is filled by somebody else,
//! who brakes for losses only; who then waits for it to drain gets next to nothing (on 3 Mbit/s of the lab 154 kbit/s of
//! video beside Reno and 83 beside Cubic), so growth goes on beside it, slowly (1,200 and 700).
//!
//! ```text
//!           the rate fell              a second later the queue stands as before
//!  Alone ───────────────────▶ Draining ─────────────────────────────────────────▶ Contended
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
/// A queue shorter than this is gone.
const GONE: Duration = Duration::from_millis(15);

/// Who fills the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Contention {
    /// We, if there is one.
    #[default]
    Alone,
    /// We shall see.
    Draining { since: Instant, queue: Duration, settled: Option<Range> },
    /// Somebody else too.
    Contended,
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
    /// It is no queue: the empty way takes longer than it did.
    Longer,
}

impl Contention {
    /// The rate fell.
    pub(super) fn backed(&mut self, now: Instant, queue: Duration) {
        if *self != Self::Contended {
            *self = Self::Draining { since: now, queue, settled: None };
        }
    }

    /// How long the queue is that stands.
    pub(super) fn update(&mut self, now: Instant, queue: Duration, round_trip: Duration) -> Finding {
        if queue < GONE {
            *self = Self::Alone;
        }
        let Self::Draining { since, queue: before, settled } = self else { return Finding::Nothing };
        let elapsed = now.saturating_duration_since(*since);
        if elapsed < PATIENCE / 2 + round_trip / 2 {
            return Finding::Nothing;
        }
        let range = settled.get_or_insert(Range { least: queue, most: queue });
        *range = Range { least: range.least.min(queue), most: range.most.max(queue) };
        if elapsed < PATIENCE + round_trip / 2 {
            return Finding::Nothing;
        }
        let stirs = range.most - range.least;
        let drains = queue + DRAINED < *before;
        *self = match (drains, stirs < STILL) {
            (true, _) => Self::Draining { since: now, queue, settled: None },
            (false, false) => Self::Contended,
            (false, true) => {
                *self = Self::Alone;
                return Finding::Longer;
            }
        };
        Finding::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_queue_that_drains_is_ours_and_one_that_stands_is_not() {
        let (mut contention, start) = (Contention::default(), origin());
        contention.backed(start, 400 * MS);
        for nth in 0..40 {
            contention.update(start + 100 * MS * nth, (400 * MS).saturating_sub(10 * MS * nth), 50 * MS);
            assert_ne!(contention, Contention::Contended);
        }
        assert_eq!(contention, Contention::Alone);
        contention.backed(start, 200 * MS);
        contention.update(start + 900 * MS, 240 * MS, 50 * MS);
        assert_ne!(contention, Contention::Contended);
        contention.update(start + 1100 * MS, 250 * MS, 50 * MS);
        assert_eq!(contention, Contention::Contended);
        contention.backed(start, 200 * MS);
        assert_eq!(contention, Contention::Contended);
        contention.update(start, 10 * MS, 50 * MS);
        assert_eq!(contention, Contention::Alone);
    }

    #[test]
    fn what_does_not_stir_is_the_way() {
        let (mut contention, start) = (Contention::default(), origin());
        contention.backed(start, 60 * MS);
        let update = |nth| contention.update(start + 100 * MS * nth, 60 * MS + MS * (nth % 3), 50 * MS);
        let findings: Vec<Finding> = (0..12).map(update).collect();
        assert_eq!(findings.iter().position(|finding| *finding == Finding::Longer), Some(11));
        assert_eq!(contention, Contention::Alone);
    }
}
