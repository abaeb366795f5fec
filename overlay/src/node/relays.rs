//! Asking supernodes for relay credentials.

use std::collections::BTreeSet;

use relay::Now;

use super::{
    Answer, Node, QueryId,
    ask::{Peer, Purpose},
    query::{Next, Query},
};
use crate::{error::RelaysError, identity::LinkKey, outcome::RelayWish, wire::Request};

/// Supernodes asked at a time: two relays serve a call, and one is ready to follow.
const RELAYS_ASKED: usize = 3;

impl Node {
    /// Homes first, for their links are up.
    pub(super) fn ask_relays(&mut self, now: Now, id: QueryId, wish: &RelayWish) -> Next {
        let mut asked = BTreeSet::new();
        let own = self.own_record.iter().filter(|own| own.relay().is_some());
        let mut peers: Vec<Peer> = own.map(|own| Peer { node: own.node(), address: own.address() }).collect();
        let homes = self.homes.keys().filter_map(|node| self.table.get(node));
        let others = self.table.iter().filter(|known| known.is_live(now.instant));
        let known = homes.chain(others).filter(|known| known.record.relay().is_some());
        peers.extend(known.map(|known| Peer { node: known.record.node(), address: known.record.address() }));
        peers.retain(|peer| asked.insert(peer.node));
        let meant = |peer: &Peer| is_meant(wish, &peer.node);
        // Who has failed may be back: better than nobody.
        if peers.iter().any(meant) || matches!(wish, RelayWish::Of(_)) {
            peers.retain(meant);
        }
        peers.truncate(RELAYS_ASKED);
        if peers.is_empty() {
            return Next::Done(Answer::Relays(Err(RelaysError::NoRelay)));
        }
        let waiting = peers.len();
        for peer in peers {
            if let Some(link) = self.ready_link(&peer.node) {
                self.show_credit(now, link, &peer.node);
            }
            self.ask(now, peer, Request::RelayCredentials, Purpose::Query(id));
        }
        Next::Continue(Query::AskingRelays { offers: Vec::new(), waiting })
    }
}

fn is_meant(wish: &RelayWish, node: &LinkKey) -> bool {
    match wish {
        RelayWish::Any => true,
        RelayWish::Of(these) => these.contains(node),
        RelayWish::Besides(these) => !these.contains(node),
    }
}
