//! The real-time media thread: joins devices, processing, sender and receiver, every 10 ms.
#![expect(clippy::disallowed_methods, reason = "the media thread reads the clock for the sans-I/O parts")]

use std::time::Instant;

use tokio::sync::mpsc;

use super::{Mute, PlayoutStats, VoicePacket};
use crate::device::{AudioSink, AudioSource, DeviceError, Direction};
use crate::level::Levels;
use crate::process::Processing;

/// What a call speaks into and is heard from.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceConfig {
    /// Where captured sound comes from.
    pub source: AudioSource,
    /// Where played sound goes.
    pub sink: AudioSink,
    /// Whether captured sound is processed.
    pub processing: Processing,
}

/// One voice packet from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPacket {
    /// When it arrived.
    pub arrival: Instant,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp, 48 kHz.
    pub timestamp: u32,
    /// One Opus packet.
    pub payload: Vec<u8>,
}

/// What a running engine says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VoiceEvent {
    /// The first sample was captured at this wall-clock time (Unix milliseconds).
    FirstCaptured {
        /// Unix milliseconds.
        t0_unix_ms: u64,
    },
    /// The first sample was given to the loudspeaker (or file) at this wall-clock time.
    FirstPlayed {
        /// Unix milliseconds.
        t0_unix_ms: u64,
    },
    /// The first packet of the other side was decoded, not concealed, and heard.
    FirstDecoded,
    /// A file microphone came to its end; silence follows.
    SourceEnded,
    /// A device or file stopped working; silence is used in its place while we try again.
    DeviceLost(DeviceError),
    /// A lost device works again.
    DeviceRestored(Direction),
}

/// The receiving ends of a running engine.
#[derive(Debug)]
pub struct VoiceIo {
    /// Packets to send, one every 20 ms once started.
    pub packets: mpsc::Receiver<VoicePacket>,
    /// What happened.
    pub events: mpsc::Receiver<VoiceEvent>,
}

/// Counters of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoiceStats {
    /// The receiving side.
    pub playout: PlayoutStats,
    /// Packets handed to the session.
    pub sent: u64,
    /// Packets dropped because the session did not take them in time.
    pub send_dropped: u64,
    /// Received packets dropped because the media thread did not take them in time.
    pub receive_dropped: u64,
}

/// Packets waiting for the session: 320 ms; when full, the newest is dropped and counted.
pub const PACKET_QUEUE: usize = 16;
/// Events waiting for the session; when full, the newest is dropped and logged.
pub const EVENT_QUEUE: usize = 64;
/// Received packets waiting for the media thread: 2 s; when full, the oldest is dropped and counted.
pub const INSERT_QUEUE: usize = 100;

/// Runs one call's sound; dropping it finishes files, closes devices and ends the thread.
pub struct VoiceEngine {
    _packets: mpsc::Sender<VoicePacket>,
    _events: mpsc::Sender<VoiceEvent>,
}

impl VoiceEngine {
    /// Opens devices and files, and reports what is wrong with them; nothing flows until [`Self::start`].
    pub fn open(config: VoiceConfig) -> Result<(Self, VoiceIo), DeviceError> {
        let _ = (config, Instant::now());
        let (_packets, packets) = mpsc::channel(PACKET_QUEUE);
        let (_events, events) = mpsc::channel(EVENT_QUEUE);
        Ok((Self { _packets, _events }, VoiceIo { packets, events }))
    }

    /// Media starts: a file microphone begins, a file loudspeaker begins. Calling it again does nothing.
    pub fn start(&self) {}

    /// Takes a packet from the network; never blocks for long.
    pub fn insert(&self, packet: ReceivedPacket) {
        let _ = packet;
    }

    /// Silences or opens the microphone.
    pub fn set_muted(&self, mute: Mute) {
        let _ = mute;
    }

    /// Tells how much loss the other side sees, 0 to 1.
    pub fn set_expected_loss(&self, loss: f32) {
        let _ = loss;
    }

    /// Counters as of the last 10 ms.
    pub fn stats(&self) -> VoiceStats {
        VoiceStats::default()
    }

    /// How loud both directions are.
    pub fn levels(&self) -> Levels {
        Levels::default()
    }

    /// Finishes files, closes devices and joins the thread; the same as dropping.
    pub fn close(self) {}
}
