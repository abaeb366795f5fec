//! How soon somebody is online, in virtual time.

use std::net::Ipv6Addr;

use super::{tests::network, *};

/// How long a leaf takes that knows the supernodes, and these addresses where nobody answers.
fn online_after(silent: &[SocketAddr]) -> Duration {
    let (mut world, hubs, _) = network(4, 1, 0);
    let known: Vec<SocketAddr> =
        hubs.iter().map(|hub| world.address(*hub)).chain(silent.iter().copied()).collect();
    let leaf = world.leaf(&[]);
    let began = world.now().instant;
    world.with(leaf, |node, now| node.add_seeds(now, known));
    for _ in 0..5_000 {
        world.run(Duration::from_millis(1));
        if world.events(leaf).iter().any(|event| matches!(event, NodeEvent::Online { .. })) {
            return world.now().instant - began;
        }
    }
    panic!("never online");
}

#[test]
fn ipv6_that_swallows_everything_costs_a_start_a_tenth_of_a_second_at_most() {
    let silent = |last| SocketAddr::new(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into(), 4000);
    let (without, with) = (online_after(&[]), online_after(&[silent(1), silent(2)]));
    assert!(with <= without + Duration::from_millis(100), "{with:?} instead of {without:?}");
}
