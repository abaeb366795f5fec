//! What was found right lately: the same record comes from twenty holders and many gossips, and is worked out once. Such a
//! check is a function of the bytes alone, so what is remembered changes no answer, only its price; and what is wrong is
//! never remembered, so that a flood of forgeries forgets nothing.

use std::sync::{Mutex, PoisonError};

use crate::generations::Generations;

/// Stands for everything that was checked.
pub(crate) type Digest = [u8; 32];

/// At most `SIZE` right ones in each of two generations; when the younger is full, the older is forgotten.
pub(crate) struct Verdicts<const SIZE: usize>(Mutex<Generations<Digest, (), SIZE>>);

impl<const SIZE: usize> Verdicts<SIZE> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Generations::new()))
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
        let verdicts = Verdicts::<4>::new();
        assert!(!verdicts.right([7; 32], || false));
        assert!(verdicts.right([7; 32], || true));
        assert!(verdicts.right([7; 32], || unreachable!("known")));
    }
}
