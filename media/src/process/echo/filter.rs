//! The adaptive filter: what the loudspeaker's sound becomes on its way to the microphone.
//!
//! ```text
//! played ─FFT─► X₀ ─► X₁ ─► … ─► X₃₉        (one block of delay each: Reference)
//!               ×W₀   ×W₁        ×W₃₉       echo = Σ Xₚ·Wₚ
//! ```
//!
//! The echo path is cut into blocks of 10 ms, each a filter in the frequency domain (overlap-save). How it
//! learns is a Kalman filter for each bin, whose state is the path and whose observation is the microphone:
//! each weight has a variance, its *doubt* P, so the step is great where little is known and the far end is
//! loud, and small where the near end speaks:
//!
//! ```text
//! step     Wₚ += Pₚ·Xₚ*·E / (½·Σ Pq·|Xq|² + N)          E error, N power of all that is not echo
//! doubt    Pₚ  = A²·(1 − ½·Pₚ·|Xₚ|² / (½·Σ Pq·|Xq|² + N))·Pₚ + (1 − A²)·|Wₚ|²
//! ```
//!
//! G. Enzner, P. Vary: "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free
//! telephones", Signal Processing 86 (2006). F. Kuech, E. Mabande, G. Enzner: "State-space architecture of the
//! partitioned-block-based acoustic echo controller", ICASSP 2014. The factor ½ is theirs: a frame holds a
//! block of zeros beside the block of error. Departures from the papers: N follows an outburst at once but
//! forgets it slowly, and each filter is kept to 10 ms by a few partitions per block in turn.

use super::spectrum::{BINS, Bands, Spectrum, Transform};
use crate::frame::{BLOCK, Block};

/// Blocks of echo path that are known: 400 ms for the devices' buffers and the room together. With 250 ms the
/// filter is faster by a third, but knows no wireless loudspeaker.
pub(in crate::process) const PARTITIONS: usize = 40;

/// Variance of each weight before anything is known: as if the path passed a little more than all
/// of the sound, spread evenly.
/// More converges sooner but rings at first, less misses loud echoes.
const FIRST_DOUBT: f32 = 0.03;

/// A path is never so sure that it could not change: the smallest variance that is added in each block.
const LEAST_CHANGE: f32 = 1e-9;

/// How much of the noise power is remembered from block to block. Short: speech changes within 20 ms.
const NOISE_MEMORY: f32 = 0.5;

/// Power of a bin at which the step is halved, -105 dBFS: silence teaches nothing, and divides nothing by zero.
const INAUDIBLE: f32 = 1e-7;

/// Partitions made causal in each block; all of them within eight blocks. All at once costs twice the time of
/// the whole filter and converges no better.
const CAUSAL_AT_ONCE: usize = 5;

/// The new half of a frame.
const NEW: f32 = BLOCK as f32 / super::spectrum::FRAME as f32;

/// The spectra of what was played lately, the newest first.
pub(in crate::process) struct Reference {
    spectra: Vec<Spectrum>,
    powers: Vec<Bands>,
    newest: usize,
    before: Block,
}

impl Reference {
    pub(in crate::process) fn new() -> Self {
        Self {
            spectra: vec![Spectrum::ZERO; PARTITIONS],
            powers: vec![[0.0; BINS]; PARTITIONS],
            newest: 0,
            before: [0.0; BLOCK],
        }
    }

    /// Takes the next played block.
    pub(in crate::process) fn push(&mut self, transform: &mut Transform, played: &Block) {
        self.newest = (self.newest + PARTITIONS - 1) % PARTITIONS;
        let spectrum = &mut self.spectra[self.newest];
        transform.analyse(&self.before, played, spectrum);
        for (k, power) in self.powers[self.newest].iter_mut().enumerate() {
            *power = spectrum.power(k);
        }
        self.before = *played;
    }

    /// The power of everything that may still echo.
    pub(in crate::process) fn power(&self, into: &mut Bands) {
        into.fill(0.0);
        for power in &self.powers {
            for (sum, p) in into.iter_mut().zip(power) {
                *sum += p;
            }
        }
    }

    fn newest_first(&self) -> impl Iterator<Item = (&Spectrum, &Bands)> {
        let order = (self.newest..PARTITIONS).chain(0..self.newest);
        order.map(|at| (&self.spectra[at], &self.powers[at]))
    }
}

/// How a filter believes that the path changes.
#[derive(Debug, Clone, Copy)]
pub(in crate::process) struct Temper {
    /// A: how much of the path is the same one block later.
    pub(in crate::process) memory: f32,
    /// Which part of the change is spread over all partitions; the rest happens where the path is strong.
    pub(in crate::process) spread: f32,
}

/// One estimate of the echo path.
pub(in crate::process) struct Filter {
    temper: Temper,
    weights: Vec<Spectrum>,
    doubts: Vec<Bands>,
    noise: Bands,
    /// The spectrum of the echo, then of the error.
    work: Spectrum,
    gain: Bands,
    change: Bands,
    /// The partition that is made causal next.
    turn: usize,
}

impl Filter {
    pub(in crate::process) fn new(temper: Temper) -> Self {
        Self {
            temper,
            weights: vec![Spectrum::ZERO; PARTITIONS],
            doubts: vec![[FIRST_DOUBT; BINS]; PARTITIONS],
            noise: [0.0; BINS],
            work: Spectrum::ZERO,
            gain: [0.0; BINS],
            change: [0.0; BINS],
            turn: 0,
        }
    }

    /// The echo that belongs to the newest block.
    pub(in crate::process) fn estimate(
        &mut self,
        reference: &Reference,
        transform: &mut Transform,
        echo: &mut Block,
    ) {
        let sum = &mut self.work;
        *sum = Spectrum::ZERO;
        for ((x, _), w) in reference.newest_first().zip(&self.weights) {
            for k in 0..BINS {
                sum.re[k] += x.re[k] * w.re[k] - x.im[k] * w.im[k];
                sum.im[k] += x.re[k] * w.im[k] + x.im[k] * w.re[k];
            }
        }
        transform.second_half(sum, echo);
    }

    /// Learns from what the estimate left over.
    pub(in crate::process) fn adapt(
        &mut self,
        reference: &Reference,
        transform: &mut Transform,
        error: &Block,
    ) {
        transform.analyse(&[0.0; BLOCK], error, &mut self.work);
        self.weigh(reference);
        self.step(reference);
        for _ in 0..CAUSAL_AT_ONCE {
            transform.keep_first_half(&mut self.weights[self.turn]);
            self.turn = (self.turn + 1) % PARTITIONS;
        }
    }

    /// The power of the echo that this filter may have missed.
    pub(in crate::process) fn doubted(&self, reference: &Reference, into: &mut Bands) {
        into.fill(0.0);
        for ((_, power), doubt) in reference.newest_first().zip(&self.doubts) {
            for k in 0..BINS {
                into[k] += doubt[k] * power[k];
            }
        }
    }

    /// Knows all that the other one knows, and is as sure of it.
    pub(in crate::process) fn become_like(&mut self, other: &Self) {
        self.doubts.copy_from_slice(&other.doubts);
        self.learn_from(other);
    }

    /// Knows all that the other one knows, and is as open to changes as before.
    pub(in crate::process) fn learn_from(&mut self, other: &Self) {
        self.weights.clone_from_slice(&other.weights);
    }

    /// Knows nothing any more.
    pub(in crate::process) fn forget(&mut self) {
        self.weights.fill(Spectrum::ZERO);
        self.doubts.fill([FIRST_DOUBT; BINS]);
    }

    /// The same path, one block longer.
    pub(in crate::process) fn lengthen(&mut self) {
        self.weights.rotate_right(1);
        self.doubts.rotate_right(1);
        self.weights[0] = Spectrum::ZERO;
    }

    /// Divides the error by all the power that explains it.
    fn weigh(&mut self, reference: &Reference) {
        let (e, gain, change) = (&mut self.work, &mut self.gain, &mut self.change);
        gain.fill(0.0);
        change.fill(0.0);
        for (((_, power), doubt), w) in reference.newest_first().zip(&self.doubts).zip(&self.weights) {
            for k in 0..BINS {
                gain[k] += doubt[k] * power[k];
                change[k] += w.power(k);
            }
        }
        for (k, (gain, noise)) in gain.iter_mut().zip(&mut self.noise).enumerate() {
            let power = e.power(k);
            *noise = NOISE_MEMORY * *noise + (1.0 - NOISE_MEMORY) * power + INAUDIBLE;
            *gain = 1.0 / (NEW * *gain + noise.max(power));
            e.re[k] *= *gain;
            e.im[k] *= *gain;
        }
    }

    /// One step of the Kalman filter.
    fn step(&mut self, reference: &Reference) {
        let Temper { memory, spread } = self.temper;
        let kept = memory * memory;
        let (own, shared) = ((1.0 - kept) * (1.0 - spread), (1.0 - kept) * spread / PARTITIONS as f32);
        let (e, gain, change) = (&self.work, &self.gain, &self.change);
        let partitions = self.weights.iter_mut().zip(&mut self.doubts);
        for ((x, power), (w, doubt)) in reference.newest_first().zip(partitions) {
            for k in 0..BINS {
                let p = doubt[k];
                w.re[k] += p * (x.re[k] * e.re[k] + x.im[k] * e.im[k]);
                w.im[k] += p * (x.re[k] * e.im[k] - x.im[k] * e.re[k]);
                let known = NEW * p * power[k] * gain[k];
                doubt[k] = kept * (1.0 - known).max(0.0) * p
                    + own * w.power(k)
                    + shared * change[k]
                    + LEAST_CHANGE * (1.0 - kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::echo::tests::{Noise, power};

    fn error_after(blocks: usize, temper: Temper, gain: f32) -> f32 {
        let (mut transform, mut reference, mut filter) =
            (Transform::new(), Reference::new(), Filter::new(temper));
        let (mut noise, mut heard, mut echo, mut error) =
            (Noise::new(1), [0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        for _ in 0..blocks {
            let played = noise.block(0.1);
            reference.push(&mut transform, &played);
            filter.estimate(&reference, &mut transform, &mut echo);
            // The path is a delay of one block.
            error = std::array::from_fn(|n| gain * heard[n] - echo[n]);
            filter.adapt(&reference, &mut transform, &error);
            heard = played;
        }
        10.0 * (power(&error) / (0.01 * gain * gain)).log10()
    }

    #[test]
    fn a_synthetic_path_is_learnt() {
        let slow = Temper { memory: 0.9999, spread: 0.1 };
        assert!(error_after(300, slow, 0.5) < -30.0);
        assert!(error_after(400, slow, 2.0) < -30.0);
        assert!(error_after(200, crate::process::echo::FAST, 0.5) < -20.0);
    }

    #[test]
    fn a_longer_path_is_the_same_path_later() {
        let (mut transform, mut reference) = (Transform::new(), Reference::new());
        let mut filter = Filter::new(Temper { memory: 0.9999, spread: 0.1 });
        let (mut noise, mut before, mut after) = (Noise::new(1), [0.0; BLOCK], [0.0; BLOCK]);
        for _ in 0..100 {
            let played = noise.block(0.1);
            reference.push(&mut transform, &played);
            filter.estimate(&reference, &mut transform, &mut before);
            let error = std::array::from_fn(|n| 0.5 * played[n] - before[n]);
            filter.adapt(&reference, &mut transform, &error);
        }
        filter.estimate(&reference, &mut transform, &mut before);
        filter.lengthen();
        reference.push(&mut transform, &[0.0; BLOCK]);
        filter.estimate(&reference, &mut transform, &mut after);
        let apart = std::array::from_fn(|n| after[n] - before[n]);
        assert!(power(&apart) < 1e-3 * power(&before));
    }
}
