//! A TURN client over UDP (RFC 8656).

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::Credentials;

/// How to reach the relay.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// The relay.
    pub server: SocketAddr,
    /// What to authenticate with.
    pub credentials: Credentials,
    /// What carries the messages to the relay.
    pub transport: Transport,
}

/// What carries messages between client and relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// One message per datagram.
    #[default]
    Udp,
}

/// One allocation on one relay: created, kept alive, used and released.
#[derive(Debug)]
pub struct TurnClient {
    config: TurnConfig,
}

/// What happened to the allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// The relay gave us an address.
    Allocated {
        /// The relayed address, the one peers send to.
        relayed: SocketAddr,
        /// The address the relay sees us at.
        reflexive: SocketAddr,
        /// How long it was granted; renewed by itself.
        lifetime: Duration,
    },
    /// Packets flow to and from this peer.
    PeerReady(SocketAddr),
    /// The relay will not forward to this peer; the allocation lives on.
    PeerFailed {
        /// Which peer.
        peer: SocketAddr,
        /// Why.
        reason: TurnFailure,
    },
    /// The allocation could not be made or is lost. Nothing more will come.
    Failed {
        /// Why.
        reason: TurnFailure,
    },
    /// Released as asked. Nothing more will come.
    Closed,
}

/// Why a relay could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnFailure {
    /// Nothing came back.
    #[error("the relay did not answer")]
    Timeout,
    /// The credentials were not accepted (401 after authenticating, or 441).
    #[error("the relay did not accept the credentials")]
    Unauthorized,
    /// The relay refuses this peer or this client (403).
    #[error("the relay refuses to forward there")]
    Forbidden,
    /// The relay has no room (486, 508).
    #[error("the relay is full")]
    Full,
    /// The relay no longer knows the allocation (437).
    #[error("the relay lost the allocation")]
    AllocationLost,
    /// Any other error code.
    #[error("the relay answered with error {0}")]
    Refused(u16),
    /// An answer that breaks the protocol.
    #[error("the relay's answer made no sense")]
    PeerMisbehaved,
}

/// Why a payload was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendRefused {
    /// The allocation has failed or was released.
    #[error("the allocation is gone")]
    Closed,
    /// Longer than a ChannelData message can carry.
    #[error("the payload is too long to relay")]
    TooLong,
    /// As many peers as one allocation may have.
    #[error("too many peers on one allocation")]
    TooManyPeers,
}

impl TurnClient {
    /// Starts allocating on `config.server`.
    pub fn new(config: TurnConfig, _seed: [u8; 32], _now: Instant) -> Self {
        Self { config }
    }

    /// The relay used.
    pub const fn server(&self) -> SocketAddr {
        self.config.server
    }

    /// The relayed address, once allocated.
    pub const fn relayed(&self) -> Option<SocketAddr> {
        None
    }

    /// Asks for a channel to `peer`; may be called before the allocation exists.
    pub fn bind_channel(&mut self, _now: Instant, _peer: SocketAddr) -> Result<(), SendRefused> {
        Ok(())
    }

    /// Sends `payload` to `peer` through the relay, binding a channel when there is none.
    pub fn send(&mut self, _now: Instant, _peer: SocketAddr, _payload: &[u8]) -> Result<(), SendRefused> {
        Ok(())
    }

    /// Takes a datagram that came from the relay; gives the peer and the range of the datagram that is its payload when
    /// it carried one.
    pub fn handle_datagram(&mut self, _now: Instant, _datagram: &[u8]) -> Option<(SocketAddr, Range<usize>)> {
        None
    }

    /// Retransmits, refreshes or gives up when due.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// The next datagram to send to the relay.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        None
    }

    /// What happened since.
    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        None
    }

    /// Gives the allocation back (LIFETIME = 0); [`TurnEvent::Closed`] follows.
    pub fn release(&mut self, _now: Instant) {}
}
