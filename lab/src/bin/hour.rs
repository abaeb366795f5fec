//! An hour of talk in virtual time, and what both ends hold on the heap: see [`lab::voice::hour`].
//!
//! ```text
//! hour [MINUTES]
//! ```
//!
//! Prints a line every five minutes on stderr, one JSON object on stdout. Exit status: 0 the last minute holds no more than the
//! fifth, and nothing waits longer; 1 it does, or nothing could be measured.

use anyhow::{Context as _, Result, ensure};
use lab::speech;
use lab::voice::hour::{BOUND, LONGEST_WAIT, LongCall, Minute};
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;

#[path = "../../tests/hostile/counting.rs"]
mod counting;

/// How long they talk, unless told otherwise, and the minute from which on nothing may grow.
const MINUTES: usize = 60;
const SETTLED: usize = 5;

/// How much more memory the process may have, with what libopus allocates: pages come one by one.
const BOUND_RESIDENT: i64 = 512 * 1024;

/// What a minute was like.
#[derive(Debug, Clone, Copy)]
struct Held {
    minute: Minute,
    /// The most bytes on the heap at one moment of it.
    most: isize,
    /// Bytes of memory of the whole process at its end.
    resident: i64,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "hour: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let asked = std::env::args().nth(1).map(|word| word.parse().context("how many minutes?")).transpose()?;
    let minutes = asked.unwrap_or(MINUTES);
    ensure!(minutes > SETTLED, "more than {SETTLED} minutes, please");
    let voices = speech::voices()?;
    let [one, other] =
        [0, 1].map(|voice| voices.get(voice).context("no voice").map(|path| speech::read(path)));
    let mut call = LongCall::new([one??, other??])?;
    let (mut held, mut table) = (Vec::with_capacity(minutes), std::io::stderr());
    writeln!(table, "minute      heap  resident   waits  invented  dropped")?;
    for nth in 1..=minutes {
        let before = counting::HELD.get();
        let mut minute = None;
        let most = counting::most_during(|| minute = Some(call.minute()));
        let minute = minute.context("no minute")?;
        let row = Held { minute, most: before + most as isize, resident: resident()? };
        held.push(row);
        if nth == 1 || nth % SETTLED == 0 {
            let Minute { waits, dropped, invented } = minute;
            let (most, resident) = (row.most, row.resident / 1024);
            writeln!(
                table,
                "{nth:6} {most:9} {resident:5} KiB {waits:4} ms {:7.2} % {dropped:8}",
                invented * 100.0
            )?;
        }
    }
    let (Some(settled), Some(last)) = (held.get(SETTLED - 1), held.last()) else {
        return Ok(ExitCode::FAILURE);
    };
    let longest = held.iter().map(|row| row.minute.waits).max().unwrap_or_default();
    let (grown, grown_resident) = (last.most - settled.most, last.resident - settled.resident);
    let passed = grown <= BOUND
        && grown_resident <= BOUND_RESIDENT
        && longest <= LONGEST_WAIT.as_millis()
        && last.minute.dropped == 0;
    let mark = if passed { "ok" } else { "MISSED" };
    writeln!(
        table,
        "{mark}: {grown} bytes of heap more than after {SETTLED} minutes, {grown_resident} of memory"
    )?;
    let summary = json!({
        "bench": "hour",
        "minutes": minutes,
        "passed": passed,
        "heap": held.iter().map(|row| row.most).collect::<Vec<_>>(),
        "resident": held.iter().map(|row| row.resident).collect::<Vec<_>>(),
        "last": last.minute,
    });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Bytes of memory that this process has (proc_pid_statm(5)).
fn resident() -> Result<i64> {
    /// What Linux counts in on all machines that we build for.
    const PAGE: i64 = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: i64 = pages.split(' ').nth(1).context("/proc/self/statm has changed")?.parse()?;
    Ok(pages * PAGE)
}
