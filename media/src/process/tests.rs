use super::echo::tests::{Noise, power};
use super::*;
use crate::frame::BLOCK;

#[test]
fn bypass_changes_nothing() {
    let mut block = [0.25; BLOCK];
    Bypass.render(&[1.0; BLOCK]);
    Bypass.capture(&mut block);
    assert_eq!(block, [0.25; BLOCK]);
}

#[test]
fn only_processing_that_is_on_removes_what_is_played() {
    let left_by = |processing: Processing| {
        let (mut processor, mut noise) = (processing.processor(), Noise::new(7));
        let (mut heard_later, mut echo, mut left) = ([0.0; BLOCK], 0.0, 0.0);
        for step in 0..600 {
            // Bursts, as speech has: noise for 300 ms, a pause of 200 ms.
            let played = noise.block(if step % 50 < 30 { 0.1 } else { 0.0 });
            let mut heard = heard_later;
            heard_later = played.map(|sample| 0.4 * sample);
            processor.render(&played);
            let before = power(&heard);
            processor.capture(&mut heard);
            if step >= 400 {
                echo += before;
                left += power(&heard);
            }
        }
        10.0 * (left.max(1e-12) / echo).log10()
    };
    let [on, headphones, off] = [Processing::On, Processing::Headphones, Processing::Off].map(left_by);
    assert!(on < -30.0 && headphones > -10.0 && off == 0.0, "{on} {headphones} {off}");
}
