//! Whether the application sends less than it may: then what gets through says little of what could.
//!
//! A budget fills at [`SHARE`] of the target and is spent by what is sent; it lies full while little is sent.
//!
//! ```text
//!         budget over 80 %
//!  Full ─────────────────▶ Limited
//!       ◀─────────────────
//!         budget under 50 %
//! ```

use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// What of the target is used by who is not limited: encoders stay below what they may.
const SHARE: f64 = 0.65;
/// The budget holds this much time.
const WINDOW: Duration = Duration::from_millis(500);
const ENTER: f64 = 0.8;
const LEAVE: f64 = 0.5;

/// How much of the target is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Use {
    /// About all of it.
    #[default]
    Full,
    /// The application has no more to send.
    Limited,
}

#[derive(Debug, Default)]
pub(super) struct Budget {
    /// Bytes, from minus to plus what goes in [`WINDOW`].
    level: f64,
    updated: Option<Instant>,
    usage: Use,
}

impl Budget {
    pub(super) fn sent(&mut self, now: Instant, target: Bitrate, bytes: usize) {
        let elapsed =
            self.updated.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        let full = target.bytes_in(WINDOW) * SHARE;
        self.level = (self.level + target.bytes_in(elapsed) * SHARE).min(full) - bytes as f64;
        self.level = self.level.clamp(-full, full);
        self.usage = match self.usage {
            Use::Full if self.level > ENTER * full => Use::Limited,
            Use::Limited if self.level < LEAVE * full => Use::Full,
            unchanged => unchanged,
        };
    }

    pub(super) fn usage(&self) -> Use {
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    const TARGET: Bitrate = Bitrate::from_kbps(1000);

    fn after(budget: &mut Budget, from: Instant, kbps: u64) -> (Instant, Use) {
        let bytes = Bitrate::from_kbps(kbps).bytes_in(Duration::from_millis(10)) as usize;
        let mut now = from;
        for _ in 0..200 {
            now += Duration::from_millis(10);
            budget.sent(now, TARGET, bytes);
        }
        (now, budget.usage())
    }

    #[test]
    fn who_sends_little_is_limited_until_more_is_sent() {
        let mut budget = Budget::default();
        let (now, usage) = after(&mut budget, origin(), 900);
        assert_eq!(usage, Use::Full);
        let (now, usage) = after(&mut budget, now, 100);
        assert_eq!(usage, Use::Limited);
        assert_eq!(after(&mut budget, now, 900).1, Use::Full);
    }
}
