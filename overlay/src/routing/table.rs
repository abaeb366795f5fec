//! The supernodes a node knows, and how dialling them went.

use std::{collections::BTreeMap, time::Instant};

use relay::UnixTime;

use super::Key;
use crate::{identity::LinkKey, record::SupernodeRecord};

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
    /// Whether it ever answered us: only then do we tell others about it.
    pub confirmed: bool,
    key: Key,
}

impl Known {
    /// Whether it answered when last tried, or the pause after a failure is over.
    pub fn is_live(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|at| at <= now)
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
            *known =
                Known { record, failures: 0, retry_at: None, confirmed: known.confirmed, key: known.key };
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
        self.known.insert(node, Known { record, failures: 0, retry_at: None, confirmed: false, key });
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

    /// Forgets expired records.
    pub fn expire(&mut self, now: UnixTime) {
        self.known.retain(|_, known| known.record.not_after() > now);
    }

    /// The live supernodes closest to `key`, nearest first, those of `except` left out.
    pub fn closest(
        &self,
        key: &Key,
        count: usize,
        now: Instant,
        except: impl Fn(&LinkKey) -> bool,
    ) -> Vec<&Known> {
        let mut live: Vec<&Known> =
            self.known.values().filter(|k| k.is_live(now) && !except(&k.record.node())).collect();
        live.sort_by_cached_key(|k| k.key.distance(key));
        live.truncate(count);
        live
    }

    /// How many are believed to live.
    pub fn live(&self, now: Instant) -> usize {
        self.known.values().filter(|k| k.is_live(now)).count()
    }
}
