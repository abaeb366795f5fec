//! Pictures in, coded pictures out.

use std::time::Duration;

use super::{Codec, Content, Encoded, Kind, Layer, Layers, VpxError, Wish, sys};
use crate::bitrate::Bitrate;
use crate::video::frame::{I420, Size};

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Which codec.
    pub codec: Codec,
    /// Of the pictures; others are scaled to it.
    pub size: Size,
    /// What to aim at.
    pub bitrate: Bitrate,
    /// Layers in time; VP9 has one here.
    pub layers: Layers,
    /// What the pictures show.
    pub content: Content,
}

/// Encodes one stream.
pub struct Encoder {
    config: EncoderConfig,
    library: sys::Encoder,
    /// Where the next picture stands in the pattern of layers.
    step: usize,
    /// When the picture before was taken, in ticks.
    latest: Option<i64>,
}

/// Ticks of a second, for libvpx as for RTP.
const TICKS: u64 = 90_000;

/// A picture counts as lasting at least and at most so many ticks: 1 to 500 ms.
const LASTING: (i64, i64) = (90, 45_000);

/// How long the first picture counts as lasting: a thirtieth of a second.
const FIRST_LASTS: i64 = 3_000;

impl Encoder {
    /// An encoder whose first picture stands alone.
    pub fn new(config: EncoderConfig) -> Result<Self, VpxError> {
        if config.codec == Codec::Vp9 && config.layers != Layers::One {
            return Err(VpxError::Layers);
        }
        Ok(Self { config, library: sys::Encoder::new(&config)?, step: 0, latest: None })
    }

    /// Encodes a picture that is shown `at` so long after the stream began. None when the encoder left it out to keep
    /// to its bitrate.
    pub fn encode(&mut self, frame: &I420, at: Duration, wish: Wish) -> Result<Option<Encoded>, VpxError> {
        let frame = frame.scaled(self.config.size);
        if wish == Wish::Keyframe {
            self.step = 0;
        }
        let place = place(self.config.layers, self.step);
        let (at, lasts) = self.time(at);
        let Some((data, kind)) = self.library.encode(&frame, at, lasts, wish, &place)? else {
            return Ok(None);
        };
        self.step += 1;
        let layer = (self.config.layers != Layers::One).then_some(match kind {
            Kind::Key => Layer { id: 0, sync: true },
            Kind::Delta => place.layer,
        });
        Ok(Some(Encoded { data, kind, layer }))
    }

    /// How it encodes now.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Aims at another bitrate from the next picture on.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), VpxError> {
        if bitrate != self.config.bitrate {
            self.config.bitrate = bitrate;
            self.library.configure(&self.config)?;
        }
        Ok(())
    }

    /// Makes pictures of another size, beginning with one that stands alone.
    pub fn set_size(&mut self, size: Size) -> Result<(), VpxError> {
        if size == self.config.size {
            return Ok(());
        }
        // libvpx grows no picture beyond its first size, so it begins anew.
        let config = EncoderConfig { size, ..self.config };
        *self = Self { latest: self.latest, ..Self::new(config)? };
        Ok(())
    }

    /// Time stamps must grow, whatever the source says.
    fn time(&mut self, at: Duration) -> (i64, i64) {
        let at = (at.as_nanos() * u128::from(TICKS) / 1_000_000_000) as i64;
        let at = self.latest.map_or(at, |latest| at.max(latest + LASTING.0));
        let lasts = self.latest.map_or(FIRST_LASTS, |latest| (at - latest).clamp(LASTING.0, LASTING.1));
        self.latest = Some(at);
        (at, lasts)
    }
}

/// Where a picture stands, and which of the buffers LAST and GOLDEN it reads and writes.
pub(super) struct Place {
    pub(super) layer: Layer,
    pub(super) buffers: Buffers,
}

/// The arrows of the drawing in [`super`]: layer 0 lives in LAST, layer 1 in GOLDEN, layer 2 is kept nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buffers {
    /// As libvpx likes.
    Free,
    /// Reads LAST, writes LAST.
    Base,
    /// Reads LAST, writes GOLDEN.
    Middle,
    /// Reads LAST, writes none.
    Top,
    /// Reads LAST and GOLDEN, writes none.
    TopOfMiddle,
}

fn place(layers: Layers, step: usize) -> Place {
    let (id, sync, buffers) = match (layers, step % 4) {
        (Layers::One, _) => (0, false, Buffers::Free),
        (Layers::Two, 0 | 2) | (Layers::Three, 0) => (0, false, Buffers::Base),
        (Layers::Two, _) => (1, true, Buffers::Top),
        (Layers::Three, 1) => (2, true, Buffers::Top),
        (Layers::Three, 2) => (1, true, Buffers::Middle),
        (Layers::Three, _) => (2, false, Buffers::TopOfMiddle),
    };
    Place { layer: Layer { id, sync }, buffers }
}
