//! The only code that runs on the sound system's thread: copying between a device and a lock-free ring.
//!
//! No allocation, no lock, no log, no system call (law 6); `tests/callbacks.rs` counts allocations. When the
//! capture ring is full the newest samples are dropped and counted; when the playback ring is empty zeros
//! are played and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

/// What a callback tells the media thread.
#[derive(Debug, Default)]
pub struct Pulse {
    callbacks: AtomicU64,
    largest: AtomicUsize,
    missed: AtomicU64,
    broken: AtomicBool,
}

impl Pulse {
    /// Callbacks so far; when this stands still, the device is dead.
    pub fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    /// The most samples (of one channel) that one callback moved.
    pub fn largest(&self) -> usize {
        self.largest.load(Ordering::Relaxed)
    }

    /// Samples dropped (capture) or missing (playback).
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Whether the sound system said that the stream is of no use any more.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Says that the stream is of no use any more.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    fn beat(&self, moved: usize, missed: usize) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(moved, Ordering::Relaxed);
        self.missed.fetch_add(missed as u64, Ordering::Relaxed);
    }
}

/// A ring of `samples` between a device and the media thread.
pub fn ring(samples: usize) -> (Producer<f32>, Consumer<f32>) {
    RingBuffer::new(samples)
}

/// The callback of a microphone: mixes to mono and puts into the ring.
pub struct CaptureCallback {
    ring: Producer<f32>,
    channels: usize,
    pulse: Arc<Pulse>,
}

impl CaptureCallback {
    /// Fills `ring` from interleaved sound of `channels`.
    pub fn new(ring: Producer<f32>, channels: usize, pulse: Arc<Pulse>) -> Self {
        Self { ring, channels: channels.max(1), pulse }
    }

    /// Runs for every buffer that the device captured.
    pub fn run<T: Copy>(&mut self, interleaved: &[T], to_f32: impl Fn(T) -> f32) {
        let mut missed = 0;
        for frame in interleaved.chunks_exact(self.channels) {
            let sum: f32 = frame.iter().map(|sample| to_f32(*sample)).sum();
            missed += usize::from(self.ring.push(sum / self.channels as f32).is_err());
        }
        self.pulse.beat(interleaved.len() / self.channels, missed);
    }
}

/// The callback of a loudspeaker: takes from the ring and copies to all channels.
pub struct PlaybackCallback {
    ring: Consumer<f32>,
    channels: usize,
    pulse: Arc<Pulse>,
}

impl PlaybackCallback {
    /// Empties `ring` into interleaved sound of `channels`.
    pub fn new(ring: Consumer<f32>, channels: usize, pulse: Arc<Pulse>) -> Self {
        Self { ring, channels: channels.max(1), pulse }
    }

    /// Runs for every buffer that the device wants to play.
    pub fn run<T: Copy>(&mut self, interleaved: &mut [T], from_f32: impl Fn(f32) -> T) {
        let frames = interleaved.len() / self.channels;
        let mut missed = 0;
        for frame in interleaved.chunks_exact_mut(self.channels) {
            let sample = self.ring.pop().unwrap_or_else(|_| {
                missed += 1;
                0.0
            });
            frame.fill(from_f32(sample));
        }
        self.pulse.beat(frames, missed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_is_mixed_to_mono_and_a_full_ring_drops_and_counts() {
        let pulse = Arc::new(Pulse::default());
        let (producer, mut consumer) = ring(2);
        let mut callback = CaptureCallback::new(producer, 2, Arc::clone(&pulse));
        callback.run(&[0.0f32, 1.0, 0.5, 0.5, 1.0, 1.0], |sample| sample);
        assert_eq!((consumer.pop(), consumer.pop()), (Ok(0.5), Ok(0.5)));
        assert_eq!((pulse.callbacks(), pulse.largest(), pulse.missed()), (1, 3, 1));
    }

    #[test]
    fn an_empty_ring_plays_zeros_and_counts() {
        let pulse = Arc::new(Pulse::default());
        let (mut producer, consumer) = ring(4);
        producer.push(0.5).unwrap();
        let mut callback = PlaybackCallback::new(consumer, 2, Arc::clone(&pulse));
        let mut out = [9.0f32; 4];
        callback.run(&mut out, |sample| sample);
        assert_eq!(out, [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(pulse.missed(), 1);
    }
}
