//! One direction of a call in virtual time: the sender and the receiver that ship, and a [`Way`] between them.
//!
//! ```text
//!   speech ─▶ VoiceSender ─▶ Lane ─▶ VoiceReceiver ─▶ what is heard
//!                  ▲                      │
//!                  └── Lane ◀── loss, bursts, jitter, once a second
//! ```
//!
//! Both ends are ours: they take copies of frames, and repeats. How long the way takes there and back is known to both from what they
//! tell each other (RFC 3550 §6.4.1).

use anyhow::Result;
use media::frame::{BLOCK, BLOCK_TIME, duration_of, samples_in};
use media::jitter::losses::LossPattern;
use media::session::quality;
use media::voice::red;
use media::voice::{
    FrameNumber, Frames, PlayoutStats, Reported, Supported, Transmission, VoicePacket, VoiceReceiver,
    VoiceReceiverConfig, VoiceSender, VoiceSenderConfig,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::way::{Lane, Way};

/// What a packet weighs beside its payload: IPv4, UDP, RTP, the tag of SRTP.
pub(super) const HEADERS: usize = 20 + 8 + 12 + 16;
/// A receiver report or a sender report, sealed, in UDP and IPv4 (RFC 3550 §6.4), each once a second.
pub(super) const REPORT: usize = 20 + 8 + 32 + 20;
/// What is told of bursts, where there are any (RFC 3611 §4.7).
const EXTENDED: usize = 20 + 8 + 44 + 20;
/// Blocks of silence after the speech: a second.
const TAIL: usize = 100;
/// The payload type of Opus.
const OPUS: u8 = 111;
/// Once a second, as the session does.
const REPORTS_EVERY: Duration = Duration::from_secs(1);

/// What came of one direction.
#[derive(Debug)]
pub(super) struct Heard {
    /// Everything that was played, from [`Self::began`] on.
    pub(super) sound: Vec<f32>,
    /// How long after the first sample was spoken the first one was played.
    pub(super) began: Duration,
    /// What play-out did.
    pub(super) stats: PlayoutStats,
    /// What the program took for the delay from mouth to ear with a sound card, by the median of what it told once a second.
    pub(super) delay_told: Duration,
    /// Bytes of IP of both the voice and what is told of it.
    pub(super) wire: usize,
}

/// Says `speech` (48 kHz mono) over a way; the same seed hears the same.
pub(super) fn call(speech: &[f32], way: Way, frames: Frames, seed: u64) -> Result<Heard> {
    // Any instant will do: only differences count.
    let origin = Instant::now();
    let mut sender = VoiceSender::new(VoiceSenderConfig { frames, ..VoiceSenderConfig::default() })?;
    sender.set_supported(Supported::Repeats);
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), origin)?;
    let (mut there, mut back) = (Lane::new(way, 2 * seed), Lane::new(way, 2 * seed + 1));
    let mut arrivals = VecDeque::new();
    let mut told: VecDeque<(Duration, Reported)> = VecDeque::new();
    let mut reporter = Reporter::default();
    let mut transit = None;
    // The loudspeaker's clock and the microphone's are not in step.
    let phase = BLOCK_TIME * (seed * 7 % 10) as u32 / 10;
    let (mut sequence, mut wire) = (0u16, 0);
    let (mut round_trip, mut delays_told) = (None, Vec::new());
    let mut sound = Vec::with_capacity(speech.len());
    // Until the last word has arrived.
    let silence = [0.0; BLOCK];
    let blocks = speech.as_chunks::<BLOCK>().0.iter().chain(std::iter::repeat_n(&silence, TAIL));
    for (tick, block) in (0u32..).zip(blocks) {
        let now = BLOCK_TIME * tick;
        while let Some((_, reported)) = told.pop_front_if(|(at, _)| *at <= now) {
            round_trip = reported.round_trip.or(round_trip);
            delays_told.push(quality::mouth_to_ear(round_trip, &receiver.stats()));
            sender.handle_report(reported);
            receiver.handle_report(reported);
        }
        if let Some(packet) = sender.capture(block).or_else(|| sender.repeat()) {
            let bytes = HEADERS + size(&packet);
            wire += bytes;
            let arrival = there.carry(now, bytes);
            transit = arrival.map(|at| at - now).or(transit);
            arrivals.extend(arrival.map(|at| (at, sequence, packet)));
            sequence = sequence.wrapping_add(1);
        }
        let now = now + phase;
        while let Some((at, sequence, packet)) = arrivals.pop_front_if(|(at, ..)| *at <= now) {
            reporter.arrived(at, sequence, packet.timestamp);
            let VoicePacket { payload, timestamp, copies, transmission } = packet;
            let frame = FrameNumber::OfTime((timestamp / BLOCK as u32) as u16);
            match transmission {
                Transmission::First => receiver.insert(origin + at, frame, timestamp, &payload),
                Transmission::Repeat => receiver.insert_repeat(origin + at, frame, timestamp, &payload),
            }
            receiver.insert_copies(origin + at, frame, timestamp, &copies);
        }
        if let Some(reported) = reporter.poll(now) {
            let extended = if reported.burst_density.is_some() { EXTENDED } else { 0 };
            wire += 2 * REPORT + extended;
            let arrival = back.carry(now, REPORT + extended);
            told.extend(arrival.map(|at| {
                let round_trip = transit.map(|there| there + (at - now));
                (at, Reported { round_trip, ..reported })
            }));
        }
        let mut played = [0.0; BLOCK];
        receiver.play(origin + now, &mut played);
        sound.extend_from_slice(&played);
    }
    // The first block is captured when its last sample has been spoken.
    delays_told.sort_unstable();
    let delay_told = delays_told.get(delays_told.len() / 2).copied().unwrap_or_default();
    Ok(Heard { sound, began: BLOCK_TIME + phase, stats: receiver.stats(), delay_told, wire })
}

/// Bytes of the payload on the wire.
pub(super) fn size(packet: &VoicePacket) -> usize {
    if packet.copies.is_empty() { packet.payload.len() } else { red::write(packet, OPUS).len() }
}

/// The fraction lost and the jitter of a receiver report (RFC 3550 §6.4.1), and how it was lost.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    due: Duration,
    highest: u16,
    received: u32,
    before: u16,
    pattern: LossPattern,
    /// Of the packet before, in samples; and how far those of neighbours are off each other.
    transit: Option<i64>,
    jitter: f64,
}

impl Reporter {
    pub(super) fn arrived(&mut self, at: Duration, sequence: u16, timestamp: u32) {
        let transit = samples_in(at) as i64 - i64::from(timestamp);
        let before = self.transit.replace(transit).unwrap_or(transit);
        self.jitter += ((transit - before).abs() as f64 - self.jitter) / 16.0;
        self.highest = sequence;
        self.received += 1;
        self.pattern.arrived(sequence);
    }

    pub(super) fn poll(&mut self, now: Duration) -> Option<Reported> {
        if now < self.due {
            return None;
        }
        self.due = now + REPORTS_EVERY;
        let expected = u32::from(self.highest.wrapping_sub(self.before));
        let lost = expected.saturating_sub(self.received);
        (self.before, self.received) = (self.highest, 0);
        let burst_density = self.pattern.report().map(|bursts| bursts.density);
        let loss = lost as f32 / expected.max(1) as f32;
        let jitter = Some(duration_of(self.jitter as u64));
        Some(Reported { loss, burst_density, jitter, ..Reported::default() })
    }
}
