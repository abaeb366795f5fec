//! The real-time media thread: joins devices, processing, sender and receiver, every 10 ms.
//!
//! ```text
//! source ─▶ Processor::capture ─▶ VoiceSender ─▶ packets (bounded) ─▶ session
//! sink ◀─ Processor::render ◀─ Mixer ◀─ VoiceReceiver ◀─ inserted packets (bounded) ◀─ session
//! ```
//!
//! Files, tones and silence move on an absolute clock: block `k` of the loudspeaker belongs to `start +
//! 10 ms * k` and block `k` of the microphone is complete at `start + 10 ms * (k + 1)`. A thread that wakes
//! late catches up, so a file holds exactly as many samples as time has passed. Devices move at their own
//! pace: a block is taken when the microphone has one, and made when the loudspeaker wants one.
#![expect(clippy::disallowed_methods, reason = "the media thread reads the clock for the sans-I/O parts")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::{
    EarlierFrame, FrameNumber, Frames, Mute, PlayoutStats, Reported, Supported, Transmission, VoicePacket,
    VoiceReceiver, VoiceReceiverConfig, VoiceSender, VoiceSenderConfig,
};
use crate::codec::CodecError;
use crate::device::{AudioSink, AudioSource, DeviceError, Direction};
use crate::level::{LevelMeter, Levels, Loudest};
use crate::mix::Volume;
use crate::process::Processing;

mod ends;
mod media_thread;
mod standing;
mod trace;

use ends::{SinkEnd, SourceEnd};
use media_thread::MediaThread;
pub use trace::{HandOvers, Hold, Trace};

/// What a call speaks into and is heard from.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceConfig {
    /// Where captured sound comes from.
    pub source: AudioSource,
    /// Where played sound goes.
    pub sink: AudioSink,
    /// Whether captured sound is processed.
    pub processing: Processing,
    /// How short frames may be.
    pub frames: Frames,
    /// Who measures files, tones and silence, if anybody does.
    pub trace: Option<Trace>,
}

/// One voice packet from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPacket {
    /// When it arrived.
    pub arrival: Instant,
    /// Which frame it holds; a repeat has that of the first transmission.
    pub number: FrameNumber,
    /// RTP timestamp, 48 kHz.
    pub timestamp: u32,
    /// One Opus packet.
    pub payload: Vec<u8>,
    /// Copies of earlier frames that came with it.
    pub copies: Vec<EarlierFrame>,
    /// Whether the frame was sent once more.
    pub transmission: Transmission,
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
    /// A lost device works again, or another one in its place does.
    DeviceRestored(Direction),
    /// What was chosen cannot be used; what was there before still is.
    DeviceRefused(DeviceError),
}

/// The receiving ends of a running engine.
#[derive(Debug)]
pub struct VoiceIo {
    /// Packets to send, one every 20 ms once started, or two where frames are short or repeated.
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
    /// Samples of the microphone dropped because they came too late or too many at once.
    pub overrun: u64,
    /// Samples that the loudspeaker wanted and that were not there.
    pub underrun: u64,
}

/// Packets waiting for the session: 640 ms, short ones and repeats 320; when full, the newest is dropped and counted.
pub const PACKET_QUEUE: usize = 32;
/// Events waiting for the session; when full, the newest is dropped and logged.
pub const EVENT_QUEUE: usize = 64;
/// Received packets waiting for the media thread: 2 s, short ones and repeats 1; when full, the oldest is dropped and counted.
pub const INSERT_QUEUE: usize = 100;

/// Runs one call's sound; dropping it finishes files, closes devices and ends the thread.
#[derive(Debug)]
pub struct VoiceEngine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Reads how loud an engine is, from wherever it is wanted; stays at the last level when the engine is gone.
#[derive(Debug, Clone)]
pub struct Meters(Arc<Shared>);

/// What the engine and its thread both see.
#[derive(Debug, Default)]
struct Shared {
    listening: AtomicBool,
    started: AtomicBool,
    closing: AtomicBool,
    muted: AtomicBool,
    told: Mutex<Told>,
    chosen: Mutex<Chosen>,
    inserted: Mutex<VecDeque<ReceivedPacket>>,
    insert_dropped: AtomicU64,
    stats: Mutex<VoiceStats>,
    microphone: LevelMeter,
    speaker: LevelMeter,
    loudest: Loudest,
}

/// What the other end is known to take, and what the media thread has not seen yet of what was reported.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    supported: Supported,
    reported: Option<Reported>,
    /// How long the last probe took.
    round_trip: Option<Duration>,
    /// Whether packets take another way since.
    new_way: bool,
}

/// What was chosen while the engine runs, and the media thread has not seen yet.
#[derive(Debug, Default)]
struct Chosen {
    source: Option<AudioSource>,
    sink: Option<AudioSink>,
    volume: Option<Volume>,
}

impl VoiceEngine {
    /// Opens devices and files, and reports what is wrong with them; nothing flows until [`Self::start`].
    pub fn open(config: VoiceConfig) -> Result<(Self, VoiceIo), DeviceError> {
        let source = SourceEnd::open(&config.source)?;
        let sink = SinkEnd::open(&config.sink)?;
        let encoding = VoiceSenderConfig { frames: config.frames, ..VoiceSenderConfig::default() };
        let sender = VoiceSender::new(encoding).map_err(internal)?;
        let receiver =
            VoiceReceiver::new(VoiceReceiverConfig::default(), Instant::now()).map_err(internal)?;
        let (packets_in, packets) = mpsc::channel(PACKET_QUEUE);
        let (events_in, events) = mpsc::channel(EVENT_QUEUE);
        let shared = Arc::new(Shared::default());
        let media = MediaThread::new(
            Arc::clone(&shared),
            (source, sink),
            config,
            (sender, receiver),
            (packets_in, events_in),
        );
        let thread = thread::Builder::new()
            .name("silbo-media".to_owned())
            .spawn(move || media.run())
            .map_err(|error| DeviceError::Internal { why: error.to_string() })?;
        Ok((Self { shared, thread: Some(thread) }, VoiceIo { packets, events }))
    }

    /// From now until [`Self::start`] a microphone that is a device is heard by the meters alone: nothing of it is sent or
    /// kept.
    pub fn listen(&self) {
        self.shared.listening.store(true, Ordering::Release);
        self.wake();
    }

    /// Media starts: a file microphone begins, a file loudspeaker begins. Calling it again does nothing.
    pub fn start(&self) {
        self.shared.started.store(true, Ordering::Release);
        self.wake();
    }

    /// Takes a packet from the network; never blocks for long. Before [`Self::start`] it is dropped.
    pub fn insert(&self, packet: ReceivedPacket) {
        let mut waiting = lock(&self.shared.inserted);
        if waiting.len() >= INSERT_QUEUE {
            waiting.pop_front();
            self.shared.insert_dropped.fetch_add(1, Ordering::Relaxed);
        }
        waiting.push_back(packet);
    }

    /// Silences or opens the microphone.
    pub fn set_muted(&self, mute: Mute) {
        self.shared.muted.store(mute == Mute::On, Ordering::Relaxed);
    }

    /// Captures from somewhere else, once that is open; one that cannot be opened is told with
    /// [`VoiceEvent::DeviceRefused`].
    pub fn choose_source(&self, source: AudioSource) {
        lock(&self.shared.chosen).source = Some(source);
    }

    /// Is heard from somewhere else, in the same manner.
    pub fn choose_sink(&self, sink: AudioSink) {
        lock(&self.shared.chosen).sink = Some(sink);
    }

    /// Hears the other side so loud, from the next block on.
    pub fn set_volume(&self, volume: Volume) {
        lock(&self.shared.chosen).volume = Some(volume);
    }

    /// Tells what the other side takes, and what it says of what arrives; to be called once a second.
    pub fn handle_report(&self, supported: Supported, reported: Reported) {
        let mut told = lock(&self.shared.told);
        (told.supported, told.reported) = (supported, Some(reported));
    }

    /// Tells how long a probe took, there and back.
    pub fn handle_round_trip(&self, latest: Duration) {
        lock(&self.shared.told).round_trip = Some(latest);
    }

    /// Tells that packets take another way from now on.
    pub fn handle_new_way(&self) {
        let mut told = lock(&self.shared.told);
        (told.round_trip, told.new_way) = (None, true);
    }

    /// Counters as of the last 10 ms.
    pub fn stats(&self) -> VoiceStats {
        let receive_dropped = self.shared.insert_dropped.load(Ordering::Relaxed);
        VoiceStats { receive_dropped, ..*lock(&self.shared.stats) }
    }

    /// How loud both directions are.
    pub fn levels(&self) -> Levels {
        self.meters().read()
    }

    /// The same for those who do not own the engine.
    pub fn meters(&self) -> Meters {
        Meters(Arc::clone(&self.shared))
    }

    /// Finishes files, closes devices and joins the thread; the same as dropping.
    pub fn close(self) {}

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Meters {
    /// How loud both directions are.
    pub fn read(&self) -> Levels {
        Levels {
            microphone: self.0.microphone.read(),
            speaker: self.0.speaker.read(),
            loudest: self.0.loudest.read(),
        }
    }
}

impl Drop for VoiceEngine {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the media thread panicked");
        }
    }
}

/// Both clocks at one moment, so that one can be told in terms of the other.
#[derive(Debug, Clone, Copy)]
struct Moment {
    instant: Instant,
    unix_ms: u64,
    unix_us: u64,
}

fn this_moment() -> Moment {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { instant: Instant::now(), unix_ms: unix.as_millis() as u64, unix_us: unix.as_micros() as u64 }
}

fn internal(error: CodecError) -> DeviceError {
    DeviceError::Internal { why: error.to_string() }
}

/// A thread that panicked while holding the lock leaves counters and packets that are still sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
