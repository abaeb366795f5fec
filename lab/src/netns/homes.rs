//! Two homes, their routers and carriers, and public hosts.

use super::router::{Nat, translate};
use super::{cable, cut_cable, inside, quiet, undo};
use crate::link;
use crate::process::{EndsWithUs, Place};
use anyhow::Result;
use relay::nat::Uplink;
use std::net::Ipv4Addr;
use std::process::Stdio;

/// The public host.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// A second address of it, which a NAT is measured with (RFC 5780 §3).
pub const PUBLIC_ALTERNATE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

/// One of the two homes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Router `ra`, host `a`, carrier `ca`.
    A,
    /// Router `rb`, host `b`, carrier `cb`.
    B,
}

impl Home {
    const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The host behind the router.
    pub fn host(self) -> Place {
        Place::Namespace(self.names().host.to_owned())
    }

    /// The address at which the internet sees the host behind `nat`.
    pub fn public_address(self, nat: Nat) -> Ipv4Addr {
        match nat {
            Nat::Uplink(Uplink::Open) => self.open_address(),
            _ if nat.carrier().is_some() => self.carrier_address(),
            _ => self.router_address(),
        }
    }

    /// The host's private address.
    pub fn private_address(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.number(), 2)
    }

    fn router_address(self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, 20 + self.number())
    }

    fn carrier_address(self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, 30 + self.number())
    }

    /// The address of a host that needs no translator; everybody's routes to it lead through its router.
    fn open_address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, 20 + self.number())
    }

    fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.number(), 1)
    }

    /// Router and carrier on the cable between them (RFC 6598).
    fn shared(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(100, 64, self.number(), last)
    }

    const fn names(self) -> Names {
        match self {
            Self::A => Names { router: "ra", host: "a", carrier: "ca" },
            Self::B => Names { router: "rb", host: "b", carrier: "cb" },
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }
}

/// What a firewall lets out of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// As if the cable were out, behind the router.
    Nothing,
    /// Datagrams to this port.
    UdpTo(u16),
}

/// Namespaces of a home.
struct Names {
    router: &'static str,
    host: &'static str,
    carrier: &'static str,
}

/// The little internet, inside [`within`](super::within)'s namespaces.
#[derive(Debug)]
pub struct Internet {
    public: Vec<(Place, Ipv4Addr)>,
    /// What carries frames where a cable does more than a cable.
    links: Vec<EndsWithUs>,
}

impl Internet {
    /// Lays the cables. Both homes start behind [`Uplink::PortRestricted`].
    pub fn build() -> Result<Self> {
        Self::with_public_hosts(1)
    }

    /// The same with several public hosts, ten at most.
    pub fn with_public_hosts(count: u8) -> Result<Self> {
        for name in ["net", "ra", "a", "ca", "rb", "b", "cb"] {
            quiet(name)?;
        }
        inside("net", "ip", &["link", "add", "segment", "type", "bridge"])?;
        inside("net", "ip", &["link", "set", "segment", "up"])?;
        let mut on_segment = Vec::new();
        for home in Home::BOTH {
            let Names { router, carrier, .. } = home.names();
            on_segment.push((router.to_owned(), home.router_address()));
            on_segment.push((carrier.to_owned(), home.carrier_address()));
        }
        let [a, b, c, first] = PUBLIC.octets();
        let mut public = Vec::new();
        for n in 0..count.clamp(1, 10) {
            let name = if n == 0 { "s".to_owned() } else { format!("s{n}") };
            quiet(&name)?;
            let address = Ipv4Addr::new(a, b, c, first + n);
            public.push((Place::Namespace(name.clone()), address));
            on_segment.push((name, address));
        }
        for (name, address) in &on_segment {
            let port = format!("to-{name}");
            cable(("net", &port), (name, "wan"))?;
            inside("net", "ip", &["link", "set", &port, "master", "segment"])?;
            give(name, "wan", *address)?;
            for home in Home::BOTH.into_iter().filter(|home| home.names().router != name) {
                lead(name, home.open_address(), home.router_address())?;
            }
        }
        give("s", "wan", PUBLIC_ALTERNATE)?;
        let internet = Self { public, links: Vec::new() };
        for home in Home::BOTH {
            let Names { router, host, carrier } = home.names();
            cable((router, "lan"), (host, "eth0"))?;
            cable((carrier, "lan"), (router, "isp"))?;
            give(router, "lan", home.gateway())?;
            give(carrier, "lan", home.shared(1))?;
            give(router, "isp", home.shared(2))?;
            for router in [router, carrier] {
                inside(router, "sysctl", &["-qw", "net.ipv4.ip_forward=1"])?;
            }
            internet.set_nat(home, Nat::Uplink(Uplink::PortRestricted))?;
        }
        Ok(internet)
    }

    /// Puts such a link, as [`link::Link`] reads it, between each router and carrier and the segment. The program running must
    /// serve [`link::WORD`] by calling [`link::serve`].
    ///
    /// ```text
    ///   ra wan ─── from-ra ══ process ══ near-ra ─── to-ra, a port of the bridge
    /// ```
    pub fn put_links(&mut self, link: &str) -> Result<()> {
        let exe = std::env::current_exe()?;
        let net = Place::Namespace("net".to_owned());
        for router in Home::BOTH.map(|home| [home.names().router, home.names().carrier]).as_flattened() {
            let [port, far, near] = ["to", "from", "near"].map(|side| format!("{side}-{router}"));
            cut_cable((router, "wan"), "net", [&port, &far, &near])?;
            let process =
                net.command(&exe).args([link::WORD, &far, &near, link]).stdin(Stdio::null()).spawn()?;
            self.links.push(EndsWithUs(process));
        }
        Ok(())
    }

    /// The public host.
    pub fn public_host(&self) -> Place {
        Place::Namespace("s".to_owned())
    }

    /// All public hosts, and their addresses.
    pub fn public_hosts(&self) -> &[(Place, Ipv4Addr)] {
        &self.public
    }

    /// Both routers drop from now on what goes from one home straight to the other. [`Internet::set_nat`] mends it.
    pub fn part_homes(&self) -> Result<()> {
        for (home, other) in [(Home::A, Home::B), (Home::B, Home::A)] {
            for address in [other.router_address(), other.carrier_address(), other.open_address()] {
                let rule =
                    ["add", "rule", "inet", "fw", "forward", "ip", "daddr", &address.to_string(), "drop"];
                inside(home.names().router, "nft", &rule)?;
            }
        }
        Ok(())
    }

    /// From now on this is all that leaves a home. [`Internet::set_nat`] mends it.
    pub fn let_out_only(&self, home: Home, passes: Passes) -> Result<()> {
        let rules = match passes {
            Passes::Nothing => vec!["drop".to_owned()],
            Passes::UdpTo(port) => vec![
                "iifname lan meta l4proto tcp drop".to_owned(),
                format!("iifname lan udp dport != {port} drop"),
            ],
        };
        for rule in rules {
            let words = ["insert", "rule", "inet", "fw", "forward"].into_iter().chain(rule.split(' '));
            inside(home.names().router, "nft", &words.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The host of a home loses its address and gets this one, as when a cable takes the place of a radio.
    pub fn move_host(&self, home: Home, from: u8, to: u8) -> Result<()> {
        let host = home.names().host;
        let address = |n: u8| format!("192.168.{}.{n}/24", home.number());
        inside(host, "ip", &["address", "delete", &address(from), "dev", "eth0"])?;
        inside(host, "ip", &["address", "add", &address(to), "dev", "eth0"])?;
        inside(host, "ip", &["route", "replace", "default", "via", &home.gateway().to_string()])
    }

    /// Gives a home another router, which has seen no traffic yet, and the host the address that belongs there.
    pub fn set_nat(&self, home: Home, nat: Nat) -> Result<()> {
        let Names { router, host, carrier } = home.names();
        inside(host, "ip", &["address", "flush", "dev", "eth0"])?;
        if nat == Nat::Uplink(Uplink::Open) {
            inside(host, "ip", &["address", "add", &home.open_address().to_string(), "dev", "eth0"])?;
            inside(host, "ip", &["route", "replace", &home.gateway().to_string(), "dev", "eth0"])?;
            inside(router, "ip", &["route", "replace", &home.open_address().to_string(), "dev", "lan"])?;
        } else {
            give(host, "eth0", home.private_address())?;
        }
        inside(host, "ip", &["route", "replace", "default", "via", &home.gateway().to_string()])?;
        inside(router, "ip", &["address", "flush", "dev", "wan"])?;
        undo(router, "ip", &["route", "delete", "default"]);
        if let Some(behaviour) = nat.carrier() {
            inside(router, "ip", &["route", "replace", "default", "via", &home.shared(1).to_string()])?;
            translate(carrier, home.shared(2), behaviour)?;
        } else {
            give(router, "wan", home.router_address())?;
            for other in Home::BOTH.into_iter().filter(|other| *other != home) {
                lead(router, other.open_address(), other.router_address())?;
            }
        }
        translate(router, home.private_address(), nat)
    }
}

/// Gives an interface an address in a network of 256.
fn give(namespace: &str, interface: &str, address: Ipv4Addr) -> Result<()> {
    inside(namespace, "ip", &["address", "add", &format!("{address}/24"), "dev", interface])
}

/// Lays a route to one address.
fn lead(namespace: &str, to: Ipv4Addr, via: Ipv4Addr) -> Result<()> {
    inside(namespace, "ip", &["route", "replace", &to.to_string(), "via", &via.to_string()])
}
