//! Buttons with words, and the round ones of calls.

use super::super::theme::{Palette, font, palette, size};
use super::{focus_ring, text_width};
use egui::text::LayoutJob;
use egui::{
    Align, Align2, Color32, FontId, Galley, Rect, Response, Role, Sense, Ui, Vec2, Widget, WidgetInfo, pos2,
    vec2,
};
use egui_material_icons::MaterialIcon;
use std::sync::Arc;

/// How much a button wants to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Tone {
    /// The one thing to do here.
    Primary,
    /// Something else one may do.
    Secondary,
    /// Hardly there.
    Quiet,
    /// Ends or removes something.
    Danger,
    /// In force now, and to be taken back.
    Engaged,
}

/// The colours of a button: ground, ground below the pointer, ink.
fn colors(tone: Tone, colors: &Palette) -> (Color32, Color32, Color32) {
    match tone {
        Tone::Primary => (colors.accent_fill, colors.accent_fill_hovered, colors.on_fill),
        Tone::Secondary => (colors.surface, colors.surface_hovered, colors.text),
        Tone::Quiet => (Color32::TRANSPARENT, colors.surface_hovered, colors.text_muted),
        Tone::Danger => (colors.danger_fill, colors.danger_fill_hovered, colors.on_fill),
        Tone::Engaged => (colors.text, colors.text_muted, colors.ground),
    }
}

fn ground(tone: Tone, palette: &Palette, response: &Response) -> Color32 {
    let (rest, hovered, _) = colors(tone, palette);
    if response.is_pointer_button_down_on() && matches!(tone, Tone::Secondary | Tone::Quiet) {
        palette.surface_pressed
    } else if response.hovered() {
        hovered
    } else {
        rest
    }
}

/// A button with words and perhaps an icon.
pub(in crate::ui) struct TextButton<'a> {
    text: &'a str,
    name: &'a str,
    icon: Option<MaterialIcon>,
    tone: Tone,
    width: Option<f32>,
    height: Height,
    edge: Edge,
}

/// What of a button stands at the left edge of what it is among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Its ground.
    Ground,
    /// Its icon or words: it has a ground only below the pointer.
    Words,
}

/// How high a button with words is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Height {
    Full,
    Low,
}

impl<'a> TextButton<'a> {
    /// A button that says `text`.
    pub(in crate::ui) fn new(text: &'a str, tone: Tone) -> Self {
        Self { text, name: text, icon: None, tone, width: None, height: Height::Full, edge: Edge::Ground }
    }

    /// An icon before the text.
    pub(in crate::ui) fn icon(mut self, icon: MaterialIcon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The name for screen readers, where the text alone is not unique.
    pub(in crate::ui) fn named(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// A fixed width.
    pub(in crate::ui) fn wide(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// A low one with smaller words, for rows of such.
    pub(in crate::ui) fn low(mut self) -> Self {
        self.height = Height::Low;
        self
    }

    /// One whose words stand in line with the text above and below it.
    pub(in crate::ui) fn flush(mut self) -> Self {
        self.edge = Edge::Words;
        self
    }

    /// The width it will have.
    pub(in crate::ui) fn width(&self, ui: &Ui) -> f32 {
        self.width.unwrap_or_else(|| (self.content_width(ui) + 2.0 * self.margin()).ceil())
    }

    const fn margin(&self) -> f32 {
        match self.height {
            Height::Full => size::BUTTON_MARGIN,
            Height::Low => size::PILL_MARGIN,
        }
    }

    fn content_width(&self, ui: &Ui) -> f32 {
        let icon = self.icon.map_or(0.0, |_| self.icon_size() + size::GAP);
        icon + text_width(ui, self.text, self.font())
    }

    fn font(&self) -> FontId {
        match self.height {
            Height::Full => font::strong(),
            Height::Low => font::caption(),
        }
    }

    const fn icon_size(&self) -> f32 {
        match self.height {
            Height::Full => font::ICON,
            Height::Low => font::ICON_SMALL,
        }
    }
}

impl Widget for TextButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let height = match self.height {
            Height::Full => size::BUTTON,
            Height::Low => size::ROUND_SMALL,
        };
        let extent = vec2(self.width(ui), height);
        let (rect, response) = match self.edge {
            Edge::Ground => ui.allocate_exact_size(extent, Sense::click()),
            Edge::Words => {
                let (id, room) = ui.allocate_space(extent - vec2(self.margin(), 0.0));
                let rect = room.with_min_x(room.left() - self.margin());
                (rect, ui.interact(rect, id, Sense::click()))
            }
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), self.name));
        let palette = palette(ui);
        let (_, _, ink) = colors(self.tone, palette);
        let painter = ui.painter();
        painter.rect_filled(rect, size::CORNER, ground(self.tone, palette, &response));
        let mut x = rect.center().x - self.content_width(ui) / 2.0;
        if let Some(icon) = self.icon {
            let at = pos2(x, rect.center().y);
            painter.text(at, Align2::LEFT_CENTER, icon.codepoint, font::icon(self.icon_size()), ink);
            x += self.icon_size() + size::GAP;
        }
        painter.text(pos2(x, rect.center().y), Align2::LEFT_CENTER, self.text, self.font(), ink);
        focus_ring(ui, &response, rect, f32::from(size::CORNER));
        response.on_hover_cursor(egui::CursorIcon::PointingHand)
    }
}

/// A place that can be pressed, on which something else is drawn; it has a ground only below the pointer.
pub(in crate::ui) fn plain_button(ui: &Ui, rect: Rect, name: &str) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    ui.painter().rect_filled(rect, size::CORNER, ground(Tone::Quiet, palette(ui), &response));
    focus_ring(ui, &response, rect, f32::from(size::CORNER));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// A round button with an icon; the large form has its label below.
pub(in crate::ui) struct RoundButton<'a> {
    label: &'a str,
    icon: MaterialIcon,
    tone: Tone,
    /// The room of a large one.
    cell: Option<Vec2>,
    tip: Option<String>,
}

impl<'a> RoundButton<'a> {
    /// A small one, its label only in the tooltip.
    pub(in crate::ui) fn small(label: &'a str, icon: MaterialIcon) -> Self {
        Self { label, icon, tone: Tone::Quiet, cell: None, tip: None }
    }

    /// A large one with its label below, in a row of such [cells](Self::cell).
    pub(in crate::ui) fn large(label: &'a str, icon: MaterialIcon, tone: Tone, cell: Vec2) -> Self {
        Self { label, icon, tone, cell: Some(cell), tip: None }
    }

    /// Another tone: over a picture a button needs a ground.
    pub(in crate::ui) fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// What the tooltip says beyond the label.
    pub(in crate::ui) fn tip(mut self, tip: String) -> Self {
        self.tip = Some(tip);
        self
    }

    /// The room that each of several large ones in a row takes; labels that are too long for one line have two.
    pub(in crate::ui) fn cell<'l>(ui: &Ui, labels: impl IntoIterator<Item = &'l str>) -> Vec2 {
        let heights = labels.into_iter().map(|label| caption(ui, label).size().y);
        vec2(size::ROUND_CELL, size::ROUND + size::GAP + heights.fold(size::CAPTION, f32::max).ceil())
    }
}

impl Widget for RoundButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let large = self.cell.is_some();
        let diameter = if large { size::ROUND } else { size::ROUND_SMALL };
        let room = self.cell.unwrap_or(Vec2::splat(diameter));
        let (rect, response) = ui.allocate_exact_size(room, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), self.label));
        let palette = palette(ui);
        let (_, _, ink) = colors(self.tone, palette);
        let disc =
            Rect::from_center_size(pos2(rect.center().x, rect.top() + diameter / 2.0), Vec2::splat(diameter));
        let painter = ui.painter();
        painter.circle_filled(disc.center(), diameter / 2.0, ground(self.tone, palette, &response));
        let icon_size = if large { font::ICON_LARGE } else { font::ICON };
        painter.text(disc.center(), Align2::CENTER_CENTER, self.icon.codepoint, font::icon(icon_size), ink);
        if large {
            let below = pos2(rect.center().x, disc.bottom() + size::GAP);
            painter.galley(below, caption(ui, self.label), palette.text_muted);
        }
        focus_ring(ui, &response, disc, diameter / 2.0);
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        match self.tip {
            Some(tip) => response.on_hover_text(tip),
            None if large => response,
            None => response.on_hover_text(self.label),
        }
    }
}

/// The label below a large round button, around the point it is painted at.
fn caption(ui: &Ui, label: &str) -> Arc<Galley> {
    let color = palette(ui).text_muted;
    let mut job =
        LayoutJob::simple(label.to_owned(), font::caption(), color, size::ROUND_CELL - size::GAP_SMALL);
    job.halign = Align::Center;
    ui.painter().layout_job(job)
}
