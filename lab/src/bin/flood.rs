//! `flood [MESSAGES]`: a million (or so many) bogus messages against a node, in virtual time, and against a real
//! supernode on loopback. Its memory stays flat and it goes on answering.
//!
//! Prints a table on stderr and one JSON object on stdout. Exit status: 0 every bar kept, 1 a bar missed.

use anyhow::{Context as _, Result};
use lab::field::{Hub, PATIENCE, gauge::resident_mb};
use lab::flood::Flood;
use lab::process::{Place, Silbo, Turn};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What memory may grow by, in MB: allocators keep some.
const MOST_GROWTH: f64 = 4.0;

/// Datagrams sent before a breath is taken, so that the kernel drops only what the supernode cannot take.
const BURST: u64 = 32;
const BREATH: Duration = Duration::from_micros(500);

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "flood: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let messages = std::env::args().nth(1).map_or(Ok(1_000_000), |word| word.parse()).context("how many?")?;
    let node = against_a_node(messages)?;
    let process = against_a_process(messages)?;
    let mut passed = true;
    for (what, outcome) in [("node in virtual time", &node), ("real supernode", &process)] {
        let kept = outcome.growth_mb <= MOST_GROWTH && outcome.answered;
        passed &= kept;
        let mark = if kept { "ok" } else { "MISSED" };
        writeln!(
            std::io::stderr(),
            "{mark:<7}{what:<22}{:>10} messages  memory {:+.2} MB (bar {MOST_GROWTH})  answers: {}  {:.0} s",
            outcome.messages,
            outcome.growth_mb,
            outcome.answered,
            outcome.took.as_secs_f64()
        )?;
    }
    let told = |outcome: &Outcome| json!({ "messages": outcome.messages, "growth_mb": outcome.growth_mb, "answered": outcome.answered });
    let summary =
        json!({ "bench": "flood", "passed": passed, "node": told(&node), "process": told(&process) });
    writeln!(std::io::stdout(), "{summary}")?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Outcome {
    messages: u64,
    growth_mb: f64,
    answered: bool,
    took: Duration,
}

fn against_a_node(messages: u64) -> Result<Outcome> {
    let began = Instant::now();
    let mut flood = Flood::new([7; 32], relay::driver::now());
    // Tables and queues reach the size they keep.
    flood.send(messages / 10);
    let before = resident_mb(std::process::id())?;
    flood.send(messages);
    let growth_mb = resident_mb(std::process::id())? - before;
    Ok(Outcome { messages, growth_mb, answered: flood.is_answered(), took: began.elapsed() })
}

/// Half of it to where links are accepted, half to the relay.
fn against_a_process(messages: u64) -> Result<Outcome> {
    let began = Instant::now();
    let folder = lab::leavings("flood")?;
    let mut hubs = Hub::on_loopback(1, &folder)?;
    let hub = hubs.pop().context("no supernode")?;
    let ask = |verb: &str, profile: &str| {
        let mut silbo = leaf(&folder, profile, hub.listen, verb)?;
        silbo.succeed(PATIENCE)
    };
    ask("register", "ada")?;
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    let mut rng = StdRng::from_seed([7; 32]);
    shower(&socket, &mut rng, [hub.listen, hub.relay], messages / 10)?;
    let before = resident_mb(hub.id()?)?;
    shower(&socket, &mut rng, [hub.listen, hub.relay], messages)?;
    let answered = ask("lookup", "bob").is_ok();
    let growth_mb = resident_mb(hub.id()?)? - before;
    Ok(Outcome { messages, growth_mb, answered, took: began.elapsed() })
}

fn leaf(folder: &std::path::Path, profile: &str, hub: SocketAddr, verb: &str) -> Result<Silbo> {
    let profile_folder = folder.join(profile).display().to_string();
    let hub = hub.to_string();
    let arguments = ["--lab", "--no-mdns", "--profile", &profile_folder, "--bootstrap", &hub, verb, "ada"];
    Silbo::start(&format!("{profile}-{verb}"), &Place::Here, Turn::Usual, folder, &arguments)
}

fn shower(socket: &UdpSocket, rng: &mut StdRng, targets: [SocketAddr; 2], datagrams: u64) -> Result<()> {
    let mut bytes = [0; 1_200];
    for number in 0..datagrams {
        let length = rng.random_range(0..=bytes.len());
        rng.fill_bytes(&mut bytes[..length]);
        dress(rng, &mut bytes);
        let target = targets[(number % 2) as usize];
        // The kernel may have no room: that one is lost.
        let _ = socket.send_to(&bytes[..length], target);
        if number.is_multiple_of(BURST) {
            std::thread::sleep(BREATH);
        }
    }
    Ok(())
}

/// Something that gets further than noise: the first bytes of QUIC (RFC 9000 §17.2) or STUN (RFC 8489 §5).
fn dress(rng: &mut StdRng, bytes: &mut [u8; 1_200]) {
    match rng.random_range(0..4) {
        // A long header, version 1, ids of eight bytes.
        0 => bytes[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]),
        // A short header of a connection nobody has.
        1 => bytes[0] = 0x43,
        // A Binding or Allocate request without attributes.
        2 => bytes[..8].copy_from_slice(&[0, 1 + 2 * rng.random_range(0..2u8), 0, 0, 0x21, 0x12, 0xa4, 0x42]),
        _ => {}
    }
}
