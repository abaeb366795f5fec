//! Proofs of work found right lately. Twenty holders give a claim to a reader who may hold it, too: its proof is worked out
//! once. Like the verdicts on [signatures](crate::identity) they change no answer, only its price, and what is wrong is
//! never remembered.

use std::sync::{Mutex, PoisonError};

use crate::generations::Generations;

/// Proofs of each of two generations; when the younger is full, the older is forgotten.
const GENERATION: usize = 1_024;

static RIGHT: Mutex<Generations<WorkId, (), GENERATION>> = Mutex::new(Generations::new());

/// See [`Claim::work_id`](super::Claim::work_id).
type WorkId = [u8; 32];

/// Whether this work was done: as remembered, or as `check` finds.
pub(super) fn right(work: WorkId, check: impl FnOnce() -> bool) -> bool {
    // Nothing is left half done when a thread dies between two insertions.
    if RIGHT.lock().unwrap_or_else(PoisonError::into_inner).get(&work).is_some() {
        return true;
    }
    let right = check();
    if right {
        RIGHT.lock().unwrap_or_else(PoisonError::into_inner).insert(work, ());
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_right_is_not_worked_out_again_and_what_was_wrong_is() {
        assert!(!right([0x77; 32], || false));
        assert!(right([0x77; 32], || true));
        assert!(right([0x77; 32], || unreachable!("known")));
    }
}
