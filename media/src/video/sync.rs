//! When to show a picture, so that lips and voice agree.
//!
//! Sender reports (RFC 3550 §6.4.1) say which RTP timestamp of a stream stands for which time of the sender's clock; the
//! clock itself need not be right, for voice and video share it. The voice is played as its jitter buffer likes, and
//! pictures follow it:
//!
//! ```text
//!   sender's clock    captured voice ──┬── captured picture          offset = playing now - captured
//!   our clock         playing now   ───┴── to be shown               shown = captured + offset
//! ```
//! Until both streams have a report, or while nothing is heard, pictures are only smoothed: shown as late as the latest
//! of the last ones came. The delay moves in small steps from one rule to the other.

use std::time::{Duration, Instant};

/// A time of the sender's clock in the format of NTP: 32 bits of seconds, 32 bits of fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

/// Clock of video, in Hz (RFC 7741 §4.1).
const VIDEO_RATE: i64 = 90_000;
/// Clock of Opus, in Hz (RFC 7587 §4.1).
const VOICE_RATE: i64 = 48_000;

/// Times are counted in microseconds.
const SECOND: i64 = 1_000_000;

/// A picture waits at most so long after the earliest moment it could have come.
const MAX_DELAY: i64 = 500_000;
/// And so long when only smoothed.
const MAX_SMOOTHING: i64 = 100_000;
/// Reports that ask for more than this in either direction are not believed.
const BELIEVABLE: i64 = SECOND;
/// The delay moves so much from one picture to the next.
const STEP: i64 = 5_000;
/// Timestamps that jump further are another stream.
const MAX_JUMP: i64 = 10 * SECOND;
/// The offset of the voice is an average over about so many observations, begun anew after a jump.
const MEMORY: i64 = 8;
const VOICE_JUMP: i64 = 200_000;
/// The earliest arrival is forgotten by so many millionths of time, for clocks drift.
const DRIFT: i64 = 500;
/// Unevenness of arrival fades to so many percent with each picture.
const FADING: i64 = 98;
/// What is heard says something for so long.
const VOICE_LASTS: i64 = SECOND;

/// Decides when pictures are shown.
#[derive(Debug)]
pub struct Sync {
    start: Instant,
    voice: Option<Clock>,
    video: Option<Clock>,
    /// Time of ours minus time of the sender of what is heard, and when that was observed.
    offset: Option<(i64, i64)>,
    stream: Option<Stream>,
}

/// One sender report.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ntp: i64,
    rtp: u32,
    rate: i64,
}

/// What is known of arriving pictures.
#[derive(Debug, Clone, Copy)]
struct Stream {
    /// Extended timestamp of the newest picture, in ticks.
    newest: i64,
    /// When it came.
    came: i64,
    /// The least of arrival minus media time.
    base: i64,
    unevenness: i64,
    delay: i64,
}

impl Sync {
    /// Nothing is known yet.
    pub fn new(now: Instant) -> Self {
        Self { start: now, voice: None, video: None, offset: None, stream: None }
    }

    /// A sender report of the voice stream.
    pub fn voice_report(&mut self, ntp: NtpTime, rtp: u32) {
        self.voice = Some(Clock { ntp: ntp.micros(), rtp, rate: VOICE_RATE });
    }

    /// A sender report of the video stream.
    pub fn video_report(&mut self, ntp: NtpTime, rtp: u32) {
        self.video = Some(Clock { ntp: ntp.micros(), rtp, rate: VIDEO_RATE });
    }

    /// The sample with RTP timestamp `rtp` leaves the loudspeaker at `now`.
    pub fn voice_playing(&mut self, now: Instant, rtp: u32) {
        let Some(clock) = self.voice else { return };
        let now = self.micros(now);
        let found = now - clock.captured(rtp);
        let offset = match self.offset {
            Some((offset, _)) if (found - offset).abs() < VOICE_JUMP => offset + (found - offset) / MEMORY,
            Some(_) | None => found,
        };
        self.offset = Some((offset, now));
    }

    /// When the picture with RTP timestamp `rtp`, whole since `complete`, is to be shown: not before `now`, nor later
    /// than half a second after the earliest moment it could have come.
    pub fn show_at(&mut self, now: Instant, complete: Instant, rtp: u32) -> Instant {
        let arrival = self.micros(complete);
        let mut stream = match self.stream {
            Some(stream) => stream.followed(arrival, rtp),
            None => Stream::begun(arrival, rtp),
        };
        let earliest = stream.base + micros_of(stream.newest);
        let wanted = self.wanted(arrival, earliest, rtp).unwrap_or(stream.unevenness.min(MAX_SMOOTHING));
        stream.delay = match self.stream {
            Some(_) => stream.delay + (wanted - stream.delay).clamp(-STEP, STEP),
            None => wanted,
        };
        self.stream = Some(stream);
        let show = u64::try_from(earliest + stream.delay).unwrap_or(0);
        (self.start + Duration::from_micros(show)).clamp(now, now + Duration::from_micros(MAX_DELAY as u64))
    }

    /// The delay with which a picture meets the voice; none while that is unknown.
    fn wanted(&self, now: i64, earliest: i64, rtp: u32) -> Option<i64> {
        let (offset, observed) = self.offset?;
        let delay = self.video?.captured(rtp).checked_add(offset)? - earliest;
        let known = now - observed <= VOICE_LASTS && delay.abs() <= BELIEVABLE;
        known.then_some(delay.clamp(0, MAX_DELAY))
    }

    fn micros(&self, at: Instant) -> i64 {
        at.saturating_duration_since(self.start).as_micros() as i64
    }
}

impl Stream {
    fn begun(arrival: i64, rtp: u32) -> Self {
        let newest = i64::from(rtp);
        Self { newest, came: arrival, base: arrival - micros_of(newest), unevenness: 0, delay: 0 }
    }

    fn followed(self, arrival: i64, rtp: u32) -> Self {
        let newest = self.newest + i64::from(rtp.wrapping_sub(self.newest as u32) as i32);
        let transit = arrival - micros_of(newest);
        if (transit - self.base).abs() > MAX_JUMP {
            return Self { delay: self.delay, ..Self::begun(arrival, rtp) };
        }
        let drifted = self.base + (arrival - self.came).max(0) * DRIFT / SECOND;
        let base = drifted.min(transit);
        let unevenness = (self.unevenness * FADING / 100).max(transit - base);
        Self { newest, came: arrival, base, unevenness, ..self }
    }
}

impl Clock {
    /// When that sample or picture was captured, on the sender's clock.
    fn captured(self, rtp: u32) -> i64 {
        self.ntp + i64::from(rtp.wrapping_sub(self.rtp) as i32) * SECOND / self.rate
    }
}

impl NtpTime {
    fn micros(self) -> i64 {
        ((u128::from(self.0) * SECOND as u128) >> 32) as i64
    }
}

fn micros_of(ticks: i64) -> i64 {
    ticks * SECOND / VIDEO_RATE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::fixture::origin;

    /// The sender's clock at the beginning; its RTP timestamps begin anywhere.
    const NTP: u64 = 3_900_000_000;
    const VOICE: u32 = u32::MAX - 48_000;
    const VIDEO: u32 = 1234;

    fn ntp(ms: u64) -> NtpTime {
        NtpTime((NTP << 32) + (ms << 32) / 1000)
    }

    fn voice(ms: u64) -> u32 {
        VOICE.wrapping_add(ms as u32 * 48)
    }

    fn video(ms: u64) -> u32 {
        VIDEO.wrapping_add(ms as u32 * 90)
    }

    /// Pictures of 30 s that travel 20 ms and are uneven by up to 20 more; the voice is heard `mouth_to_ear` ms late.
    /// How far picture and voice are apart, in ms: the worst of each second.
    fn skews(reports: Reports, mouth_to_ear: impl Fn(u64) -> u64) -> Vec<i64> {
        let start = origin();
        let mut sync = Sync::new(start);
        let mut worst = vec![0i64; 30];
        let mut shown_before = start;
        for at in (0..30_000u64).step_by(10) {
            let now = start + Duration::from_millis(at + 1000);
            if at % 1000 == 0 && matches!(reports, Reports::Both) {
                sync.video_report(ntp(at), video(at));
            }
            if at % 1000 == 500 {
                sync.voice_report(ntp(at), voice(at));
            }
            sync.voice_playing(now, voice((at + 1000).saturating_sub(mouth_to_ear(at))));
            if at % 30 == 0 {
                let arrival = now + Duration::from_millis(20 + at * 7 % 20);
                let shown = sync.show_at(arrival, arrival, video(at + 1000));
                assert!(shown >= arrival && shown <= arrival + Duration::from_millis(500));
                assert!(shown >= shown_before, "pictures are shown in order");
                shown_before = shown;
                let late = shown.duration_since(start).as_millis() as i64 - (at + 1000) as i64;
                let skew = late - mouth_to_ear(at) as i64;
                let second = &mut worst[(at / 1000) as usize];
                *second = if skew.abs() > second.abs() { skew } else { *second };
            }
        }
        worst
    }

    enum Reports {
        Both,
        VoiceOnly,
    }

    #[test]
    fn pictures_meet_the_voice_within_forty_milliseconds() {
        for mouth_to_ear in [45, 120, 300] {
            let skews = skews(Reports::Both, |_| mouth_to_ear);
            assert!(skews[4..].iter().all(|skew| skew.abs() <= 40), "{mouth_to_ear}: {skews:?}");
        }
    }

    #[test]
    fn a_voice_that_moves_is_followed() {
        let skews = skews(Reports::Both, |at| if at < 15_000 { 80 } else { 180 });
        assert!(skews[4..15].iter().chain(&skews[18..]).all(|skew| skew.abs() <= 40), "{skews:?}");
    }

    #[test]
    fn without_a_report_pictures_are_shown_as_they_come() {
        let skews = skews(Reports::VoiceOnly, |_| 120);
        assert!(skews.iter().all(|skew| (-101..=-60).contains(skew)), "{skews:?}");
    }

    #[test]
    fn nonsense_in_a_report_changes_nothing() {
        let start = origin();
        let mut sync = Sync::new(start);
        for ntp in [0, u64::MAX, NTP << 32] {
            sync.voice_report(NtpTime(ntp), u32::MAX);
            sync.video_report(NtpTime(!ntp), 7);
            for at in 0..100u32 {
                let now = start + Duration::from_millis(33) * at;
                sync.voice_playing(now, at * 1584);
                let shown = sync.show_at(now, now, at * 2970);
                assert!(shown <= now + Duration::from_millis(100), "{shown:?}");
            }
        }
    }

    #[test]
    fn a_stream_that_begins_anew_is_followed() {
        let start = origin();
        let mut sync = Sync::new(start);
        for (at, rtp) in [(0, 5), (33, 2975), (66, 3_000_000_000), (99, 3_000_002_970)] {
            let now = start + Duration::from_millis(at);
            assert!(sync.show_at(now, now, rtp) <= now + Duration::from_millis(5));
        }
    }
}
