//! TURN over TCP and TLS on real loopback sockets: messages cut from a stream, and what breaks a connection.
#![expect(clippy::disallowed_types, reason = "these tests prove the driver, so they own sockets")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up fails there")]

use std::net::SocketAddr;
use std::time::Duration;

use relay::client::{CertificateHash, Transport, TurnClient, TurnConfig, TurnEvent};
use relay::driver::{self, RelayServer, RelayStream, Security, TlsIdentity, dial};
use relay::server::{Limits, PeerPolicy, PeerProof, ServerConfig, TlsCertificate};
use relay::wire::{Class, Fingerprint, MessageBuilder, Method, StreamReader, TransactionId};
use relay::{CredentialIssuer, Credentials};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

const SECRET: [u8; 32] = [7; 32];
/// Long enough for a loaded machine; reaching it fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_client_over_tcp_and_one_over_udp_meet_with_payloads_of_every_length() {
    let server = RelayServer::start(lab()).await.unwrap();
    let mut ada = End::tcp(&server, "ada", 1).await;
    let mut bob = End::udp(&server, "bob", 2).await;
    let (at_ada, at_bob) = (ada.allocated().await, bob.allocated().await);
    ada.bind(at_bob).await;
    bob.bind(at_ada).await;
    for length in [0, 1, 2, 3, 4, 5, 172, 1200] {
        ada.client.send(driver::now().instant, at_bob, &vec![1; length]).unwrap();
        ada.flush().await;
        assert_eq!(bob.payload().await, (at_ada, vec![1; length]), "over TCP in");
        bob.client.send(driver::now().instant, at_ada, &vec![2; length]).unwrap();
        bob.flush().await;
        assert_eq!(ada.payload().await, (at_bob, vec![2; length]), "over TCP out");
    }
    assert_eq!(server.stats().malformed, 0);
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_over_tls_is_served_where_the_certificate_is_the_one_it_was_told_and_nowhere_else() {
    let server = RelayServer::start(lab()).await.unwrap();
    let identity = TlsIdentity::of(&TlsCertificate::SelfSigned).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    let (acceptor, relay) = (TlsAcceptor::from(identity.config()), server.door());
    let accepting = tokio::spawn(async move {
        loop {
            let (stream, from) = port.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                let relay = relay.clone();
                tokio::spawn(async move { relay.serve(stream, from).await });
            }
        }
    });
    let told = CertificateHash(identity.certificate_hash());
    let stream = dial(address, Security::Tls(told)).await.unwrap();
    let mut ada = End {
        client: client(&server, "ada", Transport::Stream, 1),
        line: Line::Stream(stream, StreamReader::default()),
    };
    let mut bob = End::udp(&server, "bob", 2).await;
    let (at_ada, at_bob) = (ada.allocated().await, bob.allocated().await);
    ada.bind(at_bob).await;
    bob.bind(at_ada).await;
    ada.client.send(driver::now().instant, at_bob, b"over TLS").unwrap();
    ada.flush().await;
    assert_eq!(bob.payload().await, (at_ada, b"over TLS".to_vec()));
    let other = CertificateHash([1; 32]);
    let refused = dial(address, Security::Tls(other)).await.expect_err("it is not the relay we were told of");
    assert!(refused.to_string().contains("another certificate"), "{refused}");
    accepting.abort();
    server.shutdown().await;
}

#[tokio::test]
async fn a_malformed_frame_closes_its_connection_only() {
    let server = RelayServer::start(lab()).await.unwrap();
    let mut ada = End::tcp(&server, "ada", 1).await;
    ada.allocated().await;
    for noise in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xFF; 20], &[0x40, 0, 0xFF, 0xFF], &[0, 1, 0, 3, 9, 9, 9, 9]]
    {
        let mut stranger = TcpStream::connect(server.local_addr()).await.unwrap();
        stranger.write_all(noise).await.unwrap();
        let mut buffer = [0; 100];
        let end = tokio::time::timeout(PATIENCE, stranger.read(&mut buffer)).await.expect("it is closed");
        assert!(matches!(end, Ok(0) | Err(_)), "{noise:?}");
    }
    assert_eq!(server.stats().allocations, 1, "the honest client keeps its allocation");
    let binding = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([5; 12]));
    ada.write(&binding.finish(Fingerprint::Without)).await;
    assert_eq!(ada.message().await.len(), 32);
    server.shutdown().await;
}

#[tokio::test]
async fn an_allocation_ends_with_its_connection() {
    let server = RelayServer::start(lab()).await.unwrap();
    let mut ada = End::tcp(&server, "ada", 1).await;
    ada.allocated().await;
    assert_eq!(server.stats().allocations, 1);
    drop(ada);
    let gone = async {
        while server.stats().allocations > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nobody can reach that client any more");
    let receipts = server.receipts();
    assert_eq!(receipts.len(), 1);
    assert!(receipts[0].username.ends_with(":ada"));
    server.shutdown().await;
}

#[tokio::test]
async fn connections_past_the_limit_of_one_prefix_are_closed_at_once() {
    let limits = Limits { streams: 3, streams_per_prefix: 2, ..Limits::default() };
    // Under the public policy all of loopback is one prefix.
    let server =
        RelayServer::start(ServerConfig { limits, peers: PeerPolicy::Public, ..lab() }).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        let binding = MessageBuilder::new(Class::Request, Method::Binding, TransactionId([5; 12]));
        stream.write_all(&binding.finish(Fingerprint::Without)).await.unwrap();
        let mut reply = [0; 32];
        stream.read_exact(&mut reply).await.unwrap();
        held.push(stream);
    }
    let mut third = TcpStream::connect(server.local_addr()).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, third.read(&mut [0; 10])).await.expect("it is closed");
    assert!(matches!(end, Ok(0) | Err(_)));
    server.shutdown().await;
}

enum Line {
    Stream(RelayStream, StreamReader),
    Udp(UdpSocket),
}

struct End {
    client: TurnClient,
    line: Line,
}

impl End {
    async fn tcp(server: &RelayServer, user: &str, seed: u8) -> Self {
        let stream = dial(server.local_addr(), Security::Clear).await.unwrap();
        let client = client(server, user, Transport::Stream, seed);
        Self { client, line: Line::Stream(stream, StreamReader::default()) }
    }

    async fn udp(server: &RelayServer, user: &str, seed: u8) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(server.local_addr()).await.unwrap();
        Self { client: client(server, user, Transport::Udp, seed), line: Line::Udp(socket) }
    }

    async fn allocated(&mut self) -> SocketAddr {
        match self.event().await {
            TurnEvent::Allocated { relayed, .. } => relayed,
            other => panic!("no allocation: {other:?}"),
        }
    }

    async fn bind(&mut self, peer: SocketAddr) {
        self.client.bind_channel(driver::now().instant, peer).unwrap();
        assert_eq!(self.event().await, TurnEvent::PeerReady(peer));
    }

    async fn event(&mut self) -> TurnEvent {
        loop {
            if let Some(event) = self.client.poll_event() {
                return event;
            }
            self.flush().await;
            let message = self.message().await;
            self.client.handle_datagram(driver::now().instant, &message);
        }
    }

    async fn payload(&mut self) -> (SocketAddr, Vec<u8>) {
        let message = self.message().await;
        let (peer, range) = self.client.handle_datagram(driver::now().instant, &message).unwrap();
        (peer, message[range].to_vec())
    }

    async fn flush(&mut self) {
        while let Some(message) = self.client.poll_transmit() {
            self.write(&message).await;
        }
    }

    async fn write(&mut self, message: &[u8]) {
        match &mut self.line {
            // In two pieces: a stream keeps no boundaries.
            Line::Stream(stream, _) => {
                stream.write_all(&message[..3]).await.unwrap();
                stream.flush().await.unwrap();
                stream.write_all(&message[3..]).await.unwrap();
                stream.flush().await.unwrap();
            }
            Line::Udp(socket) => {
                socket.send(message).await.unwrap();
            }
        }
    }

    async fn message(&mut self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let message = async {
            match &mut self.line {
                Line::Udp(socket) => {
                    let length = socket.recv(&mut buffer).await.unwrap();
                    buffer[..length].to_vec()
                }
                Line::Stream(stream, reader) => loop {
                    if let Some(message) = reader.message().unwrap() {
                        return message;
                    }
                    let length = stream.read(&mut buffer).await.unwrap();
                    assert!(length > 0, "the relay closed the connection");
                    reader.push(&buffer[..length]);
                },
            }
        };
        tokio::time::timeout(PATIENCE, message).await.expect("the relay answers in time")
    }
}

fn client(server: &RelayServer, user: &str, transport: Transport, seed: u8) -> TurnClient {
    let credentials: Credentials =
        CredentialIssuer::new(SECRET).issue(driver::now().unix, user, Duration::from_secs(600));
    let config = TurnConfig { server: server.local_addr(), credentials, transport };
    TurnClient::new(config, [seed; 32], driver::now().instant)
}

fn lab() -> ServerConfig {
    let listen = "127.0.0.1:0".parse().unwrap();
    ServerConfig {
        peers: PeerPolicy::Lab,
        proof: PeerProof::Waived,
        ..ServerConfig::new(listen, SECRET, [9; 32])
    }
}
