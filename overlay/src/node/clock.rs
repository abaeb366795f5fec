//! How wrong this computer's clock is, judged by what supernodes say the time is.
//!
//! ```text
//!   Hello.time - our clock ─▶ one sample per address prefix ─▶ median ─▶ below 5 s: nothing
//!                                                                        up to a day: the correction
//!                                                                        more: nothing, the person must set it
//! ```
//! One liar moves the median of three nowhere; in the real network fewer than three are no judges at all. Supernodes
//! are what others set their clocks by and correct nothing.

use std::{collections::BTreeMap, net::SocketAddr};

use relay::{Now, UnixTime};

use super::Node;
use crate::{config::Network, outcome::Skew, routing::Prefix};

/// What supernodes said, as their clock minus this machine's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The last word of each prefix, at most [`MAX_SAMPLES`].
    samples: BTreeMap<Prefix, Skew>,
    correction: Skew,
}

/// Prefixes listened to; when full, the lowest one makes room.
const MAX_SAMPLES: usize = 15;

/// Judges needed in the real network.
const JUDGES: usize = 3;

/// Less is left alone: messages travel, and records tolerate it.
const TOLERATED_MS: i64 = 5_000;

/// More is not corrected: who is believed that far could bring back records that expired long ago.
const MOST_MS: i64 = 24 * 3600 * 1000;

impl Clock {
    fn learn(&mut self, network: Network, from: SocketAddr, skew: Skew) {
        let prefix = Prefix::of(network, from);
        if self.samples.len() >= MAX_SAMPLES && !self.samples.contains_key(&prefix) {
            self.samples.pop_first();
        }
        self.samples.insert(prefix, skew);
    }

    /// By how much this machine's clock is behind, when enough supernodes say so.
    fn measured(&self, network: Network) -> Option<Skew> {
        let needed = match network {
            Network::Main => JUDGES,
            Network::Lab => 1,
        };
        let mut sorted: Vec<Skew> = self.samples.values().copied().collect();
        sorted.sort_unstable();
        // Of an even number the one nearer to our own clock.
        let middle = sorted.get(sorted.len() / 2).copied();
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied();
        let median = middle.into_iter().chain(lower).min_by_key(|skew| skew.as_millis().unsigned_abs());
        median.filter(|_| sorted.len() >= needed)
    }
}

impl Node {
    /// What to add to this machine's clock before it is told to us. Changes only while messages are handled.
    pub fn clock_correction(&self) -> Skew {
        self.clock.correction
    }

    /// By how much this machine's clock is behind those of supernodes, when enough of them spoke.
    pub fn clock_measured(&self) -> Option<Skew> {
        self.clock.measured(self.config.network)
    }

    /// A supernode we dialled said what time it is. Returns the time as it is now believed to be.
    pub(super) fn hear_time(&mut self, now: Now, from: SocketAddr, said: UnixTime) -> Now {
        let old = self.clock.correction;
        let network = self.config.network;
        self.clock.learn(network, from, Skew::between(old.taken_from(now.unix), said));
        let measured = self.clock.measured(network).map_or(0, Skew::as_millis);
        let correct = (TOLERATED_MS..=MOST_MS).contains(&measured.abs()) && !self.is_supernode();
        let new = if correct { Skew::from_millis(measured) } else { Skew::default() };
        // A correction that barely changes would only make time jump.
        if (new.as_millis() - old.as_millis()).abs() < TOLERATED_MS {
            return now;
        }
        tracing::info!(milliseconds = new.as_millis(), "the clock is corrected by what supernodes say");
        self.clock.correction = new;
        Now { unix: new.added_to(old.taken_from(now.unix)), ..now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Identity, LinkKey,
        config::{NodeConfig, Role},
        identity::LinkSecret,
        node::{Effect, NodeEvent},
        outcome::{Carrier, Ends},
        record::SupernodeRecord,
        wire::{self, Hello, Message, VersionRange},
    };
    use std::time::Duration;

    const HOUR: i64 = 3_600_000;

    fn address(last: u8) -> SocketAddr {
        ([8, last, 8, 8], 7600).into()
    }

    fn clock(skews: &[i64]) -> Clock {
        let mut clock = Clock::default();
        for (last, skew) in (1..).zip(skews) {
            clock.learn(Network::Main, address(last), Skew::from_millis(*skew));
        }
        clock
    }

    #[test]
    fn two_are_no_judges_and_one_liar_among_three_changes_nothing() {
        assert_eq!(clock(&[HOUR, HOUR]).measured(Network::Main), None);
        assert_eq!(clock(&[HOUR, 0, 20]).measured(Network::Main), Some(Skew::from_millis(20)));
        assert_eq!(
            clock(&[-HOUR, HOUR, HOUR + 7, HOUR + 9]).measured(Network::Main),
            Some(Skew::from_millis(HOUR))
        );
    }

    #[test]
    fn one_prefix_has_one_voice_and_their_number_is_bounded() {
        let mut clock = clock(&[0, 0, 0]);
        for port in 1..1_000 {
            clock.learn(Network::Main, ([9, 9, 9, 9], port).into(), Skew::from_millis(HOUR));
        }
        assert_eq!(clock.measured(Network::Main), Some(Skew::default()));
        for last in 0..=255 {
            clock.learn(Network::Main, address(last), Skew::default());
        }
        assert_eq!(clock.samples.len(), MAX_SAMPLES);
    }

    /// Has a leaf dial one supernode whose clock is ahead by `skew`, and hear its greeting.
    fn greeted_by(skew: i64) -> (Node, Now) {
        let now = crate::sim::start();
        let secret = LinkSecret::from_secret([2; 32]);
        let peer: LinkKey = secret.public_key();
        let place: SocketAddr = ([127, 0, 0, 1], 7600).into();
        let config = NodeConfig::leaf(Network::Lab);
        let identity = Identity::from_secret([1; 32]);
        let mut node = Node::new(config, identity, LinkSecret::from_secret([3; 32]), &[], [0; 32], now);
        node.add_seeds(now, [place]);
        let Some(Effect::OpenLink { link, .. }) = node.poll_effect() else { panic!("no dial") };
        node.handle_link_up(now, link, Ends { peer, remote: place, carrier: Carrier::Tcp });
        let theirs = Skew::from_millis(skew).added_to(now.unix);
        let lifetime = Duration::from_secs(3600);
        let record = SupernodeRecord::sign(&secret, Network::Lab, place, None, None, theirs, lifetime);
        let hello = Hello {
            versions: VersionRange::OURS,
            network: Network::Lab,
            role: Role::Supernode,
            observed: place,
            record: Some(record),
            load: None,
            time: Some(theirs.into()),
        };
        node.handle_message(now, link, &wire::to_bytes(&Message::Hello(Box::new(hello))));
        (node, now)
    }

    #[test]
    fn a_leaf_whose_clock_is_wrong_learns_it_from_the_greeting_and_believes_the_record() {
        for skew in [2 * HOUR, -2 * HOUR] {
            let (node, _) = greeted_by(skew);
            assert_eq!(node.clock_correction(), Skew::from_millis(skew));
            assert_eq!(node.status().supernodes_known, 1, "its record is valid by its own clock");
        }
        let (node, _) = greeted_by(TOLERATED_MS - 1);
        assert_eq!(node.clock_correction(), Skew::default());
        assert_eq!(node.clock_measured(), Some(Skew::from_millis(TOLERATED_MS - 1)));
    }

    #[test]
    fn a_clock_that_is_off_by_more_than_a_day_is_told_and_not_corrected() {
        let (mut node, _) = greeted_by(30 * HOUR);
        assert_eq!(node.clock_correction(), Skew::default());
        assert_eq!(node.clock_measured(), Some(Skew::from_millis(30 * HOUR)));
        assert_eq!(node.status().supernodes_known, 0);
        assert!(!matches!(node.poll_event(), Some(NodeEvent::Online { .. })));
        // Whatever an extreme greeting says, arithmetic holds.
        for said in [UnixTime::EPOCH, UnixTime::from_millis(u64::MAX)] {
            let now = crate::sim::start();
            node.hear_time(now, address(1), said);
            assert_eq!(node.clock_correction(), Skew::default());
        }
    }
}
