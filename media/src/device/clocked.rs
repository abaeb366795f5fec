//! Sources and sinks without a clock of their own: the media thread's 10 ms clock moves them.

use super::wav::{self, WavSink};
use super::{AudioSink, AudioSource, DeviceError};
use crate::frame::{BLOCK, Block, SAMPLE_RATE};

/// A file, a tone or silence, read block by block.
pub(crate) enum ClockedSource {
    /// A clip that is played once.
    Clip {
        /// 48 kHz mono.
        samples: Vec<f32>,
        /// How many were read.
        at: usize,
    },
    /// A sine.
    Tone {
        /// Cycles so far, modulo 1.
        phase: f64,
        /// Cycles a sample.
        step: f64,
    },
    /// Zeros.
    Silence,
}

/// Whether a source has more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    More,
    /// The block just read was its last; silence follows.
    Ended,
}

impl ClockedSource {
    /// Opens what is not a device; `None` for a device.
    pub(crate) fn open(source: &AudioSource) -> Result<Option<Self>, DeviceError> {
        Ok(match source {
            AudioSource::Default | AudioSource::Device(_) | AudioSource::Preferred(_) => None,
            AudioSource::File(path) => Some(Self::Clip { samples: wav::read(path)?, at: 0 }),
            AudioSource::Tone(hertz) => {
                Some(Self::Tone { phase: 0.0, step: f64::from(*hertz) / f64::from(SAMPLE_RATE) })
            }
            AudioSource::Silence => Some(Self::Silence),
        })
    }

    /// Reads the next block.
    pub(crate) fn read(&mut self, out: &mut Block) -> Progress {
        match self {
            Self::Clip { samples, at } => {
                let left = &samples[*at..];
                let count = left.len().min(BLOCK);
                out[..count].copy_from_slice(&left[..count]);
                out[count..].fill(0.0);
                *at += count;
                if *at == samples.len() {
                    *self = Self::Silence;
                    return Progress::Ended;
                }
            }
            Self::Tone { phase, step } => {
                for sample in out {
                    *sample = (*phase * std::f64::consts::TAU).sin() as f32 * TONE_LEVEL;
                    *phase = (*phase + *step).fract();
                }
            }
            Self::Silence => out.fill(0.0),
        }
        Progress::More
    }
}

/// A file or nowhere, written block by block.
pub(crate) enum ClockedSink {
    /// A WAV file.
    File(WavSink),
    /// Nowhere.
    Null,
}

impl ClockedSink {
    /// Opens what is not a device; `None` for a device.
    pub(crate) fn open(sink: &AudioSink) -> Result<Option<Self>, DeviceError> {
        Ok(match sink {
            AudioSink::Default | AudioSink::Device(_) | AudioSink::Preferred(_) => None,
            AudioSink::File(path) => Some(Self::File(WavSink::create(path)?)),
            AudioSink::Null => Some(Self::Null),
        })
    }

    /// Writes the next block.
    pub(crate) fn write(&mut self, block: &Block) -> Result<(), DeviceError> {
        match self {
            Self::File(file) => file.write(block),
            Self::Null => Ok(()),
        }
    }

    /// Completes a file.
    pub(crate) fn finish(self) -> Result<(), DeviceError> {
        match self {
            Self::File(file) => file.finish(),
            Self::Null => Ok(()),
        }
    }
}

const TONE_LEVEL: f32 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_played_once_and_then_there_is_silence() {
        let mut source = ClockedSource::Clip { samples: vec![0.5; BLOCK + 10], at: 0 };
        let mut block = [9.0; BLOCK];
        assert_eq!(source.read(&mut block), Progress::More);
        assert_eq!(block, [0.5; BLOCK]);
        assert_eq!(source.read(&mut block), Progress::Ended);
        assert_eq!((block[9], block[10]), (0.5, 0.0));
        assert_eq!(source.read(&mut block), Progress::More);
        assert_eq!(block, [0.0; BLOCK]);
    }

    #[test]
    fn a_tone_goes_on_smoothly_across_blocks() {
        let mut source = ClockedSource::open(&AudioSource::Tone(997.0)).unwrap().unwrap();
        let mut sound = Vec::new();
        for _ in 0..10 {
            let mut block = [0.0; BLOCK];
            source.read(&mut block);
            sound.extend_from_slice(&block);
        }
        let steepest = sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.25 * 997.0 * std::f32::consts::TAU / 48_000.0 * 1.01);
    }

    #[test]
    fn an_empty_clip_ends_at_once() {
        let mut source = ClockedSource::Clip { samples: Vec::new(), at: 0 };
        assert_eq!(source.read(&mut [0.0; BLOCK]), Progress::Ended);
    }
}
