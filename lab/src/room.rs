//! Rooms made of numbers: a loudspeaker, a microphone that hears it, and somebody who talks at times.
//!
//! ```text
//!             0                  26               48    53              75 s
//!   far end   ├──── speaks ─────────────────────────────┤   is silent
//!   near end            silent   ├──── speaks ────┤       ├── speaks ───┤
//!                    ▲ at 15 s the delay or the room may change
//! ```
//!
//! [`measure`] gives a [`Scene`] to the [`Processor`] that ships and compares what it leaves with what was in the microphone:
//! how much of the echo is gone ([`Figures::early`], [`Figures::changed`]), and what became of the near end, by itself and
//! while both speak. `lab/hear.py` scores the latter two.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use media::frame::{BLOCK, Block, SAMPLE_RATE};
use media::process::{Processing, Processor};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::speech;
use crate::voice::{listen, mean, write};

/// What the microphone hears of the loudspeaker, and the bars.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// How the loudspeaker distorts.
    pub loudspeaker: Loudspeaker,
    /// The noise of the room, in dBFS.
    pub noise: f32,
    /// What becomes different after 15 s.
    pub change: Change,
    /// How much faster the loudspeaker's clock is than the microphone's, in millionths.
    pub drift: f64,
    /// What must hold.
    pub bars: Bars,
}

/// What a loudspeaker makes of its signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudspeaker {
    /// The same.
    Linear,
    /// Loud parts are pressed together.
    Overdriven,
}

/// What becomes different in the middle of the far end's speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The echo comes so much later.
    Delay(Duration),
    /// All ways of the sound but the delay.
    Room,
}

/// What a scene must come to; attenuations in dB.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    /// [`Figures::early`], at least.
    pub early: f64,
    /// [`Figures::changed`], at least.
    pub changed: f64,
    /// [`Figures::near_pesq`], at least; none where the noise decides.
    pub near_pesq: Option<f64>,
}

const QUIET: Bars = Bars { early: 25.0, changed: 25.0, near_pesq: Some(3.8) };

/// Every room.
pub const SCENES: [Scene; 5] = [
    Scene {
        name: "linear",
        loudspeaker: Loudspeaker::Linear,
        noise: -70.0,
        change: Change::None,
        drift: 0.0,
        bars: Bars { early: 35.0, changed: 35.0, near_pesq: Some(3.8) },
    },
    Scene {
        name: "overdriven",
        loudspeaker: Loudspeaker::Overdriven,
        noise: -45.0,
        change: Change::None,
        drift: 0.0,
        bars: Bars { near_pesq: None, ..QUIET },
    },
    Scene {
        name: "delay",
        loudspeaker: Loudspeaker::Linear,
        noise: -70.0,
        change: Change::Delay(Duration::from_millis(40)),
        drift: 0.0,
        bars: QUIET,
    },
    Scene {
        name: "moved",
        loudspeaker: Loudspeaker::Linear,
        noise: -70.0,
        change: Change::Room,
        drift: 0.0,
        bars: QUIET,
    },
    Scene {
        name: "drift",
        loudspeaker: Loudspeaker::Linear,
        noise: -60.0,
        change: Change::None,
        drift: 100.0,
        bars: QUIET,
    },
];

/// STOI while both speak, at least, in every scene.
pub const DOUBLE_TALK: f64 = 0.85;

/// What a scene came to.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// [`Scene::name`].
    pub scene: &'static str,
    /// How much quieter the echo is from 3 to 14 s, in dB.
    pub early: f64,
    /// The same from 17 to 25 s: two seconds after what changed.
    pub changed: f64,
    /// STOI of the near end while both speak.
    pub double_talk_stoi: f64,
    /// How loud the near end stays meanwhile, in dB.
    pub double_talk_gain: f64,
    /// PESQ-WB of the near end while the far end is silent.
    pub near_pesq: f64,
    /// Microseconds for a block of 10 ms, both directions; of this build.
    pub block_us: f64,
}

impl Figures {
    /// What does not hold, in words.
    pub fn missed(&self, bars: &Bars) -> Vec<String> {
        let at_least = |what: &str, value: f64, bar: f64| {
            (value < bar || value.is_nan()).then(|| format!("{what} {value:.2}, not {bar}"))
        };
        [
            at_least("dB", self.early, bars.early),
            at_least("dB in the end", self.changed, bars.changed),
            at_least("STOI", self.double_talk_stoi, DOUBLE_TALK),
            bars.near_pesq.and_then(|bar| at_least("PESQ", self.near_pesq, bar)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Plays a scene to the processor for loudspeakers.
pub fn measure(scene: &Scene) -> Result<Figures> {
    let voices = speech::voices()?;
    let [far, near] = [0, 1].map(|voice| voices.get(voice).context("no voice")).map(|path| {
        let spoken = speech::read(path?)?;
        anyhow::Ok(as_loud(spoken.get(seconds(1)..seconds(27)).context("a short voice")?))
    });
    let (far, near) = (far?, near?);
    let mut played = [far.clone(), far].concat();
    played.resize(seconds(LENGTH), 0.0);
    let mut spoken = vec![0.0; played.len()];
    for begin in [BOTH.0, ALONE.0] {
        let words = &near[..seconds(BOTH.1 - BOTH.0)];
        spoken[seconds(begin)..][..words.len()].copy_from_slice(words);
    }
    let heard: Vec<f32> =
        scene.echo(&played).into_iter().zip(&spoken).map(|(echo, spoken)| echo + spoken).collect();
    let mut processor = Processing::On.processor();
    let began = Instant::now();
    let left = process(processor.as_mut(), &played, &heard);
    let took = began.elapsed();
    let quieter = |(from, to)| {
        let [before, after] = [&heard, &left].map(|sound| power(&sound[seconds(from)..seconds(to)]));
        10.0 * (before / after).log10()
    };
    let (stoi, _) = scored(&spoken, &left, BOTH)?;
    let (_, near_pesq) = scored(&spoken, &left, ALONE)?;
    Ok(Figures {
        scene: scene.name,
        early: quieter(EARLY),
        changed: quieter(CHANGED),
        double_talk_stoi: stoi,
        double_talk_gain: gain(&spoken, &left, BOTH),
        near_pesq,
        block_us: took.as_secs_f64() * 1e6 / (heard.len() / BLOCK) as f64,
    })
}

impl Scene {
    /// What the microphone hears while nobody speaks beside it.
    fn echo(&self, played: &[f32]) -> Vec<f32> {
        let mut random = StdRng::seed_from_u64(7);
        let loudest = played.iter().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));
        let driven: Vec<f32> = match self.loudspeaker {
            Loudspeaker::Linear => played.to_vec(),
            Loudspeaker::Overdriven => {
                let pressed = |sample: &f32| (3.0 * sample).tanh() / 3f32.tanh() * loudest;
                played.iter().map(pressed).collect()
            }
        };
        let room = Room::new(&mut random);
        let mut echo = delayed(&room.answer(&driven), DELAY);
        let later = match self.change {
            Change::None => None,
            Change::Delay(more) => Some(delayed(&room.answer(&driven), DELAY + more)),
            Change::Room => Some(delayed(&Room::new(&mut random).answer(&driven), DELAY)),
        };
        if let Some(later) = later {
            echo[seconds(15)..].copy_from_slice(&later[seconds(15)..]);
        }
        if self.drift != 0.0 {
            echo = faster(&echo, self.drift);
        }
        let speaks = ..seconds(52);
        let share = (power(&played[speaks]) / power(&echo[speaks])).sqrt() as f32 * RETURN;
        let noise = as_loud_as(&noise(echo.len(), &mut random), self.noise);
        echo.iter().zip(noise).map(|(echo, noise)| echo * share + noise).collect()
    }
}

/// How sound goes from a loudspeaker to a microphone: straight, and by way of the walls.
struct Room(Vec<(usize, f32)>);

impl Room {
    fn new(random: &mut StdRng) -> Self {
        let length = seconds(1) / 4;
        let mut ways = vec![(0, 1.0)];
        ways.extend((0..REFLECTIONS).map(|_| {
            let at = random.random_range(1..length);
            // Hardly anything comes in the first 2 ms.
            let early = if at < 96 { 0.1 } else { 1.0 };
            let faded = 10f32.powf(-3.0 * at as f32 / (REVERBERATION * SAMPLE_RATE as f32));
            (at, early * faded * WALLS * normal(random))
        }));
        Self(ways)
    }

    fn answer(&self, sound: &[f32]) -> Vec<f32> {
        let mut answer = vec![0.0; sound.len()];
        for &(later, share) in &self.0 {
            for (to, from) in answer[later..].iter_mut().zip(sound) {
                *to += share * from;
            }
        }
        answer
    }
}

fn process(processor: &mut dyn Processor, played: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut left = Vec::with_capacity(heard.len());
    for (played, heard) in played.as_chunks::<BLOCK>().0.iter().zip(heard.as_chunks::<BLOCK>().0) {
        let mut block: Block = *heard;
        processor.render(played);
        processor.capture(&mut block);
        left.extend_from_slice(&block);
    }
    // What it adds: see media::process.
    left.drain(..BLOCK);
    left.resize(heard.len(), 0.0);
    left
}

/// STOI and PESQ-WB of a stretch.
fn scored(spoken: &[f32], left: &[f32], (from, to): (usize, usize)) -> Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, sound: &[f32]| -> Result<PathBuf> {
        let path: &Path = folder.path();
        let path = path.join(name);
        write(&path, &sound[seconds(from)..seconds(to)])?;
        Ok(path)
    };
    let (reference, recording) = (file("spoken.wav", spoken)?, file("left.wav", left)?);
    let scores = listen(&[(&reference, &recording)])?;
    let scores = scores.first().context("no scores")?;
    Ok((mean(scores.stoi.iter().copied()), mean(scores.pesq.iter().copied())))
}

/// How loud `spoken` is in `left`, in dB.
fn gain(spoken: &[f32], left: &[f32], (from, to): (usize, usize)) -> f64 {
    let (spoken, left) = (&spoken[seconds(from)..seconds(to)], &left[seconds(from)..seconds(to)]);
    let shared: f64 = spoken.iter().zip(left).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    20.0 * (shared / (power(spoken) * spoken.len() as f64)).log10()
}

fn delayed(sound: &[f32], by: Duration) -> Vec<f32> {
    let by = media::frame::samples_in(by) as usize;
    let mut later = vec![0.0; by];
    later.extend_from_slice(&sound[..sound.len() - by]);
    later
}

/// The same in a shorter time; the last sample is held.
fn faster(sound: &[f32], millionths: f64) -> Vec<f32> {
    let last = sound.len() - 1;
    (0..sound.len())
        .map(|at| {
            let place = at as f64 * (1.0 + millionths * 1e-6);
            let (before, part) = ((place as usize).min(last), place.fract() as f32);
            sound[before] * (1.0 - part) + sound[(before + 1).min(last)] * part
        })
        .collect()
}

/// Noise of a room: more bass than treble.
fn noise(length: usize, random: &mut StdRng) -> Vec<f32> {
    let mut level = 0.0;
    (0..length)
        .map(|_| {
            level = 0.98 * level + normal(random);
            level
        })
        .collect()
}

/// A number of mean 0 and variance 1, nearly normal.
fn normal(random: &mut StdRng) -> f32 {
    (0..12).map(|_| random.random_range(0.0..1.0f32)).sum::<f32>() - 6.0
}

fn as_loud(sound: &[f32]) -> Vec<f32> {
    as_loud_as(sound, SPEECH)
}

fn as_loud_as(sound: &[f32], dbfs: f32) -> Vec<f32> {
    let share = 10f32.powf(dbfs / 20.0) / power(sound).sqrt() as f32;
    sound.iter().map(|sample| sample * share).collect()
}

fn power(sound: &[f32]) -> f64 {
    sound.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / sound.len().max(1) as f64
}

const fn seconds(count: usize) -> usize {
    count * SAMPLE_RATE as usize
}

/// All of a scene, in seconds; and when both ends speak, and the near end alone.
const LENGTH: usize = 77;
const BOTH: (usize, usize) = (26, 48);
const ALONE: (usize, usize) = (53, 75);
/// When the echo is compared.
const EARLY: (usize, usize) = (3, 14);
const CHANGED: (usize, usize) = (17, 25);
/// How loud speech is, in dBFS.
const SPEECH: f32 = -20.5;
/// How loud the echo is beside what is played: -8 dB.
const RETURN: f32 = 0.4;
/// What devices and the way straight through the air take.
const DELAY: Duration = Duration::from_millis(60);
/// How long the room takes for 60 dB, in seconds.
const REVERBERATION: f32 = 0.3;
/// Ways by the walls, and how loud one is at first beside the straight one.
const REFLECTIONS: usize = 1000;
const WALLS: f32 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_and_fast_is_where_it_should_be() {
        let click: Vec<f32> = (0..2000).map(|at| if at == 1000 { 1.0 } else { 0.0 }).collect();
        let loudest = |sound: &[f32]| sound.iter().position(|sample| *sample > 0.5);
        assert_eq!(loudest(&delayed(&click, Duration::from_millis(1))), Some(1048));
        assert_eq!(loudest(&faster(&click, 10_000.0)), Some(990));
    }

    #[test]
    fn nothing_left_is_no_success() {
        let figures = Figures {
            scene: "",
            early: f64::INFINITY,
            changed: 50.0,
            double_talk_stoi: f64::NAN,
            double_talk_gain: 0.0,
            near_pesq: 1.0,
            block_us: 1.0,
        };
        assert_eq!(figures.missed(&QUIET), ["STOI NaN, not 0.85", "PESQ 1.00, not 3.8"]);
    }
}
