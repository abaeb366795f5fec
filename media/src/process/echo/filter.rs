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

use pulp::NullaryFnOnce;

use super::lanes::{GROUPS, Grid, LANES, Lanes, Pairs, Widest};
use super::spectrum::{Bands, Spectrum, Transform};
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
/// the whole filter and converges no better. Two at once would save a tenth of the canceller, for one decibel of an echo that
/// is 54 down, but a path that grows longer is then not quite the same path any more.
const CAUSAL_AT_ONCE: usize = 5;

/// The new half of a frame.
const NEW: f32 = BLOCK as f32 / super::spectrum::FRAME as f32;

/// The spectra of what was played lately, the newest first.
pub(in crate::process) struct Reference {
    spectra: Grid<Pairs>,
    newest: usize,
    before: Block,
    work: Spectrum,
    widest: Widest,
}

impl Reference {
    pub(in crate::process) fn new() -> Self {
        Self {
            spectra: Grid::filled(Pairs::ZERO),
            newest: 0,
            before: [0.0; BLOCK],
            work: Spectrum::ZERO,
            widest: Widest::new(),
        }
    }

    /// Takes the next played block.
    pub(in crate::process) fn push(&mut self, transform: &mut Transform, played: &Block) {
        self.newest = (self.newest + PARTITIONS - 1) % PARTITIONS;
        transform.analyse(&self.before, played, &mut self.work);
        self.spectra.set(self.newest, &self.work);
        self.before = *played;
    }

    /// The power of everything that may still echo.
    pub(in crate::process) fn power(&self, into: &mut Bands) {
        for (spectra, into) in self.spectra.groups().iter().zip(into.chunks_mut(LANES)) {
            let mut sum = Lanes::ZERO;
            spectra.iter().for_each(|x| sum += x.power());
            sum.put(into);
        }
    }

    #[inline(always)]
    fn newest_first<'a>(&self, group: &'a [Pairs; PARTITIONS]) -> impl Iterator<Item = &'a Pairs> {
        let (early, late) = group.split_at(self.newest);
        late.iter().chain(early)
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
    weights: Grid<Pairs>,
    doubts: Grid<Lanes>,
    noise: [Lanes; GROUPS],
    /// The power of the echo that may have been missed, as of the last step.
    doubted: [Lanes; GROUPS],
    /// The spectrum of the echo, then of the error, then of weights.
    work: Spectrum,
    /// The partition that is made causal next.
    turn: usize,
}

impl Filter {
    pub(in crate::process) fn new(temper: Temper) -> Self {
        Self {
            temper,
            weights: Grid::filled(Pairs::ZERO),
            doubts: Grid::filled(Lanes::all(FIRST_DOUBT)),
            noise: [Lanes::ZERO; GROUPS],
            doubted: [Lanes::ZERO; GROUPS],
            work: Spectrum::ZERO,
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
        let weights = &self.weights;
        reference.widest.run(Estimate { reference, weights, into: &mut self.work });
        transform.second_half(&self.work, echo);
    }

    /// Learns from what the estimate left over.
    pub(in crate::process) fn adapt(
        &mut self,
        reference: &Reference,
        transform: &mut Transform,
        error: &Block,
    ) {
        transform.analyse(&[0.0; BLOCK], error, &mut self.work);
        reference.widest.run(Step { reference, filter: self });
        for _ in 0..CAUSAL_AT_ONCE {
            self.weights.get(self.turn, &mut self.work);
            transform.keep_first_half(&mut self.work);
            self.weights.set(self.turn, &self.work);
            self.turn = (self.turn + 1) % PARTITIONS;
        }
    }

    /// The power of the echo that this filter may have missed, since its last step.
    pub(in crate::process) fn doubted(&self, into: &mut Bands) {
        for (into, doubted) in into.chunks_mut(LANES).zip(&self.doubted) {
            doubted.put(into);
        }
    }

    /// Knows all that the other one knows, and is as sure of it.
    pub(in crate::process) fn become_like(&mut self, other: &Self) {
        self.doubts.copy_from(&other.doubts);
        self.doubted = other.doubted;
        self.learn_from(other);
    }

    /// Knows all that the other one knows, and is as open to changes as before.
    pub(in crate::process) fn learn_from(&mut self, other: &Self) {
        self.weights.copy_from(&other.weights);
    }

    /// Knows nothing any more.
    pub(in crate::process) fn forget(&mut self, reference: &Reference) {
        self.weights.fill(Pairs::ZERO);
        self.doubts.fill(Lanes::all(FIRST_DOUBT));
        for (doubted, x) in self.doubted.iter_mut().zip(reference.spectra.groups()) {
            *doubted = Lanes::ZERO;
            reference.newest_first(x).for_each(|x| *doubted += FIRST_DOUBT * x.power());
        }
    }

    /// The same path, one block longer.
    pub(in crate::process) fn lengthen(&mut self) {
        self.weights.rotate();
        self.doubts.rotate();
        self.weights.set(0, &Spectrum::ZERO);
    }
}

/// Adds up what becomes of each block that was played.
struct Estimate<'a> {
    reference: &'a Reference,
    weights: &'a Grid<Pairs>,
    into: &'a mut Spectrum,
}

impl NullaryFnOnce for Estimate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let groups = self.reference.spectra.groups().iter().zip(self.weights.groups());
        for (nth, (x, w)) in groups.enumerate() {
            let mut sum = Pairs::ZERO;
            for (x, w) in self.reference.newest_first(x).zip(w) {
                sum.re += x.re * w.re - x.im * w.im;
                sum.im += x.re * w.im + x.im * w.re;
            }
            sum.put(self.into, nth);
        }
    }
}

/// One step of the Kalman filter: first the error is divided by all the power that explains it.
struct Step<'a> {
    reference: &'a Reference,
    filter: &'a mut Filter,
}

impl NullaryFnOnce for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { reference, filter } = self;
        let Temper { memory, spread } = filter.temper;
        let kept = memory * memory;
        let (own, shared) = ((1.0 - kept) * (1.0 - spread), (1.0 - kept) * spread / PARTITIONS as f32);
        let groups = reference.spectra.groups().iter().zip(filter.weights.groups_mut());
        let groups = groups.zip(filter.doubts.groups_mut()).zip(&mut filter.noise).zip(&mut filter.doubted);
        for (nth, ((((x, weights), doubts), noise), doubted)) in groups.enumerate() {
            let mut e = Pairs::of(&filter.work, nth);
            let (mut gain, mut change) = (Lanes::ZERO, Lanes::ZERO);
            for ((x, doubt), w) in reference.newest_first(x).zip(doubts.iter()).zip(weights.iter()) {
                gain += *doubt * x.power();
                change += w.power();
            }
            let power = e.power();
            *noise = NOISE_MEMORY * *noise + (1.0 - NOISE_MEMORY) * power + Lanes::all(INAUDIBLE);
            gain = (NEW * gain + noise.max(power)).recip();
            e.re *= gain;
            e.im *= gain;
            let mut missed = Lanes::ZERO;
            for ((x, w), doubt) in reference.newest_first(x).zip(weights).zip(doubts) {
                let (p, power) = (*doubt, x.power());
                w.re += p * (x.re * e.re + x.im * e.im);
                w.im += p * (x.re * e.im - x.im * e.re);
                let known = NEW * p * power * gain;
                *doubt = kept * (Lanes::all(1.0) - known).max(Lanes::ZERO) * p
                    + own * w.power()
                    + shared * change
                    + Lanes::all(LEAST_CHANGE * (1.0 - kept));
                missed += *doubt * power;
            }
            *doubted = missed;
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
