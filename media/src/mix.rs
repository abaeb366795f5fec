//! All that is heard at once, as one sound: voices of their own [`Volume`], added up, and never louder than can be played.
//!
//! ```text
//!   voice ─▶ Fader ─┐
//!   voice ─▶ Fader ─┼─▶ + ─▶ Limiter ─▶ echo's reference, loudspeaker
//!   voice ─▶ Fader ─┘
//! ```
//!
//! For each block, [`Mixer::add`] is called for every voice and then [`Mixer::mix`]. It adds no delay and allocates nothing. One
//! voice at its own volume passes bit by bit as it is, while it is not too loud for the loudspeaker.

use std::fmt;

use crate::frame::{BLOCK, Block};
use crate::process::limiter::Limiter;

/// How loud somebody is heard, in per cent of how loud they come: 0 to 200, which is 6 dB more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(u8);

impl Volume {
    /// As they come.
    pub const AS_SENT: Self = Self(100);
    /// Twice the amplitude.
    pub const MOST: Self = Self(200);

    /// So many per cent; more than [`Self::MOST`] is that.
    pub const fn from_percent(percent: u8) -> Self {
        if percent > Self::MOST.0 { Self::MOST } else { Self(percent) }
    }

    /// 0 to 200.
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// What samples are multiplied with.
    fn factor(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl Default for Volume {
    fn default() -> Self {
        Self::AS_SENT
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} %", self.0)
    }
}

/// The volume of one voice: moves there so slowly that nothing clicks.
#[derive(Debug, Clone)]
pub struct Fader {
    wanted: Volume,
    /// At the end of the last block.
    factor: f32,
}

impl Fader {
    /// The most that a factor changes from one sample to the next: from silence to 100 % in 50 ms.
    pub const STEEPEST: f32 = 0.2 / BLOCK as f32;

    /// One that is there from the first sample on.
    pub fn at(volume: Volume) -> Self {
        Self { wanted: volume, factor: volume.factor() }
    }

    /// Moves towards another volume from the next block on.
    pub const fn set(&mut self, volume: Volume) {
        self.wanted = volume;
    }
}

impl Default for Fader {
    /// Everything passes as it comes.
    fn default() -> Self {
        Self::at(Volume::AS_SENT)
    }
}

/// Adds voices up.
#[derive(Debug, Clone)]
pub struct Mixer {
    sum: Block,
    limiter: Limiter,
}

impl Default for Mixer {
    fn default() -> Self {
        Self { sum: EMPTY, limiter: Limiter::default() }
    }
}

impl Mixer {
    /// Adds the next block of one voice.
    pub fn add(&mut self, voice: &Block, fader: &mut Fader) {
        let most = Fader::STEEPEST * BLOCK as f32;
        let step = (fader.wanted.factor() - fader.factor).clamp(-most, most) / BLOCK as f32;
        for (nth, (sum, sample)) in (1u16..).zip(self.sum.iter_mut().zip(voice)) {
            // What a codec makes of garbage is no reason to silence everybody else.
            let sample = if sample.is_finite() { *sample } else { 0.0 };
            *sum += sample * (fader.factor + step * f32::from(nth));
        }
        let reached = fader.factor + step * BLOCK as f32;
        // Rounded steps must not add up to something that is nearly the volume.
        let there = (reached - fader.wanted.factor()).abs() < most / BLOCK as f32;
        fader.factor = if there { fader.wanted.factor() } else { reached };
    }

    /// Fills the block that is to be played with what was added since the one before; silence if nothing was.
    pub fn mix(&mut self, out: &mut Block) {
        *out = std::mem::replace(&mut self.sum, EMPTY);
        self.limiter.apply(out, 0.0);
    }
}

/// Whatever is added to it stays as it is, zeros of either sign, too.
const EMPTY: Block = [-0.0; BLOCK];

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice at this pitch and about this peak, in syllables.
    fn voice(pitch: f32, peak: f32, blocks: usize) -> Vec<Block> {
        let sample = |at: usize| {
            let time = at as f32 / 48_000.0;
            let turn = time * pitch * std::f32::consts::TAU;
            let syllable = (time * pitch / 40.0 * std::f32::consts::PI).sin().abs();
            peak * syllable * (0.6 * turn.sin() + 0.25 * (2.0 * turn).sin() + 0.15 * (5.0 * turn).sin())
        };
        (0..blocks).map(|nth| std::array::from_fn(|at| sample(nth * BLOCK + at))).collect()
    }

    fn mixed(voices: &[Vec<Block>]) -> Vec<Block> {
        let mut mixer = Mixer::default();
        let mut faders = vec![Fader::default(); voices.len()];
        let block = |nth: usize| {
            let mut block = [0.0; BLOCK];
            voices.iter().zip(&mut faders).for_each(|(voice, fader)| mixer.add(&voice[nth], fader));
            mixer.mix(&mut block);
            block
        };
        (0..voices[0].len()).map(block).collect()
    }

    #[test]
    fn one_voice_at_its_own_volume_passes_bit_by_bit() {
        let mut voice = voice(130.0, 0.85, 100);
        voice[7] = [-0.0; BLOCK];
        let bits = |blocks: &[Block]| blocks.as_flattened().iter().map(|it| it.to_bits()).collect::<Vec<_>>();
        assert!(bits(&mixed(std::slice::from_ref(&voice))) == bits(&voice));
        let mut mixer = Mixer::default();
        let mut fader = Fader::default();
        fader.set(Volume::MOST);
        (0..50).for_each(|_| mixer.add(&[0.0; BLOCK], &mut fader));
        fader.set(Volume::AS_SENT);
        (0..50).for_each(|_| mixer.add(&[0.0; BLOCK], &mut fader));
        let mut block = [0.0; BLOCK];
        mixer.mix(&mut block);
        mixer.add(&voice[3], &mut fader);
        mixer.mix(&mut block);
        assert_eq!(block, voice[3], "also after it was louder for a while");
    }

    #[test]
    fn three_loud_voices_never_pass_what_can_be_played_and_are_hardly_bent() {
        let voices = [voice(110.0, 0.9, 300), voice(170.0, 0.9, 300), voice(240.0, 0.9, 300)];
        let heard = mixed(&voices);
        assert!(heard.as_flattened().iter().all(|sample| sample.abs() < 1.0));
        // What is heard beside the sum, whatever its loudness in each block.
        let (mut bent, mut whole) = (0.0, 0.0);
        let mut loudest = 0.0f32;
        for (nth, heard) in heard.iter().enumerate() {
            let sum: Block = std::array::from_fn(|at| voices.iter().map(|voice| voice[nth][at]).sum());
            loudest = sum.iter().fold(loudest, |most, sample| most.max(sample.abs()));
            let power = |block: &Block| block.iter().map(|sample| sample * sample).sum::<f32>();
            let alike: f32 = sum.iter().zip(heard).map(|(sum, heard)| sum * heard).sum();
            let factor = alike / power(&sum).max(1e-9);
            bent += sum.iter().zip(heard).map(|(sum, heard)| (heard - factor * sum).powi(2)).sum::<f32>();
            whole += power(heard);
        }
        assert!(loudest > 1.5, "{loudest}");
        let distortion = 10.0 * (bent / whole).log10();
        assert!(distortion < -25.0, "{distortion} dB");
    }

    #[test]
    fn everybody_is_heard_as_loud_as_they_are_wanted() {
        let mut mixer = Mixer::default();
        let (mut quiet, mut loud, mut block) = (Fader::default(), Fader::default(), [0.0; BLOCK]);
        quiet.set(Volume::from_percent(0));
        loud.set(Volume::from_percent(200));
        for _ in 0..20 {
            mixer.add(&[0.3; BLOCK], &mut quiet);
            mixer.add(&[0.2; BLOCK], &mut loud);
            mixer.mix(&mut block);
        }
        assert!(block.iter().all(|sample| (sample - 0.4).abs() < 1e-6), "{:?}", block[0]);
        mixer.mix(&mut block);
        assert!(block.iter().all(|sample| *sample == 0.0), "what was played is not played again");
    }

    #[test]
    fn a_volume_that_changes_makes_no_step() {
        for (from, to) in [(100, 0), (0, 200), (200, 100)] {
            let (mut mixer, mut fader) = (Mixer::default(), Fader::default());
            let (mut heard, mut block) = (Vec::new(), [0.0; BLOCK]);
            for nth in 0..60 {
                fader.set(Volume::from_percent(if nth < 30 { from } else { to }));
                mixer.add(&[0.4; BLOCK], &mut fader);
                mixer.mix(&mut block);
                heard.extend_from_slice(&block);
            }
            let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            assert!(step <= 0.4 * Fader::STEEPEST * 1.01, "{from} to {to} steps {step}");
            let last = 0.4 * f32::from(to) / 100.0;
            assert!((heard[heard.len() - 1] - last).abs() < 1e-6, "{from} to {to}");
        }
    }

    #[test]
    fn a_voice_that_is_no_sound_harms_nobody_else() {
        let (mut mixer, mut block) = (Mixer::default(), [0.0; BLOCK]);
        mixer.add(&[f32::NAN; BLOCK], &mut Fader::default());
        mixer.add(&[f32::INFINITY; BLOCK], &mut Fader::default());
        mixer.add(&[0.25; BLOCK], &mut Fader::default());
        mixer.mix(&mut block);
        assert_eq!(block, [0.25; BLOCK]);
    }

    #[test]
    fn more_than_the_most_is_the_most() {
        assert_eq!(Volume::from_percent(255), Volume::MOST);
        assert_eq!(Volume::default().percent(), 100);
    }
}
