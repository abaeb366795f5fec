//! Keeping one's key: the passphrase it is sealed with, a backup of everything, and the recovery words, on the screen only
//! while somebody wants to see them.

mod export;
mod lock;

pub(in crate::ui) use export::from_home;
pub(super) use export::path_typed;

use crate::engine::command::Command;
use crate::engine::custody::{CustodyView, WordsCheck};
use crate::engine::view::View;
use crate::engine::words::{LONGEST_TEXT, RecoveryWords, TypedWords};
use crate::reason::{Custody, Reason};
use crate::storage::Lock;
use crate::ui::state::{Since, UiState};
use crate::ui::text::{self, keeping as words, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label, line};
use egui::{Grid, Key, Margin, TextEdit, Ui, vec2};
use egui_material_icons::icons;
use export::export_ui;
use lock::lock_ui;

/// What there is to know and to do about the key.
pub(super) fn keeping_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let custody = &view.custody;
    let muted = palette(ui).text_muted;
    label(ui, words::why(), font::body(), muted);
    ui.add_space(size::GAP);
    recovery_ui(ui, custody, state, wishes);
    ui.add_space(size::GAP_LARGE);
    let sealed = match custody.lock {
        Lock::Open => words::open(),
        Lock::Sealed => words::sealed(),
    };
    label(ui, sealed, font::caption(), muted);
    ui.add_space(size::GAP_SMALL);
    lock_ui(ui, custody, &mut state.keeping, wishes);
    ui.add_space(size::GAP_LARGE);
    export_ui(ui, custody, &mut state.keeping, &mut state.surroundings, wishes);
}

/// The words, or what shows them.
pub(super) fn recovery_ui(
    ui: &mut Ui,
    custody: &CustodyView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let Some(recovery) = &custody.words else { return show_ui(ui, None, wishes) };
    match state.checking {
        None => {
            words_ui(ui, recovery);
            ui.add_space(size::GAP);
            if ui.add(TextButton::new(words::written(), Tone::Primary).icon(icons::ICON_CHECK)).clicked() {
                state.checking = Some(Since::Now);
            }
        }
        Some(since) => {
            state.checking = Some(Since::Earlier);
            check_ui(ui, &custody.check, since, state, wishes);
        }
    }
    ui.add_space(size::GAP_SMALL);
    let (leave, icon) = match state.checking {
        None => (words::hide(), icons::ICON_VISIBILITY_OFF),
        Some(_) => (words::leave(), icons::ICON_CLOSE),
    };
    if ui.add(TextButton::new(leave, Tone::Secondary).icon(icon)).clicked() {
        state.forget_words();
        wishes.push(Command::HideWords);
    }
}

/// What shows the words, perhaps so wide.
pub(super) fn show_ui(ui: &mut Ui, width: Option<f32>, wishes: &mut Vec<Command>) {
    let show = TextButton::new(words::show(), Tone::Secondary).icon(icons::ICON_VISIBILITY);
    let show = match width {
        Some(width) => show.wide(width),
        None => show,
    };
    if ui.add(show).clicked() {
        wishes.push(Command::ShowWords);
    }
}

/// Why a passphrase was not taken, or a file not written.
pub(super) fn failure(why: &Reason) -> String {
    match why {
        Reason::Custody(Custody::WrongPassphrase(_)) => text::gate::wrong().to_owned(),
        why => text::whole(&told::reason(why)),
    }
}

/// All of them, to be read from the left to the right.
fn words_ui(ui: &mut Ui, recovery: &RecoveryWords) {
    let colors = palette(ui);
    let numbered: Vec<String> =
        (1..).zip(recovery.words()).map(|(place, word)| format!("{place:>2} {word}")).collect();
    let width = (ui.available_width() - (COLUMNS - 1) as f32 * size::GAP_SMALL) / COLUMNS as f32;
    let grid = Grid::new("recovery words").num_columns(COLUMNS).min_col_width(width);
    grid.spacing(vec2(size::GAP_SMALL, size::GAP_SMALL)).show(ui, |ui| {
        for row in numbered.chunks(COLUMNS) {
            for word in row {
                line(ui, word.as_str(), font::key(), colors.text);
            }
            ui.end_row();
        }
    });
}

/// Columns of words.
const COLUMNS: usize = 4;

/// Whoever wrote them down types them from the paper: the words are not on the screen meanwhile, or they would be read off
/// it. Whoever looks at them again begins anew.
fn check_ui(ui: &mut Ui, check: &WordsCheck, since: Since, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    if *check == WordsCheck::Right {
        label(ui, words::right(), font::body(), colors.accent);
    } else {
        label(ui, words::checking(), font::caption(), colors.text_muted);
        ui.add_space(size::GAP_SMALL);
        let field = ui.add(
            TextEdit::multiline(&mut state.typed_words)
                .id_salt("typed words")
                .hint_text(words::hint())
                .font(font::body())
                .char_limit(LONGEST_TEXT)
                .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
                .desired_rows(3)
                .return_key(None)
                .desired_width(f32::INFINITY),
        );
        let field = field.accessible_name(words::field());
        if since == Since::Now {
            field.request_focus();
        }
        if let WordsCheck::Wrong(why) = check {
            label(ui, text::whole(&told::words(why)), font::caption(), colors.danger);
        }
        ui.add_space(size::GAP_SMALL);
        let typed = !state.typed_words.trim().is_empty();
        let button = TextButton::new(words::check(), Tone::Primary).icon(icons::ICON_CHECK);
        let entered = typed && field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if ui.add_enabled_ui(typed, |ui| ui.add(button)).inner.clicked() || entered {
            wishes.push(Command::CheckWords(TypedWords::new(state.typed_words.as_str())));
        }
    }
    ui.add_space(size::GAP_SMALL);
    let again = TextButton::new(words::show_again(), Tone::Secondary).icon(icons::ICON_VISIBILITY);
    if ui.add(again).clicked() {
        state.forget_words();
        wishes.push(Command::ShowWords);
    }
}
