//! A field for passphrases: what is typed is masked, and wiped from memory when it is taken or the field goes.

use super::super::theme::{font, size};
use crate::storage::seal::LONGEST_PASSPHRASE;
use crate::storage::{Passphrase, PassphraseError};
use egui::{Margin, Response, TextEdit, Ui};
use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

/// A passphrase being typed.
#[derive(Clone)]
pub(in crate::ui) struct Secret(Zeroizing<String>);

impl Default for Secret {
    /// With room for any passphrase: a text that grows leaves copies of itself behind.
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(LONGEST_PASSPHRASE * LONGEST_CHARACTER)))
    }
}

/// Bytes of a character, at most.
const LONGEST_CHARACTER: usize = 4;

impl Secret {
    /// The field, with its name for screen readers, which is written in it while it is empty.
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, name: &str) -> Response {
        let mut output = TextEdit::singleline(&mut *self.0)
            .id_salt(name)
            .password(true)
            .hint_text(name)
            .font(font::body())
            .char_limit(LONGEST_PASSPHRASE)
            .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
            .desired_width(f32::INFINITY)
            .show(ui);
        // What is undone would be kept beside it.
        output.state.clear_undoer();
        output.response.response.accessible_name(name)
    }

    /// Whether nothing is typed.
    pub(in crate::ui) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same.
    pub(in crate::ui) fn is(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// Whether something may be sealed with it.
    pub(in crate::ui) fn strong_enough(&self) -> Result<(), PassphraseError> {
        Passphrase::new(self.0.as_str())?.strong_enough()
    }

    /// What was typed; the field is empty then.
    pub(in crate::ui) fn take(&mut self) -> Result<Passphrase, PassphraseError> {
        let taken = Passphrase::new(self.0.as_str());
        self.wipe();
        taken
    }

    /// Empties the field.
    pub(in crate::ui) fn wipe(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}
