//! Puts together, decodes, and shows each picture in its moment.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{Incoming, Shared, VideoError, VideoEvent, VideoSink, VideoStats, lock};
use crate::jitter::Playing;
use crate::video::frame::{I420, Size};
use crate::video::receiver::{Shown, VideoReceiver};
use crate::video::vpx::Codec;
use crate::video::y4m::{FrameRate, Y4mError, Y4mWriter};

/// Pictures that wait for their moment; with more, the first is shown early.
const WAITING: usize = 16;
/// With nothing to do the thread looks up this often.
const IDLE: Duration = Duration::from_secs(10);
/// What a file of pictures says of their rate, though they come as they come.
const RATE: (u32, u32) = (30, 1);

pub(super) struct Show {
    shared: Arc<Shared>,
    events: mpsc::Sender<VideoEvent>,
    receiver: Option<(Codec, VideoReceiver)>,
    round_trip: Duration,
    waiting: VecDeque<Shown>,
    sink: Sink,
}

enum Sink {
    Null,
    /// It is made with the first picture, which says its size unless that is given.
    Named(PathBuf, Option<Size>),
    Writing {
        path: PathBuf,
        size: Size,
        writer: Y4mWriter<BufWriter<File>>,
    },
}

impl Show {
    pub(super) fn new(sink: &VideoSink, shared: &Arc<Shared>, events: mpsc::Sender<VideoEvent>) -> Self {
        let sink = match sink {
            VideoSink::Null => Sink::Null,
            VideoSink::File(path) => Sink::Named(path.clone(), None),
            VideoSink::Sized(size, path) => Sink::Named(path.clone(), Some(*size)),
        };
        let (shared, waiting) = (Arc::clone(shared), VecDeque::new());
        Self { shared, events, receiver: None, round_trip: Duration::ZERO, waiting, sink }
    }

    /// Until nothing comes any more.
    pub(super) fn run(mut self, incoming: &Receiver<Incoming>) {
        loop {
            let now = Instant::now();
            let due = self.due(now).map_or(IDLE, |due| due.saturating_duration_since(now));
            match incoming.recv_timeout(due) {
                Ok(incoming) => self.take(incoming),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
            self.advance(Instant::now());
        }
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let first = self.waiting.front().map(|shown| shown.at);
        let receiver = self.receiver.as_ref().and_then(|(_, receiver)| receiver.poll_timeout(now));
        first.into_iter().chain(receiver).min()
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Packet { codec, arrival, sequence, timestamp, marker, payload } => {
                if let Some(receiver) = self.receiver_of(codec, arrival) {
                    receiver.insert(arrival, sequence, timestamp, marker, &payload);
                }
            }
            Incoming::Camera(camera) => {
                if let Some((_, receiver)) = &mut self.receiver {
                    receiver.handle_camera(camera);
                }
            }
            Incoming::VideoClock(ntp, rtp) => {
                if let Some((_, receiver)) = &mut self.receiver {
                    receiver.handle_video_report(ntp, rtp);
                }
            }
            Incoming::VoiceClock(ntp, rtp) => {
                if let Some((_, receiver)) = &mut self.receiver {
                    receiver.handle_voice_report(ntp, rtp);
                }
            }
            Incoming::VoicePlaying(Playing { at, timestamp }) => {
                if let Some((_, receiver)) = &mut self.receiver {
                    receiver.voice_playing(at, timestamp);
                }
            }
            Incoming::RoundTrip(round_trip) => {
                self.round_trip = round_trip;
                if let Some((_, receiver)) = &mut self.receiver {
                    receiver.set_round_trip(round_trip);
                }
            }
        }
    }

    fn receiver_of(&mut self, codec: Codec, now: Instant) -> Option<&mut VideoReceiver> {
        if self.receiver.as_ref().is_none_or(|(own, _)| *own != codec) {
            match VideoReceiver::new(codec, now) {
                Ok(mut receiver) => {
                    receiver.set_round_trip(self.round_trip);
                    self.receiver = Some((codec, receiver));
                }
                Err(error) => tracing::warn!(%error, "pictures cannot be decoded"),
            }
        }
        self.receiver.as_mut().filter(|(own, _)| *own == codec).map(|(_, receiver)| receiver)
    }

    fn advance(&mut self, now: Instant) {
        if let Some((_, receiver)) = &mut self.receiver {
            while let Some(shown) = receiver.poll_frame(now) {
                self.waiting.push_back(shown);
            }
            if receiver.poll_request(now) {
                // A full queue means that one is under way.
                let _ = self.events.try_send(VideoEvent::KeyframeNeeded);
            }
        }
        while self.waiting.len() > WAITING || self.waiting.front().is_some_and(|first| first.at <= now) {
            let Some(Shown { frame, .. }) = self.waiting.pop_front() else { break };
            self.show(frame);
        }
    }

    fn show(&mut self, frame: I420) {
        if lock(&self.shared.shown).has_ended(Instant::now(), &frame) {
            return;
        }
        let written = self.sink.write(&frame);
        let of_receiver = self.receiver.as_ref().map(|(_, receiver)| receiver.stats()).unwrap_or_default();
        let size = Some((frame.size().width(), frame.size().height()));
        let mut shown = lock(&self.shared.shown);
        if shown.latest.is_none() {
            // Whoever does not read events does not want to know.
            let _ = self.events.try_send(VideoEvent::FirstShown);
        }
        let (freezes, frozen) = (of_receiver.freezes, of_receiver.frozen);
        shown.stats = VideoStats { sent: 0, shown: shown.stats.shown + 1, size, freezes, frozen };
        shown.latest = Some(frame);
        drop(shown);
        if let Err(error) = written {
            self.lose(error);
        }
    }

    fn lose(&mut self, error: VideoError) {
        tracing::warn!(%error, "pictures are written no more");
        self.sink = Sink::Null;
        // As above.
        let _ = self.events.try_send(VideoEvent::Lost(error));
    }

    fn finish(mut self) {
        while let Some(Shown { frame, .. }) = self.waiting.pop_front() {
            self.show(frame);
        }
        if let Sink::Writing { path, writer, .. } = self.sink
            && let Err(error) = writer.finish()
        {
            tracing::warn!(%error, path = %path.display(), "the last pictures were not written");
        }
    }
}

impl Sink {
    fn write(&mut self, frame: &I420) -> Result<(), VideoError> {
        let Self::Writing { path, size, writer } = self.begun(frame)? else { return Ok(()) };
        writer.write(&frame.scaled(*size)).map_err(|error| unwritable(path.clone(), error))
    }

    /// With the first picture the file begins.
    fn begun(&mut self, frame: &I420) -> Result<&mut Self, VideoError> {
        if let Self::Named(path, size) = self {
            let (path, size) = (path.clone(), size.unwrap_or(frame.size()));
            let file = created(&path)?;
            let rate =
                FrameRate::new(RATE.0, RATE.1).ok_or_else(|| VideoError::Internal("no rate".to_owned()))?;
            let writer =
                Y4mWriter::create(file, size, rate).map_err(|error| unwritable(path.clone(), error))?;
            *self = Self::Writing { path, size, writer };
        }
        Ok(self)
    }
}

/// Whether it can be written.
pub(super) fn check(sink: &VideoSink) -> Result<(), VideoError> {
    match sink {
        VideoSink::Null => Ok(()),
        VideoSink::File(path) | VideoSink::Sized(_, path) => created(path).map(drop),
    }
}

fn created(path: &Path) -> Result<BufWriter<File>, VideoError> {
    let file = File::create(path).map_err(|why| VideoError::Unwritable { path: path.to_owned(), why })?;
    Ok(BufWriter::new(file))
}

fn unwritable(path: PathBuf, error: Y4mError) -> VideoError {
    let why = match error {
        Y4mError::Io(why) => why,
        other => std::io::Error::other(other),
    };
    VideoError::Unwritable { path, why }
}
