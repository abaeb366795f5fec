//! One WebRTC connection as a state machine: ICE, DTLS, SRTP and SCTP of `rtc` behind our own nouns.
//!
//! ```text
//!             remote description       pair selected           DTLS done
//!   Waiting ───────────────────▶ Checking ──────────▶ Securing ─────────▶ Connected ⇄ (silent ≥ 5 s) ─▶ Failed
//!                                    └── 15 s without a pair ─────────────────────────────────────────▶ Failed
//! ```
//!
//! Two things `rtc` needs to be told: the DTLS ClientHello leaves only at the next `handle_timeout` after ICE has
//! selected a pair, so every change of the ICE state causes one; and writes, events and reads each cause more of the
//! others, so [`Call::drain`] goes round until all three are dry.

mod channel;
mod ear;
mod frames;
mod pictures;
mod reports;
mod settings;
mod video;
mod voice;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::data_channel::RTCDataChannelId;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::{RTCIceConnectionState, RTCPeerConnectionState};
use rtc::peer_connection::transport::{RTCDtlsTransportState, RTCIceCandidateInit};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry;

use self::channel::Microphone;
use self::ear::{Said, ear};
use self::frames::FrameNumbers;
use self::reports::Reports;
use self::settings::{VoiceFormats, interceptors, media, opus, picture, settings, voice_formats};
pub(super) use self::video::Budget;
use self::video::{Beginning, Taken, Video};
use super::description::{Candidate, Description};
use super::sdp::{self, OPUS, Role, Streams, VIDEO_FORMATS};
use super::{Camera, PathPolicy, SessionError};
use crate::jitter::losses::LossPattern;
use crate::video::sync::NtpTime;
use crate::video::viewing::Viewing;
use crate::video::vpx::Codec;
use crate::voice::{EarlierFrame, FrameNumber, Mute, Reported, Room, Supported, Transmission};

/// What our tracks are called.
const VOICE_TRACK: &str = "voice";
const VIDEO_TRACK: &str = "video";

/// What the other end has said of bursts counts for so long; it is said every second while there are any.
const TOLD_FOR: Duration = Duration::from_secs(5);

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerKind {
    /// One of us: only authenticated ciphers, a tagged control channel.
    Silbo,
    /// Any WebRTC end, told apart by having spoken SDP.
    Stock,
}

/// A packet from ICE downwards: `local` names the candidate of ours it leaves from.
pub(super) struct Outgoing {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) payload: BytesMut,
}

/// What the connection says.
#[derive(Debug)]
pub(super) enum CallEvent {
    /// ICE has selected a pair; DTLS begins.
    PathFound,
    /// The other end has shown the certificate of its description.
    Connected,
    /// A voice packet; those of one frame have one number.
    Voice {
        number: FrameNumber,
        timestamp: u32,
        payload: Bytes,
        copies: Vec<EarlierFrame>,
        transmission: Transmission,
    },
    /// A packet of pictures, RFC 7741 or RFC 9628.
    Video { codec: Codec, sequence: u16, timestamp: u32, marker: bool, payload: Bytes },
    /// The other end can show nothing before it gets a keyframe.
    KeyframeWanted,
    /// The other end's camera went on or off.
    Camera(Camera),
    /// The other end's pictures up to this RTP timestamp are over.
    PicturesEnd(u32),
    /// What RTP timestamps of the other end stand for on its clock, to bring voice and pictures together.
    Clock { kind: MediaKind, ntp: NtpTime, rtp: u32 },
    /// A message on the control channel.
    Message(Vec<u8>),
    /// The other end shows our pictures so large.
    Viewing(Viewing),
    /// The other end muted its microphone, or opened it.
    Mute(Mute),
    /// The other end said good-bye, or closed its connection.
    PeerClosed,
    /// ICE gave up.
    Failed,
}

/// One of the two streams of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaKind {
    Voice,
    Video,
}

/// What the transport measures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) rtt: Option<Duration>,
    pub(super) remote_loss: f32,
    /// How much of what is sent during bursts of losses is lost, where the other end says so.
    pub(super) burst_density: Option<f32>,
    /// How unevenly our voice arrives, as the other end says.
    pub(super) remote_jitter: Option<Duration>,
    /// What the other end takes.
    pub(super) supported: Supported,
    /// Which frames of the voice there is room for.
    pub(super) room: Room,
}

impl Measured {
    /// What the other end says of our voice.
    pub(super) const fn reported(&self) -> Reported {
        Reported {
            loss: self.remote_loss,
            burst_density: self.burst_density,
            round_trip: self.rtt,
            jitter: self.remote_jitter,
            room: self.room,
        }
    }
}

pub(super) struct Call {
    connection: RTCPeerConnection,
    peer: PeerKind,
    role: Role,
    sender: RTCRtpSenderId,
    ssrc: u32,
    formats: VoiceFormats,
    sequence: u16,
    first_timestamp: u32,
    video: Video,
    reports: Reports,
    video_sender: RTCRtpSenderId,
    heard: Receiver<Said>,
    /// The SSRC of their voice.
    their_voice: Option<u32>,
    frames: FrameNumbers,
    /// Whether they take frames that are sent once more in packets of their own.
    takes_repeats: bool,
    /// How their voice is lost on the way to us.
    losses: LossPattern,
    /// What they said of how ours is, and when.
    told_bursts: Option<(Instant, f32)>,
    /// The share of our voice that was lost, as they said last, and how unevenly it came.
    remote_loss: f32,
    remote_jitter: Option<Duration>,
    /// Which frames of it they ask for.
    asked: Room,
    channel: Option<RTCDataChannelId>,
    channel_open: bool,
    messages_waiting: VecDeque<Vec<u8>>,
    viewing_waiting: Option<Viewing>,
    end_waiting: Option<u32>,
    microphone: Microphone,
    outgoing: VecDeque<Outgoing>,
    events: VecDeque<CallEvent>,
    connected: bool,
    closed: bool,
    /// Their end of the connection is closed.
    good_bye: bool,
    /// Whether sound came since [`Call::handle_datagram`] last asked.
    sounded: bool,
}

impl Call {
    /// A connection that has said nothing yet; `identifiers` seeds SSRCs, first sequence numbers and first timestamp.
    pub(super) fn new(
        now: Instant,
        role: Role,
        peer: PeerKind,
        policy: PathPolicy,
        identifiers: [u32; 3],
    ) -> Result<Self, SessionError> {
        let (ear, heard) = ear();
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media().map_err(refused)?)
            .with_setting_engine(settings(peer, policy).build())
            .with_interceptor_registry(interceptors(ear))
            .build(now)
            .map_err(refused)?;
        let [ssrc, sequence, first_timestamp] = identifiers;
        let streams = match peer {
            PeerKind::Silbo => Streams::of(role),
            PeerKind::Stock => {
                Streams { voice: ssrc.max(4), video: ssrc.max(4) ^ 1, repeats: ssrc.max(4) ^ 2 }
            }
        };
        let coding = RTCRtpCodingParameters { ssrc: Some(streams.voice), ..Default::default() };
        let encoding =
            RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec: opus(), ..Default::default() };
        let sender =
            connection.add_track(track(VOICE_TRACK, RtpCodecKind::Audio, encoding)).map_err(refused)?;
        let rtx = Some(RTCRtpRtxParameters { ssrc: streams.repeats });
        let coding = RTCRtpCodingParameters { ssrc: Some(streams.video), rtx, ..Default::default() };
        let [(codec, ..), ..] = VIDEO_FORMATS;
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: coding,
            codec: picture(codec),
            ..Default::default()
        };
        // Even without a camera: pictures may flow both ways at any time, and come from who has one.
        let video_sender =
            connection.add_track(track(VIDEO_TRACK, RtpCodecKind::Video, encoding)).map_err(refused)?;
        let beginning =
            Beginning { ssrc: streams.video, repeats: streams.repeats, sequence: (sequence >> 16) as u16 };
        let channel = match role {
            Role::Offer => Some(connection.create_data_channel(channel::LABEL, None).map_err(refused)?.id()),
            Role::Answer => None,
        };
        Ok(Self {
            connection,
            peer,
            role,
            sender,
            ssrc: streams.voice,
            formats: VoiceFormats { opus: OPUS, red: None },
            sequence: sequence as u16,
            first_timestamp,
            video: Video::new(now, beginning),
            reports: Reports::new(now, streams.voice, streams.video),
            video_sender,
            heard,
            their_voice: None,
            frames: FrameNumbers::default(),
            takes_repeats: false,
            losses: LossPattern::default(),
            told_bursts: None,
            remote_loss: 0.0,
            remote_jitter: None,
            asked: Room::Any,
            channel,
            channel_open: false,
            messages_waiting: VecDeque::new(),
            viewing_waiting: None,
            end_waiting: None,
            microphone: Microphone::default(),
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            connected: false,
            closed: false,
            good_bye: false,
            sounded: false,
        })
    }

    /// Our offer, as SDP.
    pub(super) fn offer(&mut self, now: Instant) -> Result<String, SessionError> {
        let offer = self.connection.create_offer(None).map_err(refused)?;
        let text = offer.sdp.clone();
        self.connection.set_local_description(now, offer).map_err(refused)?;
        self.drain(now);
        Ok(text)
    }

    /// Our offer to begin ICE anew, as SDP; nothing changes before it is made.
    pub(super) fn restart(&mut self, now: Instant) -> Result<String, SessionError> {
        self.connection.restart_ice();
        self.offer(now)
    }

    /// Takes the other end's offer and gives our answer, as SDP.
    pub(super) fn answer(&mut self, now: Instant, offer: String) -> Result<String, SessionError> {
        self.set_remote(now, RTCSessionDescription::offer(offer).map_err(nonsense)?)?;
        let answer = self.connection.create_answer(None).map_err(refused)?;
        let text = answer.sdp.clone();
        self.connection.set_local_description(now, answer).map_err(refused)?;
        self.drain(now);
        Ok(text)
    }

    /// Takes the other end's answer, as SDP.
    pub(super) fn accept(&mut self, now: Instant, answer: String) -> Result<(), SessionError> {
        self.set_remote(now, RTCSessionDescription::answer(answer).map_err(nonsense)?)
    }

    /// The same for an end of our own kind.
    pub(super) fn accept_description(
        &mut self,
        now: Instant,
        answer: &Description,
    ) -> Result<(), SessionError> {
        self.accept(now, sdp::remote(answer, Role::Answer))
    }

    /// Whether the other end's description is known, so that its candidates can be taken.
    pub(super) fn has_remote(&self) -> bool {
        self.connection.remote_description().is_some()
    }

    /// An address packets may leave from.
    pub(super) fn add_local(&mut self, now: Instant, candidate: &Candidate) {
        if let Err(error) = self.connection.add_local_candidate(init(candidate)) {
            tracing::warn!(%error, kind = %candidate.kind, "a local candidate was refused");
        }
        self.drain(now);
    }

    /// An address of the other end.
    pub(super) fn add_remote(&mut self, now: Instant, candidate: &Candidate) {
        if let Err(error) = self.connection.add_remote_candidate(init(candidate)) {
            tracing::warn!(%error, kind = %candidate.kind, "a remote candidate was refused");
        }
        self.drain(now);
    }

    /// A packet that came to `local` (the candidate of ours) from `peer`; whether it was sound that SRTP has found to be the
    /// other end's, and new.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        local: SocketAddr,
        peer: SocketAddr,
        payload: &[u8],
    ) -> bool {
        if self.closed {
            return false;
        }
        let transport = TransportContext {
            local_addr: local,
            peer_addr: peer,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        if let Err(error) =
            self.connection.handle_read(TaggedBytesMut { now, transport, message: payload.into() })
        {
            tracing::debug!(%error, "a datagram was refused");
        }
        self.drain(now);
        std::mem::take(&mut self.sounded)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.tick(now);
            self.drain(now);
        }
        self.handle_video_timeout(now);
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, &'static str)> {
        if self.closed {
            return None;
        }
        let connection = self.connection.poll_timeout().map(|due| (due, "webrtc"));
        connection.into_iter().chain(self.video_due()).min()
    }

    pub(super) fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<CallEvent> {
        self.events.pop_front()
    }

    /// Says good-bye and closes; what is to be sent is in [`Self::poll_outgoing`] afterwards.
    pub(super) fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.say_good_bye(now);
        self.drain(now);
        self.closed = true;
        if let Err(error) = self.connection.close() {
            tracing::debug!(%error, "closing the connection");
        }
        self.drain_writes();
    }

    /// Round-trip time of the selected pair, and the loss the other end reports.
    pub(super) fn measure(&mut self, now: Instant) -> Measured {
        let supported = match self.formats.red {
            Some(_) if self.takes_repeats => Supported::Repeats,
            Some(_) => Supported::Red,
            None => Supported::Opus,
        };
        let mut measured = Measured {
            supported,
            remote_loss: self.remote_loss,
            remote_jitter: self.remote_jitter,
            room: if self.video.is_tight() { Room::Usual } else { self.asked },
            ..Measured::default()
        };
        if self.closed {
            return measured;
        }
        let told = self.told_bursts.filter(|(at, _)| now.saturating_duration_since(*at) < TOLD_FOR);
        measured.burst_density = told.map(|(_, density)| density);
        for entry in self.connection.get_stats(now, StatsSelector::None).iter() {
            if let RTCStatsReportEntry::IceCandidatePair(pair) = entry
                && pair.nominated
            {
                let rtt = pair.current_round_trip_time;
                measured.rtt = (rtt > 0.0 && rtt < 60.0).then(|| Duration::from_secs_f64(rtt));
            }
        }
        measured
    }

    fn set_remote(&mut self, now: Instant, description: RTCSessionDescription) -> Result<(), SessionError> {
        let asked = sdp::asked_frames(&description.sdp);
        self.connection.set_remote_description(now, description).map_err(nonsense)?;
        self.asked = asked;
        let formats = self.connection.rtp_sender(self.sender);
        if let Some(Some(formats)) = formats.map(|mut sender| voice_formats(sender.get_parameters())) {
            self.formats = formats;
        }
        self.agree();
        self.drain(now);
        Ok(())
    }

    fn tick(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!(%error, "a timer of the connection");
        }
    }

    fn drain(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        loop {
            let mut dry = !self.drain_writes();
            while let Some(event) = self.connection.poll_event() {
                dry = false;
                self.handle_event(now, event);
            }
            while let Some(read) = self.connection.poll_read() {
                dry = false;
                self.handle_read(now, read.message);
            }
            if dry {
                break;
            }
        }
        self.listen(now);
        self.notice_good_bye();
    }

    /// Who closes the connection (a DTLS close_notify or an SCTP ABORT) says good-bye by that, whether or not a channel was
    /// open: the core tells of channels only.
    fn notice_good_bye(&mut self) {
        let sctp = self.connection.sctp().filter(|_| self.connected);
        let closed = sctp.is_some_and(|sctp| sctp.transport().state() == RTCDtlsTransportState::Closed);
        if closed && !std::mem::replace(&mut self.good_bye, true) {
            self.events.push_back(CallEvent::PeerClosed);
        }
    }

    fn drain_writes(&mut self) -> bool {
        let before = self.outgoing.len();
        while let Some(TaggedBytesMut { transport, message, .. }) = self.connection.poll_write() {
            self.outgoing.push_back(Outgoing {
                local: transport.local_addr,
                peer: transport.peer_addr,
                payload: message,
            });
        }
        self.outgoing.len() > before
    }

    fn handle_event(&mut self, now: Instant, event: RTCPeerConnectionEvent) {
        match event {
            RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(state) => {
                self.tick(now);
                match state {
                    RTCIceConnectionState::Connected if !self.connected => {
                        self.events.push_back(CallEvent::PathFound)
                    }
                    RTCIceConnectionState::Failed => self.events.push_back(CallEvent::Failed),
                    _ => {}
                }
            }
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => match state {
                RTCPeerConnectionState::Connected if !self.connected => {
                    self.connected = true;
                    self.events.push_back(CallEvent::Connected);
                }
                RTCPeerConnectionState::Failed => self.events.push_back(CallEvent::Failed),
                RTCPeerConnectionState::Closed => self.events.push_back(CallEvent::PeerClosed),
                _ => {}
            },
            RTCPeerConnectionEvent::OnDataChannel(event) => self.handle_channel(now, &event),
            _ => {}
        }
    }

    fn handle_read(&mut self, now: Instant, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(_, packet) => {
                self.sounded = true;
                let rtc::rtp::Packet { header, payload } = packet;
                if let Some(kind) = self.voice_kind(header.payload_type).filter(|_| !payload.is_empty()) {
                    self.handle_voice(&header, payload, kind);
                } else if let Taken::Picture(codec) = self.video.handle_packet(now, &header, &payload) {
                    self.events.push_back(CallEvent::Video {
                        codec,
                        sequence: header.sequence_number,
                        timestamp: header.timestamp,
                        marker: header.marker,
                        payload,
                    });
                }
            }
            RTCMessage::DataChannelMessage(_, message) => self.handle_message(&message.data),
            _ => {}
        }
    }

    /// Which side spoke first.
    pub(super) const fn role(&self) -> Role {
        self.role
    }
}

fn track(name: &str, kind: RtpCodecKind, encoding: RTCRtpEncodingParameters) -> MediaStreamTrack {
    let name = name.to_owned();
    MediaStreamTrack::new("silbo".to_owned(), name.clone(), name, kind, vec![encoding])
}

fn init(candidate: &Candidate) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.to_sdp(),
        sdp_mid: Some("0".to_owned()),
        sdp_mline_index: Some(0),
        ..Default::default()
    }
}

fn refused(error: rtc::shared::error::Error) -> SessionError {
    SessionError::Engine(error.to_string())
}

fn nonsense(error: rtc::shared::error::Error) -> SessionError {
    SessionError::Description(error.to_string())
}
