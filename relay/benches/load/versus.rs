//! Who is compared in what, the turns they take, the medians and the bars.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, ExitCode, Stdio};
use std::time::Duration;

use relay::{CredentialIssuer, driver};
use serde_json::{Value, json};

use crate::place::{self, Running, SECRET};
use crate::{Outcome, number};

const PEER: &str = "10.99.0.2:9999";
/// The latency is taken at this rate: 100 calls.
const CALLS_PPS: &str = "5000";
/// How often everything is started anew: allocations are made once in each, and memory is laid out by chance.
const MEETINGS: u64 = 5;
/// Turns of everybody in one meeting.
const TURNS: u64 = 8;
/// One turn.
const TURN_MILLIS: u64 = 250;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Server {
    Ours,
    OursTwice,
    Coturn,
    Forwarder,
}

/// One kind of load on one server.
struct Case {
    name: &'static str,
    server: Server,
    options: &'static [&'static str],
}

const fn case(name: &'static str, server: Server, options: &'static [&'static str]) -> Case {
    Case { name, server, options }
}

/// Who takes turns with whom.
const GROUPS: [&[Case]; 5] = [
    &[
        case("mates raw", Server::Forwarder, &["--way", "raw"]),
        case("mates ours", Server::Ours, &["--way", "mates"]),
        case("mates coturn", Server::Coturn, &["--way", "mates"]),
    ],
    &[
        case("leg raw", Server::Forwarder, &["--way", "raw"]),
        case("up ours", Server::Ours, &["--way", "up"]),
        case("up coturn", Server::Coturn, &["--way", "up"]),
        case("down ours", Server::Ours, &["--way", "down"]),
        case("down coturn", Server::Coturn, &["--way", "down"]),
    ],
    &[
        case("2000 ours", Server::Ours, &["--way", "up", "--flows", "2000"]),
        case("2000 coturn", Server::Coturn, &["--way", "up", "--flows", "2000"]),
    ],
    &[
        case("two threads", Server::OursTwice, &["--way", "mates", "--pps", "40000"]),
        case("one thread", Server::Ours, &["--way", "mates", "--pps", "40000"]),
    ],
    &[
        case("calls ours", Server::Ours, &["--way", "up", "--pps", CALLS_PPS]),
        case("calls coturn", Server::Coturn, &["--way", "up", "--pps", CALLS_PPS]),
        case("calls raw", Server::Forwarder, &["--way", "raw", "--pps", CALLS_PPS]),
    ],
];

pub(crate) fn run(options: &[&str]) -> Outcome<ExitCode> {
    let meetings = number(options, "--meetings", MEETINGS)?;
    let turns = number(options, "--turns", TURNS)?;
    let millis = number(options, "--millis", TURN_MILLIS)?;
    let only = crate::option(options, "--only");
    if let Some(code) = place::enter()? {
        return Ok(code);
    }
    let mut results = Results::default();
    for meeting in 1..=meetings {
        let wanted =
            |group: &&&[Case]| only.is_none_or(|only| group.iter().any(|case| case.name.contains(only)));
        for group in GROUPS.iter().filter(wanted) {
            meet(group, turns, millis, &mut results)?;
            let names = group.iter().map(|case| case.name);
            let told: Vec<String> = names.map(|name| results.line(name)).collect();
            eprintln!("meeting {meeting}: {}", told.join("; "));
        }
    }
    if only.is_some() {
        println!("{}", json!({ "bench": "relay", "medians": results.medians() }));
        return Ok(ExitCode::SUCCESS);
    }
    let bars = bars(&results);
    let passed = bars.iter().all(|bar| bar["passed"] == true);
    println!(
        "{}",
        json!({
            "bench": "relay", "passed": passed, "meetings": meetings, "turns": turns, "bars": bars,
            "medians": results.medians(),
        })
    );
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn bars(results: &Results) -> Vec<Value> {
    let cost = |of: &[&str], to: &[&str]| results.ratio(of, to, "ns_per_packet");
    let (ours, coturn) = (["up ours", "down ours"], ["up coturn", "down coturn"]);
    vec![
        least(
            "same relay: packets per CPU-second, times coturn",
            cost(&["mates coturn"], &["mates ours"]),
            2.0,
        ),
        least("same relay: share of the bare forwarder", cost(&["mates raw"], &["mates ours"]), 0.75),
        least("one leg, mean of up and down, times coturn", cost(&coturn, &ours), 1.05),
        least("one leg, mean of up and down, share of the bare forwarder", cost(&["leg raw"], &ours), 0.80),
        least("2,000 flows, times coturn", cost(&["2000 coturn"], &["2000 ours"]), 1.3),
        least(
            "allocations per CPU-second, times coturn",
            results.ratio(&["2000 coturn"], &["2000 ours"], "allocate_ns"),
            2.0,
        ),
        most(
            "user memory per allocation (kB), 2,000 allocations",
            results.values("2000 ours", "kb_per_allocation"),
            2.0,
        ),
        most("CPU per packet, two threads over one", cost(&["two threads"], &["one thread"]), 1.15),
        most(
            "p99 at 5,000 packets/s, over coturn's",
            results.ratio(&["calls ours"], &["calls coturn"], "p99_us"),
            1.10,
        ),
    ]
}

fn least(what: &str, values: Vec<f64>, bar: f64) -> Value {
    let (value, spread) = (quantile(&values, 0.5), spread(&values));
    json!({ "what": what, "value": value, "spread": spread, "at_least": bar, "passed": value >= bar })
}

fn most(what: &str, values: Vec<f64>, bar: f64) -> Value {
    let (value, spread) = (quantile(&values, 0.5), spread(&values));
    json!({ "what": what, "value": value, "spread": spread, "at_most": bar, "passed": value <= bar })
}

/// Both quartiles, and of how many values.
fn spread(values: &[f64]) -> Value {
    json!({ "quarter": quantile(values, 0.25), "three_quarters": quantile(values, 0.75), "of": values.len() })
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(rank).copied().unwrap_or(f64::NAN)
}

/// What each case measured, by field, in the order of turns.
#[derive(Default)]
struct Results(BTreeMap<&'static str, BTreeMap<String, Vec<f64>>>);

impl Results {
    fn note(&mut self, case: &'static str, result: &Value) {
        let fields = result.as_object().into_iter().flatten();
        for (field, value) in fields.filter_map(|(field, value)| Some((field, value.as_f64()?))) {
            self.0.entry(case).or_default().entry(field.clone()).or_default().push(value);
        }
    }

    fn values(&self, case: &str, field: &str) -> Vec<f64> {
        self.0.get(case).and_then(|fields| fields.get(field)).cloned().unwrap_or_default()
    }

    /// Turn by turn: what is compared was measured within a second, so that the machine's mood is in both and goes out of
    /// their ratio.
    fn ratio(&self, of: &[&str], to: &[&str], field: &str) -> Vec<f64> {
        let sums = |names: &[&str]| -> Vec<f64> {
            let all: Vec<Vec<f64>> = names.iter().map(|name| self.values(name, field)).collect();
            let turns = all.iter().map(Vec::len).min().unwrap_or(0);
            (0..turns).map(|turn| all.iter().map(|of| of[turn]).sum::<f64>() / all.len() as f64).collect()
        };
        sums(of).into_iter().zip(sums(to)).map(|(of, to)| of / to).collect()
    }

    fn medians(&self) -> Value {
        let of_case = |fields: &BTreeMap<String, Vec<f64>>| -> BTreeMap<String, f64> {
            fields.iter().map(|(field, values)| (field.clone(), quantile(values, 0.5))).collect()
        };
        json!(self.0.iter().map(|(case, fields)| (*case, of_case(fields))).collect::<BTreeMap<_, _>>())
    }

    fn line(&self, case: &str) -> String {
        let median = |field| quantile(&self.values(case, field), 0.5);
        format!("{case} {:.0} ns, p99 {:.0} us", median("ns_per_packet"), median("p99_us"))
    }
}

/// Starts everybody and lets them take turns, forwards and backwards, so that who comes first is not always the same.
fn meet(group: &'static [Case], turns: u64, millis: u64, results: &mut Results) -> Outcome<()> {
    let mut servers = BTreeMap::new();
    let mut players = Vec::new();
    for case in group {
        let server = match servers.entry(case.server) {
            Entry::Occupied(running) => running.into_mut(),
            Entry::Vacant(place) => place.insert(start(case.server)?),
        };
        let (player, made) = Player::start(case, server.id())?;
        results.note(case.name, &made);
        players.push((case.name, player));
    }
    for turn in 0..turns {
        let mut played = BTreeMap::new();
        let mut order: Vec<_> = players.iter_mut().collect();
        if turn % 2 == 1 {
            order.reverse();
        }
        for (name, player) in order {
            played.insert(*name, player.play(millis)?);
        }
        played.iter().for_each(|(name, result)| results.note(name, result));
    }
    Ok(())
}

/// A generator that has made its calls and waits for its turns; ended when dropped.
struct Player {
    process: Child,
    turns: ChildStdin,
    results: Lines<BufReader<ChildStdout>>,
}

impl Player {
    fn start(case: &Case, server: u32) -> Outcome<(Self, Value)> {
        let exe = std::env::current_exe()?;
        let exe = exe.to_str().ok_or("the program's path is not UTF-8")?;
        let issued =
            CredentialIssuer::new(SECRET).issue(driver::now().unix, "load", Duration::from_secs(600));
        let (user, password) = match case.server {
            Server::Coturn => ("u", "p"),
            Server::Ours | Server::OursTwice | Server::Forwarder => (&*issued.username, &*issued.password),
        };
        let (server, address) = (server.to_string(), format!("{}:3478", address(case.server)));
        let mut program = vec![exe, "generate", "--server", &address, "--pid", &server];
        program.extend(["--user", user, "--password", password]);
        program.extend(case.options);
        let mut command = place::command("lg", "0", &program);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let (Some(turns), Some(results)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a generator without pipes".into());
        };
        let mut player = Self { process, turns, results: BufReader::new(results).lines() };
        let made = player.hear()?;
        Ok((player, made))
    }

    fn play(&mut self, millis: u64) -> Outcome<Value> {
        writeln!(self.turns, "{millis}")?;
        self.hear()
    }

    fn hear(&mut self) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.results.next().ok_or("a generator has failed")??)?)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const fn address(server: Server) -> &'static str {
    match server {
        Server::Ours => "10.99.0.10",
        Server::Coturn => "10.99.0.11",
        Server::Forwarder => "10.99.0.12",
        Server::OursTwice => "10.99.0.13",
    }
}

fn start(server: Server) -> Outcome<Running> {
    let exe = std::env::current_exe()?;
    let exe = exe.to_str().ok_or("the program's path is not UTF-8")?;
    let address = address(server);
    let listen = format!("{address}:3478");
    let coturn = [
        "turnserver",
        "-n",
        "-L",
        address,
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
    let (cores, program): (&str, &[&str]) = match server {
        Server::Ours => ("1", &[exe, "serve", "--listen", &listen]),
        Server::OursTwice => ("0,1", &[exe, "serve", "--listen", &listen, "--threads", "2"]),
        Server::Coturn => ("1", &coturn),
        Server::Forwarder => ("1", &[exe, "forward", &listen, PEER]),
    };
    Running::start(address, cores, program)
}
