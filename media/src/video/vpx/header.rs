//! The first bytes of a coded picture: whether it stands alone, and how large a picture it makes the decoder allocate.
//!
//! ```text
//!   VP8 (RFC 6386 §9.1)   3 bytes: bit 0 is 0 on a keyframe; then 9d 01 2a, 14 bits width, 14 bits height
//!   VP9 (bitstream §6.2)  2 bits 10, profile, ...; a keyframe and a picture with a new size carry 16 bits of each, less 1
//! ```

use super::Codec;

/// Why a header is not believed; the sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// It breaks the format.
    #[error("malformed header")]
    Malformed,
    /// Another profile than the 4:2:0 one with 8 bits.
    #[error("unsupported profile")]
    Unsupported,
}

/// Width and height in pixels, as announced: 0 is possible.
pub(super) type Announced = (u32, u32);

/// The pictures one VP9 superframe may hold (bitstream Annex B).
const MOST_IN_SUPERFRAME: usize = 8;

const VP8_START: [u8; 3] = [0x9d, 0x01, 0x2a];
const VP9_SYNC: u32 = 0x49_83_42;
/// The colour space that would mean RGB.
const VP9_SRGB: u32 = 7;

/// Whether a coded picture stands alone, judged by as little as its first packet.
pub fn is_key(codec: Codec, data: &[u8]) -> bool {
    match codec {
        Codec::Vp8 => data.first().is_some_and(|first| first & 1 == 0),
        Codec::Vp9 => vp9(data).is_ok_and(|header| header.key),
    }
}

/// The largest size that decoding `data` asks for; none when no new size is announced.
pub(super) fn largest(codec: Codec, data: &[u8]) -> Result<Option<Announced>, HeaderError> {
    match codec {
        Codec::Vp8 => vp8(data),
        Codec::Vp9 => {
            let sizes = superframe(data)?.into_iter().map(|data| vp9(data).map(|header| header.size));
            sizes.collect::<Result<Vec<_>, _>>().map(|sizes| {
                sizes
                    .into_iter()
                    .flatten()
                    .max_by_key(|&(width, height)| u64::from(width) * u64::from(height))
            })
        }
    }
}

fn vp8(data: &[u8]) -> Result<Option<Announced>, HeaderError> {
    let [first, _, _, rest @ ..] = data else { return Err(HeaderError::Malformed) };
    if first & 1 != 0 {
        return Ok(None);
    }
    let [a, b, c, width_low, width_high, height_low, height_high, ..] = *rest else {
        return Err(HeaderError::Malformed);
    };
    if [a, b, c] != VP8_START {
        return Err(HeaderError::Malformed);
    }
    // The two upper bits of each ask for scaling when shown.
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Ok(Some((side(width_low, width_high), side(height_low, height_high))))
}

struct Vp9Header {
    key: bool,
    size: Option<Announced>,
}

fn vp9(data: &[u8]) -> Result<Vp9Header, HeaderError> {
    let mut bits = Bits { data, at: 0 };
    if bits.take(2)? != 0b10 {
        return Err(HeaderError::Malformed);
    }
    if bits.take(2)? != 0 {
        return Err(HeaderError::Unsupported);
    }
    // An earlier picture shown again.
    if bits.flag()? {
        return Ok(Vp9Header { key: false, size: None });
    }
    let (key, shown, resilient) = (!bits.flag()?, bits.flag()?, bits.flag()?);
    if key {
        bits.sync()?;
        if bits.take(3)? == VP9_SRGB {
            return Err(HeaderError::Unsupported);
        }
        bits.take(1)?;
        return Ok(Vp9Header { key, size: Some(bits.size()?) });
    }
    let intra_only = !shown && bits.flag()?;
    if !resilient {
        bits.take(2)?;
    }
    if intra_only {
        bits.sync()?;
        bits.take(8)?;
        return Ok(Vp9Header { key, size: Some(bits.size()?) });
    }
    // What it refreshes, then three references of 4 bits each.
    bits.take(8 + 3 * 4)?;
    for _ in 0..3 {
        // As large as that reference.
        if bits.flag()? {
            return Ok(Vp9Header { key, size: None });
        }
    }
    Ok(Vp9Header { key, size: Some(bits.size()?) })
}

/// The pictures inside `data`: one, unless an index at the end lists more.
fn superframe(data: &[u8]) -> Result<Vec<&[u8]>, HeaderError> {
    let Some(&marker) = data.last() else { return Err(HeaderError::Malformed) };
    let (count, width) = (usize::from(marker & 7) + 1, usize::from(marker >> 3 & 3) + 1);
    let index = 2 + count * width;
    let from = data.len().checked_sub(index).filter(|&from| data[from] == marker);
    let (Some(from), 0b110) = (from, marker >> 5) else { return Ok(vec![data]) };
    let (mut rest, sizes) = data.split_at(from);
    let mut frames = Vec::with_capacity(MOST_IN_SUPERFRAME);
    for size in sizes[1..=count * width].chunks(width) {
        let size = size.iter().rev().fold(0usize, |size, &byte| size << 8 | usize::from(byte));
        let frame = rest.get(..size).ok_or(HeaderError::Malformed)?;
        rest = &rest[size..];
        if !frame.is_empty() {
            frames.push(frame);
        }
    }
    Ok(frames)
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Result<u32, HeaderError> {
        (0..count).try_fold(0, |value, _| Ok(value << 1 | u32::from(self.flag()?)))
    }

    fn flag(&mut self) -> Result<bool, HeaderError> {
        let byte = self.data.get(self.at / 8).ok_or(HeaderError::Malformed)?;
        let set = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(set)
    }

    fn sync(&mut self) -> Result<(), HeaderError> {
        if self.take(24)? == VP9_SYNC { Ok(()) } else { Err(HeaderError::Malformed) }
    }

    fn size(&mut self) -> Result<Announced, HeaderError> {
        Ok((self.take(16)? + 1, self.take(16)? + 1))
    }
}
