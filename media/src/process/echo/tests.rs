//! The canceller on paths that the tests make up, and the sounds that all tests of this crate use.

use super::*;
use crate::process::{Echo, Processor as _, Room};

/// White noise that is the same in each run.
pub(in crate::process) struct Noise(u64);

impl Noise {
    pub(in crate::process) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A block with this root mean square.
    pub(in crate::process) fn block(&mut self, loudness: f32) -> Block {
        std::array::from_fn(|_| {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let even = (self.0 >> 40) as f32 / (1_u64 << 24) as f32;
            loudness * 12.0_f32.sqrt() * (even - 0.5)
        })
    }
}

/// The mean power of a block.
pub(in crate::process) fn power(block: &Block) -> f32 {
    energy(block) / BLOCK as f32
}

/// A room whose echo comes late, quietly, three times and fading.
struct Path {
    played: Vec<f32>,
    taps: [(usize, f32); 4],
}

impl Path {
    fn new(delay: usize) -> Self {
        Self {
            played: vec![0.0; 24_000],
            taps: [(0, 0.4), (97, -0.2), (1501, 0.1), (3777, -0.05)].map(|(at, gain)| (at + delay, gain)),
        }
    }

    fn echo(&mut self, played: &Block) -> Block {
        self.played.drain(..BLOCK);
        self.played.extend_from_slice(played);
        let newest = self.played.len() - BLOCK;
        std::array::from_fn(|n| self.taps.iter().map(|(at, gain)| gain * self.played[newest + n - at]).sum())
    }
}

/// How many dB less comes out than went in, in the last half second of so many blocks.
fn attenuation(room: &mut Room, path: &mut Path, noise: &mut Noise, blocks: usize) -> f32 {
    let (mut before, mut after) = (0.0, 0.0);
    for n in 0..blocks {
        let played = noise.block(0.1);
        let mut heard = path.echo(&played);
        let echo = power(&heard);
        room.render(&played);
        room.capture(&mut heard);
        if n + 50 >= blocks {
            before += echo;
            after += power(&heard);
        }
    }
    10.0 * (before / after.max(1e-12)).log10()
}

#[test]
fn a_synthetic_path_is_cancelled_within_a_second() {
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(2000), Noise::new(1));
    assert!(attenuation(&mut room, &mut path, &mut noise, 100) > 25.0);
    assert!(attenuation(&mut room, &mut path, &mut noise, 300) > 40.0);
}

#[test]
fn a_path_that_jumps_is_cancelled_again_within_two_seconds() {
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(2000), Noise::new(1));
    attenuation(&mut room, &mut path, &mut noise, 500);
    path.taps = Path::new(4000).taps;
    assert!(attenuation(&mut room, &mut path, &mut noise, 200) > 35.0);
}

#[test]
fn treble_that_comes_much_later_than_before_is_found_again() {
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(500), Noise::new(1));
    attenuation(&mut room, &mut path, &mut noise, 300);
    path.taps = Path::new(14_000).taps;
    // Two thirds of this noise are above the low band.
    assert!(attenuation(&mut room, &mut path, &mut noise, 300) > 35.0);
    path.taps = Path::new(500).taps;
    assert!(attenuation(&mut room, &mut path, &mut noise, 300) > 35.0);
}

#[test]
fn headphones_leave_everything_to_the_near_end() {
    let (mut room, mut noise) = (Room::new(Echo::None), Noise::new(1));
    let mut worst = f32::MAX;
    for n in 0..200 {
        // Words, because steady noise would be suppressed.
        let spoken = noise.block(if n % 40 < 20 { 0.1 } else { 0.0 });
        let mut heard = spoken;
        room.render(&spoken);
        room.capture(&mut heard);
        if n % 40 == 10 && n > 40 {
            worst = worst.min(power(&heard) / 0.01);
        }
    }
    assert!(worst > 0.7, "{worst}");
}

#[test]
fn double_talk_keeps_near_speech() {
    let (mut room, mut path) = (Room::new(Echo::Cancelled), Path::new(2000));
    let (mut far, mut near) = (Noise::new(1), Noise::new(2));
    attenuation(&mut room, &mut path, &mut far, 300);
    let (mut spoken_before, mut said, mut wrong) = ([0.0; BLOCK], 0.0, 0.0);
    for n in 0..300 {
        let played = far.block(0.1);
        let spoken = near.block(if n % 40 < 20 { 0.1 } else { 0.0 });
        let echo = path.echo(&played);
        let mut heard = std::array::from_fn(|i| echo[i] + spoken[i]);
        room.render(&played);
        room.capture(&mut heard);
        // A block later, and not at the edge of a word, where the gains move.
        if (5..20).contains(&(n % 40)) {
            said += energy(&spoken_before);
            let apart: Block = std::array::from_fn(|i| heard[i] - spoken_before[i]);
            wrong += energy(&apart);
        }
        spoken_before = spoken;
    }
    let clean = 10.0_f32 * (said / wrong).log10();
    assert!(clean > 8.0, "{clean}");
}

#[test]
fn played_blocks_may_come_in_bursts() {
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(2000), Noise::new(1));
    let mut last = 0.0;
    for _ in 0..150 {
        let played = [noise.block(0.1), noise.block(0.1)];
        played.iter().for_each(|block| room.render(block));
        for block in &played {
            let mut heard = path.echo(block);
            room.capture(&mut heard);
            last = power(&heard);
        }
    }
    assert!(last < 1e-6, "{last}");
}

#[test]
fn lost_blocks_of_the_microphone_do_not_unlearn_the_path() {
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(2000), Noise::new(1));
    attenuation(&mut room, &mut path, &mut noise, 300);
    for _ in 0..3 {
        let played = noise.block(0.1);
        path.echo(&played);
        room.render(&played);
    }
    assert!(attenuation(&mut room, &mut path, &mut noise, 300) > 40.0);
}

#[test]
fn silence_stays_silent() {
    let mut room = Room::new(Echo::Cancelled);
    for _ in 0..2000 {
        let mut heard = [0.0; BLOCK];
        room.render(&[0.0; BLOCK]);
        room.capture(&mut heard);
        assert!(heard.iter().all(|sample| sample.abs() < 1e-5));
    }
}

#[test]
fn bad_samples_never_poison_it() {
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9, f32::MIN_POSITIVE, 1e-40];
    let (mut room, mut path, mut noise) = (Room::new(Echo::Cancelled), Path::new(2000), Noise::new(1));
    for n in 0..400 {
        let mut played = noise.block(0.1);
        let mut heard = path.echo(&played);
        played[n % BLOCK] = bad[n % bad.len()];
        heard[(n * 7) % BLOCK] = bad[(n / 3) % bad.len()];
        if n % 50 < 10 {
            played = [bad[(n / 50) % bad.len()]; BLOCK];
            heard = [bad[(n / 100) % bad.len()]; BLOCK];
        }
        room.render(&played);
        room.capture(&mut heard);
        assert!(heard.iter().all(|sample| sample.abs() <= 1.0), "block {n}");
    }
    assert!(attenuation(&mut room, &mut path, &mut noise, 400) > 35.0);
}

#[test]
fn a_microphone_that_only_ever_overflows_stays_finite() {
    let (mut room, mut noise) = (Room::new(Echo::Cancelled), Noise::new(1));
    for n in 0..1000 {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        let mut heard = [sign; BLOCK];
        room.render(&noise.block(1e-5));
        room.capture(&mut heard);
        assert!(heard.iter().all(|sample| sample.abs() <= 1.0));
    }
}
