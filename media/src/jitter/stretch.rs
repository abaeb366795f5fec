//! Playing faster or slower without changing pitch: one pitch period is cut out of, or repeated in, sound
//! that repeats itself anyway (waveform-similarity overlap-add).
//!
//! ```text
//! squeeze   a b b' c   ─▶  a b~b' c      stretch   a b c  ─▶  a b b~b c      (~ = cross-fade)
//! ```
//!
//! In a pause there is no period to hit, and nobody hears that it is shorter or longer.

use crate::level::energy;

/// Samples that [`squeeze`] needs.
pub const SQUEEZE_NEEDS: usize = MAX_CUT + WINDOW;
/// Samples that [`stretch`] needs.
pub const STRETCH_NEEDS: usize = MAX_REPEAT + WINDOW;

/// Samples that [`shorten_pause`] needs beside those that it cuts.
pub const PAUSE_NEEDS: usize = WINDOW;

/// How alike two periods must be to be joined: 1 is identical, 0 is unrelated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness(pub f32);

/// Where sound may be joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joins {
    /// Whatever is quieter than this (RMS); see [`Pauses::quiet`].
    pub quiet: f32,
    /// In words where two neighbours are so alike; none: only where it is quiet.
    pub words: Option<Likeness>,
}

/// Finds the pauses between words in what is played.
#[derive(Debug, Default)]
pub struct Pauses {
    /// RMS of the loudest of late.
    loudness: f32,
    /// Blocks in a row that were quieter than words.
    quiet: u32,
}

impl Pauses {
    /// Takes the next 10 ms.
    pub fn follow(&mut self, block: &[f32]) {
        let here = (energy(block) / block.len().max(1) as f32).sqrt();
        self.loudness = here.max(self.loudness * FORGETS);
        self.quiet = if here < self.between_words() { self.quiet.saturating_add(1) } else { 0 };
    }

    /// Whether nothing is said. The closure of a consonant is quiet as well, but shorter, and heard when it changes.
    pub fn is_pause(&self) -> bool {
        self.quiet >= CLOSURE
    }

    /// The RMS below which sound may be joined anywhere.
    pub fn quiet(&self) -> f32 {
        if self.is_pause() { self.between_words() } else { QUIET }
    }

    fn between_words(&self) -> f32 {
        (self.loudness * BETWEEN_WORDS).max(QUIET)
    }
}

/// Cuts one period out of the beginning of `sound` if two neighbours are alike enough or it is a pause;
/// says how many samples are gone.
pub fn squeeze(sound: &mut Vec<f32>, joins: Joins) -> usize {
    if sound.len() < SQUEEZE_NEEDS {
        return 0;
    }
    let Some(period) = best_period(sound, MAX_CUT, joins) else { return 0 };
    for at in 0..WINDOW {
        let part = at as f32 / WINDOW as f32;
        sound[period + at] = sound[at] * (1.0 - part) + sound[period + at] * part;
    }
    sound.drain(..period);
    period
}

/// Repeats one period at the beginning of `sound` if it is like what follows or it is a pause; says how many
/// samples were added.
pub fn stretch(sound: &mut Vec<f32>, joins: Joins) -> usize {
    if sound.len() < STRETCH_NEEDS {
        return 0;
    }
    let Some(period) = best_period(sound, MAX_REPEAT, joins) else { return 0 };
    let mut longer = sound[..period].to_vec();
    for at in 0..WINDOW {
        let part = at as f32 / WINDOW as f32;
        longer.push(sound[period + at] * (1.0 - part) + sound[at] * part);
    }
    longer.extend_from_slice(&sound[WINDOW..]);
    let added = longer.len() - sound.len();
    *sound = longer;
    added
}

/// Cuts just so many samples out of the beginning of `sound` if it is quieter there than this (RMS, see [`Pauses::quiet`]);
/// says whether they are gone.
pub fn shorten_pause(sound: &mut Vec<f32>, samples: usize, quiet: f32) -> bool {
    if !is_quiet(sound, samples, quiet) {
        return false;
    }
    for at in 0..WINDOW {
        let part = at as f32 / WINDOW as f32;
        sound[samples + at] = sound[at] * (1.0 - part) + sound[samples + at] * part;
    }
    sound.drain(..samples);
    true
}

/// The longest period that is nearly the best: a longer one changes the delay more for the same join.
fn best_period(sound: &[f32], longest: usize, joins: Joins) -> Option<usize> {
    if energy(&sound[..longest + WINDOW]) < joins.quiet * joins.quiet * (longest + WINDOW) as f32 {
        return Some(longest);
    }
    let enough = joins.words?;
    let coarse = |period: usize| likeness(sound, period, COARSE);
    let mut best = (0.0, 0);
    for period in (SHORTEST..=longest).step_by(COARSE) {
        let likeness = coarse(period);
        if likeness > best.0 {
            best = (likeness, period);
        }
    }
    if best.1 == 0 {
        return None;
    }
    let near = best.1.saturating_sub(COARSE).max(SHORTEST)..=(best.1 + COARSE).min(longest);
    let fine = near.map(|period| (likeness(sound, period, 1), period));
    let (likeness, period) = fine.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness >= enough.0).then_some(period)
}

/// Whether so many samples and what is cross-faded after them are there, and quieter than this.
fn is_quiet(sound: &[f32], samples: usize, quiet: f32) -> bool {
    let Some(here) = sound.get(..samples + WINDOW) else { return false };
    energy(here) < quiet * quiet * here.len() as f32
}

/// Normalised correlation of the first [`WINDOW`] samples with those `period` later.
fn likeness(sound: &[f32], period: usize, step: usize) -> f32 {
    let (mut product, mut here, mut there) = (0.0f32, 1e-9f32, 1e-9f32);
    for at in (0..WINDOW).step_by(step) {
        let (a, b) = (sound[at], sound[period + at]);
        product += a * b;
        here += a * a;
        there += b * b;
    }
    product / (here * there).sqrt()
}

/// 2.5 ms: the shortest pitch period, 400 Hz.
const SHORTEST: usize = 120;
/// 15 ms: the most that is cut at once.
const MAX_CUT: usize = 720;
/// 10 ms: the most that is repeated at once.
const MAX_REPEAT: usize = 480;
/// 10 ms are compared and cross-faded.
const WINDOW: usize = 480;
/// The first search looks at every fourth sample and period.
const COARSE: usize = 4;
/// -60 dBFS: no word is so quiet.
const QUIET: f32 = 0.001;
/// 30 dB quieter than words.
const BETWEEN_WORDS: f32 = 0.03;
/// Of the loudness of words, each 10 ms: 6 dB in three seconds.
const FORGETS: f32 = 0.9977;
/// Blocks of 10 ms; closures of consonants last 40 to 90 ms.
const CLOSURE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Joins = Joins { quiet: QUIET, words: Some(Likeness(0.9)) };

    fn tone(samples: usize, period: f32) -> Vec<f32> {
        (0..samples).map(|at| (at as f32 * std::f32::consts::TAU / period).sin() * 0.3).collect()
    }

    /// How far `sound` is from a pure tone of `period`: the largest second difference beyond the tone's.
    fn roughness(sound: &[f32], period: f32) -> f32 {
        let step = std::f32::consts::TAU / period;
        sound
            .windows(3)
            .map(|three| (three[0] - 2.0 * step.cos() * three[1] + three[2]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_is_shortened_by_whole_periods_without_a_click() {
        let mut sound = tone(1920, 200.0);
        let cut = squeeze(&mut sound, WORDS);
        assert!(cut > 0 && cut.is_multiple_of(200), "cut {cut}");
        assert_eq!(sound.len(), 1920 - cut);
        assert!(roughness(&sound, 200.0) < 0.001);
    }

    #[test]
    fn a_tone_is_lengthened_by_whole_periods_without_a_click() {
        let mut sound = tone(1920, 160.0);
        let added = stretch(&mut sound, WORDS);
        assert!(added > 0 && added.is_multiple_of(160), "added {added}");
        assert!(roughness(&sound, 160.0) < 0.001);
    }

    #[test]
    fn noise_is_left_alone_and_silence_is_cut_most() {
        let mut state = 1u32;
        let mut noise: Vec<f32> = (0..1920)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect();
        assert_eq!(squeeze(&mut noise, WORDS), 0);
        assert_eq!(stretch(&mut noise, WORDS), 0);
        assert_eq!(squeeze(&mut vec![0.0; 1920], WORDS), MAX_CUT);
        assert_eq!(stretch(&mut vec![0.0; 1920], WORDS), MAX_REPEAT);
    }

    #[test]
    fn a_pause_is_told_from_the_closure_of_a_consonant_however_loud_the_voice_and_its_room() {
        for gain in [0.05, 1.0] {
            let block = |loud: f32| vec![loud * gain; 480];
            let mut pauses = Pauses::default();
            let mut after = |blocks: usize, loud: f32| {
                (0..blocks).for_each(|_| pauses.follow(&block(loud)));
                pauses.is_pause()
            };
            assert!(!after(100, 0.3));
            assert!(!after(7, 0.005), "a closure");
            assert!(!after(1, 0.3));
            assert!(after(12, 0.005));
            assert!(!after(1, 0.3));
        }
    }

    #[test]
    fn a_pause_is_shortened_by_just_what_is_asked_for_and_a_word_is_not() {
        let mut pause: Vec<f32> = tone(1000, 200.0).iter().map(|sample| sample * 0.01).collect();
        assert!(shorten_pause(&mut pause, 123, 0.005));
        assert_eq!(pause.len(), 1000 - 123);
        assert!(!shorten_pause(&mut tone(1000, 200.0), 123, 0.005));
        assert!(!shorten_pause(&mut vec![0.0; 123 + PAUSE_NEEDS - 1], 123, 0.005));
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        assert_eq!(squeeze(&mut vec![0.0; SQUEEZE_NEEDS - 1], WORDS), 0);
        assert_eq!(stretch(&mut vec![0.0; STRETCH_NEEDS - 1], WORDS), 0);
    }
}
