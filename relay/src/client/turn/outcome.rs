//! What a TURN client is told and tells.

use std::net::SocketAddr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::Credentials;
use crate::wire::ErrorCode;

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
    /// A byte stream, TCP or TLS: messages are padded to four bytes (RFC 8656 §12.5), and none is sent twice (RFC 8489
    /// §6.2.2). What comes is cut into messages with [`crate::wire::StreamReader`].
    Stream,
}

/// The SHA-256 of a relay's TLS certificate (DER), by which a client that was told it knows the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateHash(pub [u8; 32]);

impl CertificateHash {
    /// Whether it is the hash of this certificate.
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        Sha256::digest(certificate).as_slice() == self.0.as_slice()
    }
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

impl From<ErrorCode> for TurnFailure {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::UNAUTHENTICATED | ErrorCode::WRONG_CREDENTIALS => Self::Unauthorized,
            ErrorCode::FORBIDDEN => Self::Forbidden,
            ErrorCode::ALLOCATION_MISMATCH => Self::AllocationLost,
            ErrorCode::ALLOCATION_QUOTA_REACHED | ErrorCode::INSUFFICIENT_CAPACITY => Self::Full,
            ErrorCode(other) => Self::Refused(other),
        }
    }
}
