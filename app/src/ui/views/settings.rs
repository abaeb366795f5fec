//! What the person can choose.

use super::devices::devices_ui;
use crate::engine::command::Command;
use crate::engine::view::{Appearance, ContactId, View};
use crate::ui::state::UiState;
use crate::ui::text::settings as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, card, label, page};
use egui::Ui;
use egui_material_icons::icons;

/// The page.
pub(super) fn settings_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "settings", size::COLUMN, |ui| {
        let text = palette(ui).text;
        label(ui, words::TITLE, font::title(), text);
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, words::SOUND, font::strong(), text);
            ui.add_space(size::GAP);
            devices_ui(ui, &view.settings, state, wishes);
            if ui.add(TextButton::new(words::TEST, Tone::Secondary).icon(icons::ICON_CALL)).clicked() {
                wishes.push(Command::Call(ContactId::Echo));
            }
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, words::APPEARANCE, font::strong(), text);
            ui.add_space(size::GAP);
            appearance_ui(ui, view.settings.appearance, wishes);
        });
    });
}

fn appearance_ui(ui: &mut Ui, now: Appearance, wishes: &mut Vec<Command>) {
    let choices = [
        (Appearance::System, words::SYSTEM, icons::ICON_BRIGHTNESS_AUTO),
        (Appearance::Dark, words::DARK, icons::ICON_DARK_MODE),
        (Appearance::Light, words::LIGHT, icons::ICON_LIGHT_MODE),
    ];
    for (appearance, title, icon) in choices {
        let name = words::choice(words::APPEARANCE, title);
        let row = ListRow::link(icon, title).named(&name).selected(appearance == now).show(ui);
        if row.clicked() && appearance != now {
            wishes.push(Command::SetAppearance(appearance));
        }
    }
}
