//! A question on a page, before something is done that one click should not do.

use crate::ui::state::Since;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, centered_row, label};
use egui::Ui;

/// What the person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Leave it.
    No,
    /// Do it.
    Yes,
}

/// The question, and what answers it; it comes into sight when it is asked.
pub(super) fn question_ui(ui: &mut Ui, question: &str, no: &str, yes: &str, since: Since) -> Option<Answer> {
    let muted = palette(ui).text_muted;
    label(ui, question, font::body(), muted);
    let buttons = [TextButton::new(no, Tone::Secondary), TextButton::new(yes, Tone::Danger)];
    let widths = buttons.each_ref().map(|button| button.width(ui));
    let [no, yes] = buttons;
    let mut answer = None;
    centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
        if ui.add(no).clicked() {
            answer = Some(Answer::No);
        }
        let yes = ui.add(yes);
        if since == Since::Now {
            yes.scroll_to_me(None);
        }
        if yes.clicked() {
            answer = Some(Answer::Yes);
        }
    });
    answer
}
