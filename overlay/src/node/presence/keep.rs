//! What supernodes do for presence: hold records, put them where they belong, and ask holders for leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relay::{Now, UnixTime};

use crate::{
    identity::LinkKey,
    node::{
        LinkId, Node, Timer,
        ask::{AskError, Peer, Purpose},
        bucket::Bucket,
        serve::ReplyTo,
    },
    record::{BlindedKey, SealedPresence},
    routing::Key,
    wire::{Bounded, MAX_PRESENCES, Refusal, Request, Response},
};

/// Supernodes that hold a presence record. Fewer than of a claim: it lives for minutes, and rings go by the
/// introduction record when it is not found.
const PRESENCE_HOLDERS: usize = 6;

/// Of those, so many are asked.
const ASKED: usize = 3;

/// Gatherings under way; the next is answered "busy".
const MAX_GATHERS: usize = 256;

/// What a leaf may have its home do for its presence and its contacts, a second and at once: a thousand contacts at
/// the start, then now and then. More is answered "busy": each of them is many requests to others.
const ERRANDS: (u32, u32) = (1, 48);

/// How long holders are waited for.
const GATHER_PATIENCE: Duration = Duration::from_millis(1_500);

/// Presence records held for others.
#[derive(Debug, Default)]
pub(in crate::node) struct Kept {
    records: BTreeMap<BlindedKey, SealedPresence>,
}

impl Kept {
    #[cfg(test)]
    pub(in crate::node) fn encoded(&self) -> impl Iterator<Item = Vec<u8>> {
        self.records.values().map(crate::wire::to_bytes)
    }

    pub(super) fn expire(&mut self, now: UnixTime) {
        self.records.retain(|_, record| record.not_after() > now);
    }
}

/// Gatherings under way.
#[derive(Debug, Default)]
pub(in crate::node) struct Gathers {
    next: u64,
    under_way: BTreeMap<u64, Gather>,
    /// Only of leaves that asked lately.
    errands: BTreeMap<LinkId, Bucket>,
}

impl Gathers {
    fn may_ask(&mut self, now: Now, to: ReplyTo) -> bool {
        let ReplyTo::Link { link, .. } = to else { return true };
        let (per_second, burst) = ERRANDS;
        let fresh = || Bucket::new(per_second, burst, now.instant);
        self.errands.entry(link).or_insert_with(fresh).take(now.instant)
    }

    pub(super) fn expire(&mut self, now: Now) {
        self.errands.retain(|_, bucket| !bucket.is_full(now.instant));
    }
}

#[derive(Debug)]
struct Gather {
    to: ReplyTo,
    wanted: BTreeSet<BlindedKey>,
    found: BTreeMap<BlindedKey, SealedPresence>,
    waiting: usize,
}

impl Node {
    /// Whoever knows the secret of the key may write; what it says is for those who can open it.
    pub(in crate::node) fn put_presence(&mut self, now: Now, record: SealedPresence) -> Response {
        let held = self.sight.kept.records.get(&record.key()).filter(|held| held.not_after() > now.unix);
        match held {
            Some(held) if *held == record => return Response::Done,
            Some(held) if held.seq() >= record.seq() => return Response::Refused(Refusal::Stale),
            None if self.sight.kept.records.len() >= self.config.limits.presences => return self.busy(),
            Some(_) | None => {}
        }
        if record.verify(self.config.network, now.unix).is_err() {
            return self.invalid();
        }
        self.sight.kept.records.insert(record.key(), record);
        Response::Done
    }

    pub(in crate::node) fn get_presences(&self, now: Now, keys: &[BlindedKey]) -> Response {
        let held = keys.iter().filter_map(|key| self.sight.kept.records.get(key));
        Response::Presences(Bounded::take(held.filter(|held| held.not_after() > now.unix).cloned()))
    }

    /// Puts a leaf's record where it belongs.
    pub(in crate::node) fn spread_presence(
        &mut self,
        now: Now,
        to: ReplyTo,
        record: SealedPresence,
    ) -> Response {
        if !self.is_home_of(to) {
            return Response::Refused(Refusal::NotOffered);
        }
        if !self.sight.gathers.may_ask(now, to) {
            return self.busy();
        }
        if record.verify(self.config.network, now.unix).is_err() {
            return self.invalid();
        }
        for peer in self.closest(now, &Key::of_presence(&record.key()), PRESENCE_HOLDERS, &BTreeSet::new()) {
            self.ask(now, peer, Request::PutPresence(Box::new(record.clone())), Purpose::Background);
        }
        Response::Done
    }

    /// Asks holders on behalf of a leaf; the answer follows, or is returned when nobody has to be asked.
    pub(in crate::node) fn gather_presences(
        &mut self,
        now: Now,
        to: ReplyTo,
        keys: Vec<BlindedKey>,
    ) -> Option<Response> {
        if !self.is_home_of(to) {
            return Some(Response::Refused(Refusal::NotOffered));
        }
        if self.sight.gathers.under_way.len() >= MAX_GATHERS || !self.sight.gathers.may_ask(now, to) {
            return Some(self.busy());
        }
        let mut asked: BTreeMap<LinkKey, (Peer, Vec<BlindedKey>)> = BTreeMap::new();
        for key in &keys {
            for peer in self.closest(now, &Key::of_presence(key), ASKED, &BTreeSet::new()) {
                asked.entry(peer.node).or_insert((peer, Vec::new())).1.push(*key);
            }
        }
        if asked.is_empty() {
            return Some(Response::Presences(Bounded::take([])));
        }
        let id = self.sight.gathers.next;
        self.sight.gathers.next += 1;
        let gather =
            Gather { to, wanted: keys.into_iter().collect(), found: BTreeMap::new(), waiting: asked.len() };
        self.sight.gathers.under_way.insert(id, gather);
        self.timers.set(Timer::Gather(id), now.instant + GATHER_PATIENCE);
        for (peer, keys) in asked.into_values() {
            self.ask(now, peer, Request::GetPresences(Bounded::take(keys)), Purpose::Gather(id));
        }
        None
    }

    /// A holder answered, or did not. Whether it is true is for the one who can open it.
    pub(in crate::node) fn gathered(&mut self, now: Now, id: u64, result: Result<Response, AskError>) {
        let Some(gather) = self.sight.gathers.under_way.get_mut(&id) else { return };
        gather.waiting = gather.waiting.saturating_sub(1);
        if let Ok(Response::Presences(records)) = result {
            for record in records.into_vec() {
                let key = record.key();
                let newer = gather.found.get(&key).is_none_or(|found| found.seq() < record.seq());
                // A false record with a high number must not hide the true one.
                if newer
                    && gather.wanted.contains(&key)
                    && record.verify(self.config.network, now.unix).is_ok()
                {
                    gather.found.insert(key, record);
                }
            }
        }
        if gather.waiting == 0 {
            self.gather_done(now, id);
        }
    }

    /// All have answered, or had their time.
    pub(in crate::node) fn gather_done(&mut self, now: Now, id: u64) {
        self.timers.cancel(Timer::Gather(id));
        if let Some(gather) = self.sight.gathers.under_way.remove(&id) {
            let found = gather.found.into_values().take(MAX_PRESENCES);
            self.reply(now, gather.to, Response::Presences(Bounded::take(found)));
        }
    }

    /// Only those we are a home of have us work for them.
    fn is_home_of(&self, to: ReplyTo) -> bool {
        match to {
            ReplyTo::Link { link, .. } => {
                self.links.get(&link).is_some_and(|link| !link.mailboxes.is_empty())
            }
            ReplyTo::Own(_) => true,
        }
    }
}
