//! What the person calls a contact, on this computer alone.

use crate::engine::command::Command;
use crate::engine::view::ContactRow;
use crate::storage::{LONGEST_NICKNAME, Nickname, NicknameError};
use crate::ui::state::{Naming, Since, UiState};
use crate::ui::text::{self, nickname as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::form::{entered, left};
use crate::ui::widgets::{TextButton, Tone, centered_row, label};
use egui::{Margin, TextEdit, Ui};
use overlay::PublicKey;

/// Begins to type one.
pub(super) fn begin(key: PublicKey, contact: &ContactRow) -> Naming {
    let text = contact.nickname.as_ref().map(ToString::to_string).unwrap_or_default();
    Naming { of: key, text, since: Since::Now }
}

/// The field while it is being typed, in the place of the name.
pub(super) fn nickname_ui(
    ui: &mut Ui,
    key: PublicKey,
    contact: &ContactRow,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let Some(naming) = &mut state.naming else { return };
    let outcome = ui.scope(|ui| {
        ui.set_max_width(size::COLUMN_NARROW);
        form_ui(ui, contact, naming)
    });
    match outcome.inner {
        Outcome::Stay => return,
        Outcome::Leave => {}
        Outcome::Save(nickname) => wishes.push(Command::SetNickname(key, nickname)),
    }
    state.naming = None;
}

/// What opens the field is called.
pub(super) fn offer(contact: &ContactRow) -> &'static str {
    if contact.nickname.is_some() { words::change() } else { words::give() }
}

/// What becomes of the field.
enum Outcome {
    Stay,
    Leave,
    /// Nothing goes back to the username.
    Save(Option<Nickname>),
}

fn form_ui(ui: &mut Ui, contact: &ContactRow, naming: &mut Naming) -> Outcome {
    let colors = palette(ui);
    let field = TextEdit::singleline(&mut naming.text)
        .id_salt("nickname")
        .hint_text(contact.name.as_str())
        .font(font::body())
        .char_limit(text::LONGEST_INPUT)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(f32::INFINITY);
    let field = ui.add(field).accessible_name(words::field());
    let opened = std::mem::replace(&mut naming.since, Since::Earlier) == Since::Now;
    if opened {
        field.request_focus();
    }
    let parsed = match Nickname::parse(&naming.text) {
        Ok(nickname) => Ok(Some(nickname)),
        Err(NicknameError::Empty) => Ok(None),
        Err(why @ (NicknameError::TooLong | NicknameError::Character)) => Err(why),
    };
    let (note, ink) = match parsed {
        Ok(_) => (words::note().to_owned(), colors.text_muted),
        Err(NicknameError::TooLong) => (words::too_long(LONGEST_NICKNAME), colors.warning),
        Err(_) => (words::characters().to_owned(), colors.warning),
    };
    label(ui, note, font::caption(), ink);
    ui.add_space(size::GAP_SMALL);
    let buttons =
        [TextButton::new(words::cancel(), Tone::Secondary), TextButton::new(words::save(), Tone::Primary)];
    let widths = buttons.each_ref().map(|button| button.width(ui));
    let [cancel, save] = buttons;
    let entered = entered(ui, &field);
    if entered && parsed.is_err() {
        field.request_focus();
    }
    let (cancelled, saved) = centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
        let cancelled = ui.add(cancel).clicked();
        let saved = ui.add_enabled_ui(parsed.is_ok(), |ui| ui.add(save)).inner.clicked();
        (cancelled, saved)
    });
    match parsed {
        Ok(nickname) if saved || entered => Outcome::Save(nickname),
        Ok(_) | Err(_) if cancelled || left(ui) => Outcome::Leave,
        Ok(_) | Err(_) => Outcome::Stay,
    }
}
