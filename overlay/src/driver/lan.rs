//! Supernodes on the local network, by multicast DNS (RFC 6762, RFC 6763): `_silbo._udp.local` with the network and the
//! node key in TXT. Found addresses are only tried; everything is proven by the link.

use std::{collections::HashMap, net::SocketAddr};

use mdns_sd::{ServiceDaemon, ServiceEvent, ServiceInfo};
use tokio::sync::mpsc;

use crate::{config::Network, identity::LinkKey};

const SERVICE: &str = "_silbo._udp.local.";

/// Announces, and looks while there is need. Dropping it ends both.
///
/// Everybody who looks asks everybody again whenever an answer grows old, and all on the network hear it: whoever knows
/// supernodes and has a home asks those instead.
pub(super) struct Lan {
    daemon: ServiceDaemon,
    network: Network,
    looking: bool,
}

impl Lan {
    /// Starts; `None`, logged, on machines without multicast.
    pub(super) fn start(network: Network, announce: Option<(LinkKey, SocketAddr)>) -> Option<Self> {
        let started = ServiceDaemon::new().and_then(|daemon| {
            if let Some((node, address)) = announce {
                let properties = HashMap::from([
                    ("network".to_owned(), network.as_str().to_owned()),
                    ("key".to_owned(), node.to_string()),
                ]);
                let host = format!("silbo-{node}.local.");
                let ip = address.ip();
                let mut service = if ip.is_unspecified() {
                    let none: &[std::net::IpAddr] = &[];
                    ServiceInfo::new(SERVICE, &node.to_string(), &host, none, address.port(), properties)?
                        .enable_addr_auto()
                } else {
                    ServiceInfo::new(SERVICE, &node.to_string(), &host, ip, address.port(), properties)?
                };
                // The name contains our key: nobody else has it.
                service.set_requires_probe(false);
                daemon.register(service)?;
            }
            Ok(daemon)
        });
        match started {
            Ok(daemon) => Some(Self { daemon, network, looking: false }),
            Err(error) => {
                tracing::debug!(%error, "no multicast DNS on this machine");
                None
            }
        }
    }

    /// Begins to look, when it does not already: what is found comes out of the browser.
    pub(super) fn look(&mut self) -> Option<Browser> {
        if self.looking {
            return None;
        }
        self.looking = true;
        let found = self.daemon.browse(SERVICE).inspect_err(|error| tracing::debug!(%error, "cannot browse"));
        Some(Browser { network: self.network, found: found.ok()? })
    }

    /// Looks no more for now.
    pub(super) fn rest(&mut self) {
        if std::mem::take(&mut self.looking) {
            // A daemon that is gone looks for nothing.
            let _ = self.daemon.stop_browse(SERVICE);
        }
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        // A daemon that is gone already is as good.
        let _ = self.daemon.shutdown();
    }
}

/// What the daemon finds.
pub(super) struct Browser {
    network: Network,
    found: mdns_sd::Receiver<ServiceEvent>,
}

impl Browser {
    /// Hands on addresses of our network until either side is gone.
    pub(super) async fn run(self, addresses: mpsc::Sender<Vec<SocketAddr>>) {
        while let Ok(event) = self.found.recv_async().await {
            let ServiceEvent::ServiceResolved(service) = event else { continue };
            if service.get_property_val_str("network") != Some(self.network.as_str()) {
                continue;
            }
            let port = service.get_port();
            let mut found: Vec<SocketAddr> =
                service.get_addresses_v4().into_iter().map(|ip| SocketAddr::new(ip.into(), port)).collect();
            found.sort_unstable();
            if addresses.send(found).await.is_err() {
                return;
            }
        }
    }
}
