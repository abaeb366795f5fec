//! The driver: real sockets, clocks and files under the core.
//!
//! [`start`] binds and spawns one task that owns the [`Node`] and everything else; what that task
//! waits for, and in which order, is in `run`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the driver: the one place of the crate that owns sockets and asks the system for randomness"
)]

mod beside;
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
use relay::{Credentials, UnixTime};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use self::storage::read_log;
pub use self::{
    beside::{Serving, Volunteering},
    handle::Handle,
    mainline::Mainline,
};
use self::{
    beside::{Spot, Standby, announced_address, second_ip},
    handle::COMMAND_QUEUE,
    mainline::Rendezvous,
    run::{Accepting, Parts, Runner},
    tls::Tls,
};
use crate::{
    config::{Limits, NatKind, Network, NodeConfig, Role, SupernodeConfig},
    error::OfflineReason,
    hint::Hint,
    identity::{Identity, LinkSecret, PublicKey},
    node::Node,
    outcome::Registration,
    username::Username,
    volunteer::Volunteer,
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
    Supernode(Serving),
    /// Whatever its owner agreed to, once it is fit and needed; a leaf until then.
    Volunteer(Volunteering),
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
    /// A volunteer's public IP, and since when it is that: to be given to [`Volunteering::history`] at the next start.
    Address {
        /// Which.
        ip: IpAddr,
        /// Since when.
        since: UnixTime,
    },
    /// The relay beside this supernode is serving.
    Relay {
        /// Where over UDP.
        udp: SocketAddr,
        /// Where over TCP.
        tcp: Option<SocketAddr>,
        /// Where over TLS, with the certificate whose hash its record names.
        tls: Option<SocketAddr>,
        /// Its realm.
        realm: String,
        /// One long-lived credential, in the lab network only.
        lab_credential: Option<Credentials>,
    },
    /// It is to end ([`Handle::drain`]) and waits for those whom its relay serves.
    Draining {
        /// How many.
        allocations: u64,
        /// How long at most.
        within: Duration,
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
    if let RoleWish::Supernode(serving) = config.role.clone() {
        let address =
            announced_address(config.network, bound, serving.public_ip, &node_config.local_addresses)?;
        let mut tcp = None;
        for wanted in serving.tcp_listen {
            let listener = tcp::listen(wanted).await?;
            tcp = tcp.or(listener.local_addr().ok());
            listeners.push(listener);
        }
        // Told is the first port asked for, at an address that can be dialled.
        let streams = tcp.unwrap_or(SocketAddr::new(bound.ip(), address.port()));
        let ip = if streams.ip().is_unspecified() || serving.public_ip.is_some() {
            address.ip()
        } else {
            streams.ip()
        };
        let relay_listen = serving.relay_listen.unwrap_or(SocketAddr::new(bound.ip(), 0));
        let public_ip = address.ip();
        let spot = Spot {
            network: config.network,
            listen: relay_listen,
            public_ip,
            second_ip: second_ip(config.network, relay_listen, public_ip, &node_config.local_addresses),
            streams: Some(SocketAddr::new(ip, streams.port())),
            rate: serving.relay_rate,
        };
        let beside = spot.start().await?;
        backlog.push(beside.event.clone());
        let (tcp, max_leaves) = (tcp.map(|bound| bound.port()), serving.max_leaves);
        let offer = Some(beside.offer.clone());
        relay = Some(beside);
        node_config.supernode = Some(SupernodeConfig { address, tcp, relay: offer, max_leaves });
        node_config.limits.links = Limits::default().links.max(max_leaves + node_config.limits.mesh_links);
    }
    let mut standby = None;
    if let RoleWish::Volunteer(wish) = &config.role {
        let volunteer = Volunteer::new(config.network, wish.consent);
        let (conditions, history) = (wish.conditions, wish.history);
        node_config.volunteer = Some(Volunteer { conditions, history, ..volunteer });
        standby = Some(Standby {
            network: config.network,
            links: bound,
            listen: wish.relay_listen,
            rate: wish.relay_rate,
            local: node_config.local_addresses.clone(),
        });
    }
    if let (RoleWish::Supernode(_) | RoleWish::Volunteer(_), Some(path)) = (&config.role, &config.storage) {
        let storage = |source| StartError::Storage { path: path.clone(), source };
        restored = Some(storage::load_claims(path, now.unix).map_err(storage)?);
    }
    let role = if node_config.supernode.is_some() { Role::Supernode } else { Role::Leaf };
    let tcp = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    backlog.splice(0..0, [Event::Listening { quic: bound, tcp }, Event::Role(role)]);

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
    let links = Arc::new(tls.server()?);
    let accepting = if config.role == RoleWish::Leaf { Accepting::Nobody } else { Accepting::Everybody };
    let parts =
        Parts { node, endpoint, tls, accepting, relay, standby, store, inbox, events, backlog, publish };
    let mut runner = Runner::new(parts);
    runner.accept_tcp(listeners, &links, config.network);
    runner.resolve(&config.bootstrap);
    if config.mdns == Mdns::On {
        runner.look_around(config.network, announce);
    }
    runner.meet(Rendezvous::new(config.network, config.mainline, bound.ip()));
    tokio::spawn(runner.run());
    Ok((Handle { commands, status }, reports))
}

fn link_secret(config: &Config) -> Result<LinkSecret, StartError> {
    let fresh: [u8; 32] = rand::random();
    match (&config.role, &config.storage) {
        (RoleWish::Supernode(_) | RoleWish::Volunteer(_), Some(path)) => storage::load_key(path, fresh)
            .map_err(|source| StartError::Storage { path: path.clone(), source }),
        (RoleWish::Supernode(_) | RoleWish::Volunteer(_) | RoleWish::Leaf, _) => {
            Ok(LinkSecret::from_secret(fresh))
        }
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
    let any_v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    let mut wanted = config.listen.unwrap_or(match config.role {
        RoleWish::Volunteer(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
        RoleWish::Supernode(_) | RoleWish::Leaf => any_v4,
    });
    let mut attempts = PORT_ATTEMPTS;
    loop {
        let endpoint = match quic::listen(tls, secret, wanted) {
            // Machines without IPv6 have the other one.
            Err(_) if config.listen.is_none() && wanted.is_ipv6() => {
                wanted = any_v4;
                continue;
            }
            other => other?,
        };
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

#[cfg(test)]
mod tests;
