//! Sound cards whose clocks are not in step: who speaks is sampled a little faster, or slower, than the other end plays.
//!
//! ```text
//!   microphone, a tick each 10 ms ± 200 ppm ─▶ 30 ms ─▶ loudspeaker, a tick each 10 ms
//! ```
//! In seven minutes the two go 80 ms apart. What is not made up for is a delay that grows by as much, or as much sound that is
//! missing.
#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use media::frame::BLOCK_TIME;
use media::voice::virtual_clock::VirtualVoice;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long the call lasts.
const LASTS: Duration = Duration::from_secs(400);
/// Until then the jitter buffer finds its depth.
const SETTLED: Duration = Duration::from_secs(20);
/// What the link takes.
const WAY: Duration = Duration::from_millis(30);
/// Cheap sound cards are that far off.
const OFF: f64 = 200e-6;

/// What came of a call.
#[derive(Debug)]
struct Heard {
    /// The least and the greatest delay from the microphone to the loudspeaker.
    least: Duration,
    most: Duration,
    /// Share of what was played that was invented.
    invented: f64,
}

/// Speaks for as long as a call lasts, into a microphone whose clock runs so much faster.
fn call(faster: f64) -> Heard {
    #[expect(clippy::disallowed_methods, reason = "simulated time needs some instant to begin at")]
    let origin = Instant::now();
    let end = |speech| VirtualVoice::new(speech, origin).unwrap();
    let (mut near, mut far) = (end(Vec::new()), end(speech()));
    let spoken_tick = BLOCK_TIME.div_f64(1.0 + faster);
    let (mut spoken, mut sequence, mut first) = (Duration::ZERO, 0u16, None);
    let mut underway = VecDeque::new();
    let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
    let mut now = Duration::ZERO;
    while now < LASTS {
        while spoken <= now {
            if let Some(packet) = far.tick(origin + spoken) {
                first.get_or_insert(packet.timestamp);
                underway.push_back((spoken + WAY, sequence, packet));
                sequence = sequence.wrapping_add(1);
            }
            spoken += spoken_tick;
        }
        while let Some((at, sequence, packet)) = underway.pop_front_if(|(at, ..)| *at <= now) {
            near.insert(origin + at, sequence, packet.timestamp, &packet.payload);
        }
        near.tick(origin + now);
        if let (Some(playing), Some(first)) = (near.stats().playing, first)
            && now >= SETTLED
        {
            let samples = f64::from(playing.timestamp.wrapping_sub(first));
            let spoken = Duration::from_secs_f64(samples / 48_000.0 / (1.0 + faster));
            let delay = (playing.at - origin).saturating_sub(spoken);
            (least, most) = (least.min(delay), most.max(delay));
        }
        now += BLOCK_TIME;
    }
    let stats = near.stats();
    Heard { least, most, invented: stats.concealed as f64 / stats.played as f64 }
}

/// A voice with harmonics, in syllables with pauses.
fn speech() -> Vec<f32> {
    let samples = (LASTS.as_secs() + 1) as usize * 48_000;
    (0..samples)
        .map(|at| {
            let time = at as f32 % (48_000.0 * 60.0) / 48_000.0;
            let syllable = (time * 3.1 * std::f32::consts::PI).sin().max(0.0);
            let turn = time * 130.0 * std::f32::consts::TAU;
            0.15 * syllable * (turn.sin() + 0.6 * (2.0 * turn).sin() + 0.4 * (5.0 * turn).sin())
        })
        .collect()
}

#[test]
fn a_call_between_clocks_that_differ_stays_as_prompt_as_it_was_and_loses_nothing() {
    for faster in [OFF, -OFF] {
        let heard = call(faster);
        assert!(heard.most - heard.least <= Duration::from_millis(30), "{faster}: {heard:?}");
        assert!(heard.invented < 0.001, "{faster}: {heard:?}");
    }
}
