//! What a listener would say of a call: the E-model (ITU-T G.107), shortened to what delay and loss do to it.
//!
//! `R = 93.2 - Id - Ie,eff`; Id by the approximation of Cole and Rosenbluth, Ie,eff for random loss, and the mapping of
//! R to MOS of G.107 Annex B.

use std::time::Duration;

use crate::jitter::PlayoutStats;

/// What a block, look-ahead and a sound card's buffer take besides a frame, the way and the wait.
const FIXED_DELAY: Duration = Duration::from_millis(30);

/// R loses half of 95 at this many per cent of invented sound. PESQ-WB of nine links agrees within 0.3 (`voice`, in the lab): what
/// is invented is heard more than the loss of G.113, most of which is mended.
const ROBUSTNESS: f32 = 9.0;

/// From one mouth to the other ear: the way, which is half of the round trip, and the wait of packets that take as long.
pub fn mouth_to_ear(rtt: Option<Duration>, playout: &PlayoutStats) -> Duration {
    let waits = playout.playout_delay.saturating_sub(playout.lateness);
    rtt.unwrap_or_default() / 2 + waits + playout.frame + FIXED_DELAY
}

/// Mean opinion score, 1 to 4.4, from the delay from mouth to ear and the share of sound that is invented.
pub fn mean_opinion(mouth_to_ear: Duration, concealed: f32) -> f32 {
    let delay = mouth_to_ear.as_secs_f32() * 1000.0;
    let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let loss = concealed.clamp(0.0, 1.0) * 100.0;
    let by_loss = 95.0 * loss / (loss + ROBUSTNESS);
    let r = (93.2 - by_delay - by_loss).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_short_clean_path_is_excellent() {
        assert!(mean_opinion(100 * MS, 0.0) > 4.3);
    }

    #[test]
    fn delay_and_loss_each_cost() {
        let best = mean_opinion(100 * MS, 0.0);
        assert!(mean_opinion(390 * MS, 0.0) < best - 0.5);
        assert!(mean_opinion(100 * MS, 0.03) < best - 0.5);
    }

    #[test]
    fn the_worst_is_one() {
        assert!((mean_opinion(5400 * MS, 1.0) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn packets_that_come_late_wait_less() {
        let (playout_delay, lateness, frame) = (80 * MS, 30 * MS, 20 * MS);
        let playout = PlayoutStats { playout_delay, lateness, frame, ..PlayoutStats::default() };
        assert_eq!(mouth_to_ear(Some(100 * MS), &playout), 50 * MS + 50 * MS + 20 * MS + FIXED_DELAY);
        assert_eq!(mouth_to_ear(None, &PlayoutStats::default()), FIXED_DELAY);
    }
}
