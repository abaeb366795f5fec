//! Coded pictures as RTP payloads, and back.
//!
//! [`Packetiser`] cuts, [`parse`] reads one payload, [`Assembler`] puts pictures together again in the order in which
//! they can be decoded. RTP headers themselves are the session's.

mod assembler;
mod packetiser;
pub mod vp8;
pub mod vp9;

pub use assembler::{Assembled, Assembler, AssemblerStats, MAX_BYTES, MAX_PACKETS};
pub use packetiser::{Packetiser, Payload};

use super::vpx::{Codec, Layer, is_key};

/// Why a payload is not believed; the sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// It ends before the descriptor does.
    #[error("the payload ends inside its descriptor")]
    Truncated,
    /// Nothing follows the descriptor.
    #[error("the payload holds no picture")]
    Empty,
    /// VP9 in flexible mode, which is not agreed on.
    #[error("flexible mode is not supported")]
    Flexible,
    /// More references than a picture may have.
    #[error("the picture refers to more than three others")]
    References,
}

/// What the assembler must know of one payload, whatever the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Whether a picture begins here.
    pub begins: bool,
    /// Whether that picture stands alone; known at its beginning only.
    pub key: bool,
    /// Number of the picture, modulo 2^15 ([`PictureId`]).
    pub picture: Option<PictureId>,
    /// Counts pictures of layer 0, modulo 2^8.
    pub base: Option<u8>,
    /// Its layer in time.
    pub layer: Option<Layer>,
}

/// Numbers pictures; of 15 bits, or of 7, as the sender likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureId {
    /// 7 bits.
    Short(u8),
    /// 15 bits.
    Long(u16),
}

impl PictureId {
    /// The number of the next picture.
    pub const fn next(self) -> Self {
        match self {
            Self::Short(id) => Self::Short(id.wrapping_add(1) & 0x7f),
            Self::Long(id) => Self::Long(id.wrapping_add(1) & 0x7fff),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Short(id) => out.push(id & 0x7f),
            Self::Long(id) => out.extend((id | 0x8000).to_be_bytes()),
        }
    }
}

/// Reads one payload: its descriptor, and what follows.
pub fn parse(codec: Codec, payload: &[u8]) -> Result<(Part, &[u8]), DescriptorError> {
    match codec {
        Codec::Vp8 => {
            let (descriptor, data) = vp8::Descriptor::parse(payload)?;
            let begins = descriptor.begins && descriptor.partition == 0;
            let (picture, base) = (descriptor.picture, descriptor.base);
            let key = begins && is_key(codec, data);
            Ok((Part { begins, key, picture, base, layer: descriptor.layer }, data))
        }
        Codec::Vp9 => {
            let (descriptor, data) = vp9::Descriptor::parse(payload)?;
            let begins = descriptor.begins && descriptor.spatial == 0;
            let (picture, base) = (descriptor.picture, descriptor.base);
            let key = begins && !descriptor.predicted;
            Ok((Part { begins, key, picture, base, layer: descriptor.layer }, data))
        }
    }
}

/// Reads bytes one after another.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, DescriptorError> {
        let (&first, rest) = self.0.split_first().ok_or(DescriptorError::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    fn picture(&mut self) -> Result<PictureId, DescriptorError> {
        let first = self.byte()?;
        match first & 0x80 {
            0 => Ok(PictureId::Short(first)),
            _ => Ok(PictureId::Long(u16::from_be_bytes([first & 0x7f, self.byte()?]))),
        }
    }

    fn skip(&mut self, count: usize) -> Result<(), DescriptorError> {
        self.0 = self.0.get(count..).ok_or(DescriptorError::Truncated)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
