//! Finding out how much the way carries, by sending faster for a moment.
//!
//! A probe is a cluster of packets sent at its rate. The rate at which they arrive is what the way carries, or at least
//! that of the probe.
//!
//! ```text
//!       start: 3× and 6×              came through: twice as fast
//!  ──────────────────────▶ Waiting ───────────────────────────────▶ Waiting
//!                             │ came through slower, or not within a second
//!                             ▼
//!                            Idle ──── the capacity was passed, demand grew, or for ─▶ Waiting
//!                                      4 s the application was limited, or the capacity far
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::rate::Found;
use super::{Arrived, Probe, ProbeId};
use crate::bitrate::Bitrate;

/// How long a probe lasts, unless that is less than [`LEAST_PACKETS`].
const LENGTH: Duration = Duration::from_millis(15);
/// With fewer, chance decides.
pub(super) const LEAST_PACKETS: usize = 5;
/// Share of a probe that must have arrived.
const ENOUGH: f64 = 0.8;
/// What comes slower than this share of the probe's rate met the capacity.
const SATURATED: f64 = 0.9;
/// What arrives this much faster than it was sent was held up and released: it says nothing.
const IMPOSSIBLE: f64 = 2.0;
/// After this nothing of a probe is awaited any more.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between probes of an application that is limited, or of a rate that is far from the capacity: growth by 8 % a second
/// takes half a minute to come back from a tenth.
const PERIOD: Duration = Duration::from_secs(4);
/// How much faster than the rate a probe is.
const FASTER: f64 = 2.0;
/// The first probes, in multiples of the start.
const FIRST: [f64; 2] = [3.0, 6.0];
/// A probe must promise at least this much more than there is.
const WORTH_IT: f64 = 1.1;
/// Clusters under way; the oldest is forgotten when there are more.
const CLUSTERS: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Probing {
    state: State,
    made: u32,
    ready: VecDeque<Probe>,
    clusters: VecDeque<Cluster>,
    last: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Waiting {
        until: Instant,
    },
}

impl Probing {
    /// The first probes.
    pub(super) fn start(&mut self, now: Instant, start: Bitrate, most: Bitrate) {
        for factor in FIRST {
            self.probe(now, start.scaled(factor).min(most));
        }
    }

    /// Probes beyond `target`, unless a probe is under way or there is nothing to gain.
    pub(super) fn reach(&mut self, now: Instant, target: Bitrate, most: Bitrate) {
        let rate = target.scaled(FASTER).min(most);
        let waits = matches!(self.state, State::Waiting { until } if now < until);
        if !waits && rate > target.scaled(WORTH_IT) {
            self.probe(now, rate);
        }
    }

    /// Probes from time to time, while what gets through says little of what could.
    pub(super) fn refresh(&mut self, now: Instant, target: Bitrate, most: Bitrate) {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) >= PERIOD) {
            self.reach(now, target, most);
        }
    }

    /// Forgets the probes that have not begun: the way is full already.
    pub(super) fn give_up(&mut self) {
        self.ready.clear();
        self.state = State::Idle;
    }

    /// A packet of a probe arrived.
    pub(super) fn arrived(&mut self, id: ProbeId, packet: Arrived) {
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.probe.id == id) {
            cluster.arrived(packet);
        }
    }

    /// What the packets that arrived since the last time show; probes further while it gets through.
    pub(super) fn found(&mut self, now: Instant, most: Bitrate) -> Vec<Found> {
        let mut found = Vec::new();
        let mut further = None;
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.news == News::Some) {
            cluster.news = News::None;
            let Some(result) = cluster.measure() else { continue };
            if let (Found::AtLeast(rate), State::Waiting { .. }, Next::Open) =
                (result, self.state, cluster.next)
            {
                cluster.next = Next::Taken;
                further = further.max(Some(rate));
            }
            found.push(result);
        }
        let newest = self.clusters.back().map(|cluster| cluster.probe.rate);
        if let Some(rate) =
            further.filter(|rate| newest.is_some_and(|newest| *rate >= newest.scaled(SATURATED)))
        {
            self.state = State::Idle;
            self.reach(now, rate, most);
        }
        found
    }

    /// The next probe to send.
    pub(super) fn poll(&mut self) -> Option<Probe> {
        self.ready.pop_front()
    }

    fn probe(&mut self, now: Instant, rate: Bitrate) {
        let id = ProbeId(self.made);
        self.made = self.made.wrapping_add(1);
        let probe = Probe { id, rate, bytes: rate.bytes_in(LENGTH) as usize, packets: LEAST_PACKETS };
        if self.clusters.len() >= CLUSTERS {
            self.clusters.pop_front();
        }
        self.clusters.push_back(Cluster::of(probe));
        if self.ready.len() >= CLUSTERS {
            self.ready.pop_front();
        }
        self.ready.push_back(probe);
        self.last = Some(now);
        self.state = State::Waiting { until: now + PATIENCE };
    }
}

#[derive(Debug)]
struct Cluster {
    probe: Probe,
    packets: usize,
    bytes: usize,
    span: Option<Span>,
    news: News,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    Some,
}

/// Whether a further probe was made on account of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Open,
    Taken,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    first_sent: Arrived,
    last_sent: Arrived,
    first_arrived: Arrived,
    last_arrived: Arrived,
}

impl Cluster {
    fn of(probe: Probe) -> Self {
        Self { probe, packets: 0, bytes: 0, span: None, news: News::None, next: Next::Open }
    }

    fn arrived(&mut self, packet: Arrived) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(packet.size);
        self.news = News::Some;
        let span = self.span.get_or_insert(Span {
            first_sent: packet,
            last_sent: packet,
            first_arrived: packet,
            last_arrived: packet,
        });
        if packet.sent < span.first_sent.sent {
            span.first_sent = packet;
        }
        if packet.sent >= span.last_sent.sent {
            span.last_sent = packet;
        }
        if packet.arrival < span.first_arrived.arrival {
            span.first_arrived = packet;
        }
        if packet.arrival >= span.last_arrived.arrival {
            span.last_arrived = packet;
        }
    }

    fn measure(&self) -> Option<Found> {
        let share = |got: usize, of: usize| got as f64 >= of as f64 * ENOUGH;
        if !share(self.packets, self.probe.packets) || !share(self.bytes, self.probe.bytes) {
            return None;
        }
        let span = self.span?;
        // What was sent last took no time to send yet, and what arrived first none to arrive.
        let sent = rate(self.bytes - span.last_sent.size, span.last_sent.sent - span.first_sent.sent)?;
        let arrived = rate(
            self.bytes - span.first_arrived.size,
            span.last_arrived.arrival - span.first_arrived.arrival,
        )?;
        if arrived > sent.scaled(IMPOSSIBLE) {
            return None;
        }
        if arrived < sent.scaled(SATURATED) {
            return Some(Found::Capacity(arrived));
        }
        Some(Found::AtLeast(sent.min(arrived)))
    }
}

fn rate(bytes: usize, micros: i64) -> Option<Bitrate> {
    let time = Duration::from_micros(u64::try_from(micros).ok()?);
    if time > PATIENCE {
        return None;
    }
    Bitrate::of(bytes, time)
}

#[cfg(test)]
mod tests;
