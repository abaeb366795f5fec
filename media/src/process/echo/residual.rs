//! How much echo is still in what the filters left.
//!
//! ```text
//! residual = leak · max(echo now, echo before, fading) + what the filters themselves doubt
//! ```
//!
//! The echo that was taken out tells where more of it may be: loudspeakers distort and rooms ring longer than
//! the filter. The *leak* is the part of it that stays, learnt for each bin while only the far end speaks: when
//! far more is left than usual, the near end is speaking (or the path is new) and the leak hardly moves. The
//! second term is the variance of the Kalman filters, see [`super::filter`]; it is great at the beginning.
//!
//! [`Trust`] adds the two occasions when the filters cannot know how wrong they are.

use super::spectrum::{BINS, Bands, Spectrum};
use crate::frame::BLOCK;

/// What is remembered of powers from frame to frame: 50 ms, one sound of speech.
const MEMORY: f32 = 0.8;

/// The leak before anything was learnt: half of the echo, -3 dB.
const FIRST_LEAK: f32 = 0.5;

/// The leak when a filter had to forget everything, -5 dB.
const LEAK_OF_NEW_PATH: f32 = 0.3;

/// The leak stays within -40 and 3 dB.
const LEAK_RANGE: (f32, f32) = (1e-4, 2.0);

/// How fast the leak follows in each frame: within 300 ms of far speech.
const LEAK_STEP: f32 = 0.03;

/// More than this multiple of the usual is left only when the near end speaks, 6 dB.
const NEAR_SPEAKS: f32 = 4.0;

/// How the leak grows meanwhile, lest it should stay wrong for ever: 0.4 dB in a second.
const LEAK_GROWTH: f32 = 1.001;

/// An echo teaches only when it stands so far above the noise.
const ABOVE_NOISE: f32 = 4.0;

/// How the echo's power fades from frame to frame, 1.5 dB: a room that takes 400 ms for 60 dB.
const FADING: f32 = 0.7;

/// Power of a bin that nobody hears; keeps the smoothed powers away from denormal numbers.
const INAUDIBLE: f32 = 1e-9;

/// Estimates the power of the residual echo.
pub(in crate::process) struct Residual {
    error: Bands,
    echo: Bands,
    leak: Bands,
    tail: Bands,
}

impl Residual {
    pub(in crate::process) fn new() -> Self {
        Self { error: [0.0; BINS], echo: [0.0; BINS], leak: [FIRST_LEAK; BINS], tail: [0.0; BINS] }
    }

    /// Expects more echo: the path is another one.
    pub(in crate::process) fn mistrust(&mut self) {
        for leak in &mut self.leak {
            *leak = leak.max(LEAK_OF_NEW_PATH);
        }
    }

    /// The power of the echo in `error`, when `echo` was taken out, `doubt` is the power that the filters may
    /// have missed, and at least the part `suspicion` of the echo leaks.
    pub(in crate::process) fn estimate(
        &mut self,
        error: &Spectrum,
        echo: &Spectrum,
        doubt: &Bands,
        noise: &Bands,
        suspicion: f32,
        into: &mut Bands,
    ) {
        for k in 0..BINS {
            let now = echo.power(k) + INAUDIBLE;
            self.error[k] += (1.0 - MEMORY) * (error.power(k) - self.error[k]);
            self.echo[k] += (1.0 - MEMORY) * (now - self.echo[k]);
            if self.echo[k] > ABOVE_NOISE * noise[k] + 2.0 * INAUDIBLE {
                let part = ((self.error[k] - noise[k]) / self.echo[k]).max(0.0);
                self.leak[k] = learn(self.leak[k], part);
            }
            self.tail[k] = now.max(self.echo[k]).max(FADING * self.tail[k]);
            into[k] = self.leak[k].max(suspicion) * self.tail[k] + doubt[k];
        }
    }
}

fn learn(leak: f32, part: f32) -> f32 {
    let next = if part < NEAR_SPEAKS * leak { leak + LEAK_STEP * (part - leak) } else { leak * LEAK_GROWTH };
    next.clamp(LEAK_RANGE.0, LEAK_RANGE.1)
}

/// Energy of a played block that can be heard at all, -70 dBFS.
const PLAYS: f32 = BLOCK as f32 * 1e-7;

/// The path is proven when the filters leave less than this part of what was heard, -7 dB, …
const PROVEN_BELOW: f32 = 0.2;

/// … or when hardly anything is heard of what is played, -30 dB, …
const NO_ECHO: f32 = 1e-3;

/// … for so many played blocks in a row; more than the longest delay, of which nothing is heard either.
const PROVEN_AFTER: u32 = 50;

/// Played blocks without proof after which there is probably no echo to be proven: two seconds.
const PATIENCE: u32 = 200;

/// What is assumed of an unproven path: of each block, this part of the power may come back in each of the
/// 40 blocks that follow, 9 dB more than was played.
const UNPROVEN_COUPLING: f32 = 0.2;

/// A filter that makes a block this much louder cannot be right.
const LOUDER: f32 = 1.2;

/// How the suspicion fades from block to block, when the filters do better again.
const SUSPICION_FADING: f32 = 0.7;

/// How far the filters can be believed.
///
/// At the beginning of a call they know nothing, and their doubt is only a guess: until the path is proven or
/// two seconds were played, the near end has to be louder than any probable echo to pass. And when what they
/// leave is louder than what was heard, the path has just changed; all their echo may leak then.
pub(in crate::process) struct Trust {
    unproven: u32,
    good: u32,
    suspicion: f32,
}

impl Trust {
    pub(in crate::process) fn new() -> Self {
        Self { unproven: PATIENCE, good: 0, suspicion: 0.0 }
    }

    /// Takes the energies of a block and the attenuation of the last ones.
    pub(in crate::process) fn hear(&mut self, played: f32, heard: f32, left: f32, attenuation: f32) {
        self.suspicion = if left > LOUDER * heard { 1.0 } else { SUSPICION_FADING * self.suspicion };
        if self.unproven > 0 && played > PLAYS {
            let good = attenuation < PROVEN_BELOW || heard < NO_ECHO * played;
            self.good = if good { self.good + 1 } else { 0 };
            self.unproven = if self.good >= PROVEN_AFTER { 0 } else { self.unproven - 1 };
        }
    }

    /// The part of the echo that leaks at least.
    pub(in crate::process) fn suspicion(&self) -> f32 {
        self.suspicion
    }

    /// Which part of everything played lately may be heard, as long as nothing is proven.
    pub(in crate::process) fn unproven_coupling(&self) -> Option<f32> {
        (self.unproven > 0).then_some(UNPROVEN_COUPLING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leak_is_learnt_from_the_far_end_and_kept_from_the_near_end() {
        let after = |leak, part| (0..200).fold(leak, |leak, _| learn(leak, part));
        assert!((after(0.5, 0.01) - 0.01).abs() < 0.002);
        assert!(after(0.01, 1.0) < 0.02);
    }

    #[test]
    fn trust_comes_with_proof_or_with_patience() {
        let played = |blocks, attenuation| {
            let mut trust = Trust::new();
            (0..blocks).for_each(|_| trust.hear(1.0, 1.0, attenuation, attenuation));
            trust.unproven_coupling()
        };
        assert!(played(PROVEN_AFTER - 1, 0.1).is_some());
        assert_eq!(played(PROVEN_AFTER, 0.1), None);
        assert!(played(PATIENCE - 1, 0.9).is_some());
        assert_eq!(played(PATIENCE, 0.9), None);
        let mut deaf = Trust::new();
        (0..PROVEN_AFTER).for_each(|_| deaf.hear(1.0, 1e-6, 1e-6, 1.0));
        assert_eq!(deaf.unproven_coupling(), None);
    }

    #[test]
    fn an_echo_that_is_added_is_suspicious_for_a_while() {
        let mut trust = Trust::new();
        trust.hear(1.0, 1.0, 2.0, 1.0);
        assert_eq!(trust.suspicion(), 1.0);
        (0..20).for_each(|_| trust.hear(1.0, 1.0, 0.1, 0.1));
        assert!(trust.suspicion() < 0.001);
    }
}
