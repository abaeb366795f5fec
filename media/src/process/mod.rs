//! What happens to sound between the device and the codec: echo, noise and loudness.
//!
//! ```text
//! render ─▶ Playback ─▶ Emphasis ─────────────────┐
//!           (queue)     (80 Hz, more treble)      ▼
//! capture ─▶ Emphasis ───────────────────────▶ Canceller ─▶ Suppressor ─▶ Deemphasis ─▶ Gain
//!            (80 Hz, more treble)              (echo)       (what is left                (loudness,
//!                                                            and noise)                   limiter)
//! ```
//!
//! [`Processor`] is told every block that the loudspeaker plays ([`Processor::render`]) and improves every
//! block that the microphone heard ([`Processor::capture`]), in the order in which they happened. [`Room`] works at 48 kHz in
//! blocks of 10 ms, adds 10 ms of delay, one block of overlap between spectra, and allocates nothing once it is made. The only
//! place that names `realfft`.

mod echo;
mod emphasis;
mod gain;
pub(crate) mod limiter;
mod noise;
mod playback;
mod room;
mod suppress;

pub use room::{Echo, Room};

use crate::frame::Block;

/// Whether captured sound is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Processing {
    /// Echo cancellation, noise suppression and gain: for real microphones beside loudspeakers.
    On,
    /// Noise suppression and gain: for headphones, which nobody hears but their owner.
    Headphones,
    /// Samples pass untouched: for files, tones and measurements.
    Off,
}

impl Processing {
    /// The processor that does this.
    pub fn processor(self) -> Box<dyn Processor> {
        match self {
            Processing::On => Box::new(Room::new(Echo::Cancelled)),
            Processing::Headphones => Box::new(Room::new(Echo::None)),
            Processing::Off => Box::new(Bypass),
        }
    }
}

/// Improves captured sound, knowing what was played.
pub trait Processor: Send {
    /// Hears what the loudspeaker is about to play.
    fn render(&mut self, played: &Block);
    /// Improves what the microphone heard, in place.
    fn capture(&mut self, heard: &mut Block);
}

/// Changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bypass;

impl Processor for Bypass {
    fn render(&mut self, _played: &Block) {}
    fn capture(&mut self, _heard: &mut Block) {}
}

#[cfg(test)]
mod tests;
