//! Whether a queue on the way grows: the trend of the delay, held against a threshold that adapts.
//!
//! Each group's change of transit is summed up and smoothed; a line through the last [`WINDOW`] sums tells how fast the
//! queue grows (its slope: 0.02 is 20 ms a second). The slope, times the number of groups and [`GAIN`], is held
//! against a threshold γ that follows it (Carlucci et al., "Analysis and Design of the Google Congestion Control for
//! WebRTC", MMSys 2016, §4.2): a fixed one starves beside flows that fill the queue.
//!
//! ```text
//! trend > γ for 10 ms and not falling ─▶ Over      trend < −γ ─▶ Under      else ─▶ Normal
//! γ ← γ + Δt · k · (|trend| − γ)       k = K_UP if |trend| > γ, else K_DOWN
//! ```

use std::collections::VecDeque;

use super::contention::Contention;
use super::groups::Change;

/// What the delay says of the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Usage {
    /// The queue drains.
    Under,
    #[default]
    Normal,
    /// The queue grows.
    Over,
}

/// Groups the line is drawn through.
const WINDOW: usize = 20;
/// What a smoothed sum keeps of the sum before.
const SMOOTHING: f64 = 0.9;
/// Makes slopes comparable with γ: without it the voice waits 68 ms behind video on 1 Mbit/s of the lab instead of 27.
const GAIN: f64 = 4.0;
/// More groups than this make a slope no surer.
const SUREST: u32 = 60;

/// γ at the start and its bounds, in ms (draft-ietf-rmcat-gcc-02 §5.4).
const THRESHOLD: f64 = 12.5;
const LEAST_THRESHOLD: f64 = 6.0;
const MOST_THRESHOLD: f64 = 600.0;
/// γ is no less while the queue may be somebody else's: his share of its growth is not for us to answer. A queue of ours
/// alone that grows by 100 ms a second still is.
const CONTENDED_THRESHOLD: f64 = 25.0;
/// How fast γ follows, per ms. The draft's 0.01 and 0.00018 are for its Kalman filter, whose output is not scaled; with them
/// the voice waits 49 ms behind video on 1 Mbit/s of the lab instead of 27. What they are for, not to starve beside a flow
/// that fills the queue, is [`CONTENDED_THRESHOLD`]'s.
const K_UP: f64 = 0.0087;
const K_DOWN: f64 = 0.039;
/// γ does not follow what is this far above it, in ms: a step of the way's delay (draft-ietf-rmcat-gcc-02 §5.4).
const SPIKE: f64 = 15.0;
/// γ follows for at most this long at once, in ms.
const LONGEST_STEP: f64 = 100.0;
/// How long the trend must be above γ, in ms (draft-ietf-rmcat-gcc-02 §5.4).
const OVERUSE_TIME: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Trend {
    points: VecDeque<Point>,
    groups: u32,
    sum: f64,
    smoothed: f64,
    threshold: f64,
    last: Option<f64>,
    before: f64,
    over: Option<Overuse>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: f64,
    delay: f64,
}

#[derive(Clone, Copy, Debug)]
struct Overuse {
    time: f64,
    groups: u32,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            points: VecDeque::with_capacity(WINDOW),
            groups: 0,
            sum: 0.0,
            smoothed: 0.0,
            threshold: THRESHOLD,
            last: None,
            before: 0.0,
            over: None,
        }
    }
}

impl Trend {
    pub(super) fn update(&mut self, change: Change, contention: Contention) -> Usage {
        self.groups = (self.groups + 1).min(SUREST);
        self.sum += change.arrived - change.sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.sum;
        if self.points.len() >= WINDOW {
            self.points.pop_front();
        }
        self.points.push_back(Point { at: change.at, delay: self.smoothed });
        let slope = if self.points.len() == WINDOW { self.slope() } else { 0.0 };
        let trend = f64::from(self.groups) * slope * GAIN;
        let usage = self.detect(trend, change.sent);
        self.adapt(trend, change.at, contention);
        usage
    }

    /// Least squares.
    fn slope(&self) -> f64 {
        let many = self.points.len() as f64;
        let at = self.points.iter().map(|point| point.at).sum::<f64>() / many;
        let delay = self.points.iter().map(|point| point.delay).sum::<f64>() / many;
        let (mut over, mut under) = (0.0, 0.0);
        for point in &self.points {
            over += (point.at - at) * (point.delay - delay);
            under += (point.at - at).powi(2);
        }
        if under > 0.0 { over / under } else { 0.0 }
    }

    fn detect(&mut self, trend: f64, between: f64) -> Usage {
        let (falls, before) = (trend < self.before, self.before);
        self.before = trend;
        if trend < -self.threshold {
            self.over = None;
            return Usage::Under;
        }
        if trend <= self.threshold {
            self.over = None;
            return Usage::Normal;
        }
        let over = match self.over {
            // It went above γ somewhere between the two groups.
            None => Overuse { time: between / 2.0, groups: 1 },
            Some(over) => Overuse { time: over.time + between, groups: over.groups.saturating_add(1) },
        };
        self.over = Some(over);
        if over.time > OVERUSE_TIME && over.groups > 1 && !falls && before > 0.0 {
            self.over = Some(Overuse { time: 0.0, groups: 0 });
            return Usage::Over;
        }
        Usage::Normal
    }

    fn adapt(&mut self, trend: f64, at: f64, contention: Contention) {
        let step = (at - self.last.replace(at).unwrap_or(at)).clamp(0.0, LONGEST_STEP);
        let least = match contention {
            Contention::Alone => LEAST_THRESHOLD,
            Contention::Draining { .. } | Contention::Contended => CONTENDED_THRESHOLD,
        };
        self.threshold = self.threshold.max(least);
        let away = trend.abs() - self.threshold;
        if away > SPIKE {
            return;
        }
        let follows = if away < 0.0 { K_DOWN } else { K_UP };
        // Not further than to the trend itself, however long the step.
        self.threshold += away * (follows * step).min(1.0);
        self.threshold = self.threshold.clamp(least, MOST_THRESHOLD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of 10 ms each of which takes so much longer than the one before.
    fn usages(longer: impl Iterator<Item = f64>) -> Vec<Usage> {
        let (mut trend, mut at) = (Trend::default(), 0.0);
        longer
            .map(|longer| {
                at += 10.0 + longer;
                trend.update(Change { sent: 10.0, arrived: 10.0 + longer, at }, Contention::Alone)
            })
            .collect()
    }

    #[test]
    fn a_queue_that_grows_is_overuse_and_one_that_drains_is_not() {
        let usages = usages((0..200).map(|nth| if nth < 100 { 1.0 } else { -1.0 }));
        assert!(usages[..100].contains(&Usage::Over));
        assert!(usages[130..].contains(&Usage::Under) && !usages[130..].contains(&Usage::Over));
    }

    #[test]
    fn an_even_way_and_a_jittery_one_are_normal() {
        assert!(usages((0..500).map(|_| 0.0)).iter().all(|usage| *usage == Usage::Normal));
        let jittery = usages((0..2000).map(|nth| f64::from(nth * 7919 % 13) - 6.0));
        let over = jittery.iter().filter(|usage| **usage == Usage::Over).count();
        assert!(over < 5, "{over}");
    }

    #[test]
    fn the_threshold_rises_beside_a_flow_that_fills_the_queue_and_stays_bounded() {
        let mut trend = Trend::default();
        for nth in 0..2000 {
            let at = f64::from(nth) * 10.5;
            trend.update(Change { sent: 10.0, arrived: 10.5, at }, Contention::Alone);
        }
        assert!(trend.threshold > LEAST_THRESHOLD && trend.threshold <= MOST_THRESHOLD);
    }

    #[test]
    fn arrivals_at_one_instant_are_no_slope() {
        let mut trend = Trend::default();
        for _ in 0..100 {
            let change = Change { sent: 10.0, arrived: 0.0, at: 5.0 };
            assert_eq!(trend.update(change, Contention::Alone), Usage::Normal);
        }
    }
}
