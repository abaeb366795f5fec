//! What to show of our screen: all of it, or one of the windows that are open.

use super::card::Outcome;
use crate::engine::command::{Command, Sharing};
use crate::engine::view::CallView;
use crate::ui::state::Since;
use crate::ui::text::{self, sharing as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, label};
use egui::{ScrollArea, Ui};
use egui_material_icons::icons;
use media::video::window::{OpenWindow, WindowName};

/// The list of windows is no higher, so that all fits into the smallest window; it scrolls.
const MOST_LIST: f32 = 220.0;

/// What may be shown. Escape and the last button show nothing.
pub(super) fn choices_ui(ui: &mut Ui, call: &CallView, since: Since, wishes: &mut Vec<Command>) -> Outcome {
    let colors = palette(ui);
    let mut chosen = None;
    label(ui, words::title(), font::title(), colors.text);
    ui.add_space(size::GAP);
    let screen = ListRow::link(icons::ICON_DESKTOP_WINDOWS, words::screen()).show(ui);
    if since == Since::Now {
        screen.request_focus();
    }
    if screen.clicked() {
        chosen = Some(Sharing::Screen);
    }
    ui.add_space(size::GAP);
    match call.windows.as_deref() {
        None => drop(label(ui, words::looking(), font::body(), colors.text_muted)),
        Some([]) => drop(label(ui, words::no_windows(), font::body(), colors.text_muted)),
        Some(windows) => {
            label(ui, words::windows(), font::body(), colors.text_muted);
            chosen = chosen.or(windows_ui(ui, windows));
        }
    }
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let cancelled = ui.add(TextButton::new(words::cancel(), Tone::Secondary).wide(width)).clicked();
    let outcome = if cancelled || chosen.is_some() { Outcome::Close } else { Outcome::Stay };
    wishes.extend(chosen.map(Command::Share));
    outcome
}

fn windows_ui(ui: &mut Ui, windows: &[OpenWindow]) -> Option<Sharing> {
    let mut chosen = None;
    ScrollArea::vertical().max_height(MOST_LIST).auto_shrink([false, true]).show(ui, |ui| {
        for (at, window) in windows.iter().enumerate() {
            let before = windows[..at].iter().filter(|other| other.title == window.title).count();
            let title = text::numbered(&window.title, before + 1);
            let row = ListRow::link(icons::ICON_WEB_ASSET, &title).show(ui);
            if row.clicked() {
                chosen = Some(Sharing::Window(WindowName::Id(window.id)));
            }
        }
    });
    chosen
}
