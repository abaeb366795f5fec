//! Whole conversations between clients and our server, in virtual time.

use super::*;
use crate::server::{Effect, PeerPolicy, PortOutcome, Server, ServerConfig, Via};
use crate::{CredentialIssuer, Now};
use std::net::IpAddr;

#[test]
fn a_client_answers_the_challenge_and_is_allocated_an_address() {
    let mut world = World::new();
    world.settle();
    assert_eq!(
        world.events(ADA),
        [TurnEvent::Allocated {
            relayed: relayed(0),
            reflexive: address(ADA),
            lifetime: Duration::from_secs(600)
        }]
    );
    assert_eq!(world.server.stats().errors, 2, "one 401 for each client");
}

#[test]
fn an_address_everybody_reaches_is_asked_for_and_one_of_ipv6_where_the_relay_has_no_other() {
    let (v4, v6): (IpAddr, IpAddr) = (server().ip(), "2001:db8::10".parse().unwrap());
    for (second, expected) in [(Some(v4), v4), (None, v6)] {
        let mut world = World::new();
        let listen = SocketAddr::new(v6, 3478);
        let config = ServerConfig::new(listen, SECRET, [1; 32]);
        let config = ServerConfig { peers: PeerPolicy::Lab, second_ip: second, ..config };
        world.server = Server::new(config, listen, world.now);
        world.settle();
        let events = world.events(ADA);
        let [TurnEvent::Allocated { relayed, .. }] = events[..] else { panic!("{events:?}") };
        assert_eq!(relayed.ip(), expected);
    }
}

#[test]
fn payloads_sent_before_the_channel_is_bound_arrive_in_order_and_the_oldest_are_dropped() {
    let mut world = World::new();
    let peer = relayed(1);
    for number in 0..TurnClient::QUEUE as u8 + 3 {
        world.clients[ADA].send(world.now.instant, peer, &[number]).unwrap();
    }
    world.clients[BOB].bind_channel(world.now.instant, relayed(0)).unwrap();
    world.settle();
    let expected: Vec<_> =
        (3..TurnClient::QUEUE as u8 + 3).map(|number| (relayed(0), vec![number])).collect();
    assert_eq!(world.received[BOB], expected);
    assert!(world.events(ADA).contains(&TurnEvent::PeerReady(peer)));
}

#[test]
fn a_call_goes_on_through_refreshes_and_new_nonces_for_two_hours() {
    let mut world = World::new();
    world.connect();
    for minute in 0..120u8 {
        world.run(Duration::from_secs(60));
        world.clients[ADA].send(world.now.instant, relayed(1), &[minute]).unwrap();
        world.clients[BOB].send(world.now.instant, relayed(0), &[minute]).unwrap();
        world.settle();
        assert_eq!(world.received[BOB].pop(), Some((relayed(0), vec![minute])), "minute {minute}");
        assert_eq!(world.received[ADA].pop(), Some((relayed(1), vec![minute])), "minute {minute}");
    }
    assert_eq!(world.events(ADA), []);
    assert_eq!(world.server.stats().allocations, 2);
    assert!(world.server.stats().errors > 2, "nonces went stale on the way");
}

#[test]
fn a_lossy_network_only_costs_time() {
    let mut world = World::new();
    world.lose_every = Some(3);
    world.clients[ADA].bind_channel(world.now.instant, relayed(1)).unwrap();
    world.run(Duration::from_secs(30));
    let events = world.events(ADA);
    assert!(events.contains(&TurnEvent::PeerReady(relayed(1))), "{events:?}");
}

#[test]
fn a_silent_relay_is_given_up() {
    let mut world = World::new();
    world.lose_every = Some(1);
    world.run(Duration::from_secs(60));
    assert_eq!(world.events(ADA), [TurnEvent::Failed { reason: TurnFailure::Timeout }]);
    assert_eq!(world.clients[ADA].poll_timeout(), None);
    assert_eq!(world.clients[ADA].send(world.now.instant, relayed(1), b"x"), Err(SendRefused::Closed));
}

#[test]
fn a_relay_that_forgot_the_allocation_is_told_as_such() {
    let mut world = World::new();
    world.connect();
    world.server = World::server(world.now, SECRET);
    world.run(Duration::from_secs(600));
    assert_eq!(world.events(ADA), [TurnEvent::Failed { reason: TurnFailure::AllocationLost }]);
}

#[test]
fn a_relay_shows_when_asked_that_it_is_still_there() {
    let mut world = World::new();
    world.connect();
    world.run(Duration::from_secs(10));
    let before = world.clients[ADA].heard();
    assert!(before.is_some_and(|heard| heard < world.now.instant));
    world.clients[ADA].check(world.now.instant);
    world.clients[ADA].check(world.now.instant);
    let asked = std::iter::from_fn(|| world.clients[ADA].poll_transmit()).count();
    assert_eq!(asked, 1, "one question at a time");
    world.run(Duration::from_secs(1));
    assert!(world.clients[ADA].heard() > before);
    world.lose_every = Some(1);
    let before = world.clients[ADA].heard();
    world.clients[ADA].check(world.now.instant);
    world.run(Duration::from_secs(5));
    assert_eq!(world.clients[ADA].heard(), before);
}

#[test]
fn credentials_of_another_relay_are_not_accepted() {
    let mut world = World::new();
    world.server = World::server(world.now, [8; 32]);
    world.settle();
    assert_eq!(world.events(ADA), [TurnEvent::Failed { reason: TurnFailure::Unauthorized }]);
}

#[test]
fn a_forbidden_peer_fails_alone() {
    let mut world = World::new();
    let forbidden: SocketAddr = "224.0.0.1:5000".parse().unwrap();
    world.clients[ADA].bind_channel(world.now.instant, forbidden).unwrap();
    world.clients[ADA].bind_channel(world.now.instant, relayed(1)).unwrap();
    world.settle();
    let events = world.events(ADA);
    assert!(events.contains(&TurnEvent::PeerFailed { peer: forbidden, reason: TurnFailure::Forbidden }));
    assert!(events.contains(&TurnEvent::PeerReady(relayed(1))));
}

#[test]
fn release_frees_the_relay_at_once() {
    let mut world = World::new();
    world.connect();
    world.clients[ADA].release(world.now.instant);
    world.settle();
    assert_eq!(world.events(ADA), [TurnEvent::Closed]);
    assert_eq!(world.server.stats().allocations, 1);
}

#[test]
fn a_response_with_wrong_or_missing_integrity_is_as_if_it_had_never_come() {
    let mut world = World::new();
    let now = world.now.instant;
    world.challenge_ada();
    let request = world.clients[ADA].poll_transmit().unwrap();
    let transaction = wire::parse(&request).unwrap().transaction();
    let forged = MessageBuilder::new(Class::Success, Method::Allocate, transaction)
        .xor_address(AttributeType::XOR_RELAYED_ADDRESS, "203.0.113.66:6666".parse().unwrap())
        .xor_address(AttributeType::XOR_MAPPED_ADDRESS, address(ADA))
        .lifetime(Duration::from_secs(600));
    world.clients[ADA].handle_datagram(now, &forged.clone().finish(Fingerprint::With));
    world.clients[ADA].handle_datagram(now, &forged.seal(b"guess", Fingerprint::With));
    let refusal =
        MessageBuilder::new(Class::Error, Method::Allocate, transaction).error_code(ErrorCode::FORBIDDEN);
    world.clients[ADA].handle_datagram(now, &refusal.finish(Fingerprint::With));
    assert_eq!(world.events(ADA), []);
    world.server.handle_client(world.now, address(ADA), &request);
    world.settle();
    assert!(matches!(world.events(ADA)[..], [TurnEvent::Allocated { .. }]));
}

#[test]
fn noise_from_the_relay_is_ignored() {
    let mut world = World::new();
    world.connect();
    let now = world.now.instant;
    let unknown_channel = [0x4F, 0xFF, 0, 1, 7];
    for noise in [&b""[..], &[0x40], &[0x40, 0, 0, 9, 1], &unknown_channel, &[0; 20], &[0xFF; 40]] {
        assert_eq!(world.clients[ADA].handle_datagram(now, noise), None);
    }
    assert_eq!(world.events(ADA), []);
}

#[test]
fn as_many_peers_as_the_bound_and_no_more() {
    let mut world = World::new();
    let mut peers = (1024..).map(|port| SocketAddr::from(([203, 0, 113, 9], port)));
    for peer in peers.by_ref().take(64) {
        world.clients[ADA].bind_channel(world.now.instant, peer).unwrap();
    }
    let refused = world.clients[ADA].bind_channel(world.now.instant, peers.next().unwrap());
    assert_eq!(refused, Err(SendRefused::TooManyPeers));
    assert_eq!(
        world.clients[ADA].send(world.now.instant, relayed(1), &[0; 65_504]),
        Err(SendRefused::TooLong)
    );
}

const SECRET: [u8; 32] = [7; 32];
const ADA: usize = 0;
const BOB: usize = 1;

/// Two clients, one server, a network without delay, and a clock that only moves when told.
struct World {
    now: Now,
    server: Server,
    clients: [TurnClient; 2],
    received: [Vec<(SocketAddr, Vec<u8>)>; 2],
    lose_every: Option<usize>,
    sent: usize,
    next_port: u16,
}

impl World {
    fn new() -> Self {
        let now = crate::fixture::now();
        let client = |seed: u8| {
            let id = format!("client{seed}");
            let credentials = CredentialIssuer::new(SECRET).issue(now.unix, &id, Duration::from_secs(600));
            let config = TurnConfig { server: server(), credentials, transport: Transport::Udp };
            TurnClient::new(config, [seed; 32], now.instant)
        };
        Self {
            now,
            server: Self::server(now, SECRET),
            clients: [client(0), client(1)],
            received: [Vec::new(), Vec::new()],
            lose_every: None,
            sent: 0,
            next_port: 50_000,
        }
    }

    fn server(now: Now, secret: [u8; 32]) -> Server {
        let config = ServerConfig { peers: PeerPolicy::Lab, ..ServerConfig::new(server(), secret, [1; 32]) };
        Server::new(config, server(), now)
    }

    /// Both clients allocated, channels bound both ways, events read.
    fn connect(&mut self) {
        for (client, peer) in [(ADA, relayed(1)), (BOB, relayed(0))] {
            self.settle();
            self.clients[client].bind_channel(self.now.instant, peer).unwrap();
            self.settle();
            assert!(self.events(client).contains(&TurnEvent::PeerReady(peer)));
        }
    }

    /// Lets virtual time pass, stopping whenever somebody wants to be woken.
    fn run(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        loop {
            self.settle();
            let clients = self.clients.iter().filter_map(|client| client.poll_timeout());
            let wake = clients.chain(self.server.poll_timeout()).map(|(at, _)| at).min();
            match wake.filter(|at| *at <= end.instant) {
                Some(at) => {
                    self.now = self.now.after(at.saturating_duration_since(self.now.instant));
                    self.clients.iter_mut().for_each(|client| client.handle_timeout(self.now.instant));
                    self.server.handle_timeout(self.now);
                }
                None => break self.now = end,
            }
        }
    }

    /// Carries datagrams until nobody has any.
    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for index in [ADA, BOB] {
                while let Some(datagram) = self.clients[index].poll_transmit() {
                    busy = true;
                    if self.arrives() {
                        self.server.handle_client(self.now, address(index), &datagram);
                    }
                }
            }
            while let Some(effect) = self.server.poll_effect() {
                busy = true;
                if let Effect::OpenRelayPort(id, _) = effect {
                    self.server.handle_relay_port(self.now, id, PortOutcome::Opened(self.next_port));
                    self.next_port += 1;
                }
            }
            while let Some(transmit) = self.server.poll_transmit() {
                busy = true;
                let index = [ADA, BOB].into_iter().find(|index| address(*index) == transmit.to);
                if transmit.via == Via::Listener && self.arrives() {
                    let index = index.expect("replies go to clients only");
                    let received = self.clients[index].handle_datagram(self.now.instant, &transmit.payload);
                    self.received[index]
                        .extend(received.map(|(peer, range)| (peer, transmit.payload[range].to_vec())));
                }
            }
        }
    }

    /// Only as far as the authenticated Allocate of the first client.
    fn challenge_ada(&mut self) {
        let request = self.clients[ADA].poll_transmit().unwrap();
        self.server.handle_client(self.now, address(ADA), &request);
        let challenge = self.server.poll_transmit().unwrap();
        assert!(challenge.payload.len() <= request.len(), "the reply is no longer than the request");
        self.clients[ADA].handle_datagram(self.now.instant, &challenge.payload);
    }

    fn arrives(&mut self) -> bool {
        self.sent += 1;
        self.lose_every.is_none_or(|every| !self.sent.is_multiple_of(every))
    }

    fn events(&mut self, client: usize) -> Vec<TurnEvent> {
        std::iter::from_fn(|| self.clients[client].poll_event()).collect()
    }
}

fn server() -> SocketAddr {
    "203.0.113.10:3478".parse().unwrap()
}

fn address(client: usize) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 4000 + client as u16))
}

fn relayed(client: usize) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 10], 50_000 + client as u16))
}
