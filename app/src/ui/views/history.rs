//! Past calls, newest first.

use super::question::{Answer, question_ui};
use super::{lasted_text, sentence_ui};
use crate::engine::command::Command;
use crate::engine::view::{HistoryOutcome, HistoryRow, Quality, View};
use crate::ui::state::{Card, Page, Question, UiState};
use crate::ui::text::{self, call, contact, forget, history as words, receipt, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{DetailTone, ListRow, RoundButton, TextButton, Tone, label};
use egui::{Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};
use egui_material_icons::icons;

/// The list of past calls.
pub(super) fn history_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    if view.missed > 0 {
        wishes.push(Command::SeeMissed);
    }
    if view.history.is_empty() {
        return sentence_ui(ui, "history empty", words::empty());
    }
    let margin = Margin::same(size::PAGE_MARGIN as i8);
    Frame::new().inner_margin(margin).show(ui, |ui| {
        let text = palette(ui).text;
        ui.horizontal(|ui| {
            label(ui, words::title(), font::title(), text);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let all = TextButton::new(forget::all(), Tone::Quiet).icon(icons::ICON_DELETE).low();
                if ui.add(all).clicked() {
                    state.ask(Question::ForgetCalls);
                }
            });
        });
        ui.add_space(size::GAP);
        forget_ui(ui, state, wishes);
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

/// Nothing is forgotten at one click.
fn forget_ui(ui: &mut Ui, state: &mut UiState, wishes: &mut Vec<Command>) {
    let Some(since) = state.is_asked(Question::ForgetCalls) else { return };
    match question_ui(ui, forget::question(), forget::keep(), forget::yes(), since) {
        Some(Answer::Yes) => {
            wishes.push(Command::ForgetCalls);
            state.answered();
        }
        Some(Answer::No) => state.answered(),
        None => {}
    }
    ui.add_space(size::GAP);
}

fn row_ui(ui: &mut Ui, view: &View, row: &HistoryRow, state: &mut UiState, wishes: &mut Vec<Command>) {
    let known = view.contacts.iter().any(|contact| contact.id == row.with);
    let width = ui.available_width();
    ui.allocate_ui_with_layout(vec2(width, size::ROW), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(size::ROW);
        let (icon, tone) = match row.outcome {
            HistoryOutcome::Missed => (icons::ICON_CALL_MISSED, DetailTone::Danger),
            HistoryOutcome::Received | HistoryOutcome::Refused => {
                (icons::ICON_CALL_RECEIVED, DetailTone::Muted)
            }
            _ => (icons::ICON_CALL_MADE, DetailTone::Muted),
        };
        let room = ui.available_width() - size::ROUND_SMALL - size::GAP_LARGE;
        let detail = detail(row);
        let open = receipt::open(&row.name, &detail);
        ui.scope(|ui| {
            ui.set_width(room);
            let told = ListRow::contact(row.with, &row.name, &detail).marked(icon, tone).named(&open);
            if told.show(ui).clicked() {
                state.raise(Card::Receipt(row.began));
            }
        });
        if known {
            let again = contact::call(&row.name);
            if ui.add(RoundButton::small(&again, icons::ICON_CALL)).clicked() {
                state.go(Page::Contact(row.with));
                wishes.push(Command::Call(row.with));
            }
        }
    });
}

fn detail(row: &HistoryRow) -> String {
    let mut parts = vec![text::outcome(row.outcome).to_owned(), told::when(&row.when)];
    parts.extend(lasted_text(row.lasted));
    parts.extend(row.receipt.map(|receipt| call::quality(Quality::bars_of(receipt.mos)).to_owned()));
    parts.extend(row.reply.as_ref().map(|reply| words::quoted(reply.as_str())));
    parts.join(" · ")
}
