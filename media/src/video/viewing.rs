//! How large the other end shows our pictures, as it says on the control channel.
//!
//! ```text
//!   ┌ width (u16) ┬ height (u16) ┐   pixels of its screen, big endian; both 0: none is seen
//! ```

use super::frame::{MAX_SIDE, Size};

/// Bytes of what is said.
const LENGTH: usize = 4;

/// How large pictures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewing {
    /// Nobody sees them: the window is minimised, covered, or shows something else.
    Hidden,
    /// In so many pixels of the screen.
    At(Size),
}

impl Viewing {
    /// From pixels of a screen, which may be larger than any picture.
    pub fn of(width: u32, height: u32) -> Self {
        let side = |pixels: u32| pixels.min(MAX_SIDE);
        Size::new(side(width), side(height)).map_or(Self::Hidden, Self::At)
    }

    /// As it is said.
    pub fn encode(self) -> Vec<u8> {
        let (width, height) = match self {
            Self::Hidden => (0, 0),
            Self::At(size) => (size.width() as u16, size.height() as u16),
        };
        [width.to_be_bytes(), height.to_be_bytes()].concat()
    }

    /// What was said, sides clamped to what a picture can have; none if it makes no sense.
    pub fn decode(said: &[u8]) -> Option<Self> {
        let [a, b, c, d] = *<&[u8; LENGTH]>::try_from(said).ok()?;
        match (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])) {
            (0, 0) => Some(Self::Hidden),
            (0, _) | (_, 0) => None,
            (width, height) => Some(Self::of(width.into(), height.into())),
        }
    }

    /// Pixels from top to bottom; 0 where nobody sees them.
    pub const fn height(self) -> u32 {
        match self {
            Self::Hidden => 0,
            Self::At(size) => size.height(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for viewing in [Viewing::Hidden, Viewing::of(1, 1), Viewing::of(1280, 720), Viewing::of(4096, 4096)] {
            assert_eq!(Viewing::decode(&viewing.encode()), Some(viewing));
        }
    }

    #[test]
    fn sizes_beyond_any_picture_are_clamped() {
        assert_eq!(Viewing::decode(&[255; 4]), Some(Viewing::of(MAX_SIDE, MAX_SIDE)));
        assert_eq!(Viewing::of(u32::MAX, 5), Viewing::of(MAX_SIDE, 5));
        assert_eq!(Viewing::of(0, 5), Viewing::Hidden);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for said in [&[][..], &[0; 3], &[1; 5], &[0, 0, 0, 9], &[0, 9, 0, 0]] {
            assert_eq!(Viewing::decode(said), None, "{said:?}");
        }
    }
}
