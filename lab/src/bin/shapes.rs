//! Calls between real `silbo` processes in networks of other shapes than two uplinks: see [`lab::shapes`].
//!
//! ```text
//! shapes [--quick] [--only NAME,NAME]
//! ```
//!
//! Prints a line for each call on stderr, one JSON object on stdout. Exit status: 0 every call went the way it must, 1 one
//! did not, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail};
use lab::netns;
use lab::reflect;
use lab::shapes::{self, Shape, Verdict};
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "shapes: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, half] = &arguments[..]
        && word == reflect::WORD
    {
        writeln!(std::io::stdout(), "{}", reflect::serve(half)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&arguments)?;
    // Made outside, where a user namespace cannot change who owns it.
    lab::silbo()?;
    netns::within("no call was made in a network of another shape.", || play(&wanted))
}

fn wanted(arguments: &[String]) -> Result<Vec<Shape>> {
    let mut wanted = Shape::ALL.to_vec();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => wanted = Shape::QUICK.to_vec(),
            "--only" => {
                let names = words.next().context("--only wants names")?;
                wanted = names.split(',').map(str::parse).collect::<Result<_>>()?;
            }
            other => bail!("unknown argument {other}"),
        }
    }
    Ok(wanted)
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    shapes: Vec<Verdict>,
}

fn play(wanted: &[Shape]) -> Result<ExitCode> {
    let mut err = std::io::stderr();
    let mut verdicts = Vec::new();
    for shape in wanted {
        let verdict = shapes::play(*shape);
        for call in &verdict.calls {
            writeln!(err, "{shape:<20}{call}")?;
        }
        for fault in &verdict.faults {
            writeln!(err, "FAILED {shape}: {}", fault.replace('\n', "\n       "))?;
        }
        verdicts.push(verdict);
    }
    let passed = verdicts.iter().all(|verdict| verdict.faults.is_empty());
    let summary = Summary { bench: "shapes", passed, shapes: verdicts };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
