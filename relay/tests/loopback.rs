//! The driver on real loopback sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails there")]

#[cfg(test)]
mod endpoint;

use std::net::SocketAddr;
use std::time::Duration;

use endpoint::{Endpoint, PATIENCE};
use relay::client::{BindingClient, BindingEvent, TurnEvent};
use relay::driver::{RelayServer, StartError};
use relay::server::{PeerPolicy, PeerProof, ServerConfig};
use relay::{CredentialIssuer, Credentials, driver};

const SECRET: [u8; 32] = [7; 32];

#[tokio::test]
async fn two_clients_of_one_relay_meet_in_memory() {
    let server = RelayServer::start(lab()).await.unwrap();
    let mut ada = Endpoint::new(server.local_addr(), credentials("ada"), 1).await;
    let mut bob = Endpoint::new(server.local_addr(), credentials("bob"), 2).await;
    let at_ada = allocated(&mut ada).await;
    let at_bob = allocated(&mut bob).await;
    bind(&mut ada, at_bob).await;
    bind(&mut bob, at_ada).await;
    ada.client.send(driver::now().instant, at_bob, b"hello").unwrap();
    ada.flush().await;
    assert_eq!(bob.payload().await, (at_ada, b"hello".to_vec()));
    bob.client.send(driver::now().instant, at_ada, b"hello back").unwrap();
    bob.flush().await;
    assert_eq!(ada.payload().await, (at_bob, b"hello back".to_vec()));
    ada.client.release(driver::now().instant);
    assert_eq!(ada.event().await, TurnEvent::Closed);
    let stats = server.stats();
    assert_eq!((stats.packets_in_memory, stats.allocations_made), (2, 2));
    server.shutdown().await;
}

#[tokio::test]
async fn a_peer_without_turn_is_reached_from_the_relayed_address() {
    let server = RelayServer::start(lab()).await.unwrap();
    let mut ada = Endpoint::new(server.local_addr(), credentials("ada"), 1).await;
    let relayed = allocated(&mut ada).await;
    let peer = endpoint::socket().await;
    let peer_address = peer.local_addr().unwrap();
    ada.client.send(driver::now().instant, peer_address, b"waits for the channel").unwrap();
    assert_eq!(ada.event().await, TurnEvent::PeerReady(peer_address));
    ada.flush().await;
    let mut buffer = [0; 100];
    let (length, from) = tokio::time::timeout(PATIENCE, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
    assert_eq!((&buffer[..length], from), (&b"waits for the channel"[..], relayed));
    peer.send_to(b"answer", relayed).await.unwrap();
    assert_eq!(ada.payload().await, (peer_address, b"answer".to_vec()));
    server.shutdown().await;
}

#[tokio::test]
async fn a_taken_port_is_named_in_the_error() {
    let server = RelayServer::start(lab()).await.unwrap();
    let taken = server.local_addr();
    let error = RelayServer::start(ServerConfig { listen: taken, ..lab() }).await.unwrap_err();
    assert!(matches!(error, StartError::Bind { address, .. } if address == taken));
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
    server.shutdown().await;
    RelayServer::start(ServerConfig { listen: taken, ..lab() }).await.expect("shutdown has freed the port");
}

#[tokio::test]
async fn noise_is_counted_and_the_relay_lives_on() {
    let server = RelayServer::start(lab()).await.unwrap();
    let socket = endpoint::socket().await;
    for noise in [&b""[..], b"x", &[0; 20], &[0x40; 3], &[0xFF; 1400]] {
        socket.send_to(noise, server.local_addr()).await.unwrap();
    }
    let mut client = BindingClient::new(server.local_addr(), [5; 32], driver::now().instant);
    socket.send_to(&client.poll_transmit().unwrap(), server.local_addr()).await.unwrap();
    let mut buffer = [0; 100];
    let answer = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await.unwrap();
    let (length, from) = answer.unwrap();
    client.handle_datagram(driver::now().instant, from, &buffer[..length]);
    let reflexive = socket.local_addr().unwrap();
    let mapped = BindingEvent::Mapped { server: server.local_addr(), reflexive };
    assert_eq!(client.poll_event(), Some(mapped));
    let counted = async {
        while server.stats().malformed < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("every malformed datagram is counted");
    server.shutdown().await;
}

fn lab() -> ServerConfig {
    let listen = "127.0.0.1:0".parse().unwrap();
    ServerConfig {
        peers: PeerPolicy::Lab,
        proof: PeerProof::Waived,
        ..ServerConfig::new(listen, SECRET, [9; 32])
    }
}

fn credentials(id: &str) -> Credentials {
    CredentialIssuer::new(SECRET).issue(driver::now().unix, id, Duration::from_secs(600))
}

async fn allocated(endpoint: &mut Endpoint) -> SocketAddr {
    match endpoint.event().await {
        TurnEvent::Allocated { relayed, .. } => relayed,
        other => panic!("no allocation: {other:?}"),
    }
}

async fn bind(endpoint: &mut Endpoint, peer: SocketAddr) {
    endpoint.client.bind_channel(driver::now().instant, peer).unwrap();
    assert_eq!(endpoint.event().await, TurnEvent::PeerReady(peer));
}
