//! QUIC under the links: endpoint, TLS 1.3 with raw public keys (RFC 7250), and one task per link that turns the
//! stream into frames. What goes over it is told in [`crate::wire`].

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use quinn::{Connection, Endpoint, RecvStream, SendStream, TokioRuntime, TransportConfig, VarInt};
use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{StartError, reset};
use crate::{
    identity::{LinkKey, LinkSecret},
    node::LinkId,
    wire::{ALPN, MAX_FRAME},
};

/// What happened on a link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The handshake is done. Frames go into `outbox`; dropping it flushes and closes the link.
    Up { link: LinkId, peer: LinkKey, remote: SocketAddr, outbox: mpsc::Sender<Vec<u8>> },
    /// A frame came.
    Message { link: LinkId, bytes: Vec<u8> },
    /// It could not be opened, or is gone.
    Down { link: LinkId },
}

/// Frames waiting to be written to one link; a link that lets more pile up is closed.
const OUTBOX: usize = 512;

/// Handshakes answered at a time; further ones are refused.
const HANDSHAKES: usize = 256;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Whoever dialled says so often that it is there: below the half minute after which routers forget a UDP mapping, and
/// often enough that a supernode that was restarted is noticed within ten seconds, by the reset it answers.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A silent peer is given up after this time, and the keep-alive before it.
const IDLE_TIMEOUT_MS: u32 = 25_000;

/// Unacknowledged bytes the other side may send us on one link.
const RECEIVE_WINDOW: u32 = 256 * 1024;

/// The keys and settings links are made of.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    certified: Arc<CertifiedKey>,
    dialling: Arc<TransportConfig>,
    answering: Arc<TransportConfig>,
}

impl Tls {
    pub(super) fn new(secret: &LinkSecret) -> Result<Self, StartError> {
        let fault = |error: String| StartError::Tls(error);
        let der = [ED25519_PKCS8.as_slice(), &secret.secret()].concat();
        let key = PrivatePkcs8KeyDer::from(der);
        let signer = ring::sign::any_eddsa_type(&key).map_err(|error| fault(error.to_string()))?;
        let spki = signer.public_key().ok_or_else(|| fault("no public key".into()))?.to_vec();
        let mut dialling = transport();
        dialling.keep_alive_interval(Some(KEEP_ALIVE));
        Ok(Self {
            provider: Arc::new(ring::default_provider()),
            certified: Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signer)),
            dialling: Arc::new(dialling),
            answering: Arc::new(transport()),
        })
    }

    fn server(&self) -> Result<quinn::ServerConfig, StartError> {
        let verifier =
            RawKeys { algorithms: self.provider.signature_verification_algorithms, expected: None };
        let mut tls = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| StartError::Tls(error.to_string()))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(self.certified.clone())));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls)
            .map_err(|error| StartError::Tls(error.to_string()))?;
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(self.answering.clone());
        Ok(config)
    }

    fn client(&self, expected: Option<LinkKey>) -> Result<quinn::ClientConfig, StartError> {
        let verifier = RawKeys { algorithms: self.provider.signature_verification_algorithms, expected };
        let mut tls = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| StartError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                self.certified.clone(),
            )));
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls)
            .map_err(|error| StartError::Tls(error.to_string()))?;
        let mut config = quinn::ClientConfig::new(Arc::new(crypto));
        config.transport_config(self.dialling.clone());
        Ok(config)
    }
}

/// What both sides of a link set. Datagrams stay at the size every path carries: frames are few and short, and probing
/// for more would cost an idle leaf more than all it has to say.
fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_TIMEOUT_MS).into()))
        .mtu_discovery_config(None)
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .datagram_receive_buffer_size(None);
    transport
}

/// Binds the endpoint of a supernode, which also dials.
pub(super) fn listen(tls: &Tls, secret: &LinkSecret, address: SocketAddr) -> Result<Endpoint, StartError> {
    let config = tls.server()?;
    UdpSocket::bind(address)
        .and_then(|socket| {
            Endpoint::new(reset::endpoint_config(secret), Some(config), socket, Arc::new(TokioRuntime))
        })
        .map_err(|source| StartError::Listen { address, source })
}

/// Binds the endpoint of a leaf, which only dials.
pub(super) fn dial_only(address: SocketAddr) -> Result<Endpoint, StartError> {
    Endpoint::client(address).map_err(|source| StartError::Listen { address, source })
}

/// Accepts links for ever.
pub(super) async fn accept(endpoint: Endpoint, events: mpsc::Sender<LinkEvent>) {
    let mut tasks = JoinSet::new();
    let handshakes = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES));
    let mut number = 0;
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            Some(_) = tasks.join_next() => continue,
        };
        let Some(incoming) = incoming else { return };
        let Ok(permit) = handshakes.clone().try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        number += 1;
        let (link, events) = (LinkId::Inbound(number), events.clone());
        tasks.spawn(async move {
            let greeted = timeout(HANDSHAKE_TIMEOUT, async {
                let connection = incoming.await.ok()?;
                let stream = connection.accept_bi().await.ok()?;
                Some((connection, stream))
            })
            .await;
            drop(permit);
            if let Ok(Some((connection, stream))) = greeted {
                serve(connection, stream, link, events).await;
            }
        });
    }
}

/// Opens one link and serves it to its end.
pub(super) async fn open(
    endpoint: Endpoint,
    tls: Tls,
    link: LinkId,
    address: SocketAddr,
    expected: Option<LinkKey>,
    events: mpsc::Sender<LinkEvent>,
) {
    let connected = timeout(HANDSHAKE_TIMEOUT, async {
        let config = tls.client(expected).ok()?;
        let connection = endpoint.connect_with(config, address, "silbo").ok()?.await.ok()?;
        let stream = connection.open_bi().await.ok()?;
        Some((connection, stream))
    })
    .await;
    match connected {
        Ok(Some((connection, stream))) => serve(connection, stream, link, events).await,
        Ok(None) | Err(_) => {
            // The node's task is gone when this fails.
            let _ = events.send(LinkEvent::Down { link }).await;
        }
    }
}

async fn serve(
    connection: Connection,
    (send, receive): (SendStream, RecvStream),
    link: LinkId,
    events: mpsc::Sender<LinkEvent>,
) {
    if let Some(peer) = peer_key(&connection) {
        let remote = connection.remote_address();
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        let (outbox, frames) = mpsc::channel(OUTBOX);
        if events.send(LinkEvent::Up { link, peer, remote, outbox }).await.is_ok() {
            tokio::select! {
                () = write_frames(send, frames) => {}
                () = read_frames(receive, link, &events) => {}
            }
        }
    }
    connection.close(VarInt::from_u32(0), b"");
    let _ = events.send(LinkEvent::Down { link }).await;
}

async fn write_frames(mut send: SendStream, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        let Ok(length) = u32::try_from(frame.len()) else { return };
        let bytes = [length.to_be_bytes().as_slice(), &frame].concat();
        if send.write_all(&bytes).await.is_err() {
            return;
        }
    }
    // The last frame says why the link ends: give it time to arrive.
    if send.finish().is_ok() {
        let _ = timeout(FLUSH_TIMEOUT, send.stopped()).await;
    }
}

/// Reads until the stream ends or carries a frame no honest peer writes.
async fn read_frames(mut receive: RecvStream, link: LinkId, events: &mpsc::Sender<LinkEvent>) {
    loop {
        let mut length = [0; 4];
        if receive.read_exact(&mut length).await.is_err() {
            return;
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 || length > MAX_FRAME {
            return;
        }
        let mut bytes = vec![0; length];
        if receive.read_exact(&mut bytes).await.is_err() {
            return;
        }
        // A full queue makes this link wait, and QUIC's flow control the other side.
        if events.send(LinkEvent::Message { link, bytes }).await.is_err() {
            return;
        }
    }
}

fn peer_key(connection: &Connection) -> Option<LinkKey> {
    let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    key_of(identity.first()?.as_ref())
}

/// The PKCS #8 form of an Ed25519 secret is this and the secret (RFC 8410 §7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The SubjectPublicKeyInfo of an Ed25519 key is this and the key (RFC 8410 §4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn key_of(spki: &[u8]) -> Option<LinkKey> {
    let key = spki.strip_prefix(&ED25519_SPKI)?;
    Some(LinkKey::from_bytes(key.try_into().ok()?))
}

/// Accepts every key, or exactly the expected one; who may do what is the core's business.
#[derive(Debug)]
struct RawKeys {
    algorithms: WebPkiSupportedAlgorithms,
    expected: Option<LinkKey>,
}

impl RawKeys {
    fn check(&self, spki: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let key = key_of(spki.as_ref()).ok_or_else(|| rustls::Error::General("not an Ed25519 key".into()))?;
        match self.expected {
            Some(expected) if expected != key => {
                Err(rustls::Error::General("another key than expected".into()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(spki.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }
}

impl ServerCertVerifier for RawKeys {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for RawKeys {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
