//! The records found right lately, by their supernode. Like [verdicts](crate::identity) they change no answer, only its
//! price; what is wrong never comes here.
//!
//! ```text
//!   record = 82 8? version network 58 20 | node key (32 bytes) | ...     CBOR: whoever begins with the whole of a
//!                                        ^ looked up by this             shared encoding is that record
//! ```

use std::{
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Mutex, PoisonError},
};

use super::SupernodeRecord;
use crate::identity::{FirstBytes, LinkKey};

/// Supernodes of each of two generations; when the younger is full, the older is forgotten. Both have their size from
/// the first one on, so that nobody makes them grow.
const GENERATION: usize = 2_048;

/// Where the node key stands in an encoded record.
const NODE: std::ops::Range<usize> = 6..38;

static SHARED: Mutex<Records> = Mutex::new(Records::new());

type Generation = HashMap<LinkKey, SupernodeRecord, BuildHasherDefault<FirstBytes>>;

struct Records {
    young: Generation,
    old: Generation,
}

impl Records {
    const fn new() -> Self {
        let hasher = BuildHasherDefault::new;
        Self { young: HashMap::with_hasher(hasher()), old: HashMap::with_hasher(hasher()) }
    }

    fn find(&mut self, node: &LinkKey) -> Option<&SupernodeRecord> {
        if !self.young.contains_key(node) {
            let record = self.old.remove(node)?;
            self.insert(record);
        }
        self.young.get(node)
    }

    fn insert(&mut self, record: SupernodeRecord) {
        if self.young.capacity() == 0 {
            self.young.reserve(GENERATION);
            self.old.reserve(GENERATION);
        }
        if self.young.len() >= GENERATION {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(record.node(), record);
    }
}

/// The shared record that these bytes begin with, and where it ends.
pub(super) fn find(bytes: &[u8]) -> Option<(SupernodeRecord, usize)> {
    let node = LinkKey::from_bytes(bytes.get(NODE)?.try_into().ok()?);
    // Nothing is left half done when a thread dies between two insertions.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let record = shared.find(&node)?;
    let encoding = record.0.right.get()?;
    bytes.starts_with(encoding).then(|| (record.clone(), encoding.len()))
}

/// Its signature was found right. Of one supernode the newest is shared.
pub(super) fn remember(record: &SupernodeRecord) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.find(&record.node()).is_none_or(|known| known.issued() < record.issued()) {
        shared.insert(record.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use relay::UnixTime;

    use super::*;
    use crate::{config::Network, identity::LinkSecret, record::RecordError, wire};

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn record(secret: u64, issued: UnixTime) -> SupernodeRecord {
        let mut seed = [0xc7; 32];
        seed[..8].copy_from_slice(&secret.to_be_bytes());
        let secret = LinkSecret::from_secret(seed);
        let address = "192.0.2.7:4433".parse().unwrap();
        SupernodeRecord::sign(&secret, Network::Lab, address, None, None, issued, Duration::from_secs(3600))
    }

    fn read(bytes: &[u8]) -> SupernodeRecord {
        wire::from_bytes(bytes).unwrap()
    }

    #[test]
    fn a_record_found_right_is_one_in_memory_and_others_are_not() {
        let bytes = wire::to_bytes(&record(1, NOW));
        let (first, other) = (read(&bytes), read(&bytes));
        assert_eq!(first, other);
        assert!(!Arc::ptr_eq(&first.0, &other.0), "nobody has verified it yet");
        first.verify(Network::Lab, NOW).unwrap();
        let shared = read(&bytes);
        assert!(Arc::ptr_eq(&first.0, &shared.0));
        assert_eq!(wire::to_bytes(&shared), bytes);
        // What is looked at each time is still looked at.
        assert_eq!(shared.verify(Network::Main, NOW), Err(RecordError::Network));
        let later = NOW.saturating_add(Duration::from_secs(7200));
        assert_eq!(shared.verify(Network::Lab, later), Err(RecordError::Expired));
    }

    #[test]
    fn another_word_of_the_same_supernode_is_not_taken_for_the_shared_one() {
        let (old, new) = (record(2, NOW), record(2, NOW.saturating_add(Duration::from_secs(60))));
        old.verify(Network::Lab, NOW).unwrap();
        assert_eq!(read(&wire::to_bytes(&new)), new);
        let mut forged = wire::to_bytes(&old);
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(read(&forged).verify(Network::Lab, NOW), Err(RecordError::Signature));
        new.verify(Network::Lab, NOW).unwrap();
        old.verify(Network::Lab, NOW).unwrap();
        assert!(Arc::ptr_eq(&new.0, &read(&wire::to_bytes(&new)).0), "the newest is shared");
    }

    #[test]
    fn the_latest_are_remembered_and_the_oldest_forgotten() {
        let mut records = Records::new();
        let template = record(3, NOW);
        for n in 0..=2 * GENERATION as u64 {
            let mut word = super::super::Word {
                body: template.0.word.body.clone(),
                signature: template.0.word.signature,
            };
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            word.body.node = LinkKey::from_bytes(key);
            records.insert(SupernodeRecord::of(word));
        }
        assert!(records.find(&LinkKey::from_bytes([0; 32])).is_none());
        assert!(records.young.len() <= GENERATION && records.old.len() <= GENERATION);
    }
}
