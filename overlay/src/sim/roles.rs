//! What supernodes do under load, and who becomes one, in virtual time.

use super::*;
use crate::config::SupernodeConfig;

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
