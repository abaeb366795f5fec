//! Real sockets and clocks under the relay.
//!
//! One task owns the [`Server`] and its sockets' write sides; each allocation has a small task that reads its relayed
//! port into a bounded queue. Dropping the [`RelayServer`] ends all of them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the driver: the one place of the crate that owns sockets and reads clocks"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::server::{
    AllocationId, Effect, PortOutcome, PortParity, Server, ServerConfig, Stats, Transmit, Via,
};
use crate::{Now, UnixTime};

/// Datagrams from peers that wait for the server; when it is full, newer ones are dropped, as a full socket would.
const PEER_QUEUE: usize = 1024;
/// Datagrams taken from one source before the others get their turn.
const BATCH: usize = 64;
/// The longest datagram from a client.
const MAX_CLIENT_DATAGRAM: usize = 65_535;
/// The longest datagram from a peer; longer ones are dropped, not cut.
const MAX_PEER_DATAGRAM: usize = 4096;
/// Ports asked of the system until one is even.
const PORT_ATTEMPTS: u32 = 32;
/// How long the server sleeps when it has nothing to expire.
const IDLE: Duration = Duration::from_secs(3600);

/// Reads both clocks. A wall clock set before 1970 reads as 1970.
pub fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix: UnixTime::from_duration(unix) }
}

/// A relay serving on real sockets; dropping it stops it.
#[derive(Debug)]
pub struct RelayServer {
    local: SocketAddr,
    stats: watch::Receiver<Stats>,
    stop: Option<oneshot::Sender<()>>,
    task: AbortOnDrop,
}

/// Why a relay could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The listening address is taken or not ours.
    #[error("cannot listen on {address} (UDP): {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Listening on every address, and no route tells which one peers reach.
    #[error("listening on {address}, but no address to advertise: say --public IP")]
    NoPublicAddress {
        /// The address listened on.
        address: SocketAddr,
    },
}

impl RelayServer {
    /// Binds and starts serving on the current tokio runtime.
    ///
    /// When `config.listen` is an unspecified address and no public one is given, the address of the default route is
    /// advertised.
    pub async fn start(mut config: ServerConfig) -> Result<Self, StartError> {
        let address = config.listen;
        let bind_error = |source| StartError::Bind { address, source };
        let listener = UdpSocket::bind(address).await.map_err(bind_error)?;
        let local = listener.local_addr().map_err(bind_error)?;
        if config.public_ip.is_none() && local.ip().is_unspecified() {
            config.public_ip =
                Some(default_route(local.ip()).await.ok_or(StartError::NoPublicAddress { address })?);
        }
        tracing::info!(port = local.port(), "relay is listening");
        let (stats_sender, stats) = watch::channel(Stats::default());
        let (stop, stopped) = oneshot::channel();
        let (from_peers, peers) = mpsc::channel(PEER_QUEUE);
        let driver = Driver {
            relay_bind: SocketAddr::new(local.ip(), 0),
            server: Server::new(config, local, now()),
            listener,
            ports: BTreeMap::new(),
            from_peers,
            stats: stats_sender,
        };
        let task = AbortOnDrop(tokio::spawn(driver.run(peers, stopped)));
        Ok(Self { local, stats, stop: Some(stop), task })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it did so far.
    pub fn stats(&self) -> Stats {
        *self.stats.borrow()
    }

    /// Stops serving, closes every socket, and returns when that is done.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // An error here says the task is gone, which is what we want.
        let _ = (&mut self.task.0).await;
    }
}

/// Ends its task when dropped.
#[derive(Debug)]
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One relayed port: what to send from, and the task that reads it.
struct RelayPort {
    socket: Arc<UdpSocket>,
    _reader: AbortOnDrop,
}

struct FromPeer {
    id: AllocationId,
    from: SocketAddr,
    payload: Vec<u8>,
}

struct Driver {
    server: Server,
    listener: UdpSocket,
    relay_bind: SocketAddr,
    ports: BTreeMap<AllocationId, RelayPort>,
    from_peers: mpsc::Sender<FromPeer>,
    stats: watch::Sender<Stats>,
}

impl Driver {
    async fn run(mut self, mut peers: mpsc::Receiver<FromPeer>, mut stopped: oneshot::Receiver<()>) {
        let mut buffer = vec![0; MAX_CLIENT_DATAGRAM];
        loop {
            let wake = self.server.poll_timeout().map_or_else(|| Instant::now() + IDLE, |(at, _)| at);
            tokio::select! {
                biased;
                // Priority 1: stop when told to, or when whoever started us is gone.
                _ = &mut stopped => break,
                // Priority 2: what has expired makes room.
                () = tokio::time::sleep_until(wake.into()) => self.server.handle_timeout(now()),
                // Priority 3: payloads already on their way to clients.
                Some(received) = peers.recv() => {
                    self.server.handle_peer(now(), received.id, received.from, &received.payload);
                    for _ in 1..BATCH {
                        let Ok(received) = peers.try_recv() else { break };
                        self.server.handle_peer(now(), received.id, received.from, &received.payload);
                    }
                }
                // Priority 4: clients.
                readable = self.listener.readable() => {
                    if readable.is_ok() {
                        self.read_clients(&mut buffer).await;
                    }
                }
            }
            self.carry_out().await;
            self.stats.send_replace(self.server.stats());
            // Readiness never runs out under a flood: let the relayed ports' readers have their turn.
            tokio::task::yield_now().await;
        }
    }

    async fn read_clients(&mut self, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            // An error is "nothing more", or an ICMP message about an earlier reply, which is not news.
            let Ok((length, from)) = self.listener.try_recv_from(buffer) else { break };
            self.server.handle_client(now(), from, &buffer[..length]);
            self.carry_out().await;
        }
    }

    /// Sends what the server wants sent and does what it wants done.
    async fn carry_out(&mut self) {
        loop {
            while let Some(Transmit { via, to, payload }) = self.server.poll_transmit() {
                let socket = match via {
                    Via::Listener => Some(&self.listener),
                    Via::Relayed(id) => self.ports.get(&id).map(|port| &*port.socket),
                };
                // A full send buffer or an unreachable peer loses the datagram, as any network may.
                let _ = socket.map(|socket| socket.try_send_to(&payload, to));
            }
            match self.server.poll_effect() {
                Some(Effect::OpenRelayPort(id, parity)) => {
                    let outcome = self.open(id, parity).await;
                    self.server.handle_relay_port(now(), id, outcome);
                }
                Some(Effect::CloseRelayPort(id)) => {
                    self.ports.remove(&id);
                }
                None => break,
            }
        }
    }

    async fn open(&mut self, id: AllocationId, parity: PortParity) -> PortOutcome {
        for _ in 0..PORT_ATTEMPTS {
            let Ok(socket) = UdpSocket::bind(self.relay_bind).await else { break };
            let Ok(local) = socket.local_addr() else { break };
            if parity == PortParity::Even && local.port() % 2 == 1 {
                continue;
            }
            let socket = Arc::new(socket);
            let reader = tokio::spawn(read_port(id, Arc::clone(&socket), self.from_peers.clone()));
            self.ports.insert(id, RelayPort { socket, _reader: AbortOnDrop(reader) });
            return PortOutcome::Opened(local.port());
        }
        PortOutcome::Refused
    }
}

async fn read_port(id: AllocationId, socket: Arc<UdpSocket>, server: mpsc::Sender<FromPeer>) {
    let mut buffer = [0; MAX_PEER_DATAGRAM + 1];
    loop {
        // An error is an ICMP message about something we sent: the port lives on.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if length > MAX_PEER_DATAGRAM {
            continue;
        }
        let payload = buffer[..length].to_vec();
        if let Err(mpsc::error::TrySendError::Closed(_)) = server.try_send(FromPeer { id, from, payload }) {
            break;
        }
    }
}

/// The address packets to the internet leave from; connecting a UDP socket sends nothing.
async fn default_route(unspecified: IpAddr) -> Option<IpAddr> {
    let somewhere: IpAddr = match unspecified {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(unspecified, 0)).await.ok()?;
    socket.connect(SocketAddr::new(somewhere, 9)).await.ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
}
