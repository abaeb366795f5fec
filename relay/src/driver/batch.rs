//! Datagrams in one piece of memory that is there from the start: received into it, wrapped where they lie, sent from it.
//!
//! ```text
//!   slot:  | room for a header, 64 | datagram, up to 4096 | room for padding, 64 |     64 slots
//! ```

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use mio::net::UdpSocket;

use super::io::Calls;
use crate::wire::{AddressFamily, DataHeader, TransactionId};

/// Datagrams received or sent with one system call.
pub const SLOTS: usize = 64;
/// The longest datagram taken; longer ones are dropped, not cut.
pub(super) const LONGEST: usize = 4096;
const ROOM: usize = 64;
/// Not a power of two: slots then fall into different sets of the processor's cache.
const STRIDE: usize = ROOM + LONGEST + ROOM;

/// One received datagram: whose, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) from: SocketAddr,
    pub(super) length: usize,
}

/// One datagram to send: which bytes of the memory, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Range<usize>,
    pub(super) to: SocketAddr,
}

/// Memory for [`SLOTS`] datagrams, and what is known about those in it. Made once, it allocates no more.
pub struct Batch {
    memory: Vec<u8>,
    received: Vec<Received>,
    outgoing: Vec<Outgoing>,
    used: usize,
    calls: Calls,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("used", &self.used).finish_non_exhaustive()
    }
}

impl Batch {
    /// For a listening socket of this family, which [`Self::flush`] is given.
    pub fn new(family: AddressFamily) -> Self {
        let nobody = Received { from: SocketAddr::new(IpAddr::from([0; 4]), 0), length: 0 };
        Self {
            memory: vec![0; SLOTS * STRIDE],
            received: vec![nobody; SLOTS],
            outgoing: Vec::with_capacity(SLOTS),
            used: 0,
            calls: Calls::new(family),
        }
    }

    /// Forgets everything received.
    pub fn clear(&mut self) {
        self.used = 0;
        self.outgoing.clear();
    }

    /// Slots nothing was received into since [`Self::clear`].
    pub const fn room(&self) -> usize {
        SLOTS - self.used
    }

    /// Receives up to `most` datagrams into free slots. Fewer than `most` means that the socket has no more.
    pub fn receive(&mut self, socket: &UdpSocket, most: usize) -> Range<usize> {
        let first = self.used;
        let last = SLOTS.min(first + most);
        let memory = Slots::new(&mut self.memory, first);
        let count = self.calls.receive(socket, memory, &mut self.received[first..last]);
        self.used = first + count;
        first..self.used
    }

    /// Who sent what is in a slot.
    pub(super) fn from(&self, slot: usize) -> SocketAddr {
        self.received[slot].from
    }

    /// What is in a slot; nothing when the datagram was too long for it.
    pub fn datagram(&self, slot: usize) -> Option<(SocketAddr, &[u8])> {
        let Received { from, length } = *self.received.get(slot)?;
        let start = slot * STRIDE + ROOM;
        (length <= LONGEST).then(|| (from, &self.memory[start..start + length]))
    }

    /// Puts a header before a payload in its slot and queues the whole for `to`; gives it back, too, for who sends it
    /// another way.
    pub(super) fn wrap(
        &mut self,
        slot: usize,
        payload: Range<usize>,
        header: DataHeader,
        transaction: TransactionId,
    ) -> Option<Range<usize>> {
        let start = slot * STRIDE;
        let within = self.memory.get_mut(start..start + STRIDE)?;
        let whole = header.wrap(within, payload.start + ROOM..payload.end + ROOM, transaction)?;
        Some(start + whole.start..start + whole.end)
    }

    pub(super) fn bytes(&self, whole: Range<usize>) -> &[u8] {
        &self.memory[whole]
    }

    /// Queues what was received into a slot for `to`, as it is.
    pub fn pass_on(&mut self, slot: usize, to: SocketAddr) {
        if let Some(Received { length, .. }) = self.received.get(slot).filter(|it| it.length <= LONGEST) {
            let start = slot * STRIDE + ROOM;
            self.queue(start..start + length, to);
        }
    }

    /// Queues wrapped bytes; there is room for as many as there are slots.
    pub(super) fn queue(&mut self, bytes: Range<usize>, to: SocketAddr) {
        if self.outgoing.len() < SLOTS {
            self.outgoing.push(Outgoing { bytes, to });
        }
    }

    /// Sends what is queued. What the system does not take is lost, as any network may lose it.
    pub fn flush(&mut self, socket: &UdpSocket) {
        if !self.outgoing.is_empty() {
            self.calls.send(socket, &self.memory, &self.outgoing);
            self.outgoing.clear();
        }
    }
}

/// The slots from `first` on.
pub(super) struct Slots<'a> {
    memory: &'a mut [u8],
    first: usize,
}

impl<'a> Slots<'a> {
    pub(super) const fn new(memory: &'a mut [u8], first: usize) -> Self {
        Self { memory, first }
    }

    /// The bytes a datagram is received into.
    pub(super) fn buffer(&mut self, index: usize) -> &mut [u8] {
        let start = (self.first + index) * STRIDE + ROOM;
        &mut self.memory[start..start + LONGEST]
    }
}

/// The address a socket has to be given for `to`: an IPv6 socket reaches IPv4 through mapped addresses.
pub(super) fn as_seen_by_system(to: SocketAddr, socket: AddressFamily) -> SocketAddr {
    match to.ip() {
        IpAddr::V4(ip) if socket == AddressFamily::Ipv6 => {
            SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
        }
        IpAddr::V4(_) | IpAddr::V6(_) => to,
    }
}

/// The address as everybody else writes it.
pub(super) fn unmapped(from: SocketAddr) -> SocketAddr {
    match from.ip() {
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), from.port()),
            None => SocketAddr::new(from.ip(), from.port()),
        },
        IpAddr::V4(_) => from,
    }
}
