//! What a friend needs to find us: a link, also to scan.

use crate::engine::command::Command;
use crate::engine::view::{InviteView, View};
use crate::ui::state::{Copied, UiState};
use crate::ui::text::invite as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, card, label, page_from_top, qr_code};
use egui::Ui;
use egui_material_icons::icons;

/// The page.
pub(super) fn invite_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page_from_top(ui, "invite", size::COLUMN_NARROW, |ui| {
        let colors = palette(ui);
        label(ui, words::title(), font::title(), colors.text);
        label(ui, words::intro(), font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        match &view.invite {
            None => drop(label(ui, words::making(), font::body(), colors.text_muted)),
            Some(invite) => invite_card_ui(ui, invite, state),
        }
        ui.add_space(size::GAP_LARGE);
        let own_key = words::own_key(&view.own.key.fingerprint());
        label(ui, own_key, font::caption(), colors.text_muted);
        if view.own.name.is_none() {
            label(ui, words::no_name(), font::caption(), colors.text_muted);
        }
        if ui.add(TextButton::new(words::renew(), Tone::Quiet).icon(icons::ICON_REFRESH)).clicked() {
            wishes.push(Command::MakeInvite);
        }
    });
}

fn invite_card_ui(ui: &mut Ui, invite: &InviteView, state: &mut UiState) {
    let colors = palette(ui);
    if !qr_code(ui, &mut state.qr, &invite.link, words::qr()) {
        label(ui, words::too_long(), font::caption(), colors.text_muted);
    }
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let copy = TextButton::new(words::copy(), Tone::Primary).icon(icons::ICON_CONTENT_COPY).wide(width);
    if ui.add(copy).clicked() {
        ui.copy_text(invite.link.clone());
        state.copied = Some(Copied);
    }
    ui.add_space(size::GAP_SMALL);
    let message =
        TextButton::new(words::copy_message(), Tone::Secondary).icon(icons::ICON_CHAT_BUBBLE).wide(width);
    if ui.add(message).clicked() {
        ui.copy_text(words::message(&invite.link));
        state.copied = Some(Copied);
    }
    if state.copied.is_some() {
        ui.add_space(size::GAP_SMALL);
        label(ui, words::copied(), font::body(), colors.accent);
    }
    ui.add_space(size::GAP);
    card(ui, |ui| label(ui, invite.link.as_str(), font::key(), colors.text_muted));
    ui.add_space(size::GAP);
    label(ui, words::supernodes(invite.supernodes), font::caption(), colors.text_muted);
}
