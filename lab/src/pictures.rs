//! Pictures over a slow link, sent once by us and once by Chromium, to a Chromium that looks.
//!
//! ```text
//!   host 1: silbo peer or Chromium ══ link, with a journal ══ segment ── host 2: Chromium
//! ```
//!
//! What the sender makes of the link is read off the link, and how it looks off the same receiver, so that both senders
//! are judged alike. They send the same film, which could use more than any of these links carries.

mod figures;
mod film;

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

pub use figures::{Bars, Figures};
pub use film::Films;

use crate::browser::{Browser, Fakes};
use crate::link::read_journal;
use crate::netns::Segment;
use crate::process::{Silbo, Turn};
use figures::Look;

/// A link with a name.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// What it is called.
    pub name: &'static str,
    /// What it is, one after the other; the first is there from the beginning.
    pub stretches: &'static [Stretch],
    /// How long pictures are sent.
    pub length: Duration,
    /// What is asked of us there, whatever Chromium does.
    pub bars: Bars,
}

/// What a link is for a while.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// When it begins, after the first picture.
    pub from: Duration,
    /// As [`crate::link::Link`] reads it.
    pub link: &'static str,
    /// Bits per second.
    pub rate: f64,
}

const fn always(link: &'static str, rate: f64) -> [Stretch; 1] {
    [Stretch { from: Duration::ZERO, link, rate }]
}

const LENGTH: Duration = Duration::from_secs(40);
const NARROW: [Stretch; 1] = always("kbit=1000,delay_ms=25,queue_ms=300", 1e6);
const LOSSY: [Stretch; 1] = always("kbit=2000,delay_ms=25,queue_ms=300,loss=0.05", 2e6);
const VERY_LOSSY: [Stretch; 1] = always("kbit=2000,delay_ms=25,queue_ms=300,loss=0.1", 2e6);
const STEPS: [Stretch; 3] = [
    NARROW[0],
    Stretch { from: Duration::from_secs(15), link: "kbit=500,delay_ms=25,queue_ms=300", rate: 5e5 },
    Stretch { from: Duration::from_secs(30), link: "kbit=2000,delay_ms=25,queue_ms=300", rate: 2e6 },
];

/// The links.
pub const TRACES: [Trace; 4] = [
    Trace {
        name: "narrow",
        stretches: &NARROW,
        length: LENGTH,
        bars: Bars {
            used: Some(0.85),
            until_85: Some(Duration::from_secs(5)),
            queue_p95: Some(Duration::from_millis(100)),
            overflowed: Some(0),
            ..Bars::NONE
        },
    },
    Trace {
        name: "steps",
        stretches: &STEPS,
        length: Duration::from_secs(50),
        bars: Bars {
            gave_way: Some(Duration::from_secs(2)),
            until_85: Some(Duration::from_secs(10)),
            longest_still: Some(Duration::from_secs(1)),
            ..Bars::NONE
        },
    },
    Trace { name: "lossy", stretches: &LOSSY, length: LENGTH, bars: Bars { used: Some(0.75), ..Bars::NONE } },
    Trace {
        name: "very_lossy",
        stretches: &VERY_LOSSY,
        length: LENGTH,
        bars: Bars { frozen: Some(0.02), ..Bars::NONE },
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

/// How long a call may take to stand.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the picture is looked at.
const GLANCE: Duration = Duration::from_millis(100);

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
    let mut stretches = trace.stretches.iter();
    let first = stretches.next().context("a trace without a link")?;
    segment.put_link(1, first.link, &journal)?;
    sends.call()?;
    let deadline = Instant::now() + PATIENCE;
    while !looks.look()?["states"].as_array().is_some_and(|states| states.contains(&json!("connected"))) {
        sends.carry(&mut looks)?;
        ensure!(Instant::now() < deadline, "{sender} and Chromium do not come together on {}", trace.name);
    }
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let start = Instant::now();
    let mut next = stretches.next();
    let mut log = File::create(folder.join("looks.jsonl"))?;
    let mut seen = Vec::new();
    while start.elapsed() < trace.length {
        if let Some(stretch) = next.filter(|stretch| start.elapsed() >= stretch.from) {
            segment.change_link(1, stretch.link)?;
            next = stretches.next();
        }
        sends.carry(&mut looks)?;
        let look = looks.look()?["video inbound-rtp"].clone();
        writeln!(log, "{look}")?;
        seen.push(Look::read(start.elapsed(), &look)?);
        std::thread::sleep(GLANCE);
    }
    Figures::of(&trace, began, &read_journal(&journal)?, &seen)
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
