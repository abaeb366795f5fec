//! How long to wait: the target delay, learnt from how unevenly frames arrive.
//!
//! Every frame has a *transit*: the arrival of the first packet that brings it, its own or a later one with a copy, minus its
//! media time (that of a usual frame with the same end). The smallest transit of the last seconds is the fastest path; a frame's *relative delay* is how much slower
//! than that it was. Waiting longer costs time, waiting less costs sound: the target is the relative delay at which both
//! together cost least ([`WORTH`], [`WORTH_OF_COPIES`]). So copies are waited for where they come often enough to pay. Up to
//! [`UNFELT`] from mouth to ear a conversation hardly suffers, beyond it does (ITU-T G.114 §2): waiting costs [`FELT`] times as
//! much where the way itself is long. Recent frames count more ([`MEMORY`]). All packets released together after one stall count as
//! one: a rare spike is an accident to recover from, not a habit to wait for.
//!
//! A queue that begins to grow makes *every* packet later than the one before. What was learnt is of no use then: as soon as
//! some packets in a row are late, what the next one will need is waited for. And it does not go as it came: whoever fills
//! it (TCP) will do so again. So what is waited too long since is not caught up at once ([`Haste`]).

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use super::packets::Origin;
use crate::frame::{OPUS_FRAME, samples_in};

/// How much longer to wait for each per cent of the frames that comes in time then. A late frame is still played after a
/// short invention: one that is late by a part of its length counts as that part.
pub const WORTH: Duration = Duration::from_millis(70);

/// The same of frames that come as copies: too late, they are missing as a whole.
pub const WORTH_OF_COPIES: Duration = Duration::from_millis(80);

/// From mouth to ear, what hardly anybody notices (ITU-T G.114 §2).
pub const UNFELT: Duration = Duration::from_millis(150);

/// How much more each millisecond costs beyond it, where frames are late by chance. The slopes of the E-model's delay
/// impairment (ITU-T G.107 §7.4), 0.134 and 0.024, say 6; on a way of 100 ms with a jitter of 25, 10 takes 20 ms off the delay
/// for 0.2 of PESQ-WB.
pub const FELT: f64 = 10.0;

/// The same where a queue grows and falls. What is late there does not come alone: with more, the voice lost 0.2 to 0.6 of
/// PESQ-WB beside a download, for 10 ms.
pub const FELT_IN_QUEUES: f64 = 2.0;

/// What both ends take beside the way and the wait: a frame, the codec's look-ahead, the loudspeaker.
pub const ENDS: Duration = Duration::from_millis(45);

/// How long what was seen counts: after this, it weighs 1/e.
pub const MEMORY: Duration = Duration::from_millis(8000);

/// For so long after a queue was seen to grow the delay is left as it is, and for so long it is caught up in pauses alone. Each
/// cut in a word costs what it sounds like; 35 ms more for some seconds are hardly felt.
pub const HOLD: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// Threads wake late: this much more than what is learnt.
pub const MARGIN: Duration = Duration::from_millis(5);

/// Never wait less than this.
pub const MIN_TARGET: Duration = Duration::from_millis(10);

/// Never wait longer than this on purpose.
pub const MAX_TARGET: Duration = Duration::from_millis(400);

/// Frames remembered, the 32 s in which they count, or 20 s of short ones; the oldest is forgotten when full.
pub const HISTORY: usize = 2000;

/// Learns the target delay. Times and delays are in 48 kHz samples.
#[derive(Debug, Default)]
pub struct DelayEstimator {
    seen: VecDeque<Seen>,
    /// How many were forgotten of what was seen.
    forgotten: u64,
    /// What was seen and nothing faster after it, the fastest first: its number and its transit.
    fastest: VecDeque<(u64, i64)>,
    /// The relative delay that costs least.
    wait: i64,
    jitter: f64,
    draining: bool,
    arrivals: u64,
    /// At which of them the target was looked at last, by its media time.
    looked: i64,
    /// The packet told of last.
    last: Option<Seen>,
    /// By how much slower than the fastest the frames of their own packets were on average.
    mean: i64,
    /// By how much they were off that, on average.
    scatter: i64,
    /// How long the way takes, one way, smoothed; zero as long as nobody says.
    way: i64,
    /// The mean transit of the last second.
    recent: f64,
    /// What the next packet needs that is to come through a queue that grows; zero: there is none.
    queue: i64,
    /// When the last packet came through such a queue.
    queued: Option<i64>,
}

/// How soon a delay that is longer than the target should be caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Not yet.
    Later,
    /// Where nobody hears it.
    InPauses,
    /// Wherever it can be done.
    Now,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    arrival: i64,
    transit: i64,
    weight: f64,
    origin: Origin,
}

impl DelayEstimator {
    /// Takes the arrival of one frame in its own packet into account: when it came, and its media time.
    pub fn arrived(&mut self, arrival: i64, timestamp: i64) {
        let transit = arrival - timestamp;
        let mut weight = 1.0;
        if let Some(last) = self.last {
            // RFC 3550 §6.4.1.
            self.jitter += ((transit - last.transit).abs() as f64 - self.jitter) / 16.0;
            let together = arrival - last.arrival < STALL_DRAIN;
            let unusual = self.base() + self.wait + SPIKE;
            self.draining = together && (last.transit > unusual || self.draining);
            if self.draining {
                weight = DRAINED_WEIGHT;
            } else if transit > unusual {
                weight = OUTLIER_WEIGHT;
            }
        }
        let seen = Seen { arrival, transit, weight, origin: Origin::Own };
        self.last = Some(seen);
        self.note(seen);
        self.queue = if self.draining { 0 } else { self.growing_queue() };
        if self.queue > 0 {
            self.queued = Some(arrival);
        }
        let share = 1.0 / (self.arrivals + 1).min(A_SECOND) as f64;
        self.recent += (transit as f64 - self.recent) * share;
        self.arrivals += 1;
        let due = self.arrivals.is_multiple_of(EVERY) && timestamp - self.looked > SELDOM;
        if self.arrivals < BEGINNING || due {
            self.looked = timestamp;
            (self.mean, self.scatter) = self.spread();
            self.wait = self.cheapest(arrival);
        }
    }

    /// The same for a frame that was lost, and came with the packet that was told of last.
    pub fn recovered(&mut self, arrival: i64, timestamp: i64) {
        let weight = self.last.map_or(1.0, |last| last.weight);
        self.note(Seen { arrival, transit: arrival - timestamp, weight, origin: Origin::Later });
    }

    /// Tells how long the way takes, one way; every time it is measured.
    pub fn set_way(&mut self, way: Duration) {
        let way = samples_in(way.min(MAX_TARGET)) as i64;
        self.way = if self.way == 0 { way } else { self.way + (way - self.way) / 8 };
    }

    /// The smallest transit seen lately: the fastest path.
    pub fn base(&self) -> i64 {
        self.fastest.front().map_or(0, |(_, transit)| *transit)
    }

    /// How long a packet on the fastest path should wait before it is decoded.
    pub fn target(&self) -> i64 {
        let wait = self.wait + samples_in(MARGIN) as i64;
        // What is to come is a little worse than what was seen: in a queue, and where nobody feels it, that is waited for, too.
        let least = self.jitter * (1.0 - self.chance());
        let spare = (self.unfelt() - wait).clamp(least as i64, self.jitter as i64);
        let wait = (wait + spare).max(self.queue);
        wait.clamp(samples_in(MIN_TARGET) as i64, samples_in(MAX_TARGET) as i64)
    }

    /// Unevenness of arrival, in samples (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> u64 {
        self.jitter as u64
    }

    /// By how much slower than the fastest packets were during the last second, in samples.
    pub fn lateness(&self) -> u64 {
        (self.recent - self.base() as f64).max(0.0) as u64
    }

    /// Whether frames are late one by one, and not all of a time.
    pub fn is_by_chance(&self) -> bool {
        self.chance() > 0.5
    }

    /// Whether the way and the wait together are so long that each millisecond is felt.
    pub fn is_felt(&self) -> bool {
        self.target() > self.unfelt()
    }

    /// How soon at `now` a delay beyond the target should be caught up.
    pub fn haste(&self, now: i64) -> Haste {
        let since = self.queued.map_or(i64::MAX, |queued| now - queued);
        match HOLD {
            (hold, _) if since < samples_in(hold) as i64 => Haste::Later,
            (_, patient) if since < samples_in(patient) as i64 => Haste::InPauses,
            _ => Haste::Now,
        }
    }

    /// Forgets all arrivals, as for a new stream.
    pub fn restart(&mut self) {
        *self = Self { way: self.way, ..Self::default() };
    }

    fn note(&mut self, seen: Seen) {
        let horizon = seen.arrival - 4 * samples_in(MEMORY) as i64;
        while self.seen.len() >= HISTORY || self.seen.front().is_some_and(|seen| seen.arrival < horizon) {
            self.seen.pop_front();
            self.forgotten += 1;
        }
        while self.fastest.front().is_some_and(|(number, _)| *number < self.forgotten) {
            self.fastest.pop_front();
        }
        while self.fastest.back().is_some_and(|(_, transit)| *transit >= seen.transit) {
            self.fastest.pop_back();
        }
        self.fastest.push_back((self.forgotten + self.seen.len() as u64, seen.transit));
        self.seen.push_back(seen);
    }

    /// What the next packet needs if the last ones were all later than is waited for; zero if not.
    fn growing_queue(&self) -> i64 {
        let own = self.seen.iter().rev().filter(|seen| seen.origin == Origin::Own);
        let latest: Vec<i64> = own.take(IN_A_ROW).map(|seen| seen.transit - self.base()).collect();
        let (Some(newest), Some(oldest)) = (latest.first(), latest.get(IN_A_ROW - 1)) else { return 0 };
        let least = latest.iter().copied().min().unwrap_or(0);
        match newest - oldest {
            _ if least < self.wait + CLEARLY => 0,
            grown if grown > 0 => newest + grown,
            _ => least,
        }
    }

    /// The mean delay of frames that came by themselves, and how far they are off it on average.
    fn spread(&self) -> (i64, i64) {
        let own = || self.seen.iter().filter(|seen| seen.origin == Origin::Own).map(|seen| seen.transit);
        let count = own().count().max(1) as i64;
        let mean = own().sum::<i64>() / count;
        (mean - self.base(), own().map(|transit| (transit - mean).abs()).sum::<i64>() / count)
    }

    /// How independent delays are from one packet to the next: 1 by chance, 0 in a queue, where each is nearly as late as the
    /// one before.
    fn chance(&self) -> f64 {
        let (queue, chance) = INDEPENDENT;
        let steps = self.jitter / self.scatter.max(1) as f64;
        ((steps - queue) / (chance - queue)).clamp(0.0, 1.0)
    }

    /// Goes from the slowest frame to the fastest: what comes later than the one looked at is missed.
    fn cheapest(&self, now: i64) -> i64 {
        let memory = samples_in(MEMORY) as f64;
        let base = self.base();
        let mut weighed: Vec<(i64, f64, Origin)> = self
            .seen
            .iter()
            .map(|seen| {
                let weight = seen.weight * (-((now - seen.arrival) as f64) / memory).exp();
                (seen.transit - base, weight, seen.origin)
            })
            .collect();
        weighed.sort_unstable_by_key(|&(delay, ..)| Reverse(delay));
        let total: f64 = weighed.iter().map(|&(_, weight, _)| weight).sum();
        let price = |worth| samples_in(worth) as f64 * 100.0 / total;
        let (late, missing) = (price(WORTH), price(WORTH_OF_COPIES));
        let (mut best, mut least) = (0, f64::INFINITY);
        let mut copies = 0.0;
        // Frames of their own packets missed as a whole, and those of which a part is missed, also times their delay.
        let (mut passed, mut whole, mut part, mut moment) = (0, 0.0, 0.0, 0.0);
        for (nth, &(delay, weight, origin)) in weighed.iter().enumerate() {
            while let Some(&(later, weight, origin)) = weighed[..nth].get(passed)
                && later - delay >= FRAME
            {
                if origin == Origin::Own {
                    whole += weight;
                    part -= weight;
                    moment -= weight * later as f64;
                }
                passed += 1;
            }
            let missed = whole + (moment - part * delay as f64) / FRAME as f64;
            let cost = self.cost_of_waiting(delay) + late * missed + missing * copies;
            if cost < least {
                (best, least) = (delay, cost);
            }
            match origin {
                Origin::Own => {
                    part += weight;
                    moment += weight * delay as f64;
                }
                Origin::Later => copies += weight,
            }
        }
        best
    }

    /// How long may be waited before anybody feels it.
    fn unfelt(&self) -> i64 {
        let fastest = (self.way - self.mean).max(0);
        (samples_in(UNFELT) as i64 - samples_in(ENDS) as i64 - fastest).max(0)
    }

    /// In samples waited where nobody feels it.
    fn cost_of_waiting(&self, wait: i64) -> f64 {
        let unfelt = self.unfelt();
        let felt = FELT_IN_QUEUES + (FELT - FELT_IN_QUEUES) * self.chance();
        wait.min(unfelt) as f64 + (wait - unfelt).max(0) as f64 * felt
    }
}

/// The step from one frame's delay to the next, over how far delays are off their mean; of independent ones it would be 1.4, in
/// order a little less.
const INDEPENDENT: (f64, f64) = (0.4, 0.8);
const FRAME: i64 = OPUS_FRAME as i64;
/// Packets that are late one after the other because a queue grows, and by how much: 10 ms.
const IN_A_ROW: usize = 3;
const CLEARLY: i64 = 480;
/// Looked at anew for each of the first packets, and then five times a second: with short frames not with every tenth, but with
/// every twentieth.
const BEGINNING: u64 = 50;
const EVERY: u64 = 10;
const SELDOM: i64 = 7 * FRAME;
/// Of packets of the usual length.
const A_SECOND: u64 = 50;
/// Packets closer together than this were released together: 4 ms.
const STALL_DRAIN: i64 = 192;
/// A relative delay this far beyond what is waited for is a spike: 80 ms.
const SPIKE: i64 = 3840;
/// What a packet that only waited behind a spike weighs.
const DRAINED_WEIGHT: f64 = 0.02;
/// What the first packet of a spike weighs.
const OUTLIER_WEIGHT: f64 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(delays: impl Iterator<Item = i64>) -> DelayEstimator {
        let mut estimator = DelayEstimator::default();
        let mut last = 0;
        for (frame, delay) in delays.enumerate() {
            // In order, as on a queue.
            last = last.max(frame as i64 * FRAME + delay);
            estimator.arrived(last, frame as i64 * FRAME);
        }
        estimator
    }

    fn least() -> i64 {
        samples_in(MIN_TARGET) as i64
    }

    #[test]
    fn an_even_path_waits_the_least() {
        let estimator = after((0..100).map(|_| 1440));
        assert_eq!(estimator.base(), 1440);
        assert_eq!(estimator.target(), least());
        assert_eq!(estimator.jitter(), 0);
    }

    #[test]
    fn an_uneven_path_waits_for_nearly_all() {
        let estimator = after((0..300).map(|frame| frame * 7919 % 3840));
        assert!((2900..4800).contains(&estimator.target()), "{}", estimator.target());
    }

    #[test]
    fn one_spike_does_not_raise_the_target() {
        let estimator = after((0..100).map(|frame| if frame == 80 { 11_520 } else { 0 }));
        assert!(estimator.target() < least() + FRAME / 2, "{}", estimator.target());
    }

    #[test]
    fn a_queue_that_grows_is_followed_from_the_third_late_packet_on_and_not_forgotten_at_once() {
        let ms = |ms: i64| 48 * ms;
        // From packet 100 on each is 10 ms later than the one before, up to 150 ms; from 150 on none is.
        let delay = |frame: i64| match frame {
            100..150 => ms((frame - 99) * 10).min(ms(150)),
            _ => 0,
        };
        assert!(after((0..102).map(delay)).target() < ms(20));
        assert!(after((0..104).map(delay)).target() >= delay(104));
        assert!(after((0..120).map(delay)).target() >= ms(150));
        let estimator = after((0..160).map(delay));
        let at = |seconds: i64| 159 * FRAME + ms(seconds * 1000);
        assert_eq!([1, 6, 31].map(|s| estimator.haste(at(s))), [Haste::Later, Haste::InPauses, Haste::Now]);
    }

    #[test]
    fn a_stall_is_no_queue() {
        // What was held up comes at once, in order.
        let estimator = after((0..200).map(|frame| if frame == 100 { 240 * 48 } else { 0 }));
        assert_eq!(estimator.haste(200 * FRAME), Haste::Now);
    }

    #[test]
    fn copies_are_waited_for_while_they_come_often_enough() {
        let target_of = |one_in: i64, behind: i64| {
            let mut estimator = DelayEstimator::default();
            for frame in 0..600 {
                estimator.arrived(frame * FRAME, frame * FRAME);
                if frame % one_in == behind {
                    estimator.recovered(frame * FRAME, (frame - behind) * FRAME);
                }
            }
            estimator.target()
        };
        let margin = samples_in(MARGIN) as i64;
        assert_eq!(target_of(20, 1), FRAME + margin);
        assert_eq!(target_of(20, 3), 3 * FRAME + margin);
        assert_eq!(target_of(600, 1), least());
    }

    #[test]
    fn a_long_way_is_waited_at_less_than_a_short_one() {
        let target_at = |way| {
            let mut estimator = DelayEstimator::default();
            let mut last = 0;
            for frame in 0..600 {
                // Up to 80 ms, mostly little.
                last = last.max(frame * FRAME + (frame * 7919 % 62).pow(2));
                estimator.set_way(way);
                estimator.arrived(last, frame * FRAME);
            }
            estimator.target()
        };
        let [near, far] = [30, 250].map(Duration::from_millis).map(target_at);
        assert!(near > far + samples_in(Duration::from_millis(5)) as i64, "{near} {far}");
    }

    #[test]
    fn what_a_queue_makes_late_is_waited_for_longer_than_what_is_late_by_chance() {
        let estimator_of = |delay: &dyn Fn(i64) -> i64| {
            let mut estimator = DelayEstimator::default();
            let mut last = 0;
            for frame in 0..1500 {
                last = last.max(frame * FRAME + delay(frame));
                estimator.set_way(Duration::from_millis(200));
                estimator.arrived(last, frame * FRAME);
            }
            estimator
        };
        // Up to 80 ms both, mostly little.
        let chance = estimator_of(&|frame| (((frame * 2_654_435_761) >> 7) % 62).pow(2));
        let queue = estimator_of(&|frame| ((frame % 248 - 124).abs() / 2).pow(2));
        assert!(chance.is_by_chance() && !queue.is_by_chance());
        assert!(
            queue.target() > chance.target() + samples_in(Duration::from_millis(2)) as i64,
            "{} {}",
            queue.target(),
            chance.target()
        );
    }

    #[test]
    fn no_history_is_no_reason_to_panic() {
        let estimator = DelayEstimator::default();
        assert_eq!(estimator.target(), least());
        assert_eq!(estimator.base(), 0);
    }

    proptest! {
        #[test]
        fn whatever_arrives_the_target_and_the_memory_stay_within_bounds(
            seen in proptest::collection::vec((0i64..96_000, -500_000i64..500_000, any::<bool>()), 0..2000),
        ) {
            let mut estimator = DelayEstimator::default();
            let mut now = 0;
            for (passed, timestamp, own) in seen {
                now += passed;
                match own {
                    true => estimator.arrived(now, timestamp),
                    false => estimator.recovered(now, timestamp),
                }
                let bounds = samples_in(MIN_TARGET) as i64..=samples_in(MAX_TARGET) as i64;
                prop_assert!(bounds.contains(&estimator.target()));
                prop_assert!(estimator.seen.len() <= HISTORY && estimator.fastest.len() <= HISTORY);
                let fastest = estimator.seen.iter().map(|seen| seen.transit).min();
                prop_assert_eq!(estimator.base(), fastest.unwrap_or(0));
            }
        }
    }
}
