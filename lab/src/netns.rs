//! A small internet of Linux network namespaces: a public segment, a public host and two homes behind NATs.
//!
//! ```text
//!       home A                                                                                     home B
//!   ┌──────────────┐  ┌─────────────────┐              bridge              ┌─────────────────┐  ┌──────────────┐
//!   │a  192.168.1.2├──┤ra   203.0.113.21├────────────────┬─────────────────┤203.0.113.22   rb├──┤192.168.2.2  b│
//!   │ or 198.51.   │  │ or 100.64.1.2   │                │                 │  or 100.64.2.2  │  │ or 198.51.   │
//!   │    100.21    │  └───────┬─────────┘                │                 └────────┬────────┘  │    100.22    │
//!   └──────────────┘          │ ┌─────────────────┐      │      ┌─────────────────┐ │           └──────────────┘
//!                             └─┤ca   203.0.113.31├──────┼──────┤203.0.113.32   cb├─┘
//!                               └─────────────────┘      │      └─────────────────┘
//!                                 carriers      ┌────────┴───────┐
//!                                               │ s 203.0.113.10 │ public host, and as many more (.11, .12 ...) as
//!                                               └────────────────┘ are wanted
//! ```
//!
//! A router has either its public address or its carrier; a host either its private address or, behind no translator,
//! a public one.
//!
//! **Clean-up is the kernel's.** [`within`] runs the program again inside new mount, network and process namespaces
//! (and a user namespace where we are not root). `/run/netns` there is a private tmpfs, so the named namespaces are
//! seen by nobody else and any number of labs can run side by side; when the first process of the lab ends, in
//! whatever way, the kernel kills the others and takes the networks away. Nothing is left for a `Drop` to forget.
//!
//! The NATs are nftables'. RFC 4787 words: *endpoint-independent* mapping is one public port for all destinations,
//! *address and port-dependent* mapping is a new one for each ("symmetric").

mod ground;
mod homes;
mod router;

pub use ground::{ANSWERS_ONLY, Family, Ground, Hairpin, SWALLOWS_V6, shifts_ports, translator};
pub use homes::{Home, Internet, PUBLIC, PUBLIC_ALTERNATE, Passes};
pub use router::Nat;

use crate::link;
use crate::process::{EndsWithUs, Place, run};
use anyhow::{Context as _, Result};
use router::translate;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

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

/// A public segment, and hosts on it that reach each other without any router, inside [`within`]'s namespaces.
#[derive(Debug)]
pub struct Segment {
    /// What carries frames where a cable does more than a cable.
    links: BTreeMap<u8, EndsWithUs>,
}

impl Segment {
    /// Lays the cables of `hosts` hosts, numbered from one.
    pub fn build(hosts: u8) -> Result<Self> {
        let segment = Self { links: BTreeMap::new() };
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

    /// Puts a link between a host and the segment, as [`link::Link`] reads it; what becomes of each frame that leaves the
    /// host is written into `journal`, in place of a link that was there. The program running must serve [`link::WORD`] by calling [`link::serve`].
    pub fn put_link(&mut self, n: u8, link: &str, journal: &Path) -> Result<()> {
        let (name, crowd) = (Self::name(n), Place::Namespace("crowd".to_owned()));
        let [port, far, near] = ["to", "from", "near"].map(|side| format!("{side}-{n}"));
        if self.links.remove(&n).is_none() {
            cut_cable((&name, "eth0"), "crowd", [&port, &far, &near])?;
        }
        let exe = std::env::current_exe()?;
        let mut process = crowd.command(&exe);
        process.args([link::WORD, &far, &near, link]).arg(journal).stdin(Stdio::piped());
        self.links.insert(n, EndsWithUs(process.spawn()?));
        Ok(())
    }

    /// Makes another link of the one to a host, for what comes from now on.
    pub fn change_link(&mut self, n: u8, link: &str) -> Result<()> {
        let process = self.links.get_mut(&n).with_context(|| format!("host {n} has no link"))?;
        let commands = process.0.stdin.as_mut().context("the link takes no commands")?;
        Ok(writeln!(commands, "{link}")?)
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

/// A namespace with nothing but a loopback. Kept to IPv4: a path over IPv6 would go round every NAT.
fn quiet(name: &str) -> Result<()> {
    ip(&["netns", "add", name])?;
    for setting in ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"] {
        inside(name, "sysctl", &["-qw", setting])?;
    }
    inside(name, "ip", &["link", "set", "lo", "up"])
}

/// A cable between two interfaces, both up.
fn cable(one: (&str, &str), other: (&str, &str)) -> Result<()> {
    ip(&["link", "add", one.1, "netns", one.0, "type", "veth", "peer", "name", other.1, "netns", other.0])?;
    inside(one.0, "ip", &["link", "set", one.1, "up"])?;
    inside(other.0, "ip", &["link", "set", other.1, "up"])
}

/// Cuts the cable between an interface and the bridge of `bridge` in two, with nothing between the ends yet.
///
/// ```text
///   outer ─── far ══ nothing ══ near ─── port of the bridge
/// ```
fn cut_cable(outer: (&str, &str), bridge: &str, [port, far, near]: [&str; 3]) -> Result<()> {
    inside(bridge, "ip", &["link", "set", port, "nomaster"])?;
    inside(bridge, "ip", &["link", "set", port, "down"])?;
    inside(bridge, "ip", &["link", "set", port, "name", far])?;
    inside(bridge, "ip", &["link", "set", far, "up"])?;
    cable((bridge, near), (bridge, port))?;
    inside(bridge, "ip", &["link", "set", port, "master", "segment"])?;
    for (namespace, interface) in [outer, (bridge, far), (bridge, near), (bridge, port)] {
        whole_frames(namespace, interface)?;
    }
    Ok(())
}

/// What leaves an interface is what goes over a cable: no frame is larger, and every checksum is there.
fn whole_frames(namespace: &str, interface: &str) -> Result<()> {
    let off = ["tx", "off", "gro", "off", "gso", "off", "tso", "off"];
    inside(namespace, "ethtool", &[&["-K", interface][..], &off].concat())
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}

/// The same, where it may well be done already.
fn undo(namespace: &str, program: &str, arguments: &[&str]) {
    let _ = inside(namespace, program, arguments);
}

fn inside(namespace: &str, program: &str, arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(["netns", "exec", namespace, program]).args(arguments)).map(drop)
}
