//! What a call was like: below a call that is over, and on a card over the list of past calls.

use super::card::Outcome;
use super::declining::quotation_ui;
use crate::call::Receipt;
use crate::engine::command::Command;
use crate::engine::view::{HistoryOutcome, HistoryRow, Quality, View};
use crate::ui::state::Since;
use crate::ui::text::receipt as words;
use crate::ui::text::{self, announce, call, forget, history as past, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, figure, label};
use egui::Ui;
use egui_material_icons::icons;

/// Figures side by side.
const A_LINE: usize = 3;

/// The card of a past call.
pub(super) fn card_ui(
    ui: &mut Ui,
    view: &View,
    row: &HistoryRow,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    let colors = palette(ui);
    label(ui, words::title(&row.name), font::title(), colors.text);
    label(ui, told::when(&row.when), font::caption(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
    match &row.receipt {
        Some(receipt) => receipt_ui(ui, receipt, Figures::All),
        None => {
            let why = if row.lasted.is_some() { words::none() } else { text::outcome(row.outcome) };
            label(ui, why, font::body(), colors.text_muted);
        }
    }
    if let Some(reply) = &row.reply {
        ui.add_space(size::GAP_LARGE);
        quotation_ui(ui, &row.name, reply);
    }
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let known = view.contacts.iter().any(|contact| contact.id == row.with) && !view.is_blocked(row.with);
    let mut calls = false;
    if known {
        let call = if row.outcome == HistoryOutcome::Missed { announce::call_back() } else { past::call() };
        let call = TextButton::new(call, Tone::Primary).icon(icons::ICON_CALL).wide(width);
        calls = ui.add(call).clicked();
        ui.add_space(size::GAP_SMALL);
    }
    if calls {
        wishes.push(Command::Call(row.with));
    }
    let close = ui.add(TextButton::new(words::close(), Tone::Secondary).wide(width));
    if since == Since::Now {
        close.request_focus();
    }
    ui.add_space(size::GAP_SMALL);
    let forget = TextButton::new(forget::one(), Tone::Quiet).icon(icons::ICON_DELETE).wide(width);
    let forget = ui.add(forget).clicked();
    if forget {
        wishes.push(Command::ForgetCall { with: row.with, began: row.began });
    }
    if calls || forget || close.clicked() { Outcome::Close } else { Outcome::Stay }
}

/// How many figures there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figures {
    /// One line of them.
    First,
    /// All.
    All,
}

/// Its figures.
pub(super) fn receipt_ui(ui: &mut Ui, receipt: &Receipt, most: Figures) {
    let mut figures = figures(receipt);
    if most == Figures::First {
        figures.truncate(A_LINE);
    }
    let width = (ui.available_width() - (A_LINE - 1) as f32 * size::GAP) / A_LINE as f32;
    for (nth, line) in figures.chunks(A_LINE).enumerate() {
        if nth > 0 {
            ui.add_space(size::GAP);
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = size::GAP;
            for (title, value) in line {
                figure(ui, width, title, value);
            }
        });
    }
}

/// What each figure is called, and the figure.
fn figures(receipt: &Receipt) -> Vec<(&'static str, String)> {
    let heard = |mos| call::quality(Quality::bars_of(mos)).to_owned();
    let mut figures = vec![
        (words::sound(), heard(receipt.mos)),
        (words::worst(), heard(receipt.worst_mos)),
        (words::path(), words::path_taken(receipt.path).to_owned()),
        (words::delay(), words::in_milliseconds(receipt.mouth_to_ear)),
        (words::lost(), words::in_percent(receipt.lost_or_late())),
        (words::made_up(), words::in_seconds(receipt.made_up)),
    ];
    if let Some(pictures) = receipt.pictures {
        figures.push((words::pictures(), words::lines(pictures.height)));
        figures.push((words::rate(), words::a_second(pictures.frame_rate)));
        figures.push((words::frozen(), words::in_seconds(pictures.frozen)));
    }
    figures
}
