//! The voice codec: Opus (RFC 6716), 48 kHz mono, 20 ms frames, with in-band error correction.
//!
//! An Opus packet may carry a coarse copy of the frame *before* it (LBRR, RFC 6716 §2.1.7). So a lost
//! frame has three fates: recovered from the next packet ([`Decoder::decode_fec`]), concealed from what
//! came before ([`Decoder::conceal`]), or - when it arrives after all - decoded.
//!
//! The only place that names `opus`.

use opus::{Application, Bitrate, Channels, Signal};

use crate::frame::{OPUS_FRAME, SAMPLE_RATE};

/// The longest Opus packet we make or accept, in bytes (RFC 6716 §3.2.1 allows 1275 a frame).
pub const MAX_PACKET: usize = 1275;

/// The most samples one packet can decode to: 120 ms (RFC 6716 §2.1.4).
pub const MAX_DECODED: usize = 5760;

/// The encoder is never told to expect less than this loss: below it Opus adds no recovery frames.
pub const EXPECTED_LOSS_FLOOR: f32 = 0.10;

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// Bits per second aimed at; the rate varies with the sound. At 32 kb/s and above full-band speech
    /// still has room for recovery frames.
    pub bitrate: i32,
    /// 0 (cheap) to 10 (best).
    pub complexity: i32,
    /// Share of packets expected to be lost, 0 to 1.
    pub expected_loss: f32,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self { bitrate: 40_000, complexity: 9, expected_loss: EXPECTED_LOSS_FLOOR }
    }
}

/// Makes packets of 20 ms frames.
pub struct Encoder(opus::Encoder);

impl Encoder {
    /// An encoder for speech.
    pub fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let mut encoder = opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_bitrate(Bitrate::Bits(config.bitrate))?;
        encoder.set_complexity(config.complexity.clamp(0, 10))?;
        encoder.set_vbr(true)?;
        encoder.set_inband_fec(true)?;
        let mut encoder = Self(encoder);
        encoder.set_expected_loss(config.expected_loss)?;
        Ok(encoder)
    }

    /// Tells how much loss the peer sees, 0 to 1; more loss buys more bits for recovery frames.
    pub fn set_expected_loss(&mut self, loss: f32) -> Result<(), CodecError> {
        let loss = if loss.is_finite() { loss } else { EXPECTED_LOSS_FLOOR };
        let percent = (loss.clamp(EXPECTED_LOSS_FLOOR, MAX_EXPECTED_LOSS) * 100.0).round() as i32;
        Ok(self.0.set_packet_loss_perc(percent)?)
    }

    /// Encodes one frame.
    pub fn encode(&mut self, frame: &[f32; OPUS_FRAME]) -> Result<Vec<u8>, CodecError> {
        Ok(self.0.encode_vec_float(frame, MAX_PACKET)?)
    }
}

const MAX_EXPECTED_LOSS: f32 = 0.30;

/// Turns packets of one stream back into sound; packets must be given in order.
pub struct Decoder(opus::Decoder);

impl Decoder {
    /// A decoder that has heard nothing yet.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self(opus::Decoder::new(SAMPLE_RATE, Channels::Mono)?))
    }

    /// Decodes a packet into `out` and says how many samples it held.
    pub fn decode(&mut self, packet: &[u8], out: &mut [f32; MAX_DECODED]) -> Result<usize, CodecError> {
        // An empty slice means "lost" to libopus; on the wire it is just malformed.
        if packet.is_empty() {
            return Err(CodecError::Malformed);
        }
        Ok(self.0.decode_float(packet, &mut out[..], false)?)
    }

    /// Recovers the `samples` *before* `next` from the copy inside it (or conceals, if it has none).
    pub fn decode_fec(
        &mut self,
        next: &[u8],
        samples: usize,
        out: &mut [f32; MAX_DECODED],
    ) -> Result<usize, CodecError> {
        if next.is_empty() {
            return Err(CodecError::Malformed);
        }
        Ok(self.0.decode_float(next, &mut out[..samples.min(MAX_DECODED)], true)?)
    }

    /// Invents `samples` (a multiple of 2.5 ms) that continue what was heard last.
    pub fn conceal(&mut self, samples: usize, out: &mut [f32; MAX_DECODED]) -> Result<usize, CodecError> {
        Ok(self.0.decode_float(&[], &mut out[..samples.min(MAX_DECODED)], false)?)
    }

    /// Forgets everything heard, as for a new stream.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        Ok(self.0.reset_state()?)
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
