//! Notices when the picture stands still.
//!
//! A freeze is an interval between two decoded pictures beyond the larger of three times the average and the average
//! plus 150 ms, as in the statistics of WebRTC (`freezeCount`). While the sender's camera is off nothing stands still.
//!
//! ```text
//!   Unseen ── picture ──▶ Seen ⟲ picture
//!      ▲                   │
//!      └─ camera on ── Off ◀── camera off, also before a picture; what still comes then counts for nothing
//! ```

use std::time::{Duration, Instant};

use super::ends::Camera;

/// How much longer than usual a picture must stand at least.
const MARGIN: Duration = Duration::from_millis(150);

/// Share of the newest interval in the average, as a divisor.
const MEMORY: u32 = 16;

/// What is usual before anything is known.
const FIRST_AVERAGE: Duration = Duration::from_millis(67);

/// Watches the intervals between decoded pictures.
#[derive(Debug, Clone, Copy)]
pub struct FreezeDetector {
    state: State,
    average: Duration,
    freezes: u64,
    frozen: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Seen { latest: Instant },
    Off,
}

impl Default for FreezeDetector {
    fn default() -> Self {
        Self { state: State::Unseen, average: FIRST_AVERAGE, freezes: 0, frozen: Duration::ZERO }
    }
}

impl FreezeDetector {
    /// A picture was decoded at `now`.
    pub fn decoded(&mut self, now: Instant) {
        if self.state == State::Off {
            return;
        }
        if let State::Seen { latest } = std::mem::replace(&mut self.state, State::Seen { latest: now }) {
            let interval = now.saturating_duration_since(latest);
            if interval > self.limit() {
                self.freezes += 1;
                self.frozen += interval;
            } else {
                self.average = (self.average * (MEMORY - 1) + interval) / MEMORY;
            }
        }
    }

    /// The sender's camera went on or off.
    pub fn handle_camera(&mut self, camera: Camera) {
        self.state = match (camera, self.state) {
            (Camera::Off, _) => State::Off,
            (Camera::On, State::Off) => State::Unseen,
            (Camera::On, state) => state,
        };
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

    #[test]
    fn nothing_freezes_while_the_camera_is_off() {
        let ms = Duration::from_millis;
        let (start, mut detector) = (origin(), FreezeDetector::default());
        detector.handle_camera(Camera::On);
        detector.decoded(start);
        detector.handle_camera(Camera::Off);
        // What was on its way.
        detector.decoded(start + ms(33));
        detector.handle_camera(Camera::On);
        detector.decoded(start + ms(5_000));
        assert_eq!(detector.total(), (0, Duration::ZERO));
        detector.handle_camera(Camera::On);
        detector.decoded(start + ms(6_000));
        assert_eq!(detector.total(), (1, ms(1_000)));
    }
}
