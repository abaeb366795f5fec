//! `outlive [--quick] [--runs N] [FAULT...]`: calls between real `silbo` processes whose relays are killed or stopped,
//! whose direct way is cut, or whose address changes while they talk ([`lab::outlive`]); how much sound is missing.
//!
//! Prints a table on stderr and one JSON object on stdout. Faults are named as there (`relay-killed` ...); all are played
//! unless some are named. With `--quick` a relay is stopped once and relays are killed in turn once, and only that the
//! call goes on is judged. Exit status: 0 every bar kept, 1 a bar missed, 77 this system allows no namespaces and nothing
//! was run.

use anyhow::{Context as _, Result, ensure};
use lab::netns;
use lab::outlive::{Fault, Missing, Town};
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "outlive: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == [lab::stall::WORD] {
        lab::stall::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan::read(&words)?;
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::long_file()?;
    netns::within("no call was robbed of its relay.", || {
        let summary = play(&plan)?;
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Supernodes: three may be killed in turn.
const SUPERNODES: u8 = 4;

/// What is played.
struct Plan {
    faults: Vec<Fault>,
    /// How often each; by default as often as the bar says.
    runs: Option<usize>,
    judged: Judged,
}

/// What must be as it should for a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Everything,
    /// That the call goes on and both are heard in the end.
    SoundAlone,
}

impl Plan {
    fn read(words: &[String]) -> Result<Self> {
        let mut plan = Self { faults: Vec::new(), runs: None, judged: Judged::Everything };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => (plan.runs, plan.judged) = (Some(1), Judged::SoundAlone),
                "--runs" => plan.runs = Some(words.next().context("--runs needs a number")?.parse()?),
                name => plan.faults.push(fault(name)?),
            }
        }
        if plan.faults.is_empty() {
            plan.faults = match plan.judged {
                Judged::Everything => Fault::ALL.to_vec(),
                Judged::SoundAlone => vec![Fault::RelayStopped, Fault::RelaysKilledInTurn],
            };
        }
        Ok(plan)
    }
}

fn fault(name: &str) -> Result<Fault> {
    let named = Fault::ALL.into_iter().find(|fault| Bar::of(*fault).name == name);
    named.with_context(|| format!("no fault is called {name}"))
}

/// What may be missing, and of how many calls.
struct Bar {
    name: &'static str,
    runs: usize,
    p50_ms: f64,
    p95_ms: f64,
}

impl Bar {
    const fn of(fault: Fault) -> Self {
        let (name, runs, p50_ms, p95_ms) = match fault {
            Fault::RelayKilled => ("relay-killed", 50, 200.0, 200.0),
            Fault::RelayStopped => ("relay-stopped", 50, 200.0, 200.0),
            Fault::RelayStoppedWithoutUdp => ("relay-stopped-without-udp", 20, 200.0, 200.0),
            Fault::RelaysKilledInTurn => ("relays-killed-in-turn", 5, 200.0, 200.0),
            Fault::DirectCut => ("direct-cut", 20, 500.0, 500.0),
            Fault::UplinkMovedRelayed => ("uplink-moved-relayed", 20, 1000.0, 2000.0),
            Fault::UplinkMoved => ("uplink-moved", 20, 1000.0, 2000.0),
        };
        Self { name, runs, p50_ms, p95_ms }
    }
}

#[derive(Serialize)]
struct Verdict {
    fault: &'static str,
    passed: bool,
    calls: usize,
    /// Calls that ended, or in which somebody heard nothing any more.
    faults: Vec<String>,
    /// Faults of which what is missing was measured.
    measured: usize,
    /// Left out, for the machine stood still meanwhile.
    discarded: usize,
    missing_p50_ms: Option<f64>,
    missing_p95_ms: Option<f64>,
    missing_max_ms: Option<f64>,
    bar_p50_ms: f64,
    bar_p95_ms: f64,
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    cases: Vec<Verdict>,
}

fn play(plan: &Plan) -> Result<Summary> {
    let folder = lab::leavings("outlive")?;
    let mut town = Town::open(SUPERNODES, &folder)?;
    let mut cases = Vec::new();
    for fault in &plan.faults {
        let bar = Bar::of(*fault);
        let calls = plan.runs.unwrap_or(bar.runs);
        let (mut missing, mut faults) = (Vec::new(), Vec::new());
        for n in 1..=calls {
            match town.play(*fault) {
                Ok(missed) => {
                    for missed in &missed {
                        writeln!(std::io::stderr(), "{} {n}/{calls}: {}", bar.name, told(missed))?;
                    }
                    missing.extend(missed);
                }
                Err(error) => {
                    writeln!(std::io::stderr(), "{} {n}/{calls}: FAILED {error:#}", bar.name)?;
                    faults.push(format!("{error:#}"));
                }
            }
        }
        cases.push(verdict(&bar, plan.judged, calls, faults, &missing));
    }
    let passed = cases.iter().all(|case| case.passed);
    ensure!(!cases.is_empty(), "nothing was played");
    Ok(Summary { bench: "outlive", passed, cases })
}

fn told(missed: &Missing) -> String {
    let Missing { alice_ms, bob_ms, machine_stalled_ms } = missed;
    let stalled = if missed.is_fair() {
        String::new()
    } else {
        format!(", the machine stood still for {machine_stalled_ms} ms")
    };
    format!("missing {alice_ms:.0} ms at alice, {bob_ms:.0} ms at bob{stalled}")
}

fn verdict(bar: &Bar, judged: Judged, calls: usize, faults: Vec<String>, missing: &[Missing]) -> Verdict {
    let mut fair: Vec<f64> =
        missing.iter().filter(|missing| missing.is_fair()).map(Missing::worst_ms).collect();
    fair.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let rank = (share * fair.len() as f64).ceil() as usize;
        fair.get(rank.saturating_sub(1)).copied()
    };
    let (p50, p95) = (quantile(0.5), quantile(0.95));
    let kept = |measured: Option<f64>, bar: f64| measured.is_some_and(|measured| measured <= bar);
    let in_time = kept(p50, bar.p50_ms) && kept(p95, bar.p95_ms);
    Verdict {
        fault: bar.name,
        passed: faults.is_empty() && (judged == Judged::SoundAlone || in_time),
        calls,
        faults,
        measured: fair.len(),
        discarded: missing.len() - fair.len(),
        missing_p50_ms: p50,
        missing_p95_ms: p95,
        missing_max_ms: quantile(1.0),
        bar_p50_ms: bar.p50_ms,
        bar_p95_ms: bar.p95_ms,
    }
}
