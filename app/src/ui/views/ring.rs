//! The network as this computer sees it: the helpers on their circle, and how far those are that it talks to.

use crate::engine::command::Command;
use crate::engine::view::View;
use crate::ui::state::UiState;
use crate::ui::text::{lasted, ring as words};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{Mark, Spot, card, label, legend_item, mark_ui, ring_map, text_width};
use egui::{Ui, vec2};
use overlay::outcome::{Linked, OnRing, Ring, Ties};
use std::time::Duration;

/// How often the engine is asked while somebody looks.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Helpers in the list; of more, it says how many.
const ROWS: usize = 6;

/// The card, once the engine has told of anybody; asked for again and again while it is shown.
pub(super) fn ring_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let due = state.ring_asked.is_none_or(|at| state.now.saturating_duration_since(at) >= LOOK_EVERY);
    if due {
        state.ring_asked = Some(state.now);
        wishes.push(Command::LookAtRing);
    }
    ui.request_repaint_after(LOOK_EVERY);
    if let Some(ring) = &view.ring {
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| map_ui(ui, ring));
    }
}

fn map_ui(ui: &mut Ui, ring: &Ring) {
    let colors = palette(ui);
    let of = |mark| ring.supernodes.iter().filter(|shown| mark_of(shown.ties) == mark).count();
    let homes = of(Mark::Home);
    label(ui, words::title(), font::strong(), colors.text);
    let mut known = words::known(ring.known, homes);
    if ring.supernodes.len() < ring.known {
        known = format!("{known} {}", words::drawn(ring.supernodes.len(), ring.known));
    }
    label(ui, known, font::body(), colors.text);
    ui.add_space(size::GAP);
    ui.vertical_centered(|ui| {
        let spots: Vec<Spot> = ring.supernodes.iter().map(spot).collect();
        let named = words::map(ring.known, homes);
        let (response, hovered) = ring_map(ui, &named, ring.own.turns() as f32, &spots);
        if let Some(shown) = hovered.and_then(|nth| ring.supernodes.get(nth)) {
            response.on_hover_text_at_pointer(words::spot(&shown.address.to_string(), &told(shown.ties)));
        }
    });
    ui.add_space(size::GAP);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_LARGE, size::GAP_SMALL);
        legend_item(ui, Mark::Own, words::own());
        for (mark, what) in [
            (Mark::Home, words::home()),
            (Mark::Linked, words::linked()),
            (Mark::Answered, words::answered()),
            (Mark::HeardOf, words::heard_of()),
            (Mark::Silent, words::silent()),
        ] {
            let count = of(mark);
            if count > 0 {
                legend_item(ui, mark, &words::counted(what, count));
            }
        }
    });
    ui.add_space(size::GAP_SMALL);
    label(ui, words::text(), font::caption(), colors.text_muted);
    list_ui(ui, ring);
}

/// Those it has a link to: where they are, for how long, and how far.
fn list_ui(ui: &mut Ui, ring: &Ring) {
    let linked = linked(ring);
    if linked.is_empty() {
        return;
    }
    let colors = palette(ui);
    ui.add_space(size::GAP_LARGE);
    label(ui, words::round_trips(), font::strong(), colors.text);
    for (shown, figures) in linked.iter().take(ROWS) {
        ui.add_space(size::GAP_SMALL);
        ui.horizontal(|ui| {
            mark_ui(ui, mark_of(shown.ties));
            let (time, font, ink) = match figures.round_trip {
                Some(took) => (words::round_trip(took), font::strong(), colors.text),
                None => (words::unmeasured().to_owned(), font::caption(), colors.text_muted),
            };
            let room = text_width(ui, &time, font.clone()) + size::GAP;
            ui.vertical(|ui| {
                ui.set_width(ui.available_width() - room);
                ui.spacing_mut().item_spacing.y = size::LINE_GAP;
                label(ui, shown.address.to_string(), font::body(), colors.text);
                label(ui, told(shown.ties), font::caption(), colors.text_muted);
            });
            label(ui, time, font, ink);
        });
    }
    if linked.len() > ROWS {
        ui.add_space(size::GAP_SMALL);
        label(ui, words::more(linked.len() - ROWS), font::caption(), colors.text_muted);
    }
}

/// Homes first, each kind from near to far, who was not measured last.
fn linked(ring: &Ring) -> Vec<(&OnRing, Linked)> {
    let mut linked: Vec<(&OnRing, Linked)> = ring
        .supernodes
        .iter()
        .filter_map(|shown| match shown.ties {
            Ties::Home(figures) | Ties::Linked(figures) => Some((shown, figures)),
            Ties::Answered | Ties::HeardOf | Ties::Silent => None,
        })
        .collect();
    linked.sort_by_key(|(shown, figures)| {
        let rank = std::cmp::Reverse(mark_of(shown.ties));
        (rank, figures.round_trip.is_none(), figures.round_trip, shown.node)
    });
    linked
}

fn spot(shown: &OnRing) -> Spot {
    Spot { turns: shown.place.turns() as f32, mark: mark_of(shown.ties) }
}

fn mark_of(ties: Ties) -> Mark {
    match ties {
        Ties::Home(_) => Mark::Home,
        Ties::Linked(_) => Mark::Linked,
        Ties::Answered => Mark::Answered,
        Ties::HeardOf => Mark::HeardOf,
        Ties::Silent => Mark::Silent,
    }
}

/// What this computer has to do with a helper.
fn told(ties: Ties) -> String {
    match ties {
        Ties::Home(Linked { lasted: time, .. }) => words::rings_for(&lasted(time)),
        Ties::Linked(Linked { lasted: time, .. }) => words::linked_for(&lasted(time)),
        Ties::Answered => words::answered().to_owned(),
        Ties::HeardOf => words::heard_of().to_owned(),
        Ties::Silent => words::silent().to_owned(),
    }
}
