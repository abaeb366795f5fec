//! Where virtual time begins, for tests and fuzzers.

use std::time::Instant;

/// An instant for virtual time to begin at; an `Instant` has no other origin.
#[expect(clippy::disallowed_methods, reason = "an Instant can only be made by reading the clock")]
pub(super) fn origin() -> Instant {
    Instant::now()
}
