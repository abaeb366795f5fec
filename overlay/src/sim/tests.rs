//! Whole networks in virtual time.

use std::collections::BTreeSet;

use super::*;
use crate::{
    claim::Standing,
    config::SupernodeConfig,
    error::{LookupError, OfflineReason, RegisterError, SendError},
    outcome::{Lookup, NameState, Registration, RelayOffer, RelayWish},
    record::PresenceSecret,
    username::Username,
    wire::Request,
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn name(n: usize) -> Username {
    Username::parse(&format!("user{n}")).unwrap()
}

/// Supernodes that know the first three, leaves that know three of them.
pub(super) fn network(seed: u8, supernodes: usize, leaves: usize) -> (World, Vec<HostId>, Vec<HostId>) {
    let mut world = World::new(seed);
    let mut hubs = Vec::new();
    for n in 0..supernodes {
        let known: Vec<HostId> = hubs.iter().copied().take(3).collect();
        hubs.push(world.supernode(&known));
        assert_eq!(hubs[n], n);
    }
    world.run(Duration::from_secs(5));
    let leaves = (0..leaves)
        .map(|n| {
            let known: Vec<HostId> =
                (0..3.min(supernodes)).map(|i| hubs[(n * 7 + i * 5) % supernodes]).collect();
            world.leaf(&known)
        })
        .collect();
    (world, hubs, leaves)
}

fn register_all(world: &mut World, leaves: &[HostId]) -> Vec<Result<Registration, RegisterError>> {
    let queries: Vec<_> = leaves
        .iter()
        .enumerate()
        .map(|(n, leaf)| (*leaf, world.with(*leaf, |node, now| node.register(now, name(n)))))
        .collect();
    let answers = world.answers(&queries);
    answers
        .into_iter()
        .map(|answer| if let Answer::Registered(result) = answer { result } else { panic!() })
        .collect()
}

pub(super) fn lookup(world: &mut World, host: HostId, name: &Username) -> Result<Lookup, LookupError> {
    let query = world.with(host, |node, now| node.lookup(now, name.clone()));
    if let Answer::LookedUp(result) = world.answer(host, query) { result } else { panic!() }
}

pub(super) fn send(world: &mut World, from: HostId, to: PublicKey, payload: &[u8]) -> Result<(), SendError> {
    let query = world.with(from, |node, now| node.send(now, to, payload.to_vec()));
    if let Answer::Sent(result) = world.answer(from, query) { result } else { panic!() }
}

/// How many came since somebody last looked.
fn envelopes(world: &mut World, host: HostId) -> usize {
    world.events(host).into_iter().filter(|event| matches!(event, NodeEvent::Envelope { .. })).count()
}

/// Everybody looks up a name somewhere down the ring and sends its owner an envelope. Mean time of a lookup.
fn all_find_and_ring(world: &mut World, leaves: &[HostId], offset: usize) -> Duration {
    let count = leaves.len();
    let began = world.now().instant;
    let queries: Vec<_> = (0..count)
        .map(|n| (leaves[n], world.with(leaves[n], |node, now| node.lookup(now, name((n + offset) % count)))))
        .collect();
    for (n, answer) in world.answers(&queries).into_iter().enumerate() {
        let Answer::LookedUp(Ok(found)) = answer else { panic!("{n}: {answer:?}") };
        let keys: Vec<_> = found.claims.iter().map(|claim| claim.key).collect();
        assert_eq!(keys, [world.key(leaves[(n + offset) % count])], "leaf {n}");
    }
    let took = world.now().instant - began;
    let queries: Vec<_> = (0..count)
        .map(|n| {
            let to = world.key(leaves[(n + offset) % count]);
            (leaves[n], world.with(leaves[n], |node, now| node.send(now, to, vec![7; 100])))
        })
        .collect();
    for (n, answer) in world.answers(&queries).into_iter().enumerate() {
        assert_eq!(answer, Answer::Sent(Ok(())), "leaf {n}");
    }
    world.run(Duration::from_secs(1));
    for n in 0..count {
        let to = leaves[(n + offset) % count];
        let from = world.key(leaves[n]);
        let rung = world
            .events(to)
            .into_iter()
            .filter(|event| matches!(event, NodeEvent::Envelope { from: f, .. } if *f == from));
        assert_eq!(rung.count(), 1, "leaf {n} rings once");
    }
    took
}

#[test]
fn two_hundred_nodes_find_and_ring_each_other_and_go_on_when_a_third_of_the_supernodes_dies() {
    let (mut world, hubs, leaves) = network(1, 20, 180);
    for (n, registration) in register_all(&mut world, &leaves).into_iter().enumerate() {
        let registration = registration.unwrap_or_else(|error| panic!("leaf {n}: {error}"));
        assert!(registration.held_by >= 11, "leaf {n}: {registration:?}");
    }
    world.run(Duration::from_secs(5));
    for leaf in &leaves {
        let status = world.status(*leaf);
        assert_eq!((status.homes, status.supernodes_known), (3, 20));
    }
    let healthy = all_find_and_ring(&mut world, &leaves, 1);

    for hub in hubs.iter().step_by(3).take(6) {
        world.kill(*hub);
    }
    world.run(Duration::from_secs(45));
    for leaf in &leaves {
        assert_eq!(world.status(*leaf).homes, 3, "re-homed");
    }
    let wounded = all_find_and_ring(&mut world, &leaves, 50);
    println!(
        "all 180 lookups done after {healthy:?}; with six dead supernodes after {wounded:?} (virtual time)"
    );
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let (mut world, hubs, leaves) = network(seed, 6, 20);
        register_all(&mut world, &leaves);
        world.kill(hubs[2]);
        world.run(MINUTE);
        world.trace()
    };
    assert_eq!(history(3), history(3));
    assert_ne!(history(3), history(4));
}

#[test]
fn claims_survive_the_death_of_all_their_first_holders() {
    let (mut world, hubs, leaves) = network(5, 3, 2);
    register_all(&mut world, &leaves);
    // The owner goes: only the supernodes can keep its name.
    world.kill(leaves[0]);
    let young = world.supernode(&hubs);
    world.run(Duration::from_secs(10));
    for hub in hubs {
        world.kill(hub);
    }
    world.run(Duration::from_secs(30));
    let found = lookup(&mut world, young, &name(0)).unwrap();
    assert_eq!(found.claims.iter().map(|claim| claim.key).collect::<Vec<_>>(), [world.key(leaves[0])]);
    assert!(!world.disk(young).is_empty());
}

#[test]
fn a_taken_name_is_refused_and_a_renewal_by_its_owner_is_not() {
    let (mut world, _, leaves) = network(6, 4, 2);
    register_all(&mut world, &leaves[..1]);
    let register = |world: &mut World, leaf: HostId| {
        let query = world.with(leaf, |node, now| node.register(now, name(0)));
        world.answer(leaf, query)
    };
    let by = world.key(leaves[0]);
    assert_eq!(register(&mut world, leaves[1]), Answer::Registered(Err(RegisterError::Taken { by })));
    let renewed = register(&mut world, leaves[0]);
    assert!(matches!(renewed, Answer::Registered(Ok(Registration { held_by: 4, of: 4, .. }))), "{renewed:?}");
    let found = lookup(&mut world, leaves[1], &name(0)).unwrap();
    assert_eq!(found.claims.iter().map(|c| (c.key, c.holders)).collect::<Vec<_>>(), [(by, 4)]);
}

#[test]
fn a_name_works_provisionally_while_its_work_is_done_and_is_held_afterwards() {
    let (mut world, _, leaves) = network(20, 4, 2);
    world.work_time = Duration::from_secs(40);
    let register = |world: &mut World, leaf: HostId| {
        let query = world.with(leaf, |node, now| node.register(now, name(0)));
        world.answer(leaf, query)
    };
    let first = register(&mut world, leaves[0]);
    let Answer::Registered(Ok(registration)) = first else { panic!("{first:?}") };
    assert_eq!((registration.state, registration.held_by), (NameState::Provisional, 4));
    let found = lookup(&mut world, leaves[1], &name(0)).unwrap();
    assert_eq!(found.claims[0].standing, Standing::Provisional);

    world.run(Duration::from_secs(41));
    let held = Registration { state: NameState::Held, ..registration };
    assert!(world.events(leaves[0]).contains(&NodeEvent::NameHeld(held)));
    let found = lookup(&mut world, leaves[1], &name(0)).unwrap();
    assert_eq!((found.claims.len(), found.claims[0].standing), (1, Standing::Proven));
    // The work is not done twice.
    let again = register(&mut world, leaves[0]);
    assert!(
        matches!(again, Answer::Registered(Ok(Registration { state: NameState::Held, .. }))),
        "{again:?}"
    );
}

#[test]
fn of_two_who_work_for_a_name_the_one_who_is_done_first_has_it_and_the_other_is_told() {
    let (mut world, _, leaves) = network(21, 4, 3);
    let register = |world: &mut World, leaf: HostId, work: u64| {
        world.work_time = Duration::from_secs(work);
        let query = world.with(leaf, |node, now| node.register(now, name(0)));
        world.answer(leaf, query)
    };
    let provisional =
        |answer| matches!(answer, Answer::Registered(Ok(Registration { state: NameState::Provisional, .. })));
    assert!(provisional(register(&mut world, leaves[0], 40)));
    assert!(provisional(register(&mut world, leaves[1], 10)));
    world.run(Duration::from_secs(60));
    let by = world.key(leaves[1]);
    let lost = NodeEvent::NameLost { name: name(0), by };
    assert!(world.events(leaves[0]).contains(&lost));
    assert!(world.events(leaves[1]).iter().any(|event| matches!(event, NodeEvent::NameHeld(_))));
    assert_eq!(register(&mut world, leaves[2], 1), Answer::Registered(Err(RegisterError::Taken { by })));
    let found = lookup(&mut world, leaves[2], &name(0)).unwrap();
    assert_eq!(found.claims.iter().map(|claim| claim.key).collect::<Vec<_>>(), [by]);
}

#[test]
fn conflicting_claims_of_two_networks_that_met_are_both_returned() {
    let mut world = World::new(7);
    let (east, west) = (world.supernode(&[]), world.supernode(&[]));
    let (ada, bob) = (world.leaf(&[east]), world.leaf(&[west]));
    world.run(Duration::from_secs(1));
    for leaf in [ada, bob] {
        let query = world.with(leaf, |node, now| node.register(now, name(0)));
        assert!(matches!(world.answer(leaf, query), Answer::Registered(Ok(_))));
    }
    let bridge = world.address(west);
    world.with(east, |node, now| node.add_seeds(now, [bridge]));
    world.run(Duration::from_secs(10));
    let late = world.leaf(&[east]);
    let found = lookup(&mut world, late, &name(0)).unwrap();
    // One holder each: the order is drawn by lot, and said to be.
    assert_eq!(found.claims.len(), 2);
    let both = |found: &Lookup| found.claims.iter().map(|claim| claim.key).collect::<Vec<_>>();
    assert!(both(&found).contains(&world.key(ada)) && both(&found).contains(&world.key(bob)));
    let again = lookup(&mut world, ada, &name(0)).unwrap();
    assert_eq!(both(&found), both(&again), "the same order for everybody");
}

#[test]
fn nothing_that_comes_to_a_stranger_holds_an_address_of_whom_they_look_for() {
    let (mut world, hubs, leaves) = network(42, 6, 3);
    world.run(Duration::from_secs(10));
    assert!(register_all(&mut world, &leaves).iter().all(Result::is_ok));
    let [stranger, bob, contact] = leaves[..3] else { panic!() };
    let (to, friend) = (world.key(bob), world.key(contact));
    let (secret, theirs) = (PresenceSecret::from_bytes([7; 32]), PresenceSecret::from_bytes([8; 32]));
    world.with(bob, |node, now| {
        node.set_presence_secret(now, Some(secret));
        node.watch(now, [(friend, theirs)]);
    });
    world.tapped = Some((stranger, Vec::new()));
    for _ in 0..5 {
        assert!(lookup(&mut world, stranger, &name(1)).is_ok_and(|found| found.claims[0].key == to));
        let query = world.with(stranger, |node, now| node.reachable(now, to));
        world.answer(stranger, query);
        assert_eq!(send(&mut world, stranger, to, b"let me in"), Ok(()));
        world.run(Duration::from_secs(60));
    }
    let (_, heard) = world.tapped.take().unwrap();
    let holds = |address: SocketAddr| {
        let SocketAddr::V4(address) = address else { panic!() };
        let (octets, text) = (address.ip().octets(), address.ip().to_string());
        let any =
            |bytes: &[u8]| heard.iter().any(|message| message.windows(bytes.len()).any(|part| part == bytes));
        any(&octets) || any(text.as_bytes())
    };
    assert!(heard.len() > 20 && hubs.iter().any(|hub| holds(world.address(*hub))), "{}", heard.len());
    assert!(!holds(world.address(bob)), "the stranger was told where bob is");
}

#[test]
fn an_answer_goes_back_by_what_the_envelope_says_and_asks_nobody() {
    let (mut world, _, leaves) = network(40, 8, 2);
    world.run(Duration::from_secs(10));
    let keys = [0, 1].map(|n| world.key(leaves[n]));
    let time = |world: &mut World, from: usize| {
        let began = world.now().instant;
        assert_eq!(send(world, leaves[from], keys[1 - from], b"word"), Ok(()));
        world.now().instant - began
    };
    let asked = time(&mut world, 0);
    world.run(Duration::from_secs(1));
    let answered = time(&mut world, 1);
    assert!(answered * 2 <= asked + Duration::from_millis(1), "{asked:?} to ring, {answered:?} to answer");
    world.run(Duration::from_secs(1));
    assert_eq!(envelopes(&mut world, leaves[0]), 1);
}

#[test]
fn an_answer_to_who_has_other_homes_since_finds_them() {
    let (mut world, hubs, leaves) = network(41, 5, 2);
    world.run(Duration::from_secs(10));
    let keys = [0, 1].map(|n| world.key(leaves[n]));
    assert_eq!(send(&mut world, leaves[0], keys[1], b"word"), Ok(()));
    world.run(Duration::from_secs(1));
    let homes: Vec<_> = hubs.into_iter().filter(|hub| world.is_linked(leaves[0], *hub)).take(3).collect();
    homes.iter().for_each(|home| world.kill(*home));
    world.run(Duration::from_secs(30));
    world.events(leaves[0]);
    assert_eq!(send(&mut world, leaves[1], keys[0], b"answer"), Ok(()));
    world.run(Duration::from_secs(1));
    assert_eq!(envelopes(&mut world, leaves[0]), 1);
}

#[test]
fn a_replayed_envelope_is_dropped_and_counted() {
    let (mut world, _, leaves) = network(8, 3, 2);
    world.run(Duration::from_secs(5));
    world.events(leaves[1]);
    let to = world.key(leaves[1]);
    assert_eq!(send(&mut world, leaves[0], to, b"once"), Ok(()));
    world.run(Duration::from_secs(1));
    // Three homes brought three copies of one envelope.
    assert_eq!(world.rings.len(), 3);
    assert_eq!(world.status(leaves[1]).stats.envelopes_replayed, 2);
    let (host, link, bytes) = world.rings[0].clone();
    world.inject(host, link, &bytes);
    world.run(Duration::from_secs(119));
    world.inject(host, link, &bytes);
    world.run(Duration::from_secs(3));
    world.inject(host, link, &bytes);
    assert_eq!((envelopes(&mut world, leaves[1]), world.status(leaves[1]).stats.envelopes_replayed), (1, 5));
}

#[test]
fn the_person_of_a_supernode_is_rung_through_others_so_that_no_record_tells_where_it_is() {
    let (mut world, hubs, leaves) = network(22, 4, 1);
    world.run(Duration::from_secs(10));
    for hub in hubs {
        let to = world.key(hub);
        assert_eq!(send(&mut world, leaves[0], to, b"hello"), Ok(()));
        world.run(Duration::from_secs(1));
        // Its homes pushed it; its own mailbox would have pushed nothing.
        assert_eq!(world.rings.iter().filter(|(host, ..)| *host == hub).count(), 3);
        let heard = |event: &NodeEvent| matches!(event, NodeEvent::Envelope { .. });
        assert_eq!(world.events(hub).iter().filter(|event| heard(event)).count(), 1);
    }
}

#[test]
fn an_old_record_is_replaced_on_the_way_and_the_letter_still_arrives_once() {
    let (mut world, hubs, leaves) = network(23, 9, 2);
    world.run(Duration::from_secs(5));
    let to = world.key(leaves[1]);
    assert_eq!(send(&mut world, leaves[0], to, b"first"), Ok(()));
    world.run(Duration::from_secs(1));
    let homes: Vec<HostId> = hubs.into_iter().filter(|hub| world.is_linked(*hub, leaves[1])).collect();
    for home in homes.iter().take(3) {
        world.kill(*home);
    }
    world.run(Duration::from_secs(90));
    world.events(leaves[1]);
    let began = world.now().instant;
    assert_eq!(send(&mut world, leaves[0], to, b"second"), Ok(()));
    assert!(world.now().instant - began < Duration::from_secs(5));
    world.run(Duration::from_secs(10));
    let heard = |event: &NodeEvent| matches!(event, NodeEvent::Envelope { .. });
    assert_eq!(world.events(leaves[1]).iter().filter(|event| heard(event)).count(), 1);
}

#[test]
fn a_leaf_that_withdrew_and_a_person_nobody_knows_are_not_reachable() {
    let (mut world, _, leaves) = network(9, 3, 2);
    world.run(Duration::from_secs(3));
    let to = world.key(leaves[1]);
    assert_eq!(send(&mut world, leaves[0], to, b"a"), Ok(()));
    world.with(leaves[1], |node, now| node.shutdown(now));
    world.run(Duration::from_secs(1));
    // The cached record is tried, then everybody is asked again.
    assert_eq!(send(&mut world, leaves[0], to, b"b"), Err(SendError::NotReachable));
    assert_eq!(
        send(&mut world, leaves[0], PublicKey::from_bytes([9; 32]), b"c"),
        Err(SendError::NotReachable)
    );
}

#[test]
fn a_lone_leaf_says_why_it_is_offline_and_its_commands_end() {
    let mut world = World::new(10);
    let dead = world.supernode(&[]);
    world.kill(dead);
    for (leaf, reason) in
        [(world.leaf(&[]), OfflineReason::NobodyKnown), (world.leaf(&[dead]), OfflineReason::NobodyAnswers)]
    {
        let lookup = lookup(&mut world, leaf, &name(0));
        assert_eq!(lookup, Err(LookupError::Offline));
        world.run(Duration::from_secs(6));
        assert_eq!(world.events(leaf), [NodeEvent::Offline { reason }]);
    }
}

#[test]
fn the_death_of_the_only_home_is_told_and_its_return_too() {
    let mut world = World::new(11);
    let hub = world.supernode(&[]);
    let leaf = world.leaf(&[hub]);
    world.run(Duration::from_secs(2));
    assert!(matches!(world.events(leaf)[..], [NodeEvent::Online { homes: 1, .. }, ..]));
    let address = world.address(hub);
    world.kill(hub);
    world.run(Duration::from_secs(45));
    let events = world.events(leaf);
    assert!(events.contains(&NodeEvent::Offline { reason: OfflineReason::NobodyAnswers }), "{events:?}");
    // Another key at the same address: a supernode that kept nothing.
    world.host(NodeConfig::supernode(Network::Lab, address), &[]);
    world.run(Duration::from_secs(40));
    assert!(world.events(leaf).iter().any(|event| matches!(event, NodeEvent::Online { .. })));
}

#[test]
fn lab_and_main_refuse_each_other_in_the_greeting() {
    let mut world = World::new(12);
    let hub = world.supernode(&[]);
    let stranger = world.host(NodeConfig::leaf(Network::Main), &[hub]);
    world.run(Duration::from_secs(6));
    assert_eq!(world.events(stranger), [NodeEvent::Offline { reason: OfflineReason::Incompatible }]);
    assert!(world.status(hub).stats.incompatible > 0);
    assert_eq!(world.status(stranger).supernodes_known, 0);
}

#[test]
fn a_full_supernode_says_so_and_keeps_its_leaves() {
    let mut world = World::new(13);
    let address = world.free_address();
    let config = NodeConfig {
        supernode: Some(SupernodeConfig { address, tcp: None, relay: None, max_leaves: 1 }),
        ..NodeConfig::leaf(Network::Lab)
    };
    let hub = world.host(config, &[]);
    let first = world.leaf(&[hub]);
    world.run(Duration::from_secs(1));
    let second = world.leaf(&[hub]);
    world.run(Duration::from_secs(6));
    assert_eq!((world.status(first).homes, world.status(second).homes), (1, 0));
    assert!(world.events(second).contains(&NodeEvent::Offline { reason: OfflineReason::Full }));
}

#[test]
fn relay_credentials_come_from_up_to_three_supernodes_and_from_those_that_are_meant() {
    let (mut world, _, leaves) = network(14, 5, 1);
    world.run(Duration::from_secs(3));
    let mut ask = |wish: RelayWish| {
        let query = world.with(leaves[0], |node, now| node.relays(now, wish));
        let Answer::Relays(Ok(offers)) = world.answer(leaves[0], query) else { panic!() };
        offers
    };
    let offers = ask(RelayWish::Any);
    assert_eq!(offers.len(), 3);
    let nodes = |offers: &[RelayOffer]| offers.iter().map(|offer| offer.node).collect::<BTreeSet<_>>();
    let first = nodes(&offers);
    let others = nodes(&ask(RelayWish::Besides(first.iter().copied().collect())));
    assert!(!others.is_empty() && others.is_disjoint(&first));
    assert_eq!(nodes(&ask(RelayWish::Of(others.iter().copied().collect()))), others);
    let all = first.iter().chain(&others).copied().collect();
    assert!(!ask(RelayWish::Besides(all)).is_empty(), "rather one of these than none");
    for offer in offers {
        assert_eq!(offer.udp.port(), 3478);
        assert_eq!(
            offer.credentials.password,
            CredentialIssuer::new([5; 32]).password(&offer.credentials.username)
        );
        assert!(offer.expires > world.now().unix);
    }
}

#[test]
fn a_flooding_link_is_answered_busy_and_others_are_served() {
    let (mut world, hubs, leaves) = network(15, 1, 2);
    world.run(Duration::from_secs(3));
    let link = world.a_link(hubs[0]);
    let ping = wire::to_bytes(&Message::Request { id: 9, body: Request::Ping });
    for _ in 0..3_000 {
        world.inject(hubs[0], link, &ping);
    }
    assert!(world.status(hubs[0]).stats.limited >= 1_900);
    let answered = leaves.iter().filter(|leaf| lookup(&mut world, **leaf, &name(1)).is_ok()).count();
    assert!(answered >= 1);
}

#[test]
fn the_cache_leads_back_into_the_network() {
    let (mut world, _, leaves) = network(19, 3, 1);
    world.run(Duration::from_secs(5));
    let cache = world.with(leaves[0], |node, _| node.cache());
    let address = world.free_address();
    let node = |cache: &[u8], now: Now| {
        let config = NodeConfig::leaf(Network::Lab);
        let identity = Identity::from_secret([1; 32]);
        Node::new(config, identity, LinkSecret::from_secret([2; 32]), cache, [3; 32], now)
    };
    let mut fresh = node(&cache, world.now());
    assert_eq!(fresh.status().supernodes_known, 3);
    assert!(matches!(fresh.poll_effect(), Some(Effect::OpenLink { expected: Some(_), .. })));
    // A week later the records are old, the addresses still worth a try.
    let mut later = node(&cache, world.now().after(Duration::from_secs(7 * 24 * 3600)));
    assert_eq!(later.status().supernodes_known, 0);
    assert!(matches!(later.poll_effect(), Some(Effect::OpenLink { expected: None, .. })));
    // Damage is ignored.
    let mut damaged = node(&cache[1..], world.now());
    assert_eq!((damaged.status().supernodes_known, damaged.poll_effect()), (0, None));
    assert_ne!(address, world.address(leaves[0]));
}
