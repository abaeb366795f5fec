//! No open proxy: before a peer outside this relay is sent anything but small STUN checks it has to show that it takes
//! part in the call, by answering one.
//!
//! ```text
//!            client sends a Binding request        peer answers with its transaction id
//!  Unknown ------------------------------> Asked ---------------------------------------> Proven
//!     |  peer sends a Binding request, client answers it                                    |
//!     +----------------------------------> Answered (inbound is free, outbound checks only) |
//!  Unknown <------------------------------------------ silent for 300 s ---------------------+
//! ```
//!
//! A transaction id is 96 random bits that only the addressee of the check has seen. Any ICE agent passes without knowing
//! of this (RFC 8445 checks, RFC 7675 consent); a DNS, game or management port never does. An ICE agent's answer carries
//! MESSAGE-INTEGRITY (RFC 8445 §7.2.2, RFC 8489 §9.1.3); that of a public STUN or TURN server does not, so those are no
//! parties either. Inbound packets harm nobody but the client, who gave permission; they are free once the client has
//! answered the peer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::wire::{self, AttributeType, Class, Method, TransactionId};

/// A peer that has been silent this long proves itself again.
const PROOF_LIFETIME: Duration = super::allocation::PERMISSION_LIFETIME;
/// Checks to and from one unproven peer: so many at once, and so many per second.
const CHECKS: f64 = 30.0;
const CHECKS_PER_SECOND: f64 = 10.0;
/// The longest check; a STUN request fits into 576 bytes of IPv4 (RFC 8489 §6.1).
const LONGEST_CHECK: usize = 548;
/// Checks on their way whose answers are waited for; the oldest is forgotten first.
const ASKED: usize = 8;

/// The peers of one allocation that are not allocations here; at most as many as permissions.
#[derive(Debug, Default)]
pub(super) struct Parties {
    known: Vec<Party>,
}

#[derive(Debug)]
struct Party {
    address: SocketAddr,
    stage: Stage,
    /// When it was last heard since it was proven: seconds since the server started.
    heard: AtomicU64,
    asked: Vec<TransactionId>,
    tokens: f64,
    at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unproven,
    Answered,
    Proven,
}

/// The time a server measures silence by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) epoch: Instant,
}

impl Moment {
    fn seconds(self) -> u64 {
        self.now.saturating_duration_since(self.epoch).as_secs()
    }
}

impl Parties {
    /// Whether anything may be sent to `peer`.
    pub(super) fn is_proven(&self, at: Moment, peer: SocketAddr) -> bool {
        self.known.iter().any(|party| party.address == peer && party.is_proven(at))
    }

    /// Whether `payload` may come from `peer` without a further look; what comes keeps its proof alive. A STUN message of a
    /// peer that is only answered may be the proof.
    pub(super) fn hears(&self, at: Moment, peer: SocketAddr, payload: &[u8]) -> bool {
        let Some(party) = self.known.iter().find(|party| party.address == peer) else { return false };
        match party.stage {
            Stage::Unproven => false,
            Stage::Answered => !wire::is_stun(payload),
            Stage::Proven => {
                let is_proven = party.is_proven(at);
                if is_proven && party.heard.load(Relaxed) != at.seconds() {
                    party.heard.store(at.seconds(), Relaxed);
                }
                is_proven
            }
        }
    }

    /// Whether a payload may leave for a peer that is not proven: checks only, and not many.
    pub(super) fn sends(&mut self, at: Moment, peer: SocketAddr, payload: &[u8], most: usize) -> bool {
        let Some(Check { class, transaction, .. }) = check(payload) else { return false };
        let Some(party) = self.party(at, peer, most) else { return false };
        if !party.take(at.now) {
            return false;
        }
        match class {
            Class::Request => {
                if party.asked.len() == ASKED {
                    party.asked.remove(0);
                }
                party.asked.push(transaction);
            }
            Class::Success if party.stage == Stage::Unproven => party.stage = Stage::Answered,
            Class::Success | Class::Error | Class::Indication => {}
        }
        true
    }

    /// Whether a payload from a peer that is not proven may reach the client; an answer to a check proves it.
    pub(super) fn receives(&mut self, at: Moment, peer: SocketAddr, payload: &[u8], most: usize) -> bool {
        let Some(Check { class, transaction, seal }) = check(payload) else { return false };
        let Some(party) = self.party(at, peer, most) else { return false };
        if class == Class::Success && seal == Seal::Sealed && party.asked.contains(&transaction) {
            party.stage = Stage::Proven;
            party.asked = Vec::new();
            party.heard.store(at.seconds(), Relaxed);
            return true;
        }
        party.take(at.now)
    }

    /// The peer's entry; when the table is full one that is not proven makes room, and if all are, there is none.
    fn party(&mut self, at: Moment, peer: SocketAddr, most: usize) -> Option<&mut Party> {
        let found = self.known.iter().position(|party| party.address == peer);
        let index = match found {
            Some(index) => {
                if self.known[index].stage == Stage::Proven && !self.known[index].is_proven(at) {
                    self.known[index].stage = Stage::Unproven;
                }
                index
            }
            None => {
                if self.known.len() >= most {
                    let stale = self.known.iter().position(|party| !party.is_proven(at))?;
                    // The allowance goes over to the newcomer: naming many peers buys no more checks.
                    let gone = self.known.swap_remove(stale);
                    self.known.push(Party { tokens: gone.tokens, at: gone.at, ..Party::new(peer, at.now) });
                } else {
                    self.known.push(Party::new(peer, at.now));
                }
                self.known.len() - 1
            }
        };
        self.known.get_mut(index)
    }
}

impl Party {
    const fn new(address: SocketAddr, now: Instant) -> Self {
        Self {
            address,
            stage: Stage::Unproven,
            heard: AtomicU64::new(0),
            asked: Vec::new(),
            tokens: CHECKS,
            at: now,
        }
    }

    fn is_proven(&self, at: Moment) -> bool {
        let silent = at.seconds().saturating_sub(self.heard.load(Relaxed));
        self.stage == Stage::Proven && silent < PROOF_LIFETIME.as_secs()
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * CHECKS_PER_SECOND).min(CHECKS);
        self.at = now;
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// What of a check matters here.
#[derive(Clone, Copy, Debug)]
struct Check {
    class: Class,
    transaction: TransactionId,
    seal: Seal,
}

/// Whether a check says that it is integrity-protected. Under which key only the two ends know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seal {
    Sealed,
    Open,
}

/// What a check is: a short STUN Binding message.
fn check(payload: &[u8]) -> Option<Check> {
    if payload.len() > LONGEST_CHECK || !wire::is_stun(payload) {
        return None;
    }
    let message = wire::parse(payload).ok().filter(|message| message.method() == Method::Binding)?;
    // A request that asks for the answer to go elsewhere is no check of who is there.
    if message.attribute(AttributeType::CHANGE_REQUEST).is_some() {
        return None;
    }
    let seal = match message.attribute(AttributeType::MESSAGE_INTEGRITY) {
        Some(_) => Seal::Sealed,
        None => Seal::Open,
    };
    Some(Check { class: message.class(), transaction: message.transaction(), seal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Fingerprint, MessageBuilder};

    const MOST: usize = 4;

    #[test]
    fn a_peer_is_proven_by_an_answer_with_the_transaction_id_of_a_check() {
        let (mut parties, at, peer) = fresh();
        assert!(!parties.sends(at, peer, b"GET / HTTP/1.1", MOST), "not before it is proven");
        assert!(parties.sends(at, peer, &binding(Class::Request, 1), MOST));
        assert!(parties.receives(at, peer, &binding(Class::Success, 2), MOST));
        assert!(!parties.is_proven(at, peer), "another id");
        assert!(parties.receives(at, peer, &binding(Class::Success, 1), MOST));
        assert!(parties.is_proven(at, peer));
        let elsewhere = "1.1.1.1:6001".parse().unwrap();
        assert!(!parties.is_proven(at, elsewhere), "another port is another peer");
    }

    #[test]
    fn rfc_8445_7_2_2_an_answer_without_integrity_is_that_of_a_server_not_of_a_party() {
        let (mut parties, at, peer) = fresh();
        assert!(parties.sends(at, peer, &binding(Class::Request, 1), MOST));
        let bare = MessageBuilder::new(Class::Success, Method::Binding, TransactionId([1; 12]));
        assert!(parties.receives(at, peer, &bare.finish(Fingerprint::Without), MOST));
        assert!(!parties.is_proven(at, peer), "any STUN server answers like this");
        assert!(parties.receives(at, peer, &binding(Class::Success, 1), MOST));
        assert!(parties.is_proven(at, peer));
    }

    #[test]
    fn a_peer_that_asks_is_heard_once_the_client_has_answered_but_not_sent_to() {
        let (mut parties, at, peer) = fresh();
        assert!(!parties.hears(at, peer, b"voice"));
        assert!(parties.receives(at, peer, &binding(Class::Request, 9), MOST));
        assert!(parties.sends(at, peer, &binding(Class::Success, 9), MOST));
        assert!(parties.hears(at, peer, b"voice") && !parties.is_proven(at, peer));
    }

    #[test]
    fn silence_of_300_seconds_ends_a_proof_and_packets_keep_it() {
        let (mut parties, at, peer) = fresh();
        parties.sends(at, peer, &binding(Class::Request, 1), MOST);
        parties.receives(at, peer, &binding(Class::Success, 1), MOST);
        let later = |seconds| Moment { now: at.now + Duration::from_secs(seconds), epoch: at.epoch };
        assert!(parties.hears(later(299), peer, b"voice"));
        assert!(parties.is_proven(later(598), peer));
        assert!(!parties.is_proven(later(599), peer) && !parties.hears(later(599), peer, b"voice"));
    }

    #[test]
    fn checks_are_few_and_short_and_naming_many_peers_buys_no_more() {
        let (mut parties, at, peer) = fresh();
        let sent = (0..100).filter(|id| parties.sends(at, peer, &binding(Class::Request, *id), MOST)).count();
        assert_eq!(sent, CHECKS as usize);
        let mut all = sent;
        for port in 1..50u16 {
            let other = SocketAddr::new(peer.ip(), 7000 + port);
            all +=
                (0..100).filter(|id| parties.sends(at, other, &binding(Class::Request, *id), MOST)).count();
        }
        assert_eq!(all, MOST * CHECKS as usize);
        let long = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([0; 12]))
            .attribute(AttributeType::SOFTWARE, &[b' '; 600])
            .finish(Fingerprint::Without);
        let later = Moment { now: at.now + Duration::from_secs(60), epoch: at.epoch };
        assert!(!parties.sends(later, peer, &long, MOST));
    }

    fn fresh() -> (Parties, Moment, SocketAddr) {
        let now = crate::fixture::now().instant;
        (Parties::default(), Moment { now, epoch: now }, "1.1.1.1:6000".parse().unwrap())
    }

    /// As ICE seals it, with a key of the two ends.
    fn binding(class: Class, id: u8) -> Vec<u8> {
        MessageBuilder::new(class, Method::Binding, TransactionId([id; 12])).seal(b"ice", Fingerprint::With)
    }
}
