//! How loud it is: a peak meter with decay, read by the window through an atomic.

use std::sync::atomic::{AtomicU32, Ordering};

/// Loudness of both directions, 0 (silence) to 1 (full scale), as of the last block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Levels {
    /// What the microphone hears, after processing and muting.
    pub microphone: f32,
    /// What the loudspeaker plays.
    pub speaker: f32,
}

/// A peak meter: rises at once, falls by 6 % every block (about 54 dB a second).
#[derive(Debug, Default)]
pub struct LevelMeter(AtomicU32);

impl LevelMeter {
    /// Takes one block into account. One thread measures; any thread reads.
    pub fn measure(&self, block: &[f32]) {
        let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs())).min(1.0);
        self.0.store(peak.max(self.read() * DECAY).to_bits(), Ordering::Relaxed);
    }

    /// The level now, 0 to 1.
    pub fn read(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

const DECAY: f32 = 0.94;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::BLOCK;

    #[test]
    fn the_meter_rises_at_once_and_falls_slowly() {
        let meter = LevelMeter::default();
        meter.measure(&[0.5; BLOCK]);
        assert_eq!(meter.read(), 0.5);
        meter.measure(&[0.0; BLOCK]);
        assert!(meter.read() > 0.4 && meter.read() < 0.5);
        (0..200).for_each(|_| meter.measure(&[0.0; BLOCK]));
        assert!(meter.read() < 0.001);
    }

    #[test]
    fn samples_beyond_full_scale_read_as_full_scale() {
        let meter = LevelMeter::default();
        meter.measure(&[-3.0]);
        assert_eq!(meter.read(), 1.0);
    }

    #[test]
    fn a_sample_that_is_not_a_number_does_not_stick() {
        let meter = LevelMeter::default();
        meter.measure(&[f32::NAN]);
        assert_eq!(meter.read(), 0.0);
    }
}
