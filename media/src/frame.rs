//! The shape of sound inside Silbo: 48 kHz, mono, `f32` in -1..=1, in blocks of 10 ms.

use std::time::Duration;

/// Samples per second, everywhere between a device and the codec.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in one block: 10 ms, the step of the media clock and of the echo canceller.
pub const BLOCK: usize = 480;

/// Samples in one Opus frame: 20 ms, two blocks.
pub const OPUS_FRAME: usize = 2 * BLOCK;

/// How long one [`BLOCK`] lasts.
pub const BLOCK_TIME: Duration = Duration::from_millis(10);

/// One block of sound.
pub type Block = [f32; BLOCK];

/// How long `samples` last at 48 kHz.
pub fn duration_of(samples: u64) -> Duration {
    Duration::from_nanos((u128::from(samples) * 1_000_000_000 / u128::from(SAMPLE_RATE)) as u64)
}

/// How many samples at 48 kHz fit into `duration`.
pub fn samples_in(duration: Duration) -> u64 {
    (duration.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_ten_milliseconds() {
        assert_eq!(duration_of(BLOCK as u64), BLOCK_TIME);
        assert_eq!(samples_in(BLOCK_TIME), BLOCK as u64);
    }

    #[test]
    fn an_hour_survives_the_round_trip() {
        let hour = Duration::from_secs(3600);
        assert_eq!(duration_of(samples_in(hour)), hour);
    }
}
