//! `links [--seeds N] [--course] [TRACE]...`: the congestion control that ships on links made of numbers.
//!
//! Prints one JSON object a trace on stdout, with the medians of the seeds and every bar. Exit status: 0 every bar holds,
//! 1 one does not, 2 wrong arguments.

use lab::links::{self, TRACES, Trace};
use std::io::Write as _;
use std::process::ExitCode;

/// Seeds a trace is played with, unless more are asked for.
const SEEDS: u64 = 5;
const WRONG_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "links: {error}");
            ExitCode::from(WRONG_ARGUMENTS)
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let (mut seeds, mut traces, mut course) = (SEEDS, Vec::new(), false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => {
                let number = words.next().and_then(|number| number.parse().ok());
                seeds =
                    number.filter(|number| (1..=1000).contains(number)).ok_or("--seeds needs a number")?;
            }
            "--course" => course = true,
            name => traces.push(named(name)?),
        }
    }
    if traces.is_empty() {
        traces.extend(TRACES);
    }
    let seeds: Vec<u64> = (1..=seeds).collect();
    let mut out = std::io::stdout();
    let mut passed = true;
    for trace in traces {
        if course {
            for (at, target, sent, wait) in links::course(trace, 1) {
                writeln!(out, "{at:.1} {target:.0} {sent:.0} {wait:.1}")
                    .map_err(|error| error.to_string())?;
            }
            continue;
        }
        let outcome = links::judge(trace, &seeds);
        passed &= outcome.passed;
        let line = serde_json::to_string(&outcome).map_err(|error| error.to_string())?;
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(name: &str) -> Result<Trace, String> {
    let known = || TRACES.iter().map(|trace| trace.name).collect::<Vec<_>>().join(", ");
    TRACES
        .iter()
        .find(|trace| trace.name == name)
        .copied()
        .ok_or_else(|| format!("no trace {name}: {}", known()))
}
