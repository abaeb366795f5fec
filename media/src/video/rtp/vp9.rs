//! The VP9 payload descriptor in non-flexible mode (RFC 9628 §4.2).
//!
//! ```text
//!    0 1 2 3 4 5 6 7
//!   |I|P|L|F|B|E|V|Z|   P predicted  F flexible (refused)  B begins  E ends  Z no upper layer needs it
//! I |M| PictureID   |   M: 15 bits instead of 7
//! M |   PictureID   |
//! L | TID |U| SID |D|   layer in time, U one may switch up here, layer in space, D needs the one below
//! L |   TL0PICIDX   |   counts pictures of layer 0
//! V |N_S  |Y|G|-|-|-|   scalability: sizes (Y) and a pattern of pictures (G), both passed over
//! ```

use super::{DescriptorError, PictureId, Reader};
use crate::video::vpx::Layer;

/// What stands before each piece of a VP9 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// PictureID.
    pub picture: Option<PictureId>,
    /// P: the picture needs earlier ones.
    pub predicted: bool,
    /// B: a picture begins here.
    pub begins: bool,
    /// E: a picture ends here.
    pub ends: bool,
    /// TID; U stands for sync.
    pub layer: Option<Layer>,
    /// SID: layer in space.
    pub spatial: u8,
    /// TL0PICIDX.
    pub base: Option<u8>,
}

impl Descriptor {
    /// Reads a descriptor; gives what follows, which is never empty.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DescriptorError> {
        let mut reader = Reader(payload);
        let first = reader.byte()?;
        let has = |bit: u8| first & bit != 0;
        if has(0x10) {
            return Err(DescriptorError::Flexible);
        }
        let picture = if has(0x80) { Some(reader.picture()?) } else { None };
        let (mut layer, mut spatial, mut base) = (None, 0, None);
        if has(0x20) {
            let layers = reader.byte()?;
            layer = Some(Layer { id: layers >> 5, sync: layers & 0x10 != 0 });
            spatial = layers >> 1 & 7;
            base = Some(reader.byte()?);
        }
        if has(0x02) {
            scalability(&mut reader)?;
        }
        let (predicted, begins, ends) = (has(0x40), has(0x08), has(0x04));
        let descriptor = Self { picture, predicted, begins, ends, layer, spatial, base };
        if reader.0.is_empty() { Err(DescriptorError::Empty) } else { Ok((descriptor, reader.0)) }
    }

    /// Appends the descriptor, without a scalability structure.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let layers = self.layer.zip(self.base);
        out.push(
            bit(self.picture.is_some(), 0x80)
                | bit(self.predicted, 0x40)
                | bit(layers.is_some(), 0x20)
                | bit(self.begins, 0x08)
                | bit(self.ends, 0x04),
        );
        if let Some(picture) = self.picture {
            picture.write(out);
        }
        if let Some((layer, base)) = layers {
            out.push(layer.id << 5 | bit(layer.sync, 0x10) | (self.spatial & 7) << 1);
            out.push(base);
        }
    }
}

fn scalability(reader: &mut Reader<'_>) -> Result<(), DescriptorError> {
    let first = reader.byte()?;
    if first & 0x10 != 0 {
        reader.skip(4 * (usize::from(first >> 5) + 1))?;
    }
    if first & 0x08 != 0 {
        for _ in 0..reader.byte()? {
            let references = usize::from(reader.byte()? >> 2 & 3);
            reader.skip(references)?;
        }
    }
    Ok(())
}
