//! `pictures [--runs N] [LINK...]`: pictures over slow and lossy links, sent by us and by Chromium in turns; the median
//! of N runs (5) is held against what is asked of a link and against Chromium.
//!
//! Prints one line for each run on stderr and one JSON object on stdout. Exit status: 0 everything held, 1 something did
//! not, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, bail, ensure};
use lab::link;
use lab::netns::{self, Segment};
use lab::pictures::{Figures, Films, Sender, TRACES, Trace, play};
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "pictures: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, rest @ ..] = &words[..]
        && word == link::WORD
    {
        link::serve(rest)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (runs, traces) = arguments(&words)?;
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    netns::within("no pictures were sent.", || judge(runs, &traces))
}

fn arguments(words: &[String]) -> Result<(usize, Vec<Trace>)> {
    let (mut runs, mut traces) = (5, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--runs" {
            runs = words.next().context("--runs needs a number")?.parse().context("--runs needs a number")?;
            ensure!((1..=100).contains(&runs), "--runs: 1 to 100");
        } else if let Some(trace) = TRACES.iter().find(|trace| trace.name == word) {
            traces.push(*trace);
        } else {
            let known: Vec<&str> = TRACES.iter().map(|trace| trace.name).collect();
            bail!("no link {word}: there are {}", known.join(", "));
        }
    }
    Ok((runs, if traces.is_empty() { TRACES.to_vec() } else { traces }))
}

fn judge(runs: usize, traces: &[Trace]) -> Result<ExitCode> {
    let folder = lab::leavings("pictures")?;
    let films = Films::make(&folder)?;
    let mut segment = Segment::build(2)?;
    let (mut results, mut passed) = (Vec::new(), true);
    for trace in traces {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for nth in 0..runs {
            for sender in [Sender::Silbo, Sender::Chromium] {
                let place = folder.join(format!("{}_{sender}_{nth}", trace.name));
                std::fs::create_dir_all(&place)?;
                let figures = play(*trace, sender, &mut segment, &films, &place)?;
                writeln!(std::io::stderr(), "{} {sender} {}", trace.name, serde_json::to_string(&figures)?)?;
                match sender {
                    Sender::Silbo => ours.push(figures),
                    Sender::Chromium => theirs.push(figures),
                }
            }
        }
        let ours = Figures::median(&ours).context("no runs")?;
        let theirs = Figures::median(&theirs).context("no runs")?;
        let misses = ours.misses(&trace.bars, &theirs);
        passed &= misses.is_empty();
        let links: Vec<&str> = trace.stretches.iter().map(|stretch| stretch.link).collect();
        results.push(json!({
            "name": trace.name, "links": links, "silbo": ours, "chromium": theirs, "misses": misses,
        }));
    }
    let summary = json!({ "bench": "pictures", "runs": runs, "passed": passed, "links": results });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
