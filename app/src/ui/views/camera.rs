//! What others would see: on the page of settings, and on the first run.

use crate::engine::command::Command;
use crate::engine::lookout::CameraPreview;
use crate::engine::view::View;
use crate::ui::state::{FirstRun, Page, Step, UiState};
use crate::ui::text::{self, camera as words, told};
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{Picture, Pill, TextButton, Tone, label};
use egui::{Rect, Sense, Ui, UiBuilder, vec2};
use egui_material_icons::icons;
use media::video::driver::Viewfinder;

/// Height over width of what a camera sees.
const SHAPE: f32 = 9.0 / 16.0;

/// The picture while the camera is open, at most so wide, and what opens and closes it. It never opens by itself.
pub(super) fn camera_ui(
    ui: &mut Ui,
    view: &View,
    widest: f32,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    let width = ui.available_width();
    let finder = match &view.preview {
        CameraPreview::Open(finder) => Some(finder),
        CameraPreview::Closed => None,
        CameraPreview::Failed(why) => {
            label(ui, text::whole(&told::reason(why)), font::body(), palette(ui).warning);
            ui.add_space(size::GAP_SMALL);
            None
        }
    };
    let (says, icon, command) = match finder {
        Some(finder) => {
            seen_ui(ui, finder, widest, state);
            (words::close(), icons::ICON_VIDEOCAM_OFF, Command::StopPreview)
        }
        None => (words::open(), icons::ICON_VIDEOCAM, Command::PreviewCamera),
    };
    if ui.add(TextButton::new(says, Tone::Secondary).icon(icon).wide(width)).clicked() {
        wishes.push(command);
    }
}

/// The camera is open where it is to be seen, and nowhere else.
pub(super) fn close(view: &View, state: &UiState, wishes: &mut Vec<Command>) {
    let on_page = view.call.is_none()
        && match state.first_run {
            FirstRun::Open => state.step == Step::Devices,
            FirstRun::Undecided | FirstRun::Closed => state.page == Page::Settings,
        };
    if view.preview != CameraPreview::Closed && !on_page {
        wishes.push(Command::StopPreview);
    }
}

fn seen_ui(ui: &mut Ui, finder: &Viewfinder, widest: f32, state: &mut UiState) {
    // Also while there is none yet: to ask is what brings the first one.
    ui.ctx().request_repaint_after(pace::PICTURES);
    Picture::follow(ui, &mut state.own, finder.latest());
    let width = ui.available_width().min(widest);
    ui.vertical_centered(|ui| {
        let (room, _) = ui.allocate_exact_size(vec2(width, width * SHAPE), Sense::hover());
        if let Some(picture) = &mut state.own {
            let mut child = ui.new_child(UiBuilder::new().max_rect(room));
            picture.show(&mut child, room, words::seen());
        }
        let colors = palette(ui);
        let live = Pill::new(words::live(), colors.danger, colors.danger_tint).icon(icons::ICON_VIDEOCAM);
        let place = Rect::from_min_size(
            room.left_bottom() + vec2(size::GAP_SMALL, -size::PILL - size::GAP_SMALL),
            vec2(live.width(ui), size::PILL),
        );
        ui.put(place, live);
    });
    ui.add_space(size::GAP_SMALL);
}
