//! A supernode that leaves hands the claims it holds to whoever moves up into its place among their holders.
//!
//! ```text
//!   closest:  1 2 3 .. we .. 20 | 21        21 is told now; the others hold it already, and look after it once we
//!                                           are missed
//! ```

use std::collections::{BTreeMap, BTreeSet};

use relay::Now;

use super::{LinkId, Node, ask::Purpose};
use crate::{
    claim::Claim,
    routing::{Key, REPLICATION},
    wire::Request,
};

/// Claims handed over a link at most: leaving takes no longer than writing them. The others are replicated by those who
/// hold them, too.
const MAX_OVER_LINK: usize = 200;

impl Node {
    /// Over links that are up: nobody who leaves waits for one to be opened.
    pub(super) fn hand_claims_on(&mut self, now: Now) {
        if !self.is_supernode() {
            return;
        }
        let own = self.own_key();
        let claims = self.directory.claims_after(now.unix, None, usize::MAX);
        let claims: Vec<(Key, Claim)> = claims.into_iter().map(|(key, claim)| (key, claim.clone())).collect();
        let mut handed: BTreeMap<LinkId, usize> = BTreeMap::new();
        for (key, claim) in claims {
            let closest = self.closest(now, &key, REPLICATION + 1, &BTreeSet::new());
            let Some(next) = closest.get(REPLICATION).filter(|next| next.node != own) else { continue };
            let Some(link) = self.ready_link(&next.node) else { continue };
            let over_link = handed.entry(link).or_default();
            if *over_link < MAX_OVER_LINK {
                *over_link += 1;
                self.ask_over(now, link, Request::PutClaim(Box::new(claim)), Purpose::Background);
            }
        }
    }
}
