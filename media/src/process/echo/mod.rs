//! The echo canceller: takes out of the microphone what the loudspeaker put into it.
//!
//! ```text
//! played ─► Reference ─┬─► slow Filter ─► error ─┐
//!                      └─► fast Filter ─► error ─┴─► Mix (per bin) ─► error ──────────► Left
//! heard ───► − both ─────────┘   ▲                                     │
//!                             Contest                              Residual ─► what of it is still echo
//!                       (who learns from whom)
//! ```
//!
//! Two filters watch the same path: the slow one trusts what it knows, so that it stays right while both ends
//! talk; the fast one follows a path that changes (somebody moves, the device's delay jumps, two clocks drift).
//! Each bin gets the mixture that leaves least, and the one that is clearly better teaches the other. Nothing
//! of this adds delay; [`Left`] is the spectrum of a windowed frame, whose second half is the newest block.

mod contest;
mod filter;
mod lanes;
mod residual;
pub(in crate::process) mod spectrum;

use crate::frame::{BLOCK, Block};
use contest::{Contest, Mix, Verdict};
use filter::{Filter, Reference, Temper};
use residual::{Residual, Trust};
use spectrum::{BINS, Bands, Spectrum, Transform};

/// Stays right: the path is the same for about a minute.
const SLOW: Temper = Temper { memory: 0.9999, spread: 0.1 };

/// Follows: the path is another within a second, and changes mainly where it is strong. With a shorter memory it
/// follows the near end's speech, too.
const FAST: Temper = Temper { memory: 0.99, spread: 0.02 };

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
    mix: Mix,
    contest: Contest,
    trust: Trust,
    residual: Residual,
    /// The spectrum of the echo that was taken out.
    echo: Spectrum,
    doubt: Bands,
    other_doubt: Bands,
}

impl Canceller {
    pub(in crate::process) fn new() -> Self {
        Self {
            reference: Reference::new(),
            slow: Side::new(SLOW),
            fast: Side::new(FAST),
            mix: Mix::new(),
            contest: Contest::default(),
            trust: Trust::new(),
            residual: Residual::new(),
            echo: Spectrum::ZERO,
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
        for side in [&mut self.slow, &mut self.fast] {
            side.cancel(&self.reference, transform, heard[1]);
        }
        self.mix.combine(&self.slow.spectrum, &self.fast.spectrum, &mut left.error);
        transform.analyse_windowed(heard[0], heard[1], &mut self.echo);
        for k in 0..BINS {
            self.echo.re[k] -= left.error.re[k];
            self.echo.im[k] -= left.error.im[k];
        }
        let energies = [played, heard[1], &self.slow.error, &self.fast.error].map(energy);
        self.judge(energies);
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
    }

    /// Lets the filters learn from each other.
    fn judge(&mut self, [played, heard, slow, fast]: [f32; 4]) {
        match self.contest.hear(heard, slow, fast) {
            Verdict::Open => {}
            Verdict::FastIsBetter => self.slow.filter.become_like(&self.fast.filter),
            Verdict::SlowIsBetter => self.fast.filter.learn_from(&self.slow.filter),
            Verdict::FastIsWorthless => {
                self.fast.filter.forget(&self.reference);
                self.residual.mistrust();
            }
        }
        self.trust.hear(played, heard, slow.min(fast), self.contest.attenuation());
    }

    /// The power of the echo that both filters together may have missed.
    fn doubt(&mut self) {
        self.slow.filter.doubted(&mut self.doubt);
        self.fast.filter.doubted(&mut self.other_doubt);
        for (k, doubt) in self.doubt.iter_mut().enumerate() {
            *doubt = WINDOWED * (*doubt + self.mix.fast(k) * (self.other_doubt[k] - *doubt));
        }
        if let Some(coupling) = self.trust.unproven_coupling() {
            self.reference.power(&mut self.other_doubt);
            for (doubt, played) in self.doubt.iter_mut().zip(&self.other_doubt) {
                *doubt = doubt.max(WINDOWED * coupling * played);
            }
        }
    }
}

/// One filter and what it leaves.
struct Side {
    filter: Filter,
    echo: Block,
    error: Block,
    error_before: Block,
    spectrum: Spectrum,
}

impl Side {
    fn new(temper: Temper) -> Self {
        Self {
            filter: Filter::new(temper),
            echo: [0.0; BLOCK],
            error: [0.0; BLOCK],
            error_before: [0.0; BLOCK],
            spectrum: Spectrum::ZERO,
        }
    }

    fn cancel(&mut self, reference: &Reference, transform: &mut Transform, heard: &Block) {
        self.filter.estimate(reference, transform, &mut self.echo);
        self.error_before = self.error;
        for ((error, heard), echo) in self.error.iter_mut().zip(heard).zip(&self.echo) {
            *error = heard - echo;
        }
        self.filter.adapt(reference, transform, &self.error);
        transform.analyse_windowed(&self.error_before, &self.error, &mut self.spectrum);
    }
}

fn energy(block: &Block) -> f32 {
    block.iter().map(|sample| sample * sample).sum()
}

#[cfg(test)]
pub(in crate::process) mod tests;
