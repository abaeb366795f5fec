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
//!
//! The control channel of two Silbo ends carries one tag byte and then the rest: 0 = bye, 1 = a message. With a stock
//! end the first data channel carries bare messages, and closing the connection is the bye.

mod settings;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::data_channel::RTCDataChannelId;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::event::{RTCDataChannelEvent, RTCPeerConnectionEvent};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::{RTCIceConnectionState, RTCPeerConnectionState};
use rtc::peer_connection::transport::{RTCDtlsTransportState, RTCIceCandidateInit};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry;

use self::settings::{OPUS_PAYLOAD_TYPE, media, opus, settings};
use super::description::{Candidate, Description};
use super::sdp::{self, Role};
use super::{MAX_MESSAGE, PathPolicy, SessionError};
use crate::voice::VoicePacket;

/// Messages kept until the channel is open; the oldest is dropped when more come.
const MESSAGES_WAITING: usize = 32;

const CHANNEL_LABEL: &str = "silbo";
const TAG_BYE: u8 = 0;
const TAG_MESSAGE: u8 = 1;

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
    /// A voice packet.
    Voice { sequence: u16, timestamp: u32, payload: Bytes },
    /// A message on the control channel.
    Message(Vec<u8>),
    /// The other end said good-bye, or closed its connection.
    PeerClosed,
    /// ICE gave up.
    Failed,
}

/// What the transport measures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) rtt: Option<Duration>,
    pub(super) remote_loss: f32,
}

pub(super) struct Call {
    connection: RTCPeerConnection,
    peer: PeerKind,
    role: Role,
    sender: RTCRtpSenderId,
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
    first_timestamp: u32,
    channel: Option<RTCDataChannelId>,
    channel_open: bool,
    messages_waiting: VecDeque<Vec<u8>>,
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
    /// A connection that has said nothing yet; `identifiers` seeds SSRC, first sequence number and first timestamp.
    pub(super) fn new(
        now: Instant,
        role: Role,
        peer: PeerKind,
        policy: PathPolicy,
        identifiers: [u32; 3],
    ) -> Result<Self, SessionError> {
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media().map_err(refused)?)
            .with_setting_engine(settings(peer, policy).build())
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .build(now)
            .map_err(refused)?;
        let [ssrc, sequence, first_timestamp] = identifiers;
        let ssrc = ssrc.max(1);
        let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
        let encoding =
            RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec: opus(), ..Default::default() };
        let track = MediaStreamTrack::new(
            "silbo".to_owned(),
            "voice".to_owned(),
            "voice".to_owned(),
            RtpCodecKind::Audio,
            vec![encoding],
        );
        let sender = connection.add_track(track).map_err(refused)?;
        let channel = match role {
            Role::Offer => Some(connection.create_data_channel(CHANNEL_LABEL, None).map_err(refused)?.id()),
            Role::Answer => None,
        };
        Ok(Self {
            connection,
            peer,
            role,
            sender,
            ssrc,
            payload_type: OPUS_PAYLOAD_TYPE,
            sequence: sequence as u16,
            first_timestamp,
            channel,
            channel_open: false,
            messages_waiting: VecDeque::new(),
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
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, &'static str)> {
        if self.closed {
            return None;
        }
        Some((self.connection.poll_timeout()?, "webrtc"))
    }

    pub(super) fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<CallEvent> {
        self.events.pop_front()
    }

    /// Sends a voice packet; before the connection stands it is dropped, as sound has no use later.
    pub(super) fn send_voice(&mut self, now: Instant, packet: VoicePacket) -> bool {
        if !self.connected || self.closed {
            return false;
        }
        let header = rtc::rtp::Header {
            version: 2,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.first_timestamp.wrapping_add(packet.timestamp),
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        let packet = rtc::rtp::Packet { header, payload: packet.payload.into() };
        let Some(mut sender) = self.connection.rtp_sender(self.sender) else { return false };
        let sent = sender.write_rtp(now, packet);
        self.drain(now);
        sent.inspect_err(|error| tracing::warn!(%error, "a voice packet was not sent")).is_ok()
    }

    /// Sends a message, or keeps it until the channel is open.
    pub(super) fn send_message(&mut self, now: Instant, message: Vec<u8>) {
        if self.channel_open {
            self.write_channel(now, TAG_MESSAGE, &message);
            self.drain(now);
        } else {
            if self.messages_waiting.len() == MESSAGES_WAITING {
                self.messages_waiting.pop_front();
            }
            self.messages_waiting.push_back(message);
        }
    }

    /// Says good-bye and closes; what is to be sent is in [`Self::poll_outgoing`] afterwards.
    pub(super) fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        if self.channel_open && self.peer == PeerKind::Silbo {
            self.write_channel(now, TAG_BYE, &[]);
        }
        self.drain(now);
        self.closed = true;
        if let Err(error) = self.connection.close() {
            tracing::debug!(%error, "closing the connection");
        }
        self.drain_writes();
    }

    /// Round-trip time of the selected pair, and the loss the other end reports.
    pub(super) fn measure(&mut self, now: Instant) -> Measured {
        let mut measured = Measured::default();
        if self.closed {
            return measured;
        }
        for entry in self.connection.get_stats(now, StatsSelector::None).iter() {
            match entry {
                RTCStatsReportEntry::IceCandidatePair(pair) if pair.nominated => {
                    let rtt = pair.current_round_trip_time;
                    measured.rtt = (rtt > 0.0 && rtt < 60.0).then(|| Duration::from_secs_f64(rtt));
                }
                RTCStatsReportEntry::RemoteInboundRtp(stream) => {
                    measured.remote_loss = (stream.fraction_lost as f32).clamp(0.0, 1.0);
                }
                _ => {}
            }
        }
        measured
    }

    fn set_remote(&mut self, now: Instant, description: RTCSessionDescription) -> Result<(), SessionError> {
        self.connection.set_remote_description(now, description).map_err(nonsense)?;
        let codecs = self.connection.rtp_sender(self.sender).map(|mut sender| {
            sender.get_parameters().rtp_parameters.codecs.first().map(|codec| codec.payload_type)
        });
        if let Some(Some(payload_type)) = codecs {
            self.payload_type = payload_type;
        }
        self.drain(now);
        Ok(())
    }

    fn write_channel(&mut self, now: Instant, tag: u8, message: &[u8]) {
        let Some(mut channel) = self.channel.and_then(|id| self.connection.data_channel(id)) else { return };
        let sent = match self.peer {
            PeerKind::Silbo => channel.send(now, BytesMut::from(&[&[tag], message].concat()[..])),
            PeerKind::Stock => match std::str::from_utf8(message) {
                Ok(text) => channel.send_text(now, text),
                Err(_) => channel.send(now, BytesMut::from(message)),
            },
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "the control channel refused a message");
        }
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
                self.handle_read(read.message);
            }
            if dry {
                break;
            }
        }
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

    fn handle_channel(&mut self, now: Instant, event: &RTCDataChannelEvent) {
        match *event {
            RTCDataChannelEvent::OnOpen(id) if *self.channel.get_or_insert(id) == id => {
                self.channel_open = true;
                for message in std::mem::take(&mut self.messages_waiting) {
                    self.write_channel(now, TAG_MESSAGE, &message);
                }
            }
            // A stock end may close a channel of its own accord; ours has only this one.
            RTCDataChannelEvent::OnClose(id) if self.channel == Some(id) => {
                self.channel_open = false;
                if self.peer == PeerKind::Silbo {
                    self.events.push_back(CallEvent::PeerClosed);
                }
            }
            _ => {}
        }
    }

    fn handle_read(&mut self, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(_, packet) => {
                self.sounded = true;
                let rtc::rtp::Packet { header, payload } = packet;
                if header.payload_type == self.payload_type && !payload.is_empty() {
                    self.events.push_back(CallEvent::Voice {
                        sequence: header.sequence_number,
                        timestamp: header.timestamp,
                        payload,
                    });
                }
            }
            RTCMessage::DataChannelMessage(_, message) => match (self.peer, message.data.split_first()) {
                (_, _) if message.data.len() > MAX_MESSAGE + 1 => {
                    tracing::debug!("an overlong message was dropped")
                }
                (PeerKind::Stock, _) => self.events.push_back(CallEvent::Message(message.data.to_vec())),
                (PeerKind::Silbo, Some((&TAG_BYE, []))) => self.events.push_back(CallEvent::PeerClosed),
                (PeerKind::Silbo, Some((&TAG_MESSAGE, text))) => {
                    self.events.push_back(CallEvent::Message(text.to_vec()));
                }
                (PeerKind::Silbo, _) => tracing::debug!("a control message of an unknown kind was dropped"),
            },
            _ => {}
        }
    }

    /// Which side spoke first.
    pub(super) const fn role(&self) -> Role {
        self.role
    }
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
