//! Real sockets and clocks under the relay.
//!
//! Threads of their own carry packets (`shard`), as many as [`ServerConfig::threads`] says, each with its own socket at
//! the listening address; the kernel keeps a client with one of them. Clients over TCP and TLS are tasks (`stream`).
//! Dropping the [`RelayServer`] ends all of them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the driver: the one place of the crate that owns sockets and reads clocks"
)]

mod batch;
mod dial;
mod forward;
mod hub;
#[cfg(target_os = "linux")]
mod mmsg;
#[cfg(any(test, not(target_os = "linux")))]
mod one_by_one;
mod shard;
mod stream;
mod tls;

#[cfg(target_os = "linux")]
use mmsg as io;
#[cfg(not(target_os = "linux"))]
use one_by_one as io;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use mio::{Interest, Poll, Waker};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use self::batch::{Batch, SLOTS};
pub use self::dial::{RelayStream, Security, dial, prepare};
pub use self::forward::forward;
use self::hub::{Hub, LISTENER, Thread, WAKE};
use self::shard::Shard;
pub use self::stream::StreamDoor;
use self::stream::Streams;
pub use self::tls::TlsIdentity;
use crate::server::{Receipt, Server, ServerConfig, Stats, TcpListen};
use crate::wire::AddressFamily;
use crate::{Now, UnixTime};

/// Room asked of the system for datagrams that wait at a listening socket; it may give less.
const SOCKET_BUFFER: usize = 4 << 20;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often a port that is free for UDP and for TCP is looked for, when any port will do.
const PORT_ATTEMPTS: u32 = 16;

/// Reads both clocks. A wall clock set before 1970 reads as 1970.
pub fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix: UnixTime::from_duration(unix) }
}

/// A relay serving on real sockets; dropping it stops it.
#[derive(Debug)]
pub struct RelayServer {
    local: SocketAddr,
    tls: Option<SocketAddr>,
    door: StreamDoor,
    running: Running,
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
    /// The same for TCP or TLS.
    #[error("cannot listen on {address} (TCP): {source}")]
    BindTcp {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use the TLS certificate: {0}")]
    Certificate(std::io::Error),
    /// The system gives no threads.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// Listening on every address, and no route tells which one peers reach.
    #[error("listening on {address}, but no address to advertise: say --public IP")]
    NoPublicAddress {
        /// The address listened on.
        address: SocketAddr,
    },
}

impl RelayServer {
    /// Binds and starts serving. Clients over TCP and TLS are served on the current tokio runtime.
    ///
    /// When `config.listen` is an unspecified address and no public one is given, the address of the default route is
    /// advertised.
    pub async fn start(mut config: ServerConfig) -> Result<Self, StartError> {
        let threads = config.threads.max(1);
        let (sockets, tcp) = bind(&config, threads)?;
        let address = config.listen;
        let local = sockets
            .first()
            .ok_or(StartError::NoPublicAddress { address })?
            .local_addr()
            .map_err(|source| StartError::Bind { address, source })?;
        if config.public_ip.is_none() && local.ip().is_unspecified() {
            config.public_ip =
                Some(default_route(local.ip()).await.ok_or(StartError::NoPublicAddress { address })?);
        }
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let bind_error = |source| StartError::BindTcp { address: tls.listen, source };
                let listener = tcp_listener(tls.listen).map_err(bind_error)?;
                let identity = TlsIdentity::of(&tls.certificate).map_err(StartError::Certificate)?;
                let acceptor = TlsAcceptor::from(identity.config());
                Some((listener.local_addr().map_err(bind_error)?, listener, acceptor))
            }
        };
        let mut rng = StdRng::from_seed(config.seed);
        let limits = config.limits.clone();
        let policy = config.peers;
        let relay_binds = relay_binds(&config, local.ip());
        let server = Server::new(config, local, now());
        let (mut polls, mut parts) = (Vec::new(), Vec::new());
        for socket in sockets {
            let (poll, part) = thread_part(socket).map_err(StartError::Thread)?;
            polls.push(poll);
            parts.push(part);
        }
        let hub = Arc::new(Hub::new(server, parts, relay_binds, AddressFamily::of(local.ip())));
        let streams = Streams {
            hub: Arc::clone(&hub),
            policy,
            most: limits.streams,
            most_per_prefix: limits.streams_per_prefix,
            next: Arc::new(AtomicU64::new(0)),
            open: Arc::new(Mutex::new(BTreeMap::new())),
        };
        let alive = watch::Sender::new(());
        let door = StreamDoor { streams: streams.clone(), relay: alive.subscribe() };
        let mut running =
            Running { hub: Arc::clone(&hub), threads: Vec::new(), tasks: Vec::new(), _alive: alive };
        for (index, poll) in polls.into_iter().enumerate() {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            let hub = Arc::clone(&hub);
            let thread = thread::Builder::new().name(format!("relay-{index}"));
            running.threads.push(
                thread.spawn(move || Shard::new(hub, index, poll, seed).run()).map_err(StartError::Thread)?,
            );
        }
        if let Some(listener) = tcp {
            running.tasks.push(AbortOnDrop(tokio::spawn(streams.clone().serve(listener, None))));
        }
        let tls = tls.map(|(address, listener, acceptor)| {
            running.tasks.push(AbortOnDrop(tokio::spawn(streams.serve(listener, Some(acceptor)))));
            address
        });
        tracing::info!(port = local.port(), threads, "relay is listening");
        Ok(Self { local, tls, door, running })
    }

    /// Where it listens for UDP, and for TCP when it does.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for TLS.
    pub const fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Where connections are handed over that somebody else has accepted.
    pub fn door(&self) -> StreamDoor {
        self.door.clone()
    }

    /// What it did so far.
    pub fn stats(&self) -> Stats {
        self.running.hub.stats()
    }

    /// Receipts of allocations that ended since the last time this was asked.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.running.hub.control(0, |server| std::iter::from_fn(|| server.poll_receipt()).collect())
    }

    /// Makes no new allocations from now on; those that are left end when `within` has passed. Clients that ask are sent to
    /// `alternate`, if there is one.
    pub fn drain(&self, within: Duration, alternate: Option<SocketAddr>) {
        self.running.hub.control(0, |server| server.drain(now(), within, alternate));
    }

    /// Stops serving, closes every socket, and returns when that is done.
    pub async fn shutdown(mut self) {
        for AbortOnDrop(task) in &mut self.running.tasks {
            task.abort();
            // An error here says the task is gone, which is what we want.
            let _ = task.await;
        }
        self.running.join();
    }
}

/// Threads and tasks, ended when dropped.
struct Running {
    hub: Arc<Hub>,
    threads: Vec<JoinHandle<()>>,
    tasks: Vec<AbortOnDrop>,
    /// Dropped with us, which ends the streams that came through the door.
    _alive: watch::Sender<()>,
}

impl Running {
    /// A thread notices at once and ends within one round of its loop.
    fn join(&mut self) {
        self.hub.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked is gone, too.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.join();
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

/// Ends its task when dropped.
#[derive(Debug)]
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Bound = (Vec<mio::net::UdpSocket>, Option<TcpListener>);

/// All sockets at the listening address.
fn bind(config: &ServerConfig, threads: usize) -> Result<Bound, StartError> {
    let mut attempts = if config.listen.port() == 0 { PORT_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        let bind_error = |source| StartError::Bind { address: config.listen, source };
        let sockets = udp_sockets(config.listen, threads).map_err(bind_error)?;
        if config.tcp == TcpListen::Off {
            return Ok((sockets, None));
        }
        let Some(Ok(local)) = sockets.first().map(mio::net::UdpSocket::local_addr) else { continue };
        match tcp_listener(local) {
            Ok(listener) => return Ok((sockets, Some(listener))),
            Err(_) if attempts > 0 => {}
            Err(source) => return Err(StartError::BindTcp { address: local, source }),
        }
    }
}

fn udp_sockets(address: SocketAddr, threads: usize) -> std::io::Result<Vec<mio::net::UdpSocket>> {
    // The first is bound alone, so that an address somebody else shares in is an error and not half a relay.
    let alone = udp_socket(address, Sharing::Alone)?;
    if threads == 1 {
        return Ok(vec![alone]);
    }
    let address = alone.local_addr()?;
    drop(alone);
    (0..threads).map(|_| udp_socket(address, Sharing::Shared)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Alone,
    Shared,
}

fn udp_socket(address: SocketAddr, sharing: Sharing) -> std::io::Result<mio::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // One socket for both families; where the system cannot, IPv4 is not served.
        let _ = socket.set_only_v6(false);
    }
    #[cfg(unix)]
    if sharing == Sharing::Shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    if sharing == Sharing::Shared {
        return Err(std::io::ErrorKind::Unsupported.into());
    }
    // Smaller buffers lose more in a burst, and nothing else.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(mio::net::UdpSocket::from_std(socket.into()))
}

fn tcp_listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn thread_part(mut listener: mio::net::UdpSocket) -> std::io::Result<(Poll, Thread)> {
    let poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    registry.register(&mut listener, LISTENER, Interest::READABLE)?;
    let waker = Waker::new(&registry, WAKE)?;
    Ok((poll, Thread { listener, registry, waker, tally: Mutex::default() }))
}

/// Where relayed ports are bound: on every address when that is how the relay listens, else on the listening address, and
/// on the one of the other family.
fn relay_binds(config: &ServerConfig, listening: IpAddr) -> Vec<SocketAddr> {
    let mut binds: Vec<SocketAddr> = vec![SocketAddr::new(listening, 0)];
    for ip in config.public_ip.into_iter().chain(config.second_ip) {
        if binds.iter().any(|bind| bind.is_ipv4() == ip.is_ipv4()) {
            continue;
        }
        let everywhere: IpAddr = match ip {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        binds.push(SocketAddr::new(if listening.is_unspecified() { everywhere } else { ip }, 0));
    }
    binds
}

/// The address packets to the internet leave from; connecting a UDP socket sends nothing.
async fn default_route(unspecified: IpAddr) -> Option<IpAddr> {
    let somewhere: IpAddr = match unspecified {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = tokio::net::UdpSocket::bind(SocketAddr::new(unspecified, 0)).await.ok()?;
    socket.connect(SocketAddr::new(somewhere, 9)).await.ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
}
