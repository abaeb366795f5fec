//! Before an engine runs, and instead of the first run: a sealed key is opened, and people come back.

use super::{Window, phrase, sample};
use app::engine::EngineHandle;
use app::engine::gate::{ComeBack, Door, GateWish, Trial};
use app::engine::words::{RecoveryWords, TypedWords, WordsError};
use app::reason::{Custody, Reason};
use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportCommand};
use egui_kittest::kittest::Queryable;
use overlay::Identity;
use std::sync::Arc;

fn wrong() -> Trial {
    Trial::Failed(Reason::Custody(Custody::WrongPassphrase("/profile/identity.key".into())))
}

fn wished_of_the_gate(window: &mut Window) -> Vec<GateWish> {
    std::iter::from_fn(|| window.gate_wishes.try_recv().ok()).collect()
}

#[test]
fn a_sealed_key_is_opened_by_typing_and_enter() {
    let mut window = Window::locked();
    window.at_the_gate(|view| view.name = Some("alice".into()));
    assert!(window.says("Welcome back, alice") && !window.says("Settings"));
    window.harness.get_by_role_and_label(Role::PasswordInput, "Passphrase").type_text("a long passphrase");
    window.harness.run();
    assert!(!window.mentions("a long passphrase"), "it is not to be read");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(wished_of_the_gate(&mut window), [GateWish::Open(phrase("a long passphrase"))]);
    window.at_the_gate(|view| view.trial = Trial::Running);
    assert!(window.mentions("This takes a moment"));
    let (engine, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(Arc::new(sample::contacts()));
    window.at_the_gate(|view| view.door = Door::Open(engine));
    assert!(window.says("Settings") && window.says("bob"));
}

#[test]
fn a_wrong_passphrase_says_so_and_may_be_tried_again() {
    let mut window = Window::locked();
    assert!(window.harness.get_by_role_and_label(Role::PasswordInput, "Passphrase").is_focused());
    window.click("Open");
    assert_eq!(wished_of_the_gate(&mut window), [], "nothing is typed");
    window.type_secret("Passphrase", "wrong");
    window.click("Open");
    window.at_the_gate(|view| view.trial = Trial::Running);
    window.at_the_gate(|view| view.trial = wrong());
    assert!(window.mentions("does not open it. Try again"));
    window.type_secret("Passphrase", "right");
    window.click("Open");
    let typed = [phrase("wrong"), phrase("right")].map(GateWish::Open);
    assert_eq!(wished_of_the_gate(&mut window), typed, "what was wrong is gone from the field");
}

#[test]
fn whoever_does_not_know_the_passphrase_may_quit() {
    let mut window = Window::locked();
    window.harness.get_by_role_and_label(Role::Button, "Quit").click();
    assert!(window.asked_of_the_desktop().contains(&ViewportCommand::Close));
}

#[test]
fn why_there_is_no_engine_is_said() {
    let mut window = Window::locked();
    window.at_the_gate(|view| view.door = Door::Broken(Reason::ProfileTooNew("/profile".into())));
    assert!(window.says("Silbo cannot start") && window.mentions("/profile"));
    window.harness.get_by_role_and_label(Role::Button, "Quit").click();
    assert!(window.asked_of_the_desktop().contains(&ViewportCommand::Close));
}

fn returning() -> Window {
    let mut window = Window::open(sample::first_run());
    window.click("I have been here before");
    assert!(window.says("Come back"));
    window
}

#[test]
fn who_was_here_before_comes_back_with_their_words() {
    let mut window = returning();
    let words = RecoveryWords::of(&Identity::from_secret([5; 32])).words().join(" ");
    window.type_in(Role::MultilineTextInput, "Your recovery words", &words);
    window.click("Come back with the words");
    let typed = GateWish::ComeBack(ComeBack::Words(TypedWords::new(words.as_str())));
    assert_eq!(wished_of_the_gate(&mut window), [typed]);
    window.at_the_gate(|view| {
        view.trial = Trial::Failed(Reason::Custody(Custody::Words(WordsError::Unknown(vec![3]))));
    });
    assert!(window.mentions("not in the list of words: 3"));
    let (engine, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(Arc::new(sample::first_run()));
    window.at_the_gate(|view| (view.door, view.trial) = (Door::Open(engine), Trial::Returned));
    assert!(window.mentions("Your key is back") && !window.says("I have been here before"));
}

#[test]
fn who_was_here_before_comes_back_with_a_backup() {
    let mut window = returning();
    window.type_into("Your backup file", "/media/stick/alice.silbo-backup");
    window.click("Come back with the backup");
    assert_eq!(wished_of_the_gate(&mut window), [], "it is sealed with something");
    window.type_secret("Passphrase of your backup", "a long passphrase");
    window.click("Come back with the backup");
    let file = "/media/stick/alice.silbo-backup".into();
    let brought = ComeBack::Backup { file, passphrase: phrase("a long passphrase") };
    assert_eq!(wished_of_the_gate(&mut window), [GateWish::ComeBack(brought)]);
    window.at_the_gate(|view| view.trial = Trial::Running);
    assert!(window.mentions("Silbo starts anew"));
    window.at_the_gate(|view| view.trial = wrong());
    assert!(window.mentions("does not open it"));
    let (engine, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(Arc::new(sample::contacts()));
    window.at_the_gate(|view| (view.door, view.trial) = (Door::Open(engine), Trial::Returned));
    assert!(window.says("bob") && !window.says("Come back"));
}

#[test]
fn who_was_here_before_comes_back_by_the_keyboard_alone() {
    let mut window = returning();
    // The first field has the keyboard.
    window.harness.event(egui::Event::Text("abandon".to_owned()));
    window.harness.run();
    window.click("Come back with the words");
    let typed = GateWish::ComeBack(ComeBack::Words(TypedWords::new("abandon")));
    assert_eq!(wished_of_the_gate(&mut window), [typed]);
    window.type_into("Your backup file", "/media/stick/b.silbo");
    window.press(Modifiers::NONE, Key::Enter);
    window.harness.event(egui::Event::Text("a long passphrase".to_owned()));
    window.harness.run();
    window.press(Modifiers::NONE, Key::Enter);
    let (file, passphrase) = ("/media/stick/b.silbo".into(), phrase("a long passphrase"));
    let brought = ComeBack::Backup { file, passphrase };
    assert_eq!(wished_of_the_gate(&mut window), [GateWish::ComeBack(brought)]);
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.says("Claim this name"), "Escape leaves");
}

#[test]
fn where_no_engine_can_follow_the_window_says_why() {
    let mut window = returning();
    window.at_the_gate(|view| view.door = Door::Broken(Reason::PortInUse("0.0.0.0:7600".into())));
    assert!(window.says("Silbo cannot start") && window.mentions("0.0.0.0:7600"));
}

#[test]
fn who_was_not_here_before_chooses_a_name_after_all() {
    let mut window = returning();
    window.click("Choose a new name instead");
    assert!(window.says("Claim this name"));
}

#[test]
fn nobody_who_knows_people_is_asked_whether_they_are_somebody_else() {
    let mut view = sample::contacts();
    view.own.name = None;
    view.own.claim = app::engine::view::ClaimState::None;
    let window = Window::open(view);
    assert!(window.says("Claim this name") && !window.says("I have been here before"));
}
