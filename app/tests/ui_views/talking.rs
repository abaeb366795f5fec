//! Push to talk: whoever is muted is heard while they hold Space, and nobody is by accident.

use super::in_call::muted;
use super::{Window, sample};
use app::engine::command::{Command, Talk};
use app::engine::view::{CallPhase, View};
use app::reason::Reason;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use std::time::{Duration, Instant};

impl Window {
    /// One event of Space, which may be a repeat.
    fn space(&mut self, pressed: bool) {
        let modifiers = Modifiers::NONE;
        let event =
            egui::Event::Key { key: Key::Space, physical_key: None, pressed, repeat: false, modifiers };
        self.harness.event(event);
        self.harness.run();
    }

    /// Space goes down, and stays there.
    pub(super) fn hold_space(&mut self) {
        self.space(true);
    }

    pub(super) fn let_go_of_space(&mut self) {
        self.space(false);
    }
}

const BEGIN: Command = Command::Talk(Talk::Begin);

/// A window whose owner is muted and holds Space, and the call.
fn talking() -> (Window, View) {
    let view = sample::active(Instant::now());
    let mut window = Window::open(muted(view.clone()));
    assert!(window.says("Hold Space to talk"));
    window.hold_space();
    assert_eq!(window.wished(), [BEGIN]);
    window.show(view.clone());
    assert!(window.says("You are heard while you hold Space"));
    (window, view)
}

#[test]
fn whoever_is_muted_is_heard_while_they_hold_space() {
    let (mut window, view) = talking();
    window.let_go_of_space();
    assert_eq!(window.wished(), [Command::SetMuted(true)]);
    window.show(muted(view));
    assert!(window.says("Hold Space to talk"));
    assert!(!window.says("You are heard while you hold Space"));
}

#[test]
fn whoever_holds_space_for_long_goes_on_being_heard() {
    let (mut window, _) = talking();
    for _ in 0..100 {
        window.space(true);
        window.pass(Duration::from_millis(50));
    }
    let wished = window.wished();
    assert!(wished.len() >= 5, "{wished:?}");
    assert!(wished.iter().all(|wish| *wish == Command::Talk(Talk::GoOn)), "{wished:?}");
}

#[test]
fn another_window_in_front_closes_the_microphone() {
    let (mut window, _) = talking();
    window.harness.input_mut().focused = false;
    window.harness.event(egui::Event::WindowFocused(false));
    window.harness.run();
    assert_eq!(window.wished(), [Command::SetMuted(true)]);
}

#[test]
fn the_end_of_a_call_ends_talking_with_space() {
    let (mut window, _) = talking();
    let over = CallPhase::Ended { why: Reason::HungUp, lasted: Some(Duration::from_secs(5)), receipt: None };
    window.show(sample::call(sample::person(1), "bob", over));
    window.let_go_of_space();
    assert_eq!(window.wished(), []);
}

#[test]
fn space_that_is_held_when_a_call_ends_answers_no_other_one() {
    let (mut window, _) = talking();
    window.show(sample::contacts());
    window.show(sample::call(sample::person(1), "bob", CallPhase::Incoming));
    window.space(true);
    assert_eq!(window.wished(), []);
    window.let_go_of_space();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Answer]);
}

#[test]
fn whoever_is_muted_talks_with_space_whatever_button_has_the_keyboard_and_presses_it_with_enter() {
    let mut window = Window::open(muted(sample::active(Instant::now())));
    window.harness.get_by_role_and_label(Role::Button, "Hang up").focus();
    window.harness.run();
    window.hold_space();
    assert_eq!(window.wished(), [BEGIN]);
    window.let_go_of_space();
    assert_eq!(window.wished(), [Command::SetMuted(true)]);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::HangUp]);
}

#[test]
fn space_presses_a_button_once_while_the_microphone_is_open() {
    let view = sample::active(Instant::now());
    let mut window = Window::open(view.clone());
    window.harness.get_by_role_and_label(Role::Button, "Mute").focus();
    window.harness.run();
    window.hold_space();
    window.space(true);
    assert_eq!(window.wished(), [Command::SetMuted(true)]);
    window.show(muted(view));
    window.space(true);
    assert_eq!(window.wished(), [], "it is the same press");
}

#[test]
fn a_space_that_is_typed_opens_no_microphone() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "ev");
    window.shown.send_replace(std::sync::Arc::new(muted(sample::active(Instant::now()))));
    window.hold_space();
    assert_eq!(window.wished(), []);
}

#[test]
fn on_a_card_space_presses_what_has_the_keyboard() {
    let mut window = Window::open(muted(sample::active(Instant::now())));
    window.press(Modifiers::COMMAND, Key::K);
    window.wished();
    window.hold_space();
    let wished = window.wished();
    assert!(!wished.contains(&BEGIN), "{wished:?}");
}

#[test]
fn whoever_holds_space_over_a_full_screen_sees_that_they_are_heard() {
    let now = Instant::now();
    let mut window = Window::open(sample::filmed(now));
    window.press(Modifiers::NONE, Key::F11);
    window.show(muted(sample::filmed(now)));
    window.pass(Duration::from_secs(10));
    assert!(!window.says("Hold Space to talk"), "nothing is over the picture");
    window.hold_space();
    window.show(sample::filmed(now));
    for _ in 0..20 {
        window.pass(Duration::from_millis(400));
        window.space(true);
        assert!(window.says("You are heard while you hold Space"));
    }
}
