//! The supernodes on the circle of all keys: where each stands, and what this computer has to do with it.
//!
//! What is what shows by shape, and by colour only beside that; the legend draws the same marks.

use super::super::theme::{Palette, font, palette, size};
use egui::epaint::QuadraticBezierShape;
use egui::{Align2, Color32, Painter, Pos2, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};
use egui_material_icons::icons;

/// What stands somewhere on the circle, in the order in which it is painted: what matters most comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ui) enum Mark {
    /// Others told of it.
    HeardOf,
    /// It does not answer.
    Silent,
    /// It has answered.
    Answered,
    /// There is a link to it.
    Linked,
    /// It passes calls to us.
    Home,
    /// This computer.
    Own,
}

/// Something on the circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ui) struct Spot {
    /// How far around, clockwise from the top: from 0 to 1.
    pub(in crate::ui) turns: f32,
    /// What it is.
    pub(in crate::ui) mark: Mark,
}

/// From the edge of the map to the circle: room for the largest mark.
const MARGIN: f32 = 16.0;

/// This computer's disc.
const OWN: f32 = 12.0;

/// The room a mark takes beside words.
const SYMBOL: f32 = 2.0 * OWN;

/// So few spots have a smaller map: a large one would be empty.
const FEW: usize = 3;

/// As close to a spot the pointer means it.
const NEAR: f32 = 10.0;

/// How much long lines bend towards the middle: not at all, or all the way.
const BEND: f32 = 0.55;

/// Draws the map and says over which of the spots the pointer is. `label` is what a screen reader says.
pub(in crate::ui) fn ring_map(
    ui: &mut Ui,
    label: &str,
    own: f32,
    spots: &[Spot],
) -> (Response, Option<usize>) {
    let side = if spots.len() <= FEW { size::RING_MAP_FEW } else { size::RING_MAP };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
    let colors = palette(ui);
    let (center, radius) = (rect.center(), rect.width() / 2.0 - MARGIN);
    let at = |turns| on_circle(center, radius, turns);
    let painter = ui.painter();
    painter.circle(center, radius, colors.ground, Stroke::new(1.5, colors.off));
    let own_at = at(own);
    let mut order: Vec<&Spot> = spots.iter().collect();
    order.sort_by_key(|spot| spot.mark);
    for spot in &order {
        let stroke = match spot.mark {
            Mark::Home => Stroke::new(2.5, colors.accent),
            Mark::Linked => Stroke::new(1.5, colors.text_muted),
            Mark::HeardOf | Mark::Silent | Mark::Answered | Mark::Own => continue,
        };
        painter.add(line(center, own_at, at(spot.turns), stroke));
    }
    for spot in order {
        paint_mark(painter, at(spot.turns), spot.mark, colors);
    }
    paint_mark(painter, own_at, Mark::Own, colors);
    let hovered = response.hover_pos().and_then(|pointer| {
        let distances = spots.iter().map(|spot| at(spot.turns).distance(pointer)).enumerate();
        let (nearest, distance) = distances.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (distance <= NEAR).then_some(nearest)
    });
    (response, hovered)
}

/// One mark with what it means, for the legend.
pub(in crate::ui) fn legend_item(ui: &mut Ui, mark: Mark, text: &str) {
    let colors = palette(ui);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font::caption(), colors.text_muted);
    let extent = vec2(SYMBOL + size::GAP_SMALL + galley.size().x, SYMBOL);
    let (rect, response) = ui.allocate_exact_size(extent, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let painter = ui.painter();
    paint_mark(painter, pos2(rect.left() + SYMBOL / 2.0, rect.center().y), mark, colors);
    let at = pos2(rect.left() + SYMBOL + size::GAP_SMALL, rect.center().y - galley.size().y / 2.0);
    painter.galley(at.round(), galley, colors.text_muted);
}

/// The mark alone, beside words that say the same.
pub(in crate::ui) fn mark_ui(ui: &mut Ui, mark: Mark) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(SYMBOL), Sense::hover());
    paint_mark(ui.painter(), rect.center(), mark, palette(ui));
}

/// Where something stands that is so far around the circle.
fn on_circle(center: Pos2, radius: f32, turns: f32) -> Pos2 {
    let angle = turns * std::f32::consts::TAU;
    center + radius * vec2(angle.sin(), -angle.cos())
}

/// From one place of the circle to another, bent towards the middle.
fn line(center: Pos2, from: Pos2, to: Pos2, stroke: Stroke) -> QuadraticBezierShape {
    // Between neighbours hardly: there it would turn back on itself.
    let apart = from.distance(to) / from.distance(center).max(f32::MIN_POSITIVE);
    let bent = from.lerp(to, 0.5).lerp(center, BEND * apart.min(1.0));
    QuadraticBezierShape::from_points_stroke([from, bent, to], false, Color32::TRANSPARENT, stroke)
}

fn paint_mark(painter: &Painter, at: Pos2, mark: Mark, colors: &Palette) {
    match mark {
        Mark::HeardOf => {
            painter.circle(at, 3.0, colors.ground, Stroke::new(1.0, colors.text_muted));
        }
        Mark::Silent => {
            let stroke = Stroke::new(1.5, colors.warning);
            for arm in [vec2(3.5, 3.5), vec2(3.5, -3.5)] {
                painter.line_segment([at - arm, at + arm], stroke);
            }
        }
        Mark::Answered => {
            painter.circle_filled(at, 3.5, colors.text_muted);
        }
        Mark::Linked => {
            painter.circle(at, 5.0, colors.ground, Stroke::new(1.5, colors.text));
            painter.circle_filled(at, 2.0, colors.text);
        }
        Mark::Home => {
            painter.circle(at, 8.0, colors.ground, Stroke::new(1.5, colors.accent));
            painter.circle_filled(at, 5.0, colors.accent);
        }
        Mark::Own => {
            painter.circle(at, OWN, colors.accent_fill, Stroke::new(2.0, colors.panel));
            let icon = icons::ICON_COMPUTER.codepoint;
            painter.text(at, Align2::CENTER_CENTER, icon, font::icon(font::ICON_SMALL), colors.on_fill);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_is_walked_clockwise_from_its_top() {
        let center = pos2(100.0, 100.0);
        let quarters = [0.0, 0.25, 0.5, 0.75].map(|turns| on_circle(center, 50.0, turns).round());
        assert_eq!(quarters, [pos2(100.0, 50.0), pos2(150.0, 100.0), pos2(100.0, 150.0), pos2(50.0, 100.0)]);
    }

    #[test]
    fn lines_bend_towards_the_middle_and_stay_within_the_circle() {
        let center = pos2(0.0, 0.0);
        let [from, to] = [0.0, 0.2].map(|turns| on_circle(center, 50.0, turns));
        let [began, bent, ended] = line(center, from, to, Stroke::NONE).points;
        assert_eq!((began, ended), (from, to));
        assert!(bent.distance(center) < from.lerp(to, 0.5).distance(center));
        let [_, bent, _] = line(center, from, on_circle(center, 50.0, 0.01), Stroke::NONE).points;
        assert!(bent.distance(center) > 45.0, "neighbours have a short one");
    }
}
