//! Makes speech equally loud, whoever speaks and however far away, and never louder than the wire can carry.
//!
//! ```text
//! block ─► × gain ─► Limiter ─► out
//!            ▲
//!   speech's level
//! ```
//!
//! The gain aims at [`TARGET`], moves slowly and only while the near end speaks, so that pauses and the far
//! end's echo do not pump. It never lifts the room's own noise to where it would be heard.

use crate::frame::Block;
use crate::level::energy;
use crate::process::limiter::{Limiter, decibels, power};
use crate::process::suppress::Presence;

/// How loud speech should be, in dBFS.
const TARGET: f32 = -23.0;

/// The most that quiet speech is lifted, in dB.
const MOST: f32 = 18.0;

/// How loud noise may become, in dBFS: barely audible beside speech at the target.
const NOISE_CEILING: f32 = -55.0;

/// Below this level, in dBFS, no block is speech.
const QUIETEST_SPEECH: f32 = -55.0;

/// The near end speaks when it is this probable.
const SPEAKS: Presence = Presence(0.5);

/// Blocks of speech after which its level is known at all: half a second.
const KNOWN_AFTER: u32 = 50;

/// How fast the level follows speech in each block: within two seconds of it.
const LEVEL_STEP: f32 = 0.005;

/// How fast the gain grows and shrinks, in dB per block: 3 and 6 dB in a second of speech.
const GROWS: f32 = 0.03;
const SHRINKS: f32 = 0.06;

/// How fast the floor of the noise rises, in dB per block: 2 dB in a second.
const NOISE_RISES: f32 = 0.02;

/// Level of silence, in dBFS.
const SILENCE: f32 = -100.0;

/// Automatic gain and limiter.
pub(in crate::process) struct Gain {
    /// The level of speech before the gain, in dBFS.
    speech: f32,
    speech_blocks: u32,
    /// The level of what is left in the pauses, in dBFS.
    noise: f32,
    /// In dB.
    gain: f32,
    limiter: Limiter,
}

impl Gain {
    pub(in crate::process) fn new() -> Self {
        Self { speech: TARGET, speech_blocks: 0, noise: SILENCE, gain: 0.0, limiter: Limiter::default() }
    }

    /// Makes a block as loud as it should be.
    pub(in crate::process) fn adjust(&mut self, block: &mut Block, presence: Presence) {
        let level = decibels(energy(block) / block.len() as f32);
        self.noise = (self.noise + NOISE_RISES).min(level).max(SILENCE);
        if presence > SPEAKS && level > QUIETEST_SPEECH {
            self.follow(level);
        }
        self.limiter.apply(block, self.gain);
    }

    /// Moves the gain a little towards what this speech needs.
    fn follow(&mut self, level: f32) {
        self.speech_blocks = (self.speech_blocks + 1).min(KNOWN_AFTER);
        // The first blocks are averaged, later ones only move the average.
        let step = LEVEL_STEP.max(1.0 / self.speech_blocks as f32);
        // Powers are averaged, not decibels: a pause within a word is no quiet speech.
        let mean = power(self.speech) + step * (power(level) - power(self.speech));
        self.speech = decibels(mean);
        if self.speech_blocks == KNOWN_AFTER {
            let wanted = (TARGET - self.speech).min(NOISE_CEILING - self.noise).clamp(0.0, MOST);
            self.gain += (wanted - self.gain).clamp(-SHRINKS, GROWS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::echo::tests::Noise;

    const NEAR: Presence = Presence(1.0);
    const FAR: Presence = Presence(0.0);

    /// The level at the end of so many blocks of noise of this level.
    fn level_after(blocks: usize, level: f32, presence: Presence) -> f32 {
        let (mut gain, mut noise, mut block) = (Gain::new(), Noise::new(3), [0.0; crate::frame::BLOCK]);
        // A pause before the first word tells how quiet the room is.
        gain.adjust(&mut block, FAR);
        for n in 0..blocks {
            let mut pause = [0.0; crate::frame::BLOCK];
            if n % 40 == 0 {
                gain.adjust(&mut pause, FAR);
            }
            block = noise.block(power(level).sqrt());
            gain.adjust(&mut block, presence);
        }
        decibels(crate::process::echo::tests::power(&block))
    }

    #[test]
    fn quiet_speech_is_lifted_to_the_target() {
        assert!((level_after(100, -35.0, NEAR) + 35.0).abs() < 2.5);
        assert!((level_after(1000, -35.0, NEAR) - TARGET).abs() < 1.0);
    }

    #[test]
    fn speech_is_lifted_only_so_far() {
        assert!((level_after(2000, -50.0, NEAR) + 50.0 - MOST).abs() < 1.0);
    }

    #[test]
    fn loud_speech_and_absent_speech_stay_as_they_are() {
        assert!((level_after(1000, -18.0, NEAR) + 18.0).abs() < 1.0);
        assert!((level_after(1000, -35.0, FAR) + 35.0).abs() < 1.0);
    }

    #[test]
    fn nothing_ever_clips() {
        let (mut gain, mut noise) = (Gain::new(), Noise::new(3));
        for n in 0..2000 {
            let mut block = noise.block(if n % 500 < 480 { 0.01 } else { 0.9 });
            gain.adjust(&mut block, NEAR);
            assert!(block.iter().all(|sample| sample.abs() < 1.0));
        }
    }

    #[test]
    fn a_loud_room_is_not_lifted_into_audibility() {
        let (mut gain, mut noise) = (Gain::new(), Noise::new(3));
        let mut block = [0.0; crate::frame::BLOCK];
        for n in 0..3000 {
            let speaks = n % 100 < 50;
            block = noise.block(if speaks { 0.02 } else { power(-60.0).sqrt() });
            gain.adjust(&mut block, if speaks { NEAR } else { FAR });
        }
        let level = decibels(crate::process::echo::tests::power(&block));
        assert!(level < NOISE_CEILING + 1.5, "{level}");
    }
}
