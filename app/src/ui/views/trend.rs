//! How a call is while it lasts: its figures and how they have gone, beside everything else, until closed.

use super::banner::banners_height;
use crate::engine::view::{CallView, Second, TREND};
use crate::ui::state::UiState;
use crate::ui::text::receipt::{in_milliseconds, in_percent};
use crate::ui::text::{tenths, trend as words};
use crate::ui::theme::{font, palette, shadow, size};
use crate::ui::widgets::{Plot, RoundButton, label};
use egui::{
    Align, Align2, Area, CornerRadius, Frame, Id, Layout, Margin, Order, ScrollArea, Stroke, Ui, vec2,
};
use egui_material_icons::icons;

/// One figure over time.
struct Line {
    title: &'static str,
    now: String,
    values: Vec<f32>,
    /// What the plot reaches to at least.
    ceiling: f32,
}

/// The figures, in the upper right corner, below what is at the top of the window.
pub(super) fn trend_ui(ui: &Ui, call: &CallView, state: &mut UiState) {
    if !state.trend_shown {
        return;
    }
    let colors = palette(ui);
    let offset = vec2(-size::GAP_LARGE, size::GAP_LARGE + banners_height(call, state));
    let area = Area::new(Id::unique("trend")).order(Order::Middle).anchor(Align2::RIGHT_TOP, offset).show(
        ui.ctx(),
        |ui| {
            Frame::new()
                .fill(colors.panel)
                .stroke(Stroke::new(1.0, colors.line))
                .corner_radius(CornerRadius::same(size::CORNER_CARD))
                .shadow(shadow(ui))
                .inner_margin(Margin::same(size::PANEL_MARGIN as i8))
                .show(ui, |ui| {
                    ui.set_width(size::TREND);
                    ui.spacing_mut().item_spacing.y = size::GAP_SMALL;
                    heading_ui(ui, state);
                    match room(ui, state) {
                        None => figures_ui(ui, call),
                        Some(room) => {
                            // The figures stand beside the bar.
                            let scroll = &mut ui.spacing_mut().scroll;
                            scroll.floating_allocated_width = scroll.bar_width;
                            // What there was before, of another call or of its first second, does not limit it.
                            let scrolled = ScrollArea::vertical().max_height(room).min_scrolled_height(room);
                            scrolled.show(ui, |ui| figures_ui(ui, call));
                        }
                    }
                });
        },
    );
    state.occupied.figures = Some(area.response.rect);
}

fn figures_ui(ui: &mut Ui, call: &CallView) {
    let muted = palette(ui).text_muted;
    let lines = lines(&call.trend);
    if lines.is_empty() {
        label(ui, words::looking(), font::caption(), muted);
    }
    for line in lines {
        line_ui(ui, &line);
    }
}

/// How high the figures may be where the window is too narrow to have them beside the controls: they end above those.
fn room(ui: &Ui, state: &UiState) -> Option<f32> {
    let window = ui.ctx().content_rect();
    let controls = state.occupied.controls_before.filter(|_| window.width() < NARROW)?;
    Some((controls - ui.cursor().top() - 2.0 * size::PANEL_MARGIN).max(size::PLOT))
}

/// In a wider window there is room beside the controls, and beside what can be looked into.
const NARROW: f32 = 1320.0;

fn heading_ui(ui: &mut Ui, state: &mut UiState) {
    let text = palette(ui).text;
    ui.horizontal(|ui| {
        label(ui, words::title(), font::strong(), text);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(RoundButton::small(words::close(), icons::ICON_CLOSE)).clicked() {
                state.trend_shown = false;
            }
        });
    });
}

fn line_ui(ui: &mut Ui, line: &Line) {
    let colors = palette(ui);
    ui.add_space(size::GAP);
    ui.horizontal(|ui| {
        label(ui, line.title, font::caption(), colors.text_muted);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            label(ui, line.now.as_str(), font::caption(), colors.text);
        });
    });
    let spoken = words::now(line.title, &line.now);
    ui.add(Plot::new(&spoken, &line.values, TREND, line.ceiling));
}

/// Nothing before the first second.
fn lines(trend: &[Second]) -> Vec<Line> {
    let Some(last) = trend.last() else { return Vec::new() };
    let line = |title, now, ceiling, value: fn(&Second) -> f32| Line {
        title,
        now,
        values: trend.iter().map(value).collect(),
        ceiling,
    };
    let mut lines = vec![
        line(words::sound(), words::opinion(tenths(f64::from(last.mos))), 4.5, |second| second.mos),
        line(words::delay(), in_milliseconds(last.mouth_to_ear), 0.2, |second| {
            second.mouth_to_ear.as_secs_f32()
        }),
        line(words::lost(), in_percent(f64::from(last.lost)), 0.1, |second| second.lost),
        line(words::bandwidth(), words::kbits(f64::from(last.kbps.round())), 50.0, |second| second.kbps),
    ];
    if let Some(rate) = last.frame_rate {
        let now = format!("{rate:.0}");
        lines.push(line(words::pictures(), now, 30.0, |second| second.frame_rate.unwrap_or_default()));
    }
    lines
}
