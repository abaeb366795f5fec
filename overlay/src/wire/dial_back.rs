//! What a computer asks that wants to know whether strangers reach it, without becoming a weapon.
//!
//! ```text
//!   candidate ──DialBack(address, nonce, padding)──▶ stranger ──DialBackFor(.., key)──▶ another supernode
//!       ▲                                                                                       │
//!       └──────────────── a fresh link to that address, and the nonce over it ──────────────────┘
//! ```
//! The address must have the IP at which the stranger sees the asker, and both requests are at least as long as all
//! that the last step may send to an address where nobody answers.

use std::net::SocketAddr;

use minicbor::{Decode, Encode};

use crate::identity::LinkKey;

/// Bytes sent to an address that does not answer: three padded QUIC Initial datagrams (RFC 9000 §14.1) before the
/// attempt is given up.
pub const PROBE_BYTES: usize = 3 * 1_200;

/// A random number that comes back over the fresh link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Nonce(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl Nonce {
    /// Of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// Have somebody I never spoke to open a link to this address of mine.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DialBack {
    /// Where; its IP must be the asker's.
    #[n(0)]
    pub address: SocketAddr,
    /// To be shown over the new link.
    #[n(1)]
    pub nonce: Nonce,
    #[cbor(n(2), with = "minicbor::bytes")]
    padding: Vec<u8>,
}

/// A supernode passes a [`DialBack`] on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DialBackFor {
    /// Where.
    #[n(0)]
    pub address: SocketAddr,
    /// Who must answer there.
    #[n(1)]
    pub key: LinkKey,
    /// To be shown over the new link.
    #[n(2)]
    pub nonce: Nonce,
    #[cbor(n(3), with = "minicbor::bytes")]
    padding: Vec<u8>,
}

impl DialBack {
    /// A request that has paid for what it causes.
    pub fn new(address: SocketAddr, nonce: Nonce) -> Self {
        Self { address, nonce, padding: vec![0; PROBE_BYTES] }
    }

    /// Whether it is as long as what it causes.
    pub fn has_paid(&self) -> bool {
        self.padding.len() >= PROBE_BYTES
    }

    /// What the stranger asks another supernode.
    pub fn pass_on(&self, key: LinkKey) -> DialBackFor {
        DialBackFor { address: self.address, key, nonce: self.nonce, padding: vec![0; PROBE_BYTES] }
    }
}

impl DialBackFor {
    /// Whether it is as long as what it causes.
    pub fn has_paid(&self) -> bool {
        self.padding.len() >= PROBE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::LinkSecret, wire::to_bytes};

    #[test]
    fn a_request_is_longer_than_all_it_causes_and_a_short_one_has_not_paid() {
        let nonce = Nonce::from_bytes([1; 16]);
        let request = DialBack::new("9.9.9.9:4433".parse().unwrap(), nonce);
        let passed_on = request.pass_on(LinkSecret::from_secret([1; 32]).public_key());
        assert!(to_bytes(&request).len() > PROBE_BYTES && to_bytes(&passed_on).len() > PROBE_BYTES);
        assert!(request.has_paid() && passed_on.has_paid());
        assert!(!DialBack { padding: vec![0; PROBE_BYTES - 1], ..request }.has_paid());
        assert!(!DialBackFor { padding: Vec::new(), ..passed_on }.has_paid());
    }
}
