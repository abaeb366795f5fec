//! Speech to call with: a woman and a man in turn, made once by espeak-ng and sox into `target/speech`.

use crate::process::{Place, run};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// A file of 48 kHz mono 16-bit speech, [`SECONDS`] long, without long pauses; the same at every run.
pub fn file() -> Result<PathBuf> {
    let folder = crate::target()?.join("speech");
    let path = folder.join(format!("speech-{VERSION}.wav"));
    if !path.is_file() {
        std::fs::create_dir_all(&folder)?;
        // Tests may ask at the same time: each makes its own, and the last rename wins with equal bytes.
        let work = tempfile::tempdir_in(&folder)?;
        let made = speak(work.path())?;
        std::fs::rename(made, &path)?;
    }
    Ok(path)
}

/// The same speech over and over, for calls that are longer than it.
pub fn long_file() -> Result<PathBuf> {
    let once = file()?;
    let path = once.with_file_name(format!("speech-{VERSION}-x{TIMES}.wav"));
    if !path.is_file() {
        let made = tempfile::NamedTempFile::with_suffix_in(".wav", path.parent().unwrap_or(&once))?;
        run(Place::Here.command("sox").args(vec![&once; TIMES]).arg(made.path()))?;
        made.persist(&path)?;
    }
    Ok(path)
}

/// How often, for a minute and a half.
const TIMES: usize = 4;

/// Length of the speech: longer than any call of the lab, so that a recording never ends in silence.
pub const SECONDS: u32 = 24;

/// Raise when the text or the voices change.
const VERSION: u32 = 1;

const LINES: [(&str, &str); 6] = [
    ("en-us+f3", "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background."),
    ("en-us+m3", "It is easy to tell the depth of a well. These days a chicken leg is a rare dish."),
    ("en-us+f3", "Rice is often served in round bowls. The juice of lemons makes fine punch."),
    ("en-us+m3", "The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage."),
    ("en-us+f3", "Four hours of steady work faced us. A large size in stockings is hard to sell."),
    ("en-us+m3", "The boy was there when the sun rose. A rod is used to catch pink salmon."),
];

fn speak(folder: &Path) -> Result<PathBuf> {
    let mut parts = Vec::new();
    for (index, (voice, text)) in LINES.iter().enumerate() {
        let part = folder.join(format!("{index}.wav"));
        run(Place::Here.command("espeak-ng").args(["-v", voice, "-s", "165", "-w"]).arg(&part).arg(text))?;
        parts.push(part);
    }
    let whole = folder.join("speech.wav");
    // Six Harvard sentence pairs are longer than SECONDS; -R keeps sox's dither the same at every run.
    run(Place::Here
        .command("sox")
        .arg("-R")
        .args(&parts)
        .args(["-r", "48000", "-c", "1", "-b", "16"])
        .arg(&whole)
        .args(["norm", "-4", "trim", "0", &SECONDS.to_string()]))?;
    Ok(whole)
}
