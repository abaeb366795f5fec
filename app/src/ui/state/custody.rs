//! What is being typed about keys: at the gate, by who comes back, and in the settings.

use super::Since;
use crate::engine::gate::{ComeBack, Trial};
use crate::engine::words::LONGEST_TEXT;
use crate::ui::widgets::Secret;
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The page before an engine runs.
#[derive(Debug, Default)]
pub(in crate::ui) struct GateState {
    /// What is to open the key.
    pub(in crate::ui) passphrase: Secret,
}

/// The form of who was here before.
#[derive(Debug, Default)]
pub(in crate::ui) struct Returning {
    /// Whether it is up.
    pub(in crate::ui) form: ReturnForm,
    /// The recovery words.
    pub(in crate::ui) words: Words,
    /// Where the backup is.
    pub(in crate::ui) file: String,
    /// What opens it.
    pub(in crate::ui) passphrase: Secret,
    /// What became of the last try, as the gate says.
    pub(in crate::ui) trial: Trial,
    /// What is to be tried.
    pub(in crate::ui) wish: ReturnWish,
    /// Since when the form is up.
    pub(in crate::ui) since: Since,
}

/// Whether the form of who was here before is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ui) enum ReturnForm {
    /// It is offered.
    #[default]
    Offered,
    /// It is.
    Open,
}

/// What who was here before wants to be tried.
#[derive(Debug, Default)]
pub(in crate::ui) enum ReturnWish {
    /// Nothing.
    #[default]
    None,
    /// This.
    Made(ComeBack),
}

/// What is typed in the settings about keeping one's key. All of it is wiped when the form closes.
#[derive(Debug, Default)]
pub(in crate::ui) struct Keeping {
    /// Which form is up.
    pub(in crate::ui) form: KeepingForm,
    /// The passphrase there is.
    pub(in crate::ui) present: Secret,
    /// The one there shall be.
    pub(in crate::ui) wanted: Secret,
    /// The same once more.
    pub(in crate::ui) again: Secret,
    /// Where a backup goes; nothing until there is something to change.
    pub(in crate::ui) file: Option<String>,
    /// The name found for it that the field knows of.
    pub(in crate::ui) suggested: Option<PathBuf>,
    /// Since when the form is up.
    pub(in crate::ui) since: Since,
}

/// A form about keeping one's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ui) enum KeepingForm {
    /// None is up.
    #[default]
    None,
    /// A passphrase for an open key.
    Seal,
    /// Another passphrase.
    Change,
    /// None any more.
    Unseal,
    /// A backup.
    Export,
}

impl Keeping {
    /// Puts another form up, empty.
    pub(in crate::ui) fn go(&mut self, form: KeepingForm) {
        self.form = form;
        self.present.wipe();
        self.wanted.wipe();
        self.again.wipe();
        self.file = None;
        self.suggested = None;
        self.since = Since::Now;
    }
}

/// Recovery words being typed, wiped from memory when they are gone.
#[derive(Clone)]
pub(in crate::ui) struct Words(pub(in crate::ui) Zeroizing<String>);

impl Default for Words {
    /// With room for all: a text that grows leaves copies of itself behind.
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(LONGEST_TEXT)))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Words(..)")
    }
}
