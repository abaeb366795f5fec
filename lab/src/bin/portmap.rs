//! `portmap`: a call between two homes behind symmetric NATs, which can only go through a relay, is made again with a
//! router that opens ports when asked (Debian's miniupnpd), by PCP and by UPnP-IGD: it must be direct, and when it is
//! over the port must be shut.
//!
//! Prints one JSON object on stdout. Exit status: 0 everything held, 1 something did not, 77 this system allows no
//! namespaces and nothing was run.

use anyhow::{Context as _, Result, ensure};
use lab::netns::{self, Home, Internet, Nat};
use lab::process::{Place, Silbo, Turn};
use lab::script::{Cast, Expected, PATIENCE, Report, Stage};
use relay::nat::Uplink;
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "portmap: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("no router was asked for a port.", || {
        let internet = Internet::build().context("the network of the lab could not be built")?;
        internet.set_nat(Home::B, Nat::Uplink(Uplink::Symmetric))?;
        let cases =
            [None, Some(Speaks::Pcp), Some(Speaks::Upnp)].map(|speaks| judge(&internet, speaks)).to_vec();
        let service = serve(&internet);
        let said = service.as_ref().err().map(|error| format!("{error:#}"));
        let mark = if service.is_ok() { "ok" } else { "FAILED" };
        writeln!(std::io::stderr(), "{mark:<7}ports of a volunteer {}", said.as_deref().unwrap_or_default())?;
        let passed = service.is_ok() && cases.iter().all(|case| case.passed);
        let summary = Summary { bench: "portmap", passed, cases, service: said };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// What a router lets itself be asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Speaks {
    Pcp,
    Upnp,
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    cases: Vec<Verdict>,
    /// What is wrong with the ports of a volunteer, if anything.
    service: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Verdict {
    router_of_caller: Option<Speaks>,
    passed: bool,
    fault: Option<String>,
    call: Option<Report>,
}

/// A way that comes up after the call began on a relay is taken within this time.
const LENGTH: Duration = Duration::from_secs(8);

fn judge(internet: &Internet, speaks: Option<Speaks>) -> Verdict {
    let (fault, call) = match call(internet, speaks) {
        Ok((report, fault)) => (fault, Some(report)),
        Err(error) => (Some(format!("{error:#}")), None),
    };
    let verdict = Verdict { router_of_caller: speaks, passed: fault.is_none(), fault, call };
    let way = verdict.call.as_ref().map_or_else(|| "no call".to_owned(), |call| call.alice_path.to_string());
    let mark = if verdict.passed { "ok" } else { "FAILED" };
    let _ = writeln!(
        std::io::stderr(),
        "{mark:<7}router that speaks {speaks:?}: {way} {}",
        verdict.fault.as_deref().unwrap_or_default()
    );
    verdict
}

fn call(internet: &Internet, speaks: Option<Speaks>) -> Result<(Report, Option<String>)> {
    internet.set_nat(Home::A, Nat::Uplink(Uplink::Symmetric))?;
    give_public_address()?;
    let folder = lab::leavings(&format!("portmap-{}", speaks.map_or("none".into(), |s| format!("{s:?}"))))?;
    let daemon = speaks.map(|speaks| Daemon::start(speaks, &folder)).transpose()?;
    let cast = Cast { tcp_listen: None, ..Cast::at_homes(internet, Home::A) };
    let report = Stage::open(cast, &folder)?.play(LENGTH)?;
    let expected = if speaks.is_some() { Expected::Direct } else { Expected::Relayed };
    let mut faults = report.faults(expected);
    if let Some(daemon) = daemon {
        faults.extend(daemon.holes_left().err().map(|error| error.to_string()));
        faults.extend((!Daemon::logged(&folder, &OPENED)?).then(|| "the router was never asked".to_owned()));
    }
    Ok((report, (!faults.is_empty()).then(|| faults.join("; "))))
}

/// Where a volunteer listens.
const SERVICE: u16 = 7700;

/// A volunteer's port is open on the router over UDP and TCP while it runs.
fn serve(internet: &Internet) -> Result<()> {
    internet.set_nat(Home::A, Nat::Uplink(Uplink::PortRestricted))?;
    give_public_address()?;
    let folder = lab::leavings("portmap-service")?;
    let daemon = Daemon::start(Speaks::Pcp, &folder)?;
    let (profile, listen) = (folder.join("volunteer").display().to_string(), format!("0.0.0.0:{SERVICE}"));
    let words = ["--lab", "--no-mdns", "--profile", &profile, "online", "--help-others", "directory"];
    let words = [&words[..], &["--listen", &listen]].concat();
    let mut volunteer = Silbo::start("volunteer", &Home::A.host(), Turn::Usual, &folder, &words)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rules = daemon.rules()?;
        // One for each transport.
        if rules.matches(&format!("dport {SERVICE} dnat")).count() == 2 {
            break;
        }
        ensure!(Instant::now() < deadline, "the volunteer's port was not opened:\n{rules}");
        std::thread::sleep(LOOK);
    }
    volunteer.interrupt()?;
    volunteer.exit_status(PATIENCE)?;
    daemon.holes_left()
}

/// miniupnpd on router `ra`; killed when dropped.
struct Daemon {
    child: Child,
}

const LOG: &str = "miniupnpd.log";

/// What miniupnpd logs when it can be asked, by PCP and by UPnP.
const LISTENS: [&str; 2] = ["Listening for NAT-PMP/PCP", "HTTP listening"];
/// What miniupnpd logs when it has opened a port, asked by PCP and by UPnP.
const OPENED: [&str; 2] = ["added mapping", "redirecting port"];

impl Daemon {
    fn start(speaks: Speaks, folder: &Path) -> Result<Self> {
        let on = |what| if speaks == what { "yes" } else { "no" };
        let config = folder.join("miniupnpd.conf");
        std::fs::write(
            &config,
            format!(
                "ext_ifname=wan\nlistening_ip=lan\nenable_natpmp={}\nenable_upnp={}\next_ip={OUTSIDE}\n\
                 secure_mode=yes\nport=0\nallow 1024-65535 192.168.1.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n",
                on(Speaks::Pcp),
                on(Speaks::Upnp)
            ),
        )?;
        run_in("ra", &["nft", "-f", "-"], Some(CHAINS))?;
        let log = std::fs::File::create(folder.join(LOG))?;
        let mut command = router().command("miniupnpd");
        command.arg("-d").arg("-f").arg(&config).arg("-P").arg(folder.join("miniupnpd.pid"));
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        let child = child.context("miniupnpd did not start (Debian's miniupnpd-nftables has it)")?;
        let daemon = Self { child };
        let deadline = Instant::now() + PATIENCE;
        while !Self::logged(folder, &LISTENS)? {
            ensure!(
                Instant::now() < deadline,
                "miniupnpd does not listen: see {LOG} in {}",
                folder.display()
            );
            std::thread::sleep(LOOK);
        }
        Ok(daemon)
    }

    /// An error when a port is still open some time after the call.
    fn holes_left(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rules = self.rules()?;
            if !rules.contains("dnat") {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the router's port is still open:\n{rules}");
            std::thread::sleep(LOOK);
        }
    }

    fn rules(&self) -> Result<String> {
        run_in("ra", &["nft", "list", "table", "inet", "filter"], None)
    }

    fn logged(folder: &Path, any: &[&str]) -> Result<bool> {
        let log = std::fs::read_to_string(folder.join(LOG))?;
        Ok(any.iter().any(|what| log.contains(what)))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = run_in("ra", &["nft", "delete", "table", "inet", "filter"], None);
    }
}

/// One more address of the caller's router: those of the lab's internet are for documentation, and miniupnpd opens no port
/// where it believes that nobody comes from outside.
const OUTSIDE: &str = "90.1.0.1";

fn give_public_address() -> Result<()> {
    let address = format!("{OUTSIDE}/32");
    run_in("ra", &["ip", "address", "replace", &address, "dev", "wan"], None)?;
    for host in ["rb", "s"] {
        run_in(host, &["ip", "route", "replace", &address, "dev", "wan"], None)?;
    }
    Ok(())
}

/// Between two looks at what comes about by itself.
const LOOK: Duration = Duration::from_millis(50);

/// What the daemon writes its rules into.
const CHAINS: &str = "table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain prerouting { type nat hook prerouting priority -101; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 99; jump postrouting_miniupnpd; }
}
";

fn router() -> Place {
    Place::Namespace("ra".into())
}

fn run_in(host: &str, words: &[&str], input: Option<&str>) -> Result<String> {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", host]).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run ip")?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(input.unwrap_or_default().as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{words:?} failed on {host}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
