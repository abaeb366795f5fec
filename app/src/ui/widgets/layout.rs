//! Columns, rows and cards: how things are placed.

use super::super::theme::{palette, size};
use egui::{
    Align, Color32, CornerRadius, Frame, Id, Layout, Margin, Rect, ScrollArea, Stroke, Ui, UiBuilder, Vec2,
    pos2, vec2,
};

/// A card that takes the width there is.
pub(in crate::ui) fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let colors = palette(ui);
    colored_card(ui, colors.panel, colors.line, add)
}

/// The same for what nobody may overlook.
pub(in crate::ui) fn danger_card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let colors = palette(ui);
    colored_card(ui, colors.danger_tint, colors.danger, add)
}

fn colored_card<R>(ui: &mut Ui, ground: Color32, edge: Color32, add: impl FnOnce(&mut Ui) -> R) -> R {
    Frame::new()
        .fill(ground)
        .stroke(Stroke::new(1.0, edge))
        .corner_radius(CornerRadius::same(size::CORNER_CARD))
        .inner_margin(Margin::same(size::CARD_MARGIN as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.with_layout(Layout::top_down(Align::Min), add).inner
        })
        .inner
}

/// Each page is at its top when somebody comes to it: says in this frame whether they do.
pub(in crate::ui) fn arrive(ui: &Ui, arrival: Arrival) {
    ui.data_mut(|data| data.insert_temp(Id::unique(ARRIVAL), arrival));
}

/// Whether a page is shown for the first time since somebody went to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ui) enum Arrival {
    /// It is.
    Now,
    /// It was shown before.
    #[default]
    Earlier,
}

const ARRIVAL: &str = "arrival";

fn scrolling(ui: &Ui, name: &str) -> ScrollArea {
    let area = ScrollArea::vertical().id_salt(name).auto_shrink([false, false]);
    match ui.data(|data| data.get_temp(Id::unique(ARRIVAL))).unwrap_or_default() {
        Arrival::Now => area.vertical_scroll_offset(0.0),
        Arrival::Earlier => area,
    }
}

/// A scrolling page whose column, at most `width` wide, is centred both ways for as long as it fits.
pub(in crate::ui) fn page<R>(ui: &mut Ui, name: &str, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    scrolling(ui, name).show(ui, |ui| centered_column(ui, name, width, add)).inner
}

/// The same from the top: what comes and goes on it does not move what stands above.
pub(in crate::ui) fn page_from_top<R>(
    ui: &mut Ui,
    name: &str,
    width: f32,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    scrolling(ui, name)
        .show(ui, |ui| {
            let room = ui.available_rect_before_wrap();
            let width = width.min(room.width() - 2.0 * size::PAGE_MARGIN).max(0.0);
            let corner = pos2(room.center().x - width / 2.0, room.top() + size::PAGE_MARGIN).round();
            let column = Rect::from_min_size(corner, vec2(width, (room.bottom() - corner.y).max(0.0)));
            let layout = Layout::top_down(Align::Center);
            let mut child = ui.new_child(UiBuilder::new().max_rect(column).layout(layout));
            let result = add(&mut child);
            ui.advance_cursor_after_rect(child.min_rect().expand2(vec2(0.0, size::PAGE_MARGIN)));
            result
        })
        .inner
}

/// A column, at most `width` wide, centred both ways in the room there is. Its height is learnt in a first pass
/// that nobody sees.
pub(in crate::ui) fn centered_column<R>(
    ui: &mut Ui,
    name: &str,
    width: f32,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let id = ui.scope_id().with(name);
    let room = ui.available_rect_before_wrap();
    let known: Option<f32> = ui.data(|data| data.get_temp(id));
    let width = width.min(room.width() - 2.0 * size::PAGE_MARGIN).max(0.0);
    let spare = room.height() - known.unwrap_or(room.height());
    let corner =
        pos2(room.center().x - width / 2.0, room.top() + (spare / 2.0).max(size::PAGE_MARGIN)).round();
    let column = Rect::from_min_size(corner, vec2(width, (room.bottom() - corner.y).max(0.0)));
    let mut child = ui.new_child(UiBuilder::new().max_rect(column).layout(Layout::top_down(Align::Center)));
    let result = add(&mut child);
    let used = child.min_rect();
    if known.is_none_or(|known| (known - used.height()).abs() > 0.5) {
        ui.data_mut(|data| data.insert_temp(id, used.height()));
        ui.ctx().request_discard("learn the height of a centred column");
    }
    ui.advance_cursor_after_rect(used.expand2(vec2(0.0, size::PAGE_MARGIN)));
    result
}

/// Things whose widths are known, in as many centred rows as they need; `add` draws the one of this number.
pub(in crate::ui) fn centered_flow(
    ui: &mut Ui,
    widths: &[f32],
    height: f32,
    gap: f32,
    mut add: impl FnMut(&mut Ui, usize),
) {
    let room = ui.available_width();
    let mut first = 0;
    while let Some(rest) = widths.get(first..).filter(|rest| !rest.is_empty()) {
        let mut total = -gap;
        let fits = rest.iter().take_while(|width| {
            total += gap + **width;
            total <= room
        });
        let row = first..first + fits.count().max(1);
        centered_row(ui, &widths[row.clone()], height, gap, |ui| row.clone().for_each(|nth| add(ui, nth)));
        first = row.end;
    }
}

/// A row of things whose widths are known, centred in a centred column.
pub(in crate::ui) fn centered_row<R>(
    ui: &mut Ui,
    widths: &[f32],
    height: f32,
    gap: f32,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let gaps = gap * widths.len().saturating_sub(1) as f32;
    let total = vec2(widths.iter().sum::<f32>() + gaps, height);
    ui.allocate_ui_with_layout(total, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing = Vec2::new(gap, 0.0);
        add(ui)
    })
    .inner
}
