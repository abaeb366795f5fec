//! A microphone and a loudspeaker in simulated time: samples in, samples out, as fast as the machine can.
//!
//! The owner of the simulated clock calls [`VirtualVoice::tick`] every 10 ms of simulated time.

use std::time::{Duration, Instant};

use super::{
    EarlierFrame, FrameNumber, PlayoutStats, Reported, Supported, VoicePacket, VoiceReceiver,
    VoiceReceiverConfig, VoiceSender, VoiceSenderConfig,
};
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

    /// Speaks and plays 10 ms; a packet is ready every second time, or each time where frames are short or repeated.
    pub fn tick(&mut self, now: Instant) -> Option<VoicePacket> {
        let mut block = [0.0; BLOCK];
        self.receiver.play(now, &mut block);
        self.recorded.extend_from_slice(&block);
        block.fill(0.0);
        let left = &self.microphone[self.spoken.min(self.microphone.len())..];
        let count = left.len().min(BLOCK);
        block[..count].copy_from_slice(&left[..count]);
        self.spoken += BLOCK;
        self.sender.capture(&block).or_else(|| self.sender.repeat())
    }

    /// Takes a packet from the other end.
    pub fn insert(&mut self, now: Instant, number: impl Into<FrameNumber>, timestamp: u32, payload: &[u8]) {
        self.receiver.insert(now, number, timestamp, payload);
    }

    /// Takes the copies that came with the packet that was inserted last.
    pub fn insert_copies(
        &mut self,
        now: Instant,
        number: impl Into<FrameNumber>,
        timestamp: u32,
        copies: &[EarlierFrame],
    ) {
        self.receiver.insert_copies(now, number, timestamp, copies);
    }

    /// Takes a frame that the other end sent once more.
    pub fn insert_repeat(
        &mut self,
        now: Instant,
        number: impl Into<FrameNumber>,
        timestamp: u32,
        payload: &[u8],
    ) {
        self.receiver.insert_repeat(now, number, timestamp, payload);
    }

    /// Everything played since the first tick, 480 samples a tick.
    pub fn recorded(&self) -> &[f32] {
        &self.recorded
    }

    /// What play-out did so far.
    pub fn stats(&self) -> PlayoutStats {
        self.receiver.stats()
    }

    /// Tells what the other end takes, and what it says of the way.
    pub fn handle_report(&mut self, supported: Supported, reported: Reported) {
        self.sender.set_supported(supported);
        self.sender.handle_report(reported);
        self.receiver.handle_report(reported);
    }

    /// Tells how long a probe took, there and back.
    pub fn handle_round_trip(&mut self, latest: Duration) {
        self.sender.handle_round_trip(latest);
    }

    /// Tells that packets take another way from now on.
    pub fn handle_new_way(&mut self) {
        self.sender.handle_new_way();
    }

    /// The sending half, to mute it.
    pub fn sender(&mut self) -> &mut VoiceSender {
        &mut self.sender
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "simulated time needs some instant to begin at")]
    fn any_instant() -> Instant {
        Instant::now()
    }

    /// A call of two seconds over a path of 20 ms.
    fn call(start: Instant) -> Vec<f32> {
        let tone = (0..96_000).map(|at| (at as f32 * 0.05).sin() * 0.3).collect();
        let mut alice = VirtualVoice::new(tone, start).unwrap();
        let mut bob = VirtualVoice::new(Vec::new(), start).unwrap();
        let mut path = std::collections::VecDeque::new();
        for tick in 0..200u32 {
            let now = start + Duration::from_millis(10) * tick;
            path.extend(alice.tick(now).map(|packet| (tick + 2, packet)));
            while let Some((_, packet)) = path.pop_front_if(|(due, _)| *due <= tick) {
                let sequence = (packet.timestamp / 960) as u16;
                bob.insert(now, sequence, packet.timestamp, &packet.payload);
            }
            bob.tick(now);
        }
        bob.recorded().to_vec()
    }

    #[test]
    fn a_whole_call_in_simulated_time_is_the_same_every_time() {
        let first = call(any_instant());
        assert_eq!(first.len(), 200 * BLOCK);
        assert!(first[48_000..].iter().any(|sample| *sample > 0.2));
        assert_eq!(first, call(any_instant() + Duration::from_secs(77)));
    }
}
