//! One direction of a call in virtual time: the sender and the receiver that ship, and a [`Way`] between them.
//!
//! ```text
//!   speech ─▶ VoiceSender ─▶ Lane ─▶ VoiceReceiver ─▶ what is heard
//!                  ▲                      │
//!                  └── Lane ◀── loss, once a second
//! ```

use anyhow::Result;
use media::frame::{BLOCK, BLOCK_TIME};
use media::voice::{PlayoutStats, VoiceReceiver, VoiceReceiverConfig, VoiceSender, VoiceSenderConfig};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::way::{Lane, Way};

/// What a packet weighs beside its payload: IPv4, UDP, RTP, the tag of SRTP.
const HEADERS: usize = 20 + 8 + 12 + 16;
/// A receiver report and a sender report, sealed, in UDP and IPv4 (RFC 3550 §6.4), each once a second.
const REPORT: usize = 20 + 8 + 32 + 20;
/// Blocks of silence after the speech: a second.
const TAIL: usize = 100;
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
    /// Bytes of IP of both the voice and what is told of it.
    pub(super) wire: usize,
}

/// Says `speech` (48 kHz mono) over a way; the same seed hears the same.
pub(super) fn call(speech: &[f32], way: Way, seed: u64) -> Result<Heard> {
    // Any instant will do: only differences count.
    let origin = Instant::now();
    let mut sender = VoiceSender::new(VoiceSenderConfig::default())?;
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), origin)?;
    let (mut there, mut back) = (Lane::new(way, 2 * seed), Lane::new(way, 2 * seed + 1));
    let mut arrivals = VecDeque::new();
    let mut told = VecDeque::new();
    let mut reporter = Reporter::default();
    // The loudspeaker's clock and the microphone's are not in step.
    let phase = BLOCK_TIME * (seed * 7 % 10) as u32 / 10;
    let (mut sequence, mut wire) = (0u16, 0);
    let mut sound = Vec::with_capacity(speech.len());
    // Until the last word has arrived.
    let silence = [0.0; BLOCK];
    let blocks = speech.as_chunks::<BLOCK>().0.iter().chain(std::iter::repeat_n(&silence, TAIL));
    for (tick, block) in (0u32..).zip(blocks) {
        let now = BLOCK_TIME * tick;
        while let Some((_, loss)) = told.pop_front_if(|(at, _)| *at <= now) {
            sender.set_expected_loss(loss);
        }
        if let Some(packet) = sender.capture(block) {
            let bytes = HEADERS + packet.payload.len();
            wire += bytes;
            arrivals.extend(there.carry(now, bytes).map(|at| (at, sequence, packet)));
            sequence = sequence.wrapping_add(1);
        }
        let now = now + phase;
        while let Some((at, sequence, packet)) = arrivals.pop_front_if(|(at, ..)| *at <= now) {
            reporter.arrived(sequence);
            receiver.insert(origin + at, sequence, packet.timestamp, &packet.payload);
        }
        if let Some(loss) = reporter.poll(now) {
            wire += 2 * REPORT;
            told.extend(back.carry(now, REPORT).map(|at| (at, loss)));
        }
        let mut played = [0.0; BLOCK];
        receiver.play(origin + now, &mut played);
        sound.extend_from_slice(&played);
    }
    // The first block is captured when its last sample has been spoken.
    Ok(Heard { sound, began: BLOCK_TIME + phase, stats: receiver.stats(), wire })
}

/// The fraction lost of a receiver report (RFC 3550 §6.4.1).
#[derive(Debug, Default)]
struct Reporter {
    due: Duration,
    highest: u16,
    received: u32,
    before: u16,
}

impl Reporter {
    fn arrived(&mut self, sequence: u16) {
        self.highest = sequence;
        self.received += 1;
    }

    fn poll(&mut self, now: Duration) -> Option<f32> {
        if now < self.due {
            return None;
        }
        self.due = now + REPORTS_EVERY;
        let expected = u32::from(self.highest.wrapping_sub(self.before));
        let lost = expected.saturating_sub(self.received);
        (self.before, self.received) = (self.highest, 0);
        Some(lost as f32 / expected.max(1) as f32)
    }
}
