//! The VP8 payload descriptor (RFC 7741 §4.2).
//!
//! ```text
//!    0 1 2 3 4 5 6 7
//!   |X|R|N|S|R| PID |   X extended  N nothing refers to it  S a partition begins  PID which
//! X |I|L|T|K| RSV   |
//! I |M| PictureID   |   M: 15 bits instead of 7
//! M |   PictureID   |
//! L |   TL0PICIDX   |   counts pictures of layer 0
//! TK|TID|Y| KEYIDX  |   layer in time, Y needs layer 0 only, counts keyframes
//! ```

use super::{DescriptorError, PictureId, Reader};
use crate::video::vpx::Layer;

/// What stands before each piece of a VP8 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// N: no other picture needs this one.
    pub discardable: bool,
    /// S: a partition begins here.
    pub begins: bool,
    /// PID: which partition, 0 to 7.
    pub partition: u8,
    /// PictureID.
    pub picture: Option<PictureId>,
    /// TL0PICIDX.
    pub base: Option<u8>,
    /// TID and Y.
    pub layer: Option<Layer>,
    /// KEYIDX, 0 to 31.
    pub keyframe: Option<u8>,
}

impl Descriptor {
    /// Reads a descriptor; gives what follows, which is never empty.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DescriptorError> {
        let mut reader = Reader(payload);
        let first = reader.byte()?;
        let extensions = if first & 0x80 == 0 { 0 } else { reader.byte()? };
        let has = |bit: u8| extensions & bit != 0;
        let picture = if has(0x80) { Some(reader.picture()?) } else { None };
        let base = if has(0x40) { Some(reader.byte()?) } else { None };
        let last = if has(0x30) { reader.byte()? } else { 0 };
        let descriptor = Self {
            discardable: first & 0x20 != 0,
            begins: first & 0x10 != 0,
            partition: first & 7,
            picture,
            base,
            layer: has(0x20).then_some(Layer { id: last >> 6, sync: last & 0x20 != 0 }),
            keyframe: has(0x10).then_some(last & 0x1f),
        };
        if reader.0.is_empty() { Err(DescriptorError::Empty) } else { Ok((descriptor, reader.0)) }
    }

    /// Appends the descriptor.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let extensions = bit(self.picture.is_some(), 0x80)
            | bit(self.base.is_some(), 0x40)
            | bit(self.layer.is_some(), 0x20)
            | bit(self.keyframe.is_some(), 0x10);
        let first = bit(self.discardable, 0x20) | bit(self.begins, 0x10) | (self.partition & 7);
        out.push(first | bit(extensions != 0, 0x80));
        if extensions == 0 {
            return;
        }
        out.push(extensions);
        if let Some(picture) = self.picture {
            picture.write(out);
        }
        out.extend(self.base);
        if extensions & 0x30 != 0 {
            let layer = self.layer.map_or(0, |layer| layer.id << 6 | bit(layer.sync, 0x20));
            out.push(layer | self.keyframe.unwrap_or(0) & 0x1f);
        }
    }
}
