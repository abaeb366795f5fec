//! `overlay [leaf] [supernode] [crash] [lan] [churn]`: what the overlay costs and survives with real processes; all of it
//! when nothing is named.
//!
//! Prints a table on stderr and one JSON object on stdout. Exit status: 0 every bar kept, 1 a bar missed, 2 wrong arguments, 77 this system
//! allows no namespaces and nothing was run.

use anyhow::{Context as _, Result};
use lab::field::{Hub, churn, crash, idle, lan, player};
use lab::netns::{self, Segment};
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "overlay: {error:#}");
        ExitCode::FAILURE
    })
}

/// Supernodes and people of the segment.
const HUBS: u8 = 5;
const PEOPLE: u8 = 6;

/// How long things may settle, and how long they are watched.
const SETTLE: Duration = Duration::from_secs(45);
const WATCH: Duration = Duration::from_secs(120);

/// Leaves of the one supernode.
const LEAVES: usize = 500;

/// Times the supernode is killed while it writes, and how long it writes each time.
const KILLS: usize = 5;
const BUSY: Duration = Duration::from_secs(3);

/// What can be watched.
const WORDS: [&str; 5] = ["leaf", "supernode", "crash", "lan", "churn"];
const WRONG_ARGUMENTS: u8 = 2;

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, bootstrap @ ..] = &words[..]
        && word == player::WORD
    {
        player::play(bootstrap.to_vec())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = words.iter().find(|word| !WORDS.contains(&word.as_str())) {
        writeln!(std::io::stderr(), "overlay: {unknown} is none of {}", WORDS.join(", "))?;
        return Ok(ExitCode::from(WRONG_ARGUMENTS));
    }
    lab::silbo()?;
    netns::within("no supernode was killed.", || play(&words))
}

#[derive(Debug, Serialize)]
struct Measure {
    what: &'static str,
    value: f64,
    bar: f64,
    passed: bool,
}

impl Measure {
    fn at_most(bar: f64, what: &'static str, value: f64) -> Self {
        Self { what, value, bar, passed: value <= bar }
    }
}

fn play(words: &[String]) -> Result<ExitCode> {
    let wanted = |word: &str| words.is_empty() || words.iter().any(|given| given == word);
    let mut measures = Vec::new();
    let mut details = serde_json::Map::new();
    if wanted("supernode") {
        let cost = idle::supernode(LEAVES, SETTLE, WATCH / 2, &lab::leavings("overlay-supernode")?)?;
        measures.extend([
            Measure::at_most(60.0, "supernode with 500 leaves: memory (MB)", cost.resident_mb),
            Measure::at_most(2.0, "supernode with 500 leaves: processor (%)", cost.processor_percent),
            Measure::at_most(2.0, "a leaf comes: processor of the supernode, p50 (ms)", cost.coming_ms),
            Measure::at_most(0.0, "leaves that lost their home", (LEAVES - cost.leaves) as f64),
        ]);
        details.insert("supernode".into(), json!(cost));
    }
    if wanted("crash") {
        let outcome = crash::play(KILLS, BUSY, &lab::leavings("overlay-crash")?)?;
        anyhow::ensure!(outcome.acknowledged > 0, "the supernode acknowledged nothing");
        measures.push(Measure::at_most(0.0, "claims lost by kill -9", outcome.lost.len() as f64));
        details.insert("crash".into(), json!(outcome));
    }
    if wanted("leaf") || wanted("lan") || wanted("churn") {
        let segment = Segment::build(HUBS + PEOPLE)?;
        let folder = lab::leavings("overlay-segment")?;
        let spots = (1..=HUBS).map(|n| {
            let ip = Segment::address(n);
            (segment.host(n), (ip, 4433).into(), (ip, 3478).into())
        });
        let mut hubs = Hub::start_all(spots.collect(), &folder)?;
        if wanted("leaf") {
            let cost = idle::leaf(&segment.host(HUBS + 1), &hubs, SETTLE, WATCH, &folder)?;
            measures.extend([
                Measure::at_most(5000.0, "idle leaf: UDP/IP bytes a minute", cost.bytes_per_minute),
                Measure::at_most(30.0, "idle leaf: memory (MB)", cost.resident_mb),
                Measure::at_most(0.3, "idle leaf: processor (%)", cost.processor_percent),
            ]);
            details.insert("leaf".into(), json!(cost));
        }
        if wanted("lan") {
            let took = lan::join(&segment.host(HUBS + 2), &folder)?;
            let what = "a newcomer finds the supernodes of its LAN by itself (s)";
            measures.push(Measure::at_most(5.0, what, took.as_secs_f64()));
        }
        if wanted("churn") {
            let people: Vec<_> = (1..=PEOPLE).map(|n| segment.host(HUBS + n)).collect();
            let program = std::env::current_exe().context("where is this program?")?;
            let outcome = churn::play(&mut hubs, &people, &program, WATCH, &folder)?;
            measures.extend([
                Measure::at_most(0.0, "churn: lookups not right within 5 s", outcome.lookups_failed as f64),
                Measure::at_most(0.0, "churn: rings not there within 5 s", outcome.rings_failed as f64),
            ]);
            details.insert("churn".into(), json!(outcome));
        }
    }
    let passed = measures.iter().all(|measure| measure.passed);
    let mut err = std::io::stderr();
    for measure in &measures {
        let mark = if measure.passed { "ok" } else { "MISSED" };
        writeln!(err, "{mark:<7}{:<54}{:>9.2}  bar {:>6.1}", measure.what, measure.value, measure.bar)?;
    }
    let summary = json!({ "bench": "overlay", "passed": passed, "measures": measures, "details": details });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
