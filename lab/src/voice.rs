//! The voice that ships, over links that are made of numbers: what is heard, how late, and what it costs.
//!
//! [`PROFILES`] name the links and the bars; [`measure`] says the speech of [`crate::speech::voices`] over one of them, in
//! virtual time and always the same, and has `lab/hear.py` score what is heard.
//!
//! Mouth to ear counts from when a sample is spoken until it is handed to the loudspeaker: the blocks of a frame that
//! are waited for, the codec's look-ahead, the link, the jitter buffer, and the time until the loudspeaker's clock asks.
//! Chromium's figures, which the bars are made of, count the same. A sound card adds to both; ours is given
//! [`DEVICE_BUFFER`] ahead of what it asks for.

pub mod hour;

mod call;
mod profiles;
mod way;

use anyhow::{Context as _, Result, ensure};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

pub use profiles::{Bars, PROFILES, Profile};
pub use way::{Loss, Stall, Way};

use media::session::quality;

use crate::process::Place;
use crate::speech;
use call::{Heard, call};

/// What waits for a sound card beside what [`measure`] counts: one request of 10 ms and one block.
pub const DEVICE_BUFFER: Duration = Duration::from_millis(20);

/// What a profile came to. The medians of the runs, each the mean of its voices.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// [`Profile::name`].
    pub profile: &'static str,
    /// Mean PESQ-WB of windows of six seconds.
    pub pesq: f64,
    /// The least mean of one voice in one run.
    pub pesq_least: f64,
    /// Mean STOI of windows of one and a half seconds.
    pub stoi: f64,
    /// Mouth to ear in ms: the median of the windows.
    pub mouth_to_ear: f64,
    /// The 95th percentile of the windows.
    pub mouth_to_ear_p95: f64,
    /// Share of what was played that was invented, in per cent.
    pub concealed: f64,
    /// Frames that were lost on the way and heard all the same, in per cent of those sent.
    pub recovered: f64,
    /// IP on the wire in kbit/s, with what is told of it.
    pub wire: f64,
    /// What the program itself takes for the mean opinion.
    pub opinion: f64,
    /// What it takes for mouth to ear in ms, without the sound card.
    pub delay_told: f64,
    /// PESQ-WB of each voice, over all runs.
    pub voices: Vec<f64>,
}

/// How far what the program tells may be off what is heard: opinion, and ms.
pub const TOLD: (f64, f64) = (0.3, 20.0);

impl Figures {
    /// What does not hold, in words.
    pub fn missed(&self, bars: &Bars) -> Vec<String> {
        let Bars { pesq, mouth_to_ear, wire } = *bars;
        // As many digits as are shown.
        let hundredths = |value: f64| (value * 100.0).round() / 100.0;
        let judged = [
            (hundredths(self.pesq) >= pesq, format!("PESQ {:.2}, not {pesq}", self.pesq)),
            (
                self.mouth_to_ear.round() <= mouth_to_ear,
                format!("{:.0} ms, not {mouth_to_ear}", self.mouth_to_ear),
            ),
            (self.wire.round() <= wire, format!("{:.0} kbit/s, not {wire}", self.wire)),
            (
                (self.opinion - self.pesq).abs() <= TOLD.0,
                format!("an opinion of {:.2} was told", self.opinion),
            ),
            (
                (self.delay_told - self.mouth_to_ear).abs() <= TOLD.1,
                format!("{:.0} ms were told", self.delay_told),
            ),
        ];
        judged.into_iter().filter(|(holds, _)| !holds).map(|(_, said)| said).collect()
    }
}

/// Says the speech of all voices over a link, so many times.
pub fn measure(profile: &Profile, runs: u64) -> Result<Figures> {
    let voices = speech::voices()?;
    let folder = tempfile::tempdir()?;
    let cases: Vec<(u64, usize)> =
        (0..runs).flat_map(|run| (0..voices.len()).map(move |voice| (run, voice))).collect();
    let calls = cases
        .par_iter()
        .map(|(run, voice)| {
            let recording = folder.path().join(format!("{run}-{voice}.wav"));
            let seed = run * voices.len() as u64 + *voice as u64 + 1;
            let heard = call(&speech::read(&voices[*voice])?, profile.way, profile.frames, seed)?;
            write(&recording, &heard.sound)?;
            Ok((heard, recording))
        })
        .collect::<Result<Vec<_>>>()?;
    let pairs = cases.iter().zip(&calls).map(|((_, voice), (_, path))| (&voices[*voice], path));
    let scores = listen(&pairs.collect::<Vec<_>>())?;
    let rows: Vec<Row> =
        calls.iter().zip(scores).map(|((heard, _), scores)| Row::new(heard, scores)).collect();
    Ok(summary(profile.name, &rows, voices.len()))
}

/// What `lab/hear.py` says of one recording.
#[derive(Debug, Deserialize)]
pub(crate) struct Scores {
    pub(crate) pesq: Vec<f64>,
    pub(crate) stoi: Vec<f64>,
    delays_ms: Vec<f64>,
}

/// One voice in one run.
#[derive(Debug)]
struct Row {
    pesq: f64,
    stoi: f64,
    delays: Vec<f64>,
    concealed: f64,
    recovered: f64,
    wire: f64,
    opinion: f64,
    delay_told: f64,
}

impl Row {
    fn new(heard: &Heard, scores: Scores) -> Self {
        let seconds = media::frame::duration_of(heard.sound.len() as u64).as_secs_f64();
        let began = heard.began.as_secs_f64() * 1000.0;
        let sent = heard.stats.received + heard.stats.lost;
        let opinion = quality::mean_opinion(heard.delay_told, heard.stats.concealed_ratio());
        Self {
            pesq: mean(scores.pesq.iter().copied()),
            stoi: mean(scores.stoi.iter().copied()),
            delays: scores.delays_ms.iter().map(|delay| delay + began).collect(),
            concealed: f64::from(heard.stats.concealed_ratio()) * 100.0,
            recovered: heard.stats.recovered as f64 / sent.max(1) as f64 * 100.0,
            wire: heard.wire as f64 * 8.0 / 1000.0 / seconds,
            opinion: opinion.into(),
            delay_told: (heard.delay_told.as_secs_f64() - DEVICE_BUFFER.as_secs_f64()) * 1000.0,
        }
    }
}

fn summary(profile: &'static str, rows: &[Row], voices: usize) -> Figures {
    let over =
        |of: &dyn Fn(&Row) -> f64| quantile(rows.chunks(voices).map(|run| mean(run.iter().map(of))), 0.5);
    let delays = |at: f64| over(&|row| quantile(row.delays.iter().copied(), at));
    Figures {
        profile,
        pesq: over(&|row| row.pesq),
        pesq_least: rows.iter().map(|row| row.pesq).fold(f64::INFINITY, f64::min),
        stoi: over(&|row| row.stoi),
        mouth_to_ear: delays(0.5),
        mouth_to_ear_p95: delays(0.95),
        concealed: over(&|row| row.concealed),
        recovered: over(&|row| row.recovered),
        wire: over(&|row| row.wire),
        opinion: over(&|row| row.opinion),
        delay_told: over(&|row| row.delay_told),
        voices: (0..voices)
            .map(|voice| mean(rows.iter().skip(voice).step_by(voices).map(|row| row.pesq)))
            .collect(),
    }
}

/// What `lab/hear.py` says of recordings, each after its reference.
pub(crate) fn listen(pairs: &[(&PathBuf, &PathBuf)]) -> Result<Vec<Scores>> {
    let python = crate::target()?.join("venv/bin/python");
    ensure!(python.is_file(), "{} is missing: run `.ci/venv.sh` (or `make test`)", python.display());
    let mut command = Place::Here.command(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("hear.py"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut asked = child.stdin.take().context("hear.py has no stdin")?;
    for (reference, recording) in pairs {
        writeln!(asked, "{}", serde_json::json!({ "reference": reference, "recording": recording }))?;
    }
    drop(asked);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "hear.py failed");
    let said = String::from_utf8(output.stdout)?;
    let scores = said.lines().map(serde_json::from_str).collect::<Result<Vec<Scores>, _>>()?;
    ensure!(scores.len() == pairs.len(), "hear.py scored {} of {} recordings", scores.len(), pairs.len());
    Ok(scores)
}

/// 48 kHz, mono, 16 bits.
pub(crate) fn write(path: &Path, sound: &[f32]) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: media::frame::SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in sound {
        writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
    }
    Ok(writer.finalize()?)
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / f64::from(count.max(1))
}

/// The value below which this share of the others is; nothing of none.
fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
