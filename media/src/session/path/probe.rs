//! What two Silbos say to each other on a pair, below the one pair ICE sees: STUN Bindings under the ICE passwords of
//! their descriptions, which only the two ends of the sealed envelopes know (RFC 8489 §9.1, RFC 8445 §7).
//!
//! ```text
//! request    Binding request     USERNAME receiver:sender, PRIORITY, COUNTER, [MAPPING], [USE-CANDIDATE], MESSAGE-INTEGRITY,
//!                                FINGERPRINT under the receiver's password; USE-CANDIDATE: "I miss you elsewhere, send here too"
//! answer     Binding success     XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY under the password of who answers, FINGERPRINT
//! keep-alive Binding indication  COUNTER, [USE-CANDIDATE], MESSAGE-INTEGRITY under the receiver's password
//!                                USE-CANDIDATE: "this is the pair I send on"
//! COUNTER    0xC5B0              u64, one more with every message of its sender
//! MAPPING    0xC5B1              how the sender's translator maps: [`Claim`]
//! ```
//!
//! To a relay or a stock agent they are ordinary checks. An answer is never longer than its request, and nothing is
//! answered twice: [`Replays`] refuses every counter that was seen before.

#[cfg(any(test, feature = "fuzz"))]
pub(in crate::session) mod fuzz;

use std::net::SocketAddr;

use relay::wire::{
    AttributeType, Class, Fingerprint, Integrity, Message, MessageBuilder, Method, TransactionId,
};

use super::guess::Claim;
use crate::session::description::{CandidateKind, Description};

/// Comprehension-optional (RFC 8489 §14): who does not know it skips it.
const COUNTER: AttributeType = AttributeType(0xC5B0);
const MAPPING: AttributeType = AttributeType(0xC5B1);

/// User name fragment and password of one end (RFC 8445 §5.3).
#[derive(Clone)]
pub(in crate::session) struct Secret {
    pub(super) ufrag: String,
    pub(super) password: String,
}

/// Who the two ends are; the other one is not known before its description.
#[derive(Default)]
pub(super) struct Secrets {
    pub(super) own: Option<Secret>,
    pub(super) peer: Option<Secret>,
}

/// Whether a message asks for, or tells of, the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    /// USE-CANDIDATE.
    Use,
}

/// An authentic message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    Request {
        transaction: TransactionId,
        counter: u64,
        base: CandidateKind,
        claim: Option<Claim>,
        mark: Mark,
    },
    Answer {
        transaction: TransactionId,
    },
    KeepAlive {
        counter: u64,
        mark: Mark,
    },
}

impl Secret {
    pub(in crate::session) fn of(description: &Description) -> Self {
        Self {
            ufrag: description.ufrag.as_str().to_owned(),
            password: description.password.as_str().to_owned(),
        }
    }
}

impl Secrets {
    /// A request that leaves from a base of this kind; nothing before the other end is known.
    pub(super) fn request(
        &self,
        transaction: TransactionId,
        counter: u64,
        base: CandidateKind,
        claim: Option<Claim>,
        mark: Mark,
    ) -> Option<Vec<u8>> {
        let (own, peer) = (self.own.as_ref()?, self.peer.as_ref()?);
        // RFC 8445 §7.1.1: what the base would be worth as a peer-reflexive candidate; relays stay relays.
        let preference = match base {
            CandidateKind::Relay => CandidateKind::Relay,
            _ => CandidateKind::PeerReflexive,
        };
        let priority = preference.preference() << 24 | 0x00ff_ffff;
        let message = MessageBuilder::new(Class::Request, Method::Binding, transaction)
            .text(AttributeType::USERNAME, &format!("{}:{}", peer.ufrag, own.ufrag))
            .attribute(AttributeType::PRIORITY, &priority.to_be_bytes())
            .attribute(COUNTER, &counter.to_be_bytes());
        let message = match claim {
            Some(claim) => message.attribute(MAPPING, &claim.encode()),
            None => message,
        };
        Some(marked(message, mark).seal(peer.password.as_bytes(), Fingerprint::With))
    }

    /// The answer to a request that came from `source`.
    pub(super) fn answer(&self, transaction: TransactionId, source: SocketAddr) -> Option<Vec<u8>> {
        let own = self.own.as_ref()?;
        let message = MessageBuilder::new(Class::Success, Method::Binding, transaction)
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, source);
        Some(message.seal(own.password.as_bytes(), Fingerprint::With))
    }

    pub(super) fn keep_alive(&self, transaction: TransactionId, counter: u64, mark: Mark) -> Option<Vec<u8>> {
        let peer = self.peer.as_ref()?;
        let message = MessageBuilder::new(Class::Indication, Method::Binding, transaction)
            .attribute(COUNTER, &counter.to_be_bytes());
        Some(marked(message, mark).seal(peer.password.as_bytes(), Fingerprint::Without))
    }

    /// What the message says, if it comes from the other end.
    pub(super) fn verify(&self, message: &Message<'_>) -> Option<Probe> {
        if message.method() != Method::Binding {
            return None;
        }
        let own = self.own.as_ref()?;
        let transaction = message.transaction();
        let sealed = |secret: &Secret| message.integrity(secret.password.as_bytes()) == Integrity::Valid;
        let mark = match message.attribute(AttributeType::USE_CANDIDATE) {
            Some(_) => Mark::Use,
            None => Mark::None,
        };
        match message.class() {
            Class::Request => {
                let to_us = message.text(AttributeType::USERNAME).ok()??.split_once(':')?;
                let from_peer = self.peer.as_ref().is_none_or(|peer| to_us.1 == peer.ufrag);
                let known = to_us.0 == own.ufrag && from_peer && sealed(own);
                let priority = u32::from_be_bytes(value(message, AttributeType::PRIORITY)?);
                let base = match priority >> 24 {
                    0 => CandidateKind::Relay,
                    _ => CandidateKind::PeerReflexive,
                };
                let claim = message.attribute(MAPPING).and_then(|attribute| Claim::decode(attribute.value));
                known.then_some(Probe::Request { transaction, counter: counter(message)?, base, claim, mark })
            }
            Class::Success => sealed(self.peer.as_ref()?).then_some(Probe::Answer { transaction }),
            Class::Indication if sealed(own) => Some(Probe::KeepAlive { counter: counter(message)?, mark }),
            Class::Indication | Class::Error => None,
        }
    }
}

/// The counters of the other end that were seen: the last 128 and all before them count as seen.
#[derive(Default)]
pub(super) struct Replays {
    highest: u64,
    /// Bit n stands for `highest - n`.
    seen: u128,
}

impl Replays {
    /// Whether the counter is new; it is seen afterwards. Counters start at 1.
    pub(super) fn accept(&mut self, counter: u64) -> bool {
        if counter > self.highest {
            let ahead = u32::try_from(counter - self.highest).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = counter;
            return true;
        }
        let Some(bit) = u32::try_from(self.highest - counter).ok().and_then(|age| 1u128.checked_shl(age))
        else {
            return false;
        };
        let new = self.seen & bit == 0 && counter > 0;
        self.seen |= bit;
        new
    }
}

fn marked(message: MessageBuilder, mark: Mark) -> MessageBuilder {
    match mark {
        Mark::None => message,
        Mark::Use => message.attribute(AttributeType::USE_CANDIDATE, &[]),
    }
}

fn counter(message: &Message<'_>) -> Option<u64> {
    Some(u64::from_be_bytes(value(message, COUNTER)?))
}

fn value<const LENGTH: usize>(message: &Message<'_>, kind: AttributeType) -> Option<[u8; LENGTH]> {
    message.attribute(kind)?.value.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::path::guess::{Behaviour, LocalPreference, Round};
    use relay::wire;

    fn secret(name: &str) -> Secret {
        Secret { ufrag: name.into(), password: name.repeat(6) }
    }

    fn ends() -> [Secrets; 2] {
        let (a, b) = (secret("aaaa"), secret("bbbb"));
        [Secrets { own: Some(a.clone()), peer: Some(b.clone()) }, Secrets { own: Some(b), peer: Some(a) }]
    }

    /// Eight bytes after MESSAGE-INTEGRITY, which say nothing.
    const FINGERPRINT: usize = 8;
    const TRANSACTION: TransactionId = TransactionId([7; 12]);

    #[test]
    fn each_end_reads_what_the_other_says() {
        let [a, b] = ends();
        let request = a.request(TRANSACTION, 5, CandidateKind::Relay, None, Mark::Use).unwrap();
        let read = b.verify(&wire::parse(&request).unwrap());
        let expected = Probe::Request {
            transaction: TRANSACTION,
            counter: 5,
            base: CandidateKind::Relay,
            claim: None,
            mark: Mark::Use,
        };
        assert_eq!(read, Some(expected));
        let answer = b.answer(TRANSACTION, "[2001:db8::1]:9".parse().unwrap()).unwrap();
        assert!(answer.len() <= request.len(), "{} > {}", answer.len(), request.len());
        assert_eq!(
            a.verify(&wire::parse(&answer).unwrap()),
            Some(Probe::Answer { transaction: TRANSACTION })
        );
        let keep = a.keep_alive(TRANSACTION, 6, Mark::None).unwrap();
        let expected = Probe::KeepAlive { counter: 6, mark: Mark::None };
        assert_eq!(b.verify(&wire::parse(&keep).unwrap()), Some(expected));
    }

    #[test]
    fn a_claim_is_read_and_one_that_makes_no_sense_is_skipped() {
        let [a, b] = ends();
        let claim = Claim { behaviour: Behaviour::Dependent { round: Round(1) }, base: LocalPreference(7) };
        let read = |request: &[u8]| match b.verify(&wire::parse(request).unwrap()) {
            Some(Probe::Request { claim, .. }) => claim,
            other => panic!("{other:?}"),
        };
        let request = a.request(TRANSACTION, 1, CandidateKind::Relay, Some(claim), Mark::None).unwrap();
        assert_eq!(read(&request), Some(claim));
        let peer = a.peer.as_ref().unwrap();
        for value in [&[][..], &[9, 0, 0, 7], &[1, 1, 0, 7], &[2, 1, 0, 7, 0]] {
            let request = MessageBuilder::new(Class::Request, Method::Binding, TRANSACTION)
                .text(AttributeType::USERNAME, "bbbb:aaaa")
                .attribute(AttributeType::PRIORITY, &[110, 0, 0, 0])
                .attribute(COUNTER, &1u64.to_be_bytes())
                .attribute(MAPPING, value)
                .seal(peer.password.as_bytes(), Fingerprint::With);
            assert_eq!(read(&request), None, "{value:?}");
        }
    }

    #[test]
    fn a_request_is_understood_before_the_answer_has_come() {
        let [a, mut b] = ends();
        b.peer = None;
        let request = a.request(TRANSACTION, 1, CandidateKind::Host, None, Mark::None).unwrap();
        assert!(b.verify(&wire::parse(&request).unwrap()).is_some());
        assert!(b.request(TRANSACTION, 1, CandidateKind::Host, None, Mark::None).is_none());
    }

    #[test]
    fn nobody_else_is_believed_and_no_bit_may_change() {
        let [a, b] = ends();
        let stranger = Secrets { own: Some(secret("cccc")), peer: Some(secret("bbbb")) };
        let forged =
            Secrets { own: stranger.own, peer: Some(Secret { ufrag: "bbbb".into(), ..secret("cccc") }) };
        let request = forged.request(TRANSACTION, 1, CandidateKind::Host, None, Mark::None).unwrap();
        assert_eq!(b.verify(&wire::parse(&request).unwrap()), None);
        let request = a.request(TRANSACTION, 1, CandidateKind::Host, None, Mark::None).unwrap();
        for bit in 0..(request.len() - FINGERPRINT) * 8 {
            let mut changed = request.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(message) = wire::parse(&changed) {
                assert_eq!(b.verify(&message), None, "bit {bit}");
            }
        }
        // Our own words come back to us: a mirror is not the other end.
        assert_eq!(a.verify(&wire::parse(&request).unwrap()), None);
    }

    #[test]
    fn a_counter_is_new_once_and_not_when_it_is_old() {
        let mut replays = Replays::default();
        for counter in [1, 3, 2, 200, 100, 199] {
            assert!(replays.accept(counter), "{counter}");
            assert!(!replays.accept(counter), "{counter} twice");
        }
        assert!(!replays.accept(0) && !replays.accept(72) && replays.accept(73));
        assert!(replays.accept(u64::MAX) && !replays.accept(u64::MAX - 200));
    }

    #[test]
    fn every_sample_is_read() {
        fuzz::seeds().iter().for_each(|seed| {
            fuzz::check(seed);
            assert!(ends()[0].verify(&wire::parse(seed).unwrap()).is_some());
        });
        // The wire is what PROTOCOL.md says, and stays so.
        let keep_alive = include_bytes!("../../../../fuzz/corpus/probe/seed-03");
        assert_eq!(fuzz::seeds()[3], keep_alive);
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            if let Ok(message) = wire::parse(&bytes) {
                assert_eq!(ends()[0].verify(&message), None);
            }
        }
    }
}
