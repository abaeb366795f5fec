//! Spectra of 20 ms of sound, and the ways into and out of them.
//!
//! Everything here works on [`FRAME`] samples, two blocks of 10 ms, which give [`BINS`] frequencies 50 Hz
//! apart. There are two uses:
//!
//! ```text
//! overlap-save   [ old block | new block ] ──FFT──► × filter ──IFFT──► [ wrapped | valid ]
//! overlap-add    [ old block | new block ] ──window──FFT──► × gain ──IFFT──window──► + tail of the frame before
//! ```
//!
//! The first is exact and adds no delay (the adaptive filter), the second is smooth and adds one block (the
//! gains of the suppressor). The real and the imaginary part lie in separate arrays, so that the compiler can
//! work on several bins at once.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::lanes::Band;
use crate::frame::{BLOCK, Block};

/// Samples in one transform: the block before and the new one.
pub(in crate::process) const FRAME: usize = 2 * BLOCK;

/// Frequencies in one spectrum, 50 Hz apart, from zero to 24 kHz.
pub(in crate::process) const BINS: usize = BLOCK + 1;

/// Frequencies of the low band.
pub(in crate::process) const LOW_BINS: usize = Band::LOW.bins().end;

/// Samples in a transform of [`LOW_BINS`] frequencies and the one above them, which is left out.
const LOW_FRAME: usize = 2 * LOW_BINS;

/// One real number for each frequency: a power or a gain.
pub(in crate::process) type Bands = [f32; BINS];

/// One complex number for each frequency.
#[derive(Debug, Clone)]
pub(in crate::process) struct Spectrum {
    /// The real parts.
    pub(in crate::process) re: Bands,
    /// The imaginary parts.
    pub(in crate::process) im: Bands,
}

impl Spectrum {
    /// Silence.
    pub(in crate::process) const ZERO: Self = Self { re: [0.0; BINS], im: [0.0; BINS] };

    /// The power of bin `k`.
    pub(in crate::process) fn power(&self, k: usize) -> f32 {
        self.re[k] * self.re[k] + self.im[k] * self.im[k]
    }
}

/// The Fourier transforms, with all the memory that they need.
pub(in crate::process) struct Transform {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// The same for the low band alone, at a third of the rate.
    low: (Arc<dyn RealToComplex<f32>>, Arc<dyn ComplexToReal<f32>>),
    time: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    window: [f32; FRAME],
}

impl Transform {
    pub(in crate::process) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(FRAME);
        let inverse = planner.plan_fft_inverse(FRAME);
        let low = (planner.plan_fft_forward(LOW_FRAME), planner.plan_fft_inverse(LOW_FRAME));
        let scratch = [&forward, &low.0].map(|forward| forward.get_scratch_len());
        let scratch = scratch.into_iter().chain([&inverse, &low.1].map(|inverse| inverse.get_scratch_len()));
        let scratch = scratch.max().unwrap_or_default();
        // The square root of a Hann window, applied on the way in and on the way out: overlapping squares
        // add up to one.
        let window = std::array::from_fn(|n| (std::f32::consts::PI * (n as f32 + 0.5) / FRAME as f32).sin());
        Self {
            forward,
            inverse,
            low,
            time: vec![0.0; FRAME],
            bins: vec![Complex::default(); BINS],
            scratch: vec![Complex::default(); scratch],
            window,
        }
    }

    /// The spectrum of `old` followed by `new`.
    pub(in crate::process) fn analyse(&mut self, old: &Block, new: &Block, into: &mut Spectrum) {
        self.time[..BLOCK].copy_from_slice(old);
        self.time[BLOCK..].copy_from_slice(new);
        self.run_forward(into);
    }

    /// The spectrum of `old` followed by `new` under the window.
    pub(in crate::process) fn analyse_windowed(&mut self, old: &Block, new: &Block, into: &mut Spectrum) {
        self.time[..BLOCK].copy_from_slice(old);
        self.time[BLOCK..].copy_from_slice(new);
        for (sample, weight) in self.time.iter_mut().zip(&self.window) {
            *sample *= weight;
        }
        self.run_forward(into);
    }

    /// The second half of the frame whose spectrum this is: what overlap-save keeps.
    pub(in crate::process) fn second_half(&mut self, from: &Spectrum, into: &mut Block) {
        self.run_inverse(from);
        into.copy_from_slice(&self.time[BLOCK..]);
    }

    /// Makes `filter` the spectrum of an impulse response that fits into the first half of a frame.
    pub(in crate::process) fn keep_first_half(&mut self, filter: &mut Spectrum) {
        self.run_inverse(filter);
        self.time[BLOCK..].fill(0.0);
        self.run_forward(filter);
    }

    /// The same for what `filter` holds of the low band.
    pub(in crate::process) fn keep_first_half_low(&mut self, filter: &mut Spectrum) {
        const SCALE: f32 = 1.0 / LOW_FRAME as f32;
        let (time, bins) = (&mut self.time[..LOW_FRAME], &mut self.bins[..=LOW_BINS]);
        for ((bin, re), im) in bins.iter_mut().zip(&filter.re).zip(&filter.im) {
            *bin = Complex::new(re * SCALE, im * SCALE);
        }
        bins[0].im = 0.0;
        bins[LOW_BINS] = Complex::default();
        let (forward, inverse) = &self.low;
        // Fails only for slices of the wrong length, and ours are made for these transforms.
        let done = inverse.process_with_scratch(bins, time, &mut self.scratch);
        debug_assert!(done.is_ok());
        time[LOW_BINS..].fill(0.0);
        let done = forward.process_with_scratch(time, bins, &mut self.scratch);
        debug_assert!(done.is_ok());
        for ((bin, re), im) in bins[..LOW_BINS].iter().zip(&mut filter.re).zip(&mut filter.im) {
            *re = bin.re;
            *im = bin.im;
        }
    }

    /// Adds the windowed frame whose spectrum this is to `tail`: gives the finished block and keeps the new tail.
    pub(in crate::process) fn overlap_add(&mut self, from: &Spectrum, tail: &mut Block, into: &mut Block) {
        self.run_inverse(from);
        for (sample, weight) in self.time.iter_mut().zip(&self.window) {
            *sample *= weight;
        }
        for ((out, old), new) in into.iter_mut().zip(tail.iter()).zip(&self.time) {
            *out = old + new;
        }
        tail.copy_from_slice(&self.time[BLOCK..]);
    }

    fn run_forward(&mut self, into: &mut Spectrum) {
        // Fails only for slices of the wrong length, and ours are made for this transform.
        let done = self.forward.process_with_scratch(&mut self.time, &mut self.bins, &mut self.scratch);
        debug_assert!(done.is_ok());
        for ((bin, re), im) in self.bins.iter().zip(&mut into.re).zip(&mut into.im) {
            *re = bin.re;
            *im = bin.im;
        }
    }

    fn run_inverse(&mut self, from: &Spectrum) {
        const SCALE: f32 = 1.0 / FRAME as f32;
        for ((bin, re), im) in self.bins.iter_mut().zip(&from.re).zip(&from.im) {
            *bin = Complex::new(re * SCALE, im * SCALE);
        }
        // The first and the last bin of a real signal are real; the transform refuses anything else.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        let done = self.inverse.process_with_scratch(&mut self.bins, &mut self.time, &mut self.scratch);
        debug_assert!(done.is_ok());
    }
}
