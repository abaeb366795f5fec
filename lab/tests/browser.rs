//! Calls with Chromium, each end calling once: tones are heard, colours are seen and messages come back, both ways, also
//! after ICE has begun anew.

use anyhow::{Context as _, Result, ensure};
use lab::browser::{Browser, Fakes};
use lab::process::{Place, Silbo, Turn, poll};
use lab::tone;
use media::video::frame::{I420, Size, Taken};
use media::video::y4m::{FrameRate, Y4mReader, Y4mWriter};
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What one end says and shows.
#[derive(Clone, Copy)]
struct Part {
    hertz: f64,
    /// Y, Cb, Cr.
    colour: [u8; 3],
}

/// A green of about 32, 160, 64, and what it is in red, green and blue.
const GREEN: [u8; 3] = [112, 101, 71];
const GREEN_RGB: [f64; 3] = [20.0, 165.0, 57.0];
/// An orange.
const ORANGE: [u8; 3] = [145, 62, 198];
const ORANGE_RGB: [f64; 3] = [255.0, 119.0, 17.0];

/// How far a colour may be from where it was, and a tone in hertz.
const COLOUR_MISS: f64 = 30.0;
const TONE_MISS: f64 = 15.0;

/// What a call must have moved by then.
const PACKETS: u64 = 50;
const PICTURES: u64 = 30;

#[test]
fn chromium_calls_us_and_begins_ice_anew() -> Result<()> {
    let ours = Part { hertz: 440.0, colour: GREEN };
    let theirs = Part { hertz: 660.0, colour: ORANGE };
    let mut call = Call::open("chromium_calls", "answer", ours, theirs)?;
    call.browser.offer()?;
    call.converse(ours, GREEN_RGB)?;
    let before = call.browser.look()?["user"].clone();
    call.browser.restart()?;
    call.goes_on_after(&before)?;
    call.hang_up(theirs)
}

#[test]
fn we_call_chromium_and_begin_ice_anew() -> Result<()> {
    let ours = Part { hertz: 880.0, colour: ORANGE };
    let theirs = Part { hertz: 520.0, colour: GREEN };
    let mut call = Call::open("we_call_chromium", "offer", ours, theirs)?;
    call.silbo.command(&json!({ "t": "call" }))?;
    call.converse(ours, ORANGE_RGB)?;
    let before = call.browser.look()?["user"].clone();
    call.silbo.command(&json!({ "t": "restart" }))?;
    call.goes_on_after(&before)?;
    call.hang_up(theirs)
}

struct Call {
    silbo: Silbo,
    browser: Browser,
    heard: PathBuf,
    seen: PathBuf,
}

impl Call {
    fn open(name: &str, role: &str, ours: Part, theirs: Part) -> Result<Self> {
        let folder = lab::leavings(name)?;
        let [camera, their_camera] = ["ours.y4m", "theirs.y4m"].map(|file| folder.join(file));
        let microphone = folder.join("theirs.wav");
        film(&camera, ours.colour)?;
        film(&their_camera, theirs.colour)?;
        tone::write(&microphone, theirs.hertz)?;
        let fakes = Fakes { microphone, camera: Some(their_camera) };
        let browser = Browser::start("chromium", &Place::Here, Turn::Usual, &folder, &fakes)?;
        let (heard, seen) = (folder.join("heard.wav"), folder.join("seen.y4m"));
        let file = |path: &Path| format!("file:{}", path.display());
        let mic = format!("tone:{}", ours.hertz);
        let (camera, speaker, display) = (file(&camera), file(&heard), file(&seen));
        let words = ["--lab", "peer", role, "--wait", "--mic", &mic, "--camera", &camera];
        let words = [&words[..], &["--speaker", &speaker, "--display", &display]].concat();
        let mut silbo = Silbo::start("silbo", &Place::Here, Turn::Usual, &folder, &words)?;
        silbo.expect_where("ready", PATIENCE, |line| line["t"] == "ready")?;
        Ok(Self { silbo, browser, heard, seen })
    }

    /// Carries what each says to the other; what is left of ours.
    fn carry(&mut self) -> Result<Vec<Value>> {
        let mut rest = Vec::new();
        while let Some(line) = self.silbo.poll() {
            match line["t"].as_str() {
                Some("offer" | "answer" | "cand") => self.browser.take(&line)?,
                _ => rest.push(line),
            }
        }
        while let Some(told) = self.browser.poll_told() {
            self.silbo.command(&told)?;
        }
        Ok(rest)
    }

    /// Until both ends have everything of each other.
    fn converse(&mut self, ours: Part, our_rgb: [f64; 3]) -> Result<()> {
        let missing = |theirs: &Value, own: &Value| {
            let mut missing = Vec::new();
            let mut want = |what, there: bool| {
                if !there {
                    missing.push(what)
                }
            };
            let inbound = |kind: &str, what: &str| theirs[format!("{kind} inbound-rtp")][what].as_u64();
            want("our tone", theirs["tone"].as_f64().is_some_and(|hz| (hz - ours.hertz).abs() < TONE_MISS));
            want("our colour", is_colour(&theirs["colour"], our_rgb));
            want("our packets", inbound("audio", "packetsReceived") > Some(PACKETS));
            want("our pictures", inbound("video", "framesDecoded") > Some(PICTURES));
            want("our echo", theirs["echoes"] == json!(["echo:hello"]));
            want("their packets", own["audio_rx"].as_u64() > Some(PACKETS));
            want("their pictures", own["video_frames"].as_u64() > Some(PICTURES));
            want("their message", own["dc_rx"] == 1);
            missing
        };
        self.wait_until(missing)
    }

    /// ICE has begun anew and everything flows on.
    fn goes_on_after(&mut self, user: &Value) -> Result<()> {
        let (theirs, own) = (self.browser.look()?, self.figures()?);
        let packets = |figures: &Value| figures["audio inbound-rtp"]["packetsReceived"].as_u64();
        let (before, own_before) = (packets(&theirs), own["video_frames"].as_u64());
        self.wait_until(|theirs, own| {
            let mut missing = Vec::new();
            let mut want = |what, there: bool| {
                if !there {
                    missing.push(what)
                }
            };
            want("other credentials", theirs["user"] != *user);
            want("our sound", packets(theirs) > before.map(|before| before + PACKETS));
            want("their pictures", own["video_frames"].as_u64() > own_before.map(|before| before + PICTURES));
            let lost = theirs["states"].as_array().is_some_and(|states| states.contains(&json!("failed")));
            want("the connection", !lost);
            missing
        })
    }

    fn wait_until(&mut self, missing: impl Fn(&Value, &Value) -> Vec<&'static str>) -> Result<()> {
        let mut lacking = String::new();
        let all = poll("whole call", PATIENCE, || {
            let (theirs, own) = (self.browser.look()?, self.figures()?);
            let missing = missing(&theirs, &own);
            lacking = format!("missing {missing:?}\nchromium {theirs}\nsilbo {own}");
            Ok(missing.is_empty().then_some(()))
        });
        all.context(lacking)
    }

    fn figures(&mut self) -> Result<Value> {
        self.silbo.command(&json!({ "t": "stats" }))?;
        let stats =
            poll("figures", PATIENCE, || Ok(self.carry()?.into_iter().find(|line| line["t"] == "stats")));
        stats.map_err(|error| self.silbo.complaint(&error.to_string()))
    }

    /// Ends it; what we heard and saw is theirs.
    fn hang_up(mut self, theirs: Part) -> Result<()> {
        self.silbo.command(&json!({ "t": "bye" }))?;
        self.silbo.succeed(PATIENCE)?;
        let share = tone::share_in_file(&self.heard, theirs.hertz)?;
        ensure!(share > 0.8, "{share} of what we heard is their tone");
        let colour = middle_colour(&self.seen)?;
        let near = colour.iter().zip(theirs.colour).all(|(seen, shown)| seen.abs_diff(shown) < 16);
        ensure!(near, "we saw {colour:?}, they showed {:?}", theirs.colour);
        Ok(())
    }
}

fn is_colour(seen: &Value, shown: [f64; 3]) -> bool {
    let seen: Vec<f64> = seen.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    seen.len() == 3 && seen.iter().zip(shown).all(|(seen, shown)| (seen - shown).abs() < COLOUR_MISS)
}

fn film(path: &Path, colour: [u8; 3]) -> Result<()> {
    let (size, rate) = (Size::NHD, FrameRate::new(30, 1).context("no rate")?);
    let mut film = Y4mWriter::create(File::create(path)?, size, rate)?;
    for _ in 0..30 {
        film.write(&I420::plain(size, Taken::Media(0), colour))?;
    }
    film.finish()?;
    Ok(())
}

/// Of the last picture.
fn middle_colour(path: &Path) -> Result<[u8; 3]> {
    let mut reader = Y4mReader::open(BufReader::new(File::open(path)?))?;
    let mut last = None;
    while let Some(frame) = reader.next_frame(Taken::Media(0))? {
        last = Some(frame);
    }
    let last = last.context("no picture")?;
    let middle = last.planes().map(|plane| plane.data[plane.data.len() / 2]);
    Ok(middle)
}
