//! A small internet of Linux network namespaces: a public segment, a public host and two homes behind NATs.
//!
//! ```text
//!        home A                                                          home B
//!   ┌───────────────┐   ┌──────────────────┐   bridge    ┌──────────────────┐   ┌───────────────┐
//!   │ a 192.168.1.2 ├───┤ ra    203.0.113.21├─────┬──────┤203.0.113.22    rb ├───┤ b 192.168.2.2 │
//!   └───────────────┘   │ NAT              │     │       │              NAT │   └───────────────┘
//!                       └──────────────────┘     │       └──────────────────┘
//!                                       ┌────────┴───────┐
//!                                       │ s 203.0.113.10 │  public host, and as many more (.11, .12 ...) as are wanted
//!                                       └────────────────┘
//! ```
//!
//! **Clean-up is the kernel's.** [`within`] runs the program again inside new mount, network and process namespaces
//! (and a user namespace where we are not root). `/run/netns` there is a private tmpfs, so the named namespaces are
//! seen by nobody else and any number of labs can run side by side; when the first process of the lab ends, in
//! whatever way, the kernel kills the others and takes the networks away. Nothing is left for a `Drop` to forget.
//!
//! The NATs are nftables'. RFC 4787 words: *endpoint-independent* mapping is one public port for all destinations,
//! *address and port-dependent* mapping is a new one for each ("symmetric").

use crate::process::{Place, run};
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, ExitCode, Stdio};

/// The public host.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// Behaviour of a home router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// Endpoint-independent mapping, endpoint-independent filtering: whoever knows the public port gets in.
    FullCone,
    /// Endpoint-independent mapping, address and port-dependent filtering: only who was written to gets in.
    PortRestricted,
    /// Address and port-dependent mapping and filtering: another public port for every destination.
    Symmetric,
    /// No UDP at all, and TCP to port 443 only.
    UdpBlocked,
    /// The same, and there no TURN in the clear: what looks into TCP lets TLS pass.
    TlsOnly,
}

/// One of the two homes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Router `ra`, host `a`.
    A,
    /// Router `rb`, host `b`.
    B,
}

impl Home {
    /// The host behind the router.
    pub fn host(self) -> Place {
        Place::Namespace(self.names().1.to_owned())
    }

    /// The router's public address.
    pub fn public_address(self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, 20 + self.number())
    }

    /// The host's private address.
    pub fn private_address(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.number(), 2)
    }

    fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.number(), 1)
    }

    /// Namespaces of router and host.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::A => ("ra", "a"),
            Self::B => ("rb", "b"),
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }
}

/// Exit status of a program that this system cannot run: `make test` tells it from success and failure.
const CANNOT_RUN: u8 = 77;

/// Runs this program again inside namespaces of its own, with the same arguments; there it plays. Where the system lets
/// us make none, `unproven` is said to be, and the exit status is 77.
pub fn within(unproven: &str, play: impl FnOnce() -> Result<ExitCode>) -> Result<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]))?;
        std::fs::create_dir_all("/run/netns")?;
        ip(&["link", "set", "lo", "up"])?;
        return play();
    }
    let mut tried = Vec::new();
    for who in [&[][..], &["--user", "--map-root-user"][..]] {
        let wall = |program: &str| {
            // The chain of deaths: we die -> unshare is killed -> its child, first of its process namespace, is killed.
            let mut command = Place::Here.command("unshare");
            command.args(who).args([
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child=KILL",
            ]);
            command.arg(program);
            command
        };
        let probe = format!("{PROBE_MOUNT} && ip netns add probe && ip netns exec probe nft list ruleset");
        if let Err(error) = run(wall("sh").args(["-c", &probe])) {
            tried.push(error.to_string());
            continue;
        }
        let exe = std::env::current_exe()?;
        let mut inner = wall(exe.to_str().context("the program's path is not UTF-8")?);
        let status = inner.args(std::env::args_os().skip(1)).env(INSIDE, "1").status()?;
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        return Ok(ExitCode::from(code));
    }
    let mut err = std::io::stderr();
    writeln!(err, "!!! NOT RUN: {unproven} This system allows no network namespaces, neither as this user")?;
    writeln!(err, "!!! nor inside a user namespace: {}", tried.join("; "))?;
    Ok(ExitCode::from(CANNOT_RUN))
}

const INSIDE: &str = "SILBO_LAB_INSIDE";
const PROBE_MOUNT: &str = "mount -t tmpfs tmpfs /run && mkdir /run/netns";

/// The little internet, inside [`within`]'s namespaces.
#[derive(Debug)]
pub struct Internet {
    public: Vec<(Place, Ipv4Addr)>,
}

impl Internet {
    /// Lays the cables. Both homes start behind [`Nat::PortRestricted`].
    pub fn build() -> Result<Self> {
        Self::with_public_hosts(1)
    }

    /// The same with several public hosts, ten at most.
    pub fn with_public_hosts(count: u8) -> Result<Self> {
        for name in ["net", "ra", "a", "rb", "b"] {
            quiet(name)?;
        }
        inside("net", "ip", &["link", "add", "segment", "type", "bridge"])?;
        inside("net", "ip", &["link", "set", "segment", "up"])?;
        let [a, b, c, first] = PUBLIC.octets();
        let mut on_segment =
            vec![("ra".to_owned(), Home::A.public_address()), ("rb".to_owned(), Home::B.public_address())];
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
            inside(name, "ip", &["address", "add", &format!("{address}/24"), "dev", "wan"])?;
        }
        let internet = Self { public };
        for home in [Home::A, Home::B] {
            let (router, host) = home.names();
            cable((router, "lan"), (host, "eth0"))?;
            inside(router, "ip", &["address", "add", &format!("{}/24", home.gateway()), "dev", "lan"])?;
            inside(router, "sysctl", &["-qw", "net.ipv4.ip_forward=1"])?;
            inside(
                host,
                "ip",
                &["address", "add", &format!("{}/24", home.private_address()), "dev", "eth0"],
            )?;
            inside(host, "ip", &["route", "add", "default", "via", &home.gateway().to_string()])?;
            internet.set_nat(home, Nat::PortRestricted)?;
        }
        Ok(internet)
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
            let (router, _) = home.names();
            let other = other.public_address().to_string();
            inside(router, "nft", &["add", "rule", "inet", "fw", "forward", "ip", "daddr", &other, "drop"])?;
        }
        Ok(())
    }

    /// The host of a home loses its address and gets this one, as when a cable takes the place of a radio.
    pub fn move_host(&self, home: Home, from: u8, to: u8) -> Result<()> {
        let (_, host) = home.names();
        let address = |n: u8| format!("192.168.{}.{n}/24", home.number());
        inside(host, "ip", &["address", "delete", &address(from), "dev", "eth0"])?;
        inside(host, "ip", &["address", "add", &address(to), "dev", "eth0"])?;
        inside(host, "ip", &["route", "replace", "default", "via", &home.gateway().to_string()])
    }

    /// Gives a home another router, which has seen no traffic yet.
    pub fn set_nat(&self, home: Home, nat: Nat) -> Result<()> {
        let (router, _) = home.names();
        translate(router, home.private_address(), nat)
    }
}

/// A public segment, and hosts on it that reach each other without any router, inside [`within`]'s namespaces.
#[derive(Debug)]
pub struct Segment {
    _private: (),
}

impl Segment {
    /// Lays the cables of `hosts` hosts, numbered from one.
    pub fn build(hosts: u8) -> Result<Self> {
        let segment = Self { _private: () };
        quiet("crowd")?;
        inside("crowd", "ip", &["link", "add", "segment", "type", "bridge"])?;
        inside("crowd", "ip", &["link", "set", "segment", "up"])?;
        for n in 1..=hosts {
            let (name, port) = (Self::name(n), format!("to-{n}"));
            quiet(&name)?;
            cable(("crowd", &port), (&name, "eth0"))?;
            inside("crowd", "ip", &["link", "set", &port, "master", "segment"])?;
            inside(&name, "ip", &["address", "add", &format!("{}/24", Self::address(n)), "dev", "eth0"])?;
        }
        Ok(segment)
    }

    /// One of the hosts.
    pub fn host(&self, n: u8) -> Place {
        Place::Namespace(Self::name(n))
    }

    /// Its address.
    pub fn address(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, n)
    }

    fn name(n: u8) -> String {
        format!("host{n}")
    }
}

/// The open internet, as far as addresses go: hosts in networks far from each other, none of them reserved, so that nodes
/// of the real network live there; inside [`within`]'s namespaces.
///
/// ```text
///   1.1.0.1   2.1.0.1   3.1.0.1 ...            everybody hears everybody: every address is on the link
///      └─────────┴─────────┴──── bridge ──── router 90.1.0.1 ── NAT ── 192.168.7.2
/// ```
#[derive(Debug)]
pub struct Backbone {
    _private: (),
}

impl Backbone {
    /// Lays the cables of `hosts` hosts, numbered from one, and of one home behind `nat`.
    pub fn build(hosts: u8, nat: Nat) -> Result<Self> {
        let backbone = Self { _private: () };
        quiet("crowd")?;
        inside("crowd", "ip", &["link", "add", "segment", "type", "bridge"])?;
        inside("crowd", "ip", &["link", "set", "segment", "up"])?;
        let mut names: Vec<(String, Ipv4Addr)> =
            (1..=hosts).map(|n| (Segment::name(n), Self::address(n))).collect();
        names.push(("router".into(), HOME_ROUTER));
        for (name, address) in names {
            let port = format!("to-{name}");
            quiet(&name)?;
            cable(("crowd", &port), (&name, "wan"))?;
            inside("crowd", "ip", &["link", "set", &port, "master", "segment"])?;
            inside(&name, "ip", &["address", "add", &format!("{address}/32"), "dev", "wan"])?;
            inside(&name, "ip", &["route", "add", "default", "dev", "wan", "src", &address.to_string()])?;
        }
        quiet("home")?;
        cable(("router", "lan"), ("home", "eth0"))?;
        let gateway = Ipv4Addr::new(192, 168, 7, 1);
        inside("router", "ip", &["address", "add", &format!("{gateway}/24"), "dev", "lan"])?;
        inside("router", "sysctl", &["-qw", "net.ipv4.ip_forward=1"])?;
        inside("home", "ip", &["address", "add", &format!("{HOME}/24"), "dev", "eth0"])?;
        inside("home", "ip", &["route", "add", "default", "via", &gateway.to_string()])?;
        translate("router", HOME, nat)?;
        Ok(backbone)
    }

    /// One of the hosts.
    pub fn host(&self, n: u8) -> Place {
        Place::Namespace(Segment::name(n))
    }

    /// Its address.
    pub fn address(n: u8) -> Ipv4Addr {
        // 1.x, 2.x, ... are somebody's, out there; 10 is private and far.
        Ipv4Addr::new(if n < 10 { n } else { n + 10 }, 1, 0, 1)
    }

    /// The host behind the router.
    pub fn home(&self) -> Place {
        Place::Namespace("home".into())
    }
}

const HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 2);
const HOME_ROUTER: Ipv4Addr = Ipv4Addr::new(90, 1, 0, 1);

/// Gives a router these rules, and no memory.
fn translate(router: &str, host: Ipv4Addr, nat: Nat) -> Result<()> {
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

/// A namespace with nothing but a loopback. Kept to IPv4: a path over IPv6 would go round every NAT.
fn quiet(name: &str) -> Result<()> {
    ip(&["netns", "add", name])?;
    for setting in ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"] {
        inside(name, "sysctl", &["-qw", setting])?;
    }
    inside(name, "ip", &["link", "set", "lo", "up"])
}

/// The whole ruleset of a router.
///
/// Unsolicited datagrams to the router itself are dropped before conntrack confirms them: else an early probe of the
/// other side would occupy its port and push the later outbound mapping to another one, which no home router does.
fn rules(host: Ipv4Addr, nat: Nat) -> String {
    let (map_in, map_out, block) = match nat {
        Nat::FullCone => {
            (format!("iifname wan udp dport 1024-65535 dnat to {host}"), "masquerade", String::new())
        }
        Nat::PortRestricted => (String::new(), "masquerade", String::new()),
        Nat::Symmetric => (String::new(), "masquerade fully-random", String::new()),
        Nat::UdpBlocked => (String::new(), "masquerade", UDP_BLOCKED.to_owned()),
        // An Allocate request begins with 0x0003 (RFC 8656 §18.1).
        Nat::TlsOnly => (
            String::new(),
            "masquerade",
            format!("{UDP_BLOCKED}\n    iifname lan tcp dport 443 @ih,0,16 0x0003 drop"),
        ),
    };
    format!(
        "flush ruleset
table inet fw {{
  chain input {{ type filter hook input priority 0; policy accept;
    iifname wan ct state new meta l4proto udp drop
  }}
  chain forward {{ type filter hook forward priority 0; policy accept;
    ct status dnat accept
    iifname wan ct state new drop
    {block}
  }}
}}
table ip nat {{
  chain in {{ type nat hook prerouting priority -100;
    {map_in}
  }}
  chain out {{ type nat hook postrouting priority 100;
    oifname wan {map_out}
  }}
}}
"
    )
}

const UDP_BLOCKED: &str = "iifname lan meta l4proto udp drop\n    iifname lan tcp dport != 443 drop";

/// A cable between two interfaces, both up.
fn cable(one: (&str, &str), other: (&str, &str)) -> Result<()> {
    ip(&["link", "add", one.1, "netns", one.0, "type", "veth", "peer", "name", other.1, "netns", other.0])?;
    inside(one.0, "ip", &["link", "set", one.1, "up"])?;
    inside(other.0, "ip", &["link", "set", other.1, "up"])
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}

fn inside(namespace: &str, program: &str, arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(["netns", "exec", namespace, program]).args(arguments)).map(drop)
}
