//! What a node keeps for its next start, beside its keys: supernodes, the newest claims it has seen, and the vouchers it was
//! given for helping.

use minicbor::{Decode, Encode};
use relay::Now;

use super::Node;
use crate::{
    claim::{Kept, Seen},
    credit::{self, Ledger},
    record::{RecordError, SupernodeRecord},
    wire::{self, Bounded},
};

/// What [`Node::cache`] gives.
#[derive(Encode, Decode)]
struct Cache {
    #[n(0)]
    supernodes: Bounded<SupernodeRecord, CACHE_RECORDS>,
    #[n(1)]
    seen: Kept,
    #[n(2)]
    credit: Option<credit::Kept>,
}

/// Supernodes written to the cache.
const CACHE_RECORDS: usize = 200;

/// The supernodes in what [`Node::cache`] gave, unless it is damaged.
pub(crate) fn cached_supernodes(cache: &[u8]) -> Option<Vec<SupernodeRecord>> {
    wire::from_bytes(cache).ok().map(|Cache { supernodes, .. }| supernodes.into_vec())
}

impl Node {
    /// What is worth knowing at the next start: supernodes, the newest claims seen, and what others owe us.
    pub fn cache(&self) -> Vec<u8> {
        let confirmed = self.table.iter().filter(|known| known.confirmed).map(|known| known.record.clone());
        wire::to_bytes(&Cache {
            supernodes: Bounded::take(confirmed),
            seen: self.seen.keep(),
            credit: Some(self.credit.ledger.keep()),
        })
    }

    pub(super) fn take_cache(&mut self, now: Now, cache: &[u8]) {
        let Ok(Cache { supernodes, seen, credit }) = wire::from_bytes(cache) else { return };
        self.seen = Seen::restore(seen);
        if let Some(kept) = credit {
            self.credit.ledger = Ledger::restore(kept, now.unix);
        }
        for record in supernodes.into_vec() {
            if record.node() == self.own_key() {
                continue;
            }
            match record.verify(self.config.network, now.unix) {
                Ok(()) => drop(self.table.insert(record)),
                // The supernode may well still be there: its address is worth a try, its old word is not.
                Err(RecordError::Expired) => self.add_seed(record.address()),
                Err(_) => self.stats.refused_records += 1,
            }
        }
    }
}
