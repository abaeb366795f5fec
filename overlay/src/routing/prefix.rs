//! Address prefixes: what one operator can fill cheaply counts as one.

use std::net::{IpAddr, SocketAddr};

use crate::config::Network;

/// A part of the address space that is treated as one owner: /16 (IPv4) or /32 (IPv6) in the real network, one
/// IP:PORT in a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prefix {
    /// The first two bytes of an IPv4 address.
    V4([u8; 2]),
    /// The first two groups of an IPv6 address.
    V6([u16; 2]),
    /// A lab node.
    Lab(SocketAddr),
}

impl Prefix {
    /// The prefix of an address.
    pub fn of(network: Network, address: SocketAddr) -> Self {
        match (network, address.ip().to_canonical()) {
            (Network::Lab, _) => Self::Lab(address),
            (Network::Main, IpAddr::V4(ip)) => Self::V4([ip.octets()[0], ip.octets()[1]]),
            (Network::Main, IpAddr::V6(ip)) => Self::V6([ip.segments()[0], ip.segments()[1]]),
        }
    }
}

/// A smaller part of the address space, within which addresses cost next to nothing: /24 (IPv4) or /48 (IPv6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first three groups of an IPv6 address.
    V6([u16; 3]),
}

impl Near {
    /// Where an address stands; in a lab every IP:PORT stands alone.
    pub fn of(network: Network, address: SocketAddr) -> Option<Self> {
        match (network, address.ip().to_canonical()) {
            (Network::Lab, _) => None,
            (Network::Main, IpAddr::V4(ip)) => ip.octets().first_chunk().map(|first| Self::V4(*first)),
            (Network::Main, IpAddr::V6(ip)) => ip.segments().first_chunk().map(|first| Self::V6(*first)),
        }
    }
}

/// Whether everybody can reach an address, as far as its number tells.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            // Only 2000::/3 is global unicast; documentation, Teredo and 6to4 are not places to serve from.
            (a & 0xe000) == 0x2000 && !(a == 0x2001 && b == 0x0db8) && !(a == 0x2001 && b == 0) && a != 0x2002
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_counts_every_port_as_a_prefix_and_the_real_network_every_16_bits() {
        let (a, b): (SocketAddr, SocketAddr) = ("9.8.7.6:1".parse().unwrap(), "9.8.1.1:2".parse().unwrap());
        assert_eq!(Prefix::of(Network::Main, a), Prefix::of(Network::Main, b));
        assert_ne!(Prefix::of(Network::Lab, a), Prefix::of(Network::Lab, b));
    }

    #[test]
    fn addresses_nobody_reaches_from_outside_are_not_public() {
        for ip in [
            "10.0.0.1",
            "127.0.0.1",
            "192.168.1.1",
            "100.64.1.1",
            "0.0.0.0",
            "203.0.113.9",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["9.9.9.9", "2a00:1450::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
