//! The other end's picture elsewhere than in the window: on the whole screen, or in a small window of its own.

use super::in_call::{controls_height, controls_ui, own_ui};
use crate::engine::command::Command;
use crate::engine::view::{CallView, View};
use crate::ui::command::enter;
use crate::ui::state::{Stage, UiState};
use crate::ui::text::call as words;
use crate::ui::theme::{pace, palette, size};
use crate::ui::widgets::{RoundButton, Tone, centered_column};
use egui::{CursorIcon, Key, Rect, Sense, Ui, UiBuilder, Vec2, ViewportBuilder, ViewportCommand, ViewportId};
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
    own_ui(ui, call, &mut state.own, room);
    if state.now.saturating_duration_since(state.touched) >= CONTROLS_STAY {
        ui.ctx().set_cursor_icon(CursorIcon::None);
        return;
    }
    let height = size::OVER_PICTURE + controls_height(ui, call, state);
    let strip = Rect::from_min_max(egui::pos2(room.left(), room.bottom() - height), room.max);
    state.occupied.controls = Some(strip.top());
    // Some of the picture shines through; text stays readable on any.
    ui.painter().rect_filled(strip, 0.0, palette(ui).ground.gamma_multiply(0.9));
    ui.scope_builder(UiBuilder::new().max_rect(strip), |ui| {
        centered_column(ui, "full screen", size::STAGE_FILMED, |ui| {
            controls_ui(ui, view, call, state, wishes);
        });
    });
}

/// The picture in a window of its own, above all others and without a frame: it is moved by dragging it, and closed by
/// its button, Escape, or the desktop.
pub(super) fn apart_ui(ui: &Ui, call: &CallView, state: &mut UiState) {
    let ctx = ui.ctx().clone();
    ctx.request_repaint_after(pace::PICTURES);
    let name = words::picture_of(&call.name);
    let builder = ViewportBuilder::default()
        .with_title(&name)
        .with_inner_size(SMALL)
        .with_min_inner_size(SMALLEST)
        .with_decorations(false)
        .with_always_on_top();
    ctx.show_viewport_immediate(viewport(), builder, |ui, _| {
        let room = ui.available_rect_before_wrap();
        if let Some(picture) = &mut state.picture {
            let drawn = picture.show(ui, room, &name);
            state.gauge.draw(drawn * ui.pixels_per_point());
        }
        if ui.interact(room, ui.scope_id().with("move"), Sense::drag()).drag_started() {
            ui.ctx().send_viewport_cmd(ViewportCommand::StartDrag);
        }
        let corner = Rect::from_min_size(
            room.right_top() + Vec2::new(-size::ROUND_SMALL - size::GAP, size::GAP),
            Vec2::splat(size::ROUND_SMALL),
        );
        let button =
            RoundButton::small(words::close_small_window(), icons::ICON_CLOSE).toned(Tone::Secondary);
        let closed = ui.put(corner, button).clicked()
            || ui.input(|input| input.viewport().close_requested() || input.key_pressed(Key::Escape));
        if closed {
            enter(ui.ctx(), state, Stage::Window);
        }
    });
}

/// What the small window is known by.
pub(in crate::ui) fn viewport() -> ViewportId {
    ViewportId::from_hash_of("picture of the other end")
}
