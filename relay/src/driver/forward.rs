//! The least a relay can do: everything that arrives goes on to one address, unread. It is the limit that the relay is
//! measured against.

use std::io;
use std::net::SocketAddr;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use super::batch::{Batch, SLOTS};
use crate::wire::AddressFamily;

/// Forwards every datagram that reaches `socket` to `to`; ends only with an error.
pub fn forward(mut socket: UdpSocket, to: SocketAddr) -> io::Result<()> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1));
    poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    let mut batch = Batch::new(AddressFamily::of(to.ip()));
    loop {
        poll.poll(&mut events, None)?;
        loop {
            batch.clear();
            let received = batch.receive(&socket, SLOTS);
            let count = received.len();
            received.for_each(|slot| batch.pass_on(slot, to));
            batch.flush(&socket);
            if count < SLOTS {
                break;
            }
        }
    }
}
