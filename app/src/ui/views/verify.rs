//! The card with the words that both ends of a call read aloud.

use super::card::Outcome;
use crate::engine::command::Command;
use crate::engine::view::{CallView, ContactId, View};
use crate::storage::Verified;
use crate::ui::state::Since;
use crate::ui::text::call_words as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::Ui;
use egui_material_icons::icons;

/// The words, and what follows from them.
pub(super) fn words_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    let colors = palette(ui);
    label(ui, words::title(&call.name), font::title(), colors.text);
    ui.add_space(size::GAP);
    label(ui, words::text(), font::body(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let done = TextButton::new(words::done(), Tone::Secondary).wide(width);
    let Some(spoken) = &call.words else {
        label(ui, words::looking(), font::title(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        return leave(ui, done, since);
    };
    for pair in spoken.words().chunks(WORDS_A_LINE) {
        label(ui, pair.join("   "), font::title(), colors.accent);
    }
    ui.add_space(size::GAP);
    label(ui, words::differ(), font::caption(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
    let contact = view.contacts.iter().find(|row| row.id == call.with);
    match (call.with, contact.map(|row| row.verified)) {
        (ContactId::Person(_), Some(Verified::Yes)) => {
            label(ui, words::verified(&call.name), font::caption(), colors.accent);
            ui.add_space(size::GAP);
        }
        (ContactId::Person(key), Some(Verified::No)) => {
            let matching = TextButton::new(words::matching(), Tone::Primary);
            if ui.add(matching.icon(icons::ICON_CHECK).wide(width)).clicked() {
                wishes.push(Command::SetVerified(key, Verified::Yes));
                return Outcome::Close;
            }
            ui.add_space(size::GAP_SMALL);
        }
        // Whoever is no contact cannot be marked as one.
        (_, None) | (ContactId::Echo, _) => {}
    }
    leave(ui, done, since)
}

/// Words in one line.
const WORDS_A_LINE: usize = 2;

fn leave(ui: &mut Ui, done: TextButton<'_>, since: Since) -> Outcome {
    let done = ui.add(done);
    if since == Since::Now {
        done.request_focus();
    }
    if done.clicked() { Outcome::Close } else { Outcome::Stay }
}
