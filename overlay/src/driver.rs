//! The driver: real sockets, clocks and files under the core.

mod handle;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use relay::{Credentials, UnixTime};
use tokio::sync::{mpsc, watch};

pub use self::handle::Handle;
use self::handle::{COMMAND_QUEUE, Command};
use crate::{
    config::{NatKind, Network, Role},
    error::{LookupError, OfflineReason, RegisterError, RelaysError, SendError},
    identity::{Identity, PublicKey},
    outcome::{Stats, Status},
};

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which network; must equal everybody else's.
    pub network: Network,
    /// Where QUIC listens; `None`: every address, any port.
    pub listen: Option<SocketAddr>,
    /// What this node wants to do for others.
    pub role: RoleWish,
    /// First supernodes as `host:port`; resolved again and again until one answers.
    pub bootstrap: Vec<String>,
    /// Whether to look for, and as a supernode to announce, supernodes on the LAN.
    pub mdns: Mdns,
    /// The bytes of the last [`Event::Cache`]; empty at the first start. Damaged bytes are ignored.
    pub cache: Vec<u8>,
    /// Where a supernode keeps its node key and the claims it holds; `None`: in memory only.
    pub storage: Option<PathBuf>,
}

impl Config {
    /// A leaf with nothing set but its network.
    pub fn leaf(network: Network) -> Self {
        Self {
            network,
            listen: None,
            role: RoleWish::Leaf,
            bootstrap: Vec::new(),
            mdns: Mdns::On,
            cache: Vec::new(),
            storage: None,
        }
    }
}

/// What a node wants to do for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleWish {
    /// Nothing.
    Leaf,
    /// Directory, introducer and relay.
    Supernode {
        /// Where the relay listens (UDP); `None`: beside QUIC, any port.
        relay_listen: Option<SocketAddr>,
        /// The address others reach us at, when it is not the one listened on.
        public_ip: Option<IpAddr>,
        /// Most leaves served.
        max_leaves: usize,
    },
}

/// Multicast DNS on the local network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mdns {
    /// Look and announce. Machines without multicast just go on.
    On,
    /// Neither.
    Off,
}

/// What a running node reports.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// At least one home can ring us; again whenever the number of homes or the NAT verdict changes.
    Online {
        /// Homes.
        homes: usize,
        /// What they saw of our address translation.
        nat: NatKind,
    },
    /// No home for some seconds. The node goes on trying for ever.
    Offline {
        /// Why.
        reason: OfflineReason,
    },
    /// What this node does for others, once at the start.
    Role(Role),
    /// The relay beside this supernode is serving.
    Relay {
        /// Where.
        udp: SocketAddr,
        /// Its realm.
        realm: String,
        /// One long-lived credential, in the lab network only.
        lab_credential: Option<Credentials>,
    },
    /// Somebody's envelope, opened, its sender verified.
    Envelope {
        /// Who sent it.
        from: PublicKey,
        /// When, by the sender's clock (within two minutes of ours).
        sent: UnixTime,
        /// What the application put in.
        payload: Vec<u8>,
    },
    /// Supernodes known, to be given to [`Config::cache`] at the next start.
    Cache(Vec<u8>),
    /// The address QUIC listens on, once at the start.
    Listening {
        /// The bound address.
        quic: SocketAddr,
    },
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The QUIC port is taken or the address is not ours.
    #[error("cannot listen on {address} (UDP): {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The relay beside the supernode did not start.
    #[error("the relay does not start: {0}")]
    Relay(#[from] relay::driver::StartError),
    /// Nobody could reach this supernode.
    #[error(
        "a supernode needs an address everybody can reach, and {address} is not: listen on a public address or give --public IP"
    )]
    NoPublicAddress {
        /// The address it would have announced.
        address: SocketAddr,
    },
    /// The storage folder cannot be used.
    #[error("cannot use the folder {}: {source}", path.display())]
    Storage {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// TLS could not be set up: a fault of this program.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Events waiting for the application.
const EVENT_QUEUE: usize = 256;

/// Starts a node on the current tokio runtime. Returns at once; [`Event::Online`] follows when a home is up.
pub async fn start(
    config: Config,
    identity: Identity,
) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
    let _ = (config, identity);
    let (commands, mut inbox) = mpsc::channel(COMMAND_QUEUE);
    let (events, reports) = mpsc::channel(EVENT_QUEUE);
    let status = Status {
        homes: 0,
        supernodes_known: 0,
        role: Role::Leaf,
        nat: NatKind::Unknown,
        observed: None,
        stats: Stats::default(),
    };
    let (publish, status) = watch::channel(status);
    tokio::spawn(async move {
        while let Some(command) = inbox.recv().await {
            // The asker may be gone: nothing to do then.
            let _ = match command {
                Command::Register(name, reply) => {
                    !name.as_str().is_empty() && reply.send(Err(RegisterError::Offline)).is_ok()
                }
                Command::Lookup(name, reply) => {
                    !name.as_str().is_empty() && reply.send(Err(LookupError::Offline)).is_ok()
                }
                Command::Send(to, payload, reply) => reply
                    .send(Err(if payload.len() > crate::MAX_PAYLOAD || to.bytes().is_empty() {
                        SendError::TooLong
                    } else {
                        SendError::Offline
                    }))
                    .is_ok(),
                Command::Reachable(to, reply) => {
                    !to.bytes().is_empty() && reply.send(Err(LookupError::Offline)).is_ok()
                }
                Command::Relays(reply) => reply.send(Err(RelaysError::Offline)).is_ok(),
                Command::Shutdown(reply) => reply.send(()).is_ok(),
            };
        }
        drop((events, publish));
    });
    tokio::task::yield_now().await;
    Ok((Handle { commands, status }, reports))
}
