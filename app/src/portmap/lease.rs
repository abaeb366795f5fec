//! One port a router has lent us, by whichever protocol.

use super::{PortmapError, Transport, Wish};
use crab_nat::{InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp};
use igd_next::{
    PortMappingProtocol, SearchOptions,
    aio::{
        Gateway,
        tokio::{Tokio, search_gateway},
    },
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    num::NonZeroU16,
    time::Duration,
};

/// What is wanted of the router.
pub(super) struct Ask {
    /// Where it is, when the system says so.
    pub(super) router: Option<Ipv4Addr>,
    /// Our address on its side.
    pub(super) ip: Ipv4Addr,
    pub(super) port: NonZeroU16,
    pub(super) transport: Transport,
    pub(super) wish: Wish,
}

/// See the module.
pub(super) enum Lease {
    NatPmp { mapping: Box<PortMapping>, outside: Ipv4Addr },
    Upnp { gateway: Box<Gateway<Tokio>>, inside: SocketAddrV4, transport: Transport, external: SocketAddrV4 },
}

/// Asked for; what a crashed program leaves open closes after it.
const LEASE: Duration = Duration::from_secs(3600);

/// A router at home answers within milliseconds: two tries, and then UPnP.
const TIMING: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 1, max_retry_timeout: None };

/// How long the router has to answer to UPnP's search.
const SEARCH: Duration = Duration::from_secs(3);

/// What routers show their owner.
const NAME: &str = "Silbo";

impl Ask {
    pub(super) async fn lease(self) -> Result<Lease, PortmapError> {
        let natpmp = match self.by_natpmp().await {
            Ok(lease) => return Ok(lease),
            Err(why) => why,
        };
        match self.by_upnp().await {
            Ok(lease) => Ok(lease),
            Err(upnp) => Err(PortmapError::Refused { natpmp, upnp }),
        }
    }

    async fn by_natpmp(&self) -> Result<Lease, String> {
        let router = self.router.ok_or("this system does not say where the router is")?;
        let options = PortMappingOptions {
            external_port: Some(self.port),
            lifetime_seconds: Some(LEASE.as_secs() as u32),
            timeout_config: Some(TIMING),
        };
        let protocol = match self.transport {
            Transport::Udp => InternetProtocol::Udp,
            Transport::Tcp => InternetProtocol::Tcp,
        };
        let asked = PortMapping::new(router.into(), IpAddr::V4(self.ip), protocol, self.port, options);
        let mapping = Box::new(asked.await.map_err(|error| error.to_string())?);
        let outside = match mapping.mapping_type() {
            PortMappingType::Pcp { external_ip: IpAddr::V4(ip), .. } => Ok(ip),
            // RFC 6887 §5: IPv4 inside of IPv6.
            PortMappingType::Pcp { external_ip: IpAddr::V6(ip), .. } => {
                ip.to_ipv4_mapped().ok_or_else(|| format!("the outside is {ip}"))
            }
            PortMappingType::NatPmp => {
                natpmp::external_address(router.into(), Some(TIMING)).await.map_err(|error| error.to_string())
            }
        };
        match outside {
            Ok(outside) => Ok(Lease::NatPmp { mapping, outside }),
            Err(why) => {
                give_back(*mapping).await;
                Err(why)
            }
        }
    }

    async fn by_upnp(&self) -> Result<Lease, String> {
        let inside = SocketAddrV4::new(self.ip, self.port.get());
        let mut options = SearchOptions::default();
        options.bind_addr = SocketAddr::from((self.ip, 0));
        options.timeout = Some(SEARCH);
        options.single_search_timeout = Some(SEARCH);
        let gateway = search_gateway(options).await.map_err(|error| error.to_string())?;
        let outside = match gateway.get_external_ip().await.map_err(|error| error.to_string())? {
            IpAddr::V4(ip) => ip,
            IpAddr::V6(ip) => return Err(format!("the outside is {ip}")),
        };
        let same = add(&gateway, self.transport, self.port.get(), inside).await;
        let port = match (same, self.wish) {
            (Ok(()), _) => self.port.get(),
            (Err(why), Wish::SamePort) => return Err(why),
            (Err(_), Wish::AnyPort) => {
                let added = gateway.add_any_port(
                    protocol(self.transport),
                    SocketAddr::V4(inside),
                    LEASE.as_secs() as u32,
                    NAME,
                );
                added.await.map_err(|error| error.to_string())?
            }
        };
        let external = SocketAddrV4::new(outside, port);
        Ok(Lease::Upnp { gateway: Box::new(gateway), inside, transport: self.transport, external })
    }
}

impl Lease {
    /// Where the outside reaches us.
    pub(super) fn external(&self) -> SocketAddrV4 {
        match self {
            Self::NatPmp { mapping, outside } => SocketAddrV4::new(*outside, mapping.external_port().get()),
            Self::Upnp { external, .. } => *external,
        }
    }

    /// How long the router keeps the port open.
    pub(super) fn lasts(&self) -> Duration {
        match self {
            Self::NatPmp { mapping, .. } => Duration::from_secs(mapping.lifetime().into()),
            Self::Upnp { .. } => LEASE,
        }
    }

    pub(super) async fn renew(&mut self) -> Result<(), String> {
        match self {
            Self::NatPmp { mapping, .. } => mapping.renew().await.map_err(|error| error.to_string()),
            Self::Upnp { gateway, inside, transport, external } => {
                add(gateway, *transport, external.port(), *inside).await
            }
        }
    }

    /// What the router does not take back ends by itself.
    pub(super) async fn give_back(self) {
        match self {
            Self::NatPmp { mapping, .. } => give_back(*mapping).await,
            Self::Upnp { gateway, transport, external, .. } => {
                if let Err(error) = gateway.remove_port(protocol(transport), external.port()).await {
                    tracing::debug!(%error, %external, "the router did not take a port back");
                }
            }
        }
    }
}

async fn give_back(mapping: PortMapping) {
    if let Err((error, mapping)) = mapping.try_drop().await {
        tracing::debug!(%error, port = mapping.external_port(), "the router did not take a port back");
    }
}

async fn add(
    gateway: &Gateway<Tokio>,
    transport: Transport,
    port: u16,
    inside: SocketAddrV4,
) -> Result<(), String> {
    let added =
        gateway.add_port(protocol(transport), port, SocketAddr::V4(inside), LEASE.as_secs() as u32, NAME);
    added.await.map_err(|error| error.to_string())
}

const fn protocol(transport: Transport) -> PortMappingProtocol {
    match transport {
        Transport::Udp => PortMappingProtocol::UDP,
        Transport::Tcp => PortMappingProtocol::TCP,
    }
}
