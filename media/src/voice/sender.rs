//! Captured blocks in, packets out.

use crate::codec::{CodecError, Encoder, EncoderConfig};
use crate::frame::{BLOCK, Block, OPUS_FRAME};

/// How voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoiceSenderConfig {
    /// How it is encoded.
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

/// One encoded frame of 20 ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoicePacket {
    /// One Opus packet, the payload of one RTP packet (RFC 7587).
    pub payload: Vec<u8>,
    /// When its first sample was captured, in 48 kHz samples since the start; wraps.
    pub timestamp: u32,
}

/// Makes packets of captured blocks: two blocks to a packet, without a gap in the timestamps.
pub struct VoiceSender {
    encoder: Encoder,
    frame: [f32; OPUS_FRAME],
    filled: usize,
    timestamp: u32,
    mute: Mute,
    failed: u64,
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
            Ok(payload) => Some(VoicePacket { payload, timestamp }),
            Err(error) => {
                self.failed += 1;
                tracing::warn!(%error, failed = self.failed, "a frame could not be encoded");
                None
            }
        }
    }

    /// Silences or opens the microphone, from the next block on.
    pub fn set_muted(&mut self, mute: Mute) {
        self.mute = mute;
    }

    /// Tells how much loss the other side sees, 0 to 1.
    pub fn set_expected_loss(&mut self, loss: f32) {
        if let Err(error) = self.encoder.set_expected_loss(loss) {
            tracing::debug!(%error, "the encoder refused the expected loss");
        }
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}
