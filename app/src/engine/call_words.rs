//! Four words that both ends of a call read aloud, to hear that nobody is between them.
//!
//! ```text
//!   end    identity (32 bytes), SHA-256 of the certificate it shows in the handshake (32 bytes)
//!   words  the first 44 bits of Argon2id("silbo call words", lesser end | greater end), 11 bits a word (BIP-39, English)
//! ```
//! Certificates are made anew for each call and told in envelopes that the identities sign. Whoever is between two people
//! therefore has made at least one of them take a wrong identity for the right one, and then each end has other words.
//!
//! Somebody in between may choose their own certificate last, knowing those of both ends, and try many until the words agree:
//! 2^44 of them. A short number that is hashed quickly would need a commitment against that, told before the other end
//! shows its own. Here each try costs 64 MiB and a fifth of a second, and the call rings for less than a minute; a blind one
//! succeeds once in 2^44. Only where both people have called whoever is in between, at the same moment, are both
//! certificates chosen there, and two lists of 2^22 tries might meet: twenty days of a processor, within that minute. A
//! commitment would be needed against somebody who has so many of them. What the words do not show is who reads them: a
//! voice can be imitated.

use super::{
    actor::{Actor, Done},
    event::EventBody,
    view::ContactId,
};
use crate::{call::CallId, reason::Reason};
use argon2::{Algorithm, Argon2, Params, Version};
use bip39::Language;
use overlay::PublicKey;
use std::fmt;

/// How many words there are.
pub const SPOKEN: usize = 4;
/// A list of 2048 words.
const BITS_A_WORD: usize = 11;
/// Salt and purpose: the same bytes hashed for anything else give something else.
const PURPOSE: &[u8; 16] = b"silbo call words";
/// Memory, passes and lanes of Argon2id: what opening a sealed key costs.
const COST: (u32, u32, u32) = (64 * 1024, 3, 4);

/// What both ends of a call read aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallWords([&'static str; SPOKEN]);

/// One end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallEnd {
    /// Who.
    pub identity: PublicKey,
    /// What it shows in the handshake.
    pub certificate: [u8; 32],
}

/// The certificates of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Certificates {
    /// What we show.
    pub(super) ours: Option<[u8; 32]>,
    /// What the other end must show: that of the first description it gave, for a later one changes nothing.
    pub(super) theirs: Option<[u8; 32]>,
}

impl CallWords {
    /// Those of a call between these two, the same for both; takes a fifth of a second. None where Argon2 has no room.
    pub fn of(one: &CallEnd, other: &CallEnd) -> Option<Self> {
        let (lesser, greater) = if one <= other { (one, other) } else { (other, one) };
        let mut ends = [0; 128];
        let parts = [lesser, greater].map(|end| [*end.identity.bytes(), end.certificate]);
        for (room, part) in ends.chunks_exact_mut(32).zip(parts.as_flattened()) {
            room.copy_from_slice(part);
        }
        let mut hash = [0; 8];
        let (memory, passes, lanes) = COST;
        let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(&ends, PURPOSE, &mut hash).ok()?;
        let bits = u64::from_be_bytes(hash);
        let list = Language::English.word_list();
        Some(Self(std::array::from_fn(|nth| {
            let word = bits >> (u64::BITS as usize - (nth + 1) * BITS_A_WORD);
            list[word as usize % list.len()]
        })))
    }

    /// In their order.
    pub const fn words(&self) -> &[&'static str; SPOKEN] {
        &self.0
    }
}

impl fmt::Display for CallWords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(" "))
    }
}

impl Actor {
    /// Works out the words of the call that goes on; they appear in its view.
    pub(super) fn show_call_words(&mut self) -> Result<(), Reason> {
        let with = self.line.current().and_then(|(call, with)| match with {
            ContactId::Person(key) => Some((call, key)),
            ContactId::Echo => None,
        });
        let (call, key) = with.ok_or(Reason::NoCall)?;
        let running = self.session.as_ref().filter(|running| running.call == call).ok_or(Reason::NoCall)?;
        let Certificates { ours: Some(ours), theirs: Some(theirs) } = running.certificates else {
            return Err(Reason::NoCall);
        };
        let ends = [
            CallEnd { identity: self.own, certificate: ours },
            CallEnd { identity: key, certificate: theirs },
        ];
        self.jobs.spawn_blocking(move || Done::CallWords(call, CallWords::of(&ends[0], &ends[1])));
        Ok(())
    }

    pub(super) fn call_words_found(&mut self, call: CallId, words: Option<CallWords>) {
        if self.line.current().is_none_or(|(current, _)| current != call) {
            return;
        }
        let Some(words) = words else {
            let none = "the words of the call were not worked out".into();
            return self.complain(Some(call), Reason::Internal(none));
        };
        if let Some(shown) = &mut self.picture.view.call {
            shown.words = Some(words);
        }
        self.tell(Some(call), EventBody::CallWords(words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(identity: u8, certificate: u8) -> CallEnd {
        CallEnd { identity: PublicKey::from_bytes([identity; 32]), certificate: [certificate; 32] }
    }

    #[test]
    fn both_ends_have_the_same_words_and_everybody_in_between_others() {
        let words = CallWords::of(&end(1, 5), &end(2, 6));
        assert!(words.is_some());
        assert_eq!(words, CallWords::of(&end(2, 6), &end(1, 5)), "whoever called");
        for (one, other) in [
            (end(3, 5), end(2, 6)),
            (end(1, 7), end(2, 6)),
            (end(1, 5), end(2, 7)),
            (end(1, 6), end(2, 5)),
            (end(2, 5), end(1, 6)),
        ] {
            assert_ne!(words, CallWords::of(&one, &other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_words_are_those_of_another_implementation() {
        assert_eq!(
            CallWords::of(&end(1, 5), &end(2, 6)).unwrap().to_string(),
            "orient genuine budget arrange"
        );
    }
}
