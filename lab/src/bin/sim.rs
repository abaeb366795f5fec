//! `sim SCENARIO [--nodes N] [--seed S] [--json] [--days D] [--fraction F] [--ids I] [--threads T]`: the overlay that ships, thousands of nodes, in virtual time.
//!
//! Prints what was measured on stderr and, with `--json`, one JSON object on stdout. Exit status: 0 every bar of the
//! scenario holds, 1 one does not, 2 wrong arguments.

use lab::sim::{self, Options, Report, SCENARIOS, Scenario};
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "sim: {error}");
            ExitCode::from(WRONG_ARGUMENTS)
        }
    }
}

const WRONG_ARGUMENTS: u8 = 2;

fn run() -> Result<ExitCode, String> {
    let Arguments { scenario, options, threads, json } = arguments(std::env::args().skip(1))?;
    let began = Instant::now();
    // As many as there are processors, unless somebody wants fewer.
    let threads =
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| error.to_string())?;
    let mut report = threads.install(|| sim::play(scenario, options));
    let (took, memory) = (began.elapsed(), peak_memory_mib());
    report.spent(took, memory);
    print(&report, took, memory, json).map_err(|error| error.to_string())?;
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Arguments {
    scenario: Scenario,
    options: Options,
    /// Zero: one for each processor. History is the same.
    threads: usize,
    json: bool,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut scenario, mut options, mut json) = (None, Options { nodes: 10_000, seed: 1 }, false);
    let (mut days, mut fraction, mut ids, mut threads) = (None, None, None, 0);
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            value.parse::<f64>().map_err(|_| format!("{word} {value}: not a number"))
        };
        match word.as_str() {
            "--nodes" => options.nodes = number()?.clamp(10.0, 1e6) as usize,
            "--seed" => options.seed = number()? as u64,
            "--days" => days = Some(number()?),
            "--fraction" => fraction = Some(number()?),
            "--ids" => ids = Some(number()?),
            "--threads" => threads = number()?.clamp(1.0, 64.0) as usize,
            "--json" => json = true,
            _ => scenario = Some(word.parse().map_err(|_| usage(&word))?),
        }
    }
    let mut scenario = scenario.ok_or_else(|| usage("nothing"))?;
    match &mut scenario {
        Scenario::Churn { hours } => *hours = days.map_or(*hours, |days| (days * 24.0) as u32),
        Scenario::Sybil { percent } => {
            *percent = fraction.map_or(*percent, |f| (f.clamp(0.0, 0.9) * 100.0).round() as usize);
        }
        Scenario::Eclipse { ids: many } => *many = ids.map_or(*many, |ids| ids as usize),
        _ => {}
    }
    Ok(Arguments { scenario, options, threads, json })
}

fn usage(word: &str) -> String {
    let known: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
    format!("no scenario {word}: there are {}", known.join(", "))
}

fn print(report: &Report, took: Duration, memory: Option<u64>, as_json: bool) -> std::io::Result<()> {
    let mut err = std::io::stderr();
    for bar in &report.bars {
        let mark = if bar.passed { "ok" } else { "MISSED" };
        writeln!(err, "{mark:<7}{:<62}{:>10.2}  {:?}", bar.what, bar.value, bar.bar)?;
    }
    writeln!(err, "{}", serde_json::to_string_pretty(&report.figures)?)?;
    let took = took.as_secs_f64();
    writeln!(
        err,
        "history {} ({} steps, {:.0} s of virtual time in {took:.1} s, {memory:?} MiB)",
        report.history, report.steps, report.virtual_seconds
    )?;
    if !report.passed {
        writeln!(err, "a bar was missed: play it again with --seed {}", report.options.seed)?;
    }
    if as_json {
        let line = json!({ "report": report, "seconds": took, "peak_memory_mib": memory });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

/// The most memory this process ever had, where the system tells.
fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib / 1024)
}
