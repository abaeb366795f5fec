//! Who becomes a supernode: real processes of the *real* network, with its real thresholds, on addresses that are public
//! there. One volunteer is reached by strangers, one is behind a router that lets nobody in.

use super::PATIENCE;
use crate::netns::{Backbone, Nat};
use crate::process::{Place, Silbo, Turn, poll};
use anyhow::{Result, ensure};
use relay::nat::Uplink;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Supernodes of operators: fewer than eight are a small network, which asks nobody for days of uptime, and seven are
/// enough for three strangers beside three homes and whoever passes the question on.
const SUPERNODES: u8 = 7;
const VOLUNTEER: u8 = SUPERNODES + 1;

/// A round of dial-backs is over by then, and the next one.
const ROUNDS: Duration = Duration::from_secs(240);

/// How it went.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// How long the volunteer on a public address took to serve.
    pub promoted_after_s: f64,
    /// What it was, one state after the other.
    pub states: Vec<String>,
    /// What others are told of its relay.
    pub relay: Value,
    /// Why the one behind the router does not serve.
    pub hidden_reason: Value,
    /// And what its owner is told.
    pub hidden_advice: Value,
    /// What `silbo doctor` says of the two.
    pub doctors: [Value; 2],
    /// Whether a supernode on an open port found by itself that others reach it.
    pub operator_port: Value,
    /// Exit status of the volunteer, told to end while it serves.
    pub status: i32,
}

/// Plays it.
pub fn play(folder: &Path) -> Result<Outcome> {
    let backbone = Backbone::build(VOLUNTEER, Nat::Uplink(Uplink::PortRestricted))?;
    let mut hubs = Vec::new();
    for n in 1..=SUPERNODES {
        let address = Backbone::address(n);
        let (listen, relay) = (format!("{address}:7600"), format!("{address}:7601"));
        let words = ["supernode", "--listen", &listen, "--relay-listen", &relay];
        // Two are told to everybody: whom a volunteer has spoken to is no stranger to it.
        let person = Person::new(&format!("hub{n}"), backbone.host(n), folder);
        let mut hub = person.start(&words)?;
        hub.expect("relay", PATIENCE)?;
        hubs.push((person, hub));
    }
    let help = ["online", "--help-others", "--upload-kbps", "20000"];
    let began = Instant::now();
    let open = Person::new("volunteer", backbone.host(VOLUNTEER), folder);
    let mut volunteer = open.start(&help)?;
    let behind = Person::new("hidden", backbone.home(), folder);
    let mut hidden = behind.start(&help)?;
    // Its relay is open before it serves.
    let relay = volunteer.expect("relay", ROUNDS)?;
    volunteer.expect_where("promotion", PATIENCE, |event| {
        event["event"] == "role" && event["role"] == "supernode"
    })?;
    let promoted_after_s = began.elapsed().as_secs_f64();
    volunteer.expect_where("serving", PATIENCE, |event| {
        event["event"] == "helping" && event["state"] == "serving"
    })?;
    let unfit = hidden.expect_where("reason", ROUNDS, |event| {
        event["event"] == "helping" && event["reason"] == "unreachable"
    })?;
    ensure!(hidden.seen_named("role").iter().all(|role| role["role"] == "leaf"), "the hidden one served");
    let doctors = [open.doctor(folder)?, behind.doctor(folder)?];
    let operator_port = poll("an operator's own test", ROUNDS, || {
        let doctor = hubs[0].0.doctor(folder)?;
        Ok((doctor["port"] != "not_tested").then(|| doctor["port"].clone()))
    })?;
    let states = volunteer.seen_named("helping");
    let states = states.iter().filter_map(|event| event["state"].as_str()).map(str::to_owned).collect();
    volunteer.interrupt()?;
    let status = volunteer.exit_status(PATIENCE)?;
    Ok(Outcome {
        promoted_after_s,
        states,
        relay,
        hidden_reason: unfit["reason"].clone(),
        hidden_advice: unfit["advice"].clone(),
        doctors,
        operator_port,
        status,
    })
}

/// Somebody of the real network.
struct Person {
    title: String,
    place: Place,
    profile: PathBuf,
    folder: PathBuf,
}

impl Person {
    fn new(title: &str, place: Place, folder: &Path) -> Self {
        Self { title: title.into(), place, profile: folder.join(title), folder: folder.to_owned() }
    }

    fn start(&self, words: &[&str]) -> Result<Silbo> {
        let profile = self.profile.display().to_string();
        let first: Vec<String> = [1, 2].map(|n| format!("{}:7600", Backbone::address(n))).into();
        let first = first.join(",");
        let global = ["--no-mdns", "--no-mainline", "--profile", &profile, "--bootstrap", &first];
        let words: Vec<&str> = global.iter().chain(words).copied().collect();
        Silbo::start(&self.title, &self.place, Turn::Usual, &self.folder, &words)
    }

    /// Asked of the process that runs.
    fn doctor(&self, folder: &Path) -> Result<Value> {
        let profile = self.profile.display().to_string();
        let title = format!("{}-doctor", self.title);
        let words = ["--profile", &profile, "doctor"];
        let mut doctor = Silbo::start(&title, &self.place, Turn::Usual, folder, &words)?;
        doctor.expect("doctor", PATIENCE)
    }
}
