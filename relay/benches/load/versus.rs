//! The rounds, the medians and the bars.

use std::collections::BTreeMap;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use relay::{CredentialIssuer, driver};
use serde_json::{Value, json};

use crate::place::{self, Running, SECRET, SERVER};
use crate::{Outcome, number};

const PEER: &str = "10.99.0.2:9999";
/// The latency is taken at this rate: 100 calls.
const CALLS_PPS: &str = "5000";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Ours,
    OursTwice,
    Coturn,
    Forwarder,
}

struct Case {
    name: &'static str,
    server: Server,
    options: &'static [&'static str],
}

const fn case(name: &'static str, server: Server, options: &'static [&'static str]) -> Case {
    Case { name, server, options }
}

const CASES: [Case; 14] = [
    case("raw", Server::Forwarder, &["--way", "raw"]),
    case("mates ours", Server::Ours, &["--way", "mates"]),
    case("mates coturn", Server::Coturn, &["--way", "mates"]),
    case("up ours", Server::Ours, &["--way", "up"]),
    case("up coturn", Server::Coturn, &["--way", "up"]),
    case("down ours", Server::Ours, &["--way", "down"]),
    case("down coturn", Server::Coturn, &["--way", "down"]),
    case("2000 ours", Server::Ours, &["--way", "up", "--flows", "2000"]),
    case("2000 coturn", Server::Coturn, &["--way", "up", "--flows", "2000"]),
    case("two threads", Server::OursTwice, &["--way", "mates", "--pps", "40000"]),
    case("one thread", Server::Ours, &["--way", "mates", "--pps", "40000"]),
    case("calls ours", Server::Ours, &["--way", "up", "--pps", CALLS_PPS]),
    case("calls coturn", Server::Coturn, &["--way", "up", "--pps", CALLS_PPS]),
    case("calls raw", Server::Forwarder, &["--way", "raw", "--pps", CALLS_PPS]),
];

pub(crate) fn run(options: &[&str]) -> Outcome<ExitCode> {
    let rounds = number(options, "--rounds", 5)?;
    let millis = number(options, "--millis", 1500)?.to_string();
    let only = crate::option(options, "--only");
    if let Some(code) = place::enter()? {
        return Ok(code);
    }
    let mut results: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for round in 0..rounds {
        // A tail is what a machine's mood changes most, so it is looked at more often.
        let tails = || CASES.iter().filter(|case| case.name.starts_with("calls"));
        let cases = CASES.iter().chain(tails()).chain(tails());
        for case in cases.filter(|case| only.is_none_or(|only| case.name.contains(only))) {
            let result = measure(case, &millis)?;
            eprintln!("round {} {:<14} {result}", round + 1, case.name);
            results.entry(case.name).or_default().push(result);
        }
    }
    if only.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    let values = |name: &str, field: &str| -> Vec<f64> {
        results.get(name).into_iter().flatten().filter_map(|result| result[field].as_f64()).collect()
    };
    let median = |name: &str, field: &str| middle(values(name, field));
    // What is compared was measured seconds apart: the machine's mood is in both, and goes out of their ratio.
    let ratio = |of: &[&str], to: &[&str], field: &str| {
        let sums = |names: &[&str]| {
            let all: Vec<Vec<f64>> = names.iter().map(|name| values(name, field)).collect();
            let rounds = all.iter().map(Vec::len).min().unwrap_or(0);
            (0..rounds)
                .map(move |round| all.iter().map(|of_name| of_name[round]).sum::<f64>() / all.len() as f64)
        };
        middle(sums(of).zip(sums(to)).map(|(of, to)| of / to).collect())
    };
    let cost = |of: &[&str], to: &[&str]| ratio(of, to, "ns_per_packet");
    let (ours, coturn) = (["up ours", "down ours"], ["up coturn", "down coturn"]);
    let bars = [
        least(
            "same relay: packets per CPU-second, times coturn",
            cost(&["mates coturn"], &["mates ours"]),
            2.0,
        ),
        least("same relay: share of the bare forwarder", cost(&["raw"], &["mates ours"]), 0.75),
        least("one leg, mean of up and down, times coturn", cost(&coturn, &ours), 1.05),
        least("one leg, mean of up and down, share of the bare forwarder", cost(&["raw"], &ours), 0.80),
        least("2,000 flows, times coturn", cost(&["2000 coturn"], &["2000 ours"]), 1.3),
        least(
            "allocations per CPU-second, times coturn",
            ratio(&["2000 coturn"], &["2000 ours"], "allocate_ns"),
            2.0,
        ),
        most(
            "user memory per allocation (kB), 2,000 allocations",
            median("2000 ours", "kb_per_allocation"),
            2.0,
        ),
        most("CPU per packet, two threads over one", cost(&["two threads"], &["one thread"]), 1.15),
        most(
            "p99 at 5,000 packets/s, over coturn's",
            ratio(&["calls ours"], &["calls coturn"], "p99_us"),
            1.10,
        ),
    ];
    let passed = bars.iter().all(|bar| bar["passed"] == true);
    let medians: BTreeMap<&str, Value> = CASES
        .iter()
        .map(|case| {
            let fields =
                ["ns_per_packet", "allocate_ns", "kb_per_allocation", "p50_us", "p99_us", "lost_percent"];
            let fields: BTreeMap<&str, f64> =
                fields.into_iter().map(|field| (field, median(case.name, field))).collect();
            (case.name, json!(fields))
        })
        .collect();
    println!(
        "{}",
        json!({ "bench": "relay", "passed": passed, "rounds": rounds, "bars": bars, "medians": medians })
    );
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The median.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn least(what: &str, value: f64, bar: f64) -> Value {
    json!({ "what": what, "value": value, "at_least": bar, "passed": value >= bar })
}

fn most(what: &str, value: f64, bar: f64) -> Value {
    json!({ "what": what, "value": value, "at_most": bar, "passed": value <= bar })
}

fn measure(case: &Case, millis: &str) -> Outcome<Value> {
    let exe = std::env::current_exe()?;
    let exe = exe.to_str().ok_or("the program's path is not UTF-8")?;
    let coturn = [
        "turnserver",
        "-n",
        "-L",
        "10.99.0.10",
        "-p",
        "3478",
        "-m",
        "1",
        "--lt-cred-mech",
        "-u",
        "u:p",
        "-r",
        "test",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-cli",
        "--simple-log",
        "-l",
        "/dev/null",
        "--pidfile",
        "/run/coturn.pid",
        "--db",
        "/run/coturn.db",
    ];
    let (cores, program): (&str, &[&str]) = match case.server {
        Server::Ours => ("1", &[exe, "serve"]),
        Server::OursTwice => ("0,1", &[exe, "serve", "--threads", "2"]),
        Server::Coturn => ("1", &coturn),
        Server::Forwarder => ("1", &[exe, "forward", SERVER, PEER]),
    };
    let server = Running::start(cores, program)?;
    let issued = CredentialIssuer::new(SECRET).issue(driver::now().unix, "load", Duration::from_secs(600));
    let (user, password) = match case.server {
        Server::Coturn => ("u", "p"),
        Server::Ours | Server::OursTwice | Server::Forwarder => (&*issued.username, &*issued.password),
    };
    let process = server.id().to_string();
    let mut program = vec![exe, "generate", "--server", SERVER, "--pid", &process, "--millis", millis];
    program.extend(["--user", user, "--password", password]);
    program.extend(case.options);
    let output = place::command("lg", "0", &program).stderr(Stdio::inherit()).output()?;
    drop(server);
    if !output.status.success() {
        return Err(format!("{}: the generator failed", case.name).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
