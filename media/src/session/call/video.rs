//! The pictures of a call as RTP: numbers, pacing, sending again, asking again, and how fast to send.
//!
//! ```text
//!  Off ── camera on ──▶ On ── camera off ──▶ Off
//!
//!  encoder ── packets ──▶ Pacer ──▶ numbered (transport-wide) ──▶ SRTP
//!     ▲                     ▲ ▲
//!     └── rate, room ───────┘ └── sent again, on a stream of their own (RTX, RFC 4588) ◀── the other end asks
//! ```
//!
//! While our camera is on the voice is numbered too, so that its delay counts; it never waits here. Packets are sent
//! again under another SSRC with numbers of its own: under the old ones a new header extension would make SRTP seal two
//! different packets with one nonce, which AES-GCM does not survive (RFC 7714 §9.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use rtc::rtp::{Header, Packet};

use crate::bitrate::Bitrate;
use crate::session::Camera;
use crate::session::congestion::nack::{Answerer, Asker, Request};
use crate::session::congestion::pacer::{Departure, Pacer, Room};
use crate::session::congestion::{Controller, PacketKind, PacketResult, PacketSent, ProbeId, Settings};
use crate::video::rtp::parse;
use crate::video::sender::VideoPacket;
use crate::video::vpx::Codec;

/// What a packet weighs beside its payload: IPv4, UDP, RTP, the number of the transport, the tag of SRTP.
const HEADERS: usize = 20 + 8 + 12 + 8 + 16;
/// What of the rate the voice takes, headers included; and with short frames.
const VOICE_RATE: Bitrate = Bitrate::from_kbps(60);
const SHORT_FRAMES_RATE: Bitrate = Bitrate::from_kbps(92);
/// Below this pictures have a better use for the difference.
const ROOMY: Bitrate = Bitrate::from_kbps(1000);
/// The least that is encoded for.
const LEAST: Bitrate = Bitrate::from_kbps(30);
/// The round trip before it is known.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// How long packets that were sent again count.
const RECENTLY: Duration = Duration::from_millis(500);

/// What the encoder may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::session) struct Budget {
    /// For payloads, over a second or so.
    pub(in crate::session) rate: Bitrate,
    /// Whether the next picture is welcome.
    pub(in crate::session) room: Room,
}

/// What both ends have agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Payload types of pictures, what they hold, and the payload type that repeats each.
    pub(super) formats: Vec<Format>,
    /// Which header extension numbers packets; none: nothing is learnt of the way.
    pub(super) extension: Option<u8>,
}

/// A payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    pub(super) codec: Codec,
    pub(super) repeats: Option<u8>,
}

/// Numbers a stream begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    pub(super) ssrc: u32,
    pub(super) repeats: u32,
    pub(super) sequence: u16,
}

/// What comes of a packet of the other end.
pub(super) enum Taken {
    /// It holds pictures.
    Picture(Codec),
    /// It is no video.
    Other,
}

/// What to ask the other end for, about its stream `ssrc`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asking {
    pub(super) ssrc: u32,
    pub(super) request: Request,
}

/// What the link has room for beside the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Pictures.
    Room,
    /// Pictures, and a voice of short frames.
    Plenty,
    /// Not even for the usual voice: pictures wait, and to the other end our camera is off.
    Nothing,
}

/// Both directions.
pub(super) struct Video {
    agreed: Agreed,
    camera: Camera,
    /// Of the last picture since it is on: its timestamp.
    latest: Option<u32>,
    beside: Beside,
    ssrc: u32,
    repeats: u32,
    sequence: u16,
    repeated: u16,
    number: u16,
    controller: Controller,
    pacer: Pacer<Packet>,
    answerer: Answerer<Packet>,
    again: Recent,
    asker: Asker,
    /// Of the keyframe that waits in the pacer, or a part of it: its timestamp.
    keyframe: Option<u32>,
    /// The other end's stream.
    theirs: Option<u32>,
    their_camera: Camera,
    asking: VecDeque<Asking>,
}

/// Bytes that fade.
#[derive(Clone, Copy, Debug)]
struct Recent {
    bytes: f64,
    at: Instant,
}

impl Video {
    pub(super) fn new(now: Instant, beginning: Beginning) -> Self {
        let controller = Controller::new(now, Settings::default());
        let Beginning { ssrc, repeats, sequence } = beginning;
        Self {
            agreed: Agreed::default(),
            camera: Camera::Off,
            latest: None,
            beside: Beside::Room,
            ssrc,
            repeats,
            sequence,
            repeated: sequence,
            number: sequence,
            pacer: Pacer::new(controller.target()),
            controller,
            answerer: Answerer::new(ROUND_TRIP),
            again: Recent { bytes: 0.0, at: now },
            asker: Asker::new(ROUND_TRIP),
            keyframe: None,
            theirs: None,
            their_camera: Camera::Off,
            asking: VecDeque::new(),
        }
    }

    /// Both descriptions are known.
    pub(super) fn agree(&mut self, agreed: Agreed) {
        self.agreed = agreed;
    }

    /// What pictures are to be encoded with; none when the other end takes no pictures.
    pub(super) fn codec(&self) -> Option<Codec> {
        self.agreed.formats.first().map(|format| format.codec)
    }

    /// The timestamp of the last picture, where some were sent and that is over now.
    pub(super) fn set_camera(&mut self, camera: Camera) -> Option<u32> {
        // What waits still leaves: pictures to come may build on it.
        self.camera = camera;
        self.latest.take_if(|_| camera == Camera::Off)
    }

    /// Whether pictures need all that the way has room for.
    pub(super) fn is_tight(&self) -> bool {
        self.camera == Camera::On && self.controller.target() < ROOMY
    }

    pub(super) const fn set_beside(&mut self, beside: Beside) {
        self.beside = beside;
    }

    /// The packets of one picture. Nobody needs what waits before a keyframe; but one keyframe never takes the place of
    /// another, or on a slow way none would ever arrive.
    pub(super) fn send(&mut self, now: Instant, packets: Vec<VideoPacket>) {
        let Some(format) = self.agreed.formats.first().copied().filter(|_| self.camera == Camera::On) else {
            return;
        };
        self.pacer.handle_target(now, self.controller.target());
        let key = packets.first().is_some_and(|first| stands_alone(format.codec, &first.payload));
        if key && self.keyframe.is_none() {
            self.pacer.clear_video();
        }
        self.latest = packets.first().map(|first| first.timestamp).or(self.latest);
        for VideoPacket { payload, timestamp, marker } in packets {
            let size = payload.len() + HEADERS;
            let header = Header {
                version: 2,
                marker,
                payload_type: format.payload_type,
                timestamp,
                ssrc: self.ssrc,
                ..Default::default()
            };
            let packet = Packet { header, payload: payload.into() };
            match self.pacer.push(now, packet, size, PacketKind::Video) {
                Ok(()) if key => self.keyframe = Some(timestamp),
                Ok(()) => {}
                Err(error) => tracing::debug!(%error, "a video packet was not sent"),
            }
        }
    }

    /// The voice: beside pictures it is numbered and counted, and is what [`Self::poll_transmit`] gives next; without, it
    /// comes back as it is.
    pub(super) fn send_voice(&mut self, now: Instant, packet: Packet) -> Option<Packet> {
        if self.camera == Camera::Off || self.beside == Beside::Nothing {
            return Some(packet);
        }
        let size = packet.payload.len() + HEADERS;
        // The pacer takes all sound.
        let _ = self.pacer.push(now, packet, size, PacketKind::Audio);
        None
    }

    /// What leaves now, until nothing does.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        loop {
            if let Some(size) = self.answerer.latest_size() {
                self.pacer.handle_padding(size);
            }
            let (packet, size, kind, probe) = match self.pacer.poll_transmit(now)? {
                Departure::Packet { packet, size, kind, probe } => (Some(packet), size, kind, probe),
                // What was sent last once more: of more use than zeros.
                Departure::Padding { size, probe } => {
                    let latest = self.answerer.latest().map(|(packet, size)| (self.repeat(packet), size));
                    let (packet, size) = latest.unwrap_or((None, size));
                    (packet, size, PacketKind::Padding, Some(probe))
                }
            };
            if let Some(mut packet) = packet {
                if kind == PacketKind::Video {
                    // Not before: what never leaves leaves no gap.
                    packet.header.sequence_number = self.sequence;
                    self.sequence = self.sequence.wrapping_add(1);
                    if packet.header.marker {
                        self.keyframe.take_if(|timestamp| *timestamp == packet.header.timestamp);
                    }
                    self.answerer.handle_sent(now, packet.header.sequence_number, packet.clone(), size);
                }
                return Some(self.number(now, packet, (size, kind, probe)));
            }
        }
    }

    /// What to ask for, until nothing is.
    pub(super) fn poll_asking(&mut self) -> Option<Asking> {
        self.asking.pop_front()
    }

    /// Time passes.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.controller.handle_timeout(now);
        // A probe is filled with what was sent last: before anything was, it waits.
        if self.camera == Camera::On
            && self.beside != Beside::Nothing
            && self.agreed.extension.is_some()
            && self.answerer.latest_size().is_some()
        {
            while let Some(probe) = self.controller.poll_probe() {
                self.pacer.handle_probe(now, probe);
            }
        }
        self.pacer.handle_target(now, self.controller.target());
        if let Some(ssrc) = self.theirs {
            while let Some(request) = self.asker.poll_request(now) {
                self.asking.push_back(Asking { ssrc, request });
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let sending = self.pacer.poll_timeout().into_iter().chain(self.controller.poll_timeout()).min();
        let asking = self.theirs.and_then(|_| self.asker.poll_timeout());
        sending.into_iter().chain(asking).min()
    }

    /// A packet of the other end's.
    pub(super) fn handle_packet(&mut self, now: Instant, header: &Header, payload: &Bytes) -> Taken {
        let format = self.agreed.formats.iter().find(|format| format.payload_type == header.payload_type);
        let Some(Format { codec, .. }) = format.copied() else { return Taken::Other };
        if self.theirs.replace(header.ssrc).is_some_and(|before| before != header.ssrc) {
            self.asker = Asker::new(self.controller.outlook().round_trip);
        }
        self.asker.handle_packet(now, header.sequence_number);
        if stands_alone(codec, payload) {
            self.asker.handle_keyframe(header.sequence_number);
        }
        Taken::Picture(codec)
    }

    /// A packet of the other end's voice, and what it tells of its camera: beside pictures the voice is numbered. Of an
    /// end that never numbers it nothing is learnt.
    pub(super) fn handle_voice(&mut self, header: &Header) -> Option<Camera> {
        let numbered = self.agreed.extension.is_some_and(|id| header.get_extension(id).is_some());
        let camera = if numbered { Camera::On } else { Camera::Off };
        (std::mem::replace(&mut self.their_camera, camera) != camera).then_some(camera)
    }

    /// Nothing of theirs can be decoded without a keyframe.
    pub(super) fn need_keyframe(&mut self) {
        self.asker.need_keyframe();
    }

    pub(super) fn handle_feedback(&mut self, now: Instant, results: &[PacketResult]) {
        self.controller.handle_feedback(now, results);
        let again = self.answerer.handle_results(now, results, self.controller.outlook().loss);
        self.send_again(now, again);
        self.handle_timeout(now);
    }

    /// The other end asks for packets again.
    pub(super) fn handle_again(&mut self, now: Instant, ssrc: u32, sequences: &[u16]) {
        if ssrc != self.ssrc {
            return;
        }
        let again = self.answerer.handle_request(now, sequences, self.controller.outlook().loss);
        self.send_again(now, again);
    }

    /// Whether a keyframe of this stream is ours to give.
    pub(super) const fn is_ours(&self, ssrc: u32) -> bool {
        ssrc == self.ssrc
    }

    /// Whether the other end sends pictures as this stream.
    pub(super) fn is_theirs(&self, ssrc: u32) -> bool {
        self.theirs == Some(ssrc)
    }

    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        self.asker.handle_round_trip(round_trip);
        self.answerer.handle_round_trip(round_trip);
    }

    /// Packets take another way from now on.
    pub(super) fn handle_new_way(&mut self, now: Instant) {
        self.controller.handle_new_way(now);
    }

    pub(super) fn budget(&mut self, now: Instant) -> Budget {
        let voice = if self.beside == Beside::Plenty { SHORT_FRAMES_RATE } else { VOICE_RATE };
        let rest = self.controller.target().less(voice).less(self.again.rate(now));
        let payload = rest.scaled(PAYLOAD as f64 / (PAYLOAD + HEADERS) as f64);
        let shown = self.camera == Camera::On && self.beside != Beside::Nothing;
        let room = if shown { self.pacer.room() } else { Room::Skip };
        Budget { rate: payload.max(LEAST), room }
    }

    fn send_again(&mut self, now: Instant, packets: Vec<(Packet, usize)>) {
        for (packet, size) in packets {
            let Some(packet) = self.repeat(packet) else { return };
            self.again.add(now, size);
            // The pacer drops what is too much.
            let _ = self.pacer.push(now, packet, size, PacketKind::Retransmission);
        }
    }

    /// The packet once more, as RTX (RFC 4588 §4): its number goes in front of its payload. None where that was not
    /// agreed on.
    fn repeat(&mut self, packet: Packet) -> Option<Packet> {
        let format = self.agreed.formats.iter().find(|own| own.payload_type == packet.header.payload_type)?;
        let payload_type = format.repeats?;
        let mut payload = BytesMut::with_capacity(2 + packet.payload.len());
        payload.put_u16(packet.header.sequence_number);
        payload.put(packet.payload);
        let sequence_number = self.repeated;
        self.repeated = self.repeated.wrapping_add(1);
        let header = Header {
            version: 2,
            marker: packet.header.marker,
            payload_type,
            sequence_number,
            timestamp: packet.header.timestamp,
            ssrc: self.repeats,
            ..Default::default()
        };
        Some(Packet { header, payload: payload.freeze() })
    }

    /// The number of the packet of pictures that this one is, or repeats.
    fn shown_by(&self, packet: &Packet) -> Option<u16> {
        match packet.header.ssrc {
            ssrc if ssrc == self.ssrc => Some(packet.header.sequence_number),
            ssrc if ssrc == self.repeats => packet.payload.first_chunk().copied().map(u16::from_be_bytes),
            _ => None,
        }
    }

    fn number(
        &mut self,
        now: Instant,
        mut packet: Packet,
        (size, kind, probe): (usize, PacketKind, Option<ProbeId>),
    ) -> Packet {
        let Some(extension) = self.agreed.extension else { return packet };
        let number = Bytes::copy_from_slice(&self.number.to_be_bytes());
        if let Err(error) = packet.header.set_extension(extension, number) {
            tracing::debug!(%error, "a packet goes without a number");
            return packet;
        }
        self.controller.handle_sent(now, PacketSent { number: self.number, size, kind, probe });
        if let Some(sequence) = self.shown_by(&packet) {
            self.answerer.handle_departure(self.number, sequence);
        }
        self.number = self.number.wrapping_add(1);
        packet
    }
}

/// Whether a keyframe begins with this payload.
fn stands_alone(codec: Codec, payload: &[u8]) -> bool {
    parse(codec, payload).is_ok_and(|(part, _)| part.begins && part.key)
}

/// Bytes of payload in a packet of video, about.
const PAYLOAD: usize = 1100;

impl Recent {
    fn add(&mut self, now: Instant, size: usize) {
        self.fade(now);
        self.bytes += size as f64;
    }

    fn rate(&mut self, now: Instant) -> Bitrate {
        self.fade(now);
        Bitrate::of(self.bytes as usize, RECENTLY).unwrap_or(Bitrate::ZERO)
    }

    fn fade(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.bytes *= (-passed / RECENTLY.as_secs_f64()).exp();
        self.at = now;
    }
}

#[cfg(test)]
mod tests;
