//! Whether to close the window in a call.

use super::card::Outcome;
use crate::engine::view::CallView;
use crate::ui::state::{Closing, Since, UiState};
use crate::ui::text::quit as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::{Ui, ViewportCommand};

/// The question; to stay is what Enter does.
pub(super) fn question_ui(ui: &mut Ui, call: &CallView, state: &mut UiState, since: Since) -> Outcome {
    let colors = palette(ui);
    label(ui, words::question(&call.name), font::title(), colors.text);
    ui.add_space(size::GAP);
    label(ui, words::next(), font::body(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let stay = ui.add(TextButton::new(words::no(), Tone::Primary).wide(width));
    if since == Since::Now {
        stay.request_focus();
    }
    ui.add_space(size::GAP_SMALL);
    if ui.add(TextButton::new(words::yes(), Tone::Danger).wide(width)).clicked() {
        state.closing = Closing::Agreed;
        ui.send_viewport_cmd(ViewportCommand::Close);
        return Outcome::Close;
    }
    if stay.clicked() { Outcome::Close } else { Outcome::Stay }
}
