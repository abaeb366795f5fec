use super::*;
use crate::frame::BLOCK;

/// Noise that is the same in every run.
fn noise(state: &mut u32) -> f32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as f32 / (1 << 23) as f32 - 1.0
}

fn energy(block: &Block) -> f32 {
    block.iter().map(|sample| sample * sample).sum()
}

#[test]
fn bypass_changes_nothing() {
    let mut block = [0.25; BLOCK];
    Bypass.render(&[1.0; BLOCK]);
    Bypass.capture(&mut block);
    assert_eq!(block, [0.25; BLOCK]);
}

#[test]
fn an_echo_of_what_is_played_is_removed() {
    let mut processor = Processing::On.processor();
    let mut seed = 7;
    let mut delayed = std::collections::VecDeque::from(vec![0.0f32; 2400]);
    let (mut echo, mut left) = (0.0, 0.0);
    for step in 0..600 {
        let mut played = [0.0; BLOCK];
        // Bursts, as speech has: noise for 300 ms, a pause of 200 ms.
        if step % 50 < 30 {
            played.iter_mut().for_each(|sample| *sample = 0.2 * noise(&mut seed));
        }
        delayed.extend(played);
        let mut heard = [0.0; BLOCK];
        heard.iter_mut().for_each(|sample| *sample = 0.4 * delayed.pop_front().unwrap_or(0.0));
        processor.render(&played);
        let before = energy(&heard);
        processor.capture(&mut heard);
        if step >= 400 {
            echo += before;
            left += energy(&heard);
        }
    }
    let erle = 10.0 * (echo / left.max(1e-12)).log10();
    assert!(erle > 15.0, "the echo is only {erle:.1} dB quieter");
}

#[test]
fn extreme_input_stays_finite() {
    let mut processor = Processing::On.processor();
    for value in [1.0, -1.0, 40.0, 0.0, f32::MIN_POSITIVE] {
        let mut block = [value; BLOCK];
        processor.render(&[value; BLOCK]);
        processor.capture(&mut block);
        assert!(block.iter().all(|sample| sample.is_finite()));
    }
}
