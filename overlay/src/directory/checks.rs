//! How many proofs of work are worked out, and whose are not.

use std::{collections::BTreeMap, time::Duration};

use relay::UnixTime;

use super::Source;

/// How much proof of work was worked out, and whose was wrong.
#[derive(Debug, Default)]
pub(super) struct Checks {
    second: u64,
    in_second: u32,
    wrong: BTreeMap<Source, UnixTime>,
}

/// A prefix that sent a wrong proof with a right signature has its proofs ignored this long: no honest node passes
/// one on.
pub(super) const WRONG_PROOF_PENALTY: Duration = Duration::from_secs(60);

/// Prefixes punished at a time; when full, the one punished longest ago is forgiven.
const MAX_PUNISHED: usize = 1_024;

impl Checks {
    /// Whether one more proof of this origin may be worked out now.
    pub(super) fn begin(&mut self, now: UnixTime, source: Source, per_second: u32) -> bool {
        if source == Source::Own {
            return true;
        }
        if self.wrong.get(&source).is_some_and(|until| *until > now) {
            return false;
        }
        if self.second != now.as_secs() {
            (self.second, self.in_second) = (now.as_secs(), 0);
        }
        let room = self.in_second < per_second;
        self.in_second += u32::from(room);
        room
    }

    pub(super) fn punish(&mut self, now: UnixTime, source: Source) {
        self.wrong.retain(|_, until| *until > now);
        if self.wrong.len() >= MAX_PUNISHED
            && let Some(first) = self.wrong.iter().min_by_key(|(_, until)| **until).map(|(source, _)| *source)
        {
            self.wrong.remove(&first);
        }
        if source != Source::Own {
            self.wrong.insert(source, now.saturating_add(WRONG_PROOF_PENALTY));
        }
    }
}
