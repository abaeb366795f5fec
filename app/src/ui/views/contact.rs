//! The page of one contact: call them, be sure that it is them, give them a nickname, remove them.

mod nickname;
mod sure;

use super::key_change::banner_ui;
use super::question::{Answer, question_ui};
use super::sentence_ui;
use crate::engine::command::Command;
use crate::engine::view::{ContactId, ContactRow, View};
use crate::storage::KeyChange;
use crate::ui::state::{Page, Question, Since, UiState};
use crate::ui::text::{contact as words, side, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, TextButton, Tone, centered_flow, label, name, page};
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
    let low = ui.available_height() < size::LOW_WINDOW;
    page(ui, "contact", size::COLUMN, |ui| {
        let avatar = if low { size::AVATAR_CALL_LOW } else { size::AVATAR_LARGE };
        let avatar = Avatar::new(id, contact.shown(), avatar).show(ui);
        if state.naming.as_ref().is_some_and(|naming| naming.since == Since::Now) {
            // What offered the field may be far below it.
            ui.scroll_to_rect(avatar.rect.expand(size::PAGE_MARGIN), None);
        }
        ui.add_space(size::GAP);
        head_ui(ui, view, contact, state, wishes);
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
            call_ui(ui, contact, wishes);
        }
        if let ContactId::Person(key) = id {
            ui.add_space(size::GAP_LARGE);
            // The banner shows both keys, and nobody makes sure of who is never heard from.
            if changed.is_none() && !view.is_blocked(id) {
                sure_ui(ui, &view.own.key, key, contact, state, wishes);
            }
            ui.add_space(size::GAP);
            seldom_ui(ui, view, key, contact, state, wishes);
        }
    });
}

/// Who it is, or the field in which they get a nickname, and when there was a call.
fn head_ui(ui: &mut Ui, view: &View, contact: &ContactRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    match contact.id {
        ContactId::Person(key) if state.is_naming(key) => {
            return nickname_ui(ui, key, contact, state, wishes);
        }
        ContactId::Person(_) | ContactId::Echo => {}
    }
    name(ui, contact.shown());
    if contact.nickname.is_some() {
        label(ui, contact.name.as_str(), font::body(), colors.text_muted);
    }
    match (contact.id, &contact.last_call) {
        (ContactId::Echo, _) => {
            ui.scope(|ui| {
                ui.set_max_width(size::COLUMN_NARROW);
                if view.history.is_empty() {
                    label(ui, words::first_call(), font::strong(), colors.accent);
                }
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
}

/// Both ways of calling, side by side where there is room.
fn call_ui(ui: &mut Ui, contact: &ContactRow, wishes: &mut Vec<Command>) {
    let voice = words::call(contact.shown());
    let voice = || TextButton::new(&voice, Tone::Primary).icon(icons::ICON_CALL);
    let ContactId::Person(key) = contact.id else {
        if ui.add(voice()).clicked() {
            wishes.push(Command::Call(contact.id));
        }
        return;
    };
    let video = || TextButton::new(words::call_with_video(), Tone::Secondary).icon(icons::ICON_VIDEOCAM);
    let widths = [voice().width(ui), video().width(ui)];
    centered_flow(ui, &widths, size::BUTTON, size::GAP, |ui, nth| {
        if nth == 0 && ui.add(voice()).clicked() {
            wishes.push(Command::Call(contact.id));
        }
        if nth == 1 && ui.add(video()).clicked() {
            wishes.push(Command::CallWithVideo(key));
        }
    });
}

/// What one does once: a nickname, to block, to remove. Nothing of it while one of them asks.
fn seldom_ui(
    ui: &mut Ui,
    view: &View,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let question = Question::Remove(contact.id);
    if let Some(since) = state.is_asked(question) {
        return removing_ui(ui, contact, since, state, wishes);
    }
    if state.is_naming(key) {
        return;
    }
    let block = words::block(contact.shown());
    let blocked = view.is_blocked(contact.id);
    let offers = [
        Some((nickname::offer(contact), Seldom::Name)),
        (!blocked).then_some((block.as_str(), Seldom::Block)),
        Some((words::remove(), Seldom::Remove)),
    ];
    let offers: Vec<_> = offers.into_iter().flatten().collect();
    let button = |text| TextButton::new(text, Tone::Quiet);
    let widths: Vec<f32> = offers.iter().map(|(text, _)| button(*text).width(ui)).collect();
    centered_flow(ui, &widths, size::BUTTON, size::GAP, |ui, nth| {
        let Some((text, seldom)) = offers.get(nth) else { return };
        if !ui.add(button(*text)).clicked() {
            return;
        }
        match seldom {
            Seldom::Name => state.naming = Some(nickname::begin(key, contact)),
            Seldom::Block => wishes.push(Command::Block(key)),
            Seldom::Remove => state.ask(question),
        }
    });
}

/// Something that one does once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seldom {
    Name,
    Block,
    Remove,
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

fn removing_ui(
    ui: &mut Ui,
    contact: &ContactRow,
    since: Since,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
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
