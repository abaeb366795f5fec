//! `stranger`: somebody looks bob up and calls him again and again without being his contact; what comes to her computer is
//! recorded, and bob's addresses must not be in it. Then he accepts her, she calls again, and they must be: else nothing
//! was heard here.
//!
//! Prints one JSON object on stdout. Exit status: 0 everything held, 1 something did not, 77 this system allows no
//! namespaces and nothing was run.

use anyhow::{Context as _, Result, ensure};
use lab::capture::{self, Capture};
use lab::netns::{self, Home, Internet, Nat, PUBLIC_ALTERNATE};
use lab::process::Silbo;
use lab::script::{Answers, Cast, PATIENCE, Stage};
use relay::nat::Uplink;
use serde::Serialize;
use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "stranger: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, rest @ ..] = &words[..]
        && word == capture::WORD
    {
        capture::serve(rest)?;
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(words.is_empty(), "stranger takes no arguments");
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("no stranger was listened to.", || {
        let summary = play()?;
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Calls of the stranger, and how long she lets each of them ring.
const CALLS: usize = 3;
const RINGS: Duration = Duration::from_secs(4);

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    /// Until bob accepts her.
    before: Heard,
    /// In the call that follows.
    after: Heard,
}

/// What came to her.
#[derive(Debug, Serialize)]
struct Heard {
    frames: usize,
    bytes: usize,
    /// Frames with bob's public address in them.
    public: usize,
    /// Frames with the address he has at home.
    private: usize,
}

fn play() -> Result<Summary> {
    let internet = Internet::build().context("the network of the lab could not be built")?;
    let folder = lab::leavings("stranger")?;
    let cast = Cast::at_homes(&internet, Home::A);
    let stage = Stage::open(cast, &folder)?;
    let _second = stage.add_supernode("second", PUBLIC_ALTERNATE)?;
    stage.register_bob()?;
    let mut bob = stage.bob_who(1, Answers::WhenTold)?;

    let strange = Capture::start(&Home::A.host(), "eth0", &folder.join("before.frames"))?;
    let mut key = None;
    for nth in 0..CALLS {
        let mut alice = call(&stage, nth)?;
        let status = alice.exit_status(PATIENCE)?;
        ensure!(status == 4, "a call of a stranger ended with {status}");
        let role = alice.seen_named("role").pop().context("no `role` event")?;
        key = role["key"].as_str().map(str::to_owned);
    }
    let before = heard(&strange.frames()?);
    drop(strange);
    ensure!(bob.seen_named("incoming").is_empty(), "a stranger rang");

    let key = key.context("the stranger has no key")?;
    bob.command(&json!({ "do": "accept_request", "key": key }))?;
    bob.expect_where("accepted request", PATIENCE, |event| {
        event["event"] == "request" && event["state"] == "accepted"
    })?;
    let friendly = Capture::start(&Home::A.host(), "eth0", &folder.join("after.frames"))?;
    let mut alice = stage.alice(None)?;
    bob.expect("incoming", PATIENCE)?;
    bob.command(&json!({ "do": "answer" }))?;
    alice.expect_where("a direct path", PATIENCE, |event| {
        event["event"] == "path" && event["direct"] == true
    })?;
    alice.command(&json!({ "do": "hangup" }))?;
    alice.succeed(PATIENCE)?;
    bob.succeed(PATIENCE)?;
    let after = heard(&friendly.frames()?);

    let mut err = std::io::stderr();
    writeln!(err, "to a stranger: {before:?}\nto a contact:  {after:?}")?;
    let passed = before.frames > 0 && before.public == 0 && before.private == 0 && after.public > 0;
    Ok(Summary { bench: "stranger", passed, before, after })
}

/// The stranger calls, and gives up.
fn call(stage: &Stage, nth: usize) -> Result<Silbo> {
    stage.start_alice(
        &format!("stranger-{nth}"),
        &["call", "bob", "--ring-timeout", &RINGS.as_secs().to_string()],
    )
}

fn heard(frames: &[Vec<u8>]) -> Heard {
    let behind = Nat::Uplink(Uplink::PortRestricted);
    Heard {
        frames: frames.len(),
        bytes: frames.iter().map(Vec::len).sum(),
        public: capture::holding(frames, Home::B.public_address(behind)),
        private: capture::holding(frames, Home::B.private_address()),
    }
}
