//! What the person can choose, on the page of settings and on the card over a call; and closing the window in a call.

use super::{Window, sample};
use app::engine::command::Command;
use app::engine::custody::WordsCheck;
use app::engine::view::{Appearance, CallPhase, ContactId, Language};
use app::engine::words::{RecoveryWords, TypedWords, WordsError};
use app::reason::Reason;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::{NodeT, Queryable};
use media::device::{AudioSink, AudioSource};
use media::mix::Volume;
use media::tones::Loudness;
use overlay::Identity;
use std::time::Duration;

/// The page of settings, with these devices chosen.
fn settings(microphone: &str, loudspeaker: &str) -> Window {
    let mut window = Window::open(sample::devices(microphone, loudspeaker));
    window.press(Modifiers::COMMAND, Key::Comma);
    assert!(window.says("Settings") && window.says("Sound"));
    assert_eq!(window.wished(), [Command::ListDevices], "it asks which there are");
    window
}

fn is_chosen(window: &Window, choice: &str) -> bool {
    window.harness.get_by_label(choice).accesskit_node().toggled() == Some(Toggled::True)
}

#[test]
fn microphone_and_loudspeaker_are_chosen_among_those_there_are() {
    let mut window = settings("usb-1", "hdmi");
    assert!(is_chosen(&window, "Microphone: Headset"));
    assert!(is_chosen(&window, "Loudspeaker: HDMI"));
    assert!(!window.mentions("Monitor of HDMI"), "that is what a loudspeaker plays");
    window.click("Microphone: Headset (2)");
    window.click("Loudspeaker: System default (Built-in speakers)");
    assert_eq!(
        window.wished(),
        [
            Command::SetMicrophone(AudioSource::Preferred("usb-2".to_owned())),
            Command::SetLoudspeaker(AudioSink::Default)
        ]
    );
    window.click("Microphone: Headset");
    assert_eq!(window.wished(), [], "it is chosen already");
    window.click("Call Echo to hear yourself");
    assert_eq!(window.wished(), [Command::Call(ContactId::Echo)]);
}

#[test]
fn what_was_chosen_and_is_not_plugged_in_stays_chosen_and_is_said() {
    let window = settings("usb-7", "hdmi");
    assert!(is_chosen(&window, "Microphone: Your choice (not plugged in)"));
}

#[test]
fn without_devices_the_settings_say_what_to_do() {
    let mut view = sample::devices("usb-1", "hdmi");
    view.settings = Default::default();
    let mut window = Window::open(view.clone());
    window.click("Settings");
    assert!(window.says("Looking for microphones and loudspeakers…"));
    view.settings.devices = Some(Vec::new());
    window.show(view);
    assert!(window.mentions("There is none. Plug one in"));
}

#[test]
fn where_there_is_no_device_none_is_offered_beside_the_one_in_use() {
    let mut view = sample::devices("usb-1", "hdmi");
    view.settings.microphone = AudioSource::File("speech.wav".into());
    view.settings.devices = Some(Vec::new());
    let mut window = Window::open(view);
    window.click("Settings");
    assert!(!window.mentions("Microphone: System default"));
}

#[test]
fn what_is_plugged_in_meanwhile_is_looked_for() {
    let mut window = settings("usb-1", "hdmi");
    window.pass(Duration::from_secs(1));
    assert_eq!(window.wished(), []);
    window.pass(Duration::from_secs(1));
    assert_eq!(window.wished(), [Command::ListDevices]);
}

#[test]
fn the_window_is_dark_or_light_as_one_likes() {
    let mut window = settings("usb-1", "hdmi");
    assert!(is_chosen(&window, "Appearance: System default"));
    window.click("Appearance: Light");
    assert_eq!(window.wished(), [Command::SetAppearance(Appearance::Light)]);
    let mut view = sample::devices("usb-1", "hdmi");
    view.settings.appearance = Appearance::Light;
    window.show(view);
    assert_eq!(window.harness.ctx.theme(), egui::Theme::Light);
}

#[test]
fn the_window_speaks_another_language_at_once_and_that_of_the_system_again() {
    let mut window = settings("usb-1", "hdmi");
    assert!(is_chosen(&window, "Language: System default"));
    window.click("Language: Español");
    assert_eq!(window.wished(), [Command::SetLanguage(Language::Spanish)]);
    let mut view = sample::devices("usb-1", "hdmi");
    view.settings.language = Language::Spanish;
    window.show(view);
    assert!(is_chosen(&window, "Idioma: Español") && window.says("Micrófono"));
    window.click("Idioma: El del sistema");
    assert_eq!(window.wished(), [Command::SetLanguage(Language::System)]);
    window.show(sample::devices("usb-1", "hdmi"));
    assert!(window.says("Microphone"));
}

#[test]
fn another_language_leaves_what_was_pressed_below_the_pointer() {
    let mut view = sample::devices("usb-1", "hdmi");
    let mut window = Window::open(view.clone());
    window.press(Modifiers::COMMAND, Key::Comma);
    window.harness.get_by_label("Language: Español").scroll_to_me();
    window.harness.run();
    let before = window.harness.get_by_label("Language: Español").rect();
    view.settings.language = Language::Spanish;
    window.show(view);
    assert_eq!(window.harness.get_by_label("Idioma: Español").rect(), before);
}

#[test]
fn how_loud_it_rings_is_chosen_and_heard() {
    let mut window = settings("usb-1", "hdmi");
    window.click("Play");
    window.click("Ringtone: Normal");
    window.click("Ringtone: Silent");
    assert_eq!(window.wished(), [Command::TryRingtone, Command::SetRingtone(Loudness::Silent)]);
    let mut view = sample::devices("usb-1", "hdmi");
    view.settings.ringtone = Loudness::Silent;
    window.show(view);
    assert!(!window.says("Play"), "there is nothing to hear");
}

#[test]
fn the_settings_say_what_silbo_is_and_copy_nothing_about_anybody() {
    let mut window = settings("usb-1", "hdmi");
    assert!(window.says("About Silbo") && window.says(&format!("Silbo {}", env!("CARGO_PKG_VERSION"))));
    assert!(window.mentions("MIT OR Apache-2.0"));
    let copied = window.copies("Copy details for a report").join("\n");
    assert!(copied.contains(env!("CARGO_PKG_VERSION")) && copied.contains("Network: online, 3 homes"));
    assert!(copied.contains("Microphone: preferred"));
    for private in ["alice", "bob", "usb-1", &sample::key(7).to_string(), &sample::key(7).fingerprint()] {
        assert!(!copied.contains(private), "{copied}");
    }
    assert!(window.says("Copied."));
}

#[test]
fn whoever_is_called_is_heard_louder_or_quieter_by_keyboard() {
    let mut view = sample::devices("usb-1", "hdmi");
    let mut window = Window::open(view.clone());
    view.call = sample::active(window.now()).call;
    let (with, name) = view.call.as_ref().map(|call| (call.with, call.name.clone())).unwrap();
    window.show(view);
    window.click("Sound devices");
    let title = format!("How loud you hear {name}");
    assert!(window.says("100 %"));
    window.harness.get_by_role_and_label(Role::Slider, &title).focus();
    window.harness.run();
    let _ = window.wished();
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(window.wished(), [Command::SetVolume(with, Volume::from_percent(105))]);
}

#[test]
fn devices_are_changed_in_mid_call() {
    let mut view = sample::devices("usb-1", "hdmi");
    let mut window = Window::open(view.clone());
    view.call = sample::active(window.now()).call;
    window.show(view);
    window.click("Sound devices");
    window.click("Loudspeaker: System default (Built-in speakers)");
    let chosen = Command::SetLoudspeaker(AudioSink::Default);
    assert_eq!(window.wished(), [Command::ListDevices, chosen]);
    assert!(window.says("Done"), "one may try another");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Done"));
    window.press(Modifiers::COMMAND, Key::I);
    assert!(window.says("Done"));
    window.press(Modifiers::NONE, Key::Enter);
    assert!(!window.says("Done"), "it had the keyboard");
}

/// What a press on the window's cross asks of the desktop.
fn close(window: &mut Window) -> Vec<ViewportCommand> {
    let root = window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    root.events.push(ViewportEvent::Close);
    let asked = window.asked_of_the_desktop();
    window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.clear();
    window.harness.run();
    asked
}

#[test]
fn a_window_that_is_closed_in_a_call_asks_first() {
    let mut window = Window::open(sample::contacts());
    assert!(!close(&mut window).contains(&ViewportCommand::CancelClose), "nothing holds it");
    window.show(sample::active(window.now()));
    assert!(close(&mut window).contains(&ViewportCommand::CancelClose));
    assert!(window.says("You are in a call with carmen.santana"));
    assert_eq!(
        window.harness.query_all_by_role_and_label(Role::Button, "Hang up").count(),
        1,
        "that of the call below"
    );
    window.press(Modifiers::NONE, Key::Enter);
    assert!(!window.says("Hang up and close"), "Enter stays");
    close(&mut window);
    window.harness.get_by_label("Hang up and close").click();
    let asked = (0..3).flat_map(|_| window.asked_of_the_desktop()).collect::<Vec<_>>();
    assert!(asked.contains(&ViewportCommand::Close));
    assert!(!close(&mut window).contains(&ViewportCommand::CancelClose), "it was agreed");
}

#[test]
fn the_question_goes_away_with_the_call() {
    let mut window = Window::open(sample::contacts());
    window.show(sample::active(window.now()));
    close(&mut window);
    assert!(window.says("Stay in the call"));
    let over = CallPhase::Ended { why: Reason::HungUp, lasted: None, receipt: None };
    window.show(sample::call(sample::person(1), "bob", over));
    assert!(!window.says("Stay in the call"));
    assert!(!close(&mut window).contains(&ViewportCommand::CancelClose));
}

#[test]
fn the_settings_are_at_their_top_whenever_somebody_comes_to_them() {
    let mut window = Window::open(sample::contacts());
    window.click("Settings");
    let at_first = window.harness.get_by_label("Appearance").rect();
    window.click("Copy details for a report");
    assert!(window.harness.get_by_label("Appearance").rect().top() < at_first.top());
    window.click("Recent calls");
    window.click("Settings");
    assert_eq!(window.harness.get_by_label("Appearance").rect(), at_first);
}

#[test]
fn recovery_words_are_shown_when_asked_for_checked_and_gone_when_the_page_is_left() {
    let mut window = Window::open(sample::contacts());
    window.click("Settings");
    window.wished();
    window.click("Show recovery words");
    assert_eq!(window.wished(), [Command::ShowWords]);
    let mut view = sample::contacts();
    let recovery = RecoveryWords::of(&Identity::from_secret([7; 32]));
    view.custody.words = Some(recovery.clone());
    window.show(view.clone());
    assert!(window.says(&format!(" 1 {}", recovery.words()[0])));
    assert!(window.says(&format!("24 {}", recovery.words()[23])));
    let first = format!(" 1 {}", recovery.words()[0]);
    window.click("Check what I wrote down");
    assert!(!window.says(&first), "nobody reads them off the screen while typing");
    // The field has the keyboard.
    window.harness.event(egui::Event::Text("abandon".to_owned()));
    window.harness.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::CheckWords(TypedWords::new("abandon"))]);
    assert!(window.says("Check them later") && !window.says("Hide the words"), "they are hidden");
    view.custody.check = WordsCheck::Wrong(WordsError::Number(1));
    window.show(view.clone());
    assert!(window.mentions("There are 24 recovery words, and these are 1.") && !window.says(&first));
    window.click("Show them again");
    assert_eq!(window.wished(), [Command::ShowWords]);
    view.custody.check = WordsCheck::Idle;
    window.show(view.clone());
    assert!(window.says(&first));
    window.click("Check what I wrote down");
    window.click("Check the words");
    assert_eq!(window.wished(), [], "it begins anew: nothing is typed yet");
    view.custody.check = WordsCheck::Right;
    window.show(view);
    assert!(window.mentions("These are the right words.") && !window.says(&first));
    window.click("Recent calls");
    assert!(window.wished().contains(&Command::HideWords), "nobody reads them over a shoulder later");
}
