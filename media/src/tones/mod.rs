//! What is heard of a call beside the voice: it rings here, it rings there, it is over.
//!
//! ```text
//!   Tone ─▶ Whistle::next ─▶ blocks of 10 ms ─▶ driver::Player ─▶ a loudspeaker
//!
//!   Incoming   ▁▂▄ ▄▅█ █▆▃▂........  three whistled glides, and a rest; again and again
//!   Ringing    ████............      440 Hz for a second, then three of silence; again and again
//!   Over       ▅▃ ▃▁                 two falling glides, once
//! ```
//!
//! Made of numbers, with no clock and no file: a [`Whistle`] gives one block after another.

use std::f32::consts::TAU;

use crate::frame::{BLOCK, Block, SAMPLE_RATE};

pub mod driver;

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls.
    Incoming,
    /// The same, once: how it would ring.
    Trial,
    /// It rings at the other end.
    Ringing,
    /// The call is over.
    Over,
}

/// How loud it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loudness {
    /// Not at all.
    Silent,
    /// Half as loud, to the ear.
    Quiet,
    /// As it is made.
    #[default]
    Usual,
    /// As loud as it can be without being distorted.
    Loud,
}

impl Loudness {
    /// What samples are multiplied by.
    pub const fn factor(self) -> f32 {
        match self {
            Self::Silent => 0.0,
            Self::Quiet => 0.3,
            Self::Usual => 1.0,
            Self::Loud => 3.0,
        }
    }
}

/// One note: from `from` to `to` Hz within so many milliseconds, then a rest.
struct Glide {
    from: f32,
    to: f32,
    lasts: u32,
    rest: u32,
}

/// How loud a tone is, of which glides it is made, and whether it begins again after them.
struct Score {
    loudness: f32,
    glides: &'static [Glide],
    again: bool,
}

const INCOMING: Score = Score {
    loudness: 0.3,
    glides: &[
        Glide { from: 880.0, to: 1320.0, lasts: 170, rest: 40 },
        Glide { from: 1320.0, to: 1760.0, lasts: 200, rest: 30 },
        Glide { from: 1760.0, to: 1175.0, lasts: 420, rest: 2140 },
    ],
    again: true,
};

const TRIAL: Score = Score { again: false, ..INCOMING };

const RINGING: Score = Score {
    loudness: 0.1,
    glides: &[Glide { from: 440.0, to: 440.0, lasts: 1000, rest: 3000 }],
    again: true,
};

const OVER: Score = Score {
    loudness: 0.12,
    glides: &[
        Glide { from: 660.0, to: 520.0, lasts: 120, rest: 40 },
        Glide { from: 520.0, to: 390.0, lasts: 160, rest: 0 },
    ],
    again: false,
};

/// How long a note takes to swell and to fade, in samples: 12 ms, so that it does not click.
const SWELL: u32 = SAMPLE_RATE / 1000 * 12;

/// A tone, block by block.
#[derive(Debug)]
pub struct Whistle {
    tone: Tone,
    /// The glide that sounds, and samples of it so far.
    glide: usize,
    at: u32,
    /// Of the sine, in cycles.
    phase: f32,
}

impl Tone {
    const fn score(self) -> &'static Score {
        match self {
            Self::Incoming => &INCOMING,
            Self::Trial => &TRIAL,
            Self::Ringing => &RINGING,
            Self::Over => &OVER,
        }
    }
}

impl Whistle {
    /// At its beginning.
    pub const fn new(tone: Tone) -> Self {
        Self { tone, glide: 0, at: 0, phase: 0.0 }
    }

    fn glide(&self) -> Option<&'static Glide> {
        self.tone.score().glides.get(self.glide)
    }

    fn sample(&mut self) -> f32 {
        let Some(glide) = self.glide() else { return 0.0 };
        let score = self.tone.score();
        let lasts = samples(glide.lasts);
        let sound = if self.at < lasts {
            let hertz = glide.from + (glide.to - glide.from) * self.at as f32 / lasts as f32;
            self.phase = (self.phase + hertz / SAMPLE_RATE as f32).fract();
            let edge = self.at.min(lasts - self.at).min(SWELL) as f32 / SWELL as f32;
            score.loudness * edge * (self.phase * TAU).sin()
        } else {
            self.phase = 0.0;
            0.0
        };
        self.at += 1;
        if self.at >= lasts + samples(glide.rest) {
            (self.at, self.glide) = (0, self.glide + 1);
            if self.glide == score.glides.len() && score.again {
                self.glide = 0;
            }
        }
        sound
    }
}

impl Iterator for Whistle {
    type Item = Block;

    /// The next 10 ms; none once it is over.
    fn next(&mut self) -> Option<Block> {
        self.glide()?;
        Some(std::array::from_fn::<f32, BLOCK, _>(|_| self.sample()))
    }
}

const fn samples(milliseconds: u32) -> u32 {
    milliseconds * (SAMPLE_RATE / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::BLOCK_TIME;
    use std::time::Duration;

    fn heard(tone: Tone, lasts: Duration) -> Vec<f32> {
        let blocks = lasts.as_millis() / BLOCK_TIME.as_millis();
        Whistle::new(tone).take(blocks as usize).flatten().collect()
    }

    #[test]
    fn a_call_rings_until_it_is_told_to_stop_and_its_end_is_heard_once() {
        let minute = Duration::from_secs(60);
        for tone in [Tone::Incoming, Tone::Ringing] {
            let sound = heard(tone, minute);
            assert_eq!(sound.len(), 60 * SAMPLE_RATE as usize);
            let last = &sound[sound.len() - 4 * SAMPLE_RATE as usize..];
            assert!(last.iter().any(|sample| sample.abs() > 0.05), "{tone:?} fell silent");
        }
        assert_eq!(heard(Tone::Over, minute).len(), samples(120 + 40 + 160) as usize);
        let trial = heard(Tone::Trial, minute);
        assert_eq!(trial.len(), samples(3000) as usize);
        assert_eq!(trial, heard(Tone::Incoming, Duration::from_secs(3)), "it is what rings");
    }

    #[test]
    fn the_loudest_ring_is_not_distorted_and_the_most_quiet_one_is_not_heard() {
        let loudest = heard(Tone::Incoming, Duration::from_secs(3))
            .iter()
            .fold(0.0, |most: f32, it| most.max(it.abs()));
        assert!(loudest * Loudness::Loud.factor() < 1.0);
        assert!(loudest * Loudness::Quiet.factor() > 0.05);
        assert_eq!(Loudness::Silent.factor(), 0.0);
    }

    #[test]
    fn tones_are_neither_deafening_nor_do_they_click() {
        for tone in [Tone::Incoming, Tone::Ringing, Tone::Over] {
            let sound = heard(tone, Duration::from_secs(8));
            let loudest = sound.iter().fold(0.0, |most: f32, sample| most.max(sample.abs()));
            assert!(loudest > 0.05 && loudest < 0.35, "{tone:?}: {loudest}");
            // No faster than a sine of 2 kHz at that loudness.
            let steepest = sound.windows(2).fold(0.0, |most: f32, pair| most.max((pair[1] - pair[0]).abs()));
            assert!(steepest < loudest * TAU * 2000.0 / SAMPLE_RATE as f32, "{tone:?}: {steepest}");
        }
    }
}
