//! Discovery of our own reflexive address (RFC 8489 §2, §12): one Binding request, retransmitted until answered.

use std::net::SocketAddr;
use std::time::Instant;

/// Asks one STUN server from which address it sees us.
///
/// Send what [`Self::poll_transmit`] gives to the server, hand in what comes back, and wait for one [`BindingEvent`].
#[derive(Debug)]
pub struct BindingClient {
    server: SocketAddr,
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
}

impl BindingClient {
    /// Starts one transaction with `server`.
    pub fn new(server: SocketAddr, _seed: [u8; 32], _now: Instant) -> Self {
        Self { server }
    }

    /// The server asked.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// Takes a datagram that came from `from`.
    pub fn handle_datagram(&mut self, _now: Instant, _from: SocketAddr, _datagram: &[u8]) -> Handled {
        Handled::NotMine
    }

    /// Retransmits or gives up when due.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// The next datagram to send to the server.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        None
    }

    /// The outcome, once.
    pub fn poll_event(&mut self) -> Option<BindingEvent> {
        None
    }
}
