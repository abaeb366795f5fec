//! The two threads of pictures: one takes and encodes them, one puts together, decodes and shows them.
//!
//! ```text
//! source ─▶ Ladder, VideoSender ─▶ pictures in packets (bounded) ─▶ session
//!                ▲ budget, keyframes, the size they are shown at
//! sink, window ◀─ wait for its moment ◀─ VideoReceiver ◀─ packets (bounded) ◀─ session
//! ```
//!
//! A picture for which there is no room is not taken: nothing is encoded to be thrown away.
#![expect(clippy::disallowed_methods, reason = "the threads read the clock for the sans-I/O parts")]

mod capture;
#[cfg(not(target_os = "linux"))]
mod no_webcam;
mod preview;
mod screen;
mod show;
#[cfg(target_os = "linux")]
mod v4l2;
mod viewfinder;

use std::fs::File;
use std::io::BufReader;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

pub use super::camera::CameraError;
pub use super::ends::{Camera, VideoConfig, VideoEndError, VideoError, VideoSink, VideoSource};
use super::frame::{I420, Taken};
use super::sender::VideoPacket;
use super::sync::NtpTime;
use super::viewing::Viewing;
use super::vpx::Codec;
use super::y4m::Y4mReader;
use crate::bitrate::Bitrate;
use crate::jitter::Playing;
use capture::Capture;
pub use preview::Preview;
pub use screen::{ScreenError, open_windows};
use show::Show;
pub use viewfinder::Viewfinder;

/// Encoded pictures waiting for the session; while it is full, none is taken.
pub const PICTURE_QUEUE: usize = 4;
/// Packets waiting to be put together: a second of 4 Mbit/s; when full, the newest is dropped, and asked for again.
pub const PACKET_QUEUE: usize = 512;
/// Events waiting for the session; when full, the newest is dropped.
pub const EVENT_QUEUE: usize = 32;

/// Longest time that a picture is under way.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// What the threads say.
#[derive(Debug)]
#[non_exhaustive]
pub enum VideoEvent {
    /// Nothing can be shown before the other end sends a keyframe.
    KeyframeNeeded,
    /// The first picture of the other end is shown, since the beginning or since its pictures ended.
    FirstShown,
    /// The source or the sink stopped working; the call goes on without it.
    Lost(VideoError),
}

/// The receiving ends of a running engine.
#[derive(Debug)]
pub struct VideoIo {
    /// The packets of one picture each.
    pub pictures: mpsc::Receiver<Vec<VideoPacket>>,
    /// What happened.
    pub events: mpsc::Receiver<VideoEvent>,
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Little: pictures are welcome.
    Clear,
    /// As much as may wait: the next picture would only be late.
    Full,
}

/// What came from the other end.
#[derive(Debug)]
pub enum Incoming {
    /// A packet of pictures.
    Packet {
        /// How they are coded.
        codec: Codec,
        /// When it came.
        arrival: Instant,
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp, 90 kHz.
        timestamp: u32,
        /// Whether it is the last of its picture.
        marker: bool,
        /// The payload.
        payload: Bytes,
    },
    /// Its camera went on or off.
    Camera(Camera),
    /// What a timestamp of its pictures stands for.
    VideoClock(NtpTime, u32),
    /// What a timestamp of its voice stands for.
    VoiceClock(NtpTime, u32),
    /// What is heard of its voice.
    VoicePlaying(Playing),
    /// The round trip to it.
    RoundTrip(Duration),
}

/// What became of pictures, since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VideoStats {
    /// Pictures handed to the session.
    pub sent: u64,
    /// Pictures shown.
    pub shown: u64,
    /// Size of the picture shown, in pixels.
    pub size: Option<(u32, u32)>,
    /// How often the picture stood still.
    pub freezes: u64,
    /// And for how long altogether.
    pub frozen: Duration,
}

/// Runs the pictures of one call; dropping it finishes files and ends the threads.
#[derive(Debug)]
pub struct VideoEngine {
    shared: Arc<Shared>,
    packets: Option<SyncSender<Incoming>>,
    threads: Vec<JoinHandle<()>>,
}

/// Looks at the newest picture of the other end, from wherever it is wanted.
#[derive(Debug, Clone)]
pub struct Screen(Arc<Mutex<Shown>>);

/// What the engine and its threads all see.
#[derive(Debug)]
struct Shared {
    taking: AtomicBool,
    closing: AtomicBool,
    /// What to take pictures of from now on.
    wished: Mutex<Option<VideoSource>>,
    codec: Mutex<Codec>,
    /// Bits per second of payload.
    rate: AtomicU64,
    full: AtomicBool,
    /// How large the other end shows them; none when it did not say.
    viewing: Mutex<Option<Viewing>>,
    keyframe_wanted: AtomicBool,
    sent: AtomicU64,
    shown: Arc<Mutex<Shown>>,
    viewfinder: Viewfinder,
}

/// The newest picture, and what became of all.
#[derive(Debug, Default)]
struct Shown {
    latest: Option<I420>,
    /// The RTP timestamp of the last picture that is not to be seen any more, and when that was said.
    ended: Option<(u32, Instant)>,
    stats: VideoStats,
}

impl VideoEngine {
    /// Opens nothing yet: a source is opened when pictures are taken ([`Self::set_camera`]), a file when there is a
    /// picture to write. What fails then is told as [`VideoEvent::Lost`].
    pub fn start(config: &VideoConfig) -> Result<(Self, VideoIo), VideoError> {
        let (pictures_in, pictures) = mpsc::channel(PICTURE_QUEUE);
        let (events_in, events) = mpsc::channel(EVENT_QUEUE);
        let (packets, incoming) = sync_channel(PACKET_QUEUE);
        let shared = Arc::new(Shared {
            taking: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            wished: Mutex::new(Some(config.source.clone())),
            codec: Mutex::new(Codec::Vp8),
            rate: AtomicU64::new(Bitrate::from_kbps(200).bps()),
            full: AtomicBool::new(false),
            viewing: Mutex::new(None),
            keyframe_wanted: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            shown: Arc::default(),
            viewfinder: Viewfinder::default(),
        });
        let capture = Capture::new(&shared, pictures_in, events_in.clone());
        let show = Show::new(&config.sink, &shared, events_in);
        let threads = vec![
            spawn("silbo-capture", move || capture.run())?,
            spawn("silbo-pictures", move || show.run(&incoming))?,
        ];
        Ok((Self { shared, packets: Some(packets), threads }, VideoIo { pictures, events }))
    }

    /// Takes pictures from now on, coded so, or takes none. A camera that is off is closed: its light is out, and others
    /// may have it; it is opened anew when it goes on, even if it failed before.
    pub fn set_camera(&self, camera: Camera, codec: Codec) {
        *lock(&self.shared.codec) = codec;
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
        self.shared.taking.store(camera == Camera::On, Ordering::Release);
        self.threads.iter().for_each(|thread| thread.thread().unpark());
    }

    /// Takes pictures of something else. What cannot be opened is told as [`VideoEvent::Lost`], and what was taken before
    /// is taken still; only a screen is shown no longer.
    pub fn set_source(&self, source: VideoSource) {
        *lock(&self.shared.wished) = Some(source);
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
        self.threads.iter().for_each(|thread| thread.thread().unpark());
    }

    /// What pictures may take, and whether there is room for the next.
    pub fn set_budget(&self, rate: Bitrate, backlog: Backlog) {
        self.shared.rate.store(rate.bps(), Ordering::Relaxed);
        self.shared.full.store(backlog == Backlog::Full, Ordering::Relaxed);
    }

    /// The other end shows them so large.
    pub fn set_viewing(&self, viewing: Viewing) {
        *lock(&self.shared.viewing) = Some(viewing);
    }

    /// The other end can show nothing before a keyframe.
    pub fn want_keyframe(&self) {
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// Takes what came from the other end; never blocks.
    pub fn insert(&self, incoming: Incoming) {
        if let Some(Err(TrySendError::Full(_))) =
            self.packets.as_ref().map(|packets| packets.try_send(incoming))
        {
            tracing::debug!("a video packet was dropped: decoding does not keep up");
        }
    }

    /// The other end's pictures up to this RTP timestamp are over: what is shown of them is gone, and what still comes of
    /// them is not shown. Whether there was anything to see.
    pub fn end_pictures(&self, now: Instant, last: u32) -> bool {
        let mut shown = lock(&self.shared.shown);
        shown.ended = Some((last, now));
        let gone = shown.latest.as_ref().is_some_and(|latest| shown.has_ended(now, latest));
        if gone {
            (shown.latest, shown.stats.size) = (None, None);
        }
        gone
    }

    /// What became of pictures.
    pub fn stats(&self) -> VideoStats {
        VideoStats { sent: self.shared.sent.load(Ordering::Relaxed), ..lock(&self.shared.shown).stats }
    }

    /// Looks at the newest picture.
    pub fn screen(&self) -> Screen {
        Screen(Arc::clone(&self.shared.shown))
    }

    /// Looks at what our camera takes.
    pub fn viewfinder(&self) -> Viewfinder {
        self.shared.viewfinder.clone()
    }

    /// Finishes files and joins the threads; the same as dropping.
    pub fn close(self) {}
}

impl Shown {
    /// Whether this is one of the pictures that are over. What was on its way is here long before timestamps come round.
    fn has_ended(&self, now: Instant, picture: &I420) -> bool {
        match (self.ended, picture.taken()) {
            (Some((last, said)), Taken::Media(timestamp)) if now < said + ON_ITS_WAY => {
                timestamp.wrapping_sub(last).cast_signed() <= 0
            }
            _ => false,
        }
    }
}

impl Screen {
    /// One on which there is this, and nothing else ever.
    pub fn still(picture: I420) -> Self {
        let stats = VideoStats { shown: 1, ..VideoStats::default() };
        Self(Arc::new(Mutex::new(Shown { latest: Some(picture), ended: None, stats })))
    }

    /// The newest picture, and how many were shown before it: the same number means the same picture.
    pub fn latest(&self) -> Option<(u64, I420)> {
        let shown = lock(&self.0);
        shown.latest.clone().map(|latest| (shown.stats.shown, latest))
    }
}

impl PartialEq for Screen {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for VideoEngine {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.packets = None;
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of pictures panicked");
            }
        }
    }
}

/// Whether all of that can be opened, for whoever is to be told before a call is placed. May take its time.
pub fn check(config: &VideoConfig) -> Result<(), VideoError> {
    capture::check(&config.source)?;
    show::check(&config.sink)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, VideoError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| VideoError::Internal(error.to_string()))
}

/// A thread that panicked while holding the lock leaves counters and a picture that are still sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
