//! Who helped waits less, and only what was counted by both is signed for, in virtual time.

use super::*;
use crate::{
    config::SupernodeConfig,
    outcome::RelayWish,
    record::Offers,
    volunteer::{Conditions, Power, Volunteer},
    wire::{Message, RelayUsage},
};

const MINUTE: Duration = Duration::from_secs(60);

fn hub(world: &mut World, max_leaves: usize, bootstrap: &[HostId]) -> HostId {
    let address = world.free_address();
    let supernode = Some(SupernodeConfig { address, tcp: None, relay: None, max_leaves });
    world.host(NodeConfig { supernode, ..NodeConfig::leaf(Network::Lab) }, bootstrap)
}

fn volunteer(world: &mut World, bootstrap: &[HostId]) -> HostId {
    let mut volunteer = Volunteer::new(Network::Lab, Offers::DIRECTORY.and(Offers::INTRODUCER));
    volunteer.max_leaves = 40;
    world.host(NodeConfig { volunteer: Some(volunteer), ..NodeConfig::leaf(Network::Lab) }, bootstrap)
}

fn on(power: Power) -> Conditions {
    Conditions { power, ..Conditions::default() }
}

/// Two supernodes and a volunteer that served both of their people for half an hour.
fn helped_town(seed: u8) -> (World, [HostId; 2], HostId) {
    let mut world = World::new(seed);
    let first = hub(&mut world, 16, &[]);
    let second = hub(&mut world, 16, &[first]);
    let helper = volunteer(&mut world, &[first, second]);
    world.run(MINUTE * 70);
    assert_eq!(world.status(helper).role, crate::Role::Supernode);
    (world, [first, second], helper)
}

#[test]
fn who_served_the_people_of_supernodes_is_thanked_and_keeps_it_over_a_restart() {
    let (mut world, _, helper) = helped_town(51);
    let (kept, cache) = world.with(helper, |node, _| (node.kept().vouchers, node.cache()));
    assert!(kept >= 2, "{kept} vouchers");
    let (now, secret) = (world.now(), LinkSecret::from_secret([9; 32]));
    let config = NodeConfig::leaf(Network::Lab);
    let again = Node::new(config, world.identity(helper).clone(), secret, &cache, [1; 32], now);
    assert_eq!(again.kept().vouchers, kept);
}

#[test]
fn a_helper_gets_its_homes_where_others_are_told_to_come_later() {
    // One of the towns in which whoever it helped has a spare to send away: it never takes the place of more need.
    let (mut world, hubs, helper) = helped_town(53);
    world.with(helper, |node, now| node.set_conditions(now, on(Power::Battery)));
    world.run(MINUTE * 3);
    assert_eq!(world.status(helper).role, crate::Role::Leaf);
    let mut takers = Vec::new();
    for _ in 0..18 {
        takers.push(world.leaf(&hubs));
        world.run(Duration::from_secs(2));
    }
    // The helper makes room for somebody without a home, and comes back: eighteen others want two places each of the
    // thirty that there are beside those of both supernodes' people.
    let link = world.link_between(helper, hubs[0]);
    for mailbox in world.with(helper, |node, now| node.mailboxes_for_test(now)) {
        world.inject(helper, link, &wire::to_bytes(&Message::MakeRoom(mailbox)));
    }
    assert_eq!(world.status(helper).homes, 1);
    world.run(MINUTE * 10);
    let homes: Vec<usize> = takers.iter().map(|taker| world.status(*taker).homes).collect();
    assert!(homes.iter().all(|homes| *homes >= 1), "everybody can be rung: {homes:?}");
    assert!(homes.iter().any(|homes| *homes < 2), "and some would want more: {homes:?}");
    assert_eq!(world.status(helper).homes, 2);
    let honoured: u64 = hubs.iter().map(|hub| world.status(*hub).stats.credit_honoured).sum();
    assert!(honoured >= 1);
}

#[test]
fn a_home_that_leaves_is_thanked_for_the_time_since_it_was_last() {
    let mut world = World::new(53);
    let first = hub(&mut world, 16, &[]);
    let helper = volunteer(&mut world, &[first]);
    // Between the first look at homes and the second, which counts the time from the first on.
    world.run(MINUTE * 40);
    assert_eq!(world.with(helper, |node, _| node.kept().vouchers), 0);
    world.with(helper, |node, now| node.set_conditions(now, on(Power::Battery)));
    world.run(MINUTE * 3);
    assert_eq!(world.with(helper, |node, _| node.kept().vouchers), 1);
}

/// A relay's supernode, a client linked to it, and the ticket the client has.
fn relayed(seed: u8) -> (World, HostId, HostId, String) {
    let mut world = World::new(seed);
    let hub = world.supernode(&[]);
    let client = world.leaf(&[hub]);
    world.run(Duration::from_secs(10));
    let query = world.with(client, |node, now| node.relays(now, RelayWish::Any));
    world.run(Duration::from_secs(2));
    let Answer::Relays(Ok(offers)) = world.answer(client, query) else { panic!("no relay") };
    (world, hub, client, offers[0].credentials.username.clone())
}

#[test]
fn a_client_signs_for_what_its_own_count_allows_and_for_no_more() {
    for (claimed, counted, signed) in
        [(1 << 20, 1 << 20, 1 << 20), (1_100_000, 1 << 20, 1_100_000), (2 << 20, 1 << 20, 0)]
    {
        let (mut world, hub, client, ticket) = relayed(54);
        let (node, usage) = (world.link_key(hub), RelayUsage { seconds: 60, bytes: claimed });
        world.with(client, |leaf, now| leaf.count_relayed(now, node, MINUTE, counted));
        world.with(hub, |hub, now| hub.handle_relayed(now, &ticket, usage));
        world.run(Duration::from_secs(1));
        let stats = world.status(hub).stats;
        assert_eq!((stats.calls_vouched, stats.bytes_vouched), (u64::from(signed > 0), signed));
        // Again, nobody having asked: the thanks of a leaf are worth nothing.
        assert_eq!(world.with(hub, |hub, _| hub.kept().vouchers), 0);
    }
}

#[test]
fn the_order_of_both_counts_does_not_matter_and_without_one_nothing_is_signed() {
    let (mut world, hub, client, ticket) = relayed(55);
    let (node, usage) = (world.link_key(hub), RelayUsage { seconds: 60, bytes: 500_000 });
    world.with(hub, |hub, now| hub.handle_relayed(now, &ticket, usage));
    world.run(Duration::from_secs(1));
    assert_eq!(world.status(hub).stats.calls_vouched, 0);
    world.with(client, |leaf, now| leaf.count_relayed(now, node, MINUTE, 500_000));
    world.run(Duration::from_secs(1));
    assert_eq!(world.status(hub).stats.bytes_vouched, 500_000);
    // Somebody else's ticket, and one nobody was given.
    world.with(hub, |hub, now| hub.handle_relayed(now, "1600:nobody", usage));
    world.run(Duration::from_secs(1));
    assert_eq!(world.status(hub).stats.calls_vouched, 1);
}

#[test]
fn what_was_passed_on_for_others_is_counted_and_a_connection_only_if_somebody_spoke_through_it() {
    let (mut world, hub, _, ticket) = relayed(57);
    let mut passes = |ticket: &str, seconds, bytes| {
        world.with(hub, |hub, now| hub.handle_relayed(now, ticket, RelayUsage { seconds, bytes }));
        let stats = world.status(hub).stats;
        (stats.passed_on, stats.bytes_passed_on)
    };
    assert_eq!(passes(&ticket, 60, 300_000), (1, 300_000));
    // A way that stood by for an hour, while the call went another.
    assert_eq!(passes(&ticket, 3600, 1_200_000), (1, 1_500_000));
    assert_eq!(passes(&ticket, 5, 0), (1, 1_500_000));
    // Whoever has gone meanwhile was helped too.
    assert_eq!(passes("1600:nobody", 10, 50_000), (2, 1_550_000));
}

#[test]
fn our_own_calls_through_our_own_relay_are_no_help_to_others() {
    let (mut world, hub, _, _) = relayed(58);
    let query = world.with(hub, |node, now| node.relays(now, RelayWish::Any));
    world.run(Duration::from_secs(2));
    let Answer::Relays(Ok(offers)) = world.answer(hub, query) else { panic!("no relay") };
    let usage = RelayUsage { seconds: 60, bytes: 300_000 };
    world.with(hub, |hub, now| hub.handle_relayed(now, &offers[0].credentials.username, usage));
    assert_eq!(world.status(hub).stats.passed_on, 0);
}

#[test]
fn thanks_that_nobody_asked_for_are_counted_for_no_call() {
    let (mut world, hub, client, _) = relayed(56);
    let (link, now) = (world.link_between(hub, client), world.now().unix);
    let service = crate::credit::Service { relayed: 1 << 40, ..Default::default() };
    let stranger = LinkSecret::from_secret([8; 32]);
    let forged =
        crate::credit::Voucher::sign(&stranger, Network::Lab, world.link_key(hub), (now, now), service);
    world.inject(hub, link, &wire::to_bytes(&Message::Thanks(Box::new(forged))));
    let stats = world.status(hub).stats;
    assert_eq!((stats.refused_records, stats.calls_vouched), (1, 0));
}
