//! A network laid cable by cable, for what the two homes of [`Internet`](super::Internet) cannot be.
//!
//! ```text
//!   host ─ eth0 ──── lan ─ router ─ wan ──────┬── bridge ──┬──── s: 203.0.113.10, .9; 2001:db8:0:1::10
//!                                             └── ...      └──── ...
//! ```
//!
//! Routers and hosts have either family or both, and as many neighbours as are wanted.

use super::{cable, inside, ip, quiet};
use crate::process::Place;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

/// Which addresses there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    Dual,
}

impl Family {
    /// Whether there is IPv4.
    pub const fn has_v4(self) -> bool {
        matches!(self, Self::V4 | Self::Dual)
    }

    /// Whether there is IPv6.
    pub const fn has_v6(self) -> bool {
        matches!(self, Self::V6 | Self::Dual)
    }
}

/// What a translator does with a datagram from inside to its own outside (RFC 4787 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hairpin {
    /// Brings it to whoever has that port.
    Supported,
    /// Drops it.
    Missing,
}

/// Namespaces and cables, inside [`within`](super::within)'s namespaces.
#[derive(Debug)]
pub struct Ground {
    _private: (),
}

/// The bridge on which all public addresses are.
const SEGMENT: &str = "net";

impl Ground {
    /// Takes away what was laid before, and lays the segment.
    pub fn clear() -> Result<Self> {
        ip(&["-all", "netns", "delete"])?;
        quiet(SEGMENT)?;
        inside(SEGMENT, "ip", &["link", "add", "segment", "type", "bridge"])?;
        inside(SEGMENT, "ip", &["link", "set", "segment", "up"])?;
        Ok(Self { _private: () })
    }

    /// A host of this name without any cable.
    pub fn host(&self, name: &str, family: Family) -> Result<Place> {
        quiet(name)?;
        if family.has_v6() {
            for what in ["all", "default", "lo"] {
                set(name, &format!("net.ipv6.conf.{what}.disable_ipv6"), "0")?;
            }
        }
        Ok(Place::Namespace(name.to_owned()))
    }

    /// The same, and it passes on what is not for it.
    pub fn router(&self, name: &str, family: Family) -> Result<()> {
        self.host(name, family)?;
        set(name, "net.ipv4.ip_forward", "1")?;
        if family.has_v6() {
            set(name, "net.ipv6.conf.all.forwarding", "1")?;
        }
        Ok(())
    }

    /// Plugs the interface `wan` of a host into the segment.
    pub fn plug(&self, name: &str) -> Result<()> {
        let port = format!("to-{name}");
        cable((SEGMENT, &port), (name, "wan"))?;
        inside(SEGMENT, "ip", &["link", "set", &port, "master", "segment"])
    }

    /// A cable between two interfaces.
    pub fn cable(&self, one: (&str, &str), other: (&str, &str)) -> Result<()> {
        cable(one, other)
    }

    /// Gives an interface an IPv4 address in a network of 256.
    pub fn give(&self, name: &str, interface: &str, address: Ipv4Addr) -> Result<()> {
        inside(name, "ip", &["address", "add", &format!("{address}/24"), "dev", interface])
    }

    /// Gives an interface an IPv6 address in a network of its own (/64), at once and without asking who has it already.
    pub fn give_v6(&self, name: &str, interface: &str, address: Ipv6Addr) -> Result<()> {
        inside(name, "ip", &["address", "add", &format!("{address}/64"), "dev", interface, "nodad"])
    }

    /// Lays a route: `to` is a network, or `default`.
    pub fn lead(&self, name: &str, to: &str, via: &str) -> Result<()> {
        let family = if via.contains(':') { "-6" } else { "-4" };
        inside(name, "ip", &[family, "route", "replace", to, "via", via])
    }

    /// Several interfaces of a host become one, `bridge`.
    pub fn join(&self, name: &str, bridge: &str, interfaces: &[&str]) -> Result<()> {
        inside(name, "ip", &["link", "add", bridge, "type", "bridge"])?;
        inside(name, "ip", &["link", "set", bridge, "up"])?;
        for interface in interfaces {
            inside(name, "ip", &["link", "set", interface, "master", bridge])?;
        }
        Ok(())
    }

    /// Gives a router these rules of nftables.
    pub fn rules(&self, name: &str, rules: &str) -> Result<()> {
        let mut nft = Command::new("ip")
            .args(["netns", "exec", name, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot run nft")?;
        nft.stdin.take().context("nft has no stdin")?.write_all(rules.as_bytes())?;
        ensure!(nft.wait()?.success(), "nft refused the rules of {name}:\n{rules}");
        Ok(())
    }

    /// Gives a kernel setting of a host another value.
    pub fn set(&self, name: &str, setting: &str, value: &str) -> Result<()> {
        set(name, setting, value)
    }

    /// Whether a host has addresses of IPv6 to be reached at.
    pub fn has_v6(&self, name: &str) -> bool {
        let shown = crate::process::run(
            Command::new("ip")
                .args(["netns", "exec", name, "ip", "-6", "address", "show", "scope", "global"]),
        );
        shown.is_ok_and(|shown| !shown.is_empty())
    }

    /// Insists that `router` remembers UDP flows, and none of them for longer than this many seconds.
    pub fn forgets_within(&self, router: &str, seconds: u32) -> Result<()> {
        let listed = crate::process::run(Command::new("ip").args([
            "netns",
            "exec",
            router,
            "conntrack",
            "-L",
            "-p",
            "udp",
        ]))?;
        // udp 17 SECONDS src=...
        let left = listed.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u32>().ok());
        match left.max() {
            None => bail!("{router} remembers no flow"),
            Some(longest) if longest > seconds => bail!("{router} remembers a flow for {longest} s"),
            Some(_) => Ok(()),
        }
    }
}

fn set(name: &str, setting: &str, value: &str) -> Result<()> {
    inside(name, "sysctl", &["-qw", &format!("{setting}={value}")])
}

/// A translator between everything inside, whose interfaces begin with `lan`, and `wan`: ports are kept, what comes
/// unasked is dropped, and what is inside does not reach each other except by a hairpin.
///
/// A port keeps its number on the way out, so it is known by the number whose it is.
pub fn translator(outside: Ipv4Addr, hairpin: Hairpin) -> String {
    let (bring, show) = match hairpin {
        Hairpin::Supported => (
            format!("iifname \"lan*\" ip daddr {outside} dnat to udp dport map @whose"),
            format!("oifname \"lan*\" ct status dnat snat to {outside}"),
        ),
        Hairpin::Missing => (String::new(), String::new()),
    };
    format!(
        "table inet fw {{
  chain input {{ type filter hook input priority 0; policy accept;
    iifname wan ct state new meta l4proto udp drop
    ip daddr {outside} ct state new drop
  }}
  chain forward {{ type filter hook forward priority 0; policy accept;
    ct status dnat accept
    iifname wan ct state new drop
    iifname \"lan*\" oifname \"lan*\" drop
  }}
}}
table ip nat {{
  map whose {{ type inet_service : ipv4_addr; flags dynamic,timeout; timeout 300s; }}
  chain in {{ type nat hook prerouting priority -100;
    {bring}
  }}
  chain out {{ type nat hook postrouting priority 100;
    oifname wan masquerade
    {show}
  }}
  chain remember {{ type filter hook forward priority 10;
    iifname \"lan*\" oifname wan meta l4proto udp update @whose {{ udp sport : ip saddr }}
  }}
}}
"
    )
}

/// A firewall for IPv6 that lets in what was asked for and nothing else (RFC 6092).
pub const ANSWERS_ONLY: &str = "table ip6 fw {
  chain forward { type filter hook forward priority 0; policy accept;
    iifname wan ct state new drop
  }
}
";

/// Nothing of IPv6 gets through, and nobody is told.
pub const SWALLOWS_V6: &str = "table ip6 fw {
  chain forward { type filter hook forward priority 0; policy drop; }
}
";

/// A translator that has another port outside for every port inside, and the same one whoever is written to. It knows the
/// ports from `first` on, `count` of them.
pub fn shifts_ports(outside: Ipv4Addr, first: u16, count: u16, by: u16) -> String {
    let ports: Vec<String> =
        (first..first + count).map(|port| format!("{port} : {outside} . {}", port - by)).collect();
    format!(
        "table inet fw {{
  chain input {{ type filter hook input priority 0; policy accept;
    iifname wan ct state new meta l4proto udp drop
  }}
  chain forward {{ type filter hook forward priority 0; policy accept;
    iifname wan ct state new drop
  }}
}}
table ip nat {{
  map ports {{ type inet_service : ipv4_addr . inet_service; elements = {{ {} }}; }}
  chain out {{ type nat hook postrouting priority 100;
    oifname wan meta l4proto udp snat ip to udp sport map @ports
    oifname wan meta l4proto != udp masquerade
  }}
}}
",
        ports.join(", ")
    )
}
