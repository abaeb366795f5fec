//! Whose key it is: a contact whose name another key has now, and the words of a call.

use super::{Window, sample};
use app::engine::call_words::{CallEnd, CallWords};
use app::engine::command::Command;
use app::engine::view::{CallPhase, ContactId};
use app::storage::{KeyChange, Verified};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use egui_kittest::kittest::Queryable;
use overlay::identity::safety::SafetyNumber;
use std::time::{Duration, Instant};

const CHANGE: fn() -> KeyChange = || KeyChange { pinned: sample::key(1), found: sample::key(9) };

fn told() -> Window {
    let mut window = Window::open(sample::key_changed());
    window.click("Another key now: bob");
    assert!(window.says("“bob” belongs to another key now"));
    window
}

#[test]
fn both_keys_and_what_it_can_mean_are_told_in_the_place_of_the_key() {
    let mut window = told();
    assert!(window.says(&sample::key(1).fingerprint()) && window.says(&sample::key(9).fingerprint()));
    assert!(window.mentions("Perhaps somebody wants to be taken for them"));
    assert!(window.mentions("still go to the key you know") && !window.says("Safety number"));
    window.click("Call bob");
    assert_eq!(window.wished(), [Command::Call(ContactId::Person(sample::key(1)))]);
}

#[test]
fn the_key_one_knows_is_kept_by_one_press() {
    let mut window = told();
    window.click("Keep the key I know");
    assert_eq!(window.wished(), [Command::KeepKey(sample::key(1))]);
    window.show(sample::contacts());
    assert!(window.says("Is it really them?"));
}

#[test]
fn a_new_key_is_trusted_only_once_it_was_compared() {
    let mut window = told();
    window.click("They told me of a new key");
    let number = SafetyNumber::of(&sample::key(7), &sample::key(9));
    assert!(window.mentions(&number.groups()[..4].join("   ")), "the number of the new key");
    window.click("Trust the new key");
    assert_eq!(window.wished(), [], "nothing was compared");
    window.click("I compared it with bob, and it is the same");
    window.click("Trust the new key");
    assert_eq!(window.wished(), [Command::TrustKey(CHANGE())]);
}

#[test]
fn what_was_compared_does_not_count_for_another_key() {
    let mut window = told();
    window.click("They told me of a new key");
    window.click("I compared it with bob, and it is the same");
    let mut view = sample::key_changed();
    view.contacts.iter_mut().filter(|row| row.changed.is_some()).for_each(|row| {
        row.changed = Some(sample::key(10));
    });
    window.show(view);
    assert!(window.says("They told me of a new key") && !window.says("Trust the new key"));
}

#[test]
fn such_a_contact_is_marked_in_the_list() {
    let window = Window::open(sample::key_changed());
    assert!(window.says("Another key now: bob"));
}

#[test]
fn words_are_shown_when_asked_for_and_verify_the_contact_when_they_match() {
    let mut view = sample::active(Instant::now());
    let mut window = Window::open(view.clone());
    assert!(!window.mentions("Read these words"));
    window.click("Verify");
    assert_eq!(window.wished(), [Command::ShowCallWords]);
    assert!(
        window.mentions("Read these words") && !window.says("They match"),
        "there is nothing to match yet"
    );
    let end = |seed| CallEnd { identity: sample::key(seed), certificate: [seed; 32] };
    let words = CallWords::of(&end(1), &end(7)).unwrap();
    if let Some(call) = &mut view.call {
        call.words = Some(words);
    }
    window.show(view.clone());
    assert!(words.words().iter().all(|word| window.mentions(word)), "{words}");
    let mut places: Vec<Rect> = Vec::new();
    for (number, word) in ["1", "2", "3", "4"].into_iter().zip(words.words()) {
        let [number, word] = [number, *word].map(|text| window.harness.get_by_label(text).rect());
        assert!(number.right() < word.left() && number.y_range().contains(word.center().y), "{word}");
        places.push(number);
    }
    assert!(places.is_sorted_by_key(|place| (place.top() as i32, place.left() as i32)), "{places:?}");
    window.click("They match");
    assert_eq!(window.wished(), [Command::SetVerified(sample::key(2), Verified::Yes)]);
    assert!(!window.mentions("Read these words"));
    view.contacts.iter_mut().for_each(|row| row.verified = Verified::Yes);
    window.show(view);
    window.press(Modifiers::COMMAND, Key::K);
    assert!(window.mentions("You have compared keys with carmen.santana") && !window.says("They match"));
    assert!(window.says("Verified") && window.mentions("Only the two of you can hear this call."));
}

#[test]
fn words_that_differ_lead_to_hanging_up_and_undo_what_was_compared_before() {
    let mut view = sample::active(Instant::now());
    let end = |seed| CallEnd { identity: sample::key(seed), certificate: [seed; 32] };
    if let Some(call) = &mut view.call {
        call.words = CallWords::of(&end(1), &end(7));
    }
    let mut window = Window::open(view.clone());
    assert!(!window.mentions("Only the two of you"));
    window.click("Verify");
    window.click("They do not match");
    assert!(window.says("Somebody may be listening") && window.mentions("When you meet carmen.santana"));
    window.click("Look at the words again");
    assert!(window.says("They match"));
    window.click("They do not match");
    let own = |window: &Window| window.harness.query_all_by_role_and_label(Role::Button, "Hang up").count();
    assert_eq!(own(&window), 1, "that of the call below, and none beside the one of the card");
    window.click("Hang up now");
    assert_eq!(window.wished(), [Command::ShowCallWords, Command::HangUp]);
    assert!(!window.says("Somebody may be listening"));
    view.contacts.iter_mut().for_each(|row| row.verified = Verified::Yes);
    window.show(view);
    window.click("Verified");
    window.click("They do not match");
    let undone = Command::SetVerified(sample::key(2), Verified::No);
    assert_eq!(window.wished(), [Command::ShowCallWords, undone]);
}

#[test]
fn that_words_differ_stays_said_for_the_rest_of_the_call() {
    let mut view = sample::active(Instant::now());
    let end = |seed| CallEnd { identity: sample::key(seed), certificate: [seed; 32] };
    if let Some(call) = &mut view.call {
        call.words = CallWords::of(&end(1), &end(7));
    }
    let mark = "The words did not match: somebody may be listening. Hang up.";
    let mut window = Window::open(view.clone());
    window.click("Verify");
    assert!(!window.says(mark));
    window.click("They do not match");
    window.press(Modifiers::NONE, Key::Escape);
    window.pass(Duration::from_secs(60));
    assert!(window.says(mark) && !window.mentions("Encrypted from end to end"));
    // It is taken back by comparing again alone, and another call knows nothing of it.
    window.click("Compare again");
    window.click("They match");
    assert!(!window.says(mark));
    window.click("Verify");
    window.click("They do not match");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.says(mark));
    window.show(sample::contacts());
    window.show(view);
    assert!(!window.says(mark));
}

#[test]
fn there_are_no_words_before_somebody_is_heard_and_none_with_echo() {
    for view in [
        sample::call(sample::person(1), "bob", CallPhase::Ringing),
        sample::call(ContactId::Echo, "Echo", CallPhase::Active { since: Instant::now() }),
    ] {
        let mut window = Window::open(view);
        window.press(Modifiers::COMMAND, Key::K);
        assert!(window.wished().is_empty() && !window.says("Verify"));
    }
}
