//! A frame and copies of earlier ones in one payload: redundant audio data (RED, RFC 2198).
//!
//! ```text
//!   ┌─┬───────┬──────────────┬──────────┐ ... ┌─┬───────┐┌────────────┐ ... ┌───────────┐
//!   │1│ type 7│ behind    14 │ length 10│     │0│ type 7││ oldest copy│     │ the frame │
//!   └─┴───────┴──────────────┴──────────┘     └─┴───────┘└────────────┘     └───────────┘
//! ```
//!
//! A header for each copy in the order of the copies, a shorter one for the frame, which takes what is left.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{EarlierFrame, VoicePacket};

/// Copies in one payload; a payload with more is not read.
pub const MOST_COPIES: usize = 8;

/// How far behind a copy may be, in samples, and how long, in bytes: what the header has room for.
const FARTHEST: u32 = (1 << 14) - 1;
const LONGEST: usize = (1 << 10) - 1;

/// Why a payload is not read; the sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedError {
    /// It ends within a header or within what a header promises, or holds no frame.
    #[error("redundant audio data ends too early")]
    Truncated,
    /// The frame is of another payload type than was agreed on.
    #[error("redundant audio data of payload type {0}")]
    PayloadType(u8),
    /// There are more than [`MOST_COPIES`].
    #[error("too many copies in redundant audio data")]
    TooMany,
}

/// What a payload holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Red {
    /// The frame of the packet's own timestamp.
    pub frame: Bytes,
    /// Copies of earlier frames, as they came.
    pub copies: Vec<EarlierFrame>,
}

/// The payload of a packet with copies, all of one payload type; a copy that no header has room for is left out.
pub fn write(packet: &VoicePacket, payload_type: u8) -> Vec<u8> {
    let fits = |copy: &&EarlierFrame| copy.behind <= FARTHEST && copy.payload.len() <= LONGEST;
    let copies: Vec<&EarlierFrame> = packet.copies.iter().filter(fits).take(MOST_COPIES).collect();
    let size = copies.iter().map(|copy| 4 + copy.payload.len()).sum::<usize>() + 1 + packet.payload.len();
    let mut out = Vec::with_capacity(size);
    for copy in &copies {
        let rest = copy.behind << 10 | copy.payload.len() as u32;
        out.put_u32(u32::from(0x80 | payload_type) << 24 | rest);
    }
    out.put_u8(payload_type & 0x7f);
    copies.iter().for_each(|copy| out.put_slice(&copy.payload));
    out.put_slice(&packet.payload);
    out
}

/// Reads a payload whose frame must be of this payload type; copies of other ones are left out, and empty ones.
pub fn parse(mut payload: Bytes, payload_type: u8) -> Result<Red, RedError> {
    let mut headers = Vec::new();
    let own = loop {
        let first = *payload.first().ok_or(RedError::Truncated)?;
        if first & 0x80 == 0 {
            payload.advance(1);
            break first;
        }
        if headers.len() == MOST_COPIES {
            return Err(RedError::TooMany);
        }
        let header = payload.try_get_u32().map_err(|_| RedError::Truncated)?;
        headers.push((first & 0x7f, header >> 10 & FARTHEST, (header & LONGEST as u32) as usize));
    };
    if own != payload_type {
        return Err(RedError::PayloadType(own));
    }
    let mut copies = Vec::with_capacity(headers.len());
    for (kind, behind, length) in headers {
        if length > payload.len() {
            return Err(RedError::Truncated);
        }
        let copy = payload.split_to(length);
        if kind == payload_type && !copy.is_empty() {
            copies.push(EarlierFrame { behind, payload: copy.to_vec() });
        }
    }
    if payload.is_empty() {
        return Err(RedError::Truncated);
    }
    Ok(Red { frame: payload, copies })
}

/// What a fuzzer calls: see [`relay::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz {
    use super::*;
    use crate::voice::Transmission;

    const OPUS: u8 = 111;

    pub(crate) fn check(input: &[u8]) {
        let Ok(read) = parse(Bytes::copy_from_slice(input), OPUS) else { return };
        let packet = VoicePacket {
            payload: read.frame.to_vec(),
            timestamp: 0,
            copies: read.copies.clone(),
            transmission: Transmission::First,
        };
        assert_eq!(
            parse(write(&packet, OPUS).into(), OPUS),
            Ok(read),
            "what is understood is said again the same"
        );
    }

    pub(crate) fn seeds() -> Vec<Vec<u8>> {
        let copy = |behind, byte| EarlierFrame { behind, payload: vec![byte; 9] };
        let copies = [vec![], vec![copy(960, 1)], vec![copy(1920, 2), copy(960, 1)]];
        let packets = copies.map(|copies| VoicePacket {
            payload: vec![0; 9],
            timestamp: 0,
            copies,
            transmission: Transmission::First,
        });
        packets.iter().map(|packet| write(packet, OPUS)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Transmission;
    use proptest::prelude::*;

    const OPUS: u8 = 111;

    fn packet(copies: Vec<EarlierFrame>) -> VoicePacket {
        VoicePacket { payload: b"now".to_vec(), timestamp: 7, copies, transmission: Transmission::First }
    }

    fn copy(behind: u32, payload: &[u8]) -> EarlierFrame {
        EarlierFrame { behind, payload: payload.to_vec() }
    }

    #[test]
    fn what_is_written_is_what_the_rfc_draws() {
        let written = write(&packet(vec![copy(960, b"old")]), OPUS);
        assert_eq!(written, [&[0x80 | OPUS, 0x0f, 0x00, 0x03, OPUS][..], b"old", b"now"].concat());
    }

    #[test]
    fn copies_come_back_as_they_went() {
        for copies in [vec![], vec![copy(960, b"a")], vec![copy(2880, b"abc"), copy(960, b"b")]] {
            let read = parse(write(&packet(copies.clone()), OPUS).into(), OPUS);
            assert_eq!(read, Ok(Red { frame: Bytes::from_static(b"now"), copies }));
        }
    }

    #[test]
    fn a_copy_that_no_header_has_room_for_is_left_out() {
        let copies = vec![copy(FARTHEST + 1, b"far"), copy(960, &[0; LONGEST + 1]), copy(960, b"fits")];
        let read = parse(write(&packet(copies), OPUS).into(), OPUS).unwrap();
        assert_eq!(read.copies, [copy(960, b"fits")]);
    }

    #[test]
    fn malformed_payloads_are_refused_and_say_why() {
        let whole = write(&packet(vec![copy(960, b"old")]), OPUS);
        for end in 0..=whole.len() - 3 {
            assert_eq!(parse(Bytes::copy_from_slice(&whole[..end]), OPUS), Err(RedError::Truncated), "{end}");
        }
        assert_eq!(parse(Bytes::copy_from_slice(&whole), 96), Err(RedError::PayloadType(OPUS)));
        let many = [0x80 | OPUS, 0, 0, 0].repeat(MOST_COPIES + 1);
        assert_eq!(parse(many.into(), OPUS), Err(RedError::TooMany));
    }

    #[test]
    fn copies_of_another_kind_are_passed_over() {
        let mut bytes = write(&packet(vec![copy(960, b"old"), copy(480, b"new")]), OPUS);
        bytes[0] = 0x80 | 13;
        assert_eq!(parse(bytes.into(), OPUS).unwrap().copies, [copy(480, b"new")]);
    }

    #[test]
    fn the_seeds_of_the_fuzzer_are_understood() {
        let understood = |seed: &Vec<u8>| parse(seed.clone().into(), OPUS).is_ok();
        assert!(fuzz::seeds().iter().all(understood));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz::check(&bytes);
            fuzz::check(&[&[0x80 | OPUS, 0, 0, 4, OPUS], &bytes[..]].concat());
        }
    }
}
