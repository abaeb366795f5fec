//! Connections between the ends of a [`World`] and its relays: in order, without loss, stalled and refused at will.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use relay::server::StreamId;
use relay::wire::StreamReader;

use super::world::{Arrival, World, moment};
use crate::session::path::streams::{StreamEvent, Wish};
use crate::session::path::{SocketId, StreamKind};

#[derive(Default)]
pub(super) struct Wires {
    open: BTreeMap<(usize, SocketId), Wire>,
    /// Takes nothing and brings nothing, for these ends.
    pub(super) stalled: [bool; 2],
    /// What this network lets nobody open.
    pub(super) refused: Option<StreamKind>,
    /// Everything that was dialled.
    pub(super) dialled: Vec<(usize, StreamKind)>,
    next: u64,
}

struct Wire {
    relay: usize,
    id: StreamId,
    from: SocketAddr,
    reader: StreamReader,
    stands: bool,
}

impl World {
    /// Does what an end wishes, and takes what it has for its connections.
    pub(super) fn settle_wires(&mut self, who: usize) {
        while let Some(wish) = self.ends[who].line.poll_wish() {
            match wish {
                Wish::Dial(dial) => {
                    let end = &mut self.ends[who];
                    let socket = SocketId(end.sockets.len() as u32);
                    let from = SocketAddr::new(end.inside, 9000 + socket.0 as u16);
                    end.sockets.push(from);
                    end.line.add_stream(self.now, socket, &dial);
                    self.wires.dialled.push((who, dial.kind));
                    // TCP takes a round trip, TLS 1.3 another one.
                    let takes = self.plan.latency * if dial.kind == StreamKind::Tls { 4 } else { 2 };
                    if self.wires.refused == Some(dial.kind) {
                        self.schedule(takes, Arrival::FromWire(who, socket, StreamEvent::Closed));
                        continue;
                    }
                    self.wires.next += 1;
                    let relay = self.relays.iter().position(|relay| relay.is_at(dial.address)).unwrap();
                    let (id, reader) = (StreamId(self.wires.next), StreamReader::default());
                    self.wires.open.insert((who, socket), Wire { relay, id, from, reader, stands: false });
                    self.schedule(takes, Arrival::FromWire(who, socket, StreamEvent::Opened));
                }
                Wish::HangUp(socket) => {
                    self.cut(who, socket);
                    self.close(who, socket);
                }
                Wish::OpenBeside(base) => {
                    let end = &mut self.ends[who];
                    let socket = SocketId(end.sockets.len() as u32);
                    let local = SocketAddr::new(end.sockets[base.0 as usize].ip(), 10_000 + socket.0 as u16);
                    end.sockets.push(local);
                    end.beside.insert(socket);
                    end.most_beside = end.most_beside.max(end.beside.len());
                    end.line.add_beside(self.now, socket, local);
                }
                Wish::Allocate(relay) => {
                    let end = &mut self.ends[who];
                    let socket = SocketId(end.sockets.len() as u32);
                    end.sockets.push(SocketAddr::new(end.inside, 6000 + socket.0 as u16));
                    end.towards.push(relay);
                    end.line.add_relay(self.now, socket, relay);
                }
                Wish::Release(relay) => self.ends[who].towards.retain(|towards| *towards != relay),
            }
        }
        let stands = |(key, wire): (&(usize, SocketId), &Wire)| {
            (key.0 == who && wire.stands && !self.wires.stalled[who]).then_some(key.1)
        };
        for socket in self.wires.open.iter().filter_map(stands).collect::<BTreeSet<_>>() {
            while let Some(bytes) = self.ends[who].line.poll_stream(self.now, socket) {
                self.schedule(self.plan.latency, Arrival::ToWire(who, socket, bytes));
            }
        }
    }

    /// Moves what a relay has for its connections onto them.
    pub(super) fn settle_streamed(&mut self, relay: usize) {
        for (stream, mut bytes) in std::mem::take(&mut self.relays[relay].streamed) {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let wire = self.wires.open.iter().find(|(_, wire)| wire.id == stream).map(|(key, _)| *key);
            let Some((who, socket)) = wire else { continue };
            let stalled = self.wires.stalled[who];
            let event = StreamEvent::Bytes(bytes);
            if !stalled {
                self.schedule(self.plan.latency, Arrival::FromWire(who, socket, event));
            }
        }
    }

    /// What a connection brings an end.
    pub(super) fn bring(&mut self, who: usize, socket: SocketId, event: StreamEvent) {
        match self.wires.open.get_mut(&(who, socket)) {
            Some(wire) => wire.stands |= event == StreamEvent::Opened,
            None if event != StreamEvent::Closed => return,
            None => {}
        }
        self.ends[who].line.handle_stream(self.now, socket, event);
    }

    /// What a connection brings a relay.
    pub(super) fn take_bytes(&mut self, who: usize, socket: SocketId, bytes: &[u8]) {
        let now = moment(self.start, self.now);
        let Some(wire) = self.wires.open.get_mut(&(who, socket)) else { return };
        wire.reader.push(bytes);
        while let Some(message) = wire.reader.message().unwrap() {
            self.relays[wire.relay].hear(now, wire.id, wire.from, &message);
        }
    }

    /// The connections of an end break, as when its router forgets them.
    pub(super) fn cut_all(&mut self, who: usize) {
        for (end, socket) in self.wires.open.keys().copied().collect::<Vec<_>>() {
            if end == who {
                self.cut(who, socket);
                self.schedule(self.plan.latency, Arrival::FromWire(who, socket, StreamEvent::Closed));
            }
        }
    }

    /// Nothing comes to this socket any more.
    fn close(&mut self, who: usize, socket: SocketId) {
        let end = &mut self.ends[who];
        end.sockets[socket.0 as usize].set_port(0);
        end.beside.remove(&socket);
    }

    fn cut(&mut self, who: usize, socket: SocketId) {
        let now = moment(self.start, self.now);
        if let Some(wire) = self.wires.open.remove(&(who, socket)) {
            self.relays[wire.relay].end_stream(now, wire.id, wire.from);
        }
    }
}
