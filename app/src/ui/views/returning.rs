//! Who was here before comes back: with their recovery words, or with a backup.

use super::chooser::choose_ui;
use super::form::{Enter, left, walk};
use super::keeping::{failure, path_typed};
use crate::desktop::Purpose;
use crate::engine::gate::{ComeBack, Trial};
use crate::engine::words::{LONGEST_TEXT, TypedWords};
use crate::ui::state::{ReturnForm, ReturnWish, Returning, Since, Surroundings};
use crate::ui::text::{self, returning as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, card, label};
use egui::{Key, Margin, TextEdit, Ui};
use egui_material_icons::icons;

/// Both ways back, and the way out.
pub(super) fn returning_ui(ui: &mut Ui, state: &mut Returning, surroundings: &mut Surroundings) {
    let colors = palette(ui);
    label(ui, words::title(), font::title(), colors.text);
    ui.add_space(size::GAP);
    match &state.trial {
        Trial::Running => {
            label(ui, words::working(), font::body(), colors.text_muted);
        }
        Trial::Failed(why) => {
            label(ui, failure(why), font::body(), colors.danger);
        }
        Trial::Idle | Trial::Returned => {
            label(ui, words::intro(), font::body(), colors.text_muted);
        }
    }
    ui.add_space(size::GAP_LARGE);
    let rests = state.trial != Trial::Running;
    ui.add_enabled_ui(rests, |ui| {
        card(ui, |ui| words_ui(ui, state));
        ui.add_space(size::GAP);
        card(ui, |ui| backup_ui(ui, state, surroundings));
        ui.add_space(size::GAP_SMALL);
        let width = ui.available_width();
        let leave = ui.add(TextButton::new(words::leave(), Tone::Quiet).wide(width)).clicked();
        if leave || (rests && left(ui)) {
            *state = Returning { form: ReturnForm::Offered, ..Returning::default() };
        }
    });
}

fn words_ui(ui: &mut Ui, state: &mut Returning) {
    heading(ui, words::words_title(), words::words_text());
    let field = TextEdit::multiline(&mut *state.words.0)
        .id_salt("words of who returns")
        .hint_text(words::words_hint())
        .font(font::body())
        .char_limit(LONGEST_TEXT)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_rows(2)
        .return_key(None)
        .desired_width(f32::INFINITY);
    let field = ui.add(field).accessible_name(words::words_field());
    if std::mem::replace(&mut state.since, Since::Earlier) == Since::Now {
        field.request_focus();
    }
    ui.add_space(size::GAP);
    let typed = TypedWords::new(state.words.0.as_str());
    let button = TextButton::new(words::words_button(), Tone::Primary).icon(icons::ICON_CHECK);
    let entered = typed.count() > 0 && field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if ui.add_enabled_ui(typed.count() > 0, |ui| ui.add(button)).inner.clicked() || entered {
        state.wish = ReturnWish::Made(ComeBack::Words(typed));
    }
}

fn backup_ui(ui: &mut Ui, state: &mut Returning, surroundings: &mut Surroundings) {
    heading(ui, words::backup_title(), words::backup_text());
    let field = TextEdit::singleline(&mut state.file)
        .id_salt("backup of who returns")
        .hint_text(words::file_hint())
        .font(font::body())
        .char_limit(text::LONGEST_SEARCH)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(f32::INFINITY);
    let file = ui.add(field).accessible_name(words::file_field());
    choose_ui(ui, surroundings, Purpose::Backup, "");
    ui.add_space(size::GAP);
    let passphrase = state.passphrase.show(ui, words::passphrase_field());
    ui.add_space(size::GAP);
    let enter = walk(ui, &[file, passphrase], 0, Since::Earlier);
    let typed = !state.file.trim().is_empty() && !state.passphrase.is_empty();
    let button = TextButton::new(words::backup_button(), Tone::Primary).icon(icons::ICON_CHECK);
    let pressed = ui.add_enabled_ui(typed, |ui| ui.add(button)).inner.clicked();
    if (pressed || (typed && enter == Enter::Last))
        && let Ok(passphrase) = state.passphrase.take()
    {
        let file = path_typed(&state.file);
        state.wish = ReturnWish::Made(ComeBack::Backup { file, passphrase });
    }
}

fn heading(ui: &mut Ui, title: &str, text: &str) {
    let colors = palette(ui);
    label(ui, title, font::strong(), colors.text);
    label(ui, text, font::caption(), colors.text_muted);
    ui.add_space(size::GAP_SMALL);
}
