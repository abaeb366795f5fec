//! What happens to sound between the device and the codec: echo cancellation, noise suppression, gain.
//!
//! [`Processor`] is told every block that the loudspeaker plays ([`Processor::render`]) and improves every
//! block that the microphone heard ([`Processor::capture`]), in the order in which they happened. The only
//! place that names `sonora`, a port of WebRTC's audio processing (AEC3, NS, AGC2, high-pass).

use sonora::config::{
    EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::frame::{Block, SAMPLE_RATE};

/// Whether captured sound is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Processing {
    /// Echo cancellation, noise suppression and gain: for real microphones.
    On,
    /// Samples pass untouched: for files, tones and measurements.
    Off,
}

impl Processing {
    /// The processor that does this.
    pub fn processor(self) -> Box<dyn Processor> {
        match self {
            Processing::On => Box::new(EchoNoiseGain::new()),
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

/// Echo cancellation, noise suppression, gain control and a high-pass filter; adds about 15 ms.
pub struct EchoNoiseGain {
    apm: AudioProcessing,
    scratch: Box<Block>,
}

impl EchoNoiseGain {
    /// A processor that has heard nothing yet; the echo canceller converges within two seconds.
    pub fn new() -> Self {
        let stream = StreamConfig::new(SAMPLE_RATE, 1);
        // The default internal rate of 32 kHz would cut everything above 16 kHz.
        let pipeline = Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            ..Pipeline::default()
        };
        let config = Config {
            pipeline,
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: Some(EchoCanceller::default()),
            noise_suppression: Some(NoiseSuppression {
                level: NoiseSuppressionLevel::Moderate,
                ..NoiseSuppression::default()
            }),
            gain_controller2: Some(GainController2::default()),
            ..Config::default()
        };
        let apm =
            AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build();
        Self { apm, scratch: Box::new([0.0; crate::frame::BLOCK]) }
    }
}

impl Default for EchoNoiseGain {
    fn default() -> Self {
        Self::new()
    }
}

impl Processor for EchoNoiseGain {
    fn render(&mut self, played: &Block) {
        let outcome = self.apm.process_render_f32(&[&played[..]], &mut [&mut self.scratch[..]]);
        if let Err(error) = outcome {
            tracing::debug!(?error, "the echo canceller refused a played block");
        }
    }

    fn capture(&mut self, heard: &mut Block) {
        match self.apm.process_capture_f32(&[&heard[..]], &mut [&mut self.scratch[..]]) {
            Ok(()) => heard.copy_from_slice(&self.scratch[..]),
            Err(error) => tracing::debug!(?error, "the processor refused a captured block"),
        }
    }
}

#[cfg(test)]
mod tests;
