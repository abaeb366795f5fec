//! Our own names, looked up like anybody's: whether somebody else's claim to one of them, or to one that looks like it,
//! is shown to others.
//!
//! ```text
//!   soon after a name is ours, then daily:  Watching ─another key's proven claim──▶ NameContested, once for each key
//!                                                   ├─only that, ours is gone─────▶ NameLost
//!                                                   └─fewer show ours than a quorum ─▶ it is put again, and read back
//! ```
//! Nothing is given up because of what is seen here: whoever answers may lie. But whoever said that it holds our claim
//! may have lied, too, and led us to its friends: this walk has other beginnings.

use std::{collections::BTreeSet, time::Duration};

use relay::Now;

use super::{
    Node, NodeEvent, Timer,
    ask::Round,
    query::{Next, QUERY_TIMEOUT, Query, key_of},
};
use crate::{
    claim::{Standing, Union},
    identity::PublicKey,
    routing::quorum,
    username::Username,
    wire::Request,
};

/// Whose claims to our names the application was told of.
#[derive(Debug, Default)]
pub(super) struct Watch {
    told: BTreeSet<(Username, PublicKey)>,
}

/// So soon after a name became ours, or was put again at a start, it is looked up: while the links over which it was put
/// are still open, to be opened again costs more than all there is to say.
pub(super) const WATCH_SOON: Duration = Duration::from_secs(8);

/// How often our names are looked up.
const WATCH_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// And how soon after a claim had to be put again.
const WATCH_AGAIN: Duration = Duration::from_secs(600);

/// Contests told of; when full, they are forgotten together, and told again while they last.
const MAX_TOLD: usize = 256;

impl Node {
    /// Looks up every name of ours that is proven.
    pub(super) fn watch_names(&mut self, now: Now) {
        let proven =
            self.own_names.values().map(|own| &own.claim).filter(|c| c.standing() == Standing::Proven);
        let names: Vec<Username> = proven.map(|claim| claim.name().clone()).collect();
        for name in names {
            let id = self.new_query();
            self.timers.set(Timer::Query(id), now.instant + QUERY_TIMEOUT);
            let round = self.begin_round(now, id, key_of(&name), Request::GetClaims(name.clone()));
            self.carry_on(id, Next::Continue(Query::Watching { name, union: Union::default(), round }));
        }
        if !self.own_names.is_empty() {
            let interval = self.jitter(WATCH_INTERVAL);
            self.timers.set(Timer::Watch, now.instant + interval);
        }
    }

    pub(super) fn watched(&mut self, now: Now, name: &Username, union: &Union, round: &Round) -> Next {
        let me = self.identity.public_key();
        if round.answered == 0 || !self.own_names.contains_key(name) {
            return Next::Dropped;
        }
        if union.holders(&me, name) < quorum(round.asked.min(self.live(now))) {
            self.put_again(now, name);
            let again = self.jitter(WATCH_AGAIN);
            self.timers.set_earlier(Timer::Watch, now.instant + again);
        }
        if union.is_only_of(&me) {
            return Next::Dropped;
        }
        let others = self.ranked(now, name, union).into_iter();
        let others = others.filter(|claim| claim.key != me && claim.standing != Standing::Provisional);
        let others: Vec<PublicKey> = others.map(|claim| claim.key).collect();
        match others.first() {
            Some(by) if union.of(&me, name).is_none() => {
                self.events.push_back(NodeEvent::NameLost { name: name.clone(), by: *by });
            }
            _ => others.into_iter().for_each(|by| self.contested(name, by)),
        }
        Next::Dropped
    }

    /// Somebody else has a proven claim to a name of ours, or to one that looks like it.
    pub(super) fn contested(&mut self, name: &Username, by: PublicKey) {
        if self.watch.told.len() >= MAX_TOLD {
            self.watch.told.clear();
        }
        if self.watch.told.insert((name.clone(), by)) {
            self.events.push_back(NodeEvent::NameContested { name: name.clone(), by });
        }
    }
}
