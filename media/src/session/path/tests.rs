use super::*;
use crate::session::RelayServer;
use crate::session::fixture::origin as start;
use relay::wire::{Fingerprint, MessageBuilder, Method, TransactionId};

const DIRECT: SocketId = SocketId(0);
const RELAYED: SocketId = SocketId(1);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn path(policy: PathPolicy) -> Path {
    let mut path = Path::new(Role::Offer, PeerKind::Stock, policy, AddressScope::Public, [1; 32]);
    path.add_interface(start(), DIRECT, address("192.0.2.1:5000"));
    path
}

fn server() -> RelayServer {
    let credentials = relay::Credentials { username: "u".into(), password: "p".into() };
    RelayServer {
        udp: address("198.51.100.9:3478"),
        streams: None,
        credentials: Some(credentials),
        until: None,
    }
}

fn check(priority: u32) -> Vec<u8> {
    MessageBuilder::new(Class::Request, Method::Binding, TransactionId([9; 12]))
        .attribute(AttributeType::PRIORITY, &priority.to_be_bytes())
        .finish(Fingerprint::Without)
}

#[test]
fn a_packet_leaves_by_the_socket_its_candidate_is_bound_to() {
    let mut path = path(PathPolicy::Any);
    path.send(start(), address("192.0.2.1:5000"), address("203.0.113.5:9"), vec![1, 2, 3]);
    let expected = Transmit { socket: DIRECT, destination: address("203.0.113.5:9"), payload: vec![1, 2, 3] };
    assert_eq!(path.poll_transmit(), Some(expected));
}

#[test]
fn a_packet_for_no_leg_is_counted_and_dropped() {
    let mut path = path(PathPolicy::Any);
    path.send(start(), address("192.0.2.77:5000"), address("203.0.113.5:9"), vec![1]);
    assert_eq!(path.poll_transmit(), None);
    assert_eq!(path.dropped().unroutable, 1);
}

#[test]
fn a_packet_comes_in_under_the_name_of_its_leg() {
    let mut path = path(PathPolicy::Any);
    let media = [0x80, 111, 0, 1];
    let inbound = path.handle_datagram(start(), DIRECT, address("203.0.113.5:9"), &media);
    assert_eq!(
        inbound,
        Some(Inbound {
            local: address("192.0.2.1:5000"),
            peer: address("203.0.113.5:9"),
            range: 0..4,
            by: None
        })
    );
}

#[test]
fn a_port_the_router_opened_is_told_to_the_other_end_once_and_only_for_a_socket_we_have() {
    let mut path = path(PathPolicy::Any);
    while path.poll_event().is_some() {}
    let mapped = address("198.51.100.77:6000");
    path.add_mapping(start(), address("192.0.2.1:5001"), mapped);
    assert_eq!(path.poll_event(), None);
    path.add_mapping(start(), address("192.0.2.1:5000"), mapped);
    path.add_mapping(start(), address("192.0.2.1:5000"), mapped);
    let Some(PathEvent::Told(told)) = path.poll_event() else { panic!("nothing was told") };
    assert_eq!((told.kind(), told.address()), (CandidateKind::ServerReflexive, mapped));
    assert_eq!(path.poll_event(), None);
}

#[test]
fn only_the_relay_is_heard_on_the_relays_socket() {
    let mut path = path(PathPolicy::Any);
    path.offer_relays(start(), &[server()]);
    assert_eq!(path.poll_wish(), Some(Wish::Allocate(server().udp)));
    path.add_relay(start(), RELAYED, server().udp);
    assert_eq!(path.handle_datagram(start(), RELAYED, address("203.0.113.5:9"), &[0x80, 111]), None);
    assert_eq!(path.dropped().malformed, 1);
}

#[test]
fn a_check_from_a_relayed_address_waits_until_that_address_was_told() {
    let mut path = path(PathPolicy::Any);
    let peer = address("198.51.100.9:50000");
    let relayed = check(0x00ff_ffff);
    assert_eq!(path.handle_datagram(start(), DIRECT, peer, &relayed), None);
    let told = Candidate::new(CandidateKind::Relay, peer, 0x00ff_ffff).unwrap();
    assert!(path.add_remote(start(), &told));
    assert!(path.handle_datagram(start(), DIRECT, peer, &relayed).is_some());
}

#[test]
fn a_check_from_an_unknown_direct_address_is_let_in() {
    let mut path = path(PathPolicy::Any);
    assert!(path.handle_datagram(start(), DIRECT, address("203.0.113.5:9"), &check(0x6eff_ffff)).is_some());
}

#[test]
fn direct_only_takes_no_relay_of_either_side() {
    let mut path = path(PathPolicy::Direct);
    path.offer_relays(start(), &[server()]);
    assert_eq!(path.poll_wish(), None);
    let relayed = Candidate::new(CandidateKind::Relay, address("198.51.100.9:50000"), 1).unwrap();
    assert!(!path.add_remote(start(), &relayed));
}

#[test]
fn relay_only_opens_no_socket_on_an_interface() {
    let mut path = Path::new(Role::Offer, PeerKind::Stock, PathPolicy::Relay, AddressScope::Lab, [1; 32]);
    assert!(!path.wants_interface(address("192.0.2.1:0").ip()));
    path.offer_relays(start(), &[server()]);
    assert_eq!(path.poll_wish(), Some(Wish::Allocate(server().udp)));
}

#[test]
fn loopback_is_for_the_lab_only_and_link_local_for_nobody() {
    let [public, lab] = [AddressScope::Public, AddressScope::Lab]
        .map(|scope| Path::new(Role::Offer, PeerKind::Stock, PathPolicy::Any, scope, [1; 32]));
    let loopback = address("127.0.0.1:0").ip();
    assert!(!public.wants_interface(loopback) && lab.wants_interface(loopback));
    for ip in ["169.254.3.4", "fe80::1"] {
        assert!(!public.wants_interface(ip.parse().unwrap()) && !lab.wants_interface(ip.parse().unwrap()));
    }
}

#[test]
fn everything_the_network_or_the_other_end_can_add_is_bounded() {
    let mut path = path(PathPolicy::Any);
    for n in 1..=200u16 {
        path.add_stun_server(start(), SocketAddr::new([198, 51, 100, n as u8].into(), 3478));
        path.add_remote(
            start(),
            &Candidate::new(CandidateKind::Host, address(&format!("203.0.113.5:{n}")), 1).unwrap(),
        );
    }
    let mut asked = 0;
    while path.poll_transmit().is_some() {
        asked += 1;
    }
    assert_eq!((asked, path.remotes.len()), (MAX_STUN_SERVERS, MAX_REMOTES));
    for _ in 0..2 * MAX_TRANSMITS {
        path.send(start(), address("192.0.2.1:5000"), address("203.0.113.5:9"), vec![1]);
    }
    assert_eq!(path.dropped().overflow, MAX_TRANSMITS as u64);
}
