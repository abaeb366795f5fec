//! What a node shows of the ring, in virtual time.

use super::{tests::network, *};
use crate::outcome::{OnRing, Ring, Ties};

/// What a host knows of the ring; a packet takes as many milliseconds over each of its links.
fn ring(world: &mut World, host: HostId, milliseconds: u64) -> Ring {
    world.with(host, |node, now| node.ring(now, |_| Some(Duration::from_millis(milliseconds))))
}

fn count(ring: &Ring, of: impl Fn(&OnRing) -> bool) -> usize {
    ring.supernodes.iter().filter(|shown| of(shown)).count()
}

fn is_home(shown: &OnRing) -> bool {
    matches!(shown.ties, Ties::Home(_))
}

#[test]
fn a_leaf_sees_where_its_supernodes_stand_and_which_are_its_homes() {
    let (mut world, hubs, leaves) = network(5, 40, 1);
    world.run(Duration::from_secs(40));
    let seen = ring(&mut world, leaves[0], 12);
    assert_eq!((seen.known, seen.supernodes.len()), (40, 40));
    assert!(seen.supernodes.is_sorted_by_key(|shown| shown.place));
    assert_eq!(count(&seen, is_home), 3);
    assert_ne!(count(&seen, |shown| shown.ties == Ties::HeardOf), 0, "nobody needs a link to all");
    for shown in &seen.supernodes {
        let hub = *hubs.iter().find(|hub| world.link_key(**hub) == shown.node).unwrap();
        assert_eq!(shown.address, world.address(hub));
        if let Ties::Home(linked) | Ties::Linked(linked) = shown.ties {
            assert!(world.is_linked(leaves[0], hub));
            assert_eq!(linked.round_trip, Some(Duration::from_millis(12)));
            assert!(linked.lasted > Duration::from_secs(1) && linked.lasted < Duration::from_secs(60));
        }
    }
}

#[test]
fn who_fell_silent_is_told_from_those_whose_idle_links_were_closed() {
    let (mut world, hubs, leaves) = network(5, 8, 1);
    world.run(Duration::from_secs(60));
    let seen = ring(&mut world, leaves[0], 12);
    assert_eq!((count(&seen, is_home), count(&seen, |shown| shown.ties == Ties::Answered)), (3, 5));
    let home = hubs
        .iter()
        .copied()
        .find(|hub| seen.supernodes.iter().any(|shown| is_home(shown) && shown.node == world.link_key(*hub)));
    world.kill(home.unwrap());
    world.run(Duration::from_secs(60));
    let seen = ring(&mut world, leaves[0], 12);
    // Its new record goes to all of them, the silent one too.
    let silent = seen.supernodes.iter().filter(|shown| shown.ties == Ties::Silent);
    assert_eq!(silent.map(|shown| shown.node).collect::<Vec<_>>(), [world.link_key(home.unwrap())]);
    assert_eq!(count(&seen, is_home), 3, "another took its place");
}
