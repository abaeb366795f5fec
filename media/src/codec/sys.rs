//! The decoder of libopus, whose concealment the `opus` crate has no setting for. The only unsafe code of the codec.
#![expect(unsafe_code, reason = "no safe wrapper lets the decoder be told how complex it may be")]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use opusic_sys as sys;

use super::{CodecError, MAX_DECODED};
use crate::frame::SAMPLE_RATE;

/// From here on what is lost is invented by a neural network (deep PLC), which libopus has built in; enhancement of coarse
/// voices, from 6 on, doubles the work and is heard below 20 kbit/s only.
const COMPLEXITY: c_int = 5;

/// A decoder of one voice.
pub(super) struct RawDecoder(NonNull<sys::OpusDecoder>);

// SAFETY: a decoder is bound to no thread, and `&mut self` keeps callers apart.
unsafe impl Send for RawDecoder {}

/// What there is to decode from.
pub(super) enum Source<'a> {
    /// A packet.
    Packet(&'a [u8]),
    /// The coarse copy of the frame before it in a packet.
    CopyIn(&'a [u8]),
    /// Nothing: what was heard before is continued.
    Nothing,
}

impl RawDecoder {
    /// A decoder that has heard nothing yet.
    pub(super) fn new() -> Result<Self, CodecError> {
        let mut status = sys::OPUS_OK;
        // SAFETY: `status` outlives the call.
        let decoder = unsafe { sys::opus_decoder_create(SAMPLE_RATE as i32, 1, &raw mut status) };
        check(status)?;
        let decoder = Self(NonNull::new(decoder).ok_or_else(|| refused(sys::OPUS_ALLOC_FAIL))?);
        // SAFETY: the decoder is alive, and this request takes one int.
        check(unsafe {
            sys::opus_decoder_ctl(decoder.0.as_ptr(), sys::OPUS_SET_COMPLEXITY_REQUEST, COMPLEXITY)
        })?;
        Ok(decoder)
    }

    /// Fills `out` from the start and says how many samples there are; of a copy, and of nothing, as many as `out` holds.
    pub(super) fn decode(&mut self, source: Source<'_>, out: &mut [f32]) -> Result<usize, CodecError> {
        let (data, fec) = match source {
            Source::Packet(packet) => (packet, 0),
            Source::CopyIn(packet) => (packet, 1),
            Source::Nothing => (&[][..], 0),
        };
        let pointer = if data.is_empty() { ptr::null() } else { data.as_ptr() };
        let length = i32::try_from(data.len()).map_err(|_| CodecError::Malformed)?;
        let room = out.len().min(MAX_DECODED) as c_int;
        // SAFETY: `data` holds `length` bytes, or is null for nothing; `out` holds at least `room` samples of one channel.
        let count =
            unsafe { sys::opus_decode_float(self.0.as_ptr(), pointer, length, out.as_mut_ptr(), room, fec) };
        check(count)?;
        Ok(count as usize)
    }

    /// Forgets everything heard.
    pub(super) fn reset(&mut self) -> Result<(), CodecError> {
        // SAFETY: the decoder is alive, and this request takes nothing.
        check(unsafe { sys::opus_decoder_ctl(self.0.as_ptr(), sys::OPUS_RESET_STATE) })
    }
}

impl Drop for RawDecoder {
    fn drop(&mut self) {
        // SAFETY: it was made by `opus_decoder_create`, and nobody uses it from here on.
        unsafe { sys::opus_decoder_destroy(self.0.as_ptr()) };
    }
}

fn check(status: c_int) -> Result<(), CodecError> {
    match status {
        0.. => Ok(()),
        sys::OPUS_INVALID_PACKET => Err(CodecError::Malformed),
        other => Err(refused(other)),
    }
}

fn refused(status: c_int) -> CodecError {
    CodecError::Codec(format!("decoding ended with status {status}"))
}
