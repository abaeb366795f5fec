//! The pictures of a session.
//!
//! ```text
//!   Idle ── picked up ──▶ Flowing ── close
//! ```
//! Nothing is opened, taken or written before somebody has picked up. Whoever places a call is told before it rings
//! what cannot be opened ([`check`]); whoever is called goes on without pictures.

use std::future::pending;
use std::time::Instant;

use tokio::task::spawn_blocking;

use crate::jitter::Playing;
use crate::session::Camera;
use crate::session::SessionError;
use crate::session::call::{Budget, MediaKind};
use crate::session::congestion::pacer::Room;
use crate::session::far::Far;
use crate::session::line::LineEvent;
use crate::video::driver::{
    self, Backlog, Incoming, VideoConfig, VideoEngine, VideoError, VideoEvent, VideoIo, VideoSource,
    VideoStats,
};
use crate::video::sender::VideoPacket;

pub(in crate::session) struct Pictures {
    engine: VideoEngine,
    io: VideoIo,
    /// What pictures are wished of.
    source: VideoSource,
    /// Whether there is anything to send.
    camera: Camera,
    /// Whether somebody has picked up.
    flowing: bool,
    /// Bytes of payload received since they were last read.
    bytes: usize,
    /// Packets sent and received so far.
    packets_sent: u64,
    packets_received: u64,
    /// Whether any were.
    seen: bool,
}

/// Whether all of that can be opened; not on the runtime's threads.
pub(in crate::session) async fn check(config: &VideoConfig) -> Result<(), SessionError> {
    let config = config.clone();
    let checked = spawn_blocking(move || driver::check(&config)).await;
    let interrupted = |_| VideoError::Internal("opening the pictures was interrupted".to_owned());
    Ok(checked.map_err(interrupted)??)
}

/// What became of pictures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PictureCounts {
    pub(super) video: VideoStats,
    /// Bytes of payload that came since the last time.
    pub(super) bytes: usize,
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
}

/// What the threads of pictures say.
pub(super) enum PictureNews {
    Picture(Vec<VideoPacket>),
    Event(VideoEvent),
}

impl Pictures {
    pub(in crate::session) fn start_threads(config: &VideoConfig) -> Result<Self, SessionError> {
        let (engine, io) = VideoEngine::start(config)?;
        let camera = if config.source == VideoSource::None { Camera::Off } else { Camera::On };
        Ok(Self {
            engine,
            io,
            source: config.source.clone(),
            camera,
            flowing: false,
            bytes: 0,
            packets_sent: 0,
            packets_received: 0,
            seen: false,
        })
    }

    /// Somebody has picked up.
    pub(super) fn start(&mut self, now: Instant, far: &mut Far) {
        self.flowing = true;
        self.apply(now, far);
    }

    pub(super) fn set_camera(&mut self, now: Instant, far: &mut Far, camera: Camera) {
        self.camera = camera;
        self.apply(now, far);
    }

    /// Takes pictures of something else; of nothing, the camera is off. A screen that is shown no more is seen no more at the
    /// other end either, however long what comes after it takes.
    pub(super) fn set_source(&mut self, now: Instant, far: &mut Far, source: VideoSource) {
        if matches!(self.source, VideoSource::Screen | VideoSource::Window(_)) {
            while self.io.pictures.try_recv().is_ok() {}
            self.set_camera(now, far, Camera::Off);
        }
        self.camera = if source == VideoSource::None { Camera::Off } else { Camera::On };
        self.source = source.clone();
        self.engine.set_source(source);
        self.apply(now, far);
    }

    /// The other end's pictures up to this timestamp are over; whether one was seen.
    pub(super) fn end(&self, now: Instant, last: u32) -> bool {
        self.engine.end_pictures(now, last)
    }

    /// A camera that failed is off, until somebody switches it on again.
    pub(super) fn handle_lost(&mut self, now: Instant, far: &mut Far, error: &VideoError) {
        if matches!(error, VideoError::Camera(_)) && self.source.is_camera() {
            self.set_camera(now, far, Camera::Off);
        }
    }

    fn apply(&self, now: Instant, far: &mut Far) {
        let Some(line) = far.line().filter(|_| self.flowing) else { return };
        let Some(codec) = line.video_codec() else { return };
        line.set_camera(now, self.camera);
        self.give(line.video_budget(now));
        self.engine.set_camera(self.camera, codec);
    }

    /// Tells the encoder what it may do.
    pub(super) fn follow(&self, now: Instant, far: &mut Far) {
        if self.flowing
            && self.camera == Camera::On
            && let Some(line) = far.line()
        {
            self.give(line.video_budget(now));
        }
    }

    fn give(&self, Budget { rate, room }: Budget) {
        let backlog = if room == Room::Encode { Backlog::Clear } else { Backlog::Full };
        self.engine.set_budget(rate, backlog);
    }

    /// What concerns pictures of what the line says; the rest comes back.
    pub(super) fn handle_far(&mut self, now: Instant, event: LineEvent) -> Option<LineEvent> {
        match event {
            LineEvent::Video { codec, sequence, timestamp, marker, payload } => {
                self.bytes += payload.len();
                self.packets_received += 1;
                self.seen = true;
                let arrival = now;
                self.engine.insert(Incoming::Packet { codec, arrival, sequence, timestamp, marker, payload });
            }
            LineEvent::KeyframeWanted => self.engine.want_keyframe(),
            LineEvent::Camera(camera) => self.engine.insert(Incoming::Camera(camera)),
            LineEvent::Viewing(viewing) => self.engine.set_viewing(viewing),
            LineEvent::Clock { kind: MediaKind::Video, ntp, rtp } => {
                self.engine.insert(Incoming::VideoClock(ntp, rtp));
            }
            LineEvent::Clock { kind: MediaKind::Voice, ntp, rtp } => {
                self.engine.insert(Incoming::VoiceClock(ntp, rtp));
            }
            other => return Some(other),
        }
        None
    }

    /// Whether any picture of the other end came, so that there is something to bring together with its voice.
    pub(super) const fn are_seen(&self) -> bool {
        self.seen
    }

    /// What is heard, so that what is seen can follow it.
    pub(super) fn follow_voice(&self, playing: Option<Playing>) {
        if let Some(playing) = playing {
            self.engine.insert(Incoming::VoicePlaying(playing));
        }
    }

    pub(super) fn set_round_trip(&self, round_trip: Option<std::time::Duration>) {
        if let Some(round_trip) = round_trip.filter(|_| self.seen) {
            self.engine.insert(Incoming::RoundTrip(round_trip));
        }
    }

    /// So many packets of ours are on their way.
    pub(super) fn sent(&mut self, packets: usize) {
        self.packets_sent += packets as u64;
    }

    /// What became of pictures.
    pub(super) fn measure(&mut self) -> PictureCounts {
        PictureCounts {
            video: self.engine.stats(),
            bytes: std::mem::take(&mut self.bytes),
            packets_sent: self.packets_sent,
            packets_received: self.packets_received,
        }
    }

    pub(in crate::session) fn screen(&self) -> driver::Screen {
        self.engine.screen()
    }

    pub(in crate::session) fn viewfinder(&self) -> driver::Viewfinder {
        self.engine.viewfinder()
    }

    /// What comes next. Cancel safe.
    pub(super) async fn next(&mut self) -> PictureNews {
        let VideoIo { pictures, events } = &mut self.io;
        tokio::select! {
            biased;
            Some(event) = events.recv() => PictureNews::Event(event),
            Some(picture) = pictures.recv() => PictureNews::Picture(picture),
            else => pending().await,
        }
    }

    /// Finishes files and ends the threads.
    pub(super) async fn close(self) {
        if spawn_blocking(move || self.engine.close()).await.is_err() {
            tracing::warn!("closing the pictures was interrupted");
        }
    }
}
