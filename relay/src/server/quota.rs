//! Who holds how many allocations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Limits;
use super::gate::SourcePrefix;
use crate::wire::ErrorCode;

/// Counts by identity and by source prefix; as large as there are allocations, no larger.
#[derive(Debug, Default)]
pub(super) struct Quota {
    total: usize,
    by_identity: BTreeMap<Arc<str>, usize>,
    by_prefix: BTreeMap<SourcePrefix, usize>,
}

impl Quota {
    /// Counts one more, or says which limit is in the way.
    pub(super) fn enter(
        &mut self,
        identity: &Arc<str>,
        prefix: SourcePrefix,
        limits: &Limits,
    ) -> Result<(), ErrorCode> {
        let of_identity = self.by_identity.get(identity).copied().unwrap_or(0);
        let of_prefix = self.by_prefix.get(&prefix).copied().unwrap_or(0);
        if of_identity >= limits.allocations_per_username || of_prefix >= limits.allocations_per_prefix {
            return Err(ErrorCode::ALLOCATION_QUOTA_REACHED);
        }
        if self.total >= limits.allocations {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.total += 1;
        self.by_identity.insert(Arc::clone(identity), of_identity + 1);
        self.by_prefix.insert(prefix, of_prefix + 1);
        Ok(())
    }

    /// Counts one less.
    pub(super) fn leave(&mut self, identity: &str, prefix: SourcePrefix) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.by_identity.get_mut(identity) {
            *count -= 1;
            if *count == 0 {
                self.by_identity.remove(identity);
            }
        }
        if let Some(count) = self.by_prefix.get_mut(&prefix) {
            *count -= 1;
            if *count == 0 {
                self.by_prefix.remove(&prefix);
            }
        }
    }
}
