//! A backup of everything, in a file of its own.

use super::failure;
use super::lock::{chosen_ui, verbs_ui};
use crate::desktop::Purpose;
use crate::engine::command::Command;
use crate::engine::custody::{CustodyView, Export};
use crate::storage::Overwrite;
use crate::ui::state::{Keeping, KeepingForm, Since, Surroundings};
use crate::ui::text::{self, keeping as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::chooser::choose_ui;
use crate::ui::views::form::{Enter, left, walk};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::{Margin, TextEdit, Ui};
use egui_material_icons::icons;
use std::path::{Path, PathBuf};

/// How the last backup went, and the form for another one.
pub(super) fn export_ui(
    ui: &mut Ui,
    custody: &CustodyView,
    state: &mut Keeping,
    surroundings: &mut Surroundings,
    wishes: &mut Vec<Command>,
) {
    let colors = palette(ui);
    if state.form == KeepingForm::Export {
        return form_ui(ui, custody, state, surroundings, wishes);
    }
    match &custody.export {
        Export::Idle => {
            label(ui, words::export_text(), font::caption(), colors.text_muted);
        }
        Export::Writing => {
            label(ui, words::writing(), font::caption(), colors.text_muted);
            return;
        }
        Export::Done { file, kept } => {
            let told = words::exported(&file.display().to_string(), kept.contacts, kept.calls);
            label(ui, told, font::caption(), colors.accent);
        }
        Export::Failed(why) => {
            label(ui, failure(why), font::caption(), colors.danger);
        }
    }
    ui.add_space(size::GAP_SMALL);
    if ui.add(TextButton::new(words::export(), Tone::Secondary).icon(icons::ICON_SAVE)).clicked() {
        state.go(KeepingForm::Export);
        wishes.push(Command::NameBackup);
    }
}

/// Where a person means, who types in a window: what does not say where else is in their own folder.
pub(in crate::ui::views) fn path_typed(text: &str) -> PathBuf {
    let typed = text.trim();
    let in_home = typed.strip_prefix("~/").unwrap_or(typed);
    match directories::BaseDirs::new() {
        Some(base) => base.home_dir().join(in_home),
        None => PathBuf::from(typed),
    }
}

/// The name found for it stands in the field, unless another one was typed.
fn follow(state: &mut Keeping, found: Option<&Path>) {
    if state.suggested.as_deref() == found {
        return;
    }
    let untouched = state.file == state.suggested.as_deref().map(from_home);
    if untouched {
        state.file = found.map(from_home);
    }
    state.suggested = found.map(Path::to_owned);
}

/// A path as a person types it: what is in their own folder is short.
pub(in crate::ui) fn from_home(file: &Path) -> String {
    let base = directories::BaseDirs::new();
    let inside = base.as_ref().and_then(|base| file.strip_prefix(base.home_dir()).ok());
    inside.map_or_else(|| file.display().to_string(), |inside| format!("~/{}", inside.display()))
}

fn form_ui(
    ui: &mut Ui,
    custody: &CustodyView,
    state: &mut Keeping,
    surroundings: &mut Surroundings,
    wishes: &mut Vec<Command>,
) {
    let colors = palette(ui);
    label(ui, words::export_text(), font::caption(), colors.text_muted);
    ui.add_space(size::GAP_SMALL);
    let since = std::mem::replace(&mut state.since, Since::Earlier);
    follow(state, custody.backup_file.as_deref());
    let mut nothing = String::new();
    let typed = state.file.as_mut().unwrap_or(&mut nothing);
    let field = TextEdit::singleline(typed)
        .id_salt("backup file")
        .font(font::body())
        .char_limit(text::LONGEST_SEARCH)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(f32::INFINITY);
    let mut fields = vec![ui.add(field).accessible_name(words::file())];
    let file = typed.trim().to_owned();
    let name = path_typed(&file).file_name().map(|name| name.to_string_lossy().into_owned());
    choose_ui(ui, surroundings, Purpose::NewBackup, name.as_deref().unwrap_or_default());
    ui.add_space(size::GAP_SMALL);
    let chosen = chosen_ui(ui, state, words::export_wanted(), words::export_again(), &mut fields);
    ui.add_space(size::GAP_SMALL);
    // A name is proposed: what is typed first is the passphrase, and must not be read off the screen.
    let enter = walk(ui, &fields, 1, since);
    let ready = chosen && !file.is_empty();
    let write = TextButton::new(words::export_now(), Tone::Primary);
    let (clicked, cancelled) = verbs_ui(ui, ready, write);
    let pressed = clicked || (ready && enter == Enter::Last);
    let left = cancelled || left(ui);
    if pressed && let Ok(passphrase) = state.wanted.take() {
        let file = path_typed(&file);
        wishes.push(Command::Export { file, passphrase, overwrite: Overwrite::Never });
    }
    if pressed || left {
        state.go(KeepingForm::None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_without_a_folder_is_in_the_own_one() {
        let home = directories::BaseDirs::new().unwrap().home_dir().to_owned();
        assert_eq!(path_typed(" ~/silbo.backup "), home.join("silbo.backup"));
        assert_eq!(path_typed("silbo.backup"), home.join("silbo.backup"));
        assert_eq!(path_typed("/media/stick/silbo.backup"), PathBuf::from("/media/stick/silbo.backup"));
        assert_eq!(path_typed("~someone"), home.join("~someone"));
        for path in [home.join("Documents/silbo.backup"), PathBuf::from("/media/stick/silbo.backup")] {
            assert_eq!(path_typed(&from_home(&path)), path);
        }
    }
}
