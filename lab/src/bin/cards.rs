//! `cards`: a call through sound cards, whose sound server is killed in the middle of it ([`lab::cards`]).
//!
//! Prints a table on stderr and one JSON object on stdout. Exit status: 0 every bar holds, 1 one does not, or nothing could
//! be measured. How late one is heard depends on what else the machine does; only a sound server that comes back has a bar.

use anyhow::Result;
use lab::cards::{Heard, call};
use lab::quality::BAR;
use std::io::Write as _;
use std::process::ExitCode;

/// Who comes back with a sound server is heard so soon, in milliseconds.
const HEARD_AGAIN_MS: f64 = 1000.0;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "cards: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let heard = call(&lab::leavings("cards")?)?;
    let (mut out, mut table) = (std::io::stdout(), std::io::stderr());
    writeln!(table, "sound server   who speaks   PESQ-WB   at worst   first heard after")?;
    let mut passed = true;
    for (server, ways) in [("first", &heard.before), ("second", &heard.after)] {
        for Heard { speaker, quality, first_after_ms } in ways {
            let soon = server == "first" || *first_after_ms <= HEARD_AGAIN_MS;
            let good = quality.mean >= BAR && soon;
            passed &= good;
            let mark = if good { "ok" } else { "MISSED" };
            writeln!(
                table,
                "{server:14} {speaker:12} {:7.2} {:10.2} {first_after_ms:16.0} ms  {mark}",
                quality.mean, quality.min
            )?;
        }
    }
    writeln!(out, "{}", serde_json::to_string(&heard)?)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
