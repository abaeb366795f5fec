//! A real X11 screen and a window on it, shared in the middle of a real call: what stands there is seen at the other end.

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
use std::path::{Path, PathBuf};

/// How red a picture is (Cr) where nothing else stands: the red of the screen has 240.
const RED: u8 = 200;

#[test]
fn a_screen_is_shared_in_mid_call_and_the_camera_comes_back_afterwards() -> Result<()> {
    let folder = lab::leavings("screen")?;
    let mut filmed = Filmed::begin(&folder)?;
    filmed.desktop.paint("red")?;
    filmed.alice.command(&json!({ "do": "share", "on": true }))?;
    filmed.shows_more(5)?;
    filmed.alice.command(&json!({ "do": "share", "on": false }))?;
    filmed.bob.expect("pictures_ended", PATIENCE)?;
    filmed.shows_more(3)?;
    check(&filmed.end()?)
}

#[test]
fn a_screen_that_was_shared_without_a_camera_is_gone_at_the_other_end_at_once() -> Result<()> {
    let folder = lab::leavings("screen gone")?;
    let mut filmed = Filmed::begin(&folder)?;
    filmed.alice.command(&json!({ "do": "camera", "on": false }))?;
    filmed.bob.expect("pictures_ended", PATIENCE)?;
    for _ in 0..2 {
        filmed.alice.command(&json!({ "do": "share", "on": true }))?;
        filmed.bob.expect("first_picture", PATIENCE)?;
        filmed.alice.command(&json!({ "do": "share", "on": false }))?;
        filmed.bob.expect("pictures_ended", PATIENCE)?;
    }
    filmed.bob.expect("stats", PATIENCE)?;
    let stats = filmed.bob.expect("stats", PATIENCE)?;
    ensure!(stats["width"].is_null(), "something is shown still: {stats}");
    filmed.end().map(drop)
}

#[test]
fn a_window_is_shared_alone_and_the_camera_comes_back_when_it_is_closed() -> Result<()> {
    let folder = lab::leavings("shared window")?;
    let mut filmed = Filmed::begin(&folder)?;
    filmed.desktop.paint("white")?;
    // Others lie around it and over it.
    let notes = filmed.desktop.open("notes", "red", "640x360+50+50")?;
    let _cover = filmed.desktop.open("cover", "blue", "500x300+100+100")?;
    filmed.alice.command(&json!({ "do": "share", "on": true, "window": "notes" }))?;
    filmed.shows_more(5)?;
    drop(notes);
    let lost = filmed.alice.expect("device_lost", PATIENCE)?;
    let said = lost["message"].as_str().context("no sentence")?;
    ensure!(said.contains("closed"), "{said}");
    filmed.shows_more(3)?;
    check(&filmed.end()?)
}

/// Alice, whose camera is a pattern, is seen by bob.
struct Filmed {
    alice: Silbo,
    bob: Silbo,
    seen: PathBuf,
    desktop: Desktop,
    _stage: Stage,
}

impl Filmed {
    fn begin(folder: &Path) -> Result<Self> {
        let stage = Stage::open(Cast::loopback(Turn::Usual)?, folder)?;
        let desktop = Desktop::start(1280, 720, folder)?;
        let seen = folder.join("seen.y4m");
        let mut register = person("register", "bob", &stage, &["register", "bob"], &desktop, folder)?;
        register.succeed(PATIENCE)?;
        let display = format!("file:{}", seen.display());
        let answering = ["online", "--auto-answer", "--calls", "1", "--display", &display];
        let mut bob = person("bob", "bob", &stage, &[&answering[..], &SILENT].concat(), &desktop, folder)?;
        bob.expect("registered", PATIENCE)?;
        let calling = ["call", "bob", "--camera", "pattern"];
        let alice = person("alice", "alice", &stage, &[&calling[..], &SILENT].concat(), &desktop, folder)?;
        bob.expect("first_picture", PATIENCE)?;
        let mut filmed = Self { alice, bob, seen, desktop, _stage: stage };
        filmed.shows_more(1)?;
        Ok(filmed)
    }

    /// Waits for so many seconds in which pictures were shown.
    fn shows_more(&mut self, seconds: usize) -> Result<()> {
        for _ in 0..seconds {
            self.bob.expect_where("pictures", PATIENCE, |event| {
                event["event"] == "stats" && event["fps"].as_f64() > Some(0.0)
            })?;
        }
        Ok(())
    }

    /// What was seen, in this order.
    fn end(mut self) -> Result<Vec<Kind>> {
        self.alice.command(&json!({ "do": "hangup" }))?;
        self.alice.succeed(PATIENCE)?;
        self.bob.succeed(PATIENCE)?;
        kinds(&self.seen)
    }
}

/// The camera, then red, then the camera.
fn check(kinds: &[Kind]) -> Result<()> {
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
