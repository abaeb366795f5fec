//! Pictures made from a key: the same key always looks the same, on every computer.

use super::super::theme::{AVATARS, font, palette, size};
use crate::engine::view::ContactId;
use egui::{Align2, Color32, CornerRadius, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, vec2};
use egui_material_icons::icons;
use overlay::PublicKey;

/// A disc in the colour of the key, with the initials of the name; Echo has a wave instead.
pub(in crate::ui) struct Avatar<'a> {
    id: ContactId,
    name: &'a str,
    diameter: f32,
    room: f32,
    rings: Option<Rings>,
    /// Nothing is painted above this.
    top: f32,
}

/// What moves around an avatar.
#[derive(Debug, Clone, Copy)]
enum Rings {
    Ringing(f64),
    Speaking(f32),
}

impl<'a> Avatar<'a> {
    /// The avatar of `id`.
    pub(in crate::ui) fn new(id: ContactId, name: &'a str, diameter: f32) -> Self {
        Self { id, name, diameter, room: size::RINGS, rings: None, top: f32::NEG_INFINITY }
    }

    /// The avatar of a call: as large as the window allows.
    pub(in crate::ui) fn in_call(ui: &Ui, id: ContactId, name: &'a str) -> Self {
        match ui.available_height() < size::LOW_WINDOW {
            true => Self { room: size::RINGS_LOW, ..Self::new(id, name, size::AVATAR_CALL_LOW) },
            false => Self::new(id, name, size::AVATAR_CALL),
        }
    }

    /// Something lies above `top`: smaller where it would be covered, in the same room.
    pub(in crate::ui) fn below(mut self, top: f32) -> Self {
        self.top = top;
        self
    }

    /// Rings that spread, at this moment of the animation (seconds); takes room around the disc.
    pub(in crate::ui) fn ringing(mut self, time: f64) -> Self {
        self.rings = Some(Rings::Ringing(time));
        self
    }

    /// A ring as strong as the voice (0 to 1); takes room around the disc.
    pub(in crate::ui) fn speaking(mut self, level: f32) -> Self {
        self.rings = Some(Rings::Speaking(level.clamp(0.0, 1.0)));
        self
    }

    /// Room around the disc as if rings were shown, so that nothing jumps when they end.
    pub(in crate::ui) fn still(self) -> Self {
        self.speaking(0.0)
    }

    /// Adds it to the layout.
    pub(in crate::ui) fn show(mut self, ui: &mut Ui) -> Response {
        let room = if self.rings.is_some() { 2.0 * self.room } else { 0.0 };
        let whole = self.diameter + room;
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(whole), Sense::hover());
        let side = (rect.bottom() - self.top).min(whole);
        self.diameter *= side / whole;
        self.room *= side / whole;
        if self.diameter >= LEAST {
            self.paint_at(ui, rect.center_bottom() - vec2(0.0, side / 2.0));
        }
        response
    }

    /// Only paints it, around `center`.
    pub(super) fn paint_at(&self, ui: &Ui, center: Pos2) {
        let colors = palette(ui);
        let painter = ui.painter();
        let radius = self.diameter / 2.0;
        match self.rings {
            Some(Rings::Ringing(time)) => {
                for offset in [0.0, 0.5] {
                    let progress = (time / super::super::theme::pace::RING_PERIOD + offset).fract() as f32;
                    let stroke = Stroke::new(2.0, colors.accent.gamma_multiply((1.0 - progress) * 0.7));
                    painter.circle_stroke(center, radius + 2.0 + progress * (self.room - 4.0), stroke);
                }
            }
            Some(Rings::Speaking(level)) if level > 0.02 => {
                let width = 3.0 + 7.0 * level;
                let stroke = Stroke::new(width, colors.accent.gamma_multiply(0.35 + 0.5 * level));
                painter.circle_stroke(center, radius + 5.0 + width / 2.0, stroke);
            }
            _ => {}
        }
        match self.id {
            ContactId::Echo => {
                painter.circle_filled(center, radius, colors.accent_fill);
                let icon = icons::ICON_GRAPHIC_EQ;
                let font = font::icon((self.diameter * 0.5).round());
                painter.text(center, Align2::CENTER_CENTER, icon.codepoint, font, colors.on_fill);
            }
            ContactId::Person(key) => {
                painter.circle_filled(center, radius, color(&key));
                let initials = initials(self.name);
                let (text, font) = match initials.is_empty() {
                    true => {
                        (icons::ICON_PERSON.codepoint.to_owned(), font::icon((self.diameter * 0.5).round()))
                    }
                    false => (initials, font::initials(self.diameter)),
                };
                painter.text(center, Align2::CENTER_CENTER, text, font, colors.on_fill);
            }
        }
    }
}

/// A five by five mirrored pattern of the key, beside its fingerprint: two keys under one name look different.
pub(in crate::ui) fn key_picture(ui: &mut Ui, key: &PublicKey, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    let ink = color(key);
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(size::CORNER), ink.gamma_multiply(0.16));
    let inner = rect.shrink(side * 0.14);
    let cell = inner.width() / CELLS as f32;
    for (column, row) in pattern(key) {
        let corner = inner.min + vec2(column as f32 * cell, row as f32 * cell);
        painter.rect_filled(
            Rect::from_min_size(corner, Vec2::splat(cell)).shrink(0.4),
            1.5,
            pattern_ink(ui, ink),
        );
    }
    response
}

/// Smaller discs say nothing.
const LEAST: f32 = 16.0;

const CELLS: usize = 5;

/// The cells that are set, mirrored around the middle column.
fn pattern(key: &PublicKey) -> Vec<(usize, usize)> {
    let bytes = key.bytes();
    let half = CELLS.div_ceil(2);
    let mut cells = Vec::with_capacity(CELLS * CELLS);
    for row in 0..CELLS {
        for column in 0..half {
            if bytes[1 + row * half + column] & 1 == 1 {
                cells.push((column, row));
                if column != CELLS - 1 - column {
                    cells.push((CELLS - 1 - column, row));
                }
            }
        }
    }
    cells
}

fn pattern_ink(ui: &Ui, color: Color32) -> Color32 {
    if ui.visuals().dark_mode { color.lerp_to_gamma(Color32::WHITE, 0.35) } else { color }
}

fn color(key: &PublicKey) -> Color32 {
    AVATARS[usize::from(key.bytes()[0]) % AVATARS.len()]
}

/// One letter, or two where the name has two parts: `ana.perez` is `AP`.
fn initials(name: &str) -> String {
    let parts = name.split(['.', '_', '-', ' ']).filter_map(|part| part.chars().next());
    parts.take(2).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_one_letter_per_part_and_at_most_two() {
        assert_eq!(initials("alice"), "A");
        assert_eq!(initials("ana.perez"), "AP");
        assert_eq!(initials("a.b-c"), "AB");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn a_pattern_is_mirrored_and_belongs_to_its_key() {
        let (a, b) = (PublicKey::from_bytes([3; 32]), PublicKey::from_bytes([2; 32]));
        assert_ne!(pattern(&a), pattern(&b));
        for (column, row) in pattern(&a) {
            assert!(pattern(&a).contains(&(CELLS - 1 - column, row)));
        }
    }
}
