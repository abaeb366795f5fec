//! Where supernodes are: news is told to a few at once as a rumour, and everybody asks somebody now and then for what
//! it missed, so that the cost of a new record does not grow with the number of links. Everything heard is verified,
//! dialled when needed, and told on only once it answered us.
//!
//! ```text
//!   push:  news ─Supernodes─▶ FANOUT linked supernodes ─▶ FANOUT more of each ...
//!   pull:  Reconcile(four bytes for each record known) ─▶   ◀─ Supernodes(what is not among them)
//! ```

use std::time::Duration;

use rand::seq::IndexedRandom as _;
use relay::Now;

use super::{
    LinkId, Node, RECORD_LIFETIME, Timer,
    ask::{AskError, Purpose},
    links::{Link, LinkState},
};
use crate::{
    config::Role,
    identity::LinkKey,
    record::SupernodeRecord,
    routing::{Inserted, Known},
    wire::{Bounded, MAX_GOSSIP, Message, Request, Response, Summary},
};

/// Confirmed supernodes are told to linked peers together, this long after the first.
const GOSSIP_DELAY: Duration = Duration::from_millis(50);

/// Linked supernodes that are told a rumour.
const FANOUT: usize = 6;

/// While fewer supernodes are known than this, leaves are told every rumour by their homes; later they ask.
const FEW: usize = 64;

/// How often a supernode, and a leaf, asks one of those it is linked to for supernodes it does not know; and how soon
/// after another link is up.
const RECONCILE_SUPERNODE: Duration = Duration::from_secs(30);
const RECONCILE_LEAF: Duration = Duration::from_secs(600);
const RECONCILE_SOON: Duration = Duration::from_secs(1);

impl Node {
    /// Takes a verified record.
    pub(super) fn learn(&mut self, now: Now, record: SupernodeRecord) -> Inserted {
        let inserted = self.table.insert(record);
        if inserted == Inserted::New {
            self.holders_changed(now);
        }
        inserted
    }

    /// Gossip: everything is verified here; only those that answer us are told on.
    pub(super) fn heard(&mut self, now: Now, records: Vec<SupernodeRecord>) {
        let mut news = false;
        for record in records {
            if record.node() == self.own_key() || self.table.is_stale(&record) {
                continue;
            }
            if record.verify(self.config.network, now.unix).is_err() {
                self.stats.refused_records += 1;
                continue;
            }
            let node = record.node();
            let inserted = self.learn(now, record);
            news |= matches!(inserted, Inserted::New | Inserted::Newer);
            if inserted == Inserted::Newer && self.by_peer.contains_key(&node) {
                self.gossip_soon(now, node);
            }
        }
        if news {
            self.fill_soon(now);
        }
    }

    pub(super) fn gossip_soon(&mut self, now: Now, node: LinkKey) {
        if self.is_supernode() {
            self.gossip.insert(node);
            self.timers.set_earlier(Timer::Gossip, now.instant + GOSSIP_DELAY);
        }
    }

    pub(super) fn flush_gossip(&mut self, _: Now) {
        let nodes = std::mem::take(&mut self.gossip);
        let records: Vec<SupernodeRecord> =
            nodes.iter().filter_map(|node| self.table.get(node)).map(|k| k.record.clone()).collect();
        self.tell_some(&records);
    }

    /// A rumour goes to a few linked supernodes, whoever learns from it tells a few more; whom it misses asks.
    fn tell_some(&mut self, records: &[SupernodeRecord]) {
        let links = self.supernode_links();
        let mut some: Vec<LinkId> = links.sample(&mut self.rng, FANOUT).copied().collect();
        if self.table.len() < FEW {
            some.extend(self.links.iter().filter(|(_, link)| !link.mailboxes.is_empty()).map(|(id, _)| *id));
        }
        for chunk in records.chunks(MAX_GOSSIP) {
            let message = Message::Supernodes(Bounded::take(chunk.iter().cloned()));
            for link in &some {
                self.transmit(*link, &message);
            }
        }
    }

    pub(super) fn supernode_links(&self) -> Vec<LinkId> {
        let ready = |link: &Link| link.state == LinkState::Ready(Role::Supernode);
        self.links.iter().filter(|(_, link)| ready(link)).map(|(id, _)| *id).collect()
    }

    /// A link to a supernode is ready: the first is asked at once whom it knows.
    pub(super) fn reconcile_soon(&mut self, now: Now, link: LinkId) {
        if self.reconciled.is_empty() {
            self.reconcile_over(now, link);
        } else {
            let soon = self.jitter(RECONCILE_SOON);
            self.timers.set_earlier(Timer::Reconcile, now.instant + soon);
        }
    }

    /// Asks one linked supernode for those we do not know: one we heard of otherwise that was not asked yet, for one
    /// alone may name its friends only; or any, drawn at random.
    pub(super) fn reconcile(&mut self, now: Now) {
        let link = self.not_asked_yet().next();
        let link = link.or_else(|| self.supernode_links().choose(&mut self.rng).copied());
        if let Some(link) = link {
            self.reconcile_over(now, link);
        }
    }

    /// Homes first. Then whoever we did not learn of from them: should all homes be of one gang, these are not.
    fn not_asked_yet(&self) -> impl Iterator<Item = LinkId> {
        let asked = &self.reconciled;
        self.homes_not_among(asked).chain(self.seeds_not_among(asked).filter(|_| !self.is_supernode()))
    }

    fn reconcile_over(&mut self, now: Now, link: LinkId) {
        self.reconciled.retain(|node| self.by_peer.contains_key(node));
        self.reconciled.extend(self.links.get(&link).and_then(|link| link.peer));
        let interval = if self.not_asked_yet().next().is_some() {
            RECONCILE_SOON
        } else if self.is_supernode() {
            RECONCILE_SUPERNODE
        } else {
            RECONCILE_LEAF
        };
        let interval = self.jitter(interval);
        self.timers.set(Timer::Reconcile, now.instant + interval);
        let summary = Summary::of(self.table.iter().map(Known::mark));
        self.ask_over(now, link, Request::Reconcile(summary), Purpose::Reconcile(link));
    }

    /// Somebody told us of supernodes we did not list. A full answer may have left some out.
    pub(super) fn reconciled(&mut self, now: Now, link: LinkId, result: Result<Response, AskError>) {
        let Ok(Response::Supernodes(records)) = result else { return };
        let records = records.into_vec();
        let (full, before) = (records.len() == MAX_GOSSIP, self.table.len());
        self.told(link, records.len());
        self.heard(now, records);
        if full && self.table.len() > before {
            self.reconcile_over(now, link);
        }
    }

    /// The supernodes that answered us and that the asker does not list.
    pub(super) fn unlisted(&self, summary: &Summary) -> Response {
        let confirmed = self.table.iter().filter(|k| k.confirmed && !summary.lists(k.mark()));
        Response::Supernodes(Bounded::take(confirmed.map(|k| k.record.clone())))
    }

    /// Signs our own record anew and tells everybody.
    pub(super) fn reissue(&mut self, now: Now) {
        if let Some(record) = self.sign_own_record(now) {
            self.tell_some(&[record]);
            self.timers.set(Timer::Reissue, now.instant + RECORD_LIFETIME / 3);
        }
    }

    pub(super) fn sign_own_record(&mut self, now: Now) -> Option<SupernodeRecord> {
        let config = self.config.supernode.as_ref()?;
        let record = SupernodeRecord::sign(
            &self.link_secret,
            self.config.network,
            config.address,
            config.relay.as_ref().map(|relay| relay.address),
            config.tcp,
            now.unix,
            RECORD_LIFETIME,
        )
        .offering(self.own_offers(now, config), &self.link_secret)
        .certified(config.relay.as_ref().and_then(|relay| relay.certificate), &self.link_secret);
        self.own_record = Some(record.clone());
        Some(record)
    }
}
