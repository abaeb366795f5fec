//! A real X11 screen, shared in the middle of a real call: what stands on it is seen at the other end.

use anyhow::{Context as _, Result, ensure};
use lab::desktop::Desktop;
use lab::process::{Place, Silbo, Turn};
use lab::script::{Cast, PATIENCE, Stage};
use media::video::frame::{I420, Taken};
use media::video::pattern;
use media::video::y4m::Y4mReader;
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// How red a picture is (Cr) where nothing else stands: the red of the screen has 240.
const RED: u8 = 200;

#[test]
fn a_screen_is_shared_in_mid_call_and_the_camera_comes_back_afterwards() -> Result<()> {
    let folder = lab::leavings("screen")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    let desktop = Desktop::start(1280, 720, &folder)?;
    desktop.paint("red")?;
    let seen = folder.join("seen.y4m");

    let mut register = person("register", "bob", &stage, &["register", "bob"], &desktop, &folder)?;
    register.succeed(PATIENCE)?;
    let display = format!("file:{}", seen.display());
    let answering = ["online", "--auto-answer", "--calls", "1", "--display", &display];
    let mut bob = person("bob", "bob", &stage, &[&answering[..], &SILENT].concat(), &desktop, &folder)?;
    bob.expect("registered", PATIENCE)?;
    let calling = ["call", "bob", "--camera", "pattern"];
    let mut alice = person("alice", "alice", &stage, &[&calling[..], &SILENT].concat(), &desktop, &folder)?;
    bob.expect("first_picture", PATIENCE)?;
    shows_more(&mut bob)?;

    alice.command(&json!({ "do": "share", "on": true }))?;
    for _ in 0..5 {
        shows_more(&mut bob)?;
    }
    alice.command(&json!({ "do": "share", "on": false }))?;
    for _ in 0..3 {
        shows_more(&mut bob)?;
    }
    alice.command(&json!({ "do": "hangup" }))?;
    alice.succeed(PATIENCE)?;
    bob.succeed(PATIENCE)?;

    let kinds = kinds(&seen)?;
    let first_red = kinds.iter().position(|kind| *kind == Kind::Red).context("no red picture was seen")?;
    let last_red = kinds.iter().rposition(|kind| *kind == Kind::Red).context("no red picture was seen")?;
    let numbered = |kinds: &[Kind]| kinds.iter().filter(|kind| **kind == Kind::Numbered).count();
    ensure!(numbered(&kinds[..first_red]) > 5, "the camera was not seen before: {kinds:?}");
    ensure!(numbered(&kinds[first_red..last_red]) == 0, "camera and screen are mixed: {kinds:?}");
    ensure!(numbered(&kinds[last_red..]) > 5, "the camera did not come back: {kinds:?}");
    Ok(())
}

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

fn person(
    title: &str,
    profile: &str,
    stage: &Stage,
    words: &[&str],
    desktop: &Desktop,
    folder: &Path,
) -> Result<Silbo> {
    let mut command = Place::Here.command(lab::silbo()?);
    command.arg("--json").args(stage.person(profile)).args(words);
    Silbo::spawn(title, desktop.here(command), folder)
}

/// Waits for a second in which pictures were shown.
fn shows_more(bob: &mut Silbo) -> Result<()> {
    bob.expect_where("pictures", PATIENCE, |event| {
        event["event"] == "stats" && event["fps"].as_f64() > Some(0.0)
    })?;
    Ok(())
}

/// What is on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbered,
    Red,
    Other,
}

fn kinds(file: &Path) -> Result<Vec<Kind>> {
    let mut reader = Y4mReader::open(BufReader::new(File::open(file)?))?;
    let mut kinds = Vec::new();
    while let Some(frame) = reader.next_frame(Taken::Media(0))? {
        kinds.push(match pattern::read_counter(&frame) {
            Some(_) => Kind::Numbered,
            None if is_red(&frame) => Kind::Red,
            None => Kind::Other,
        });
    }
    Ok(kinds)
}

/// Whether nearly all of it is: somewhere stands the pointer.
fn is_red(frame: &I420) -> bool {
    let [_, _, red] = frame.planes();
    let count = red.data.iter().filter(|value| **value > RED).count();
    count * 10 > red.data.len() * 9
}
