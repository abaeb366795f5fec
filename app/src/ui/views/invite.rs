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
    page_from_top(ui, "invite", size::COLUMN_WIDE, |ui| {
        let colors = palette(ui);
        label(ui, words::title(), font::title(), colors.text);
        label(ui, words::intro(), font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        match &view.invite {
            None => drop(label(ui, words::making(), font::body(), colors.text_muted)),
            Some(invite) => card(ui, |ui| invite_card_ui(ui, invite, state)),
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

/// The code beside what copies the link; above it where the window is narrow.
fn invite_card_ui(ui: &mut Ui, invite: &InviteView, state: &mut UiState) {
    if ui.available_width() < size::QR + size::GAP_LARGE + size::COLUMN_BESIDE {
        ui.vertical_centered(|ui| code_ui(ui, invite, state));
        ui.add_space(size::GAP_LARGE);
        return link_ui(ui, invite, state);
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = size::GAP_LARGE;
        code_ui(ui, invite, state);
        ui.vertical(|ui| link_ui(ui, invite, state));
    });
}

fn code_ui(ui: &mut Ui, invite: &InviteView, state: &mut UiState) {
    if !qr_code(ui, &mut state.qr, &invite.link, words::qr()) {
        label(ui, words::too_long(), font::caption(), palette(ui).text_muted);
    }
}

/// The link, in short, and what copies it.
fn link_ui(ui: &mut Ui, invite: &InviteView, state: &mut UiState) {
    let colors = palette(ui);
    ui.spacing_mut().item_spacing.y = size::GAP;
    let width = ui.available_width();
    let copy = TextButton::new(words::copy(), Tone::Primary).icon(icons::ICON_CONTENT_COPY).wide(width);
    if ui.add(copy).clicked() {
        ui.copy_text(invite.link.clone());
        state.copied = Some(Copied);
    }
    let message =
        TextButton::new(words::copy_message(), Tone::Secondary).icon(icons::ICON_CHAT_BUBBLE).wide(width);
    if ui.add(message).clicked() {
        ui.copy_text(words::message(&invite.link));
        state.copied = Some(Copied);
    }
    ui.add_space(size::GAP_SMALL);
    label(ui, in_short(&invite.link), font::key(), colors.text_muted);
    label(ui, words::supernodes(invite.supernodes), font::caption(), colors.text_muted);
    if state.copied.is_some() {
        label(ui, words::copied(), font::body(), colors.accent);
    }
}

/// Enough of a link to tell it from another one: nobody reads the rest of it.
fn in_short(link: &str) -> String {
    let letters: Vec<char> = link.chars().collect();
    match (letters.get(..BEGINNING), letters.len().checked_sub(END).and_then(|end| letters.get(end..))) {
        (Some(beginning), Some(end)) if letters.len() > BEGINNING + END => {
            beginning.iter().chain(['…'].iter()).chain(end).collect()
        }
        _ => link.to_owned(),
    }
}

/// Letters of a long link that are shown.
const BEGINNING: usize = 24;
const END: usize = 8;
