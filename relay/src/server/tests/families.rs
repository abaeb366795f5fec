//! Relayed addresses of IPv4, IPv6 and both (RFC 8656 §7.2).

use super::*;

const SIX: &str = "2606:4700::8";
const PEER_SIX: &str = "[2606:4700:1::99]:6000";

#[test]
fn rfc_8656_7_2_additional_address_family_gives_two_relayed_addresses() {
    let mut world = dual();
    let relayed = relayed(&mut world, allocate().additional_family(AddressFamily::Ipv6));
    assert_eq!(relayed, ["8.8.8.8:50000".parse().unwrap(), format!("[{SIX}]:60000").parse().unwrap()]);
    for peer in ["1.1.1.1:6000", PEER_SIX] {
        assert_eq!(world.request(ADA, "ada", permission(&[peer])), None, "{peer}");
        world.send(ADA, peer, b"out");
        let sent = world.server.poll_transmit().unwrap();
        assert_eq!((sent.via, sent.to), (Via::Relayed(AllocationId(0)), peer.parse().unwrap()));
        world.server.handle_peer(world.now, AllocationId(0), peer.parse().unwrap(), b"in");
        assert!(world.server.poll_transmit().is_some(), "{peer}");
    }
    world.release(ADA, "ada");
    assert_eq!(world.server.by_relayed.len(), 0);
}

#[test]
fn rfc_8656_7_2_ipv6_alone_is_had_where_this_machine_has_it() {
    let mut world = dual();
    let relayed = relayed(&mut world, allocate().requested_family(AddressFamily::Ipv6));
    assert_eq!(relayed, [format!("[{SIX}]:50000").parse::<SocketAddr>().unwrap()]);
    assert_eq!(world.request(ADA, "ada", permission(&["1.1.1.1:6000"])), Some(443));
    assert_eq!(world.request(ADA, "ada", permission(&[PEER_SIX])), None);
}

#[test]
fn hosts_behind_the_same_router_are_refused_on_every_way_in_and_out() {
    const NEIGHBOUR: &str = "[2606:4700::99]:6000";
    let mut world = dual();
    relayed(&mut world, allocate().requested_family(AddressFamily::Ipv6));
    assert_eq!(world.request(ADA, "ada", permission(&[NEIGHBOUR])), Some(403));
    assert_eq!(world.request(ADA, "ada", bind(0x4000, NEIGHBOUR)), Some(403));
    world.send(ADA, NEIGHBOUR, b"out");
    world.server.handle_peer(world.now, AllocationId(0), NEIGHBOUR.parse().unwrap(), b"in");
    assert_eq!(world.server.poll_transmit(), None);
    assert_eq!(world.server.stats().refused, 2);
}

#[test]
fn rfc_8656_7_2_what_additional_address_family_may_not_be_with() {
    let cases = [
        allocate().additional_family(AddressFamily::Ipv4),
        allocate().additional_family(AddressFamily::Ipv6).requested_family(AddressFamily::Ipv4),
    ];
    for request in cases {
        assert_eq!(dual().request(ADA, "ada", request), Some(400));
    }
}

#[test]
fn rfc_8656_7_2_without_the_other_family_one_address_and_the_reason_are_given() {
    let mut world = World::new(PeerPolicy::Public);
    let sealed = world.sealed(ADA, "ada", allocate().additional_family(AddressFamily::Ipv6));
    let reply = world.ask(ADA, &sealed).unwrap();
    let reply = parse(&reply).unwrap();
    assert_eq!(reply.class(), Class::Success);
    assert_eq!(reply.attribute(AttributeType::ADDRESS_ERROR_CODE).unwrap().value, [2, 0, 4, 40]);
}

fn dual() -> World {
    let mut world = World::new(PeerPolicy::Public);
    world.server.config.second_ip = Some(SIX.parse().unwrap());
    world
}

fn relayed(world: &mut World, request: MessageBuilder) -> Vec<SocketAddr> {
    let sealed = world.sealed(ADA, "ada", request);
    let reply = world.ask(ADA, &sealed).unwrap();
    let reply = parse(&reply).unwrap();
    let relayed = reply.attributes().filter(|it| it.kind == AttributeType::XOR_RELAYED_ADDRESS);
    relayed.map(|it| wire::decode_xor(it.value, reply.transaction()).unwrap()).collect()
}
