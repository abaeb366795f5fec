//! The voice that ships over links made of numbers: see [`lab::voice`].
//!
//! ```text
//! voice [--runs N] [PROFILE]...
//! ```
//!
//! Prints a line for each profile on stderr, one JSON object a profile on stdout. Exit status: 0 every bar holds, 1 one does
//! not, or nothing could be measured.

use anyhow::{Context as _, Result, ensure};
use lab::voice::{DEVICE_BUFFER, PROFILES, Profile, measure};
use std::io::Write as _;
use std::process::ExitCode;

/// How often the voices speak over each profile, unless more is asked for.
const RUNS: u64 = 5;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "voice: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let (runs, profiles) = wanted(&mut std::env::args().skip(1))?;
    let (mut out, mut table) = (std::io::stdout(), std::io::stderr());
    writeln!(
        table,
        "profile   PESQ-WB least  STOI  mouth-to-ear p95  concealed recovered  IP kbit/s  told          each voice (a sound card: {} ms more)",
        DEVICE_BUFFER.as_millis()
    )?;
    let mut passed = true;
    for profile in &profiles {
        let figures = measure(profile, runs)?;
        let missed = figures.missed(&profile.bars);
        passed &= missed.is_empty();
        writeln!(
            table,
            "{:9} {:7.2} {:5.2} {:5.3} {:9.1} ms {:6.1} {:8.2} % {:7.2} % {:10.1}  {:.2} {:5.1} ms  {:.2?} {}",
            figures.profile,
            figures.pesq,
            figures.pesq_least,
            figures.stoi,
            figures.mouth_to_ear,
            figures.mouth_to_ear_p95,
            figures.concealed,
            figures.recovered,
            figures.wire,
            figures.opinion,
            figures.delay_told,
            figures.voices,
            if missed.is_empty() { "ok".to_owned() } else { format!("MISSED {}", missed.join("; ")) }
        )?;
        writeln!(out, "{}", serde_json::to_string(&figures)?)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wanted(words: &mut dyn Iterator<Item = String>) -> Result<(u64, Vec<Profile>)> {
    let (mut runs, mut profiles) = (RUNS, Vec::new());
    while let Some(word) = words.next() {
        if word == "--runs" {
            runs = words.next().context("--runs wants a number")?.parse().context("--runs wants a number")?;
            ensure!((1..=1000).contains(&runs), "between 1 and 1000 runs, please");
        } else {
            let known = PROFILES.map(|profile| profile.name).join(", ");
            let named = PROFILES.iter().find(|profile| profile.name == word);
            profiles.push(*named.with_context(|| format!("no profile {word}: {known}"))?);
        }
    }
    if profiles.is_empty() {
        profiles.extend(PROFILES);
    }
    Ok((runs, profiles))
}
