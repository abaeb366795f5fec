//! How a call has sounded, second by second, and how it sounds now.

use crate::call::receipt::NOTICED;
use std::time::Duration;

/// How well a call sounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Bars to show, 1 (bad) to 4 (excellent).
    pub bars: u8,
    /// From mouth to ear.
    pub mouth_to_ear: Duration,
    /// Share of the sound that never came or came too late, 0.0 to 1.0.
    pub lost: f32,
}

impl Quality {
    /// How the last [`NOTICED`] seconds sounded: what the receipt calls the worst of a call is the least of these.
    pub fn of(trend: &[Second]) -> Self {
        let latest = &trend[trend.len().saturating_sub(NOTICED)..];
        let mean =
            |value: fn(&Second) -> f64| latest.iter().map(value).sum::<f64>() / latest.len().max(1) as f64;
        let mouth_to_ear = Duration::from_secs_f64(mean(|second| second.mouth_to_ear.as_secs_f64()));
        let lost = mean(|second| second.lost.into()) as f32;
        Self { bars: Self::bars_of(mean(|second| second.mos.into())), mouth_to_ear, lost }
    }

    /// Bars for an expected opinion, by the steps of ITU-T G.107 Annex B: satisfied, some dissatisfied, many
    /// dissatisfied, nearly all.
    pub fn bars_of(mos: f64) -> u8 {
        match mos {
            mos if mos >= 4.0 => 4,
            mos if mos >= 3.6 => 3,
            mos if mos >= 3.1 => 2,
            _ => 1,
        }
    }
}

/// Seconds of a call that are remembered while it lasts.
pub const TREND: usize = 120;

/// One second of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Second {
    /// Expected opinion of a listener, 1 (bad) to 4.5.
    pub mos: f32,
    /// From mouth to ear.
    pub mouth_to_ear: Duration,
    /// Share of the sound that never came, or came too late and was made up: the larger of the two.
    pub lost: f32,
    /// Sound and pictures received, in kbit/s, without headers.
    pub kbps: f32,
    /// Pictures shown; nothing where none are sent.
    pub frame_rate: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_second_is_judged_among_those_around_it() {
        let second = |mos, lost| Second {
            mos,
            mouth_to_ear: Duration::from_millis(80),
            lost,
            kbps: 40.0,
            frame_rate: None,
        };
        let mut trend = vec![second(4.3, 0.0); 9];
        trend.push(second(1.3, 0.5));
        let now = Quality::of(&trend);
        assert_eq!((now.bars, now.mouth_to_ear.as_millis()), (3, 80), "3.7 in the mean of five");
        assert!((now.lost - 0.1).abs() < 0.001, "{now:?}");
        assert_eq!(Quality::of(&trend[9..]).bars, 1, "there is nothing around it");
        assert_eq!(Quality::of(&[]).bars, 1);
    }
}
