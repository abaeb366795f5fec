//! When packets leave: sound at once, everything else evenly.
//!
//! ```text
//! audio, RTCP ──────────────────────────────────────▶ at once; counts as sent
//! retransmissions ── budget: 40 % of the target ─────▶ ┐
//! video ─────────────────────────────────────────────▶ ├ one after the other, a little faster than the target
//! padding ── only while a probe lasts ───────────────▶ ┘ (a probe: at its own rate)
//! ```
//!
//! What is paced is a debt: each packet adds its size, time pays at the pacing rate, and the next packet leaves when
//! nothing is owed. While packets wait, a little is paid in advance, because timers are late. The queue is bounded by the time it takes to send: who encodes asks [`Pacer::room`] before and skips
//! the frame, because a packet dropped here would break every frame after it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{PacketKind, Probe, ProbeId};
use crate::bitrate::Bitrate;

/// How much faster than the target packets leave: encoders follow it over many frames, and some of these are large.
/// Faster is a queue on the way, and the voice waits there: at 2.5 for 21 ms on 3 Mbit/s (33 behind uneven frames) instead
/// of 9 (13), on the links of the lab. Slower, uneven frames wait here: at 1.05 they take 129 ms on 1 Mbit/s, not 105.
const FACTOR: f64 = 1.15;
/// What of the target retransmissions may take: lost packets are no reason to lose more. Every tenth packet three times fits.
const RETRANSMISSIONS: f64 = 0.4;
/// What of their budget is kept.
const SAVED: Duration = Duration::from_millis(250);
/// A packet must fit into the budget at any rate.
const LEAST_SAVED: f64 = 3_000.0;
/// A retransmission that waited so long comes too late.
const STALE: Duration = Duration::from_millis(500);
/// Retransmissions that wait; the oldest is dropped when there are more.
const MOST_RETRANSMISSIONS: usize = 256;
/// Sound and RTCP that wait for the socket; the oldest is dropped when there are more.
const MOST_URGENT: usize = 256;
/// No frame is encoded while the queue is longer than this.
const ROOM: Duration = Duration::from_millis(100);
/// Frames are refused while the queue is longer than this; one that has begun is taken whole, or nobody could decode it.
const LONGEST: Duration = Duration::from_millis(1000);
/// What is owed at most: sound counts, but never stops video for longer than this.
const MOST_OWED: Duration = Duration::from_millis(250);
/// Size of a packet of padding on the wire, in bytes, until [`Pacer::handle_padding`] says otherwise.
const PADDING: usize = 1_200;
/// Smaller ones would make a probe of more packets than the way takes at once.
const LEAST_PADDING: usize = 100;
/// Probes that wait; the oldest is dropped when there are more.
const MOST_PROBES: usize = 4;
/// Timers are late; so much of that is made up for. Else a machine that is up to 10 ms late uses 61 % of 1 Mbit/s.
const LATE: Duration = Duration::from_millis(25);
/// A probe that is later than this is not made up for: the burst would be faster than the probe.
const PROBE_LATE: Duration = Duration::from_millis(5);
/// Below this the pacer would wait for minutes.
const LEAST_RATE: Bitrate = Bitrate::from_kbps(10);

/// Lets packets go in their order. `P` is a packet; it is not looked into.
#[derive(Debug)]
pub struct Pacer<P> {
    target: Bitrate,
    urgent: VecDeque<Waiting<P>>,
    retransmissions: VecDeque<Waiting<P>>,
    video: VecDeque<Waiting<P>>,
    video_bytes: usize,
    /// Bytes.
    owed: f64,
    /// Bytes retransmissions may take.
    budget: f64,
    updated: Option<Instant>,
    probes: VecDeque<Probe>,
    running: Option<Running>,
    /// Bytes of a packet of padding.
    padding: usize,
}

#[derive(Debug)]
struct Waiting<P> {
    packet: P,
    size: usize,
    kind: PacketKind,
    since: Instant,
}

impl<P> Waiting<P> {
    /// What it takes of the budget of retransmissions: never more than that holds.
    fn price(&self) -> f64 {
        (self.size as f64).min(LEAST_SAVED)
    }
}

#[derive(Clone, Copy, Debug)]
struct Running {
    probe: Probe,
    next: Instant,
    bytes: usize,
    packets: usize,
}

/// What leaves now.
#[derive(Debug, PartialEq)]
pub enum Departure<P> {
    /// A packet that was pushed.
    Packet {
        /// The packet.
        packet: P,
        /// Its bytes on the wire.
        size: usize,
        /// What it carries.
        kind: PacketKind,
        /// The probe it is part of.
        probe: Option<ProbeId>,
    },
    /// Nothing waits, but a probe lasts.
    Padding {
        /// Bytes on the wire.
        size: usize,
        /// The probe it is part of.
        probe: ProbeId,
    },
}

/// Whether to encode the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It will leave soon.
    Encode,
    /// Too much waits: skip it.
    Skip,
}

/// Why a packet is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Whoever encodes did not ask [`Pacer::room`].
    #[error("video waits longer than {} ms", LONGEST.as_millis())]
    TooMuchWaits,
    /// Padding is made here.
    #[error("padding is not sent for its own sake")]
    Padding,
}

impl<P> Pacer<P> {
    /// Paces for a target.
    pub fn new(target: Bitrate) -> Self {
        Self {
            target: target.max(LEAST_RATE),
            urgent: VecDeque::new(),
            retransmissions: VecDeque::new(),
            video: VecDeque::new(),
            video_bytes: 0,
            owed: 0.0,
            budget: LEAST_SAVED,
            updated: None,
            probes: VecDeque::new(),
            running: None,
            padding: PADDING,
        }
    }

    /// The target changed.
    pub fn handle_target(&mut self, now: Instant, target: Bitrate) {
        self.pay(now);
        self.target = target.max(LEAST_RATE);
    }

    /// A probe is to be sent, after those that wait.
    pub fn handle_probe(&mut self, now: Instant, probe: Probe) {
        self.pay(now);
        if self.probes.len() >= MOST_PROBES {
            self.probes.pop_front();
        }
        self.probes.push_back(probe);
    }

    /// A packet is to be sent; `size` counts its bytes on the wire. Those of one frame come at one time.
    ///
    /// # Errors
    /// [`Refused`] if video waits too long already, or for padding.
    pub fn push(&mut self, now: Instant, packet: P, size: usize, kind: PacketKind) -> Result<(), Refused> {
        // What time pays while nothing waits is not saved.
        self.pay(now);
        let waiting = Waiting { packet, size, kind, since: now };
        let (queue, most) = match kind {
            PacketKind::Audio | PacketKind::Control => (&mut self.urgent, MOST_URGENT),
            PacketKind::Retransmission => (&mut self.retransmissions, MOST_RETRANSMISSIONS),
            PacketKind::Video if !self.has_begun(now) && self.queueing_time() > LONGEST => {
                return Err(Refused::TooMuchWaits);
            }
            PacketKind::Video => {
                self.video_bytes += size;
                (&mut self.video, usize::MAX)
            }
            PacketKind::Padding => return Err(Refused::Padding),
        };
        if queue.len() >= most {
            queue.pop_front();
        }
        queue.push_back(waiting);
        Ok(())
    }

    /// What a packet of padding weighs from now on: a probe that is sent with fewer bytes than it counts shows nothing.
    pub fn handle_padding(&mut self, size: usize) {
        self.padding = size.max(LEAST_PADDING);
    }

    /// Forgets the video that waits, as before a keyframe that replaces it.
    pub fn clear_video(&mut self) {
        self.video.clear();
        self.video_bytes = 0;
    }

    /// What leaves now, until nothing does.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Departure<P>> {
        self.pay(now);
        if let Some(Waiting { packet, size, kind, .. }) = self.urgent.pop_front() {
            self.owe(size);
            return Some(Departure::Packet { packet, size, kind, probe: None });
        }
        while self
            .retransmissions
            .front()
            .is_some_and(|first| now.saturating_duration_since(first.since) > STALE)
        {
            self.retransmissions.pop_front();
        }
        if self.running.is_none()
            && let Some(probe) = self.probes.pop_front()
        {
            self.running = Some(Running { probe, next: now, bytes: 0, packets: 0 });
        }
        match self.running {
            Some(running) => (now >= running.next).then(|| self.probe(now, running)),
            None if self.owed > 0.0 => None,
            None => self.paced(None),
        }
    }

    /// When [`Pacer::poll_transmit`] has something, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let updated = self.updated?;
        if !self.urgent.is_empty() || (self.running.is_none() && !self.probes.is_empty()) {
            return Some((updated, "urgent"));
        }
        if let Some(running) = self.running {
            return Some((running.next, "probe"));
        }
        let paid = updated + self.pays(self.owed);
        if !self.video.is_empty() {
            return Some((paid, "pacing"));
        }
        let first = self.retransmissions.front()?;
        let fits = updated + self.saves(first.price() - self.budget);
        Some((paid.max(fits), "retransmission"))
    }

    /// How long the last packet of video waits from now on.
    pub fn queueing_time(&self) -> Duration {
        self.pays(self.owed + self.video_bytes as f64)
    }

    /// Whether to encode the next frame.
    pub fn room(&self) -> Room {
        if self.queueing_time() > ROOM { Room::Skip } else { Room::Encode }
    }

    /// Whether a part of the frame that comes now was taken.
    fn has_begun(&self, now: Instant) -> bool {
        self.video.back().is_some_and(|last| last.since == now)
    }

    fn probe(&mut self, now: Instant, mut running: Running) -> Departure<P> {
        let id = running.probe.id;
        let departure = self.paced(Some(id)).unwrap_or_else(|| {
            self.owe(self.padding);
            Departure::Padding { size: self.padding, probe: id }
        });
        let size = match &departure {
            Departure::Packet { size, .. } | Departure::Padding { size, .. } => *size,
        };
        running.bytes += size;
        running.packets += 1;
        let begins = running.next.max(now.checked_sub(PROBE_LATE).unwrap_or(now));
        running.next = begins + running.probe.rate.max(LEAST_RATE).time_for(size);
        let over = running.bytes >= running.probe.bytes && running.packets >= running.probe.packets;
        self.running = (!over).then_some(running);
        departure
    }

    /// The next packet that is not urgent.
    fn paced(&mut self, probe: Option<ProbeId>) -> Option<Departure<P>> {
        let fits = self.retransmissions.front().is_some_and(|first| first.price() <= self.budget);
        let first = if fits { self.retransmissions.pop_front() } else { None };
        let Waiting { packet, size, kind, .. } = match first {
            Some(first) => {
                self.budget -= first.price();
                first
            }
            None => {
                let first = self.video.pop_front()?;
                self.video_bytes -= first.size;
                first
            }
        };
        self.owe(size);
        Some(Departure::Packet { packet, size, kind, probe })
    }

    fn pay(&mut self, now: Instant) {
        let elapsed = self.updated.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.updated = Some(self.updated.map_or(now, |last| last.max(now)));
        let waits = !self.video.is_empty() || !self.retransmissions.is_empty();
        let saved = if waits { self.pacing().bytes_in(LATE) } else { 0.0 };
        self.owed = (self.owed - self.pacing().bytes_in(elapsed)).max(-saved);
        let share = self.target.scaled(RETRANSMISSIONS);
        let most = share.bytes_in(SAVED).max(LEAST_SAVED);
        self.budget = (self.budget + share.bytes_in(elapsed)).min(most);
    }

    fn owe(&mut self, size: usize) {
        self.owed = (self.owed + size as f64).min(self.pacing().bytes_in(MOST_OWED).max(size as f64));
    }

    fn pacing(&self) -> Bitrate {
        self.target.scaled(FACTOR)
    }

    /// How long it takes to pay so many bytes; rounded up, so that then nothing is owed.
    fn pays(&self, bytes: f64) -> Duration {
        self.pacing().time_for(bytes.max(0.0).ceil() as usize)
    }

    fn saves(&self, bytes: f64) -> Duration {
        self.target.scaled(RETRANSMISSIONS).time_for(bytes.max(0.0).ceil() as usize)
    }
}

#[cfg(test)]
mod tests;
