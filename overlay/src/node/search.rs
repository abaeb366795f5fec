//! How hard a leaf looks for homes. Whoever has none asks everybody, as often as each of them lets it. Whoever can be rung
//! looks for spares without hurry, for in a crowd most look for them: were each to knock at every door as soon as it
//! may, there would be as many links opened as there are leaves, times supernodes.
//!
//! ```text
//!   looking ─REFUSALS in a row─▶ resting, but asks whom it helped ─REST─▶ looking
//!      └─nobody left who lives─▶ one of the dead, every DEAD_PAUSE
//! ```

use std::time::{Duration, Instant};

use crate::wire::Need;

/// See the drawing above.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Spares refused since the last home was found, or since the last rest.
    refused: u32,
    rests_until: Option<Instant>,
    /// One of the dead was tried, and the next is not before.
    dead_again: Option<Instant>,
}

/// Refusals in a row after which the others are probably full, too.
const REFUSALS: u32 = 8;

/// How long it then rests; up to half as long again, as [`Search::refused`] is told.
pub(super) const REST: Duration = Duration::from_secs(60);

/// How often one of the dead is tried by somebody who can be rung: supernodes that come back say so, and this is for the
/// case that nobody tells.
const DEAD_PAUSE: Duration = Duration::from_secs(10);

impl Search {
    /// A home was found: the next may be as easy.
    pub(super) fn found(&mut self) {
        *self = Self { dead_again: self.dead_again, ..Self::default() };
    }

    /// Somebody had no room for a spare; should that be enough, it rests so long.
    pub(super) fn refused(&mut self, now: Instant, need: Need, rest: Duration) {
        if need == Need::Homeless {
            return;
        }
        self.refused += 1;
        if self.refused >= REFUSALS {
            (self.refused, self.rests_until) = (0, Some(now + rest));
        }
    }

    /// Until when nobody is asked but whom we helped, if somebody needs a home so badly.
    pub(super) fn rests_until(&self, now: Instant, need: Need) -> Option<Instant> {
        self.rests_until.filter(|until| need == Need::Spare && *until > now)
    }

    /// Until when the dead are left alone.
    pub(super) fn dead_until(&self, now: Instant, need: Need) -> Option<Instant> {
        self.dead_again.filter(|until| need == Need::Spare && *until > now)
    }

    /// One of the dead is tried.
    pub(super) fn tries_dead(&mut self, now: Instant) {
        self.dead_again = Some(now + DEAD_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_refused_often_rests_unless_it_has_no_home_at_all() {
        let (mut search, now) = (Search::default(), crate::sim::origin());
        (1..REFUSALS).for_each(|_| search.refused(now, Need::Spare, REST));
        search.refused(now, Need::Homeless, REST);
        assert_eq!(search.rests_until(now, Need::Spare), None);
        search.refused(now, Need::Spare, REST);
        assert_eq!(search.rests_until(now, Need::Spare), Some(now + REST));
        assert_eq!(search.rests_until(now, Need::Homeless), None);
        assert_eq!(search.rests_until(now + REST, Need::Spare), None);
        search.found();
        assert_eq!(search.rests_until(now, Need::Spare), None);
    }

    #[test]
    fn the_dead_are_tried_one_after_the_other_unless_there_is_no_home_at_all() {
        let (mut search, now) = (Search::default(), crate::sim::origin());
        search.tries_dead(now);
        assert_eq!(search.dead_until(now, Need::Spare), Some(now + DEAD_PAUSE));
        assert_eq!(search.dead_until(now, Need::Homeless), None);
        assert_eq!(search.dead_until(now + DEAD_PAUSE, Need::Spare), None);
    }
}
