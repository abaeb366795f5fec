//! "Can people call me?": the answer, why, and what to change.

use super::ring::ring_ui;
use crate::engine::command::Command;
use crate::engine::diagnosis::{Bearing, Fact, Finding, Verdict};
use crate::engine::view::{NetworkCheck, NetworkFound, View};
use crate::ui::state::{Copied, Disclosure, UiState};
use crate::ui::text::{nat, network as words, told};
use crate::ui::theme::{Palette, font, palette, size};
use crate::ui::widgets::{NatWords, TextButton, Tone, card, centered_row, label, nat_picture, page};
use egui::{Align, Color32, Ui, vec2};
use egui_material_icons::{MaterialIcon, icons};
use overlay::NatKind;

/// The page.
pub(super) fn network_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    page(ui, "network", size::COLUMN, |ui| {
        let colors = palette(ui);
        match &view.network_check {
            NetworkCheck::Idle => {
                wishes.push(Command::CheckNetwork);
                looking_ui(ui);
            }
            NetworkCheck::Looking => looking_ui(ui),
            NetworkCheck::Found(found) => {
                let (icon, ink, title) = verdict(found.verdict, colors);
                ui.label(icon.rich_text().size(size::KEY_PICTURE).color(ink));
                label(ui, title, font::title(), colors.text);
                ui.add_space(size::GAP_LARGE);
                found_ui(ui, found, state, wishes);
                ring_ui(ui, view, state, wishes);
                details_ui(ui, found, state);
            }
        }
    });
}

/// How a verdict is shown: its icon, the colour of it, and in words.
pub(super) fn verdict(verdict: Verdict, colors: &Palette) -> (MaterialIcon, Color32, &'static str) {
    match verdict {
        Verdict::Callable => (icons::ICON_CHECK_CIRCLE, colors.accent, words::callable()),
        Verdict::OverTcp => (icons::ICON_WARNING, colors.warning, words::over_tcp()),
        Verdict::NoSound => (icons::ICON_WARNING, colors.warning, words::no_sound()),
        Verdict::Unreachable => (icons::ICON_ERROR, colors.danger, words::unreachable()),
    }
}

fn looking_ui(ui: &mut Ui) {
    let colors = palette(ui);
    ui.label(icons::ICON_NETWORK_CHECK.rich_text().size(size::KEY_PICTURE).color(colors.text_muted));
    label(ui, words::looking(), font::title(), colors.text);
    label(ui, words::looking_text(), font::body(), colors.text_muted);
}

fn found_ui(ui: &mut Ui, found: &NetworkFound, state: &mut UiState, wishes: &mut Vec<Command>) {
    card(ui, |ui| {
        for finding in &found.findings {
            finding_ui(ui, finding);
        }
    });
    ui.add_space(size::GAP_LARGE);
    let buttons = [
        TextButton::new(words::copy(), Tone::Secondary).icon(icons::ICON_CONTENT_COPY),
        TextButton::new(words::again(), Tone::Primary).icon(icons::ICON_REFRESH),
    ];
    let widths = buttons.each_ref().map(|button| button.width(ui));
    let [copy, again] = buttons;
    centered_row(ui, &widths, size::BUTTON, size::GAP, |ui| {
        if ui.add(copy).clicked() {
            ui.copy_text(found.lines.clone());
            state.copied = Some(Copied);
        }
        if ui.add(again).clicked() {
            wishes.push(Command::CheckNetwork);
        }
    });
    if state.copied.is_some() {
        ui.add_space(size::GAP);
        label(ui, words::copied(), font::body(), palette(ui).accent);
    }
}

/// The same in the words of experts.
fn details_ui(ui: &mut Ui, found: &NetworkFound, state: &mut UiState) {
    ui.add_space(size::GAP);
    let (fold, icon) = match state.details {
        Disclosure::Folded => (words::details(), icons::ICON_EXPAND_MORE),
        Disclosure::Open => (words::fewer(), icons::ICON_EXPAND_LESS),
    };
    let turned = ui.add(TextButton::new(fold, Tone::Quiet).icon(icon));
    if turned.clicked() {
        state.details = state.details.turned();
    }
    if state.details == Disclosure::Open {
        if turned.clicked() {
            turned.scroll_to_me(Some(Align::TOP));
        }
        ui.add_space(size::GAP);
        card(ui, |ui| {
            for finding in &found.findings {
                let (message, advice) = (finding.fact.message(), finding.fact.advice_in_window());
                beside_bearing(ui, finding.bearing, |ui| {
                    let muted = palette(ui).text_muted;
                    label(ui, message, font::body(), palette(ui).text);
                    if let Some(advice) = advice {
                        label(ui, advice, font::caption(), muted);
                    }
                });
            }
        });
    }
}

/// The same in a picture.
fn nat_ui(ui: &mut Ui, kind: NatKind) {
    let how = match kind {
        NatKind::Open => nat::open(),
        NatKind::EndpointIndependent => nat::independent(),
        NatKind::AddressDependent => nat::dependent(),
        NatKind::Unknown => nat::unknown(),
    };
    let router = match kind {
        NatKind::Open => how.to_owned(),
        _ => format!("{}\n{how}", nat::router()),
    };
    let words = NatWords {
        computer: nat::computer(),
        router: &router,
        internet: nat::internet(),
        label: &nat::picture(how),
    };
    nat_picture(ui, kind, &words);
}

fn finding_ui(ui: &mut Ui, finding: &Finding) {
    let colors = palette(ui);
    beside_bearing(ui, finding.bearing, |ui| {
        let told = told::fact(&finding.fact);
        label(ui, told.message, font::body(), colors.text);
        if !told.next_step.is_empty() {
            label(ui, told.next_step, font::caption(), colors.text_muted);
        }
        if let Fact::Nat(nat) = finding.fact {
            nat_ui(ui, nat);
        }
    });
}

/// What is said beside the mark of how it bears on being called.
fn beside_bearing(ui: &mut Ui, bearing: Bearing, add: impl FnOnce(&mut Ui)) {
    let colors = palette(ui);
    let (icon, ink) = match bearing {
        Bearing::Good => (icons::ICON_CHECK, colors.accent),
        Bearing::Note => (icons::ICON_INFO, colors.text_muted),
        Bearing::Bad => (icons::ICON_ERROR, colors.danger),
    };
    ui.horizontal_top(|ui| {
        ui.label(icon.rich_text().size(font::ICON).color(ink));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, size::LINE_GAP);
            add(ui);
        });
    });
    ui.add_space(size::GAP_SMALL);
}
