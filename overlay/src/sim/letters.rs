//! Letters to people who are away, and what supernodes keep of anybody, in virtual time.

use super::{
    presence::{asked, told},
    tests::{lookup, network, send},
    *,
};
use crate::{
    directory::letters::SealedLetter,
    envelope::{ENVELOPE_SIZE, Token},
    error::SendError,
    record::{Collection, Epoch, MailboxId, PresenceSecret, SealedPresence},
    username::Username,
    wire::{Bounded, Refusal, Request, Response},
};

fn leave(world: &mut World, from: HostId, to: PublicKey, payload: &[u8]) -> Result<(), SendError> {
    let query = world.with(from, |node, now| node.leave_word(now, to, payload.to_vec()));
    if let Answer::Sent(result) = world.answer(from, query) { result } else { panic!() }
}

/// The letters a host was told of since it was asked last: by whom, and what they say.
fn read(world: &mut World, host: HostId) -> Vec<(PublicKey, Vec<u8>)> {
    let events = world.events(host).into_iter();
    events
        .filter_map(|event| match event {
            NodeEvent::Letter { from, payload, .. } => Some((from, payload)),
            NodeEvent::Envelope { .. } => panic!("a letter rings nobody"),
            _ => None,
        })
        .collect()
}

fn letters(world: &World, hubs: &[HostId]) -> usize {
    hubs.iter().map(|hub| world.letters(*hub)).sum()
}

#[test]
fn who_was_away_finds_once_what_was_left_and_supernodes_forget_it() {
    for crashed in [false, true] {
        let (mut world, hubs, leaves) = network(70, 9, 2);
        let [ada, bob] = leaves[..] else { panic!() };
        let (who, caller, identity) = (world.key(ada), world.key(bob), world.identity(ada).clone());
        world.run(Duration::from_secs(5));
        if crashed {
            world.kill(ada);
        } else {
            world.with(ada, |node, now| node.shutdown(now));
        }
        world.run(Duration::from_secs(40));
        assert_eq!(send(&mut world, bob, who, b"offer"), Err(SendError::NotReachable));
        assert_eq!(leave(&mut world, bob, who, b"called"), Ok(()));
        let kept = letters(&world, &hubs);
        assert!((2..=4).contains(&kept), "{kept} supernodes keep it");
        world.run(Duration::from_secs(3 * 3600));
        assert_eq!(letters(&world, &hubs), kept);

        let back = world.leaf_of(identity, &hubs[..3]);
        world.run(Duration::from_secs(10));
        assert_eq!(read(&mut world, back), [(caller, b"called".to_vec())]);
        assert_eq!(letters(&world, &hubs), 0);
        world.run(Duration::from_secs(3 * 3600));
        assert_eq!(read(&mut world, back), []);
    }
}

#[test]
fn a_letter_survives_the_supernodes_that_die_meanwhile() {
    let (mut world, hubs, leaves) = network(71, 12, 2);
    let [ada, bob] = leaves[..] else { panic!() };
    let (who, caller, identity) = (world.key(ada), world.key(bob), world.identity(ada).clone());
    world.run(Duration::from_secs(5));
    world.with(ada, |node, now| node.shutdown(now));
    world.run(Duration::from_secs(5));
    assert_eq!(leave(&mut world, bob, who, b"called"), Ok(()));
    let mut keepers: Vec<HostId> = hubs.iter().copied().filter(|hub| world.letters(*hub) > 0).collect();
    let survivor = keepers.pop().unwrap();
    for keeper in keepers {
        world.kill(keeper);
    }
    world.run(Duration::from_secs(120));
    let back = world.leaf_of(identity, &[survivor]);
    world.run(Duration::from_secs(30));
    assert_eq!(read(&mut world, back), [(caller, b"called".to_vec())]);
}

#[test]
fn nobody_is_left_a_letter_whom_the_directory_does_not_know() {
    let (mut world, _, leaves) = network(72, 3, 1);
    world.run(Duration::from_secs(5));
    let nobody = PublicKey::from_bytes([9; 32]);
    assert_eq!(leave(&mut world, leaves[0], nobody, b"called"), Err(SendError::NotReachable));
}

#[test]
fn a_letter_costs_work_and_is_given_to_its_reader_only() {
    let (mut world, hubs, leaves) = network(73, 1, 2);
    world.run(Duration::from_secs(5));
    let hub = hubs[0];
    let reader = world.key(leaves[0]);
    let (link, now) = (world.a_link(hub), world.now().unix);
    let letter = SealedLetter::new(vec![7; ENVELOPE_SIZE]).unwrap();
    let box_of = |person: &PublicKey| MailboxId::of_letters(person);
    let leave = |reader, token| Request::Leave { reader, token, sealed: letter.bytes().to_vec() };
    let token = |reader, from| Token::work(Network::Lab, &box_of(&reader), now, from);
    let (invalid, unknown) =
        (Response::Refused(Refusal::Invalid), Response::Refused(Refusal::UnknownMailbox));

    let stranger = PublicKey::from_bytes([9; 32]);
    // One in sixteen would do for another box by chance.
    let mut others = (0..).map(|n| token(stranger, n * 1_000));
    let of_another = others.find(|token| !token.verify(Network::Lab, &box_of(&reader), now)).unwrap();
    assert_eq!(asked(&mut world, hub, link, leave(reader, of_another)), invalid);
    assert_eq!(asked(&mut world, hub, link, leave(stranger, token(stranger, 0))), unknown);
    let short = Request::Leave { reader, token: token(reader, 0), sealed: vec![7; 10] };
    assert_eq!(asked(&mut world, hub, link, short), invalid);
    assert_eq!(world.letters(hub), 0);
    assert_eq!(asked(&mut world, hub, link, leave(reader, token(reader, 0))), Response::Done);

    let keeper = world.link_key(hub);
    let [ada, bob] = [0, 1].map(|n| world.identity(leaves[n]).clone());
    let word = |who, keeper, taken: &[&SealedLetter]| {
        let taken = taken.iter().map(|letter| letter.mark());
        Request::Collect(Box::new(Collection::sign(who, Network::Lab, keeper, now, taken)))
    };
    let none = Response::Letters(Bounded::take([]));
    let other = world.link_key(leaves[1]);
    assert_eq!(asked(&mut world, hub, link, word(&bob, keeper, &[&letter])), none);
    assert_eq!(asked(&mut world, hub, link, word(&ada, other, &[&letter])), invalid);
    let given = Response::Letters(Bounded::take([letter.clone()]));
    assert_eq!(asked(&mut world, hub, link, word(&ada, keeper, &[])), given);
    assert_eq!(asked(&mut world, hub, link, word(&ada, keeper, &[&letter])), none);
    assert_eq!(world.letters(hub), 0);
}

#[test]
fn nothing_a_supernode_keeps_says_at_which_address_a_person_is() {
    let (mut world, hubs, leaves) = network(74, 7, 3);
    let secret = |n: usize| PresenceSecret::from_bytes([n as u8; 32]);
    let people: Vec<PublicKey> = leaves.iter().map(|leaf| world.key(*leaf)).collect();
    world.run(Duration::from_secs(5));
    for (n, leaf) in leaves.iter().enumerate() {
        let name = Username::parse(&format!("person{n}")).unwrap();
        world.with(*leaf, |node, now| {
            node.set_presence_secret(now, Some(secret(n)));
            node.register(now, name);
        });
    }
    world.run(Duration::from_secs(10));
    world.with(leaves[1], |node, now| node.watch(now, [(people[0], secret(0))]));
    world.run(Duration::from_secs(5));
    assert!(matches!(told(&mut world, leaves[1], people[0])[..], [Some(_)]));
    assert_eq!(send(&mut world, leaves[1], people[2], b"offer"), Ok(()));
    assert_eq!(leave(&mut world, leaves[1], people[2], b"called"), Ok(()));
    let found = lookup(&mut world, leaves[0], &Username::parse("person1").unwrap()).unwrap();
    assert_eq!(found.claims.len(), 1);

    let now = world.now().unix;
    let kept: Vec<Vec<u8>> = hubs.iter().flat_map(|hub| world.kept(*hub)).collect();
    let sealed = kept.iter().filter_map(|bytes| wire::from_bytes::<SealedPresence>(bytes).ok());
    let mut opened = 0;
    let mut introducers = Vec::new();
    for record in sealed {
        for (n, who) in people.iter().enumerate() {
            if let Ok(seen) = record.open(&secret(n), Epoch::of(now), who, now) {
                opened += 1;
                introducers.extend(seen.introducers);
            }
        }
    }
    assert!(opened >= 3 && !introducers.is_empty(), "presence was there, and its contacts read it");
    let everything = kept.concat();
    assert!(everything.len() > 10_000);
    let addresses: Vec<SocketAddr> = leaves.iter().map(|leaf| world.address(*leaf)).collect();
    for address in addresses {
        assert!(introducers.iter().all(|introducer| introducer.address != address));
        let encoded = wire::to_bytes(&address);
        // [kind, [ip, port]]: the IP with its length before it.
        let ip = &encoded[encoded.len() - 8..encoded.len() - 3];
        assert_eq!(ip[0], 0x44, "four bytes follow");
        assert!(everything.windows(ip.len()).all(|window| window != ip), "{address}");
    }
    let hub = wire::to_bytes(&world.address(hubs[0]));
    let ip = &hub[hub.len() - 8..hub.len() - 3];
    assert!(everything.windows(ip.len()).any(|window| window == ip), "supernodes are named");
}
