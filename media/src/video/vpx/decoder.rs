//! Coded pictures in, pictures out.

use super::{Codec, VpxError, header, sys};
use crate::video::frame::{I420, Size, Taken};

/// The most pixels of a picture we decode: full HD, rounded up to whole blocks of 16.
pub const MAX_PIXELS: u64 = 1920 * 1088;

/// The most bytes of a coded picture we decode.
pub const MAX_CODED: usize = 1 << 20;

/// Decodes one stream; coded pictures must be given in order. After an error only a keyframe makes sense.
pub struct Decoder {
    codec: Codec,
    library: sys::Decoder,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub fn new(codec: Codec) -> Result<Self, VpxError> {
        Ok(Self { codec, library: sys::Decoder::new(codec)? })
    }

    /// Decodes one picture; `taken` is when it was taken. None when the coded picture is not to be shown.
    ///
    /// A size beyond [`MAX_PIXELS`] is refused by its header, before anything is allocated for it.
    pub fn decode(&mut self, data: &[u8], taken: Taken) -> Result<Option<I420>, VpxError> {
        if data.len() > MAX_CODED {
            return Err(VpxError::TooLarge(format!("{} coded bytes", data.len())));
        }
        if let Some((width, height)) = header::largest(self.codec, data)? {
            if width == 0 || height == 0 {
                return Err(VpxError::Corrupt(format!("{width}x{height} pixels")));
            }
            let fits = u64::from(width) * u64::from(height) <= MAX_PIXELS;
            if !fits || Size::new(width, height).is_err() {
                return Err(VpxError::TooLarge(format!("{width}x{height} pixels")));
            }
        }
        self.library.decode(data, taken)
    }
}
