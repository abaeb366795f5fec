//! A row of the side panel.

use super::super::theme::{font, palette, size};
use super::avatar::Avatar;
use super::{elided, focus_ring, wrapped};
use crate::engine::view::ContactId;
use egui::{Align2, Color32, FontId, Galley, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use egui_material_icons::{MaterialIcon, icons};
use std::sync::Arc;

/// A row with a picture, a title and perhaps a second line.
pub(in crate::ui) struct ListRow<'a> {
    picture: Picture<'a>,
    title: &'a str,
    detail: Option<&'a str>,
    name: &'a str,
    selected: bool,
    corner: Option<Corner>,
    /// Before the second line, and how that looks.
    mark: Option<(MaterialIcon, DetailTone)>,
}

/// What stands at the end of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Corner {
    /// It always stays on top.
    Pinned,
    /// Their key was compared with them.
    Verified,
    /// They are never heard from.
    Blocked,
    /// They wait for an answer.
    Waiting,
}

/// How a second line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum DetailTone {
    /// As it does otherwise.
    Muted,
    /// Something was missed.
    Danger,
    /// Something is to be done.
    Accent,
}

enum Picture<'a> {
    Avatar(ContactId, &'a str),
    Icon(MaterialIcon),
}

impl<'a> ListRow<'a> {
    /// A row about a contact.
    pub(in crate::ui) fn contact(id: ContactId, name: &'a str, detail: &'a str) -> Self {
        let picture = Picture::Avatar(id, name);
        Self { picture, title: name, detail: Some(detail), name, selected: false, corner: None, mark: None }
    }

    /// A row that leads somewhere; what it says wraps.
    pub(in crate::ui) fn link(icon: MaterialIcon, title: &'a str) -> Self {
        Self {
            picture: Picture::Icon(icon),
            title,
            detail: None,
            name: title,
            selected: false,
            corner: None,
            mark: None,
        }
    }

    /// One of several of which one is chosen.
    pub(in crate::ui) fn choice(title: &'a str, chosen: bool) -> Self {
        let icon = match chosen {
            true => icons::ICON_RADIO_BUTTON_CHECKED,
            false => icons::ICON_RADIO_BUTTON_UNCHECKED,
        };
        Self::link(icon, title).selected(chosen)
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
        self.corner = Some(Corner::Pinned);
        self
    }

    /// Marks the row of somebody whose key was compared with them.
    pub(in crate::ui) fn verified(mut self) -> Self {
        self.corner = Some(Corner::Verified);
        self
    }

    /// Marks the row of somebody who is never heard from.
    pub(in crate::ui) fn blocked(mut self) -> Self {
        self.corner = Some(Corner::Blocked);
        self
    }

    /// Marks the row of somebody who waits for an answer.
    pub(in crate::ui) fn waiting(mut self) -> Self {
        self.corner = Some(Corner::Waiting);
        self.marked(icons::ICON_PERSON_ADD, DetailTone::Accent)
    }

    /// An icon before the second line, which looks so.
    pub(in crate::ui) fn marked(mut self, icon: MaterialIcon, tone: DetailTone) -> Self {
        self.mark = Some((icon, tone));
        self
    }

    /// The name for screen readers, where the title alone is not unique.
    pub(in crate::ui) fn named(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Adds it to the layout.
    pub(in crate::ui) fn show(self, ui: &mut Ui) -> Response {
        let colors = palette(ui);
        let corner_mark = self.corner.map(|corner| match corner {
            Corner::Pinned => (icons::ICON_PUSH_PIN, colors.text_muted),
            Corner::Verified => (icons::ICON_VERIFIED_USER, colors.accent),
            Corner::Blocked => (icons::ICON_BLOCK, colors.text_muted),
            Corner::Waiting => (icons::ICON_CIRCLE, colors.accent),
        });
        let mark_room = if corner_mark.is_some() { font::ICON_SMALL + size::GAP } else { 0.0 };
        let width = ui.available_width() - TEXT_LEFT - size::GAP - mark_room;
        let title = self.lay_out(ui, self.title, font::strong(), colors.text, width);
        let ink = match self.mark {
            Some((_, DetailTone::Danger)) => colors.danger,
            Some((_, DetailTone::Accent)) => colors.accent,
            Some((_, DetailTone::Muted)) | None => colors.text_muted,
        };
        let indent = if self.mark.is_some() { font::ICON_SMALL + size::GAP_SMALL } else { 0.0 };
        let detail = self.detail.map(|text| self.lay_out(ui, text, font::caption(), ink, width - indent));
        let least = if detail.is_some() { size::ROW } else { size::ROW_SMALL };
        let block = title.size().y + detail.as_ref().map_or(0.0, |detail| LINE_GAP + detail.size().y);
        let height = least.max((block + 2.0 * size::GAP).ceil());
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        response
            .widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), self.selected, self.name));
        let painter = ui.painter();
        if self.selected {
            painter.rect_filled(rect, size::CORNER, colors.accent_tint);
        } else if response.is_pointer_button_down_on() {
            painter.rect_filled(rect, size::CORNER, colors.surface_pressed);
        } else if response.hovered() {
            painter.rect_filled(rect, size::CORNER, colors.surface_hovered);
        }
        let middle = rect.center().y;
        let picture = pos2(rect.left() + size::GAP + size::AVATAR / 2.0, middle);
        match self.picture {
            Picture::Avatar(id, name) => Avatar::new(id, name, size::AVATAR).paint_at(ui, picture),
            Picture::Icon(icon) => {
                let icon_font = font::icon(font::ICON + 2.0);
                painter.text(picture, Align2::CENTER_CENTER, icon.codepoint, icon_font, colors.text_muted);
            }
        }
        let mut corner = pos2(rect.left() + TEXT_LEFT, middle - block / 2.0);
        let below = title.size().y + LINE_GAP;
        painter.galley(corner.round(), title, colors.text);
        if let Some(detail) = detail {
            corner.y += below;
            if let Some((icon, _)) = self.mark {
                let at = pos2(corner.x, corner.y + detail.size().y / 2.0);
                let icon_font = font::icon(font::ICON_SMALL);
                painter.text(at, Align2::LEFT_CENTER, icon.codepoint, icon_font, ink);
            }
            painter.galley((corner + vec2(indent, 0.0)).round(), detail, ink);
        }
        if let Some((icon, ink)) = corner_mark {
            let at = pos2(rect.right() - size::GAP, middle);
            let icon_size = if self.corner == Some(Corner::Waiting) { DOT } else { font::ICON_SMALL };
            painter.text(at, Align2::RIGHT_CENTER, icon.codepoint, font::icon(icon_size), ink);
        }
        focus_ring(
            ui,
            &response,
            rect.shrink(size::FOCUS_GAP + size::FOCUS_RING),
            f32::from(size::CORNER) - 2.0,
        );
        response
    }

    fn lay_out(&self, ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
        match self.picture {
            Picture::Avatar(..) => elided(ui, text, font, color, width),
            Picture::Icon(_) => wrapped(ui, text, font, color, width, MOST_LINES),
        }
    }
}

/// Where the text begins, beside the picture.
const TEXT_LEFT: f32 = size::GAP + size::AVATAR + 12.0;
/// What says that somebody waits.
const DOT: f32 = 10.0;
/// Between the two texts.
const LINE_GAP: f32 = 2.0;
/// Titles and details that wrap have at most so many lines each.
const MOST_LINES: usize = 3;
