//! The pictures of an X11 screen, with the mouse pointer: X11 core `GetImage` and XFIXES `GetCursorImage`.
//!
//! What comes is 32 bits a pixel, blue first; X servers of this century have no other layout.

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::xfixes::{ConnectionExt as _, GetCursorImageReply};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder, Window};
use x11rb::rust_connection::RustConnection;

use crate::video::frame::{FrameError, I420, Size, Taken};

/// XFIXES 4 and later tell the pointer as we read it.
const XFIXES: (u32, u32) = (4, 0);
const BYTES: usize = 4;
/// Pixels that are wanted of every plane.
const ALL_PLANES: u32 = u32::MAX;

/// Why a screen cannot be shared; each is a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScreenError {
    /// There is no X11 here, or it does not let us in.
    #[error("there is no X11 screen to share here: {0}")]
    Unreachable(#[from] ConnectError),
    /// It hung up.
    #[error("the X11 server hung up: {0}")]
    HungUp(#[from] ConnectionError),
    /// It refused.
    #[error("the X11 server gave no picture of the screen: {0}")]
    Refused(#[from] ReplyError),
    /// A layout that is not read.
    #[error(
        "the screen has {bits} bits a pixel, or the wrong order of bytes; only 32 bits, lowest first, can be shared"
    )]
    Layout {
        /// Bits a pixel.
        bits: u8,
    },
    /// Its size is impossible.
    #[error(transparent)]
    Size(#[from] FrameError),
}

/// An X11 screen.
pub(super) struct Screen {
    connection: RustConnection,
    root: Window,
    /// Whether the server tells about the pointer.
    pointer: bool,
}

impl Screen {
    /// The one that `DISPLAY` names.
    pub(super) fn open() -> Result<Self, ScreenError> {
        let (connection, number) = x11rb::connect(None)?;
        let setup = connection.setup();
        let Some(screen) = setup.roots.get(number) else { return Err(ScreenError::Layout { bits: 0 }) };
        let (root, depth) = (screen.root, screen.root_depth);
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth);
        let bits = format.map_or(0, |format| format.bits_per_pixel);
        if usize::from(bits) != 8 * BYTES || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(ScreenError::Layout { bits });
        }
        let version = connection.xfixes_query_version(XFIXES.0, XFIXES.1)?.reply();
        Ok(Self { connection, root, pointer: version.is_ok() })
    }

    /// How it looks now.
    pub(super) fn take(&self, taken: Taken) -> Result<I420, ScreenError> {
        let geometry = self.connection.get_geometry(self.root)?.reply()?;
        let (width, height) = (geometry.width, geometry.height);
        let size = Size::new(width.into(), height.into())?;
        let image =
            self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, ALL_PLANES)?;
        let pointer = if self.pointer { Some(self.connection.xfixes_get_cursor_image()?) } else { None };
        let mut pixels = image.reply()?.data;
        if let Some(pointer) = pointer.and_then(|pointer| pointer.reply().ok()) {
            draw(&pointer, &mut pixels, size);
        }
        Ok(in_video(&pixels, size, taken)?)
    }
}

/// The pointer is premultiplied ARGB, its hot spot where the mouse is.
fn draw(pointer: &GetCursorImageReply, pixels: &mut [u8], size: Size) {
    let corner = |at: i16, hot: u16| i32::from(at) - i32::from(hot);
    let (left, top) = (corner(pointer.x, pointer.xhot), corner(pointer.y, pointer.yhot));
    let rows = pointer.cursor_image.chunks(usize::from(pointer.width).max(1));
    for (row, line) in (top..).zip(rows) {
        for (column, argb) in (left..).zip(line) {
            let inside =
                (0..size.width() as i32).contains(&column) && (0..size.height() as i32).contains(&row);
            if !inside {
                continue;
            }
            let at = (row as usize * size.width() as usize + column as usize) * BYTES;
            let Some(pixel) = pixels.get_mut(at..at + BYTES) else { continue };
            let [blue, green, red, alpha] = argb.to_le_bytes();
            for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
                let rest = u32::from(*below) * u32::from(255 - alpha) / 255;
                *below = above.saturating_add(rest as u8);
            }
        }
    }
}

/// To the colours of video (ITU-R BT.601, limited range); those of four pixels become one.
fn in_video(pixels: &[u8], size: Size, taken: Taken) -> Result<I420, FrameError> {
    let (width, chroma) = (size.width() as usize, size.chroma());
    let row_bytes = width * BYTES;
    let needed = row_bytes * size.height() as usize;
    if pixels.len() < needed {
        return Err(FrameError::Length { needed, found: pixels.len() });
    }
    let mut data = Vec::with_capacity(size.bytes());
    data.extend(pixels[..needed].chunks_exact(BYTES).map(|pixel| {
        let [blue, green, red] = [0, 1, 2].map(|at| i32::from(pixel[at]));
        (16 + ((66 * red + 129 * green + 25 * blue + 128) >> 8)) as u8
    }));
    let mut reds = Vec::with_capacity(chroma.pixels());
    for rows in pixels[..needed].chunks(2 * row_bytes) {
        let (upper, lower) = rows.split_at(row_bytes.min(rows.len()));
        // The last row of an odd number stands for two.
        let lower = if lower.is_empty() { upper } else { lower };
        for (above, below) in upper.chunks(2 * BYTES).zip(lower.chunks(2 * BYTES)) {
            let mean = |at: usize| {
                let all = above[at..].iter().step_by(BYTES).chain(below[at..].iter().step_by(BYTES));
                let (sum, count) =
                    all.fold((0, 0), |(sum, count), value| (sum + i32::from(*value), count + 1));
                sum / count
            };
            let (blue, green, red) = (mean(0), mean(1), mean(2));
            data.push((128 + ((112 * blue - 38 * red - 74 * green + 128) >> 8)) as u8);
            reds.push((128 + ((112 * red - 94 * green - 18 * blue + 128) >> 8)) as u8);
        }
    }
    data.extend(reds);
    I420::packed(size, taken, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    /// Of one colour, given as blue, green, red.
    fn of(colour: [u8; 3], size: Size) -> I420 {
        let pixels: Vec<u8> = (0..size.pixels()).flat_map(|_| [colour[0], colour[1], colour[2], 0]).collect();
        in_video(&pixels, size, Taken::Media(0)).unwrap()
    }

    #[test]
    fn colours_are_those_of_video_in_every_size() {
        for size in [sized(4, 2), sized(3, 3), sized(1, 1), sized(5, 4)] {
            for (colour, [y, u, v]) in [
                ([0, 0, 0], [16, 128, 128]),
                ([255, 255, 255], [235, 128, 128]),
                ([0, 0, 255], [82, 90, 240]),
                ([255, 0, 0], [41, 240, 110]),
            ] {
                let frame = of(colour, size);
                let [luma, blue, red] = frame.planes();
                let near = |plane: &[u8], wanted: u8| plane.iter().all(|value| value.abs_diff(wanted) <= 1);
                assert!(near(luma.data, y) && near(blue.data, u) && near(red.data, v), "{size:?} {colour:?}");
            }
        }
    }

    #[test]
    fn too_few_pixels_are_refused() {
        let short = in_video(&[0; 15], sized(2, 2), Taken::Media(0));
        assert_eq!(short.unwrap_err(), FrameError::Length { needed: 16, found: 15 });
    }

    #[test]
    fn the_pointer_is_drawn_where_it_is_and_never_beside_the_screen() {
        let size = sized(4, 3);
        let at = |x, y| GetCursorImageReply {
            x,
            y,
            width: 2,
            height: 2,
            xhot: 1,
            yhot: 1,
            cursor_image: vec![0xff00_00ff; 4],
            ..GetCursorImageReply::default()
        };
        let drawn = |x, y| {
            let mut pixels = vec![100; size.pixels() * BYTES];
            draw(&at(x, y), &mut pixels, size);
            let blue = pixels.chunks(BYTES).enumerate().filter(|(_, pixel)| pixel[..3] == [255, 0, 0]);
            blue.map(|(at, _)| at).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1, 1), [0, 1, 4, 5]);
        assert_eq!(drawn(0, 0), [0]);
        assert_eq!(drawn(4, 3), [11]);
        assert_eq!(drawn(-30, 2), [0; 0]);
        assert_eq!(drawn(9, 9), [0; 0]);
    }
}
