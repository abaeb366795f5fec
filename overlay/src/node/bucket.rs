//! A token bucket: so many at once, so many per second.

use std::time::Instant;

#[derive(Debug)]
pub(super) struct Bucket {
    /// Thousandths of a token.
    tokens: u64,
    per_second: u64,
    burst: u64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = u64::from(burst) * 1_000;
        Self { tokens: burst, per_second: u64::from(per_second), burst, filled: now }
    }

    /// Takes one token if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.take_above(now, 0)
    }

    /// How much of the burst is used up, in percent.
    pub(super) fn used_percent(&self) -> u8 {
        let used = (self.burst - self.tokens).saturating_mul(100).checked_div(self.burst).unwrap_or(100);
        u8::try_from(used).unwrap_or(100)
    }

    /// Takes one token if, of the burst, this many percent are left for what is more urgent.
    pub(super) fn take_above(&mut self, now: Instant, kept_percent: u64) -> bool {
        let millis =
            u64::try_from(now.saturating_duration_since(self.filled).as_millis()).unwrap_or(u64::MAX);
        if millis > 0 {
            self.tokens = self.burst.min(self.tokens.saturating_add(millis.saturating_mul(self.per_second)));
            self.filled = now;
        }
        let enough = self.tokens >= 1_000 + self.burst / 100 * kept_percent;
        if enough {
            self.tokens -= 1_000;
        }
        enough
    }

    /// Whether it is as if nothing was ever taken.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        let millis = now.saturating_duration_since(self.filled).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        self.tokens.saturating_add(millis.saturating_mul(self.per_second)) >= self.burst
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_empties_it_and_time_fills_it() {
        let start = relay_epoch();
        let mut bucket = Bucket::new(10, 3, start);
        assert_eq!([(); 4].map(|()| bucket.take(start)), [true, true, true, false]);
        let later = start + Duration::from_millis(100);
        assert_eq!([(); 2].map(|()| bucket.take(later)), [true, false]);
    }

    #[test]
    fn what_is_kept_for_the_urgent_is_there_for_the_urgent_only() {
        let start = relay_epoch();
        let mut bucket = Bucket::new(10, 4, start);
        assert_eq!([(); 4].map(|()| bucket.take_above(start, 50)), [true, true, false, false]);
        assert_eq!(bucket.used_percent(), 50);
        assert_eq!([(); 3].map(|()| bucket.take(start)), [true, true, false]);
    }

    #[expect(clippy::disallowed_methods, reason = "an Instant can only be made by reading the clock")]
    fn relay_epoch() -> Instant {
        Instant::now()
    }
}
