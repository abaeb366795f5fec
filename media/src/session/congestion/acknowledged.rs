//! What gets through: the rate at which packets arrive, over a sliding window of the receiver's clock.

use std::collections::VecDeque;
use std::time::Duration;

use super::Arrived;
use crate::bitrate::Bitrate;

/// The window, in µs: fifteen frames, so that one more or less does not matter (draft-ietf-rmcat-gcc-02 §5.5 has
/// 500 ms to 1 s).
const WINDOW: i64 = 500_000;
/// The window that matters when the way became slower, in µs: of 500 ms half would be of before.
const RECENT: i64 = 200_000;
/// Before so much of the window was seen there is no rate, in µs.
const LEAST: i64 = 150_000;
/// Arrivals remembered: 50 Mbit/s of full packets; the oldest is forgotten when full.
const CAPACITY: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    arrived: VecDeque<Arrived>,
    newest: i64,
}

impl Acknowledged {
    pub(super) fn arrived(&mut self, packet: Arrived) {
        let jumped = (packet.arrival - self.newest).abs() > 4 * WINDOW;
        if jumped {
            self.arrived.clear();
            self.newest = packet.arrival;
        }
        self.newest = self.newest.max(packet.arrival);
        let oldest = self.newest - WINDOW;
        while self.arrived.len() >= CAPACITY
            || self.arrived.front().is_some_and(|seen| seen.arrival <= oldest)
        {
            self.arrived.pop_front();
        }
        self.arrived.push_back(packet);
    }

    /// What arrived so far is of no interest any more.
    pub(super) fn restart(&mut self) {
        self.arrived.clear();
    }

    /// Over the whole window; nothing before enough was seen.
    pub(super) fn rate(&self) -> Option<Bitrate> {
        self.over(WINDOW)
    }

    /// Over the last fifth of a second or the whole window, whichever is less: what a way that became slower carries.
    pub(super) fn recent(&self) -> Option<Bitrate> {
        Some(self.over(WINDOW)?.min(self.over(RECENT)?))
    }

    fn over(&self, window: i64) -> Option<Bitrate> {
        let first = self.arrived.front()?.arrival;
        let seen = (self.newest - first).min(window);
        if seen < LEAST {
            return None;
        }
        // The first packet's bytes came before the window began.
        let after = self.newest - seen;
        let bytes = self.arrived.iter().filter(|packet| packet.arrival > after).map(|packet| packet.size);
        Bitrate::of(bytes.fold(0, usize::saturating_add), Duration::from_micros(seen.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(arrival: i64) -> Arrived {
        Arrived { sent: 0, arrival, size: 1250, probe: None }
    }

    #[test]
    fn the_rate_is_of_what_arrived_in_the_window() {
        let mut acknowledged = Acknowledged::default();
        for ms in (0..100).step_by(10) {
            acknowledged.arrived(packet(ms * 1000));
            assert_eq!(acknowledged.rate(), None);
        }
        for ms in (100..2000).step_by(10) {
            acknowledged.arrived(packet(ms * 1000));
        }
        assert_eq!(acknowledged.rate(), Some(Bitrate::from_kbps(1000)));
        for ms in (2000..2200).step_by(20) {
            acknowledged.arrived(packet(ms * 1000));
        }
        let (recent, whole) = (acknowledged.recent().unwrap(), acknowledged.rate().unwrap());
        assert!(recent < Bitrate::from_kbps(560) && whole > Bitrate::from_kbps(750), "{recent} {whole}");
    }

    #[test]
    fn after_a_restart_what_came_before_counts_no_more() {
        let mut acknowledged = Acknowledged::default();
        (0..1000).step_by(100).for_each(|ms| acknowledged.arrived(packet(ms * 1000)));
        acknowledged.restart();
        assert_eq!(acknowledged.rate(), None);
        (1000..1200).step_by(10).for_each(|ms| acknowledged.arrived(packet(ms * 1000)));
        assert_eq!(acknowledged.rate(), Some(Bitrate::from_kbps(1000)));
    }

    #[test]
    fn a_clock_that_jumps_starts_anew_and_memory_is_bounded() {
        let mut acknowledged = Acknowledged::default();
        (0..20_000).for_each(|us| acknowledged.arrived(packet(us)));
        assert!(acknowledged.arrived.len() <= CAPACITY);
        acknowledged.arrived(packet(1 << 60));
        assert_eq!(acknowledged.rate(), None);
        acknowledged.arrived(packet(0));
        assert_eq!(acknowledged.arrived.len(), 1);
    }
}
