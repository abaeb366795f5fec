//! The two halves of the voice path, sans-I/O: [`VoiceSender`] makes packets of captured blocks,
//! [`VoiceReceiver`] makes played blocks of packets. [`driver`] joins them to devices on a real-time
//! thread; [`virtual_clock`] runs them in simulated time.

pub mod driver;
pub mod virtual_clock;

mod receiver;
mod sender;

pub use receiver::{TimeStretch, VoiceReceiver, VoiceReceiverConfig};
pub use sender::{Mute, VoicePacket, VoiceSender, VoiceSenderConfig};

pub use crate::jitter::PlayoutStats;
