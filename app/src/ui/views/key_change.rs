//! The name of a contact belongs to another key: what that means, and which of the two the person trusts.

use crate::engine::command::Command;
use crate::engine::view::{ContactId, ContactRow};
use crate::storage::KeyChange;
use crate::ui::state::{Page, Trusting, UiState};
use crate::ui::text::key_change as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, danger_card, digits, key_picture, label, two_lines};
use egui::Ui;
use egui_material_icons::icons;
use overlay::PublicKey;

/// In the place of the contact's key, until the person has decided.
pub(super) fn banner_ui(
    ui: &mut Ui,
    own: &PublicKey,
    contact: &ContactRow,
    change: KeyChange,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    danger_card(ui, |ui| {
        let colors = palette(ui);
        ui.horizontal_top(|ui| {
            ui.label(icons::ICON_WARNING.rich_text().size(font::ICON).color(colors.danger));
            label(ui, words::title(&contact.name), font::strong(), colors.danger);
        });
        ui.add_space(size::GAP);
        label(ui, words::text(&contact.name), font::body(), colors.text);
        ui.add_space(size::GAP);
        for (title, key) in [(words::pinned(), &change.pinned), (words::found(), &change.found)] {
            ui.horizontal(|ui| {
                key_picture(ui, key, size::KEY_PICTURE);
                ui.add_space(size::GAP_SMALL);
                let fingerprint = key.fingerprint();
                let below = (fingerprint.as_str(), font::key(), colors.text_muted);
                two_lines(ui, size::KEY_PICTURE, (title, font::strong(), colors.text), below);
            });
            ui.add_space(size::GAP);
        }
        label(ui, words::meaning(), font::body(), colors.text);
        ui.add_space(size::GAP_LARGE);
        if ui.add(TextButton::new(words::keep(), Tone::Primary)).clicked() {
            wishes.push(Command::KeepKey(change.pinned));
            state.trusting = None;
        }
        ui.add_space(size::GAP_SMALL);
        trust_ui(ui, own, contact, change, state, wishes);
    });
}

/// Nobody trusts a new key without having compared it.
fn trust_ui(
    ui: &mut Ui,
    own: &PublicKey,
    contact: &ContactRow,
    change: KeyChange,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let colors = palette(ui);
    // What was compared with one key says nothing of another.
    let Some(trusting) = state.trusting.filter(|trusting| trusting.found == change.found) else {
        if ui.add(TextButton::new(words::trust(), Tone::Secondary)).clicked() {
            state.trusting = Some(Trusting { found: change.found, compared: false });
        }
        return;
    };
    ui.add_space(size::GAP);
    label(ui, words::number(&contact.name), font::body(), colors.text);
    ui.add_space(size::GAP);
    digits(ui, &state.safety_number(own, change.found));
    ui.add_space(size::GAP);
    let icon = match trusting.compared {
        true => icons::ICON_CHECK_BOX,
        false => icons::ICON_CHECK_BOX_OUTLINE_BLANK,
    };
    let said = words::compared(&contact.name);
    if ListRow::link(icon, &said).selected(trusting.compared).show(ui).clicked() {
        state.trusting = Some(Trusting { compared: !trusting.compared, ..trusting });
    }
    ui.add_space(size::GAP_SMALL);
    let trust = TextButton::new(words::trust_now(), Tone::Danger);
    if ui.add_enabled_ui(trusting.compared, |ui| ui.add(trust)).inner.clicked() {
        wishes.push(Command::TrustKey(change));
        state.go(Page::Contact(ContactId::Person(change.found)));
    }
}
