//! Something to say, and whether it was heard.

use std::f32::consts::TAU;

use crate::frame::SAMPLE_RATE;

/// Sound is compared at this fraction of the rate; what is said stays below 1.2 kHz.
const COARSE: usize = 8;
/// 40 ms of coarse samples.
const WINDOW: usize = 240;

/// `seconds` of a voice-like glide: a wandering pitch with a swelling loudness, different for every `who`.
pub(super) fn speech(who: usize, seconds: usize) -> Vec<f32> {
    let mut phase = 0.0f32;
    (0..seconds * SAMPLE_RATE as usize)
        .map(|n| {
            let t = n as f32 / SAMPLE_RATE as f32;
            let pitch = 500.0 + 300.0 * (TAU * (0.7 + 0.4 * who as f32) * t).sin();
            phase = (phase + pitch / SAMPLE_RATE as f32).fract();
            let loudness = 0.2 + 0.1 * (TAU * 3.0 * t).sin();
            loudness * ((TAU * phase).sin() + 0.3 * (2.0 * TAU * phase).sin())
        })
        .collect()
}

/// How alike what was heard is to what was said: for every 40 ms heard, the best correlation with anything said within
/// the last 600 ms; then the median of these.
pub(super) fn likeness(said: &[f32], heard: &[f32]) -> f32 {
    let said: Vec<f32> = said.chunks(COARSE).map(|c| c.iter().sum::<f32>()).collect();
    let heard: Vec<f32> = heard.chunks(COARSE).map(|c| c.iter().sum::<f32>()).collect();
    let reach = 600 * SAMPLE_RATE as usize / COARSE / 1000;
    let mut best: Vec<f32> = heard
        .chunks_exact(WINDOW)
        .enumerate()
        .filter(|(_, window)| window.iter().map(|x| x * x).sum::<f32>() > 1e-3)
        .map(|(nth, window)| {
            let at = nth * WINDOW;
            (at.saturating_sub(reach)..=at)
                .filter_map(|from| Some(correlation(window, said.get(from..from + WINDOW)?)))
                .fold(0.0, f32::max)
        })
        .collect();
    best.sort_by(f32::total_cmp);
    best.get(best.len() / 2).copied().unwrap_or(0.0)
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0, 1e-9, 1e-9);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / f32::sqrt(aa * bb)
}

#[test]
fn likeness_tells_speakers_apart() {
    let (one, other) = (speech(0, 1), speech(1, 1));
    let late: Vec<f32> = std::iter::repeat_n(0.0, 4800).chain(one.iter().copied()).collect();
    assert!(likeness(&one, &late) > 0.99);
    assert!(likeness(&one, &other) < likeness(&one, &late) - 0.05);
}
