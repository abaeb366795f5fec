//! Which peer addresses are forwarded to. Every address is reduced to the one it stands for before it is judged:
//! `::ffff:127.0.0.1` is loopback (CVE-2026-27624 of coturn), and so is its NAT64, 6to4 and Teredo spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::PeerPolicy;

/// Ports below this belong to services, never to a caller.
const FIRST_USER_PORT: u16 = 1024;

impl PeerPolicy {
    /// Whether packets may be sent to `peer`, which is not an address of this relay.
    pub fn allows(self, peer: SocketAddr) -> bool {
        peer.port() >= FIRST_USER_PORT && self.allows_ip(peer.ip())
    }

    /// The same for a permission, which names no port (RFC 8656 §9).
    pub fn allows_ip(self, ip: IpAddr) -> bool {
        let ip = canonical(ip);
        !is_never_a_host(ip)
            && match self {
                Self::Public => !is_not_public(ip),
                Self::Lab => true,
            }
    }
}

/// The address that `ip` leads to: the IPv4 one inside a mapped, NAT64, 6to4 or Teredo address.
pub fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let octets = v6.octets();
    let [.., a, b, c, d] = octets;
    let inner = match octets {
        // ::ffff:0:0/96 (mapped) and ::/96 (compatible, deprecated), without :: and ::1.
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, ..] => Ipv4Addr::new(a, b, c, d),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] if u32::from_be_bytes([a, b, c, d]) > 1 => {
            Ipv4Addr::new(a, b, c, d)
        }
        // 64:ff9b::/96 (RFC 6052).
        [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, ..] => Ipv4Addr::new(a, b, c, d),
        // 2002::/16 (6to4).
        [0x20, 0x02, a, b, c, d, ..] => Ipv4Addr::new(a, b, c, d),
        // 2001::/32 (Teredo): the client's address is inverted.
        [0x20, 0x01, 0, 0, ..] => Ipv4Addr::new(!a, !b, !c, !d),
        _ => return ip,
    };
    inner.into()
}

/// Unspecified, multicast, broadcast and reserved addresses: nobody's, in any network.
fn is_never_a_host(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 0 || ip.octets()[0] >= 224,
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    }
}

fn is_not_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_not_public_v4(ip),
        IpAddr::V6(ip) => is_not_public_v6(ip),
    }
}

fn is_not_public_v4(ip: Ipv4Addr) -> bool {
    matches!(
        ip.octets(),
        [10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Hosts of the internet live in 2000::/3, and not in all of it.
fn is_not_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // Protocol assignments (benchmarks, ORCHID), documentation.
        [0x2001, ..=0x01FF, ..] | [0x2001, 0x0DB8, ..] | [0x3FFF, ..=0x0FFF, ..] => true,
        [first, ..] => first & 0xE000 != 0x2000,
    }
}

/// Whether `ip` is in the network of `ours`: what a router's firewall keeps from the world must not be reached through a
/// relay behind it. Of IPv4 such a network has private addresses, which are refused anyway.
pub(super) fn is_neighbour(ours: IpAddr, ip: IpAddr) -> bool {
    match (ours, ip) {
        (IpAddr::V6(ours), IpAddr::V6(ip)) => ours.segments()[..4] == ip.segments()[..4],
        (IpAddr::V4(_) | IpAddr::V6(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_on_the_public_internet_are_refused_in_every_spelling() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "100::1",
            "64:ff9b:1::1",
            "::ffff:0:127.0.0.1",
            "::ffff:0:10.0.0.1",
            "2001:1::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2002:c0a8:101::1",
            "2001:0:1234:5678:0:0:80ff:fffe",
        ];
        for ip in refused {
            let peer = SocketAddr::new(ip.parse().unwrap(), 5000);
            assert!(!PeerPolicy::Public.allows(peer), "{ip}");
        }
    }

    #[test]
    fn hosts_of_the_public_internet_are_allowed() {
        for ip in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1", "::ffff:8.8.8.8"] {
            assert!(PeerPolicy::Public.allows(SocketAddr::new(ip.parse().unwrap(), 1024)), "{ip}");
        }
    }

    #[test]
    fn service_ports_are_refused_to_everybody() {
        for policy in [PeerPolicy::Public, PeerPolicy::Lab] {
            assert!(!policy.allows("1.1.1.1:1023".parse().unwrap()));
            assert!(!policy.allows("1.1.1.1:0".parse().unwrap()));
        }
    }

    #[test]
    fn a_lab_allows_private_loopback_and_documentation_addresses_but_nobodys() {
        for ip in ["10.0.0.1", "127.0.0.1", "203.0.113.7", "2001:db8::1", "::1", "192.168.0.1"] {
            assert!(PeerPolicy::Lab.allows(SocketAddr::new(ip.parse().unwrap(), 5000)), "{ip}");
        }
        for ip in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:0.0.0.0"] {
            assert!(!PeerPolicy::Lab.allows(SocketAddr::new(ip.parse().unwrap(), 5000)), "{ip}");
        }
    }
}
