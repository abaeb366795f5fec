//! Any sample rate to 48 kHz: whole clips ([`to_48k`]) and endless streams ([`Stream48k`]).
//!
//! The only place that names `rubato`.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use crate::frame::SAMPLE_RATE;

/// A sample rate that cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sound at {rate} Hz cannot be converted: {why}")]
pub struct ResampleError {
    rate: u32,
    why: String,
}

/// Converts a whole mono clip of `rate` to 48 kHz, without added delay.
pub fn to_48k(clip: Vec<f32>, rate: u32) -> Result<Vec<f32>, ResampleError> {
    if rate == SAMPLE_RATE || clip.is_empty() {
        return Ok(clip);
    }
    let mut resampler = resampler(rate)?;
    let fail = |why: String| ResampleError { rate, why };
    let needed = resampler.process_all_needed_output_len(clip.len());
    let mut out = vec![0.0; needed];
    let from = InterleavedSlice::new(&clip, 1, clip.len()).map_err(|e| fail(e.to_string()))?;
    let mut to = InterleavedSlice::new_mut(&mut out, 1, needed).map_err(|e| fail(e.to_string()))?;
    let (_, produced) = resampler
        .process_all_into_buffer(&from, &mut to, clip.len(), None)
        .map_err(|e| fail(e.to_string()))?;
    let wanted = clip.len() as u64 * u64::from(SAMPLE_RATE) / u64::from(rate);
    out.truncate(produced.min(wanted as usize));
    Ok(out)
}

/// Converts an endless mono stream to or from 48 kHz, a few milliseconds late.
pub struct Stream48k {
    resampler: Fft<f32>,
    pending: Vec<f32>,
    out: Vec<f32>,
}

impl Stream48k {
    /// Converts from `rate` to 48 kHz.
    pub fn from_rate(rate: u32) -> Result<Self, ResampleError> {
        Ok(Self { resampler: resampler(rate)?, pending: Vec::new(), out: Vec::new() })
    }

    /// Converts from 48 kHz to `rate`.
    pub fn to_rate(rate: u32) -> Result<Self, ResampleError> {
        Ok(Self { resampler: between(SAMPLE_RATE, rate)?, pending: Vec::new(), out: Vec::new() })
    }

    /// Takes the next samples and gives what is ready.
    pub fn push(&mut self, samples: &[f32]) -> &[f32] {
        self.pending.extend_from_slice(samples);
        self.out.clear();
        let mut used = 0;
        loop {
            let need = self.resampler.input_frames_next();
            if self.pending.len() - used < need {
                break;
            }
            let begin = self.out.len();
            let room = self.resampler.output_frames_next();
            self.out.resize(begin + room, 0.0);
            let from = InterleavedSlice::new(&self.pending[used..used + need], 1, need);
            let to = InterleavedSlice::new_mut(&mut self.out[begin..], 1, room);
            let (Ok(from), Ok(mut to)) = (from, to) else { break };
            let produced = match self.resampler.process_into_buffer(&from, &mut to, None::<&Indexing>) {
                Ok((_, produced)) => produced,
                Err(error) => {
                    tracing::debug!(%error, "the resampler refused a chunk");
                    0
                }
            };
            self.out.truncate(begin + produced);
            used += need;
        }
        self.pending.drain(..used);
        &self.out
    }
}

fn resampler(rate: u32) -> Result<Fft<f32>, ResampleError> {
    between(rate, SAMPLE_RATE)
}

fn between(from: u32, to: u32) -> Result<Fft<f32>, ResampleError> {
    let rate = if from == SAMPLE_RATE { to } else { from };
    // Rates beyond what sound cards know would make the transform huge.
    if !(4_000..=768_000).contains(&rate) {
        return Err(ResampleError { rate, why: "not between 4 and 768 kHz".to_owned() });
    }
    Fft::new(from as usize, to as usize, from as usize / 100, 1, FixedSync::Input)
        .map_err(|error| ResampleError { rate, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, samples: usize) -> Vec<f32> {
        let step = 440.0 * std::f32::consts::TAU / rate as f32;
        (0..samples).map(|at| (at as f32 * step).sin() * 0.5).collect()
    }

    #[test]
    fn a_clip_keeps_its_length_and_pitch() {
        for rate in [8_000, 16_000, 44_100, 96_000] {
            let clip = to_48k(tone(rate, rate as usize), rate).unwrap();
            assert!(clip.len().abs_diff(48_000) < 8, "{rate}: {}", clip.len());
            let wanted = tone(48_000, 48_000);
            let error = (2_000..46_000).map(|at| (clip[at] - wanted[at]).abs()).fold(0.0, f32::max);
            // The resampler's delay is trimmed to whole samples: half a sample may remain.
            assert!(error < 0.02, "{rate}: off by {error}");
        }
    }

    #[test]
    fn a_stream_gives_what_it_took_whatever_the_chunks() {
        let mut stream = Stream48k::from_rate(44_100).unwrap();
        let total: usize = tone(44_100, 44_100).chunks(137).map(|chunk| stream.push(chunk).len()).sum();
        assert!(total.abs_diff(48_000) < 1000, "{total}");
    }

    #[test]
    fn absurd_rates_are_refused() {
        assert!(to_48k(vec![0.0; 10], 1).is_err());
        assert!(to_48k(vec![0.0; 10], u32::MAX).is_err());
    }
}
