//! Sealed presence and the limits of ringing, in virtual time.

use super::{
    tests::{network, send},
    *,
};
use crate::{
    envelope::{ENVELOPE_SIZE, Token},
    record::{EnvelopeKey, Epoch, PresenceSecret, Saying, SealedPresence},
    wire::{Bounded, Request, Response},
};

const SECRET: PresenceSecret = PresenceSecret::from_bytes([7; 32]);
const MINUTE: Duration = Duration::from_secs(60);

/// What a host was told of somebody since it was asked last.
pub(super) fn told(world: &mut World, host: HostId, of: PublicKey) -> Vec<Option<UnixTime>> {
    let events = world.events(host).into_iter();
    let seen = events.filter_map(|event| match event {
        NodeEvent::Presence { who, seen } if who == of => Some(seen),
        _ => None,
    });
    seen.collect()
}

fn appear(world: &mut World, host: HostId, secret: PresenceSecret) {
    world.with(host, |node, now| node.set_presence_secret(now, Some(secret)));
    world.run(Duration::from_secs(5));
}

fn watch(world: &mut World, host: HostId, who: PublicKey, secret: PresenceSecret) {
    world.with(host, |node, now| node.watch(now, [(who, secret)]));
    world.run(Duration::from_secs(5));
}

/// What `host` answers to a request that comes over `link`.
pub(super) fn asked(world: &mut World, host: HostId, link: LinkId, body: Request) -> Response {
    const ID: u32 = 4_000_000;
    let bytes = wire::to_bytes(&Message::Request { id: ID, body });
    world.with(host, |node, now| {
        node.handle_message(now, link, &bytes);
        let answers = std::iter::from_fn(|| node.poll_transmit());
        let answers = answers.filter_map(|transmit| match wire::from_bytes(&transmit.bytes) {
            Ok(Message::Response { id: ID, body }) => Some(body),
            _ => None,
        });
        answers.last().unwrap()
    })
}

#[test]
fn contacts_see_each_other_come_and_go_and_strangers_see_nothing() {
    let (mut world, _, leaves) = network(40, 9, 3);
    let [ada, bob, eve] = leaves[..] else { panic!() };
    let who = world.key(ada);
    world.run(Duration::from_secs(5));
    appear(&mut world, ada, SECRET);
    watch(&mut world, bob, who, SECRET);
    watch(&mut world, eve, who, PresenceSecret::from_bytes([8; 32]));
    assert!(matches!(told(&mut world, bob, who)[..], [Some(_)]));
    assert!(told(&mut world, eve, who).is_empty());

    world.with(ada, |node, now| node.shutdown(now));
    world.run(Duration::from_secs(15));
    world.with(bob, |node, now| node.look(now, who));
    world.run(Duration::from_secs(5));
    assert_eq!(told(&mut world, bob, who), [None]);
}

#[test]
fn presence_lasts_over_the_hours_and_ends_with_the_one_who_died() {
    let (mut world, _, leaves) = network(41, 5, 2);
    let (ada, bob) = (leaves[0], leaves[1]);
    let who = world.key(ada);
    appear(&mut world, ada, SECRET);
    watch(&mut world, bob, who, SECRET);
    let mut last = None;
    for minute in 0..300 {
        world.run(MINUTE);
        for seen in told(&mut world, bob, who) {
            assert!(seen.is_some(), "minute {minute}");
            last = seen;
        }
    }
    let age = world.now().unix.saturating_duration_since(last.unwrap());
    assert!(age < 60 * MINUTE, "{age:?}");
    world.kill(ada);
    world.run(61 * MINUTE);
    assert_eq!(told(&mut world, bob, who).last(), Some(&None));
}

#[test]
fn a_contact_is_rung_by_the_presence_it_told() {
    let (mut world, _, leaves) = network(42, 9, 2);
    let (ada, bob) = (leaves[0], leaves[1]);
    let who = world.key(ada);
    world.run(Duration::from_secs(5));
    appear(&mut world, ada, SECRET);
    watch(&mut world, bob, who, SECRET);
    let began = world.now().instant;
    assert_eq!(send(&mut world, bob, who, b"hello"), Ok(()));
    // No record was fetched first: one round trip over a link that may have to be opened.
    assert!(world.now().instant - began < Duration::from_millis(900));
    world.run(Duration::from_secs(1));
    let heard = |event: &NodeEvent| matches!(event, NodeEvent::Envelope { .. });
    assert_eq!(world.events(ada).iter().filter(|event| heard(event)).count(), 1);
}

#[test]
fn a_removed_contact_sees_nothing_once_the_secret_is_another() {
    let (mut world, _, leaves) = network(43, 5, 2);
    let (ada, bob) = (leaves[0], leaves[1]);
    let who = world.key(ada);
    world.run(Duration::from_secs(5));
    appear(&mut world, ada, SECRET);
    appear(&mut world, ada, PresenceSecret::from_bytes([9; 32]));
    world.run(61 * MINUTE);
    watch(&mut world, bob, who, SECRET);
    assert!(told(&mut world, bob, who).is_empty());
}

#[test]
fn supernodes_hold_what_is_signed_and_work_for_their_own_leaves_only() {
    let mut world = World::new(44);
    let address = world.free_address();
    let mut config = NodeConfig::supernode(Network::Lab, address);
    config.supernode.as_mut().unwrap().max_leaves = 0;
    let hub = world.host(config, &[]);
    let stranger = world.leaf(&[hub]);
    world.run(Duration::from_secs(3));
    let link = world.a_link(hub);
    let now = world.now().unix;
    let identity = world.identity(stranger).clone();
    let record = |seq| {
        let envelope_key = EnvelopeKey::from_bytes([1; 32]);
        let saying =
            Saying { identity: &identity, network: Network::Lab, seq, envelope_key, introducers: &[] };
        SealedPresence::seal(&SECRET, Epoch::of(now), saying, now, MINUTE).unwrap()
    };
    let mut ask = |body: Request| asked(&mut world, hub, link, body);
    let put = |seq| Request::PutPresence(Box::new(record(seq)));
    assert_eq!(ask(put(2)), Response::Done);
    assert_eq!(ask(put(2)), Response::Done);
    assert_eq!(ask(put(1)), Response::Refused(wire::Refusal::Stale));
    let nobody = PresenceSecret::from_bytes([1; 32]).blinded_key(Network::Lab, Epoch::of(now));
    let keys = Bounded::take([record(2).key(), nobody]);
    let found = ask(Request::GetPresences(keys.clone()));
    assert_eq!(found, Response::Presences(Bounded::take([record(2)])));
    let refused = Response::Refused(wire::Refusal::NotOffered);
    assert_eq!(ask(Request::GatherPresences(keys)), refused);
    assert_eq!(ask(Request::SpreadPresence(Box::new(record(3)))), refused);
    let mut bent = wire::to_bytes(&put(9));
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(ask(wire::from_bytes(&bent).unwrap()), Response::Refused(wire::Refusal::Invalid));
}

#[test]
fn a_door_opens_for_work_done_lately_and_a_flood_through_it_keeps_no_contact_out() {
    let (mut world, hubs, leaves) = network(45, 1, 1);
    world.run(Duration::from_secs(5));
    let hub = hubs[0];
    let mailbox = world.with(leaves[0], |node, now| node.mailboxes_for_test(now)[0]);
    let (link, now) = (world.a_link(hub), world.now().unix);
    let sealed = vec![1; ENVELOPE_SIZE];
    let door = mailbox.door();
    let ring = |token| Request::Introduce { door, token, sealed: sealed.clone() };
    let token = |at, from| Token::work(Network::Lab, &door, at, from);

    // Neither through the mailbox's name nor with what was made for another time or door.
    let unknown = Response::Refused(wire::Refusal::UnknownMailbox);
    let deliver = Request::Deliver { mailbox: door, sealed: sealed.clone() };
    assert_eq!(asked(&mut world, hub, link, deliver), unknown);
    let (old, early) = (now.saturating_sub(MINUTE * 4), now.saturating_add(MINUTE * 4));
    for token in [token(old, 0), token(early, 0)] {
        let answer = asked(&mut world, hub, link, ring(token));
        assert_eq!(answer, Response::Refused(wire::Refusal::Invalid));
    }

    let mut answers = BTreeMap::new();
    for n in 0..200 {
        // As if from many links: one alone is stopped earlier.
        world.run(Duration::from_millis(100));
        let now = world.now().unix;
        let answer = asked(&mut world, hub, link, ring(token(now, n * 1_000)));
        *answers.entry(answer == Response::Done).or_insert(0) += 1;
    }
    // Sixty at once and two a second, over the twenty seconds from the first to the last.
    assert_eq!(answers[&true], 60 + 2 * 20 - 1);
    let deliver = Request::Deliver { mailbox, sealed };
    assert_eq!(asked(&mut world, hub, link, deliver), Response::Done);
}

#[test]
fn a_leaf_that_keeps_its_home_running_errands_is_answered_busy() {
    let (mut world, hubs, leaves) = network(46, 3, 1);
    world.run(Duration::from_secs(5));
    let link = world.link_between(hubs[0], leaves[0]);
    let key = SECRET.blinded_key(Network::Lab, Epoch::of(world.now().unix));
    let gather = || Request::GatherPresences(Bounded::take([key]));
    let bytes = |body| wire::to_bytes(&Message::Request { id: 9, body });
    for _ in 0..48 {
        world.inject(hubs[0], link, &bytes(gather()));
    }
    assert_eq!(asked(&mut world, hubs[0], link, gather()), Response::Busy);
    world.run(Duration::from_secs(3));
    let before = world.status(hubs[0]).stats.limited;
    world.inject(hubs[0], link, &bytes(gather()));
    assert_eq!(world.status(hubs[0]).stats.limited, before);
}
