//! Which router packets for elsewhere go to.

use super::PortmapError;
use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::Path,
};

/// Where Linux shows its routes; other systems have no such file, and there only UPnP finds the router by itself.
const ROUTES: &str = "/proc/net/route";

/// The router between us and everybody else, as far as this system says, and our address on its side. `ip` is where
/// something listens: it must be private, or stand for all.
pub(super) fn between(ip: Ipv4Addr) -> Result<(Option<Ipv4Addr>, Ipv4Addr), PortmapError> {
    let refused = || PortmapError::NotBehindRouter(IpAddr::V4(ip));
    if !(ip.is_private() || ip.is_unspecified()) {
        return Err(refused());
    }
    let router = std::fs::read_to_string(Path::new(ROUTES)).ok().and_then(|routes| default_of(&routes));
    // Nothing is sent: the system is asked which address it would send from.
    let probe = UdpSocket::bind((ip, 0))?;
    probe.connect((router.unwrap_or(FAR), PORT))?;
    match probe.local_addr()?.ip() {
        IpAddr::V4(ours) if ours.is_private() => Ok((router, ours)),
        _ => Err(refused()),
    }
}

/// Where PCP and NAT-PMP are spoken (RFC 6887 §7).
const PORT: u16 = 5351;

/// An address of nobody's in particular that lies beyond the router.
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 9);

/// The gateway of the default route with the lowest metric; numbers are hexadecimal in the byte order of the machine.
fn default_of(routes: &str) -> Option<Ipv4Addr> {
    const UP_AND_GATEWAY: u32 = 3;
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let number = |nth: usize| u32::from_str_radix(fields.get(nth)?, 16).ok();
        let (destination, gateway, flags, mask) = (number(1)?, number(2)?, number(3)?, number(7)?);
        let metric: u32 = fields.get(6)?.parse().ok()?;
        let leads_out = destination == 0 && mask == 0 && flags & UP_AND_GATEWAY == UP_AND_GATEWAY;
        leads_out.then(|| (metric, Ipv4Addr::from(gateway.to_ne_bytes())))
    };
    routes.lines().filter_map(of_line).min_by_key(|(metric, _)| *metric).map(|(_, gateway)| gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn hex(ip: [u8; 4]) -> String {
        format!("{:08X}", u32::from_ne_bytes(ip))
    }

    #[test]
    fn the_router_is_where_the_cheapest_default_route_leads() {
        let routes = format!(
            "{HEAD}wlan0\t00000000\t{}\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
             eth0\t00000000\t{}\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
             eth0\t{}\t00000000\t0001\t0\t0\t100\t{}\t0\t0\t0\n",
            hex([192, 168, 9, 1]),
            hex([192, 168, 1, 1]),
            hex([192, 168, 1, 0]),
            hex([255, 255, 255, 0]),
        );
        assert_eq!(default_of(&routes), Some(Ipv4Addr::new(192, 168, 1, 1)));
    }

    #[test]
    fn routes_without_a_router_and_lines_that_make_no_sense_lead_nowhere() {
        let link = format!("{HEAD}tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n");
        for routes in ["", HEAD, &link, "eth0\t00000000", "a b c d e f g h i", "eth0 0 ZZ 0003 0 0 0 0 0 0 0"]
        {
            assert_eq!(default_of(routes), None, "{routes:?}");
        }
    }
}
