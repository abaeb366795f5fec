//! Real links on loopback.

mod hostile;
mod ring;
mod sources;

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    link::LinkEvent,
    reach::{Order, Reach, Target},
    *,
};
use crate::{
    error::{RegisterError, SendError},
    node::{LinkId, Ways},
    outcome::{RelayOffer, RelayWish},
    record::CertificateHash,
    username::Username,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

async fn node(config: Config, secret: u8) -> (Handle, mpsc::Receiver<Event>) {
    start(config, Identity::from_secret([secret; 32])).await.unwrap()
}

fn supernode(listen: SocketAddr) -> Config {
    let role = RoleWish::Supernode(Serving {
        relay_listen: Some(loopback()),
        max_leaves: 100,
        ..Serving::default()
    });
    Config { listen: Some(listen), role, mdns: Mdns::Off, ..Config::leaf(Network::Lab) }
}

fn leaf(bootstrap: SocketAddr) -> Config {
    let bootstrap = vec![bootstrap.to_string()];
    Config { listen: Some(loopback()), bootstrap, mdns: Mdns::Off, ..Config::leaf(Network::Lab) }
}

fn key(secret: u8) -> PublicKey {
    Identity::from_secret([secret; 32]).public_key()
}

async fn next<T>(events: &mut mpsc::Receiver<Event>, wanted: impl Fn(Event) -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = wanted(events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap()
}

async fn online(events: &mut mpsc::Receiver<Event>) {
    next(events, |event| matches!(event, Event::Online { .. }).then_some(())).await;
}

async fn listening(events: &mut mpsc::Receiver<Event>) -> SocketAddr {
    next(events, |event| if let Event::Listening { quic, .. } = event { Some(quic) } else { None }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_leaves_meet_through_a_supernode_and_survive_its_restart() {
    let (hub, mut hub_events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut hub_events).await;
    let relay = next(&mut hub_events, |event| {
        if let Event::Relay { udp, lab_credential: Some(_), .. } = event { Some(udp) } else { None }
    });
    let relay = relay.await;
    online(&mut hub_events).await;

    let (ada, mut ada_events) = node(leaf(address), 2).await;
    let (bob, mut bob_events) = node(leaf(address), 3).await;
    // Commands wait for the first home by themselves.
    let name = Username::parse("bob").unwrap();
    let registration = bob.register(name.clone()).await.unwrap();
    assert_eq!((registration.held_by, registration.of), (1, 1));
    online(&mut ada_events).await;
    online(&mut bob_events).await;

    let found = ada.lookup(name.clone()).await.unwrap();
    assert_eq!(found.claims.iter().map(|c| (c.key, c.holders)).collect::<Vec<_>>(), [(key(3), 1)]);
    assert_eq!(ada.register(name).await, Err(RegisterError::Taken { by: key(3) }));
    assert!(ada.lookup(Username::parse("nobody").unwrap()).await.unwrap().claims.is_empty());

    assert_eq!(ada.reachable(key(3)).await, Ok(true));
    ada.send(key(3), b"ring".to_vec()).await.unwrap();
    let envelope = next(&mut bob_events, |event| {
        if let Event::Envelope { from, payload, .. } = event { Some((from, payload)) } else { None }
    });
    assert_eq!(envelope.await, (key(2), b"ring".to_vec()));
    // A supernode has an identity that can be called, and calls.
    hub.send(key(3), b"hub".to_vec()).await.unwrap();
    bob.send(key(1), b"to hub".to_vec()).await.unwrap();
    let from =
        next(
            &mut hub_events,
            |event| if let Event::Envelope { from, .. } = event { Some(from) } else { None },
        );
    assert_eq!(from.await, key(3));
    assert_eq!(ada.send(key(99), vec![]).await, Err(SendError::NotReachable));
    assert_eq!(ada.send(key(3), vec![0; 2000]).await, Err(SendError::TooLong));

    let offers = ada.relays(RelayWish::Any).await.unwrap();
    assert_eq!(offers.iter().map(|offer| offer.udp).collect::<Vec<_>>(), [relay]);

    hub.shutdown().await;
    next(&mut ada_events, |event| matches!(event, Event::Offline { .. }).then_some(())).await;
    let (hub, _hub_events) = node(supernode(address), 1).await;
    online(&mut ada_events).await;
    online(&mut bob_events).await;
    ada.send(key(3), b"again".to_vec()).await.unwrap();

    bob.shutdown().await;
    assert_eq!(ada.send(key(3), b"gone".to_vec()).await, Err(SendError::NotReachable));
    ada.shutdown().await;
    hub.shutdown().await;
    assert_eq!(ada.send(key(3), vec![]).await, Err(SendError::Closed));
}

/// A leaf that reaches its supernode over TCP only: nobody answers at the UDP port of that number.
async fn leaf_over_tcp(tcp: SocketAddr, secret: u8) -> (Handle, mpsc::Receiver<Event>) {
    let (leaf, mut events) = node(leaf(tcp), secret).await;
    online(&mut events).await;
    (leaf, events)
}

async fn supernode_with_tcp() -> (Handle, mpsc::Receiver<Event>, SocketAddr) {
    let mut config = supernode(loopback());
    if let RoleWish::Supernode(serving) = &mut config.role {
        serving.tcp_listen.push(loopback());
    }
    let (hub, mut events) = node(config, 1).await;
    let listening = next(&mut events, |event| match event {
        Event::Listening { quic, tcp } => Some((quic, tcp)),
        _ => None,
    });
    let (quic, tcp) = listening.await;
    assert_eq!(tcp.first(), Some(&quic), "TCP is served at the number of the QUIC port");
    (hub, events, tcp[1])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_udp_leaves_register_look_up_and_ring_over_tcp() {
    let (hub, _hub_events, tcp) = supernode_with_tcp().await;
    let (ada, mut ada_events) = leaf_over_tcp(tcp, 2).await;
    let (bob, mut bob_events) = leaf_over_tcp(tcp, 3).await;

    let name = Username::parse("bob").unwrap();
    bob.register(name.clone()).await.unwrap();
    assert_eq!(ada.lookup(name).await.unwrap().claims[0].key, key(3));
    ada.send(key(3), b"ring".to_vec()).await.unwrap();
    let from = next(&mut bob_events, |event| match event {
        Event::Envelope { from, .. } => Some(from),
        _ => None,
    });
    assert_eq!(from.await, key(2));

    // The last word arrives over TCP too: nobody waits for a time-out.
    bob.shutdown().await;
    assert_eq!(ada.send(key(3), b"gone".to_vec()).await, Err(SendError::NotReachable));
    hub.shutdown().await;
    next(&mut ada_events, |event| matches!(event, Event::Offline { .. }).then_some(())).await;
    ada.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supernode_that_relays_nobody_ends_at_once_when_it_is_to_drain_and_its_leaves_are_told() {
    let (hub, mut hub_events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut hub_events).await;
    let (ada, mut ada_events) = node(leaf(address), 2).await;
    online(&mut ada_events).await;
    // An hour would be noticed.
    timeout(PATIENCE, hub.drain(Duration::from_secs(3600))).await.unwrap();
    next(&mut hub_events, |event| matches!(event, Event::Draining { allocations: 0, .. }).then_some(()))
        .await;
    next(&mut ada_events, |event| matches!(event, Event::Offline { .. }).then_some(())).await;
    ada.drain(Duration::from_secs(3600)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bytes_over_tcp_end_their_own_connection_and_no_other() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (hub, _hub_events, tcp) = supernode_with_tcp().await;
    let (ada, _ada_events) = leaf_over_tcp(tcp, 2).await;

    // No TLS at all; TLS without our protocol; our protocol and a frame that is none.
    let mut plain = TcpStream::connect(tcp).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    // Ended in one way or the other: what it sent was not read.
    assert!(timeout(PATIENCE, plain.read_to_end(&mut Vec::new())).await.is_ok());
    let keys = Tls::new(&LinkSecret::from_secret([9; 32])).unwrap();
    let mut other = keys.client(None).unwrap();
    other.alpn_protocols.clear();
    for (config, bytes) in [(other, &b"\0\0\0\x01\x80"[..]), (keys.client(None).unwrap(), &[0xFF; 64])] {
        let stream = TcpStream::connect(tcp).await.unwrap();
        let name = tls::SERVER_NAME.try_into().unwrap();
        // Without our protocol it is the relay's, whose certificate is no raw key.
        let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, stream).await else {
            continue;
        };
        stream.write_all(bytes).await.unwrap();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.unwrap();
    }

    assert!(ada.lookup(Username::parse("nobody").unwrap()).await.unwrap().claims.is_empty());
    ada.shutdown().await;
    hub.shutdown().await;
}

/// What a TURN client over TLS is answered to a STUN Binding, when the certificate is the one of the record.
async fn bind_over_tls(offer: &RelayOffer) -> Vec<u8> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (address, certificate) = offer.streams.unwrap();
    let pinned = Arc::new(Pinned(certificate));
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(pinned)
            .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "relay.invalid".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(&BINDING).await.unwrap();
    let mut answer = vec![0; 20];
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

/// A STUN Binding request without attributes.
const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tcp_port_serves_links_and_turn_in_the_clear_and_over_tls_with_the_certificate_of_the_record() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (hub, mut hub_events, tcp) = supernode_with_tcp().await;
    let told = next(&mut hub_events, |event| match event {
        Event::Relay { tcp, tls, .. } => Some((tcp, tls)),
        _ => None,
    });
    assert_eq!(told.await, (Some(tcp), Some(tcp)));
    let (ada, _ada_events) = leaf_over_tcp(tcp, 2).await;
    let offers = ada.relays(RelayWish::Any).await.unwrap();
    assert_eq!(offers[0].streams.map(|(address, _)| address), Some(tcp));
    let success = [1, 1];
    assert_eq!(bind_over_tls(&offers[0]).await[..2], success);
    let mut plain = TcpStream::connect(tcp).await.unwrap();
    plain.write_all(&BINDING).await.unwrap();
    let mut answer = [0; 20];
    plain.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[..2], success);
    ada.shutdown().await;
    hub.shutdown().await;
    let gone = timeout(PATIENCE, plain.read_to_end(&mut Vec::new())).await;
    assert!(gone.is_ok(), "the relay's connections end with it");
}

/// Believes a certificate whose hash it was told.
#[derive(Debug)]
struct Pinned(CertificateHash);

impl rustls::client::danger::ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        if self.0.is_of(end_entity) {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate than the record names".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &rustls::pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test]
async fn a_link_that_is_to_prove_something_about_strangers_comes_from_a_port_never_used_before() {
    let [server, client] = [1, 2].map(|secret| LinkSecret::from_secret([secret; 32]));
    let listening = quic::listen(&Tls::new(&server).unwrap(), &server, loopback()).unwrap();
    let address = listening.local_addr().unwrap();
    let endpoint = quic::dial_only(loopback()).unwrap();
    let usual = endpoint.local_addr().unwrap();
    let (events, mut reports) = mpsc::channel(8);
    let reach = Reach { endpoint, tls: Tls::new(&client).unwrap(), events };
    let target = |number, ways| Target {
        link: LinkId::Outbound(number),
        address,
        ways,
        expected: Some(server.public_key()),
    };
    let _dialling = [(1, Ways::Any { tcp: None }), (2, Ways::FreshUdp), (3, Ways::FreshUdp)]
        .map(|(number, ways)| tokio::spawn(reach.clone().open(target(number, ways), Order::QuicFirst)));
    let (mut from, mut alive) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let connection = listening.accept().await.unwrap().await.unwrap();
        from.push(connection.remote_address());
        let report = reports.recv().await;
        assert!(matches!(report, Some(LinkEvent::Up { .. })), "{report:?}");
        // A link lives as long as its outbox.
        alive.push((connection, report));
    }
    from.sort_unstable();
    from.dedup();
    assert_eq!(from.len(), 3);
    assert_eq!(from.iter().filter(|port| **port == usual).count(), 1);
}

#[tokio::test]
async fn a_taken_port_and_a_private_address_are_refused_with_a_reason() {
    let (hub, mut events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut events).await;
    let error = start(supernode(address), Identity::from_secret([2; 32])).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");

    let config = Config { network: Network::Main, ..supernode(loopback()) };
    let error = start(config, Identity::from_secret([2; 32])).await.unwrap_err();
    assert!(matches!(error, StartError::NoPublicAddress { .. }), "{error}");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_lab_leaf_and_a_real_supernode_refuse_each_other() {
    let (hub, mut events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut events).await;
    let (ada, mut ada_events) = node(Config { network: Network::Main, ..leaf(address) }, 2).await;
    let reason =
        next(
            &mut ada_events,
            |event| {
                if let Event::Offline { reason } = event { Some(reason) } else { None }
            },
        );
    assert_eq!(reason.await, OfflineReason::Incompatible);
    assert_eq!(hub.status().homes, 1);
    ada.shutdown().await;
    hub.shutdown().await;
}

#[tokio::test]
async fn claims_and_the_node_key_survive_a_restart_and_damage_is_moved_aside() {
    let folder = std::env::temp_dir().join(format!("silbo-overlay-{}-{}", std::process::id(), line!()));
    let stored = |listen| Config { storage: Some(folder.clone()), ..supernode(listen) };
    let (hub, mut events) = node(stored(loopback()), 1).await;
    let address = listening(&mut events).await;
    let name = Username::parse("hub").unwrap();
    hub.register(name.clone()).await.unwrap();
    hub.shutdown().await;

    let key_before = std::fs::read(folder.join("node.key")).unwrap();
    let (hub, _events) = node(stored(address), 9).await;
    assert_eq!(hub.lookup(name.clone()).await.unwrap().claims[0].key, key(1));
    assert_eq!(std::fs::read(folder.join("node.key")).unwrap(), key_before);
    hub.shutdown().await;

    std::fs::write(folder.join("node.key"), b"short").unwrap();
    let (hub, _events) = node(stored(loopback()), 9).await;
    assert_eq!(hub.lookup(name).await.unwrap().claims[0].key, key(1));
    assert!(folder.join("node.key.damaged-1").exists());
    hub.shutdown().await;
    std::fs::remove_dir_all(folder).unwrap();
}
