//! VP8 (RFC 6386) and VP9 through libvpx, set up for calls: constant bitrate, one thread, frames dropped by the encoder
//! rather than sent late. The only folder that names `vpx_sys`; its unsafe code is all in `sys.rs`.
//!
//! Layers in time (VP8): the far end may lose, or a relay leave out, upper layers without hurting the lower ones.
//! Arrows point to what a picture is predicted from; `*` marks a picture predicted from layer 0 alone ("sync").
//!
//! ```text
//!   One    0 ◀─ 0 ◀─ 0 ◀─ 0          Two    1*      1*         Three     2*        2        2*
//!                                          ↙       ↙                    ↙   1* ◀──┘       ↙
//!                                         0 ◀───── 0                   0 ◀─┴───────────── 0
//! ```

mod decoder;
mod encoder;
mod header;
mod sys;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, MAX_CODED, MAX_PIXELS};
pub use encoder::{Encoder, EncoderConfig};
pub use header::{HeaderError, is_key};

/// Which codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Codec {
    /// RFC 6386: what every browser has (RFC 7742).
    #[default]
    Vp8,
    /// Sharper at the same rate, for about a third more work.
    Vp9,
}

/// How many layers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Layers {
    /// Every picture needs the one before it.
    #[default]
    One,
    /// Every second picture may be missing.
    Two,
    /// Three of four pictures may be missing.
    Three,
}

/// What the pictures show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Content {
    /// People: motion counts.
    #[default]
    Camera,
    /// Text and windows: sharpness counts.
    Screen,
}

/// Whether the next picture must stand alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Wish {
    /// Predicted from earlier ones.
    #[default]
    Any,
    /// Decodable without any other.
    Keyframe,
}

/// What a coded picture needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing.
    Key,
    /// Earlier pictures.
    Delta,
}

/// Where a coded picture stands among the layers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layer {
    /// 0 is the base; a picture needs none of a higher number.
    pub id: u8,
    /// Whether it needs the latest picture of layer 0 only.
    pub sync: bool,
}

/// One coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// As the decoder wants it.
    pub data: Vec<u8>,
    /// What it needs.
    pub kind: Kind,
    /// Its layer; none when there is only one.
    pub layer: Option<Layer>,
}

/// Why the codec refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VpxError {
    /// The coded picture is broken; the sender or the network is to blame, and only a keyframe helps.
    #[error("the picture cannot be decoded: {0}")]
    Corrupt(String),
    /// The coded picture is larger than we decode; the sender is to blame.
    #[error("the picture is too large: {0}")]
    TooLarge(String),
    /// A kind of picture that is not agreed on: deeper colours, or another layout of pixels.
    #[error("the picture is of a kind that is not supported")]
    Unsupported,
    /// A wish the codec cannot fulfil; we are to blame.
    #[error("VP9 has no layers in time here")]
    Layers,
    /// libvpx failed; we are to blame.
    #[error("libvpx failed: {0}")]
    Library(String),
}

impl From<HeaderError> for VpxError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Malformed => Self::Corrupt(error.to_string()),
            HeaderError::Unsupported => Self::Unsupported,
        }
    }
}
