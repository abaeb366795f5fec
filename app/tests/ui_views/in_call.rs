//! The manners of a call: what it warns of, what stays in reach, and what covers nothing.

use super::{Window, sample};
use app::call::{CallKind, Reply};
use app::desktop::{Desktop, MuteKeyError, Report};
use app::engine::command::{Command, Sharing};
use app::engine::microphone::MicrophoneSign;
use app::engine::view::{Broken, CallPhase, CallView, HistoryOutcome, Notice, View};
use app::reason::{Fault, Reason, Remedy};
use app::ui::{Hiding, Locale};
use egui::accesskit::{Live, Role};
use egui::{Key, Modifiers, Rect, Theme, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use media::device::Direction;
use media::session::{Camera, Mute, Reception};
use relay::UnixTime;
use std::time::{Duration, Instant};

const SMALLEST: Vec2 = vec2(720.0, 480.0);

/// The same call, otherwise.
fn changed(mut view: View, change: impl FnOnce(&mut CallView)) -> View {
    if let Some(call) = &mut view.call {
        change(call);
    }
    view
}

fn sharing(view: View) -> View {
    changed(view, |call| (call.camera, call.sharing) = (None, Sharing::Screen))
}

fn silent(view: View) -> View {
    changed(view, |call| call.microphone = MicrophoneSign::Silent)
}

pub(super) fn muted(view: View) -> View {
    changed(view, |call| call.muted = true)
}

fn they_are_muted(view: View) -> View {
    changed(view, |call| call.their_microphone = Mute::On)
}

fn nothing_comes(view: View) -> View {
    changed(view, |call| call.reception = Reception::Silence)
}

pub(super) fn called() -> View {
    sample::call(sample::person(1), "bob", CallPhase::Incoming)
}

fn over(reply: Option<Reply>) -> CallPhase {
    CallPhase::Ended { why: Reason::Declined(reply), lasted: None, receipt: None }
}

/// A call that was declined, as whoever called sees it.
pub(super) fn declined(reply: &str) -> View {
    let reply = Reply::parse(reply).ok();
    let mut view = sample::call(sample::person(1), "bob", over(reply.clone()));
    if let Some(row) = view.history.iter_mut().find(|row| row.outcome == HistoryOutcome::Declined) {
        (row.reply, row.began) = (reply, UnixTime::from_secs(1));
    }
    view
}

/// As long as one may be.
const LONG_REPLY: &str = "I cannot talk before eight, because the train goes through one tunnel after another and nobody hears \
                          anything here. I will call you as soon as I have arrived, or tomorrow in the morning. Until then!";

fn called_with_video() -> View {
    let view = sample::call(sample::person(1), "bob", CallPhase::Incoming);
    changed(view, |call| call.kind = CallKind::Video)
}

/// Something good to know, and something to be acted on.
fn told(view: View) -> View {
    let notices = vec![Notice { id: 1, why: Reason::AlreadyInCall }, Notice { id: 2, why: Reason::DiskFull }];
    View { notices, ..view }
}

/// Neither microphone nor loudspeaker works, or works any more.
fn broken(view: View, fault: fn(Direction) -> Fault) -> View {
    let why = |direction| Some(Reason::Device { why: "it hung up".to_owned(), fault: fault(direction) });
    let broken = Broken { microphone: why(Direction::Capture), loudspeaker: why(Direction::Playback) };
    changed(view, |call| call.broken = broken)
}

/// What a call can look like beside what the gallery shows.
pub(super) fn screens(open: impl Fn(View) -> Window, now: Instant, mut look: impl FnMut(&mut Window, &str)) {
    look(&mut open(called_with_video()), "incoming with video");
    let mut window = open(called());
    window.press(Modifiers::COMMAND, Key::R);
    look(&mut window, "card of declining with a message");
    let typed = |text: &str| {
        let mut window = open(called());
        window.press(Modifiers::COMMAND, Key::R);
        (0..3).for_each(|_| window.press(Modifiers::NONE, Key::Tab));
        window.harness.event(egui::Event::Text(text.to_owned()));
        window.harness.run();
        window
    };
    look(&mut typed("On my way, and there in five minutes at the latest"), "card of a message being typed");
    look(&mut typed("turned \u{202e}round"), "card of a message with a sign that is not seen");
    look(&mut open(declined(LONG_REPLY)), "declined with a message");
    look(&mut open(sample::call(sample::person(1), "bob", over(None))), "declined");
    let missed = CallPhase::Ended { why: Reason::Missed, lasted: None, receipt: None };
    look(&mut open(sample::call(sample::person(1), "bob", missed)), "missed call");
    let whys = [
        Reason::Camera { why: "none".to_owned(), remedy: Remedy::Connect },
        Reason::CalledMeanwhile("dilip".to_owned()),
    ];
    let notices = (1..).zip(whys).map(|(id, why)| Notice { id, why }).collect();
    look(&mut open(View { notices, ..sample::active(now) }), "call with notices");
    look(&mut open(silent(sample::active(now))), "silent microphone");
    look(&mut open(sharing(sample::active(now))), "sharing");
    let mut window = open(broken(sample::active(now), Fault::Gone));
    look(&mut window, "broken devices");
    window.press(Modifiers::COMMAND, Key::I);
    look(&mut window, "card of broken devices");
    look(&mut open(broken(sample::filmed(now), Fault::Dead)), "broken devices with a picture");
    let mut window = open(silent(sharing(sample::filmed(now))));
    look(&mut window, "sharing with a silent microphone");
    window.press(Modifiers::COMMAND, Key::T);
    look(&mut window, "sharing with statistics");
    window.show(told(silent(sharing(sample::filmed(now)))));
    look(&mut window, "statistics and notices");
    look(&mut open(they_are_muted(sample::active(now))), "the other end is muted");
    let mut window = open(they_are_muted(sharing(sample::filmed(now))));
    look(&mut window, "the other end is seen and muted");
    window.press(Modifiers::NONE, Key::F11);
    look(&mut window, "the other end is muted on a full screen");
    look(&mut open(nothing_comes(sample::active(now))), "reconnecting");
    let mut window = open(nothing_comes(sample::filmed(now)));
    look(&mut window, "reconnecting with a picture");
    window.press(Modifiers::NONE, Key::F11);
    look(&mut window, "reconnecting on a full screen");
    let mut window = open(muted(sample::active(now)));
    look(&mut window, "hold space to talk");
    window.hold_space();
    window.show(sample::active(now));
    look(&mut window, "heard while space is held");
    let mut window = open(muted(sample::active(now)));
    let (desktop, _wants, _orders, reports) = Desktop::fake();
    window.harness.state_mut().set_desktop(desktop, Hiding::Possible);
    assert!(reports.try_send(Report::MuteKey(Err(MuteKeyError::Taken))).is_ok());
    window.harness.run();
    look(&mut window, "mute key taken");
}

impl Window {
    /// Where the buttons are that are called so.
    fn places(&self, label: &str) -> Vec<Rect> {
        self.harness.query_all_by_role_and_label(Role::Button, label).map(|button| button.rect()).collect()
    }

    /// Where the disc of whoever is called is drawn.
    fn avatar(&self) -> Option<Rect> {
        let middle = self.harness.ctx.content_rect().center();
        let discs = self.harness.output().shapes.iter().filter_map(|drawn| match &drawn.shape {
            egui::Shape::Circle(disc)
                if disc.radius >= 8.0 && disc.fill.is_opaque() && disc.center.y < middle.y =>
            {
                Some(Rect::from_center_size(disc.center, Vec2::splat(2.0 * disc.radius)))
            }
            _ => None,
        });
        discs.max_by(|a, b| a.width().total_cmp(&b.width()))
    }

    /// Presses the one of these that was drawn last.
    fn click_last(&mut self, label: &str) {
        match self.harness.query_all_by_role_and_label(Role::Button, label).last() {
            Some(button) => button.click(),
            None => panic!("there is no {label:?}"),
        }
        self.harness.run();
    }

    /// The round buttons of a call, from left to right.
    fn round_buttons(&self) -> Vec<Rect> {
        let buttons = self.harness.query_all_by_role(Role::Button).map(|button| button.rect());
        let mut round: Vec<Rect> = buttons.filter(|rect| rect.height() > 60.0).collect();
        round.sort_by(|a, b| a.left().total_cmp(&b.left()));
        round
    }
}

#[test]
fn a_microphone_that_gives_nothing_is_told_of_and_leads_to_the_devices() {
    let now = Instant::now();
    let warning = "Nothing is heard from your microphone";
    let mut window = Window::open(sample::active(now));
    assert!(!window.says(warning));
    window.show(silent(sample::active(now)));
    assert!(window.says(warning));
    window.click("Check sound devices");
    assert!(window.says("Microphone"), "the devices are there");
    assert_eq!(window.wished(), [Command::ListDevices]);
    window.show(changed(sample::active(now), |call| call.microphone = MicrophoneSign::Alive));
    assert!(!window.says(warning), "it was heard");
    window.show(changed(silent(sample::active(now)), |call| call.muted = true));
    assert!(!window.says(warning), "whoever is muted knows why");
}

#[test]
fn that_the_other_end_is_muted_stands_beside_its_name_while_it_is_and_moves_nothing() {
    let now = Instant::now();
    let told = "carmen.santana is muted";
    for view in [sample::active(now), sample::filmed(now)] {
        let mut window = Window::open(view.clone());
        let controls = window.round_buttons();
        assert!(!window.says(told));
        window.show(they_are_muted(view.clone()));
        assert_eq!(window.round_buttons(), controls);
        let pill = window.harness.get_by_label(told);
        assert_eq!(pill.accesskit_node().live(), Live::Polite, "a screen reader says it");
        let name = window.harness.get_by_label("carmen.santana").rect();
        assert!(pill.rect().left() > name.right() && pill.rect().y_range().intersects(name.y_range()));
        window.show(view);
        assert!(!window.says(told));
    }
}

#[test]
fn that_the_other_end_is_muted_is_seen_on_a_full_screen_and_in_the_small_window() {
    let mut window = Window::open(they_are_muted(sample::filmed(Instant::now())));
    for (modifiers, key) in [(Modifiers::NONE, Key::F11), (Modifiers::COMMAND, Key::P)] {
        window.press(modifiers, key);
        assert!(window.says("carmen.santana is muted"), "{key:?}");
        window.pass(Duration::from_secs(10));
        assert!(window.says("carmen.santana is muted"), "the controls go, and this stays");
        window.press(modifiers, key);
    }
}

#[test]
fn that_nothing_comes_is_said_in_the_place_of_the_way_and_its_quality_until_something_does() {
    for view in [sample::active(Instant::now()), sample::filmed(Instant::now())] {
        let name = view.call.as_ref().unwrap().name.clone();
        let sentence = format!("Nothing comes from {name}. Silbo looks for another way.");
        let mut window = Window::open(view.clone());
        assert!(window.says("Direct") && !window.mentions("Nothing comes"));
        window.show(nothing_comes(view.clone()));
        assert!(
            window.says(&sentence) && !window.says("Direct") && !window.mentions("Sound quality"),
            "{name}"
        );
        let news = window.harness.get_by_role_and_label(Role::Status, &sentence);
        assert_eq!(news.accesskit_node().live(), Live::Polite, "said once, when it comes");
        window.show(view);
        assert!(window.says("Direct") && !window.mentions("Nothing comes"));
    }
}

#[test]
fn that_nothing_comes_is_seen_on_a_full_screen_and_in_the_small_window_beside_the_last_picture() {
    let mut window = Window::open(nothing_comes(sample::filmed(Instant::now())));
    for (modifiers, key) in [(Modifiers::NONE, Key::F11), (Modifiers::COMMAND, Key::P)] {
        window.press(modifiers, key);
        window.pass(Duration::from_secs(10));
        assert!(window.says("Picture of carmen.santana"), "{key:?}");
        assert!(window.mentions("Nothing comes from carmen.santana"), "{key:?}");
        window.press(modifiers, key);
    }
}

#[test]
fn what_does_not_work_is_said_at_the_top_with_what_helps_for_as_long_as_it_does_not() {
    let now = Instant::now();
    let in_any_phase =
        [CallPhase::Calling, CallPhase::Ringing, CallPhase::Connecting, CallPhase::Active { since: now }];
    for phase in in_any_phase {
        let view = sample::call(sample::person(1), "bob", phase);
        let mut window = Window::open(broken(view.clone(), Fault::Gone));
        assert!(window.says("Your microphone does not work any more"));
        assert!(window.says("Your loudspeaker does not work any more"));
        window.show(broken(view.clone(), Fault::Dead));
        assert!(window.says("Your microphone does not work"), "it never did");
        assert!(window.says("Your loudspeaker does not work"), "it never did");
        window.click_last("Check sound devices");
        assert!(window.says("The microphone does not work. Plug it in again, or choose another one."));
        assert!(window.says("The loudspeaker does not work. Plug it in again, or choose another one."));
        window.show(view);
        assert!(!window.mentions("does not work"), "it works again");
    }
}

#[test]
fn a_microphone_that_does_not_work_is_not_said_to_be_silent_as_well() {
    let window = Window::open(broken(silent(sample::active(Instant::now())), Fault::Gone));
    assert!(!window.says("Nothing is heard from your microphone"));
    let muted = Window::open(broken(muted(sample::active(Instant::now())), Fault::Gone));
    assert!(muted.says("Your microphone does not work any more"), "who is muted wants to speak again");
}

#[test]
fn what_is_said_at_the_top_of_a_call_covers_neither_who_is_called_nor_what_is_seen() {
    let now = Instant::now();
    for size in [vec2(1000.0, 640.0), SMALLEST] {
        for view in [sample::active(now), sample::filmed(now), sharing(sample::active(now))] {
            let mut window = Window::open_in(view.clone(), Theme::Dark, size);
            let controls = window.round_buttons();
            window.show(broken(view, Fault::Gone));
            assert_eq!(window.round_buttons(), controls, "{size}: no control moves");
            let buttons = window.places("Check sound devices");
            let lowest = buttons.iter().map(Rect::bottom).fold(0.0, f32::max);
            assert!(lowest > 0.0);
            match window.harness.query_by_label("Picture of carmen.santana") {
                Some(picture) => assert!(picture.rect().top() >= lowest, "{size}: {picture:?}"),
                None => assert!(window.avatar().is_none_or(|disc| disc.top() >= lowest), "{size}"),
            }
        }
        assert!(Window::open_in(sample::active(now), Theme::Dark, size).avatar().is_some(), "{size}");
    }
}

#[test]
fn a_call_with_video_is_accepted_with_or_without_being_seen() {
    let mut window = Window::open(called_with_video());
    assert!(window.says("is calling you with video"));
    window.click("Accept");
    window.click("Accept without video");
    assert_eq!(window.wished(), [Command::AnswerWith(Camera::On), Command::AnswerWith(Camera::Off)]);
    let window = Window::open(sample::call(sample::person(1), "bob", CallPhase::Incoming));
    assert!(!window.says("Accept without video"));
}

#[test]
fn a_call_with_video_is_accepted_by_keyboard_either_way() {
    let mut window = Window::open(sample::contacts());
    window.show(called_with_video());
    window.press(Modifiers::NONE, Key::Enter);
    window.press(Modifiers::SHIFT, Key::Tab);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::AnswerWith(Camera::On), Command::AnswerWith(Camera::Off)]);
}

#[test]
fn somebody_is_called_with_video_from_their_page() {
    let mut window = Window::open(sample::contacts());
    window.click("bob");
    window.click("Call with video");
    assert_eq!(window.wished(), [Command::CallWithVideo(sample::key(1))]);
}

#[test]
fn whoever_shares_sees_it_at_the_top_and_stops_it_there() {
    let mut window = Window::open(sharing(sample::active(Instant::now())));
    assert!(window.says("You are sharing your screen"));
    let stop = window.places("Stop");
    assert!(stop[0].bottom() < 60.0, "{stop:?}");
    window.click("Stop");
    assert_eq!(window.wished(), [Command::Share(Sharing::Off)]);
    let own_window = media::video::window::WindowName::Title("Editor".to_owned());
    window.show(changed(sample::active(Instant::now()), |call| call.sharing = Sharing::Window(own_window)));
    assert!(window.says("You are sharing a window"));
    window.show(sample::active(Instant::now()));
    assert!(!window.says("Stop"));
}

#[test]
fn no_control_moves_when_sharing_begins_or_ends_in_any_language() {
    let now = Instant::now();
    for locale in [Locale::English, Locale::Spanish, Locale::Pseudo] {
        for size in [vec2(1000.0, 640.0), SMALLEST] {
            for view in [sample::active(now), sample::filmed(now)] {
                let view = changed(view, |call| call.camera = Some(Camera::On));
                let mut window = Window::speaking(locale, view.clone(), Theme::Dark, size);
                let before = window.round_buttons();
                window.show(sharing(view.clone()));
                assert_eq!(window.round_buttons(), before, "{locale:?} {size}");
                window.show(view);
                assert_eq!(window.round_buttons(), before, "{locale:?} {size}");
            }
        }
    }
}

#[test]
fn what_ends_a_call_is_at_one_place_from_the_first_ring_on_with_pictures_and_without() {
    let now = Instant::now();
    for size in [vec2(1000.0, 640.0), vec2(1600.0, 1000.0), SMALLEST] {
        let carmen = |phase| sample::call(sample::person(2), "carmen.santana", phase);
        let mut window = Window::open_in(carmen(CallPhase::Incoming), Theme::Dark, size);
        let top = window.round_buttons()[0].top();
        window.show(carmen(CallPhase::Calling));
        let calling = window.round_buttons();
        assert_eq!(calling[0].top(), top, "{size}");
        for view in [carmen(CallPhase::Ringing), carmen(CallPhase::Connecting), sample::active(now)] {
            window.show(view);
            assert_eq!(window.round_buttons(), calling, "{size}");
        }
        let own = changed(sample::filmed(now), |call| call.screen = None);
        window.show(own);
        let picture = window.places("Your camera");
        window.show(sample::filmed(now));
        assert_eq!(window.round_buttons(), calling, "{size}");
        assert_eq!(window.places("Your camera"), picture, "our own picture stays, too");
        window.press(Modifiers::NONE, Key::F11);
        assert_eq!(window.round_buttons(), calling, "{size}");
    }
}

#[test]
fn the_camera_rests_while_the_screen_is_shown() {
    let mut window = Window::open(sharing(sample::active(Instant::now())));
    let camera = window.harness.get_by_role_and_label(Role::Button, "Start video");
    assert!(camera.accesskit_node().is_disabled());
    window.press(Modifiers::COMMAND, Key::O);
    assert_eq!(window.wished(), []);
}

#[test]
fn a_notice_that_only_informs_goes_once_it_was_seen_and_a_warning_stays() {
    let mut window = Window::open(told(sample::active(Instant::now())));
    for _ in 0..9 {
        window.pass(Duration::from_secs(1));
    }
    assert_eq!(window.wished(), []);
    for _ in 0..3 {
        window.pass(Duration::from_secs(1));
    }
    let wished = window.wished();
    assert!(wished.contains(&Command::DismissNotice(1)), "{wished:?}");
    assert!(!wished.contains(&Command::DismissNotice(2)), "{wished:?}");
}

#[test]
fn a_notice_stays_while_the_pointer_is_on_it() {
    let mut window = Window::open(told(sample::active(Instant::now())));
    let place = window.places("Dismiss: A call is already going on.");
    let [place] = place[..] else { panic!("{place:?}") };
    window.harness.hover_at(place.center());
    for _ in 0..30 {
        window.pass(Duration::from_secs(1));
    }
    assert_eq!(window.wished(), []);
}

#[test]
fn notices_cover_neither_the_figures_of_a_call_nor_its_controls() {
    let now = Instant::now();
    for size in [vec2(1000.0, 640.0), SMALLEST] {
        for view in [sample::active(now), sample::filmed(now), silent(sharing(sample::filmed(now)))] {
            let mut window = Window::open_in(told(view), Theme::Dark, size);
            window.press(Modifiers::COMMAND, Key::T);
            let figures = window.harness.get_by_label("How this call is going").rect();
            let is_notice = |label: &str| label.starts_with("Dismiss: ");
            let (notices, controls): (Vec<_>, Vec<_>) = window
                .harness
                .query_all_by_role(Role::Button)
                .partition(|button| button.accesskit_node().label().is_some_and(|label| is_notice(&label)));
            assert!(!notices.is_empty());
            for notice in &notices {
                assert!(notice.rect().right() < figures.left(), "{size}: {notice:?} lies over the figures");
                for control in &controls {
                    assert!(!notice.rect().intersects(control.rect()), "{size}: {notice:?} {control:?}");
                }
            }
        }
    }
}

#[test]
fn the_figures_of_a_call_cover_no_control_in_the_smallest_window() {
    let now = Instant::now();
    for view in [sample::active(now), sample::filmed(now)] {
        let mut window = Window::open_in(view, Theme::Dark, SMALLEST);
        window.press(Modifiers::COMMAND, Key::T);
        let trend = egui::Id::unique("trend");
        let figures = window.harness.ctx.memory(|memory| memory.area_rect(trend));
        let Some(figures) = figures else { panic!("there are no figures") };
        for label in ["Mute", "Share", "Hang up", "Sound devices", "Statistics", "Verify"] {
            for place in window.places(label) {
                assert!(!place.intersects(figures), "{label} at {place} below {figures}");
            }
        }
    }
}

#[test]
fn mute_and_hanging_up_are_at_hand_on_every_card_of_a_call() {
    let now = Instant::now();
    for size in [vec2(1000.0, 640.0), SMALLEST] {
        for key in [Key::D, Key::I, Key::K] {
            let mut window = Window::open_in(broken(sample::active(now), Fault::Gone), Theme::Dark, size);
            window.press(Modifiers::COMMAND, key);
            window.wished();
            for label in ["Mute", "Hang up"] {
                let places = window.places(label);
                assert_eq!(places.len(), 2, "{key:?}: on the card, and below it");
                assert!(places.iter().all(|place| place.bottom() <= size.y), "{key:?}: {places:?}");
            }
            window.click_last("Mute");
            window.press(Modifiers::COMMAND, Key::M);
            window.click_last("Hang up");
            let mut wished = window.wished();
            wished.retain(|wish| *wish != Command::ListDevices);
            let mute = Command::SetMuted(true);
            assert_eq!(wished, [mute.clone(), mute, Command::HangUp], "{key:?}");
        }
    }
}

#[test]
fn the_closing_question_leaves_mute_and_hanging_up_in_reach() {
    let mut window = Window::open(sample::active(Instant::now()));
    let events = &mut window.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default().events;
    events.push(egui::ViewportEvent::Close);
    window.harness.run();
    window.click_last("Mute");
    window.press(Modifiers::COMMAND, Key::E);
    assert_eq!(window.wished(), [Command::SetMuted(true), Command::HangUp]);
}

#[test]
fn the_small_window_says_who_is_muted_where_there_is_room() {
    let mut window = Window::open(they_are_muted(sample::filmed(Instant::now())));
    window.press(Modifiers::COMMAND, Key::P);
    let said = window.harness.query_all_by_label("carmen.santana is muted");
    let widths: Vec<f32> = said.map(|it| it.rect().width()).collect();
    let [beside, small] = widths[..] else { panic!("{widths:?}") };
    assert!(small > beside + 50.0, "the word alone stands beside the name: {widths:?}");
}

#[test]
fn how_it_sounds_is_not_judged_while_neither_end_is_heard() {
    let now = Instant::now();
    let judged = |view| Window::open(view).mentions("Sound quality: ");
    assert!(judged(sample::active(now)));
    assert!(!judged(broken(sample::active(now), Fault::Dead)));
}

#[test]
fn the_small_window_has_mute_and_hanging_up_of_its_own() {
    let now = Instant::now();
    let mut window = Window::open(sample::filmed(now));
    window.press(Modifiers::COMMAND, Key::P);
    window.wished();
    assert_eq!(window.places("Mute").len(), 2, "one in each window");
    window.click_last("Mute");
    window.show(changed(sample::filmed(now), |call| call.muted = true));
    window.click_last("Unmute");
    window.click_last("Hang up");
    assert_eq!(window.wished(), [Command::SetMuted(true), Command::SetMuted(false), Command::HangUp]);
}
