//! What is acknowledged is on disk, in virtual time.

use super::*;
use crate::{
    username::Username,
    wire::{Refusal, Request, Response},
};

/// A hub and its links to two leaves.
fn hub() -> (World, HostId, [LinkId; 2]) {
    let mut world = World::new(60);
    let hub = world.supernode(&[]);
    let leaves = [world.leaf(&[hub]), world.leaf(&[hub])];
    world.run(Duration::from_secs(5));
    let links = leaves.map(|leaf| world.link_between(hub, leaf));
    (world, hub, links)
}

fn claim(world: &World, seq: u64) -> Claim {
    let (name, now) = (Username::parse("ada").unwrap(), world.now().unix);
    Claim::proven(&Identity::from_secret([1; 32]), name, now, seq, now)
}

const ID: u32 = 4_000_000;

/// Puts a claim over `link`; what is answered at once.
fn put(world: &mut World, hub: HostId, link: LinkId, claim: &Claim) -> Vec<Response> {
    let body = Request::PutClaim(Box::new(claim.clone()));
    let bytes = wire::to_bytes(&Message::Request { id: ID, body });
    world.said.clear();
    world.inject(hub, link, &bytes);
    answers(world)
}

/// What was answered to puts since the last one, at most the time of the disk ago.
fn answers(world: &World) -> Vec<Response> {
    let messages = world.said.iter().filter_map(|bytes| wire::from_bytes(bytes).ok());
    messages
        .filter_map(|message| match message {
            Message::Response { id: ID, body } => Some(body),
            _ => None,
        })
        .collect()
}

#[test]
fn a_claim_put_again_while_it_is_being_written_is_acknowledged_when_it_is_on_disk() {
    let (mut world, hub, [one, other]) = hub();
    let claim = claim(&world, 1);
    assert_eq!(put(&mut world, hub, one, &claim), []);
    assert_eq!(put(&mut world, hub, other, &claim), []);
    assert_eq!(put(&mut world, hub, other, &claim), []);
    world.run(DISK);
    assert!(matches!(
        answers(&world)[..],
        [Response::Receipt(_), Response::Receipt(_), Response::Receipt(_)]
    ));
    assert_eq!(world.disk(hub).len(), 1, "one write serves all of them");
    assert!(matches!(put(&mut world, hub, one, &claim)[..], [Response::Receipt(_)]), "it is there");
}

#[test]
fn a_renewal_is_not_acknowledged_by_the_write_of_what_it_renews() {
    let (mut world, hub, [one, other]) = hub();
    let (first, second) = (claim(&world, 1), claim(&world, 2));
    assert_eq!(put(&mut world, hub, one, &first), []);
    world.run(DISK / 2);
    assert_eq!(put(&mut world, hub, one, &second), []);
    assert_eq!(put(&mut world, hub, other, &second), []);
    world.run(DISK / 2);
    assert_eq!(answers(&world).len(), 1, "the first is on disk");
    world.run(DISK / 2);
    assert_eq!(answers(&world).len(), 3);
    assert_eq!(put(&mut world, hub, one, &first), [Response::Refused(Refusal::Stale)]);
}

#[test]
fn what_a_full_disk_did_not_take_is_never_acknowledged_and_written_once_there_is_room() {
    let (mut world, hub, [one, other]) = hub();
    let claim = claim(&world, 1);
    world.disks_full = true;
    for link in [one, other, one] {
        assert_eq!(put(&mut world, hub, link, &claim), []);
        world.run(DISK);
        assert_eq!(answers(&world), [Response::Busy]);
    }
    world.disks_full = false;
    assert_eq!(put(&mut world, hub, other, &claim), []);
    world.run(DISK);
    assert!(matches!(answers(&world)[..], [Response::Receipt(_)]));
    assert_eq!(world.disk(hub).len(), 1);
}
