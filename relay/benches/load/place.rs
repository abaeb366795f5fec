//! Where it is measured: two namespaces joined by a veth pair, and the servers that run in one of them.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use relay::driver::{self, RelayServer};
use relay::server::{Bandwidth, BitRate, Limits, PeerPolicy, PeerProof, ServerConfig, TcpListen};

use crate::{Outcome, number, option};

/// Where the relay listens when nothing else is said.
const SERVER: &str = "10.99.0.10:3478";
/// All addresses of the namespace of servers: those that are compared live side by side, one at each.
const SERVERS: [&str; 4] = ["10.99.0.10", "10.99.0.11", "10.99.0.12", "10.99.0.13"];
/// What generator and relay both know.
pub(crate) const SECRET: [u8; 32] = [7; 32];
const INSIDE: &str = "SILBO_LOAD_INSIDE";
/// Descriptors one process may hold: one per flow and then some.
const DESCRIPTORS: &str = "--nofile=16384:16384";
/// Step 77 of `make test`: this system cannot run it.
const CANNOT_RUN: u8 = 77;

/// Runs this program again inside namespaces that end with it; `None` when we are inside already.
pub(crate) fn enter() -> Outcome<Option<ExitCode>> {
    if std::env::var_os(INSIDE).is_some() {
        run("mount -t tmpfs tmpfs /run && mkdir /run/netns")?;
        for name in ["lg", "sv"] {
            run(&format!("ip netns add {name} && ip -n {name} link set lo up"))?;
        }
        run("ip link add v0 netns lg type veth peer name v1 netns sv")?;
        run("ip -n lg addr add 10.99.0.1/24 dev v0 && ip -n lg addr add 10.99.0.2/24 dev v0")?;
        for address in SERVERS {
            run(&format!("ip -n sv addr add {address}/24 dev v1"))?;
        }
        for (name, device) in [("lg", "v0"), ("sv", "v1")] {
            run(&format!("ip -n {name} link set {device} up"))?;
            run(&format!("ip netns exec {name} ethtool -K {device} tx off gro off gso off tso off"))?;
            run(&format!(
                "ip netns exec {name} sysctl -qw net.ipv4.ip_local_port_range='10000 60000' net.ipv6.conf.all.disable_ipv6=1"
            ))?;
        }
        return Ok(None);
    }
    let walls = ["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
    if !Command::new("unshare").args(walls).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("load: this system lets us make no network namespaces");
        return Ok(Some(ExitCode::from(CANNOT_RUN)));
    }
    let status = Command::new("unshare")
        .args(walls)
        .arg(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .env(INSIDE, "1")
        .status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Some(ExitCode::from(code)))
}

fn run(line: &str) -> Outcome<()> {
    let output = Command::new("sh").args(["-c", line]).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// A command in a namespace, on one or more cores, before everybody else where that is allowed.
pub(crate) fn command(namespace: &str, cores: &str, program: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, "prlimit", DESCRIPTORS]);
    let first = ["chrt", "--rr", "1"];
    let allowed = Command::new(first[0]).args([first[1], first[2], "true"]).stderr(Stdio::null()).status();
    if allowed.is_ok_and(|status| status.success()) {
        command.args(first);
    }
    command.args(["taskset", "-c", cores]).args(program);
    command
}

/// A server under test, ended when dropped; `ip netns exec` and its like become the program they start.
pub(crate) struct Running(Child);

impl Running {
    /// Returns when it listens at `address`.
    pub(crate) fn start(address: &str, cores: &str, program: &[&str]) -> Outcome<Self> {
        let mut command = command("sv", cores, program);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let running = Self(child);
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(50));
            let look = format!(
                "ip netns exec sv ss -Hulnp 'src {address}' | grep -o 'pid=[0-9]*' | sort -u | wc -l"
            );
            let listening = Command::new("sh").args(["-c", &look]).output()?;
            if String::from_utf8_lossy(&listening.stdout).trim() == "1" {
                return Ok(running);
            }
        }
        Err("the server does not listen, or not alone".into())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The relay as a process of its own.
pub(crate) fn serve(options: &[&str]) -> Outcome<ExitCode> {
    let mut config = open_config(option(options, "--listen").unwrap_or(SERVER).parse()?);
    config.threads = number(options, "--threads", 1)? as usize;
    if option(options, "--limits") == Some("default") {
        config.limits = Limits::default();
        config.peers = PeerPolicy::Public;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = RelayServer::start(config).await?;
        std::future::pending::<()>().await;
        server.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Every rule in force, with limits that one load does not reach.
pub(crate) fn open_config(listen: SocketAddr) -> ServerConfig {
    const MUCH: BitRate = BitRate(100_000_000_000);
    let limits = Limits {
        allocations: 8192,
        replies: 1_000_000,
        replies_per_prefix: 1_000_000,
        bandwidth: Bandwidth {
            total: Some(MUCH),
            per_prefix: Some(MUCH),
            per_username: Some(MUCH),
            bytes_per_day: Some(u64::MAX),
        },
        allocations_per_username: 8192,
        allocations_per_prefix: 8192,
        ..Limits::default()
    };
    ServerConfig {
        peers: PeerPolicy::Lab,
        proof: PeerProof::Waived,
        tcp: TcpListen::Off,
        limits,
        ..ServerConfig::new(listen, SECRET, [9; 32])
    }
}

pub(crate) fn forward(listen: &str, to: &str) -> Outcome<ExitCode> {
    let socket = mio::net::UdpSocket::bind(listen.parse()?)?;
    driver::forward(socket, to.parse()?)?;
    Ok(ExitCode::SUCCESS)
}
