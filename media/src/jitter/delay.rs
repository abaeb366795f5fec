//! How long to wait: the target delay, learnt from how unevenly packets arrive.
//!
//! Every packet has a *transit*: its arrival minus its media time. The smallest transit of the last
//! seconds is the fastest path; a packet's *relative delay* is how much slower than that it was. Waiting
//! for the [`QUANTILE`] of the relative delays keeps all but the slowest few per cent in time. Recent
//! packets count more ([`MEMORY`]). All packets released together after one stall count as one: a rare
//! spike is an accident to recover from, not a habit to wait for.

use std::collections::VecDeque;
use std::time::Duration;

use crate::frame::{BLOCK, OPUS_FRAME, samples_in};

/// Share of the packets that should arrive in time.
pub const QUANTILE: f64 = 0.985;

/// How long what was seen counts: after this, it weighs 1/e.
pub const MEMORY: Duration = Duration::from_millis(3000);

/// Never wait less than this: packets are needed up to a block ahead, and threads wake late.
pub const MIN_TARGET: Duration = Duration::from_millis(20);

/// Never wait longer than this on purpose.
pub const MAX_TARGET: Duration = Duration::from_millis(400);

/// Packets remembered, about 12 s of 20 ms packets; the oldest is forgotten when full.
pub const HISTORY: usize = 600;

/// Learns the target delay. Times and delays are in 48 kHz samples.
#[derive(Debug, Default)]
pub struct DelayEstimator {
    seen: VecDeque<Seen>,
    quantile: i64,
    jitter: f64,
    loss: f64,
    draining: bool,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    arrival: i64,
    transit: i64,
    weight: f64,
}

impl DelayEstimator {
    /// Takes the arrival of one packet into account: when it came, and the media time it carries.
    pub fn arrived(&mut self, arrival: i64, timestamp: i64) {
        let transit = arrival - timestamp;
        let horizon = arrival - 4 * samples_in(MEMORY) as i64;
        while self.seen.len() >= HISTORY || self.seen.front().is_some_and(|seen| seen.arrival < horizon) {
            self.seen.pop_front();
        }
        let mut weight = 1.0;
        if let Some(last) = self.seen.back() {
            // RFC 3550 §6.4.1.
            self.jitter += ((transit - last.transit).abs() as f64 - self.jitter) / 16.0;
            let together = arrival - last.arrival < STALL_DRAIN;
            let unusual = self.base() + self.quantile + SPIKE;
            self.draining = together && (last.transit > unusual || self.draining);
            if self.draining {
                weight = DRAINED_WEIGHT;
            } else if transit > unusual {
                weight = OUTLIER_WEIGHT;
            }
        }
        self.seen.push_back(Seen { arrival, transit, weight });
        self.quantile = self.weighted_quantile(arrival);
    }

    /// Tells whether a frame was there when it was to be played, or lost.
    pub fn frame_was(&mut self, fate: Fate) {
        let loss = match fate {
            Fate::Present => 0.0,
            Fate::Lost => 1.0,
        };
        self.loss += (loss - self.loss) / LOSS_MEMORY;
    }

    /// The smallest transit seen lately: the fastest path.
    pub fn base(&self) -> i64 {
        self.seen.iter().map(|seen| seen.transit).min().unwrap_or(0)
    }

    /// How long a packet on the fastest path should wait before it is played.
    pub fn target(&self) -> i64 {
        // A pull needs the packet that starts within its block, so up to one block ahead.
        let wait = self.quantile + BLOCK as i64;
        // The copy of a lost frame comes with the next packet, one frame later.
        let recovery = if self.loss > LOSSY { OPUS_FRAME as i64 } else { 0 };
        (wait + recovery).clamp(samples_in(MIN_TARGET) as i64, samples_in(MAX_TARGET) as i64)
    }

    /// Unevenness of arrival, in samples (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> u64 {
        self.jitter as u64
    }

    /// Forgets all arrivals, as for a new stream.
    pub fn restart(&mut self) {
        *self = Self { loss: self.loss, ..Self::default() };
    }

    fn weighted_quantile(&self, now: i64) -> i64 {
        let memory = samples_in(MEMORY) as f64;
        let mut weighed: Vec<(i64, f64)> = self
            .seen
            .iter()
            .map(|seen| (seen.transit, seen.weight * (-((now - seen.arrival) as f64) / memory).exp()))
            .collect();
        weighed.sort_unstable_by_key(|&(transit, _)| transit);
        let total: f64 = weighed.iter().map(|&(_, weight)| weight).sum();
        let base = weighed.first().map_or(0, |&(transit, _)| transit);
        let mut sum = 0.0;
        for (transit, weight) in weighed {
            sum += weight;
            if sum >= QUANTILE * total {
                return transit - base;
            }
        }
        0
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its packet was there.
    Present,
    /// Its packet was not there.
    Lost,
}

/// Packets closer together than this were released together: 4 ms.
const STALL_DRAIN: i64 = 192;
/// A relative delay this far beyond the quantile is a spike: 80 ms.
const SPIKE: i64 = 3840;
/// What a packet that only waited behind a spike weighs.
const DRAINED_WEIGHT: f64 = 0.02;
/// What the first packet of a spike weighs.
const OUTLIER_WEIGHT: f64 = 0.3;
/// Frames over which loss is averaged.
const LOSS_MEMORY: f64 = 250.0;
/// More loss than this is worth waiting one frame for recovery.
const LOSSY: f64 = 0.003;

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: i64 = OPUS_FRAME as i64;

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

    #[test]
    fn an_even_path_waits_the_least() {
        let estimator = after((0..100).map(|_| 1440));
        assert_eq!(estimator.base(), 1440);
        assert_eq!(estimator.target(), samples_in(MIN_TARGET) as i64);
        assert_eq!(estimator.jitter(), 0);
    }

    #[test]
    fn an_uneven_path_waits_for_nearly_all() {
        let estimator = after((0..300).map(|frame| frame * 7919 % 3840));
        assert!((3300..5000).contains(&estimator.target()), "{}", estimator.target());
    }

    #[test]
    fn one_spike_does_not_raise_the_target() {
        let estimator = after((0..100).map(|frame| if frame == 80 { 11_520 } else { 0 }));
        assert_eq!(estimator.target(), samples_in(MIN_TARGET) as i64);
    }

    #[test]
    fn loss_adds_one_frame_and_no_loss_removes_it() {
        let mut estimator = after((0..50).map(|_| 0));
        estimator.frame_was(Fate::Lost);
        assert_eq!(estimator.target(), BLOCK as i64 + FRAME);
        (0..1000).for_each(|_| estimator.frame_was(Fate::Present));
        assert_eq!(estimator.target(), samples_in(MIN_TARGET) as i64);
    }

    #[test]
    fn no_history_is_no_reason_to_panic() {
        let estimator = DelayEstimator::default();
        assert_eq!(estimator.target(), samples_in(MIN_TARGET) as i64);
        assert_eq!(estimator.base(), 0);
    }
}
