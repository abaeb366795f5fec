//! Receiving and sending one datagram per system call: what every system can do. Linux uses [`super::mmsg`] instead; its
//! tests run this one, too.

use mio::net::UdpSocket;

use super::batch::{self, LONGEST, Outgoing, Received, Slots};
use crate::wire::AddressFamily;

/// Errors passed over in a row.
const MOST_ERRORS: usize = 16;

/// A datagram is received here first, since a slot cannot tell one that just fits from one that was cut.
pub(super) struct Calls {
    buffer: Vec<u8>,
    family: AddressFamily,
}

impl Calls {
    pub(super) fn new(family: AddressFamily) -> Self {
        Self { buffer: vec![0; LONGEST + 1], family }
    }

    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        mut slots: Slots<'_>,
        received: &mut [Received],
    ) -> usize {
        let mut count = 0;
        for (index, slot) in received.iter_mut().enumerate() {
            // An error other than "nothing there" is an ICMP message about something sent earlier: not news.
            let attempts = (0..MOST_ERRORS).map(|_| socket.recv_from(&mut self.buffer));
            let would_block = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
            let mut news = attempts.filter(|result| result.as_ref().map_err(would_block) != Err(false));
            let Some(Ok((length, from))) = news.next() else { return count };
            drop(news);
            if length <= LONGEST {
                slots.buffer(index)[..length].copy_from_slice(&self.buffer[..length]);
            }
            *slot = Received { from: batch::unmapped(from), length };
            count += 1;
        }
        count
    }

    pub(super) fn send(&self, socket: &UdpSocket, memory: &[u8], outgoing: &[Outgoing]) {
        for Outgoing { bytes, to } in outgoing {
            let _ = socket.send_to(&memory[bytes.clone()], batch::as_seen_by_system(*to, self.family));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::driver::batch::SLOTS;

    #[test]
    fn what_is_sent_arrives_in_its_slots_and_what_is_too_long_is_known_as_such() {
        let here = (Ipv4Addr::LOCALHOST, 0).into();
        let (one, other) = (UdpSocket::bind(here).unwrap(), UdpSocket::bind(here).unwrap());
        let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        let mut memory = vec![0; SLOTS * (LONGEST + 128)];
        memory[..5].copy_from_slice(b"hello");
        let mut calls = Calls::new(AddressFamily::Ipv4);
        let pieces = [0..5, 5..5, 0..LONGEST + 1];
        calls.send(&one, &memory, &pieces.map(|bytes| Outgoing { bytes, to }));
        let mut received = [Received { from: to, length: 99 }; 4];
        let mut read = vec![0; SLOTS * (LONGEST + 128)];
        assert_eq!(calls.receive(&other, Slots::new(&mut read, 2), &mut received), 3);
        assert_eq!(received.map(|it| it.length), [5, 0, LONGEST + 1, 99]);
        assert_eq!(received[0].from, from);
        assert_eq!(&Slots::new(&mut read, 2).buffer(0)[..5], b"hello");
    }
}
