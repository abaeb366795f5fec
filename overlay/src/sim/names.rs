//! Names in whole networks: what looks alike, what grows old, what is rolled back, who inherits it.

use super::{tests::*, *};
use crate::{
    claim::{Difference, RECOVERY_DELAY, RankReason, RecoveryHash, Standing},
    error::RegisterError,
    outcome::{Lookup, NameState, Registration},
    username::Username,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn named(name: &str) -> Username {
    Username::parse(name).unwrap()
}

fn register(world: &mut World, host: HostId, name: &str) -> Result<Registration, RegisterError> {
    let query = world.with(host, |node, now| node.register(now, named(name)));
    if let Answer::Registered(result) = world.answer(host, query) { result } else { panic!() }
}

fn keys(claims: &[crate::FoundClaim]) -> Vec<PublicKey> {
    claims.iter().map(|claim| claim.key).collect()
}

#[test]
fn a_name_that_looks_like_a_taken_one_is_refused_and_shown_apart() {
    let (mut world, _, leaves) = network(30, 4, 2);
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    let by = world.key(leaves[0]);
    let refused = Err(RegisterError::LooksLike { name: named("alice"), by });
    assert_eq!(register(&mut world, leaves[1], "al1ce"), refused);
    assert_eq!(register(&mut world, leaves[1], "a.l.i.c.e"), refused);
    let found = lookup(&mut world, leaves[1], &named("al-ice")).unwrap();
    assert_eq!((found.claims.len(), keys(&found.lookalikes)), (0, vec![by]));
    assert_eq!(found.lookalikes[0].name, named("alice"));
    // Its owner may have both.
    assert!(register(&mut world, leaves[0], "al1ce").is_ok());
    let found = lookup(&mut world, leaves[1], &named("al1ce")).unwrap();
    assert_eq!((keys(&found.claims), keys(&found.lookalikes)), (vec![by], vec![by]));
}

#[test]
fn a_claim_is_established_after_a_week_of_renewals_and_outlives_its_first_holders() {
    let (mut world, hubs, _) = network(31, 2, 0);
    assert!(register(&mut world, hubs[0], "alice").is_ok());
    world.run(DAY);
    let found = lookup(&mut world, hubs[1], &named("alice")).unwrap();
    assert_eq!((found.claims[0].standing, found.claims[0].why), (Standing::Proven, RankReason::Alone));
    world.run(DAY * 8);
    let established = world.events(hubs[0]).into_iter().any(|event| {
        matches!(event, NodeEvent::NameHeld(Registration { state: NameState::Established, .. }))
    });
    assert!(established, "its owner is told");
    let before = lookup(&mut world, hubs[1], &named("alice")).unwrap();
    assert_eq!((before.claims[0].standing, before.claims[0].holders), (Standing::Established, 2));

    // Others take over.
    let young = world.supernode(&hubs);
    world.run(MINUTE);
    for hub in hubs {
        world.kill(hub);
    }
    world.run(MINUTE * 2);
    let after = lookup(&mut world, young, &named("alice")).unwrap();
    assert_eq!(
        (after.claims[0].standing, after.claims[0].since),
        (Standing::Established, before.claims[0].since)
    );
}

#[test]
fn a_reader_who_has_seen_a_newer_claim_is_not_shown_an_older_one_also_after_a_restart() {
    let (mut world, hubs, leaves) = network(32, 1, 2);
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    let old = world.disk(hubs[0]).to_vec();
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    let shown = lookup(&mut world, leaves[1], &named("alice")).unwrap();
    assert!(shown.claims[0].seq > old[0].seq());
    world.run(MINUTE * 2);
    let cache = world.with(leaves[1], |node, _| node.cache());

    // Its only holder comes back with what it had before.
    let late = world.leaf_with(&hubs, &cache);
    let naive = world.leaf(&hubs);
    world.run(MINUTE);
    world.with(hubs[0], |node, now| {
        node.forget_claims();
        node.restore_claims(now, old);
    });
    for (reader, claims) in [(leaves[1], 0), (late, 0), (naive, 1)] {
        let found: Lookup = lookup(&mut world, reader, &named("alice")).unwrap();
        assert_eq!(found.claims.len(), claims);
    }
}

#[test]
fn owners_of_a_name_granted_twice_are_told_of_each_other_and_readers_why_they_see_this_order() {
    let mut world = World::new(33);
    let (east, west) = (world.supernode(&[]), world.supernode(&[]));
    let (ada, bob) = (world.leaf(&[east]), world.leaf(&[west]));
    world.run(Duration::from_secs(1));
    for leaf in [ada, bob] {
        assert!(register(&mut world, leaf, "alice").is_ok());
    }
    world.run(MINUTE * 10);
    let bridge = world.address(west);
    world.with(east, |node, now| node.add_seeds(now, [bridge]));
    world.run(DAY * 2);
    for (leaf, other) in [(ada, bob), (bob, ada)] {
        let contested = NodeEvent::NameContested { name: named("alice"), by: world.key(other) };
        let told = world.events(leaf).into_iter().filter(|event| *event == contested).count();
        assert_eq!(told, 1, "told once");
    }
    for reader in [ada, bob, east, west] {
        let found = lookup(&mut world, reader, &named("alice")).unwrap();
        let why: Vec<RankReason> = found.claims.iter().map(|claim| claim.why).collect();
        assert_eq!(why, [RankReason::Ahead(Difference::Proof), RankReason::Behind(Difference::Proof)]);
    }
}

#[test]
fn a_supernode_that_leaves_hands_its_claims_to_whoever_moves_up() {
    let (mut world, hubs, leaves) = network(34, 24, 1);
    world.run(MINUTE);
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    world.run(Duration::from_secs(1));
    let holds = |world: &World, hub: HostId| !world.disk(hub).is_empty();
    let before = hubs.iter().filter(|hub| holds(&world, **hub)).count();
    let leaving = *hubs.iter().find(|hub| holds(&world, **hub)).unwrap();
    world.with(leaving, |node, now| node.shutdown(now));
    world.run(Duration::from_millis(300));
    let after = hubs.iter().filter(|hub| holds(&world, **hub)).count();
    assert_eq!((before, after), (20, 21));
}

fn registered(world: &mut World, host: HostId, query: QueryId) -> Result<NameState, RegisterError> {
    let Answer::Registered(result) = world.answer(host, query) else { panic!() };
    result.map(|registration| registration.state)
}

#[test]
fn a_name_passes_to_a_new_key_at_once_with_its_age_and_the_old_key_lets_go() {
    let (mut world, _, leaves) = network(35, 3, 3);
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    let since = lookup(&mut world, leaves[2], &named("alice")).unwrap().claims[0].since;
    world.run(MINUTE * 30);
    let (new, stranger) = (world.identity(leaves[1]).clone(), leaves[2]);
    let passed_on = world.with(leaves[0], |node, _| node.rotate(&new)).remove(0);
    let query = world.with(stranger, |node, now| node.inherit(now, passed_on.clone()));
    assert_eq!(registered(&mut world, stranger, query), Err(RegisterError::NotPassedOn));
    let query = world.with(leaves[1], |node, now| node.inherit(now, passed_on));
    assert_eq!(registered(&mut world, leaves[1], query), Ok(NameState::Held));

    let found = lookup(&mut world, stranger, &named("alice")).unwrap();
    assert_eq!((keys(&found.claims), found.claims[0].since), (vec![new.public_key()], since));
    world.events(leaves[0]);
    world.run(DAY * 2);
    let lost = NodeEvent::NameLost { name: named("alice"), by: new.public_key() };
    assert!(world.events(leaves[0]).contains(&lost));
    let found = lookup(&mut world, stranger, &named("alice")).unwrap();
    assert_eq!(keys(&found.claims), [new.public_key()]);
}

#[test]
fn the_recovery_key_takes_a_name_over_when_the_old_key_had_its_time_to_object() {
    let (mut world, hubs, _) = network(36, 2, 0);
    let old = world.leaf(&hubs);
    let recovery = Identity::from_secret([77; 32]);
    let hash = RecoveryHash::of(&recovery.public_key());
    world.with(old, |node, now| node.set_recovery(now, Some(hash)));
    assert!(register(&mut world, old, "alice").is_ok());
    world.run(MINUTE * 10);
    let from = world.key(old);
    world.kill(old);
    let (heir, reader) = (hubs[0], hubs[1]);
    let wrong = Identity::from_secret([78; 32]);
    let query = world.with(heir, |node, now| node.recover(now, named("alice"), from, wrong));
    assert_eq!(registered(&mut world, heir, query), Err(RegisterError::NotPassedOn));
    let query = world.with(heir, |node, now| node.recover(now, named("alice"), from, recovery));
    assert_eq!(registered(&mut world, heir, query), Ok(NameState::Pending));

    let pending = lookup(&mut world, reader, &named("alice")).unwrap();
    assert_eq!(keys(&pending.claims), [from, world.key(heir)], "announced, and not before the old one");
    assert_eq!(pending.claims[1].standing, Standing::Pending);
    world.run(RECOVERY_DELAY + DAY * 4);
    let done = lookup(&mut world, reader, &named("alice")).unwrap();
    assert_eq!(keys(&done.claims), [world.key(heir)]);
    assert_eq!(done.claims[0].standing, Standing::Established);
}

#[test]
fn an_old_key_that_names_another_recovery_key_keeps_its_name() {
    let (mut world, _, leaves) = network(37, 3, 2);
    let recovery = Identity::from_secret([77; 32]);
    let hash = RecoveryHash::of(&recovery.public_key());
    world.with(leaves[0], |node, now| node.set_recovery(now, Some(hash)));
    assert!(register(&mut world, leaves[0], "alice").is_ok());
    let from = world.key(leaves[0]);
    let thief = world.key(leaves[1]);
    let query = world.with(leaves[1], |node, now| node.recover(now, named("alice"), from, recovery));
    assert_eq!(registered(&mut world, leaves[1], query), Ok(NameState::Pending));
    world.run(MINUTE * 2);
    let told = NodeEvent::NameContested { name: named("alice"), by: thief };
    assert!(world.events(leaves[0]).contains(&told), "the old key learns of it");

    let other = RecoveryHash::of(&Identity::from_secret([79; 32]).public_key());
    world.with(leaves[0], |node, now| node.set_recovery(now, Some(other)));
    world.run(MINUTE);
    let found = lookup(&mut world, leaves[0], &named("alice")).unwrap();
    assert_eq!(keys(&found.claims), [from]);
    world.run(DAY * 2);
    let found = lookup(&mut world, leaves[0], &named("alice")).unwrap();
    assert_eq!(keys(&found.claims), [from]);
}
