//! How long what passes by itself has been seen.
//!
//! A notice is read while it is on the screen: time counts there alone, and not while the pointer or the keyboard is on
//! it. A window that is not drawn shows nothing.

use std::time::{Duration, Instant};

/// So long a notice that passes is to be seen: time to read two sentences twice.
const SEEN: Duration = Duration::from_secs(10);

/// How often the window looks while there is one. A longer gap was not all seen.
pub(super) const GLANCE: Duration = Duration::from_secs(1);

/// Which notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// One of the engine's, by its number.
    Notice(u64),
    /// That the engine is busy.
    Busy,
}

/// Whether somebody is at a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// The pointer or the keyboard is there.
    Held,
    /// Nobody is.
    Free,
}

/// Those that are on the screen and pass, and for how long each was seen.
#[derive(Debug, Default)]
pub(super) struct Passing {
    seen: Vec<(Told, Duration)>,
    looked: Option<Instant>,
}

impl Passing {
    /// One frame that shows these; gives those that have been seen for long enough.
    pub(super) fn show(&mut self, now: Instant, shown: &[Told], hold: Hold) -> Vec<Told> {
        let passed = self.looked.map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        let passed = if hold == Hold::Held { Duration::ZERO } else { passed.min(GLANCE) };
        self.looked = (!shown.is_empty()).then_some(now);
        self.seen.retain(|(told, _)| shown.contains(told));
        for (_, seen) in &mut self.seen {
            *seen += passed;
        }
        for told in shown {
            if self.seen.iter().all(|(known, _)| known != told) {
                self.seen.push((*told, Duration::ZERO));
            }
        }
        self.seen.iter().filter(|(_, seen)| *seen >= SEEN).map(|(told, _)| *told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[Told] = &[Told::Notice(1)];

    /// Shows it for so many seconds, once a second; how often it was over.
    fn show_for(passing: &mut Passing, now: &mut Instant, seconds: u32, hold: Hold) -> usize {
        (0..seconds)
            .filter(|_| {
                *now += Duration::from_secs(1);
                !passing.show(*now, ONE, hold).is_empty()
            })
            .count()
    }

    #[test]
    fn it_goes_once_it_was_seen_for_long_enough() {
        let (mut passing, mut now) = (Passing::default(), Instant::now());
        assert!(passing.show(now, ONE, Hold::Free).is_empty());
        assert_eq!(show_for(&mut passing, &mut now, 9, Hold::Free), 0);
        assert_eq!(show_for(&mut passing, &mut now, 1, Hold::Free), 1);
    }

    #[test]
    fn it_waits_while_somebody_is_at_it_and_while_no_window_is_drawn() {
        let (mut passing, mut now) = (Passing::default(), Instant::now());
        passing.show(now, ONE, Hold::Free);
        assert_eq!(show_for(&mut passing, &mut now, 100, Hold::Held), 0);
        now += Duration::from_secs(3600);
        assert!(passing.show(now, ONE, Hold::Free).is_empty(), "a hidden window shows nothing");
    }

    #[test]
    fn each_has_a_time_of_its_own() {
        let (mut passing, mut now) = (Passing::default(), Instant::now());
        passing.show(now, ONE, Hold::Free);
        show_for(&mut passing, &mut now, 6, Hold::Free);
        let both = [Told::Notice(1), Told::Busy];
        let over: Vec<Told> = (0..5)
            .flat_map(|_| {
                now += Duration::from_secs(1);
                passing.show(now, &both, Hold::Free)
            })
            .collect();
        assert!(over.contains(&Told::Notice(1)) && !over.contains(&Told::Busy), "{over:?}");
    }
}
