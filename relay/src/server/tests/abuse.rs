//! What strangers and clients may not do: relay for nobody's call, amplify, starve others, outlive a drain.

use super::*;

#[test]
fn a_peer_gets_nothing_but_checks_until_it_has_answered_one() {
    let mut world = World::proving();
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PUBLIC_PEER)), None);
    for through in [channel_data(b"GET / HTTP/1.1"), send_indication(PUBLIC_PEER, b"GET / HTTP/1.1")] {
        world.server.handle_client(world.now, ADA.parse().unwrap(), &through);
        assert_eq!(world.server.poll_transmit(), None);
    }
    world.server.handle_peer(world.now, AllocationId(0), PUBLIC_PEER.parse().unwrap(), b"unasked");
    assert_eq!(world.server.poll_transmit(), None, "inbound alike");
    assert_eq!(world.server.stats().unproven, 3);
    world.prove();
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"voice"));
    assert_eq!(world.server.poll_transmit().unwrap().payload, b"voice");
    world.server.handle_client(world.now, ADA.parse().unwrap(), &send_indication(PUBLIC_PEER, b"voice"));
    assert_eq!(world.server.poll_transmit().unwrap().payload, b"voice");
    world.server.handle_peer(world.now, AllocationId(0), PUBLIC_PEER.parse().unwrap(), b"voice");
    assert_eq!(world.server.poll_transmit().unwrap().payload, b"\x40\x00\x00\x05voice");
}

#[test]
fn a_peer_that_asks_first_is_proven_by_its_own_answer_as_in_any_ice_exchange() {
    let mut world = World::proving();
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PUBLIC_PEER)), None);
    let peer = PUBLIC_PEER.parse().unwrap();
    world.server.handle_peer(world.now, AllocationId(0), peer, &check(Class::Request));
    assert!(world.server.poll_transmit().is_some());
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(&check(Class::Success)));
    assert!(world.server.poll_transmit().is_some());
    world.server.handle_peer(world.now, AllocationId(0), peer, b"in");
    assert!(world.server.poll_transmit().is_some(), "answered, it is heard");
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"out"));
    assert_eq!(world.server.poll_transmit(), None, "but not sent to");
    world.prove();
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"out"));
    assert!(world.server.poll_transmit().is_some());
}

#[test]
fn an_answer_nobody_asked_for_proves_nothing() {
    let mut world = World::proving();
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PUBLIC_PEER)), None);
    world.server.handle_peer(
        world.now,
        AllocationId(0),
        PUBLIC_PEER.parse().unwrap(),
        &check(Class::Success),
    );
    assert!(world.server.poll_transmit().is_some(), "it may be for the client to judge");
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"voice"));
    assert_eq!(world.server.poll_transmit(), None);
}

#[test]
fn mates_on_one_relay_prove_each_other_by_their_allocations() {
    let mut world = World::proving();
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(BOB, "bob", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, "8.8.8.8:50001")), None);
    assert_eq!(world.request(BOB, "bob", bind(0x4001, "8.8.8.8:50000")), None);
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"hi"));
    assert_eq!(world.server.poll_transmit().unwrap().payload, b"\x40\x01\x00\x02hi");
}

#[test]
fn a_refused_peer_is_refused_as_permission_channel_indication_channel_data_and_inbound_alike() {
    // Permissions name no port, and our own address is where callers meet: those two are had, and lead nowhere.
    let cases = [
        ("10.0.0.1:5000", Some(403)),
        ("[::ffff:10.0.0.1]:5000", Some(403)),
        ("[64:ff9b::a00:1]:5000", Some(403)),
        ("[2002:a00:1::1]:5000", Some(403)),
        ("[2001:0:101:101:0:0:f5ff:fffe]:5000", Some(403)),
        ("127.0.0.1:5000", Some(403)),
        ("[::1]:5000", Some(403)),
        ("169.254.1.1:5000", Some(403)),
        ("[fe80::1]:5000", Some(403)),
        ("224.0.0.1:5000", Some(403)),
        ("[ff02::1]:5000", Some(403)),
        ("[2002:808:808::1]:3478", Some(403)),
        ("1.1.1.1:1023", None),
        ("8.8.8.8:3478", None),
        ("8.8.8.8:22000", None),
        ("[2606:4700::8]:3478", None),
    ];
    for (peer, permitted) in cases {
        let mut world = World::new(PeerPolicy::Public);
        world.server.config.second_ip = Some("2606:4700::8".parse().unwrap());
        let both = allocate().additional_family(AddressFamily::Ipv6);
        assert_eq!(world.request(ADA, "ada", both), None);
        assert_eq!(world.request(ADA, "ada", permission(&[peer])), permitted, "permission for {peer}");
        assert_eq!(world.request(ADA, "ada", bind(0x4000, peer)), Some(403), "channel to {peer}");
        world.send(ADA, peer, b"out");
        world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"out"));
        world.server.handle_peer(world.now, AllocationId(0), peer.parse().unwrap(), b"in");
        assert_eq!(world.server.poll_transmit(), None, "{peer}");
        assert_eq!(world.server.stats().refused, 3, "{peer}");
    }
}

#[test]
fn what_may_not_be_sent_to_is_not_heard_even_with_a_permission_for_its_address() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    // A permission names no port, and our own address is where callers meet.
    assert_eq!(world.request(ADA, "ada", permission(&["1.1.1.1:53", "8.8.8.8:22000"])), None);
    for (from, heard) in
        [("1.1.1.1:5000", true), ("1.1.1.1:53", false), ("8.8.8.8:22000", false), ("8.8.8.8:3478", false)]
    {
        world.server.handle_peer(world.now, AllocationId(0), from.parse().unwrap(), b"in");
        assert_eq!(world.server.poll_transmit().is_some(), heard, "from {from}");
        world.send(ADA, from, b"out");
        assert_eq!(world.server.poll_transmit().is_some(), heard, "to {from}");
    }
    assert_eq!(world.server.stats().refused, 6);
}

#[test]
fn checks_to_strangers_count_against_the_volunteers_caps() {
    let limits = Limits {
        bandwidth: Bandwidth { total: Some(BitRate(8_000)), ..Bandwidth::UNLIMITED },
        ..Limits::default()
    };
    let mut world = World::with(PeerPolicy::Public, limits);
    world.server.config.proof = PeerProof::Required;
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    let mut sent = 0;
    for host in 1..=50 {
        let peer = format!("1.1.1.{host}:6000");
        assert_eq!(world.request(ADA, "ada", permission(&[&peer])), None);
        for _ in 0..20 {
            world.send(ADA, &peer, &check(Class::Request));
            sent += usize::from(world.server.poll_transmit().is_some());
        }
    }
    assert_eq!(sent, 71, "half of the bucket holds 6,000 bytes, and a check with its headers is 84");
    assert_eq!(world.server.stats().over_cap, 1000 - 71);
}

#[test]
fn payloads_of_an_unproven_peer_are_dropped_without_waiting_for_the_lock() {
    let mut world = World::proving();
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PUBLIC_PEER)), None);
    let (peer, mut tally) = (PUBLIC_PEER.parse().unwrap(), Stats::default());
    let mut decide = |payload: &[u8]| {
        world.server.forward_from_peer(world.now.instant, AllocationId(0), peer, payload, &mut tally)
    };
    assert_eq!(decide(b"flood"), Onward::Dropped);
    assert_eq!(decide(&check(Class::Request)), Onward::Control);
    assert_eq!(tally.unproven, 1);
}

#[test]
fn an_identity_with_many_credentials_has_the_quota_and_the_bandwidth_of_one() {
    let limits = Limits {
        allocations_per_username: 2,
        bandwidth: Bandwidth { per_username: Some(BitRate(100_000)), ..Bandwidth::UNLIMITED },
        ..Limits::default()
    };
    let mut world = World::with(PeerPolicy::Lab, limits);
    let allocated = |world: &mut World, port: u16| {
        let from = format!("198.51.100.1:{port}");
        let lifetime = Duration::from_secs(60 + u64::from(port));
        let ticket = world.issuer.issue(world.now.unix, "ada", lifetime);
        let nonce = world.nonce(&from);
        let reply = world.ask(&from, &seal(allocate(), &ticket, &nonce)).unwrap();
        assert!(world.ask(&from, &seal(bind(0x4000, PEER), &ticket, &nonce)).is_some());
        parse(&reply).unwrap().error_code().unwrap().map(|code| code.0)
    };
    assert_eq!([1, 2, 3].map(|port| allocated(&mut world, port)), [None, None, Some(486)]);
    let mut relayed = 0;
    for packet in 0..100 {
        let from = format!("198.51.100.1:{}", 1 + packet % 2).parse().unwrap();
        world.server.handle_client(world.now, from, &channel_data(&[0; 1000]));
        relayed += usize::from(world.server.poll_transmit().is_some());
    }
    // Half of the bucket holds four packets of 1500 bytes, or six of these.
    assert!((1..10).contains(&relayed), "{relayed}");
}

#[test]
fn an_ipv4_peer_in_ipv6_clothes_is_judged_as_what_it_is() {
    for peer in ["[::ffff:127.0.0.1]:5000", "[64:ff9b::a00:1]:5000", "[2002:7f00:1::]:5000"] {
        assert!(!PeerPolicy::Public.allows(peer.parse().unwrap()), "{peer}");
    }
}

#[test]
fn a_flood_of_strangers_gets_fewer_bytes_than_it_sends_and_leaves_nothing() {
    let mut world = World::new(PeerPolicy::Public);
    let request = allocate().finish(Fingerprint::Without);
    let (mut sent, mut answered) = (0, 0);
    for number in 0..200_000u32 {
        let from = SocketAddr::from((number.wrapping_mul(0x9E37_79B9).to_be_bytes(), 5000));
        world.now = world.now.after(Duration::from_micros(10));
        world.server.handle_client(world.now, from, &request);
        sent += request.len();
        while let Some(reply) = world.server.poll_transmit() {
            answered += reply.payload.len();
        }
    }
    assert!(answered <= sent, "{answered} bytes for {sent}");
    assert_eq!((world.server.allocations.len(), world.server.by_client.len()), (0, 0));
}

#[test]
fn one_prefix_that_floods_does_not_keep_another_from_being_challenged() {
    let mut world = World::new(PeerPolicy::Public);
    let long = allocate().pad_to(120).finish(Fingerprint::Without);
    for port in 1..5000 {
        let from = SocketAddr::from(([198, 51, 100, 9], port));
        world.server.handle_client(world.now, from, &long);
        while world.server.poll_transmit().is_some() {}
    }
    assert!(world.ask("203.0.113.5:4000", &long).is_some());
}

#[test]
fn a_name_past_its_bandwidth_takes_nothing_from_another() {
    let limits = Limits {
        bandwidth: Bandwidth { per_username: Some(BitRate(100_000)), ..Bandwidth::UNLIMITED },
        ..Limits::default()
    };
    let mut world = World::with(PeerPolicy::Lab, limits);
    for (from, user) in [(ADA, "ada"), (BOB, "bob")] {
        assert_eq!(world.request(from, user, allocate()), None);
        assert_eq!(world.request(from, user, bind(0x4000, PEER)), None);
    }
    let large = channel_data(&[0; 1000]);
    let relayed = |world: &mut World, from: &str, count: usize| {
        (0..count)
            .filter(|_| {
                world.server.handle_client(world.now, from.parse().unwrap(), &large);
                world.server.poll_transmit().is_some()
            })
            .count()
    };
    assert!(relayed(&mut world, ADA, 100) < 10);
    assert!(relayed(&mut world, BOB, 1) == 1);
    assert!(world.server.stats().over_cap > 90);
}

#[test]
fn draining_sends_newcomers_elsewhere_and_lets_calls_end_in_time() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    let elsewhere = "8.8.4.4:3478".parse().unwrap();
    world.server.drain(world.now, Duration::from_secs(120), Some(elsewhere));
    let sealed = world.sealed(BOB, "bob", allocate());
    let reply = world.ask(BOB, &sealed).unwrap();
    let reply = parse(&reply).unwrap();
    assert_eq!(reply.error_code(), Ok(Some(ErrorCode::TRY_ALTERNATE)));
    assert_eq!(reply.plain_address(AttributeType::ALTERNATE_SERVER), Ok(Some(elsewhere)));
    world.pass(Duration::from_secs(60));
    let sealed = world.sealed(ADA, "ada", refresh(600));
    let reply = world.ask(ADA, &sealed).unwrap();
    assert_eq!(parse(&reply).unwrap().lifetime(), Ok(Some(Duration::from_secs(60))), "what is left");
    world.pass(Duration::from_secs(59));
    assert_eq!(world.server.stats().allocations, 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.server.stats().allocations, 0);
}

#[test]
fn draining_without_another_server_is_508() {
    let mut world = World::new(PeerPolicy::Public);
    world.server.drain(world.now, HOUR, None);
    assert_eq!(world.request(ADA, "ada", allocate()), Some(508));
}

#[test]
fn an_allocation_that_ends_leaves_a_receipt_of_bytes_and_time() {
    let mut world = World::new(PeerPolicy::Lab);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PEER)), None);
    world.server.handle_client(world.now, ADA.parse().unwrap(), &channel_data(b"12345"));
    world.server.handle_peer(world.now, AllocationId(0), PEER.parse().unwrap(), b"123");
    while world.server.poll_transmit().is_some() {}
    world.pass(Duration::from_secs(90));
    world.release(ADA, "ada");
    let receipt = world.server.poll_receipt().unwrap();
    assert!(receipt.username.ends_with(":ada"));
    assert_eq!((receipt.bytes_to_peers, receipt.bytes_to_client), (5, 3));
    assert_eq!(receipt.lasted, Duration::from_secs(90));
    assert_eq!(world.server.poll_receipt(), None);
}

#[test]
fn rfc_8656_a_client_over_a_stream_is_another_client_than_one_over_udp() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    let sealed = world.sealed(ADA, "ada", allocate());
    world.server.handle_stream(world.now, StreamId(1), ADA.parse().unwrap(), &sealed);
    let Some(Effect::OpenRelayPort(id, _)) = world.server.poll_effect() else { panic!("no second port") };
    world.server.handle_relay_port(world.now, id, PortOutcome::Opened(50_009));
    assert_eq!(world.server.poll_transmit().unwrap().via, Via::Stream(StreamId(1)));
    assert_eq!(world.server.stats().allocations, 2);
    world.server.handle_stream_closed(world.now, StreamId(1), ADA.parse().unwrap());
    assert_eq!(world.server.stats().allocations, 1);
}

const PUBLIC_PEER: &str = "1.1.1.1:6000";

impl World {
    /// A public relay that wants proof of peers.
    fn proving() -> Self {
        let mut world = Self::new(PeerPolicy::Public);
        world.server.config.proof = PeerProof::Required;
        world
    }

    /// The client asks, the peer answers.
    fn prove(&mut self) {
        self.server.handle_client(self.now, ADA.parse().unwrap(), &channel_data(&check(Class::Request)));
        assert_eq!(self.server.poll_transmit().unwrap().via, Via::Relayed(AllocationId(0)));
        self.server.handle_peer(
            self.now,
            AllocationId(0),
            PUBLIC_PEER.parse().unwrap(),
            &check(Class::Success),
        );
        assert_eq!(self.server.poll_transmit().unwrap().via, Via::Listener);
    }
}

fn channel_data(payload: &[u8]) -> Vec<u8> {
    ChannelData { channel: ChannelNumber::FIRST, payload }.encode().unwrap()
}

fn check(class: Class) -> Vec<u8> {
    MessageBuilder::new(class, Method::Binding, TransactionId([7; 12])).seal(b"ice", Fingerprint::With)
}
