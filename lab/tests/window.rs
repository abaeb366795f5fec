//! Two real windows on one screen, worked by keyboard alone: two people register, add each other, call and hang up.
//!
//! What the windows did is read from the JSON events that `silbo --json gui` prints; what they looked like is left as
//! pictures in `target/lab/window`.

use anyhow::{Context as _, Result, ensure};
use lab::desktop::{Desktop, Window};
use lab::process::{Place, Silbo, Turn};
use lab::script::{Cast, PATIENCE, Stage};
use lab::speech;
use std::path::Path;

#[test]
fn two_windows_register_add_each_other_call_and_hang_up_by_keyboard_alone() -> Result<()> {
    let folder = lab::leavings("window")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    let desktop = Desktop::start(WIDTH * 2 + 60, HEIGHT + 80, &folder)?;
    let mut alice = Person::open("alice", &stage, &desktop, &folder, 10)?;
    let mut bob = Person::open("bob", &stage, &desktop, &folder, WIDTH + 30)?;
    play(&mut alice, &mut bob, &desktop, &folder).inspect_err(|_| {
        let _ = desktop.photograph(&folder.join("failed.png"));
    })
}

fn play<'a>(alice: &mut Person<'a>, bob: &mut Person<'a>, desktop: &Desktop, folder: &Path) -> Result<()> {
    alice.register()?;
    bob.register()?;
    desktop.photograph(&folder.join("1-registered.png"))?;

    alice.add("bob")?;
    bob.add("alice")?;
    desktop.photograph(&folder.join("2-added.png"))?;

    alice.call()?;
    bob.events.expect("incoming", PATIENCE)?;
    alice.events.expect("ringing", PATIENCE)?;
    desktop.photograph(&folder.join("3-ringing.png"))?;

    // A call that rings takes the keyboard: Enter answers.
    bob.window.press("Return")?;
    for person in [&mut *alice, &mut *bob] {
        person.events.expect("media_flowing", PATIENCE)?;
        person.events.expect("stats", PATIENCE)?;
    }
    desktop.photograph(&folder.join("4-talking.png"))?;
    let earlier = alice.window.fingerprint(Some(TIMER))?;
    for _ in 0..2 {
        alice.events.expect("stats", PATIENCE)?;
    }
    let later = alice.window.fingerprint(Some(TIMER))?;
    ensure!(earlier != later, "the timer stood still for two seconds of a call, see 4-talking.png");

    alice.window.press("ctrl+m")?;
    desktop.photograph(&folder.join("5-muted.png"))?;

    alice.window.press("ctrl+e")?;
    for person in [&mut *alice, &mut *bob] {
        let ended = person.events.expect("ended", PATIENCE)?;
        ensure!(ended["duration_ms"].as_u64().is_some_and(|length| length > 0), "no length in {ended}");
    }
    desktop.photograph(&folder.join("6-ended.png"))
}

/// Size of a window.
const WIDTH: u32 = 1000;
const HEIGHT: u32 = 640;
/// Where a window of that size shows how long the call has lasted, and nothing else.
const TIMER: &str = "120x24+440+312";

/// Somebody with a window and two hands on a keyboard.
struct Person<'a> {
    name: &'static str,
    events: Silbo,
    window: Window<'a>,
}

impl<'a> Person<'a> {
    fn open(
        name: &'static str,
        stage: &Stage,
        desktop: &'a Desktop,
        folder: &Path,
        x: u32,
    ) -> Result<Person<'a>> {
        let mut command = Place::Here.command(lab::silbo()?);
        command.arg("--json").args(stage.person(name)).arg("gui");
        command.args(["--mic", &format!("file:{}", speech::file()?.display()), "--speaker", "null"]);
        let mut events = Silbo::spawn(name, desktop.here(command), folder)?;
        let window = desktop.window_of(events.id(), PATIENCE)?;
        window.place(x, 40, WIDTH, HEIGHT)?;
        events.expect("online", PATIENCE)?;
        Ok(Person { name, events, window })
    }

    /// The first-run card has the keyboard; Enter claims.
    fn register(&mut self) -> Result<()> {
        self.window.settle()?;
        self.window.type_text(self.name)?;
        self.window.press("Return")?;
        let registered = self.events.expect("registered", PATIENCE)?;
        ensure!(registered["name"] == self.name, "another name was claimed: {registered}");
        // What comes next has the keyboard too: Enter goes on to the contacts.
        self.window.settle()?;
        self.window.press("Return")
    }

    /// Looks a name up and pins the only claim found: the last control of the page.
    fn add(&mut self, name: &str) -> Result<()> {
        self.window.settle()?;
        self.window.press("ctrl+f")?;
        self.window.type_text(name)?;
        self.window.press("Return")?;
        let found = self.events.expect("lookup", PATIENCE)?;
        let claims = found["claims"].as_array().context("`lookup` without claims")?;
        ensure!(claims.len() == 1, "not exactly one claim: {found}");
        self.window.settle()?;
        self.window.press("shift+Tab")?;
        self.window.press("Return")?;
        self.events.expect_where("contact added", PATIENCE, |event| {
            event["event"] == "contact" && event["state"] == "added"
        })?;
        Ok(())
    }

    /// Calls the contact whose page is open: its last control removes them, the one before
    /// blocks them, the one before that says that their key was compared, and the one before that calls.
    fn call(&mut self) -> Result<()> {
        self.window.settle()?;
        for _ in 0..4 {
            self.window.press("shift+Tab")?;
        }
        self.window.press("Return")?;
        self.events.expect("calling", PATIENCE)?;
        Ok(())
    }
}
