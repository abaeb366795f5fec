//! Who is around a key. A node that knows about everybody looks into its table. A leaf that does not walks: four paths,
//! each from another beginning, each following only what its own supernodes answer, none asking whom another asked, so
//! that a liar leads one path astray and no more. Half of the paths begin at homes, for links to those are up; the
//! others elsewhere, drawn anew for each walk, for whoever made itself our home must not stand at every beginning.
//!
//! ```text
//!   path 0:  home ─Find─▶ closest it knows ─Find─▶ closer ones ... until nobody closer is heard of
//!   path 1:  home ─Find─▶ ...                                        ╲
//!   path 2:  another that once answered ─Find─▶ ...                    ▶ union of verified records ─▶ region
//!   path 3:  two others known ─Find─▶ ...                            ╱
//! ```
//! The *region* of a key: the [`REPLICATION`] closest, and whoever else stands closer than one of them would in a network
//! in which nobody chose its place: identities ground to surround a key make the region wider, not emptier. It ends with
//! [`WIDEST`]. Of one /24 or /48 only two count.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use rand::seq::{IteratorRandom as _, SliceRandom as _};
use relay::Now;

use super::{
    LinkId, Node, QueryId,
    ask::{AskError, Peer, Purpose},
};
use crate::{
    identity::LinkKey,
    record::{Offers, SupernodeRecord},
    routing::{Distance, Key, Known, Near, PER_PREFIX, REPLICATION},
    wire::{MAX_GOSSIP, Request, Response},
};

/// Names a walk under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WalkId(u64);

/// What is done with what a walk finds.
#[derive(Debug)]
pub(super) enum For {
    /// The round of this command asks them.
    Query(QueryId),
    /// They are to hold this.
    Put(Arc<Request>, Purpose),
    /// Whoever asks for them next.
    Later,
}

/// Who should hold what belongs at a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Region {
    pub(super) holders: Vec<Peer>,
    /// The next closest.
    pub(super) spares: Vec<Peer>,
}

/// Walks under way, and what the last ones found.
#[derive(Debug, Default)]
pub(super) struct Walks {
    next: u64,
    under_way: BTreeMap<WalkId, Walk>,
    found: VecDeque<(Key, std::time::Instant, Region)>,
    /// Those that are linked and told us of all they know.
    told_of_all: BTreeSet<LinkKey>,
}

#[derive(Debug)]
struct Walk {
    key: Key,
    then: For,
    paths: Vec<Path>,
    /// By any path.
    asked: BTreeSet<LinkKey>,
    union: BTreeMap<Distance, Peer>,
    /// The smallest network anybody told of.
    fewest: usize,
    answers: usize,
}

#[derive(Debug, Default)]
struct Path {
    /// Not asked yet: where it begins.
    beginnings: VecDeque<Peer>,
    /// Heard on this path; `None` once asked, or found not to answer.
    heard: BTreeMap<Distance, Option<Peer>>,
    waiting: BTreeSet<LinkKey>,
    asked: usize,
}

/// Paths of a walk.
const PATHS: usize = 4;

/// Supernodes one path asks at most.
const STEPS: usize = 8;

/// A path ends when so many of the closest it heard of were asked, by whomever.
const NEAREST_ASKED: usize = 2;

/// Paths that begin with a home; the others begin with somebody else. Each goes on with who else is known if that fails.
const HOME_PATHS: usize = 2;

/// Who begins the last path.
const LAST_BEGINNINGS: usize = 2;

/// Beginnings drawn among those known that are no homes.
const OTHERS: usize = LAST_BEGINNINGS + PATHS;

/// The widest region: three times as many as would do.
pub(super) const WIDEST: usize = 3 * REPLICATION;

/// Of so many places evenly spread, a region has this share even where nobody crowds in.
const EVEN: u64 = 12;

/// Regions found are used again for a moment, for reading comes before writing; when full, the one found first is forgotten.
const FOUND: usize = 16;
const FOUND_LASTS: std::time::Duration = std::time::Duration::from_secs(5);

/// Walks at a time; further ones are answered from the own table.
const MAX_WALKS: usize = 64;

impl Node {
    /// Whether our table is only a part of the network: a leaf's, unless all its homes say that the network is tiny.
    pub(super) fn must_walk(&self) -> bool {
        let told = &self.walks.told_of_all;
        let tiny = self.table.len() <= REPLICATION && self.homes_not_among(told).next().is_none();
        !self.is_supernode() && self.homes_up() > 0 && !tiny
    }

    /// Somebody told of whom it knows; if it left nobody out, we know everybody it knows.
    pub(super) fn told(&mut self, link: LinkId, records: usize) {
        let told = &mut self.walks.told_of_all;
        told.retain(|node| self.by_peer.contains_key(node));
        if records < MAX_GOSSIP {
            told.extend(self.links.get(&link).and_then(|link| link.peer));
        }
    }

    /// The region of a key, when it is known.
    pub(super) fn region(&mut self, now: Now, key: &Key) -> Option<Region> {
        if !self.must_walk() || self.walks.under_way.len() >= MAX_WALKS {
            return Some(self.region_known(now, key));
        }
        self.walks.found.retain(|(_, until, _)| *until > now.instant);
        self.walks.found.iter().find(|(of, ..)| of == key).map(|(.., region)| region.clone())
    }

    /// Those of a key that can be asked at once; whoever has to walk for them knows them when it asks again.
    pub(super) fn holders_now(&mut self, now: Now, key: &Key) -> Vec<Peer> {
        if let Some(region) = self.region(now, key) {
            return region.holders;
        }
        self.begin_walk(now, *key, For::Later);
        self.closest(now, key, REPLICATION, &BTreeSet::new())
    }

    /// The region of a key as far as our table tells.
    pub(super) fn region_known(&self, now: Now, key: &Key) -> Region {
        self.region_of(self.nearest_first(now, *key).take(WIDEST), self.table.len() + 1, REPLICATION)
    }

    /// Who should hold what belongs at a key, as far as our table tells.
    pub(super) fn holders_known(&self, now: Now, key: &Key) -> Vec<Peer> {
        self.region_of(self.nearest_first(now, *key).take(WIDEST), self.table.len() + 1, 0).holders
    }

    /// The live supernodes closest to a key, we among them if we are one.
    pub(super) fn closest(&self, now: Now, key: &Key, count: usize, except: &BTreeSet<LinkKey>) -> Vec<Peer> {
        let around = self.nearest_first(now, *key).map(|(_, peer)| peer);
        around.filter(|peer| !except.contains(&peer.node)).take(count).collect()
    }

    /// All supernodes by their distance from a key, we among them if we are one; the dead come last.
    fn nearest_first(&self, now: Now, key: Key) -> impl Iterator<Item = (Distance, Peer)> {
        let placed = move |record: &SupernodeRecord| {
            let peer = Peer { node: record.node(), address: record.address() };
            (record.place().distance(&key), peer)
        };
        let mut own = self.own_directory().map(placed);
        let mut known = self.table.nearest_first(key, now.instant).peekable();
        std::iter::from_fn(move || {
            let own = own.take_if(|(distance, _)| {
                let next = known.peek();
                next.is_none_or(|n| !n.is_live(now.instant) || n.record.place().distance(&key) > *distance)
            });
            own.or_else(|| known.next().map(|next| placed(&next.record)))
        })
    }

    /// Regions found too long ago are not kept until the next walk.
    pub(super) fn forget_regions(&mut self, now: Now) {
        self.walks.found.retain(|(_, until, _)| *until > now.instant);
        if self.walks.found.is_empty() {
            self.walks.found = VecDeque::new();
        }
    }

    fn own_directory(&self) -> Option<&SupernodeRecord> {
        self.own_record.as_ref().filter(|own| own.offers(Offers::DIRECTORY))
    }

    /// The region among these, nearest first, in a network of so many supernodes; with at most so many spares.
    fn region_of(
        &self,
        around: impl IntoIterator<Item = (Distance, Peer)>,
        network: usize,
        spares: usize,
    ) -> Region {
        let within = even_share(network);
        let (mut region, mut nears) = (Region::default(), BTreeMap::<Near, usize>::new());
        for (distance, peer) in around {
            if let Some(near) = Near::of(self.config.network, peer.address) {
                let count = nears.entry(near).or_insert(0);
                *count += 1;
                if *count > PER_PREFIX {
                    continue;
                }
            }
            let held_by = region.holders.len();
            if held_by < REPLICATION || (held_by < WIDEST && distance.leading() <= within) {
                region.holders.push(peer);
            } else if region.spares.len() < spares {
                region.spares.push(peer);
            } else {
                // The others are farther still.
                break;
            }
        }
        region
    }

    /// Looks for those around a key.
    pub(super) fn begin_walk(&mut self, now: Now, key: Key, then: For) -> WalkId {
        let id = WalkId(self.walks.next);
        self.walks.next += 1;
        let mut walk = Walk {
            key,
            then,
            paths: self.beginnings(now, &key),
            asked: BTreeSet::new(),
            union: BTreeMap::new(),
            fewest: usize::MAX,
            answers: 0,
        };
        walk.union.extend(self.nearest_first(now, key).take(REPLICATION));
        for path in 0..walk.paths.len() {
            self.step(now, id, &mut walk, path);
        }
        self.walks.under_way.insert(id, walk);
        id
    }

    /// Where each path begins.
    fn beginnings(&mut self, now: Now, key: &Key) -> Vec<Path> {
        let mut homes: Vec<Peer> = self.home_peers().collect();
        homes.shuffle(&mut self.rng);
        let is_home = |node: &LinkKey| homes.iter().any(|home| home.node == *node);
        let others = |k: &&Known| k.is_live(now.instant) && !is_home(&k.record.node());
        let peer = |known: &Known| Peer { node: known.record.node(), address: known.record.address() };
        // Of those whom others only named there may be as many as a liar likes.
        let met = self.table.iter().filter(others).filter(|known| known.confirmed);
        let met = met.choose(&mut self.rng).map(peer);
        let drawn = self.table.iter().filter(others).sample(&mut self.rng, OTHERS);
        let drawn = drawn.into_iter().map(peer).filter(|peer| met.is_none_or(|met| met.node != peer.node));
        let mut others = met.into_iter().chain(drawn).collect::<Vec<Peer>>().into_iter();
        let mut homes = homes.into_iter();
        let mut paths: Vec<Path> = Vec::new();
        for nth in 0..PATHS {
            let mut path = Path::default();
            let home = if nth < HOME_PATHS { homes.next() } else { None };
            let first = home.into_iter().chain(others.by_ref());
            path.beginnings.extend(first.take(if nth + 1 < PATHS { 1 } else { LAST_BEGINNINGS }));
            paths.push(path);
        }
        // Should a beginning fail, somebody else near the key may know more.
        let near = self.closest(now, key, PATHS, &BTreeSet::new());
        for (path, spare) in paths.iter_mut().zip(others.chain(homes).chain(near)) {
            path.beginnings.push_back(spare);
        }
        paths
    }

    /// Asks whom this path should ask now.
    fn step(&mut self, now: Now, id: WalkId, walk: &mut Walk, nth: usize) {
        while let Some(peer) = walk.next_of(nth) {
            self.ask_for_more(now, id, walk, nth, peer, REPLICATION);
        }
    }

    fn ask_for_more(&mut self, now: Now, id: WalkId, walk: &mut Walk, nth: usize, peer: Peer, most: usize) {
        walk.asked.insert(peer.node);
        if let Some(path) = walk.paths.get_mut(nth) {
            path.asked += 1;
            path.waiting.insert(peer.node);
        }
        let most = u8::try_from(most).unwrap_or(u8::MAX);
        self.ask(now, peer, Request::Find { key: walk.key, most }, Purpose::Find(id, nth));
    }

    /// One of those asked answered, or did not.
    pub(super) fn walked(
        &mut self,
        now: Now,
        id: WalkId,
        nth: usize,
        peer: Peer,
        result: Result<Response, AskError>,
    ) {
        let Some(mut walk) = self.walks.under_way.remove(&id) else { return };
        if let Some(path) = walk.paths.get_mut(nth) {
            path.waiting.remove(&peer.node);
            if result.is_err() {
                path.heard.remove(&Key::of_node(&peer.node).distance(&walk.key));
            }
        }
        if let Ok(Response::Closest { known, records }) = result {
            let (own, network, key) = (self.own_key(), self.config.network, walk.key);
            walk.answers += 1;
            walk.fewest = walk.fewest.min(usize::try_from(known).unwrap_or(usize::MAX));
            let mut distances = BTreeSet::new();
            for record in records.into_vec().into_iter().filter(|r| r.node() != own) {
                if record.verify(network, now.unix).is_err() {
                    self.stats.refused_records += 1;
                    continue;
                }
                let peer = Peer { node: record.node(), address: record.address() };
                let distance = record.place().distance(&key);
                distances.insert(distance);
                walk.union.entry(distance).or_insert(peer);
                if let Some(path) = walk.paths.get_mut(nth) {
                    path.heard.entry(distance).or_insert(Some(peer));
                }
            }
            let steps = walk.paths.get(nth).map_or(STEPS, |path| path.asked);
            let within = even_share(walk.network(self.table.len()));
            let last =
                distances.iter().nth(REPLICATION - 1).filter(|_| distances.len() < WIDEST / 2 + REPLICATION);
            if last.is_some_and(|last| last.leading() <= within) && steps < STEPS {
                // More stand here than chance puts: whom do they hide?
                self.ask_for_more(now, id, &mut walk, nth, peer, WIDEST);
            }
            self.grow(now, id, &walk);
        }
        self.walk_on(now, id, walk, nth);
    }

    /// One of those asked takes long: its path goes on without it.
    pub(super) fn walk_slow(&mut self, now: Now, id: WalkId, nth: usize, node: LinkKey) {
        let Some(mut walk) = self.walks.under_way.remove(&id) else { return };
        if let Some(path) = walk.paths.get_mut(nth) {
            path.waiting.remove(&node);
            path.heard.remove(&Key::of_node(&node).distance(&walk.key));
        }
        self.walk_on(now, id, walk, nth);
    }

    fn walk_on(&mut self, now: Now, id: WalkId, mut walk: Walk, nth: usize) {
        self.step(now, id, &mut walk, nth);
        if walk.paths.iter().any(|path| !path.waiting.is_empty()) {
            self.walks.under_way.insert(id, walk);
            return;
        }
        let network = walk.network(self.table.len());
        let region = self.region_of(walk.union, network, REPLICATION);
        if walk.answers > 0 {
            if self.walks.found.len() >= FOUND {
                self.walks.found.pop_front();
            }
            self.walks.found.push_back((walk.key, now.instant + FOUND_LASTS, region.clone()));
        }
        match walk.then {
            For::Put(request, purpose) => {
                // Whoever was told of something older meanwhile is told again.
                self.held_at.remove(&walk.key);
                self.put_at(now, &walk.key, region.holders, &request, purpose);
            }
            For::Later => {}
            For::Query(query) => self.end_of_walk(now, query, id, region),
        }
    }

    /// A round that only reads asks those found so far, the closest of them first.
    fn grow(&mut self, now: Now, id: WalkId, walk: &Walk) {
        let For::Query(query) = walk.then else { return };
        let Some(mut waits) = self.queries.remove(&query) else { return };
        if let Some(round) = waits.round().filter(|round| round.walk == Some(id) && round.only_reads()) {
            let union = walk.union.iter().map(|(distance, peer)| (*distance, *peer));
            let mut holders = self.region_of(union, walk.network(self.table.len()), 0).holders;
            if walk.answers == 1 {
                // One alone may lie.
                holders.truncate(REPLICATION / 2);
            }
            self.ask_all(now, query, round, holders, Vec::new());
        }
        self.queries.insert(query, waits);
    }

    fn end_of_walk(&mut self, now: Now, query: QueryId, id: WalkId, region: Region) {
        let Some(mut waits) = self.queries.remove(&query) else { return };
        let Some(round) = waits.round().filter(|round| round.walk == Some(id)) else {
            self.queries.insert(query, waits);
            return;
        };
        round.walk = None;
        self.ask_all(now, query, round, region.holders, region.spares);
        self.hurry(now, query, round);
        let complete = round.is_complete();
        self.queries.insert(query, waits);
        if complete {
            self.conclude_query(now, query);
        }
    }

    /// The closest we know, for somebody who walks: whoever stands there, and some who surely do, for they answered us.
    pub(super) fn closest_known(&self, now: Now, key: &Key, most: u8) -> Response {
        let most = usize::from(most).min(WIDEST);
        let around = self.table.closest(key, most, now.instant, |_| false);
        // Of the closest, those that answered count as sure already, and nearly always they are enough.
        let missing = (REPLICATION / 2).saturating_sub(around.iter().filter(|known| known.confirmed).count());
        let told: BTreeSet<Key> = around.iter().map(|known| known.record.place()).collect();
        let unsure = |known: &Known| !known.confirmed || told.contains(&known.record.place());
        let sure = match missing {
            0 => Vec::new(),
            _ => self.table.closest(key, missing, now.instant, unsure),
        };
        let own = self.own_directory().into_iter().cloned();
        let records = around.into_iter().chain(sure).map(|known| known.record.clone());
        Response::Closest {
            known: u32::try_from(self.table.len() + 1).unwrap_or(u32::MAX),
            records: crate::wire::Bounded::take(own.chain(records)),
        }
    }
}

/// How far from a key the even share of a region ends, in a network of so many.
fn even_share(network: usize) -> u64 {
    (u64::MAX / network.max(1) as u64).saturating_mul(EVEN)
}

impl Walk {
    /// How many supernodes there are, as whoever tells of the fewest says: an error in this direction costs requests.
    fn network(&self, known: usize) -> usize {
        if self.answers == 0 { known + 1 } else { self.fewest.max(known) }
    }

    /// Whom a path asks next, if it asks anybody now.
    fn next_of(&mut self, nth: usize) -> Option<Peer> {
        let path = self.paths.get_mut(nth)?;
        if path.asked >= STEPS {
            return None;
        }
        // At first all its beginnings but the spare one; later one at a time.
        let at_once = if nth + 1 == PATHS && path.heard.is_empty() { LAST_BEGINNINGS } else { 1 };
        if path.waiting.len() >= at_once {
            return None;
        }
        let nearest = path.heard.values_mut().take(NEAREST_ASKED).filter_map(Option::take);
        for peer in nearest {
            if !self.asked.contains(&peer.node) {
                return Some(peer);
            }
        }
        if !path.heard.is_empty() {
            return None;
        }
        while let Some(peer) = path.beginnings.pop_front() {
            if !self.asked.contains(&peer.node) {
                return Some(peer);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
