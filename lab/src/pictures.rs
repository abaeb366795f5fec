//! Pictures over a slow link, sent once by us and once by Chromium, to a Chromium that looks.
//!
//! ```text
//!   host 1: silbo peer or Chromium ══ link, with a journal ══ segment ── host 2: Chromium
//! ```
//!
//! What the sender makes of the link is read off the link, and how it looks off the same receiver, so that both senders
//! are judged alike. They send the same film, which could use more than any of these links carries.

mod film;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

pub use film::Films;

use crate::browser::{Browser, Fakes};
use crate::link::{Carried, Passage, read_journal};
use crate::netns::Segment;
use crate::process::{Silbo, Turn};

/// A link with a name.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// What it is called.
    pub name: &'static str,
    /// As [`crate::link::Link`] reads it.
    pub link: &'static str,
    /// Bits per second.
    pub rate: f64,
    /// What is asked of us there, whatever Chromium does.
    pub bars: Bars,
}

/// What a link must be used for at least, and what must not happen more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bars {
    /// Share of the rate.
    pub used: Option<f64>,
    /// Until as much as 85 % of it is used.
    pub until_85: Option<Duration>,
    /// 95 of 100 frames wait no longer.
    pub queue_p95: Option<Duration>,
    /// Frames that found the queue full after the first five seconds.
    pub overflowed: Option<usize>,
    /// Share of the time in which the picture stood still.
    pub frozen: Option<f64>,
}

/// The links.
pub const TRACES: [Trace; 3] = [
    Trace {
        name: "narrow",
        link: "kbit=1000,delay_ms=25,queue_ms=300",
        rate: 1e6,
        bars: Bars {
            used: Some(0.85),
            until_85: Some(Duration::from_secs(5)),
            queue_p95: Some(Duration::from_millis(100)),
            overflowed: Some(0),
            frozen: None,
        },
    },
    Trace {
        name: "lossy",
        link: "kbit=2000,delay_ms=25,queue_ms=300,loss=0.05",
        rate: 2e6,
        bars: Bars { used: Some(0.75), until_85: None, queue_p95: None, overflowed: None, frozen: None },
    },
    Trace {
        name: "very_lossy",
        link: "kbit=2000,delay_ms=25,queue_ms=300,loss=0.1",
        rate: 2e6,
        bars: Bars { used: None, until_85: None, queue_p95: None, overflowed: None, frozen: Some(0.02) },
    },
];

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// `silbo peer`.
    Silbo,
    /// Chromium.
    Chromium,
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silbo => "silbo",
            Self::Chromium => "chromium",
        })
    }
}

/// How one sender fared on one link.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures {
    /// Share of the rate that arrived, after the first five seconds.
    pub used: f64,
    /// Seconds until within one second 85 % of it did; the length of the run if never.
    pub until_85: f64,
    /// In milliseconds, of frames after the first five seconds.
    pub queue_p95: f64,
    /// Frames that found the queue full after the first five seconds.
    pub overflowed: f64,
    /// Pictures decoded at the other end.
    pub pictures: f64,
    /// Times the picture stood still there, as Chromium counts them.
    pub freezes: f64,
    /// Share of the time it did.
    pub frozen: f64,
}

/// How long pictures are sent.
const LENGTH: Duration = Duration::from_secs(40);
/// What comes before is the beginning.
const BEGINNING: Duration = Duration::from_secs(5);
/// How long a call may take to stand.
const PATIENCE: Duration = Duration::from_secs(60);
/// A frame so long is no voice.
const PICTURE: usize = 500;
/// What counts as using a link.
const WELL_USED: f64 = 0.85;

/// Sends pictures over a link for a while.
pub fn play(
    trace: Trace,
    sender: Sender,
    segment: &mut Segment,
    films: &Films,
    folder: &Path,
) -> Result<Figures> {
    let journal = folder.join(format!("{}_{sender}.journal", trace.name));
    let fakes = |camera: Option<&PathBuf>| Fakes { microphone: films.tone.clone(), camera: camera.cloned() };
    let (here, there) = (segment.host(1), segment.host(2));
    let mut looks = Browser::start("looks", &there, Turn::Usual, folder, &fakes(None))?;
    let mut sends = match sender {
        Sender::Silbo => {
            let camera = format!("file:{}", films.hungry.display());
            let words = ["peer", "offer", "--wait", "--mic", "tone:440", "--speaker", "null"];
            let words = [&words[..], &["--camera", &camera]].concat();
            let mut silbo = Silbo::start("sends", &here, Turn::Usual, folder, &words)?;
            silbo.expect_where("ready", PATIENCE, |line| line["t"] == "ready")?;
            Sends::Silbo(silbo)
        }
        Sender::Chromium => {
            let browser = Browser::start("sends", &here, Turn::Usual, folder, &fakes(Some(&films.hungry)))?;
            Sends::Chromium(browser)
        }
    };
    segment.put_link(1, trace.link, &journal)?;
    sends.call()?;
    let deadline = Instant::now() + PATIENCE;
    while !looks.look()?["states"].as_array().is_some_and(|states| states.contains(&json!("connected"))) {
        sends.carry(&mut looks)?;
        ensure!(Instant::now() < deadline, "{sender} and Chromium do not come together on {}", trace.name);
    }
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let end = Instant::now() + LENGTH;
    while Instant::now() < end {
        sends.carry(&mut looks)?;
        std::thread::sleep(Duration::from_millis(200));
    }
    let seen = looks.look()?["video inbound-rtp"].clone();
    figures(trace, began, &read_journal(&journal)?, &seen)
}

enum Sends {
    Silbo(Silbo),
    Chromium(Browser),
}

impl Sends {
    fn call(&mut self) -> Result<()> {
        match self {
            Self::Silbo(silbo) => silbo.command(&json!({ "t": "call" })),
            Self::Chromium(browser) => browser.offer(),
        }
    }

    /// Carries what each says to the other.
    fn carry(&mut self, other: &mut Browser) -> Result<()> {
        let signal = |line: &Value| matches!(line["t"].as_str(), Some("offer" | "answer" | "cand"));
        loop {
            let line = match self {
                Self::Silbo(silbo) => silbo.poll(),
                Self::Chromium(browser) => browser.poll_told(),
            };
            let Some(line) = line else { break };
            if signal(&line) {
                other.take(&line)?;
            }
        }
        while let Some(line) = other.poll_told() {
            match self {
                Self::Silbo(silbo) => silbo.command(&line)?,
                Self::Chromium(browser) => browser.take(&line)?,
            }
        }
        Ok(())
    }
}

fn figures(trace: Trace, began: Duration, journal: &[Carried], seen: &Value) -> Result<Figures> {
    let first = journal.iter().find(|frame| frame.at >= began && frame.length > PICTURE);
    let start = first.context("no picture was sent")?.at;
    let since = |from: Duration, until: Duration| {
        let (from, until) = (start + from, start + until);
        journal.iter().filter(move |frame| (from..until).contains(&frame.at))
    };
    let arrived = |frame: &&Carried| matches!(frame.passage, Passage::After(_));
    let bits =
        |from, until| since(from, until).filter(arrived).map(|frame| frame.length as f64 * 8.0).sum::<f64>();
    let second = Duration::from_secs(1);
    let tenths = (0..LENGTH.as_millis() as u32 / 100).map(|tenth| Duration::from_millis(100) * tenth);
    let well_used = |end: &Duration| bits(end.saturating_sub(second), *end) >= WELL_USED * trace.rate;
    let until_85 = tenths.skip(10).find(well_used).unwrap_or(LENGTH);
    let mut waits: Vec<Duration> = since(BEGINNING, LENGTH)
        .filter_map(|frame| match frame.passage {
            Passage::After(waited) => Some(waited),
            Passage::Overflowed | Passage::Lost => None,
        })
        .collect();
    waits.sort_unstable();
    let p95 = waits.get(waits.len() * 95 / 100).copied().context("nothing was sent after the beginning")?;
    let overflowed = since(BEGINNING, LENGTH).filter(|frame| frame.passage == Passage::Overflowed).count();
    let number =
        |name: &str| seen[name].as_f64().with_context(|| format!("Chromium tells no {name}: {seen}"));
    Ok(Figures {
        used: bits(BEGINNING, LENGTH) / (trace.rate * (LENGTH - BEGINNING).as_secs_f64()),
        until_85: until_85.as_secs_f64(),
        queue_p95: p95.as_secs_f64() * 1000.0,
        overflowed: overflowed as f64,
        pictures: number("framesDecoded")?,
        freezes: number("freezeCount")?,
        frozen: number("totalFreezesDuration")? / LENGTH.as_secs_f64(),
    })
}

impl Figures {
    /// Of each figure the median.
    pub fn median(runs: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| {
            let mut all: Vec<f64> = runs.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        Some(Self {
            used: of(|run| run.used)?,
            until_85: of(|run| run.until_85)?,
            queue_p95: of(|run| run.queue_p95)?,
            overflowed: of(|run| run.overflowed)?,
            pictures: of(|run| run.pictures)?,
            freezes: of(|run| run.freezes)?,
            frozen: of(|run| run.frozen)?,
        })
    }

    /// What falls short of what is asked, and of Chromium.
    pub fn misses(&self, bars: &Bars, chromium: &Self) -> Vec<&'static str> {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let checks = [
            ("used", bars.used.is_none_or(|bar| self.used >= bar)),
            ("until_85", bars.until_85.is_none_or(|bar| self.until_85 <= bar.as_secs_f64())),
            ("queue_p95", bars.queue_p95.is_none_or(|bar| self.queue_p95 <= ms(bar))),
            ("overflowed", bars.overflowed.is_none_or(|bar| self.overflowed <= bar as f64)),
            ("frozen", bars.frozen.is_none_or(|bar| self.frozen <= bar)),
            ("used less than Chromium", self.used >= chromium.used),
            ("queue longer than Chromium's", self.queue_p95 <= chromium.queue_p95),
            ("frozen more than Chromium", self.frozen <= chromium.frozen),
        ];
        checks.into_iter().filter(|(_, holds)| !holds).map(|(what, _)| what).collect()
    }
}
