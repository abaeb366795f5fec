//! A request: somebody who is no contact tried to call.

use super::sentence_ui;
use crate::engine::command::Command;
use crate::engine::view::{Attempt, ContactId, View};
use crate::ui::state::{Page, UiState};
use crate::ui::text::request as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, TextButton, Tone, card, centered_row, key_picture, label, page, two_lines};
use egui::Ui;
use egui_material_icons::icons;
use overlay::PublicKey;

/// The page of the request made by `key`.
pub(super) fn request_ui(
    ui: &mut Ui,
    view: &View,
    key: PublicKey,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let Some(request) = view.requests.iter().find(|request| request.key == key) else {
        return sentence_ui(ui, "request gone", words::gone());
    };
    page(ui, "request", size::COLUMN, |ui| {
        let colors = palette(ui);
        Avatar::new(ContactId::Person(key), &request.name, size::AVATAR_LARGE).show(ui);
        ui.add_space(size::GAP);
        let (title, text) = match request.attempt {
            Attempt::Past => (words::title(&request.name), words::text()),
            Attempt::Now => (words::calling(&request.name), words::calling_text()),
        };
        label(ui, title, font::title(), colors.text);
        label(ui, text, font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            ui.horizontal(|ui| {
                key_picture(ui, &key, size::KEY_PICTURE);
                ui.add_space(size::GAP_SMALL);
                let heading = (crate::ui::text::contact::fingerprint(), font::strong(), colors.text);
                let fingerprint = (request.fingerprint.as_str(), font::key(), colors.text_muted);
                two_lines(ui, size::KEY_PICTURE, heading, fingerprint);
            });
        });
        ui.add_space(size::GAP_LARGE);
        let buttons = [
            TextButton::new(words::decline(), Tone::Secondary),
            TextButton::new(words::accept(), Tone::Primary).icon(icons::ICON_PERSON_ADD),
        ];
        let widths = buttons.each_ref().map(|button| button.width(ui));
        let [decline, accept] = buttons;
        centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
            if ui.add(decline).clicked() {
                wishes.push(Command::DeclineRequest(key));
                state.go(Page::Contact(ContactId::Echo));
            }
            if ui.add(accept).clicked() {
                wishes.push(Command::AcceptRequest(key));
                state.go(Page::Contact(ContactId::Person(key)));
            }
        });
        ui.add_space(size::GAP);
        let block = crate::ui::text::contact::block(&request.name);
        if ui.add(TextButton::new(&block, Tone::Quiet)).clicked() {
            wishes.push(Command::Block(key));
            state.go(Page::Contact(ContactId::Echo));
        }
    });
}
