//! The one widget set of the window. Each widget paints itself from the design tokens, carries a role and a label
//! for AccessKit, and shows its own focus ring and hover.

mod avatar;
mod button;
mod indicator;
mod layout;
mod list_row;

pub(super) use avatar::{Avatar, key_picture};
pub(super) use button::{RoundButton, TextButton, Tone};
pub(super) use indicator::{LevelMeter, Pill, QualityBars};
pub(super) use layout::{card, centered_column, centered_row, page};
pub(super) use list_row::ListRow;

use super::theme::{palette, size};
use egui::{Color32, FontId, Galley, Label, Rect, Response, RichText, Stroke, StrokeKind, TextWrapMode, Ui};
use std::sync::Arc;

/// Text that wraps, in a font and colour of the theme.
pub(super) fn label(ui: &mut Ui, text: impl Into<String>, font: FontId, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(font).color(color)).wrap_mode(TextWrapMode::Wrap))
}

/// Text on one line, shortened with an ellipsis where it does not fit.
pub(super) fn line(ui: &mut Ui, text: impl Into<String>, font: FontId, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(font).color(color)).truncate())
}

/// One line of text for painting, shortened with an ellipsis to `width`.
fn elided(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// The width of one line of text.
fn text_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER).size().x
}

/// Shows where the keyboard is.
fn focus_ring(ui: &Ui, response: &Response, rect: Rect, corner: f32) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect.expand(size::FOCUS_GAP),
            corner + size::FOCUS_GAP,
            Stroke::new(size::FOCUS_RING, palette(ui).accent),
            StrokeKind::Outside,
        );
    }
}
