//! Past calls, newest first.

use super::{lasted_text, sentence_ui};
use crate::engine::command::Command;
use crate::engine::view::{HistoryOutcome, HistoryRow, Quality, View};
use crate::ui::state::{Card, Page, UiState};
use crate::ui::text::{self, call, contact, history as words, receipt, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, RoundButton, label, line};
use egui::{Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};
use egui_material_icons::{MaterialIcon, icons};

/// The list of past calls.
pub(super) fn history_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    if view.history.is_empty() {
        return sentence_ui(ui, "history empty", words::empty());
    }
    let margin = Margin::same(size::PAGE_MARGIN as i8);
    Frame::new().inner_margin(margin).show(ui, |ui| {
        let text = palette(ui).text;
        label(ui, words::title(), font::title(), text);
        ui.add_space(size::GAP);
        ScrollArea::vertical().id_salt("history").auto_shrink([false, false]).show_rows(
            ui,
            size::ROW,
            view.history.len(),
            |ui, shown| {
                for row in view.history.get(shown).unwrap_or_default() {
                    row_ui(ui, view, row, state, wishes);
                }
            },
        );
    });
}

fn row_ui(ui: &mut Ui, view: &View, row: &HistoryRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    let known = view.contacts.iter().any(|contact| contact.id == row.with);
    let width = ui.available_width();
    ui.allocate_ui_with_layout(vec2(width, size::ROW), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(size::ROW);
        let (icon, ink) = match row.outcome {
            HistoryOutcome::Missed => (icons::ICON_CALL_MISSED, colors.danger),
            HistoryOutcome::Received => (icons::ICON_CALL_RECEIVED, colors.text_muted),
            HistoryOutcome::Placed => (icons::ICON_CALL_MADE, colors.text_muted),
            HistoryOutcome::Unanswered => (icons::ICON_CALL_MADE, colors.text_muted),
        };
        Avatar::new(row.with, &row.name, size::AVATAR).show(ui);
        ui.add_space(size::GAP_SMALL);
        let buttons = 2.0 * size::ROUND_SMALL + size::GAP;
        let room = (ui.available_width() - buttons - size::GAP_LARGE).max(0.0);
        ui.allocate_ui_with_layout(vec2(room, size::ROW), Layout::top_down(Align::Min), |ui| {
            ui.set_width(room);
            ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::LINE_GAP);
            ui.spacing_mut().interact_size.y = 0.0;
            ui.add_space((size::ROW - size::TWO_LINES) / 2.0);
            line(ui, row.name.as_str(), font::strong(), colors.text);
            ui.horizontal(|ui| {
                direction(ui, icon, ink);
                line(ui, detail(row), font::caption(), ink);
            });
        });
        if row.lasted.is_some() {
            let open = receipt::open(&row.name, &told::when(&row.when));
            if ui.add(RoundButton::small(&open, icons::ICON_RECEIPT_LONG)).clicked() {
                state.raise(Card::Receipt(row.began));
            }
        } else {
            ui.add_space(size::ROUND_SMALL + size::GAP);
        }
        if known {
            let again = contact::call(&row.name);
            if ui.add(RoundButton::small(&again, icons::ICON_CALL)).clicked() {
                state.go(Page::Contact(row.with));
                wishes.push(Command::Call(row.with));
            }
        }
    });
}

fn direction(ui: &mut Ui, icon: MaterialIcon, ink: egui::Color32) {
    ui.label(icon.rich_text().size(font::ICON_SMALL).color(ink));
}

fn detail(row: &HistoryRow) -> String {
    let mut parts = vec![text::outcome(row.outcome).to_owned(), told::when(&row.when)];
    parts.extend(lasted_text(row.lasted));
    parts.extend(row.receipt.map(|receipt| call::quality(Quality::bars_of(receipt.mos)).to_owned()));
    parts.join(" · ")
}
