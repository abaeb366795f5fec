//! Claims on their way to the disk, and who is told when they are there.
//!
//! ```text
//!   put ─▶ being written ─written─▶ on disk: whoever waits is answered, also those who put the same meanwhile
//!               ▲    └────failed──▶ nowhere: whoever waits is answered "busy"; put again, it is written again ─┐
//!               └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! Nothing is acknowledged before it would survive a restart, whoever puts it and however often.

use std::collections::BTreeMap;

use relay::Now;

use super::{Effect, Node, PersistId, serve::ReplyTo};
use crate::{claim::Claim, identity::PublicKey, username::Username, wire::Response};

/// What is being written, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Writes {
    last: u64,
    under_way: BTreeMap<PersistId, Write>,
    /// The last write of every claim that is not known to be on disk.
    unwritten: BTreeMap<Title, PersistId>,
    promises: usize,
}

/// Whose claim to which name.
type Title = (Username, PublicKey);

#[derive(Debug)]
struct Write {
    of: Title,
    promises: Vec<Promise>,
}

/// What is answered once a claim is on disk.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) to: ReplyTo,
    pub(super) answer: Response,
}

/// Writes under way, and as many answers that wait for them; further claims are answered "busy".
const MAX_UNDER_WAY: usize = 10_000;

impl Node {
    /// Writes a claim; whoever is promised something is answered when that is done.
    pub(super) fn persist(&mut self, claim: Box<Claim>, promise: Option<Promise>) {
        let id = self.writes.begin(title(&claim), promise);
        self.effects.push_back(Effect::Persist { id, claim });
    }

    /// A claim that is held already was put again: answered now if it is on disk, else when it is.
    pub(super) fn acknowledge(&mut self, claim: Box<Claim>, promise: Promise) -> Option<Response> {
        let title = title(&claim);
        let Some(id) = self.writes.unwritten.get(&title) else { return Some(promise.answer) };
        match self.writes.under_way.get_mut(id) {
            Some(write) => {
                write.promises.push(promise);
                self.writes.promises += 1;
            }
            // It could not be written.
            None => self.persist(claim, Some(promise)),
        }
        None
    }

    pub(super) fn persisted(&mut self, now: Now, id: PersistId) {
        let Some(write) = self.writes.end(id) else { return };
        if self.writes.unwritten.get(&write.of) == Some(&id) {
            self.writes.unwritten.remove(&write.of);
        }
        for Promise { to, answer } in write.promises {
            self.reply(now, to, answer);
        }
    }

    pub(super) fn persist_failed(&mut self, now: Now, id: PersistId) {
        let Some(write) = self.writes.end(id) else { return };
        for Promise { to, .. } in write.promises {
            let busy = self.busy();
            self.reply(now, to, busy);
        }
    }

    /// What could not be written and is held no more is forgotten.
    pub(super) fn expire_writes(&mut self) {
        let (directory, under_way) = (&self.directory, &self.writes.under_way);
        self.writes
            .unwritten
            .retain(|(name, key), id| under_way.contains_key(id) || directory.holds(name, key));
    }
}

impl Writes {
    pub(super) fn is_full(&self) -> bool {
        self.under_way.len().max(self.promises) >= MAX_UNDER_WAY
    }

    /// Whether nothing has to be waited for before this claim is acknowledged.
    pub(super) fn is_on_disk(&self, claim: &Claim) -> bool {
        !self.unwritten.contains_key(&title(claim))
    }

    fn begin(&mut self, of: Title, promise: Option<Promise>) -> PersistId {
        self.last += 1;
        let id = PersistId(self.last);
        self.unwritten.insert(of.clone(), id);
        self.promises += usize::from(promise.is_some());
        self.under_way.insert(id, Write { of, promises: promise.into_iter().collect() });
        id
    }

    fn end(&mut self, id: PersistId) -> Option<Write> {
        let write = self.under_way.remove(&id)?;
        self.promises -= write.promises.len();
        Some(write)
    }
}

fn title(claim: &Claim) -> Title {
    (claim.name().clone(), claim.identity())
}
