//! The driver: real sockets, clocks and files under the core.
//!
//! [`start`] binds and spawns one task that owns the [`Node`] and everything else; what that task
//! waits for, and in which order, is in `run`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the driver: the one place of the crate that owns sockets and asks the system for randomness"
)]

mod bootstrap;
mod handle;
mod lan;
mod link;
mod mainline;
mod quic;
mod reach;
mod reset;
mod run;
mod storage;
mod tcp;
mod tls;
mod work;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use quinn::Endpoint;
use relay::{CredentialIssuer, Credentials, UnixTime, driver::RelayServer, server::PeerPolicy};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use self::storage::read_log;
use self::{
    handle::COMMAND_QUEUE,
    mainline::Rendezvous,
    run::{Parts, Runner},
    tls::Tls,
};
pub use self::{handle::Handle, mainline::Mainline};
use crate::{
    config::{Limits, NatKind, Network, NodeConfig, RelayConfig, Role, SupernodeConfig},
    error::OfflineReason,
    hint::Hint,
    identity::{Identity, LinkSecret, PublicKey},
    node::Node,
    outcome::Registration,
    routing::is_public,
    username::Username,
};

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which network; must equal everybody else's.
    pub network: Network,
    /// Where QUIC listens, and a supernode's TLS over TCP at the same port number; `None`: every address, any port.
    pub listen: Option<SocketAddr>,
    /// What this node wants to do for others.
    pub role: RoleWish,
    /// First supernodes as `host:port`; resolved again and again until one answers.
    pub bootstrap: Vec<String>,
    /// Whether to look for, and as a supernode to announce, supernodes on the LAN.
    pub mdns: Mdns,
    /// Whether to look, and as a supernode to announce, in the BitTorrent Mainline DHT.
    pub mainline: Mainline,
    /// Supernodes that an invite or a release names.
    pub hints: Vec<Hint>,
    /// The bytes of the last [`Event::Cache`]; empty at the first start. Damaged bytes are ignored.
    pub cache: Vec<u8>,
    /// Where a supernode keeps its node key and the claims it holds; `None`: in memory only.
    pub storage: Option<PathBuf>,
}

impl Config {
    /// A leaf with nothing set but its network. Test networks stay out of the public Mainline DHT.
    pub fn leaf(network: Network) -> Self {
        Self {
            network,
            listen: None,
            role: RoleWish::Leaf,
            bootstrap: Vec::new(),
            mdns: Mdns::On,
            mainline: match network {
                Network::Main => Mainline::Public,
                Network::Lab => Mainline::Off,
            },
            hints: Vec::new(),
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
        /// Where links are accepted over TCP beside the port of QUIC; the first of these is announced.
        tcp_listen: Vec<SocketAddr>,
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
    /// What this node does for others: at the start, and whenever a volunteer begins or ceases to serve.
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
    /// A letter somebody left while we were away, opened, its sender verified; nobody waits for an answer. After a
    /// restart one may come once more.
    Letter {
        /// Who left it.
        from: PublicKey,
        /// When, by the sender's clock (within a week).
        sent: UnixTime,
        /// What the application put in.
        payload: Vec<u8>,
    },
    /// What a watched contact last said ([`Handle::watch`]).
    Presence {
        /// Whose.
        who: PublicKey,
        /// When they said that they are there; none: they have left, or said nothing for too long.
        seen: Option<UnixTime>,
    },
    /// A name that was registered provisionally is held now: the proof of work is done, and enough supernodes have it.
    NameHeld(Registration),
    /// A name of ours went to somebody who proved the work for it before us.
    NameLost {
        /// The name.
        name: Username,
        /// Who has it.
        by: PublicKey,
    },
    /// Somebody else has a proven claim to a name of ours, or to one that looks like it; told once for each of them.
    NameContested {
        /// Our name.
        name: Username,
        /// Who else claims it.
        by: PublicKey,
    },
    /// Supernodes known, to be given to [`Config::cache`] at the next start.
    Cache(Vec<u8>),
    /// Where links are accepted or, by a leaf, dialled from; once at the start.
    Listening {
        /// The bound address of QUIC.
        quic: SocketAddr,
        /// Those of TLS over TCP; none for a leaf.
        tcp: Vec<SocketAddr>,
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
    /// A TCP port is taken or the address is not ours.
    #[error("cannot listen on {address} (TCP): {source}")]
    ListenTcp {
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

/// Ports asked of the system until one is free for UDP and TCP.
const PORT_ATTEMPTS: u32 = 16;

/// In a lab, the credential told in [`Event::Relay`] lasts this long.
const LAB_CREDENTIAL_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// Starts a node on the current tokio runtime. Returns once the ports are bound; [`Event::Online`] follows when a home
/// is up. The node runs until [`Handle::shutdown`], or until every handle is dropped.
pub async fn start(
    config: Config,
    identity: Identity,
) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
    let now = relay::driver::now();
    let secret = link_secret(&config)?;
    let tls = Tls::new(&secret)?;
    let (endpoint, mut listeners) = bind(&config, &tls, &secret).await?;
    let bound = local_address(&endpoint)?;
    let mut backlog = Vec::new();

    let mut node_config = NodeConfig::leaf(config.network);
    node_config.local_addresses = local_addresses();
    let mut relay = None;
    let mut restored = None;
    if let RoleWish::Supernode { relay_listen, tcp_listen, public_ip, max_leaves } = config.role.clone() {
        let mut tcp = None;
        for address in tcp_listen {
            let listener = tcp::listen(address).await?;
            tcp = tcp.or(listener.local_addr().ok().map(|bound| bound.port()));
            listeners.push(listener);
        }
        let address = announced_address(config.network, bound, public_ip, &node_config.local_addresses)?;
        let beside = SocketAddr::new(bound.ip(), 0);
        let (server, offer) =
            start_relay(config.network, relay_listen.unwrap_or(beside), address.ip(), &mut backlog).await?;
        relay = Some(server);
        node_config.supernode = Some(SupernodeConfig { address, tcp, relay: Some(offer), max_leaves });
        node_config.limits.links = Limits::default().links.max(max_leaves + node_config.limits.mesh_links);
        if let Some(path) = &config.storage {
            let storage = |source| StartError::Storage { path: path.clone(), source };
            restored = Some(storage::load_claims(path, now.unix).map_err(storage)?);
        }
    }
    let role = if node_config.supernode.is_some() { Role::Supernode } else { Role::Leaf };
    let tcp = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    backlog.splice(0..0, [Event::Listening { quic: bound, tcp }, Event::Role(role)]);

    let served = node_config.supernode.as_ref().map(|supernode| supernode.address.port());
    let announce = node_config.supernode.as_ref().map(|_| (secret.public_key(), bound));
    let mut node = Node::new(node_config, identity, secret, &config.cache, rand::random(), now);
    let mut store = None;
    if let Some((claims, writer)) = restored {
        node.restore_claims(now, claims);
        store = Some(writer);
    }
    node.add_seeds(now, bootstrap::literal(&config.bootstrap));
    node.add_hints(now, config.hints);

    let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
    let (events, reports) = mpsc::channel(EVENT_QUEUE);
    let (publish, status) = watch::channel(node.status());
    let acceptor = Arc::new(tls.server()?).into();
    let parts = Parts { node, endpoint, tls, relay, store, inbox, events, backlog, publish };
    let mut runner = Runner::new(parts);
    runner.accept_tcp(listeners, &acceptor, config.network);
    runner.resolve(&config.bootstrap);
    if config.mdns == Mdns::On {
        runner.look_around(config.network, announce);
    }
    let announce = served.map(|port| SocketAddr::new(bound.ip(), port));
    runner.meet(Rendezvous::new(config.network, config.mainline, announce));
    tokio::spawn(runner.run());
    Ok((Handle { commands, status }, reports))
}

fn link_secret(config: &Config) -> Result<LinkSecret, StartError> {
    let fresh: [u8; 32] = rand::random();
    match (&config.role, &config.storage) {
        (RoleWish::Supernode { .. }, Some(path)) => storage::load_key(path, fresh)
            .map_err(|source| StartError::Storage { path: path.clone(), source }),
        (RoleWish::Supernode { .. } | RoleWish::Leaf, _) => Ok(LinkSecret::from_secret(fresh)),
    }
}

/// The endpoint, and for a supernode the TCP port of the same number.
async fn bind(
    config: &Config,
    tls: &Tls,
    secret: &LinkSecret,
) -> Result<(Endpoint, Vec<TcpListener>), StartError> {
    if matches!(config.role, RoleWish::Leaf) {
        return Ok((bind_leaf(config)?, Vec::new()));
    }
    let wanted = config.listen.unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0));
    let mut attempts = PORT_ATTEMPTS;
    loop {
        let endpoint = quic::listen(tls, secret, wanted)?;
        match tcp::listen(local_address(&endpoint)?).await {
            Ok(listener) => return Ok((endpoint, vec![listener])),
            // A number the system chose for UDP may be taken for TCP.
            Err(_) if wanted.port() == 0 && attempts > 1 => attempts -= 1,
            Err(error) => return Err(error),
        }
    }
}

fn bind_leaf(config: &Config) -> Result<Endpoint, StartError> {
    let any_v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    match config.listen {
        Some(address) => quic::dial_only(address),
        // Machines without IPv6 have the other one.
        None => quic::dial_only(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0))
            .or_else(|_| quic::dial_only(any_v4)),
    }
}

fn local_address(endpoint: &Endpoint) -> Result<SocketAddr, StartError> {
    let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    endpoint.local_addr().map_err(|source| StartError::Listen { address, source })
}

fn local_addresses() -> Vec<IpAddr> {
    // Without the list we only know less about our address translation.
    if_addrs::get_if_addrs()
        .map(|found| found.iter().map(|interface| interface.ip()).collect())
        .unwrap_or_default()
}

/// The address a supernode puts into its record.
fn announced_address(
    network: Network,
    bound: SocketAddr,
    public_ip: Option<IpAddr>,
    local: &[IpAddr],
) -> Result<SocketAddr, StartError> {
    let ip = match public_ip {
        Some(ip) => ip,
        None if !bound.ip().is_unspecified() => bound.ip(),
        None => {
            let mut v4 = local.iter().copied().filter(IpAddr::is_ipv4);
            let found = match network {
                Network::Main => v4.find(|ip| is_public(*ip)),
                Network::Lab => v4.clone().find(|ip| !ip.is_loopback()).or_else(|| v4.next()),
            };
            found.unwrap_or(bound.ip())
        }
    };
    let address = SocketAddr::new(ip, bound.port());
    if ip.is_unspecified() || (network == Network::Main && !is_public(ip)) {
        return Err(StartError::NoPublicAddress { address });
    }
    Ok(address)
}

async fn start_relay(
    network: Network,
    listen: SocketAddr,
    public_ip: IpAddr,
    backlog: &mut Vec<Event>,
) -> Result<(RelayServer, RelayConfig), StartError> {
    let secret: [u8; 32] = rand::random();
    let mut config = relay::server::ServerConfig::new(listen, secret, rand::random());
    config.public_ip = Some(public_ip);
    config.peers = match network {
        Network::Main => PeerPolicy::Public,
        Network::Lab => PeerPolicy::Lab,
    };
    let realm = config.realm.clone();
    let server = RelayServer::start(config).await?;
    let bound = server.local_addr();
    let ip = if bound.ip().is_unspecified() { public_ip } else { bound.ip() };
    // Behind a one-to-one translation the announced address counts.
    let ip = if network == Network::Main { public_ip } else { ip };
    let address = SocketAddr::new(ip, bound.port());
    let issuer = CredentialIssuer::new(secret);
    let lab_credential = match network {
        Network::Main => None,
        Network::Lab => Some(issuer.issue(relay::driver::now().unix, "lab", LAB_CREDENTIAL_LIFETIME)),
    };
    backlog.push(Event::Relay { udp: address, realm, lab_credential });
    Ok((server, RelayConfig { address, issuer }))
}

#[cfg(test)]
mod tests;
