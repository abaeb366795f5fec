//! What a node tells about itself when it is asked: too much to be kept up to date at every step.

use super::{Node, links::LinkState};
use crate::{
    config::Role,
    outcome::{Kept, SupernodeLink},
};

impl Node {
    /// The links to supernodes that are ready.
    pub fn links_to_supernodes(&self) -> Vec<SupernodeLink> {
        let ready = self.links.iter().filter(|(_, link)| link.state == LinkState::Ready(Role::Supernode));
        ready
            .map(|(id, link)| SupernodeLink {
                remote: link.address,
                carrier: link.carrier,
                rings: self.homes_up_links().any(|home| home == *id),
                observed: self.presence.observations.get(id).copied(),
            })
            .collect()
    }

    /// How much this node keeps for others.
    pub fn kept(&self) -> Kept {
        let (claims, introductions) = self.directory.size();
        // One may have opened several mailboxes, and one mailbox is our own.
        let leaves = self.links.values().filter(|link| !link.mailboxes.is_empty()).count();
        Kept {
            leaves,
            claims,
            introductions,
            letters: self.directory.letters(),
            vouchers: self.credit.ledger.len(),
        }
    }

    /// Everything kept for others, encoded.
    #[cfg(test)]
    pub(crate) fn kept_for_test(&self, now: relay::Now) -> Vec<Vec<u8>> {
        let claims = self.directory.claims_after(now.unix, None, usize::MAX);
        let claims = claims.into_iter().map(|(_, claim)| crate::wire::to_bytes(claim));
        let people = self.directory.introductions_after(None, usize::MAX).map(crate::wire::to_bytes);
        let letters = self.directory.all_letters().map(crate::wire::to_bytes);
        claims.chain(people).chain(letters).chain(self.sight.kept.encoded()).collect()
    }
}
