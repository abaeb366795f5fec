//! `blocked [--untimed]`: a home whose router lets no UDP out, and TCP to port 443 only, in a small internet of network
//! namespaces. Its person joins, registers, looks somebody up, is told by the doctor that calls go over TCP and is rung, all
//! over TCP; then calls are made from and to such homes, and scored.
//!
//! Prints one JSON object on stdout. Exit status: 0 everything worked and, unless `--untimed`, every start was online
//! within the bar; 1 something did not; 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, ensure};
use lab::netns::{self, Home, Internet, Nat, PUBLIC};
use lab::process::{Place, Silbo, Turn};
use lab::script::{Cast, Expected, PATIENCE, Report, Stage, fairly};
use relay::nat::Uplink;
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "blocked: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let timing =
        if std::env::args().any(|word| word == "--untimed") { Timing::Shown } else { Timing::Judged };
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("nobody was found without UDP.", || {
        let summary = play(timing)?;
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Whether the time to be online is held against its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timing {
    Judged,
    Shown,
}

/// From the start of the process to `online`.
const BAR_MS: i64 = 3_000;

/// Starts that are timed.
const STARTS: usize = 5;

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    online_ms: Vec<i64>,
    bar_ms: i64,
    /// Without a firewall, for comparison.
    open_online_ms: i64,
    calls: Vec<Verdict>,
}

/// Length of a call: five seconds are scored after the first.
const LENGTH: Duration = Duration::from_secs(8);

/// A call between two homes, and what must carry the packets of each.
struct Case {
    name: &'static str,
    caller: (Nat, &'static str),
    callee: (Nat, &'static str),
}

const CASES: [Case; 4] = [
    Case {
        name: "caller-blocked",
        caller: (Nat::Uplink(Uplink::UdpBlocked), "tcp"),
        callee: (Nat::Uplink(Uplink::PortRestricted), "udp"),
    },
    Case {
        name: "callee-blocked",
        caller: (Nat::Uplink(Uplink::Symmetric), "udp"),
        callee: (Nat::Uplink(Uplink::UdpBlocked), "tcp"),
    },
    Case {
        name: "both-blocked",
        caller: (Nat::Uplink(Uplink::UdpBlocked), "tcp"),
        callee: (Nat::Uplink(Uplink::UdpBlocked), "tcp"),
    },
    Case { name: "both-tls-only", caller: (Nat::TlsOnly, "tls"), callee: (Nat::TlsOnly, "tls") },
];

#[derive(Serialize)]
struct Verdict {
    case: &'static str,
    passed: bool,
    faults: Vec<String>,
    call: Option<Report>,
}

fn play(timing: Timing) -> Result<Summary> {
    let internet = Internet::build().context("the network of the lab could not be built")?;
    let calls = CASES.iter().map(|case| judge(&internet, case)).collect::<Result<Vec<_>>>()?;
    internet.set_nat(Home::B, Nat::Uplink(Uplink::PortRestricted))?;
    internet.set_nat(Home::A, Nat::Uplink(Uplink::UdpBlocked))?;
    let folder = lab::leavings("blocked")?;
    let address = |port: u16| format!("{PUBLIC}:{port}");
    let (listen, relay, tcp) = (address(4433), address(3478), address(443));
    let supernode =
        ["supernode", "--listen", &listen, "--relay-listen", &relay, "--tcp-listen", &tcp].map(str::to_owned);
    let mut hub = start("hub", &internet.public_host(), &folder, &supernode)?;
    hub.expect("relay", PATIENCE)?;
    // The person gives the address everybody gives: which port and carrier get through is found out.
    let person = |name: &str, home: Home, words: &[&str]| {
        let mut arguments = vec!["--bootstrap".to_owned(), listen.clone()];
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        start(name, &home.host(), &folder, &arguments)
    };

    let mut open = person("open", Home::B, &["online"])?;
    let open_online_ms = online_ms(&mut open)?;
    open.interrupt()?;
    open.succeed(PATIENCE)?;
    let mut online = Vec::new();
    for number in 0..STARTS {
        let mut leaf = person(&format!("start-{number}"), Home::A, &["online"])?;
        online.push(online_ms(&mut leaf)?);
        leaf.interrupt()?;
        leaf.succeed(PATIENCE)?;
    }

    let quiet = ["--mic", "silence", "--speaker", "null"];
    person("bob", Home::B, &["register", "bob"])?.succeed(PATIENCE)?;
    let mut ada = person("ada", Home::A, &["register", "ada"])?;
    ada.expect("registered", PATIENCE)?;
    ada.succeed(PATIENCE)?;
    let mut ada = person("ada", Home::A, &["lookup", "bob"])?;
    let found = ada.expect("lookup", PATIENCE)?;
    ensure!(found["claims"].as_array().is_some_and(|claims| claims.len() == 1), "bob was not found: {found}");
    ada.succeed(PATIENCE)?;
    let mut ada = person("ada", Home::A, &["doctor"])?;
    let found = ada.expect("doctor", PATIENCE)?;
    ensure!(found["verdict"] == "over_tcp" && found["callable"] == true, "the doctor says {found}");
    ada.succeed(PATIENCE)?;

    let mut ada = person("ada", Home::A, &[&["online", "--auto-answer", "all"][..], &quiet].concat())?;
    ada.expect("online", PATIENCE)?;
    let mut bob = person("bob", Home::B, &[&["call", "ada"][..], &quiet].concat())?;
    ada.expect("incoming", PATIENCE)?;
    // What ada sealed came back: the call machine of bob has heard of her.
    bob.expect_where("ringing or answered", PATIENCE, |event| {
        event["event"] == "ringing" || event["event"] == "answered"
    })?;
    bob.interrupt()?;
    bob.exit_status(PATIENCE)?;
    ada.interrupt()?;
    ada.exit_status(PATIENCE)?;

    let in_time = online.iter().all(|ms| *ms <= BAR_MS);
    let passed = (in_time || timing == Timing::Shown) && calls.iter().all(|call| call.passed);
    Ok(Summary { bench: "blocked", passed, online_ms: online, bar_ms: BAR_MS, open_online_ms, calls })
}

/// Makes a call and says on stderr what it was like.
fn judge(internet: &Internet, case: &Case) -> Result<Verdict> {
    let (faults, call) = match call(internet, case) {
        Ok(report) => (faults(&report, case), Some(report)),
        Err(error) => (vec![format!("{error:#}")], None),
    };
    let verdict = Verdict { case: case.name, passed: faults.is_empty(), faults, call };
    let mut err = std::io::stderr();
    writeln!(err, "{:<7}{}", if verdict.passed { "ok" } else { "FAILED" }, verdict.case)?;
    if let Some(Report { alice_path, bob_path, alice_heard, bob_heard, setup_ms, .. }) = &verdict.call {
        writeln!(err, "       path      alice {alice_path}, bob {bob_path}; set-up {setup_ms} ms")?;
        writeln!(
            err,
            "       PESQ-WB   alice heard {:.2}, bob heard {:.2}",
            alice_heard.mean, bob_heard.mean
        )?;
    }
    for fault in &verdict.faults {
        writeln!(err, "       {}", fault.replace('\n', "\n       "))?;
    }
    Ok(verdict)
}

fn call(internet: &Internet, case: &Case) -> Result<Report> {
    for (home, (nat, _)) in [(Home::A, case.caller), (Home::B, case.callee)] {
        internet.set_nat(home, nat)?;
    }
    let cast = || Cast::at_homes(internet, Home::A);
    fairly(|| {
        let folder = lab::leavings(&format!("blocked-{}", case.name))?;
        Stage::open(cast(), &folder)?.play(LENGTH)
    })
}

fn faults(report: &Report, case: &Case) -> Vec<String> {
    let mut faults = report.faults(Expected::Relayed);
    let ways = [("alice", &report.alice_path, case.caller.1), ("bob", &report.bob_path, case.callee.1)];
    for (who, way, expected) in ways {
        if way.protocol != expected {
            faults.push(format!("{who}'s packets go over {}, expected {expected}", way.protocol));
        }
    }
    faults
}

fn online_ms(leaf: &mut Silbo) -> Result<i64> {
    leaf.expect("online", PATIENCE)?["t_ms"].as_i64().context("no t_ms")
}

/// Starts one node of the lab with a profile of its own name.
fn start(name: &str, place: &Place, folder: &Path, words: &[String]) -> Result<Silbo> {
    let profile = folder.join(format!("{name}-profile")).display().to_string();
    let mut arguments = ["--lab", "--no-mdns", "--profile"].map(str::to_owned).to_vec();
    arguments.push(profile);
    arguments.extend_from_slice(words);
    Silbo::start(name, place, Turn::Usual, folder, &arguments)
}
