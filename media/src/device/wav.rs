//! WAV files as microphones and loudspeakers. The only place that names `hound`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::DeviceError;
use crate::frame::{Block, SAMPLE_RATE};
use crate::resample::to_48k;

/// A file microphone may last this long; it is held in memory (690 MB an hour would be too much).
pub const MAX_SECONDS: u64 = 1800;

/// The header of a file loudspeaker is brought up to date this often, so that a killed process leaves a
/// file that can be read: every second.
const FLUSH_BLOCKS: u32 = 100;

/// Reads a whole PCM or float WAV file of any rate and any channels as 48 kHz mono.
pub fn read(path: &Path) -> Result<Vec<f32>, DeviceError> {
    let unreadable = |why: String| DeviceError::Unreadable { path: path.to_owned(), why };
    let mut reader = WavReader::open(path).map_err(|error| unreadable(sentence(&error)))?;
    let spec = reader.spec();
    if spec.sample_rate == 0 || spec.channels == 0 {
        return Err(unreadable("it has no sample rate or no channels".to_owned()));
    }
    if u64::from(reader.duration()) > MAX_SECONDS * u64::from(spec.sample_rate) {
        return Err(unreadable(format!("it is longer than {} minutes", MAX_SECONDS / 60)));
    }
    let interleaved: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full_scale = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full_scale)).collect()
        }
    };
    let interleaved = interleaved.map_err(|error| unreadable(sentence(&error)))?;
    let channels = usize::from(spec.channels);
    let mono = match channels {
        1 => interleaved,
        _ => interleaved.chunks_exact(channels).map(mean).collect(),
    };
    let mono = mono.into_iter().map(|sample| if sample.is_finite() { sample } else { 0.0 }).collect();
    to_48k(mono, spec.sample_rate).map_err(|error| unreadable(error.to_string()))
}

fn mean(frame: &[f32]) -> f32 {
    frame.iter().sum::<f32>() / frame.len() as f32
}

/// A 48 kHz mono 16-bit WAV file that is written block by block.
pub struct WavSink {
    path: PathBuf,
    writer: Option<WavWriter<BufWriter<File>>>,
    blocks: u32,
}

impl WavSink {
    /// Creates the file, or replaces it.
    pub fn create(path: &Path) -> Result<Self, DeviceError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut sink = Self { path: path.to_owned(), writer: None, blocks: 0 };
        let mut writer = WavWriter::create(path, spec).map_err(|error| sink.unwritable(&error))?;
        writer.flush().map_err(|error| sink.unwritable(&error))?;
        sink.writer = Some(writer);
        Ok(sink)
    }

    /// Appends one block. After an error the file is left as it is.
    pub fn write(&mut self, block: &Block) -> Result<(), DeviceError> {
        self.blocks = self.blocks.wrapping_add(1);
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = block.iter().try_for_each(|sample| writer.write_sample(to_16_bit(*sample)));
        let outcome = match written {
            Ok(()) if self.blocks.is_multiple_of(FLUSH_BLOCKS) => writer.flush(),
            other => other,
        };
        outcome.map_err(|error| {
            self.writer = None;
            self.unwritable(&error)
        })
    }

    /// Completes the header and closes the file.
    pub fn finish(mut self) -> Result<(), DeviceError> {
        match self.writer.take() {
            Some(writer) => writer.finalize().map_err(|error| self.unwritable(&error)),
            None => Ok(()),
        }
    }

    fn unwritable(&self, error: &hound::Error) -> DeviceError {
        DeviceError::Unwritable { path: self.path.clone(), why: sentence(error) }
    }
}

fn to_16_bit(sample: f32) -> i16 {
    // A cast saturates and turns NaN into 0.
    (sample * 32_767.0).round() as i16
}

fn sentence(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(why) => format!("it is not a proper WAV file ({why})"),
        hound::Error::Unsupported => "its WAV format is not supported: use PCM".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::BLOCK;

    fn ramp(block: usize) -> Block {
        std::array::from_fn(|at| ((block * BLOCK + at) % 2000) as f32 / 2000.0 - 0.5)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.wav");
        let mut sink = WavSink::create(&path).unwrap();
        (0..20).for_each(|block| sink.write(&ramp(block)).unwrap());
        sink.finish().unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.len(), 20 * BLOCK);
        let wanted = (0..20).flat_map(ramp);
        assert!(back.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn a_file_cut_off_by_a_kill_is_readable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.wav");
        let mut sink = WavSink::create(&path).unwrap();
        assert_eq!(read(&path).unwrap().len(), 0);
        (0..250).for_each(|block| sink.write(&ramp(block)).unwrap());
        // Nothing is finished and no destructor runs, as after SIGKILL.
        std::mem::forget(sink);
        assert!(read(&path).unwrap().len() >= 200 * BLOCK);
    }

    #[test]
    fn other_rates_channels_and_formats_become_48_khz_mono() {
        let directory = tempfile::tempdir().unwrap();
        for (rate, channels, bits, sample_format) in [
            (44_100, 2, 16, SampleFormat::Int),
            (8_000, 1, 8, SampleFormat::Int),
            (96_000, 1, 24, SampleFormat::Int),
            (48_000, 3, 32, SampleFormat::Float),
        ] {
            let path = directory.path().join(format!("{rate}.wav"));
            let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format };
            let mut writer = WavWriter::create(&path, spec).unwrap();
            for _ in 0..rate * u32::from(channels) {
                match sample_format {
                    SampleFormat::Float => writer.write_sample(0.5f32).unwrap(),
                    SampleFormat::Int => writer.write_sample(1i32 << (bits - 2)).unwrap(),
                }
            }
            writer.finalize().unwrap();
            let sound = read(&path).unwrap();
            assert!(sound.len().abs_diff(48_000) < 16, "{rate}: {}", sound.len());
            assert!((sound[24_000] - 0.5).abs() < 0.01, "{rate}: {}", sound[24_000]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.wav");
        let text = directory.path().join("text.wav");
        std::fs::write(&text, "this is no sound").unwrap();
        let cut = directory.path().join("cut.wav");
        std::fs::write(&cut, b"RIFF\x10\0\0\0WAVEfmt ").unwrap();
        for path in [&missing, &text, &cut, &directory.path().to_owned()] {
            let error = read(path).unwrap_err();
            assert!(matches!(&error, DeviceError::Unreadable { path: told, .. } if told == path));
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
        let nowhere = directory.path().join("no/such/folder.wav");
        assert!(matches!(WavSink::create(&nowhere), Err(DeviceError::Unwritable { .. })));
    }

    #[test]
    fn loud_and_broken_samples_are_clipped() {
        assert_eq!(to_16_bit(3.0), i16::MAX);
        assert_eq!(to_16_bit(-3.0), i16::MIN);
        assert_eq!(to_16_bit(f32::NAN), 0);
    }
}
