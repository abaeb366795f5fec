//! Notices: what happened and what to do, until dismissed.

use crate::engine::command::Command;
use crate::engine::view::{Sentence, View};
use crate::ui::state::{Refused, UiState};
use crate::ui::text::{notice as words, told};
use crate::ui::theme::{font, palette, shadow, size};
use crate::ui::widgets::{RoundButton, label};
use egui::{Align2, Area, CornerRadius, Frame, Order, Stroke, Ui, vec2};
use egui_material_icons::icons;

/// The notices, newest last, in the upper right corner above everything.
pub(super) fn notices_ui(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    if view.notices.is_empty() && state.refused.is_none() {
        return;
    }
    Area::new(egui::Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_TOP, vec2(-size::GAP_LARGE, size::GAP_LARGE))
        .show(ui.ctx(), |ui| {
            ui.set_width(size::NOTICE);
            for notice in &view.notices {
                if notice_ui(ui, &told::reason(&notice.why)) {
                    wishes.push(Command::DismissNotice(notice.id));
                }
            }
            if let Some(Refused) = state.refused
                && notice_ui(ui, &told::engine_busy())
            {
                state.refused = None;
            }
        });
}

/// Draws one; true when it was dismissed.
fn notice_ui(ui: &mut Ui, notice: &Sentence) -> bool {
    let colors = palette(ui);
    Frame::new()
        .fill(colors.surface)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(size::CORNER_CARD))
        .shadow(shadow(ui))
        .inner_margin(size::NOTICE_MARGIN)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                let text_width = ui.available_width() - size::ROUND_SMALL - size::GAP;
                ui.vertical(|ui| {
                    ui.set_width(text_width);
                    ui.spacing_mut().item_spacing.y = size::LINE_GAP;
                    ui.add_space(size::GAP_SMALL);
                    label(ui, notice.message.as_str(), font::strong(), colors.text);
                    label(ui, notice.next_step.as_str(), font::caption(), colors.text_muted);
                });
                let name = words::dismiss(&notice.message);
                ui.add(RoundButton::small(&name, icons::ICON_CLOSE)).clicked()
            })
            .inner
        })
        .inner
}
