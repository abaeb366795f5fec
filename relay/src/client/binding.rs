//! Discovery of our own reflexive address (RFC 8489 §2, §12): one Binding request, retransmitted until answered.

use std::net::SocketAddr;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::retransmit::{Due, Retransmit};
use crate::wire::{self, Class, Fingerprint, MessageBuilder, Method, TransactionId};

/// Asks one STUN server from which address it sees us.
///
/// Send what [`Self::poll_transmit`] gives to the server, hand in what comes back, and wait for one [`BindingEvent`].
#[derive(Debug)]
pub struct BindingClient {
    server: SocketAddr,
    /// Gone once the outcome is known.
    request: Option<Retransmit>,
    transmit: Option<Vec<u8>>,
    event: Option<BindingEvent>,
}

/// Whether a datagram was meant for the state machine it was offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was ours and is dealt with.
    Consumed,
    /// Not ours: offer it to the next reader of the socket.
    NotMine,
}

/// How a Binding transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingEvent {
    /// The server answered.
    Mapped {
        /// Who was asked.
        server: SocketAddr,
        /// The address it saw.
        reflexive: SocketAddr,
    },
    /// No usable answer came.
    Failed {
        /// Who was asked.
        server: SocketAddr,
        /// Why.
        reason: BindingFailure,
    },
}

/// Why a Binding transaction gave no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingFailure {
    /// Nothing came back.
    #[error("the STUN server did not answer")]
    Timeout,
    /// The server refused.
    #[error("the STUN server answered with error {0}")]
    Refused(u16),
    /// The server's answer carries no address.
    #[error("the STUN server's answer made no sense")]
    PeerMisbehaved,
}

impl BindingClient {
    /// Starts one transaction with `server`.
    pub fn new(server: SocketAddr, seed: [u8; 32], now: Instant) -> Self {
        let mut transaction = [0; 12];
        StdRng::from_seed(seed).fill_bytes(&mut transaction);
        let transaction = TransactionId(transaction);
        let request = MessageBuilder::new(Class::Request, Method::Binding, transaction)
            .pad_to(LONGEST_REPLY)
            .finish(Fingerprint::Without);
        Self {
            server,
            request: Some(Retransmit::sent(now, transaction, request.clone())),
            transmit: Some(request),
            event: None,
        }
    }

    /// The server asked.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// Takes a datagram that came from `from`.
    pub fn handle_datagram(&mut self, _now: Instant, from: SocketAddr, datagram: &[u8]) -> Handled {
        let Some(request) = &self.request else { return Handled::NotMine };
        let Ok(message) = wire::parse(datagram) else { return Handled::NotMine };
        if from != self.server
            || message.method() != Method::Binding
            || message.transaction() != request.transaction()
        {
            return Handled::NotMine;
        }
        let server = self.server;
        let misbehaved = BindingEvent::Failed { server, reason: BindingFailure::PeerMisbehaved };
        let event = match message.class() {
            Class::Request | Class::Indication => return Handled::NotMine,
            Class::Success => match message.mapped_address() {
                Ok(Some(reflexive)) => BindingEvent::Mapped { server, reflexive },
                Ok(None) | Err(_) => misbehaved,
            },
            Class::Error => match message.error_code() {
                Ok(Some(code)) => BindingEvent::Failed { server, reason: BindingFailure::Refused(code.0) },
                Ok(None) | Err(_) => misbehaved,
            },
        };
        self.finish(event);
        Handled::Consumed
    }

    /// Retransmits or gives up when due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(request) = &mut self.request else { return };
        match request.handle_timeout(now) {
            Due::NotYet => {}
            Due::Send(bytes) => self.transmit = Some(bytes),
            Due::GiveUp => {
                self.finish(BindingEvent::Failed { server: self.server, reason: BindingFailure::Timeout })
            }
        }
    }

    /// The next datagram to send to the server.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.take()
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.request.as_ref().map(|request| (request.due(), "Binding retransmission"))
    }

    /// The outcome, once.
    pub fn poll_event(&mut self) -> Option<BindingEvent> {
        self.event.take()
    }

    fn finish(&mut self, event: BindingEvent) {
        self.request = None;
        self.transmit = None;
        self.event = Some(event);
    }
}

/// A success response with an IPv6 XOR-MAPPED-ADDRESS: our requests are that long, so nobody can use a server to send
/// more than they sent themselves.
const LONGEST_REPLY: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AttributeType, ErrorCode, Message};

    const SERVER: &str = "192.0.2.1:3478";

    #[test]
    fn the_answer_of_the_server_is_the_reflexive_address() {
        let (mut client, now) = client();
        let request = client.poll_transmit().unwrap();
        assert_eq!(request.len(), LONGEST_REPLY);
        let reply = reply_to(&wire::parse(&request).unwrap(), "203.0.113.7:4000");
        assert_eq!(client.handle_datagram(now, SERVER.parse().unwrap(), &reply), Handled::Consumed);
        assert_eq!(
            client.poll_event(),
            Some(BindingEvent::Mapped {
                server: SERVER.parse().unwrap(),
                reflexive: "203.0.113.7:4000".parse().unwrap()
            })
        );
        assert_eq!(client.poll_timeout(), None);
    }

    #[test]
    fn answers_from_elsewhere_or_to_another_request_are_left_alone() {
        let (mut client, now) = client();
        let request = client.poll_transmit().unwrap();
        let reply = reply_to(&wire::parse(&request).unwrap(), "203.0.113.7:4000");
        assert_eq!(client.handle_datagram(now, "192.0.2.2:3478".parse().unwrap(), &reply), Handled::NotMine);
        let mut other = reply.clone();
        other[19] ^= 1;
        assert_eq!(client.handle_datagram(now, SERVER.parse().unwrap(), &other), Handled::NotMine);
        assert_eq!(client.handle_datagram(now, SERVER.parse().unwrap(), b"hello"), Handled::NotMine);
        assert_eq!(client.poll_event(), None);
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let (mut client, _) = client();
        while let Some((due, _)) = client.poll_timeout() {
            client.handle_timeout(due);
        }
        let reason = BindingFailure::Timeout;
        assert_eq!(
            client.poll_event(),
            Some(BindingEvent::Failed { server: SERVER.parse().unwrap(), reason })
        );
    }

    #[test]
    fn an_error_and_an_answer_without_address_are_failures() {
        for (class, reason) in
            [(Class::Error, BindingFailure::Refused(403)), (Class::Success, BindingFailure::PeerMisbehaved)]
        {
            let (mut client, now) = client();
            let request = client.poll_transmit().unwrap();
            let transaction = wire::parse(&request).unwrap().transaction();
            let reply = MessageBuilder::new(class, Method::Binding, transaction)
                .error_code(ErrorCode::FORBIDDEN)
                .finish(Fingerprint::With);
            assert_eq!(client.handle_datagram(now, client.server(), &reply), Handled::Consumed);
            assert_eq!(client.poll_event(), Some(BindingEvent::Failed { server: client.server(), reason }));
        }
    }

    fn client() -> (BindingClient, Instant) {
        let now = crate::fixture::now().instant;
        (BindingClient::new(SERVER.parse().unwrap(), [1; 32], now), now)
    }

    fn reply_to(request: &Message<'_>, mapped: &str) -> Vec<u8> {
        MessageBuilder::new(Class::Success, Method::Binding, request.transaction())
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, mapped.parse().unwrap())
            .finish(Fingerprint::Without)
    }
}
