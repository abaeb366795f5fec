//! How a figure has gone lately.

use super::super::theme::{palette, size};
use egui::{Response, Role, Sense, Stroke, Ui, Widget, WidgetInfo, pos2, vec2};

/// A line over time, the newest value at the right; it starts at nothing at the bottom.
pub(in crate::ui) struct Plot<'a> {
    label: &'a str,
    values: &'a [f32],
    room: usize,
    ceiling: f32,
}

impl<'a> Plot<'a> {
    /// `values`, oldest first, where there is room for `room`; the top is `ceiling`, or the highest value above it.
    /// `label` is what a screen reader says.
    pub(in crate::ui) fn new(label: &'a str, values: &'a [f32], room: usize, ceiling: f32) -> Self {
        Self { label, values, room: room.max(2), ceiling }
    }
}

/// How thick the line is.
const LINE: f32 = 1.5;

impl Widget for Plot<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::PLOT), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.label));
        let colors = palette(ui);
        let painter = ui.painter();
        painter.hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, colors.line));
        // Nothing lies on the line at the bottom, not under it.
        let (floor, height) = (rect.bottom() - LINE, rect.height() - 2.0 * LINE);
        let top = self.values.iter().copied().fold(self.ceiling, f32::max).max(f32::MIN_POSITIVE);
        let newest = self.values.len().saturating_sub(self.room);
        let shown = &self.values[newest..];
        let step = rect.width() / (self.room - 1) as f32;
        let points: Vec<_> = shown
            .iter()
            .enumerate()
            .map(|(nth, value)| {
                let x = rect.right() - (shown.len() - 1 - nth) as f32 * step;
                pos2(x, floor - value.max(0.0) / top * height)
            })
            .collect();
        if let [alone] = points[..] {
            painter.circle_filled(alone, LINE, colors.accent);
        }
        painter.line(points, Stroke::new(LINE, colors.accent));
        response
    }
}
