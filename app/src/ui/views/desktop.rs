//! What Silbo does outside its window.

use super::help::check_ui;
use crate::desktop::{Autostart, MUTE_KEYS, MuteKey, Order, TrayPresence};
use crate::engine::command::Command;
use crate::engine::view::{MuteAnywhere, Notifications, OnClose, Settings};
use crate::ui::state::UiState;
use crate::ui::text::{desktop as words, told, whole};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::label;
use egui::Ui;

/// The switches; those of a desktop that has not answered yet are not there.
pub(super) fn desktop_ui(ui: &mut Ui, settings: &Settings, state: &mut UiState, wishes: &mut Vec<Command>) {
    let on = settings.notifications == Notifications::On;
    if check_ui(ui, words::notifications(), Some(words::notifications_text()), on) {
        let other = if on { Notifications::Off } else { Notifications::On };
        wishes.push(Command::SetNotifications(other));
    }
    let surroundings = &mut state.surroundings;
    if let Some(autostart) = surroundings.autostart {
        let text = words::autostart_text();
        if check_ui(ui, words::autostart(), Some(text), autostart == Autostart::On) {
            let other = if autostart == Autostart::On { Autostart::Off } else { Autostart::On };
            surroundings.order = Some(Order::SetAutostart(other));
        }
    }
    if surroundings.autostart == Some(Autostart::Other) {
        label(ui, words::autostart_other(), font::body(), palette(ui).warning);
    }
    if let Some(trouble) = &surroundings.trouble {
        label(ui, whole(&told::autostart(trouble)), font::body(), palette(ui).warning);
    }
    if surroundings.tray == TrayPresence::There {
        let hides = settings.on_close == OnClose::Hide;
        if check_ui(ui, words::keep(), Some(words::keep_text()), hides) {
            let other = if hides { OnClose::Quit } else { OnClose::Hide };
            wishes.push(Command::SetOnClose(other));
        }
    }
    let title = words::mute_key(MUTE_KEYS);
    if surroundings.mute_key == MuteKey::Impossible {
        let colors = palette(ui);
        ui.add_space(size::GAP);
        label(ui, title, font::body(), colors.text_muted);
        label(ui, words::mute_key_impossible(), font::caption(), colors.text_muted);
        return;
    }
    let on = settings.mute_key == MuteAnywhere::On;
    if check_ui(ui, &title, Some(words::mute_key_text()), on) {
        let other = if on { MuteAnywhere::Off } else { MuteAnywhere::On };
        wishes.push(Command::SetMuteKey(other));
    }
}
