//! What this computer does for others: agreed to role by role, with caps.

mod hours;

use crate::engine::command::Command;
use crate::engine::helping::Agreed;
use crate::engine::view::{Counts, Helped, Totals, View};
use crate::ui::state::{Restart, UiState};
use crate::ui::text::{help as words, settings, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, card, label, page_from_top};
use egui::{Ui, vec2};
use egui_material_icons::icons;
use hours::hours_ui;
use overlay::record::Offers;
use overlay::volunteer::Metering;
use std::time::Duration;

/// How often the figures are asked for while they are shown.
const FIGURES_EVERY: Duration = Duration::from_secs(10);

/// What a line sends, and what may be passed on, in Mbit/s.
const MBITS: [u32; 5] = [1, 2, 5, 10, 50];

/// The page.
pub(super) fn help_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let agreed = view.help.agreed;
    page_from_top(ui, "help", size::COLUMN, |ui| {
        let colors = palette(ui);
        label(ui, words::title(), font::title(), colors.text);
        label(ui, words::intro(), font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            label(ui, words::may(), font::strong(), colors.text);
            roles_ui(ui, &agreed, wishes);
        });
        if agreed.roles == Offers::NONE {
            return;
        }
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            standing_ui(ui, view, state);
            if let Some(helped) = figures(ui, view, state, wishes) {
                label(ui, words::figures(&helped), font::body(), colors.text_muted);
                flow_ui(ui, &helped);
            }
            if agreed.roles.contains(Offers::RELAY) || view.help.totals != Totals::default() {
                label(ui, words::totals(&view.help.totals), font::body(), colors.text_muted);
            }
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            if let Some(hours) = hours_ui(ui, agreed.hours, &mut state.typed_hour) {
                wishes.push(Command::AgreeToHelp(Agreed { hours, ..agreed }));
            }
        });
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| {
            if agreed.roles.contains(Offers::RELAY) {
                cap_ui(ui, agreed, wishes);
                ui.add_space(size::GAP);
            }
            label(ui, words::upload(), font::strong(), colors.text);
            if let Some(upload_kbps) = mbits_ui(ui, words::upload(), words::unknown(), agreed.upload_kbps) {
                wishes.push(Command::AgreeToHelp(Agreed { upload_kbps, ..agreed }));
            }
            ui.add_space(size::GAP);
            let metered = agreed.metering == Metering::Metered;
            if check_ui(ui, words::metered(), None, metered) {
                let metering = if metered { Metering::Unmetered } else { Metering::Metered };
                wishes.push(Command::AgreeToHelp(Agreed { metering, ..agreed }));
            }
        });
    });
}

fn roles_ui(ui: &mut Ui, agreed: &Agreed, wishes: &mut Vec<Command>) {
    let roles = [
        (Offers::DIRECTORY, words::directory(), words::directory_text()),
        (Offers::INTRODUCER, words::introducer(), words::introducer_text()),
        (Offers::RELAY, words::relay(), words::relay_text()),
    ];
    for (role, title, text) in roles {
        let on = agreed.roles.contains(role);
        if check_ui(ui, title, Some(text), on) {
            let roles = if on { agreed.roles.without(role) } else { agreed.roles.and(role) };
            wishes.push(Command::AgreeToHelp(Agreed { roles, ..*agreed }));
        }
    }
}

/// What flows now, where anything does.
fn flow_ui(ui: &mut Ui, helped: &Helped) {
    if let Some(kbps) = helped.kbps.filter(|_| helped.connections > 0) {
        label(ui, words::flow(helped.connections, kbps), font::body(), palette(ui).text_muted);
    }
}

/// How much it passes on.
fn cap_ui(ui: &mut Ui, agreed: Agreed, wishes: &mut Vec<Command>) {
    label(ui, words::cap(), font::strong(), palette(ui).text);
    let cap = agreed.max_kbps.and_then(|kbps| u32::try_from(kbps).ok());
    if let Some(cap) = mbits_ui(ui, words::cap(), words::no_cap(), cap) {
        let max_kbps = cap.map(u64::from);
        wishes.push(Command::AgreeToHelp(Agreed { max_kbps, ..agreed }));
    }
}

/// How far it has come, and from when on it counts.
fn standing_ui(ui: &mut Ui, view: &View, state: &mut UiState) {
    let colors = palette(ui);
    if let Some(standing) = view.help.standing.map(told::standing) {
        label(ui, standing.message, font::body(), colors.text);
        label(ui, standing.next_step, font::caption(), colors.text_muted);
    }
    match (view.help.counts, state.restart) {
        (Counts::Now, _) => {}
        (Counts::NextStart, Restart::Wished | Restart::Running) => {
            label(ui, words::restarting(), font::body(), colors.warning);
        }
        (Counts::NextStart, Restart::No) => {
            label(ui, words::next_start(), font::body(), colors.warning);
            let restart = TextButton::new(words::restart(), Tone::Secondary).icon(icons::ICON_RESTART_ALT);
            // A call has the whole window: nobody is cut off.
            if ui.add(restart.low()).clicked() {
                state.restart = Restart::Wished;
            }
            ui.add_space(size::GAP_SMALL);
        }
    }
}

/// Whom it helps; asked for again and again while somebody looks.
fn figures(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) -> Option<Helped> {
    let due = state.counted.is_none_or(|at| state.now.saturating_duration_since(at) >= FIGURES_EVERY);
    if due {
        state.counted = Some(state.now);
        wishes.push(Command::CountHelped);
    }
    ui.request_repaint_after(FIGURES_EVERY);
    Some(view.help.helped).filter(|helped| *helped != Helped::default())
}

/// Something that is on or off; true when it is to be the other.
pub(super) fn check_ui(ui: &mut Ui, title: &str, text: Option<&str>, on: bool) -> bool {
    let icon = if on { icons::ICON_CHECK_BOX } else { icons::ICON_CHECK_BOX_OUTLINE_BLANK };
    let row = ListRow::link(icon, title).selected(on);
    let row = match text {
        Some(text) => row.detail(text),
        None => row,
    };
    row.show(ui).clicked()
}

/// So many Mbit/s, or none of it; what was chosen, in kbit/s.
fn mbits_ui(ui: &mut Ui, of: &str, none: &str, now: Option<u32>) -> Option<Option<u32>> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::GAP_SMALL);
        let known = MBITS.map(|mbits| Some(mbits * 1000));
        // What the command line said may be something between.
        let odd = (!known.contains(&now)).then_some(now).filter(Option::is_some);
        for kbps in [None].into_iter().chain(known).chain(odd) {
            let text = kbps.map_or_else(|| none.to_owned(), words::rate);
            let name = settings::choice(of, &text);
            let tone = if kbps == now { Tone::Primary } else { Tone::Secondary };
            if ui.add(TextButton::new(&text, tone).named(&name)).clicked() && kbps != now {
                chosen = Some(kbps);
            }
        }
    });
    chosen
}
