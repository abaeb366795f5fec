//! One whole call as a state machine without sockets: [`Call`] above, [`Path`] below, and how it all ends.
//!
//! ```text
//!   Setup ── remote description ──▶ Connecting ── certificate proven ──▶ Talking
//!     │                               │  15 s: NoPath or NotAuthentic      │  15 s of silence: Lost
//!     └────── hang up ────────────────┴── hang up: Closed, bye: PeerClosed ┴─────────▶ Over
//! ```
//!
//! A line is driven like every state machine here: datagrams and instants in, transmits, events and one deadline out.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::call::{Call, CallEvent, Measured, Outgoing, PeerKind};
use super::description::{Candidate, Description, MAX_CANDIDATES};
use super::path::streams::{Dial, Messages, StreamEvent, Wish};
use super::path::{Dropped, Inbound, Path, PathEvent, SocketId, Transmit};
use super::sdp::{self, MAX_SDP, Role};
use super::{
    AddressScope, PathPolicy, PathReport, RelayServer, Relayed, RelaysWanted, SessionEnd, SessionError,
};
use crate::voice::VoicePacket;

/// Time from both descriptions to the proven certificate; slightly more than ICE takes to give up.
const CONNECT_WITHIN: Duration = Duration::from_secs(16);

/// Candidates of the other end kept until its description has come; later ones are dropped.
const EARLY_CANDIDATES: usize = 24;

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
    Voice {
        sequence: u16,
        timestamp: u32,
        payload: Bytes,
    },
    Message(Vec<u8>),
    /// The last event.
    Ended(SessionEnd),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// One description is missing.
    Setup,
    /// Looking for a path until the instant.
    Connecting {
        until: Instant,
        found: bool,
    },
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
    described: bool,
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
            described: false,
            events: VecDeque::new(),
        })
    }

    /// Our offer.
    pub(super) fn offer(&mut self, now: Instant) -> Result<Description, SessionError> {
        let sdp = self.call.offer(now)?;
        self.describe(now, &sdp)
    }

    /// Our answer to `offer`.
    pub(super) fn answer(&mut self, now: Instant, offer: &Description) -> Result<Description, SessionError> {
        let sdp = self.call.answer(now, sdp::remote(offer, Role::Offer))?;
        let answer = self.describe(now, &sdp)?;
        self.path.set_peer(now, offer);
        self.begin(now, &offer.candidates);
        Ok(answer)
    }

    /// The other end's answer to our offer. Envelopes come more than once: a second answer changes nothing.
    pub(super) fn accept(&mut self, now: Instant, answer: &Description) -> Result<(), SessionError> {
        if self.waits_for_answer() {
            self.call.accept_description(now, answer)?;
            self.path.set_peer(now, answer);
            self.begin(now, &answer.candidates);
        }
        Ok(())
    }

    /// Our offer to a stock end.
    pub(super) fn offer_sdp(&mut self, now: Instant) -> Result<String, SessionError> {
        let sdp = self.call.offer(now)?;
        self.trickle_all(now);
        Ok(sdp)
    }

    /// Our answer to a stock end.
    pub(super) fn answer_sdp(&mut self, now: Instant, offer: &str) -> Result<String, SessionError> {
        let (offer, candidates) = without_candidates(offer)?;
        let sdp = self.call.answer(now, offer)?;
        self.trickle_all(now);
        self.begin(now, &candidates);
        Ok(sdp)
    }

    /// A stock end's answer to our offer.
    pub(super) fn accept_sdp(&mut self, now: Instant, answer: &str) -> Result<(), SessionError> {
        if self.waits_for_answer() {
            let (answer, candidates) = without_candidates(answer)?;
            self.call.accept(now, answer)?;
            self.begin(now, &candidates);
        }
        Ok(())
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
        let sent = self.call.send_voice(now, packet);
        self.settle(now);
        sent
    }

    pub(super) fn send_message(&mut self, now: Instant, message: Vec<u8>) {
        self.call.send_message(now, message);
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
        self.call.handle_timeout(now);
        self.settle(now);
        if let Phase::Connecting { until, found } = self.phase
            && until <= now
        {
            self.end(now, if found { SessionEnd::NotAuthentic } else { SessionEnd::NoPath });
            self.settle(now);
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, &'static str)> {
        let connect = match self.phase {
            Phase::Connecting { until, .. } => Some((until, "connect")),
            Phase::Setup | Phase::Talking => None,
            Phase::Over => return None,
        };
        [self.path.poll_timeout(), self.call.poll_timeout(), connect].into_iter().flatten().min()
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
        Measured { rtt: self.path.rtt().or(measured.rtt), ..measured }
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

    fn waits_for_answer(&self) -> bool {
        self.call.role() == Role::Offer && self.phase == Phase::Setup && self.described
    }

    /// A stock end is told every address as a trickled candidate, whatever its SDP already has.
    fn trickle_all(&mut self, now: Instant) {
        self.settle(now);
        self.described = true;
        self.events.extend(std::mem::take(&mut self.first).into_iter().map(LineEvent::Candidate));
    }

    fn describe(&mut self, now: Instant, sdp: &str) -> Result<Description, SessionError> {
        self.settle(now);
        self.described = true;
        let mut description = sdp::local(sdp).map_err(|error| SessionError::Engine(error.to_string()))?;
        self.path.set_own(&description);
        let mut known = std::mem::take(&mut self.first);
        for candidate in known.split_off(known.len().min(MAX_CANDIDATES)) {
            self.events.push_back(LineEvent::Candidate(candidate));
        }
        description.candidates = known;
        Ok(description)
    }

    fn begin(&mut self, now: Instant, candidates: &[Candidate]) {
        self.phase = Phase::Connecting { until: now + CONNECT_WITHIN, found: false };
        for candidate in candidates.iter().copied().chain(std::mem::take(&mut self.early)) {
            self.add_remote(now, &candidate);
        }
        if self.peer == PeerKind::Stock {
            self.take_early_packets(now);
        }
        self.settle(now);
    }

    fn add_remote(&mut self, now: Instant, candidate: &Candidate) {
        if self.path.add_remote(now, candidate) && self.peer == PeerKind::Stock {
            self.call.add_remote(now, candidate);
        }
    }

    /// Whether what comes from the other end can be taken: the answer has come, and between Silbos ICE knows of a pair,
    /// for it lets no DTLS in before.
    fn takes_packets(&self) -> bool {
        match (self.peer, self.phase) {
            (_, Phase::Setup) | (PeerKind::Silbo, Phase::Connecting { found: false, .. }) => false,
            (_, Phase::Connecting { .. } | Phase::Talking | Phase::Over) => true,
        }
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
                return;
            }
        }
    }

    fn handle_path(&mut self, now: Instant, event: PathEvent) {
        match event {
            PathEvent::Local(candidate) | PathEvent::Told(candidate) => {
                if matches!(event, PathEvent::Local(_)) {
                    self.call.add_local(now, &candidate);
                }
                if self.described {
                    self.events.push_back(LineEvent::Candidate(candidate));
                } else {
                    self.first.push(candidate);
                }
            }
            PathEvent::Usable(candidate) => {
                self.call.add_remote(now, &candidate);
                self.call.handle_timeout(now);
            }
            PathEvent::Changed if self.phase == Phase::Talking => self.report(now),
            PathEvent::Changed => {}
            PathEvent::RelaysWanted(wanted) => self.events.push_back(LineEvent::RelaysWanted(wanted)),
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
                if let Phase::Connecting { found, .. } = &mut self.phase {
                    *found = true;
                }
                self.take_early_packets(now);
            }
            CallEvent::Connected => {
                self.phase = Phase::Talking;
                self.events.push_back(LineEvent::Connected);
                self.path.set_talking(now);
                self.report(now);
            }
            CallEvent::Voice { sequence, timestamp, payload } => {
                self.events.push_back(LineEvent::Voice { sequence, timestamp, payload });
            }
            CallEvent::Message(message) => self.events.push_back(LineEvent::Message(message)),
            CallEvent::PeerClosed => self.end(now, SessionEnd::PeerClosed),
            CallEvent::Failed => {
                let end = match self.phase {
                    Phase::Talking => SessionEnd::Lost,
                    Phase::Connecting { found: true, .. } => SessionEnd::NotAuthentic,
                    _ => SessionEnd::NoPath,
                };
                self.end(now, end);
            }
        }
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

/// A stock end's SDP, and the candidates it had: they go the way of trickled ones, so that the policy applies to them.
fn without_candidates(sdp: &str) -> Result<(String, Vec<Candidate>), SessionError> {
    if sdp.len() > MAX_SDP {
        return Err(SessionError::Description("SDP too long".to_owned()));
    }
    let (told, kept): (Vec<&str>, Vec<&str>) = sdp.lines().partition(|line| line.starts_with("a=candidate:"));
    let mut candidates = Vec::new();
    for candidate in told.into_iter().filter_map(|line| Candidate::from_sdp(line).ok()) {
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    Ok((kept.join("\r\n") + "\r\n", candidates))
}
