//! A microphone and a loudspeaker in simulated time: samples in, samples out, as fast as the machine can.
//!
//! The owner of the simulated clock calls [`VirtualVoice::tick`] every 10 ms of simulated time.

use std::time::Instant;

use super::{PlayoutStats, VoicePacket, VoiceReceiver, VoiceReceiverConfig, VoiceSender, VoiceSenderConfig};
use crate::codec::CodecError;
use crate::frame::BLOCK;

/// One end of a call whose microphone is a slice of samples and whose loudspeaker is a vector.
pub struct VirtualVoice {
    sender: VoiceSender,
    receiver: VoiceReceiver,
    microphone: Vec<f32>,
    spoken: usize,
    recorded: Vec<f32>,
}

impl VirtualVoice {
    /// An end that says `microphone` (48 kHz mono) once and then nothing.
    pub fn new(microphone: Vec<f32>, now: Instant) -> Result<Self, CodecError> {
        Ok(Self {
            sender: VoiceSender::new(VoiceSenderConfig::default())?,
            receiver: VoiceReceiver::new(VoiceReceiverConfig::default(), now)?,
            microphone,
            spoken: 0,
            recorded: Vec::new(),
        })
    }

    /// Speaks and plays 10 ms; a packet is ready every second time.
    pub fn tick(&mut self, now: Instant) -> Option<VoicePacket> {
        let mut block = [0.0; BLOCK];
        self.receiver.play(now, &mut block);
        self.recorded.extend_from_slice(&block);
        block.fill(0.0);
        let left = &self.microphone[self.spoken.min(self.microphone.len())..];
        let count = left.len().min(BLOCK);
        block[..count].copy_from_slice(&left[..count]);
        self.spoken += BLOCK;
        self.sender.capture(&block)
    }

    /// Takes a packet from the other end.
    pub fn insert(&mut self, now: Instant, sequence: u16, timestamp: u32, payload: &[u8]) {
        self.receiver.insert(now, sequence, timestamp, payload);
    }

    /// Everything played since the first tick, 480 samples a tick.
    pub fn recorded(&self) -> &[f32] {
        &self.recorded
    }

    /// What play-out did so far.
    pub fn stats(&self) -> PlayoutStats {
        self.receiver.stats()
    }

    /// The sending half, to mute it or tell it about loss.
    pub fn sender(&mut self) -> &mut VoiceSender {
        &mut self.sender
    }
}
