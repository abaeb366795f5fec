//! First run, second card: microphone and loudspeaker, tried with Echo.

use super::heading;
use crate::engine::command::Command;
use crate::engine::view::{ContactId, View};
use crate::ui::state::{Step, UiState};
use crate::ui::text::{first_run as words, settings};
use crate::ui::theme::size;
use crate::ui::views::camera::camera_ui;
use crate::ui::views::devices::{beside_ui, verdict_ui};
use crate::ui::widgets::{TextButton, Tone, card, page};
use egui::Ui;
use egui_material_icons::icons;

/// The lists are no higher, so that the buttons stay in sight in the smallest window; they scroll.
const MOST_LIST: f32 = 220.0;
/// Nor is what the camera sees wider.
const PREVIEW: f32 = 176.0;

/// What to speak into and to listen to.
pub(super) fn devices_card_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "first run devices", size::COLUMN_WIDE, |ui| {
        heading(ui, words::devices_title(), words::devices_text());
        card(ui, |ui| beside_ui(ui, &view.settings, state, MOST_LIST, wishes));
        ui.add_space(size::GAP_LARGE);
        if let Some(verdict) = state.tried.verdict() {
            verdict_ui(ui, verdict);
            ui.add_space(size::GAP_LARGE);
        }
        let width = ui.available_width();
        let test = TextButton::new(settings::test(), Tone::Secondary).icon(icons::ICON_CALL).wide(width);
        if ui.add(test).clicked() {
            wishes.push(Command::Call(ContactId::Echo));
        }
        ui.add_space(size::GAP_SMALL);
        camera_ui(ui, view, PREVIEW, state, wishes);
        ui.add_space(size::GAP_SMALL);
        let go_on = TextButton::new(words::next(), Tone::Primary).icon(icons::ICON_ARROW_FORWARD).wide(width);
        let go_on = ui.add(go_on);
        if ui.memory(|memory| memory.focused().is_none()) {
            go_on.request_focus();
        }
        if go_on.clicked() {
            state.step = Step::Network;
        }
    });
}
