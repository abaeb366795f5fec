//! What the tests of this crate share: one start of virtual time.

use std::time::Instant;

use crate::{Now, UnixTime};

/// 2026-01-01 on the wall; the monotonic origin is read once and never compared with the real clock again.
#[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; tests only add to it")]
pub(crate) fn now() -> Now {
    Now { instant: Instant::now(), unix: UnixTime::from_secs(1_767_225_600) }
}
