//! `window`: what the window costs: how soon it is there, what it takes while nothing goes on and in a call with a picture.
//!
//! Real `silbo` windows on an Xvfb of their own, drawn in software. Prints a table on stderr and one JSON object on stdout;
//! exit status 1 when a bar is missed.

use anyhow::{Context as _, Result};
use lab::desktop::Desktop;
use lab::field::gauge::{main_thread_time, processor_time, resident_mb};
use lab::process::{Place, Silbo, Turn, run};
use lab::script::{Cast, PATIENCE, Stage};
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Windows opened one after the other.
const OPENED: usize = 7;
/// How long a window may settle before anything is counted.
const SETTLE: Duration = Duration::from_secs(5);
/// For how long it is.
const COUNTED: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    measure().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "window: {error:#}");
        ExitCode::FAILURE
    })
}

fn measure() -> Result<ExitCode> {
    let folder = lab::leavings("bench-window")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    stage.register_bob()?;
    stage.befriend()?;
    let desktop = Desktop::start(1280, 800, &folder)?;
    let bob = Bob { stage: &stage, desktop: &desktop, folder: &folder };
    let mut opened = (0..OPENED).map(|_| bob.opens()).collect::<Result<Vec<f64>>>()?;
    opened.sort_by(f64::total_cmp);
    let idle = bob.idles()?;
    let bars = [
        Bar::new("exec until the first frame is seen (ms)", opened[OPENED / 2], 600.0),
        Bar::new("processor time while nothing goes on (% of a core)", idle.percent, 0.5),
        Bar::new("memory then, in RAM (MB)", idle.resident_mb, 150.0),
        Bar::new("main thread in a call with 360 lines at 30 (% of a core)", bob.calls()?, 15.0),
        Bar::new("the program, stripped (MB)", stripped_mb(&folder)?, 40.0),
    ];
    let mut err = std::io::stderr();
    for Bar { what, value, bar, passed } in &bars {
        let mark = if *passed { "ok" } else { "MISSED" };
        writeln!(err, "{mark:<7}{what:<62}{value:>8.1}  bar {bar:>6.1}")?;
    }
    let passed = bars.iter().all(|bar| bar.passed);
    let summary = json!({ "bench": "window", "passed": passed, "bars": bars, "opened_ms": opened });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Bar {
    what: &'static str,
    value: f64,
    bar: f64,
    passed: bool,
}

impl Bar {
    fn new(what: &'static str, value: f64, bar: f64) -> Self {
        Self { what, value, bar, passed: value <= bar }
    }
}

struct Idle {
    percent: f64,
    resident_mb: f64,
}

/// Somebody with a window.
struct Bob<'a> {
    stage: &'a Stage,
    desktop: &'a Desktop,
    folder: &'a Path,
}

impl Bob<'_> {
    fn start(&self) -> Result<Silbo> {
        let mut command = Place::Here.command(lab::silbo()?);
        command.arg("--json").args(self.stage.person("bob"));
        command.args(["gui", "--mic", "silence", "--speaker", "null"]);
        Silbo::spawn("window", self.desktop.here(command), self.folder)
    }

    /// How long until something is seen, in ms.
    fn opens(&self) -> Result<f64> {
        let started = Instant::now();
        let silbo = self.start()?;
        let window = self.desktop.window_of(silbo.id(), PATIENCE)?;
        window.wait_until_drawn()?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    /// Online, and nothing goes on.
    fn idles(&self) -> Result<Idle> {
        let mut silbo = self.start()?;
        let window = self.desktop.window_of(silbo.id(), PATIENCE)?;
        silbo.expect("online", PATIENCE)?;
        std::thread::sleep(SETTLE);
        let percent = percent(|| processor_time(silbo.id()))?;
        window.photograph(&self.folder.join("idle.png"))?;
        Ok(Idle { percent, resident_mb: resident_mb(silbo.id())? })
    }

    /// What the thread that draws takes while alice is seen, in per cent of a core.
    fn calls(&self) -> Result<f64> {
        let mut silbo = self.start()?;
        let window = self.desktop.window_of(silbo.id(), PATIENCE)?;
        silbo.expect("online", PATIENCE)?;
        let mut alice = self.stage.start_alice("alice", &["call", "bob", "--camera", "pattern"])?;
        silbo.expect("incoming", PATIENCE)?;
        window.press("Return")?;
        alice.expect("media_flowing", PATIENCE)?;
        silbo.expect_where("stats", PATIENCE, |event| event["fps"].as_f64().is_some_and(|fps| fps > 20.0))?;
        std::thread::sleep(SETTLE);
        let percent = percent(|| main_thread_time(silbo.id()))?;
        window.photograph(&self.folder.join("call.png"))?;
        alice.command(&json!({ "do": "hangup" }))?;
        alice.succeed(PATIENCE)?;
        Ok(percent)
    }
}

fn percent(time: impl Fn() -> Result<Duration>) -> Result<f64> {
    let (before, began) = (time()?, Instant::now());
    std::thread::sleep(COUNTED);
    Ok((time()? - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
}

fn stripped_mb(folder: &Path) -> Result<f64> {
    let stripped = folder.join("stripped");
    run(Place::Here.command("strip").arg("--strip-all").arg("-o").arg(&stripped).arg(lab::silbo()?))?;
    Ok(std::fs::metadata(&stripped).context("strip wrote nothing")?.len() as f64 / 1e6)
}
