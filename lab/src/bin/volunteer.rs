//! `volunteer [caps] [drain] [elected]`: what a volunteer's supernode promises, with real processes; all of it when
//! nothing is named.
//!
//! Prints a table on stderr and one JSON object on stdout. Exit status: 0 every bar kept, 1 a bar missed, 77 this system
//! allows no namespaces and the election was not run.

use anyhow::Result;
use lab::netns;
use lab::serving::{caps, drain, elected};
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "volunteer: {error:#}");
        ExitCode::FAILURE
    })
}

/// How long the cap is watched.
const WATCH: Duration = Duration::from_secs(20);
/// How long a call may go on when its supernode is told to end.
const WITHIN: Duration = Duration::from_secs(6);
/// Starting, noticing and leaving the network around that.
const SLACK_MS: f64 = 4_000.0;

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    lab::silbo()?;
    netns::within("nobody was elected.", || play(&words))
}

#[derive(Debug, Serialize)]
struct Measure {
    what: &'static str,
    value: f64,
    least: f64,
    most: f64,
    passed: bool,
}

impl Measure {
    fn new(what: &'static str, value: f64, bar: std::ops::RangeInclusive<f64>) -> Self {
        let passed = bar.contains(&value);
        Self { what, value, least: *bar.start(), most: *bar.end(), passed }
    }
}

fn play(words: &[String]) -> Result<ExitCode> {
    let wanted = |word: &str| words.is_empty() || words.iter().any(|given| given == word);
    let mut measures = Vec::new();
    let mut details = serde_json::Map::new();
    if wanted("caps") {
        let seen = caps::play(WATCH, &lab::leavings("volunteer-caps")?)?;
        let kept = seen.video_arrived as f64 / seen.video_sent as f64;
        measures.extend([
            Measure::new("a cap of 1 Mbit/s: demand (Mbit/s)", seen.demand_mbps, 5.0..=f64::MAX),
            Measure::new("a cap of 1 Mbit/s: relayed (Mbit/s)", seen.relayed_mbps, 0.95..=1.05),
            Measure::new("a cap of 1 Mbit/s: voice packets lost", seen.voice_lost as f64, 0.0..=0.0),
            Measure::new("a cap of 1 Mbit/s: part of the video that came", kept, 0.01..=0.25),
        ]);
        details.insert("caps".into(), json!(seen));
    }
    if wanted("drain") {
        for (name, then, least, most) in [
            ("drain", drain::Then::Wait, 6_000.0, 6_000.0 + SLACK_MS),
            ("insist", drain::Then::Insist, 0.0, 2_000.0 + SLACK_MS),
        ] {
            let went = drain::play(WITHIN, then, &lab::leavings(&format!("volunteer-{name}"))?)?;
            let lost = (went.sent - went.arrived) as f64;
            measures.extend([
                Measure::new("told to end: packets of the call lost", lost, 0.0..=0.0),
                Measure::new("told to end: ended after (ms)", went.ended_after_ms as f64, least..=most),
                Measure::new("told to end: exit status", f64::from(went.status), 0.0..=0.0),
            ]);
            details.insert(name.into(), json!(went));
        }
    }
    if wanted("elected") {
        let went = elected::play(&lab::leavings("volunteer-elected")?)?;
        let is = |what, yes: bool| Measure::new(what, f64::from(u8::from(yes)), 1.0..=1.0);
        let [open, behind] = &went.doctors;
        measures.extend([
            Measure::new("a volunteer strangers reach serves after (s)", went.promoted_after_s, 0.0..=240.0),
            is("its relay is open", went.relay["udp"].is_string()),
            is("its doctor says so", open["helping"] == "serving" && open["port"] == "open"),
            is("one behind a router does not, and says why", went.hidden_reason == "unreachable"),
            is("its doctor says so, too", behind["helping"] == "unfit" && behind["port"] == "filtered"),
            is("an operator's supernode found its port open", went.operator_port == "open"),
            Measure::new("the volunteer, told to end: exit status", f64::from(went.status), 0.0..=0.0),
        ]);
        details.insert("elected".into(), json!(went));
    }
    let passed = measures.iter().all(|measure| measure.passed);
    let mut err = std::io::stderr();
    for Measure { what, value, least, most, passed } in &measures {
        let mark = if *passed { "ok" } else { "MISSED" };
        let most = if *most == f64::MAX { String::new() } else { format!(" to {most:.2}") };
        writeln!(err, "{mark:<7}{what:<50}{value:>9.3}  bar {least:.2}{most}")?;
    }
    let summary = json!({ "bench": "volunteer", "passed": passed, "measures": measures, "details": details });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
