//! The echo canceller: takes out of the microphone what the loudspeaker put into it.
//!
//! ```text
//! played ─► Reference ─┬─► slow Filter ─┬─► error ─┐
//!                      ├─► fast Filter ─│┬► error ─┴─► Mix (per bin) ─► error ──────────► Left
//!                      └─► High ────────┴┘     ▲                          │
//! heard ───► − both ──────────────────────► Contest                   Residual ─► what of it is still echo
//!                                      (who learns from whom)
//! ```
//!
//! Two filters watch the same path: the slow one trusts what it knows, so that it stays right while both ends
//! talk; the fast one follows a path that changes (somebody moves, the device's delay jumps, two clocks drift).
//! Each bin gets the mixture that leaves least, and the one that is clearly better teaches the other. Nothing
//! of this adds delay; [`Left`] is the spectrum of a windowed frame, whose second half is the newest block.
//!
//! Two thirds of all frequencies lie above what a voice is understood by. There is one filter for them, of the part of the path
//! where the echo is strong: see [`high`].

mod contest;
mod filter;
mod high;
mod lanes;
mod residual;
pub(in crate::process) mod spectrum;

use crate::frame::{BLOCK, Block};
use crate::level::energy;
use contest::{Contest, Mix, Verdict};
use filter::{Filter, PARTITIONS, Reference, Temper};
use high::High;
use lanes::Band;
use residual::{Residual, Trust};
use spectrum::{BINS, Bands, FRAME, LOW_BINS, Spectrum, Transform};

/// Stays right: the path is the same for about a minute.
const SLOW: Temper = Temper { memory: 0.9999, spread: 0.1 };

/// Follows: the path is another within a second, and changes mainly where it is strong. With a shorter memory it
/// follows the near end's speech, too.
const FAST: Temper = Temper { memory: 0.99, spread: 0.02 };

/// Partitions made causal in each block; all of them within eight blocks. All at once converges no better.
const CAUSAL_AT_ONCE: usize = 5;

/// The window of the suppressor halves the power of a frame.
const WINDOWED: f32 = 0.5;

/// What is left of a frame when the echo that is known was taken out.
pub(in crate::process) struct Left {
    /// Its spectrum.
    pub(in crate::process) error: Spectrum,
    /// The power of the echo that is probably still in it.
    pub(in crate::process) residual: Bands,
}

/// Knows the echo path and takes the echo out.
pub(in crate::process) struct Canceller {
    reference: Reference,
    slow: Side,
    fast: Side,
    high: High,
    mix: Mix,
    contest: Contest,
    trust: Trust,
    residual: Residual,
    /// The spectrum of the echo that was taken out.
    echo: Spectrum,
    /// Spectra that nobody needs for long.
    work: Spectrum,
    doubt: Bands,
    other_doubt: Bands,
}

impl Canceller {
    pub(in crate::process) fn new() -> Self {
        Self {
            reference: Reference::new(),
            slow: Side::new(SLOW),
            fast: Side::new(FAST),
            high: High::new(),
            mix: Mix::new(),
            contest: Contest::default(),
            trust: Trust::new(),
            residual: Residual::new(),
            echo: Spectrum::ZERO,
            work: Spectrum::ZERO,
            doubt: [0.0; BINS],
            other_doubt: [0.0; BINS],
        }
    }

    /// Takes the echo of everything played so far, `played` being the newest, out of the second block of
    /// `heard`. The noise floor comes from the blocks before.
    pub(in crate::process) fn cancel(
        &mut self,
        transform: &mut Transform,
        played: &Block,
        heard: [&Block; 2],
        noise: &Bands,
        left: &mut Left,
    ) {
        self.reference.push(transform, played);
        self.high.estimate(&self.reference, &mut self.echo);
        for side in [&mut self.slow, &mut self.fast] {
            side.cancel(&self.reference, transform, heard[1], &mut self.echo, &mut self.work);
        }
        let better = better(&self.slow, &self.fast);
        self.high.adapt(&self.reference, transform, &better.spectrum, &mut self.work);
        for side in [&mut self.slow, &mut self.fast] {
            side.frame(transform);
        }
        self.mix.combine(&self.slow.spectrum, &self.fast.spectrum, &mut left.error);
        transform.analyse_windowed(heard[0], heard[1], &mut self.echo);
        self.judge(played, heard[1]);
        for k in 0..BINS {
            self.echo.re[k] -= left.error.re[k];
            self.echo.im[k] -= left.error.im[k];
        }
        self.doubt();
        self.residual.estimate(
            &left.error,
            &self.echo,
            &self.doubt,
            noise,
            self.trust.suspicion(),
            &mut left.residual,
        );
    }

    /// Takes a block that was played but is compared with nothing: everything after it comes a block sooner.
    pub(in crate::process) fn skip(&mut self, transform: &mut Transform, played: &Block) {
        self.reference.push(transform, played);
        self.slow.filter.lengthen();
        self.fast.filter.lengthen();
        self.high.lengthen();
    }

    /// Lets the filters learn from each other; `echo` still holds all that was heard.
    fn judge(&mut self, played: &Block, heard: &Block) {
        let verdict = self.contest.hear(
            low_energy(&self.echo),
            low_energy(&self.slow.spectrum),
            low_energy(&self.fast.spectrum),
        );
        match verdict {
            Verdict::Open => {}
            Verdict::FastIsBetter => {
                self.slow.filter.become_like(&self.fast.filter);
                self.high.reopen(&self.reference, &self.slow.filter);
            }
            Verdict::SlowIsBetter => self.fast.filter.learn_from(&self.slow.filter),
            Verdict::FastIsWorthless => {
                self.fast.filter.forget(&self.reference);
                self.high.forget(&self.reference);
                self.residual.mistrust();
            }
        }
        self.high.follow(&self.slow.filter);
        let left = energy(&better(&self.slow, &self.fast).error);
        self.trust.hear(energy(played), energy(heard), left, self.contest.attenuation());
    }

    /// The power of the echo that both filters together may have missed.
    fn doubt(&mut self) {
        self.slow.filter.doubted(&mut self.doubt);
        self.fast.filter.doubted(&mut self.other_doubt);
        self.high.doubted(&mut self.doubt);
        for (k, doubt) in self.doubt[..LOW_BINS].iter_mut().enumerate() {
            *doubt += self.mix.fast(k) * (self.other_doubt[k] - *doubt);
        }
        self.doubt.iter_mut().for_each(|doubt| *doubt *= WINDOWED);
        if let Some(coupling) = self.trust.unproven_coupling() {
            self.reference.power(&mut self.other_doubt);
            for (doubt, played) in self.doubt.iter_mut().zip(&self.other_doubt) {
                *doubt = doubt.max(WINDOWED * coupling * played);
            }
        }
    }
}

/// A filter of the low band.
type Low = Filter<PARTITIONS>;

/// One filter and what it leaves.
struct Side {
    filter: Low,
    echo: Block,
    error: Block,
    error_before: Block,
    spectrum: Spectrum,
}

impl Side {
    fn new(temper: Temper) -> Self {
        Self {
            filter: Filter::new(Band::LOW, temper),
            echo: [0.0; BLOCK],
            error: [0.0; BLOCK],
            error_before: [0.0; BLOCK],
            spectrum: Spectrum::ZERO,
        }
    }

    /// Takes the echo out of a block; `echo` holds what of its spectrum is above the low band. Leaves the spectrum of the error
    /// behind a block of zeros.
    fn cancel(
        &mut self,
        reference: &Reference,
        transform: &mut Transform,
        heard: &Block,
        echo: &mut Spectrum,
        work: &mut Spectrum,
    ) {
        self.filter.estimate(reference, echo);
        transform.second_half(echo, &mut self.echo);
        self.error_before = self.error;
        for ((error, heard), echo) in self.error.iter_mut().zip(heard).zip(&self.echo) {
            *error = heard - echo;
        }
        transform.analyse(&[0.0; BLOCK], &self.error, &mut self.spectrum);
        self.filter.adapt(reference, &self.spectrum);
        self.filter.keep_causal(CAUSAL_AT_ONCE, work, |weights| transform.keep_first_half_low(weights));
    }

    /// Leaves the spectrum of the windowed error.
    fn frame(&mut self, transform: &mut Transform) {
        transform.analyse_windowed(&self.error_before, &self.error, &mut self.spectrum);
    }
}

/// The side that left less.
fn better<'a>(slow: &'a Side, fast: &'a Side) -> &'a Side {
    if energy(&fast.error) < energy(&slow.error) { fast } else { slow }
}

/// The energy of a windowed frame in the low band: about that of a block.
fn low_energy(frame: &Spectrum) -> f32 {
    const EACH: f32 = 2.0 / FRAME as f32;
    (0..LOW_BINS).map(|k| EACH * frame.power(k)).sum()
}

#[cfg(test)]
pub(in crate::process) mod tests;
