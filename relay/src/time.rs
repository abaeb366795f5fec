//! The two clocks protocol code is told about: monotonic time for timers, Unix time for what is compared between machines.

use std::time::{Duration, Instant};

/// Wall-clock time as the duration since 1970-01-01T00:00:00Z. Arithmetic is checked or saturating, never panicking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(Duration::ZERO);

    /// The time `since_epoch` after 1970.
    pub const fn from_duration(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// The time that many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The time that many seconds after 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// Milliseconds since 1970, saturating at `u64::MAX`.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whole seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// The duration since 1970.
    pub const fn as_duration(self) -> Duration {
        self.0
    }

    /// This time plus `later`, or nothing when it does not fit.
    pub fn checked_add(self, later: Duration) -> Option<Self> {
        self.0.checked_add(later).map(Self)
    }

    /// This time minus `earlier`, or nothing when that is before 1970.
    pub fn checked_sub(self, earlier: Duration) -> Option<Self> {
        self.0.checked_sub(earlier).map(Self)
    }

    /// This time plus `later`, stopping at the end of time.
    pub fn saturating_add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }

    /// This time minus `earlier`, stopping at 1970.
    pub fn saturating_sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(earlier))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// One reading of both clocks, taken by a driver and handed to protocol code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time, for timers.
    pub instant: Instant,
    /// Wall-clock time, for expiry dates that travel between machines.
    pub unix: UnixTime,
}

impl Now {
    /// Both clocks moved on by `delay`; a clock that cannot go that far stands still.
    pub fn after(self, delay: Duration) -> Self {
        Self {
            instant: self.instant.checked_add(delay).unwrap_or(self.instant),
            unix: self.unix.saturating_add(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_leaves_its_range() {
        assert_eq!(UnixTime::from_millis(5).saturating_sub(Duration::from_secs(9)), UnixTime::EPOCH);
        assert_eq!(UnixTime::EPOCH.checked_sub(Duration::from_nanos(1)), None);
        assert_eq!(UnixTime::from_duration(Duration::MAX).checked_add(Duration::from_nanos(1)), None);
        assert_eq!(UnixTime::from_duration(Duration::MAX).as_millis(), u64::MAX);
    }

    #[test]
    fn both_clocks_move_together() {
        let start = crate::fixture::now();
        let later = start.after(Duration::from_millis(1500));
        assert_eq!(later.instant - start.instant, Duration::from_millis(1500));
        assert_eq!(later.unix.saturating_duration_since(start.unix), Duration::from_millis(1500));
    }
}
