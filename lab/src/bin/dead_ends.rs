//! `dead_ends`: calls that cannot be, between real `silbo` processes: what each side is told, and how soon.
//!
//! ```text
//!   nothing leaves the caller's home               no_network
//!   only links to supernodes leave both homes      answered, waiting, no_path on both sides
//!   the callee's program stops as it is called     waiting, no_reaction
//!   nothing leaves the callee's home any more      connection_lost on both sides
//! ```
//!
//! From the command on nobody is left without a word for ten seconds. Prints one JSON object on stdout. Exit status: 0
//! everything held, 1 something did not, 77 this system allows no namespaces and nothing was run.

use anyhow::{Context as _, Result, ensure};
use app::reason::Reason;
use lab::netns::{self, Home, Internet, Nat, Passes};
use lab::process::Silbo;
use lab::script::{Answers, Cast, PATIENCE, Stage, unix_ms};
use relay::nat::Uplink;
use serde::Serialize;
use serde_json::Value;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "dead_ends: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    ensure!(std::env::args().len() == 1, "dead_ends takes no arguments");
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    lab::speech::file()?;
    netns::within("no call was made impossible.", || {
        let internet = Internet::build().context("the network of the lab could not be built")?;
        let mut ends = Vec::new();
        for end in [End::NoNetwork, End::NoPath, End::NoReaction, End::Lost] {
            let fault = end.play(&internet).err().map(|error| format!("{error:#}"));
            let mark = if fault.is_none() { "ok" } else { "FAILED" };
            writeln!(std::io::stderr(), "{mark:<7}{end:?} {}", fault.as_deref().unwrap_or_default())?;
            ends.push(Verdict { end, fault });
        }
        let passed = ends.iter().all(|end| end.fault.is_none());
        let summary = Summary { bench: "dead_ends", passed, ends };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&summary)?)?;
        Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

#[derive(Serialize)]
struct Summary {
    bench: &'static str,
    passed: bool,
    ends: Vec<Verdict>,
}

#[derive(Serialize)]
struct Verdict {
    end: End,
    fault: Option<String>,
}

/// See the drawing above.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    NoNetwork,
    NoPath,
    NoReaction,
    Lost,
}

/// Nobody is left without a word for longer.
const WITHOUT_A_WORD: Duration = Duration::from_secs(10);
/// What a busy machine may add before a word is written down.
const LATE: Duration = Duration::from_secs(2);

impl End {
    fn play(self, internet: &Internet) -> Result<()> {
        for home in [Home::A, Home::B] {
            internet.set_nat(home, Nat::Uplink(Uplink::PortRestricted))?;
        }
        let folder = lab::leavings(&format!("dead-end-{self:?}"))?;
        let cast = Cast::at_homes(internet, Home::A);
        let links = cast.listen.port();
        let stage = Stage::open(cast, &folder)?;
        stage.register_bob()?;
        let key = stage.befriend()?;
        match self {
            Self::NoNetwork => {
                internet.let_out_only(Home::A, Passes::Nothing)?;
                let mut alice = stage.alice_calls(&key, None)?;
                ends(&mut alice, ("error", "code"), &Reason::NoNetwork)
            }
            Self::NoPath => {
                for home in [Home::A, Home::B] {
                    internet.let_out_only(home, Passes::UdpTo(links))?;
                }
                let mut bob = stage.bob(1)?;
                let mut alice = stage.alice_calls(&key, None)?;
                alice.expect("answered", PATIENCE)?;
                let waits = alice.expect("waiting", PATIENCE)?;
                ensure!(waits["for"] == "path", "it waits for {}", waits["for"]);
                ends(&mut alice, ("ended", "reason"), &Reason::NoPath)?;
                let ended = bob.expect("ended", PATIENCE)?;
                ensure!(ended["reason"] == "no_path", "bob is told {ended}");
                words(&mut bob, "incoming")
            }
            Self::NoReaction => {
                let bob = stage.bob_who(1, Answers::WhenTold)?;
                bob.signal("STOP")?;
                let mut alice = stage.start_alice("alice", &["call", &key, "--ring-timeout", "12"])?;
                let waits = alice.expect("waiting", PATIENCE)?;
                ensure!(waits["for"] == "reply", "it waits for {}", waits["for"]);
                ends(&mut alice, ("ended", "reason"), &Reason::NoReaction)
            }
            Self::Lost => {
                let mut bob = stage.bob(1)?;
                let mut alice = stage.alice_calls(&key, None)?;
                for who in [&mut alice, &mut bob] {
                    who.expect("media_flowing", PATIENCE)?;
                }
                internet.let_out_only(Home::B, Passes::Nothing)?;
                ends(&mut alice, ("ended", "reason"), &Reason::ConnectionLost)?;
                let ended = bob.expect("ended", PATIENCE)?;
                ensure!(ended["reason"] == "connection_lost", "bob is told {ended}");
                words(&mut bob, "incoming")
            }
        }
    }
}

/// Alice's program ends with the status of this reason, having named it in that field of that event, and with its very
/// sentence and next step.
fn ends(alice: &mut Silbo, (event, field): (&str, &str), reason: &Reason) -> Result<()> {
    let ended = alice.exit_status(PATIENCE)?;
    let said = alice.seen_named(event).pop().with_context(|| format!("no `{event}`"))?;
    let error = alice.seen_named("error").pop().context("no `error`")?;
    let (status, code, sentence) = (i32::from(reason.exit_status()), reason.code(), reason.sentence());
    let told = error["message"] == sentence.message && error["next_step"] == sentence.next_step;
    if ended != status || said[field] != code || !told {
        return Err(alice.complaint(&format!("exit status {ended}, told {said} and {error}, not {code}")));
    }
    words(alice, "calling")
}

/// Nobody was left without a word from the event of this name on, or from the first.
fn words(who: &mut Silbo, from: &str) -> Result<()> {
    let seen = who.seen();
    let begun = seen.iter().position(|event| event["event"] == from).unwrap_or(0);
    let times: Vec<i64> = seen[begun..].iter().map(unix_ms).collect::<Result<_>>()?;
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    let allowed = i64::try_from((WITHOUT_A_WORD + LATE).as_millis())?;
    if longest > allowed {
        let names: Vec<&Value> = who.seen().iter().map(|event| &event["event"]).collect();
        let names = format!("{names:?}");
        return Err(who.complaint(&format!("{longest} ms without a word among {names}")));
    }
    Ok(())
}
