//! The voice of a call as RTP: Opus by itself, or with copies of earlier frames (RED), and frames once more in packets of their
//! own, where the other end takes it; and what either end tells the other of how it is lost (RTCP XR, RFC 3611).
//!
//! A repeat is a packet like any other, with the next sequence number and the timestamp of its frame, so that what is lost is
//! counted as it is, whatever of it is mended. Its payload type tells it from the first.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtcp::extended_report::{ExtendedReport, VoIPMetricsReportBlock};
use rtc::rtp::{Header, Packet};

use super::video::Beside;
use super::{Call, CallEvent, MediaKind, PeerKind, VOICE_TRACK};
use crate::codec::duration_in;
use crate::jitter::losses::{Bursts, GMIN};
use crate::session::sdp::REPEAT;
use crate::voice::{FrameNumber, Transmission, VoicePacket, red};

/// What a packet of the voice holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VoiceKind {
    /// A frame.
    Opus,
    /// A frame, and copies of earlier ones.
    Red,
    /// A frame that was sent before.
    Repeat,
}

/// What a frame holds where there is room for it.
const USUAL: Duration = Duration::from_millis(20);

/// Unknown, in a report of the voice (RFC 3611 §4.7.4 and 4.7.5).
const UNKNOWN: u8 = 127;

impl Call {
    /// Sends a voice packet; before the connection stands it is dropped, as sound has no use later, and so is a repeat that
    /// the other end does not take.
    pub(in crate::session) fn send_voice(&mut self, now: Instant, packet: VoicePacket) -> bool {
        if !self.connected || self.closed {
            return false;
        }
        let timestamp = self.first_timestamp.wrapping_add(packet.timestamp);
        let holds = duration_in(&packet.payload);
        self.video.set_beside(match holds.cmp(&USUAL) {
            Ordering::Less => Beside::Plenty,
            Ordering::Equal => Beside::Room,
            Ordering::Greater => Beside::Nothing,
        });
        let red = self.formats.red.filter(|_| !packet.copies.is_empty());
        let (payload_type, payload) = match (packet.transmission, red) {
            (Transmission::Repeat, _) if !self.takes_repeats => return false,
            (Transmission::Repeat, _) => (REPEAT, packet.payload),
            (Transmission::First, Some(payload_type)) => {
                (payload_type, red::write(&packet, self.formats.opus))
            }
            (Transmission::First, None) => (self.formats.opus, packet.payload),
        };
        let header = Header {
            version: 2,
            payload_type,
            sequence_number: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        let captured = now.checked_sub(holds).unwrap_or(now);
        self.reports.sent(now, MediaKind::Voice, captured, timestamp, payload.len());
        let sent = match self.video.send_voice(now, Packet { header, payload: payload.into() }) {
            Some(packet) => self.write(now, VOICE_TRACK, packet),
            None => self.write_video(now),
        };
        self.drain(now);
        sent
    }

    /// What packets of this payload type hold, if it is the voice.
    pub(super) fn voice_kind(&self, payload_type: u8) -> Option<VoiceKind> {
        match payload_type {
            REPEAT if self.peer == PeerKind::Silbo => Some(VoiceKind::Repeat),
            number if number == self.formats.opus => Some(VoiceKind::Opus),
            number if Some(number) == self.formats.red => Some(VoiceKind::Red),
            _ => None,
        }
    }

    /// A packet of the other end's voice.
    pub(super) fn handle_voice(&mut self, header: &Header, payload: Bytes, kind: VoiceKind) {
        self.their_voice = Some(header.ssrc);
        self.losses.arrived(header.sequence_number);
        self.events.extend(self.video.handle_voice(header).map(CallEvent::Camera));
        let (payload, copies) = match kind {
            VoiceKind::Opus | VoiceKind::Repeat => (payload, Vec::new()),
            VoiceKind::Red => match red::parse(payload, self.formats.opus) {
                Ok(red::Red { frame, copies }) => (frame, copies),
                Err(error) => {
                    tracing::debug!(%error, "a voice packet was refused");
                    return;
                }
            },
        };
        let timestamp = header.timestamp;
        let number = match self.peer {
            PeerKind::Silbo => self.frames.of(timestamp),
            PeerKind::Stock => FrameNumber::OfPacket(header.sequence_number),
        };
        let transmission = match kind {
            VoiceKind::Opus | VoiceKind::Red => Transmission::First,
            VoiceKind::Repeat => Transmission::Repeat,
        };
        self.events.push_back(CallEvent::Voice { number, timestamp, payload, copies, transmission });
    }

    /// What one of us is told of how its voice is lost, while it is lost in bursts. What is not measured is said to be unknown.
    pub(super) fn voice_report(&mut self) -> Option<ExtendedReport> {
        let ssrc = self.their_voice.filter(|_| self.peer == PeerKind::Silbo)?;
        let Bursts { density, duration } = self.losses.report()?;
        let metrics = VoIPMetricsReportBlock {
            ssrc,
            burst_density: (density * 256.0) as u8,
            burst_duration: u16::try_from(duration.as_millis()).unwrap_or(u16::MAX),
            gmin: GMIN as u8,
            signal_level: UNKNOWN,
            noise_level: UNKNOWN,
            rerl: UNKNOWN,
            rfactor: UNKNOWN,
            ext_rfactor: UNKNOWN,
            mos_lq: UNKNOWN,
            mos_cq: UNKNOWN,
            ..VoIPMetricsReportBlock::default()
        };
        Some(ExtendedReport { sender_ssrc: self.ssrc, reports: vec![Box::new(metrics)] })
    }
}
