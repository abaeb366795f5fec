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
        let millis =
            u64::try_from(now.saturating_duration_since(self.filled).as_millis()).unwrap_or(u64::MAX);
        if millis > 0 {
            self.tokens = self.burst.min(self.tokens.saturating_add(millis.saturating_mul(self.per_second)));
            self.filled = now;
        }
        let enough = self.tokens >= 1_000;
        if enough {
            self.tokens -= 1_000;
        }
        enough
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

    #[expect(clippy::disallowed_methods, reason = "an Instant can only be made by reading the clock")]
    fn relay_epoch() -> Instant {
        Instant::now()
    }
}
