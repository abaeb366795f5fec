//! When a screen is looked at: at once when something is drawn after a rest, evenly while it goes on, seldom while nothing
//! happens.
//!
//! ```text
//!             nothing has changed for STILL
//!   Lively ────────────────────────────────▶ Resting
//!     ▲   every LIVELY                         │  every RESTING
//!     └────────────────────────────────────────┘
//!             something is drawn, or looks different
//! ```
//!
//! A page that is turned after a rest is on its way 30 ms sooner than at the next even time, and a desktop nobody touches
//! is encoded a third as often. The first seconds of rest are lively: what was left coarse becomes sharp, and a lost end of a
//! picture is missed only when another packet follows.

use std::time::{Duration, Instant};

/// From one look to the next while something happens.
const LIVELY: Duration = Duration::from_nanos(1_000_000_000 / 15);
/// While nothing does. Not more rarely, or whoever receives it would take it for a freeze ([`super::freeze`]).
const RESTING: Duration = Duration::from_millis(200);
/// What is drawn comes in pieces: half a page would cost as much as the whole one after it.
const SETTLES: Duration = Duration::from_millis(15);
/// After how long without a change nothing happens.
const STILL: Duration = Duration::from_secs(2);

/// What is known of a screen since it was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It looks as it did.
    None,
    /// Something was drawn, or nobody tells.
    Drawn,
}

/// Says when to look at one screen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Glances {
    latest: Option<Instant>,
    /// When something changed last.
    changed: Option<Instant>,
    /// Since when something has waited to be looked at.
    waits: Option<Instant>,
}

impl Glances {
    /// Whether to look now.
    pub fn is_due(&mut self, now: Instant, change: Change) -> bool {
        if change == Change::Drawn {
            self.changed = Some(now);
            self.waits.get_or_insert(now);
        }
        if self.waits.is_some_and(|since| now < since + SETTLES) {
            return false;
        }
        let interval = if self.is_lively(now) { LIVELY } else { RESTING };
        self.latest.is_none_or(|latest| now >= latest + interval)
    }

    /// It was looked at, or its turn was passed over.
    pub fn handle_glance(&mut self, now: Instant, change: Change) {
        if change == Change::Drawn {
            self.changed = Some(now);
        }
        self.waits = None;
        // Even, however late each look is.
        let even = self.latest.map(|latest| latest + LIVELY).filter(|even| now < *even + LIVELY / 2);
        self.latest = Some(even.unwrap_or(now));
    }

    fn is_lively(&self, now: Instant) -> bool {
        self.changed.is_none_or(|changed| now < changed + STILL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::fixture::origin;

    const MS: Duration = Duration::from_millis(1);

    /// When it is looked at within so many ms, asked every 5 ms, if something is drawn at these times.
    fn looks(glances: &mut Glances, length: u32, drawn: &[u32]) -> Vec<u32> {
        let start = origin();
        let mut looks = Vec::new();
        for at in (0..length).step_by(5) {
            let now = start + MS * at;
            let change = if drawn.contains(&at) { Change::Drawn } else { Change::None };
            if glances.is_due(now, change) {
                looks.push(at);
                glances.handle_glance(now, Change::None);
            }
        }
        looks
    }

    #[test]
    fn a_screen_that_is_drawn_on_is_looked_at_fifteen_times_a_second() {
        let always: Vec<u32> = (0..10_000).step_by(5).collect();
        let seen = looks(&mut Glances::default(), 10_000, &always);
        assert!((149..=151).contains(&seen.len()), "{}", seen.len());
    }

    #[test]
    fn one_that_rests_is_looked_at_five_times_a_second_and_at_once_when_it_changes() {
        let mut glances = Glances::default();
        let seen = looks(&mut glances, 10_000, &[0, 8_105, 8_110]);
        let second = |at: u32| seen.iter().filter(|seen| (at..at + 1_000).contains(*seen)).count();
        assert_eq!([second(1_000), second(4_000), second(7_000)], [15, 5, 5]);
        assert!(seen.contains(&8_120), "{seen:?}");
        assert!(second(8_200) >= 14);
    }

    #[test]
    fn it_is_never_looked_at_twice_at_a_time() {
        let drawn: Vec<u32> = (0..10_000).step_by(35).collect();
        let seen = looks(&mut Glances::default(), 10_000, &drawn);
        assert!(seen.windows(2).all(|pair| pair[1] - pair[0] >= 30), "{seen:?}");
    }
}
