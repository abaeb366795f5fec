//! The UDP sockets of one session and its connections to relays, polled together by its one task.
#![expect(clippy::disallowed_types, reason = "a driver owns sockets")]

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use relay::driver::{RelayStream, Security, dial};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::connection::Connection;
use crate::session::path::streams::{Dial, StreamEvent};
use crate::session::path::{SocketId, StreamKind, Transmit};

/// Datagrams taken from one socket before the others have their turn.
const BATCH: usize = 32;

/// Longest datagram looked at; WebRTC stays below 1,500 bytes, the rest is cut off and then refused as malformed.
const DATAGRAM: usize = 2048;

/// Datagrams kept for a socket that takes none just now; the oldest is dropped when more come.
const BACKLOG: usize = 64;

/// What came.
pub(in crate::session) enum Received {
    /// A datagram.
    Datagram { socket: SocketId, source: SocketAddr, payload: Vec<u8> },
    /// News of a connection.
    Stream { socket: SocketId, event: StreamEvent },
}

/// All sockets of a session, by their [`SocketId`], which is never used again.
#[derive(Default)]
pub(in crate::session) struct Sockets {
    open: BTreeMap<SocketId, Socket>,
    connections: BTreeMap<SocketId, Connection<RelayStream>>,
    opened: u32,
}

struct Socket {
    io: UdpSocket,
    backlog: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Sockets {
    /// The addresses of this machine, IPv4 first.
    pub(in crate::session) fn interfaces() -> io::Result<Vec<IpAddr>> {
        let mut addresses: Vec<IpAddr> =
            if_addrs::get_if_addrs()?.iter().map(if_addrs::Interface::ip).collect();
        addresses.sort_by_key(|ip| (ip.is_ipv6(), ip.is_loopback()));
        addresses.dedup();
        Ok(addresses)
    }

    /// A socket on any port of `ip`.
    pub(in crate::session) fn open(&mut self, ip: IpAddr) -> io::Result<(SocketId, SocketAddr)> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let io = UdpSocket::from_std(socket)?;
        let id = self.next_id();
        self.open.insert(id, Socket { io, backlog: VecDeque::new() });
        Ok((id, local))
    }

    /// A socket on another port of the same address as this one's.
    pub(in crate::session) fn open_beside(&mut self, base: SocketId) -> io::Result<(SocketId, SocketAddr)> {
        let base = self.open.get(&base).ok_or(io::ErrorKind::NotFound)?;
        let ip = base.io.local_addr()?.ip();
        self.open(ip)
    }

    /// Begins to connect to a relay.
    pub(in crate::session) fn dial(&mut self, Dial { address, kind, certificate, .. }: &Dial) -> SocketId {
        let security = match kind {
            StreamKind::Tcp => Security::Clear,
            StreamKind::Tls => Security::Tls(*certificate),
        };
        let id = self.next_id();
        self.connections.insert(id, Connection::new(dial(*address, security)));
        id
    }

    /// Closes a socket whose address is gone, or a connection.
    pub(in crate::session) fn close(&mut self, socket: SocketId) {
        self.open.remove(&socket);
        self.connections.remove(&socket);
    }

    fn next_id(&mut self) -> SocketId {
        let id = SocketId(self.opened);
        self.opened += 1;
        id
    }

    /// The address packets for `destination` leave from just now; nothing is sent.
    pub(in crate::session) fn source_towards(destination: SocketAddr) -> io::Result<IpAddr> {
        let socket = std::net::UdpSocket::bind((any(destination), 0))?;
        socket.connect(destination)?;
        Ok(socket.local_addr()?.ip())
    }

    /// A socket that reaches `destination` from whatever interface leads there.
    pub(in crate::session) fn open_towards(&mut self, destination: SocketAddr) -> io::Result<SocketId> {
        Ok(self.open(any(destination))?.0)
    }

    /// Sends now, or as soon as the socket takes it. Errors are the network's: ICE and TURN repeat what matters.
    pub(in crate::session) fn send(&mut self, transmit: Transmit) {
        let Transmit { socket, destination, payload } = transmit;
        let Some(socket) = self.open.get_mut(&socket) else { return };
        let blocked = !socket.backlog.is_empty()
            || socket
                .io
                .try_send_to(&payload, destination)
                .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        if blocked {
            if socket.backlog.len() == BACKLOG {
                socket.backlog.pop_front();
            }
            socket.backlog.push_back((destination, payload));
        }
    }

    /// Empties backlogs, gives connections the messages they take, and fills `inbox`; ready when something was received.
    pub(in crate::session) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        inbox: &mut Vec<Received>,
        mut next: impl FnMut(SocketId) -> Option<Vec<u8>>,
    ) -> Poll<()> {
        for (id, connection) in &mut self.connections {
            connection.poll(cx, || next(*id), |event| inbox.push(Received::Stream { socket: *id, event }));
        }
        let mut buffer = [0; DATAGRAM];
        for (id, socket) in &mut self.open {
            while let Some((destination, payload)) = socket.backlog.front() {
                match socket.io.poll_send_to(cx, payload, *destination) {
                    Poll::Ready(_) => socket.backlog.pop_front(),
                    Poll::Pending => break,
                };
            }
            for _ in 0..BATCH {
                let mut buffer = ReadBuf::new(&mut buffer);
                match socket.io.poll_recv_from(cx, &mut buffer) {
                    Poll::Ready(Ok(source)) => {
                        let payload = buffer.filled().to_vec();
                        inbox.push(Received::Datagram { socket: *id, source, payload });
                    }
                    // An ICMP error of an earlier packet.
                    Poll::Ready(Err(_)) => {}
                    Poll::Pending => break,
                }
            }
        }
        if inbox.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Gives connections what is left for them and ends them; ready when they all have.
    pub(in crate::session) fn poll_finish(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut(SocketId) -> Option<Vec<u8>>,
    ) -> Poll<()> {
        self.connections.retain(|id, connection| connection.poll_finish(cx, || next(*id)).is_pending());
        if self.connections.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Every interface, in the family of `destination`.
fn any(destination: SocketAddr) -> IpAddr {
    match destination {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}
