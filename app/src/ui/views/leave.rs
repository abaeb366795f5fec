//! Escape and Enter where no control means them: a call that is over is left, a question, and then the page.

use crate::engine::command::Command;
use crate::engine::view::{CallPhase, View};
use crate::ui::state::{FirstRun, Page, UiState};
use egui::{Event, Key, Ui};

/// After everything else of the frame, which may have meant the key.
pub(super) fn leave_by_key(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    // egui has taken the keyboard from a field by now: to leave the field is all that this press does.
    let typed = std::mem::replace(&mut state.typing, ui.ctx().text_edit_focused());
    if state.card.is_some() || typed {
        return;
    }
    let escape = went_down(ui, Key::Escape);
    match &view.call {
        Some(call) if matches!(call.phase, CallPhase::Ended { .. }) => {
            let nobody = ui.memory(|memory| memory.focused().is_none());
            if escape || (nobody && went_down(ui, Key::Enter)) {
                wishes.push(Command::DismissCall);
            }
        }
        Some(_) => {}
        None if escape && state.first_run == FirstRun::Closed => leave_page(view, state, wishes),
        None => {}
    }
}

/// To the contact that was shown last, who may be gone by now.
fn leave_page(view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    if state.asks() {
        return state.answered();
    }
    if state.page == Page::Search {
        state.search.clear();
        wishes.push(Command::ClearSearch);
    }
    if !matches!(state.page, Page::Contact(_)) {
        state.go_back(view);
    }
}

/// Whether this key alone went down in this frame. One that is held from before was meant for something else.
fn went_down(ui: &Ui, wanted: Key) -> bool {
    ui.input(|input| {
        input.events.iter().any(|event| match event {
            Event::Key { key, pressed: true, repeat: false, modifiers, .. } => {
                *key == wanted && modifiers.is_none()
            }
            _ => false,
        })
    })
}
