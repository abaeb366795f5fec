//! What a session's task keeps in mind: whether sound flows, and how well.

use std::time::{Duration, Instant};

use relay::UnixTime;

use super::pictures::PictureCounts;
use crate::session::call::Measured;
use crate::session::quality::{mean_opinion, mouth_to_ear};
use crate::session::{CallStats, MediaDirection, PictureStats, SessionEvent};
use crate::voice::PlayoutStats;

/// Whether sound flows, and since when.
#[derive(Debug, Default)]
pub(super) struct Flow {
    sent: bool,
    decoded: bool,
    mic_t0: Option<UnixTime>,
    speaker_t0: Option<UnixTime>,
}

impl Flow {
    /// The first sample of the microphone was taken.
    pub(super) fn captured(&mut self, unix_ms: u64) {
        self.mic_t0 = Some(UnixTime::from_millis(unix_ms));
    }

    /// The first sample was given to the loudspeaker.
    pub(super) fn played(&mut self, unix_ms: u64) {
        self.speaker_t0 = Some(UnixTime::from_millis(unix_ms));
    }

    /// A packet has left.
    pub(super) fn sent(&mut self) -> Vec<SessionEvent> {
        if std::mem::replace(&mut self.sent, true) { Vec::new() } else { self.report(MediaDirection::Send) }
    }

    /// A frame of the other end was decoded.
    pub(super) fn decoded(&mut self) -> Vec<SessionEvent> {
        if std::mem::replace(&mut self.decoded, true) {
            Vec::new()
        } else {
            self.report(MediaDirection::Receive)
        }
    }

    fn report(&self, news: MediaDirection) -> Vec<SessionEvent> {
        let both = (self.sent && self.decoded).then_some(MediaDirection::Both);
        let flowing = |direction| SessionEvent::MediaFlowing {
            direction,
            mic_t0: self.mic_t0,
            speaker_t0: self.speaker_t0,
        };
        [Some(news), both].into_iter().flatten().map(flowing).collect()
    }
}

/// Turns counters into what happened within the last second.
#[derive(Debug, Default)]
pub(super) struct Meter {
    since: Option<Instant>,
    bytes: usize,
    sent: u64,
    before: PlayoutStats,
    shown: u64,
}

impl Meter {
    pub(super) fn start(&mut self, now: Instant) {
        self.since = Some(now);
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    /// How the call was since the last reading.
    pub(super) fn read(
        &mut self,
        now: Instant,
        measured: Measured,
        playout: &PlayoutStats,
        counts: PictureCounts,
    ) -> CallStats {
        let elapsed = now.saturating_duration_since(self.since.replace(now).unwrap_or(now));
        let video = counts.video;
        let before = std::mem::replace(&mut self.before, *playout);
        let bytes = std::mem::take(&mut self.bytes);
        let lost = playout.lost.saturating_sub(before.lost);
        let received = playout.received.saturating_sub(before.received);
        let concealed = playout.concealed.saturating_sub(before.concealed);
        let played = playout.played.saturating_sub(before.played);
        let concealed_ratio = share(concealed, played);
        let mouth_to_ear = mouth_to_ear(measured.rtt, playout);
        let shown = video.shown.saturating_sub(std::mem::replace(&mut self.shown, video.shown));
        let pictures = video.size.map(|(width, height)| PictureStats {
            kbps: kbps(counts.bytes, elapsed),
            frame_rate: if elapsed.is_zero() { 0.0 } else { shown as f32 / elapsed.as_secs_f32() },
            width,
            height,
            freezes: video.freezes,
            frozen: video.frozen,
        });
        CallStats {
            rtt: measured.rtt,
            loss: share(lost, lost + received),
            remote_loss: measured.remote_loss,
            jitter: playout.jitter,
            playout_delay: playout.playout_delay.saturating_sub(playout.lateness),
            mouth_to_ear,
            concealed_ratio,
            mos: mean_opinion(mouth_to_ear, concealed_ratio),
            audio_kbps: kbps(bytes, elapsed),
            packets_sent: self.sent,
            packets_received: playout.received,
            picture_packets_sent: counts.packets_sent,
            picture_packets_received: counts.packets_received,
            pictures_sent: video.sent,
            pictures_shown: video.shown,
            pictures,
        }
    }
}

fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

fn kbps(bytes: usize, elapsed: Duration) -> f32 {
    if elapsed.is_zero() { 0.0 } else { bytes as f32 * 8.0 / 1000.0 / elapsed.as_secs_f32() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    fn directions(events: Vec<SessionEvent>) -> Vec<MediaDirection> {
        let direction = |event| match event {
            SessionEvent::MediaFlowing { direction, .. } => direction,
            other => panic!("{other:?}"),
        };
        events.into_iter().map(direction).collect()
    }

    #[test]
    fn both_is_said_once_after_each_direction() {
        let mut flow = Flow::default();
        assert_eq!(directions(flow.decoded()), [MediaDirection::Receive]);
        assert_eq!(directions(flow.decoded()), []);
        assert_eq!(directions(flow.sent()), [MediaDirection::Send, MediaDirection::Both]);
        assert_eq!(directions(flow.sent()), []);
    }

    #[test]
    fn a_reading_covers_only_the_time_since_the_last() {
        let start = origin();
        let mut meter = Meter::default();
        meter.start(start);
        meter.received(4000);
        let playout =
            PlayoutStats { received: 45, lost: 5, played: 48_000, concealed: 4_800, ..Default::default() };
        let first =
            meter.read(start + Duration::from_secs(1), Measured::default(), &playout, Default::default());
        assert_eq!((first.loss, first.concealed_ratio, first.audio_kbps), (0.1, 0.1, 32.0));
        let second =
            meter.read(start + Duration::from_secs(2), Measured::default(), &playout, Default::default());
        assert_eq!((second.loss, second.concealed_ratio, second.audio_kbps), (0.0, 0.0, 0.0));
    }
}
