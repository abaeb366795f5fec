//! Somebody with a window and two hands on a keyboard.
//!
//! What the window does is read from the JSON events of `silbo --json gui`. Where a control is, is counted: from the
//! search field forwards, or from the end of a page backwards, as somebody does who does not look.

use crate::desktop::{Desktop, Window};
use crate::process::{Place, Silbo, Turn, poll};
use crate::script::{PATIENCE, Stage};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::Path;

/// Width of their window, in pixels.
pub const WIDTH: u32 = 1000;
/// Its height.
pub const HEIGHT: u32 = 640;

/// Controls of a contact's page, counted from its last one: remove, block, nickname, other ways of being sure, call with video, call.
const OTHER_WAYS: usize = 4;
const CALL_WITH_VIDEO: usize = 5;
const CALL: usize = 6;
/// Controls of the settings, counted from the last one: what copies the details, and the key that mutes from any window.
const MUTE_KEY: usize = 2;
/// The same when the other ways are shown and the keys were compared: before them stands what takes that back.
const CALL_WITH_VIDEO_AFTER_COMPARING: usize = 6;

/// Who opens a window, and where.
#[derive(Debug, Clone, Copy)]
pub struct Opens<'a> {
    /// Their name, and that of their profile.
    pub name: &'static str,
    /// Where their computer is.
    pub place: &'a Place,
    /// The screen of it.
    pub desktop: &'a Desktop,
    /// How far right of its edge the window stands.
    pub left: u32,
    /// What follows `silbo gui`.
    pub words: &'a [&'a str],
}

/// Somebody whose window is open.
#[derive(Debug)]
pub struct Person<'a> {
    name: &'static str,
    /// What their Silbo tells.
    pub events: Silbo,
    /// Their window.
    pub window: Window<'a>,
}

impl<'a> Person<'a> {
    /// Opens the window and waits until it is online; log and events go to `folder`.
    pub fn open(opens: Opens<'a>, stage: &Stage, folder: &Path) -> Result<Self> {
        let Opens { name, place, desktop, left, words } = opens;
        let mut command = place.command_at(Turn::First, crate::silbo()?);
        command.arg("--json").args(stage.person(name)).arg("gui").args(words);
        let mut events = Silbo::spawn(name, desktop.here(command), folder)?;
        let window = desktop.window_of(events.id(), PATIENCE)?;
        window.place(left, 40, WIDTH, HEIGHT)?;
        events.expect("online", PATIENCE)?;
        Ok(Self { name, events, window })
    }

    /// The first-run card has the keyboard; Enter claims.
    pub fn register(&mut self) -> Result<()> {
        self.window.settle()?;
        self.window.type_text(self.name)?;
        self.window.press("Return")?;
        let registered = self.events.expect("registered", PATIENCE)?;
        ensure!(registered["name"] == self.name, "another name was claimed: {registered}");
        // What comes next has the keyboard too: Enter goes on, to the devices, the network, the words, and the contacts.
        for _ in 0..4 {
            self.window.settle()?;
            self.window.press("Return")?;
        }
        Ok(())
    }

    /// Looks a name up and pins the only claim found: the last control of the page.
    pub fn add(&mut self, name: &str) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+f")?;
        self.window.type_text(name)?;
        self.window.press("Return")?;
        let found = self.events.expect("lookup", PATIENCE)?;
        let claims = found["claims"].as_array().context("`lookup` without claims")?;
        ensure!(claims.len() == 1, "not exactly one claim: {found}");
        self.press_last(1)?;
        self.expect_state("contact", "added").map(drop)
    }

    /// Waits for an event of this name that tells of this state.
    pub fn expect_state(&mut self, name: &str, state: &str) -> Result<Value> {
        let told = |event: &Value| event["event"] == name && event["state"] == state;
        self.events.expect_where(&format!("{name} {state}"), PATIENCE, told)
    }

    /// Accepts the only request there is, which stands below the search field and what scans a code: between it and the page
    /// that opens are Echo, the row that invites and the four tabs; the page begins with the button that declines.
    pub fn accept_request(&mut self) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+f")?;
        self.tab(2)?;
        self.window.press("Return")?;
        self.window.settle()?;
        self.tab(8)?;
        self.window.press("Return")?;
        self.expect_state("request", "accepted").map(drop)
    }

    /// Notes on the page of a contact that the keys were compared: by the number, which is one of the other ways.
    pub fn compared(&mut self) -> Result<Value> {
        self.press_last(OTHER_WAYS)?;
        self.window.settle()?;
        self.tab(1)?;
        self.window.press("Return")?;
        self.events.expect("safety", PATIENCE)
    }

    /// Calls the contact whose page is open.
    pub fn call(&mut self) -> Result<()> {
        self.press_last(CALL)?;
        self.events.expect("calling", PATIENCE)?;
        Ok(())
    }

    /// The same, with video.
    pub fn call_with_video(&mut self) -> Result<()> {
        self.press_last(CALL_WITH_VIDEO)?;
        self.events.expect("calling", PATIENCE)?;
        Ok(())
    }

    /// The same right after [`Person::compared`]: the control that noted it is gone, and the keyboard with it.
    pub fn call_after_comparing(&mut self) -> Result<()> {
        self.press_last(CALL_WITH_VIDEO_AFTER_COMPARING)?;
        self.events.expect("calling", PATIENCE)?;
        Ok(())
    }

    /// Leaves the page of a call that is over by its last control.
    pub fn leave_ended_call(&mut self) -> Result<()> {
        self.press_last(1)
    }

    /// Goes to the past calls: the first of the tabs, which follow the search field, what scans a code, Echo and one contact,
    /// and the row that invites.
    pub fn show_history(&mut self) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+f")?;
        self.tab(5)?;
        self.window.press("Return")?;
        self.window.settle()
    }

    /// Lets this computer keep names, which counts from the next start of its engine, and starts that anew. Whoever has no
    /// contacts finds the page as the third of the tabs; on it three roles come first, and then what restarts.
    pub fn keep_names_and_restart(&mut self) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+f")?;
        self.tab(6)?;
        self.window.press("Return")?;
        self.window.settle()?;
        self.tab(2)?;
        self.window.press("Return")?;
        self.window.settle()?;
        self.tab(3)?;
        self.window.press("Return")?;
        self.events.expect("online", PATIENCE)?;
        self.events.expect("helping", PATIENCE).map(drop)
    }

    /// Chooses that a key mutes from any window during calls.
    pub fn choose_mute_key(&self) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+comma")?;
        self.press_last(MUTE_KEY)
    }

    /// Waits until the title of the window contains this.
    pub fn expect_title(&self, part: &str) -> Result<()> {
        poll(&format!("title with {part:?}"), PATIENCE, || {
            Ok(self.window.title()?.contains(part).then_some(()))
        })
    }

    /// Presses a control, counted backwards from where the keyboard is, or from the last one of the page.
    fn press_last(&self, nth: usize) -> Result<()> {
        self.window.settle()?;
        for _ in 0..nth {
            self.window.press("shift+Tab")?;
        }
        self.window.press("Return")
    }

    fn tab(&self, times: usize) -> Result<()> {
        (0..times).try_for_each(|_| self.window.press("Tab"))
    }
}
