//! What was found right lately: the same record comes from twenty holders and many gossips, and is worked out once. Such a
//! check is a function of the bytes alone, so what is remembered changes no answer, only its price; and what is wrong is
//! never remembered, so that a flood of forgeries forgets nothing.

use std::sync::{Mutex, PoisonError};

use crate::generations::Generations;

/// Stands for everything that was checked.
pub(crate) type Digest = [u8; 32];

/// At most `size` right ones in each of two generations; when the younger is full, the older is forgotten.
pub(crate) struct Verdicts(Mutex<Generations<Digest, ()>>);

impl Verdicts {
    pub(crate) const fn new(size: usize) -> Self {
        Self(Mutex::new(Generations::new(size)))
    }

    /// Has room for so many from now on, if it has not yet.
    pub(crate) fn grow(&self, size: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).grow(size);
    }

    /// Whether it is right: as remembered, or as `check` finds.
    pub(crate) fn right(&self, digest: Digest, check: impl FnOnce() -> bool) -> bool {
        // Nothing is left half done when a thread dies between two insertions.
        let right = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if right().get(&digest).is_some() {
            return true;
        }
        let found = check();
        if found {
            right().insert(digest, ());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_right_is_not_worked_out_again_and_what_was_wrong_is() {
        let verdicts = Verdicts::new(4);
        assert!(!verdicts.right([7; 32], || false));
        assert!(verdicts.right([7; 32], || true));
        assert!(verdicts.right([7; 32], || unreachable!("known")));
    }

    #[test]
    fn with_more_room_more_is_remembered_and_nothing_forgotten() {
        let verdicts = Verdicts::new(4);
        assert!(verdicts.right([7; 32], || true));
        verdicts.grow(1_000);
        verdicts.grow(10);
        for nth in 0..1_000_u16 {
            let mut digest = [0; 32];
            digest[..2].copy_from_slice(&nth.to_be_bytes());
            assert!(verdicts.right(digest, || true));
        }
        assert!(verdicts.right([7; 32], || unreachable!("known")));
    }
}
