//! The supernodes a node knows, and how dialling them went: Kademlia's buckets over one ordered list.
//!
//! ```text
//!   bucket n = those whose key shares exactly n leading bits with ours; in the order of keys each is one stretch
//!
//!   own key 0110…    |000 001 010|0110 (ours) 0111|0100 0101|1… … … … …|
//!                       bucket 1    buckets 3, 4…   bucket 2   bucket 0
//! ```
//! While there is room everybody is kept. When the table is full, a bucket within its share keeps every entry and takes
//! its room from the fullest bucket; a bucket that has its share takes a newcomer only for an entry that is dead or was
//! never reached. A live entry that answered is never pushed out by newcomers of its own bucket: they wait for its
//! death. One address prefix has at most [`PER_PREFIX`] entries in a bucket.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    time::Instant,
};

use relay::UnixTime;

use super::{Distance, Key, Near};
use crate::{
    config::Network,
    identity::LinkKey,
    record::{Offers, SupernodeRecord},
    wire::Need,
};

/// Known supernodes, within [`Bounds`].
#[derive(Debug)]
pub struct Table {
    network: Network,
    own: Key,
    bounds: Bounds,
    /// In the order of their places. Everybody who is on keeps hundreds: a map would take three times the room.
    known: Vec<Known>,
    buckets: BTreeMap<u16, usize>,
    prefixes: BTreeMap<(u16, Near), usize>,
    /// They found no room.
    waiting: VecDeque<SupernodeRecord>,
    /// Somebody found no room.
    overflowed: bool,
}

/// How many supernodes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In all; a newcomer then takes the room of another, or waits.
    pub total: usize,
    /// What each bucket may keep for itself when all is full.
    pub bucket: usize,
}

/// One known supernode.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its newest verified record.
    pub record: SupernodeRecord,
    /// Failures to reach it since it last answered.
    pub failures: u32,
    /// Whether it ever answered us: only then do we tell others about it.
    pub confirmed: bool,
    /// Whether it was silent when a link to it was last opened: one that was lost may have been closed for being idle.
    silent: bool,
    /// The beginning of its place: seldom does anybody have to look into the record to compare two.
    leading: u32,
    /// The second in which its record expires: beside its neighbours', where it costs no room.
    expires: u32,
    /// Whether it holds claims.
    directory: bool,
    /// Nearly always none, and there are many supernodes.
    pauses: Option<Box<Pauses>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pauses {
    retry_at: Option<Instant>,
    /// No room for us until then, not even as our only home.
    busy_until: Option<Instant>,
    /// No room for us as a spare.
    no_spares_until: Option<Instant>,
}

/// After this many failures in a row a supernode counts as dead until it answers or says anew that it is there.
const DEAD: u32 = 3;

/// Entries of one address prefix in a bucket; further ones are left out.
pub const PER_PREFIX: usize = 2;

/// The list grows by so many, or a quarter, and never beyond its bounds.
const ROOM_FOR: usize = 16;

/// Records that wait for the death of another; when full, the one that waited longest is forgotten.
const WAITING: usize = 16;

impl Known {
    fn new(record: SupernodeRecord) -> Self {
        let (leading, expires) = (record.place().leading(), expires(&record));
        let directory = record.offers(Offers::DIRECTORY);
        Self {
            record,
            failures: 0,
            confirmed: false,
            silent: false,
            leading,
            expires,
            directory,
            pauses: None,
        }
    }

    /// Takes what it says of itself now.
    fn renew(&mut self, record: SupernodeRecord) {
        self.expires = expires(&record);
        self.directory = record.offers(Offers::DIRECTORY);
        self.record = record;
    }

    /// Whether it is closer to a key than `limit`.
    fn is_closer(&self, key: &Key, limit: Distance) -> bool {
        let leading = u64::from(self.leading ^ key.leading());
        match leading.cmp(&(limit.leading() >> 32)) {
            Ordering::Equal => self.record.place().distance(key) < limit,
            order => order.is_lt(),
        }
    }

    fn place_to(&self, key: &Key) -> Ordering {
        self.leading.cmp(&key.leading()).then_with(|| self.record.place().cmp(key))
    }

    /// How many leading bits two places share.
    fn shared_bits(&self, other: &Self) -> u16 {
        match (self.leading ^ other.leading).leading_zeros() {
            u32::BITS => self.record.place().shared_bits(&other.record.place()),
            bits => bits as u16,
        }
    }

    /// Whether this bit of its place is set; the first is bit 0.
    fn has_bit(&self, bit: u16) -> bool {
        match u32::BITS.checked_sub(u32::from(bit) + 1) {
            Some(lower) => self.leading >> lower & 1 == 1,
            None => self.record.place().has_bit(bit),
        }
    }

    /// After a failure: not tried again before.
    fn retry_at(&self) -> Option<Instant> {
        self.pauses.as_ref()?.retry_at
    }

    /// It had no room for somebody with this need: not asked to be our home before.
    fn busy_until(&self, need: Need) -> Option<Instant> {
        let pauses = self.pauses.as_ref()?;
        match need {
            Need::Homeless => pauses.busy_until,
            Need::Spare => pauses.busy_until.max(pauses.no_spares_until),
        }
    }

    /// When the first of its pauses ends, if any lasts.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        let until = self.pauses.as_ref().map(|p| [p.retry_at, p.busy_until, p.no_spares_until]);
        until.into_iter().flatten().flatten().filter(|until| *until > now).min()
    }

    /// It is not paused after a failure any more.
    fn forgive(&mut self) {
        self.failures = 0;
        self.silent = false;
        self.pauses = self.pauses.take().filter(|p| p.busy_until.or(p.no_spares_until).is_some());
        if let Some(pauses) = &mut self.pauses {
            pauses.retry_at = None;
        }
    }

    /// Whether it may be dialled: it answered when last tried, or the pause after a failure is over.
    pub fn may_dial(&self, now: Instant) -> bool {
        self.retry_at().is_none_or(|at| at <= now)
    }

    /// Whether it may have room for us, who need it so badly. Who has lost every home asks those, too, that had none for
    /// a spare.
    pub fn may_have_room(&self, now: Instant, need: Need) -> bool {
        self.busy_until(need).is_none_or(|until| until <= now)
    }

    /// Whether it can be counted on to hold something.
    pub fn is_live(&self, now: Instant) -> bool {
        !self.is_dead() && self.may_dial(now)
    }

    /// Whether it was silent when somebody last called on it.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether it failed so often that it is probably gone.
    pub fn is_dead(&self) -> bool {
        self.failures >= DEAD
    }

    /// Stands for this version of its record in a [`crate::wire::Summary`].
    pub fn mark(&self) -> u32 {
        self.record.mark()
    }

    fn may_be_replaced(&self) -> bool {
        self.is_dead() || !self.confirmed
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// A supernode not known before.
    New,
    /// A newer record of a known one.
    Newer,
    /// Known already, or older than what is known.
    Stale,
    /// No room: it waits until another is dead.
    Waiting,
}

impl Table {
    /// An empty table of the node at `own`.
    pub fn new(network: Network, own: Key, bounds: Bounds) -> Self {
        Self {
            network,
            own,
            bounds: Bounds { total: bounds.total.max(1), ..bounds },
            known: Vec::new(),
            buckets: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            waiting: VecDeque::new(),
            overflowed: false,
        }
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether everybody heard of found room.
    pub fn has_all_heard_of(&self) -> bool {
        !self.overflowed
    }

    /// What is known about one.
    pub fn get(&self, node: &LinkKey) -> Option<&Known> {
        self.at(&Key::of_node(node))
    }

    fn get_mut(&mut self, node: &LinkKey) -> Option<&mut Known> {
        let nth = self.position(&Key::of_node(node)).ok()?;
        self.known.get_mut(nth)
    }

    fn at(&self, place: &Key) -> Option<&Known> {
        self.known.get(self.position(place).ok()?)
    }

    /// Where somebody is in the list, or would be.
    fn position(&self, place: &Key) -> Result<usize, usize> {
        self.known.binary_search_by(|known| known.place_to(place))
    }

    /// Everything, in the order of the key space.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.iter()
    }

    /// Those between two places.
    fn range(&self, between: RangeInclusive<Key>) -> &[Known] {
        let first = self.known.partition_point(|known| known.place_to(between.start()).is_lt());
        let last = self.known.partition_point(|known| known.place_to(between.end()).is_le());
        self.known.get(first..last).unwrap_or_default()
    }

    /// Whether this record would teach us nothing, so that it need not be verified.
    pub fn is_stale(&self, record: &SupernodeRecord) -> bool {
        self.at(&record.place()).is_some_and(|known| known.record.issued() >= record.issued())
    }

    /// Takes a record the caller has verified.
    pub fn insert(&mut self, record: SupernodeRecord) -> Inserted {
        let (node, key) = (record.node(), record.place());
        if let Some(known) = self.at(&key) {
            let stale = known.record.issued() >= record.issued();
            return if stale { Inserted::Stale } else { self.renew(record) };
        }
        let bucket = self.own.shared_bits(&key);
        if !self.has_room(bucket, &record) {
            self.overflowed = true;
            self.waiting.retain(|waiting| waiting.node() != node);
            if self.waiting.len() >= WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(record);
            return Inserted::Waiting;
        }
        if let Some(near) = Near::of(self.network, record.address()) {
            *self.prefixes.entry((bucket, near)).or_insert(0) += 1;
        }
        *self.buckets.entry(bucket).or_insert(0) += 1;
        if self.known.len() == self.known.capacity() {
            let room = self.bounds.total.saturating_sub(self.known.len()).max(1);
            self.known.reserve_exact((self.known.len() / 4).max(ROOM_FOR).min(room));
        }
        let nth = self.position(&key).unwrap_or_else(|nth| nth);
        self.known.insert(nth, Known::new(record));
        Inserted::New
    }

    /// A newer record of somebody known; at another address it counts as another there.
    fn renew(&mut self, record: SupernodeRecord) -> Inserted {
        let node = record.node();
        let Some(known) = self.get_mut(&node) else { return Inserted::Stale };
        if known.record.address() != record.address() {
            let confirmed = known.confirmed;
            self.remove(&node);
            return match self.insert(record) {
                Inserted::New => {
                    self.get_mut(&node).into_iter().for_each(|known| known.confirmed = confirmed);
                    Inserted::Newer
                }
                other => other,
            };
        }
        // A record issued later than our last failure says that it is back.
        known.forgive();
        known.renew(record);
        Inserted::Newer
    }

    /// Makes room for a newcomer, if the rules leave it any.
    fn has_room(&mut self, bucket: u16, record: &SupernodeRecord) -> bool {
        if let Some(near) = Near::of(self.network, record.address())
            && self.prefixes.get(&(bucket, near)).is_some_and(|count| *count >= PER_PREFIX)
        {
            let network = self.network;
            return self.make_room(bucket, |known| Near::of(network, known.record.address()) == Some(near));
        }
        if self.known.len() < self.bounds.total {
            return true;
        }
        let of = |bucket| self.buckets.get(bucket).copied().unwrap_or(0);
        if of(&bucket) >= self.bounds.bucket {
            return self.make_room(bucket, |_| true);
        }
        // The fullest, of equally full ones the farthest.
        let fullest = self.buckets.iter().max_by_key(|(n, count)| (**count, std::cmp::Reverse(**n)));
        let Some(fullest) = fullest.map(|(n, _)| *n).filter(|n| *n != bucket) else { return false };
        if !self.make_room(fullest, |_| true) {
            let worst = self.stretch(fullest).iter().min_by_key(|k| (k.confirmed, k.expires));
            let Some(worst) = worst.map(|known| known.record.node()) else { return false };
            self.remove(&worst);
        }
        true
    }

    /// Removes the worst replaceable entry of a bucket.
    fn make_room(&mut self, bucket: u16, among: impl Fn(&Known) -> bool) -> bool {
        let replaceable = self.stretch(bucket).iter().filter(|known| known.may_be_replaced() && among(known));
        let worst = replaceable.min_by_key(|known| (!known.is_dead(), known.expires));
        let worst = worst.map(|known| known.record.node());
        worst.is_some_and(|node| self.remove(&node))
    }

    /// The entries of one bucket.
    fn stretch(&self, bucket: u16) -> &[Known] {
        let (first, last) = self.own.beside(bucket);
        self.range(first..=last)
    }

    fn remove(&mut self, node: &LinkKey) -> bool {
        let key = Key::of_node(node);
        let Ok(nth) = self.position(&key) else { return false };
        let known = self.known.remove(nth);
        let bucket = self.own.shared_bits(&key);
        lower(&mut self.buckets, bucket);
        if let Some(near) = Near::of(self.network, known.record.address()) {
            lower(&mut self.prefixes, (bucket, near));
        }
        true
    }

    /// It answered.
    pub fn reached(&mut self, node: &LinkKey) {
        if let Some(known) = self.get_mut(node) {
            known.forgive();
            known.confirmed = true;
        }
    }

    /// No link to it could be opened.
    pub fn silent(&mut self, node: &LinkKey) {
        if let Some(known) = self.get_mut(node) {
            known.silent = true;
        }
    }

    /// It did not answer: `pause` gives the time of the next try from the number of failures so far.
    pub fn failed(&mut self, node: &LinkKey, pause: impl FnOnce(u32) -> Instant) {
        let Some(known) = self.get_mut(node) else { return };
        known.pauses.get_or_insert_default().retry_at = Some(pause(known.failures));
        known.failures = known.failures.saturating_add(1);
        if known.failures == DEAD {
            self.admit_waiting();
        }
    }

    /// Those that wait try again.
    fn admit_waiting(&mut self) {
        for record in std::mem::take(&mut self.waiting) {
            self.insert(record);
        }
    }

    /// It answered that it has no room for us, who need it so badly.
    pub fn busy(&mut self, node: &LinkKey, need: Need, until: Instant) {
        if let Some(known) = self.get_mut(node) {
            let pauses = known.pauses.get_or_insert_default();
            match need {
                Need::Homeless => pauses.busy_until = Some(until),
                Need::Spare => pauses.no_spares_until = Some(until),
            }
        }
    }

    /// Forgets expired records.
    pub fn expire(&mut self, now: UnixTime) {
        self.waiting.retain(|record| record.not_after() > now);
        let expired = self.known.iter().filter(|known| known.record.not_after() <= now);
        let expired: Vec<LinkKey> = expired.map(|known| known.record.node()).collect();
        for node in &expired {
            self.remove(node);
        }
        if !expired.is_empty() {
            self.admit_waiting();
        }
    }

    /// The supernodes closest to `key`, nearest first, those left out that are excepted.
    pub fn closest(
        &self,
        key: &Key,
        count: usize,
        now: Instant,
        except: impl Fn(&Known) -> bool,
    ) -> Vec<&Known> {
        self.nearest_first(*key, now).filter(|known| !except(known)).take(count).collect()
    }

    /// The supernodes by their distance from `key`, nearest first. The dead come last: they only fill up what too few live
    /// ones leave, for perhaps it is we who were cut off.
    pub fn nearest_first(&self, key: Key, now: Instant) -> impl Iterator<Item = &Known> {
        let all = || Nearest::new(&self.known, key).filter(|known| known.directory);
        all().filter(move |known| known.is_live(now)).chain(all().filter(move |known| !known.is_live(now)))
    }

    /// How many live ones stand closer to `key` than `place`; those beyond `most` are not counted.
    pub fn closer_than(&self, now: Instant, key: &Key, place: &Key, most: usize) -> usize {
        let limit = place.distance(key);
        let closer = Nearest::new(&self.known, *key).take_while(|known| known.is_closer(key, limit));
        closer.filter(|known| known.directory && known.is_live(now)).take(most).count()
    }

    /// How many are believed to live.
    pub fn live(&self, now: Instant) -> usize {
        self.known.iter().filter(|k| k.is_live(now)).count()
    }
}

/// Walks through the ordered list by distance from a key. Of a stretch whose places share their leading bits, the half
/// that shares the next bit with the key, too, is nearer than the whole other half.
///
/// ```text
///   key 01…    |000 001 010 0110|0111 0100|10 110 111|     sorted by place: the halves of a stretch lie side by side
///               3rd             1st, 2nd   last
/// ```
struct Nearest<'t> {
    key: Key,
    /// Stretches still to be seen, the nearest last.
    ahead: Vec<&'t [Known]>,
}

/// Two stretches for each time a list of thousands can be halved.
const USUALLY_AHEAD: usize = 24;

impl<'t> Nearest<'t> {
    fn new(known: &'t [Known], key: Key) -> Self {
        let mut ahead = Vec::with_capacity(USUALLY_AHEAD);
        ahead.push(known);
        Self { key, ahead }
    }
}

impl<'t> Iterator for Nearest<'t> {
    type Item = &'t Known;

    fn next(&mut self) -> Option<&'t Known> {
        loop {
            match self.ahead.pop()? {
                [] => {}
                [one] => return Some(one),
                stretch @ [first, .., last] => {
                    let bit = first.shared_bits(last);
                    let (zeros, ones) =
                        stretch.split_at(stretch.partition_point(|known| !known.has_bit(bit)));
                    let (near, far) = if self.key.has_bit(bit) { (ones, zeros) } else { (zeros, ones) };
                    self.ahead.extend([far, near]);
                }
            }
        }
    }
}

fn expires(record: &SupernodeRecord) -> u32 {
    u32::try_from(record.not_after().as_secs()).unwrap_or(u32::MAX)
}

fn lower<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
