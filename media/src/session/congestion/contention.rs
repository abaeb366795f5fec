//! Whether the queue on the way is ours.
//!
//! A queue of ours drains when less is sent than gets through. One that stands nevertheless is filled by somebody else,
//! who brakes for losses only; who then waits for it to drain gets nothing, so growth goes on beside it, slowly.
//!
//! ```text
//!           the rate fell              a second later the queue stands as before
//!  Alone ───────────────────▶ Draining ─────────────────────────────────────────▶ Contended
//!    ▲                          │ the queue is gone                                 │
//!    └──────────────────────────┴───────────────────────────────────────────────────┘
//! ```

use std::time::{Duration, Instant};

/// How long a queue of ours gets to drain, beyond half a round trip until what is sent less arrives: at what is kept of
/// the rate, a seventh of this drains.
const PATIENCE: Duration = Duration::from_secs(1);
/// A queue that became shorter by this drains.
const DRAINED: Duration = Duration::from_millis(50);
/// A queue shorter than this is gone.
const GONE: Duration = Duration::from_millis(15);

/// Who fills the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Contention {
    /// We, if there is one.
    #[default]
    Alone,
    /// We shall see.
    Draining { since: Instant, queue: Duration },
    /// Somebody else too.
    Contended,
}

impl Contention {
    /// The rate fell.
    pub(super) fn backed(&mut self, now: Instant, queue: Duration) {
        if *self != Self::Contended {
            *self = Self::Draining { since: now, queue };
        }
    }

    /// How long the queue is that stands.
    pub(super) fn update(&mut self, now: Instant, queue: Duration, round_trip: Duration) {
        if queue < GONE {
            *self = Self::Alone;
        }
        if let Self::Draining { since, queue: before } = *self
            && now.saturating_duration_since(since) >= PATIENCE + round_trip / 2
        {
            let drains = queue + DRAINED < before;
            *self = if drains { Self::Draining { since: now, queue } } else { Self::Contended };
        }
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
        contention.update(start + 900 * MS, 250 * MS, 50 * MS);
        assert_ne!(contention, Contention::Contended);
        contention.update(start + 1100 * MS, 250 * MS, 50 * MS);
        assert_eq!(contention, Contention::Contended);
        contention.backed(start, 200 * MS);
        assert_eq!(contention, Contention::Contended);
        contention.update(start, 10 * MS, 50 * MS);
        assert_eq!(contention, Contention::Alone);
    }
}
