//! Playing faster or slower without changing pitch: one pitch period is cut out of, or repeated in, sound
//! that repeats itself anyway (waveform-similarity overlap-add).
//!
//! ```text
//! squeeze   a b b' c   ─▶  a b~b' c      stretch   a b c  ─▶  a b b~b c      (~ = cross-fade)
//! ```

/// Samples that [`squeeze`] needs.
pub const SQUEEZE_NEEDS: usize = MAX_CUT + WINDOW;
/// Samples that [`stretch`] needs.
pub const STRETCH_NEEDS: usize = MAX_REPEAT + WINDOW;

/// How alike two periods must be to be joined: 1 is identical, 0 is unrelated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness(pub f32);

/// Cuts one period out of the beginning of `sound` if two neighbours are alike enough or all is quiet;
/// says how many samples are gone.
pub fn squeeze(sound: &mut Vec<f32>, enough: Likeness) -> usize {
    if sound.len() < SQUEEZE_NEEDS {
        return 0;
    }
    let Some(period) = best_period(sound, MAX_CUT, enough) else { return 0 };
    for at in 0..WINDOW {
        let part = at as f32 / WINDOW as f32;
        sound[period + at] = sound[at] * (1.0 - part) + sound[period + at] * part;
    }
    sound.drain(..period);
    period
}

/// Repeats one period at the beginning of `sound` if it is like what follows or all is quiet; says how many
/// samples were added.
pub fn stretch(sound: &mut Vec<f32>, enough: Likeness) -> usize {
    if sound.len() < STRETCH_NEEDS {
        return 0;
    }
    let Some(period) = best_period(sound, MAX_REPEAT, enough) else { return 0 };
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

/// The longest period that is nearly the best: a longer one changes the delay more for the same join.
fn best_period(sound: &[f32], longest: usize, enough: Likeness) -> Option<usize> {
    let energy: f32 = sound[..longest + WINDOW].iter().map(|sample| sample * sample).sum();
    if energy < QUIET * QUIET * (longest + WINDOW) as f32 {
        return Some(longest);
    }
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
/// Below this (-60 dBFS) anything may be cut or repeated.
const QUIET: f32 = 0.001;

#[cfg(test)]
mod tests {
    use super::*;

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
        let cut = squeeze(&mut sound, Likeness(0.9));
        assert!(cut > 0 && cut.is_multiple_of(200), "cut {cut}");
        assert_eq!(sound.len(), 1920 - cut);
        assert!(roughness(&sound, 200.0) < 0.001);
    }

    #[test]
    fn a_tone_is_lengthened_by_whole_periods_without_a_click() {
        let mut sound = tone(1920, 160.0);
        let added = stretch(&mut sound, Likeness(0.9));
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
        assert_eq!(squeeze(&mut noise, Likeness(0.9)), 0);
        assert_eq!(stretch(&mut noise, Likeness(0.9)), 0);
        assert_eq!(squeeze(&mut vec![0.0; 1920], Likeness(0.9)), MAX_CUT);
        assert_eq!(stretch(&mut vec![0.0; 1920], Likeness(0.9)), MAX_REPEAT);
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        assert_eq!(squeeze(&mut vec![0.0; SQUEEZE_NEEDS - 1], Likeness(0.0)), 0);
        assert_eq!(stretch(&mut vec![0.0; STRETCH_NEEDS - 1], Likeness(0.0)), 0);
    }
}
