//! Legs over TCP and TLS: what [`Path`] asks its driver for, and what comes of it.
//!
//! ```text
//!   Ways say when ──▶ Wish::Dial ──▶ driver connects ──▶ StreamEvent::Opened, Bytes ... ──▶ messages, as from a socket
//!                     Wish::HangUp ◀── lost, or not needed         Closed ──▶ lost: the next way
//! ```
//!
//! For the way over UDP [`Path`] wishes for a socket ([`Wish::Allocate`]), too.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use rand::RngExt as _;

use super::stream::{Stream, StreamFault, StreamKind};
use super::turn::TurnLeg;
use super::ways::Ways;
use super::{Path, SocketId};
use crate::session::CertificateHash;

/// A connection for the driver to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) struct Dial {
    /// The relay, by its UDP address.
    server: SocketAddr,
    pub(in crate::session) address: SocketAddr,
    pub(in crate::session) kind: StreamKind,
    /// The only one to believe, over TLS.
    pub(in crate::session) certificate: CertificateHash,
}

/// What only the driver can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Wish {
    /// Connect, and say which socket it is: [`Path::add_stream`].
    Dial(Dial),
    /// Close.
    HangUp(SocketId),
    /// Open a socket towards this relay alone: [`Path::add_relay`].
    Allocate(SocketAddr),
    /// Close what was opened for this relay, which is not used any more.
    Release(SocketAddr),
    /// Open a socket on the same address as this one's: [`Path::add_beside`], or [`Path::refuse_beside`].
    OpenBeside(SocketId),
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::session) enum StreamEvent {
    Opened,
    Bytes(Vec<u8>),
    Closed,
}

/// Messages cut from what came by a stream.
pub(in crate::session) struct Messages {
    pub(in crate::session) server: SocketAddr,
    pub(in crate::session) messages: VecDeque<Vec<u8>>,
}

impl Path {
    pub(in crate::session) fn poll_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// The socket of a connection that was wished for, and is being opened.
    pub(in crate::session) fn add_stream(&mut self, now: Instant, socket: SocketId, dial: &Dial) {
        let credentials = self.ways.get(&dial.server).and_then(|ways| ways.relay().credentials.clone());
        let Some(credentials) = credentials else { return self.wishes.push_back(Wish::HangUp(socket)) };
        let stream = Stream::new(now, dial.kind);
        let mut leg = TurnLeg::over_stream(now, dial.server, credentials, self.random.random(), stream);
        for peer in self.remotes.keys() {
            leg.open(now, *peer);
        }
        self.turn.insert(socket, leg);
        self.collect(now);
    }

    /// What became of a connection; what came by it, message by message, is for [`Path::handle_datagram`].
    pub(in crate::session) fn handle_stream(
        &mut self,
        now: Instant,
        socket: SocketId,
        event: StreamEvent,
    ) -> Option<Messages> {
        let leg = self.turn.get_mut(&socket)?;
        let server = leg.server();
        let mut messages = VecDeque::new();
        match (event, leg.stream_mut()?) {
            (StreamEvent::Opened, stream) => stream.opened(now),
            (StreamEvent::Closed, _) => leg.fail(StreamFault::Closed),
            (StreamEvent::Bytes(bytes), stream) => {
                stream.read(&bytes);
                loop {
                    match stream.message() {
                        Ok(Some(message)) => messages.push_back(message),
                        Ok(None) => break,
                        // Where the next one begins is unknown.
                        Err(fault) => break leg.fail(fault),
                    }
                }
            }
        }
        self.collect(now);
        Some(Messages { server, messages })
    }

    /// What a connection that takes something now is to be given.
    pub(in crate::session) fn poll_stream(&mut self, now: Instant, socket: SocketId) -> Option<Vec<u8>> {
        self.turn.get_mut(&socket)?.stream_mut()?.poll(now)
    }

    /// Tells the ways of the relays what became of legs, and does what they say.
    pub(super) fn settle_ways(&mut self, now: Instant, served: Vec<SocketId>, lost: Vec<SocketId>) {
        for socket in served {
            let Some(leg) = self.turn.get(&socket) else { continue };
            let (server, kind) = (leg.server(), leg.kind());
            match (self.ways.get_mut(&server), kind) {
                (Some(ways), None) => ways.served_by_datagrams(),
                (Some(ways), Some(_)) => ways.served_by_stream(),
                (None, _) => {}
            }
            let late = |(socket, leg): (&SocketId, &TurnLeg)| {
                let late = leg.server() == server && leg.kind().is_some() && leg.relayed().is_none();
                late.then_some(*socket)
            };
            for late in self.turn.iter().filter_map(late).collect::<Vec<_>>() {
                self.drop_leg(now, late);
            }
        }
        for socket in lost {
            let Some(leg) = self.drop_leg(now, socket) else { continue };
            let server = leg.server();
            let streams = self.legs_of(server).filter(|leg| leg.kind().is_some()).count();
            let Some(ways) = self.ways.get_mut(&server) else { continue };
            match leg.kind() {
                None => ways.lost_datagrams(now, streams),
                Some(_) => ways.lost_stream(now, streams),
            }
        }
        let spent = |ways: &Ways| ways.is_spent() && self.legs_of(ways.relay().udp).next().is_none();
        let spent: Vec<SocketAddr> =
            self.ways.iter().filter(|(_, ways)| spent(ways)).map(|(server, _)| *server).collect();
        for server in spent {
            self.ways.remove(&server);
            self.supply.fail(now, server);
            self.wishes.push_back(Wish::Release(server));
        }
    }

    /// Nothing is heard any more, whatever relays have granted: where there is no stream, one is tried.
    pub(super) fn hurry_ways(&mut self, now: Instant) {
        for (server, ways) in &mut self.ways {
            let streams = self.turn.values().any(|leg| leg.server() == *server && leg.kind().is_some());
            if !streams {
                ways.cut_off(now);
            }
        }
    }

    /// Dials what is due.
    pub(super) fn dial_ways(&mut self, now: Instant) {
        for (server, ways) in &mut self.ways {
            if let Some((streams, kind)) = ways.handle_timeout(now) {
                let (address, certificate) = (streams.address, streams.certificate);
                self.wishes.push_back(Wish::Dial(Dial { server: *server, address, kind, certificate }));
            }
        }
    }

    /// Forgets a relay, and closes what leads to it.
    pub(super) fn forget_relay(&mut self, now: Instant, server: SocketAddr) {
        self.ways.remove(&server);
        let of_it = self.turn.iter().filter(|(_, leg)| leg.server() == server);
        for socket in of_it.map(|(socket, _)| *socket).collect::<Vec<_>>() {
            self.drop_leg(now, socket);
        }
    }

    pub(super) fn legs_of(&self, server: SocketAddr) -> impl Iterator<Item = &TurnLeg> {
        self.turn.values().filter(move |leg| leg.server() == server)
    }

    fn drop_leg(&mut self, now: Instant, socket: SocketId) -> Option<TurnLeg> {
        let leg = self.turn.remove(&socket)?;
        if leg.kind().is_some() {
            self.wishes.push_back(Wish::HangUp(socket));
        }
        self.supply.bill(leg.carried(now));
        self.drop_base(now, socket);
        Some(leg)
    }
}
