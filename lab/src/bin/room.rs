//! Echo and noise in rooms made of numbers: see [`lab::room`].
//!
//! ```text
//! room [SCENE]...
//! ```
//!
//! Prints a line for each scene on stderr, one JSON object a scene on stdout. Exit status: 0 every bar holds, 1 one does not, or
//! nothing could be measured.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab::room::{SCENES, Scene, measure};

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "room: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let scenes = std::env::args().skip(1).map(|word| named(&word)).collect::<Result<Vec<Scene>>>()?;
    let scenes = if scenes.is_empty() { SCENES.to_vec() } else { scenes };
    let (mut out, mut table) = (std::io::stdout(), std::io::stderr());
    writeln!(table, "scene      echo 3-14 s  17-25 s   both: STOI  near end   alone: PESQ-WB  of 10 ms")?;
    let mut passed = true;
    for scene in &scenes {
        let figures = measure(scene)?;
        let missed = figures.missed(&scene.bars);
        passed &= missed.is_empty();
        writeln!(
            table,
            "{:10} {:8.1} dB {:5.1} dB {:12.3} {:6.1} dB {:16.2} {:6.0} us  {}",
            figures.scene,
            -figures.early,
            -figures.changed,
            figures.double_talk_stoi,
            figures.double_talk_gain,
            figures.near_pesq,
            figures.block_us,
            if missed.is_empty() { "ok".to_owned() } else { format!("MISSED {}", missed.join("; ")) }
        )?;
        writeln!(out, "{}", serde_json::to_string(&figures)?)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(word: &str) -> Result<Scene> {
    let known = SCENES.map(|scene| scene.name).join(", ");
    let scene = SCENES.iter().find(|scene| scene.name == word);
    Ok(*scene.with_context(|| format!("no scene {word}: {known}"))?)
}
