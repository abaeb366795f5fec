//! What to show of our screen: all of it, or one of the windows that are open.

use crate::engine::command::{Command, Sharing};
use crate::engine::view::{CallView, View};
use crate::ui::command::UiCommand;
use crate::ui::state::{Chooser, UiState};
use crate::ui::text::sharing as words;
use crate::ui::theme::{font, palette, shadow, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, label};
use egui::{Context, CornerRadius, Frame, Id, Key, Margin, Modal, Modifiers, ScrollArea, Stroke, Ui};
use egui_material_icons::icons;
use media::video::window::{OpenWindow, WindowName};

/// The list of windows is no higher, so that all fits into the smallest window; it scrolls.
const MOST_LIST: f32 = 220.0;

/// What was chosen.
enum Choice {
    Share(Sharing),
    Nothing,
}

/// The card, above everything else of the call, while it is up and there is somebody to show something to.
pub(super) fn chooser_ui(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let call = view.call.as_ref().filter(|call| UiCommand::sharing(call) == Some(UiCommand::Share));
    let Some(call) = call else {
        state.chooser = Chooser::Closed;
        return;
    };
    if state.chooser == Chooser::Closed {
        return;
    }
    let colors = palette(ui);
    let frame = Frame::new()
        .fill(colors.panel)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(size::CORNER_CARD))
        .shadow(shadow(ui))
        .inner_margin(Margin::same(size::CARD_MARGIN as i8));
    let modal = Modal::new(Id::unique("what to share")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(size::COLUMN_NARROW);
        choices_ui(ui, call, state.chooser)
    });
    let aside = modal.backdrop_response.clicked().then_some(Choice::Nothing);
    state.chooser = Chooser::Open;
    if let Some(choice) = modal.inner.or(aside) {
        state.chooser = Chooser::Closed;
        if let Choice::Share(sharing) = choice {
            wishes.push(Command::Share(sharing));
        }
    }
}

/// Escape takes the card away, and does nothing else then.
pub(super) fn leave_by_key(ctx: &Context, state: &mut UiState) {
    if state.chooser == Chooser::Open
        && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
    {
        state.chooser = Chooser::Closed;
    }
}

fn choices_ui(ui: &mut Ui, call: &CallView, chooser: Chooser) -> Option<Choice> {
    let colors = palette(ui);
    let mut choice = None;
    label(ui, words::TITLE, font::title(), colors.text);
    ui.add_space(size::GAP);
    let screen = ListRow::link(icons::ICON_DESKTOP_WINDOWS, words::SCREEN).show(ui);
    if chooser == Chooser::Opening {
        screen.request_focus();
    }
    if screen.clicked() {
        choice = Some(Choice::Share(Sharing::Screen));
    }
    ui.add_space(size::GAP);
    match call.windows.as_deref() {
        None => drop(label(ui, words::LOOKING, font::body(), colors.text_muted)),
        Some([]) => drop(label(ui, words::NO_WINDOWS, font::body(), colors.text_muted)),
        Some(windows) => {
            label(ui, words::WINDOWS, font::body(), colors.text_muted);
            if let Some(sharing) = windows_ui(ui, windows) {
                choice = Some(Choice::Share(sharing));
            }
        }
    }
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    if ui.add(TextButton::new(words::CANCEL, Tone::Secondary).wide(width)).clicked() {
        choice = Some(Choice::Nothing);
    }
    choice
}

fn windows_ui(ui: &mut Ui, windows: &[OpenWindow]) -> Option<Sharing> {
    let mut chosen = None;
    ScrollArea::vertical().max_height(MOST_LIST).auto_shrink([false, true]).show(ui, |ui| {
        for (at, window) in windows.iter().enumerate() {
            let before = windows[..at].iter().filter(|other| other.title == window.title).count();
            let title = words::window(&window.title, before + 1);
            let row = ListRow::link(icons::ICON_WEB_ASSET, &title).show(ui);
            if row.has_focus() {
                row.scroll_to_me(None);
            }
            if row.clicked() {
                chosen = Some(Sharing::Window(WindowName::Id(window.id)));
            }
        }
    });
    chosen
}
