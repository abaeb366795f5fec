//! One whole call as a state machine without sockets: [`Call`] above, [`Path`] below, and how it all ends.
//!
//! ```text
//!   Setup ── remote description ──▶ Connecting ── certificate proven ──▶ Ready ── picked up ──▶ Talking
//!     │                               │  16 s from picking up:             │  15 s of silence: Lost   │
//!     │                               │  NoPath or NotAuthentic            │                          │
//!     └────── hang up ────────────────┴── hang up: Closed, bye: PeerClosed ┴──────────────────────────┴──▶ Over
//! ```
//!
//! A way is found and secured while it still rings, as long as that may take; until somebody picks up no sound passes, in
//! neither direction.
//!
//! A line is driven like every state machine here: datagrams and instants in, transmits, events and one deadline out.

mod restart;
mod setup;
mod silence;
mod telling;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::call::{Budget, Call, CallEvent, Measured, MediaKind, Outgoing, PeerKind};
use super::description::Candidate;
use super::path::streams::{Dial, Messages, StreamEvent, Wish};
use super::path::{Dropped, Inbound, Path, PathEvent, SocketId, Transmit};
use super::sdp::Role;
use super::{
    AddressScope, Camera, PathPolicy, PathReport, Reception, RelayHealth, RelayServer, Relayed, RelaysWanted,
    SessionEnd, SessionError,
};
use restart::Restart;
use telling::Microphones;

use crate::codec;
use crate::video::sender::VideoPacket;
use crate::video::sync::NtpTime;
use crate::video::viewing::Viewing;
use crate::video::vpx::Codec;
use crate::voice::{EarlierFrame, FrameNumber, Mute, Room, Transmission, VoicePacket};

/// Time from picking up, with both descriptions, to the proven certificate; slightly more than ICE takes to give up.
const CONNECT_WITHIN: Duration = Duration::from_secs(16);

/// Candidates of the other end kept until its description has come; later ones are dropped.
const EARLY_CANDIDATES: usize = 24;

/// Candidates of ours told to a stock end that are told again when ICE begins anew.
const TOLD_CANDIDATES: usize = 24;

/// Packets kept until the other end's answer has come, for its first checks overtake it; later ones are dropped, and
/// the other end repeats them.
const EARLY_PACKETS: usize = 16;

/// What a line says.
#[derive(Debug)]
pub(super) enum LineEvent {
    Candidate(Candidate),
    Connected,
    Path(PathReport),
    RelaysWanted(RelaysWanted),
    Relay(SocketAddr, RelayHealth),
    Voice {
        number: FrameNumber,
        timestamp: u32,
        payload: Bytes,
        copies: Vec<EarlierFrame>,
        transmission: Transmission,
    },
    Video {
        codec: Codec,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: Bytes,
    },
    KeyframeWanted,
    /// Of the other end.
    Camera(Camera),
    /// Its pictures up to this RTP timestamp are over.
    PicturesEnd(u32),
    Clock {
        kind: MediaKind,
        ntp: NtpTime,
        rtp: u32,
    },
    Message(Vec<u8>),
    /// The other end shows our pictures so large.
    Viewing(Viewing),
    /// Whether the other end is muted.
    Mute(Mute),
    /// Whether anything comes from it.
    Reception(Reception),
    /// The last event.
    Ended(SessionEnd),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// One description is missing.
    Setup,
    /// Looking for a path, until the instant once somebody has picked up.
    Connecting {
        until: Option<Instant>,
    },
    /// The other end is proven, and nobody has picked up.
    Ready,
    Talking,
    Over,
}

/// A packet that came before the answer.
struct EarlyPacket {
    local: SocketAddr,
    peer: SocketAddr,
    payload: Vec<u8>,
}

/// One call.
pub(super) struct Line {
    call: Call,
    path: Path,
    peer: PeerKind,
    phase: Phase,
    early: Vec<Candidate>,
    early_packets: Vec<EarlyPacket>,
    /// The pair the last media or DTLS packet left through.
    pair: Option<(SocketAddr, SocketAddr)>,
    /// Known before our description was made: inside it, not trickled.
    first: Vec<Candidate>,
    /// What a stock end was told so far.
    told: Vec<Candidate>,
    restart: Restart,
    described: bool,
    picked_up: bool,
    microphones: Microphones,
    reception: Reception,
    /// Whether ICE lets packets in.
    open: bool,
    /// Whether a way is proven.
    found: bool,
    /// When the other end was.
    secured: Option<Instant>,
    events: VecDeque<LineEvent>,
}

impl Line {
    /// A line that has not spoken: add interfaces and relays, then describe it.
    pub(super) fn new(
        now: Instant,
        role: Role,
        peer: PeerKind,
        policy: PathPolicy,
        scope: AddressScope,
        seed: [u8; 32],
    ) -> Result<Self, SessionError> {
        let mut random = StdRng::from_seed(seed);
        let mut call = Call::new(now, role, peer, policy, random.random())?;
        let path = Path::new(role, peer, policy, scope, random.random());
        if let Some(candidate) = path.ice_candidate() {
            call.add_local(now, &candidate);
        }
        Ok(Self {
            call,
            path,
            peer,
            phase: Phase::Setup,
            early: Vec::new(),
            early_packets: Vec::new(),
            pair: None,
            first: Vec::new(),
            told: Vec::new(),
            restart: Restart::default(),
            described: false,
            picked_up: false,
            microphones: Microphones::default(),
            reception: Reception::Fine,
            open: peer == PeerKind::Stock,
            found: false,
            secured: None,
            events: VecDeque::new(),
        })
    }

    pub(super) fn wants_interface(&self, ip: IpAddr) -> bool {
        self.path.wants_interface(ip)
    }

    pub(super) fn add_interface(&mut self, now: Instant, socket: SocketId, local: SocketAddr) {
        self.path.add_interface(now, socket, local);
        self.settle(now);
    }

    /// The interface's address is gone.
    pub(super) fn remove_interface(&mut self, now: Instant, socket: SocketId) {
        self.path.remove_interface(now, socket);
        self.settle(now);
    }

    /// Relays this call may use.
    pub(super) fn offer_relays(&mut self, now: Instant, relays: &[RelayServer]) {
        if self.phase != Phase::Over {
            self.path.offer_relays(now, relays);
            self.settle(now);
        }
    }

    /// A router has opened its port `outside` for our socket at `inside`.
    pub(super) fn add_mapping(&mut self, now: Instant, inside: SocketAddr, outside: SocketAddr) {
        self.path.add_mapping(now, inside, outside);
        self.settle(now);
    }

    /// The socket towards a relay that was wished for.
    pub(super) fn add_relay(&mut self, now: Instant, socket: SocketId, server: SocketAddr) {
        self.path.add_relay(now, socket, server);
        self.settle(now);
    }

    /// A socket for a relay that is used already, from our new address.
    pub(super) fn replace_relay(&mut self, now: Instant, socket: SocketId, server: SocketAddr) {
        self.path.replace_relay(now, socket, server);
        self.settle(now);
    }

    /// A socket that was wished for beside another one.
    pub(super) fn add_beside(&mut self, now: Instant, socket: SocketId, local: SocketAddr) {
        self.path.add_beside(now, socket, local);
        self.settle(now);
    }

    /// It could not be opened.
    pub(super) fn refuse_beside(&mut self, now: Instant) {
        self.path.refuse_beside(now);
        self.settle(now);
    }

    /// The connection that was wished for, on its way.
    pub(super) fn add_stream(&mut self, now: Instant, socket: SocketId, dial: &Dial) {
        self.path.add_stream(now, socket, dial);
        self.settle(now);
    }

    /// What became of it.
    pub(super) fn handle_stream(&mut self, now: Instant, socket: SocketId, event: StreamEvent) {
        if let Some(Messages { server, messages }) = self.path.handle_stream(now, socket, event) {
            for message in messages {
                self.take(now, socket, server, &message);
            }
        }
        self.settle(now);
    }

    /// An address of the other end, perhaps before its description.
    pub(super) fn add_candidate(&mut self, now: Instant, candidate: Candidate) {
        if self.call.has_remote() {
            self.add_remote(now, &candidate);
        } else if self.early.len() < EARLY_CANDIDATES {
            self.early.push(candidate);
        }
        self.settle(now);
    }

    /// Whether the packet left.
    pub(super) fn send_voice(&mut self, now: Instant, packet: VoicePacket) -> bool {
        self.path.set_spacing(codec::duration_in(&packet.payload));
        let sent = self.phase == Phase::Talking && self.call.send_voice(now, packet);
        self.settle(now);
        sent
    }

    /// What pictures are encoded with; none where none are taken.
    pub(super) fn video_codec(&self) -> Option<Codec> {
        self.call.video_codec()
    }

    /// Our pictures are sent from now on, or not.
    pub(super) fn set_camera(&mut self, now: Instant, camera: Camera) {
        self.call.set_camera(now, camera);
        self.settle(now);
    }

    /// The packets of one picture.
    pub(super) fn send_video(&mut self, now: Instant, packets: Vec<VideoPacket>) {
        if self.phase == Phase::Talking {
            self.call.send_video(now, packets);
            self.settle(now);
        }
    }

    /// What the encoder may do.
    pub(super) fn video_budget(&mut self, now: Instant) -> Budget {
        self.call.video_budget(now)
    }

    /// Nothing of theirs can be shown without a keyframe.
    pub(super) fn need_keyframe(&mut self, now: Instant) {
        self.call.need_keyframe(now);
        self.settle(now);
    }

    /// Tells the other end and ends.
    pub(super) fn hang_up(&mut self, now: Instant) {
        self.end(now, SessionEnd::Closed);
        self.settle(now);
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        self.take(now, socket, source, datagram);
        self.settle(now);
    }

    fn take(&mut self, now: Instant, socket: SocketId, source: SocketAddr, datagram: &[u8]) {
        if let Some(Inbound { local, peer, range, by }) =
            self.path.handle_datagram(now, socket, source, datagram)
        {
            let payload = &datagram[range];
            if self.takes_packets() {
                let sound = self.call.handle_datagram(now, local, peer, payload);
                if let Some(by) = by.filter(|_| sound) {
                    self.path.handle_sound(now, by);
                }
            } else if self.early_packets.len() < EARLY_PACKETS {
                self.early_packets.push(EarlyPacket { local, peer, payload: payload.to_vec() });
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.path.handle_timeout(now);
        if let Some(rtt) = self.path.rtt() {
            self.call.set_round_trip(rtt);
        }
        if self.is_call_awake() {
            self.call.handle_timeout(now);
        }
        self.settle(now);
        if self.lost_at().is_some_and(|at| at <= now) {
            self.end(now, SessionEnd::Lost);
            self.settle(now);
        }
        if let Phase::Connecting { until: Some(until) } = self.phase
            && until <= now
        {
            self.end(now, if self.found { SessionEnd::NotAuthentic } else { SessionEnd::NoPath });
            self.settle(now);
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, &'static str)> {
        let connect = match self.phase {
            Phase::Connecting { until } => until.map(|until| (until, "connect")),
            Phase::Setup | Phase::Ready | Phase::Talking => None,
            Phase::Over => return None,
        };
        let lost = self.silent_at().or(self.lost_at()).map(|at| (at, "silence"));
        let call = if self.is_call_awake() { self.call.poll_timeout() } else { None };
        [self.path.poll_timeout(), call, connect, lost].into_iter().flatten().min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.path.poll_transmit()
    }

    /// The next message for a connection that takes one.
    pub(super) fn poll_stream(&mut self, now: Instant, socket: SocketId) -> Option<Vec<u8>> {
        self.path.poll_stream(now, socket)
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.path.poll_wish()
    }

    pub(super) fn poll_event(&mut self) -> Option<LineEvent> {
        self.events.pop_front()
    }

    pub(super) fn measure(&mut self, now: Instant) -> Measured {
        let measured = self.call.measure(now);
        // Whoever lends us a relay has other uses for what short frames take.
        let room = if self.path.is_lent() { Room::Usual } else { measured.room };
        Measured { rtt: self.path.rtt().or(measured.rtt), room, ..measured }
    }

    /// How long the last probe of the way in use took, there and back, once for each.
    pub(super) fn poll_round_trip(&mut self) -> Option<Duration> {
        self.path.poll_round_trip()
    }

    pub(super) fn relayed(&self, now: Instant) -> Vec<Relayed> {
        self.path.relayed(now)
    }

    pub(super) const fn dropped(&self) -> Dropped {
        self.path.dropped()
    }

    /// Relays of ours on which something is heard.
    #[cfg(test)]
    pub(super) fn relays_heard(&self, now: Instant) -> usize {
        self.path.relays_heard(now)
    }

    fn add_remote(&mut self, now: Instant, candidate: &Candidate) {
        if self.path.add_remote(now, candidate) && self.peer == PeerKind::Stock {
            self.call.add_remote(now, candidate);
        }
    }

    /// Whether what comes from the other end can be taken: the answer has come, and ICE lets something in.
    fn takes_packets(&self) -> bool {
        self.phase != Phase::Setup && self.open
    }

    /// Between Silbos the path repeats what DTLS says, so that the core's clock has nothing to do until that is done.
    fn is_call_awake(&self) -> bool {
        let secures = matches!(self.phase, Phase::Connecting { .. }) && self.open;
        self.peer == PeerKind::Stock || !secures
    }

    fn take_early_packets(&mut self, now: Instant) {
        for EarlyPacket { local, peer, payload } in std::mem::take(&mut self.early_packets) {
            self.call.handle_datagram(now, local, peer, &payload);
        }
    }

    /// Moves everything between the call and the path until both are at rest.
    fn settle(&mut self, now: Instant) {
        loop {
            let mut at_rest = true;
            while let Some(event) = self.path.poll_event() {
                at_rest = false;
                self.handle_path(now, event);
            }
            while let Some(outgoing) = self.call.poll_outgoing() {
                at_rest = false;
                self.handle_outgoing(now, outgoing);
            }
            while let Some(event) = self.call.poll_event() {
                at_rest = false;
                self.handle_call(now, event);
            }
            if at_rest {
                return self.follow_reception(now);
            }
        }
    }

    fn handle_path(&mut self, now: Instant, event: PathEvent) {
        match event {
            PathEvent::Local(candidate) | PathEvent::Told(candidate) => {
                if matches!(event, PathEvent::Local(_)) {
                    self.call.add_local(now, &candidate);
                }
                if self.peer == PeerKind::Stock && self.told.len() < TOLD_CANDIDATES {
                    self.told.push(candidate);
                }
                if self.described {
                    self.events.push_back(LineEvent::Candidate(candidate));
                } else {
                    self.first.push(candidate);
                }
            }
            PathEvent::Proven => {
                self.found = true;
                if self.phase == Phase::Talking {
                    self.report(now);
                }
            }
            PathEvent::Changed => {
                self.call.handle_new_way(now);
                if self.phase == Phase::Talking {
                    self.report(now);
                }
            }
            PathEvent::RelaysWanted(wanted) => self.events.push_back(LineEvent::RelaysWanted(wanted)),
            PathEvent::Relay(relay, health) => self.events.push_back(LineEvent::Relay(relay, health)),
        }
    }

    fn handle_outgoing(&mut self, now: Instant, Outgoing { local, peer, payload }: Outgoing) {
        match self.path.answer_ice(now, &payload) {
            Some(answers) => {
                for answer in answers {
                    self.call.handle_datagram(now, local, peer, &answer);
                }
            }
            None => {
                if !matches!(payload.first(), None | Some(0..=3)) {
                    self.pair = Some((local, peer));
                }
                self.path.send(now, local, peer, payload.to_vec());
            }
        }
    }

    fn handle_call(&mut self, now: Instant, event: CallEvent) {
        if self.phase == Phase::Over {
            return;
        }
        match event {
            CallEvent::PathFound => {
                self.open = true;
                self.found |= self.peer == PeerKind::Stock;
                self.take_early_packets(now);
            }
            CallEvent::Connected => {
                self.secured = Some(now);
                self.phase = Phase::Ready;
                if self.picked_up {
                    self.talk(now);
                }
            }
            // Whoever speaks into a telephone that rings is not heard.
            CallEvent::Voice { .. } | CallEvent::Video { .. } if self.phase != Phase::Talking => {}
            CallEvent::Voice { number, timestamp, payload, copies, transmission } => {
                self.path.set_their_spacing(codec::duration_in(&payload));
                let voice = LineEvent::Voice { number, timestamp, payload, copies, transmission };
                self.events.push_back(voice);
            }
            CallEvent::Video { codec, sequence, timestamp, marker, payload } => {
                self.events.push_back(LineEvent::Video { codec, sequence, timestamp, marker, payload });
            }
            CallEvent::KeyframeWanted => self.events.push_back(LineEvent::KeyframeWanted),
            CallEvent::PicturesEnd(last) => self.events.push_back(LineEvent::PicturesEnd(last)),
            CallEvent::Camera(camera) => self.events.push_back(LineEvent::Camera(camera)),
            CallEvent::Clock { kind, ntp, rtp } => {
                self.events.push_back(LineEvent::Clock { kind, ntp, rtp });
            }
            CallEvent::Message(message) => self.events.push_back(LineEvent::Message(message)),
            CallEvent::Viewing(viewing) => self.events.push_back(LineEvent::Viewing(viewing)),
            CallEvent::Mute(mute) => self.hear_of_microphone(mute),
            CallEvent::PeerClosed => self.end(now, SessionEnd::PeerClosed),
            CallEvent::Failed => {
                let end = match self.phase {
                    Phase::Ready | Phase::Talking => SessionEnd::Lost,
                    // Between Silbos ICE does not fail so early: it is DTLS.
                    Phase::Connecting { .. } if self.found || self.peer == PeerKind::Silbo => {
                        SessionEnd::NotAuthentic
                    }
                    _ => SessionEnd::NoPath,
                };
                self.end(now, end);
            }
        }
    }

    fn talk(&mut self, now: Instant) {
        self.phase = Phase::Talking;
        self.events.push_back(LineEvent::Connected);
        self.path.set_talking(now);
        self.report(now);
        self.tell_of_microphones(now);
    }

    fn report(&mut self, now: Instant) {
        let rtt = self.call.measure(now).rtt;
        self.events.extend(self.path.report(self.pair, rtt).map(LineEvent::Path));
    }

    fn end(&mut self, now: Instant, end: SessionEnd) {
        if self.phase == Phase::Over {
            return;
        }
        self.phase = Phase::Over;
        self.call.close(now);
        while let Some(outgoing) = self.call.poll_outgoing() {
            self.handle_outgoing(now, outgoing);
        }
        self.path.close(now);
        self.events.push_back(LineEvent::Ended(end));
    }
}
