//! The path above the low band.
//!
//! ```text
//! strength of the low band's partitions     ▁▁▁▁▁▁▁▁▂█▇▅▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
//! what the filter above knows                       └──────────┘
//! ```
//!
//! Rooms swallow what lies above 8 kHz sooner than the rest. One filter of a few partitions is enough for it, if they are
//! those in which the echo is strong; the low band tells where that is.

use super::filter::{Filter, PARTITIONS, Reference, Temper};
use super::lanes::Band;
use super::spectrum::{Bands, LOW_BINS, Spectrum, Transform};

/// Blocks of echo path that are known: 120 ms.
const KNOWN: usize = 12;

/// Between the two of the low band, because there is only this one.
const TEMPER: Temper = Temper { memory: 0.999, spread: 0.05 };

/// Blocks between two looks at where the echo is strong.
const LOOK: usize = 25;

/// Other partitions are known when they hold so many times the power: a decibel.
const CLEARLY_STRONGER: f32 = 1.25;

/// One estimate of the path above the low band.
pub(super) struct High {
    filter: Filter<KNOWN>,
    looked: usize,
}

impl High {
    pub(super) fn new() -> Self {
        Self { filter: Filter::new(Band::HIGH, TEMPER), looked: 0 }
    }

    /// The spectrum of the echo that belongs to the newest block, above the low band.
    pub(super) fn estimate(&self, reference: &Reference, into: &mut Spectrum) {
        self.filter.estimate(reference, into);
    }

    /// Learns from the spectrum of what the estimate left over, behind a block of zeros.
    pub(super) fn adapt(
        &mut self,
        reference: &Reference,
        transform: &mut Transform,
        error: &Spectrum,
        work: &mut Spectrum,
    ) {
        self.filter.adapt(reference, error);
        self.filter.keep_causal(1, work, |weights| {
            weights.re[..LOW_BINS].fill(0.0);
            weights.im[..LOW_BINS].fill(0.0);
            transform.keep_first_half(weights);
        });
    }

    /// The power of the echo that it may have missed; below it nothing is written.
    pub(super) fn doubted(&self, into: &mut Bands) {
        self.filter.doubted(into);
    }

    /// Looks now and then where the low band's echo is strong.
    pub(super) fn follow(&mut self, low: &Filter<PARTITIONS>) {
        self.looked += 1;
        if self.looked >= LOOK {
            self.look(low);
        }
    }

    /// The path has changed, and is now as the low band knows it.
    pub(super) fn reopen(&mut self, reference: &Reference, low: &Filter<PARTITIONS>) {
        self.look(low);
        self.filter.doubt_all(reference);
    }

    /// Knows nothing any more.
    pub(super) fn forget(&mut self, reference: &Reference) {
        self.filter.forget(reference);
    }

    /// The same path, one block longer.
    pub(super) fn lengthen(&mut self) {
        self.filter.lengthen();
    }

    fn look(&mut self, low: &Filter<PARTITIONS>) {
        self.looked = 0;
        let start = strongest(&low.strengths(), self.filter.start());
        if start != self.filter.start() {
            self.filter.move_to(start);
        }
    }
}

/// Where the strongest of all stretches begins; where the one that is known begins, if that is about as strong.
fn strongest(strengths: &[f32; PARTITIONS], known: usize) -> usize {
    let stretch = |start: usize| strengths[start..start + KNOWN].iter().sum::<f32>();
    let (mut best, mut most) = (known, CLEARLY_STRONGER * stretch(known));
    for start in 0..=PARTITIONS - KNOWN {
        let strength = stretch(start);
        if strength > most {
            (best, most) = (start, strength);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_stretch_is_known_but_not_for_a_little() {
        let mut strengths = [0.0; PARTITIONS];
        assert_eq!(strongest(&strengths, 3), 3);
        strengths[20..26].copy_from_slice(&[1.0, 8.0, 4.0, 2.0, 1.0, 0.5]);
        assert_eq!(strongest(&strengths, 0), 14, "the first that holds all of it");
        assert_eq!(strongest(&strengths, 20), 20);
        assert_eq!(strongest(&strengths, 21), 21, "what is missed is too little");
    }
}
