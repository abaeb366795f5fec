//! First run, last card: the words that bring a name back.

use super::heading;
use crate::engine::command::Command;
use crate::engine::view::View;
use crate::ui::state::{FirstRun, UiState};
use crate::ui::text::first_run as words;
use crate::ui::theme::size;
use crate::ui::views::keeping::{recovery_ui, show_ui};
use crate::ui::widgets::{TextButton, Tone, card, page};
use egui::Ui;
use egui_material_icons::icons;

/// The words, once somebody wants to see them; they are in the settings as well.
pub(super) fn keeping_card_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "first run keeping", size::COLUMN, |ui| {
        heading(ui, words::keeping_title(), words::keeping_text());
        let width = ui.available_width();
        match view.custody.words {
            Some(_) => card(ui, |ui| recovery_ui(ui, &view.custody, state, wishes)),
            // A card around one button would be empty space.
            None => show_ui(ui, Some(width), wishes),
        }
        ui.add_space(size::GAP_LARGE);
        let done = TextButton::new(words::go_on(), Tone::Primary).icon(icons::ICON_ARROW_FORWARD).wide(width);
        let done = ui.add(done);
        if ui.memory(|memory| memory.focused().is_none()) {
            done.request_focus();
        }
        if done.clicked() {
            state.first_run = FirstRun::Closed;
        }
    });
}
