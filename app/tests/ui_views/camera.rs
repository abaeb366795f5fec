//! The camera outside a call: opened by the person alone, seen to be open, and closed by whoever goes elsewhere.

use super::{Window, sample};
use app::engine::command::Command;
use app::engine::lookout::CameraPreview;
use app::engine::view::{ClaimState, View};
use app::reason::{Reason, Remedy};
use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportCommand};
use egui_kittest::kittest::Queryable;
use media::video::driver::Viewfinder;
use media::video::frame::{Size, Taken};
use media::video::pattern;
use std::sync::Arc;

/// Somebody tries the camera.
pub(super) fn open(view: View) -> View {
    let picture = Size::new(640, 360).map(|size| pattern::draw(size, Taken::Media(0), 77));
    let preview =
        picture.map_or(CameraPreview::Closed, |picture| CameraPreview::Open(Viewfinder::still(picture)));
    View { preview, ..view }
}

/// It gives no pictures.
pub(super) fn failed(view: View) -> View {
    let why = Reason::Camera { why: "There is no camera".to_owned(), remedy: Remedy::PlugIn };
    View { preview: CameraPreview::Failed(why), ..view }
}

#[test]
fn the_camera_is_tried_in_the_settings_and_closed_by_its_button_or_by_leaving() {
    let mut window = Window::open(sample::devices("usb-1", "hdmi"));
    window.click("Settings");
    window.wished();
    assert!(!window.says("Your camera is on"));
    window.click("Show my camera");
    assert!(window.wished().contains(&Command::PreviewCamera));
    window.show(open(sample::devices("usb-1", "hdmi")));
    assert!(window.says("What others would see") && window.says("Your camera is on"));
    window.click("Close the camera");
    assert!(window.wished().contains(&Command::StopPreview));
    window.click("Recent calls");
    assert!(window.wished().contains(&Command::StopPreview));
}

#[test]
fn the_camera_is_tried_on_the_first_run_and_closed_by_going_on() {
    let held = || sample::claim(ClaimState::Held { held_by: 4, of: 5 });
    let mut window = Window::open(sample::first_run());
    window.show(held());
    window.press(Modifiers::NONE, Key::Enter);
    window.click("Show my camera");
    assert!(window.wished().contains(&Command::PreviewCamera));
    window.show(open(View { settings: sample::devices("usb-1", "hdmi").settings, ..held() }));
    assert!(window.says("Your camera is on"));
    let go_on = window.harness.get_by_role_and_label(Role::Button, "Continue").rect();
    assert!(go_on.bottom() <= 640.0, "{go_on}: one goes on without scrolling");
    assert!(!window.wished().contains(&Command::StopPreview));
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.wished().contains(&Command::StopPreview));
}

#[test]
fn a_call_takes_the_camera_off_the_screen() {
    let mut window = Window::open(sample::contacts());
    window.click("Settings");
    let call = sample::active(window.now()).call;
    window.show(View { call, ..open(sample::contacts()) });
    assert!(window.wished().contains(&Command::StopPreview));
}

#[test]
fn the_title_tells_that_the_camera_is_open() {
    let mut window = Window::open(sample::contacts());
    window.click("Settings");
    window.shown.send_replace(Arc::new(open(sample::contacts())));
    let title = ViewportCommand::Title("Silbo — alice — your camera is on".to_owned());
    assert!(window.asked_of_the_desktop().contains(&title));
}

#[test]
fn a_camera_that_fails_is_told_of_and_can_be_tried_again() {
    let mut window = Window::open(sample::contacts());
    window.click("Settings");
    window.show(failed(sample::contacts()));
    window.wished();
    window.click("Show my camera");
    assert!(window.wished().contains(&Command::PreviewCamera));
}
