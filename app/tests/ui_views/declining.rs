//! Declining with a message, and reading one.

use super::in_call::{called, declined};
use super::{Window, sample};
use app::call::Reply;
use app::engine::command::Command;
use app::engine::view::{CallPhase, View};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

fn says(reply: &str) -> Command {
    match Reply::parse(reply) {
        Ok(reply) => Command::DeclineWith(reply),
        Err(why) => panic!("{reply:?}: {why}"),
    }
}

#[test]
fn a_call_is_declined_with_a_sentence_that_is_ready_by_the_keyboard_alone() {
    for (tabs, sentence) in
        [(0, "I will call you back."), (1, "I can't talk right now."), (2, "Call me again in ten minutes.")]
    {
        let mut window = Window::open(sample::contacts());
        window.show(called());
        window.press(Modifiers::COMMAND, Key::R);
        (0..tabs).for_each(|_| window.press(Modifiers::NONE, Key::Tab));
        window.press(Modifiers::NONE, Key::Enter);
        assert_eq!(window.wished(), [says(sentence)]);
    }
}

#[test]
fn a_call_is_declined_with_words_of_ones_own() {
    let mut window = Window::open(called());
    window.click("Decline with a message");
    window.type_into("Your own words", "On my way");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [says("On my way")]);
    window.click("Decline with a message");
    assert!(window.field_holds("Your own words", ""), "another call, another message");
    window.type_into("Your own words", "\u{202e}turned round");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.says("A message is one line, without signs that cannot be seen."));
    assert_eq!(window.wished(), []);
    window.click("Back to the call");
    window.click("Decline with a message");
    window.type_into("Your own words", &"ñ".repeat(101));
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.says("That is too long: leave something out."));
    assert_eq!(window.wished(), []);
}

#[test]
fn whoever_goes_back_has_declined_nothing_and_what_stopped_ringing_is_not_answered_to() {
    let mut window = Window::open(called());
    for _ in 0..2 {
        window.press(Modifiers::COMMAND, Key::R);
        assert!(window.says("What should bob read?"));
        window.press(Modifiers::NONE, Key::Escape);
        assert!(!window.says("What should bob read?") && window.says("is calling you"));
    }
    window.press(Modifiers::COMMAND, Key::R);
    window.show(sample::contacts());
    assert!(!window.says("What should bob read?"));
    assert_eq!(window.wished(), []);
}

#[test]
fn a_stranger_is_said_nothing_to() {
    let mut window = Window::open(sample::call(sample::person(9), "eva", CallPhase::Incoming));
    assert!(!window.says("Decline with a message"));
    window.press(Modifiers::COMMAND, Key::R);
    assert!(!window.says("What should eva read?"));
}

#[test]
fn whoever_was_declined_reads_in_whose_name_something_was_said_and_so_does_the_list_of_calls() {
    let said = "bob: “I will call you back.”";
    let mut window = Window::open(declined("I will call you back."));
    assert!(window.says(said) && window.says("The call was declined."));
    window.show(View { call: None, ..declined("I will call you back.") });
    window.click("Recent calls");
    let row = window.harness.get_by_label_contains("Declined · 2026-11-20 11:40 · “I will call you back.”");
    row.click();
    window.harness.run();
    assert!(window.says("dilip: “I will call you back.”"));
}
