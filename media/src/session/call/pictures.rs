//! The pictures of a call between [`Video`](super::video::Video) and `rtc`.

use std::time::{Duration, Instant};

use rtc::peer_connection::message::{RTCMessage, TaggedRTCMessage};
use rtc::rtcp::packet::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::sansio::Protocol as _;

use super::ear::Said;
use super::settings::agreed;
use super::video::Asking;
use super::{Budget, Call, CallEvent, MediaKind, VIDEO_TRACK, VOICE_TRACK};
use crate::frame::duration_of;
use crate::session::Camera;
use crate::session::congestion::nack::Request;
use crate::video::sender::VideoPacket;
use crate::video::vpx::Codec;

impl Call {
    /// What pictures are encoded with; none where none are taken.
    pub(in crate::session) fn video_codec(&self) -> Option<Codec> {
        self.video.codec()
    }

    /// Our pictures are sent from now on, or not; the other end is told when they end.
    pub(in crate::session) fn set_camera(&mut self, now: Instant, camera: Camera) {
        if let Some(last) = self.video.set_camera(camera) {
            self.send_pictures_end(now, last);
        }
        self.handle_video_timeout(now);
    }

    /// Sends one picture, in its time; before the connection stands it is dropped.
    pub(in crate::session) fn send_video(&mut self, now: Instant, packets: Vec<VideoPacket>) {
        if self.connected && !self.closed {
            for VideoPacket { payload, timestamp, .. } in &packets {
                self.reports.sent(now, MediaKind::Video, now, *timestamp, payload.len());
            }
            self.video.send(now, packets);
            self.handle_video_timeout(now);
        }
    }

    /// What the encoder may do.
    pub(in crate::session) fn video_budget(&mut self, now: Instant) -> Budget {
        self.video.budget(now)
    }

    /// Nothing of theirs can be shown without a keyframe.
    pub(in crate::session) fn need_keyframe(&mut self, now: Instant) {
        self.video.need_keyframe();
        self.handle_video_timeout(now);
    }

    /// The round trip of the way.
    pub(in crate::session) fn set_round_trip(&mut self, round_trip: Duration) {
        self.video.set_round_trip(round_trip);
    }

    /// Packets take another way from now on.
    pub(in crate::session) fn handle_new_way(&mut self, now: Instant) {
        self.video.handle_new_way(now);
    }

    pub(super) fn agree(&mut self) {
        let Some(mut sender) = self.connection.rtp_sender(self.video_sender) else {
            return;
        };
        let agreed = agreed(sender.get_parameters());
        self.video.agree(agreed);
    }

    pub(super) fn handle_video_timeout(&mut self, now: Instant) {
        if !self.connected || self.closed {
            return;
        }
        self.video.handle_timeout(now);
        self.write_video(now);
        self.ask(now);
        self.report(now);
        self.drain(now);
    }

    pub(super) fn video_due(&self) -> Option<(Instant, &'static str)> {
        let due = self.video.poll_timeout().into_iter().chain(self.reports.poll_timeout()).min();
        due.filter(|_| self.connected)
    }

    /// Writes what is due of pictures, and the voice beside them; whether all could be written.
    pub(super) fn write_video(&mut self, now: Instant) -> bool {
        let mut sent = true;
        while let Some(packet) = self.video.poll_transmit(now) {
            sent &= self.write(now, VIDEO_TRACK, packet);
        }
        sent
    }

    /// Past the checks of `rtc` on what a track may send: they know of no retransmissions.
    pub(super) fn write(&mut self, now: Instant, track: &str, packet: rtc::rtp::Packet) -> bool {
        let message = RTCMessage::RtpPacket(track.to_owned(), packet);
        let sent = self.connection.handle_write(TaggedRTCMessage { now, message });
        sent.inspect_err(|error| tracing::warn!(%error, "a packet was not sent")).is_ok()
    }

    fn report(&mut self, now: Instant) {
        let reports = self.reports.poll(now);
        // At the same pace.
        if !reports.is_empty()
            && let Some(report) = self.voice_report()
        {
            self.write_rtcp(now, Box::new(report));
        }
        for report in reports {
            self.write_rtcp(now, Box::new(report));
        }
    }

    fn write_rtcp(&mut self, now: Instant, packet: Box<dyn Rtcp>) {
        let message = RTCMessage::RtcpPacket(VOICE_TRACK.to_owned(), vec![packet]);
        if let Err(error) = self.connection.handle_write(TaggedRTCMessage { now, message }) {
            tracing::debug!(%error, "the other end was not told");
        }
    }

    fn ask(&mut self, now: Instant) {
        while let Some(Asking { ssrc: media_ssrc, request }) = self.video.poll_asking() {
            let sender_ssrc = self.ssrc;
            let packet: Box<dyn Rtcp> = match request {
                Request::Again(sequences) => {
                    let nacks = nack_pairs_from_sequence_numbers(&sequences);
                    Box::new(TransportLayerNack { sender_ssrc, media_ssrc, nacks })
                }
                Request::Keyframe => Box::new(PictureLossIndication { sender_ssrc, media_ssrc }),
            };
            self.write_rtcp(now, packet);
        }
    }

    /// Acts on the RTCP that has come.
    pub(super) fn listen(&mut self, now: Instant) {
        while let Ok(said) = self.heard.try_recv() {
            match said {
                Said::Feedback(results) => self.video.handle_feedback(now, &results),
                Said::Again { ssrc, sequences } => self.video.handle_again(now, ssrc, &sequences),
                Said::Keyframe { ssrc } if self.video.is_ours(ssrc) => {
                    self.events.push_back(CallEvent::KeyframeWanted);
                }
                Said::Keyframe { .. } => {}
                Said::Lost { ssrc, share, jitter } if ssrc == self.ssrc => {
                    (self.remote_loss, self.remote_jitter) = (share, Some(duration_of(jitter.into())));
                }
                Said::Lost { .. } => {}
                Said::Bursts { ssrc, density } if ssrc == self.ssrc => {
                    self.told_bursts = Some((now, density));
                }
                Said::Bursts { .. } => {}
                Said::Report { ssrc, ntp, rtp } => {
                    let kind = match ssrc {
                        ssrc if self.video.is_theirs(ssrc) => MediaKind::Video,
                        ssrc if self.their_voice == Some(ssrc) => MediaKind::Voice,
                        _ => continue,
                    };
                    self.events.push_back(CallEvent::Clock { kind, ntp, rtp });
                }
            }
        }
    }
}
