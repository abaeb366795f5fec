//! What supernodes tell each other and their leaves: where supernodes are. Everything heard is verified, dialled when
//! needed, and told on only once it answered us.

use std::time::Duration;

use relay::Now;

use super::{LinkId, Node, RECORD_LIFETIME, Timer};
use crate::{
    identity::LinkKey,
    record::SupernodeRecord,
    routing::Inserted,
    wire::{Bounded, MAX_GOSSIP, Message},
};

/// Confirmed supernodes are told to linked peers together, this long after the first.
const GOSSIP_DELAY: Duration = Duration::from_millis(50);

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
        for record in records {
            if record.node() == self.own_key() || self.table.is_stale(&record) {
                continue;
            }
            if record.verify(self.config.network, now.unix).is_err() {
                self.stats.refused_records += 1;
                continue;
            }
            let node = record.node();
            if self.learn(now, record) == Inserted::Newer && self.by_peer.contains_key(&node) {
                self.gossip_soon(now, node);
            }
        }
        self.fill(now);
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
        self.broadcast(&records);
    }

    fn broadcast(&mut self, records: &[SupernodeRecord]) {
        let ready: Vec<LinkId> = self.links.iter().filter(|(_, l)| l.is_ready()).map(|(id, _)| *id).collect();
        for chunk in records.chunks(MAX_GOSSIP) {
            let message = Message::Supernodes(Bounded::take(chunk.iter().cloned()));
            for link in &ready {
                self.transmit(*link, &message);
            }
        }
    }

    pub(super) fn tell_all_supernodes(&mut self, id: LinkId) {
        if !self.is_supernode() {
            return;
        }
        let most = self.config.limits.known_by_leaf;
        let confirmed: Vec<SupernodeRecord> =
            self.table.iter().filter(|k| k.confirmed).take(most).map(|k| k.record.clone()).collect();
        for chunk in confirmed.chunks(MAX_GOSSIP) {
            self.transmit(id, &Message::Supernodes(Bounded::take(chunk.iter().cloned())));
        }
    }

    /// Signs our own record anew and tells everybody.
    pub(super) fn reissue(&mut self, now: Now) {
        let Some(config) = &self.config.supernode else { return };
        let relay = config.relay.as_ref().map(|relay| relay.address);
        let network = self.config.network;
        let record = SupernodeRecord::sign(
            &self.link_secret,
            network,
            config.address,
            relay,
            now.unix,
            RECORD_LIFETIME,
        );
        self.own_record = Some(record.clone());
        self.broadcast(&[record]);
        self.timers.set(Timer::Reissue, now.instant + RECORD_LIFETIME / 3);
    }
}
