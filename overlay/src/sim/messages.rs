//! What bytes do to nodes, in virtual time.

use super::{
    tests::{lookup, name, network},
    *,
};
use crate::{fuzz::TARGETS, wire::Bounded};

/// One message of every kind, and one of every request and response: what fuzzers begin with.
fn every_message() -> Vec<Message> {
    let target = TARGETS.iter().find(|target| target.name == "message").unwrap();
    (target.seeds)().iter().map(|bytes| wire::from_bytes(bytes).unwrap()).collect()
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for message in every_message() {
        let bytes = wire::to_bytes(&message);
        assert_eq!(wire::from_bytes::<Message>(&bytes).as_ref(), Ok(&message));
        assert_eq!(wire::to_bytes(&wire::from_bytes::<Message>(&bytes).unwrap()), bytes);
    }
}

#[test]
fn malformed_messages_of_every_kind_are_dropped_and_counted() {
    let mut world = World::new(17);
    let hub = world.supernode(&[]);
    for message in every_message() {
        let bytes = wire::to_bytes(&message);
        for cut in 0..bytes.len() {
            assert_eq!(
                wire::from_bytes::<Message>(&bytes[..cut]),
                Err(wire::Malformed),
                "{message:?} cut at {cut}"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(wire::from_bytes::<Message>(&longer), Err(wire::Malformed));

        // What a node does with bent bytes: whatever it does, it survives and serves on.
        let leaf = world.leaf(&[hub]);
        world.run(Duration::from_secs(1));
        let before = world.status(leaf).stats.malformed;
        let link = world.a_link(leaf);
        world.inject(leaf, link, &bytes[..bytes.len() - 1]);
        assert_eq!(world.status(leaf).stats.malformed, before + 1);
        for bit in (0..bytes.len() * 8).step_by(3) {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            world.inject(leaf, link, &bent);
        }
        world.kill(leaf);
    }
    let leaf = world.leaf(&[hub]);
    assert!(lookup(&mut world, leaf, &name(1)).is_ok());
}

#[test]
fn random_bytes_end_a_link_and_harm_nobody() {
    let (mut world, hubs, leaves) = network(18, 1, 2);
    world.run(Duration::from_secs(3));
    let mut rng = StdRng::from_seed([18; 32]);
    let link = world.a_link(hubs[0]);
    for length in 0..400 {
        let mut bytes = vec![0; length % 80];
        rand::Rng::fill_bytes(&mut rng, &mut bytes);
        world.inject(hubs[0], link, &bytes);
    }
    let oversized = vec![0x80; wire::MAX_FRAME + 1];
    world.inject(hubs[0], link, &oversized);
    assert!(world.status(hubs[0]).stats.malformed >= 16);
    world.run(Duration::from_secs(10));
    for leaf in leaves {
        assert!(lookup(&mut world, leaf, &name(0)).is_ok());
    }
}

#[test]
fn a_list_longer_than_its_bound_is_refused_while_it_is_read() {
    let long = wire::to_bytes(&Bounded::<u8, 100>::take(0..100));
    assert!(wire::from_bytes::<Bounded<u8, 100>>(&long).is_ok());
    assert_eq!(wire::from_bytes::<Bounded<u8, 99>>(&long), Err(wire::Malformed));
    // An array that says it has 2^60 elements.
    assert_eq!(wire::from_bytes::<Bounded<u8, 99>>(&[0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0]), Err(wire::Malformed));
}
