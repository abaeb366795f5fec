//! Sender reports (RFC 3550 §6.4.1): which RTP timestamp of each of our streams stands for which time of one clock, so
//! that the other end can bring voice and pictures together.
//!
//! Ours, for those of `rtc` read the time of day for each packet and map what has waited for its turn. The clock counts
//! from the beginning of the call: only differences matter.

use std::time::{Duration, Instant};

use rtc::rtcp::sender_report::SenderReport;

use super::MediaKind;
use crate::frame::SAMPLE_RATE;

/// How often, while something is sent.
const EVERY: Duration = Duration::from_secs(1);

/// Ticks of RTP a second (RFC 7587 §4.1, RFC 7741 §4.1).
const VOICE_RATE: u32 = SAMPLE_RATE;
const VIDEO_RATE: u32 = 90_000;

/// What is told of both streams.
pub(super) struct Reports {
    began: Instant,
    /// When they are due; nothing before something was sent.
    next: Option<Instant>,
    voice: Stream,
    video: Stream,
}

struct Stream {
    ssrc: u32,
    rate: u32,
    /// A timestamp, and when it was captured.
    clock: Option<(Instant, u32)>,
    packets: u32,
    octets: u32,
    /// Whether anything was sent since the last report.
    fresh: bool,
}

impl Reports {
    pub(super) fn new(began: Instant, voice: u32, video: u32) -> Self {
        let stream = |ssrc, rate| Stream { ssrc, rate, clock: None, packets: 0, octets: 0, fresh: false };
        Self { began, next: None, voice: stream(voice, VOICE_RATE), video: stream(video, VIDEO_RATE) }
    }

    /// A packet leaves now, or when it is its turn; what it begins with was captured then.
    pub(super) fn sent(&mut self, now: Instant, kind: MediaKind, captured: Instant, rtp: u32, octets: usize) {
        self.next.get_or_insert(now + EVERY);
        let stream = match kind {
            MediaKind::Voice => &mut self.voice,
            MediaKind::Video => &mut self.video,
        };
        if stream.clock.is_none_or(|(_, before)| before != rtp) {
            stream.clock = Some((captured, rtp));
        }
        stream.packets = stream.packets.wrapping_add(1);
        stream.octets = stream.octets.wrapping_add(octets as u32);
        stream.fresh = true;
    }

    /// What is due to be told.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<SenderReport> {
        if self.next.is_none_or(|next| now < next) {
            return Vec::new();
        }
        let began = self.began;
        let fresh = [&mut self.voice, &mut self.video].into_iter().filter(|stream| stream.fresh);
        let reports: Vec<SenderReport> = fresh.filter_map(|stream| stream.report(began, now)).collect();
        // Until something is sent again nothing is due.
        self.next = (!reports.is_empty()).then(|| now + EVERY);
        reports
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Some((self.next?, "sender reports"))
    }
}

impl Stream {
    fn report(&mut self, began: Instant, now: Instant) -> Option<SenderReport> {
        let (captured, rtp) = self.clock?;
        self.fresh = false;
        let since = now.saturating_duration_since(captured);
        let ticks = since.as_nanos() * u128::from(self.rate) / 1_000_000_000;
        Some(SenderReport {
            ssrc: self.ssrc,
            ntp_time: ntp(now.saturating_duration_since(began)),
            rtp_time: rtp.wrapping_add(ticks as u32),
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        })
    }
}

/// Seconds in the upper half, a fraction of one in the lower.
fn ntp(time: Duration) -> u64 {
    let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    (time.as_secs() << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;

    #[test]
    fn a_stream_is_told_of_once_a_second_while_it_sends_by_when_it_was_captured() {
        let start = origin();
        let after = |ms| start + Duration::from_millis(ms);
        let mut reports = Reports::new(start, 7, 8);
        assert!(reports.poll_timeout().is_none() && reports.poll(after(5_000)).is_empty());
        reports.sent(after(100), MediaKind::Video, after(90), u32::MAX, 1000);
        // The rest of the same picture waits for its turn.
        reports.sent(after(190), MediaKind::Video, after(190), u32::MAX, 500);
        assert!(reports.poll(after(1_099)).is_empty());
        let told = reports.poll(after(1_100));
        let [told] = &told[..] else { panic!("{told:?}") };
        assert_eq!((told.ssrc, told.packet_count, told.octet_count), (8, 2, 1500));
        assert_eq!(told.rtp_time, u32::MAX.wrapping_add(90 * 1010));
        assert_eq!(told.ntp_time, (1 << 32) + (1 << 32) / 10);
        assert!(reports.poll(after(2_100)).is_empty());
        assert!(reports.poll_timeout().is_none(), "who is silent tells nothing");
    }
}
