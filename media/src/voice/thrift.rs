//! When a link is too narrow for the voice as it is, and when it no longer is.
//!
//! ```text
//!          half of it is lost; a quarter, in a queue; a queue of 600 ms       the queue stays
//!          (each of it twice in a row: one alone is a link that stood still)
//!   Usual ────────────────────────────────────────────────────────────▶ Thin ─────────────────▶ Lean
//!     ▲                                                                  │                        │
//!     └── nothing is lost, and a probe is back as fast as on a free link ┴────────────────────────┘
//!                (or: as much is lost as before; or: for half a minute nothing is)
//! ```
//!
//! A thin voice is 12 kbit/s in frames of 120 ms: 16 kbit/s of IP, where headers alone take 22 of the usual one, which are 59. It
//! comes 100 ms later, and still words come. With what both ends tell each other it fits into 20 kbit/s; a lean one, of 8,
//! into 16.
//!
//! What shows that a link is wide again is how long a probe takes. It is 140 bytes, and 90 are its answer: on a link of 20
//! kbit/s they take 90 ms by themselves, and less than [`SLIGHT`] where the usual voice fits. So nothing must be sent to try. Where
//! that was wrong, the next return waits for twice as many probes ([`Thrift::patience`]).

use std::time::Duration;

/// How the voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fare {
    /// As it sounds best.
    Usual,
    /// As few bits as carry words.
    Thin,
    /// Fewer, which are heard.
    Lean,
}

/// Decides by what the other end reports, once a second, and by probes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thrift {
    state: State,
    /// Round trips; none before the first.
    way: Option<Way>,
    /// The share that was lost, as reported last; and how often in a row half of it was. What is said again is no news.
    loss: f32,
    halved: u32,
    /// How many probes in a row found a queue, and one that nobody can talk through. One alone may have met a link that stood
    /// still.
    queued: u32,
    endless: u32,
    /// Probes in a row that must be back fast.
    patience: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Since so many reports; for some of them loss alone means nothing.
    Usual { reports: u32, deaf: u32 },
    /// Of so many probes in a row all were fast, or all found a queue that stays; since so many reports, of which so many in a
    /// row told of much loss.
    Saving { fare: Saving, fast: u32, standing: u32, reports: u32, lossy: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    Much,
    More,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Way {
    /// The shortest of the last minute or so.
    least: Duration,
    /// What they usually are, while nothing waits.
    typical: Duration,
    latest: Duration,
}

impl Default for Thrift {
    fn default() -> Self {
        Self {
            state: State::Usual { reports: 0, deaf: 0 },
            way: None,
            loss: 0.0,
            halved: 0,
            queued: 0,
            endless: 0,
            patience: 1,
        }
    }
}

impl Thrift {
    pub(super) const fn fare(&self) -> Fare {
        match self.state {
            State::Usual { .. } => Fare::Usual,
            State::Saving { fare: Saving::Much, .. } => Fare::Thin,
            State::Saving { fare: Saving::More, .. } => Fare::Lean,
        }
    }

    /// How long what was sent last waits on the way.
    pub(super) fn queue(&self) -> Duration {
        self.way.map_or(Duration::ZERO, |way| way.latest.saturating_sub(way.least))
    }

    /// A probe came back after so long, or has not for so long.
    pub(super) fn handle_round_trip(&mut self, latest: Duration) {
        let mut way = self.way.unwrap_or(Way { least: latest, typical: latest, latest });
        (way.least, way.latest) = (way.least.min(latest), latest);
        if self.fare() == Fare::Usual && latest < way.least + QUEUED {
            way.typical = (way.typical * 7 + latest) / 8;
        }
        self.way = Some(way);
        self.queued = if latest >= way.least + QUEUED { self.queued + 1 } else { 0 };
        self.endless = if latest >= way.least + ENDLESS { self.endless + 1 } else { 0 };
        match &mut self.state {
            State::Usual { .. } => self.judge(),
            State::Saving { fare, fast, standing, .. } => {
                let slight = SLIGHT.max(way.typical.saturating_sub(way.least));
                *fast = if latest <= way.least + slight && self.loss < LITTLE { *fast + 1 } else { 0 };
                let stands = latest >= way.least + STANDS;
                *standing = if stands { *standing + 1 } else { 0 };
                if *standing >= STAYS {
                    *fare = Saving::More;
                }
                if *fast >= self.patience {
                    self.state = State::Usual { reports: 0, deaf: 0 };
                }
            }
        }
    }

    /// Packets take another way: what was learnt of how long it takes is of no use, and what was lost was lost on the one before.
    pub(super) const fn handle_new_way(&mut self) {
        (self.way, self.halved, self.queued, self.endless) = (None, 0, 0, 0);
        if let State::Usual { deaf, .. } = &mut self.state
            && *deaf < MOVED
        {
            *deaf = MOVED;
        }
    }

    /// This share was lost, to be called once a second.
    pub(super) fn handle_report(&mut self, loss: f32) {
        if loss != self.loss {
            self.halved = if loss >= MOST { self.halved + 1 } else { 0 };
        }
        self.loss = loss;
        match &mut self.state {
            State::Usual { reports, deaf } => {
                (*reports, *deaf) = (reports.saturating_add(1), deaf.saturating_sub(1));
                if let Some(way) = &mut self.way {
                    // A longer way looks like a queue, but stays.
                    way.least += way.latest.saturating_sub(way.least) / FORGETS;
                }
                if *reports == GOOD {
                    self.patience = 1;
                }
                self.judge();
            }
            State::Saving { reports, lossy, .. } => {
                *reports += 1;
                let queued = self.way.is_some_and(|way| way.latest >= way.least + QUEUED);
                *lossy = if loss >= MUCH && !queued { *lossy + 1 } else { 0 };
                if *lossy == NOT_OURS {
                    // It is not for us that it is lost.
                    self.state = State::Usual { reports: 0, deaf: DEAF };
                } else if *reports >= LONG && loss < LITTLE {
                    // Whatever makes probes slow is not our voice: the way may be a longer one now.
                    self.way = self.way.map(|way| Way { least: way.latest, ..way });
                    self.state = State::Usual { reports: 0, deaf: 0 };
                }
            }
        }
    }

    /// Whether the usual voice is too much. Without probes nobody would know when it no longer is.
    fn judge(&mut self) {
        let (State::Usual { reports, deaf }, Some(_)) = (self.state, self.way) else { return };
        let lost = self.halved >= TWICE && deaf == 0;
        if self.endless >= TWICE || (self.queued >= TWICE && self.loss >= MUCH) || lost {
            self.halved = 0;
            if reports < GOOD {
                self.patience = (self.patience * 2).min(MOST_PATIENCE);
            }
            self.state = State::Saving { fare: Saving::Much, fast: 0, standing: 0, reports: 0, lossy: 0 };
        }
    }
}

/// Longer than the shortest round trip by this: packets stand in a queue.
const QUEUED: Duration = Duration::from_millis(100);
/// By this: in one that nobody can talk through. A download beside the voice makes one of 400.
const ENDLESS: Duration = Duration::from_millis(600);
/// By this, though little is sent: more than two ends' own packets make of each other on 18 kbit/s. After so many probes in a
/// row it is found to stay.
const STANDS: Duration = Duration::from_millis(350);
const STAYS: u32 = 3;
/// By less than this, nothing is in the way.
const SLIGHT: Duration = Duration::from_millis(20);
/// Reports after which a shorter round trip is forgotten by two thirds.
const FORGETS: u32 = 60;
/// Loss that is nothing; that is more than a queue may lose; that is not borne without a queue either.
const LITTLE: f32 = 0.1;
const MUCH: f32 = 0.25;
const MOST: f32 = 0.5;
/// Reports of much loss in a row after which being thin is found not to help, and those during which it is not tried again.
const NOT_OURS: u32 = 4;
const DEAF: u32 = 30;
/// The same after packets take another way: what they tell of is over.
const MOVED: u32 = 5;
/// What is seen once may be chance.
const TWICE: u32 = 2;
/// Reports after which the usual voice is tried whatever probes say.
const LONG: u32 = 30;
/// Reports after which a return is found to have been right.
const GOOD: u32 = 10;
const MOST_PATIENCE: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Reports and probes, once a second.
    fn seconds(thrift: &mut Thrift, count: u32, loss: f32, round_trip: Duration) -> Fare {
        for _ in 0..count {
            thrift.handle_round_trip(round_trip);
            thrift.handle_report(loss);
        }
        thrift.fare()
    }

    fn settled() -> Thrift {
        let mut thrift = Thrift::default();
        assert_eq!(seconds(&mut thrift, 20, 0.0, 60 * MS), Fare::Usual);
        thrift
    }

    #[test]
    fn loss_in_a_queue_and_a_queue_of_its_own_make_the_voice_thin() {
        assert_eq!(seconds(&mut settled(), 2, 0.3, 300 * MS), Fare::Thin);
        assert_eq!(seconds(&mut settled(), 2, 0.0, 700 * MS), Fare::Thin);
        let mut short_queue = settled();
        seconds(&mut short_queue, 1, 0.7, 80 * MS);
        assert_eq!(seconds(&mut short_queue, 1, 0.65, 80 * MS), Fare::Thin);
    }

    #[test]
    fn loss_by_chance_a_download_and_a_longer_way_do_not() {
        assert_eq!(seconds(&mut settled(), 60, 0.3, 60 * MS), Fare::Usual);
        assert_eq!(seconds(&mut settled(), 60, 0.05, 450 * MS), Fare::Usual);
        assert_eq!(seconds(&mut settled(), 60, 0.0, 250 * MS), Fare::Usual);
    }

    #[test]
    fn a_link_that_stood_still_for_a_while_does_not_either() {
        let mut thrift = settled();
        assert_eq!(seconds(&mut thrift, 3, 0.7, 60 * MS), Fare::Usual, "told of once, and again");
        thrift.handle_round_trip(3000 * MS);
        assert_eq!(seconds(&mut thrift, 1, 0.0, 60 * MS), Fare::Usual);
        thrift.handle_new_way();
        seconds(&mut thrift, 1, 0.9, 90 * MS);
        assert_eq!(seconds(&mut thrift, 1, 0.6, 90 * MS), Fare::Usual, "lost on the way before");
    }

    #[test]
    fn where_nobody_probes_nothing_is_decided() {
        let mut thrift = Thrift::default();
        (0..60).for_each(|_| thrift.handle_report(0.8));
        assert_eq!(thrift.fare(), Fare::Usual);
    }

    #[test]
    fn it_is_thin_until_the_first_probe_that_is_back_fast() {
        let mut thrift = settled();
        seconds(&mut thrift, 2, 0.7, 360 * MS);
        assert_eq!(seconds(&mut thrift, 20, 0.0, 160 * MS), Fare::Thin);
        thrift.handle_round_trip(65 * MS);
        assert_eq!(thrift.fare(), Fare::Usual);
    }

    #[test]
    fn where_the_queue_stays_it_becomes_lean_and_from_there_usual_again() {
        let mut thrift = settled();
        seconds(&mut thrift, 2, 0.7, 660 * MS);
        assert_eq!(seconds(&mut thrift, 2, 0.05, 660 * MS), Fare::Thin);
        assert_eq!(seconds(&mut thrift, 1, 0.05, 660 * MS), Fare::Lean);
        assert_eq!(seconds(&mut thrift, 5, 0.0, 200 * MS), Fare::Lean);
        thrift.handle_round_trip(61 * MS);
        assert_eq!(thrift.fare(), Fare::Usual);
    }

    #[test]
    fn a_return_that_was_wrong_makes_the_next_one_wait() {
        let mut thrift = settled();
        let mut thin = 0;
        for second in 0..200u16 {
            // Probes pass, as where only large packets are held up.
            let much = 0.6 + f32::from(second % 2) * 0.05;
            let loss = if thrift.fare() == Fare::Usual { much } else { 0.0 };
            seconds(&mut thrift, 1, loss, 60 * MS);
            thin += u32::from(thrift.fare() != Fare::Usual);
        }
        assert!(thin > 150, "{thin} of 200");
    }

    #[test]
    fn what_is_lost_all_the_same_is_not_ours_to_mend() {
        let mut thrift = settled();
        let mut thin = 0;
        for second in 0..60u16 {
            let loss = 0.6 + f32::from(second % 2) * 0.05;
            thin += u32::from(seconds(&mut thrift, 1, loss, 60 * MS) == Fare::Thin);
        }
        assert!(thin < 12, "{thin} of 60");
    }

    #[test]
    fn on_another_way_it_begins_anew() {
        let mut thrift = settled();
        seconds(&mut thrift, 2, 0.7, 660 * MS);
        assert_eq!(seconds(&mut thrift, 2, 0.0, 300 * MS), Fare::Thin);
        thrift.handle_new_way();
        assert_eq!(seconds(&mut thrift, 30, 0.0, 300 * MS), Fare::Usual);
    }

    #[test]
    fn a_way_that_has_become_much_longer_is_no_queue_for_ever() {
        let mut thrift = settled();
        seconds(&mut thrift, 40, 0.0, 800 * MS);
        assert_eq!(seconds(&mut thrift, 60, 0.0, 800 * MS), Fare::Usual);
    }
}
