//! Choosing what to share: the whole screen, or one window.

use super::{Window, sample};
use app::engine::command::{Command, Sharing};
use app::engine::view::{CallPhase, View};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use media::video::window::{OpenWindow, WindowId, WindowName};
use std::time::Instant;

#[test]
fn a_screen_is_shared_and_no_longer_shared() {
    let mut view = sample::active(Instant::now());
    let mut window = Window::open(view.clone());
    window.click("Share");
    window.click("The whole screen");
    assert_eq!(window.wished(), [Command::ListWindows, Command::Share(Sharing::Screen)]);
    if let Some(call) = &mut view.call {
        call.sharing = Sharing::Screen;
    }
    window.show(view);
    assert!(!window.says("The whole screen"));
    window.click("Stop sharing");
    assert_eq!(window.wished(), [Command::Share(Sharing::Off)]);
    window.show(sample::call(sample::person(1), "bob", CallPhase::Connecting));
    let rests = window.harness.get_by_role_and_label(Role::Button, "Share");
    assert!(rests.accesskit_node().is_disabled(), "there is nobody to show it to");
}

/// Windows with these titles are open; their numbers count from 1.
fn list_windows(view: &mut View, titles: &[&str]) {
    let windows = (1..).zip(titles).filter_map(|(number, title)| {
        Some(OpenWindow { id: WindowId::new(number)?, title: (*title).to_owned() })
    });
    if let Some(call) = &mut view.call {
        call.windows = Some(windows.collect());
    }
}

/// A window by its number.
pub(super) fn numbered(number: u32) -> WindowName {
    let Some(id) = WindowId::new(number) else { panic!("0 is no window") };
    WindowName::Id(id)
}

#[test]
fn a_window_is_chosen_from_those_that_are_open() {
    let mut view = sample::active(Instant::now());
    let mut window = Window::open(view.clone());
    window.click("Share");
    assert!(window.says("Looking for open windows…"));
    list_windows(&mut view, &["Editor", "Mail", "Editor"]);
    window.show(view.clone());
    window.click("Editor (2)");
    let third = Command::Share(Sharing::Window(numbered(3)));
    assert_eq!(window.wished(), [Command::ListWindows, third]);
    assert!(!window.says("Mail"), "the choice is made");
    list_windows(&mut view, &[]);
    window.show(view);
    window.click("Share");
    assert!(window.says("There is no other window to show."));
}

#[test]
fn what_to_share_is_chosen_without_a_mouse() {
    let mut view = sample::active(Instant::now());
    list_windows(&mut view, &["Editor", "Mail"]);
    let mut window = Window::open(view);
    window.press(Modifiers::COMMAND, Key::D);
    window.press(Modifiers::NONE, Key::Tab);
    window.press(Modifiers::NONE, Key::Tab);
    window.press(Modifiers::NONE, Key::Space);
    let mail = Command::Share(Sharing::Window(numbered(2)));
    assert_eq!(window.wished(), [Command::ListWindows, mail]);
    window.press(Modifiers::COMMAND, Key::D);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.wished(), [Command::ListWindows, Command::Share(Sharing::Screen)]);
}

#[test]
fn who_does_not_want_to_share_after_all_shares_nothing() {
    let mut window = Window::open(sample::filmed(Instant::now()));
    window.press(Modifiers::NONE, Key::F11);
    for leave in ["Cancel", "Escape"] {
        window.press(Modifiers::COMMAND, Key::D);
        assert!(window.says("The whole screen"));
        match leave {
            "Escape" => window.press(Modifiers::NONE, Key::Escape),
            label => window.click(label),
        }
        assert!(!window.says("The whole screen") && window.says("Exit full screen"), "{leave}");
    }
    assert_eq!(window.wished(), [Command::ListWindows, Command::ListWindows]);
}

#[test]
fn many_windows_scroll_in_the_smallest_window_in_both_themes() {
    let size = egui::vec2(720.0, 480.0);
    let mut view = sample::active(Instant::now());
    list_windows(&mut view, &["A title that is far too long for the room there is on any card"; 40]);
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        let mut window = Window::open_in(view.clone(), theme, size);
        window.click("Share");
        for label in ["The whole screen", "Cancel"] {
            let rect = window.harness.get_by_role_and_label(Role::Button, label).rect();
            assert!(rect.top() >= 0.0 && rect.bottom() <= size.y, "{label}: {rect:?}");
        }
    }
}
