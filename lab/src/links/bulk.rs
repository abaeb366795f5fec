//! A bulk transfer beside the call: TCP's congestion avoidance, that of Reno (RFC 5681) or of Cubic (RFC 9438), with
//! selective acknowledgements and without the rest of TCP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How a window grows and shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// One packet more a round trip, half after a loss.
    Reno,
    /// A cube of the time since the last loss, seven tenths after one.
    Cubic,
}

/// A full packet, in bytes.
pub(super) const PACKET: usize = 1500;

/// Packets acknowledged after one that is missing: it is lost.
const DUPLICATES: u64 = 3;
const TIMEOUT: Duration = Duration::from_secs(1);
/// What a receiver's window holds, in packets.
const MOST: f64 = 400.0;
/// RFC 9438 §4.
const CUBIC_C: f64 = 0.4;
const CUBIC_BETA: f64 = 0.7;

#[derive(Debug)]
pub(super) struct Transfer {
    bulk: Bulk,
    next: u64,
    outstanding: BTreeMap<u64, Instant>,
    window: f64,
    threshold: f64,
    /// Losses of packets before this one are of one event.
    recovers: u64,
    heard: Instant,
    last_loss: Instant,
    most_before: f64,
}

impl Transfer {
    pub(super) fn new(bulk: Bulk, now: Instant) -> Self {
        Self {
            bulk,
            next: 0,
            outstanding: BTreeMap::new(),
            window: 10.0,
            threshold: MOST,
            recovers: 0,
            heard: now,
            last_loss: now,
            most_before: 0.0,
        }
    }

    pub(super) fn acknowledged(&mut self, now: Instant, number: u64) {
        self.heard = now;
        if self.outstanding.remove(&number).is_none() {
            return;
        }
        let lost =
            self.outstanding.range(..number.saturating_sub(DUPLICATES)).next_back().map(|(last, _)| *last);
        if let Some(last) = lost {
            self.outstanding = self.outstanding.split_off(&(last + 1));
            if last >= self.recovers {
                self.recovers = self.next;
                self.shrink(now);
            }
            return;
        }
        self.grow(now);
    }

    pub(super) fn due(&self) -> Instant {
        self.heard + TIMEOUT
    }

    pub(super) fn timed_out(&mut self, now: Instant) {
        self.outstanding.clear();
        self.shrink(now);
        self.window = 1.0;
        self.recovers = self.next;
        self.heard = now;
    }

    /// The next packet to send, while the window allows one.
    pub(super) fn poll(&mut self, now: Instant) -> Option<u64> {
        if self.outstanding.len() as f64 >= self.window.min(MOST) {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.outstanding.insert(number, now);
        Some(number)
    }

    fn grow(&mut self, now: Instant) {
        if self.window < self.threshold {
            self.window += 1.0;
            return;
        }
        self.window += match self.bulk {
            Bulk::Reno => 1.0 / self.window,
            Bulk::Cubic => {
                let k = (self.most_before * (1.0 - CUBIC_BETA) / CUBIC_C).cbrt();
                let since = (now - self.last_loss).as_secs_f64();
                let aim = self.most_before + CUBIC_C * (since - k).powi(3);
                ((aim - self.window) / self.window).clamp(0.01 / self.window, 0.5)
            }
        };
        self.window = self.window.min(MOST);
    }

    fn shrink(&mut self, now: Instant) {
        self.most_before = self.window;
        self.last_loss = now;
        let kept = match self.bulk {
            Bulk::Reno => 0.5,
            Bulk::Cubic => CUBIC_BETA,
        };
        self.window = (self.window * kept).max(2.0);
        self.threshold = self.window;
    }
}
