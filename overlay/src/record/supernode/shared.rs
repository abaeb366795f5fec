//! The records found right lately, by their supernode. Like [`crate::verdicts`] they change no answer, only its
//! price; what is wrong never comes here.
//!
//! ```text
//!   record = 82 8? version network 58 20 | node key (32 bytes) | ...     CBOR: whoever begins with the whole of a
//!                                        ^ looked up by this             shared encoding is that record
//! ```

use std::sync::{Mutex, PoisonError};

use super::SupernodeRecord;
use crate::{generations::Generations, identity::LinkKey};

/// Supernodes of each of two generations; when the younger is full, the older is forgotten.
const GENERATION: usize = 2_048;

/// Where the node key stands in an encoded record.
const NODE: std::ops::Range<usize> = 6..38;

static SHARED: Mutex<Generations<LinkKey, SupernodeRecord>> = Mutex::new(Generations::new(GENERATION));

/// The shared record that these bytes begin with, and where it ends.
pub(super) fn find(bytes: &[u8]) -> Option<(SupernodeRecord, usize)> {
    let node = LinkKey::from_bytes(bytes.get(NODE)?.try_into().ok()?);
    // Nothing is left half done when a thread dies between two insertions.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let record = shared.get(&node)?;
    let encoding = record.0.right.get()?;
    bytes.starts_with(encoding).then(|| (record.clone(), encoding.len()))
}

/// Its signature was found right. Of one supernode the newest is shared.
pub(super) fn remember(record: &SupernodeRecord) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.get(&record.node()).is_none_or(|known| known.issued() < record.issued()) {
        shared.insert(record.node(), record.clone());
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
}
