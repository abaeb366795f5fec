//! First run, third card: whether people can call, and whether to help others.

use super::heading;
use crate::engine::command::Command;
use crate::engine::diagnosis::{Bearing, Fact};
use crate::engine::helping::Agreed;
use crate::engine::view::{NetworkCheck, NetworkFound, View};
use crate::ui::state::{Step, UiState};
use crate::ui::text::{first_run as words, help, network, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::help::check_ui;
use crate::ui::views::network::verdict;
use crate::ui::widgets::{TextButton, Tone, card, label, page};
use egui::Ui;
use egui_material_icons::icons;
use overlay::record::Offers;

/// What was found out, and the question.
pub(super) fn network_card_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "first run network", size::COLUMN_NARROW, |ui| {
        match &view.network_check {
            NetworkCheck::Idle => {
                wishes.push(Command::CheckNetwork);
                looking_ui(ui);
            }
            NetworkCheck::Looking => looking_ui(ui),
            NetworkCheck::Found(found) => found_ui(ui, found),
        }
        card(ui, |ui| help_ui(ui, view.help.agreed, wishes));
        ui.add_space(size::GAP_LARGE);
        let width = ui.available_width();
        let done = TextButton::new(words::next(), Tone::Primary).icon(icons::ICON_ARROW_FORWARD).wide(width);
        let done = ui.add(done);
        if ui.memory(|memory| memory.focused().is_none()) {
            done.request_focus();
        }
        if done.clicked() {
            state.step = Step::Keeping;
        }
    });
}

/// As high as a good verdict: nothing moves when it comes.
fn looking_ui(ui: &mut Ui) {
    let muted = palette(ui).text_muted;
    ui.label(icons::ICON_NETWORK_CHECK.rich_text().size(size::KEY_PICTURE).color(muted));
    heading(ui, network::looking(), network::looking_text());
}

/// The verdict, and the one thing that is most in the way.
fn found_ui(ui: &mut Ui, found: &NetworkFound) {
    let colors = palette(ui);
    let (icon, ink, title) = verdict(found.verdict, colors);
    ui.label(icon.rich_text().size(size::KEY_PICTURE).color(ink));
    label(ui, title, font::title(), colors.text);
    let bad = found.findings.iter().find(|finding| finding.bearing == Bearing::Bad);
    let worst = bad.or_else(|| found.findings.iter().find(|finding| finding.fact == Fact::CallsOverTcp));
    match worst {
        Some(worst) => {
            let told = told::fact(&worst.fact);
            label(ui, told.message, font::body(), colors.text);
            label(ui, told.next_step, font::caption(), colors.text_muted);
        }
        None => drop(label(ui, words::network_good(), font::body(), colors.text_muted)),
    }
    ui.add_space(size::GAP_LARGE);
}

/// Nothing is agreed to unless somebody says so.
fn help_ui(ui: &mut Ui, agreed: Agreed, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    label(ui, words::help_title(), font::strong(), colors.text);
    label(ui, help::intro(), font::caption(), colors.text_muted);
    ui.add_space(size::GAP);
    let on = agreed.roles != Offers::NONE;
    if check_ui(ui, words::help(), Some(words::help_cost()), on) {
        let roles = if on { Offers::NONE } else { Offers::ALL };
        wishes.push(Command::AgreeToHelp(Agreed { roles, ..agreed }));
    }
}
