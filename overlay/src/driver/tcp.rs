//! Links over TLS 1.3 over TCP, for networks that let no UDP through. The same keys and frames as over QUIC; an empty
//! frame keeps a silent link alive.
//!
//! ```text
//!  accepted ─room for a handshake?─▶ first byte, handshake (5 s, 256 in total, 32 per prefix) ─ALPN and key─▶ link ─▶ gone
//!      └────────── no ──────────────▶ closed at once        └─ TURN, or TLS without our ALPN ─▶ the relay beside us
//! ```

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncWriteExt as _, WriteHalf},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream, server};

use super::{
    StartError,
    beside::RelayDoor,
    link::{self, FLUSH_TIMEOUT, HANDSHAKE_TIMEOUT, LinkEvent, Liveness, Opened, Outgoing, Udp},
    quic::canonical,
    tls::{self, Tls},
};
use crate::{
    config::Network,
    identity::LinkKey,
    node::LinkId,
    outcome::{Carrier, Ends},
    routing::Prefix,
    wire::ALPN,
};

/// Half-open handshakes on one port; a further connection is closed at once.
const HANDSHAKES: usize = 256;

/// The same from one address prefix.
const HANDSHAKES_PER_PREFIX: usize = 32;

/// The first byte of a TLS record with a handshake in it (RFC 8446 §5.1), and of a STUN request (RFC 8489 §5).
const TLS_HANDSHAKE: u8 = 0x16;
const STUN_REQUEST: u8 = 0x00;

/// When the system has no more descriptors, how long to let others end.
const BREATH: Duration = Duration::from_millis(100);

/// Numbers links that were accepted, over all ports.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Arc<AtomicU64>);

impl Numbers {
    pub(super) fn next(&self) -> LinkId {
        LinkId::Inbound(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Binds a port to accept on.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::ListenTcp { address, source })
}

/// What may lie behind one port.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    pub(super) network: Network,
    pub(super) links: Arc<rustls::ServerConfig>,
    /// Nothing while no relay runs beside us: who wants one is closed.
    pub(super) relay: watch::Receiver<Option<RelayDoor>>,
}

/// Who stands at the door.
enum Visitor {
    Link(Box<Stream>),
    Turn(RelayDoor, TcpStream),
    TurnOverTls(RelayDoor, Box<server::TlsStream<TcpStream>>),
}

/// Accepts links, and clients of the relay, for ever.
pub(super) async fn accept(
    listener: TcpListener,
    doors: Doors,
    numbers: Numbers,
    events: mpsc::Sender<LinkEvent>,
) {
    let mut handshakes = Handshakes::default();
    let mut pending = JoinSet::new();
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let prefix = Prefix::of(doors.network, canonical(from));
                    if handshakes.begin(prefix) {
                        let doors = doors.clone();
                        pending.spawn(async move {
                            let greeted = timeout(HANDSHAKE_TIMEOUT, greet(stream, from, doors)).await;
                            (prefix, from, greeted.ok().flatten())
                        });
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a TCP connection could not be accepted");
                    sleep(BREATH).await;
                }
            },
            // A handshake that panicked would keep its place; none does.
            Some(Ok((prefix, from, visitor))) = pending.join_next() => {
                handshakes.end(prefix);
                match visitor {
                    Some(Visitor::Link(stream)) => {
                        visits.spawn(stream.serve(numbers.next(), Udp::Untried, events.clone()));
                    }
                    Some(Visitor::Turn(relay, stream)) => {
                        // A connection that refuses is slower.
                        let _ = relay::driver::prepare(&stream);
                        visits.spawn(async move { relay.streams.serve(stream, from).await });
                    }
                    Some(Visitor::TurnOverTls(relay, stream)) => {
                        let _ = relay::driver::prepare(stream.get_ref().0);
                        visits.spawn(async move { relay.streams.serve(*stream, from).await });
                    }
                    None => {}
                }
            }
            Some(_) = visits.join_next() => {}
        }
    }
}

async fn greet(stream: TcpStream, from: SocketAddr, doors: Doors) -> Option<Visitor> {
    stream.set_nodelay(true).ok()?;
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    let relay = || doors.relay.borrow().clone();
    match first {
        [TLS_HANDSHAKE] => {
            let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await.ok()?;
            let wanted = hello.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == ALPN));
            if wanted {
                let stream = hello.into_stream(doors.links.clone()).await.ok()?;
                return Some(Visitor::Link(Box::new(Stream::proven(stream.into(), from)?)));
            }
            let relay = relay()?;
            let stream = hello.into_stream(relay.tls.clone()).await.ok()?;
            Some(Visitor::TurnOverTls(relay, Box::new(stream)))
        }
        [STUN_REQUEST] => Some(Visitor::Turn(relay()?, stream)),
        _ => None,
    }
}

/// Handshakes under way.
#[derive(Debug, Default)]
struct Handshakes {
    total: usize,
    by_prefix: BTreeMap<Prefix, usize>,
}

impl Handshakes {
    /// Whether there is room for one more; it is taken.
    fn begin(&mut self, prefix: Prefix) -> bool {
        let of_prefix = self.by_prefix.get(&prefix).copied().unwrap_or_default();
        if self.total >= HANDSHAKES || of_prefix >= HANDSHAKES_PER_PREFIX {
            return false;
        }
        self.total += 1;
        self.by_prefix.insert(prefix, of_prefix + 1);
        true
    }

    fn end(&mut self, prefix: Prefix) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.by_prefix.get_mut(&prefix) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_prefix.remove(&prefix);
            }
        }
    }
}

/// Opens one link's stream. Dropping the future gives it up.
pub(super) async fn dial(tls: &Tls, address: SocketAddr, expected: Option<LinkKey>) -> Option<Stream> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let connector = TlsConnector::from(Arc::new(tls.client(expected).ok()?));
    let name = ServerName::try_from(tls::SERVER_NAME).ok()?;
    Stream::proven(connector.connect(name, stream).await.ok()?.into(), address)
}

/// An open connection whose other side has proven its key.
#[derive(Debug)]
pub(super) struct Stream {
    tls: TlsStream<TcpStream>,
    ends: Ends,
}

impl Stream {
    fn proven(tls: TlsStream<TcpStream>, remote: SocketAddr) -> Option<Self> {
        let (_, session) = tls.get_ref();
        // TLS lets a side that names no protocol at all pass.
        if session.alpn_protocol() != Some(ALPN) {
            return None;
        }
        let peer = tls::peer_key(session.peer_certificates()?)?;
        let ends = Ends { peer, remote: canonical(remote), carrier: Carrier::Tcp };
        Some(Self { tls, ends })
    }

    /// Serves the link to its end.
    pub(super) async fn serve(self, link: LinkId, udp: Udp, events: mpsc::Sender<LinkEvent>) {
        let (receive, send) = tokio::io::split(self.tls);
        let opened = Opened { ends: self.ends, udp, pulse: None };
        link::serve(link, opened, (receive, send), Liveness::EmptyFrames, events).await;
    }
}

impl Outgoing for WriteHalf<TlsStream<TcpStream>> {
    async fn finish(mut self) {
        if self.shutdown().await.is_ok() {
            // The other side closes once it has read everything, which ends the reading beside us. To close while its
            // bytes lie unread here would take away the last of ours.
            sleep(FLUSH_TIMEOUT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> Prefix {
        Prefix::V4([10, last])
    }

    #[test]
    fn half_open_handshakes_are_bounded_for_each_prefix_and_in_total() {
        let mut handshakes = Handshakes::default();
        let taken = (0..100).filter(|_| handshakes.begin(from(1))).count();
        assert_eq!(taken, HANDSHAKES_PER_PREFIX);
        assert!(handshakes.begin(from(2)), "others have their own places");

        handshakes.end(from(1));
        assert!(handshakes.begin(from(1)), "a finished handshake makes room");

        let taken = (3..=255).filter(|last| handshakes.begin(from(*last))).count();
        assert_eq!(taken, HANDSHAKES - HANDSHAKES_PER_PREFIX - 1);
        assert!(!handshakes.begin(Prefix::V4([11, 0])));
        handshakes.end(from(2));
        assert!(!handshakes.by_prefix.contains_key(&from(2)), "nothing is kept of those who are done");
    }
}
