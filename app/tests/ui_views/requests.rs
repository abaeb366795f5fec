//! Strangers who want to call.

use super::{Window, sample};
use app::engine::command::Command;
use app::engine::view::{CallPhase, View};

#[test]
fn a_request_is_accepted_or_declined() {
    let mut window = Window::open(sample::requests());
    window.click("Request from eva");
    assert!(window.says("eva is calling you now"));
    window.click("Add to contacts");
    assert_eq!(window.wished(), [Command::AcceptRequest(sample::key(5))]);
    window.click("Request from frank");
    assert!(window.says("frank tried to call you"));
    window.click("Decline request");
    assert_eq!(window.wished(), [Command::DeclineRequest(sample::key(6))]);
}

#[test]
fn whoever_asks_to_call_is_told_of_once_and_counted() {
    let mut window = Window::open(sample::contacts());
    window.shown.send_replace(std::sync::Arc::new(sample::requests()));
    let title = egui::ViewportCommand::Title("(2) Silbo — alice".to_owned());
    assert!(window.asked_of_the_desktop().contains(&title));
    window.harness.run();
    assert!(window.says("frank and one more person want to call you") && window.says("Requests (2)"));
    window.click("Look");
    assert!(window.says("frank tried to call you") && !window.mentions("want to call you"));
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    window.show(sample::contacts());
    window.show(sample::requests());
    window.click("Dismiss: frank and one more person want to call you");
    assert!(!window.mentions("one more person") && window.says("Requests (2)"));
}

#[test]
fn nobody_is_told_in_a_call_who_asks_to_call_but_after_it() {
    let mut window = Window::open(sample::call(sample::person(1), "bob", CallPhase::Connecting));
    let mut asked = sample::requests();
    asked.requests.truncate(1);
    window.show(View {
        call: sample::call(sample::person(1), "bob", CallPhase::Connecting).call,
        ..asked.clone()
    });
    assert!(!window.mentions("is calling you now"));
    window.show(asked);
    assert!(window.says("eva is calling you now"));
}

#[test]
fn a_stranger_is_blocked_where_their_request_is() {
    let mut window = Window::open(sample::requests());
    window.click("Request from eva");
    window.click("Block eva");
    assert_eq!(window.wished(), [Command::Block(sample::key(5))]);
}
