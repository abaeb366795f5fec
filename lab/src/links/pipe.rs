//! The bottleneck: a rate that changes, a queue that drops what would wait too long, a delay, chance.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::bitrate::Bitrate;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// What a way does to packets.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// From when on, since the beginning, it has which rate; the first is from the beginning.
    pub rates: &'static [(Duration, Bitrate)],
    /// How long it takes one way.
    pub delay: Duration,
    /// From when on it takes so much longer there, as when a relay takes over.
    pub detour: Option<(Duration, Duration)>,
    /// By how much longer at most; packets keep their order.
    pub jitter: Duration,
    /// What would wait longer than this is dropped.
    pub queue: Duration,
    /// Chance to be lost, each packet by itself, in both directions.
    pub loss: f64,
    /// Packets lost one after the other, on average: a link that is good or bad and loses everything while it is bad
    /// (Gilbert's model).
    pub burst: f64,
}

impl Way {
    /// The rate at a time since the beginning.
    pub(super) fn rate(&self, at: Duration) -> Bitrate {
        let now = self.rates.iter().rev().find(|(from, _)| *from <= at);
        now.map_or(Bitrate::ZERO, |(_, rate)| *rate)
    }

    /// What it carries between two times, in bytes.
    pub(super) fn carries(&self, from: Duration, to: Duration) -> f64 {
        const STEP: Duration = Duration::from_millis(10);
        let mut at = from;
        let mut bytes = 0.0;
        while at < to {
            bytes += self.rate(at).bytes_in(STEP.min(to - at));
            at += STEP;
        }
        bytes
    }
}

/// A packet in the queue.
#[derive(Debug)]
pub(super) struct Queued<T> {
    pub(super) content: T,
    pub(super) size: usize,
    pub(super) entered: Instant,
}

/// What becomes of a packet that comes to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Queued,
    /// By chance.
    Lost,
    /// No room.
    Dropped,
}

/// A packet that has left the bottleneck.
#[derive(Debug)]
pub(super) struct Left<T> {
    pub(super) content: T,
    pub(super) size: usize,
    pub(super) waited: Duration,
    pub(super) arrives: Instant,
}

#[derive(Debug)]
pub(super) struct Pipe<T> {
    way: Way,
    origin: Instant,
    random: StdRng,
    queue: VecDeque<Queued<T>>,
    bytes: usize,
    /// When the first packet's last bit will have left.
    busy: Option<Instant>,
    last: Instant,
    weather: Weather,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Good,
    Bad,
}

impl<T> Pipe<T> {
    pub(super) fn new(origin: Instant, way: Way, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self {
            way,
            origin,
            random,
            queue: VecDeque::new(),
            bytes: 0,
            busy: None,
            last: origin,
            weather: Weather::Good,
        }
    }

    pub(super) fn enter(&mut self, now: Instant, content: T, size: usize) -> Entry {
        if self.loses() {
            return Entry::Lost;
        }
        let rate = self.rate(now);
        if rate.time_for(self.bytes) > self.way.queue {
            return Entry::Dropped;
        }
        self.bytes += size;
        self.queue.push_back(Queued { content, size, entered: now });
        if self.busy.is_none() {
            self.busy = Some(now + rate.time_for(size));
        }
        Entry::Queued
    }

    /// When [`Self::leave`] has something.
    pub(super) fn due(&self) -> Option<Instant> {
        self.busy
    }

    pub(super) fn leave(&mut self, now: Instant) -> Option<Left<T>> {
        let left = self.busy.filter(|left| *left <= now)?;
        let Queued { content, size, entered } = self.queue.pop_front()?;
        self.bytes -= size;
        let rate = self.rate(now);
        self.busy = self.queue.front().map(|next| left + rate.time_for(next.size));
        let jitter = self.way.jitter.mul_f64(self.random.random());
        let longer = self.way.detour.filter(|(from, _)| now - self.origin >= *from);
        let detour = longer.map_or(Duration::ZERO, |(_, detour)| detour);
        self.last = self.last.max(left + self.way.delay + detour + jitter);
        let waited = (left - entered).saturating_sub(rate.time_for(size));
        Some(Left { content, size, waited, arrives: self.last })
    }

    /// Whether what goes now, either way, is lost by chance.
    pub(super) fn loses(&mut self) -> bool {
        let Way { loss, burst, .. } = self.way;
        let ends = 1.0 / burst.max(1.0);
        if burst <= 1.0 || loss >= 1.0 {
            return self.random.random_bool(loss);
        }
        // As often bad as the loss says: begins / (begins + ends).
        let begins = (ends * loss / (1.0 - loss)).min(1.0);
        let (turns, other) = match self.weather {
            Weather::Good => (begins, Weather::Bad),
            Weather::Bad => (ends, Weather::Good),
        };
        if self.random.random_bool(turns) {
            self.weather = other;
        }
        self.weather == Weather::Bad
    }

    fn rate(&self, now: Instant) -> Bitrate {
        self.way.rate(now - self.origin)
    }
}
