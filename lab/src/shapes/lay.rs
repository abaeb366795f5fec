//! How the networks of the shapes are laid.

use super::{FORGOTTEN_AFTER_S, Shape};
use crate::netns::{
    ANSWERS_ONLY, Family, Ground, Hairpin, PUBLIC, PUBLIC_ALTERNATE, SWALLOWS_V6, shifts_ports, translator,
};
use crate::process::Place;
use anyhow::Result;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A network that is there.
#[derive(Debug)]
pub struct Laid {
    pub(super) ground: Ground,
    /// Where the supernode runs.
    pub public: Place,
    /// Which of its addresses people know.
    pub family: Family,
    /// Who call each other.
    pub pairs: Vec<[Place; 2]>,
}

/// The routers of two homes.
pub(super) const ROUTERS: [&str; 2] = ["r1", "r2"];
/// Their hosts.
const HOSTS: [&str; 2] = ["a", "b"];

/// The supernode's.
pub(super) const PUBLIC_V6: Ipv6Addr = v6(0, 0x10);

/// In the documentation's network `n` of 64 bits (RFC 3849).
const fn v6(n: u16, host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, n, 0, 0, 0, host)
}

const fn outside(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, 20 + n)
}

const fn private(n: u8, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, n, host)
}

/// Between a carrier and its customers (RFC 6598).
const fn shared(n: u8, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, n, host)
}

pub(super) fn lay(shape: Shape) -> Result<Laid> {
    match shape {
        Shape::SameLan => same_lan(),
        Shape::Hairpin => one_router(Hairpin::Supported),
        Shape::NoHairpin => one_router(Hairpin::Missing),
        Shape::CarrierHairpin => one_carrier(Hairpin::Supported),
        Shape::CarrierNoHairpin => one_carrier(Hairpin::Missing),
        Shape::BrokenIpv6 => two_homes(true),
        Shape::ShortMappings => {
            let laid = two_homes(false)?;
            for router in ROUTERS {
                for setting in ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"] {
                    let setting = format!("net.netfilter.{setting}");
                    laid.ground.set(router, &setting, &FORGOTTEN_AFTER_S.to_string())?;
                }
            }
            Ok(laid)
        }
        Shape::Ipv6 => {
            let (ground, public) = public(Family::Dual)?;
            let pair = [home_v6(&ground, 1)?, home_v6(&ground, 2)?];
            Ok(Laid { ground, public, family: Family::Dual, pairs: vec![pair] })
        }
        Shape::Ipv6AndIpv4 => {
            let (ground, public) = public(Family::Dual)?;
            let pair = [home_v6(&ground, 1)?, home(&ground, 2, Family::V4)?];
            Ok(Laid { ground, public, family: Family::Dual, pairs: vec![pair] })
        }
        Shape::ChangedPort => {
            let laid = two_homes(false)?;
            for (n, (router, host)) in (1..).zip(ROUTERS.into_iter().zip(HOSTS)) {
                let last = FIRST_PORT + PORTS - 1;
                laid.ground.set(host, "net.ipv4.ip_local_port_range", &format!("{FIRST_PORT} {last}"))?;
                let rules = shifts_ports(outside(n), FIRST_PORT, PORTS, SHIFT);
                laid.ground.rules(router, &format!("flush ruleset\n{rules}"))?;
            }
            Ok(laid)
        }
        Shape::Crowd => crowd(),
    }
}

/// The ports a host behind a router that shifts ports sends from, and by how many.
const FIRST_PORT: u16 = 40_000;
const PORTS: u16 = 4096;
const SHIFT: u16 = 20_000;

/// The segment with the supernode's host, which has two addresses of IPv4.
fn public(family: Family) -> Result<(Ground, Place)> {
    let ground = Ground::clear()?;
    let place = ground.host("s", family)?;
    ground.plug("s")?;
    for address in [PUBLIC, PUBLIC_ALTERNATE] {
        ground.give("s", "wan", address)?;
    }
    if family.has_v6() {
        ground.give_v6("s", "wan", PUBLIC_V6)?;
    }
    Ok((ground, place))
}

/// Both homes behind a translator each; with IPv6 too, which swallows everything.
pub(super) fn two_homes(broken_v6: bool) -> Result<Laid> {
    let family = if broken_v6 { Family::Dual } else { Family::V4 };
    let (ground, public) = public(family)?;
    let pair = [home(&ground, 1, family)?, home(&ground, 2, family)?];
    Ok(Laid { ground, public, family, pairs: vec![pair] })
}

/// A home behind a translator. Where it has IPv6, nothing of that gets through.
fn home(ground: &Ground, n: u8, family: Family) -> Result<Place> {
    let (router, host) = names(n);
    ground.router(router, family)?;
    ground.plug(router)?;
    ground.give(router, "wan", outside(n))?;
    let place = ground.host(host, family)?;
    ground.cable((router, "lan"), (host, "eth0"))?;
    ground.give(router, "lan", private(n, 1))?;
    ground.give(host, "eth0", private(n, 2))?;
    ground.lead(host, "default", &private(n, 1).to_string())?;
    ground.rules(router, &translator(outside(n), Hairpin::Missing))?;
    if family.has_v6() {
        six(ground, n)?;
        ground.rules(router, SWALLOWS_V6)?;
    }
    Ok(place)
}

/// A home without IPv4, behind a firewall.
fn home_v6(ground: &Ground, n: u8) -> Result<Place> {
    let (router, host) = names(n);
    ground.router(router, Family::V6)?;
    ground.plug(router)?;
    let place = ground.host(host, Family::V6)?;
    ground.cable((router, "lan"), (host, "eth0"))?;
    six(ground, n)?;
    ground.rules(router, ANSWERS_ONLY)?;
    Ok(place)
}

/// Addresses and routes of IPv6 for a home that has its cables.
fn six(ground: &Ground, n: u8) -> Result<()> {
    let (router, host) = names(n);
    let (net, wan) = (u16::from(n), v6(0, 0x20 + u16::from(n)));
    ground.give_v6(router, "wan", wan)?;
    ground.give_v6(router, "lan", v6(net, 1))?;
    ground.give_v6(host, "eth0", v6(net, 2))?;
    ground.lead(host, "default", &v6(net, 1).to_string())?;
    ground.lead("s", &format!("{}/64", v6(net, 0)), &wan.to_string())?;
    // Whoever is laid last knows the way to whoever was laid before, and tells the way back.
    for before in 1..n {
        let (other, there) = (names(before).0, v6(0, 0x20 + u16::from(before)));
        if ground.has_v6(other) {
            ground.lead(router, &format!("{}/64", v6(u16::from(before), 0)), &there.to_string())?;
            ground.lead(other, &format!("{}/64", v6(net, 0)), &wan.to_string())?;
        }
    }
    Ok(())
}

const fn names(n: u8) -> (&'static str, &'static str) {
    if n == 1 { (ROUTERS[0], HOSTS[0]) } else { (ROUTERS[1], HOSTS[1]) }
}

/// Several hosts at a router, on one cable.
fn hosts(ground: &Ground, router: &str, n: u8, hosts: &[&str]) -> Result<Vec<Place>> {
    ground.router(router, Family::V4)?;
    ground.plug(router)?;
    ground.give(router, "wan", outside(n))?;
    // A switch of its own: what goes from host to host is none of the router's business.
    let switch = format!("{router}-switch");
    ground.host(&switch, Family::V4)?;
    ground.cable((router, "lan"), (&switch, "uplink"))?;
    let mut ports = vec!["uplink".to_owned()];
    let mut places = Vec::new();
    for (nth, host) in (2..).zip(hosts) {
        let port = format!("p{nth}");
        places.push(ground.host(host, Family::V4)?);
        ground.cable((&switch, &port), (host, "eth0"))?;
        ground.give(host, "eth0", private(n, nth))?;
        ports.push(port);
    }
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    ground.join(&switch, "switch", &ports)?;
    ground.give(router, "lan", private(n, 1))?;
    for host in hosts {
        ground.lead(host, "default", &private(n, 1).to_string())?;
    }
    ground.rules(router, &translator(outside(n), Hairpin::Missing))?;
    Ok(places)
}

fn same_lan() -> Result<Laid> {
    let (ground, public) = public(Family::V4)?;
    let pairs = pairs_of(hosts(&ground, "r1", 1, &HOSTS)?.into_iter());
    Ok(Laid { ground, public, family: Family::V4, pairs })
}

fn crowd() -> Result<Laid> {
    let (ground, public) = public(Family::V4)?;
    let near = hosts(&ground, ROUTERS[0], 1, &["a", "a2"])?;
    let far = hosts(&ground, ROUTERS[1], 2, &["b", "b2"])?;
    let pairs = near.into_iter().zip(far).map(|(near, far)| [near, far]).collect();
    Ok(Laid { ground, public, family: Family::V4, pairs })
}

fn pairs_of(mut places: impl Iterator<Item = Place>) -> Vec<[Place; 2]> {
    std::iter::from_fn(|| Some([places.next()?, places.next()?])).collect()
}

/// Two networks at one router, a host in each.
fn one_router(hairpin: Hairpin) -> Result<Laid> {
    let (ground, public) = public(Family::V4)?;
    let router = ROUTERS[0];
    ground.router(router, Family::V4)?;
    ground.plug(router)?;
    ground.give(router, "wan", outside(1))?;
    let mut places = Vec::new();
    for (n, host) in (1..).zip(HOSTS) {
        let lan = format!("lan{n}");
        places.push(ground.host(host, Family::V4)?);
        ground.cable((router, &lan), (host, "eth0"))?;
        ground.give(router, &lan, private(n, 1))?;
        ground.give(host, "eth0", private(n, 2))?;
        ground.lead(host, "default", &private(n, 1).to_string())?;
    }
    ground.rules(router, &translator(outside(1), hairpin))?;
    Ok(Laid { ground, public, family: Family::V4, pairs: pairs_of(places.into_iter()) })
}

/// Two homes at one carrier.
fn one_carrier(hairpin: Hairpin) -> Result<Laid> {
    let (ground, public) = public(Family::V4)?;
    ground.router(CARRIER, Family::V4)?;
    ground.plug(CARRIER)?;
    ground.give(CARRIER, "wan", outside(3))?;
    let mut places = Vec::new();
    for n in [1, 2] {
        let (router, host) = names(n);
        let lan = format!("lan{n}");
        ground.router(router, Family::V4)?;
        places.push(ground.host(host, Family::V4)?);
        ground.cable((CARRIER, &lan), (router, "wan"))?;
        ground.give(CARRIER, &lan, shared(n, 1))?;
        ground.give(router, "wan", shared(n, 2))?;
        ground.lead(router, "default", &shared(n, 1).to_string())?;
        ground.cable((router, "lan"), (host, "eth0"))?;
        ground.give(router, "lan", private(n, 1))?;
        ground.give(host, "eth0", private(n, 2))?;
        ground.lead(host, "default", &private(n, 1).to_string())?;
        ground.rules(router, &translator(shared(n, 2), Hairpin::Missing))?;
    }
    ground.rules(CARRIER, &translator(outside(3), hairpin))?;
    Ok(Laid { ground, public, family: Family::V4, pairs: pairs_of(places.into_iter()) })
}

const CARRIER: &str = "c";
