//! What a listener would say of a call: the E-model (ITU-T G.107), shortened to what delay and loss do to it.
//!
//! `R = 93.2 - Id - Ie,eff`; Id by the approximation of Cole and Rosenbluth, Ie,eff for random loss, and the mapping of
//! R to MOS of G.107 Annex B.

use std::time::Duration;

/// What capture, one frame, look-ahead and play-out take besides network and jitter buffer.
const FIXED_DELAY: Duration = Duration::from_millis(50);

/// How well Opus with its own error correction bears random loss: R halves at about this many percent.
const LOSS_ROBUSTNESS: f32 = 20.0;

/// Mean opinion score, 1 to 4.4, from round-trip time, play-out delay and the share of concealed sound.
pub(super) fn mean_opinion(rtt: Option<Duration>, playout: Duration, concealed: f32) -> f32 {
    let delay = (rtt.unwrap_or_default() / 2 + playout + FIXED_DELAY).as_secs_f32() * 1000.0;
    let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let loss = concealed.clamp(0.0, 1.0) * 100.0;
    let by_loss = 95.0 * loss / (loss + LOSS_ROBUSTNESS);
    let r = (93.2 - by_delay - by_loss).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_short_clean_path_is_excellent() {
        assert!(mean_opinion(Some(20 * MS), 40 * MS, 0.0) > 4.3);
    }

    #[test]
    fn delay_and_loss_each_cost() {
        let best = mean_opinion(Some(20 * MS), 40 * MS, 0.0);
        assert!(mean_opinion(Some(600 * MS), 40 * MS, 0.0) < best - 0.5);
        assert!(mean_opinion(Some(20 * MS), 40 * MS, 0.05) < best - 0.5);
    }

    #[test]
    fn the_worst_is_one() {
        assert!((mean_opinion(Some(9000 * MS), 900 * MS, 1.0) - 1.0).abs() < 1e-3);
    }
}
