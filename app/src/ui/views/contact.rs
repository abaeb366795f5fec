//! The page of one contact: call them, be sure that it is them, give them a nickname, remove them.

mod nickname;
mod sure;

use super::key_change::banner_ui;
use super::question::{Answer, question_ui};
use super::sentence_ui;
use crate::engine::command::Command;
use crate::engine::view::{ContactId, ContactRow, View};
use crate::storage::KeyChange;
use crate::ui::state::{Page, Question, UiState};
use crate::ui::text::{contact as words, side, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, TextButton, Tone, centered_row, label, page};
use egui::Ui;
use egui_material_icons::icons;
use nickname::nickname_ui;
use overlay::PublicKey;
use sure::sure_ui;

/// The page of the contact `id`.
pub(super) fn contact_ui(
    ui: &mut Ui,
    view: &View,
    id: ContactId,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let Some(contact) = view.contacts.iter().find(|row| row.id == id) else {
        return sentence_ui(ui, "contact gone", words::gone());
    };
    page(ui, "contact", size::COLUMN, |ui| {
        let colors = palette(ui);
        Avatar::new(id, contact.shown(), size::AVATAR_LARGE).show(ui);
        ui.add_space(size::GAP);
        label(ui, contact.shown(), font::display(), colors.text);
        if contact.nickname.is_some() {
            label(ui, contact.name.as_str(), font::body(), colors.text_muted);
        }
        match (id, &contact.last_call) {
            (ContactId::Echo, _) => {
                ui.scope(|ui| {
                    ui.set_max_width(size::COLUMN_NARROW);
                    label(ui, words::echo(), font::body(), colors.text_muted)
                });
            }
            (_, Some(when)) => {
                label(ui, words::last_call(&told::when(when)), font::body(), colors.text_muted);
            }
            (_, None) => {
                label(ui, side::no_call_yet(), font::body(), colors.text_muted);
            }
        }
        ui.add_space(size::GAP_LARGE);
        let changed = match (id, contact.changed) {
            (ContactId::Person(pinned), Some(found)) => Some(KeyChange { pinned, found }),
            _ => None,
        };
        // Before anything else can be done here.
        if let Some(change) = changed {
            banner_ui(ui, &view.own.key, contact, change, state, wishes);
            ui.add_space(size::GAP_LARGE);
        }
        if view.is_blocked(id) {
            blocked_ui(ui, contact, wishes);
        } else {
            let label = words::call(contact.shown());
            let call = TextButton::new(&label, Tone::Primary).icon(icons::ICON_CALL);
            if ui.add(call).clicked() {
                wishes.push(Command::Call(id));
            }
            if let ContactId::Person(key) = id {
                ui.add_space(size::GAP_SMALL);
                let video = TextButton::new(words::call_with_video(), Tone::Quiet);
                if ui.add(video.icon(icons::ICON_VIDEOCAM)).clicked() {
                    wishes.push(Command::CallWithVideo(key));
                }
            }
        }
        if let ContactId::Person(key) = id {
            ui.add_space(size::GAP_HUGE);
            // The banner shows both keys, and nobody makes sure of who is never heard from.
            if changed.is_none() && !view.is_blocked(id) {
                sure_ui(ui, &view.own.key, key, contact, state, wishes);
            }
            ui.add_space(size::GAP_LARGE);
            seldom_ui(ui, view, key, contact, state, wishes);
        }
    });
}

/// What one does once: a nickname, to block, to remove. In one row where it fits and none of them asks.
fn seldom_ui(
    ui: &mut Ui,
    view: &View,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let block = words::block(contact.shown());
    let blocked = view.is_blocked(contact.id);
    let in_row =
        [Some(nickname::offer(contact)), (!blocked).then_some(block.as_str()), Some(words::remove())];
    let widths: Vec<f32> =
        in_row.into_iter().flatten().map(|it| TextButton::new(it, Tone::Quiet).width(ui)).collect();
    let total = widths.iter().sum::<f32>() + (widths.len() - 1) as f32 * size::GAP;
    let asks = state.naming.is_some() || state.is_asking(Question::Remove(contact.id));
    let mut all_ui = |ui: &mut Ui| {
        nickname_ui(ui, key, contact, state, wishes);
        if !blocked && ui.add(TextButton::new(&block, Tone::Quiet)).clicked() {
            wishes.push(Command::Block(key));
        }
        remove_ui(ui, contact, state, wishes);
    };
    if asks || total > ui.available_width() {
        all_ui(ui);
    } else {
        centered_row(ui, &widths, size::BUTTON, size::GAP, all_ui);
    }
}

/// Whoever is blocked is not called, but may be unblocked.
fn blocked_ui(ui: &mut Ui, contact: &ContactRow, wishes: &mut Vec<Command>) {
    let muted = palette(ui).text_muted;
    label(ui, words::blocked(contact.shown()), font::body(), muted);
    ui.add_space(size::GAP);
    let unblock = words::unblock(contact.shown());
    let unblock = TextButton::new(&unblock, Tone::Secondary).icon(icons::ICON_BLOCK);
    if let ContactId::Person(key) = contact.id
        && ui.add(unblock).clicked()
    {
        wishes.push(Command::Unblock(key));
    }
}

fn remove_ui(ui: &mut Ui, contact: &ContactRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    let question = Question::Remove(contact.id);
    let Some(since) = state.is_asked(question) else {
        if ui.add(TextButton::new(words::remove(), Tone::Quiet)).clicked() {
            state.ask(question);
        }
        return;
    };
    let (asked, yes) = (words::remove_question(contact.shown()), words::remove_yes(contact.shown()));
    match question_ui(ui, &asked, words::keep(), &yes, since) {
        Some(Answer::Yes) => {
            wishes.push(Command::RemoveContact(contact.id));
            state.go(Page::Contact(ContactId::Echo));
        }
        Some(Answer::No) => state.answered(),
        None => {}
    }
}
