//! Two real windows on one screen, worked by keyboard alone: two people register, add each other, call, mute and hang up.
//!
//! What the windows did is read from the JSON events that `silbo --json gui` prints; what they looked like is left as
//! pictures in `target/lab/window`.

use anyhow::{Result, ensure};
use lab::desktop::{Desktop, Hold};
use lab::person::{HEIGHT, Opens, Person, WIDTH};
use lab::process::{Place, Turn};
use lab::script::{Cast, PATIENCE, Stage};
use lab::speech;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[test]
fn two_windows_register_add_each_other_call_and_hang_up_by_keyboard_alone() -> Result<()> {
    let _alone = one_at_a_time();
    let folder = lab::leavings("window")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    let desktop = Desktop::start(WIDTH * 2 + 60, HEIGHT + 80, &folder)?;
    let microphone = format!("file:{}", speech::file()?.display());
    let words = ["--mic", &microphone, "--speaker", "null"];
    let opens = |name, left| Opens { name, place: &Place::Here, desktop: &desktop, left, words: &words };
    let mut alice = Person::open(opens("alice", 10), &stage, &folder)?;
    let mut bob = Person::open(opens("bob", WIDTH + 30), &stage, &folder)?;
    play(&mut alice, &mut bob, &desktop, &folder).inspect_err(|_| {
        let _ = desktop.photograph(&folder.join("failed.png"));
    })
}

#[test]
fn what_counts_from_a_start_alone_is_had_without_closing_the_window() -> Result<()> {
    let _alone = one_at_a_time();
    let folder = lab::leavings("restart")?;
    let stage = Stage::open(Cast::loopback(Turn::Usual)?, &folder)?;
    let desktop = Desktop::start(WIDTH + 20, HEIGHT + 80, &folder)?;
    let words = ["--mic", "silence", "--speaker", "null"];
    let opens = Opens { name: "alice", place: &Place::Here, desktop: &desktop, left: 10, words: &words };
    let mut alice = Person::open(opens, &stage, &folder)?;
    alice.register()?;
    let restarted = alice.keep_names_and_restart();
    desktop.photograph(&folder.join("restarted.png"))?;
    restarted
}

fn play<'a>(alice: &mut Person<'a>, bob: &mut Person<'a>, desktop: &Desktop, folder: &Path) -> Result<()> {
    alice.register()?;
    bob.register()?;
    desktop.photograph(&folder.join("1-registered.png"))?;
    alice.choose_mute_key()?;

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
    alice.expect_title("you are muted")?;
    desktop.photograph(&folder.join("5-muted.png"))?;
    alice.window.hold("space", Hold::Down)?;
    alice.expect_title("your microphone is on")?;
    desktop.photograph(&folder.join("6-held.png"))?;
    alice.window.hold("space", Hold::Up)?;
    alice.expect_title("you are muted")?;
    alice.window.hold("space", Hold::Down)?;
    alice.expect_title("your microphone is on")?;
    bob.window.focus()?;
    alice.expect_title("you are muted")?;
    alice.window.hold("space", Hold::Up)?;

    // Bob's window has the keyboard, and is not meant.
    bob.window.press("ctrl+shift+m")?;
    alice.expect_title("your microphone is on")?;
    bob.window.press("ctrl+shift+m")?;
    alice.expect_title("you are muted")?;
    bob.expect_title("your microphone is on")?;

    alice.window.press("ctrl+e")?;
    for person in [&mut *alice, &mut *bob] {
        let ended = person.events.expect("ended", PATIENCE)?;
        ensure!(ended["duration_ms"].as_u64().is_some_and(|length| length > 0), "no length in {ended}");
    }
    desktop.photograph(&folder.join("7-ended.png"))
}

/// Where a window of that size shows how long the call has lasted, and nothing else.
const TIMER: &str = "120x24+440+306";

/// Desktops that start beside each other may keep a window waiting for too long.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
