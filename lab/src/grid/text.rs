//! The grid in letters.

use super::call::Run;
use super::{Outcome, Square};
use relay::nat::Uplink;
use std::fmt::Write as _;

const WIDTH: usize = 13;

/// A table of all cells: what each became, in how many runs, and the median time to sound.
pub(super) fn write(squares: &[Square]) -> String {
    let mut text = format!("{:<11}", "");
    for column in Uplink::ALL {
        let _ = write!(text, "{column:<WIDTH$}");
    }
    for row in Uplink::ALL {
        let _ = write!(text, "\n{row:<11}");
        for column in Uplink::ALL {
            let square = squares.iter().find(|square| (square.cell.one, square.cell.other) == (row, column));
            let _ = write!(text, "{:<WIDTH$}", square.map(short).unwrap_or_default());
        }
    }
    text.push_str("\nD direct  U relayed by UDP  T relayed by TCP  F failed; runs that were; median ms from calling to sound");
    text
}

fn short(square: &Square) -> String {
    let letter = match square.became {
        Outcome::Direct => 'D',
        Outcome::RelayedUdp => 'U',
        Outcome::RelayedTcp => 'T',
        Outcome::Failed => 'F',
    };
    let setup = square.median_setup_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
    format!("{letter} {}/{} {setup}", square.agreed, square.runs.len())
}

/// One cell in a line.
pub(super) fn runs(square: &Square) -> String {
    let setups: Vec<String> = square
        .runs
        .iter()
        .map(|run| match run.setup_ms {
            Some(ms) => format!("{} {ms} ms", run.became),
            None => run.became.to_string(),
        })
        .collect();
    setups.join(", ")
}

/// Medians and worst of every stretch of setting up, over all runs.
pub(super) fn times(squares: &[Square]) -> String {
    type Stretch = fn(&Run) -> Option<i64>;
    let stretches: [(&str, Stretch); 4] = [
        ("start until calling", |run| run.start_ms),
        ("calling until it rings", |run| run.rings_ms),
        ("answer until both hear", |run| run.both_hear_ms),
        ("calling until sound", |run| run.setup_ms),
    ];
    let runs: Vec<&Run> = squares.iter().flat_map(|square| &square.runs).collect();
    let lines = stretches.map(|(what, stretch)| {
        let mut all: Vec<i64> = runs.iter().filter_map(|run| stretch(run)).collect();
        all.sort_unstable();
        match (all.get(all.len() / 2), all.last()) {
            (Some(median), Some(worst)) => {
                format!("{what:<24}{median} ms, at most {worst} ms, of {}", all.len())
            }
            _ => format!("{what:<24}never"),
        }
    });
    lines.join("\n")
}
