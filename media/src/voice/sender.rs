//! Captured blocks in, packets out.

use std::collections::VecDeque;

use super::protection::{Distance, Plan, Protector, Reported, Supported};
use crate::codec::{CodecError, Encoder, EncoderConfig};
use crate::frame::{BLOCK, Block, OPUS_FRAME};

/// How voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoiceSenderConfig {
    /// How it is encoded while nothing is lost.
    pub encoder: EncoderConfig,
}

/// Whether the other side hears us. While muted, packets of silence go on: the path stays open and the
/// other side's jitter buffer stays in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mute {
    /// The microphone is silenced before encoding.
    On,
    /// The microphone is heard.
    #[default]
    Off,
}

/// One encoded frame of 20 ms, and what earlier packets held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoicePacket {
    /// One Opus packet, the payload of one RTP packet (RFC 7587).
    pub payload: Vec<u8>,
    /// When its first sample was captured, in 48 kHz samples since the start; wraps.
    pub timestamp: u32,
    /// Copies of earlier frames, oldest first; with any the payload is RED (RFC 2198).
    pub copies: Vec<EarlierFrame>,
}

/// A frame that an earlier packet held, once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFrame {
    /// How much earlier it begins than the frame of this packet, in 48 kHz samples.
    pub behind: u32,
    /// One Opus packet.
    pub payload: Vec<u8>,
}

/// Makes packets of captured blocks: two blocks to a packet, without a gap in the timestamps.
pub struct VoiceSender {
    encoder: Encoder,
    frame: [f32; OPUS_FRAME],
    filled: usize,
    timestamp: u32,
    mute: Mute,
    failed: u64,
    config: VoiceSenderConfig,
    protector: Protector,
    plan: Plan,
    /// The frames of the last packets, newest first.
    sent: VecDeque<Vec<u8>>,
}

impl VoiceSender {
    /// A sender whose first packet has timestamp 0.
    pub fn new(config: VoiceSenderConfig) -> Result<Self, CodecError> {
        Ok(Self {
            encoder: Encoder::new(config.encoder)?,
            frame: [0.0; OPUS_FRAME],
            filled: 0,
            timestamp: 0,
            mute: Mute::Off,
            failed: 0,
            config,
            protector: Protector::default(),
            plan: Plan::default(),
            sent: VecDeque::with_capacity(Distance::MOST.frames() + 1),
        })
    }

    /// Takes the next 10 ms; every second block completes a packet.
    pub fn capture(&mut self, block: &Block) -> Option<VoicePacket> {
        let place = &mut self.frame[self.filled..self.filled + BLOCK];
        match self.mute {
            Mute::On => place.fill(0.0),
            // A broken device may deliver anything; Opus must be given numbers.
            Mute::Off => place.iter_mut().zip(block).for_each(|(to, from)| *to = finite(*from)),
        }
        self.filled += BLOCK;
        if self.filled < OPUS_FRAME {
            return None;
        }
        self.filled = 0;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(OPUS_FRAME as u32);
        match self.encoder.encode(&self.frame) {
            Ok(payload) => {
                let copies = self.copies();
                self.sent.truncate(Distance::MOST.frames() - 1);
                self.sent.push_front(payload.clone());
                Some(VoicePacket { payload, timestamp, copies })
            }
            Err(error) => {
                self.failed += 1;
                self.sent.clear();
                tracing::warn!(%error, failed = self.failed, "a frame could not be encoded");
                None
            }
        }
    }

    /// Silences or opens the microphone, from the next block on.
    pub fn set_muted(&mut self, mute: Mute) {
        self.mute = mute;
    }

    /// Tells what the other side takes.
    pub fn set_supported(&mut self, supported: Supported) {
        self.protector.set_supported(supported);
        self.follow();
    }

    /// Tells what the other side says of what arrives.
    pub fn handle_report(&mut self, reported: Reported) {
        self.protector.handle_report(reported);
        self.follow();
    }

    /// The frames that are sent once more with the next packet, oldest first.
    fn copies(&self) -> Vec<EarlierFrame> {
        let farthest_first = self.plan.copies.iter().rev();
        let copy = |distance: &Distance| {
            let payload = self.sent.get(distance.frames() - 1)?.clone();
            Some(EarlierFrame { behind: (distance.frames() * OPUS_FRAME) as u32, payload })
        };
        farthest_first.filter_map(copy).collect()
    }

    fn follow(&mut self) {
        let plan = self.protector.plan();
        if plan == self.plan {
            return;
        }
        self.plan = plan;
        let bitrate = plan.bitrate.unwrap_or(self.config.encoder.bitrate);
        let changed = self.encoder.set_bitrate(bitrate).and(self.encoder.set_coarse_copies(plan.coarse));
        if let Err(error) = changed {
            tracing::debug!(%error, "the encoder refused to protect against loss");
        }
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}
