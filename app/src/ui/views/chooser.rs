//! What asks the desktop for a file, where it shows some to choose from.

use crate::desktop::{ChooserPresence, FileQuestion, Order, Purpose};
use crate::ui::state::Surroundings;
use crate::ui::text::chooser as words;
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::Ui;
use egui_material_icons::icons;

/// The button below the field in which a path is typed; nothing on a desktop without such a dialog. A new file is called
/// `name` unless another one is typed.
pub(super) fn choose_ui(ui: &mut Ui, surroundings: &mut Surroundings, purpose: Purpose, name: &str) {
    let title = match purpose {
        Purpose::Picture => words::picture(),
        Purpose::Backup => words::backup(),
        Purpose::NewBackup => words::new_backup(),
    };
    match surroundings.chooser {
        ChooserPresence::Absent => {}
        ChooserPresence::There => {
            ui.add_space(size::GAP_SMALL);
            if ui.add(TextButton::new(title, Tone::Quiet).icon(icons::ICON_FOLDER_OPEN).low()).clicked() {
                let question = FileQuestion { purpose, title: title.to_owned(), name: name.to_owned() };
                surroundings.order = Some(Order::AskForFile(question));
            }
        }
        ChooserPresence::Failed => {
            ui.add_space(size::GAP_SMALL);
            label(ui, words::failed(), font::caption(), palette(ui).warning);
        }
    }
}
