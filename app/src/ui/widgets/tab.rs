//! What leads to another page, at the foot of the side panel.

use super::super::theme::{font, palette, size};
use super::{elided, focus_ring, text_width};
use egui::{Align2, Rect, Response, Role, Sense, Ui, Widget, WidgetInfo, pos2, vec2};
use egui_material_icons::MaterialIcon;

/// An icon with a short word below.
pub(in crate::ui) struct Tab<'a> {
    icon: MaterialIcon,
    word: &'a str,
    name: &'a str,
    width: f32,
    selected: bool,
    news: u32,
}

impl<'a> Tab<'a> {
    /// One of this width that says `word`; `name` is what it is called in full.
    pub(in crate::ui) fn new(icon: MaterialIcon, word: &'a str, name: &'a str, width: f32) -> Self {
        Self { icon, word, name, width, selected: false, news: 0 }
    }

    /// The width of the word alone.
    pub(in crate::ui) fn least_width(ui: &Ui, word: &str) -> f32 {
        text_width(ui, word, font::tiny())
    }

    /// How much on its page nobody has looked at yet.
    pub(in crate::ui) fn news(mut self, news: u32) -> Self {
        self.news = news;
        self
    }

    /// Whether its page is what the main area shows.
    pub(in crate::ui) fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }
}

impl Widget for Tab<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(self.width, size::TAB), Sense::click());
        response
            .widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), self.selected, self.name));
        let colors = palette(ui);
        let painter = ui.painter();
        if response.is_pointer_button_down_on() {
            painter.rect_filled(rect, size::CORNER, colors.surface_pressed);
        } else if response.hovered() {
            painter.rect_filled(rect, size::CORNER, colors.surface_hovered);
        }
        let ink = if self.selected { colors.accent } else { colors.text_muted };
        let middle = rect.center().x;
        let icon_at = pos2(middle, rect.top() + size::GAP_SMALL);
        let icon_font = font::icon(font::ICON + 4.0);
        painter.text(icon_at, Align2::CENTER_TOP, self.icon.codepoint, icon_font, ink);
        if self.news > 0 {
            let count = if self.news > 9 { "9+".to_owned() } else { self.news.to_string() };
            let at = pos2(middle + font::ICON / 2.0, icon_at.y);
            let width = (text_width(ui, &count, font::tiny()) + size::GAP).max(size::BADGE);
            let ground = Rect::from_min_size(at, vec2(width, size::BADGE));
            painter.rect_filled(ground, size::BADGE / 2.0, colors.danger_tint);
            painter.text(ground.center(), Align2::CENTER_CENTER, count, font::tiny(), colors.danger);
        }
        let word = elided(ui, self.word, font::tiny(), ink, self.width);
        let at = pos2(middle - word.size().x / 2.0, rect.bottom() - size::GAP_SMALL - word.size().y);
        painter.galley(at.round(), word, ink);
        focus_ring(
            ui,
            &response,
            rect.shrink(size::FOCUS_GAP + size::FOCUS_RING),
            f32::from(size::CORNER) - 2.0,
        );
        response.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(self.name)
    }
}
