//! First run, contacts, searching and adding, requests, history, notices.

use super::{Window, blocked, sample};
use app::engine::command::Command;
use app::engine::diagnosis::Verdict;
use app::engine::helping::Agreed;
use app::engine::view::{CallPhase, ClaimState, ContactId, InviteView, NoInvite, Notice, Search, View};
use app::engine::words::RecoveryWords;
use app::reason::{Reason, Remedy};
use app::storage::{Nickname, Verified};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use overlay::identity::safety::SafetyNumber;
use overlay::record::Offers;
use overlay::{Identity, InviteError};

#[test]
fn the_first_run_card_claims_a_well_formed_name() {
    let mut window = Window::open(sample::first_run());
    assert!(window.says("Choose your name"));
    window.type_into("Your name", "Alice");
    assert!(window.says("Press Enter to claim it, if it is free."));
    window.click("Claim this name");
    assert_eq!(window.wished(), [Command::ClaimName("alice".to_owned())]);
}

#[test]
fn enter_claims_the_name_too() {
    let mut window = Window::open(sample::first_run());
    window.type_into("Your name", "alice");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::ClaimName("alice".to_owned())]);
}

#[test]
fn a_malformed_name_is_explained_and_not_claimed() {
    let mut window = Window::open(sample::first_run());
    window.type_into("Your name", "al");
    assert!(window.mentions("at least 3 characters"));
    window.click("Claim this name");
    window.type_into("Your name", "ß");
    assert!(window.mentions("“ß” cannot be in a name. Use letters from a to z without accents"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), []);
}

#[test]
fn a_claim_is_followed_to_its_end() {
    let mut window = Window::open(sample::first_run());
    window.show(sample::claim(ClaimState::Claiming));
    assert!(window.says("Claiming your name"));
    window.show(sample::claim(ClaimState::Held { held_by: 4, of: 5 }));
    assert!(window.says("You are alice"));
    assert!(window.says("The name is yours: 4 of 5 computers of the network keep it."));
    window.click("Continue");
    assert!(window.says("Can you hear and be heard?"));
}

#[test]
fn devices_are_tried_with_echo_and_then_the_network() {
    let mut window = Window::open(sample::first_run());
    window.show(sample::claim(ClaimState::Held { held_by: 4, of: 5 }));
    window.press(Modifiers::NONE, Key::Enter);
    window.click("Call Echo to hear yourself");
    assert!(window.wished().contains(&Command::Call(ContactId::Echo)));
    // The call takes the window, and gives it back.
    window.show(sample::call(ContactId::Echo, "Echo", CallPhase::Connecting));
    assert!(!window.says("Can you hear and be heard?"));
    window.show(sample::claim(ClaimState::Held { held_by: 4, of: 5 }));
    window.click("Continue");
    assert_eq!(window.wished().last(), Some(&Command::CheckNetwork));
    assert!(window.says("Checking your network"));
    let mut view = sample::claim(ClaimState::Held { held_by: 4, of: 5 });
    view.network_check = sample::checked(Verdict::NoSound).network_check;
    window.show(view);
    assert!(window.says("It rings here, but no sound would get through"));
    window.click("Yes, when this computer can");
    let agreed = Agreed { roles: Offers::ALL, ..Agreed::default() };
    assert_eq!(window.wished(), [Command::AgreeToHelp(agreed)]);
    window.click("Continue");
    assert!(window.says("Keep your name for good"));
    window.click("Show recovery words");
    assert_eq!(window.wished(), [Command::ShowWords]);
    let mut view = sample::claim(ClaimState::Held { held_by: 4, of: 5 });
    let words = RecoveryWords::of(&Identity::from_secret([7; 32]));
    let last = format!("24 {}", words.words()[23]);
    view.custody.words = Some(words);
    window.show(view);
    assert!(window.says(&last));
    assert_eq!(window.wished(), []);
    // They go with the card.
    window.click("Continue to contacts");
    assert!(window.says("Call Echo"));
    assert!(window.wished().contains(&Command::HideWords));
}

#[test]
fn the_first_run_is_left_by_enter_alone() {
    let mut window = Window::open(sample::first_run());
    window.show(sample::claim(ClaimState::Held { held_by: 4, of: 5 }));
    for next in
        ["Can you hear and be heard?", "Checking your network", "Keep your name for good", "Call Echo"]
    {
        window.press(Modifiers::NONE, Key::Enter);
        assert!(window.says(next), "{next}");
    }
    let asked = window.wished();
    assert!(
        !asked.iter().any(|wish| matches!(wish, Command::AgreeToHelp(_) | Command::Call(_))),
        "{asked:?}"
    );
}

#[test]
fn a_taken_name_and_a_failed_claim_say_so_and_leave_the_field() {
    let mut window = Window::open(sample::first_run());
    window.show(sample::claim(ClaimState::Taken));
    assert!(window.says("Somebody else already has this name. Try another one."));
    window.show(sample::claim(ClaimState::Failed(Reason::NoNetwork)));
    assert!(window.mentions("No computer of the network can be reached. Check your network connection"));
    assert!(window.says("Your name"));
}

#[test]
fn choosing_a_name_can_wait() {
    let mut window = Window::open(sample::first_run());
    window.click("Later");
    window.click("Continue");
    window.click("Continue");
    window.click("Continue to contacts");
    assert!(window.says("No name yet"));
    assert!(window.says("Call Echo"));
    window.click("Choose a name");
    assert!(window.says("Choose your name"));
    // Who comes back for a name has seen the rest.
    window.click("Later");
    assert!(window.says("Call Echo"));
}

#[test]
fn echo_is_offered_as_the_first_call_until_there_was_one() {
    let mut window = Window::open(sample::contacts());
    let first = "A good first call: Echo always answers, and nobody else needs to be there.";
    assert!(!window.says(first));
    window.show(View { history: Vec::new(), ..sample::contacts() });
    assert!(window.says(first));
}

#[test]
fn echo_is_found_by_its_name() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "ech");
    assert!(window.says("Echo") && !window.says("bob"));
}

#[test]
fn echo_is_first_and_one_click_away() {
    let mut window = Window::open(sample::contacts());
    let top =
        |label: &str| window.harness.get_by_role_and_label(egui::accesskit::Role::Button, label).rect().top();
    assert!(top("Echo") < top("bob"));
    window.click("Call Echo");
    assert_eq!(window.wished(), [Command::Call(ContactId::Echo)]);
}

#[test]
fn enter_calls_the_selected_row() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    assert!(window.says("Call bob"));
    assert_eq!(window.wished(), [], "selecting does not call");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Call(sample::person(1))]);
}

#[test]
fn a_contact_is_removed_only_after_a_question() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    window.click("Remove contact");
    assert_eq!(window.wished(), []);
    window.click("Keep");
    window.click("Remove contact");
    window.click("Remove bob");
    assert_eq!(window.wished(), [Command::RemoveContact(sample::person(1))]);
}

/// The contacts, of whom bob has a nickname.
fn nicknamed() -> View {
    let mut view = sample::contacts();
    for row in view.contacts.iter_mut().filter(|row| row.id == sample::person(1)) {
        row.nickname = Nickname::parse("Big Brother").ok();
    }
    view
}

#[test]
fn a_contact_is_given_a_nickname_by_the_keyboard_alone() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    window.click("Give a nickname");
    // The field has the keyboard.
    window.harness.event(egui::Event::Text(" Big Brother ".to_owned()));
    window.harness.run();
    window.press(Modifiers::NONE, Key::Enter);
    let nickname = Nickname::parse("Big Brother").ok();
    assert_eq!(window.wished(), [Command::SetNickname(sample::key(1), nickname)]);
    assert!(!window.says("Save nickname"));
    window.click("Give a nickname");
    window.harness.event(egui::Event::Text("turned\u{202e}round".to_owned()));
    window.harness.run();
    assert!(window.mentions("something in this is none of these"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), []);
    window.press(Modifiers::COMMAND, Key::A);
    window.harness.event(egui::Event::Text("x".repeat(41)));
    window.harness.run();
    assert!(window.says("A nickname has at most 40 characters."), "nothing is cut off in silence");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Save nickname"));
}

#[test]
fn the_form_of_a_nickname_is_in_sight_with_its_buttons_when_it_opens() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    window.click("Give a nickname");
    let save = window.harness.get_by_label("Save nickname").rect();
    assert!(save.bottom() <= 640.0, "{save} is in a window of 640");
}

#[test]
fn a_nickname_stands_for_the_username_everywhere_and_both_are_found() {
    let mut window = Window::open(nicknamed());
    assert!(!window.says("bob"));
    window.click("Big Brother");
    assert!(window.says("Call Big Brother") && window.says("bob"), "the username stands below");
    window.click("Change the nickname");
    assert!(window.field_holds("Nickname", "Big Brother"));
    window.click("Cancel");
    for typed in ["broth", "BOB"] {
        window.type_into("Find or add a person", typed);
        assert!(window.says("Big Brother") && !window.says("carmen.santana"), "{typed}");
        window.click("Clear search");
    }
    window.wished();
    window.type_into("Find or add a person", "big brother");
    assert!(!window.mentions("A name has no spaces"), "it need not be a username");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.says("Call Big Brother"));
    assert_eq!(window.wished(), []);
}

#[test]
fn the_words_of_a_call_are_the_way_to_be_sure_and_the_others_are_folded_away() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    let number = SafetyNumber::of(&sample::key(7), &sample::key(1)).groups();
    let line = number[4..8].join("   ");
    assert!(window.mentions("Call bob, press “Verify” there"));
    assert!(!window.says(&line) && !window.says("Fingerprint"));
    window.click("Other ways to be sure");
    assert!(window.says(&line), "twelve groups in three lines");
    assert!(window.mentions("Compare it when you meet"));
    assert!(window.says("Fingerprint") && window.says(&sample::key(1).fingerprint()));
    window.click("They are the same");
    assert_eq!(window.wished(), [Command::SetVerified(sample::key(1), Verified::Yes)]);
    window.click("Hide the other ways");
    assert!(!window.says(&line));
    window.click("Other ways to be sure");
    window.click("carmen.santana");
    assert!(window.says("Other ways to be sure"), "they are folded again on another page");
}

#[test]
fn that_a_key_was_compared_is_taken_back_only_after_a_question() {
    let mut window = Window::open(sample::contacts());
    window.click("dilip, verified");
    assert!(window.says("Verified") && window.mentions("You have compared keys with dilip"));
    window.click("No longer sure");
    assert_eq!(window.wished(), []);
    assert!(window.mentions("Take back that you compared keys with dilip?"));
    window.click("I am still sure");
    assert!(!window.says("Take it back"));
    window.click("No longer sure");
    window.click("Take it back");
    assert_eq!(window.wished(), [Command::SetVerified(sample::key(3), Verified::No)]);
}

#[test]
fn typing_filters_the_contacts() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "car");
    assert!(window.says("carmen.santana"));
    assert!(!window.says("bob"));
    assert!(window.says("Look up “car”"));
    window.click("Clear search");
    assert!(window.says("bob"));
}

#[test]
fn what_cannot_be_a_name_is_said_while_it_is_typed_to_find_somebody() {
    for (typed, said) in [
        ("jo", "To look for somebody new, type at least 3 characters."),
        (
            "josé",
            "“é” cannot be in a name. Use letters from a to z without accents, digits, dots, hyphens and underscores.",
        ),
        ("ana perez", "A name has no spaces. Put a dot, a hyphen or an underscore in their place."),
        ("7up", "A name begins with a letter from a to z."),
        ("ana.", "A name ends with a letter or a digit."),
    ] {
        let mut window = Window::open(sample::contacts());
        window.type_into("Find or add a person", typed);
        assert!(window.says(said), "{typed}");
        assert!(!window.mentions("Look up"), "{typed}");
    }
}

#[test]
fn a_name_is_searched_added_and_pinned() {
    let mut window = Window::open(sample::contacts());
    window.press(Modifiers::COMMAND, Key::F);
    window.type_into("Find or add a person", "Eva");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Search("eva".to_owned())]);
    window.show(sample::search(Search::Searching { name: "eva".to_owned() }));
    assert!(window.says("Looking for eva"));
    window.show(sample::found(&[(5, 5, false)]));
    assert!(window.says("eva was found"));
    assert!(window.says("Known to 5 computers of the network"));
    assert!(window.says(&sample::key(5).fingerprint()));
    window.click("Add to contacts");
    let add = Command::AddContact { name: "eva".to_owned(), key: sample::key(5) };
    assert_eq!(window.wished(), [add, Command::ClearSearch]);
}

/// Types a name and presses Enter, so that the search page is up.
fn searching() -> Window {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "eva");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Search("eva".to_owned())]);
    window
}

#[test]
fn a_pasted_invite_adds_whoever_made_it_and_shows_them() {
    let mut window = Window::open(sample::contacts());
    let link = format!("silbo:{}", "Ab7".repeat(200));
    window.type_into("Find or add a person", &link);
    assert!(window.says("bob"), "a link filters nobody");
    assert!(!window.mentions("Look up"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::AddInvite(link)]);
    window.show(sample::search(Search::Invited { key: sample::key(1) }));
    assert!(window.says("Call bob"));
    assert_eq!(window.wished(), [Command::ClearSearch]);
}

#[test]
fn an_invite_is_found_in_the_words_it_was_sent_with() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "Call me with Silbo: open this: silbo:Ab7 and call");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::AddInvite("silbo:Ab7".to_owned())]);
}

#[test]
fn whoever_looks_for_their_own_name_finds_themselves_and_nobody_to_add() {
    let mut window = searching();
    window.show(sample::found(&[(7, 5, false)]));
    assert!(window.mentions("That is you") && !window.says("Add to contacts"));
}

#[test]
fn a_link_from_outside_brings_the_window_up_and_asks_before_anybody_is_added() {
    let mut window = Window::open(sample::contacts());
    let (key, link) = (sample::key(9), "silbo:x".to_owned());
    let mut view = sample::search(Search::Offered { key, name: "nora".to_owned(), link: link.clone() });
    view.raised = 1;
    window.shown.send_replace(std::sync::Arc::new(view.clone()));
    assert!(window.asked_of_the_desktop().contains(&egui::ViewportCommand::Focus));
    assert!(!window.asked_of_the_desktop().contains(&egui::ViewportCommand::Focus), "once");
    window.show(view);
    assert!(window.says("nora invites you") && window.says(&key.fingerprint()));
    assert_eq!(window.wished(), []);
    window.click("Add to contacts");
    window.click("Not now");
    assert_eq!(window.wished(), [Command::AddInvite(link), Command::ClearSearch]);
}

#[test]
fn an_invite_that_does_not_serve_says_why() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "silbo:abc");
    window.press(Modifiers::NONE, Key::Enter);
    window.show(sample::search(Search::NoInvite(NoInvite::Unreadable(InviteError::Malformed))));
    assert!(
        window.says("This invite does not work") && window.mentions("Copy the link once more, all of it.")
    );
    // What was pasted is gone, and the next one is pasted without a click.
    assert!(window.field_holds("Find or add a person", ""));
    window.harness.event(egui::Event::Text("silbo:def".to_owned()));
    window.harness.run();
    assert!(window.field_holds("Find or add a person", "silbo:def"));
    window.press(Modifiers::NONE, Key::Enter);
    window.show(sample::search(Search::NoInvite(NoInvite::Refused(Reason::Yourself))));
    assert!(
        window.says("This is your own invite") && window.says("That is you. Call Echo to hear yourself.")
    );
}

#[test]
fn a_friend_is_invited_by_a_link_that_is_copied_or_scanned() {
    let mut window = Window::open(sample::contacts());
    window.click("Invite a friend");
    assert_eq!(window.wished(), [Command::MakeInvite]);
    assert!(window.says("Making the link…"));
    let mut view = sample::contacts();
    let link = format!("silbo:{}", "ab7".repeat(100));
    view.invite = Some(InviteView { link: link.clone(), supernodes: 0 });
    window.show(view);
    assert!(window.says("silbo:ab7ab7ab7ab7ab7ab7…b7ab7ab7") && window.says("Your invite as a QR code"));
    assert!(window.mentions("It cannot lead to you yet."));
    window.click("Make a new link");
    assert_eq!(window.wished(), [Command::MakeInvite]);
    assert!(!window.mentions("Copied"));
    assert!(window.copies("Copy link").contains(&link));
    assert!(window.says("Copied. Paste it into a message to your friend."));
    let message = window.copies("Copy with an explanation");
    assert!(message.iter().any(|text| text.contains("Silbo: a program for calls") && text.ends_with(&link)));
    window.click("Settings");
    window.click("Invite a friend");
    assert!(!window.mentions("Copied"));
}

#[test]
fn several_claims_are_all_shown_and_none_is_chosen() {
    let mut window = searching();
    window.show(sample::found(&[(5, 4, false), (6, 2, false)]));
    assert!(window.says("2 people claim eva"));
    for seed in [5, 6] {
        assert!(window.says(&sample::key(seed).fingerprint()));
    }
    window.click(&format!("Add {} to contacts", sample::key(6).fingerprint()));
    let add = Command::AddContact { name: "eva".to_owned(), key: sample::key(6) };
    assert_eq!(window.wished(), [add, Command::ClearSearch]);
}

#[test]
fn a_search_without_answer_says_what_to_do() {
    let mut window = searching();
    window.show(sample::found(&[]));
    assert!(window.says("Nobody is called eva"));
    window.click("Search again");
    assert_eq!(window.wished(), [Command::Search("eva".to_owned())]);
    window.show(sample::search(Search::Failed { name: "eva".to_owned(), why: Reason::NoNetwork }));
    assert!(window.mentions("No computer of the network can be reached."));
    let why = Reason::BadName("e".to_owned());
    window.show(sample::search(Search::Failed { name: "e".to_owned(), why }));
    assert!(window.says("“e” cannot be a name") && window.says("A name has at least 3 characters."));
    assert!(!window.says("Search again"), "it would be none again");
}

#[test]
fn somebody_already_known_is_opened_instead_of_added() {
    let mut window = searching();
    window.show(sample::found(&[(1, 3, true)]));
    window.click("Open contact");
    assert_eq!(window.wished(), [Command::ClearSearch]);
    assert!(window.says("Call bob"));
}

#[test]
fn whoever_is_blocked_is_not_called_and_may_be_unblocked_on_their_page_and_in_the_settings() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    window.click("Block bob");
    assert_eq!(window.wished(), [Command::Block(sample::key(1))]);
    let mut view = sample::contacts();
    view.blocked = vec![blocked(1, "bob"), blocked(9, "")];
    window.show(view);
    assert!(window.says("bob, blocked") && !window.says("bob, verified"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [], "who is blocked is not called by Enter either");
    assert!(window.mentions("You have blocked bob.") && !window.says("Is it really them?"));
    assert!(!window.says("Call bob") && !window.says("Block bob"));
    window.click("Unblock bob");
    assert_eq!(window.wished(), [Command::Unblock(sample::key(1))]);
    window.click("Settings");
    let nameless = format!("Unblock {}", sample::key(9).fingerprint());
    window.click(&nameless);
    assert!(window.wished().contains(&Command::Unblock(sample::key(9))));
}

#[test]
fn past_calls_are_listed_and_called_again() {
    let mut window = Window::open(sample::contacts());
    window.click("Recent calls");
    assert!(window.mentions("bob: Outgoing call · today 14:05 · 4 min 7 s · Excellent"));
    assert!(window.mentions("carmen.santana: Missed call · today 09:12"));
    window.click("Call dilip");
    assert_eq!(window.wished(), [Command::Call(sample::person(3))]);
}

#[test]
fn missed_calls_are_counted_beside_the_way_to_them_until_they_are_looked_at() {
    let mut window = Window::open(View { missed: 2, ..sample::contacts() });
    assert_eq!(window.wished(), []);
    window.click("Recent calls, 2 missed");
    assert!(window.wished().contains(&Command::SeeMissed));
    window.show(sample::contacts());
    window.wished();
    window.click("Recent calls");
    assert_eq!(window.wished(), []);
}

#[test]
fn a_past_call_is_forgotten_from_its_card() {
    let mut window = Window::open(sample::contacts());
    window.click("Recent calls");
    window.click("Call with bob: Outgoing call · today 14:05 · 4 min 7 s · Excellent");
    window.click("Forget this call");
    let began = sample::contacts().history[0].began;
    assert_eq!(window.wished(), [Command::ForgetCall { with: sample::person(1), began }]);
    assert!(!window.says("Forget this call"), "the card goes");
}

#[test]
fn all_past_calls_are_forgotten_only_after_a_question() {
    let mut window = Window::open(sample::contacts());
    window.click("Recent calls");
    window.click("Forget all calls");
    assert!(window.mentions("deleted from this computer for good"));
    assert_eq!(window.wished(), []);
    window.click("Keep them");
    assert!(!window.says("Forget them all"));
    window.click("Forget all calls");
    // A question does not outlive its page.
    window.click("Settings");
    window.wished();
    window.click("Recent calls");
    assert!(!window.says("Forget them all"));
    window.click("Forget all calls");
    window.click("Forget them all");
    assert_eq!(window.wished(), [Command::ForgetCalls]);
    let mut view = sample::contacts();
    view.history.clear();
    window.show(view);
    assert!(window.mentions("No calls yet"));
}

#[test]
fn notices_stay_until_dismissed() {
    let mut window = Window::open(sample::notices());
    assert!(window.says("The microphone does not work any more."));
    window.click("Dismiss: The microphone does not work any more.");
    assert_eq!(window.wished(), [Command::DismissNotice(1)]);
}

#[test]
fn whose_camera_is_missing_in_a_call_is_told_that_they_are_heard() {
    let why = Reason::Camera { why: "none".to_owned(), remedy: Remedy::Connect };
    let notices = vec![Notice { id: 1, why }];
    let calling = sample::call(sample::person(1), "bob", CallPhase::Calling);
    let window = Window::open(View { notices: notices.clone(), ..calling });
    assert!(window.says("No camera was found."));
    assert!(window.says("They hear you and do not see you. Plug one in, then start video."));
    let window = Window::open(View { notices, ..sample::contacts() });
    assert!(window.says("Plug one in, then start video."), "nobody hears anything here");
}

#[test]
fn being_offline_is_explained() {
    let window = Window::open(sample::offline());
    assert!(window.says("Offline"));
    assert!(window.mentions("No computer of the network answers."));
}

#[test]
fn a_full_engine_is_not_silent() {
    let mut window = Window::open(sample::contacts());
    for _ in 0..=app::engine::COMMAND_QUEUE {
        window.click("Call Echo");
    }
    assert!(window.says("Silbo is busy and did not take that."));
    window.click("Dismiss: Silbo is busy and did not take that.");
    assert!(!window.says("Silbo is busy and did not take that."));
}
