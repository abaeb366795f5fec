//! The rate the delay allows: additive or multiplicative increase, multiplicative decrease (draft-ietf-rmcat-gcc-02 §5.5).
//!
//! ```text
//!              Over        Normal      Under
//! Hold       Decrease     Increase     Hold
//! Increase   Decrease     Increase     Hold
//! Decrease   Decrease       Hold       Hold
//! ```
//!
//! What got through at a decrease is what the way carries ([`Capacity`]). Near it the rate grows by about a packet per
//! response time, far from it by a share of itself; passing it without a queue means that the way became faster.

use std::time::{Duration, Instant};

use super::contention::Contention;
use super::limited::Use;
use super::trend::Usage;
use crate::bitrate::Bitrate;

/// What is kept of what got through when the queue grows (draft-ietf-rmcat-gcc-02 §5.5).
const DECREASE: f64 = 0.85;
/// Growth per second far from the last known capacity (draft-ietf-rmcat-gcc-02 §5.5).
const GROWTH: f64 = 1.08;
/// Least growth near the capacity, in bits per second per second.
const LEAST_GROWTH: f64 = 4_000.0;
/// A packet of full size on the wire, in bits.
const FULL_PACKET: f64 = 1_200.0 * 8.0;
/// What the detector needs beyond a round trip (draft-ietf-rmcat-gcc-02 §5.5).
const DETECTION: Duration = Duration::from_millis(100);
/// The rate may exceed what gets through by this and [`UNPROVEN`], no more: the rest is a guess.
const HEADROOM: f64 = 1.5;
/// See [`HEADROOM`].
const UNPROVEN: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Hold,
    Increase,
    Decrease,
}

/// What was seen in one feedback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) usage: Usage,
    /// The queue that stands, and whose it is.
    pub(super) standing: Duration,
    pub(super) contention: Contention,
    /// What gets through.
    pub(super) acknowledged: Option<Bitrate>,
    /// What got through in the last moments.
    pub(super) recent: Option<Bitrate>,
    pub(super) round_trip: Duration,
    pub(super) growth: Growth,
    /// Whether the target is sent at all.
    pub(super) used: Use,
}

/// Whether the rate may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    Allowed,
    /// Losses forbid it, or nobody wants more.
    Denied,
}

/// What became of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Usual,
    /// Less is sent than gets through.
    Backed,
    /// It passed the last known capacity and no queue grew.
    Passed,
    /// It grows, and the capacity is far away or not known.
    Searching,
}

#[derive(Debug)]
pub(super) struct Rate {
    state: State,
    /// Bits per second.
    target: f64,
    least: Bitrate,
    capacity: Capacity,
    updated: Option<Instant>,
    decreased: Option<Instant>,
    /// Since when a queue stands that may be ours.
    stood: Option<Instant>,
}

impl Rate {
    pub(super) fn new(start: Bitrate, least: Bitrate) -> Self {
        let mut rate = Self {
            state: State::Hold,
            target: 0.0,
            least,
            capacity: Capacity::default(),
            updated: None,
            decreased: None,
            stood: None,
        };
        rate.set(start.bps() as f64);
        rate
    }

    pub(super) fn target(&self) -> Bitrate {
        Bitrate::from_bps(self.target as u64)
    }

    pub(super) fn update(&mut self, now: Instant, seen: Seen) -> Change {
        let elapsed = self.updated.replace(now).map_or(0.0, |last| {
            now.saturating_duration_since(last).min(Duration::from_secs(1)).as_secs_f64()
        });
        // A trend without a queue is the bursts of one's own frames, which the way swallows until the next.
        let usage = if seen.standing < self.unnoticed() { seen.usage.min(Usage::Normal) } else { seen.usage };
        let usage = if self.stands(now, seen) { Usage::Over } else { usage };
        self.state = match (usage, self.state) {
            (Usage::Over, _) => State::Decrease,
            (Usage::Under, _) | (Usage::Normal, State::Decrease) => State::Hold,
            (Usage::Normal, State::Hold | State::Increase) => State::Increase,
        };
        match self.state {
            State::Hold => Change::Usual,
            State::Increase => self.increase(elapsed, seen),
            State::Decrease => self.decrease(now, seen),
        }
    }

    /// A probe got through at this rate; [`Found::Capacity`] if the way carries no more.
    pub(super) fn probed(&mut self, found: Found) {
        match found {
            Found::AtLeast(rate) => self.set(self.target.max(rate.bps() as f64)),
            Found::Capacity(rate) => {
                self.capacity.set(rate.bps() as f64);
                self.set(self.target.max(rate.bps() as f64 * BELOW_CAPACITY));
            }
        }
    }

    /// The way is another one.
    pub(super) fn forget_capacity(&mut self) {
        self.capacity.forget();
        self.state = State::Hold;
    }

    /// Keeps this share of the rate.
    pub(super) fn brake(&mut self, share: f64) {
        self.set(self.target * share.clamp(0.0, 1.0));
        self.state = State::Hold;
    }

    /// What is so short that it is no queue.
    pub(super) fn unnoticed(&self) -> Duration {
        self.target().time_for(NOTICED_BYTES).clamp(LEAST_NOTICED, MOST_NOTICED)
    }

    /// Whether a queue has stood for too long that does not grow: then no trend tells of it.
    fn stands(&mut self, now: Instant, seen: Seen) -> bool {
        if seen.standing < self.unnoticed() || seen.contention != Contention::Alone {
            self.stood = None;
        } else {
            let since = *self.stood.get_or_insert(now);
            return now.saturating_duration_since(since) >= STOOD;
        }
        false
    }

    /// Keeps this share of the rate, because the rest of it is lost: what gets through is all there is.
    pub(super) fn lossy(&mut self, share: f64, acknowledged: Option<Bitrate>) {
        if let Some(through) = acknowledged {
            self.capacity.learn(through.bps() as f64);
        }
        self.brake(share);
    }

    fn increase(&mut self, elapsed: f64, seen: Seen) -> Change {
        let Some(acknowledged) = seen.acknowledged.map(|rate| rate.bps() as f64) else {
            return Change::Usual;
        };
        let passed = self.capacity.passed_by(acknowledged);
        if passed {
            self.capacity.forget();
        }
        let contended = seen.contention == Contention::Contended;
        let denied = seen.growth == Growth::Denied || seen.used == Use::Limited;
        if seen.standing >= self.unnoticed() && !contended || denied {
            return Change::Usual;
        }
        let (more, change) = if contended || self.capacity.is_near(acknowledged) {
            let response = (seen.round_trip + DETECTION).as_secs_f64();
            ((FULL_PACKET / response).max(LEAST_GROWTH) * elapsed, Change::Usual)
        } else {
            (self.target * (GROWTH.powf(elapsed) - 1.0), Change::Searching)
        };
        let proven = acknowledged * HEADROOM + UNPROVEN;
        self.set((self.target + more).min(proven.max(self.target)));
        if passed { Change::Passed } else { change }
    }

    fn decrease(&mut self, now: Instant, seen: Seen) -> Change {
        let deep = seen.standing >= DEEP;
        let through = if deep { seen.recent } else { seen.acknowledged };
        let kept = if deep { DECREASE } else { SHALLOW_DECREASE };
        let Some(mut through) = through.map(|rate| rate.bps() as f64) else { return Change::Usual };
        let pause = seen.round_trip.clamp(LEAST_PAUSE, MOST_PAUSE);
        if self.decreased.is_some_and(|last| now.saturating_duration_since(last) < pause) {
            return Change::Usual;
        }
        self.decreased = Some(now);
        match seen.used {
            Use::Full => self.capacity.learn(through),
            // Little gets through because little is sent.
            Use::Limited => through = through.max(self.target),
        }
        self.set(self.target.min(through * kept));
        Change::Backed
    }

    fn set(&mut self, target: f64) {
        self.target = target.max(self.least.bps() as f64);
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// It came through as fast as it was sent.
    AtLeast(Bitrate),
    /// It came through no faster than this.
    Capacity(Bitrate),
}

/// A queue that stands for less time than this many bytes take is none: two packets and the voice may meet any time.
/// While it stands the rate does not grow. The draft grows until the trend is overuse; by then the queue is 50 ms and more
/// on slow ways, and the voice waits behind it.
const NOTICED_BYTES: usize = 2_500;
const LEAST_NOTICED: Duration = Duration::from_millis(8);
const MOST_NOTICED: Duration = Duration::from_millis(25);
/// A queue that stands for this long and does not grow is drained.
const STOOD: Duration = Duration::from_millis(1000);
/// Behind a queue this long everything that arrives lately tells what the way carries.
const DEEP: Duration = Duration::from_millis(40);
/// What is kept when the queue is shorter, and drains sooner: with the draft's 0.85 three per cent less is used.
const SHALLOW_DECREASE: f64 = 0.9;
/// What of a measured capacity is used.
const BELOW_CAPACITY: f64 = 0.95;
/// A decrease must show before the next one.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
const MOST_PAUSE: Duration = Duration::from_millis(300);

/// What the way carried whenever its queue grew: a mean and how far samples lie from it.
#[derive(Debug)]
struct Capacity {
    mean: Option<f64>,
    /// Variance over mean, in kbit/s.
    spread: f64,
}

/// What a new sample counts.
const WEIGHT: f64 = 0.05;
const LEAST_SPREAD: f64 = 0.4;
const MOST_SPREAD: f64 = 2.5;
/// Beyond so many deviations the way is another one.
const DEVIATIONS: f64 = 3.0;

impl Default for Capacity {
    fn default() -> Self {
        Self { mean: None, spread: LEAST_SPREAD }
    }
}

impl Capacity {
    fn learn(&mut self, through: f64) {
        if self
            .mean
            .is_some_and(|mean| through < mean - self.margin(mean) || through > mean + self.margin(mean))
        {
            self.forget();
        }
        let mean = self.mean.map_or(through, |mean| mean + WEIGHT * (through - mean));
        let away = (through - mean) / 1000.0;
        let spread = away * away / (mean / 1000.0).max(1.0);
        self.spread = (self.spread + WEIGHT * (spread - self.spread)).clamp(LEAST_SPREAD, MOST_SPREAD);
        self.mean = Some(mean);
    }

    fn set(&mut self, through: f64) {
        self.mean = Some(through);
    }

    fn forget(&mut self) {
        self.mean = None;
    }

    fn is_near(&self, through: f64) -> bool {
        self.mean.is_some_and(|mean| through > mean - self.margin(mean).max(mean * NEAR))
    }

    fn passed_by(&self, through: f64) -> bool {
        self.mean.is_some_and(|mean| through > mean + self.margin(mean))
    }

    fn margin(&self, mean: f64) -> f64 {
        DEVIATIONS * (self.spread * mean / 1000.0).sqrt() * 1000.0
    }
}

/// So close to the capacity growth is additive, as after a decrease.
const NEAR: f64 = 0.25;

#[cfg(test)]
mod tests;
