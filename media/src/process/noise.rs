//! How loud the noise of the room is, at each frequency.
//!
//! Speech pauses in every bin many times in a second, noise does not: the least that a smoothed power was in the
//! last 1.6 s is noise, and a constant factor lower than its mean. R. Martin: "Noise power spectral density
//! estimation based on optimal smoothing and minimum statistics", IEEE Trans. Speech and Audio Processing 9
//! (2001). As there, the power is smoothed the less, the farther it is from the floor; unlike there, the factor
//! between the least and the mean is a constant, found with white noise. The echo is taken out before, so that
//! only what is left of it must pause.

use crate::process::echo::spectrum::{BINS, Bands, Spectrum};

/// What is remembered of a bin's power from frame to frame, when it is near the floor: 100 ms, …
const MEMORY: f32 = 0.9;

/// … and when it is far from it: 10 ms, so that a short pause is seen at all.
const LEAST_MEMORY: f32 = 0.3;

/// The least of how many stretches is the floor.
const STRETCHES: usize = 8;

/// Frames in a stretch: 200 ms.
const STRETCH: usize = 20;

/// How much greater the mean is than the least of the smoothed power of noise, 5.4 dB.
const MEAN_OVER_LEAST: f32 = 3.5;

/// How fast the floor follows in each frame, so that the gains do not jump: within 100 ms.
const STEP: f32 = 0.1;

/// Power of a bin that nobody hears; keeps the smoothed powers away from denormal numbers.
const INAUDIBLE: f32 = 1e-9;

/// Tracks the noise floor.
pub(in crate::process) struct Floor {
    smooth: Bands,
    /// The least of this stretch.
    least: Bands,
    /// The least of each of the stretches before, and of all of them.
    leasts: [Bands; STRETCHES],
    least_before: Bands,
    stretch: usize,
    frames: usize,
    power: Bands,
}

impl Floor {
    pub(in crate::process) fn new() -> Self {
        Self {
            smooth: [0.0; BINS],
            least: [0.0; BINS],
            leasts: [[0.0; BINS]; STRETCHES],
            least_before: [0.0; BINS],
            stretch: 0,
            frames: 0,
            power: [0.0; BINS],
        }
    }

    /// The noise's mean power.
    pub(in crate::process) fn power(&self) -> &Bands {
        &self.power
    }

    /// Takes the next frame.
    pub(in crate::process) fn hear(&mut self, frame: &Spectrum) {
        for k in 0..BINS {
            let above = self.smooth[k] / (self.power[k] + INAUDIBLE) - 1.0;
            let memory = (MEMORY / (1.0 + above * above)).max(LEAST_MEMORY);
            self.smooth[k] += (1.0 - memory) * (frame.power(k) + INAUDIBLE - self.smooth[k]);
            self.least[k] = self.least[k].min(self.smooth[k]);
        }
        self.frames += 1;
        if self.frames == STRETCH {
            self.frames = 0;
            self.leasts[self.stretch] = self.least;
            self.stretch = (self.stretch + 1) % STRETCHES;
            self.least = self.smooth;
            self.least_before = self.leasts[0];
            for stretch in &self.leasts[1..] {
                for (least, other) in self.least_before.iter_mut().zip(stretch) {
                    *least = least.min(*other);
                }
            }
        }
        for k in 0..BINS {
            let least = self.least[k].min(self.least_before[k]);
            self.power[k] += STEP * (MEAN_OVER_LEAST * least - self.power[k]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::echo::spectrum::Transform;
    use crate::process::echo::tests::Noise;

    fn floor_after(frames: usize, loudness: impl Fn(usize) -> f32) -> f32 {
        let (mut transform, mut floor, mut noise) = (Transform::new(), Floor::new(), Noise::new(5));
        let (mut before, mut frame) = ([0.0; crate::frame::BLOCK], Spectrum::ZERO);
        for n in 0..frames {
            let block = noise.block(loudness(n));
            transform.analyse_windowed(&before, &block, &mut frame);
            floor.hear(&frame);
            before = block;
        }
        // A windowed frame of noise has half the energy of the frame.
        let mean = floor.power().iter().sum::<f32>() / BINS as f32;
        10.0 * (mean / crate::frame::BLOCK as f32).log10()
    }

    #[test]
    fn steady_noise_is_the_floor() {
        assert!((floor_after(400, |_| 0.01) + 40.0).abs() < 2.0);
    }

    #[test]
    fn what_pauses_is_no_noise() {
        let speech = |n: usize| if n % 80 < 50 { 0.1 } else { 0.001 };
        assert!(floor_after(400, speech) < -55.0);
    }

    #[test]
    fn louder_noise_becomes_the_floor_within_four_seconds() {
        assert!((floor_after(700, |n| if n < 300 { 0.001 } else { 0.01 }) + 40.0).abs() < 2.0);
    }
}
