//! A leg that is an allocation on a relay, reached through a socket or a connection of its own: a relay candidate.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use relay::Credentials;
use relay::client::{Transport, TurnClient, TurnConfig, TurnEvent};

use super::pair::Hop;
use super::stream::{Stream, StreamFault, StreamKind};
use super::{Inbound, Relayed};
use crate::session::PathProtocol;

/// A relay nothing was heard of for so long is asked for a sign of life: the pairs a call may need are probed every 1.2 s.
const QUIET: Duration = Duration::from_secs(3);
/// One on which the call misses something is asked at once, unless it was heard just now.
const JUST_NOW: Duration = Duration::from_millis(100);
/// How long it has to answer; it is asked four times meanwhile.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// A relay that answers but has not brought anything of the other end for so long, having done so before, relays nothing.
const MUTE: Duration = Duration::from_secs(15);
/// Who looks this much too late has stalled, and asks again.
const LATE: Duration = Duration::from_millis(500);

/// One allocation.
///
/// ```text
///            3 s of silence, or a gap in the call        3 s more
///   Heard ────────────────────────────────────▶ Asked ───────────▶ Silent
///     ▲                                           │                  │      what was relayed, authentic, or an
///     └───────────────────────────────────────────┴──────────────────┘      answer of the relay's own
/// ```
pub(super) struct TurnLeg {
    client: TurnClient,
    over: Over,
    server: SocketAddr,
    relayed: Option<SocketAddr>,
    announced: bool,
    began: Instant,
    /// Bytes of payload, both ways.
    carried: u64,
    ready: VecDeque<SocketAddr>,
    /// When the relay last showed that it is there.
    heard: Instant,
    life: Life,
    /// When the other end was last heard through it.
    spoken: Option<Instant>,
    lost: bool,
}

/// Whether the relay is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Heard,
    Asked { since: Instant },
    Silent,
}

/// What carries its messages.
enum Over {
    Datagrams,
    Stream(Box<Stream>),
}

impl TurnLeg {
    pub(super) fn new(now: Instant, server: SocketAddr, credentials: Credentials, seed: [u8; 32]) -> Self {
        Self::over(now, server, credentials, seed, Over::Datagrams)
    }

    /// One on the relay whose UDP address is `server`, reached over a stream.
    pub(super) fn over_stream(
        now: Instant,
        server: SocketAddr,
        credentials: Credentials,
        seed: [u8; 32],
        stream: Stream,
    ) -> Self {
        Self::over(now, server, credentials, seed, Over::Stream(Box::new(stream)))
    }

    fn over(now: Instant, server: SocketAddr, credentials: Credentials, seed: [u8; 32], over: Over) -> Self {
        let transport = match over {
            Over::Datagrams => Transport::Udp,
            Over::Stream(_) => Transport::Stream,
        };
        let config = TurnConfig { server, credentials, transport };
        Self {
            client: TurnClient::new(config, seed, now),
            over,
            server,
            relayed: None,
            announced: false,
            began: now,
            carried: 0,
            ready: VecDeque::new(),
            heard: now,
            life: Life::Heard,
            spoken: None,
            lost: false,
        }
    }

    /// The relay, by its UDP address.
    pub(super) const fn server(&self) -> SocketAddr {
        self.server
    }

    /// Which stream it is, if it is one.
    pub(super) fn kind(&self) -> Option<StreamKind> {
        match &self.over {
            Over::Datagrams => None,
            Over::Stream(stream) => Some(stream.kind()),
        }
    }

    pub(super) fn hop(&self) -> Hop {
        if self.kind().is_some() { Hop::Stream } else { Hop::Datagrams }
    }

    pub(super) fn protocol(&self) -> PathProtocol {
        match self.kind() {
            None => PathProtocol::Udp,
            Some(StreamKind::Tcp) => PathProtocol::Tcp,
            Some(StreamKind::Tls) => PathProtocol::Tls,
        }
    }

    pub(super) fn stream_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.over {
            Over::Datagrams => None,
            Over::Stream(stream) => Some(stream),
        }
    }

    /// Its stream is of no use any more.
    pub(super) fn fail(&mut self, fault: StreamFault) {
        tracing::debug!(%fault, "a stream to a relay is lost");
        self.relayed = None;
        self.lost = true;
    }

    /// What went through it until now.
    pub(super) fn carried(&self, now: Instant) -> Relayed {
        let lasted = now.saturating_duration_since(self.began);
        Relayed { relay: self.server, lasted, bytes: self.carried }
    }

    /// The relayed address, while there is one.
    pub(super) const fn relayed(&self) -> Option<SocketAddr> {
        self.relayed
    }

    /// Whether there is an allocation, and the relay is there.
    pub(super) fn serves(&self) -> bool {
        self.relayed.is_some() && self.life != Life::Silent
    }

    /// Something came through it that only the other end of the call can have sent.
    pub(super) fn hear(&mut self, now: Instant) {
        (self.heard, self.life, self.spoken) = (now, Life::Heard, Some(now));
    }

    /// Whether it has stopped to relay though it answers, unless the other end says nothing to anybody.
    pub(super) fn is_mute(&self, now: Instant) -> bool {
        self.spoken.is_some_and(|spoken| spoken + MUTE <= now)
    }

    /// The call misses something it should have brought.
    pub(super) fn suspect(&mut self, now: Instant) {
        if self.life == Life::Heard && self.heard + JUST_NOW <= now {
            self.ask(now);
        }
    }

    /// Lets `peer` through; before the allocation exists the client keeps it in mind.
    pub(super) fn open(&mut self, now: Instant, peer: SocketAddr) {
        if let Err(error) = self.client.bind_channel(now, peer) {
            tracing::debug!(%error, "the relay is not asked for a channel");
        }
        self.settle();
    }

    pub(super) fn send(&mut self, now: Instant, peer: SocketAddr, payload: &[u8]) {
        match self.client.send(now, peer, payload) {
            Ok(()) => self.carried += payload.len() as u64,
            Err(error) => tracing::debug!(%error, "a packet was not relayed"),
        }
        self.settle();
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &[u8],
    ) -> Option<Inbound> {
        if source != self.server {
            return None;
        }
        let received = self.client.handle_datagram(now, datagram);
        self.settle();
        let (peer, range) = received?;
        self.carried += range.len() as u64;
        Some(Inbound { local: self.relayed?, peer, range, by: None })
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
        match self.life {
            Life::Heard if self.heard + QUIET <= now => self.ask(now),
            Life::Asked { since } if since + ANSWERS_WITHIN + LATE <= now => self.ask(now),
            Life::Asked { since } if since + ANSWERS_WITHIN <= now => self.life = Life::Silent,
            Life::Heard | Life::Asked { .. } | Life::Silent => {}
        }
        if let Over::Stream(stream) = &self.over
            && let Err(fault) = stream.handle_timeout(now)
        {
            self.fail(fault);
        }
        self.settle();
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let stream = match &self.over {
            Over::Datagrams => None,
            Over::Stream(stream) => stream.poll_timeout(),
        };
        let life = match self.life {
            Life::Heard => Some((self.heard + QUIET, "relay silent")),
            Life::Asked { since } => Some((since + ANSWERS_WITHIN, "relay gone")),
            Life::Silent => None,
        };
        let life = life.filter(|_| self.relayed.is_some());
        [self.client.poll_timeout(), stream, life].into_iter().flatten().min()
    }

    /// The next datagram; what is for a stream waits there until its connection takes it.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let Over::Stream(stream) = &mut self.over else { return self.client.poll_transmit() };
        while let Some(message) = self.client.poll_transmit() {
            stream.push(now, message);
        }
        None
    }

    /// The relayed address, once.
    pub(super) fn poll_allocated(&mut self) -> Option<SocketAddr> {
        if self.announced {
            return None;
        }
        self.announced = self.relayed.is_some();
        self.relayed
    }

    /// An address the relay now lets through, each once.
    pub(super) fn poll_ready(&mut self) -> Option<SocketAddr> {
        self.ready.pop_front()
    }

    /// Whether there is no allocation and will not be one.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.client.release(now);
        self.settle();
    }

    fn ask(&mut self, now: Instant) {
        if self.relayed.is_some() {
            self.client.check(now);
            self.life = Life::Asked { since: now };
        }
    }

    fn settle(&mut self) {
        if let Some(at) = self.client.heard().filter(|at| *at > self.heard) {
            (self.heard, self.life) = (at, Life::Heard);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::Allocated { relayed, .. } => self.relayed = Some(relayed),
                TurnEvent::PeerReady(peer) => self.ready.push_back(peer),
                TurnEvent::PeerFailed { reason, .. } => tracing::debug!(%reason, "a relay refuses a peer"),
                TurnEvent::Failed { reason } => {
                    tracing::warn!(%reason, "a relay is lost");
                    self.relayed = None;
                    self.lost = true;
                }
                TurnEvent::Closed => self.relayed = None,
            }
        }
    }
}
