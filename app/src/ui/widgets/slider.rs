//! A number that is chosen by moving something, with the pointer or the arrow keys.

use super::super::theme::size;
use super::focus_ring;
use egui::{Response, Slider, Ui, WidgetInfo};
use std::ops::RangeInclusive;

/// As wide as there is room; `name` is what it is called. Arrow keys move it by a step.
pub(in crate::ui) fn slider(
    ui: &mut Ui,
    name: &str,
    value: &mut u8,
    range: RangeInclusive<u8>,
    step: u8,
) -> Response {
    let response = ui.scope(|ui| {
        ui.spacing_mut().slider_width = ui.available_width();
        let slider = Slider::new(value, range).step_by(step.into()).show_value(false).trailing_fill(true);
        ui.add(slider)
    });
    let response = response.inner;
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), f64::from(*value), name));
    focus_ring(ui, &response, response.rect, size::CORNER.into());
    response
}
