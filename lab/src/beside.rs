//! A voice over a slow link, alone, beside its own pictures, and beside a download.
//!
//! ```text
//!   host 1: speech, a film ══ link ══ segment ── host 2: what is heard
//!           download ───────╯                ╰── sink
//! ```

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::bulk::Bulk;
use crate::netns::Segment;
use crate::pair::{End, Pair, stats};
use crate::pictures::Films;
use crate::quality;
use crate::speech;

/// Who is on the link with the voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nobody.
    None,
    /// Pictures that could use more than the link carries.
    Pictures,
    /// These, and a download.
    PicturesAndDownload,
}

/// What became of the voice.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Heard {
    /// From the microphone's block to the loudspeaker's, in milliseconds: half of all windows of speech.
    pub delay_p50: f64,
    /// 95 of 100.
    pub delay_p95: f64,
    /// Mean PESQ-WB.
    pub pesq: f64,
    /// Share of the sound that was made up.
    pub concealed: f64,
    /// Pictures that arrived, in kbit/s.
    pub video_kbps: f64,
    /// The download, in kbit/s.
    pub download_kbps: f64,
}

/// How long pictures have the link for themselves before somebody speaks.
const BEFORE: Duration = Duration::from_secs(6);
/// How long is listened after the speech ended.
const AFTER: Duration = Duration::from_secs(1);

/// Speaks once over such a link.
pub fn listen(
    company: Company,
    link: &str,
    segment: &mut Segment,
    films: &Films,
    folder: &Path,
) -> Result<Heard> {
    fs::create_dir_all(folder)?;
    segment.put_link(1, link, &folder.join("journal"))?;
    let (speech, recording) = (speech::file()?, folder.join("heard.wav"));
    let (said, played) = (folder.join("said.json"), folder.join("played.json"));
    let mic = format!("file:{}", speech.display());
    let speaker = format!("file:{}", recording.display());
    let camera = match company {
        Company::None => "none".to_owned(),
        Company::Pictures | Company::PicturesAndDownload => format!("file:{}", films.hungry.display()),
    };
    let (said_path, played_path) = (said.to_string_lossy(), played.to_string_lossy());
    let speaks =
        ["--hold-mic", "--mic", &mic, "--speaker", "null", "--camera", &camera, "--meta", &said_path];
    let listens = ["--mic", "silence", "--speaker", &speaker, "--meta", &played_path];
    let (here, there) = (segment.host(1), segment.host(2));
    let mut pair = Pair::call(
        &End { title: "speaks", place: here.clone(), words: &speaks, desktop: None, sound: None },
        &End { title: "listens", place: there.clone(), words: &listens, desktop: None, sound: None },
        folder,
    )?;
    std::thread::sleep(BEFORE);
    let mut download = match company {
        Company::PicturesAndDownload => Some(Bulk::start(&here, &there, Segment::address(2), folder)?),
        Company::None | Company::Pictures => None,
    };
    pair.caller.command(&json!({ "t": "start" }))?;
    let end = Instant::now() + Duration::from_secs(speech::SECONDS.into());
    let mut seconds = Vec::new();
    while Instant::now() < end {
        std::thread::sleep(Duration::from_secs(1));
        seconds.push(stats(&mut pair.callee)?);
    }
    let download_kbps = download.as_mut().map_or(Ok(0.0), Bulk::rate)? / 1000.0;
    drop(download);
    std::thread::sleep(AFTER);
    pair.hang_up()?;

    // From one clock, so that what is later in the recording than in the speech is the delay.
    let before = (first(&said, "cap")? - BLOCK).saturating_sub(first(&played, "play")?);
    let heard = quality::score_after(before, &speech, &recording)?;
    let mut delays = heard.lags_ms;
    delays.sort_by(f64::total_cmp);
    let quantile = |of: f64| {
        delays.get((delays.len() as f64 * of) as usize).copied().context("nothing that was said was heard")
    };
    let mean = |name: &str| {
        seconds.iter().map(|second| second[name].as_f64().unwrap_or(0.0)).sum::<f64>()
            / seconds.len().max(1) as f64
    };
    Ok(Heard {
        delay_p50: quantile(0.5)?,
        delay_p95: quantile(0.95)?,
        pesq: heard.mean,
        concealed: mean("concealed_ratio"),
        video_kbps: mean("video_kbps"),
        download_kbps,
    })
}

/// A block of the microphone is handed over when its last sample is there.
const BLOCK: Duration = Duration::from_millis(10);

/// When the first block was handed over, since 1970.
fn first(meta: &Path, direction: &str) -> Result<Duration> {
    let meta: Value = serde_json::from_str(&fs::read_to_string(meta)?)?;
    let at = meta[direction][0][2].as_u64().with_context(|| format!("nothing of {direction} was noted"))?;
    Ok(Duration::from_micros(at))
}
