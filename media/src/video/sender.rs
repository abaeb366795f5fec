//! Pictures in, packets out: rate, size, keyframes, and what is left out before it costs anything.

use std::time::{Duration, Instant};

use super::frame::{I420, Size, Taken};
use super::rtp::Packetiser;
use super::vpx::{Codec, Content, Encoder, EncoderConfig, Kind, Layers, VpxError, Wish};
use crate::bitrate::Bitrate;

/// Keyframes that are asked for come at most this often.
pub const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

/// A picture may come by this share of the interval too early.
const EARLY: u32 = 4;

/// Ticks of RTP in a second (RFC 7741 §4.1).
const TICKS: u128 = 90_000;

/// How video is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSenderConfig {
    /// How it is encoded at first.
    pub encoder: EncoderConfig,
    /// Pictures per second at most.
    pub frame_rate: u32,
    /// Bytes an RTP payload may have.
    pub room: usize,
    /// Number of the first picture; random, so that streams differ (RFC 7741 §4.2).
    pub first_picture: u16,
    /// RTP timestamp of the beginning; random (RFC 3550 §5.1).
    pub first_timestamp: u32,
}

impl Default for VideoSenderConfig {
    fn default() -> Self {
        let size = Size::NHD;
        let bitrate = Bitrate::from_kbps(300);
        let (codec, layers, content) = (Codec::Vp8, Layers::One, Content::Camera);
        let encoder = EncoderConfig { codec, size, bitrate, layers, content };
        Self { encoder, frame_rate: 30, room: 1150, first_picture: 0, first_timestamp: 0 }
    }
}

/// One RTP packet to be, without its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoPacket {
    /// The payload.
    pub payload: Vec<u8>,
    /// RTP timestamp, 90 kHz; wraps.
    pub timestamp: u32,
    /// Whether it is the last of its picture.
    pub marker: bool,
}

/// What became of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VideoSenderStats {
    /// Encoded and handed out.
    pub sent: u64,
    /// Of these, standing alone.
    pub keyframes: u64,
    /// Left out because the pacer's queue was full.
    pub held_back: u64,
    /// Left out because they came too fast.
    pub too_fast: u64,
    /// Left out by the encoder, to keep to its bitrate.
    pub left_out: u64,
}

/// Why the time since the last picture is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Gap {
    /// No other came.
    #[default]
    Usual,
    /// Others were left out for want of room.
    HeldBack,
}

/// Makes packets of pictures.
pub struct VideoSender {
    config: VideoSenderConfig,
    start: Instant,
    encoder: Encoder,
    packetiser: Packetiser,
    /// Before this, a picture comes too fast.
    due: Option<Instant>,
    /// When the last picture was taken, since the start.
    latest: Duration,
    /// What the encoder believes has passed since the start.
    counted: Duration,
    gap: Gap,
    wanted: Wish,
    latest_key: Option<Instant>,
    stats: VideoSenderStats,
}

impl VideoSender {
    /// A sender whose timestamps count from `now`.
    pub fn new(config: VideoSenderConfig, now: Instant) -> Result<Self, VpxError> {
        Ok(Self {
            config,
            start: now,
            encoder: Encoder::new(config.encoder)?,
            packetiser: Packetiser::new(config.encoder.codec, config.first_picture),
            due: None,
            latest: Duration::ZERO,
            counted: Duration::ZERO,
            gap: Gap::Usual,
            wanted: Wish::Any,
            latest_key: None,
            stats: VideoSenderStats::default(),
        })
    }

    /// Takes the next picture; gives its packets, none when it is left out. After an error the next picture may do.
    pub fn capture(&mut self, now: Instant, frame: &I420) -> Result<Vec<VideoPacket>, VpxError> {
        if self.is_too_fast(now) {
            self.stats.too_fast += 1;
            return Ok(Vec::new());
        }
        let taken = match frame.taken() {
            Taken::At(taken) => taken,
            Taken::Media(_) => now,
        };
        let at = taken.saturating_duration_since(self.start);
        let counted = self.count(at);
        let Some(coded) = self.encoder.encode(frame, counted, self.wish(now))? else {
            self.stats.left_out += 1;
            return Ok(Vec::new());
        };
        self.stats.sent += 1;
        if coded.kind == Kind::Key {
            self.stats.keyframes += 1;
            self.latest_key = Some(now);
            self.wanted = Wish::Any;
        }
        let ticks = (at.as_nanos() * TICKS / 1_000_000_000) as u32;
        let timestamp = self.config.first_timestamp.wrapping_add(ticks);
        let payloads = self.packetiser.packetise(&coded, self.config.room).into_iter();
        Ok(payloads.map(|piece| VideoPacket { payload: piece.data, timestamp, marker: piece.last }).collect())
    }

    /// A picture that is due is left out, because too much waits to be sent. For the encoder no time passes meanwhile: it
    /// would give the next picture the bits of all that are missing, and more wait than before (58 kB instead of 10 at 360
    /// lines, after four).
    pub fn hold_back(&mut self) {
        self.stats.held_back += 1;
        self.gap = Gap::HeldBack;
    }

    /// The next picture does not come too fast, whenever that is.
    pub fn welcome_next(&mut self) {
        self.due = None;
    }

    /// The far end asks for a keyframe: the next picture is one, unless one was made within [`KEYFRAME_INTERVAL`].
    pub fn request_keyframe(&mut self) {
        self.wanted = Wish::Keyframe;
    }

    /// Aims at another bitrate, of payloads, from the next picture on.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), VpxError> {
        self.encoder.set_bitrate(bitrate)
    }

    /// Sends pictures of another size, beginning with a keyframe.
    pub fn set_size(&mut self, size: Size) -> Result<(), VpxError> {
        self.encoder.set_size(size)
    }

    /// Sends at most so many pictures per second from now on.
    pub fn set_frame_rate(&mut self, pictures: u32) {
        self.config.frame_rate = pictures;
    }

    /// What became of pictures.
    pub fn stats(&self) -> VideoSenderStats {
        self.stats
    }

    /// The encoder's time of a picture that was taken `at` so long after the start.
    fn count(&mut self, at: Duration) -> Duration {
        let passed = at.saturating_sub(self.latest);
        self.latest = at;
        // A screen that rests saves no bits: spent on making it sharper at once, they stand in the way of what comes next.
        self.counted += match (std::mem::take(&mut self.gap), self.config.encoder.content) {
            (Gap::Usual, Content::Camera) => passed,
            (Gap::HeldBack, _) | (_, Content::Screen) => passed.min(self.interval()),
        };
        self.counted
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.config.frame_rate.max(1)
    }

    fn is_too_fast(&mut self, now: Instant) -> bool {
        let interval = self.interval();
        if self.due.is_some_and(|due| now + interval / EARLY < due) {
            return true;
        }
        // A late picture does not make the next ones come faster.
        let due = self.due.filter(|due| now < *due + interval).unwrap_or(now);
        self.due = Some(due + interval);
        false
    }

    fn wish(&self, now: Instant) -> Wish {
        let just_made = self.latest_key.is_some_and(|latest| now < latest + KEYFRAME_INTERVAL);
        if just_made { Wish::Any } else { self.wanted }
    }
}
