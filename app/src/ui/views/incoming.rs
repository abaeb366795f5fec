//! A call that rings here.

use crate::engine::command::Command;
use crate::engine::view::CallView;
use crate::ui::command::UiCommand;
use crate::ui::state::UiState;
use crate::ui::text::call as words;
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{Avatar, RoundButton, Tone, centered_column, centered_row, label};
use egui::Ui;

/// Accept or decline. Enter accepts because the button has the keyboard, but only if nobody was typing when the
/// call came in.
pub(super) fn incoming_ui(ui: &mut Ui, call: &CallView, state: &UiState, wishes: &mut Vec<Command>) {
    let typing = ui.ctx().text_edit_focused();
    ui.ctx().request_repaint_after(pace::RINGING);
    let avatar = Avatar::in_call(ui, call.with, &call.name);
    centered_column(ui, "incoming", size::STAGE, |ui| {
        let colors = palette(ui);
        let time = ui.input(|input| input.time);
        avatar.ringing(time).show(ui);
        label(ui, call.name.as_str(), font::display(), colors.text);
        label(ui, words::phase(&call.phase), font::lead(), colors.text_muted);
        ui.add_space(size::GAP_HUGE);
        let cell = RoundButton::cell(ui, [UiCommand::Decline.label(), UiCommand::Answer.label()]);
        centered_row(ui, &[cell.x, cell.x], cell.y, size::GAP_HUGE, |ui| {
            for (action, tone) in [(UiCommand::Decline, Tone::Danger), (UiCommand::Answer, Tone::Primary)] {
                let tip = action.tip(ui.ctx());
                let button = ui.add(RoundButton::large(action.label(), action.icon(), tone, cell).tip(tip));
                if action == UiCommand::Answer && !state.rang && !typing {
                    button.request_focus();
                }
                if button.clicked() {
                    wishes.extend(action.wish());
                }
            }
        });
    });
}
