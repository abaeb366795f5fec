use std::{net::SocketAddr, time::Duration};

use relay::UnixTime;

use super::*;
use crate::{
    config::{Network, NodeConfig, Role},
    identity::{Identity, LinkSecret, Signature},
    node::{Answer, Effect, LinkId, NodeEvent},
    outcome::{Carrier, Ends},
    record::SupernodeRecord,
    sim::origin,
    username::Username,
    wire::{self, Bounded, Hello, MAX_GOSSIP, Message, VersionRange},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Supernodes of a network that a test plays; the leaf knows the first [`KNOWN`] of them from its cache.
const NETWORK: u16 = 90;
const KNOWN: u16 = 30;

/// A leaf, and what it asks of whom.
struct Bench {
    node: Node,
    now: Now,
    records: Vec<SupernodeRecord>,
    links: BTreeMap<LinkId, SocketAddr>,
    finds: Vec<(LinkId, u32, SocketAddr, u8)>,
    reads: BTreeSet<SocketAddr>,
    dialled: BTreeSet<SocketAddr>,
    answers: Vec<Answer>,
}

fn secret(n: u16) -> LinkSecret {
    let mut bytes = [3; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    LinkSecret::from_secret(bytes)
}

fn address(n: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, (n >> 8) as u8, n as u8], 4000))
}

fn record(n: u16, now: Now) -> SupernodeRecord {
    SupernodeRecord::sign(&secret(n), Network::Lab, address(n), None, None, now.unix, HOUR)
}

impl Bench {
    /// A leaf with three homes.
    fn new() -> Self {
        let now = Now { instant: origin(), unix: UnixTime::from_secs(1_800_000_000) };
        let records: Vec<SupernodeRecord> = (0..NETWORK).map(|n| record(n, now)).collect();
        let known: Vec<SupernodeRecord> = records.iter().take(KNOWN.into()).cloned().collect();
        let leaf = NodeConfig::leaf(Network::Lab);
        let (person, keys) = (Identity::from_secret([1; 32]), LinkSecret::from_secret([2; 32]));
        let mut node = Node::new(leaf, person, keys, &[], [3; 32], now);
        node.heard(now, known);
        node.fill(now);
        let mut bench = Self {
            node,
            now,
            records,
            links: BTreeMap::new(),
            finds: Vec::new(),
            reads: BTreeSet::new(),
            dialled: BTreeSet::new(),
            answers: Vec::new(),
        };
        bench.play();
        assert_eq!(bench.node.status().homes, 3);
        bench.wait(Duration::from_secs(2));
        (bench.finds, bench.reads) = (Vec::new(), BTreeSet::new());
        bench
    }

    /// Does everything the leaf wants, except that it answers no `Find`.
    fn play(&mut self) {
        loop {
            if let Some(transmit) = self.node.poll_transmit() {
                self.message(transmit.link, &transmit.bytes);
            } else if let Some(effect) = self.node.poll_effect() {
                if let Effect::OpenLink { link, address, .. } = effect {
                    self.dialled.insert(address);
                    self.open(link, address);
                }
            } else if let Some(event) = self.node.poll_event() {
                if let NodeEvent::Answer { answer, .. } = event {
                    self.answers.push(answer);
                }
            } else {
                return;
            }
        }
    }

    fn open(&mut self, link: LinkId, at: SocketAddr) {
        let Some(record) = self.records.iter().find(|record| record.address() == at).cloned() else { return };
        self.links.insert(link, at);
        self.up(link, &record);
        let hello = Hello {
            versions: VersionRange::OURS,
            network: Network::Lab,
            role: Role::Supernode,
            observed: address(999),
            record: Some(record),
            load: None,
            time: None,
        };
        self.node.handle_message(self.now, link, &wire::to_bytes(&Message::Hello(Box::new(hello))));
    }

    fn up(&mut self, link: LinkId, record: &SupernodeRecord) {
        let ends = Ends { peer: record.node(), remote: record.address(), carrier: Carrier::Quic };
        self.node.handle_link_up(self.now, link, ends);
    }

    fn message(&mut self, link: LinkId, bytes: &[u8]) {
        let Ok(Message::Request { id, body }) = wire::from_bytes(bytes) else { return };
        let at = self.links[&link];
        let body = match body {
            Request::Find { most, .. } => {
                self.finds.push((link, id, at, most));
                return;
            }
            Request::GetClaims(_) => {
                self.reads.insert(at);
                Response::Claims(Bounded::take([]))
            }
            _ => Response::Done,
        };
        self.node.handle_message(self.now, link, &wire::to_bytes(&Message::Response { id, body }));
    }

    fn answer(&mut self, link: LinkId, id: u32, records: impl IntoIterator<Item = SupernodeRecord>) {
        let body = Response::Closest { known: NETWORK.into(), records: Bounded::take(records) };
        self.node.handle_message(self.now, link, &wire::to_bytes(&Message::Response { id, body }));
        self.play();
    }

    /// The honest answer of somebody who knows everybody.
    fn closest(&self, key: &Key, most: u8) -> Vec<SupernodeRecord> {
        let mut all = self.records.clone();
        all.sort_by_cached_key(|record| Key::of_node(&record.node()).distance(key));
        all.truncate(most.into());
        all
    }

    fn look_up(&mut self) -> Key {
        let name = Username::parse("somebody").unwrap();
        let key = super::super::query::key_of(&name);
        self.node.lookup(self.now, name);
        self.play();
        key
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now.instant + time;
        while let Some((at, _)) = self.node.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            self.node.handle_timeout(self.now);
            self.play();
        }
        self.now = self.now.after(until.saturating_duration_since(self.now.instant));
    }

    fn asked(&self) -> Vec<SocketAddr> {
        self.finds.iter().map(|(_, _, at, _)| *at).collect()
    }
}

fn addresses<'a>(records: impl IntoIterator<Item = &'a SupernodeRecord>) -> BTreeSet<SocketAddr> {
    records.into_iter().map(SupernodeRecord::address).collect()
}

#[test]
fn four_paths_ask_nobody_twice_and_their_union_is_read() {
    let mut bench = Bench::new();
    let key = bench.look_up();
    assert_eq!(bench.finds.len(), PATHS - 1 + LAST_BEGINNINGS, "each path has begun");
    let mut answered = 0;
    while let Some((link, id, _, most)) = bench.finds.get(answered).copied() {
        let closest = bench.closest(&key, most);
        bench.answer(link, id, closest);
        answered += 1;
    }
    let asked = bench.asked();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "nobody is asked twice");
    let holders = addresses(&bench.closest(&key, 20));
    assert!(holders.is_subset(&bench.reads), "all twenty holders are read");
    bench.wait(Duration::from_secs(1));
    assert!(matches!(bench.answers[..], [Answer::LookedUp(Ok(_))]), "{:?}", bench.answers);
}

#[test]
fn one_path_that_is_led_astray_leaves_the_others_alone() {
    let mut bench = Bench::new();
    let key = bench.look_up();
    let liars: Vec<SupernodeRecord> = (200..220).map(|n| record(n, bench.now)).collect();
    let (mut nth, liar) = (0, bench.finds[0].2);
    while let Some((link, id, at, most)) = bench.finds.get(nth).copied() {
        let lie = at == liar || addresses(&liars).contains(&at);
        let records = if lie { liars.clone() } else { bench.closest(&key, most) };
        bench.answer(link, id, records);
        nth += 1;
    }
    let honest = addresses(&bench.closest(&key, 15));
    assert!(honest.iter().filter(|at| bench.reads.contains(*at)).count() >= 12, "{:?}", bench.reads);
}

#[test]
fn forged_records_lead_nowhere_and_endless_ones_are_malformed() {
    let mut bench = Bench::new();
    bench.look_up();
    let before = bench.node.status().stats;
    let forged: Vec<SupernodeRecord> = (300..320)
        .map(|n| {
            // The record of one with the signature of another.
            let bytes = wire::to_bytes(&record(n, bench.now));
            let (body, _) = bytes.split_at(bytes.len() - 66);
            let other = wire::to_bytes(&Signature([7; 64]));
            wire::from_bytes(&[body, &other].concat()).unwrap()
        })
        .collect();
    let (link, id, _, _) = bench.finds[0];
    bench.answer(link, id, forged.clone());
    assert_eq!(bench.node.status().stats.refused_records, before.refused_records + 20);
    let (link, id, _, _) = bench.finds[1];
    let many = |count| {
        let records: Vec<SupernodeRecord> = std::iter::repeat_n(forged[0].clone(), count).collect();
        wire::to_bytes(&(4_u8, (id, (10_u8, (90_u32, records)))))
    };
    assert!(wire::from_bytes::<Message>(&many(MAX_GOSSIP)).is_ok());
    bench.node.handle_message(bench.now, link, &many(MAX_GOSSIP + 1));
    assert_eq!(bench.node.status().stats.malformed, before.malformed + 1);
    bench.wait(Duration::from_secs(12));
    assert!(bench.dialled.is_disjoint(&addresses(&forged)), "nobody forged is dialled");
    assert_eq!(bench.answers.len(), 1, "the lookup ends all the same");
}

#[test]
fn silent_peers_are_passed_by_before_their_time_is_over() {
    let mut bench = Bench::new();
    bench.look_up();
    let begun = bench.finds.len();
    bench.wait(Duration::from_millis(1_100));
    assert!(bench.finds.len() > begun, "each path goes on with somebody else");
    bench.wait(Duration::from_secs(12));
    assert_eq!(bench.answers.len(), 1, "the lookup ends without any answer, too");
    assert!(bench.node.walks.under_way.is_empty());
}

#[test]
fn a_crowd_around_a_key_makes_its_region_wider_and_never_empty() {
    let bench = Bench::new();
    let place = |leading: u64, n: u16| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&leading.to_be_bytes());
        (Distance::new(bytes), Peer { node: secret(n).public_key(), address: address(n) })
    };
    // A thousand supernodes, evenly spread: one of them in each thousandth of the space.
    let even = (0..300).map(|n| place(u64::MAX / 1_000 * (u64::from(n) + 1), n));
    assert_eq!(bench.node.region_of(even.clone(), 1_000, REPLICATION).holders.len(), REPLICATION);
    let crowd = (400..445).map(|n| place(u64::from(n), n));
    let region = bench.node.region_of(crowd.chain(even), 1_000, REPLICATION);
    assert!(region.holders.len() > 45 && region.holders.len() <= WIDEST);
    assert!(!region.spares.is_empty());
}
