//! Which pairs and addresses give way where there are as many as are kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::Pairs;
use crate::session::path::pair::AT_FIRST;

/// What a new pair is worth, where there are as many as are kept: it takes the place of one that came to nothing, else of
/// the one probed in vain for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It may work: if that one has had a second.
    MayWork,
    /// The other end was heard by it.
    Heard,
}

impl Pairs {
    /// Whether no pair with this address works, or has a chance to soon.
    pub(in crate::session::path) fn is_useless(&self, now: Instant, remote: SocketAddr) -> bool {
        let mut pairs = self.pairs.iter().filter(|(id, _)| id.remote == remote);
        !pairs.any(|(id, pair)| pair.is_hopeful(now) || self.flow.uses(*id))
    }

    /// The address that was probed in vain for longest, if there is one: none of its pairs works.
    pub(in crate::session::path) fn vainest(&self) -> Option<SocketAddr> {
        let mut remotes: BTreeMap<SocketAddr, Option<Instant>> = BTreeMap::new();
        for (id, pair) in &self.pairs {
            let since = pair.in_vain_since().filter(|_| !self.flow.uses(*id));
            let youngest = remotes.entry(id.remote).or_insert(since);
            *youngest = youngest.zip(since).map(|(one, other)| one.max(other));
        }
        let vain = remotes.into_iter().filter_map(|(remote, since)| Some((since?, remote)));
        vain.min().map(|(_, remote)| remote)
    }

    /// Forgets a pair that does not work and is not used.
    pub(super) fn make_room(&mut self, now: Instant, worth: Worth) -> bool {
        let unused = || self.pairs.iter().filter(|(id, _)| !self.flow.uses(**id));
        let idle = unused().find_map(|(id, pair)| pair.is_idle().then_some(*id));
        let vain = unused().filter_map(|(id, pair)| Some((pair.in_vain_since()?, *id))).min();
        let vain = vain.filter(|(since, _)| worth == Worth::Heard || *since + AT_FIRST <= now);
        let least = idle.or_else(|| vain.map(|(_, id)| id));
        least.is_some_and(|least| self.pairs.remove(&least).is_some())
    }
}
