//! What supernodes do under load, and who becomes one, in virtual time.

use std::net::IpAddr;

use super::{
    tests::{lookup, name, network},
    *,
};
use crate::{
    Username,
    config::{NatKind, SupernodeConfig},
    record::Offers,
    volunteer::{Candidacy, Conditions, Filtering, Power, Thresholds, Unfit, Volunteer},
    wire::{DialBack, Nonce, Refusal, Request, Response},
};

const MINUTE: Duration = Duration::from_secs(60);

fn hub(world: &mut World, max_leaves: usize, bootstrap: &[HostId]) -> HostId {
    let address = world.free_address();
    let supernode = Some(SupernodeConfig { address, tcp: None, relay: None, max_leaves });
    world.host(NodeConfig { supernode, ..NodeConfig::leaf(Network::Lab) }, bootstrap)
}

#[test]
fn spares_make_room_for_leaves_without_a_home_until_everybody_has_one() {
    let mut world = World::new(31);
    let first = hub(&mut world, 16, &[]);
    let second = hub(&mut world, 16, &[first]);
    world.run(Duration::from_secs(2));
    let mut leaves = Vec::new();
    for _ in 0..28 {
        leaves.push(world.leaf(&[first, second]));
        world.run(Duration::from_secs(5));
    }
    world.run(Duration::from_secs(60));
    let homes: Vec<usize> = leaves.iter().map(|leaf| world.status(*leaf).homes).collect();
    assert!(homes.iter().all(|homes| *homes > 0), "{homes:?}");
    let shed: u64 = [first, second].iter().map(|hub| world.status(*hub).stats.spares_shed).sum();
    assert!(shed >= 10, "{shed} spares were asked to make room");
}

#[test]
fn a_home_that_asks_its_only_leaf_to_make_room_keeps_it_and_a_stranger_cannot_ask() {
    let mut world = World::new(32);
    let only = hub(&mut world, 16, &[]);
    let leaf = world.leaf(&[only]);
    world.run(Duration::from_secs(5));
    let link = world.a_link(leaf);
    let invented = Message::MakeRoom(crate::record::MailboxId::from_bytes([9; 32]));
    world.inject(leaf, link, &wire::to_bytes(&invented));
    assert_eq!(world.status(leaf).stats.malformed, 1);
    world.run(Duration::from_secs(5));
    assert_eq!(world.status(leaf).homes, 1);
}

#[test]
fn leaves_fill_the_emptier_of_two_supernodes_first() {
    let mut world = World::new(33);
    let crowded = hub(&mut world, 20, &[]);
    for _ in 0..14 {
        world.leaf(&[crowded]);
        world.run(Duration::from_secs(2));
    }
    let empty = hub(&mut world, 200, &[crowded]);
    world.run(Duration::from_secs(10));
    let before = world.load(crowded);
    let newcomers: Vec<HostId> = (0..30)
        .map(|_| {
            let leaf = world.leaf(&[crowded, empty]);
            world.run(Duration::from_millis(500));
            leaf
        })
        .collect();
    world.run(Duration::from_secs(10));
    assert!(newcomers.iter().all(|leaf| world.status(*leaf).homes > 0));
    assert!(world.load(crowded) >= before, "{:?}", world.load(crowded));
    assert!(world.load(empty) >= wire::Load::percent(15), "{:?}", world.load(empty));
}

/// Somebody who would help, as strict about strangers as in the real network and impatient about time.
fn volunteer(world: &mut World, bootstrap: &[HostId], local_addresses: Vec<IpAddr>) -> HostId {
    let mut volunteer = Volunteer::new(Network::Lab, Offers::DIRECTORY.and(Offers::INTRODUCER));
    volunteer.thresholds =
        Thresholds { strangers: 3, proving: MINUTE * 6, round: MINUTE * 6, ..Thresholds::LAB };
    let volunteer = Some(volunteer);
    world.host(NodeConfig { volunteer, local_addresses, ..NodeConfig::leaf(Network::Lab) }, bootstrap)
}

/// Ten supernodes with so many places each, and leaves.
fn town(seed: u8, places: usize, leaves: usize) -> (World, Vec<HostId>, Vec<HostId>) {
    let mut world = World::new(seed);
    let mut hubs: Vec<HostId> = Vec::new();
    for _ in 0..10 {
        let known: Vec<HostId> = hubs.iter().copied().take(2).collect();
        hubs.push(hub(&mut world, places, &known));
        world.run(Duration::from_secs(1));
    }
    world.run(Duration::from_secs(10));
    let leaves = (0..leaves)
        .map(|n| {
            let leaf = world.leaf(&[hubs[n % 10]]);
            world.run(Duration::from_millis(200));
            leaf
        })
        .collect();
    world.run(Duration::from_secs(10));
    (world, hubs, leaves)
}

#[test]
fn a_volunteer_whom_strangers_reach_stands_by_serves_when_needed_and_goes_in_good_order() {
    let (mut world, hubs, leaves) = town(34, 40, 40);
    let helper = volunteer(&mut world, &hubs[..2], Vec::new());
    world.run(MINUTE * 25);
    let status = world.status(helper);
    assert_eq!((status.candidacy, status.filtering), (Candidacy::StandBy, Filtering::EndpointIndependent));
    assert_eq!(status.role, crate::Role::Leaf);

    // The region fills up: 120 of 400 places are taken; with these, 300.
    let crowd: Vec<HostId> = (0..60).map(|n| world.leaf(&[hubs[n % 10]])).collect();
    world.run(MINUTE * 5);
    assert_eq!(world.status(helper).candidacy, Candidacy::Serving);
    assert!(world.events(helper).contains(&NodeEvent::Role(crate::Role::Supernode)));
    let newcomers: Vec<HostId> = (0..10).map(|n| world.leaf(&[hubs[n % 10]])).collect();
    world.run(MINUTE * 2);
    assert!(newcomers.iter().any(|leaf| world.is_linked(*leaf, helper)), "it got some of the newcomers");
    let query = world.with(leaves[0], |node, now| node.register(now, Username::parse("after-all").unwrap()));
    assert!(matches!(world.answer(leaves[0], query), Answer::Registered(Ok(_))));

    let battery = Conditions { power: Power::Battery, ..Conditions::default() };
    world.with(helper, |node, now| node.set_conditions(now, battery));
    assert_eq!(world.status(helper).candidacy, Candidacy::Draining);
    world.run(MINUTE * 2);
    let status = world.status(helper);
    assert_eq!((status.candidacy, status.role), (Candidacy::CoolingDown, crate::Role::Leaf));
    assert!(status.homes > 0, "it is a leaf with homes again");
    for leaf in leaves.iter().chain(&crowd).chain(&newcomers) {
        assert!(world.status(*leaf).homes > 0);
    }
}

#[test]
fn a_volunteer_behind_a_filter_never_serves_and_learns_why() {
    let (mut world, hubs, _) = town(35, 4, 20);
    let helper = volunteer(&mut world, &hubs[..2], Vec::new());
    world.filtered.insert(helper);
    world.run(MINUTE * 10);
    let status = world.status(helper);
    let unreachable = Candidacy::Unfit(Unfit::Unreachable);
    assert_eq!((status.candidacy, status.filtering), (unreachable, Filtering::Filtered));
    // Here is too little room for three homes, and two must have seen it lately.
    assert!(lookup(&mut world, helper, &name(1)).is_ok());
    assert_eq!(world.status(helper).nat, NatKind::EndpointIndependent);
}

#[test]
fn a_small_network_takes_a_volunteer_at_once() {
    let mut world = World::new(36);
    let first = hub(&mut world, 20, &[]);
    let second = hub(&mut world, 20, &[first]);
    world.run(Duration::from_secs(5));
    let open = vec![world.free_address().ip()];
    let helper = volunteer(&mut world, &[first], open);
    // With two supernodes there is no stranger to dial back: a translated address is not believed.
    let hidden = volunteer(&mut world, &[second], Vec::new());
    world.run(MINUTE);
    assert_eq!(world.status(helper).role, crate::Role::Supernode);
    assert_eq!(world.status(hidden).role, crate::Role::Leaf);
    world.run(MINUTE);
    assert_eq!(world.status(first).supernodes_known, 2);
}

#[test]
fn in_a_network_of_seven_strangers_are_left_to_reach_a_newcomer() {
    for seed in 60..66 {
        let mut world = World::new(seed);
        let first = hub(&mut world, 20, &[]);
        let second = hub(&mut world, 20, &[first]);
        for _ in 0..5 {
            hub(&mut world, 20, &[first, second]);
        }
        world.run(MINUTE);
        let open = volunteer(&mut world, &[first, second], Vec::new());
        let hidden = volunteer(&mut world, &[first, second], Vec::new());
        world.filtered.insert(hidden);
        world.run(Duration::from_secs(25));
        assert_eq!(world.status(hidden).candidacy, Candidacy::Unfit(Unfit::Unreachable), "seed {seed}");
        assert_eq!(world.status(hidden).homes, 3);
        world.run(MINUTE * 2);
        assert_eq!(world.status(open).role, crate::Role::Supernode, "seed {seed}");
        assert_eq!(world.status(hidden).role, crate::Role::Leaf, "seed {seed}");
    }
}

/// What a supernode answers a leaf that sends it this request.
fn answer_to(world: &mut World, leaf: HostId, supernode: HostId, request: Request) -> Response {
    let far = world.link_between(supernode, leaf);
    world.said.clear();
    let message = Message::Request { id: 4_000_000_000, body: request };
    world.inject(supernode, far, &wire::to_bytes(&message));
    world.run(Duration::from_secs(1));
    let mut answers = world.said.iter().filter_map(|bytes| match wire::from_bytes(bytes) {
        Ok(Message::Response { id: 4_000_000_000, body }) => Some(body),
        _ => None,
    });
    answers.next_back().unwrap()
}

#[test]
fn nobody_is_dialled_at_an_address_that_is_not_the_askers_own_or_too_often() {
    let (mut world, hubs, leaves) = town(37, 40, 3);
    // Everybody whom it contacted when it came is a stranger again.
    world.run(MINUTE * 8);
    let asker = leaves[0];
    let home = *hubs.iter().find(|hub| world.is_linked(**hub, asker)).unwrap();
    let nonce = Nonce::from_bytes([7; 16]);
    let ask = |address: SocketAddr| Request::DialBack(Box::new(DialBack::new(address, nonce)));
    let victim: SocketAddr = "10.9.9.9:4000".parse().unwrap();
    let refused = Response::Refused(Refusal::Invalid);
    assert_eq!(answer_to(&mut world, asker, home, ask(victim)), refused);
    // Not a service at its own address either.
    let service = SocketAddr::new(world.address(asker).ip(), 53);
    assert_eq!(answer_to(&mut world, asker, home, ask(service)), refused);
    assert_eq!((world.dialled.get(&victim), world.dialled.get(&service)), (None, None));

    let own = world.address(asker);
    let before = world.dialled.get(&own).copied().unwrap_or(0);
    let answers: Vec<Response> = (0..8).map(|_| answer_to(&mut world, asker, home, ask(own))).collect();
    let granted = answers.iter().filter(|answer| **answer == Response::Done).count();
    assert_eq!((granted, &answers[7]), (4, &Response::Busy));
    let dialled = world.dialled.get(&own).copied().unwrap_or(0) - before;
    assert!((1..=4).contains(&dialled), "{dialled}");
    // A leaf cannot have others dialled in the name of supernodes.
    let for_victim = DialBack::new(victim, nonce).pass_on(world.link_key(asker));
    let stolen = Request::DialBackFor(Box::new(for_victim));
    assert_eq!(answer_to(&mut world, asker, home, stolen), refused);
}

#[test]
fn whoever_can_be_rung_tries_one_of_the_dead_now_and_then_and_finds_whoever_comes_back() {
    let (mut world, hubs, leaves) = network(58, 10, 1);
    let leaf = leaves[0];
    world.run(MINUTE * 2);
    assert_eq!((world.status(leaf).homes, world.status(leaf).supernodes_known), (3, 10));
    // Those it was told of at first stay: seeds are another matter.
    let dead: Vec<HostId> = hubs.iter().copied().filter(|hub| ![0, 5].contains(hub)).collect();
    dead.iter().for_each(|hub| world.kill(*hub));
    world.run(MINUTE * 5);
    assert_eq!(world.status(leaf).homes, 2);
    let before = world.with(leaf, |node, _| node.dialled_for_test());
    world.run(MINUTE * 5);
    let dialled = world.with(leaf, |node, _| node.dialled_for_test()) - before;
    assert!((20..=40).contains(&dialled), "every ten seconds one, however many there are: {dialled}");
    world.supernode(&[hubs[0]]);
    world.run(MINUTE);
    assert_eq!(world.status(leaf).homes, 3);
}
