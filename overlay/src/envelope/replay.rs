//! Which envelopes were seen within the last two minutes.

use std::collections::{BTreeMap, BTreeSet};

use relay::UnixTime;

use super::ENVELOPE_WINDOW;
use crate::identity::PublicKey;

/// Remembers message ids per sender, so many senders and so many of each; envelopes beyond either bound are refused
/// until older ones have left the window, so that a flood can silence people, never cause a replay.
#[derive(Debug, Default)]
pub struct ReplaySet {
    seen: BTreeMap<PublicKey, BTreeSet<(UnixTime, [u8; 16])>>,
}

/// Whether an envelope is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Never seen.
    Fresh,
    /// Seen already: replayed, or brought by another home.
    Seen,
    /// Too old, or from the future.
    OutOfTime,
    /// Too many of this sender, or of too many senders.
    Flood,
}

/// Senders remembered.
const MAX_SENDERS: usize = 1_024;

/// Envelopes remembered per sender.
const MAX_PER_SENDER: usize = 256;

impl ReplaySet {
    /// Judges one envelope and remembers it when it is fresh.
    pub fn check(&mut self, now: UnixTime, from: PublicKey, sent: UnixTime, id: [u8; 16]) -> Freshness {
        let oldest = now.saturating_sub(ENVELOPE_WINDOW);
        if sent < oldest || sent > now.saturating_add(ENVELOPE_WINDOW) {
            return Freshness::OutOfTime;
        }
        if !self.seen.contains_key(&from) && self.seen.len() >= MAX_SENDERS {
            self.forget(oldest);
            if self.seen.len() >= MAX_SENDERS {
                return Freshness::Flood;
            }
        }
        let of_sender = self.seen.entry(from).or_default();
        if of_sender.contains(&(sent, id)) {
            return Freshness::Seen;
        }
        if of_sender.len() >= MAX_PER_SENDER {
            of_sender.retain(|(at, _)| *at >= oldest);
            if of_sender.len() >= MAX_PER_SENDER {
                return Freshness::Flood;
            }
        }
        of_sender.insert((sent, id));
        Freshness::Fresh
    }

    /// Forgets what no longer matters at `now`.
    pub fn expire(&mut self, now: UnixTime) {
        self.forget(now.saturating_sub(ENVELOPE_WINDOW));
    }

    fn forget(&mut self, oldest: UnixTime) {
        self.seen.retain(|_, seen| {
            seen.retain(|(at, _)| *at >= oldest);
            !seen.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn sender(n: u16) -> PublicKey {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        PublicKey::from_bytes(bytes)
    }

    #[test]
    fn an_envelope_is_fresh_once() {
        let mut set = ReplaySet::default();
        assert_eq!(set.check(NOW, sender(1), NOW, [1; 16]), Freshness::Fresh);
        assert_eq!(set.check(NOW, sender(1), NOW, [1; 16]), Freshness::Seen);
        assert_eq!(set.check(NOW, sender(2), NOW, [1; 16]), Freshness::Fresh);
    }

    #[test]
    fn forgotten_envelopes_are_out_of_time_by_then() {
        let mut set = ReplaySet::default();
        assert_eq!(set.check(NOW, sender(1), NOW, [1; 16]), Freshness::Fresh);
        let later = NOW.saturating_add(ENVELOPE_WINDOW + Duration::from_millis(1));
        set.expire(later);
        assert!(set.seen.is_empty());
        assert_eq!(set.check(later, sender(1), NOW, [1; 16]), Freshness::OutOfTime);
        assert_eq!(set.check(NOW, sender(1), later, [1; 16]), Freshness::OutOfTime);
    }

    #[test]
    fn a_flood_is_refused_and_ends_with_the_window() {
        let mut set = ReplaySet::default();
        for i in 0..=u8::MAX {
            assert_eq!(set.check(NOW, sender(1), NOW, [i; 16]), Freshness::Fresh);
        }
        assert_eq!(
            set.check(NOW, sender(1), NOW, [99, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            Freshness::Flood
        );
        let later = NOW.saturating_add(ENVELOPE_WINDOW + Duration::from_secs(1));
        assert_eq!(set.check(later, sender(1), later, [7; 16]), Freshness::Fresh);
    }

    #[test]
    fn senders_are_bounded() {
        let mut set = ReplaySet::default();
        for n in 0..MAX_SENDERS as u16 {
            assert_eq!(set.check(NOW, sender(n), NOW, [1; 16]), Freshness::Fresh);
        }
        assert_eq!(set.check(NOW, sender(5_000), NOW, [1; 16]), Freshness::Flood);
    }
}
