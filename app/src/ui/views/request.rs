//! A request: somebody who is no contact tried to call. It never rings; a notice says so once, and leads to its page.

use super::notices::notice_frame;
use super::sentence_ui;
use crate::desktop::short_name;
use crate::engine::command::Command;
use crate::engine::view::{Attempt, ContactId, RequestRow, View};
use crate::ui::state::{FirstRun, Page, UiState};
use crate::ui::text::{notice, request as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{
    Avatar, RoundButton, TextButton, Tone, card, centered_row, key_picture, label, page, two_lines,
};
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
    if !state.met.contains(&key) {
        state.met.push(key);
    }
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

/// Those of whom the person does not know yet; nobody is told of them in a call or before there are pages.
fn news<'a>(view: &'a View, state: &UiState) -> impl Iterator<Item = &'a RequestRow> {
    let pages = view.call.is_none() && state.first_run == FirstRun::Closed;
    let met = state.met.clone();
    view.requests.iter().filter(move |request| pages && !met.contains(&request.key))
}

/// Whether there is such a notice.
pub(super) fn is_news(view: &View, state: &UiState) -> bool {
    news(view, state).next().is_some()
}

/// The notice about them, where there is one; it stays until somebody looks or dismisses it.
pub(super) fn news_ui(ui: &mut Ui, view: &View, state: &mut UiState) {
    let (last, count) = news(view, state).fold((None, 0), |(_, count), request| (Some(request), count + 1));
    let Some(request) = last else { return };
    let name = short_name(&request.name);
    let message = match (count, request.attempt) {
        (1, Attempt::Past) => words::wants(&name),
        (1, Attempt::Now) => words::calling(&name),
        _ => words::want(&name, count - 1),
    };
    let colors = palette(ui);
    let (looked, dismissed) = notice_frame(ui, |ui| {
        ui.horizontal_top(|ui| {
            Avatar::new(ContactId::Person(request.key), &request.name, size::AVATAR).show(ui);
            ui.add_space(size::GAP_SMALL);
            let text_width = ui.available_width() - size::ROUND_SMALL - size::GAP;
            let looked = ui.vertical(|ui| {
                ui.set_width(text_width);
                ui.spacing_mut().item_spacing.y = size::LINE_GAP;
                label(ui, message.as_str(), font::strong(), colors.text);
                label(ui, words::stranger(), font::caption(), colors.text_muted);
                ui.add_space(size::GAP_SMALL);
                ui.add(TextButton::new(words::look(), Tone::Primary).low()).clicked()
            });
            let dismiss = notice::dismiss(&message);
            (looked.inner, ui.add(RoundButton::small(&dismiss, icons::ICON_CLOSE)).clicked())
        })
        .inner
    });
    if looked {
        state.go(Page::Request(request.key));
    }
    if looked || dismissed {
        state.meet(view);
    }
}
