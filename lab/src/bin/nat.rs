//! `nat [--quick]`: calls between real `silbo` processes behind real (nftables) NATs, scored.
//!
//! Prints a table on stderr and one JSON object on stdout. Exit status: 0 every bar kept, 1 a bar failed,
//! 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result};
use lab::netns::{self, Home, Internet, Nat, PUBLIC};
use lab::process::Turn;
use lab::reflect::{self, Behaviour};
use lab::script::{Cast, Expected, Report, Stage, fairly};
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "nat: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, half] = &arguments[..]
        && word == reflect::WORD
    {
        writeln!(std::io::stdout(), "{}", reflect::serve(half)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("no call was made behind a NAT.", || {
        play(if arguments.iter().any(|word| word == "--quick") { QUICK } else { WHOLE })
    })
}

/// Length of a call, and of the one in `make test`: five seconds are scored after the first.
const WHOLE: Duration = Duration::from_secs(12);
const QUICK: Duration = Duration::from_secs(8);

struct Case {
    name: &'static str,
    caller: Nat,
    callee: Nat,
    expected: Expected,
}

/// Every NAT of the issue. A direct way exists between two port-restricted homes and none from a port-restricted to a
/// symmetric one (each symmetric mapping is seen by its own destination only) but by guessing ([`lab::guess`]), which takes
/// two supernodes that see the mappings: here is one.
const CASES: [Case; 2] = [
    Case {
        name: "port-restricted-both",
        caller: Nat::PortRestricted,
        callee: Nat::PortRestricted,
        expected: Expected::Direct,
    },
    Case {
        name: "port-restricted-and-symmetric",
        caller: Nat::PortRestricted,
        callee: Nat::Symmetric,
        expected: Expected::Relayed,
    },
];

#[derive(Serialize)]
struct Verdict {
    case: &'static str,
    expected: Expected,
    passed: bool,
    faults: Vec<String>,
    call: Option<Report>,
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    cases: Vec<Verdict>,
}

fn play(length: Duration) -> Result<ExitCode> {
    let internet = Internet::build().context("the network of the lab could not be built")?;
    let mut cases = Vec::new();
    for case in CASES {
        let (faults, call) = match call(&internet, &case, length) {
            Ok(report) => (report.faults(case.expected), Some(report)),
            Err(error) => (vec![format!("{error:#}")], None),
        };
        let verdict =
            Verdict { case: case.name, expected: case.expected, passed: faults.is_empty(), faults, call };
        show(&verdict)?;
        cases.push(verdict);
    }
    let passed = cases.iter().all(|case| case.passed);
    let summary = Summary { bench: "nat", passed, cases };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn call(internet: &Internet, case: &Case, length: Duration) -> Result<Report> {
    for (home, nat) in [(Home::A, case.caller), (Home::B, case.callee)] {
        internet.set_nat(home, nat)?;
        let measured = reflect::measure(internet, home)?;
        anyhow::ensure!(measured == promised(nat), "the lab's {nat:?} router is none: {measured:?}");
        internet.set_nat(home, nat)?;
    }
    let cast = || Cast {
        supernode: internet.public_host(),
        listen: (PUBLIC, 4433).into(),
        relay_listen: (PUBLIC, 3478).into(),
        tcp_listen: None,
        caller: Home::A.host(),
        callee: Home::B.host(),
        turn: Turn::First,
    };
    fairly(|| {
        let folder = lab::leavings(&format!("nat-{}", case.name))?;
        Stage::open(cast(), &folder)?.play(length)
    })
}

fn promised(nat: Nat) -> Behaviour {
    Behaviour {
        endpoint_independent_mapping: nat != Nat::Symmetric,
        endpoint_independent_filtering: nat == Nat::FullCone,
    }
}

fn show(verdict: &Verdict) -> Result<()> {
    let mut err = std::io::stderr();
    let mark = if verdict.passed { "ok" } else { "FAILED" };
    writeln!(err, "{mark:<7}{:<32}expected {:?}", verdict.case, verdict.expected)?;
    if let Some(call) = &verdict.call {
        writeln!(err, "       path      alice {}, bob {}", call.alice_path, call.bob_path)?;
        writeln!(
            err,
            "       PESQ-WB   alice heard {:.2} (min {:.2}), bob heard {:.2} (min {:.2})",
            call.alice_heard.mean, call.alice_heard.min, call.bob_heard.mean, call.bob_heard.min
        )?;
        writeln!(err, "       set-up    {} ms, hang-up {} ms", call.setup_ms, call.hang_up_ms)?;
    }
    for fault in &verdict.faults {
        writeln!(err, "       {}", fault.replace('\n', "\n       "))?;
    }
    Ok(())
}
