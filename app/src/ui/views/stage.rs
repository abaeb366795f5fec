//! The other end's picture elsewhere than in the window: on the whole screen, or in a small window of its own.

use super::banner::banners_height;
use super::facts::tools_row_ui;
use super::in_call::{controls_ui, own_ui, their_state_at};
use super::places::Places;
use crate::engine::command::Command;
use crate::engine::view::{CallView, View};
use crate::ui::command::{self, UiCommand, enter};
use crate::ui::state::{Stage, UiState};
use crate::ui::text::call as words;
use crate::ui::theme::{pace, palette, size};
use crate::ui::widgets::{RoundButton, Tone};
use egui::{
    CursorIcon, Key, Pos2, Rect, Sense, Ui, Vec2, ViewportBuilder, ViewportCommand, ViewportId, vec2,
};
use egui_material_icons::icons;
use std::time::Duration;

/// The controls over a full screen go away after so long without mouse or keyboard.
const CONTROLS_STAY: Duration = Duration::from_secs(3);

/// The small window, in points.
const SMALL: Vec2 = Vec2::new(320.0, 180.0);
const SMALLEST: Vec2 = Vec2::new(160.0, 90.0);

/// The picture on the whole screen.
pub(super) fn full_screen_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    ui.ctx().request_repaint_after(pace::PICTURES);
    if ui.input(|input| !input.events.is_empty()) {
        state.touched = state.now;
    }
    let room = ui.available_rect_before_wrap();
    if let Some(picture) = &mut state.picture {
        let drawn = picture.show(ui, room, &words::picture_of(&call.name));
        state.gauge.draw(drawn * ui.pixels_per_point());
    }
    let bottom = state.occupied.controls_before.unwrap_or(room.bottom());
    own_ui(ui, call, state, room.with_max_y(bottom));
    let top = room.center_top() + vec2(0.0, size::GAP + banners_height(call, state));
    their_state_at(ui, call, room.width() - 2.0 * size::GAP, |width| top - vec2(width / 2.0, 0.0));
    if state.now.saturating_duration_since(state.touched) >= CONTROLS_STAY {
        ui.ctx().set_cursor_icon(CursorIcon::None);
        return;
    }
    let places = Places::of(room);
    // The row of tools stands where it does otherwise, too.
    let tools = places.controls.top() - size::GAP_LARGE - size::ROUND_SMALL;
    let strip = room.with_min_y(tools - size::PANEL_MARGIN);
    state.occupied.controls = Some(strip.top());
    // Some of the picture shines through; text stays readable on any.
    ui.painter().rect_filled(strip, 0.0, palette(ui).ground.gamma_multiply(0.9));
    Places { facts: room.with_min_y(tools - size::GAP), ..places }
        .facts_ui(ui, |ui| tools_row_ui(ui, UiCommand::staging(state.stage), state, wishes));
    places.controls_ui(ui, |ui| controls_ui(ui, view, call, state, wishes));
}

/// The picture in a window of its own, above all others and without a frame: it is moved by dragging it, and closed by
/// its button, Escape, or the desktop. Mute and hang up are at hand, by button and by key.
pub(super) fn apart_ui(
    ui: &Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let ctx = ui.ctx().clone();
    ctx.request_repaint_after(pace::PICTURES);
    let name = words::picture_of(&call.name);
    if state.apart_at.is_none() {
        state.apart_at = ctx.input(|input| {
            let viewport = input.viewport();
            viewport.outer_rect.map(|main| beside(main, viewport.monitor_size))
        });
    }
    let mut builder = ViewportBuilder::default()
        .with_title(&name)
        .with_inner_size(SMALL)
        .with_min_inner_size(SMALLEST)
        .with_decorations(false)
        .with_always_on_top();
    if let Some(at) = state.apart_at {
        builder = builder.with_position(at);
    }
    ctx.show_viewport_immediate(viewport(), builder, |ui, _| {
        for action in command::pressed(ui.ctx(), view, Some(Stage::Apart)) {
            action.perform(ui.ctx(), state, wishes);
        }
        let room = ui.available_rect_before_wrap();
        if let Some(picture) = &mut state.picture {
            let drawn = picture.show(ui, room, &name);
            state.gauge.draw(drawn * ui.pixels_per_point());
        }
        if ui.interact(room, ui.scope_id().with("move"), Sense::drag()).drag_started() {
            ui.ctx().send_viewport_cmd(ViewportCommand::StartDrag);
        }
        apart_controls_ui(ui, room, call, state, wishes);
        let top = room.left_top() + Vec2::splat(size::GAP);
        let corner = Rect::from_min_size(
            room.right_top() + Vec2::new(-size::ROUND_SMALL - size::GAP, size::GAP),
            Vec2::splat(size::ROUND_SMALL),
        );
        their_state_at(ui, call, corner.left() - size::GAP - top.x, |_| top);
        let button =
            RoundButton::small(words::close_small_window(), icons::ICON_CLOSE).toned(Tone::Secondary);
        let closed = ui.put(corner, button).clicked()
            || ui.input(|input| input.viewport().close_requested() || input.key_pressed(Key::Escape));
        if closed {
            enter(ui.ctx(), state, Stage::Window);
        }
    });
}

/// Side by side at its lower edge.
fn apart_controls_ui(
    ui: &mut Ui,
    room: Rect,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let step = size::ROUND_SMALL + size::GAP;
    let first = room.center_bottom() - Vec2::new(step / 2.0, size::ROUND_SMALL / 2.0 + size::GAP);
    for (at, action) in [UiCommand::muting(call), UiCommand::ending(call)].into_iter().enumerate() {
        let tone = match action {
            UiCommand::Unmute => Tone::Engaged,
            UiCommand::Mute => Tone::Secondary,
            _ => Tone::Danger,
        };
        let place =
            Rect::from_center_size(first + Vec2::new(step * at as f32, 0.0), Vec2::splat(size::ROUND_SMALL));
        let button = RoundButton::small(action.label(), action.icon()).toned(tone).tip(action.tip(ui.ctx()));
        if ui.put(place, button).clicked() {
            action.perform(ui.ctx(), state, wishes);
        }
    }
}

/// Where a small window covers nothing of the main one, which lies there on the desktop; where there is no such place, it
/// covers the upper left corner, in which nothing can be pressed.
fn beside(main: Rect, monitor: Option<Vec2>) -> Pos2 {
    let lower = if main.height() < size::LOW_WINDOW + LOWER { LOWER } else { LOWEST };
    let within = main.min + Vec2::new(size::GAP_LARGE, lower);
    let Some(monitor) = monitor else { return within };
    let top = main.top().min(monitor.y - SMALL.y).max(0.0);
    if main.right() + size::GAP + SMALL.x <= monitor.x {
        Pos2::new(main.right() + size::GAP, top)
    } else if main.left() - size::GAP - SMALL.x >= 0.0 {
        Pos2::new(main.left() - size::GAP - SMALL.x, top)
    } else {
        within
    }
}

/// Below what the desktop draws around a window.
const LOWER: f32 = 48.0;
/// Below what may be said at the top of a call, too: in a window that is high enough there is room for both.
const LOWEST: f32 = 132.0;

/// What the small window is known by.
pub(in crate::ui) fn viewport() -> ViewportId {
    ViewportId::from_hash_of("picture of the other end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    #[test]
    fn a_small_window_comes_up_beside_the_main_one_where_there_is_room() {
        let monitor = vec2(1920.0, 1080.0);
        for (left, right) in [(0.0, 1000.0), (900.0, 1900.0), (460.0, 1460.0)] {
            let main = Rect::from_min_max(pos2(left, 100.0), pos2(right, 740.0));
            let small = Rect::from_min_size(beside(main, Some(monitor)), SMALL);
            assert!(!small.intersects(main), "{small} over {main}");
            assert!(
                Rect::from_min_size(Pos2::ZERO, monitor).contains_rect(small),
                "{small} is off the screen"
            );
        }
    }

    #[test]
    fn over_a_window_that_fills_the_screen_it_lies_where_nothing_can_be_pressed() {
        let main = Rect::from_min_size(Pos2::ZERO, vec2(1920.0, 1080.0));
        for monitor in [Some(main.size()), None] {
            let small = Rect::from_min_size(beside(main, monitor), SMALL);
            assert!(small.right() < main.center().x && small.bottom() < main.center().y, "{small}");
        }
    }
}
