//! When frames of 10 ms are sent, and when no longer.
//!
//! ```text
//!            so many reports in a row: nothing lost, even, and near
//!   Usual ──────────────────────────────────────────────────────────▶ Short
//!     ▲   calm reports are counted                 reports are counted  │
//!     └── anything lost, uneven, far; no room; another way ─────────────┘
//! ```
//!
//! A short frame is heard 10 ms sooner, and costs: a packet a block instead of one every other, so that headers take 45 kbit/s in
//! place of 22, and as much more of the processor. Where anything is lost those bits are of better use as copies, and where
//! packets come unevenly they are waited for longer than is gained.
//!
//! How near a way is shows that it is wide enough, too: a probe is 140 bytes, which alone take [`NEAR`] on a link of 93 kbit/s.
//! A longer way proves nothing of the kind: on one of 60 ms there and back and 64 kbit/s short frames would fill a queue of 300 ms
//! within a second. There they are sent only where somebody vouches for it ([`Frames::Quickest`]).
//!
//! Where the return to short frames was wrong the next one waits twice as long ([`Brevity::patience`]).

use std::time::Duration;

use super::protection::{Reported, Room};
use crate::codec::FrameLength;

/// How short frames may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Frames {
    /// 20 ms, whatever the way is like.
    Usual,
    /// 10 ms where the way is near, even, and loses nothing.
    #[default]
    Near,
    /// The same on ways of any length, which must be known to carry 90 kbit/s.
    Quickest,
}

/// Decides once a second, by what is known of the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Brevity {
    frames: Frames,
    state: State,
    /// Calm reports in a row until frames are short.
    patience: u32,
    /// The shortest round trip on this way; none before the first.
    least: Option<Duration>,
    /// Probes in a row that took long: one alone may have met something else.
    slow: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// So many reports in a row were calm.
    Usual { calm: u32 },
    /// Since so many reports.
    Short { reports: u32 },
}

impl Default for Brevity {
    fn default() -> Self {
        let state = State::Usual { calm: 0 };
        Self { frames: Frames::default(), state, patience: CALM, least: None, slow: 0 }
    }
}

impl Brevity {
    pub(super) const fn set_frames(&mut self, frames: Frames) {
        self.frames = frames;
    }

    /// How long frames are where nothing speaks for longer ones.
    pub(super) const fn length(&self) -> FrameLength {
        match self.state {
            State::Usual { .. } => FrameLength::Ms20,
            State::Short { .. } => FrameLength::Ms10,
        }
    }

    /// To be called once a second.
    pub(super) fn handle_report(&mut self, reported: &Reported) {
        if let Some(round_trip) = reported.round_trip {
            self.least = Some(self.least.map_or(round_trip, |least| least.min(round_trip)));
        }
        self.state = match self.state {
            State::Usual { .. } if !self.is_within(reported, (EVEN, NEAR)) => State::Usual { calm: 0 },
            State::Usual { calm } if calm + 1 < self.patience => State::Usual { calm: calm + 1 },
            State::Usual { .. } => State::Short { reports: 0 },
            State::Short { .. } if !self.is_within(reported, (UNEVEN, FAR)) => return self.give_up(),
            State::Short { reports } => {
                if reports == GOOD {
                    self.patience = CALM;
                }
                State::Short { reports: reports.saturating_add(1) }
            }
        };
    }

    /// A probe came back after so long, or has not for so long.
    pub(super) fn handle_round_trip(&mut self, latest: Duration) {
        self.slow = if self.beyond(latest) > FAR { self.slow + 1 } else { 0 };
        if self.slow >= TWICE && matches!(self.state, State::Short { .. }) {
            self.give_up();
        }
    }

    /// Packets take another way, of which nothing is known.
    pub(super) const fn handle_new_way(&mut self) {
        (self.state, self.least, self.slow) = (State::Usual { calm: 0 }, None, 0);
    }

    fn give_up(&mut self) {
        if let State::Short { reports } = self.state
            && reports < GOOD
        {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
        self.state = State::Usual { calm: 0 };
    }

    /// Whether nothing speaks against short frames where no more than this jitter and this distance do.
    fn is_within(&self, reported: &Reported, (uneven, far): (Duration, Duration)) -> bool {
        self.frames != Frames::Usual
            && reported.room == Room::Any
            && reported.loss == 0.0
            && reported.jitter.is_some_and(|jitter| jitter <= uneven)
            && reported.round_trip.is_some_and(|round_trip| self.beyond(round_trip) <= far)
    }

    /// What of a round trip speaks against short frames.
    fn beyond(&self, round_trip: Duration) -> Duration {
        match self.frames {
            Frames::Usual | Frames::Near => round_trip,
            // Whatever is not the way is a queue.
            Frames::Quickest => round_trip.saturating_sub(self.least.unwrap_or(round_trip)),
        }
    }
}

/// Reports in a row, of a second each, until frames are short.
const CALM: u32 = 5;
/// The same where it was wrong each time.
const MOST_PATIENCE: u32 = 80;
/// Reports after which short frames are found to have been right.
const GOOD: u32 = 30;
/// There and back: what is near, and what no longer is.
const NEAR: Duration = Duration::from_millis(12);
const FAR: Duration = Duration::from_millis(25);
/// Jitter for which nobody waits longer, and for which the receiver waits as much longer as would be gained.
const EVEN: Duration = Duration::from_millis(3);
const UNEVEN: Duration = Duration::from_millis(6);
/// What is seen once may be chance.
const TWICE: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// What is reported of a cable, a good radio, and the like.
    const LAN: Reported = Reported {
        loss: 0.0,
        burst_density: None,
        round_trip: Some(Duration::from_millis(2)),
        jitter: Some(Duration::from_micros(400)),
        room: Room::Any,
    };

    fn of(frames: Frames) -> Brevity {
        let mut brevity = Brevity::default();
        brevity.set_frames(frames);
        brevity
    }

    /// So many seconds like this; how many of them had short frames.
    fn seconds(brevity: &mut Brevity, count: u32, reported: Reported) -> u32 {
        (0..count)
            .map(|_| {
                reported.round_trip.into_iter().for_each(|latest| brevity.handle_round_trip(latest));
                brevity.handle_report(&reported);
                u32::from(brevity.length() == FrameLength::Ms10)
            })
            .sum()
    }

    #[test]
    fn frames_are_short_on_a_near_way_once_it_has_been_calm_for_some_seconds() {
        let mut brevity = of(Frames::Near);
        assert_eq!(seconds(&mut brevity, CALM - 1, LAN), 0);
        assert_eq!(seconds(&mut brevity, 100, LAN), 100);
        assert_eq!(seconds(&mut of(Frames::Usual), 100, LAN), 0);
    }

    #[test]
    fn the_first_loss_ends_it_and_so_does_jitter_and_what_else_is_wanted() {
        for worse in [
            Reported { loss: 0.01, ..LAN },
            Reported { jitter: Some(8 * MS), ..LAN },
            Reported { jitter: None, ..LAN },
            Reported { round_trip: Some(40 * MS), ..LAN },
            Reported { round_trip: None, ..LAN },
            Reported { room: Room::Usual, ..LAN },
        ] {
            let mut brevity = of(Frames::Near);
            seconds(&mut brevity, 10, LAN);
            assert_eq!(seconds(&mut brevity, 20, worse), 0, "{worse:?}");
        }
    }

    #[test]
    fn what_is_only_a_little_worse_does_not() {
        let mut brevity = of(Frames::Near);
        seconds(&mut brevity, 10, LAN);
        let between = Reported { jitter: Some(5 * MS), round_trip: Some(20 * MS), ..LAN };
        assert_eq!(seconds(&mut brevity, 20, between), 20);
        assert_eq!(seconds(&mut of(Frames::Near), 20, between), 0, "but it does not begin there");
    }

    #[test]
    fn far_and_mobile_ways_have_usual_frames() {
        let far = Reported { round_trip: Some(60 * MS), ..LAN };
        assert_eq!(seconds(&mut of(Frames::Near), 600, far), 0);
        let mut mobile = of(Frames::Quickest);
        for second in 0..600u32 {
            let (jitter, round_trip) = (Some(MS * (8 + second % 30)), Some(MS * (200 + second % 70)));
            let loss = [0.0, 0.0, 0.04, 0.0, 0.06][second as usize % 5];
            assert_eq!(seconds(&mut mobile, 1, Reported { loss, jitter, round_trip, ..LAN }), 0);
        }
    }

    #[test]
    fn the_quickest_frames_are_short_on_a_long_way_until_a_queue_grows() {
        let far = Reported { round_trip: Some(60 * MS), ..LAN };
        let mut brevity = of(Frames::Quickest);
        assert_eq!(seconds(&mut brevity, 20, far), 16);
        brevity.handle_round_trip(100 * MS);
        assert_eq!(brevity.length(), FrameLength::Ms10, "one probe may have met something else");
        brevity.handle_round_trip(110 * MS);
        assert_eq!(brevity.length(), FrameLength::Ms20);
    }

    #[test]
    fn another_way_has_to_be_calm_first() {
        let mut brevity = of(Frames::Near);
        seconds(&mut brevity, 10, LAN);
        brevity.handle_new_way();
        assert_eq!(seconds(&mut brevity, CALM - 1, LAN), 0);
        assert_eq!(seconds(&mut brevity, 1, LAN), 1);
    }

    #[test]
    fn a_way_that_loses_now_and_then_does_not_go_to_and_fro() {
        let mut brevity = of(Frames::Near);
        let (mut changes, mut before) = (0, 0);
        for second in 0..1200u32 {
            let loss = if second % 15 == 14 { 0.01 } else { 0.0 };
            let short = seconds(&mut brevity, 1, Reported { loss, ..LAN });
            changes += u32::from(short != std::mem::replace(&mut before, short));
        }
        assert!((2..=8).contains(&changes), "{changes}");
        assert!(seconds(&mut brevity, 200, LAN) > 100, "once it loses nothing they are short again");
        seconds(&mut brevity, 1, Reported { loss: 0.01, ..LAN });
        assert_eq!(seconds(&mut brevity, 10, LAN), 10 - (CALM - 1), "and what was, is forgotten");
    }
}
