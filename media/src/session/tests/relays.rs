//! The relays of a [`super::world::World`]: the real relay core, in virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use relay::server::{AllocationId, Effect, PeerPolicy, PortOutcome, Server, ServerConfig, StreamId, Via};
use relay::wire::ChannelData;
use relay::{CredentialIssuer, Now};

use crate::session::{CertificateHash, RelayServer, RelayStreams};

/// Where the relays listen.
pub(super) const RELAYS: [&str; 5] =
    ["198.51.100.9:3478", "198.51.101.9:3478", "198.51.102.9:3478", "198.51.103.9:3478", "198.51.104.9:3478"];
const SECRET: [u8; 32] = [7; 32];

/// One relay.
pub(super) struct TestRelay {
    pub(super) address: SocketAddr,
    server: Server,
    ports: BTreeMap<u16, AllocationId>,
    next_port: u16,
    /// What it sends over streams.
    pub(super) streamed: Vec<(StreamId, Vec<u8>)>,
    /// Killed or stopped: it takes nothing and says nothing.
    pub(super) dead: bool,
    /// It answers its clients, and relays nothing.
    pub(super) mute: bool,
}

impl TestRelay {
    pub(super) fn new(nth: usize, seed: [u8; 32], now: Now) -> Self {
        let address: SocketAddr = RELAYS[nth].parse().unwrap();
        let config = ServerConfig { peers: PeerPolicy::Lab, ..ServerConfig::new(address, SECRET, seed) };
        let server = Server::new(config, address, now);
        Self {
            address,
            server,
            ports: BTreeMap::new(),
            next_port: 50_000,
            streamed: Vec::new(),
            dead: false,
            mute: false,
        }
    }

    pub(super) fn is_at(&self, to: SocketAddr) -> bool {
        to.ip() == self.address.ip()
    }

    /// What an end is told of it.
    pub(super) fn offer(&self, now: Now, who: usize, lifetime: Duration) -> RelayServer {
        let credentials = CredentialIssuer::new(SECRET).issue(now.unix, &format!("end{who}"), lifetime);
        let address = SocketAddr::new(self.address.ip(), 443);
        let streams = Some(RelayStreams { address, certificate: CertificateHash([3; 32]) });
        let until = Some(now.instant + lifetime);
        RelayServer { udp: self.address, streams, credentials: Some(credentials), until }
    }

    pub(super) fn deliver(&mut self, now: Now, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        if self.dead || self.mute && (to != self.address || ChannelData::matches(payload)) {
        } else if to == self.address {
            self.server.handle_client(now, from, payload);
        } else if let Some(id) = self.ports.get(&to.port()) {
            self.server.handle_peer(now, *id, from, payload);
        }
    }

    /// A message that came by a stream.
    pub(super) fn hear(&mut self, now: Now, stream: StreamId, from: SocketAddr, message: &[u8]) {
        if !self.dead {
            self.server.handle_stream(now, stream, from, message);
        }
    }

    pub(super) fn end_stream(&mut self, now: Now, stream: StreamId, from: SocketAddr) {
        self.server.handle_stream_closed(now, stream, from);
    }

    /// Allocations alive.
    pub(super) fn allocations(&self) -> u64 {
        self.server.stats().allocations
    }

    /// From, to and payload of every datagram it sends.
    pub(super) fn take_transmits(&mut self, now: Now) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
        while let Some(effect) = self.server.poll_effect() {
            if let Effect::OpenRelayPort(id, _) = effect {
                self.next_port += 1;
                self.ports.insert(self.next_port, id);
                self.server.handle_relay_port(now, id, PortOutcome::Opened(self.next_port));
            }
        }
        let mut transmits = Vec::new();
        while let Some(transmit) = self.server.poll_transmit() {
            if let Via::Stream(stream) = transmit.via {
                self.streamed.push((stream, transmit.payload));
                continue;
            }
            let mut from = self.address;
            if let Via::Relayed(id) = transmit.via {
                let Some((port, _)) = self.ports.iter().find(|(_, of)| **of == id) else { continue };
                from.set_port(*port);
            }
            transmits.push((from, transmit.to, transmit.payload));
        }
        transmits
    }
}
