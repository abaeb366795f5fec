//! `bench`: the timings that Silbo promises, measured on this machine with the build beside this program.
//!
//! Prints a table on stderr and one JSON object on stdout; exit status 1 when a bar is missed.

use anyhow::{Result, ensure};
use lab::field::gauge::processor_time;
use lab::pair::{End, Pair, stats};
use lab::process::{Place, Silbo, Turn};
use lab::script::{Cast, PATIENCE, Stage, unix_ms};
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Calls made one after the other.
const CALLS: u32 = 12;
/// How long a call may settle before the processor time of a voice is taken, and for how long it is.
const SETTLE: Duration = Duration::from_secs(10);
const TALKS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let folder = lab::leavings("bench")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    stage.register_bob()?;
    let (setup, hang_up) = calls(&stage)?;
    let (usual, short) = (voice(&folder, "usual", 20)?, voice(&folder, "near", 10)?);
    let measures = [
        Measure::new("call set-up, calling to media flowing, p50 (ms)", median(&setup), 1000.0, setup),
        Measure::new(
            "hang-up until the other side has ended, p50 (ms)",
            median(&hang_up),
            300.0,
            hang_up.clone(),
        ),
        Measure::new("hang-up until the other side has ended, worst (ms)", worst(&hang_up), 300.0, hang_up),
        Measure::new(
            "processor time of a voice, both ways, echo and noise too (% of a core)",
            usual,
            5.0,
            vec![usual],
        ),
        Measure::new(
            "the same where the other end is near: frames of 10 ms (% of a core)",
            short,
            5.0,
            vec![short],
        ),
    ];
    let passed = measures.iter().all(|measure| measure.passed);
    let mut err = std::io::stderr();
    for measure in &measures {
        let mark = if measure.passed { "ok" } else { "MISSED" };
        writeln!(err, "{mark:<7}{:<72}{:>8.1}  bar {:>6.0}", measure.what, measure.value, measure.bar)?;
    }
    let summary = json!({ "bench": "loopback", "passed": passed, "measures": measures });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Measure {
    what: &'static str,
    value: f64,
    bar: f64,
    passed: bool,
    runs: Vec<f64>,
}

impl Measure {
    fn new(what: &'static str, value: f64, bar: f64, runs: Vec<f64>) -> Self {
        Self { what, value, bar, passed: value <= bar, runs }
    }
}

/// Set-up and hang-up times of [`CALLS`] calls, in milliseconds.
fn calls(stage: &Stage) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut bob = stage.bob(CALLS)?;
    let (mut setup, mut hang_up) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        let mut alice = stage.alice(None)?;
        let calling = alice.expect("calling", PATIENCE)?;
        let flowing = alice.expect_where("media_flowing", PATIENCE, |event| {
            event["event"] == "media_flowing" && event["direction"] != "send"
        })?;
        setup.push((unix_ms(&flowing)? - unix_ms(&calling)?) as f64);
        alice.expect("stats", PATIENCE)?;
        let pressed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
        alice.command(&json!({ "do": "hangup" }))?;
        let ended = bob.expect("ended", PATIENCE)?;
        hang_up.push((unix_ms(&ended)? - pressed) as f64);
        alice.succeed(PATIENCE)?;
    }
    bob.succeed(PATIENCE)?;
    Ok((setup, hang_up))
}

/// What a call without pictures costs one end, in per cent of a core: somebody talks at either end, in frames that hold so many
/// milliseconds.
fn voice(folder: &Path, frames: &str, hold: u64) -> Result<f64> {
    let speech = format!("file:{}", lab::speech::long_file()?.display());
    let sound = ["--mic", &speech, "--speaker", "null", "--processing", "on"];
    let words = [&sound[..], &["--camera", "none", "--frames", frames]].concat();
    let end = |title| End { title, place: Place::Here, words: &words, desktop: None, sound: None };
    let mut pair = Pair::call(&end("one"), &end("other"), folder)?;
    std::thread::sleep(SETTLE);
    let sent = |caller: &mut Silbo| Ok::<_, anyhow::Error>(stats(caller)?["audio_tx"].as_u64());
    let (before, sent_before) = (processor_time(pair.caller.id())?, sent(&mut pair.caller)?);
    std::thread::sleep(TALKS);
    let used = processor_time(pair.caller.id())? - before;
    let packets = sent(&mut pair.caller)?.zip(sent_before).map_or(0, |(after, before)| after - before);
    pair.hang_up()?;
    let usual = TALKS.as_millis() as u64 / hold;
    ensure!(packets.abs_diff(usual) < usual / 10, "{packets} packets in {TALKS:?}, of {hold} ms each");
    Ok(used.as_secs_f64() / TALKS.as_secs_f64() * 100.0)
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

fn worst(runs: &[f64]) -> f64 {
    runs.iter().copied().fold(f64::MIN, f64::max)
}
