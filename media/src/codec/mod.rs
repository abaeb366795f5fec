//! The voice codec: Opus (RFC 6716), 48 kHz mono, frames of 20 ms (or 10, or 120, see [`FrameLength`]) of always the same size, so that packets do not tell
//! words. For the same reason there is no discontinuous transmission (DTX) and no variable bitrate: when packets pause or shrink,
//! whoever sees them sees who speaks when, and of a variable rate even phrases can be told. Silence costs what speech costs.
//!
//! An Opus packet may carry a coarse copy of the frame *before* it (LBRR, RFC 6716 §2.1.7). So a lost
//! frame has three fates: recovered from the next packet ([`Decoder::decode_fec`]), concealed from what
//! came before ([`Decoder::conceal`]), or - when it arrives after all, or an exact copy of it does - decoded.
//!
//! What is concealed is invented by the neural network that libopus has for it. The only place that names `opus`.

mod sys;

use std::time::Duration;

use opus::{Application, Bandwidth, Channels, Signal};

use self::sys::{RawDecoder, Source};
use crate::bitrate::Bitrate;
use crate::frame::{BLOCK, OPUS_FRAME, SAMPLE_RATE, duration_of};

/// The longest Opus packet we make or accept, in bytes (RFC 6716 §3.2.1 allows 1275 a frame).
pub const MAX_PACKET: usize = 1275;

/// The most samples one packet can decode to: 120 ms (RFC 6716 §2.1.4).
pub const MAX_DECODED: usize = 5760;

/// With coarse copies the encoder is never told to expect less than this loss: below it Opus adds none.
const EXPECTED_LOSS_FLOOR: f32 = 0.10;

/// From here on speech has its whole band; with less, RFC 7587 §3.1.1 recommends wideband, where the bits are of more use.
pub const FULL_BAND: Bitrate = Bitrate::from_kbps(28);

/// Why the codec refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The packet is not Opus; the sender is to blame.
    #[error("the packet is not valid Opus")]
    Malformed,
    /// libopus refused; we are to blame.
    #[error("the Opus codec failed: {0}")]
    Codec(String),
}

impl From<opus::Error> for CodecError {
    fn from(error: opus::Error) -> Self {
        match error.code() {
            opus::ErrorCode::InvalidPacket => CodecError::Malformed,
            _ => CodecError::Codec(error.to_string()),
        }
    }
}

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderConfig {
    /// How fast: every frame takes its share.
    pub bitrate: Bitrate,
    /// 0 (cheap) to 10 (best).
    pub complexity: u8,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self { bitrate: Bitrate::from_kbps(36), complexity: 10 }
    }
}

/// Whether packets carry a coarse copy of the frame before them; it takes its bits from their own frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum CoarseCopies {
    /// They do not.
    #[default]
    Off,
    /// They do, made for this share of packets being lost, 0 to 1.
    For(f32),
}

/// How much sound one packet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrameLength {
    /// Where 10 ms sooner are worth as many headers again.
    Ms10,
    /// What a conversation hardly notices.
    #[default]
    Ms20,
    /// Where headers would cost more than the sound.
    Ms120,
}

impl FrameLength {
    /// At 48 kHz.
    pub const fn samples(self) -> usize {
        match self {
            Self::Ms10 => BLOCK,
            Self::Ms20 => OPUS_FRAME,
            Self::Ms120 => MAX_DECODED,
        }
    }
}

/// Makes packets of frames.
pub struct Encoder(opus::Encoder);

impl Encoder {
    /// An encoder for speech.
    pub fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let mut encoder = opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_complexity(config.complexity.min(10).into())?;
        encoder.set_vbr(false)?;
        let mut encoder = Self(encoder);
        encoder.set_bitrate(config.bitrate, FrameLength::default())?;
        Ok(encoder)
    }

    /// Changes how fast frames of this length go from the next one on; below [`FULL_BAND`] what is above 8 kHz is left out, and
    /// what is above 12 kHz of short ones, of which each tells what it is like anew.
    pub fn set_bitrate(&mut self, bitrate: Bitrate, length: FrameLength) -> Result<(), CodecError> {
        let bits = i32::try_from(bitrate.bps()).unwrap_or(i32::MAX);
        let bandwidth = match length {
            _ if bitrate < FULL_BAND => Bandwidth::Wideband,
            FrameLength::Ms10 => Bandwidth::Superwideband,
            FrameLength::Ms20 | FrameLength::Ms120 => Bandwidth::Auto,
        };
        self.0.set_bandwidth(bandwidth)?;
        Ok(self.0.set_bitrate(opus::Bitrate::Bits(bits))?)
    }

    /// Adds coarse copies, or leaves them out, from the next frame on.
    pub fn set_coarse_copies(&mut self, copies: CoarseCopies) -> Result<(), CodecError> {
        let percent = match copies {
            CoarseCopies::Off => 0,
            CoarseCopies::For(loss) => {
                let loss = if loss.is_finite() { loss } else { EXPECTED_LOSS_FLOOR };
                (loss.clamp(EXPECTED_LOSS_FLOOR, MAX_EXPECTED_LOSS) * 100.0).round() as i32
            }
        };
        self.0.set_inband_fec(copies != CoarseCopies::Off)?;
        Ok(self.0.set_packet_loss_perc(percent)?)
    }

    /// Encodes one frame, as long as any [`FrameLength`].
    pub fn encode(&mut self, frame: &[f32]) -> Result<Vec<u8>, CodecError> {
        Ok(self.0.encode_vec_float(frame, MAX_PACKET)?)
    }
}

const MAX_EXPECTED_LOSS: f32 = 0.30;

/// Turns packets of one stream back into sound; packets must be given in order.
pub struct Decoder(RawDecoder);

impl Decoder {
    /// A decoder that has heard nothing yet.
    pub fn new() -> Result<Self, CodecError> {
        RawDecoder::new().map(Self)
    }

    /// Decodes a packet into `out` and says how many samples it held.
    pub fn decode(&mut self, packet: &[u8], out: &mut [f32; MAX_DECODED]) -> Result<usize, CodecError> {
        // An empty slice means "lost" to libopus; on the wire it is just malformed.
        if packet.is_empty() {
            return Err(CodecError::Malformed);
        }
        self.0.decode(Source::Packet(packet), &mut out[..])
    }

    /// Recovers the `samples` *before* `next` from the coarse copy inside it (or conceals, see [`has_coarse_copy`]).
    pub fn decode_fec(
        &mut self,
        next: &[u8],
        samples: usize,
        out: &mut [f32; MAX_DECODED],
    ) -> Result<usize, CodecError> {
        if next.is_empty() {
            return Err(CodecError::Malformed);
        }
        self.0.decode(Source::CopyIn(next), &mut out[..samples.min(MAX_DECODED)])
    }

    /// Invents `samples` (a multiple of 2.5 ms) that continue what was heard last.
    pub fn conceal(&mut self, samples: usize, out: &mut [f32; MAX_DECODED]) -> Result<usize, CodecError> {
        self.0.decode(Source::Nothing, &mut out[..samples.min(MAX_DECODED)])
    }

    /// Forgets everything heard, as for a new stream.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.0.reset()
    }
}

/// How many samples `packet` will decode to, without decoding it.
pub fn samples_of(packet: &[u8]) -> Result<usize, CodecError> {
    if packet.is_empty() || packet.len() > MAX_PACKET * 3 {
        return Err(CodecError::Malformed);
    }
    let parsed = opus::packet::parse(packet)?;
    let samples = opus::packet::get_nb_samples(packet, SAMPLE_RATE)?;
    match parsed.frames.is_empty() || samples == 0 || samples > MAX_DECODED {
        true => Err(CodecError::Malformed),
        false => Ok(samples),
    }
}

/// Whether `packet` holds a coarse copy of the frame before it (RFC 6716 §4.2.4).
pub fn has_coarse_copy(packet: &[u8]) -> bool {
    let (Some(toc), Ok(parsed)) = (packet.first(), opus::packet::parse(packet)) else { return false };
    // The upper half of the configurations is CELT alone, which has none (RFC 6716 §3.1).
    if toc & 0x80 != 0 {
        return false;
    }
    let Ok(samples) = opus::packet::get_samples_per_frame(packet, SAMPLE_RATE) else { return false };
    // A flag for each 20 ms whether they are speech, then whether there is a copy.
    let flags = (samples / OPUS_FRAME).max(1);
    parsed.frames.first().and_then(|frame| frame.first()).is_some_and(|byte| byte >> (7 - flags) & 1 == 1)
}

/// How long what `packet` holds lasts; that of a usual frame where it is none.
pub fn duration_in(packet: &[u8]) -> Duration {
    duration_of(samples_of(packet).unwrap_or(OPUS_FRAME) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_long_and_of_as_many_bits_as_were_asked_for() {
        for (length, kbps, bytes, ms) in [(FrameLength::Ms120, 12, 180, 120), (FrameLength::Ms10, 40, 50, 10)]
        {
            let config = EncoderConfig { bitrate: Bitrate::from_kbps(kbps), ..EncoderConfig::default() };
            let mut encoder = Encoder::new(config).unwrap();
            let frame: Vec<f32> = (0..length.samples()).map(|at| (at as f32 * 0.02).sin() * 0.3).collect();
            let packets: Vec<Vec<u8>> = (0..5).map(|_| encoder.encode(&frame).unwrap()).collect();
            let (mut decoder, mut out) = (Decoder::new().unwrap(), [0.0; MAX_DECODED]);
            for packet in &packets {
                assert_eq!(packet.len(), bytes);
                assert_eq!(duration_in(packet), Duration::from_millis(ms));
                assert_eq!(decoder.decode(packet, &mut out), Ok(frame.len()));
            }
            assert!(out.iter().any(|sample| *sample > 0.2));
            assert!(encoder.encode(&frame[..300]).is_err(), "no frame is as long");
        }
    }

    /// A second of something like a voice: harmonics of a pitch that glides.
    fn encoded(bitrate: Bitrate, copies: CoarseCopies) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(EncoderConfig { bitrate, ..EncoderConfig::default() }).unwrap();
        encoder.set_coarse_copies(copies).unwrap();
        let mut phase = 0.0f32;
        let mut frame = || -> [f32; OPUS_FRAME] {
            std::array::from_fn(|_| {
                phase += 0.015;
                (1..9).map(|harmonic| (phase * harmonic as f32).sin() / 20.0).sum()
            })
        };
        (0..50).map(|_| encoder.encode(&frame()).unwrap()).collect()
    }

    #[test]
    fn packets_of_one_bitrate_are_of_one_size_and_tell_nothing() {
        let packets = encoded(Bitrate::from_kbps(36), CoarseCopies::Off);
        assert!(packets.iter().all(|packet| packet.len() == 90));
    }

    #[test]
    fn few_bits_are_spent_on_what_is_below_8_khz_alone() {
        // RFC 6716 §3.1: the configurations of wideband, whichever way they are coded.
        let wideband = |kbps| {
            let packets = encoded(Bitrate::from_kbps(kbps), CoarseCopies::Off);
            let count = packets.iter().filter(|packet| matches!(packet[0] >> 3, 8..=11 | 20..=23)).count();
            count == packets.len()
        };
        assert_eq!([20, 27, 28, 36].map(wideband), [true, true, false, false]);
    }

    #[test]
    fn a_coarse_copy_is_there_only_when_it_is_asked_for() {
        let count = |copies| {
            let packets = encoded(Bitrate::from_kbps(36), copies);
            packets.iter().filter(|packet| has_coarse_copy(packet)).count()
        };
        assert_eq!(count(CoarseCopies::Off), 0);
        assert!(count(CoarseCopies::For(0.1)) > 25);
    }

    #[test]
    fn what_is_no_packet_has_no_copy() {
        for bytes in [&[][..], &[0x0f], &[0xff; 3], &[0x4b, 0x00]] {
            assert!(!has_coarse_copy(bytes), "{bytes:?}");
        }
    }
}
