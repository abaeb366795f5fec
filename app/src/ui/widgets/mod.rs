//! The one widget set of the window. Each widget paints itself from the design tokens, carries a role and a label
//! for AccessKit, and shows its own focus ring and hover.

mod avatar;
mod button;
mod indicator;
mod layout;
mod list_row;
mod nat_picture;
mod picture;
mod plot;
mod qr;
mod ring_map;
mod secret;
mod slider;
mod tab;

pub(super) use avatar::{Avatar, key_picture};
pub(super) use button::{RoundButton, TextButton, Tone, plain_button};
pub(super) use indicator::{LevelMeter, Pill, QualityBars};
pub(super) use layout::{
    Arrival, arrive, card, centered_column, centered_flow, centered_row, danger_card, page, page_from_top,
};
pub(super) use list_row::{DetailTone, ListRow};
pub(super) use nat_picture::{NatWords, nat_picture};
pub(super) use picture::{Facing, Picture};
pub(super) use plot::Plot;
pub(super) use qr::{Qr, qr_code};
pub(super) use ring_map::{Mark, Spot, legend_item, mark_ui, ring_map};
pub(super) use secret::Secret;
pub(super) use slider::slider;
pub(super) use tab::Tab;

use super::theme::{font, palette, size};
use egui::{
    Align, Color32, FontId, Galley, Label, Layout, Rect, Response, RichText, Stroke, StrokeKind,
    TextWrapMode, Ui, Vec2, vec2,
};
use overlay::identity::safety::SafetyNumber;
use std::sync::Arc;

/// Text that wraps, in a font and colour of the theme.
pub(super) fn label(ui: &mut Ui, text: impl Into<String>, font: FontId, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(font).color(color)).wrap_mode(TextWrapMode::Wrap))
}

/// What somebody is called, at the top of a page or a call: as large as one line allows.
pub(super) fn name(ui: &mut Ui, name: &str) -> Response {
    let fits = text_width(ui, name, font::display()) <= ui.available_width();
    let text = palette(ui).text;
    label(ui, name, if fits { font::display() } else { font::title() }, text)
}

/// A figure below what it is called, in a column of this width.
pub(super) fn figure(ui: &mut Ui, width: f32, title: &str, value: &str) {
    let colors = palette(ui);
    ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = size::LINE_GAP;
        label(ui, title, font::caption(), colors.text_muted);
        label(ui, value, font::strong(), colors.text);
    });
}

/// Text on one line, shortened with an ellipsis where it does not fit.
pub(super) fn line(ui: &mut Ui, text: impl Into<String>, font: FontId, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(font).color(color)).truncate())
}

/// The digits of a safety number, to be read aloud.
pub(super) fn digits(ui: &mut Ui, number: &SafetyNumber) {
    let ink = palette(ui).text;
    for groups in number.groups().chunks(GROUPS_A_LINE) {
        label(ui, groups.join("   "), font::digits(), ink);
    }
}

/// Groups of digits in one line of a safety number.
const GROUPS_A_LINE: usize = 4;

/// Two lines, centred in `height` as one block; the response of the second.
pub(super) fn two_lines(
    ui: &mut Ui,
    height: f32,
    first: (&str, FontId, Color32),
    second: (&str, FontId, Color32),
) -> Response {
    let block = [&first, &second].map(|(text, font, _)| text_size(ui, text, font.clone()).y);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = size::LINE_GAP;
        ui.add_space(((height - block[0] - size::LINE_GAP - block[1]) / 2.0).max(0.0).round());
        line(ui, first.0, first.1, first.2);
        line(ui, second.0, second.1, second.2)
    })
    .inner
}

/// One line of text for painting, shortened with an ellipsis to `width`.
fn elided(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// Text for painting that wraps, on at most so many lines; what does not fit then is an ellipsis.
fn wrapped(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32, rows: usize) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::simple(text.to_owned(), font, color, width);
    job.wrap.max_rows = rows;
    ui.painter().layout_job(job)
}

/// The width of one line of text.
pub(super) fn text_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    text_size(ui, text, font).x
}

fn text_size(ui: &Ui, text: &str, font: FontId) -> Vec2 {
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER).size()
}

/// Notes whether the person last used the keyboard (or a screen reader) or the pointer; call once per frame.
pub(super) fn note_input(ctx: &egui::Context) {
    let keyboard = ctx.input(|input| {
        let pointer = input.pointer.any_pressed();
        let keys = input.events.iter().any(|event| {
            matches!(event, egui::Event::Key { pressed: true, .. } | egui::Event::AccessKitActionRequest(_))
        });
        (pointer || keys).then_some(keys)
    });
    if let Some(keyboard) = keyboard {
        ctx.data_mut(|data| data.insert_temp(keyboard_id(), keyboard));
    }
}

fn keyboard_id() -> egui::Id {
    egui::Id::unique("keyboard was used last")
}

/// Shows where the keyboard is, for those who use it; what it comes to is brought into sight.
fn focus_ring(ui: &Ui, response: &Response, rect: Rect, corner: f32) {
    let keyboard = ui.data(|data| data.get_temp(keyboard_id())).unwrap_or(true);
    if keyboard && response.gained_focus() {
        response.scroll_to_me(None);
    }
    if keyboard && response.has_focus() {
        ui.painter().rect_stroke(
            rect.expand(size::FOCUS_GAP),
            corner + size::FOCUS_GAP,
            Stroke::new(size::FOCUS_RING, palette(ui).accent),
            StrokeKind::Outside,
        );
    }
}
