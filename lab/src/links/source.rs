//! What is sent: frames of an encoder that follows its rate as encoders do, unevenly.

use media::bitrate::Bitrate;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::time::Duration;

/// How frames differ in size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// By a tenth, and a keyframe only when one is needed.
    Even,
    /// By a third, and a keyframe every ten seconds.
    Bursty,
}

/// Time between two frames: 30 a second.
pub(super) const FRAME: Duration = Duration::from_micros(33_333);
/// A keyframe is so many times as large.
const KEYFRAME: f64 = 5.0;
/// Frames between two keyframes of a bursty source.
const KEYFRAMES: u64 = 300;
/// Frames over which the encoder saves what it spent too much.
const SAVING: f64 = 15.0;
/// A frame is no smaller than this share of the usual one, however much was overspent.
const LEAST: f64 = 0.3;
const LEAST_BYTES: f64 = 150.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Delta,
}

#[derive(Debug)]
pub(super) struct Encoder {
    manner: Manner,
    random: StdRng,
    frames: u64,
    wanted: Kind,
    overspent: f64,
}

impl Encoder {
    pub(super) fn new(manner: Manner, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { manner, random, frames: 0, wanted: Kind::Key, overspent: 0.0 }
    }

    pub(super) fn want_keyframe(&mut self) {
        self.wanted = Kind::Key;
    }

    /// A frame that is not encoded; its bytes are there for the others.
    pub(super) fn skip(&mut self, rate: Bitrate) {
        self.overspent = (self.overspent - rate.bytes_in(FRAME)).max(0.0);
    }

    /// The next frame and its bytes.
    pub(super) fn frame(&mut self, rate: Bitrate) -> (Kind, usize) {
        let usual = rate.bytes_in(FRAME);
        let periodic = self.manner == Manner::Bursty && self.frames.is_multiple_of(KEYFRAMES);
        let kind = if periodic { Kind::Key } else { self.wanted };
        self.frames += 1;
        self.wanted = Kind::Delta;
        let spread = match self.manner {
            Manner::Even => 0.1,
            Manner::Bursty => 0.33,
        };
        // Three throws are near enough to a bell.
        let bell: f64 = (0..3).map(|_| self.random.random_range(-1.0..1.0)).sum();
        let size = match kind {
            Kind::Key => usual * KEYFRAME,
            Kind::Delta => {
                (usual - self.overspent / SAVING).max(usual * LEAST) * (1.0 + spread * bell).max(LEAST)
            }
        };
        let size = size.max(LEAST_BYTES);
        self.overspent = (self.overspent + size - usual).clamp(-2.0 * usual, 60.0 * usual);
        (kind, size as usize)
    }
}
