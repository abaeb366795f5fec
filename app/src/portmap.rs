//! Ports of the home's router opened to the outside, where the router lets us: by PCP (RFC 6887), NAT-PMP (RFC 6886) or
//! UPnP-IGD.
//!
//! ```text
//!   open ─▶ PCP ── speaks only NAT-PMP ─▶ NAT-PMP ─▶ Open ── half of its time is over: renewed ──▶ Open
//!            └──── silent, or refuses ──▶ UPnP-IGD ──▶ │  └─ in vain: tried again, over and over
//!                                          └─▶ error    └─ closed or dropped ─▶ taken back
//! ```
//!
//! What is opened is opened to everybody: whoever listens there must bear strangers, as a call's sockets and a
//! supernode's do anyway. A router that is behind another one opens nothing that the outside sees, and what its mapping
//! says is not believed.

mod lease;
mod router;

use lease::Lease;
use relay::server::PeerPolicy;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    num::NonZeroU16,
    time::Duration,
};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// A port that is open for as long as this lives.
#[derive(Debug)]
pub struct Mapping {
    external: SocketAddrV4,
    /// Dropped: the keeper takes the mapping back.
    end: oneshot::Sender<()>,
    keeper: JoinHandle<()>,
}

/// What goes through the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
}

/// Which port of the router is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Whichever is free.
    AnyPort,
    /// The one of the same number: others know us by it.
    SamePort,
}

/// Why no port was opened.
#[derive(Debug, thiserror::Error)]
pub enum PortmapError {
    /// Addresses of everybody's need no mapping, and others have no router.
    #[error("{0} is not behind a router that could open a port")]
    NotBehindRouter(IpAddr),
    /// What the system said.
    #[error("the system does not let us speak to the router: {0}")]
    System(#[from] io::Error),
    /// The router speaks none of the protocols, or has them switched off.
    #[error("the router opens no ports. PCP and NAT-PMP: {natpmp}. UPnP: {upnp}")]
    Refused {
        /// What became of PCP and NAT-PMP.
        natpmp: String,
        /// What became of UPnP.
        upnp: String,
    },
    /// The router's outside is inside of something else, mostly the provider's own NAT.
    #[error("the router is behind another NAT: its outside is {0}")]
    BehindAnother(Ipv4Addr),
    /// Somebody else at home has the port that was wanted.
    #[error("port {0} of the router is taken")]
    Taken(u16),
}

/// The longest all of it may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// A mapping that could not be renewed is asked for again after this time.
const AGAIN: Duration = Duration::from_secs(30);

/// A router that lends for less is asked no more often than this.
const SHORTEST_LEASE: Duration = Duration::from_secs(60);

impl Mapping {
    /// Has the router open a port for what listens at `inside`; the unspecified address stands for the one through which
    /// the router is reached.
    pub async fn open(inside: SocketAddr, transport: Transport, wish: Wish) -> Result<Self, PortmapError> {
        let (IpAddr::V4(ip), Some(port)) = (inside.ip(), NonZeroU16::new(inside.port())) else {
            return Err(PortmapError::NotBehindRouter(inside.ip()));
        };
        let (router, ip) = router::between(ip)?;
        let ask = lease::Ask { router, ip, port, transport, wish };
        let silent = |_| PortmapError::Refused { natpmp: "silent".into(), upnp: "silent".into() };
        let lease = timeout(PATIENCE, ask.lease()).await.map_err(silent)??;
        let external = lease.external();
        if !is_outside(*external.ip()) {
            lease.give_back().await;
            return Err(PortmapError::BehindAnother(*external.ip()));
        }
        if wish == Wish::SamePort && external.port() != port.get() {
            lease.give_back().await;
            return Err(PortmapError::Taken(port.get()));
        }
        let (end, ended) = oneshot::channel();
        Ok(Self { external, end, keeper: tokio::spawn(keep(lease, ended)) })
    }

    /// Where the outside reaches it.
    pub const fn external(&self) -> SocketAddrV4 {
        self.external
    }

    /// Takes it back, and returns when the router has heard of it or does not answer.
    pub async fn close(self) {
        drop(self.end);
        let closed = timeout(PATIENCE, self.keeper).await;
        tracing::debug!(external = %self.external, in_time = closed.is_ok(), "a port of the router was given back");
    }
}

/// Renews a lease until nobody needs it.
async fn keep(mut lease: Lease, mut ended: oneshot::Receiver<()>) {
    let mut wait = lease.lasts().max(SHORTEST_LEASE) / 2;
    loop {
        tokio::select! {
            _ = &mut ended => return lease.give_back().await,
            () = sleep(wait) => {}
        }
        wait = match lease.renew().await {
            Ok(()) => lease.lasts().max(SHORTEST_LEASE) / 2,
            Err(why) => {
                tracing::debug!(%why, external = %lease.external(), "a port of the router was not renewed");
                AGAIN
            }
        };
    }
}

/// Whether strangers may reach such an address.
fn is_outside(ip: Ipv4Addr) -> bool {
    PeerPolicy::Public.allows_ip(ip.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outside_of_a_router_behind_another_one_is_not_outside() {
        for inside in
            ["10.1.2.3", "172.20.0.1", "192.168.0.1", "100.64.0.1", "100.127.9.9", "169.254.1.1", "0.0.0.0"]
        {
            assert!(!is_outside(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["100.63.255.255", "100.128.0.1", "8.8.8.8"] {
            assert!(is_outside(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_for_an_address_that_needs_no_router() {
        for address in ["[::1]:5000", "127.0.0.1:5000", "8.8.8.8:5000", "192.168.1.2:0"] {
            let opened = Mapping::open(address.parse().unwrap(), Transport::Udp, Wish::AnyPort).await;
            assert!(matches!(opened, Err(PortmapError::NotBehindRouter(_))), "{address}: {opened:?}");
        }
    }
}
