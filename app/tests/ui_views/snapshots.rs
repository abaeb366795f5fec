//! What the window looks like: every screen against a picture of it in `app/tests/snapshots`, dark and light, small and
//! large, in English and in the language of tests.
//!
//! After a change that is meant, draw them anew and look at them:
//!
//! ```sh
//! UPDATE_SNAPSHOTS=1 cargo test -p app --test ui_views snapshots
//! ```
//!
//! Those of the README are drawn here as well, in full, into `assets/screenshots`.

use super::languages::every_screen;
use super::{Window, sample};
use app::engine::view::View;
use app::ui::Locale;
use egui::{Theme, Vec2, vec2};
use egui_kittest::{SnapshotOptions, SnapshotResults};
use std::time::Instant;

const SMALL: Vec2 = vec2(1000.0, 640.0);
const LARGE: Vec2 = vec2(1600.0, 1000.0);
/// How many pixels wide they are: enough to see what moved, few enough to keep hundreds of them.
const WIDTH: f32 = 400.0;

#[test]
fn every_screen_looks_as_it_did_in_the_dark() {
    look(Locale::English, Theme::Dark, SMALL);
}

#[test]
fn every_screen_looks_as_it_did_in_the_light() {
    look(Locale::English, Theme::Light, SMALL);
}

#[test]
fn every_screen_looks_as_it_did_in_a_large_window() {
    look(Locale::English, Theme::Dark, LARGE);
}

#[test]
fn every_screen_looks_as_it_did_in_a_large_window_in_the_light() {
    look(Locale::English, Theme::Light, LARGE);
}

#[test]
fn every_screen_looks_as_it_did_with_longer_words() {
    look(Locale::Pseudo, Theme::Dark, SMALL);
}

#[test]
fn every_screen_looks_as_it_did_with_longer_words_in_the_light() {
    look(Locale::Pseudo, Theme::Light, SMALL);
}

#[test]
fn every_screen_looks_as_it_did_with_longer_words_in_a_large_window() {
    look(Locale::Pseudo, Theme::Dark, LARGE);
}

#[test]
fn every_screen_looks_as_it_did_with_longer_words_in_a_large_window_in_the_light() {
    look(Locale::Pseudo, Theme::Light, LARGE);
}

#[test]
fn the_pictures_of_the_readme_show_the_window_as_it_is() {
    let now = Instant::now();
    let since = now.checked_sub(std::time::Duration::from_secs(247)).unwrap_or(now);
    let mut results = SnapshotResults::new();
    for (name, theme, view) in [
        ("in-call", Theme::Dark, sample::active(since)),
        ("video", Theme::Dark, sample::filmed(since)),
        ("contacts", Theme::Light, sample::contacts()),
    ] {
        let mut window = Window::drawn(Locale::English, view, theme, SMALL, 1.0);
        draw(&mut window, name, "../assets/screenshots", now, &mut results);
    }
}

fn look(locale: Locale, theme: Theme, size: Vec2) {
    let now = Instant::now();
    let open = |view: View| Window::drawn(locale, view, theme, size, WIDTH / size.x);
    let folder = format!("tests/snapshots/{locale:?}-{theme:?}-{}x{}", size.x, size.y).to_lowercase();
    // Told all at once when it is dropped.
    let mut results = SnapshotResults::new();
    every_screen(open, now, |window, screen| {
        draw(window, &screen.replace(' ', "-"), &folder, now, &mut results);
    });
}

fn draw(window: &mut Window, name: &str, folder: &str, now: Instant, results: &mut SnapshotResults) {
    window.clock.set(now);
    window.harness.run();
    // Another processor may round otherwise.
    let options = SnapshotOptions::new().threshold(1.5).max_failed_pixels(8).output_path(folder);
    results.add(window.harness.try_snapshot_options(name, &options));
}
