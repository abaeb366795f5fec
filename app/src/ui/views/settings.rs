//! What the person can choose.

use super::about::about_ui;
use super::camera::camera_ui;
use super::desktop::desktop_ui;
use super::devices::devices_ui;
use super::keeping::keeping_ui;
use super::ringtone::ringtone_ui;
use crate::engine::command::Command;
use crate::engine::view::{Appearance, BlockedRow, ContactId, Language, View};
use crate::ui::state::UiState;
use crate::ui::text::settings as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, card, label, page_from_top};
use egui::style::ScrollAnimation;
use egui::{Ui, vec2};
use egui_material_icons::icons;

/// The page.
pub(super) fn settings_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page_from_top(ui, "settings", size::COLUMN, |ui| {
        let text = palette(ui).text;
        label(ui, words::title(), font::title(), text);
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, words::sound(), font::strong(), text);
            ui.add_space(size::GAP);
            devices_ui(ui, &view.settings, state, wishes);
            if ui.add(TextButton::new(words::test(), Tone::Secondary).icon(icons::ICON_CALL)).clicked() {
                wishes.push(Command::Call(ContactId::Echo));
            }
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            ringtone_ui(ui, view.settings.ringtone, wishes);
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, crate::ui::text::camera::title(), font::strong(), text);
            ui.add_space(size::GAP);
            camera_ui(ui, view, size::PREVIEW, state, wishes);
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, crate::ui::text::keeping::title(), font::strong(), text);
            ui.add_space(size::GAP);
            keeping_ui(ui, view, state, wishes);
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, words::appearance(), font::strong(), text);
            ui.add_space(size::GAP);
            appearance_ui(ui, view.settings.appearance, wishes);
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            stay(ui, view.settings.language, state);
            label(ui, words::language(), font::strong(), text);
            ui.add_space(size::GAP);
            language_ui(ui, view.settings.language, wishes);
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, crate::ui::text::desktop::title(), font::strong(), text);
            ui.add_space(size::GAP);
            desktop_ui(ui, &view.settings, state, wishes);
        });
        if !view.blocked.is_empty() {
            ui.add_space(size::GAP_LARGE);
            card(ui, |ui| {
                label(ui, words::blocked(), font::strong(), text);
                ui.add_space(size::GAP);
                blocked_ui(ui, &view.blocked, wishes);
            });
        }
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, crate::ui::text::about::title(), font::strong(), text);
            ui.add_space(size::GAP);
            about_ui(ui, view, state);
        });
    });
}

/// Those who are never heard from, each to be unblocked.
fn blocked_ui(ui: &mut Ui, blocked: &[BlockedRow], wishes: &mut Vec<Command>) {
    for row in blocked {
        // Two may go by the same name, and some by none.
        let name = if row.name.is_empty() { row.fingerprint.as_str() } else { row.name.as_str() };
        let unblock = crate::ui::text::contact::unblock(name);
        let key = row.fingerprint.as_str();
        if ListRow::link(icons::ICON_BLOCK, name).detail(key).named(&unblock).show(ui).clicked() {
            wishes.push(Command::Unblock(row.key));
        }
    }
}

fn appearance_ui(ui: &mut Ui, now: Appearance, wishes: &mut Vec<Command>) {
    let choices = [
        (Appearance::System, words::system()),
        (Appearance::Dark, words::dark()),
        (Appearance::Light, words::light()),
    ];
    for (appearance, title) in choices {
        let chosen = appearance == now;
        if choice_ui(ui, words::appearance(), title, chosen) {
            wishes.push(Command::SetAppearance(appearance));
        }
    }
}

fn language_ui(ui: &mut Ui, now: Language, wishes: &mut Vec<Command>) {
    // Each is called what those who speak it call it.
    let choices =
        [(Language::System, words::system()), (Language::English, "English"), (Language::Spanish, "Español")];
    for (language, title) in choices {
        let chosen = language == now;
        if choice_ui(ui, words::language(), title, chosen) {
            wishes.push(Command::SetLanguage(language));
        }
    }
}

/// Other words take other room: whoever chooses a language still has it below the pointer.
fn stay(ui: &Ui, language: Language, state: &mut UiState) {
    let top = ui.cursor().top();
    match state.language_at.replace((language, top)) {
        Some((before, at)) if before != language && at != top => {
            ui.scroll_with_delta_animation(vec2(0.0, at - top), ScrollAnimation::none());
            state.language_at = Some((language, at));
            ui.ctx().request_discard("the page stays below the pointer");
        }
        _ => {}
    }
}

/// One choice among others; true when it is to be another one than it was.
fn choice_ui(ui: &mut Ui, of: &str, title: &str, chosen: bool) -> bool {
    let name = words::choice(of, title);
    ListRow::choice(title, chosen).named(&name).show(ui).clicked() && !chosen
}
