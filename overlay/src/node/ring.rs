//! Where the supernodes stand that we know, for whoever wants to see the network as we do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use relay::Now;

use super::{LinkId, Node, links::LinkState};
use crate::{
    config::Role,
    identity::LinkKey,
    outcome::{Linked, OnRing, RING, Ring, Ties},
    routing::{Key, Known},
};

impl Node {
    /// What we know of the ring. `round_trip` tells how long a packet takes over a link, where that is measured.
    pub fn ring(&self, now: Now, round_trip: impl Fn(LinkId) -> Option<Duration>) -> Ring {
        let homes: BTreeSet<LinkId> = self.homes_up_links().collect();
        let mut linked = BTreeMap::new();
        for (id, link) in &self.links {
            let Some(node) = link.peer.filter(|_| link.state == LinkState::Ready(Role::Supernode)) else {
                continue;
            };
            let figures = Linked {
                carrier: link.carrier,
                lasted: now.instant.saturating_duration_since(link.opened),
                round_trip: round_trip(*id),
            };
            let ties = if homes.contains(id) { Ties::Home(figures) } else { Ties::Linked(figures) };
            // Who dialled us is seen at a port where it may not answer.
            let address = self.table.get(&node).map_or(link.address, |known| known.record.address());
            let place = Key::of_node(&node);
            let met = Met { place, shown: OnRing { node, place: place.on_circle(), address, ties } };
            // Of two links to one supernode one is about to go.
            if matches!(ties, Ties::Home(_)) || !linked.contains_key(&node) {
                linked.insert(node, met);
            }
        }
        let others: Vec<Met> = self
            .table
            .iter()
            .filter(|known| !linked.contains_key(&known.record.node()))
            .map(Met::without_link)
            .collect();
        let supernodes = chosen(linked.into_values().chain(others).collect());
        Ring { own: self.place.on_circle(), known: self.table.len(), supernodes }
    }
}

/// A supernode, and all of its place.
#[derive(Debug, Clone, Copy)]
struct Met {
    place: Key,
    shown: OnRing,
}

impl Met {
    fn without_link(known: &Known) -> Self {
        let ties = match (known.is_silent(), known.confirmed) {
            (true, _) => Ties::Silent,
            (false, true) => Ties::Answered,
            (false, false) => Ties::HeardOf,
        };
        let (node, place): (LinkKey, Key) = (known.record.node(), known.record.place());
        let address = known.record.address();
        Self { place, shown: OnRing { node, place: place.on_circle(), address, ties } }
    }

    fn rank(&self) -> u8 {
        match self.shown.ties {
            Ties::Home(_) => 0,
            Ties::Linked(_) => 1,
            Ties::Answered | Ties::HeardOf | Ties::Silent => 2,
        }
    }
}

/// As many as are shown, in the order of their places.
fn chosen(mut met: Vec<Met>) -> Vec<OnRing> {
    met.sort_by_key(|met| (met.rank(), met.place.lot()));
    met.truncate(RING);
    met.sort_by_key(|met| met.place);
    met.into_iter().map(|met| met.shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Carrier;

    fn met(n: u16, ties: Ties) -> Met {
        let mut secret = [7; 32];
        secret[..2].copy_from_slice(&n.to_be_bytes());
        let node = LinkKey::from_bytes(secret);
        let place = Key::of_node(&node);
        let address = ([203, 0, 113, 1], 7600).into();
        Met { place, shown: OnRing { node, place: place.on_circle(), address, ties } }
    }

    #[test]
    fn so_many_are_shown_homes_and_links_always_and_the_others_from_all_around_and_the_same_each_time() {
        let linked = Linked { carrier: Carrier::Quic, lasted: Duration::ZERO, round_trip: None };
        let mut all: Vec<Met> = (0..1_000).map(|n| met(n, Ties::HeardOf)).collect();
        all.push(met(2_000, Ties::Home(linked)));
        all.push(met(2_001, Ties::Linked(linked)));
        let shown = chosen(all.clone());
        assert_eq!(shown.len(), RING);
        assert!(shown.is_sorted_by_key(|shown| shown.place));
        assert_eq!(
            shown.iter().filter(|shown| matches!(shown.ties, Ties::Home(_) | Ties::Linked(_))).count(),
            2
        );
        for quarter in 0..4 {
            let there = shown.iter().filter(|shown| (shown.place.turns() * 4.0) as usize == quarter).count();
            assert!(there > RING / 8, "{there} in quarter {quarter}");
        }
        // One more among a thousand moves one at most.
        all.push(met(3_000, Ties::Answered));
        let moved = chosen(all).iter().filter(|now| !shown.contains(now)).count();
        assert!(moved <= 1, "{moved}");
    }
}
