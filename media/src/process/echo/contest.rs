//! Which of two filters is right.
//!
//! [`Mix`] decides for each bin and each frame: the errors S and F of the slow and of the fast filter are mixed
//! to S + m·(F − S), with the m that leaves the least power, m = Re⟨S·(S − F)*⟩ / ⟨|S − F|²⟩. What both leave,
//! the near end's speech and noise, is not correlated with the difference and does not disturb the choice.
//!
//! [`Contest`] decides rarely and for all bins together, when one filter was better for a while:
//!
//! ```text
//! fast leaves a third of what slow does ─► slow takes over what fast knows   (the path has changed)
//! slow leaves less than fast           ─► fast begins anew from slow        (fast chased the near end)
//! fast leaves more than was heard      ─► fast forgets everything           (the path is another one)
//! ```
//! Both know only the low band; above it there is one filter, and nothing to decide.

use super::spectrum::{LOW_BINS, Spectrum};
use crate::frame::BLOCK;

/// What is remembered of the errors' correlation from frame to frame: 200 ms, several sounds of speech.
const MIX_MEMORY: f32 = 0.95;

/// Bins on each side that vote with a bin: 200 Hz, so that one bin's chance does not decide.
const NEIGHBOURS: usize = 4;

/// Power that is no reason to prefer anything.
const NOTHING: f32 = 1e-9;

/// Mixes the errors of two filters.
pub(in crate::process) struct Mix {
    /// ⟨S·(S − F)*⟩
    shared: [f32; LOW_BINS],
    /// ⟨|S − F|²⟩
    apart: [f32; LOW_BINS],
    /// m
    fast: [f32; LOW_BINS],
}

impl Mix {
    pub(in crate::process) fn new() -> Self {
        Self { shared: [0.0; LOW_BINS], apart: [0.0; LOW_BINS], fast: [0.0; LOW_BINS] }
    }

    /// The mixture with the least power.
    pub(in crate::process) fn combine(&mut self, slow: &Spectrum, fast: &Spectrum, into: &mut Spectrum) {
        for k in 0..LOW_BINS {
            let (re, im) = (slow.re[k] - fast.re[k], slow.im[k] - fast.im[k]);
            let shared = slow.re[k] * re + slow.im[k] * im;
            self.shared[k] += (1.0 - MIX_MEMORY) * (shared - self.shared[k]);
            self.apart[k] += (1.0 - MIX_MEMORY) * (re * re + im * im - self.apart[k]);
        }
        into.re[LOW_BINS..].copy_from_slice(&slow.re[LOW_BINS..]);
        into.im[LOW_BINS..].copy_from_slice(&slow.im[LOW_BINS..]);
        let (shared, apart) = (votes(&self.shared), votes(&self.apart));
        for k in 0..LOW_BINS {
            self.fast[k] = (shared[k] / (apart[k] + NOTHING)).clamp(0.0, 1.0);
            into.re[k] = slow.re[k] + self.fast[k] * (fast.re[k] - slow.re[k]);
            into.im[k] = slow.im[k] + self.fast[k] * (fast.im[k] - slow.im[k]);
        }
    }

    /// How much of the fast filter is in bin `k` of the low band.
    pub(in crate::process) fn fast(&self, k: usize) -> f32 {
        self.fast[k]
    }
}

/// The sum over the neighbours of each bin of the low band.
fn votes(bins: &[f32; LOW_BINS]) -> [f32; LOW_BINS] {
    let mut sums = *bins;
    for far in 1..=NEIGHBOURS {
        for k in 0..LOW_BINS - far {
            sums[k] += bins[k + far];
            sums[k + far] += bins[k];
        }
    }
    sums
}

/// What is remembered of the energies from block to block: 50 ms.
const ENERGY_MEMORY: f32 = 0.8;

/// Energy of a block, -90 dBFS, below which nobody wins anything.
const LOUD: f32 = BLOCK as f32 * 1e-9;

/// The fast filter has to leave less than this part of the slow one's error, for so many blocks in a row. Half
/// is not enough: where there is no echo, it explains as much of the near end's speech by chance.
const FAST_WINS: (f32, u32) = (0.3, 15);

/// The slow filter has to leave less than this part of the fast one's error, for so many blocks in a row.
const SLOW_WINS: (f32, u32) = (0.7, 20);

/// The fast filter is worthless when it leaves this much more than was heard: a wrong echo adds its own power
/// to it, while near speech beside a right one does not.
const WORTHLESS: (f32, u32) = (1.3, 5);

/// What a [`Contest`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Verdict {
    /// Both go on.
    Open,
    /// The slow one should take over what the fast one knows.
    FastIsBetter,
    /// The fast one should begin anew from the slow one.
    SlowIsBetter,
    /// The fast one should forget everything.
    FastIsWorthless,
}

/// Watches two filters.
#[derive(Debug, Default)]
pub(in crate::process) struct Contest {
    heard: f32,
    slow: f32,
    fast: f32,
    fast_wins: u32,
    slow_wins: u32,
    worthless: u32,
}

impl Contest {
    /// Takes the energy of a heard block and of what each filter left of it.
    pub(in crate::process) fn hear(&mut self, heard: f32, slow: f32, fast: f32) -> Verdict {
        for (mean, now) in [(&mut self.heard, heard), (&mut self.slow, slow), (&mut self.fast, fast)] {
            *mean += (1.0 - ENERGY_MEMORY) * (now - *mean);
        }
        let loud = self.heard > LOUD;
        let worthless =
            in_a_row(&mut self.worthless, loud && self.fast > WORTHLESS.0 * self.heard, WORTHLESS.1);
        let fast = in_a_row(&mut self.fast_wins, loud && self.fast < FAST_WINS.0 * self.slow, FAST_WINS.1);
        let slow = in_a_row(&mut self.slow_wins, loud && self.slow < SLOW_WINS.0 * self.fast, SLOW_WINS.1);
        match (worthless, fast, slow) {
            (true, _, _) => Verdict::FastIsWorthless,
            (_, true, _) => Verdict::FastIsBetter,
            (_, _, true) => Verdict::SlowIsBetter,
            (false, false, false) => Verdict::Open,
        }
    }

    /// Which part of what was heard the better filter leaves.
    pub(in crate::process) fn attenuation(&self) -> f32 {
        self.slow.min(self.fast) / self.heard.max(LOUD)
    }
}

/// Counts how often something was true in a row; begins anew when it was often enough.
fn in_a_row(count: &mut u32, holds: bool, enough: u32) -> bool {
    *count = if holds { *count + 1 } else { 0 };
    let reached = *count >= enough;
    if reached {
        *count = 0;
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::echo::spectrum::BINS;

    fn verdict(heard: f32, slow: f32, fast: f32) -> Verdict {
        let mut contest = Contest::default();
        let verdicts = (0..25).map(|_| contest.hear(heard, slow, fast));
        verdicts.filter(|verdict| *verdict != Verdict::Open).last().unwrap_or(Verdict::Open)
    }

    #[test]
    fn the_clearly_better_filter_wins() {
        assert_eq!(verdict(1.0, 0.1, 0.01), Verdict::FastIsBetter);
        assert_eq!(verdict(1.0, 0.01, 0.1), Verdict::SlowIsBetter);
        assert_eq!(verdict(1.0, 0.1, 0.09), Verdict::Open);
        assert_eq!(verdict(1.0, 2.0, 2.0), Verdict::FastIsWorthless);
        assert_eq!(verdict(0.0, 1.0, 2.0), Verdict::Open);
    }

    #[test]
    fn the_mixture_leaves_less_than_either() {
        let mut mix = Mix::new();
        let (mut slow, mut fast, mut out) = (Spectrum::ZERO, Spectrum::ZERO, Spectrum::ZERO);
        (slow.re, fast.re) = ([1.0; BINS], [-1.0; BINS]);
        mix.combine(&slow, &fast, &mut out);
        assert!(out.re[..LOW_BINS].iter().all(|re| re.abs() < 0.01));
        assert!((mix.fast(7) - 0.5).abs() < 0.01);
    }
}
