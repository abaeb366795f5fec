//! Requests in, replies out: one table or story per clause of RFC 8489 and RFC 8656.

mod abuse;
mod discovery;
mod families;

use std::time::Duration;

use super::*;
use crate::Credentials;
use crate::wire::{
    ChannelNumber, Fingerprint, Integrity, MessageBuilder, TransactionId, long_term_key, parse,
};

#[test]
fn rfc_8489_12_a_binding_reply_is_the_address_and_nothing_else() {
    let mut world = World::new(PeerPolicy::Public);
    let request = MessageBuilder::new(Class::Request, Method::Binding, ID).finish(Fingerprint::Without);
    let reply = world.ask(ADA, &request).unwrap();
    assert_eq!(reply.len(), 32);
    assert_eq!(parse(&reply).unwrap().mapped_address(), Ok(Some(ADA.parse().unwrap())));
    assert_eq!(world.server.stats().bindings, 1);
}

#[test]
fn rfc_8489_9_2_4_requests_that_prove_nothing_are_challenged() {
    let mut world = World::new(PeerPolicy::Public);
    let nonce = world.nonce(ADA);
    let other = CredentialIssuer::new([8; 32]).issue(world.now.unix, "ada", HOUR);
    let expired = world.issuer.issue(world.now.unix.saturating_sub(HOUR), "ada", Duration::from_secs(3599));
    let unnamed = Credentials { username: "ada".into(), password: world.issuer.password("ada") };
    let good = world.credentials("ada");
    let cases = [
        ("another secret", other, nonce.clone(), 401),
        ("expired", expired, nonce.clone(), 401),
        ("no expiry", unnamed, nonce, 401),
        ("made-up nonce", good.clone(), "00000000aaaaaaaaaaaaaaaa".into(), 438),
        ("another client's nonce", good, world.nonce(BOB), 438),
    ];
    for (what, credentials, nonce, expected) in cases {
        let reply = world.ask(ADA, &seal(allocate(), &credentials, &nonce)).unwrap();
        let reply = parse(&reply).unwrap();
        assert_eq!(reply.error_code(), Ok(Some(ErrorCode(expected))), "{what}");
        assert!(reply.attribute(AttributeType::NONCE).is_some(), "{what}");
        assert_eq!(reply.integrity(b""), Integrity::Missing, "{what}");
    }
    assert_eq!(world.server.stats().allocations, 0);
}

#[test]
fn rfc_8489_9_2_4_integrity_without_name_realm_or_nonce_is_400() {
    let mut world = World::new(PeerPolicy::Public);
    let reply = world.ask(ADA, &allocate().seal(b"key", Fingerprint::Without)).unwrap();
    assert_eq!(parse(&reply).unwrap().error_code(), Ok(Some(ErrorCode::BAD_REQUEST)));
}

#[test]
fn strangers_leave_no_state_and_a_flood_of_them_is_met_with_silence() {
    let mut world = World::new(PeerPolicy::Public);
    for source in 0..20_000u32 {
        let from = SocketAddr::from(((source << 8).to_be_bytes(), 5000));
        world.server.handle_client(world.now, from, &allocate().finish(Fingerprint::Without));
        while world.server.poll_transmit().is_some() {}
    }
    assert_eq!(world.server.stats().allocations, 0);
    let stats = world.server.stats();
    assert!(stats.rate_limited > 19_000 && stats.errors == 20_000, "{stats:?}");
}

#[test]
fn rfc_8656_7_2_what_an_allocate_request_may_ask() {
    let request = || MessageBuilder::new(Class::Request, Method::Allocate, ID);
    let cases = [
        ("no transport", request(), Some(400)),
        ("TCP", request().requested_transport(6), Some(442)),
        ("IPv6", allocate().requested_family(AddressFamily::Ipv6), Some(440)),
        ("IPv4", allocate().requested_family(AddressFamily::Ipv4), None),
        (
            "no such family",
            allocate().attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[9, 0, 0, 0]),
            Some(440),
        ),
        ("a broken lifetime", allocate().attribute(AttributeType::LIFETIME, &[1]), Some(400)),
        ("don't fragment", allocate().attribute(AttributeType::DONT_FRAGMENT, &[]), Some(420)),
        ("a reserved port", allocate().attribute(AttributeType::RESERVATION_TOKEN, &[0; 8]), Some(420)),
        ("an even port", allocate().attribute(AttributeType::EVEN_PORT, &[0]), None),
        ("a pair of ports", allocate().attribute(AttributeType::EVEN_PORT, &[0x80]), Some(508)),
        ("something optional", allocate().attribute(AttributeType(0x8077), &[1, 2, 3]), None),
    ];
    for (what, request, expected) in cases {
        let mut world = World::new(PeerPolicy::Public);
        assert_eq!(world.request(ADA, "ada", request), expected, "{what}");
    }
}

#[test]
fn rfc_8489_6_3_1_unknown_attributes_are_named_in_the_420() {
    let mut world = World::new(PeerPolicy::Public);
    let request =
        allocate().attribute(AttributeType(0x7777), &[]).attribute(AttributeType::DONT_FRAGMENT, &[]);
    let sealed = world.sealed(ADA, "ada", request);
    let reply = world.ask(ADA, &sealed).unwrap();
    let unknown: Vec<_> = parse(&reply).unwrap().unknown_attributes().collect();
    assert_eq!(unknown, [AttributeType::DONT_FRAGMENT, AttributeType(0x7777)]);
}

#[test]
fn rfc_8656_7_2_a_retransmitted_allocate_is_answered_again_and_another_is_437() {
    let mut world = World::new(PeerPolicy::Public);
    let sealed = world.sealed(ADA, "ada", allocate());
    let first = world.ask(ADA, &sealed);
    assert!(first.is_some());
    assert_eq!(world.ask(ADA, &sealed), first);
    let another =
        MessageBuilder::new(Class::Request, Method::Allocate, TransactionId([2; 12])).requested_transport(17);
    assert_eq!(world.request(ADA, "ada", another), Some(437));
    assert_eq!(world.server.stats().allocations, 1);
}

#[test]
fn rfc_8656_7_2_lifetimes_are_at_least_the_default_and_at_most_the_owners() {
    for (asked, granted) in [(None, 600), (Some(10), 600), (Some(1800), 1800), (Some(999_999), 3600)] {
        let mut world = World::new(PeerPolicy::Public);
        let request = match asked {
            Some(seconds) => allocate().lifetime(Duration::from_secs(seconds)),
            None => allocate(),
        };
        let sealed = world.sealed(ADA, "ada", request);
        let reply = world.ask(ADA, &sealed).unwrap();
        assert_eq!(parse(&reply).unwrap().lifetime(), Ok(Some(Duration::from_secs(granted))));
        world.pass(Duration::from_secs(granted) - Duration::from_millis(1));
        assert_eq!(world.server.stats().allocations, 1);
        world.pass(Duration::from_millis(1));
        assert_eq!(world.server.stats().allocations, 0);
        assert!(matches!(world.server.poll_effect(), Some(Effect::CloseRelayPort(_))));
    }
}

#[test]
fn quotas_hold_per_username_per_prefix_and_in_total() {
    let limits = Limits {
        allocations: 4,
        allocations_per_username: 2,
        allocations_per_prefix: 3,
        ..Limits::default()
    };
    let mut world = World::with(PeerPolicy::Public, limits);
    let cases = [
        ("198.51.100.1:1", "ada", None),
        ("198.51.100.1:2", "ada", None),
        ("198.51.100.1:3", "ada", Some(486)),
        ("198.51.100.1:4", "bob", None),
        ("198.51.100.250:5", "eve", Some(486)),
        ("192.0.2.1:1", "eve", None),
        ("203.0.113.1:1", "dan", Some(508)),
    ];
    for (from, user, expected) in cases {
        assert_eq!(world.request(from, user, allocate()), expected, "{user} from {from}");
    }
    world.release("198.51.100.1:1", "ada");
    assert_eq!(world.request("203.0.113.1:1", "dan", allocate()), None, "room again");
}

#[test]
fn a_system_without_ports_is_508() {
    let mut world = World::new(PeerPolicy::Public);
    world.next_port = None;
    assert_eq!(world.request(ADA, "ada", allocate()), Some(508));
    assert_eq!(world.server.stats().allocations, 0);
}

#[test]
fn rfc_8656_8_2_refresh_prolongs_and_zero_deletes() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", refresh(600)), Some(437));
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    world.pass(Duration::from_secs(599));
    assert_eq!(world.request(ADA, "ada", refresh(600)), None);
    world.pass(Duration::from_secs(599));
    assert_eq!(world.server.stats().allocations, 1);
    let wrong_family = refresh(600).requested_family(AddressFamily::Ipv6);
    assert_eq!(world.request(ADA, "ada", wrong_family), Some(443));
    world.release(ADA, "ada");
    assert_eq!(world.server.stats().allocations, 0);
}

#[test]
fn rfc_8656_5_requests_of_another_user_are_441() {
    let mut world = World::new(PeerPolicy::Lab);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    for request in [refresh(0), permission(&[PEER]), bind(0x4000, PEER)] {
        assert_eq!(world.request(ADA, "eve", request), Some(441));
    }
    assert_eq!(world.server.stats().allocations, 1);
}

#[test]
fn a_call_outlives_its_ticket_but_a_new_allocation_does_not() {
    let mut world = World::new(PeerPolicy::Public);
    let ticket = world.issuer.issue(world.now.unix, "ada", Duration::from_secs(60));
    let nonce = world.nonce(ADA);
    let reply = world.ask(ADA, &seal(allocate(), &ticket, &nonce)).unwrap();
    assert_eq!(parse(&reply).unwrap().class(), Class::Success);
    world.pass(Duration::from_secs(120));
    let reply = world.ask(ADA, &seal(refresh(600), &ticket, &nonce)).unwrap();
    assert_eq!(parse(&reply).unwrap().class(), Class::Success);
    let nonce = world.nonce(BOB);
    let reply = world.ask(BOB, &seal(allocate(), &ticket, &nonce)).unwrap();
    assert_eq!(parse(&reply).unwrap().error_code(), Ok(Some(ErrorCode::UNAUTHENTICATED)));
}

#[test]
fn rfc_8656_10_and_12_which_peers_may_be_named() {
    let cases = [
        ("1.1.1.1:5000", None, None),
        ("127.0.0.1:5000", Some(403), Some(403)),
        ("192.168.1.1:5000", Some(403), Some(403)),
        ("[2606:4700::1]:5000", Some(443), Some(443)),
        ("[::ffff:127.0.0.1]:5000", Some(443), Some(443)),
        ("1.1.1.1:53", None, Some(403)),
        // Our own address: callers meet there, but only at relayed ports.
        ("8.8.8.8:3478", None, Some(403)),
        ("8.8.8.8:22000", None, Some(403)),
        ("8.8.8.8:50000", None, None),
    ];
    for (peer, permitted, bound) in cases {
        let mut world = World::new(PeerPolicy::Public);
        assert_eq!(world.request(ADA, "ada", allocate()), None);
        assert_eq!(world.request(ADA, "ada", permission(&[peer])), permitted, "permission for {peer}");
        assert_eq!(world.request(ADA, "ada", bind(0x4000, peer)), bound, "channel to {peer}");
    }
}

#[test]
fn rfc_8656_10_2_permissions_are_given_all_or_none() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(ADA, "ada", permission(&[])), Some(400));
    assert_eq!(world.request(ADA, "ada", permission(&["1.1.1.1:5000", "10.0.0.1:5000"])), Some(403));
    world.send(ADA, "1.1.1.1:5000", b"x");
    assert_eq!(world.server.poll_transmit(), None);
    let many: Vec<String> = (0..65).map(|host| format!("1.1.1.{host}:5000")).collect();
    for (count, expected) in [(40, None), (60, None)] {
        let peers: Vec<&str> = many[..count].iter().map(String::as_str).collect();
        assert_eq!(world.request(ADA, "ada", permission(&peers)), expected, "{count}");
    }
    assert_eq!(
        world.request(ADA, "ada", permission(&["1.1.2.1:1", "1.1.2.2:1", "1.1.2.3:1", "1.1.2.4:1"])),
        None
    );
    assert_eq!(world.request(ADA, "ada", permission(&["1.1.2.5:1"])), Some(508));
}

#[test]
fn rfc_8656_9_a_permission_is_for_an_ip_and_lasts_300_seconds() {
    let mut world = World::new(PeerPolicy::Lab);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    world.server.handle_peer(world.now, AllocationId(0), PEER.parse().unwrap(), b"too early");
    assert_eq!(world.server.poll_transmit(), None);
    assert_eq!(world.request(ADA, "ada", permission(&[PEER])), None);
    for (after, arrives) in [(0, true), (299, true), (300, false)] {
        let now = world.now.after(Duration::from_secs(after));
        let other_port = "192.0.2.7:6001".parse().unwrap();
        world.server.handle_peer(now, AllocationId(0), other_port, b"in");
        let delivered = world.server.poll_transmit();
        assert_eq!(delivered.is_some(), arrives, "inbound after {after} s");
        if let Some(Transmit { via, to, payload }) = delivered {
            let indication = parse(&payload).unwrap();
            assert_eq!((via, to.to_string().as_str()), (Via::Listener, ADA));
            assert_eq!((indication.class(), indication.method()), (Class::Indication, Method::Data));
            assert_eq!(indication.attribute(AttributeType::DATA).unwrap().value, b"in");
            assert_eq!(indication.xor_address(AttributeType::XOR_PEER_ADDRESS), Ok(Some(other_port)));
        }
        world.server.handle_client(now, ADA.parse().unwrap(), &send_indication(PEER, b"out"));
        assert_eq!(world.server.poll_transmit().is_some(), arrives, "outbound after {after} s");
    }
}

#[test]
fn rfc_8656_12_one_channel_one_peer() {
    let mut world = World::new(PeerPolicy::Lab);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    let other = "192.0.2.8:6000";
    let cases = [
        (0x4000, PEER, None),
        (0x4000, PEER, None),
        (0x4000, other, Some(400)),
        (0x4001, PEER, Some(400)),
        (0x3FFF, other, Some(400)),
        (0x8000, other, Some(400)),
        (0x4001, other, None),
    ];
    for (number, peer, expected) in cases {
        assert_eq!(world.request(ADA, "ada", bind(number, peer)), expected, "{number:#x} {peer}");
    }
    let halves = [
        MessageBuilder::new(Class::Request, Method::ChannelBind, ID).channel_number(ChannelNumber::FIRST),
        MessageBuilder::new(Class::Request, Method::ChannelBind, ID)
            .xor_address(AttributeType::XOR_PEER_ADDRESS, PEER.parse().unwrap()),
    ];
    for half in halves {
        assert_eq!(world.request(ADA, "ada", half), Some(400));
    }
}

#[test]
fn rfc_8656_12_channel_data_flows_both_ways_while_permission_and_channel_last() {
    let mut world = World::new(PeerPolicy::Lab);
    assert_eq!(world.request(ADA, "ada", allocate().lifetime(HOUR)), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, PEER)), None);
    let datagram = ChannelData { channel: ChannelNumber::FIRST, payload: b"out" }.encode().unwrap();
    world.server.handle_client(world.now, ADA.parse().unwrap(), &datagram);
    let (via, to) = (Via::Relayed(AllocationId(0)), PEER.parse().unwrap());
    assert_eq!(world.server.poll_transmit(), Some(Transmit { via, to, payload: b"out".to_vec() }));
    world.server.handle_peer(world.now, AllocationId(0), PEER.parse().unwrap(), b"in");
    assert_eq!(world.server.poll_transmit().unwrap().payload, b"\x40\x00\x00\x02in");
    // The permission is gone after 300 s, the channel after 600.
    for (after, renewed, arrives) in
        [(300, false, false), (301, true, true), (599, true, true), (600, true, false)]
    {
        let mut world = World::new(PeerPolicy::Lab);
        assert_eq!(world.request(ADA, "ada", allocate().lifetime(HOUR)), None);
        assert_eq!(world.request(ADA, "ada", bind(0x4000, PEER)), None);
        if renewed {
            world.pass(Duration::from_secs(299));
            assert_eq!(world.request(ADA, "ada", permission(&[PEER])), None);
            world.pass(Duration::from_secs(after - 299 - 1));
            assert_eq!(world.request(ADA, "ada", permission(&[PEER])), None);
            world.pass(Duration::from_secs(1));
        } else {
            world.pass(Duration::from_secs(after));
        }
        world.server.handle_client(world.now, ADA.parse().unwrap(), &datagram);
        assert_eq!(world.server.poll_transmit().is_some(), arrives, "after {after} s");
    }
}

#[test]
fn two_allocations_of_one_server_hand_over_in_memory_under_both_permissions() {
    let mut world = World::new(PeerPolicy::Public);
    assert_eq!(world.request(ADA, "ada", allocate()), None);
    assert_eq!(world.request(BOB, "bob", allocate()), None);
    assert_eq!(world.request(ADA, "ada", bind(0x4000, "8.8.8.8:50001")), None);
    let datagram = ChannelData { channel: ChannelNumber::FIRST, payload: b"hi" }.encode().unwrap();
    world.server.handle_client(world.now, ADA.parse().unwrap(), &datagram);
    assert_eq!(world.server.poll_transmit(), None, "the other side has not permitted it");
    assert_eq!(world.request(BOB, "bob", bind(0x4007, "8.8.8.8:50000")), None);
    world.server.handle_client(world.now, ADA.parse().unwrap(), &datagram);
    let payload = b"\x40\x07\x00\x02hi".to_vec();
    let expected = Transmit { via: Via::Listener, to: BOB.parse().unwrap(), payload };
    assert_eq!(world.server.poll_transmit(), Some(expected));
}

#[test]
fn malformed_and_meaningless_datagrams_are_dropped_and_counted() {
    let mut world = World::new(PeerPolicy::Public);
    let response = MessageBuilder::new(Class::Success, Method::Binding, ID).finish(Fingerprint::Without);
    let unknown = MessageBuilder::new(Class::Request, Method::Other(0x123), ID).finish(Fingerprint::Without);
    let send = MessageBuilder::new(Class::Indication, Method::Send, ID).finish(Fingerprint::Without);
    for datagram in
        [&b""[..], b"\x40", b"\x40\x00\x00\x09x", &[0; 20], &[0xFF; 30], &response, &unknown, &send]
    {
        assert_eq!(world.ask(ADA, datagram), None, "{datagram:?}");
    }
    assert_eq!(world.server.stats().malformed, 8);
    world.server.handle_client(world.now, ADA.parse().unwrap(), &send_indication(PEER, b"x"));
    world.server.handle_client(world.now, ADA.parse().unwrap(), b"\x40\x00\x00\x00");
    assert_eq!(world.server.stats().refused, 2, "well formed, but nobody's");
}

const ADA: &str = "198.51.100.1:4000";
const BOB: &str = "203.0.113.2:4000";
const PEER: &str = "192.0.2.7:6000";
const SECRET: [u8; 32] = [7; 32];
const HOUR: Duration = Duration::from_secs(3600);
const ID: TransactionId = TransactionId([1; 12]);

/// A server at 8.8.8.8:3478 whose relayed ports count up from 50000.
struct World {
    now: Now,
    server: Server,
    issuer: CredentialIssuer,
    next_port: Option<u16>,
    closed: usize,
}

impl World {
    fn new(peers: PeerPolicy) -> Self {
        Self::with(peers, Limits::default())
    }

    fn with(peers: PeerPolicy, limits: Limits) -> Self {
        let listen = "8.8.8.8:3478".parse().unwrap();
        let proof = PeerProof::Waived;
        let config = ServerConfig { peers, proof, limits, ..ServerConfig::new(listen, SECRET, [1; 32]) };
        let now = crate::fixture::now();
        let server = Server::new(config, listen, now);
        Self { now, server, issuer: CredentialIssuer::new(SECRET), next_port: Some(50_000), closed: 0 }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.server.handle_timeout(self.now);
    }

    fn ask(&mut self, from: &str, datagram: &[u8]) -> Option<Vec<u8>> {
        self.server.handle_client(self.now, from.parse().unwrap(), datagram);
        while let Some(effect) = self.server.poll_effect() {
            let outcome = self.next_port.map_or(PortOutcome::Refused, PortOutcome::Opened);
            match effect {
                Effect::OpenRelayPort(id, _) => {
                    self.next_port = self.next_port.map(|port| port + 1);
                    self.server.handle_relay_port(self.now, id, outcome);
                }
                Effect::OpenSecondPort(id) => self.server.handle_second_port(id, PortOutcome::Opened(60_000)),
                Effect::CloseRelayPort(_) => self.closed += 1,
            }
        }
        let reply = self.server.poll_transmit()?;
        assert_eq!((reply.via, reply.to), (Via::Listener, from.parse().unwrap()));
        Some(reply.payload)
    }

    /// An authenticated request; `None` is success, and success is always proven.
    fn request(&mut self, from: &str, user: &str, request: MessageBuilder) -> Option<u16> {
        let Credentials { username, password } = self.credentials(user);
        let sealed = self.sealed(from, user, request);
        let reply = self.ask(from, &sealed).expect("every authenticated request is answered");
        let reply = parse(&reply).unwrap();
        assert_eq!(reply.integrity(&long_term_key(&username, "silbo", &password)), Integrity::Valid);
        reply.error_code().unwrap().map(|code| code.0)
    }

    fn release(&mut self, from: &str, user: &str) {
        assert_eq!(self.request(from, user, refresh(0)), None);
        assert_eq!(self.closed, 1, "its port is closed");
    }

    fn send(&mut self, from: &str, peer: &str, payload: &[u8]) {
        self.server.handle_client(self.now, from.parse().unwrap(), &send_indication(peer, payload));
    }

    fn sealed(&self, from: &str, user: &str, request: MessageBuilder) -> Vec<u8> {
        seal(request, &self.credentials(user), &self.nonce(from))
    }

    fn credentials(&self, user: &str) -> Credentials {
        self.issuer.issue(crate::UnixTime::from_secs(4_000_000_000), user, Duration::ZERO)
    }

    fn nonce(&self, from: &str) -> String {
        self.server.nonces.make(self.now.instant, from.parse().unwrap())
    }
}

fn seal(request: MessageBuilder, credentials: &Credentials, nonce: &str) -> Vec<u8> {
    request
        .text(AttributeType::USERNAME, &credentials.username)
        .text(AttributeType::REALM, "silbo")
        .text(AttributeType::NONCE, nonce)
        .seal(&long_term_key(&credentials.username, "silbo", &credentials.password), Fingerprint::Without)
}

fn allocate() -> MessageBuilder {
    MessageBuilder::new(Class::Request, Method::Allocate, ID).requested_transport(17)
}

fn refresh(seconds: u64) -> MessageBuilder {
    MessageBuilder::new(Class::Request, Method::Refresh, ID).lifetime(Duration::from_secs(seconds))
}

fn permission(peers: &[&str]) -> MessageBuilder {
    let request = MessageBuilder::new(Class::Request, Method::CreatePermission, ID);
    peers.iter().fold(request, |request, peer| {
        request.xor_address(AttributeType::XOR_PEER_ADDRESS, peer.parse().unwrap())
    })
}

fn bind(number: u16, peer: &str) -> MessageBuilder {
    let [high, low] = number.to_be_bytes();
    MessageBuilder::new(Class::Request, Method::ChannelBind, ID)
        .attribute(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0])
        .xor_address(AttributeType::XOR_PEER_ADDRESS, peer.parse().unwrap())
}

fn send_indication(peer: &str, payload: &[u8]) -> Vec<u8> {
    MessageBuilder::new(Class::Indication, Method::Send, ID)
        .xor_address(AttributeType::XOR_PEER_ADDRESS, peer.parse().unwrap())
        .attribute(AttributeType::DATA, payload)
        .finish(Fingerprint::Without)
}
