//! What every sample goes through on its way in, and the one thing that is undone on its way out.
//!
//! ```text
//! Emphasis    samples ─► finite, within ±1 ─► high-pass ─► emphasis     Deemphasis    emphasis undone
//! ```
//!
//! Nothing below 80 Hz is speech, but much of it is rumble. The emphasis lifts the treble, so that speech has
//! about the same power at all frequencies: what leaks from the strong bass into the other bins of a short
//! spectrum would else hide the treble from the adaptive filter and from the suppressor.

use std::f64::consts::PI;

use crate::frame::{Block, SAMPLE_RATE};

/// Speech begins above this frequency, in hertz.
const LOWEST: f64 = 80.0;

/// The resonance of a Butterworth filter of the second order. The fourth would turn the phase of deep voices so
/// far that it can be heard (PESQ 4.40 in place of 4.47).
const RESONANCE: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// How much of the sample before is subtracted; undoes the fall of speech, about 6 dB for each octave.
const EMPHASIS: f32 = 0.9;

/// Smaller samples, far below what 24 bits can express, are silence: decaying filters would else produce
/// denormal numbers, which are slow.
const INAUDIBLE: f64 = 1e-9;

/// Prepares the sound of one side.
pub(in crate::process) struct Emphasis {
    high_pass: Section,
    before: f32,
}

impl Emphasis {
    pub(in crate::process) fn new() -> Self {
        Self { high_pass: Section::new(), before: 0.0 }
    }

    /// Prepares a block that somebody else still needs.
    pub(in crate::process) fn hear(&mut self, block: &Block, into: &mut Block) {
        *into = *block;
        self.hear_in_place(into);
    }

    /// Prepares a block.
    pub(in crate::process) fn hear_in_place(&mut self, block: &mut Block) {
        for sample in block {
            let sane = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            let high = self.high_pass.pass(f64::from(sane));
            let high = if high.abs() < INAUDIBLE { 0.0 } else { high as f32 };
            *sample = high - EMPHASIS * self.before;
            self.before = high;
        }
        self.high_pass.settle();
    }
}

/// Takes the emphasis out again.
pub(in crate::process) struct Deemphasis {
    before: f32,
}

impl Deemphasis {
    pub(in crate::process) fn new() -> Self {
        Self { before: 0.0 }
    }

    /// Makes a block sound as it should.
    pub(in crate::process) fn speak(&mut self, block: &mut Block) {
        for sample in block {
            self.before = *sample + EMPHASIS * self.before;
            *sample = self.before;
        }
    }
}

/// A high-pass filter of the second order, in the transposed direct form.
struct Section {
    gain: f64,
    back: [f64; 2],
    state: [f64; 2],
}

impl Section {
    /// The bilinear transform of the analogue filter.
    fn new() -> Self {
        let w = (PI * LOWEST / f64::from(SAMPLE_RATE)).tan();
        let norm = 1.0 / (1.0 + w / RESONANCE + w * w);
        let back = [2.0 * (w * w - 1.0) * norm, (1.0 - w / RESONANCE + w * w) * norm];
        Self { gain: norm, back, state: [0.0; 2] }
    }

    fn pass(&mut self, x: f64) -> f64 {
        let scaled = self.gain * x;
        let y = scaled + self.state[0];
        self.state[0] = self.state[1] - 2.0 * scaled - self.back[0] * y;
        self.state[1] = scaled - self.back[1] * y;
        y
    }

    /// Keeps a silent filter from decaying into denormal numbers; within a block it cannot decay so far.
    fn settle(&mut self) {
        for state in &mut self.state {
            *state = if state.abs() < INAUDIBLE * 1e-6 { 0.0 } else { *state };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::BLOCK;

    fn loudness_after(hertz: f32) -> f32 {
        let (mut ear, mut voice, mut power) = (Emphasis::new(), Deemphasis::new(), 0.0);
        for n in 0..100 {
            let mut block: Block = std::array::from_fn(|i| {
                (std::f32::consts::TAU * hertz * (n * BLOCK + i) as f32 / 48_000.0).sin()
            });
            ear.hear_in_place(&mut block);
            voice.speak(&mut block);
            if n >= 50 {
                power += block.iter().map(|x| x * x).sum::<f32>();
            }
        }
        10.0 * (power / (50 * BLOCK) as f32 * 2.0).log10()
    }

    #[test]
    fn rumble_goes_and_speech_stays() {
        assert!(loudness_after(20.0) < -20.0);
        assert!((loudness_after(80.0) + 3.0).abs() < 0.2);
        assert!(loudness_after(200.0).abs() < 0.2);
        assert!(loudness_after(5000.0).abs() < 0.2);
    }

    #[test]
    fn bad_samples_become_good_ones() {
        let mut ear = Emphasis::new();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9, f32::MIN_POSITIVE / 4.0] {
            let mut block = [bad; BLOCK];
            ear.hear_in_place(&mut block);
            assert!(block.iter().all(|x| x.abs() <= 4.0), "{bad}");
        }
    }

    #[test]
    fn silence_becomes_exactly_silent() {
        let mut ear = Emphasis::new();
        ear.hear_in_place(&mut [1.0; BLOCK]);
        let mut block = [0.0; BLOCK];
        for _ in 0..200 {
            block = [0.0; BLOCK];
            ear.hear_in_place(&mut block);
        }
        assert_eq!(block, [0.0; BLOCK]);
    }
}
