//! The pages about the network and about helping others.

use super::{Window, sample};
use app::engine::EngineHandle;
use app::engine::command::Command;
use app::engine::diagnosis::Verdict;
use app::engine::gate::{Door, GateWish};
use app::engine::helping::Agreed;
use app::engine::helping::hours::{HelpHours, Span};
use app::engine::view::{Counts, HelpView, Helped, NetworkCheck, Totals};
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use overlay::record::Offers;
use overlay::volunteer::{Candidacy, Metering, Unfit};
use std::time::Duration;

#[test]
fn whether_people_can_call_is_found_out_and_told() {
    let mut window = Window::open(sample::contacts());
    window.click("Can people call me?");
    assert_eq!(window.wished().first(), Some(&Command::CheckNetwork));
    let mut view = sample::contacts();
    view.network_check = NetworkCheck::Looking;
    window.show(view);
    assert!(window.says("Checking your network"));
    window.wished();
    for (verdict, title, why, advice) in [
        (Verdict::Callable, "People can call you", "Your network lets calls through.", ""),
        (
            Verdict::OverTcp,
            "People can call you, but the sound may stutter",
            "Your network holds calls back, so they go a slower way through a helper, and the sound may stutter.",
            "Use another network, or give the report to whoever looks after this one.",
        ),
        (
            Verdict::NoSound,
            "It rings here, but no sound would get through",
            "Your network holds calls back, and no helper has a way around it right now.",
            "Use another network, look again in a minute, or give the report to whoever looks after this one.",
        ),
        (Verdict::Unreachable, "Nobody can call you at the moment", "", ""),
    ] {
        window.show(sample::checked(verdict));
        for said in [title, why, advice].into_iter().filter(|said| !said.is_empty()) {
            assert!(window.says(said), "{said}");
        }
    }
    window.click("Look again");
    assert_eq!(window.wished(), [Command::LookAtRing, Command::CheckNetwork]);
    assert!(window.copies("Copy report").contains(&"all of it".to_owned()));
    let detail = "This computer has no public IPv6 address.";
    assert!(!window.says(detail));
    window.click("Show the details for experts");
    assert!(window.says(detail) && window.mentions("say so under Helping."));
    assert!(!window.mentions("`silbo") && !window.mentions("--"), "no commands");
    window.click("Hide the details");
    assert!(!window.says(detail));
}

#[test]
fn the_ring_is_a_picture_with_a_name_and_the_helpers_talked_to_are_listed_with_their_distance() {
    let mut window = Window::open(sample::ringed(Verdict::Callable, 40));
    window.click("Can people call me?");
    assert!(window.says("40 helpers are known; 3 of them pass calls to you."));
    let name = "The network as this computer sees it: 40 helpers known, 3 pass calls to you";
    let map = window.harness.get_by_role_and_label(Role::Image, name);
    assert_eq!((map.rect().width(), map.rect().height()), (300.0, 300.0));
    for said in ["This computer", "Passes calls to you: 3", "Connected: 1", "Has answered: 7"] {
        assert!(window.says(said), "{said}");
    }
    for said in ["203.0.113.0:7600", "Passes calls to you, for 1 h 7 min", "23 ms", "8.2 ms", "161 ms"] {
        assert!(window.says(said), "{said}");
    }
    assert!(window.says("Not measured"), "over TCP");
    assert!(!window.says("203.0.113.4:7600"), "no link to it");
    assert!(window.says("This computer, the router and the internet: Another door for each"));
}

#[test]
fn the_ring_is_asked_for_again_while_it_is_shown_and_not_after() {
    let mut window = Window::open(sample::ringed(Verdict::Callable, 40));
    window.click("Can people call me?");
    assert_eq!(window.wished(), [Command::LookAtRing]);
    window.pass(Duration::from_millis(2_900));
    assert_eq!(window.wished(), []);
    window.pass(Duration::from_millis(100));
    assert_eq!(window.wished(), [Command::LookAtRing]);
    window.click("Recent calls");
    window.pass(Duration::from_secs(30));
    assert_eq!(window.wished(), [], "nobody looks");
}

#[test]
fn a_crowd_of_helpers_is_drawn_in_part_and_said_in_full() {
    let mut window = Window::open(sample::ringed(Verdict::Callable, 2_000));
    window.click("Can people call me?");
    assert!(window.says("2000 helpers are known; 3 of them pass calls to you. 200 of 2000 are drawn."));
    let mut alone = sample::ringed(Verdict::Unreachable, 0);
    alone.network_check = sample::checked(Verdict::Unreachable).network_check;
    window.show(alone);
    assert!(window.says("No helper is known yet."));
    assert!(!window.says("Time there and back"));
}

/// The page about helping others, where this was agreed to.
fn help(agreed: Agreed, counts: Counts) -> Window {
    let mut view = sample::checked(Verdict::Callable);
    let standing = (agreed != Agreed::default()).then_some(Candidacy::Unfit(Unfit::NoAddress));
    let helped = Helped { leaves: 12, relayed: 34_500_000, connections: 3, kbps: Some(412) };
    let totals = Totals { connections: 14, bytes: 320_500_000 };
    view.help = HelpView { agreed, counts, standing, helped, totals };
    let mut window = Window::open(view);
    window.click("Helping");
    window
}

#[test]
fn nobody_helps_unasked_and_one_says_so_role_by_role() {
    let mut window = help(Agreed::default(), Counts::Now);
    assert!(!window.mentions("Calls passed on, at most"), "nothing is to be limited");
    assert_eq!(window.wished(), [], "and nothing is asked");
    window.click("Keep names");
    let agreed = Agreed { roles: Offers::DIRECTORY, ..Agreed::default() };
    assert_eq!(window.wished(), [Command::AgreeToHelp(agreed)]);
}

#[test]
fn who_helps_sees_whom_and_sets_limits() {
    let agreed = Agreed { roles: Offers::DIRECTORY.and(Offers::RELAY), ..Agreed::default() };
    let mut window = help(agreed, Counts::NextStart);
    assert_eq!(window.wished(), [Command::CountHelped]);
    assert!(window.mentions("helpers do not agree") && window.says("Wait a minute."));
    assert!(window.says("This takes effect the next time Silbo starts."));
    assert!(window.mentions("Right now 12 people are found through this computer. 34.5 MB of calls"));
    window.click("Calls passed on, at most: 5 Mbit/s");
    window.click("What your internet connection can send: 50 Mbit/s");
    window.click("My traffic costs money: do not help with it");
    window.click("Keep names");
    window.click("Calls passed on, at most: No limit");
    assert_eq!(
        window.wished(),
        [
            Command::AgreeToHelp(Agreed { max_kbps: Some(5000), ..agreed }),
            Command::AgreeToHelp(Agreed { upload_kbps: Some(50_000), ..agreed }),
            Command::AgreeToHelp(Agreed { metering: Metering::Metered, ..agreed }),
            Command::AgreeToHelp(Agreed { roles: Offers::RELAY, ..agreed }),
        ],
        "there is no limit already"
    );
    window.pass(Duration::from_secs(10));
    assert_eq!(window.wished(), [Command::CountHelped], "figures are asked for again");
}

#[test]
fn who_passes_calls_on_sees_how_much_now_and_in_the_last_days() {
    let mut window = help(Agreed { roles: Offers::RELAY, ..Agreed::default() }, Counts::Now);
    assert!(window.says("3 connections are passed on right now, at 0.4 Mbit/s."));
    assert!(window.says("In the last 30 days: 320.5 MB of calls, over 14 connections."));
    let mut view = sample::checked(Verdict::Callable);
    view.help.agreed.roles = Offers::RELAY;
    window.show(view.clone());
    assert!(!window.mentions("right now") && window.says("In the last 30 days no call was passed on."));
    view.help.agreed.roles = Offers::DIRECTORY;
    window.show(view);
    assert!(!window.mentions("30 days"), "it passes no calls on");
}

#[test]
fn the_hours_at_which_a_computer_helps_are_chosen_hour_by_hour() {
    let agreed = Agreed { roles: Offers::ALL, ..Agreed::default() };
    let at = |from, to| {
        let hours = HelpHours::Daily(Span::new(from, to).unwrap());
        Agreed { hours, ..agreed }
    };
    let mut window = help(agreed, Counts::Now);
    assert!(!window.mentions("nobody is cut off"), "there are no hours to speak of");
    window.wished();
    window.click("When it helps: Always");
    assert_eq!(window.wished(), [], "it is so already");
    window.click("When it helps: Between two hours");
    assert_eq!(window.wished(), [Command::AgreeToHelp(at(22, 7))]);
    let mut window = help(at(23, 7), Counts::Now);
    assert!(window.field_holds("From", "23:00") && window.field_holds("Until", "07:00"));
    assert!(window.mentions("nobody is cut off"));
    window.wished();
    for choice in
        ["From: Later", "Until: Earlier", "When it helps: Between two hours", "When it helps: Always"]
    {
        window.click(choice);
    }
    let chosen = [at(0, 7), at(23, 6), agreed].map(Command::AgreeToHelp);
    assert_eq!(window.wished(), chosen);
}

#[test]
fn an_hour_is_moved_by_the_keyboard_too() {
    let hours = HelpHours::Daily(Span::NIGHT);
    let agreed = Agreed { roles: Offers::ALL, hours, ..Agreed::default() };
    let mut window = help(agreed, Counts::Now);
    window.wished();
    window.harness.get_by_label("From: Earlier").focus();
    window.harness.run();
    window.press(egui::Modifiers::NONE, egui::Key::Enter);
    let hours = HelpHours::Daily(Span::new(21, 7).unwrap());
    assert_eq!(window.wished(), [Command::AgreeToHelp(Agreed { hours, ..agreed })]);
}

/// Puts this into the field of an hour in the place of what is there.
fn type_hour(window: &mut Window, of: &str, text: &str) {
    window.harness.get_by_role_and_label(Role::TextInput, of).focus();
    window.harness.run();
    window.press(egui::Modifiers::COMMAND, egui::Key::A);
    window.harness.event(egui::Event::Text(text.to_owned()));
    window.harness.run();
    window.press(egui::Modifiers::NONE, egui::Key::Enter);
}

#[test]
fn an_hour_is_typed_and_what_is_none_is_explained() {
    let agreed = Agreed { roles: Offers::ALL, hours: HelpHours::Daily(Span::NIGHT), ..Agreed::default() };
    let at = |from, to| {
        let hours = HelpHours::Daily(Span::new(from, to).unwrap());
        Command::AgreeToHelp(Agreed { hours, ..agreed })
    };
    let mut window = help(agreed, Counts::Now);
    window.wished();
    type_hour(&mut window, "From", "23:30");
    assert!(window.says("Type a full hour of the day, for example 22:00."));
    assert!(window.field_holds("From", "23:30"), "what was typed stays");
    type_hour(&mut window, "Until", "22");
    assert!(window.mentions("It cannot end at the hour at which it begins."));
    assert_eq!(window.wished(), []);
    type_hour(&mut window, "Until", "6 am");
    assert_eq!(window.wished(), [at(22, 6)]);
    assert!(window.mentions("nobody is cut off"));
    window.harness.get_by_role_and_label(Role::TextInput, "From").focus();
    window.harness.run();
    window.press(egui::Modifiers::NONE, egui::Key::ArrowUp);
    assert_eq!(window.wished(), [at(23, 7)]);
}

#[test]
fn what_counts_from_the_next_start_is_had_by_starting_anew_and_the_page_stays() {
    let agreed = Agreed { roles: Offers::ALL, ..Agreed::default() };
    assert!(!help(agreed, Counts::Now).says("Restart now"));
    let mut window = help(agreed, Counts::NextStart);
    window.click("Restart now");
    assert_eq!(window.gate_wishes.try_recv(), Ok(GateWish::Restart));
    assert!(window.mentions("Silbo starts anew.") && !window.says("Restart now"));
    let (engine, _wishes, shown) = EngineHandle::fake();
    shown.send_replace(std::sync::Arc::new(sample::contacts()));
    window.at_the_gate(|view| view.door = Door::Open(engine));
    assert!(window.says("This computer may"), "the page stays");
}

#[test]
fn a_limit_of_the_command_line_is_shown_as_it_is() {
    let agreed = Agreed { roles: Offers::ALL, max_kbps: Some(1500), ..Agreed::default() };
    assert!(help(agreed, Counts::Now).says("Calls passed on, at most: 1.5 Mbit/s"));
}

#[test]
fn a_past_call_tells_what_it_was_like_and_a_missed_one_that_it_was_missed() {
    let mut window = Window::open(sample::contacts());
    window.click("Recent calls");
    window.click("Call with bob: Outgoing call · today 14:05 · 4 min 7 s · Excellent");
    assert!(window.says("The call with bob"));
    assert!(window.says("720 lines"));
    window.press(egui::Modifiers::NONE, egui::Key::Enter);
    assert!(!window.says("The call with bob"));
    window.click("Call with carmen.santana: Missed call · today 09:12");
    assert!(window.says("The call with carmen.santana") && window.says("Missed call"));
    assert_eq!(window.wished(), []);
    window.click("Call back");
    assert_eq!(window.wished(), [Command::Call(sample::person(2))]);
    assert!(!window.says("The call with carmen.santana"));
    window.click("Call with bob: Outgoing call · today 14:05 · 4 min 7 s · Excellent");
    window.click("Call");
    assert_eq!(window.wished(), [Command::Call(sample::person(1))]);
}

#[test]
fn escape_leaves_every_page_for_the_contact_before() {
    for page in ["Recent calls", "Can people call me?", "Helping", "Settings", "Invite a friend"] {
        let mut window = Window::open(sample::contacts());
        window.click("bob");
        window.click(page);
        assert!(!window.says("Call with video"), "{page}");
        window.press(egui::Modifiers::NONE, egui::Key::Escape);
        assert!(window.says("Call with video"), "{page}");
        window.press(egui::Modifiers::NONE, egui::Key::Escape);
        assert!(window.says("Call with video"), "there is nothing before it");
    }
    let mut window = Window::open(sample::requests());
    window.click("Request from eva");
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    assert!(window.says("Call Echo"));
}

#[test]
fn escape_leaves_what_is_typed_before_the_page_and_a_question_too() {
    let mut window = Window::open(sample::contacts());
    window.click("Recent calls");
    window.click("Forget all calls");
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    assert!(window.says("Forget all calls") && !window.says("Forget them all"));
    window.type_into("Find or add a person", "car");
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    assert!(window.field_holds("Find or add a person", "") && window.says("Forget all calls"));
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    assert!(window.says("Call Echo"));
}
