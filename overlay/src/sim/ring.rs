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

#[test]
fn a_leaf_sees_where_its_supernodes_stand_which_are_its_homes_and_who_fell_silent() {
    let (mut world, hubs, leaves) = network(5, 40, 1);
    world.run(Duration::from_secs(40));
    let seen = ring(&mut world, leaves[0], 12);
    assert_eq!((seen.known, seen.supernodes.len()), (40, 40));
    assert!(seen.supernodes.is_sorted_by_key(|shown| shown.place));
    let is_home = |shown: &OnRing| matches!(shown.ties, Ties::Home(_));
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

    let home = *hubs
        .iter()
        .find(|hub| seen.supernodes.iter().any(|it| is_home(it) && it.node == world.link_key(**hub)))
        .unwrap();
    world.kill(home);
    world.run(Duration::from_secs(60));
    let seen = ring(&mut world, leaves[0], 12);
    let lost = seen.supernodes.iter().find(|shown| shown.node == world.link_key(home)).unwrap();
    assert_eq!((lost.ties, count(&seen, is_home)), (Ties::Silent, 3), "another took its place");
}
