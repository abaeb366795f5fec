//! What all threads of a relay share: the server behind a lock, and the sockets.
//!
//! ```text
//!   thread 0 ─┐ read lock: decisions about payloads, many at once
//!   thread 1 ─┼───────────────────────────────► Server, relayed ports, streams
//!   streams  ─┘ write lock: requests, expiry
//! ```
//!
//! A relayed port is read by one thread, the one its client's packets come to; anybody may send from it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token, Waker};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch;
use super::now;
use crate::server::{
    AllocationId, Client, Effect, PortOutcome, PortParity, Server, Stats, StreamId, Transmit, Via,
};
use crate::wire::AddressFamily;

/// Ports asked of the system until one is even.
const PORT_ATTEMPTS: u32 = 32;
/// Tokens of the sockets of a thread; relayed ports come after.
pub(super) const LISTENER: Token = Token(0);
pub(super) const WAKE: Token = Token(1);
const FIRST_PORT: usize = 2;

pub(super) struct Hub {
    state: RwLock<State>,
    threads: Vec<Thread>,
    relay_binds: Vec<SocketAddr>,
    pub(super) family: AddressFamily,
    stop: AtomicBool,
}

/// One thread's part of what is shared.
pub(super) struct Thread {
    pub(super) listener: UdpSocket,
    pub(super) registry: Registry,
    pub(super) waker: Waker,
    pub(super) tally: Mutex<Stats>,
}

pub(super) struct State {
    pub(super) server: Server,
    ports: Vec<Option<Port>>,
    streams: BTreeMap<StreamId, mpsc::Sender<Waiting>>,
}

/// A message that waits for a connection to take it.
pub(super) struct Waiting {
    pub(super) since: Instant,
    pub(super) message: Vec<u8>,
}

struct Port {
    id: AllocationId,
    family: AddressFamily,
    socket: UdpSocket,
    /// The one of the other family.
    second: Option<UdpSocket>,
}

impl State {
    /// The socket of an allocation.
    pub(super) fn port(&self, id: AllocationId) -> Option<&UdpSocket> {
        let port = self.ports.get(id.slot())?.as_ref()?;
        (port.id == id).then_some(&port.socket)
    }

    /// Brings the socket in a slot into the processor's cache.
    pub(super) fn touch(&self, slot: usize) {
        std::hint::black_box(self.ports.get(slot).and_then(Option::as_ref).map(|port| port.id));
    }

    /// The sockets in a slot, for the thread that was told that there is something to read.
    pub(super) fn ports_in(&self, slot: usize) -> Option<(AllocationId, [Option<&UdpSocket>; 2])> {
        let port = self.ports.get(slot)?.as_ref()?;
        Some((port.id, [Some(&port.socket), port.second.as_ref()]))
    }

    /// Queues bytes for a connection; when its queue is full they are lost, as datagrams would be.
    pub(super) fn to_stream(&self, stream: StreamId, message: Vec<u8>) {
        if let Some(queue) = self.streams.get(&stream) {
            let _ = queue.try_send(Waiting { since: Instant::now(), message });
        }
    }

    pub(super) fn send_to_peer(&self, id: AllocationId, peer: SocketAddr, payload: &[u8]) {
        // A full send buffer or an unreachable peer loses the datagram, as any network may.
        let Some(port) = self.ports.get(id.slot()).and_then(Option::as_ref).filter(|port| port.id == id)
        else {
            return;
        };
        let socket = match (&port.second, port.family == AddressFamily::of(peer.ip())) {
            (Some(second), false) => second,
            _ => &port.socket,
        };
        let _ = socket.send_to(payload, peer);
    }
}

impl Hub {
    /// Relayed ports are bound at `relay_binds`, one address per family; the listening sockets are of `family`.
    pub(super) fn new(
        server: Server,
        threads: Vec<Thread>,
        relay_binds: Vec<SocketAddr>,
        family: AddressFamily,
    ) -> Self {
        let state = State { server, ports: Vec::new(), streams: BTreeMap::new() };
        Self { state: RwLock::new(state), threads, relay_binds, family, stop: AtomicBool::new(false) }
    }

    /// For decisions about payloads. A thread that panicked has left nothing half-done that another could trip over.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For everything that changes something; what the server wants done is done before this returns.
    pub(super) fn control<T>(&self, thread: usize, act: impl FnOnce(&mut Server) -> T) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut state.server);
        self.carry_out(&mut state, thread);
        result
    }

    pub(super) fn open_stream(&self, stream: StreamId, queue: mpsc::Sender<Waiting>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.streams.insert(stream, queue);
    }

    pub(super) fn close_stream(&self, stream: StreamId, from: SocketAddr) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.streams.remove(&stream);
        state.server.handle_stream_closed(now(), stream, from);
        self.carry_out(&mut state, 0);
    }

    pub(super) fn has_allocation(&self, client: Client) -> bool {
        self.read().server.has_allocation(now().instant, client)
    }

    pub(super) fn thread(&self, index: usize) -> Option<&Thread> {
        self.threads.get(index)
    }

    pub(super) fn thread_of(&self, stream: StreamId) -> usize {
        usize::try_from(stream.0).unwrap_or(0) % self.threads.len().max(1)
    }

    pub(super) fn send_to_client(&self, state: &State, thread: usize, client: Client, bytes: &[u8]) {
        match client.stream {
            Some(stream) => state.to_stream(stream, bytes.to_vec()),
            None => {
                let to = batch::as_seen_by_system(client.address, self.family);
                // A full send buffer loses the datagram, as any network may.
                let _ = self.thread(thread).map(|thread| thread.listener.send_to(bytes, to));
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.read().server.stats();
        for thread in &self.threads {
            stats.add(&thread.tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
        stats
    }

    pub(super) fn count(&self, thread: usize, tally: &Stats) {
        if let Some(thread) = self.threads.get(thread) {
            thread.tally.lock().unwrap_or_else(PoisonError::into_inner).add(tally);
        }
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        for thread in &self.threads {
            // A thread that cannot be woken notices at its next packet or timer.
            let _ = thread.waker.wake();
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn carry_out(&self, state: &mut State, thread: usize) {
        loop {
            while let Some(Transmit { via, to, payload }) = state.server.poll_transmit() {
                match via {
                    Via::Listener => self.send_to_client(state, thread, Client::udp(to), &payload),
                    Via::Stream(stream) => state.to_stream(stream, payload),
                    Via::Relayed(id) => state.send_to_peer(id, to, &payload),
                }
            }
            match state.server.poll_effect() {
                Some(Effect::OpenRelayPort(id, parity)) => {
                    let outcome = self.open(state, thread, id, parity);
                    state.server.handle_relay_port(now(), id, outcome);
                }
                Some(Effect::OpenSecondPort(id)) => {
                    let outcome = self.open_second(state, thread, id);
                    state.server.handle_second_port(id, outcome);
                }
                Some(Effect::CloseRelayPort(id)) => {
                    if state.port(id).is_some()
                        && let Some(port) = state.ports.get_mut(id.slot())
                    {
                        *port = None;
                    }
                }
                None => break,
            }
        }
    }

    fn open(&self, state: &mut State, thread: usize, id: AllocationId, parity: PortParity) -> PortOutcome {
        let family = state.server.family_of(id).unwrap_or(self.family);
        match self.bind(thread, id, (family, parity)) {
            Ok((socket, port)) => {
                if state.ports.len() <= id.slot() {
                    state.ports.resize_with(id.slot() + 1, || None);
                }
                if let Some(entry) = state.ports.get_mut(id.slot()) {
                    *entry = Some(Port { id, family, socket, second: None });
                }
                PortOutcome::Opened(port)
            }
            Err(_) => PortOutcome::Refused,
        }
    }

    fn open_second(&self, state: &mut State, thread: usize, id: AllocationId) -> PortOutcome {
        let wanted = (AddressFamily::Ipv6, PortParity::Any);
        let port = state.ports.get_mut(id.slot()).and_then(Option::as_mut).filter(|port| port.id == id);
        match (port, self.bind(thread, id, wanted)) {
            (Some(port), Ok((socket, number))) => {
                port.second = Some(socket);
                PortOutcome::Opened(number)
            }
            _ => PortOutcome::Refused,
        }
    }

    fn bind(
        &self,
        thread: usize,
        id: AllocationId,
        (family, parity): (AddressFamily, PortParity),
    ) -> io::Result<(UdpSocket, u16)> {
        let of_family = |address: &&SocketAddr| AddressFamily::of(address.ip()) == family;
        let address = *self.relay_binds.iter().find(of_family).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let thread = self.threads.get(thread).ok_or(io::ErrorKind::NotFound)?;
        for _ in 0..PORT_ATTEMPTS {
            let mut socket = UdpSocket::bind(address)?;
            let port = socket.local_addr()?.port();
            if parity == PortParity::Even && port % 2 == 1 {
                continue;
            }
            thread.registry.register(&mut socket, Token(FIRST_PORT + id.slot()), Interest::READABLE)?;
            return Ok((socket, port));
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

/// The slot of the relayed port a token stands for.
pub(super) const fn port_slot(token: Token) -> Option<usize> {
    token.0.checked_sub(FIRST_PORT)
}
