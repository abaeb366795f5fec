//! Keeps sound below what can be carried, on the way out and on the way in alike.
//!
//! ```text
//! block ─► × gain ─► × limit ─► soft knee ─► out
//!                       ▲
//!                peaks of this block
//! ```
//!
//! The limiter knows no future, because that would be delay; what it is too late for bends at the knee. What is not too loud
//! passes bit by bit as it is.

use crate::frame::Block;
use crate::level::peak;

/// The loudest that a sample should be, -1 dBFS.
pub(crate) const CEILING: f32 = 0.89;

/// The loudest that a sample can be.
const LOUDEST: f32 = 0.999;

/// How fast the limiter lets go, in dB per block: 40 dB in a second.
const RELEASE: f32 = 0.4;

/// Samples in which the limiter takes hold: 1 ms, short enough to catch the peak and long enough not to click.
const ATTACK: usize = 48;

/// A gain, and as much less as keeps samples below one.
#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    /// In dB, zero or less.
    limit: f32,
    /// The factor at the end of the last block.
    factor: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { limit: 0.0, factor: 1.0 }
    }
}

impl Limiter {
    /// Makes a block so much louder, in dB, as far as there is room.
    pub(crate) fn apply(&mut self, block: &mut Block, gain: f32) {
        let peak = peak(block);
        let needed = decibels(CEILING * CEILING / (peak * peak).max(1e-10)) - gain;
        self.limit = (self.limit + RELEASE).min(needed).min(0.0);
        let next = power(gain + self.limit).sqrt();
        let before = std::mem::replace(&mut self.factor, next);
        if next != before {
            let step = 1.0 / if next < before { ATTACK } else { block.len() } as f32;
            for (n, sample) in (0u16..).zip(block.iter_mut()) {
                *sample *= before + (f32::from(n) * step).min(1.0) * (next - before);
            }
        } else if next != 1.0 {
            block.iter_mut().for_each(|sample| *sample *= next);
        }
        if peak * next.max(before) > CEILING {
            block.iter_mut().for_each(|sample| *sample = knee(*sample));
        }
    }
}

/// Bends whatever is above the ceiling so that it stays below one.
fn knee(sample: f32) -> f32 {
    let over = sample.abs() - CEILING;
    if over <= 0.0 {
        return sample;
    }
    let room = LOUDEST - CEILING;
    (CEILING + room * (over / room).tanh()).copysign(sample)
}

/// The level of a power, in dB.
pub(crate) fn decibels(power: f32) -> f32 {
    10.0 * power.max(1e-10).log10()
}

/// The power of a level in dB.
pub(crate) fn power(decibels: f32) -> f32 {
    10.0_f32.powf(0.1 * decibels)
}
