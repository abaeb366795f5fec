//! Sound for Silbo: from the microphone to packets, and from packets to the loudspeaker.
//!
//! Two types matter: [`voice::driver::VoiceEngine`], which joins devices, processing, codec and jitter
//! buffer on one real-time thread, and its sans-I/O halves [`voice::VoiceSender`] and
//! [`voice::VoiceReceiver`], which are told the time and run faster than real time in tests.
//!
//! ```text
//! device ─▶ ring ─▶ process::capture ─▶ VoiceSender (Opus, 20 ms, FEC) ─▶ packets ─▶ session (RTP)
//! device ◀─ ring ◀─ process::render  ◀─ Mixer ◀─ VoiceReceiver (jitter buffer) ◀─ packets ◀─ session (RTP)
//! ```
//!
//! ```
//! use std::time::Instant;
//! use media::frame::BLOCK;
//! use media::voice::{VoiceReceiver, VoiceReceiverConfig, VoiceSender, VoiceSenderConfig};
//!
//! # fn call(now: Instant) -> Result<(), media::codec::CodecError> {
//! let mut sender = VoiceSender::new(VoiceSenderConfig::default())?;
//! let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), now)?;
//! let mut speaker = [0.0; BLOCK];
//! for sequence in 0..10 {
//!     if let Some(packet) = sender.capture(&[0.0; BLOCK]) {
//!         receiver.insert(now, sequence, packet.timestamp, &packet.payload);
//!     }
//!     receiver.play(now, &mut speaker);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Pictures go a way of their own, [`video`], whose halves are told the time in the same manner.
//!
//! Fences: `cpal` is named only under [`device`], `opus` only under [`codec`], `vpx_sys` only under [`video::vpx`], `realfft` only under
//! [`process`]. This crate knows nothing of names, contacts or the overlay.

pub mod bitrate;
pub mod codec;
pub mod device;
pub mod frame;
pub mod jitter;
pub mod level;
pub mod mix;
pub mod process;
pub mod resample;
pub mod session;
pub mod tones;
pub mod video;
pub mod voice;
