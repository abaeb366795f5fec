//! First run: choose the own username, then devices, then the network, then how to come back.

mod devices;
mod keeping;
mod network;

use super::form::select_all;
use super::returning::returning_ui;
use crate::engine::command::Command;
use crate::engine::gate::Trial;
use crate::engine::view::{ClaimState, ContactId, View};
use crate::ui::state::{ReturnForm, Step, UiState};
use crate::ui::text::{self, first_run as words, returning, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Avatar, TextButton, Tone, label, page};
use egui::{Key, Margin, TextEdit, Ui, vec2};
use egui_material_icons::icons;
use overlay::Username;

/// The card in which the person chooses their name, and what became of it.
pub(super) fn first_run_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    match state.step {
        Step::Devices => return devices::devices_card_ui(ui, view, state, wishes),
        Step::Network => return network::network_card_ui(ui, view, state, wishes),
        Step::Keeping => return keeping::keeping_card_ui(ui, view, state, wishes),
        Step::Name | Step::NameAlone => {}
    }
    if view.own.name.is_none() && state.returning.form == ReturnForm::Open {
        return page(ui, "returning", size::COLUMN, |ui| {
            returning_ui(ui, &mut state.returning, &mut state.surroundings)
        });
    }
    page(ui, "first run", size::COLUMN_NARROW, |ui| {
        let name = view.own.name.clone().unwrap_or_else(|| state.own_name.trim().to_lowercase());
        Avatar::new(ContactId::Person(view.own.key), &name, size::AVATAR_LARGE).show(ui);
        ui.add_space(size::GAP_LARGE);
        match &view.own.claim {
            ClaimState::Held { held_by, of } => held_ui(ui, view, &name, *held_by, *of, state),
            ClaimState::Claiming => claiming_ui(ui, view, &name, state),
            ClaimState::None | ClaimState::Taken | ClaimState::Failed(_) => form_ui(ui, view, state, wishes),
        }
    });
}

fn heading(ui: &mut Ui, title: &str, text: &str) {
    let colors = palette(ui);
    label(ui, title, font::title(), colors.text);
    label(ui, text, font::body(), colors.text_muted);
    ui.add_space(size::GAP_LARGE);
}

fn form_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    let returned = state.returning.trial == Trial::Returned;
    heading(ui, words::title(), if returned { returning::returned() } else { words::intro() });
    let field = ui.add(
        TextEdit::singleline(&mut state.own_name)
            .id_salt("own name")
            .hint_text(words::hint())
            .font(font::body())
            .char_limit(text::LONGEST_INPUT)
            .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
            .desired_width(f32::INFINITY),
    );
    let field = field.accessible_name(words::field());
    let parsed = Username::parse(&state.own_name);
    let refused = refusal(view, state, parsed.as_ref().ok());
    if ui.memory(|memory| memory.focused().is_none()) && !field.lost_focus() {
        field.request_focus();
        if refused.is_some() {
            select_all(ui, &field, &state.own_name);
        }
    }
    let (hint, ink) = match (&parsed, refused) {
        (_, Some(refused)) => (refused, colors.danger),
        _ if state.own_name.is_empty() => (words::rules().to_owned(), colors.text_muted),
        (Ok(_), None) => (words::valid().to_owned(), colors.accent),
        (Err(why), None) => (told::username(*why), colors.warning),
    };
    // Nothing moves while one types and the hint takes another line.
    let lines = HINT_LINES * ui.fonts_mut(|fonts| fonts.row_height(&font::caption()));
    ui.vertical(|ui| {
        ui.set_min_height(lines.ceil());
        label(ui, hint, font::caption(), ink)
    });
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let enter =
        field.lost_focus() && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Enter));
    let claim = ui.add_enabled_ui(parsed.is_ok(), |ui| {
        ui.add(TextButton::new(words::claim(), Tone::Primary).icon(icons::ICON_CHECK).wide(width))
    });
    if let Ok(name) = parsed
        && (claim.inner.clicked() || enter)
    {
        state.claimed = Some(name.as_str().to_owned());
        wishes.push(Command::ClaimName(name.as_str().to_owned()));
    }
    if ui.add(TextButton::new(words::later(), Tone::Quiet).wide(width)).clicked() {
        state.named(view);
    }
    // Whoever knows people already is somebody.
    let nobody = view.contacts.iter().all(|row| row.id == ContactId::Echo) && view.blocked.is_empty();
    if nobody && !returned && ui.add(TextButton::new(returning::offer(), Tone::Quiet).wide(width)).clicked() {
        state.returning.form = ReturnForm::Open;
    }
}

/// Lines that what is said below the field may take.
const HINT_LINES: f32 = 2.0;

/// Why the name in the field is not ours, once that is known; nothing is said of another one.
fn refusal(view: &View, state: &UiState, typed: Option<&Username>) -> Option<String> {
    let refused = match &view.own.claim {
        ClaimState::Taken => words::taken().to_owned(),
        ClaimState::Failed(why) => text::whole(&told::reason(why)),
        _ => return None,
    };
    let wanted = state.claimed.as_ref().or(view.own.name.as_ref());
    let meant = typed.is_none_or(|typed| wanted.is_none_or(|wanted| wanted == typed.as_str()));
    (meant && (typed.is_some() || state.own_name.is_empty())).then_some(refused)
}

fn claiming_ui(ui: &mut Ui, view: &View, name: &str, state: &mut UiState) {
    heading(ui, words::claiming_title(), &words::claiming(name));
    ui.add_space(size::GAP);
    let width = ui.available_width();
    if ui.add(TextButton::new(words::next(), Tone::Secondary).wide(width)).clicked() {
        state.named(view);
    }
}

fn held_ui(ui: &mut Ui, view: &View, name: &str, held_by: usize, of: usize, state: &mut UiState) {
    heading(ui, &words::held_title(name), &text::held(held_by, of));
    let width = ui.available_width();
    let button = TextButton::new(words::next(), Tone::Primary).icon(icons::ICON_ARROW_FORWARD).wide(width);
    let response = ui.add(button);
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    if response.clicked() {
        state.named(view);
    }
    ui.allocate_space(vec2(0.0, size::GAP));
}
