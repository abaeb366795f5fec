//! Takes pictures at the pace of their source and encodes them within the budget.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

#[cfg(not(target_os = "linux"))]
use super::no_webcam::Webcam;
use super::screen::Screen;
#[cfg(target_os = "linux")]
use super::v4l2::Webcam;
use super::{Backlog, BufReader, File, Shared, VideoError, VideoEvent, VideoSource, Y4mReader, lock};
use crate::bitrate::Bitrate;
use crate::video::frame::{I420, Size, Taken};
use crate::video::ladder::{Fate, Ladder, Measured};
use crate::video::pattern;
use crate::video::scene::{Detail, Motion, Scene};
use crate::video::sender::{VideoPacket, VideoSender, VideoSenderConfig};
use crate::video::vpx::{Codec, Content, EncoderConfig, VpxError};

const PATTERN_SIZE: (u32, u32) = (1280, 720);
const PATTERN_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// How often a screen is asked whether something was drawn.
const GLIMPSE: Duration = Duration::from_millis(5);
/// What the first picture of a new page is encoded for: the encoder then takes its coarsest steps, 14 kB for a page of text.
const COARSE: Bitrate = Bitrate::from_kbps(300);
/// A source that is further behind does not catch up.
const LATE: Duration = Duration::from_millis(200);

/// Runs as long as the call, whatever it takes pictures of.
pub(super) struct Capture {
    source: Option<Source>,
    /// What it is, or what was wished in vain.
    chosen: VideoSource,
    shared: Arc<Shared>,
    pictures: mpsc::Sender<Vec<VideoPacket>>,
    events: mpsc::Sender<VideoEvent>,
    /// What timestamps count from, whatever the source: receivers see one stream.
    began: Instant,
    first_timestamp: u32,
}

pub(super) enum Source {
    Pattern { size: Size, number: u32 },
    File { path: PathBuf, reader: Y4mReader<BufReader<File>> },
    Screen(Box<Screen>),
    Camera(Box<Webcam>),
}

/// What encodes, from when pictures are taken until they are not.
struct Encoding {
    codec: Codec,
    ladder: Ladder,
    /// Of a screen.
    scene: Option<Scene>,
    sender: VideoSender,
    size: Size,
    took: Duration,
}

impl Capture {
    pub(super) fn new(
        shared: &Arc<Shared>,
        pictures: mpsc::Sender<Vec<VideoPacket>>,
        events: mpsc::Sender<VideoEvent>,
    ) -> Self {
        let (began, first_timestamp) = (Instant::now(), rand::random());
        let (source, chosen) = (None, VideoSource::None);
        Self { source, chosen, shared: Arc::clone(shared), pictures, events, began, first_timestamp }
    }

    pub(super) fn run(mut self) {
        while !self.shared.closing.load(Ordering::Acquire) {
            // What a camera sees is nobody's business before pictures are wanted: it is not even opened.
            if !self.shared.taking.load(Ordering::Acquire) {
                self.rest();
                thread::park();
                continue;
            }
            let wished = lock(&self.shared.wished).take();
            if let Some(wished) = wished {
                self.open(wished);
            }
            if self.source.is_none() {
                thread::park();
                continue;
            }
            let taken = self.take_pictures();
            self.shared.viewfinder.clear();
            if let Err(error) = taken {
                self.source = None;
                self.lose(error);
            }
        }
    }

    fn open(&mut self, wished: VideoSource) {
        // Two cannot have one camera, not even both of us.
        if matches!(self.source, Some(Source::Camera(_))) && wished.is_camera() {
            self.source = None;
        }
        match Source::open(&wished) {
            Ok(source) => self.source = source,
            Err(error) => {
                // Whoever ends showing a screen does not want it shown because something else fails.
                self.source.take_if(|source| matches!(source, Source::Screen(_)));
                self.lose(error);
                if self.source.is_some() {
                    return;
                }
            }
        }
        self.chosen = wished;
    }

    /// Lets a camera or a screen go, to be opened again when pictures are wanted again; so is whatever failed.
    fn rest(&mut self) {
        let lasts = |source: &Source| !matches!(source, Source::Camera(_) | Source::Screen(_));
        if !self.source.as_ref().is_some_and(lasts) {
            self.source = None;
            lock(&self.shared.wished).get_or_insert_with(|| self.chosen.clone());
        }
    }

    fn lose(&self, error: VideoError) {
        tracing::warn!(%error, "no pictures come from there");
        // The session may be over already.
        let _ = self.events.try_send(VideoEvent::Lost(error));
    }

    fn goes_on(&self) -> bool {
        self.shared.taking.load(Ordering::Acquire)
            && !self.shared.closing.load(Ordering::Acquire)
            && lock(&self.shared.wished).is_none()
    }

    /// Until none are to be taken, or others.
    fn take_pictures(&mut self) -> Result<(), VideoError> {
        let mut next = Instant::now();
        let mut encoding: Option<Encoding> = None;
        while self.goes_on() {
            let Some(source) = &mut self.source else { return Ok(()) };
            if !source.is_due(next)? {
                continue;
            }
            let now = Instant::now();
            let interval = source.interval();
            next = if now > next + LATE { now + interval } else { next + interval };
            let full = self.shared.full.load(Ordering::Relaxed);
            let stuck = self.pictures.capacity() == 0;
            // A screen is looked at all the same: a new page takes the place of what waits.
            let passed_over = stuck || full && source.content() == Content::Camera;
            let Some(frame) = source.next(now, passed_over)? else {
                if passed_over && let Some(encoding) = &mut encoding {
                    encoding.hold_back(now);
                }
                continue;
            };
            self.shared.viewfinder.offer(&frame);
            let content = source.content();
            let codec = *lock(&self.shared.codec);
            let rate = Bitrate::from_bps(self.shared.rate.load(Ordering::Relaxed));
            let encoding = match &mut encoding {
                Some(encoding) if encoding.codec == codec => encoding,
                other => {
                    let timestamps = (self.began, self.first_timestamp);
                    let new = Encoding::new((codec, content), frame.size(), rate, timestamps);
                    other.insert(new.map_err(internal)?)
                }
            };
            if self.shared.keyframe_wanted.swap(false, Ordering::Relaxed) {
                encoding.sender.request_keyframe();
            }
            let measured =
                Measured { target: rate, encoding: encoding.took, shown: *lock(&self.shared.viewing) };
            let backlog = if full { Backlog::Full } else { Backlog::Clear };
            let packets = encoding.encode(now, &frame, measured, backlog).map_err(internal)?;
            if !packets.is_empty() && self.pictures.try_send(packets).is_ok() {
                self.shared.sent.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

impl Encoding {
    fn new(
        (codec, content): (Codec, Content),
        source: Size,
        rate: Bitrate,
        (began, first_timestamp): (Instant, u32),
    ) -> Result<Self, VpxError> {
        let ladder = Ladder::new(content, source, rate);
        let size = ladder.step().size;
        let usual = VideoSenderConfig::default();
        let config = VideoSenderConfig {
            encoder: EncoderConfig { codec, size, bitrate: rate, content, ..usual.encoder },
            frame_rate: ladder.step().frame_rate,
            first_picture: rand::random::<u16>() & 0x7fff,
            first_timestamp,
            ..usual
        };
        let sender = VideoSender::new(config, began)?;
        let scene = (content == Content::Screen).then(Scene::default);
        Ok(Self { codec, ladder, scene, sender, size, took: Duration::ZERO })
    }

    fn encode(
        &mut self,
        now: Instant,
        frame: &I420,
        measured: Measured,
        backlog: Backlog,
    ) -> Result<Vec<VideoPacket>, VpxError> {
        self.ladder.set_source(frame.size());
        let step = self.ladder.measured(now, measured);
        let detail = self.scene.as_mut().map(|scene| scene.detail(now, frame, measured.target));
        if backlog == Backlog::Full && detail != Some(Detail::CoarseAnew) {
            if let Some((scene, detail)) = self.scene.as_mut().zip(detail) {
                scene.handle_left_out(detail);
            }
            self.hold_back(now);
            return Ok(Vec::new());
        }
        let (size, rate) = match detail {
            None | Some(Detail::Sharp | Detail::SharpAnew) => (step.size, measured.target),
            Some(Detail::Coarse) => (step.size.halved(), measured.target),
            Some(Detail::CoarseAnew) => (step.size.halved(), measured.target.min(COARSE)),
        };
        self.sender.set_bitrate(rate)?;
        self.sender.set_frame_rate(step.frame_rate);
        if size != self.size {
            self.sender.set_size(size)?;
            self.size = size;
        } else if matches!(detail, Some(Detail::SharpAnew | Detail::CoarseAnew)) {
            self.sender.request_keyframe();
        }
        // What only became sharper takes no turn away from what somebody does.
        if self.scene.as_ref().is_some_and(|scene| scene.motion() == Motion::Begins) {
            self.sender.welcome_next();
        }
        let left_out = self.sender.stats().left_out;
        let packets = self.sender.capture(now, &frame.scaled(size))?;
        if packets.is_empty() {
            if self.sender.stats().left_out > left_out {
                self.ladder.handle_picture(now, Fate::LeftOut);
            }
            if let Some((scene, detail)) = self.scene.as_mut().zip(detail) {
                scene.handle_left_out(detail);
            }
        } else {
            self.ladder.handle_picture(now, Fate::Sent);
        }
        self.took = now.elapsed();
        Ok(packets)
    }

    /// There is no room for a picture that was due.
    fn hold_back(&mut self, now: Instant) {
        self.sender.hold_back();
        self.ladder.handle_picture(now, Fate::LeftOut);
    }
}

impl Source {
    pub(super) fn open(source: &VideoSource) -> Result<Option<Self>, VideoError> {
        match source {
            VideoSource::None => Ok(None),
            VideoSource::Default => Ok(Some(Self::Camera(Box::new(Webcam::first()?)))),
            VideoSource::Device(path) => Ok(Some(Self::Camera(Box::new(Webcam::open(path)?)))),
            VideoSource::Pattern => {
                let (width, height) = PATTERN_SIZE;
                let size =
                    Size::new(width, height).map_err(|error| VideoError::Internal(error.to_string()))?;
                Ok(Some(Self::Pattern { size, number: 0 }))
            }
            VideoSource::Screen => Ok(Some(Self::Screen(Box::new(Screen::open()?)))),
            VideoSource::Window(name) => Ok(Some(Self::Screen(Box::new(Screen::open_window(name)?)))),
            VideoSource::File(path) => {
                let opened = File::open(path)
                    .map_err(Into::into)
                    .and_then(|file| Y4mReader::open(BufReader::new(file)));
                let reader = opened.map_err(|why| VideoError::Unreadable { path: path.clone(), why })?;
                Ok(Some(Self::File { path: path.clone(), reader }))
            }
        }
    }

    /// Whether it is time for a picture; waits for it, but never long.
    pub(super) fn is_due(&mut self, next: Instant) -> Result<bool, VideoError> {
        let now = Instant::now();
        let (due, pause) = match self {
            Self::Camera(webcam) => return Ok(webcam.wait()?),
            Self::Screen(screen) => (screen.is_due(now)?, GLIMPSE),
            Self::Pattern { .. } | Self::File { .. } => (now >= next, next.saturating_duration_since(now)),
        };
        if !due {
            thread::park_timeout(pause);
        }
        Ok(due)
    }

    pub(super) fn interval(&self) -> Duration {
        match self {
            Self::Pattern { .. } => PATTERN_INTERVAL,
            Self::File { reader, .. } => reader.rate().interval(),
            // They keep their own time.
            Self::Camera(_) | Self::Screen(_) => Duration::ZERO,
        }
    }

    const fn content(&self) -> Content {
        match self {
            Self::Pattern { .. } | Self::File { .. } | Self::Camera(_) => Content::Camera,
            Self::Screen(_) => Content::Screen,
        }
    }

    /// The next picture; none if it is to be passed over.
    pub(super) fn next(&mut self, now: Instant, passed_over: bool) -> Result<Option<I420>, VideoError> {
        let taken = Taken::At(now);
        let frame = match self {
            Self::Pattern { size, number } => {
                *number = number.wrapping_add(1);
                if passed_over {
                    return Ok(None);
                }
                pattern::draw(*size, taken, *number)
            }
            Self::File { path, reader } => {
                let unreadable = |why| VideoError::Unreadable { path: path.clone(), why };
                let frame = reader.next_looped(taken).map_err(unreadable)?;
                frame.ok_or_else(|| VideoError::Internal(format!("{} holds no picture", path.display())))?
            }
            Self::Camera(webcam) if passed_over => {
                webcam.pass_over(now)?;
                return Ok(None);
            }
            Self::Camera(webcam) => return Ok(webcam.take(now)?),
            Self::Screen(screen) if passed_over => {
                screen.pass_over(now);
                return Ok(None);
            }
            Self::Screen(screen) => screen.take(now)?,
        };
        Ok(Some(frame).filter(|_| !passed_over))
    }
}

/// Whether it can be opened.
pub(super) fn check(source: &VideoSource) -> Result<(), VideoError> {
    Source::open(source).map(drop)
}

fn internal(error: VpxError) -> VideoError {
    VideoError::Internal(error.to_string())
}
