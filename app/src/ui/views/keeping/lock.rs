//! The passphrase that the key is sealed with: set, changed and taken away.

use super::failure;
use crate::engine::command::Command;
use crate::engine::custody::{CustodyView, Sealing};
use crate::storage::Lock;
use crate::ui::state::{Keeping, KeepingForm, Since};
use crate::ui::text::keeping as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::views::form::{Enter, left, walk};
use crate::ui::widgets::{Secret, TextButton, Tone, label};
use egui::{Response, Ui};
use egui_material_icons::icons;

/// What can be done about the passphrase, or the form for it.
pub(super) fn lock_ui(ui: &mut Ui, custody: &CustodyView, state: &mut Keeping, wishes: &mut Vec<Command>) {
    match state.form {
        KeepingForm::Seal | KeepingForm::Change | KeepingForm::Unseal => form_ui(ui, state, wishes),
        KeepingForm::None | KeepingForm::Export => offer_ui(ui, custody, state),
    }
}

fn offer_ui(ui: &mut Ui, custody: &CustodyView, state: &mut Keeping) {
    let colors = palette(ui);
    match (&custody.sealing, custody.lock) {
        (Sealing::Idle, _) => {}
        (Sealing::Working, _) => {
            label(ui, words::sealing(), font::caption(), colors.text_muted);
            return;
        }
        (Sealing::Done, Lock::Sealed) => {
            label(ui, words::was_sealed(), font::caption(), colors.accent);
        }
        (Sealing::Done, Lock::Open) => {
            label(ui, words::was_opened(), font::caption(), colors.accent);
        }
        (Sealing::Failed(why), _) => {
            label(ui, failure(why), font::caption(), colors.danger);
        }
    }
    let offers = match custody.lock {
        Lock::Open => &[(KeepingForm::Seal, words::seal(), icons::ICON_LOCK)][..],
        Lock::Sealed => &[
            (KeepingForm::Change, words::change(), icons::ICON_KEY),
            (KeepingForm::Unseal, words::unseal(), icons::ICON_LOCK_OPEN),
        ],
    };
    for (form, title, icon) in offers {
        if ui.add(TextButton::new(title, Tone::Secondary).icon(*icon)).clicked() {
            state.go(*form);
        }
        ui.add_space(size::GAP_SMALL);
    }
}

fn form_ui(ui: &mut Ui, state: &mut Keeping, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    let form = state.form;
    let text = match form {
        KeepingForm::Unseal => words::unseal_text(),
        _ => words::seal_text(),
    };
    label(ui, text, font::caption(), colors.text_muted);
    ui.add_space(size::GAP_SMALL);
    let since = std::mem::replace(&mut state.since, Since::Earlier);
    let asks = form != KeepingForm::Seal;
    let mut fields = Vec::new();
    if asks {
        fields.push(state.present.show(ui, words::present()));
        ui.add_space(size::GAP_SMALL);
    }
    let gives = form != KeepingForm::Unseal;
    let chosen = !gives || chosen_ui(ui, state, words::wanted(), words::again(), &mut fields);
    ui.add_space(size::GAP_SMALL);
    let enter = walk(ui, &fields, 0, since);
    let ready = chosen && (!asks || !state.present.is_empty());
    let (verb, tone) = match form {
        KeepingForm::Unseal => (words::unseal_now(), Tone::Danger),
        _ => (words::seal_now(), Tone::Primary),
    };
    let (clicked, cancelled) = verbs_ui(ui, ready, TextButton::new(verb, tone));
    let pressed = clicked || (ready && enter == Enter::Last);
    let left = cancelled || left(ui);
    if pressed {
        let known = |secret: &mut Secret, there: bool| there.then(|| secret.take().ok()).flatten();
        let (present, wanted) = (known(&mut state.present, asks), known(&mut state.wanted, gives));
        wishes.push(Command::Seal { present, wanted });
    }
    if pressed || left {
        state.go(KeepingForm::None);
    }
}

/// What a form does, and what leaves it, side by side; which of them was pressed.
pub(super) fn verbs_ui(ui: &mut Ui, ready: bool, verb: TextButton<'_>) -> (bool, bool) {
    ui.horizontal_wrapped(|ui| {
        let done = ui.add_enabled_ui(ready, |ui| ui.add(verb)).inner.clicked();
        (done, ui.add(TextButton::new(words::cancel(), Tone::Quiet)).clicked())
    })
    .inner
}

/// Two more fields for a new passphrase, and what is wrong with it; whether nothing is.
pub(super) fn chosen_ui(
    ui: &mut Ui,
    state: &mut Keeping,
    first: &str,
    second: &str,
    fields: &mut Vec<Response>,
) -> bool {
    let colors = palette(ui);
    fields.push(state.wanted.show(ui, first));
    ui.add_space(size::GAP_SMALL);
    fields.push(state.again.show(ui, second));
    let strong = state.wanted.strong_enough();
    let same = state.wanted.is(&state.again);
    let (note, ink) = if state.wanted.is_empty() {
        (words::advice(), colors.text_muted)
    } else if strong.is_err() {
        (words::weak(), colors.warning)
    } else if state.again.is_empty() {
        (words::once_more(), colors.text_muted)
    } else if same {
        (words::same(), colors.accent)
    } else {
        (words::differ(), colors.warning)
    };
    label(ui, note, font::caption(), ink);
    strong.is_ok() && same
}
