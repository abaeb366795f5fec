//! A card above everything else; one at a time. Escape, or a press beside it, takes it away. What a call needs at any moment
//! stands below it: the microphone and hanging up.

use super::{declining, devices, quit, receipt, sharing, verify};
use crate::engine::command::Command;
use crate::engine::view::{CallPhase, CallView, HistoryRow, View};
use crate::ui::command::UiCommand;
use crate::ui::state::{Card, Since, UiState};
use crate::ui::theme::{palette, shadow, size};
use crate::ui::widgets::{TextButton, Tone};
use egui::{Context, CornerRadius, Frame, Id, Key, Margin, Modal, Modifiers, Stroke, Ui};

/// What becomes of a card that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stays up.
    Stay,
    /// It goes away.
    Close,
}

/// The card, while it is up and makes sense.
pub(super) fn card_ui(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let Some((card, since)) = state.card else { return };
    let Some(about) = about(card, view) else {
        state.card = None;
        return;
    };
    state.card = Some((card, Since::Earlier));
    let colors = palette(ui);
    let frame = Frame::new()
        .fill(colors.panel)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(size::CORNER_CARD))
        .shadow(shadow(ui))
        .inner_margin(Margin::same(size::CARD_MARGIN as i8));
    let modal = Modal::new(Id::unique("card").with(card)).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(size::COLUMN_NARROW);
        let outcome = match about {
            About::Decline(call) => declining::replies_ui(ui, call, state, since, wishes),
            About::Sharing(call) => sharing::choices_ui(ui, call, since, wishes),
            About::Devices => devices::card_ui(ui, view, state, since, wishes),
            About::Verify(call) => verify::words_ui(ui, view, call, state, since, wishes),
            About::Differ(call) => verify::differ_ui(ui, call, state, since, wishes),
            About::Quit(call) => quit::question_ui(ui, call, state, since),
            About::Receipt(row) => receipt::card_ui(ui, view, row, since, wishes),
        };
        if let Some(call) = view.call.as_ref().filter(|call| call.phase != CallPhase::Incoming) {
            // Two of them hang up by themselves.
            let ends = !matches!(card, Card::Differ | Card::Quit);
            let actions = [Some(UiCommand::muting(call)), ends.then(|| UiCommand::ending(call))];
            call_ui(ui, actions.into_iter().flatten().collect(), state, wishes);
        }
        outcome
    });
    if modal.inner == Outcome::Close || modal.backdrop_response.clicked() {
        state.card = None;
    }
}

/// What a call needs at any moment.
fn call_ui(ui: &mut Ui, actions: Vec<UiCommand>, state: &mut UiState, wishes: &mut Vec<Command>) {
    ui.add_space(size::GAP);
    ui.separator();
    ui.columns(actions.len(), |columns| {
        for (ui, action) in columns.iter_mut().zip(actions) {
            let tone = match action {
                UiCommand::Unmute => Tone::Engaged,
                UiCommand::HangUp | UiCommand::Cancel => Tone::Danger,
                _ => Tone::Secondary,
            };
            let width = ui.available_width();
            let button = TextButton::new(action.label(), tone).icon(action.icon()).low().wide(width);
            let tip = action.tip(ui.ctx());
            if ui.add(button).on_hover_text(tip).clicked() {
                action.perform(ui.ctx(), state, wishes);
            }
        }
    });
}

/// Escape takes the card away, and does nothing else then.
pub(super) fn leave_by_key(ctx: &Context, state: &mut UiState) {
    if matches!(state.card, Some((_, Since::Earlier)))
        && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
    {
        state.card = None;
    }
}

/// What a card is about.
enum About<'a> {
    Decline(&'a CallView),
    Sharing(&'a CallView),
    Devices,
    Verify(&'a CallView),
    Differ(&'a CallView),
    Quit(&'a CallView),
    Receipt(&'a HistoryRow),
}

/// Nothing where it is no more.
fn about(card: Card, view: &View) -> Option<About<'_>> {
    let call = view.call.as_ref();
    let talk = call.filter(|call| call.phase.is_talk());
    match card {
        Card::Decline => call
            .filter(|call| call.phase == CallPhase::Incoming)
            .filter(|call| UiCommand::receiving(view, call).contains(&UiCommand::DeclineWith))
            .map(About::Decline),
        Card::Sharing => {
            call.filter(|call| UiCommand::sharing(call) == Some(UiCommand::Share)).map(About::Sharing)
        }
        Card::Devices => call.filter(|call| call.phase.is_ours()).map(|_| About::Devices),
        Card::Verify => call.filter(|call| UiCommand::verifying(view, call).is_some()).map(About::Verify),
        Card::Differ => call.filter(|call| UiCommand::verifying(view, call).is_some()).map(About::Differ),
        Card::Quit => talk.map(About::Quit),
        Card::Receipt(began) if call.is_none() => {
            view.history.iter().find(|row| row.began == began).map(About::Receipt)
        }
        Card::Receipt(_) => None,
    }
}
