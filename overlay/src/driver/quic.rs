//! Links over QUIC (RFC 9000): one endpoint, one bidirectional stream per connection.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use quinn::{
    Connection, ConnectionError, Endpoint, RecvStream, SendStream, TokioRuntime, TransportConfig, VarInt,
};
use rustls::pki_types::CertificateDer;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{
    StartError,
    link::{
        self, FLUSH_TIMEOUT, HANDSHAKE_TIMEOUT, KEEP_ALIVE, LinkEvent, Liveness, Opened, Outgoing,
        UNANSWERED, Udp,
    },
    reset,
    tcp::Numbers,
    tls::{self, Tls},
};
use crate::{
    identity::{LinkKey, LinkSecret},
    node::LinkId,
    outcome::{Carrier, Ends},
};

/// Handshakes answered at a time; further ones are refused.
const HANDSHAKES: usize = 256;

/// Unacknowledged bytes the other side may send us on one link.
const RECEIVE_WINDOW: u32 = 256 * 1024;

/// What both sides of a link set. Datagrams stay at the size every path carries: frames are few and short, and probing
/// for more would cost an idle leaf more than all it has to say.
fn transport() -> Result<TransportConfig, StartError> {
    let idle = UNANSWERED.try_into().map_err(|_| StartError::Tls("no idle timeout".into()))?;
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(idle))
        .mtu_discovery_config(None)
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .datagram_receive_buffer_size(None);
    Ok(transport)
}

fn server(tls: &Tls) -> Result<quinn::ServerConfig, StartError> {
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls.server()?)
        .map_err(|error| StartError::Tls(error.to_string()))?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport()?));
    Ok(config)
}

fn client(tls: &Tls, expected: Option<LinkKey>) -> Result<quinn::ClientConfig, StartError> {
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls.client(expected)?)
        .map_err(|error| StartError::Tls(error.to_string()))?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    let mut transport = transport()?;
    // Whoever dialled keeps the link alive.
    transport.keep_alive_interval(Some(KEEP_ALIVE));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Binds the endpoint of a supernode, which also dials.
pub(super) fn listen(tls: &Tls, secret: &LinkSecret, address: SocketAddr) -> Result<Endpoint, StartError> {
    let config = server(tls)?;
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
pub(super) async fn accept(endpoint: Endpoint, numbers: Numbers, events: mpsc::Sender<LinkEvent>) {
    let mut tasks = JoinSet::new();
    let handshakes = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES));
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
        let (link, events) = (numbers.next(), events.clone());
        tasks.spawn(async move {
            let greeted = timeout(HANDSHAKE_TIMEOUT, async {
                let connection = incoming.await.ok()?;
                let (send, receive) = connection.accept_bi().await.ok()?;
                Some(Stream { connection, send, receive })
            })
            .await;
            drop(permit);
            if let Ok(Some(stream)) = greeted {
                stream.serve(link, events).await;
            }
        });
    }
}

/// What became of a dial.
#[derive(Debug)]
pub(super) enum Dialled {
    /// The stream is open.
    Open(Stream),
    /// Somebody is there, and not for us; or no packet can be sent there at all.
    Refused,
    /// Silence.
    NoAnswer,
}

/// Opens one link's stream. Dropping the future gives it up.
pub(super) async fn dial(
    endpoint: &Endpoint,
    tls: &Tls,
    address: SocketAddr,
    expected: Option<LinkKey>,
) -> Dialled {
    let Ok(config) = client(tls, expected) else { return Dialled::Refused };
    let Ok(connecting) = endpoint.connect_with(config, address, tls::SERVER_NAME) else {
        return Dialled::Refused;
    };
    let connection = match connecting.await {
        Ok(connection) => connection,
        Err(ConnectionError::TimedOut) => return Dialled::NoAnswer,
        Err(_) => return Dialled::Refused,
    };
    match connection.open_bi().await {
        Ok((send, receive)) => Dialled::Open(Stream { connection, send, receive }),
        Err(_) => Dialled::Refused,
    }
}

/// An open connection and its one stream.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
}

impl Stream {
    /// Serves the link to its end.
    pub(super) async fn serve(self, link: LinkId, events: mpsc::Sender<LinkEvent>) {
        let Self { connection, send, receive } = self;
        if let Some(peer) = peer_key(&connection) {
            let remote = canonical(connection.remote_address());
            let ends = Ends { peer, remote, carrier: Carrier::Quic };
            let pulse = Some(Pulse(connection.clone()));
            let opened = Opened { ends, udp: Udp::Answered, pulse };
            link::serve(link, opened, (receive, send), Liveness::Transport, events).await;
        } else {
            let _ = events.send(LinkEvent::Down { link }).await;
        }
        connection.close(VarInt::from_u32(0), b"");
    }
}

/// A connection, to be asked how long a packet takes there and back over it.
#[derive(Debug, Clone)]
pub(super) struct Pulse(Connection);

impl Pulse {
    /// How long that took lately: whoever dialled keeps the connection alive, and every acknowledgement is measured.
    pub(super) fn round_trip(&self) -> Duration {
        self.0.rtt()
    }
}

impl Outgoing for SendStream {
    async fn finish(mut self) {
        if SendStream::finish(&mut self).is_ok() {
            // Whoever does not acknowledge by then will not.
            let _ = timeout(FLUSH_TIMEOUT, self.stopped()).await;
        }
    }
}

/// A socket for both families sees IPv4 addresses inside IPv6 ones.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn peer_key(connection: &Connection) -> Option<LinkKey> {
    let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    tls::peer_key(&identity)
}
