//! Two `silbo peer`s in a call with each other; what they say to each other is carried by hand.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cards::SoundServer;
use crate::desktop::Desktop;
use crate::process::{Place, Silbo, Turn, poll};

/// How long anything may take that needs a few round trips.
const PATIENCE: Duration = Duration::from_secs(60);

/// One who is to be called, or to call.
#[derive(Debug)]
pub struct End<'a> {
    /// Its name, for its files.
    pub title: &'a str,
    /// Where it runs.
    pub place: Place,
    /// What follows `silbo peer ROLE`.
    pub words: &'a [&'a str],
    /// The screen it sees, if it is to see one.
    pub desktop: Option<&'a Desktop>,
    /// What it hears and speaks through, if not files alone.
    pub sound: Option<&'a SoundServer>,
}

/// A call that stands.
#[derive(Debug)]
pub struct Pair {
    /// Who made the offer.
    pub caller: Silbo,
    /// Who answered it.
    pub callee: Silbo,
}

impl Pair {
    /// Starts both and waits until both are connected.
    pub fn call(caller: &End<'_>, callee: &End<'_>, folder: &Path) -> Result<Self> {
        let mut pair = Self {
            caller: start(caller, &["peer", "offer", "--wait"], folder)?,
            callee: start(callee, &["peer", "answer"], folder)?,
        };
        pair.caller.command(&json!({ "t": "call" }))?;
        pair.connect()?;
        Ok(pair)
    }

    /// Carries what they say to each other until both are connected.
    pub fn connect(&mut self) -> Result<()> {
        let mut connected = [false; 2];
        let both = poll("connection", PATIENCE, || {
            connected[0] |= carry(&mut self.caller, &mut self.callee)?;
            connected[1] |= carry(&mut self.callee, &mut self.caller)?;
            Ok((connected == [true; 2]).then_some(()))
        });
        both.map_err(|error| self.callee.complaint(&error.to_string()))
    }

    /// Ends the call; both programs end, and have written what they write then.
    pub fn hang_up(mut self) -> Result<()> {
        self.caller.command(&json!({ "t": "bye" }))?;
        self.caller.succeed(PATIENCE)?;
        self.callee.succeed(PATIENCE)
    }
}

/// What an end counts now.
pub fn stats(end: &mut Silbo) -> Result<Value> {
    end.command(&json!({ "t": "stats" }))?;
    end.expect_where("stats", PATIENCE, |line| line["t"] == "stats")
}

fn start(end: &End<'_>, role: &[&str], folder: &Path) -> Result<Silbo> {
    let mut command = end.place.command_at(Turn::Usual, crate::silbo()?);
    command.arg("--json").args(role).args(end.words);
    if let Some(desktop) = end.desktop {
        command = desktop.here(command);
    }
    if let Some(sound) = end.sound {
        command = sound.here(command);
    }
    let mut silbo = Silbo::spawn(end.title, command, folder)?;
    silbo.expect_where("ready", PATIENCE, |line| line["t"] == "ready")?;
    Ok(silbo)
}

/// Carries what one has said to the other; whether it said that it is connected.
fn carry(from: &mut Silbo, to: &mut Silbo) -> Result<bool> {
    let mut connected = false;
    while let Some(line) = from.poll() {
        match line["t"].as_str() {
            Some("offer" | "answer" | "cand") => to.command(&line)?,
            Some("connected") => connected = true,
            _ => {}
        }
    }
    Ok(connected)
}
