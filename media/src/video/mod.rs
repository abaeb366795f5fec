//! Pictures for Silbo: from a source to packets, and from packets to what is shown. Told the time; opens no device.
//!
//! ```text
//! source ─▶ I420 ─▶ sender::VideoSender (scale, vpx, rtp::Packetiser) ─▶ payloads ─▶ session (pacer, RTP)
//! screen ◀─ I420 ◀─ receiver::VideoReceiver (rtp::Assembler, vpx, sync) ◀─ payloads ◀─ session (RTP)
//! ```

pub mod camera;
pub mod driver;
mod ends;
#[cfg(test)]
mod fixture;
pub mod frame;
pub mod freeze;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod glances;
pub mod ladder;
pub mod pattern;
pub mod receiver;
pub mod rtp;
pub mod scene;
pub mod sender;
pub mod sync;
pub mod viewing;
pub mod vpx;
pub mod window;
pub mod y4m;
