//! Forms by the keyboard alone: Enter goes on, Escape leaves.

use egui::{Key, Modifiers, Response, Ui};

/// Whether Enter was pressed in this field.
pub(super) fn entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
}

/// Whether Escape was pressed; it does nothing else then.
pub(super) fn left(ui: &Ui) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
}
