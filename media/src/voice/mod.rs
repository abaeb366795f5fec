//! The two halves of the voice path, sans-I/O: [`VoiceSender`] makes packets of captured blocks,
//! [`VoiceReceiver`] makes played blocks of packets. [`driver`] joins them to devices on a real-time
//! thread; [`virtual_clock`] runs them in simulated time.

pub mod driver;
pub mod red;
pub mod virtual_clock;

mod brevity;
mod number;
mod protection;
mod receiver;
mod sender;
mod thrift;

pub use brevity::Frames;
pub use number::FrameNumber;
pub use protection::{Reported, Room, Supported};
pub use receiver::{TimeStretch, VoiceReceiver, VoiceReceiverConfig};
pub use sender::{EarlierFrame, Mute, Transmission, VoicePacket, VoiceSender, VoiceSenderConfig};

pub use crate::jitter::PlayoutStats;
