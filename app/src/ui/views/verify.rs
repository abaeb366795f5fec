//! The cards about the words that both ends of a call read aloud.

use super::card::Outcome;
use crate::engine::command::Command;
use crate::engine::view::{CallView, ContactId, View};
use crate::storage::Verified;
use crate::ui::command::UiCommand;
use crate::ui::state::{Card, Compared, Since, UiState};
use crate::ui::text::{call as talk, call_words as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, centered_row, label, text_width};
use egui::{Align, Layout, Ui, vec2};
use egui_material_icons::icons;

/// The words, and what follows from them.
pub(super) fn words_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    let colors = palette(ui);
    label(ui, words::title(&call.name), font::title(), colors.text);
    ui.add_space(size::GAP);
    label(ui, words::text(), font::body(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let verified = view.is_verified(call.with);
    let leave = if verified { talk::close() } else { words::done() };
    let leave = TextButton::new(leave, Tone::Quiet).wide(width);
    let Some(spoken) = &call.words else {
        label(ui, words::looking(), font::title(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        return leave_ui(ui, leave, since);
    };
    spoken_ui(ui, spoken.words());
    ui.add_space(size::GAP_LARGE);
    if verified {
        label(ui, words::verified(&call.name), font::caption(), colors.accent);
        ui.add_space(size::GAP);
    } else if let Some(key) = contact(view, call) {
        let matching = TextButton::new(words::matching(), Tone::Primary);
        if ui.add(matching.icon(icons::ICON_CHECK).wide(width)).clicked() {
            wishes.push(Command::SetVerified(key, Verified::Yes));
            state.compared = Compared::Fine;
            return Outcome::Close;
        }
        ui.add_space(size::GAP_SMALL);
    }
    let differing = TextButton::new(words::differing(), Tone::Secondary).icon(icons::ICON_CLOSE).wide(width);
    if ui.add(differing).clicked() {
        if let Some(key) = contact(view, call).filter(|_| verified) {
            wishes.push(Command::SetVerified(key, Verified::No));
        }
        state.compared = Compared::Differ;
        state.raise(Card::Differ);
    }
    ui.add_space(size::GAP_SMALL);
    leave_ui(ui, leave, since)
}

/// The words in columns, each with its number: whoever reads them aloud knows which comes next.
fn spoken_ui(ui: &mut Ui, words: &[&str]) {
    let colors = palette(ui);
    let number_width = text_width(ui, "0", font::title()).ceil();
    let widest = words.iter().map(|word| text_width(ui, word, font::title()).ceil()).fold(0.0, f32::max);
    let width = number_width + size::GAP + widest;
    for (line, pair) in words.chunks(WORDS_A_LINE).enumerate() {
        centered_row(ui, &[width; WORDS_A_LINE], size::LEAD, size::GAP_HUGE, |ui| {
            for (nth, word) in pair.iter().enumerate() {
                let cell = Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(vec2(width, size::LEAD), cell, |ui| {
                    ui.set_min_width(width);
                    ui.spacing_mut().item_spacing.x = size::GAP;
                    let number = (line * WORDS_A_LINE + nth + 1).to_string();
                    label(ui, number, font::title(), colors.text_muted);
                    label(ui, *word, font::title(), colors.accent);
                });
            }
        });
    }
}

/// They are not the same.
pub(super) fn differ_ui(
    ui: &mut Ui,
    call: &CallView,
    state: &mut UiState,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    let colors = palette(ui);
    label(ui, words::differ_title(), font::title(), colors.danger);
    ui.add_space(size::GAP);
    label(ui, words::differ(&call.name), font::body(), colors.text);
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let end = UiCommand::HangUp;
    let hang_up = ui.add(TextButton::new(words::hang_up(), Tone::Danger).icon(end.icon()).wide(width));
    if since == Since::Now {
        hang_up.request_focus();
    }
    if hang_up.clicked() {
        end.perform(ui.ctx(), state, wishes);
        return Outcome::Close;
    }
    ui.add_space(size::GAP_SMALL);
    if ui.add(TextButton::new(words::look_again(), Tone::Quiet).wide(width)).clicked() {
        state.raise(Card::Verify);
    }
    Outcome::Stay
}

/// Words in one line.
const WORDS_A_LINE: usize = 2;

/// The key that can be marked as compared; whoever is no contact has none.
fn contact(view: &View, call: &CallView) -> Option<overlay::PublicKey> {
    match call.with {
        ContactId::Person(key) if view.contacts.iter().any(|row| row.id == call.with) => Some(key),
        ContactId::Person(_) | ContactId::Echo => None,
    }
}

fn leave_ui(ui: &mut Ui, leave: TextButton<'_>, since: Since) -> Outcome {
    let leave = ui.add(leave);
    if since == Since::Now {
        leave.request_focus();
    }
    if leave.clicked() { Outcome::Close } else { Outcome::Stay }
}
