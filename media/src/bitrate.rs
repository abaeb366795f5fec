//! How fast data goes.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// Bits per second. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// So many bits per second.
    pub const fn from_bps(bits_per_second: u64) -> Self {
        Self(bits_per_second)
    }

    /// So many thousand bits per second.
    pub const fn from_kbps(kilobits_per_second: u64) -> Self {
        Self(kilobits_per_second.saturating_mul(1000))
    }

    /// What carries `bytes` in `time`; nothing if there is no time.
    pub fn of(bytes: usize, time: Duration) -> Option<Self> {
        (!time.is_zero()).then(|| Self((bytes as f64 * 8.0 / time.as_secs_f64()) as u64))
    }

    /// Bits per second.
    pub const fn bps(self) -> u64 {
        self.0
    }

    /// This rate times `factor`; zero if the factor is negative or no number.
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as u64)
    }

    /// What is left when `other` is taken away; zero if that is more.
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// How long `bytes` take at this rate; [`Duration::MAX`] if that is for ever.
    pub fn time_for(self, bytes: usize) -> Duration {
        Duration::try_from_secs_f64(bytes as f64 * 8.0 / self.0 as f64).unwrap_or(Duration::MAX)
    }

    /// How many bytes go in `time`.
    pub fn bytes_in(self, time: Duration) -> f64 {
        self.0 as f64 / 8.0 * time.as_secs_f64()
    }
}

impl Add for Bitrate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} kbit/s", self.0 / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_carries_bytes_in_time_and_never_overflows() {
        let rate = Bitrate::from_kbps(800);
        assert_eq!(rate.time_for(1000), Duration::from_millis(10));
        assert_eq!(rate.bytes_in(Duration::from_millis(10)), 1000.0);
        assert_eq!(Bitrate::of(1000, Duration::from_millis(10)), Some(rate));
        assert_eq!(Bitrate::of(1000, Duration::ZERO), None);
        assert_eq!(Bitrate::ZERO.time_for(1), Duration::MAX);
        assert_eq!(rate.scaled(f64::NAN), Bitrate::ZERO);
        assert_eq!(rate.scaled(-1.0), Bitrate::ZERO);
        assert_eq!(rate.less(Bitrate::from_kbps(900)), Bitrate::ZERO);
        assert_eq!(Bitrate::from_bps(u64::MAX) + rate, Bitrate::from_bps(u64::MAX));
        assert_eq!(rate.to_string(), "800 kbit/s");
    }
}
