//! `story`: what two people live through with Silbo, from their first start to their past calls, in two real windows worked
//! by keyboard, each on a computer of its own behind a router.
//!
//! ```text
//!   first run ─ register ─ add ─ call: a stranger's, so a request ─ accept ─ verify ─ call ─ pictures ─ screen ─
//!   another address ─ hang up ─ receipt ─ history
//! ```
//! Told by events, by what the windows look like, and by what the loudspeakers played. Pictures and recordings are left in
//! `lab/story`. Exit status: 0 all of it came true, 1 something did not, 77 this system allows no namespaces and nothing was
//! run.

use anyhow::{Context as _, Result, ensure};
use lab::desktop::{Desktop, Window};
use lab::netns::{self, Home, Internet};
use lab::person::{HEIGHT, Opens, Person, WIDTH};
use lab::process::{Place, Silbo, Turn, poll, run};
use lab::script::{Cast, PATIENCE, Stage};
use lab::{quality, speech};
use media::video::frame::{I420, Size, Taken};
use media::video::pattern;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    tell().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "story: {error:#}");
        ExitCode::FAILURE
    })
}

fn tell() -> Result<ExitCode> {
    // Made outside, where a user namespace cannot change who owns them.
    lab::silbo()?;
    let speech = speech::long_file()?;
    let folder = lab::leavings("story")?;
    netns::within("no two windows called each other.", || {
        let internet = Internet::build()?;
        let stage = Stage::open(Cast::at_homes(&internet, Home::A), &folder)?;
        let desktops = ["alice", "bob"].map(|name| {
            let folder = folder.join(format!("{name}-screen"));
            std::fs::create_dir_all(&folder)?;
            Desktop::start(WIDTH + 200, HEIGHT + 120, &folder)
        });
        let [alices, bobs] = desktops;
        let (alices, bobs) = (alices?, bobs?);
        let microphone = format!("file:{}", speech.display());
        let heard = ["alice", "bob"].map(|name| folder.join(format!("{name}-heard.wav")));
        let loudspeakers = heard.each_ref().map(|file| format!("file:{}", file.display()));
        let words = loudspeakers
            .each_ref()
            .map(|loudspeaker| ["--camera", "pattern", "--mic", &microphone, "--speaker", loudspeaker]);
        let places = [Home::A, Home::B].map(Home::host);
        let opens = |name, nth: usize, desktop| Opens {
            name,
            place: &places[nth],
            desktop,
            left: 40,
            words: &words[nth],
        };
        let alice = Person::open(opens("alice", 0, &alices), &stage, &folder)?;
        let bob = Person::open(opens("bob", 1, &bobs), &stage, &folder)?;
        let mut story =
            Story { alice, bob, alices: &alices, internet, stage: &stage, places: &places, folder: &folder };
        story.live(&speech, &heard).inspect_err(|_| {
            let _ = story.look("failed");
        })?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The two, and what is around them.
struct Story<'a> {
    alice: Person<'a>,
    bob: Person<'a>,
    /// Alice's screen.
    alices: &'a Desktop,
    internet: Internet,
    stage: &'a Stage,
    places: &'a [Place; 2],
    folder: &'a Path,
}

impl Story<'_> {
    fn live(&mut self, speech: &Path, heard: &[PathBuf; 2]) -> Result<()> {
        self.meet()?;
        self.verify()?;
        self.see_each_other()?;
        self.share()?;
        self.move_house()?;
        let receipts = self.hang_up()?;
        self.remember(&receipts)?;
        for (who, recording) in ["alice", "bob"].iter().zip(heard) {
            let scored = quality::score(speech, recording)?;
            say(&format!("{who} heard PESQ-WB {:.2}, at worst {:.2}", scored.mean, scored.min))?;
            ensure!(scored.mean >= INTELLIGIBLE, "{who} heard PESQ-WB {:.2}", scored.mean);
        }
        Ok(())
    }

    /// First starts, and a stranger who becomes a contact.
    fn meet(&mut self) -> Result<()> {
        self.look("1-first-run")?;
        self.alice.register()?;
        self.bob.register()?;
        self.alice.add("bob")?;
        self.alice.call_with_video()?;
        // Strangers never ring.
        let request = self.bob.expect_state("request", "new")?;
        ensure!(request["name"] == "alice", "somebody else asks: {request}");
        ensure!(self.bob.events.seen_named("incoming").is_empty(), "a stranger rang");
        self.alice.window.press("ctrl+e")?;
        self.alice.events.expect("ended", PATIENCE)?;
        self.look("2-request")?;
        self.bob.accept_request()?;
        self.alice.leave_ended_call()?;
        say("a stranger asked and was accepted")
    }

    /// Both see the same sixty digits, and say so.
    fn verify(&mut self) -> Result<()> {
        let numbers = [self.alice.compared()?, self.bob.compared()?].map(|safety| {
            ensure!(safety["verified"] == true, "not noted: {safety}");
            Ok(safety["number"].clone())
        });
        let [alices, bobs] = numbers;
        ensure!(alices? == bobs?, "the two do not see the same number");
        self.look("3-verified")?;
        say("both compared the same number")
    }

    /// A call in which each sees what the other's camera takes.
    fn see_each_other(&mut self) -> Result<()> {
        self.alice.window.settle()?;
        self.alice.call_after_comparing()?;
        self.bob.events.expect("incoming", PATIENCE)?;
        self.look("4-ringing")?;
        // A call that rings takes the keyboard: Enter answers.
        self.bob.window.press("Return")?;
        for person in [&mut self.alice, &mut self.bob] {
            person.events.expect("first_picture", PATIENCE)?;
        }
        for (name, person) in [("alice", &self.alice), ("bob", &self.bob)] {
            let first = poll("a picture", PATIENCE, || Ok(counter(&person.window).ok()))
                .with_context(|| format!("{name} sees no picture"))?;
            poll("moving picture", PATIENCE, || {
                Ok(counter(&person.window).ok().filter(|later| *later > first))
            })
            .with_context(|| format!("{name}'s picture stands still"))?;
        }
        for person in [&mut self.alice, &mut self.bob] {
            person.events.expect_where("sound both ways", PATIENCE, heard_well)?;
        }
        self.look("5-talking")?;
        say("each sees and hears the other")
    }

    /// Alice shows her screen, which is red where no window stands.
    fn share(&mut self) -> Result<()> {
        let before = red(&self.bob.window)?;
        ensure!(before < RED_BEFORE, "{:.1} % of bob's window was red before", before * 100.0);
        self.alices.paint("red")?;
        self.alice.window.press("ctrl+d")?;
        self.alice.window.press("Return")?;
        let seen = poll("red screen", PATIENCE, || {
            Ok(Some(red(&self.bob.window)?).filter(|share| *share > RED_SHARED))
        })?;
        self.look("6-sharing")?;
        say(&format!("bob sees alice's screen: {:.0} % of his window is red", seen * 100.0))?;
        self.alice.window.press("ctrl+d")?;
        self.bob.events.expect("pictures_ended", PATIENCE).context("bob keeps alice's screen")?;
        poll("camera again", PATIENCE, || Ok(counter(&self.bob.window).ok()))?;
        self.alice.window.press("ctrl+o")?;
        poll("no picture", PATIENCE, || {
            let window = &self.bob.window;
            Ok((counter(window).is_err() && red(window)? < RED_BEFORE).then_some(()))
        })?;
        self.look("6-shared")?;
        say("bob sees nothing more of alice when she stops")?;
        self.alice.window.press("ctrl+o")?;
        poll("camera again", PATIENCE, || Ok(counter(&self.bob.window).ok()))?;
        Ok(())
    }

    /// Alice's computer gets another address in mid-call.
    fn move_house(&mut self) -> Result<()> {
        self.internet.move_host(Home::A, 2, 3)?;
        for person in [&mut self.alice, &mut self.bob] {
            // The second in which it happened, and those in which a way was found.
            for _ in 0..SECONDS_TO_FIND_A_WAY {
                person.events.expect("stats", PATIENCE)?;
            }
            person.events.expect_where("sound after the move", PATIENCE, heard_well)?;
            ensure!(person.events.seen_named("ended").len() <= 1, "the call ended by itself");
        }
        let first = counter(&self.bob.window)?;
        poll("moving picture", PATIENCE, || {
            Ok(counter(&self.bob.window).ok().filter(|later| *later > first))
        })?;
        self.look("7-moved")?;
        say("the call outlived another address")
    }

    fn hang_up(&mut self) -> Result<[Value; 2]> {
        self.bob.window.press("ctrl+e")?;
        let mut receipts = [Value::Null, Value::Null];
        for (person, receipt) in [&mut self.alice, &mut self.bob].into_iter().zip(&mut receipts) {
            let ended = person.events.expect("ended", PATIENCE)?;
            *receipt = ended["receipt"].clone();
            let told =
                |field: &str| receipt[field].as_f64().with_context(|| format!("no {field} in {ended}"));
            ensure!(told("seconds")? > 5.0 && told("mos")? >= 1.0, "{ended}");
            ensure!(told("mouth_to_ear_ms")? > 0.0, "{ended}");
            ensure!(receipt["pictures"]["height"].as_f64() > Some(0.0), "nothing was seen: {ended}");
            ensure!(ended["reason"] == "hung_up", "{ended}");
        }
        self.look("8-receipt")?;
        say(&format!("receipts: {} and {}", receipts[0], receipts[1]))?;
        Ok(receipts)
    }

    /// Both find the call among those past, with its receipt.
    fn remember(&mut self, receipts: &[Value; 2]) -> Result<()> {
        for (nth, (name, receipt)) in ["alice", "bob"].iter().zip(receipts).enumerate() {
            let mut arguments = self.stage.person(name);
            arguments.push("history".into());
            let title = format!("{name}-history");
            let mut history = Silbo::start(&title, &self.places[nth], Turn::Usual, self.folder, &arguments)?;
            let newest = history.expect("history", PATIENCE)?;
            history.succeed(PATIENCE)?;
            ensure!(newest["receipt"] == *receipt, "{name} remembers something else: {newest}");
        }
        self.alice.leave_ended_call()?;
        self.bob.leave_ended_call()?;
        self.alice.show_history()?;
        self.bob.show_history()?;
        self.look("9-history")
    }

    /// Leaves pictures of both windows, side by side.
    fn look(&self, name: &str) -> Result<()> {
        let shots = ["alice", "bob"].map(|who| self.folder.join(format!("{name}-{who}.png")));
        self.alice.window.photograph(&shots[0])?;
        self.bob.window.photograph(&shots[1])?;
        let both = self.folder.join(format!("{name}.png"));
        run(Place::Here.command("convert").args(&shots).arg("+append").arg(both))?;
        shots.iter().try_for_each(|shot| Ok(std::fs::remove_file(shot)?))
    }
}

/// PESQ-WB, mean of the segments, of a voice that was heard while the computer got another address in between: how well is for
/// `make lab` to judge, on a machine that does nothing else; where nothing is heard it is about 1.
const INTELLIGIBLE: f64 = 2.0;
const SECONDS_TO_FIND_A_WAY: usize = 5;
/// How much of a window is red: of one that shows people, and of one that shows a red screen.
const RED_BEFORE: f64 = 0.03;
const RED_SHARED: f64 = 0.05;

/// A second in which hardly any sound was made up.
fn heard_well(event: &Value) -> bool {
    event["event"] == "stats" && event["concealed_ratio"].as_f64().is_some_and(|share| share < 0.1)
}

/// The share of a window that is red.
fn red(window: &Window<'_>) -> Result<f64> {
    let pixels = window.pixels()?;
    let red = pixels.iter().filter(|[red, green, blue]| *red > 160 && *green < 90 && *blue < 90).count();
    Ok(red as f64 / pixels.len().max(1) as f64)
}

/// The number of the test picture in a window. It stands in the middle, from the top down to where the controls begin, which
/// is looked for: its checksum says when it is found.
fn counter(window: &Window<'_>) -> Result<u32> {
    let pixels = window.pixels()?;
    let width = WIDTH as usize;
    ensure!(pixels.len() == width * HEIGHT as usize, "the window has another size");
    let at = |x: usize, y: usize| {
        let [red, green, blue] = pixels[y * width + x].map(u32::from);
        // BT.601, to the range of video.
        (16 + (66 * red + 129 * green + 25 * blue) / 256) as u8
    };
    let found = (LEAST_PICTURE..HEIGHT as usize).find_map(|height| {
        let picture = height * 16 / 9 / 2 * 2;
        let (left, height) = (width.checked_sub(picture)? / 2, height / 2 * 2);
        let luma = (0..height).flat_map(|y| (0..picture).map(move |x| (x, y))).map(|(x, y)| at(left + x, y));
        let mut data: Vec<u8> = luma.collect();
        data.resize(picture * height * 3 / 2, 128);
        let size = Size::new(u32::try_from(picture).ok()?, u32::try_from(height).ok()?).ok()?;
        pattern::read_counter(&I420::packed(size, Taken::Media(0), data).ok()?)
    });
    found.context("no test picture in the window")
}

const LEAST_PICTURE: usize = 200;

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "story: {line}")?)
}
