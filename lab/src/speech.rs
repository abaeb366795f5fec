//! Speech to call with, made once by espeak-ng and sox into `target/speech`: a woman and a man in turn, and four voices each
//! by itself, of which one is recorded.

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

/// Four voices, each in a file of 48 kHz mono 16-bit speech of [`VOICE_SECONDS`] that begins with a second of silence; the
/// same at every run.
pub fn voices() -> Result<Vec<PathBuf>> {
    let folder = crate::target()?.join("speech");
    std::fs::create_dir_all(&folder)?;
    let made = |name: &str, make: &dyn Fn(&Path) -> Result<PathBuf>| {
        let path = folder.join(format!("voice-{VOICES_VERSION}-{name}.wav"));
        if !path.is_file() {
            let work = tempfile::tempdir_in(&folder)?;
            std::fs::rename(make(work.path())?, &path)?;
        }
        Ok(path)
    };
    let mut voices: Vec<PathBuf> =
        SPOKEN.iter().map(|voice| made(voice, &|folder| say(folder, voice))).collect::<Result<_>>()?;
    voices.push(made("recorded", &recorded)?);
    Ok(voices)
}

/// The samples of a file of speech.
pub fn read(path: &Path) -> Result<Vec<f32>> {
    let mut reader = hound::WavReader::open(path)?;
    let samples = reader.samples::<i16>().map(|sample| Ok(f32::from(sample?) / 32_768.0));
    samples.collect()
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

/// Length of each of [`voices`].
pub const VOICE_SECONDS: u32 = 28;

/// Raise when the voices or what they say change.
const VOICES_VERSION: u32 = 1;

/// Voices of espeak-ng.
const SPOKEN: [&str; 3] = ["en-us+f3", "en-gb+m3", "en-gb-scotland+f2"];

/// Where alsa-utils has a voice that says where loudspeakers are, and in which order it says it.
const RECORDED: &str = "/usr/share/sounds/alsa";
const CLIPS: [&str; 8] = [
    "Front_Center",
    "Front_Left",
    "Front_Right",
    "Rear_Center",
    "Rear_Left",
    "Rear_Right",
    "Side_Left",
    "Side_Right",
];

fn say(folder: &Path, voice: &str) -> Result<PathBuf> {
    let part = folder.join("part.wav");
    let text = LINES.map(|(_, text)| text).join(" ");
    run(Place::Here.command("espeak-ng").args(["-v", voice, "-s", "155", "-w"]).arg(&part).arg(text))?;
    voice_of(folder, &[part])
}

fn recorded(folder: &Path) -> Result<PathBuf> {
    let clips = CLIPS.map(|clip| Path::new(RECORDED).join(clip).with_extension("wav"));
    // Three times are longer than is needed.
    voice_of(folder, &[clips.clone(), clips.clone(), clips].concat())
}

fn voice_of(folder: &Path, parts: &[PathBuf]) -> Result<PathBuf> {
    let whole = folder.join("whole.wav");
    let seconds = VOICE_SECONDS.to_string();
    run(Place::Here
        .command("sox")
        .arg("-R")
        .args(parts)
        .args(["-r", "48000", "-c", "1", "-b", "16"])
        .arg(&whole)
        .args(["norm", "-6", "pad", "1", "trim", "0", &seconds]))?;
    Ok(whole)
}

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
