//! Signatures found right lately. The same record comes from twenty holders and many gossips: its signature is worked
//! out once. Checking a signature is a function of its bytes alone, so what is remembered changes no answer, only its
//! price; and what is wrong is never remembered, so that a flood of forgeries forgets nothing.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{Domain, Signature};

/// Right signatures remembered in each of two generations; when the younger is full, the older is forgotten. Both have
/// their size from the first one on, so that nobody makes them grow.
const GENERATION: usize = 4_096;

static RIGHT: Mutex<Verdicts> = Mutex::new(Verdicts::new());

type Digest = [u8; 32];
type Digests = HashSet<Digest, BuildHasherDefault<FirstBytes>>;

struct Verdicts {
    young: Digests,
    old: Digests,
}

impl Verdicts {
    const fn new() -> Self {
        Self {
            young: HashSet::with_hasher(BuildHasherDefault::new()),
            old: HashSet::with_hasher(BuildHasherDefault::new()),
        }
    }

    fn contains(&mut self, digest: &Digest) -> bool {
        if self.young.contains(digest) {
            return true;
        }
        let known = self.old.contains(digest);
        if known {
            self.insert(*digest);
        }
        known
    }

    fn insert(&mut self, digest: Digest) {
        if self.young.capacity() == 0 {
            self.young.reserve(GENERATION);
            self.old.reserve(GENERATION);
        }
        if self.young.len() >= GENERATION {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(digest);
    }
}

/// Whether this signature is right: as remembered, or as `check` finds.
pub(super) fn right(
    key: &[u8; 32],
    domain: Domain,
    message: &[u8],
    signature: &Signature,
    check: impl FnOnce() -> bool,
) -> bool {
    // Every part but the last has one length, or ends in a zero that it does not contain.
    let digest: Digest = Sha256::new_with_prefix(key)
        .chain_update(signature.0)
        .chain_update(domain.text())
        .chain_update([0])
        .chain_update(message)
        .finalize()
        .into();
    // Nothing is left half done when a thread dies between two insertions.
    if RIGHT.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
        return true;
    }
    let right = check();
    if right {
        RIGHT.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
    }
    right
}

/// Digests and keys are spread evenly: eight of their bytes are a hash.
#[derive(Debug, Default)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_verdicts_are_remembered_and_the_oldest_forgotten() {
        let digest = |n: usize| Digest::from(Sha256::digest(n.to_be_bytes()));
        let mut verdicts = Verdicts::new();
        for n in 0..=2 * GENERATION {
            verdicts.insert(digest(n));
            assert!(verdicts.contains(&digest(n)));
        }
        assert!(!verdicts.contains(&digest(0)));
        assert!(verdicts.contains(&digest(2 * GENERATION)));
        assert!(verdicts.young.len() <= GENERATION && verdicts.old.len() <= GENERATION);
    }
}
