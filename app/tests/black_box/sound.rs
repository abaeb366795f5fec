//! Sound in files: made, and looked at.

use std::{fs, path::Path};

/// Writes a tone as a 16-bit mono WAV file.
pub(crate) fn write_tone(path: &Path, hertz: f32, seconds: f32) {
    let rate = 48_000_u32;
    let samples = (0..(seconds * rate as f32) as u32).flat_map(|n| {
        let phase = n as f32 / rate as f32 * hertz * std::f32::consts::TAU;
        ((phase.sin() * 8000.0) as i16).to_le_bytes()
    });
    let samples: Vec<u8> = samples.collect();
    let mut file = Vec::from(*b"RIFF");
    file.extend((36 + samples.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    fs::write(path, file).unwrap();
}

/// The loudest sample of a 16-bit WAV file, 0 to 1.
pub(crate) fn loudest(path: &Path) -> f32 {
    samples(path).into_iter().fold(0.0, f32::max)
}

/// The loudest one of its last second.
pub(crate) fn loudest_in_the_end(path: &Path) -> f32 {
    samples(path).into_iter().rev().take(48_000).fold(0.0, f32::max)
}

/// How far each sample is from nothing, 0 to 1.
fn samples(path: &Path) -> Vec<f32> {
    let file = fs::read(path).unwrap();
    assert!(file.starts_with(b"RIFF") && &file[8..12] == b"WAVE", "{} is no WAV file", path.display());
    let at = file.windows(4).position(|word| word == b"data").unwrap() + 8;
    let samples = file[at..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    samples.map(|sample| f32::from(sample).abs() / 32_768.0).collect()
}
