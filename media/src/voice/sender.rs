//! Captured blocks in, packets out.

use std::collections::VecDeque;
use std::time::Duration;

use super::brevity::Frames;
use super::protection::{Distance, Plan, Protector, Repeats, Reported, Supported};
use crate::codec::{CodecError, Encoder, EncoderConfig, FrameLength, MAX_DECODED};
use crate::frame::{BLOCK, Block, OPUS_FRAME, samples_in};

/// How voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoiceSenderConfig {
    /// How it is encoded while nothing is lost.
    pub encoder: EncoderConfig,
    /// How short frames may be.
    pub frames: Frames,
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

/// Whether a frame leaves in a packet of its own for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transmission {
    /// It does.
    #[default]
    First,
    /// The packet before held it, too.
    Repeat,
}

/// One encoded frame, and what earlier packets held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoicePacket {
    /// One Opus packet, the payload of one RTP packet (RFC 7587).
    pub payload: Vec<u8>,
    /// When its first sample was captured, in 48 kHz samples since the start; wraps.
    pub timestamp: u32,
    /// Copies of earlier frames, oldest first; with any the payload is RED (RFC 2198). A repeat has none.
    pub copies: Vec<EarlierFrame>,
    /// Whether it is sent once more.
    pub transmission: Transmission,
}

/// A frame that an earlier packet held, once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFrame {
    /// How much earlier it begins than the frame of this packet, in 48 kHz samples.
    pub behind: u32,
    /// One Opus packet.
    pub payload: Vec<u8>,
}

/// Makes packets of captured blocks: two blocks to a frame, or one where the way is near and nothing is lost, without a gap in
/// the timestamps. Where a frame is repeated, that
/// is when the first block of the next one is there, half a frame later: it needs nothing of that block.
///
/// On a link that is too narrow for that, twelve blocks are a frame. When that is found, more is in the link's queue than it
/// carries in time: as long as that is, nothing is sent after the first such frame, a second and a half at most.
pub struct VoiceSender {
    encoder: Encoder,
    frame: Box<[f32; MAX_DECODED]>,
    filled: usize,
    /// Of the frame that is being filled.
    length: FrameLength,
    /// Samples that are left out, for the link is busy with those before; from the next long frame on, and now.
    queued: u64,
    pause: u64,
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
        let mut protector = Protector::default();
        protector.set_frames(config.frames);
        Ok(Self {
            encoder: Encoder::new(config.encoder)?,
            frame: Box::new([0.0; MAX_DECODED]),
            filled: 0,
            length: FrameLength::default(),
            queued: 0,
            pause: 0,
            timestamp: 0,
            mute: Mute::Off,
            failed: 0,
            config,
            protector,
            plan: Plan::default(),
            sent: VecDeque::with_capacity(Distance::MOST.frames() + 1),
        })
    }

    /// How long frames are that begin now.
    pub const fn length(&self) -> FrameLength {
        self.plan.length
    }

    /// Takes the next 10 ms; every second block completes a frame of the usual length. Half a frame later its [repeat](Self::repeat) is due.
    pub fn capture(&mut self, block: &Block) -> Option<VoicePacket> {
        if self.filled == 0 && self.length != self.plan.length {
            self.length = self.plan.length;
            self.sent.clear();
        }
        let place = &mut self.frame[self.filled..self.filled + BLOCK];
        match self.mute {
            Mute::On => place.fill(0.0),
            // A broken device may deliver anything; Opus must be given numbers.
            Mute::Off => place.iter_mut().zip(block).for_each(|(to, from)| *to = finite(*from)),
        }
        self.filled += BLOCK;
        let samples = self.length.samples();
        if self.filled < samples {
            return None;
        }
        self.filled = 0;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(samples as u32);
        if self.pause > 0 {
            self.pause = self.pause.saturating_sub(samples as u64);
            return None;
        }
        // The first long frame leaves before the pause: it tells the other end how long they are.
        if self.length == FrameLength::Ms120 {
            self.pause = std::mem::take(&mut self.queued);
        }
        match self.encoder.encode(&self.frame[..samples]) {
            Ok(payload) => {
                let copies = self.copies();
                self.remember(&payload);
                Some(VoicePacket { payload, timestamp, copies, transmission: Transmission::First })
            }
            Err(error) => {
                self.failed += 1;
                self.sent.clear();
                tracing::warn!(%error, failed = self.failed, "a frame could not be encoded");
                None
            }
        }
    }

    /// Tells how long a probe took, there and back.
    pub fn handle_round_trip(&mut self, latest: Duration) {
        self.protector.handle_round_trip(latest);
        self.follow();
    }

    /// Tells that packets take another way from now on.
    pub fn handle_new_way(&mut self) {
        self.protector.handle_new_way();
    }

    /// The last frame once more, where so much is lost that it is sent again.
    pub fn repeat(&self) -> Option<VoicePacket> {
        let payload = self.sent.front().filter(|_| self.plan.repeats == Repeats::On)?.clone();
        let timestamp = self.timestamp.wrapping_sub(OPUS_FRAME as u32);
        Some(VoicePacket { payload, timestamp, copies: Vec::new(), transmission: Transmission::Repeat })
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

    /// Keeps a frame that may be sent once more; long ones and short ones are not.
    fn remember(&mut self, payload: &[u8]) {
        if self.length == FrameLength::Ms20 {
            self.sent.truncate(Distance::MOST.frames() - 1);
            self.sent.push_front(payload.to_vec());
        }
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
        (self.queued, self.pause) = match plan.length {
            FrameLength::Ms120 => (samples_in(self.protector.queue().min(LONGEST_PAUSE)), 0),
            FrameLength::Ms10 | FrameLength::Ms20 => (0, 0),
        };
        self.plan = plan;
        let bitrate = plan.bitrate.unwrap_or(self.config.encoder.bitrate);
        let changed =
            self.encoder.set_bitrate(bitrate, plan.length).and(self.encoder.set_coarse_copies(plan.coarse));
        if let Err(error) = changed {
            tracing::debug!(%error, "the encoder refused to protect against loss");
        }
    }
}

/// Words after a pause in time are worth more than words that come later and later.
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Room;

    /// The packets of a second after so much loss was told.
    fn second_after(supported: Supported, loss: f32) -> Vec<VoicePacket> {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
        sender.set_supported(supported);
        (0..10).for_each(|_| sender.handle_report(Reported { loss, ..Reported::default() }));
        let block = |nth: usize| std::array::from_fn(|at| ((nth * BLOCK + at) as f32 * 0.05).sin() * 0.3);
        (0..100).filter_map(|nth| sender.capture(&block(nth)).or_else(|| sender.repeat())).collect()
    }

    /// What is reported of a near way that loses nothing.
    const NEAR: Reported = Reported {
        loss: 0.0,
        burst_density: None,
        round_trip: Some(Duration::from_millis(2)),
        jitter: Some(Duration::ZERO),
        room: Room::Any,
    };

    #[test]
    fn on_a_near_way_each_block_leaves_at_once_and_after_the_first_loss_every_second_one_with_a_copy() {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
        sender.set_supported(Supported::Repeats);
        let said = |sender: &mut VoiceSender| -> Vec<VoicePacket> {
            (0..100).filter_map(|_| sender.capture(&[0.1; BLOCK])).collect()
        };
        (0..10).for_each(|_| sender.handle_report(NEAR));
        let short = said(&mut sender);
        assert_eq!(short.len(), 100);
        assert!(short.windows(2).all(|pair| pair[1].timestamp == pair[0].timestamp + BLOCK as u32));
        sender.handle_report(Reported { loss: 0.02, ..NEAR });
        let usual = said(&mut sender);
        assert_eq!((usual.len(), usual[0].timestamp), (50, 100 * BLOCK as u32));
        let copies = usual.iter().filter(|packet| !packet.copies.is_empty());
        assert_eq!(copies.count(), 49);
    }

    #[test]
    fn short_frames_take_90_kbit_a_second_at_most() {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
        (0..10).for_each(|_| sender.handle_report(NEAR));
        let packets = (0..100).filter_map(|_| sender.capture(&[0.1; BLOCK]));
        let sent: usize = packets.map(|packet| 20 + 8 + 12 + 16 + packet.payload.len()).sum();
        assert!((80_000..90_000).contains(&(sent * 8)), "{} bit/s", sent * 8);
    }

    #[test]
    fn where_much_is_lost_each_frame_leaves_once_more_half_a_frame_later() {
        let packets = second_after(Supported::Repeats, 0.25);
        assert_eq!(packets.len(), 99);
        for pair in packets.as_chunks::<2>().0 {
            let [first, repeat] = pair;
            assert_eq!(
                (first.transmission, repeat.transmission),
                (Transmission::First, Transmission::Repeat)
            );
            assert_eq!((first.timestamp, &first.payload), (repeat.timestamp, &repeat.payload));
            assert!(repeat.copies.is_empty() && first.copies.len() == usize::from(first.timestamp > 0));
        }
    }

    #[test]
    fn a_repeat_waits_for_nothing_that_is_spoken_after_its_frame() {
        let mut sender = VoiceSender::new(VoiceSenderConfig::default()).unwrap();
        sender.set_supported(Supported::Repeats);
        (0..10).for_each(|_| sender.handle_report(Reported { loss: 0.25, ..Reported::default() }));
        assert_eq!(sender.repeat(), None, "nothing was sent");
        assert_eq!(sender.capture(&[0.1; BLOCK]), None);
        let first = sender.capture(&[0.1; BLOCK]).unwrap();
        let repeat = sender.repeat().unwrap();
        assert_eq!((repeat.timestamp, repeat.payload), (first.timestamp, first.payload));
    }

    #[test]
    fn nothing_is_repeated_for_who_does_not_take_it_or_loses_little() {
        for (supported, loss) in [
            (Supported::Opus, 0.25),
            (Supported::Red, 0.25),
            (Supported::Repeats, 0.1),
            (Supported::Repeats, 0.0),
        ] {
            let packets = second_after(supported, loss);
            assert_eq!(packets.len(), 50, "{supported:?} {loss}");
            assert!(packets.iter().all(|packet| packet.transmission == Transmission::First));
        }
    }

    #[test]
    fn whatever_is_sent_twice_110_kbit_a_second_are_not_passed() {
        // IPv4, UDP, RTP, the tag of SRTP; RED has a byte for the frame and four for each copy.
        let bytes = |packet: &VoicePacket| {
            let red: usize = packet.copies.iter().map(|copy| 4 + copy.payload.len()).sum();
            20 + 8 + 12 + 16 + packet.payload.len() + red + usize::from(!packet.copies.is_empty())
        };
        for loss in [0.0, 0.05, 0.1, 0.25, 0.5] {
            let sent: usize = second_after(Supported::Repeats, loss).iter().map(bytes).sum();
            assert!(sent * 8 <= 110_500, "{} bit/s at {loss}", sent * 8);
        }
    }
}
