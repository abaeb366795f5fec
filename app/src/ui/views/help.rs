//! What this computer does for others: agreed to role by role, with caps.

use crate::engine::command::Command;
use crate::engine::helping::Agreed;
use crate::engine::helping::hours::{End, HelpHours, Span, Step};
use crate::engine::view::{Counts, Helped, Totals, View};
use crate::ui::state::UiState;
use crate::ui::text::{help as words, settings, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, card, label, page_from_top, text_width};
use egui::{Align, Layout, Ui, vec2};
use egui_material_icons::icons;
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
            standing_ui(ui, view);
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
            if let Some(hours) = hours_ui(ui, agreed.hours) {
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

/// At any time, or between two hours; what was chosen.
fn hours_ui(ui: &mut Ui, now: HelpHours) -> Option<HelpHours> {
    let colors = palette(ui);
    label(ui, words::hours(), font::strong(), colors.text);
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::GAP_SMALL);
        let span = match now {
            HelpHours::Always => Span::NIGHT,
            HelpHours::Daily(span) => span,
        };
        for (hours, text) in [(HelpHours::Always, words::always()), (HelpHours::Daily(span), words::daily())]
        {
            let name = settings::choice(words::hours(), text);
            let tone = if hours == now { Tone::Primary } else { Tone::Secondary };
            if ui.add(TextButton::new(text, tone).named(&name)).clicked() && hours != now {
                chosen = Some(hours);
            }
        }
    });
    if let HelpHours::Daily(span) = now {
        let ends = [(End::From, words::from(), span.from()), (End::To, words::to(), span.to())];
        let ends = ends.map(|(end, of, hour)| (end, of, format!("{of} {}", words::hour(hour))));
        // Below each other, and where they were when an hour changes.
        let widths = ends.each_ref().map(|(_, _, at)| text_width(ui, at, font::body()));
        let width = widths.into_iter().fold(0.0, f32::max).ceil() + size::GAP;
        for (end, of, at) in ends {
            if let Some(step) = hour_ui(ui, width, of, &at) {
                chosen = Some(HelpHours::Daily(span.moved(end, step)));
            }
        }
        label(ui, words::hours_text(), font::caption(), colors.text_muted);
    }
    chosen
}

/// One of the hours in a column of this width, and what moves it.
fn hour_ui(ui: &mut Ui, width: f32, of: &str, at: &str) -> Option<Step> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::GAP_SMALL);
        let column = vec2(width, size::ROUND_SMALL);
        ui.allocate_ui_with_layout(column, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(column);
            label(ui, at, font::body(), palette(ui).text);
        });
        for (step, text) in [(Step::Earlier, words::earlier()), (Step::Later, words::later())] {
            let name = settings::choice(of, text);
            if ui.add(TextButton::new(text, Tone::Secondary).low().named(&name)).clicked() {
                chosen = Some(step);
            }
        }
    });
    chosen
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
fn standing_ui(ui: &mut Ui, view: &View) {
    let colors = palette(ui);
    if let Some(standing) = view.help.standing.map(told::standing) {
        label(ui, standing.message, font::body(), colors.text);
        label(ui, standing.next_step, font::caption(), colors.text_muted);
    }
    if view.help.counts == Counts::NextStart {
        label(ui, words::next_start(), font::body(), colors.warning);
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
