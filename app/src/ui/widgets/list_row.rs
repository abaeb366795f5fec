//! A row of the side panel.

use super::super::theme::{font, palette, size};
use super::avatar::Avatar;
use super::{elided, focus_ring};
use crate::engine::view::ContactId;
use egui::{Align2, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use egui_material_icons::MaterialIcon;

/// A row with a picture, a title and perhaps a second line.
pub(in crate::ui) struct ListRow<'a> {
    picture: Picture<'a>,
    title: &'a str,
    detail: Option<&'a str>,
    name: &'a str,
    selected: bool,
    pinned: bool,
    verified: bool,
}

enum Picture<'a> {
    Avatar(ContactId, &'a str),
    Icon(MaterialIcon),
}

impl<'a> ListRow<'a> {
    /// A row about a contact.
    pub(in crate::ui) fn contact(id: ContactId, name: &'a str, detail: &'a str) -> Self {
        let picture = Picture::Avatar(id, name);
        Self {
            picture,
            title: name,
            detail: Some(detail),
            name,
            selected: false,
            pinned: false,
            verified: false,
        }
    }

    /// A row that leads somewhere.
    pub(in crate::ui) fn link(icon: MaterialIcon, title: &'a str) -> Self {
        Self {
            picture: Picture::Icon(icon),
            title,
            detail: None,
            name: title,
            selected: false,
            pinned: false,
            verified: false,
        }
    }

    /// Adds a second line.
    pub(in crate::ui) fn detail(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Whether this row is what the main area shows.
    pub(in crate::ui) fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }

    /// Marks the row as one that always stays on top.
    pub(in crate::ui) fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }

    /// Marks the row of somebody whose key was compared with them.
    pub(in crate::ui) fn verified(mut self) -> Self {
        self.verified = true;
        self
    }

    /// The name for screen readers, where the title alone is not unique.
    pub(in crate::ui) fn named(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Adds it to the layout.
    pub(in crate::ui) fn show(self, ui: &mut Ui) -> Response {
        let height = if self.detail.is_some() { size::ROW } else { size::ROW_SMALL };
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        response
            .widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), self.selected, self.name));
        let colors = palette(ui);
        let painter = ui.painter();
        if self.selected || response.is_pointer_button_down_on() {
            painter.rect_filled(rect, size::CORNER, colors.surface_pressed);
        } else if response.hovered() {
            painter.rect_filled(rect, size::CORNER, colors.surface_hovered);
        }
        let left = rect.left() + size::GAP;
        let middle = rect.center().y;
        let text_left = match self.picture {
            Picture::Avatar(id, name) => {
                let center = pos2(left + size::AVATAR / 2.0, middle);
                Avatar::new(id, name, size::AVATAR).paint_at(ui, center);
                left + size::AVATAR + 12.0
            }
            Picture::Icon(icon) => {
                let at = pos2(left + size::AVATAR / 2.0, middle);
                let icon_font = font::icon(font::ICON + 2.0);
                painter.text(at, Align2::CENTER_CENTER, icon.codepoint, icon_font, colors.text_muted);
                left + size::AVATAR + 12.0
            }
        };
        let mark = match (self.pinned, self.verified) {
            (true, _) => Some((egui_material_icons::icons::ICON_PUSH_PIN, colors.text_muted)),
            (false, true) => Some((egui_material_icons::icons::ICON_VERIFIED_USER, colors.accent)),
            (false, false) => None,
        };
        let mark_room = if mark.is_some() { font::ICON_SMALL + size::GAP } else { 0.0 };
        let width = rect.right() - size::GAP - mark_room - text_left;
        let title = elided(ui, self.title, font::strong(), colors.text, width);
        match self.detail {
            None => {
                painter.galley(pos2(text_left, middle - title.size().y / 2.0).round(), title, colors.text);
            }
            Some(detail) => {
                let detail = elided(ui, detail, font::caption(), colors.text_muted, width);
                let block = title.size().y + 2.0 + detail.size().y;
                let top = middle - block / 2.0;
                let below = top + title.size().y + 2.0;
                painter.galley(pos2(text_left, top).round(), title, colors.text);
                painter.galley(pos2(text_left, below).round(), detail, colors.text_muted);
            }
        }
        if let Some((icon, ink)) = mark {
            let at = pos2(rect.right() - size::GAP, middle);
            painter.text(at, Align2::RIGHT_CENTER, icon.codepoint, font::icon(font::ICON_SMALL), ink);
        }
        focus_ring(
            ui,
            &response,
            rect.shrink(size::FOCUS_GAP + size::FOCUS_RING),
            f32::from(size::CORNER) - 2.0,
        );
        response
    }
}
