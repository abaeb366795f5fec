//! Where the parts of a call are: the controls stand at one place of the window from the first ring to the end, with
//! pictures and without.

use crate::ui::theme::size;
use crate::ui::widgets::centered_column;
use egui::{Align, Layout, Rect, Ui, UiBuilder, vec2};

/// The parts, from the top.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// Who it is, or what they show.
    pub(super) above: Rect,
    /// What is known of the call, and what can be looked into.
    pub(super) facts: Rect,
    /// The round controls, and a note below them.
    pub(super) controls: Rect,
}

impl Places {
    /// Those of a call that has this room.
    pub(super) fn of(room: Rect) -> Self {
        let (rest, controls) = room.split_top_bottom_at_y(room.bottom() - size::CONTROLS);
        let (above, facts) = rest.split_top_bottom_at_y(rest.bottom() - size::FACTS);
        Self { above, facts, controls }
    }

    /// What is above, centred both ways.
    pub(super) fn above_ui<R>(self, ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
        ui.scope_builder(UiBuilder::new().max_rect(self.above), |ui| {
            centered_column(ui, name, size::STAGE, |ui| {
                ui.spacing_mut().item_spacing.y = size::GAP_SMALL;
                add(ui)
            })
        })
        .inner
    }

    /// The facts, from the top of their part.
    pub(super) fn facts_ui<R>(self, ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
        within(ui, self.facts.with_min_y(self.facts.top() + size::GAP), add)
    }

    /// The controls, from the top of theirs.
    pub(super) fn controls_ui<R>(self, ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
        within(ui, self.controls, add)
    }
}

/// What follows from the top of `place`, each in its middle. Its parts say themselves how far they are apart.
fn within<R>(ui: &mut Ui, place: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    let place = place.shrink2(vec2(size::PAGE_MARGIN, 0.0));
    let builder = UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        add(ui)
    })
    .inner
}
