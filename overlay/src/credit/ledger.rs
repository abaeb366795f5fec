//! What a helper was given: those vouchers that last longest, of those who can be expected to honour them.

use std::collections::BTreeMap;

use relay::UnixTime;

use super::{CreditError, MAX_SHOWN, Shown, Voucher};
use crate::{identity::LinkKey, wire::Bounded};

/// Helped ones whose vouchers are kept; when full, whose last one ends first is forgotten.
const MAX_HELPED: usize = 128;

/// All that is kept over a restart.
const MAX_KEPT: usize = MAX_HELPED * MAX_SHOWN;

/// Vouchers by who gave them, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    by_helped: BTreeMap<LinkKey, Vec<Voucher>>,
}

/// What is written to the cache.
pub(crate) type Kept = Bounded<Voucher, MAX_KEPT>;

impl Ledger {
    /// Keeps a voucher that was verified; one about a time that is vouched for already is a repetition.
    pub(crate) fn take(&mut self, voucher: Voucher) -> Result<(), CreditError> {
        let helped = voucher.helped();
        let kept = self.by_helped.entry(helped).or_default();
        if kept.last().is_some_and(|last| !voucher.follows(last)) {
            return Err(CreditError::Repeated);
        }
        kept.push(voucher);
        if kept.len() > MAX_SHOWN
            && let Some((first, _)) = kept.iter().enumerate().min_by_key(|(_, voucher)| voucher.ends())
        {
            kept.remove(first);
        }
        if self.by_helped.len() > MAX_HELPED {
            let ends = |kept: &[Voucher]| kept.iter().map(Voucher::ends).max();
            let others = self.by_helped.iter().filter(|(key, _)| **key != helped);
            if let Some(first) = others.min_by_key(|(_, kept)| ends(kept)).map(|(key, _)| *key) {
                self.by_helped.remove(&first);
            }
        }
        Ok(())
    }

    /// What can be shown to one who was helped.
    pub(crate) fn of(&self, helped: &LinkKey) -> Option<Shown> {
        self.by_helped.get(helped).map(|kept| Bounded::take(kept.iter().cloned()))
    }

    /// Whether somebody was helped, and said so.
    pub(crate) fn knows(&self, helped: &LinkKey) -> bool {
        self.by_helped.contains_key(helped)
    }

    /// Whether nobody who was helped has said so.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_helped.is_empty()
    }

    /// Forgets what is worth nothing any more.
    pub(crate) fn expire(&mut self, now: UnixTime) {
        self.by_helped.retain(|_, kept| {
            kept.retain(|voucher| voucher.ends() > now);
            !kept.is_empty()
        });
    }

    /// How many vouchers there are.
    pub(crate) fn len(&self) -> usize {
        self.by_helped.values().map(Vec::len).sum()
    }

    /// What is to be known after a restart.
    pub(crate) fn keep(&self) -> Kept {
        Bounded::take(self.by_helped.values().flatten().cloned())
    }

    /// The ledger of an earlier run; whoever is shown a voucher checks it.
    pub(crate) fn restore(kept: Kept, now: UnixTime) -> Self {
        let mut ledger = Self::default();
        for voucher in kept.into_vec() {
            // What is repeated in a damaged cache is dropped.
            let _ = ledger.take(voucher);
        }
        ledger.expire(now);
        ledger
    }
}
