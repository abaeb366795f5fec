//! The window, driven headless by the labels a screen reader reads. The engine is a fake: these tests put snapshots
//! in and read commands out. A control without a label makes every test that shows it fail.
#![cfg(feature = "ui")]

mod calls;
mod camera;
mod chooser;
mod declining;
mod desktop;
mod gate;
mod in_call;
mod keeping;
mod key_change;
mod languages;
mod mute_key;
mod names;
mod pages;
mod people;
mod requests;
#[path = "../../examples/gallery/sample.rs"]
mod sample;
mod scanning;
mod settings;
mod sharing;
mod snapshots;
mod talking;
mod tray;

use app::engine::EngineHandle;
use app::engine::command::Command;
use app::engine::gate::{Door, GateHandle, GateView, GateWish};
use app::engine::view::{BlockedRow, View};
use app::storage::Passphrase;
use app::ui::{Front, Locale};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, HarnessBuilder};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// A window with a fake engine and a clock that only the test moves.
struct Window {
    harness: Harness<'static, Front>,
    wishes: mpsc::Receiver<Command>,
    gate_wishes: mpsc::Receiver<GateWish>,
    gate: watch::Sender<Arc<GateView>>,
    shown: watch::Sender<Arc<View>>,
    clock: Rc<Cell<Instant>>,
}

impl Window {
    /// Opens a window that shows `view`.
    fn open(view: View) -> Self {
        Self::open_in(view, egui::Theme::Dark, egui::vec2(1000.0, 640.0))
    }

    fn open_in(view: View, theme: egui::Theme, size: egui::Vec2) -> Self {
        Self::speaking(Locale::English, view, theme, size)
    }

    fn speaking(locale: Locale, view: View, theme: egui::Theme, size: egui::Vec2) -> Self {
        Self::build(locale, view, Harness::builder().with_size(size).with_theme(theme))
    }

    /// A window of which pictures can be taken, with so many pixels to a point.
    fn drawn(locale: Locale, view: View, theme: egui::Theme, size: egui::Vec2, pixels: f32) -> Self {
        let builder = Harness::builder().with_size(size).with_theme(theme).with_pixels_per_point(pixels);
        Self::build(locale, view, builder.wgpu())
    }

    /// A window before a key that is sealed.
    fn locked() -> Self {
        Self::locked_in(Locale::English)
    }

    fn locked_in(locale: Locale) -> Self {
        let (_, wishes, shown) = EngineHandle::fake();
        let builder = Harness::builder().with_size(egui::vec2(1000.0, 640.0)).with_theme(egui::Theme::Dark);
        Self::fill(locale, Door::Sealed, (wishes, shown), builder)
    }

    fn build(locale: Locale, view: View, builder: HarnessBuilder<Front>) -> Self {
        let (engine, wishes, shown) = EngineHandle::fake();
        shown.send_replace(Arc::new(view));
        Self::fill(locale, Door::Open(engine), (wishes, shown), builder)
    }

    fn fill(
        locale: Locale,
        door: Door,
        (wishes, shown): (mpsc::Receiver<Command>, watch::Sender<Arc<View>>),
        builder: HarnessBuilder<Front>,
    ) -> Self {
        let (gate, gate_wishes, gate_view) = GateHandle::fake(door);
        let clock = Rc::new(Cell::new(Instant::now()));
        let now = Rc::clone(&clock);
        let harness = builder
            .with_max_steps(30)
            .build_eframe(move |cc| Front::new(&cc.egui_ctx, gate, None, locale, Rc::new(move || now.get())));
        let mut window = Self { harness, wishes, gate_wishes, gate: gate_view, shown, clock };
        window.harness.run();
        window
    }

    /// Replaces the snapshot.
    fn show(&mut self, view: View) {
        self.shown.send_replace(Arc::new(view));
        self.harness.run();
    }

    /// Changes what stands before the engine.
    fn at_the_gate(&mut self, change: impl FnOnce(&mut GateView)) {
        self.gate.send_modify(|view| change(Arc::make_mut(view)));
        self.harness.run();
    }

    /// Presses a button, wherever its page has to be scrolled to.
    fn click(&mut self, label: &str) {
        self.harness.get_by_role_and_label(Role::Button, label).scroll_to_me();
        self.harness.run();
        self.harness.get_by_role_and_label(Role::Button, label).click();
        self.harness.run();
    }

    fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run();
    }

    fn type_into(&mut self, field: &str, text: &str) {
        self.type_in(Role::TextInput, field, text);
    }

    /// Types into a field that shows nothing of it.
    fn type_secret(&mut self, field: &str, text: &str) {
        self.type_in(Role::PasswordInput, field, text);
    }

    fn type_in(&mut self, role: Role, field: &str, text: &str) {
        self.harness.get_by_role_and_label(role, field).focus();
        self.harness.run();
        self.harness.get_by_role_and_label(role, field).type_text(text);
        self.harness.run();
    }

    /// Whether some text or control on the screen is called exactly this.
    fn says(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    /// Whether some text or control on the screen contains this.
    fn mentions(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    /// Whether a text field holds exactly this.
    fn field_holds(&self, field: &str, text: &str) -> bool {
        let field = self.harness.get_by_role_and_label(Role::TextInput, field);
        field.accesskit_node().value().as_deref() == Some(text)
    }

    /// What the person asked of the engine since the last look.
    fn wished(&mut self) -> Vec<Command> {
        let mut sent = self.sent();
        sent.retain(|command| !matches!(command, Command::SetViewing(_)));
        sent
    }

    /// All that was sent to the engine since the last look.
    fn sent(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.wishes.try_recv().ok()).collect()
    }

    /// Draws one frame and returns what it asked of the desktop.
    fn asked_of_the_desktop(&mut self) -> Vec<egui::ViewportCommand> {
        self.harness.step();
        self.harness.output().viewport_output[&egui::ViewportId::ROOT].commands.clone()
    }

    /// Puts a key down and returns what that asked of the desktop.
    fn asked_by(&mut self, key: egui::Key) -> Vec<egui::ViewportCommand> {
        let modifiers = egui::Modifiers::NONE;
        let down = egui::Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers };
        self.harness.event(down);
        self.asked_of_the_desktop()
    }

    /// Presses a button and returns what that put on the clipboard.
    fn copies(&mut self, button: &str) -> Vec<String> {
        self.harness.get_by_role_and_label(Role::Button, button).scroll_to_me();
        self.harness.run();
        self.harness.get_by_role_and_label(Role::Button, button).click();
        let mut copied = Vec::new();
        for _ in 0..3 {
            self.harness.step();
            let commands = &self.harness.output().platform_output.commands;
            copied.extend(commands.iter().filter_map(|command| match command {
                egui::OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            }));
        }
        copied
    }

    fn now(&self) -> Instant {
        self.clock.get()
    }

    fn pass(&mut self, time: Duration) {
        self.clock.set(self.clock.get() + time);
        self.harness.run();
    }
}

#[test]
fn every_view_draws_in_both_themes_and_down_to_the_smallest_window() {
    let now = Instant::now();
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        for size in [egui::vec2(1000.0, 640.0), egui::vec2(720.0, 480.0)] {
            for (_, view) in sample::gallery(now) {
                let in_call = view.call.is_some();
                let window = Window::open_in(view, theme, size);
                let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
                for control in window.harness.query_all_by_role(Role::Button) {
                    let rect = control.rect();
                    assert!(
                        rect.left() >= screen.left() && rect.right() <= screen.right(),
                        "{control:?} sticks out of the window"
                    );
                    // Pages scroll, calls must not need to.
                    assert!(!in_call || rect.bottom() <= screen.bottom(), "{control:?} is below the window");
                }
            }
        }
    }
}

#[test]
fn an_idle_window_asks_for_no_repaint() {
    for view in [sample::contacts(), sample::first_run(), sample::requests(), sample::notices()] {
        let window = Window::open(view);
        let delay = window.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
        assert!(delay > Duration::from_secs(3600), "the window wants to repaint in {delay:?}");
    }
}

#[test]
fn a_running_call_repaints_no_faster_than_its_meters() {
    let window = Window::open(sample::active(Instant::now()));
    let delay = window.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay >= Duration::from_millis(80) && delay <= Duration::from_secs(1), "{delay:?}");
}

#[test]
fn the_title_follows_the_name() {
    let mut window = Window::open(sample::first_run());
    window.shown.send_replace(Arc::new(sample::contacts()));
    let title = egui::ViewportCommand::Title("Silbo — alice".to_owned());
    assert!(window.asked_of_the_desktop().contains(&title));
}

fn phrase(text: &str) -> Passphrase {
    match Passphrase::new(text) {
        Ok(phrase) => phrase,
        Err(why) => panic!("{text:?}: {why}"),
    }
}

/// Somebody who is never heard from.
fn blocked(seed: u8, name: &str) -> BlockedRow {
    BlockedRow { key: sample::key(seed), name: name.to_owned(), fingerprint: sample::key(seed).fingerprint() }
}
