//! The scorer itself: it must praise what is good and blame what is bad, or every bar is worth nothing.

use anyhow::{Result, ensure};
use lab::quality::{BAR, score};
use lab::speech;
use std::path::Path;

#[test]
fn late_speech_is_perfect_speech() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let late = folder.path().join("late.wav");
    record(&late, |speech| {
        let mut heard = vec![0; 48 * 137];
        heard.extend(speech);
        heard
    })?;
    let quality = score(&speech::file()?, &late)?;
    ensure!(quality.min > 4.5, "{quality:?}");
    ensure!((quality.segments[0].lag_ms - 137.0).abs() < 0.1, "{quality:?}");
    Ok(())
}

#[test]
fn silence_and_stutter_are_blamed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mute, stutter) = (folder.path().join("mute.wav"), folder.path().join("stutter.wav"));
    record(&mute, |speech| vec![0; speech.len()])?;
    // Every fourth 40 ms missing, as if nothing concealed it.
    record(&stutter, |mut speech| {
        for (index, sample) in speech.iter_mut().enumerate() {
            if index / 1920 % 4 == 0 {
                *sample = 0;
            }
        }
        speech
    })?;
    let speech = speech::file()?;
    ensure!(score(&speech, &mute)?.mean <= 1.0);
    let stutter = score(&speech, &stutter)?;
    ensure!(stutter.mean < BAR - 1.0, "{stutter:?}");
    Ok(())
}

/// Writes what becomes of the first twelve seconds of the speech.
fn record(path: &Path, change: impl FnOnce(Vec<i16>) -> Vec<i16>) -> Result<()> {
    let mut reader = hound::WavReader::open(speech::file()?)?;
    let spec = reader.spec();
    let speech = reader.samples::<i16>().take(12 * 48_000).collect::<Result<_, _>>()?;
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in change(speech) {
        writer.write_sample(sample)?;
    }
    Ok(writer.finalize()?)
}
