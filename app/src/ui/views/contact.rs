//! The page of one contact: call them, see and compare their key, remove them.

use super::key_change::banner_ui;
use super::sentence_ui;
use crate::engine::command::Command;
use crate::engine::view::{ContactId, ContactRow, View};
use crate::storage::{KeyChange, Verified};
use crate::ui::state::{Page, Since, UiState};
use crate::ui::text::{contact as words, side, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{
    Avatar, Pill, TextButton, Tone, card, centered_row, digits, key_picture, label, page, two_lines,
};
use egui::Ui;
use egui_material_icons::icons;
use overlay::{PublicKey, identity::safety::SafetyNumber};

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
        Avatar::new(id, &contact.name, size::AVATAR_LARGE).show(ui);
        ui.add_space(size::GAP);
        label(ui, contact.name.as_str(), font::display(), colors.text);
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
            let label = words::call(&contact.name);
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
            // The banner shows both keys.
            if changed.is_none() {
                key_ui(ui, &key, contact);
                ui.add_space(size::GAP_LARGE);
                let number = state.safety_number(&view.own.key, key);
                safety_ui(ui, key, contact, &number, wishes);
            }
            ui.add_space(size::GAP_LARGE);
            if !view.is_blocked(id) {
                let block = words::block(&contact.name);
                if ui.add(TextButton::new(&block, Tone::Quiet)).clicked() {
                    wishes.push(Command::Block(key));
                }
            }
            remove_ui(ui, contact, state, wishes);
        }
    });
}

/// Whoever is blocked is not called, but may be unblocked.
fn blocked_ui(ui: &mut Ui, contact: &ContactRow, wishes: &mut Vec<Command>) {
    let muted = palette(ui).text_muted;
    label(ui, words::blocked(&contact.name), font::body(), muted);
    ui.add_space(size::GAP);
    let unblock = words::unblock(&contact.name);
    let unblock = TextButton::new(&unblock, Tone::Secondary).icon(icons::ICON_BLOCK);
    if let ContactId::Person(key) = contact.id
        && ui.add(unblock).clicked()
    {
        wishes.push(Command::Unblock(key));
    }
}

fn key_ui(ui: &mut Ui, key: &PublicKey, contact: &ContactRow) {
    card(ui, |ui| {
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
    });
}

/// The number to compare, and whether it was.
fn safety_ui(
    ui: &mut Ui,
    key: PublicKey,
    contact: &ContactRow,
    number: &SafetyNumber,
    wishes: &mut Vec<Command>,
) {
    card(ui, |ui| {
        let colors = palette(ui);
        ui.horizontal(|ui| {
            label(ui, words::safety(), font::strong(), colors.text);
            if contact.verified.is_yes() {
                let pill = Pill::new(words::verified(), colors.accent, colors.accent_tint);
                ui.add(pill.icon(icons::ICON_VERIFIED_USER));
            }
        });
        ui.add_space(size::GAP);
        digits(ui, number);
        ui.add_space(size::GAP);
        let (text, action, tone, verdict) = match contact.verified {
            Verified::Yes => {
                (words::was_compared(&contact.name), words::compare_again(), Tone::Quiet, Verified::No)
            }
            Verified::No => (words::compare(&contact.name), words::same(), Tone::Secondary, Verified::Yes),
        };
        label(ui, text, font::caption(), colors.text_muted);
        ui.add_space(size::GAP_SMALL);
        if ui.add(TextButton::new(action, tone)).clicked() {
            wishes.push(Command::SetVerified(key, verdict));
        }
    });
}

fn remove_ui(ui: &mut Ui, contact: &ContactRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    let asked = state.removing.filter(|(id, _)| *id == contact.id);
    let Some((_, since)) = asked else {
        if ui.add(TextButton::new(words::remove(), Tone::Quiet)).clicked() {
            state.removing = Some((contact.id, Since::Now));
        }
        return;
    };
    state.removing = Some((contact.id, Since::Earlier));
    let muted = palette(ui).text_muted;
    label(ui, words::remove_question(&contact.name), font::body(), muted);
    let yes = words::remove_yes(&contact.name);
    let buttons = [TextButton::new(words::keep(), Tone::Secondary), TextButton::new(&yes, Tone::Danger)];
    let widths = buttons.each_ref().map(|button| button.width(ui));
    let [keep, remove] = buttons;
    centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
        if ui.add(keep).clicked() {
            state.removing = None;
        }
        let remove = ui.add(remove);
        if since == Since::Now {
            remove.scroll_to_me(None);
        }
        if remove.clicked() {
            wishes.push(Command::RemoveContact(contact.id));
            state.go(Page::Contact(ContactId::Echo));
        }
    });
}
