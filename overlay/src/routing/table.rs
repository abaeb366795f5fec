//! The supernodes a node knows, and how dialling them went.

use std::{collections::BTreeMap, time::Instant};

use relay::UnixTime;

use super::Key;
use crate::{
    identity::LinkKey,
    record::{Offers, SupernodeRecord},
};

/// Known supernodes. Bounded; when full, one that never answered makes room, else the one that expires first.
#[derive(Debug)]
pub struct Table {
    known: BTreeMap<LinkKey, Known>,
    bound: usize,
}

/// One known supernode.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its newest verified record.
    pub record: SupernodeRecord,
    /// Failures to reach it since it last answered.
    pub failures: u32,
    /// After a failure: not tried again before.
    pub retry_at: Option<Instant>,
    /// It had no room for us: not asked to be our home before.
    pub busy_until: Option<Instant>,
    /// Whether it ever answered us: only then do we tell others about it.
    pub confirmed: bool,
    key: Key,
    mark: u32,
}

/// After this many failures in a row a supernode counts as dead until it answers or says anew that it is there.
const DEAD: u32 = 3;

impl Known {
    /// Whether it may be dialled: it answered when last tried, or the pause after a failure is over.
    pub fn may_dial(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|at| at <= now)
    }

    /// Whether it may have room for us.
    pub fn may_have_room(&self, now: Instant) -> bool {
        self.busy_until.is_none_or(|until| until <= now)
    }

    /// Whether it can be counted on to hold something.
    pub fn is_live(&self, now: Instant) -> bool {
        self.failures < DEAD && self.may_dial(now)
    }

    /// Where it stands.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Stands for this version of its record in a [`crate::wire::Summary`].
    pub fn mark(&self) -> u32 {
        self.mark
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
}

impl Table {
    /// An empty table for at most `bound` supernodes.
    pub fn new(bound: usize) -> Self {
        Self { known: BTreeMap::new(), bound: bound.max(1) }
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known about one.
    pub fn get(&self, node: &LinkKey) -> Option<&Known> {
        self.known.get(node)
    }

    /// Everything, in the order of node keys.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// Whether this record would teach us nothing, so that it need not be verified.
    pub fn is_stale(&self, record: &SupernodeRecord) -> bool {
        self.known.get(&record.node()).is_some_and(|known| known.record.issued() >= record.issued())
    }

    /// Takes a record the caller has verified.
    pub fn insert(&mut self, record: SupernodeRecord) -> Inserted {
        if self.is_stale(&record) {
            return Inserted::Stale;
        }
        let node = record.node();
        if let Some(known) = self.known.get_mut(&node) {
            // A record issued later than our last failure says that it is back.
            (known.failures, known.retry_at, known.mark) = (0, None, record.mark());
            known.record = record;
            return Inserted::Newer;
        }
        if self.known.len() >= self.bound
            && let Some(first) =
                self.known.values().min_by_key(|k| (k.confirmed, k.record.not_after(), k.record.node()))
        {
            let first = first.record.node();
            self.known.remove(&first);
        }
        let key = Key::of_node(&node);
        let mark = record.mark();
        let known =
            Known { record, failures: 0, retry_at: None, busy_until: None, confirmed: false, key, mark };
        self.known.insert(node, known);
        Inserted::New
    }

    /// It answered.
    pub fn reached(&mut self, node: &LinkKey) {
        if let Some(known) = self.known.get_mut(node) {
            known.failures = 0;
            known.retry_at = None;
            known.confirmed = true;
        }
    }

    /// It did not answer: `pause` gives the time of the next try from the number of failures so far.
    pub fn failed(&mut self, node: &LinkKey, pause: impl FnOnce(u32) -> Instant) {
        if let Some(known) = self.known.get_mut(node) {
            known.retry_at = Some(pause(known.failures));
            known.failures = known.failures.saturating_add(1);
        }
    }

    /// It answered that it has no room.
    pub fn busy(&mut self, node: &LinkKey, until: Instant) {
        if let Some(known) = self.known.get_mut(node) {
            known.busy_until = Some(until);
        }
    }

    /// Forgets expired records.
    pub fn expire(&mut self, now: UnixTime) {
        self.known.retain(|_, known| known.record.not_after() > now);
    }

    /// The supernodes closest to `key`, nearest first, those of `except` left out. Dead ones only fill up what too few
    /// live ones leave: perhaps it is we who were cut off.
    pub fn closest(
        &self,
        key: &Key,
        count: usize,
        now: Instant,
        except: impl Fn(&LinkKey) -> bool,
    ) -> Vec<&Known> {
        let order = |known: &Known| (!known.is_live(now), known.key.distance(key));
        let mut nearest: Vec<_> = self
            .known
            .iter()
            .filter(|(node, known)| known.record.offers(Offers::DIRECTORY) && !except(node))
            .map(|(_, known)| (order(known), known))
            .collect();
        if nearest.len() > count {
            nearest.select_nth_unstable_by_key(count, |(order, _)| *order);
            nearest.truncate(count);
        }
        nearest.sort_unstable_by_key(|(order, _)| *order);
        nearest.into_iter().map(|(_, known)| known).collect()
    }

    /// How many are believed to live.
    pub fn live(&self, now: Instant) -> usize {
        self.known.values().filter(|k| k.is_live(now)).count()
    }
}
