//! How loud it is: a peak meter with decay, read by the window through an atomic.

use std::sync::atomic::{AtomicU32, Ordering};

/// Loudness of both directions, 0 (silence) to 1 (full scale), as of the last block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Levels {
    /// What the microphone hears, after muting, and processing once media flows.
    pub microphone: f32,
    /// What the loudspeaker plays.
    pub speaker: f32,
    /// The loudest that the microphone was since it is in use, before processing and whether it is muted or not.
    pub loudest: f32,
}

/// A peak meter: rises at once, falls by 6 % every block (about 54 dB a second).
#[derive(Debug, Default)]
pub struct LevelMeter(AtomicU32);

impl LevelMeter {
    /// Takes one block into account. One thread measures; any thread reads.
    pub fn measure(&self, block: &[f32]) {
        let peak = peak(block).min(1.0);
        self.0.store(peak.max(self.read() * DECAY).to_bits(), Ordering::Relaxed);
    }

    /// The level now, 0 to 1.
    pub fn read(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

const DECAY: f32 = 0.94;

/// The greatest amplitude; what is not a number has none. Numbers that are not negative lie in the same order as their bits, of
/// which several are compared at once.
pub(crate) fn peak(samples: &[f32]) -> f32 {
    const INFINITY: i32 = f32::INFINITY.to_bits() as i32;
    let amplitudes = samples.iter().map(|sample| sample.abs().to_bits() as i32);
    let peak = amplitudes.fold(0, |peak, bits| peak.max(if bits <= INFINITY { bits } else { 0 }));
    f32::from_bits(peak as u32)
}

/// The sum of all squares, eight of which are added up at once.
pub(crate) fn energy(samples: &[f32]) -> f32 {
    let (eights, rest) = samples.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, sample) in sums.iter_mut().zip(eight) {
            *sum += sample * sample;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|sample| sample * sample).sum::<f32>()
}

/// The loudest block since something began. What only holds a voltage makes no sound: it is how far the samples of a block
/// lie apart that counts, halved, so that a sine reads as its amplitude.
#[derive(Debug, Default)]
pub struct Loudest(AtomicU32);

impl Loudest {
    /// Takes one block into account. One thread measures; any thread reads.
    pub fn measure(&self, block: &[f32]) {
        // No swing is more than the peak.
        if peak(block) <= self.read() {
            return;
        }
        let (low, high) = block.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), sample| {
            (low.min(*sample), high.max(*sample))
        });
        // Of an empty block, or one that is no sound at all, nothing is known.
        let swing = ((high - low) / 2.0).clamp(0.0, 1.0);
        if swing > self.read() {
            self.0.store(swing.to_bits(), Ordering::Relaxed);
        }
    }

    /// Something else begins.
    pub fn restart(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The loudest so far, 0 to 1.
    pub fn read(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

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
    fn the_loudest_block_is_remembered_until_something_else_begins() {
        let loudest = Loudest::default();
        loudest.measure(&[0.25, -0.25, 0.0]);
        loudest.measure(&[0.0; BLOCK]);
        assert_eq!(loudest.read(), 0.25);
        loudest.restart();
        loudest.measure(&[0.0; BLOCK]);
        assert_eq!(loudest.read(), 0.0);
    }

    #[test]
    fn a_wire_that_holds_a_voltage_is_silent_and_nonsense_is_not_loud() {
        let loudest = Loudest::default();
        for block in [&[0.4f32; BLOCK][..], &[], &[f32::NAN], &[f32::INFINITY; 3]] {
            loudest.measure(block);
            assert_eq!(loudest.read(), 0.0);
        }
    }

    #[test]
    fn peak_and_energy_are_those_of_all_samples() {
        let mut samples: Vec<f32> = (0..101).map(|nth| nth as f32 - 60.0).collect();
        assert_eq!((peak(&samples), energy(&samples)), (60.0, 95_950.0));
        samples[33] = f32::NAN;
        assert_eq!(peak(&samples), 60.0);
        samples[100] = f32::NEG_INFINITY;
        assert_eq!((peak(&samples), peak(&[]), energy(&[])), (f32::INFINITY, 0.0, 0.0));
    }

    #[test]
    fn a_sample_that_is_not_a_number_does_not_stick() {
        let meter = LevelMeter::default();
        meter.measure(&[f32::NAN]);
        assert_eq!(meter.read(), 0.0);
    }
}
