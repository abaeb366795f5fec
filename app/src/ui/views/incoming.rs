//! A call that rings here.

use super::places::Places;
use crate::call::CallKind;
use crate::engine::command::Command;
use crate::engine::view::{CallView, View};
use crate::ui::command::UiCommand;
use crate::ui::state::UiState;
use crate::ui::text::call as words;
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{Avatar, RoundButton, Tone, centered_row, label, name};
use egui::Ui;

/// Accept, seen or not where the caller is, or decline, with or without a reply. Enter accepts because the last button has the keyboard, but only if
/// nobody was typing when the call came in; Tab leads to the others.
pub(super) fn incoming_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let typing = ui.ctx().text_edit_focused();
    ui.ctx().request_repaint_after(pace::RINGING);
    let avatar = Avatar::in_call(ui, call.with, &call.name);
    let places = Places::of(ui.available_rect_before_wrap());
    places.above_ui(ui, "incoming", |ui| {
        let muted = palette(ui).text_muted;
        let time = ui.input(|input| input.time);
        avatar.ringing(time).show(ui);
        name(ui, &call.name);
        let calls = match call.kind {
            CallKind::Voice => words::incoming(),
            CallKind::Video => words::incoming_video(),
        };
        label(ui, calls, font::lead(), muted);
    });
    state.occupied.controls = Some(places.controls.top());
    places.controls_ui(ui, |ui| {
        let actions = UiCommand::receiving(view, call);
        let cell = RoundButton::cell(ui, actions.iter().map(|action| action.label()));
        centered_row(ui, &vec![cell.x; actions.len()], cell.y, size::GAP_HUGE, |ui| {
            for action in actions {
                let wanted = matches!(action, UiCommand::Answer | UiCommand::AnswerWithVideo);
                let tone = match action {
                    UiCommand::Decline => Tone::Danger,
                    UiCommand::AnswerWithoutVideo | UiCommand::DeclineWith => Tone::Secondary,
                    _ => Tone::Primary,
                };
                let tip = action.tip(ui.ctx());
                let button = ui.add(RoundButton::large(action.label(), action.icon(), tone, cell).tip(tip));
                if wanted && !state.rang && !typing {
                    button.request_focus();
                }
                if button.clicked() {
                    action.perform(ui.ctx(), state, wishes);
                }
            }
        });
    });
}
