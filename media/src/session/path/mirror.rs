//! The one pair ICE sees between two Silbos, and the other end of its checks.
//!
//! ICE's own checks of this pair never leave the machine: they are answered here, until the first pair below is proven and
//! then while any of them carries something ([`Mirror::answer`] is not called otherwise). So ICE completes without a round
//! trip as soon as both ends are described, and DTLS begins while the pairs are being proven.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use relay::wire::{self, AttributeType, Class, Fingerprint, MessageBuilder, Method, TransactionId};

use super::probe::Secrets;
use crate::session::description::{Candidate, CandidateKind};
use crate::session::sdp::Role;

/// Our end and the other end of the pair; documentation addresses (RFC 5737) that no packet ever bears.
pub(in crate::session) const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
pub(in crate::session) const REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 9);

/// RFC 8445 §7.1.3.
const ICE_CONTROLLED: AttributeType = AttributeType(0x8029);
const ICE_CONTROLLING: AttributeType = AttributeType(0x802A);

/// RFC 8445 §5.1.2 for a host candidate.
const PRIORITY: u32 = CandidateKind::Host.preference() << 24 | 0x00ff_ffff;

/// What answers ICE.
pub(super) struct Mirror {
    role: Role,
    asked: u64,
}

impl Mirror {
    pub(super) const fn new(role: Role) -> Self {
        Self { role, asked: 0 }
    }

    /// What comes back for a packet of ICE's: its answer, and a check of the other end's that nominates the pair where
    /// that is the other end's to do (RFC 8445 §7.3, §8.1.1).
    pub(super) fn answer(&mut self, secrets: &Secrets, packet: &[u8]) -> Vec<Vec<u8>> {
        let (Some(own), Some(peer)) = (&secrets.own, &secrets.peer) else { return Vec::new() };
        let Ok(message) = wire::parse(packet) else { return Vec::new() };
        if message.class() != Class::Request {
            return Vec::new();
        }
        let answer = MessageBuilder::new(Class::Success, Method::Binding, message.transaction())
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, LOCAL)
            .seal(peer.password.as_bytes(), Fingerprint::With);
        self.asked += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.asked.to_be_bytes());
        let check = MessageBuilder::new(Class::Request, Method::Binding, TransactionId(transaction))
            .text(AttributeType::USERNAME, &format!("{}:{}", own.ufrag, peer.ufrag))
            .attribute(AttributeType::PRIORITY, &PRIORITY.to_be_bytes());
        let check = match self.role {
            Role::Offer => check.attribute(ICE_CONTROLLED, &[0; 8]),
            Role::Answer => {
                check.attribute(ICE_CONTROLLING, &[0xff; 8]).attribute(AttributeType::USE_CANDIDATE, &[])
            }
        };
        vec![answer, check.seal(own.password.as_bytes(), Fingerprint::With)]
    }
}

/// The candidates ICE is shown: ours, and the other end's.
pub(in crate::session) fn candidate(address: SocketAddr) -> Option<Candidate> {
    Candidate::new(CandidateKind::Host, address, PRIORITY).ok()
}
