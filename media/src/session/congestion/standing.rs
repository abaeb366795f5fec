//! How long packets wait on the way, beyond what the way itself takes.
//!
//! A packet's transit is its arrival minus its sending, on two clocks that know nothing of each other. The smallest
//! transit of the last [`MEMORY`] is the empty way; the smallest of the last [`RECENT`] is what even the luckiest packet
//! took. Their difference is a queue that stands: jitter and bursts of frames come and go within it, as in CoDel
//! (RFC 8289 §3.2).

use std::collections::VecDeque;
use std::time::Duration;

/// How long the empty way is remembered, in µs: longer than somebody else's queue stays without falling, and short enough
/// for clocks that drift apart by 100 in a million.
const MEMORY: i64 = 60_000_000;
/// What is now, in µs: more than the time between two frames of 15 a second.
const RECENT: i64 = 80_000;
/// Lows are kept for steps of this share of the memory: so many at most.
const STEPS: i64 = 300;

#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Increasing in time and in transit: a low is of no use once a lower one came.
    lows: VecDeque<Low>,
    recent: VecDeque<Low>,
}

#[derive(Clone, Copy, Debug)]
struct Low {
    at: i64,
    transit: i64,
}

impl Standing {
    /// A packet arrived at `at`, `transit` after it was sent; both in µs.
    pub(super) fn arrived(&mut self, at: i64, transit: i64) {
        insert(&mut self.lows, Low { at, transit }, MEMORY);
        insert(&mut self.recent, Low { at, transit }, RECENT);
    }

    /// How long the luckiest packet of the last moments waited.
    pub(super) fn delay(&self) -> Duration {
        let low = |lows: &VecDeque<Low>| lows.front().map_or(0, |low| low.transit);
        let micros = low(&self.recent) - low(&self.lows);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Forgets everything, as when the receiver's clock was set.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}

fn insert(lows: &mut VecDeque<Low>, low: Low, memory: i64) {
    if lows.back().is_some_and(|last| last.at > low.at) {
        return;
    }
    while lows.back().is_some_and(|last| last.transit >= low.transit) {
        lows.pop_back();
    }
    // The lows of one step count as its first.
    if lows.back().is_none_or(|last| low.at - last.at >= memory / STEPS) {
        lows.push_back(low);
    }
    while lows.len() > 1 && lows.front().is_some_and(|first| low.at - first.at > memory) {
        lows.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1000;

    #[test]
    fn a_queue_stands_and_bursts_do_not() {
        let mut standing = Standing::default();
        (0..100).for_each(|nth| standing.arrived(nth * 10 * MS, -7_000_000 + nth % 4 * 10 * MS));
        assert_eq!(standing.delay(), Duration::ZERO);
        (100..200).for_each(|nth| standing.arrived(nth * 10 * MS, -7_000_000 + 30 * MS + nth % 4 * 10 * MS));
        assert_eq!(standing.delay(), Duration::from_millis(30));
    }

    #[test]
    fn what_stays_becomes_the_way_and_memory_is_bounded() {
        let mut standing = Standing::default();
        standing.arrived(0, 0);
        (0..7000).for_each(|nth| standing.arrived(nth * 10 * MS, 50 * MS + nth));
        assert!(standing.delay() < Duration::from_millis(8), "{:?}", standing.delay());
        assert!(standing.lows.len() <= STEPS as usize + 2);
        standing.restart();
        assert_eq!(standing.delay(), Duration::ZERO);
    }
}
