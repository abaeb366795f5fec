//! Moving pictures: what the other end's camera sees, and ours.

use super::super::theme::{palette, size};
use egui::{
    Color32, ColorImage, CursorIcon, Image, Pos2, Rect, Response, Sense, Stroke, StrokeKind, TextureHandle,
    TextureOptions, Ui, Vec2, WidgetInfo, pos2,
};
use media::video::frame::{I420, Size};

/// A picture on the graphics card, and which it is.
#[derive(Clone)]
pub(in crate::ui) struct Picture {
    number: u64,
    /// As it came; on the card it may be smaller.
    size: Size,
    /// How high it was drawn last, in pixels of the screen.
    drawn: u32,
    texture: TextureHandle,
}

/// Which way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Facing {
    /// As others see it.
    Plain,
    /// As in a mirror, which is how people know themselves.
    Mirrored,
}

impl Picture {
    /// Takes the newest picture and its number, in about the size it is drawn at; one that is there already is not
    /// brought again. Without one nothing is left.
    pub(in crate::ui) fn follow(ui: &Ui, before: &mut Option<Self>, latest: Option<(u64, I420)>) {
        let Some((number, frame)) = latest else {
            *before = None;
            return;
        };
        match before {
            Some(picture) if picture.number == number && !picture.is_too_small() => {}
            Some(picture) => {
                picture.texture.set(in_colours(&frame.shrunk(picture.drawn)), TextureOptions::LINEAR);
                (picture.number, picture.size) = (number, frame.size());
            }
            None => {
                let (size, drawn) = (frame.size(), frame.size().height());
                let texture = ui.ctx().load_texture("picture", in_colours(&frame), TextureOptions::LINEAR);
                *before = Some(Self { number, size, drawn, texture });
            }
        }
    }

    /// Shows it as large as it fits into `room`, in its own shape, on black; gives the size it has there, in points.
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, room: Rect, label: &str) -> Vec2 {
        let size = Vec2::new(self.size.width() as f32, self.size.height() as f32);
        let scale = (room.width() / size.x).min(room.height() / size.y);
        let place = Rect::from_center_size(room.center(), size * scale);
        self.drawn = (place.height() * ui.pixels_per_point()) as u32;
        ui.painter().rect_filled(room, 0.0, Color32::BLACK);
        Image::from_texture(&self.texture).paint_at(ui, place);
        let response = ui.allocate_rect(room, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, label));
        place.size()
    }

    /// How large it is where it lies above something else.
    pub(in crate::ui) fn inset_size(&self) -> Vec2 {
        let shape = Vec2::new(self.size.width() as f32, self.size.height() as f32);
        shape * (size::INSET / shape.max_elem())
    }

    /// Shows it there above whatever is there; while it is dragged it follows the pointer.
    pub(in crate::ui) fn inset(&mut self, ui: &Ui, place: Rect, facing: Facing, label: &str) -> Response {
        self.drawn = (place.height() * ui.pixels_per_point()) as u32;
        let texture = match facing {
            Facing::Plain => Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)),
            Facing::Mirrored => Rect::from_min_max(pos2(1.0, 0.0), pos2(0.0, 1.0)),
        };
        // A key moves it, so that the keyboard need not come by here.
        let response = ui.interact(place, ui.scope_id().with(label), Sense::CLICK | Sense::DRAG);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, label));
        let moved = response.total_drag_delta().filter(|_| response.dragged()).unwrap_or_default();
        let place = place.translate(moved);
        Image::from_texture(&self.texture).uv(texture).corner_radius(size::CORNER).paint_at(ui, place);
        let edge = Stroke::new(1.0, palette(ui).line);
        ui.painter().rect_stroke(place, f32::from(size::CORNER), edge, StrokeKind::Outside);
        response.on_hover_cursor(CursorIcon::Grab)
    }

    /// Whether the card has less of it than there is and can be seen.
    fn is_too_small(&self) -> bool {
        self.texture.size()[1] < self.drawn.min(self.size.height()) as usize
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("number", &self.number).finish_non_exhaustive()
    }
}

/// From the colours of video (ITU-R BT.601, limited range) to those of a screen.
fn in_colours(frame: &I420) -> ColorImage {
    let (width, height) = (frame.size().width() as usize, frame.size().height() as usize);
    let [luma, blue, red] = frame.planes();
    let mut pixels = Vec::with_capacity(width * height);
    for row in 0..height {
        let lumas = &luma.data[row * luma.stride..][..width];
        let blues = &blue.data[row / 2 * blue.stride..];
        let reds = &red.data[row / 2 * red.stride..];
        pixels.extend(
            lumas.iter().enumerate().map(|(column, y)| in_colour(*y, blues[column / 2], reds[column / 2])),
        );
    }
    ColorImage::new([width, height], pixels)
}

/// In steps of 1/256.
fn in_colour(y: u8, blue: u8, red: u8) -> Color32 {
    let (y, blue, red) = (298 * (i32::from(y) - 16), i32::from(blue) - 128, i32::from(red) - 128);
    let byte = |value: i32| ((value + 128) >> 8).clamp(0, 255) as u8;
    Color32::from_rgb(byte(y + 409 * red), byte(y - 100 * blue - 208 * red), byte(y + 516 * blue))
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{RawInput, TextureId};
    use media::video::frame::Taken;

    #[test]
    fn a_picture_is_brought_once_and_about_as_large_as_it_is_drawn() {
        let (ctx, mut picture) = (egui::Context::default(), None);
        let size = Size::new(640, 360).unwrap();
        let frame = I420::plain(size, Taken::Media(0), [90, 128, 128]);
        let mut brought = |number, height| {
            let mut output = ctx.run_ui(RawInput::default(), |ui| {
                Picture::follow(ui, &mut picture, Some((number, frame.clone())));
                let room = Rect::from_min_size(Pos2::ZERO, Vec2::new(2000.0, height));
                picture.as_mut().unwrap().show(ui, room, "picture");
            });
            let sets = output.textures_delta.set.iter().filter(|(id, _)| **id != TextureId::default());
            let heights: Vec<usize> =
                sets.flat_map(|(_, deltas)| deltas).map(|delta| delta.image.height()).collect();
            output.textures_delta.clear();
            heights
        };
        assert_eq!(brought(1, 80.0), [360], "nothing is known of the window yet");
        assert_eq!(brought(1, 80.0), [0; 0]);
        assert_eq!(brought(2, 80.0), [90]);
        assert_eq!(brought(2, 200.0), [0; 0]);
        assert_eq!(brought(2, 200.0), [360], "the window has grown");
        assert_eq!(brought(2, 900.0), [0; 0]);
        assert_eq!(brought(2, 900.0), [0; 0], "there is no more of it");
    }

    #[test]
    fn known_colours_are_what_they_should_be() {
        for ((y, blue, red), [r, g, b]) in [
            ((16, 128, 128), [0, 0, 0]),
            ((235, 128, 128), [255, 255, 255]),
            ((81, 90, 240), [255, 0, 0]),
            ((145, 54, 34), [0, 255, 0]),
            ((41, 240, 110), [0, 0, 255]),
        ] {
            let shown = in_colour(y, blue, red).to_array();
            let near = |at: usize, wanted: i32| (i32::from(shown[at]) - wanted).abs() <= 2;
            assert!(near(0, r) && near(1, g) && near(2, b), "{y} {blue} {red}: {shown:?}");
        }
    }
}
