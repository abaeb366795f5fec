//! Whom to dial, and when again: a leaf wants homes, a supernode links to the other supernodes, both try the
//! addresses they were told.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use relay::Now;

use super::{
    LinkId, Node, Timer,
    links::{Link, LinkState},
};
use crate::{
    config::Role,
    hint::Hint,
    identity::LinkKey,
    record::{Offers, SupernodeRecord},
    routing::{Known, Prefix, REPLICATION},
    wire::Need,
};

/// An address that may be a supernode.
#[derive(Debug, Default)]
pub(super) struct Seed {
    pub(super) failures: u32,
    pub(super) retry_at: Option<Instant>,
    pub(super) link: Option<LinkId>,
    /// Who must answer there, when a hint says so.
    expected: Option<LinkKey>,
    /// Who answered there last: not dialled while there is another link to it.
    pub(super) found: Option<LinkKey>,
}

/// Bootstrap, LAN and found addresses remembered; a further one takes the place of the one that failed most often, or
/// is ignored when none has failed yet.
const MAX_SEEDS: usize = 256;

/// A supernode that heard of others links to them together, this long after the first.
const FILL_DELAY: Duration = Duration::from_millis(500);

/// First and longest pause before somebody who did not answer is dialled again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Node {
    pub(super) fn add_seed(&mut self, address: SocketAddr) {
        if self.has_room_for_seed(address) {
            // Whoever names an address without a key takes whoever is there.
            self.seeds.entry(address).or_default().expected = None;
        }
    }

    pub(super) fn add_hint(&mut self, hint: Hint) {
        if hint.node != self.own_key() && self.has_room_for_seed(hint.address) {
            let seed = Seed { expected: Some(hint.node), ..Seed::default() };
            self.seeds.entry(hint.address).or_insert(seed);
        }
    }

    fn has_room_for_seed(&mut self, address: SocketAddr) -> bool {
        if self.seeds.len() < MAX_SEEDS || self.seeds.contains_key(&address) {
            return true;
        }
        let idle = self.seeds.iter().filter(|(_, seed)| seed.link.is_none() && seed.failures > 0);
        let worst = idle.max_by_key(|(_, seed)| seed.failures).map(|(address, _)| *address);
        worst.is_some_and(|worst| self.seeds.remove(&worst).is_some())
    }

    /// Dials whoever is missing: a leaf wants homes, a supernode links to the other supernodes.
    pub(super) fn fill(&mut self, now: Now) {
        if self.is_supernode() {
            self.fill_mesh(now);
        } else {
            self.fill_homes(now);
        }
    }

    /// Supernodes were heard of, or lost: whoever misses some looks again, once for all that happens meanwhile.
    pub(super) fn fill_soon(&mut self, now: Now) {
        let wait = if self.is_supernode() { FILL_DELAY } else { Duration::ZERO };
        if self.is_supernode() || self.homes_missing() > 0 {
            self.timers.set_earlier(Timer::Dial, now.instant + wait);
        }
    }

    fn fill_mesh(&mut self, now: Now) {
        self.adopt_ready_links(now);
        self.dial_seeds(now);
        let links = self.links.values().filter(|link| link.state != LinkState::Ready(Role::Leaf));
        let linked: BTreeSet<LinkKey> = links.filter_map(|link| link.peer).collect();
        let known = linked.iter().filter(|node| self.table.get(node).is_some()).count();
        let room = self.config.limits.mesh_links.saturating_sub(known);
        let dialable = |k: &&Known| k.may_dial(now.instant) && !linked.contains(&k.record.node());
        // Those around us, who hold what we hold; any others, so that the mesh hangs together.
        let around = self.table.closest(&self.place, REPLICATION, now.instant, |_| false);
        let mut missing: Vec<SupernodeRecord> =
            around.into_iter().filter(dialable).map(|k| k.record.clone()).collect();
        // Of many known somebody's pause is over all the time.
        let soonest = if room > missing.len() { FILL_DELAY } else { LONGEST_PAUSE };
        if room > missing.len() {
            let near: BTreeSet<LinkKey> = missing.iter().map(SupernodeRecord::node).collect();
            let far = self.table.iter().filter(dialable).filter(|k| !near.contains(&k.record.node()));
            let far: Vec<&Known> = far.collect();
            missing.extend(far.sample(&mut self.rng, room - near.len()).map(|k| k.record.clone()));
        }
        for record in missing {
            self.dial(now, record.address(), Some(record.node()), None);
        }
        self.schedule_dial(now, self.paused_until(now).map(|until| until.max(now.instant + soonest)));
    }

    fn fill_homes(&mut self, now: Now) {
        self.adopt_ready_links(now);
        let missing = self.homes_missing();
        if missing == 0 {
            return;
        }
        self.dial_seeds(now);
        let need = self.need();
        let rests = self.search.rests_until(now.instant, need);
        if rests.is_some() && self.helped_nobody() {
            return self.schedule_dial(now, rests);
        }
        let spares = self.spares_strangers(now);
        let opening = if spares { self.perhaps_homes(now) } else { self.opening() };
        let prefixes = self.home_prefixes();
        let dead_rest = self.search.dead_until(now.instant, need);
        let mut candidates: Vec<&Known> = self
            .table
            .iter()
            .filter(|k| k.may_dial(now.instant) && k.may_have_room(now.instant, need))
            .filter(|k| k.record.offers(Offers::INTRODUCER))
            .filter(|k| !self.by_peer.contains_key(&k.record.node()))
            .filter(|k| !prefixes.contains(&Prefix::of(self.config.network, k.record.address())))
            .filter(|k| rests.is_none() || self.owes_us(&k.record.node()))
            .filter(|k| dead_rest.is_none() || !k.is_dead())
            .collect();
        candidates.shuffle(&mut self.rng);
        // Whom we helped has more room for us than others, and whoever lives more than the dead.
        let full = self.presence.full;
        candidates.sort_by_key(|k| (k.is_dead(), full && !self.owes_us(&k.record.node())));
        // Twice as many as are missing, for some will not answer; where strangers are to be left, one after the other.
        let wanted = if spares { missing } else { missing * 2 };
        let living = candidates.partition_point(|known| !known.is_dead());
        let most = if need == Need::Homeless { usize::MAX } else { living + 1 };
        candidates.truncate(most.min(wanted.saturating_sub(opening)));
        if candidates.len() > living {
            self.search.tries_dead(now.instant);
        }
        let first: Vec<SupernodeRecord> = candidates.into_iter().map(|known| known.record.clone()).collect();
        for record in first {
            self.dial(now, record.address(), Some(record.node()), None);
        }
        let paused = if rests.is_some() { self.paused_helped_until(now) } else { self.paused_until(now) };
        let dead_rest = self.search.dead_until(now.instant, need);
        self.schedule_dial(now, paused.into_iter().chain(rests).chain(dead_rest).min());
    }

    /// Links ever opened.
    #[cfg(test)]
    pub(crate) fn dialled_for_test(&self) -> u64 {
        self.next_link - 1
    }

    fn opening(&self) -> usize {
        self.links.values().filter(|link| link.peer.is_some() && !link.is_ready()).count()
    }

    /// Links to somebody who may yet become a home.
    fn perhaps_homes(&self, now: Now) -> usize {
        let known = |link: &Link| self.table.get(&link.peer?);
        let need = self.need();
        let has_room = |link: &Link| known(link).is_none_or(|known| known.may_have_room(now.instant, need));
        self.links.iter().filter(|(id, link)| !self.is_home(**id) && has_room(link)).count()
    }

    /// Dials every seed that is not a supernode we know already.
    fn dial_seeds(&mut self, now: Now) {
        let due: Vec<(SocketAddr, Option<LinkKey>)> = self
            .seeds
            .iter()
            .filter(|(_, seed)| seed.link.is_none() && seed.retry_at.is_none_or(|at| at <= now.instant))
            .filter(|(_, seed)| seed.found.is_none_or(|node| !self.is_linked_or_own(&node)))
            .filter(|(_, seed)| seed.expected.is_none_or(|node| !self.is_linked_or_own(&node)))
            .map(|(address, seed)| (*address, seed.expected))
            .filter(|(address, _)| !self.is_known(*address))
            .collect();
        for (address, expected) in due {
            self.dial(now, address, expected, Some(address));
        }
    }

    /// The links to bootstrap addresses that can be asked and are none of `nodes`.
    pub(super) fn seeds_not_among(&self, nodes: &BTreeSet<LinkKey>) -> impl Iterator<Item = LinkId> {
        let linked = self.seeds.values().filter_map(|seed| seed.link.zip(seed.found));
        let ready = |id: &LinkId| self.links.get(id).is_some_and(|link| link.is_ready());
        linked.filter(move |(id, node)| !nodes.contains(node) && ready(id)).map(|(id, _)| id)
    }

    fn is_known(&self, address: SocketAddr) -> bool {
        self.own_record.as_ref().is_some_and(|own| own.address() == address)
            || self.table.iter().any(|k| k.confirmed && k.failures == 0 && k.record.address() == address)
            || self.links.values().any(|l| l.address == address && l.is_ready())
    }

    fn is_linked_or_own(&self, node: &LinkKey) -> bool {
        *node == self.own_key() || self.by_peer.contains_key(node)
    }

    /// When the first of those known may be dialled again, or asked to be our home.
    fn paused_until(&self, now: Now) -> Option<Instant> {
        self.table.iter().filter_map(|known| known.paused_until(now.instant)).min()
    }

    /// The same of those that we helped.
    fn paused_helped_until(&self, now: Now) -> Option<Instant> {
        let helped = self.table.iter().filter(|known| self.owes_us(&known.record.node()));
        helped.filter_map(|known| known.paused_until(now.instant)).min()
    }

    /// `paused`: when somebody known may be dialled again.
    fn schedule_dial(&mut self, now: Now, paused: Option<Instant>) {
        let seeds = self.seeds.values().filter(|s| s.link.is_none()).filter_map(|s| s.retry_at);
        if let Some(next) = seeds.filter(|at| *at > now.instant).chain(paused).min() {
            self.timers.set_earlier(Timer::Dial, next);
        }
    }
}

/// How long to leave somebody alone who failed that often before; `draw` is around one.
pub(super) fn pause(failures: u32, draw: f64) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE).mul_f64(draw)
}
