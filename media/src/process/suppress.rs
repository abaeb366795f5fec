//! The suppressor: turns down what is more echo or noise than speech.
//!
//! ```text
//! error ─► × gain ─► + comfort noise ─► overlap-add ─► out
//!            ▲
//!   residual echo, noise floor, whether the near end is there
//! ```
//!
//! Each bin gets the gain of a Wiener filter, whose signal-to-noise ratio is estimated "decision-directed" from
//! the frame before and from this one: Y. Ephraim, D. Malah: "Speech enhancement using a minimum mean-square
//! error short-time spectral amplitude estimator", IEEE Trans. ASSP 32 (1984). Echo and noise are one
//! disturbance here, as in S. Gustafsson, R. Martin, P. Jax, P. Vary: "A psychoacoustic approach to combined
//! acoustic echo cancellation and noise reduction", IEEE Trans. Speech and Audio Processing 10 (2002), but with
//! a floor of their own each: noise is turned down gently, so that the room stays audible, and echo as far as
//! the same noise allows. Where a gain digs deeper than the noise, comfort noise fills the hole.

use crate::frame::Block;
use crate::process::echo::Left;
use crate::process::echo::spectrum::{BINS, Bands, Spectrum, Transform};

/// What remains of noise, as power: -18 dB.
const NOISE_FLOOR: f32 = 0.015_8;

/// What remains of echo, as power: -40 dB.
const ECHO_FLOOR: f32 = 1e-4;

/// How much the residual echo is overestimated while the near end is silent: what slips through would be a
/// chirp in silence.
const ECHO_ALONE: f32 = 12.0;

/// How it is underestimated while the near end speaks, which masks it.
const ECHO_MASKED: f32 = 0.8;

/// How much of the signal-to-noise ratio comes from the frame before, while the near end speaks. Less than the
/// usual 0.98, because our frames are 10 ms apart and the beginnings of sounds matter more than the last noise.
const DIRECTED: f32 = 0.8;

/// The same while it is silent: nearly everything, or single bins of noise would twitter.
const DIRECTED_ALONE: f32 = 0.96;

/// The bins of speech, 300 Hz to 5 kHz, that tell whether the near end is there.
const SPEECH: std::ops::Range<usize> = 6..100;

/// The mean amplitude over the expected one that is surely speech; one is none.
const SURELY_SPEECH: f32 = 2.5;

/// One loud bin is no speech: more than this amplitude over the expected one does not count.
const LOUDEST_VOTE: f32 = 10.0;

/// How fast the near end comes, and goes again, in each frame: within 20 ms, and 100 ms.
const COMES: f32 = 0.5;
const GOES: f32 = 0.1;

/// Power of a bin that nobody hears; divides nothing by zero.
const INAUDIBLE: f32 = 1e-10;

/// Whether the near end speaks, from 0 (surely not) to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(in crate::process) struct Presence(pub(in crate::process) f32);

/// Turns down residual echo and noise.
pub(in crate::process) struct Suppressor {
    /// The power of what was taken for speech in the frame before.
    speech: Bands,
    gain: Bands,
    presence: f32,
    comfort: Dice,
    tail: Block,
}

impl Suppressor {
    pub(in crate::process) fn new() -> Self {
        Self {
            speech: [0.0; BINS],
            gain: [1.0; BINS],
            presence: 0.0,
            comfort: Dice(0x9e37_79b9),
            tail: [0.0; crate::frame::BLOCK],
        }
    }

    /// Leaves the speech in a frame.
    pub(in crate::process) fn suppress(&mut self, left: &mut Left, noise: &Bands) -> Presence {
        self.watch(left, noise);
        self.weigh(left, noise);
        self.apply(&mut left.error, noise);
        Presence(self.presence)
    }

    /// The sound of a frame: the block that the frame before began.
    pub(in crate::process) fn speak(
        &mut self,
        transform: &mut Transform,
        frame: &Spectrum,
        into: &mut Block,
    ) {
        transform.overlap_add(frame, &mut self.tail, into);
    }

    /// Finds out whether the near end speaks.
    fn watch(&mut self, left: &Left, noise: &Bands) {
        let votes = SPEECH.map(|k| {
            let expected = left.residual[k] + noise[k] + INAUDIBLE;
            (left.error.power(k) / expected).sqrt().min(LOUDEST_VOTE)
        });
        let mean = votes.sum::<f32>() / SPEECH.len() as f32;
        let now = ((mean - 1.0) / (SURELY_SPEECH - 1.0)).clamp(0.0, 1.0);
        let step = if now > self.presence { COMES } else { GOES };
        self.presence += step * (now - self.presence);
    }

    /// Chooses the gains.
    fn weigh(&mut self, left: &Left, noise: &Bands) {
        let between = |alone: f32, beside_speech: f32| alone + (beside_speech - alone) * self.presence;
        let echo = between(ECHO_ALONE, ECHO_MASKED);
        let directed = between(DIRECTED_ALONE, DIRECTED);
        for k in 0..BINS {
            let (power, residual, noise) = (left.error.power(k), left.residual[k], noise[k] + INAUDIBLE);
            let disturbance = echo * residual + noise;
            let now = (power / disturbance - 1.0).max(0.0);
            let ratio = directed * self.speech[k] / disturbance + (1.0 - directed) * now;
            // Only what noise has of the disturbance may stay like noise; comfort noise fills the rest.
            let share = noise / (noise + residual);
            let floor = NOISE_FLOOR * share * share + ECHO_FLOOR;
            self.gain[k] = (ratio / (1.0 + ratio)).max(floor.sqrt());
            self.speech[k] = self.gain[k] * self.gain[k] * power;
        }
    }

    /// Applies the gains, each mixed with its neighbours', and fills the holes.
    fn apply(&mut self, frame: &mut Spectrum, noise: &Bands) {
        let mut below = self.gain[0];
        for (k, noise) in noise.iter().enumerate() {
            let above = self.gain[(k + 1).min(BINS - 1)];
            let gain = 0.25 * below + 0.5 * self.gain[k] + 0.25 * above;
            below = self.gain[k];
            // Half of the missing power for each of the real and the imaginary part.
            let comfort = (0.5 * noise * (NOISE_FLOOR - gain * gain).max(0.0)).sqrt();
            frame.re[k] *= gain;
            frame.im[k] *= gain;
            if comfort > 0.0 {
                frame.re[k] += comfort * self.comfort.roll();
                frame.im[k] += comfort * self.comfort.roll();
            }
        }
    }
}

/// Comfort noise: numbers of mean 0 and variance 1. (Marsaglia's xorshift; the same in each call, on purpose.)
struct Dice(u32);

impl Dice {
    fn roll(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 as f32 / u32::MAX as f32 - 0.5) * 12.0_f32.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level of a frame of level 0 dB after a while beside this much echo and noise.
    fn level_beside(residual: f32, noise: f32) -> f32 {
        let mut suppressor = Suppressor::new();
        let mut power = 0.0;
        for _ in 0..50 {
            let mut error = Spectrum::ZERO;
            error.re = [1.0; BINS];
            let mut left = Left { error, residual: [residual; BINS] };
            suppressor.suppress(&mut left, &[noise; BINS]);
            power = (0..BINS).map(|k| left.error.power(k)).sum::<f32>() / BINS as f32;
        }
        10.0 * power.log10()
    }

    #[test]
    fn speech_alone_passes_untouched() {
        assert!(level_beside(0.0, 1e-4).abs() < 0.1);
    }

    #[test]
    fn noise_alone_is_turned_down_gently() {
        assert!((level_beside(0.0, 1.0) + 18.0).abs() < 1.0);
    }

    #[test]
    fn echo_alone_becomes_inaudible() {
        assert!(level_beside(1.0, 1e-6) < -38.0);
    }

    #[test]
    fn a_hole_in_the_noise_is_filled() {
        let level = level_beside(1.0, 0.1);
        assert!((level + 28.0).abs() < 1.5, "{level}");
    }
}
