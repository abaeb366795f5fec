//! Notices: what happened and what to do. Those that only inform pass, the others stay until dismissed. None lies over
//! the controls of a call or its figures.

use super::banner::banners_height;
use super::request::{is_news, news_ui};
use crate::engine::command::Command;
use crate::engine::view::{Notice, Sentence, View};
use crate::reason::Weight;
use crate::ui::passing::{GLANCE, Hold, Told};
use crate::ui::state::{Refused, UiState};
use crate::ui::text::{notice as words, told};
use crate::ui::theme::{font, palette, shadow, size};
use crate::ui::widgets::{RoundButton, label};
use egui::{Align2, Area, CornerRadius, Frame, Order, Response, ScrollArea, Stroke, Ui, vec2};
use egui_material_icons::icons;

/// The notices, newest last, in the upper right corner above everything else.
pub(super) fn notices_ui(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let (below_field, notices): (Vec<&Notice>, Vec<&Notice>) =
        view.notices.iter().partition(|notice| state.says_of_name(view) && notice.why.is_about_own_name());
    wishes.extend(below_field.iter().map(|notice| Command::DismissNotice(notice.id)));
    let passing: Vec<Told> = notices
        .iter()
        .filter(|notice| notice.why.weight() == Weight::Passing)
        .map(|notice| Told::Notice(notice.id))
        .chain(state.refused.map(|Refused| Told::Busy))
        .collect();
    let mut hold = Hold::Free;
    let refused = state.refused.is_some() || state.surroundings.mute_key_refused.is_some();
    if !notices.is_empty() || refused || is_news(view, state) {
        hold = stack_ui(ui, view, &notices, state, wishes);
    }
    for over in state.passing.show(state.now, &passing, hold) {
        match over {
            Told::Notice(id) => wishes.push(Command::DismissNotice(id)),
            Told::Busy => state.refused = None,
        }
    }
    if !passing.is_empty() {
        ui.request_repaint_after(GLANCE);
    }
}

/// All of them; whether somebody is at them.
fn stack_ui(
    ui: &Ui,
    view: &View,
    notices: &[&Notice],
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) -> Hold {
    let window = ui.ctx().content_rect();
    let top = size::GAP_LARGE + view.call.as_ref().map_or(0.0, |call| banners_height(call, state));
    let right = state.occupied.figures.map_or(window.right() - size::GAP_LARGE, |it| it.left() - size::GAP);
    let area = Area::new(egui::Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_TOP, vec2(right - window.right(), top))
        .show(ui.ctx(), |ui| {
            ui.set_width(size::NOTICE);
            match state.occupied.controls {
                None => list_ui(ui, view, notices, state, wishes),
                Some(controls) => {
                    let most = (controls - size::GAP - window.top() - top).max(LEAST);
                    ScrollArea::vertical()
                        .max_height(most)
                        .min_scrolled_height(most)
                        .show(ui, |ui| list_ui(ui, view, notices, state, wishes))
                        .inner
                }
            }
        });
    let pointed =
        ui.input(|input| input.pointer.hover_pos()).is_some_and(|at| area.response.rect.contains(at));
    if pointed { Hold::Held } else { area.inner }
}

/// One below the other; whether the keyboard is at one.
fn list_ui(
    ui: &mut Ui,
    view: &View,
    notices: &[&Notice],
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) -> Hold {
    let mut hold = Hold::Free;
    news_ui(ui, view, state);
    for notice in notices {
        let told = if view.call.is_some() { told::in_call(&notice.why) } else { told::reason(&notice.why) };
        let dismiss = notice_ui(ui, &told);
        if dismiss.has_focus() {
            hold = Hold::Held;
        }
        if dismiss.clicked() {
            wishes.push(Command::DismissNotice(notice.id));
        }
    }
    if let Some(why) = &state.surroundings.mute_key_refused {
        let dismiss = notice_ui(ui, &told::mute_key(why));
        if dismiss.has_focus() {
            hold = Hold::Held;
        }
        if dismiss.clicked() {
            state.surroundings.mute_key_refused = None;
        }
    }
    if let Some(Refused) = state.refused {
        let dismiss = notice_ui(ui, &told::engine_busy());
        if dismiss.has_focus() {
            hold = Hold::Held;
        }
        if dismiss.clicked() {
            state.refused = None;
        }
    }
    hold
}

/// One notice has room, whatever else there is.
const LEAST: f32 = 96.0;

/// The ground of one.
pub(super) fn notice_frame<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let colors = palette(ui);
    Frame::new()
        .fill(colors.surface)
        .stroke(Stroke::new(1.0, colors.line))
        .corner_radius(CornerRadius::same(size::CORNER_CARD))
        .shadow(shadow(ui))
        .inner_margin(size::NOTICE_MARGIN)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
        .inner
}

/// Draws one; its button.
fn notice_ui(ui: &mut Ui, notice: &Sentence) -> Response {
    let colors = palette(ui);
    notice_frame(ui, |ui| {
        ui.horizontal_top(|ui| {
            let text_width = ui.available_width() - size::ROUND_SMALL - size::GAP;
            ui.vertical(|ui| {
                ui.set_width(text_width);
                ui.spacing_mut().item_spacing.y = size::LINE_GAP;
                ui.add_space(size::GAP_SMALL);
                label(ui, notice.message.as_str(), font::strong(), colors.text);
                label(ui, notice.next_step.as_str(), font::caption(), colors.text_muted);
            });
            let name = words::dismiss(&notice.message);
            ui.add(RoundButton::small(&name, icons::ICON_CLOSE))
        })
        .inner
    })
}
