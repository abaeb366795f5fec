//! Reading a friend's code: through the camera, or off a picture.

use super::chooser::choose_ui;
use super::keeping::path_typed;
use crate::desktop::Purpose;
use crate::engine::command::Command;
use crate::engine::scan::Scan;
use crate::engine::view::{Search, View};
use crate::ui::state::{FirstRun, Page, UiState};
use crate::ui::text::{self, scan as words, told};
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{Picture, TextButton, Tone, card, label, page_from_top};
use egui::{Margin, Rect, TextEdit, Ui, vec2};
use egui_material_icons::icons;
use media::video::driver::Viewfinder;

/// The page.
pub(super) fn scan_ui(ui: &mut Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    if matches!(view.search, Search::Offered { .. }) {
        // Whom it invites to, and the question.
        state.go(Page::Search);
        return ui.request_repaint();
    }
    page_from_top(ui, "scan", size::COLUMN_NARROW, |ui| {
        let colors = palette(ui);
        label(ui, words::title(), font::title(), colors.text);
        label(ui, words::text(), font::body(), colors.text_muted);
        ui.add_space(size::GAP_LARGE);
        if let Scan::Looking(finder) = &view.scan {
            return looking_ui(ui, finder, state, wishes);
        }
        let width = ui.available_width();
        let camera = TextButton::new(words::camera(), Tone::Primary).icon(icons::ICON_VIDEOCAM).wide(width);
        if ui.add(camera).clicked() {
            wishes.push(Command::ScanCamera);
        }
        ui.add_space(size::GAP_LARGE);
        card(ui, |ui| picture_ui(ui, state, wishes));
        ui.add_space(size::GAP_LARGE);
        outcome_ui(ui, &view.scan);
    });
}

/// What came of it, below what it is pressed with: nothing moves.
fn outcome_ui(ui: &mut Ui, scan: &Scan) {
    let colors = palette(ui);
    let (text, ink) = match scan {
        Scan::Idle | Scan::Looking(_) => return,
        Scan::Reading => (words::reading().to_owned(), colors.text_muted),
        Scan::NoInvite => (words::no_invite().to_owned(), colors.warning),
        Scan::NoPicture => (words::no_picture().to_owned(), colors.warning),
        Scan::NoFile => (words::no_file().to_owned(), colors.warning),
        Scan::Failed(why) => (text::whole(&told::reason(why)), colors.warning),
    };
    label(ui, text, font::body(), ink);
}

/// A picture that is dropped onto the window is read, wherever the person is.
pub(super) fn take_dropped(ui: &Ui, view: &View, state: &mut UiState, wishes: &mut Vec<Command>) {
    let dropped = ui.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
    if let Some(path) = dropped.filter(|_| view.call.is_none() && state.first_run == FirstRun::Closed) {
        wishes.push(Command::ScanPicture(path));
        state.go(Page::Scan);
    }
}

/// The camera is open on its page alone.
pub(super) fn close(view: &View, state: &UiState, wishes: &mut Vec<Command>) {
    let on_page = view.call.is_none() && state.page == Page::Scan && state.first_run == FirstRun::Closed;
    if view.scan != Scan::Idle && !on_page {
        wishes.push(Command::StopScanning);
    }
}

fn looking_ui(ui: &mut Ui, finder: &Viewfinder, state: &mut UiState, wishes: &mut Vec<Command>) {
    // Also while there is none yet: to ask is what brings the first one.
    ui.ctx().request_repaint_after(pace::PICTURES);
    Picture::follow(ui, &mut state.own, finder.latest());
    let width = ui.available_width();
    let (room, _) = ui.allocate_exact_size(vec2(width, width * SHAPE), egui::Sense::hover());
    if let Some(picture) = &mut state.own {
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(room));
        picture.show(&mut child, Rect::from_min_size(room.min, room.size()), words::seen());
    }
    ui.add_space(size::GAP);
    label(ui, words::hold(), font::body(), palette(ui).text_muted);
    ui.add_space(size::GAP);
    let stop = TextButton::new(words::stop(), Tone::Secondary).icon(icons::ICON_VIDEOCAM_OFF).wide(width);
    if ui.add(stop).clicked() {
        wishes.push(Command::StopScanning);
    }
}

/// Height over width of what a camera sees.
const SHAPE: f32 = 9.0 / 16.0;

fn picture_ui(ui: &mut Ui, state: &mut UiState, wishes: &mut Vec<Command>) {
    let colors = palette(ui);
    label(ui, words::picture(), font::strong(), colors.text);
    label(ui, words::drop(), font::caption(), colors.text_muted);
    ui.add_space(size::GAP_SMALL);
    let field = TextEdit::singleline(&mut state.scan_file)
        .id_salt("scan file")
        .hint_text(words::hint())
        .font(font::body())
        .char_limit(text::LONGEST_SEARCH)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(f32::INFINITY);
    ui.add(field).accessible_name(words::file());
    choose_ui(ui, &mut state.surroundings, Purpose::Picture, "");
    ui.add_space(size::GAP_SMALL);
    let typed = !state.scan_file.trim().is_empty();
    let read = TextButton::new(words::read(), Tone::Secondary).icon(icons::ICON_IMAGE);
    if ui.add_enabled_ui(typed, |ui| ui.add(read)).inner.clicked() {
        wishes.push(Command::ScanPicture(path_typed(&state.scan_file)));
    }
}
