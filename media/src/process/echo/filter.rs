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
//!
//! A filter knows one [`Band`], and as many partitions of it as its type says, from one of them on.

use pulp::{Simd, WithSimd};

use super::lanes::{Band, Grid, LANES, Lanes, Pairs, Wide, WidePairs, Widest, parts};
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

/// The new half of a frame.
const NEW: f32 = BLOCK as f32 / super::spectrum::FRAME as f32;

/// The spectra of what was played lately, the newest first.
pub(in crate::process) struct Reference {
    spectra: Grid<Pairs, PARTITIONS>,
    newest: usize,
    before: Block,
    work: Spectrum,
    widest: Widest,
}

impl Reference {
    pub(in crate::process) fn new() -> Self {
        Self {
            spectra: Grid::filled(Band::WHOLE, Pairs::ZERO),
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

    /// The spectra of a band, group by group.
    #[inline(always)]
    fn groups(&self, band: Band) -> &[[Pairs; PARTITIONS]] {
        &self.spectra.groups()[band.groups()]
    }

    /// The spectra of a group, from the one that is `since` blocks old to older ones.
    #[inline(always)]
    fn since<'a>(&self, since: usize, group: &'a [Pairs; PARTITIONS]) -> impl Iterator<Item = &'a Pairs> {
        let (early, late) = group.split_at((self.newest + since) % PARTITIONS);
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

/// One estimate of the echo path in a band: of `P` partitions.
pub(in crate::process) struct Filter<const P: usize> {
    temper: Temper,
    /// The first of its partitions; a sound takes so many blocks at least.
    start: usize,
    weights: Grid<Pairs, P>,
    doubts: Grid<Lanes, P>,
    noise: Box<[Lanes]>,
    /// The power of the echo that may have been missed, as of the last step.
    doubted: Box<[Lanes]>,
    /// The partition that is made causal next.
    turn: usize,
}

impl<const P: usize> Filter<P> {
    pub(in crate::process) fn new(band: Band, temper: Temper) -> Self {
        let nothing: Box<[Lanes]> = vec![Lanes::ZERO; band.groups().len()].into();
        Self {
            temper,
            start: 0,
            weights: Grid::filled(band, Pairs::ZERO),
            doubts: Grid::filled(band, Lanes::all(FIRST_DOUBT)),
            noise: nothing.clone(),
            doubted: nothing,
            turn: 0,
        }
    }

    /// The spectrum of the echo that belongs to the newest block, in this band.
    pub(in crate::process) fn estimate(&self, reference: &Reference, into: &mut Spectrum) {
        reference.widest.run(Estimate { reference, filter: self, into });
    }

    /// Learns from the spectrum of what the estimate left over, behind a block of zeros.
    pub(in crate::process) fn adapt(&mut self, reference: &Reference, error: &Spectrum) {
        reference.widest.run(Step { reference, error, filter: self });
    }

    /// Keeps so many partitions, each in its turn, to what fits into a block.
    pub(in crate::process) fn keep_causal(
        &mut self,
        partitions: usize,
        work: &mut Spectrum,
        mut keep: impl FnMut(&mut Spectrum),
    ) {
        for _ in 0..partitions {
            self.weights.get(self.turn, work);
            keep(work);
            self.weights.set(self.turn, work);
            self.turn = (self.turn + 1) % P;
        }
    }

    /// The power of the echo that this filter may have missed, since its last step.
    pub(in crate::process) fn doubted(&self, into: &mut Bands) {
        for (into, doubted) in into[self.weights.band().bins()].chunks_mut(LANES).zip(&self.doubted) {
            doubted.put(into);
        }
    }

    /// Knows all that the other one knows, and is as sure of it.
    pub(in crate::process) fn become_like(&mut self, other: &Self) {
        self.doubts.copy_from(&other.doubts);
        self.doubted.copy_from_slice(&other.doubted);
        self.learn_from(other);
    }

    /// Knows all that the other one knows, and is as open to changes as before.
    pub(in crate::process) fn learn_from(&mut self, other: &Self) {
        self.weights.copy_from(&other.weights);
    }

    /// Knows what it knew, but is sure of nothing any more.
    pub(in crate::process) fn doubt_all(&mut self, reference: &Reference) {
        self.doubts.fill(Lanes::all(FIRST_DOUBT));
        let groups = reference.groups(self.weights.band());
        for (doubted, x) in self.doubted.iter_mut().zip(groups) {
            *doubted = Lanes::ZERO;
            reference.since(self.start, x).take(P).for_each(|x| *doubted += FIRST_DOUBT * x.power());
        }
    }

    /// Knows nothing any more.
    pub(in crate::process) fn forget(&mut self, reference: &Reference) {
        self.weights.fill(Pairs::ZERO);
        self.doubt_all(reference);
    }

    /// The same path, one block longer.
    pub(in crate::process) fn lengthen(&mut self) {
        if self.start + P < PARTITIONS {
            self.start += 1;
            return;
        }
        self.weights.rotate_later(1);
        self.doubts.rotate_later(1);
        self.weights.fill_partitions(0..1, Pairs::ZERO);
    }

    /// The power of each partition's weights.
    pub(in crate::process) fn strengths(&self) -> [f32; P] {
        let mut strengths = [0.0; P];
        for group in self.weights.groups() {
            for (strength, w) in strengths.iter_mut().zip(group) {
                *strength += w.power().sum();
            }
        }
        strengths
    }

    /// The first of its partitions.
    pub(in crate::process) fn start(&self) -> usize {
        self.start
    }

    /// Knows the path from another partition on: what it knew of those that stay, and nothing of the new ones.
    pub(in crate::process) fn move_to(&mut self, start: usize) {
        let by = start.abs_diff(self.start).min(P);
        let new = if start > self.start {
            self.weights.rotate_earlier(by);
            self.doubts.rotate_earlier(by);
            P - by..P
        } else {
            self.weights.rotate_later(by);
            self.doubts.rotate_later(by);
            0..by
        };
        self.weights.fill_partitions(new.clone(), Pairs::ZERO);
        self.doubts.fill_partitions(new, Lanes::all(FIRST_DOUBT));
        self.start = start;
    }
}

/// Adds up what becomes of each block that was played.
struct Estimate<'a, const P: usize> {
    reference: &'a Reference,
    filter: &'a Filter<P>,
    into: &'a mut Spectrum,
}

impl<const P: usize> WithSimd for Estimate<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { reference, filter, into } = self;
        let band = filter.weights.band();
        let groups = reference.groups(band).iter().zip(filter.weights.groups());
        for (nth, (x, w)) in band.groups().zip(groups) {
            let mut sums = Pairs::ZERO;
            for part in 0..parts::<S>() {
                let mut sum = WidePairs::zero(simd);
                for (x, w) in reference.since(filter.start, x).zip(w) {
                    let (x, w) = (x.wide(simd, part), w.wide(simd, part));
                    sum.re += x.re * w.re - x.im * w.im;
                    sum.im += x.re * w.im + x.im * w.re;
                }
                sums.set(part, sum);
            }
            sums.put(into, nth);
        }
    }
}

/// One step of the Kalman filter: first the error is divided by all the power that explains it.
struct Step<'a, const P: usize> {
    reference: &'a Reference,
    error: &'a Spectrum,
    filter: &'a mut Filter<P>,
}

impl<const P: usize> WithSimd for Step<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { reference, error, filter } = self;
        let Temper { memory, spread } = filter.temper;
        let (band, start) = (filter.weights.band(), filter.start);
        let all = |number| Wide::all(simd, number);
        let kept = memory * memory;
        let (own, shared) = (all((1.0 - kept) * (1.0 - spread)), all((1.0 - kept) * spread / P as f32));
        let (least_change, kept) = (all(LEAST_CHANGE * (1.0 - kept)), all(kept));
        let groups = reference.groups(band).iter().zip(filter.weights.groups_mut());
        let groups = groups.zip(filter.doubts.groups_mut()).zip(&mut filter.noise).zip(&mut filter.doubted);
        for (nth, ((((x, weights), doubts), noises), doubted)) in band.groups().zip(groups) {
            let errors = Pairs::of(error, nth);
            for part in 0..parts::<S>() {
                let mut e = errors.wide(simd, part);
                let (mut gain, mut change) = (all(0.0), all(0.0));
                for ((x, doubt), w) in reference.since(start, x).zip(doubts.iter()).zip(weights.iter()) {
                    gain += doubt.wide(simd, part) * x.wide(simd, part).power();
                    change += w.wide(simd, part).power();
                }
                let power = e.power();
                let noise = all(NOISE_MEMORY) * noises.wide(simd, part)
                    + all(1.0 - NOISE_MEMORY) * power
                    + all(INAUDIBLE);
                noises.set(part, noise);
                gain = (all(NEW) * gain + noise.max(power)).recip();
                (e.re, e.im) = (e.re * gain, e.im * gain);
                let change = shared * change + least_change;
                let mut missed = all(0.0);
                for ((x, weights), doubt) in
                    reference.since(start, x).zip(weights.iter_mut()).zip(doubts.iter_mut())
                {
                    let (x, p) = (x.wide(simd, part), doubt.wide(simd, part));
                    let mut w = weights.wide(simd, part);
                    let power = x.power();
                    w.re += p * (x.re * e.re + x.im * e.im);
                    w.im += p * (x.re * e.im - x.im * e.re);
                    weights.set(part, w);
                    let known = all(NEW) * p * power * gain;
                    let p = kept * (all(1.0) - known).max(all(0.0)) * p + own * w.power() + change;
                    doubt.set(part, p);
                    missed += p * power;
                }
                doubted.set(part, missed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::echo::spectrum::Transform;
    use crate::process::echo::tests::{Noise, power};

    type Whole = Filter<PARTITIONS>;

    const CAREFUL: Temper = Temper { memory: 0.9999, spread: 0.1 };

    /// A filter of all frequencies with what it needs.
    struct Bench {
        transform: Transform,
        reference: Reference,
        filter: Whole,
        work: Spectrum,
        echo: Block,
    }

    impl Bench {
        fn new(temper: Temper) -> Self {
            Self {
                transform: Transform::new(),
                reference: Reference::new(),
                filter: Filter::new(Band::WHOLE, temper),
                work: Spectrum::ZERO,
                echo: [0.0; BLOCK],
            }
        }

        fn estimate(&mut self) -> Block {
            self.filter.estimate(&self.reference, &mut self.work);
            self.transform.second_half(&self.work, &mut self.echo);
            self.echo
        }

        /// Plays a block and learns from what of the heard one is not expected.
        fn hear(&mut self, played: &Block, heard: &Block) -> Block {
            self.reference.push(&mut self.transform, played);
            let echo = self.estimate();
            let error = std::array::from_fn(|n| heard[n] - echo[n]);
            self.transform.analyse(&[0.0; BLOCK], &error, &mut self.work);
            self.filter.adapt(&self.reference, &self.work);
            let transform = &mut self.transform;
            self.filter.keep_causal(5, &mut self.work, |work| transform.keep_first_half(work));
            error
        }
    }

    fn error_after(blocks: usize, temper: Temper, gain: f32) -> f32 {
        let mut bench = Bench::new(temper);
        let (mut noise, mut before, mut error) = (Noise::new(1), [0.0; BLOCK], [0.0; BLOCK]);
        for _ in 0..blocks {
            let played = noise.block(0.1);
            // The path is a delay of one block.
            error = bench.hear(&played, &before.map(|sample| gain * sample));
            before = played;
        }
        10.0 * (power(&error) / (0.01 * gain * gain)).log10()
    }

    #[test]
    fn a_synthetic_path_is_learnt() {
        assert!(error_after(300, CAREFUL, 0.5) < -30.0);
        assert!(error_after(400, CAREFUL, 2.0) < -30.0);
        assert!(error_after(200, crate::process::echo::FAST, 0.5) < -20.0);
    }

    #[test]
    fn a_longer_path_is_the_same_path_later() {
        let mut bench = Bench::new(CAREFUL);
        let mut noise = Noise::new(1);
        for _ in 0..100 {
            let played = noise.block(0.1);
            bench.hear(&played, &played.map(|sample| 0.5 * sample));
        }
        let before = bench.estimate();
        bench.filter.lengthen();
        bench.reference.push(&mut bench.transform, &[0.0; BLOCK]);
        let after = bench.estimate();
        let apart = std::array::from_fn(|n| after[n] - before[n]);
        assert!(power(&apart) < 1e-3 * power(&before));
    }

    #[test]
    fn a_filter_that_moves_knows_of_what_stays_what_it_knew() {
        let mut filter = Filter::<4>::new(Band::LOW, CAREFUL);
        filter.move_to(10);
        for (nth, group) in filter.weights.groups_mut()[0].iter_mut().enumerate() {
            group.re = Lanes::all((nth + 1) as f32);
        }
        let roots = |filter: &Filter<4>| filter.strengths().map(|power| (power / 8.0).sqrt());
        filter.move_to(11);
        assert_eq!((filter.start(), roots(&filter)), (11, [2.0, 3.0, 4.0, 0.0]));
        filter.move_to(9);
        assert_eq!((filter.start(), roots(&filter)), (9, [0.0, 0.0, 2.0, 3.0]));
        filter.lengthen();
        assert_eq!((filter.start(), roots(&filter)), (10, [0.0, 0.0, 2.0, 3.0]));
        filter.move_to(30);
        assert_eq!((filter.start(), roots(&filter)), (30, [0.0; 4]));
    }
}
