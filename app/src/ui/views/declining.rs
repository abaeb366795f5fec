//! What to say to whoever calls, and to whoever was declined: some sentences that are ready, or words of one's own.

use super::card::Outcome;
use super::form::entered;
use crate::call::{LONGEST_REPLY, Reply, ReplyError};
use crate::engine::command::Command;
use crate::engine::view::CallView;
use crate::ui::state::{Since, UiState};
use crate::ui::text::reply as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, card, label};
use egui::accesskit::Live;
use egui::{Margin, TextEdit, Ui};
use egui_material_icons::icons;

/// Each sentence declines as soon as it is pressed, and so does Enter in the field. Escape and the last button go back.
pub(super) fn replies_ui(
    ui: &mut Ui,
    call: &CallView,
    state: &mut UiState,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    let colors = palette(ui);
    label(ui, words::title(&call.name), font::title(), colors.text);
    ui.add_space(size::GAP);
    let width = ui.available_width();
    let mut said = None;
    for (nth, sentence) in words::ready().into_iter().enumerate() {
        let button = ui.add(TextButton::new(sentence, Tone::Secondary).wide(width));
        if nth == 0 && since == Since::Now {
            button.request_focus();
        }
        if button.clicked() {
            said = Reply::parse(sentence).ok();
        }
        ui.add_space(size::GAP_SMALL);
    }
    said = said.or(own_ui(ui, state, width));
    ui.add_space(size::GAP_SMALL);
    let back = ui.add(TextButton::new(words::back(), Tone::Quiet).wide(width)).clicked();
    let outcome = if back || said.is_some() { Outcome::Close } else { Outcome::Stay };
    wishes.extend(said.map(Command::DeclineWith));
    outcome
}

/// Words of one's own, once they are sent.
fn own_ui(ui: &mut Ui, state: &mut UiState, width: f32) -> Option<Reply> {
    let colors = palette(ui);
    let field = TextEdit::singleline(&mut state.reply)
        .id_salt("reply")
        .hint_text(words::hint())
        .font(font::body())
        // One more than there may be, so that it is said.
        .char_limit(LONGEST_REPLY + 1)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(f32::INFINITY);
    let field = ui.add(field).accessible_name(words::field());
    let parsed = Reply::parse(&state.reply);
    let (note, ink) = match parsed {
        Ok(_) | Err(ReplyError::Empty) => (words::note(), colors.text_muted),
        Err(ReplyError::TooLong) => (words::too_long(), colors.warning),
        Err(ReplyError::Character) => (words::characters(), colors.warning),
    };
    label(ui, note, font::caption(), ink);
    let entered = entered(ui, &field);
    if entered && parsed.is_err() {
        field.request_focus();
    }
    let send = TextButton::new(words::send(), Tone::Danger).icon(icons::ICON_CALL_END).wide(width);
    let sent = ui.add_enabled_ui(parsed.is_ok(), |ui| ui.add(send)).inner.clicked();
    parsed.ok().filter(|_| entered || sent)
}

/// What somebody said who declined, in their name: it is theirs, and not what Silbo says.
pub(super) fn quotation_ui(ui: &mut Ui, name: &str, reply: &Reply) {
    card(ui, |ui| {
        let ink = palette(ui).text;
        let quotation = label(ui, words::said(name, reply.as_str()), font::body(), ink);
        ui.accesskit_node_builder(quotation.id, |node| node.set_live(Live::Polite));
    });
}
