//! Calls, from the first ring to the last sentence.

use super::sharing::numbered;
use super::{Window, sample};
use app::call::Waiting;
use app::engine::command::{Command, Sharing};
use app::engine::view::{CallPhase, ContactId, PathView, View};
use app::reason::{Fault, Reason};
use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportCommand, WindowLevel};
use egui_kittest::kittest::{NodeT, Queryable};
use media::device::Direction;
use media::session::Camera;
use media::video::viewing::Viewing;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn bob(phase: CallPhase) -> View {
    sample::call(sample::person(1), "bob", phase)
}

fn muted(since: Instant) -> View {
    let mut view = sample::active(since);
    if let Some(call) = &mut view.call {
        call.muted = true;
    }
    view
}

#[test]
fn an_incoming_call_is_accepted_or_declined() {
    let mut window = Window::open(bob(CallPhase::Incoming));
    assert!(window.says("bob"));
    assert!(window.says("is calling you"));
    window.click("Accept");
    window.click("Decline");
    assert_eq!(window.wished(), [Command::Answer, Command::Decline]);
}

#[test]
fn enter_accepts_a_call_that_rings() {
    let mut window = Window::open(sample::contacts());
    window.show(bob(CallPhase::Incoming));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::Answer]);
}

#[test]
fn somebody_typing_does_not_answer_by_accident() {
    let mut window = Window::open(sample::contacts());
    window.type_into("Find or add a person", "ev");
    window.show(bob(CallPhase::Incoming));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), []);
}

#[test]
fn an_incoming_call_brings_the_window_up_once() {
    let mut window = Window::open(sample::contacts());
    window.shown.send_replace(Arc::new(bob(CallPhase::Incoming)));
    let asked = window.asked_of_the_desktop();
    assert!(asked.contains(&ViewportCommand::Focus));
    assert!(asked.contains(&ViewportCommand::WindowLevel(WindowLevel::AlwaysOnTop)));
    assert!(!window.asked_of_the_desktop().contains(&ViewportCommand::Focus), "once");
    window.shown.send_replace(Arc::new(bob(CallPhase::Connecting)));
    assert!(window.asked_of_the_desktop().contains(&ViewportCommand::WindowLevel(WindowLevel::Normal)));
}

#[test]
fn each_phase_of_a_call_is_told_in_words() {
    let mut window = Window::open(bob(CallPhase::Calling));
    assert!(window.says("Calling…"));
    window.show(bob(CallPhase::Ringing));
    assert!(window.says("Ringing…"));
    window.show(bob(CallPhase::Connecting));
    assert!(window.says("Connecting the sound…"));
    assert!(window.says("Finding the best way between the two computers."));
}

#[test]
fn a_call_that_makes_no_progress_says_so_and_what_to_think_of_it() {
    let mut view = bob(CallPhase::Connecting);
    if let Some(call) = &mut view.call {
        call.waiting = Some(Waiting::Path);
    }
    let window = Window::open(view);
    assert!(window.says(
        "No way between the two computers is found yet. It goes on trying; some networks hold calls back, and then it takes longer."
    ));
    assert!(!window.says("Finding the best way between the two computers."));
}

#[test]
fn a_call_can_be_cancelled_before_it_is_answered() {
    let mut window = Window::open(bob(CallPhase::Ringing));
    window.click("Cancel call");
    assert_eq!(window.wished(), [Command::HangUp]);
}

#[test]
fn the_timer_counts_from_the_first_sound() {
    let mut window = Window::open(sample::contacts());
    window.show(sample::active(window.now()));
    assert!(window.says("0:00"));
    window.pass(Duration::from_secs(247));
    assert!(window.says("4:07"));
}

#[test]
fn whoever_waits_for_an_answer_sees_how_loud_they_are_and_what_is_wrong_with_their_microphone() {
    for phase in [CallPhase::Calling, CallPhase::Ringing, CallPhase::Connecting] {
        let mut view = bob(phase);
        if let Some(call) = &mut view.call {
            call.mic_level = 0.3;
        }
        let mut window = Window::open(view);
        let level = window.harness.get_by_label("Your microphone").accesskit_node().numeric_value();
        assert!(level.is_some_and(|level| (level - 0.3).abs() < 0.001), "{level:?}");
        window.press(Modifiers::COMMAND, Key::I);
        assert!(window.says("Microphone"), "another one is chosen");
    }
}

#[test]
fn a_running_call_shows_path_and_quality() {
    let now = Instant::now();
    let mut window = Window::open(sample::active(now));
    assert!(window.says("Direct"));
    assert!(window.says("Sound quality: excellent"));
    assert!(window.says("Your microphone"));
    let mut relayed = sample::active(now);
    if let Some(call) = &mut relayed.call {
        call.path = Some(PathView::Relayed);
    }
    window.show(relayed);
    assert!(window.says("Relayed"));
}

#[test]
fn mute_and_hang_up_by_button() {
    let now = Instant::now();
    let mut window = Window::open(sample::active(now));
    window.click("Mute");
    assert_eq!(window.wished(), [Command::SetMuted(true)]);
    window.show(muted(now));
    assert!(window.says("You are muted. Nobody hears you."));
    window.click("Unmute");
    window.click("Hang up");
    assert_eq!(window.wished(), [Command::SetMuted(false), Command::HangUp]);
}

#[test]
fn mute_and_hang_up_by_key_but_never_by_escape() {
    let now = Instant::now();
    let mut window = Window::open(sample::active(now));
    window.press(Modifiers::COMMAND, Key::M);
    window.show(muted(now));
    window.press(Modifiers::COMMAND, Key::M);
    window.press(Modifiers::NONE, Key::Escape);
    window.press(Modifiers::COMMAND, Key::E);
    assert_eq!(window.wished(), [Command::SetMuted(true), Command::SetMuted(false), Command::HangUp]);
}

#[test]
fn tab_reaches_the_controls_and_space_presses_them() {
    let mut window = Window::open(sample::active(Instant::now()));
    let tab = |window: &mut Window, times: usize| {
        (0..times).for_each(|_| window.press(Modifiers::NONE, Key::Tab));
    };
    // The first three are for devices, for statistics, and for words to read aloud.
    tab(&mut window, 4);
    window.press(Modifiers::NONE, Key::Space);
    // Past the camera and what shares.
    tab(&mut window, 3);
    window.press(Modifiers::NONE, Key::Space);
    window.press(Modifiers::SHIFT, Key::Tab);
    window.press(Modifiers::NONE, Key::Space);
    let all = [Command::SetMuted(true), Command::HangUp, Command::ListWindows];
    assert_eq!(window.wished(), all);
}

#[test]
fn an_ended_call_says_why_and_offers_the_next_step() {
    let why = Reason::ConnectionLost;
    let mut window = Window::open(bob(CallPhase::Ended {
        why,
        lasted: Some(Duration::from_secs(247)),
        receipt: Some(sample::receipt()),
    }));
    assert!(window.says("The connection was lost."));
    assert!(window.says("It may be their network or yours. Call again in a moment."));
    assert!(window.says("4 min 7 s"));
    for figure in
        ["Excellent", "Good", "Direct and relayed", "92 ms", "0.4 %", "0.3 s", "720 lines", "29 a second"]
    {
        assert!(window.says(figure), "{figure}");
    }
    window.click("Close");
    assert_eq!(window.wished(), [Command::DismissCall]);
    window.click("Call again");
    assert_eq!(window.wished(), [Command::DismissCall, Command::Call(sample::person(1))]);
}

#[test]
fn a_call_that_its_caller_gave_up_was_missed_and_is_called_back() {
    let mut window = Window::open(bob(CallPhase::Ended { why: Reason::Missed, lasted: None, receipt: None }));
    assert!(window.says("Missed call from bob"));
    window.click("Call back");
    assert_eq!(window.wished(), [Command::DismissCall, Command::Call(sample::person(1))]);
}

#[test]
fn whatever_ended_a_call_is_told_with_what_to_do_next() {
    let mut window = Window::open(sample::contacts());
    let mut told = BTreeSet::new();
    for reason in Reason::every() {
        window.show(bob(CallPhase::Ended { why: reason.clone(), lasted: None, receipt: None }));
        let sentences: Vec<String> = window
            .harness
            .query_all_by_role(Role::Label)
            .filter_map(|text| text.accesskit_node().value())
            .collect();
        assert!(
            sentences.iter().all(|text| !text.contains("--")),
            "{reason:?} names an option: {sentences:?}"
        );
        assert!(told.insert(sentences), "{reason:?} says what another says");
    }
}

#[test]
fn a_call_to_echo_says_what_to_expect() {
    let window =
        Window::open(sample::call(ContactId::Echo, "Echo", CallPhase::Active { since: Instant::now() }));
    assert!(window.says("Say something: you hear it again two seconds later."));
}

#[test]
fn a_call_to_echo_ends_by_saying_whether_anything_was_heard() {
    let now = Instant::now();
    let since = now.checked_sub(Duration::from_secs(5)).unwrap_or(now);
    let ended =
        || CallPhase::Ended { why: Reason::HungUp, lasted: Some(Duration::from_secs(5)), receipt: None };
    for (level, said) in [(0.3, "Echo heard you."), (0.004, "Nothing came from your microphone.")] {
        let mut view = sample::call(ContactId::Echo, "Echo", CallPhase::Active { since });
        if let Some(call) = &mut view.call {
            call.mic_level = level;
        }
        let mut window = Window::open(sample::call(ContactId::Echo, "Echo", CallPhase::Connecting));
        window.show(view);
        window.show(sample::call(ContactId::Echo, "Echo", ended()));
        assert!(window.mentions(said), "{said}");
        // What was heard before says nothing of a later call.
        window.show(sample::call(ContactId::Echo, "Echo", CallPhase::Connecting));
        window.show(sample::call(ContactId::Echo, "Echo", ended()));
        assert!(!window.mentions(said), "{said}");
    }
}

#[test]
fn a_call_that_fails_for_a_device_leads_to_the_devices() {
    let why = Reason::Device {
        why: "there is no microphone".to_owned(),
        fault: Fault::Missing(Direction::Capture),
    };
    let mut window = Window::open(bob(CallPhase::Ended { why, lasted: None, receipt: None }));
    window.click("Sound devices");
    assert_eq!(window.wished(), [Command::DismissCall]);
    window.show(sample::devices("usb-1", "hdmi"));
    assert!(window.says("Microphone: Headset"));
    let why = Reason::Busy;
    assert!(!Window::open(bob(CallPhase::Ended { why, lasted: None, receipt: None })).says("Sound devices"));
}

#[test]
fn whoever_is_muted_sees_it_beside_the_picture_too() {
    let mut view = sample::filmed(Instant::now());
    assert!(Window::open(view.clone()).says("Your microphone"));
    if let Some(call) = &mut view.call {
        call.muted = true;
    }
    assert!(Window::open(view).says("You are muted. Nobody hears you."));
}

#[test]
fn who_is_seen_fills_the_window_and_the_controls_stay() {
    let window = Window::open(sample::filmed(Instant::now()));
    for label in ["Picture of carmen.santana", "carmen.santana", "Mute", "Stop video", "Hang up"] {
        assert!(window.says(label), "{label}");
    }
}

#[test]
fn a_camera_is_switched_by_button_and_key_and_offered_only_where_there_is_one() {
    let mut view = sample::filmed(Instant::now());
    let mut window = Window::open(view.clone());
    window.click("Stop video");
    if let Some(call) = &mut view.call {
        call.camera = Some(Camera::Off);
    }
    window.show(view.clone());
    window.press(Modifiers::COMMAND, Key::O);
    assert_eq!(window.wished(), [Command::SetCamera(Camera::Off), Command::SetCamera(Camera::On)]);
    if let Some(call) = &mut view.call {
        call.camera = None;
    }
    window.show(view);
    let rests = window.harness.get_by_role_and_label(Role::Button, "Start video");
    assert!(rests.accesskit_node().is_disabled(), "it keeps its place");
}

#[test]
fn the_other_end_is_told_how_large_it_is_seen_and_when_it_is_not() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    window.pass(Duration::from_secs(1));
    let told = window.sent();
    let [Command::SetViewing(Viewing::At(size))] = told[..] else { panic!("{told:?}") };
    // As high as there is room above the controls, in the shape of the picture.
    assert_eq!((size.width(), size.height()), (693, 390));
    window.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default().minimized = Some(true);
    window.pass(Duration::from_secs(1));
    assert_eq!(window.sent(), [Command::SetViewing(Viewing::Hidden)]);
    window.show(sample::contacts());
    window.pass(Duration::from_secs(1));
    assert_eq!(window.sent(), [], "there is nobody to tell");
}

#[test]
fn our_own_picture_is_there_while_the_camera_is_on_and_covers_no_control() {
    let mut view = sample::filmed(Instant::now());
    let mut window = Window::open(view.clone());
    let own = window.harness.get_by_role_and_label(Role::Image, "Your camera").rect();
    for control in window.harness.query_all_by_role(Role::Button) {
        assert!(!control.rect().intersects(own), "{control:?}");
    }
    let mut show = |camera, sharing: Sharing| {
        if let Some(call) = &mut view.call {
            (call.camera, call.sharing) = (camera, sharing);
        }
        window.show(view.clone());
        ["Your camera", "Your screen", "Your window"].map(|label| window.says(label))
    };
    assert_eq!(show(Some(Camera::Off), Sharing::Off), [false; 3]);
    assert_eq!(show(None, Sharing::Screen), [false, true, false]);
    assert_eq!(show(None, Sharing::Window(numbered(1))), [false, false, true]);
    assert_eq!(show(Some(Camera::On), Sharing::Off), [true, false, false]);
}

#[test]
fn our_own_picture_is_moved_to_each_corner_by_pointer_and_key_and_covers_no_control_there() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    let own = |window: &Window| window.harness.get_by_role_and_label(Role::Image, "Your camera").rect();
    let theirs = window.harness.get_by_role_and_label(Role::Image, "Picture of carmen.santana").rect();
    let quarter = |window: &Window| {
        let at = own(window).center();
        (at.x > theirs.center().x, at.y > theirs.center().y)
    };
    assert_eq!(quarter(&window), (false, false));
    for corner in [(true, false), (true, true), (false, true), (false, false)] {
        window.press(Modifiers::COMMAND, Key::L);
        assert_eq!(quarter(&window), corner);
        for control in window.harness.query_all_by_role(Role::Button) {
            assert!(!control.rect().intersects(own(&window)), "{control:?}");
        }
    }
    window.harness.drag_at(own(&window).center());
    window.harness.run_ok();
    window.harness.hover_at(theirs.right_bottom() - egui::vec2(40.0, 40.0));
    window.harness.run_ok();
    window.harness.drop_at(theirs.right_bottom() - egui::vec2(40.0, 40.0));
    window.harness.run_ok();
    assert_eq!(quarter(&window), (true, true));
}

#[test]
fn the_whole_screen_shows_the_picture_and_controls_only_while_somebody_moves() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    assert!(window.asked_by(Key::F11).contains(&ViewportCommand::Fullscreen(true)));
    window.harness.run();
    assert!(window.says("Exit full screen") && window.says("Hang up"));
    window.pass(Duration::from_secs(4));
    assert!(window.says("Picture of carmen.santana") && !window.says("Hang up"));
    window.harness.hover_at(egui::pos2(300.0, 200.0));
    window.harness.run();
    assert!(window.says("Hang up"));
    window.pass(Duration::from_secs(4));
    window.press(Modifiers::COMMAND, Key::M);
    assert!(window.says("Hang up"), "a key brings them back, too");
    assert!(window.asked_by(Key::Escape).contains(&ViewportCommand::Fullscreen(false)));
    window.harness.run();
    assert!(window.says("Full screen"));
    let wished = window.wished();
    assert!(wished.contains(&Command::SetMuted(true)) && !wished.contains(&Command::HangUp), "{wished:?}");
}

#[test]
fn a_call_that_ends_leaves_the_full_screen() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    window.click("Full screen");
    let why = Reason::HungUp;
    window.shown.send_replace(Arc::new(bob(CallPhase::Ended { why, lasted: None, receipt: None })));
    assert!(window.asked_of_the_desktop().contains(&ViewportCommand::Fullscreen(false)));
}

#[test]
fn when_the_other_end_shows_nothing_any_more_the_call_is_as_before() {
    for stage in ["Full screen", "Small window"] {
        let mut view = sample::filmed(Instant::now());
        let mut window = Window::open(view.clone());
        window.click(stage);
        assert!(window.says("Picture of carmen.santana"));
        if let Some(call) = &mut view.call {
            call.screen = None;
        }
        window.show(view);
        assert!(!window.says("Picture of carmen.santana"), "{stage}");
        for there in ["carmen.santana", "Hang up", "Statistics"] {
            assert!(window.says(there), "{stage}: {there}");
        }
        for gone in ["Exit full screen", "Close small window", "Full screen"] {
            assert!(!window.says(gone), "{stage}: {gone}");
        }
    }
}

#[test]
fn the_picture_moves_to_a_small_window_and_back() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    window.press(Modifiers::COMMAND, Key::P);
    assert!(window.says("Picture of carmen.santana") && window.says("Mute") && !window.says("Full screen"));
    window.pass(Duration::from_secs(1));
    let told = window.sent();
    let [.., Command::SetViewing(Viewing::At(size))] = told[..] else { panic!("{told:?}") };
    assert!(size.height() < 300, "{size:?} is no small window");
    window.click("Close small window");
    assert!(window.says("Full screen"));
    window.click("Small window");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.says("Full screen"));
    window.click("Small window");
    window.click("Back to the main window");
    assert!(window.says("Full screen"));
}

#[test]
fn statistics_come_and_go_by_key_and_by_button() {
    let mut window = Window::open(sample::active(Instant::now()));
    assert!(!window.says("How this call is going"));
    window.press(Modifiers::COMMAND, Key::T);
    assert!(window.says("How this call is going"));
    for line in ["Delay: 80 ms", "Sound lost or late: 0.0 %", "Pictures a second: 30"] {
        assert!(window.says(line), "{line}");
    }
    window.click("Close statistics");
    assert!(!window.says("How this call is going"));
    window.click("Statistics");
    assert!(window.says("How this call is going"));
    assert_eq!(window.wished(), []);
}

#[test]
fn statistics_of_a_call_that_just_began_say_that_they_come() {
    let mut window = Window::open(bob(CallPhase::Active { since: Instant::now() }));
    window.press(Modifiers::COMMAND, Key::T);
    assert!(window.says("The first figures come within a second."));
}

#[test]
fn statistics_that_stay_open_are_as_high_in_the_next_call_as_those_that_are_opened_there() {
    let now = Instant::now();
    let height = |window: &Window| {
        let area = window.harness.ctx.memory(|memory| memory.area_rect(egui::Id::unique("trend")));
        area.map_or(0.0, |area| area.height())
    };
    let mut fresh = Window::open(sample::active(now));
    fresh.press(Modifiers::COMMAND, Key::T);
    let mut kept = Window::open(bob(CallPhase::Active { since: now }));
    kept.press(Modifiers::COMMAND, Key::T);
    assert!(height(&kept) < height(&fresh), "there is nothing to show yet");
    kept.show(sample::active(now));
    assert_eq!(height(&kept), height(&fresh));
}

#[test]
fn escape_and_return_leave_a_call_that_is_over_and_no_other() {
    let over = || CallPhase::Ended { why: Reason::HungUp, lasted: None, receipt: None };
    for key in [Key::Escape, Key::Enter] {
        let mut window = Window::open(sample::call(sample::person(1), "bob", CallPhase::Connecting));
        window.press(Modifiers::NONE, key);
        assert_eq!(window.wished(), [], "{key:?}");
        window.show(sample::call(sample::person(1), "bob", over()));
        window.press(Modifiers::NONE, key);
        assert_eq!(window.wished(), [Command::DismissCall], "{key:?}");
    }
    // What has the keyboard comes first.
    let mut window = Window::open(sample::call(sample::person(1), "bob", over()));
    window.harness.get_by_role_and_label(Role::Button, "Call again").focus();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::DismissCall, Command::Call(sample::person(1))]);
}
