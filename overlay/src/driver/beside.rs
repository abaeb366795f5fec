//! The relay beside a supernode, and the address both are announced at.
//!
//! ```text
//!   UDP   relay address ─────────────────────────────────▶ relay
//!   TCP   port of links ─0x00─────────────────────────────▶ relay      TURN in the clear (RFC 8656 §2.1)
//!                       ─0x16─▶ TLS ─ALPN of links─▶ link
//!                                   ─any other, none─▶ relay           the certificate whose hash the record names
//! ```

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use relay::{
    CredentialIssuer, Credentials,
    driver::{RelayServer, StreamDoor, TlsIdentity},
    server::{BitRate, Limits, PeerPolicy, PeerProof, ServerConfig, TlsCertificate},
};

use super::{Event, StartError};
use crate::{
    config::{DEFAULT_MAX_LEAVES, Network, RelayConfig},
    record::{CertificateHash, Offers},
    routing::is_public,
    volunteer::{Conditions, History},
};

/// How a supernode serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Where the relay listens (UDP); `None`: beside QUIC, any port.
    pub relay_listen: Option<SocketAddr>,
    /// Where links and TURN are accepted over TCP beside the port of QUIC; the first of these is announced.
    pub tcp_listen: Vec<SocketAddr>,
    /// The address others reach us at, when it is not the one listened on.
    pub public_ip: Option<IpAddr>,
    /// Most leaves served.
    pub max_leaves: usize,
    /// Most traffic relayed; `None`: the relay's own limit.
    pub relay_rate: Option<BitRate>,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            relay_listen: None,
            tcp_listen: Vec::new(),
            public_ip: None,
            max_leaves: DEFAULT_MAX_LEAVES,
            relay_rate: None,
        }
    }
}

/// How a computer may be of help, should it be fit and needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volunteering {
    /// Which roles its owner agreed to.
    pub consent: Offers,
    /// What the system and the owner say about it now; changed by [`super::Handle::set_conditions`].
    pub conditions: Conditions,
    /// What lasts from earlier runs.
    pub history: History,
    /// Where the relay listens (UDP); `None`: any port, which strangers reach when no router is in between.
    pub relay_listen: Option<SocketAddr>,
    /// Most traffic relayed; `None`: the relay's own limit.
    pub relay_rate: Option<BitRate>,
}

/// How a volunteer's relay is opened when its time comes.
#[derive(Debug, Clone)]
pub(super) struct Standby {
    pub(super) network: Network,
    /// Where links are accepted, over UDP and TCP.
    pub(super) links: SocketAddr,
    pub(super) listen: Option<SocketAddr>,
    pub(super) rate: Option<BitRate>,
    /// Of this machine.
    pub(super) local: Vec<IpAddr>,
}

impl Standby {
    /// Nothing where strangers would not reach it: behind a router only a port that the owner forwarded will do.
    pub(super) fn spot(&self, public_ip: IpAddr) -> Option<Spot> {
        let ours = self.local.contains(&public_ip);
        if !ours && self.listen.is_none() {
            return None;
        }
        // Links that are accepted in both families say that there are both.
        let everywhere: IpAddr = match (public_ip, self.links.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (IpAddr::V6(_), _) | (_, IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let listen = self.listen.unwrap_or(SocketAddr::new(everywhere, 0));
        Some(Spot {
            network: self.network,
            listen,
            public_ip,
            second_ip: second_ip(self.network, listen, public_ip, &self.local),
            streams: ours.then(|| SocketAddr::new(public_ip, self.links.port())),
            rate: self.rate,
        })
    }
}

/// In a lab, the credential told in [`Event::Relay`] lasts this long.
const LAB_CREDENTIAL_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where the ports of links hand over TURN clients.
#[derive(Debug, Clone)]
pub(super) struct RelayDoor {
    pub(super) streams: StreamDoor,
    pub(super) tls: Arc<rustls::ServerConfig>,
}

/// A relay that runs, and what others are told of it.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) server: RelayServer,
    pub(super) door: RelayDoor,
    pub(super) offer: RelayConfig,
    pub(super) event: Event,
}

/// Where a relay is to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) network: Network,
    /// Where it listens (UDP).
    pub(super) listen: SocketAddr,
    /// Where others reach this machine.
    pub(super) public_ip: IpAddr,
    /// The same in the other family.
    pub(super) second_ip: Option<IpAddr>,
    /// Where it is reached over TCP and TLS.
    pub(super) streams: Option<SocketAddr>,
    /// Most traffic relayed.
    pub(super) rate: Option<BitRate>,
}

impl Spot {
    pub(super) async fn start(self) -> Result<Beside, StartError> {
        let Self { network, listen, public_ip, second_ip, streams, rate } = self;
        let secret: [u8; 32] = rand::random();
        let mut config = ServerConfig::new(listen, secret, rand::random());
        config.public_ip = Some(public_ip);
        config.second_ip = second_ip;
        match network {
            Network::Main => config.peers = PeerPolicy::Public,
            // Everybody has the one credential of the lab, and stock TURN clients have peers that know nothing of ICE.
            Network::Lab => {
                (config.peers, config.limits) = (PeerPolicy::Lab, Limits::lab());
                config.proof = PeerProof::Waived;
            }
        }
        if let Some(rate) = rate {
            config.limits.bandwidth = config.limits.bandwidth.capped(rate);
        }
        let realm = config.realm.clone();
        let tls = TlsIdentity::of(&TlsCertificate::SelfSigned)
            .map_err(|error| StartError::Tls(error.to_string()))?;
        let server = RelayServer::start(config).await?;
        let bound = server.local_addr();
        let ip = if bound.ip().is_unspecified() { public_ip } else { bound.ip() };
        // Behind a one-to-one translation the announced address counts.
        let ip = if network == Network::Main { public_ip } else { ip };
        let address = SocketAddr::new(ip, bound.port());
        let second = second_ip.map(|ip| SocketAddr::new(ip, bound.port()));
        let issuer = CredentialIssuer::new(secret);
        let lab_credential: Option<Credentials> = match network {
            Network::Main => None,
            Network::Lab => Some(issuer.issue(relay::driver::now().unix, "lab", LAB_CREDENTIAL_LIFETIME)),
        };
        let certificate = streams.map(|_| CertificateHash::from_bytes(tls.certificate_hash()));
        let event = Event::Relay { udp: address, tcp: streams, tls: streams, realm, lab_credential };
        let door = RelayDoor { streams: server.door(), tls: tls.config() };
        Ok(Beside { server, door, offer: RelayConfig { address, second, certificate, issuer }, event })
    }
}

/// This machine's address of the other family than `public_ip`, where a relay that listens at `listen` is reached there.
pub(super) fn second_ip(
    network: Network,
    listen: SocketAddr,
    public_ip: IpAddr,
    local: &[IpAddr],
) -> Option<IpAddr> {
    // Only such a socket takes both.
    if listen.ip() != IpAddr::from(Ipv6Addr::UNSPECIFIED) {
        return None;
    }
    let reached = |ip: &IpAddr| match (network, ip) {
        (Network::Main, ip) => is_public(*ip),
        (Network::Lab, IpAddr::V4(ip)) => !ip.is_loopback(),
        (Network::Lab, IpAddr::V6(ip)) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    let public_ip = public_ip.to_canonical();
    local.iter().copied().filter(|ip| ip.is_ipv4() != public_ip.is_ipv4()).find(reached)
}

/// The address a supernode puts into its record.
pub(super) fn announced_address(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_relay_has_an_address_of_the_other_family_where_it_listens_in_both() {
        let local = ["127.0.0.1", "9.9.9.9", "::1", "fe80::1", "2620:fe::9"].map(ip);
        let second = |network, listen: &str, public| {
            second_ip(network, SocketAddr::new(ip(listen), 1), ip(public), &local)
        };
        for network in [Network::Main, Network::Lab] {
            assert_eq!(second(network, "::", "9.9.9.9"), Some(ip("2620:fe::9")));
            assert_eq!(second(network, "::", "2620:fe::9"), Some(ip("9.9.9.9")));
            assert_eq!(second(network, "0.0.0.0", "9.9.9.9"), None);
        }
        assert_eq!(second_ip(Network::Main, SocketAddr::new(ip("::"), 1), ip("9.9.9.9"), &local[..4]), None);
    }

    #[test]
    fn whoever_comes_in_one_family_is_told_of_the_relay_in_it() {
        let [address, second] = ["9.9.9.9:1", "[2620:fe::9]:1"].map(|text| text.parse().unwrap());
        let relay = |address, second| RelayConfig {
            address,
            second,
            certificate: None,
            issuer: CredentialIssuer::new([1; 32]),
        };
        for relay in [relay(address, Some(second)), relay(second, Some(address))] {
            assert_eq!(relay.address_for(ip("8.8.8.8")), address);
            assert_eq!(relay.address_for(ip("::ffff:8.8.8.8")), address);
            assert_eq!(relay.address_for(ip("2001:4860::1")), second);
        }
        assert_eq!(relay(address, None).address_for(ip("2001:4860::1")), address);
    }
}
