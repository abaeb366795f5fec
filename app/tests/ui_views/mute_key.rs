//! The key that mutes from any window: the setting, when it is ours, and what a press does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use super::{Window, sample};
use app::desktop::{Desktop, MuteKey, MuteKeyError, MuteKeyWish, Report, Wanted};
use app::engine::command::Command;
use app::engine::view::{CallPhase, MuteAnywhere, View};
use app::ui::Hiding;
use std::time::Instant;
use tokio::sync::{mpsc, watch};

const TITLE: &str = "Mute from any window with Ctrl+Shift+M";

/// A window on a desktop that the test plays.
struct Played {
    window: Window,
    wants: watch::Receiver<Wanted>,
    reports: mpsc::Sender<Report>,
}

impl Played {
    fn open(view: View) -> Self {
        let mut window = Window::open(view);
        let (desktop, wants, _orders, reports) = Desktop::fake();
        window.harness.state_mut().set_desktop(desktop, Hiding::Possible);
        window.harness.run();
        Self { window, wants, reports }
    }

    fn report(&mut self, report: Report) {
        self.reports.try_send(report).unwrap();
        self.window.harness.run();
    }

    fn wish(&self) -> MuteKeyWish {
        self.wants.borrow().mute_key
    }
}

fn on(mut view: View) -> View {
    view.settings.mute_key = MuteAnywhere::On;
    view
}

fn muted(mut view: View) -> View {
    view.call.as_mut().unwrap().muted = true;
    view
}

#[test]
fn it_is_chosen_in_the_settings_where_the_system_lets_it() {
    let mut played = Played::open(sample::contacts());
    played.window.click("Settings");
    assert!(played.window.says(TITLE));
    assert!(played.window.mentions("This system lets no program hear keys"));
    played.report(Report::MuteKey(Ok(MuteKey::Free)));
    assert!(!played.window.mentions("This system lets no program hear keys"));
    played.window.wished();
    played.window.click(TITLE);
    assert_eq!(played.window.wished(), [Command::SetMuteKey(MuteAnywhere::On)]);
    played.window.show(on(sample::contacts()));
    played.window.click(TITLE);
    assert_eq!(played.window.wished(), [Command::SetMuteKey(MuteAnywhere::Off)]);
}

#[test]
fn it_is_ours_during_calls_alone_and_only_for_whoever_chose_it() {
    let now = Instant::now();
    let mut played = Played::open(on(sample::contacts()));
    assert_eq!(played.wish(), MuteKeyWish::Free);
    played.window.show(on(sample::call(sample::person(1), "bob", CallPhase::Incoming)));
    assert_eq!(played.wish(), MuteKeyWish::Free);
    played.window.show(on(sample::active(now)));
    assert_eq!(played.wish(), MuteKeyWish::Held);
    played.window.show(on(muted(sample::active(now))));
    assert_eq!(played.wish(), MuteKeyWish::Held);
    played.window.show(on(sample::contacts()));
    assert_eq!(played.wish(), MuteKeyWish::Free);
    played.window.show(sample::active(now));
    assert_eq!(played.wish(), MuteKeyWish::Free);
}

#[test]
fn a_press_turns_the_microphone_of_a_call_and_does_nothing_else() {
    let now = Instant::now();
    let mut played = Played::open(on(sample::active(now)));
    played.window.harness.input_mut().focused = false;
    played.report(Report::MuteKeyPressed);
    assert_eq!(played.window.wished(), [Command::SetMuted(true)]);
    played.window.show(on(muted(sample::active(now))));
    played.report(Report::MuteKeyPressed);
    assert_eq!(played.window.wished(), [Command::SetMuted(false)]);
    played.window.show(on(sample::contacts()));
    played.report(Report::MuteKeyPressed);
    assert_eq!(played.window.wished(), []);
}

#[test]
fn a_key_that_cannot_be_had_is_told_of_until_it_is_dismissed_or_had() {
    let taken = "Another program has taken Ctrl+Shift+M, so it does not mute from other windows.";
    let mut played = Played::open(on(sample::active(Instant::now())));
    played.report(Report::MuteKey(Err(MuteKeyError::Taken)));
    assert!(played.window.says(taken));
    assert!(played.window.mentions("Close that program or give it other keys"));
    played.window.click(&format!("Dismiss: {taken}"));
    assert!(!played.window.says(taken));
    played.report(Report::MuteKey(Err(MuteKeyError::NoKey)));
    assert!(played.window.mentions("No key of this keyboard gives an M"));
    played.report(Report::MuteKey(Ok(MuteKey::Held)));
    assert!(!played.window.mentions("No key of this keyboard gives an M"));
    played.report(Report::MuteKey(Err(MuteKeyError::Server { why: "it is gone".to_owned() })));
    assert!(played.window.mentions("it is gone"));
}
