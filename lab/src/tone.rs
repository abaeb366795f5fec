//! A sine in a file, and how much of what was heard is one: a call that carried it carried sound.

use anyhow::{Result, ensure};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::f64::consts::TAU;
use std::path::Path;

/// Samples a second.
const RATE: u32 = 48_000;

/// Length of a file, in seconds.
const SECONDS: u32 = 4;

/// Of 32768.
const LOUDNESS: f64 = 10_000.0;

/// Samples that are judged together: 100 ms.
const WINDOW: usize = 4800;

/// The energy of a window that is not silent; full scale is one.
const SILENCE: f64 = 1.0;

/// Windows that must not be silent.
const LEAST: usize = 5;

/// Writes a sine of so many hertz; where they are whole, the file can be repeated without a click.
pub fn write(path: &Path, hertz: f64) -> Result<()> {
    let spec =
        WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut wav = WavWriter::create(path, spec)?;
    for n in 0..SECONDS * RATE {
        wav.write_sample(((TAU * hertz * f64::from(n) / f64::from(RATE)).sin() * LOUDNESS) as i16)?;
    }
    wav.finalize()?;
    Ok(())
}

/// [`share`] of a recording.
pub fn share_in_file(path: &Path, hertz: f64) -> Result<f64> {
    let samples: Result<Vec<i16>, _> = WavReader::open(path)?.samples::<i16>().collect();
    let samples: Vec<f32> = samples?.into_iter().map(|sample| f32::from(sample) / 32768.0).collect();
    share(&samples, hertz)
}

/// How much of the sound is a sine of so many hertz (Goertzel), 0 to 1: the median over windows of 100 ms that are not
/// silent. An error where hardly any is.
pub fn share(samples: &[f32], hertz: f64) -> Result<f64> {
    let share = |window: &[f32]| {
        let energy: f64 = window.iter().map(|x| f64::from(*x).powi(2)).sum();
        let (re, im) = window.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
            let (sin, cos) = (TAU * hertz / f64::from(RATE) * n as f64).sin_cos();
            (re + f64::from(*x) * cos, im + f64::from(*x) * sin)
        });
        (energy > SILENCE).then_some((re * re + im * im) * 2.0 / WINDOW as f64 / energy)
    };
    let mut shares: Vec<f64> = samples.chunks_exact(WINDOW).filter_map(share).collect();
    shares.sort_by(f64::total_cmp);
    ensure!(shares.len() >= LEAST, "hardly any sound: {} windows", shares.len());
    Ok(shares[shares.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_in_its_file_and_another_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        write(&path, 440.0).unwrap();
        let [own, other] = [440.0, 660.0].map(|hertz| share_in_file(&path, hertz).unwrap());
        assert!(own > 0.99 && other < 0.01, "{own} {other}");
    }

    #[test]
    fn silence_has_no_share() {
        assert!(share(&[0.0; 10 * WINDOW], 440.0).is_err());
        assert!(share(&[], 440.0).is_err());
    }
}
