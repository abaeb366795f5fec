//! The page before an engine runs: it asks for the passphrase of a sealed key, or says why there is no engine.

use crate::engine::gate::{Door, GateView, Trial};
use crate::reason::{Custody, Reason};
use crate::storage::Passphrase;
use crate::ui::state::GateState;
use crate::ui::text::{self, gate as words, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label, note_input, page};
use egui::{CentralPanel, Frame, Key, Modifiers, Ui};
use egui_material_icons::{MaterialIcon, icons};

/// What the person wants before an engine runs.
pub(in crate::ui) enum GateAction {
    /// Open the key.
    Open(Passphrase),
    /// Close the window.
    Quit,
}

/// The whole window.
pub(in crate::ui) fn gate_ui(ui: &mut Ui, view: &GateView, state: &mut GateState) -> Option<GateAction> {
    note_input(ui.ctx());
    let ground = Frame::new().fill(palette(ui).ground);
    let content = |ui: &mut Ui| {
        page(ui, "gate", size::COLUMN_NARROW, |ui| match &view.door {
            Door::Broken(why) => broken_ui(ui, why),
            Door::Sealed | Door::Open(_) => sealed_ui(ui, view, state),
        })
    };
    CentralPanel::no_frame().frame(ground).show(ui, content).inner
}

fn sealed_ui(ui: &mut Ui, view: &GateView, state: &mut GateState) -> Option<GateAction> {
    let title = view.name.as_deref().map_or_else(|| words::title().to_owned(), words::title_of);
    head_ui(ui, icons::ICON_LOCK, &title, words::intro());
    let running = view.trial == Trial::Running;
    let field = ui.add_enabled_ui(!running, |ui| state.passphrase.show(ui, words::field())).inner;
    if !running && ui.memory(|memory| memory.focused().is_none()) && !field.lost_focus() {
        field.request_focus();
    }
    let colors = palette(ui);
    let (note, ink) = match &view.trial {
        Trial::Running => (words::opening().to_owned(), colors.text_muted),
        Trial::Failed(Reason::Custody(Custody::WrongPassphrase(_))) => {
            (words::wrong().to_owned(), colors.danger)
        }
        Trial::Failed(why) => (text::whole(&told::reason(why)), colors.danger),
        Trial::Idle | Trial::Returned => (words::lost().to_owned(), colors.text_muted),
    };
    ui.vertical(|ui| label(ui, note, font::caption(), ink));
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let enter = field.lost_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    let open = TextButton::new(words::open(), Tone::Primary).icon(icons::ICON_LOCK_OPEN).wide(width);
    let typed = !state.passphrase.is_empty() && !running;
    let pressed = ui.add_enabled_ui(typed, |ui| ui.add(open)).inner.clicked();
    let quit = ui.add(TextButton::new(words::quit(), Tone::Quiet).wide(width)).clicked();
    if quit {
        return Some(GateAction::Quit);
    }
    // What is no passphrase at all opens nothing.
    let wanted = typed && (pressed || enter);
    wanted.then(|| state.passphrase.take().ok()).flatten().map(GateAction::Open)
}

fn broken_ui(ui: &mut Ui, why: &Reason) -> Option<GateAction> {
    head_ui(ui, icons::ICON_ERROR, words::broken(), &text::whole(&told::reason(why)));
    let width = ui.available_width();
    let quit = ui.add(TextButton::new(words::quit(), Tone::Primary).wide(width));
    quit.clicked().then_some(GateAction::Quit)
}

fn head_ui(ui: &mut Ui, icon: MaterialIcon, title: &str, text: &str) {
    let colors = palette(ui);
    ui.label(icon.rich_text().size(size::KEY_PICTURE).color(colors.text_muted));
    ui.add_space(size::GAP);
    label(ui, title, font::title(), colors.text);
    label(ui, text, font::body(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
}
