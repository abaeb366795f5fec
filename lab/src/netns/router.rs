//! Routers made of nftables' address translation and connection tracking.
//!
//! | kind | a new datagram from inside | a new datagram from outside |
//! |---|---|---|
//! | open | keeps its address | passes |
//! | full cone | keeps its port | goes to the host |
//! | address-restricted | keeps its port | goes to the host if that port wrote to this address |
//! | port-restricted | keeps its port | is dropped, unless it answers one |
//! | symmetric | gets a port by chance | is dropped, unless it answers one |
//! | UDP blocked | is dropped, but TCP to port 443 | is dropped |

use super::inside;
use anyhow::{Context as _, Result, bail};
use relay::nat::Uplink;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

/// What a home is connected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// One of those that theory knows.
    Uplink(Uplink),
    /// [`Uplink::UdpBlocked`], and there no TURN in the clear: what looks into TCP lets TLS pass.
    TlsOnly,
}

impl From<Uplink> for Nat {
    fn from(uplink: Uplink) -> Self {
        Self::Uplink(uplink)
    }
}

impl Nat {
    /// What the carrier's router does, where there is one.
    pub(super) const fn carrier(self) -> Option<Self> {
        match self {
            Self::Uplink(Uplink::CarrierPort) => Some(Self::Uplink(Uplink::PortRestricted)),
            Self::Uplink(Uplink::CarrierSymmetric) => Some(Self::Uplink(Uplink::Symmetric)),
            Self::Uplink(_) | Self::TlsOnly => None,
        }
    }
}

/// Gives a router these rules, and no memory. Inside of it, behind `lan`, is one host.
pub(super) fn translate(router: &str, host: Ipv4Addr, nat: Nat) -> Result<()> {
    let mut nft = Command::new("ip")
        .args(["netns", "exec", router, "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot run nft")?;
    nft.stdin.take().context("nft has no stdin")?.write_all(rules(host, nat).as_bytes())?;
    if !nft.wait()?.success() {
        bail!("nft refused the rules of {router} {nat:?}");
    }
    inside(router, "conntrack", &["-F"])
}

/// The outside of a router: the public segment, or its carrier.
const OUTSIDE: &str = r#"{ "wan", "isp" }"#;
/// Any port a host sends from.
const PORTS: &str = "1024-65535";
const UDP_BLOCKED: &str = "iifname lan meta l4proto udp drop\n    iifname lan tcp dport != 443 drop";

/// The whole ruleset of a router.
///
/// Unsolicited datagrams to the router itself are dropped before conntrack confirms them: else an early probe of the
/// other side would occupy its port and push the later outbound mapping to another one, which no home router does.
fn rules(host: Ipv4Addr, nat: Nat) -> String {
    if nat == Nat::Uplink(Uplink::Open) {
        return "flush ruleset\n".to_owned();
    }
    let map_out =
        if nat == Nat::Uplink(Uplink::Symmetric) { "masquerade fully-random" } else { "masquerade" };
    let map_in = match nat {
        Nat::Uplink(Uplink::FullCone) => format!("iifname {OUTSIDE} udp dport {PORTS} dnat to {host}"),
        Nat::Uplink(Uplink::AddressRestricted) => {
            format!("iifname {OUTSIDE} ip saddr . udp dport @written dnat to {host}")
        }
        _ => String::new(),
    };
    // A port keeps its number on the way out, so it is known by the host's.
    let remember = match nat {
        Nat::Uplink(Uplink::AddressRestricted) => {
            "iifname lan meta l4proto udp update @written { ip daddr . udp sport }"
        }
        _ => "",
    };
    let block = match nat {
        Nat::Uplink(Uplink::UdpBlocked) => UDP_BLOCKED.to_owned(),
        // An Allocate request begins with 0x0003 (RFC 8656 §18.1).
        Nat::TlsOnly => format!("{UDP_BLOCKED}\n    iifname lan tcp dport 443 @ih,0,16 0x0003 drop"),
        _ => String::new(),
    };
    format!(
        "flush ruleset
table inet fw {{
  chain input {{ type filter hook input priority 0; policy accept;
    iifname {OUTSIDE} ct state new meta l4proto udp drop
  }}
  chain forward {{ type filter hook forward priority 0; policy accept;
    ct status dnat accept
    iifname {OUTSIDE} ct state new drop
    {block}
  }}
}}
table ip nat {{
  set written {{ type ipv4_addr . inet_service; flags dynamic,timeout; timeout 300s; }}
  chain in {{ type nat hook prerouting priority -100;
    {map_in}
  }}
  chain out {{ type nat hook postrouting priority 100;
    oifname {OUTSIDE} {map_out}
  }}
  chain remember {{ type filter hook forward priority 10;
    {remember}
  }}
}}
"
    )
}
