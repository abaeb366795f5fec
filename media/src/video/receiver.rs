//! Packets in, pictures out, each with the moment to show it; and when the sender is to be asked for a keyframe.
//!
//! A picture that cannot be decoded costs everything up to the next keyframe; until then the last one stays.

use std::time::{Duration, Instant};

use super::ends::Camera;
use super::frame::{I420, Taken};
use super::freeze::FreezeDetector;
use super::rtp::{Assembled, Assembler, AssemblerStats};
use super::sync::{NtpTime, Sync};
use super::vpx::{Codec, Decoder, VpxError};

/// A keyframe is asked for at most this often, or once in a round trip if that is longer.
pub const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

/// A picture to show.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The pixels.
    pub frame: I420,
    /// When: now or a little later.
    pub at: Instant,
}

/// What became of packets and pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VideoReceiverStats {
    /// Of packets.
    pub assembler: AssemblerStats,
    /// Pictures handed out.
    pub shown: u64,
    /// Pictures that could not be decoded.
    pub undecodable: u64,
    /// How often a keyframe was asked for.
    pub requests: u64,
    /// How often the picture stood still.
    pub freezes: u64,
    /// And for how long altogether.
    pub frozen: Duration,
}

/// Makes pictures of packets, whatever the network does to them.
pub struct VideoReceiver {
    decoder: Decoder,
    assembler: Assembler,
    sync: Sync,
    freeze: FreezeDetector,
    round_trip: Duration,
    latest_request: Option<Instant>,
    stats: VideoReceiverStats,
}

impl VideoReceiver {
    /// A receiver that has seen nothing yet.
    pub fn new(codec: Codec, now: Instant) -> Result<Self, VpxError> {
        Ok(Self {
            decoder: Decoder::new(codec)?,
            assembler: Assembler::new(codec),
            sync: Sync::new(now),
            freeze: FreezeDetector::default(),
            round_trip: Duration::ZERO,
            latest_request: None,
            stats: VideoReceiverStats::default(),
        })
    }

    /// Takes one RTP packet that came at `now`: its sequence number, timestamp, marker bit and payload. What is
    /// malformed is counted and dropped.
    pub fn insert(&mut self, now: Instant, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) {
        if let Err(error) = self.assembler.insert(now, sequence, timestamp, marker, payload) {
            tracing::debug!(%error, "a video packet was dropped");
        }
    }

    /// Decodes the next picture, to be called until there is none.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Shown> {
        loop {
            let picture = self.assembler.poll(now)?;
            if let Some(shown) = self.decode(now, &picture) {
                return Some(shown);
            }
        }
    }

    /// Whether the sender is to be asked for a keyframe (PLI, RFC 4585 §6.3.1) now; counts as asked.
    pub fn poll_request(&mut self, now: Instant) -> bool {
        let asks = self.assembler.needs_keyframe(now) && self.next_request().is_none_or(|next| now >= next);
        if asks {
            self.latest_request = Some(now);
            self.stats.requests += 1;
        }
        asks
    }

    /// When to poll again though no packet came.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let request = self.assembler.needs_keyframe(now).then(|| self.next_request().unwrap_or(now));
        request.into_iter().chain(self.assembler.timeout(now)).min()
    }

    /// Tells the round trip to the sender.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
        self.assembler.set_round_trip(round_trip);
    }

    /// The sender's camera went on or off.
    pub fn handle_camera(&mut self, camera: Camera) {
        self.freeze.handle_camera(camera);
    }

    /// A sender report of this stream.
    pub fn handle_video_report(&mut self, ntp: NtpTime, rtp: u32) {
        self.sync.video_report(ntp, rtp);
    }

    /// A sender report of the voice that belongs to this stream.
    pub fn handle_voice_report(&mut self, ntp: NtpTime, rtp: u32) {
        self.sync.voice_report(ntp, rtp);
    }

    /// The sample of that voice with RTP timestamp `rtp` leaves the loudspeaker at `now`.
    pub fn voice_playing(&mut self, now: Instant, rtp: u32) {
        self.sync.voice_playing(now, rtp);
    }

    /// What became of packets and pictures.
    pub fn stats(&self) -> VideoReceiverStats {
        let (freezes, frozen) = self.freeze.total();
        VideoReceiverStats { assembler: self.assembler.stats(), freezes, frozen, ..self.stats }
    }

    fn decode(&mut self, now: Instant, picture: &Assembled) -> Option<Shown> {
        match self.decoder.decode(&picture.data, Taken::Media(picture.timestamp)) {
            Ok(frame) => {
                let frame = frame?;
                self.freeze.decoded(now);
                self.stats.shown += 1;
                let at = self.sync.show_at(now, picture.complete, picture.timestamp);
                Some(Shown { frame, at })
            }
            Err(error) => {
                tracing::debug!(%error, "a picture could not be decoded");
                self.stats.undecodable += 1;
                self.assembler.await_keyframe();
                None
            }
        }
    }

    fn next_request(&self) -> Option<Instant> {
        self.latest_request.map(|latest| latest + KEYFRAME_INTERVAL.max(self.round_trip))
    }
}

#[cfg(test)]
mod tests;
