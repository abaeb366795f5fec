//! Names that are typed: the own one, and those of whom one looks for.

use super::{Window, sample};
use app::engine::command::Command;
use app::engine::view::{ClaimState, Notice};
use app::reason::Reason;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

#[test]
fn a_refused_name_is_told_of_once_and_typed_over() {
    let mut window = Window::open(sample::first_run());
    window.type_into("Your name", "bob");
    window.press(Modifiers::NONE, Key::Enter);
    window.show(sample::claim(ClaimState::Claiming));
    let mut taken = sample::claim(ClaimState::Taken);
    taken.notices = vec![Notice { id: 7, why: Reason::NameTaken("bob".to_owned()) }];
    window.show(taken);
    let said = "Somebody else already has this name. Try another one.";
    assert!(window.says(said) && !window.mentions("Dismiss"), "below the field, and nowhere else");
    assert!(window.wished().contains(&Command::DismissNotice(7)), "nor on the page that comes next");
    window.harness.event(egui::Event::Text("alice".to_owned()));
    window.harness.run();
    assert!(window.field_holds("Your name", "alice") && !window.says(said));
}

#[test]
fn nothing_moves_while_a_name_is_typed() {
    let mut window = Window::open(sample::first_run());
    let place = |window: &Window| window.harness.get_by_label("Claim this name").rect();
    let before = place(&window);
    for typed in ["a", "na", "..", " "] {
        window.type_into("Your name", typed);
        assert_eq!(place(&window), before, "after {typed:?}");
    }
}

#[test]
fn enter_opens_the_only_contact_who_can_be_meant() {
    for typed in ["car", ".s", "Carmen.S"] {
        let mut window = Window::open(sample::contacts());
        window.type_into("Find or add a person", typed);
        window.press(Modifiers::NONE, Key::Enter);
        assert!(window.says("Call carmen.santana"), "{typed}");
        assert!(!window.wished().iter().any(|wish| matches!(wish, Command::Search(_))), "{typed}");
    }
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "santana");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Search("santana".to_owned())], "somebody may be called that");
}

#[test]
fn what_was_found_goes_when_something_else_is_typed() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "eva");
    window.press(Modifiers::NONE, Key::Enter);
    window.wished();
    window.show(sample::found(&[(5, 5, false)]));
    window.type_into("Find or add a person", "x");
    assert_eq!(window.wished(), [Command::ClearSearch]);
    assert!(!window.says("eva was found"));
}

#[test]
fn who_has_pasted_an_invite_is_told_to_press_enter() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "silbo:Ab7");
    assert!(window.says("Press Enter to add whoever this invite is from."));
}

#[test]
fn the_own_card_leads_to_the_invite_or_to_choosing_a_name() {
    let mut window = Window::open(sample::contacts());
    window.click("You: alice");
    assert_eq!(window.wished(), [Command::MakeInvite]);
    assert!(window.mentions("Send this link to a friend"));
    let mut nameless = sample::contacts();
    (nameless.own.name, nameless.own.claim) = (None, ClaimState::None);
    let mut window = Window::open(nameless);
    for next in ["Later", "Later"] {
        window.click(next);
        window.click("You: No name yet");
        assert!(window.says("Choose your name"));
    }
}
