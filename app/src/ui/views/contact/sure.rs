//! Being sure that a contact is who they say: by the words of a call, or, folded away, by a number or the key itself.

use crate::engine::command::Command;
use crate::engine::view::ContactRow;
use crate::storage::Verified;
use crate::ui::state::{Disclosure, Question, UiState};
use crate::ui::text::{contact as words, sure};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::question::{Answer, question_ui};
use crate::ui::widgets::{Pill, TextButton, Tone, card, digits, key_picture, label, two_lines};
use egui::Ui;
use egui_material_icons::icons;
use overlay::PublicKey;

/// What is known of it, and what to do.
pub(super) fn sure_ui(
    ui: &mut Ui,
    own: &PublicKey,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    card(ui, |ui| {
        let colors = palette(ui);
        ui.horizontal(|ui| {
            ui.set_height(size::PILL);
            label(ui, sure::title(), font::strong(), colors.text);
            if contact.verified.is_yes() {
                let pill = Pill::new(words::verified(), colors.accent, colors.accent_tint);
                ui.add(pill.icon(icons::ICON_VERIFIED_USER));
            }
        });
        ui.add_space(size::GAP_SMALL);
        let text = match contact.verified {
            Verified::Yes => words::was_compared(contact.shown()),
            Verified::No => sure::by_words(contact.shown()),
        };
        label(ui, text, font::body(), colors.text_muted);
        if contact.verified.is_yes() {
            ui.add_space(size::GAP_SMALL);
            unsure_ui(ui, key, contact, state, wishes);
        }
        ui.add_space(size::GAP_SMALL);
        let (fold, icon) = match state.other_ways {
            Disclosure::Folded => (sure::other_ways(), icons::ICON_EXPAND_MORE),
            Disclosure::Open => (sure::fewer_ways(), icons::ICON_EXPAND_LESS),
        };
        if ui.add(TextButton::new(fold, Tone::Quiet).icon(icon).low().flush()).clicked() {
            state.other_ways = state.other_ways.turned();
        }
        if state.other_ways == Disclosure::Open {
            ui.add_space(size::GAP);
            number_ui(ui, own, key, contact, state, wishes);
            ui.add_space(size::GAP_LARGE);
            key_ui(ui, &key, contact);
        }
    });
}

/// What was compared once is not undone at one click.
fn unsure_ui(
    ui: &mut Ui,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let question = Question::Unverify(key);
    let Some(since) = state.is_asked(question) else {
        if ui.add(TextButton::new(words::compare_again(), Tone::Quiet).low().flush()).clicked() {
            state.ask(question);
        }
        return;
    };
    match question_ui(ui, &sure::unsure(contact.shown()), sure::still_sure(), sure::unsure_yes(), since) {
        Some(Answer::Yes) => {
            wishes.push(Command::SetVerified(key, Verified::No));
            state.answered();
        }
        Some(Answer::No) => state.answered(),
        None => {}
    }
}

/// The number to compare.
fn number_ui(
    ui: &mut Ui,
    own: &PublicKey,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let colors = palette(ui);
    let number = state.safety_number(own, key);
    label(ui, words::safety(), font::strong(), colors.text);
    label(ui, words::compare(contact.shown()), font::caption(), colors.text_muted);
    ui.add_space(size::GAP);
    digits(ui, &number);
    if contact.verified == Verified::No {
        ui.add_space(size::GAP);
        if ui.add(TextButton::new(words::same(), Tone::Secondary)).clicked() {
            wishes.push(Command::SetVerified(key, Verified::Yes));
        }
    }
}

/// The key itself, in short.
fn key_ui(ui: &mut Ui, key: &PublicKey, contact: &ContactRow) {
    let colors = palette(ui);
    ui.horizontal(|ui| {
        key_picture(ui, key, size::KEY_PICTURE);
        ui.add_space(size::GAP_SMALL);
        let heading = (words::fingerprint(), font::strong(), colors.text);
        let fingerprint = (contact.fingerprint.as_str(), font::key(), colors.text_muted);
        two_lines(ui, size::KEY_PICTURE, heading, fingerprint);
    });
    ui.add_space(size::GAP_SMALL);
    label(ui, words::pinned(), font::caption(), colors.text_muted);
}
