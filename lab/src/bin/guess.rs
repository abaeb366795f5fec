//! `guess [--quick] [--runs N]`: calls between real `silbo` processes, one behind a router that takes another public port for
//! everybody, the other behind one that does not ([`lab::guess`]): how many become direct, how soon, and what is missed.
//!
//! Prints a table on stderr and one JSON object on stdout. Who is behind which alternates. With `--quick` one call is made,
//! and another one if no guess came true, and only that it becomes direct and is heard is judged. Exit status: 0 every bar
//! kept, 1 a bar missed, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail};
use lab::guess::{Guessed, Hard};
use lab::netns;
use lab::outlive::{Missing, Town};
use lab::reflect;
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "guess: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [word] if word == lab::stall::WORD => {
            lab::stall::serve()?;
            return Ok(ExitCode::SUCCESS);
        }
        [word, half] if word == reflect::WORD => {
            writeln!(std::io::stdout(), "{}", reflect::serve(half)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let plan = Plan::read(&words)?;
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::long_file()?;
    netns::within("no way was guessed.", || {
        let summary = play(&plan)?;
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// As many as see the same mapping make a mapping sure; one of them may be away.
const SUPERNODES: u8 = 3;

/// Calls that must be direct, of a hundred, and how soon after the answer.
const BAR_PERCENT: usize = 95;
const BAR_MS: i64 = 15_000;
/// What may be missed at the change.
const BAR_MISSING_MS: f64 = 40.0;
const RUNS: usize = 50;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// So many calls, judged by every bar.
    Whole { runs: usize },
    /// One call that is direct and heard.
    Quick,
}

impl Plan {
    fn read(words: &[String]) -> Result<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(match words[..] {
            [] => Self::Whole { runs: RUNS },
            ["--quick"] => Self::Quick,
            ["--runs", runs] => Self::Whole { runs: runs.parse().context("--runs needs a number")? },
            _ => bail!("usage: guess [--quick | --runs N]"),
        })
    }
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    calls: usize,
    /// Calls that ended, or could not be made.
    faults: Vec<String>,
    direct_in_time: usize,
    direct: usize,
    direct_p50_ms: Option<f64>,
    direct_p95_ms: Option<f64>,
    direct_max_ms: Option<f64>,
    /// Calls with seconds in which somebody heard nothing.
    silent: usize,
    /// Changes of which what is missing was measured.
    measured: usize,
    /// Left out, for the machine stood still meanwhile.
    discarded: usize,
    missing_p50_ms: Option<f64>,
    missing_p95_ms: Option<f64>,
    missing_max_ms: Option<f64>,
}

fn play(plan: &Plan) -> Result<Summary> {
    let folder = lab::leavings("guess")?;
    let mut town = Town::open(SUPERNODES, &folder)?;
    let (mut calls, mut faults) = (Vec::new(), Vec::new());
    let runs = match plan {
        Plan::Whole { runs } => *runs,
        Plan::Quick => 2,
    };
    for n in 0..runs {
        let hard = Hard::ALL[n % Hard::ALL.len()];
        match town.guess(hard) {
            Ok(call) => {
                writeln!(std::io::stderr(), "{}/{runs}: {}", n + 1, told(&call))?;
                calls.push(call);
            }
            Err(error) => {
                writeln!(std::io::stderr(), "{}/{runs}: FAILED {error:#}", n + 1)?;
                faults.push(format!("{error:#}"));
            }
        }
        if *plan == Plan::Quick && calls.iter().any(|call| call.direct_ms.is_some()) {
            break;
        }
    }
    Ok(summary(plan, &calls, faults))
}

fn told(call: &Guessed) -> String {
    let hard = match call.hard {
        Hard::Callee => "port x symmetric",
        Hard::Caller => "symmetric x port",
    };
    let silent = match call.silent_seconds {
        0 => String::new(),
        seconds => format!(", {seconds} SECONDS OF SILENCE"),
    };
    let (Some(direct), Some(missing)) = (call.direct_ms, &call.missing) else {
        return format!("{hard}: stayed relayed{silent}");
    };
    let Missing { alice_ms, bob_ms, machine_stalled_ms } = missing;
    let stalled = match missing.is_fair() {
        true => String::new(),
        false => format!(", the machine stood still for {machine_stalled_ms} ms"),
    };
    format!(
        "{hard}: direct after {direct} ms, missing {alice_ms:.0} ms at alice, {bob_ms:.0} ms at bob{stalled}{silent}"
    )
}

fn summary(plan: &Plan, calls: &[Guessed], faults: Vec<String>) -> Summary {
    let made = calls.len() + faults.len();
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let times = sorted(calls.iter().filter_map(|call| call.direct_ms).map(|ms| ms as f64).collect());
    let missing: Vec<&Missing> = calls.iter().filter_map(|call| call.missing.as_ref()).collect();
    let fair = sorted(
        missing.iter().filter(|missing| missing.is_fair()).map(|missing| missing.worst_ms()).collect(),
    );
    let in_time = times.iter().filter(|ms| **ms <= BAR_MS as f64).count();
    let silent = calls.iter().filter(|call| call.silent_seconds > 0).count();
    let heard = faults.is_empty() && silent == 0;
    let passed = match plan {
        Plan::Quick => heard && !times.is_empty(),
        Plan::Whole { .. } => {
            let unheard = quantile(&fair, 0.95).is_none_or(|missing| missing <= BAR_MISSING_MS);
            heard && unheard && in_time * 100 >= made * BAR_PERCENT
        }
    };
    Summary {
        bench: "guess",
        passed,
        calls: made,
        faults,
        direct_in_time: in_time,
        direct: times.len(),
        direct_p50_ms: quantile(&times, 0.5),
        direct_p95_ms: quantile(&times, 0.95),
        direct_max_ms: quantile(&times, 1.0),
        silent,
        measured: fair.len(),
        discarded: missing.len() - fair.len(),
        missing_p50_ms: quantile(&fair, 0.5),
        missing_p95_ms: quantile(&fair, 0.95),
        missing_max_ms: quantile(&fair, 1.0),
    }
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}
