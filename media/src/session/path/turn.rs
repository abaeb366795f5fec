//! A leg that is an allocation on a relay, reached through a socket or a connection of its own: a relay candidate.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use relay::Credentials;
use relay::client::{Transport, TurnClient, TurnConfig, TurnEvent};

use super::pair::Hop;
use super::stream::{Stream, StreamFault, StreamKind};
use super::{Inbound, Relayed};
use crate::session::PathProtocol;

/// One allocation.
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
    lost: bool,
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
        [self.client.poll_timeout(), stream].into_iter().flatten().min()
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

    fn settle(&mut self) {
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
