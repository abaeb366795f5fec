//! Signatures found right lately. The same record comes from twenty holders and many gossips: its signature is worked
//! out once. Checking a signature is a function of its bytes alone, so what is remembered changes no answer, only its
//! price; and what is wrong is never remembered, so that a flood of forgeries forgets nothing.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::{Domain, Signature};
use crate::generations::Generations;

/// Right signatures remembered in each of two generations; when the younger is full, the older is forgotten.
const GENERATION: usize = 4_096;

static RIGHT: Mutex<Generations<Digest, (), GENERATION>> = Mutex::new(Generations::new());

type Digest = [u8; 32];

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
    if RIGHT.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).is_some() {
        return true;
    }
    let right = check();
    if right {
        RIGHT.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, ());
    }
    right
}
