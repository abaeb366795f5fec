//! Notices when the picture stands still.
//!
//! A freeze is an interval between two decoded pictures beyond the larger of three times the average and the average
//! plus 150 ms, as in the statistics of WebRTC (`freezeCount`).

use std::time::{Duration, Instant};

/// How much longer than usual a picture must stand at least.
const MARGIN: Duration = Duration::from_millis(150);

/// Share of the newest interval in the average, as a divisor.
const MEMORY: u32 = 16;

/// What is usual before anything is known.
const FIRST_AVERAGE: Duration = Duration::from_millis(67);

/// Watches the intervals between decoded pictures.
#[derive(Debug, Clone, Copy)]
pub struct FreezeDetector {
    latest: Option<Instant>,
    average: Duration,
    freezes: u64,
    frozen: Duration,
}

impl Default for FreezeDetector {
    fn default() -> Self {
        Self { latest: None, average: FIRST_AVERAGE, freezes: 0, frozen: Duration::ZERO }
    }
}

impl FreezeDetector {
    /// A picture was decoded at `now`.
    pub fn decoded(&mut self, now: Instant) {
        if let Some(latest) = self.latest.replace(now) {
            let interval = now.saturating_duration_since(latest);
            if interval > self.limit() {
                self.freezes += 1;
                self.frozen += interval;
            } else {
                self.average = (self.average * (MEMORY - 1) + interval) / MEMORY;
            }
        }
    }

    /// How many freezes are over, and how long they lasted altogether.
    pub fn total(&self) -> (u64, Duration) {
        (self.freezes, self.frozen)
    }

    fn limit(&self) -> Duration {
        (3 * self.average).max(self.average + MARGIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::fixture::origin;

    #[test]
    fn a_long_interval_is_a_freeze_and_a_slow_source_is_not() {
        let ms = Duration::from_millis;
        let (start, mut detector) = (origin(), FreezeDetector::default());
        (0..60).for_each(|at| detector.decoded(start + ms(33) * at));
        let latest = start + ms(33) * 59;
        detector.decoded(latest + ms(180));
        assert_eq!(detector.total(), (0, Duration::ZERO));
        detector.decoded(latest + ms(580));
        assert_eq!(detector.total(), (1, ms(400)));
        let mut slow = FreezeDetector::default();
        (0..60).for_each(|at| slow.decoded(start + ms(200) * at));
        assert_eq!(slow.total(), (0, Duration::ZERO));
    }
}
