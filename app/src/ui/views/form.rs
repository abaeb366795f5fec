//! Forms by the keyboard alone: Enter goes on, Escape leaves.

use crate::ui::state::Since;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Key, Modifiers, Response, Ui};

/// Whether Enter was pressed in this field.
pub(super) fn entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
}

/// Where Enter was pressed in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enter {
    /// Nowhere.
    Nowhere,
    /// In a field before the last, and the next one has the keyboard now.
    Before,
    /// In the last field.
    Last,
}

/// Enter goes from field to field, and stays in the last one; one of them has the keyboard when the form opens.
pub(super) fn walk(ui: &Ui, fields: &[Response], first: usize, since: Since) -> Enter {
    if since == Since::Now
        && let Some(first) = fields.get(first)
    {
        first.request_focus();
        first.scroll_to_me(None);
    }
    let Some(at) = fields.iter().position(|field| entered(ui, field)) else { return Enter::Nowhere };
    match fields.get(at + 1) {
        Some(next) => {
            next.request_focus();
            Enter::Before
        }
        None => {
            fields.iter().last().inspect(|last| last.request_focus());
            Enter::Last
        }
    }
}

/// What is typed next takes the place of what is there.
pub(super) fn select_all(ui: &Ui, field: &Response, text: &str) {
    let mut edit = TextEditState::load(ui.ctx(), field.id).unwrap_or_default();
    let all = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
    edit.cursor.set_char_range(Some(all));
    edit.store(ui.ctx(), field.id);
}

/// Whether Escape was pressed; it does nothing else then.
pub(super) fn left(ui: &Ui) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
}
