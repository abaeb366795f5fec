//! Pixels of a screen, 32 bits each and blue first, and what is made of them.

use crate::video::frame::{FrameError, I420, Size, Taken};

/// Bytes of a pixel.
pub(super) const BYTES: usize = 4;

/// Pixels that lie on others, premultiplied ARGB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlay<'a> {
    /// Row by row.
    pub(super) pixels: &'a [u32],
    /// Of a row.
    pub(super) width: u16,
    /// Where the left and the upper edge lie.
    pub(super) corner: (i32, i32),
}

/// Draws what of it lies within.
pub(super) fn draw(overlay: Overlay<'_>, pixels: &mut [u8], size: Size) {
    let (left, top) = overlay.corner;
    let (width, height) = (size.width() as usize, size.height() as usize);
    for (row, line) in (top..).zip(overlay.pixels.chunks(usize::from(overlay.width).max(1))) {
        let Some(row) = within(row, height) else { continue };
        for (column, argb) in (left..).zip(line) {
            let Some(column) = within(column, width) else { continue };
            let at = (row * width + column) * BYTES;
            let Some(pixel) = pixels.get_mut(at..at + BYTES) else { continue };
            let [blue, green, red, alpha] = argb.to_le_bytes();
            for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
                let rest = u32::from(*below) * u32::from(255 - alpha) / 255;
                *below = above.saturating_add(rest as u8);
            }
        }
    }
}

fn within(at: i32, length: usize) -> Option<usize> {
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// To the colours of video (ITU-R BT.601, limited range); those of four pixels become one.
pub(super) fn in_video(pixels: &[u8], size: Size, taken: Taken) -> Result<I420, FrameError> {
    let row_bytes = size.width() as usize * BYTES;
    let needed = row_bytes * size.height() as usize;
    let Some(pixels) = pixels.get(..needed) else {
        return Err(FrameError::Length { needed, found: pixels.len() });
    };
    let mut data = Vec::with_capacity(size.bytes());
    let (each, _) = pixels.as_chunks::<BYTES>();
    data.extend(each.iter().map(|[blue, green, red, _]| {
        let [blue, green, red] = [blue, green, red].map(|colour| i32::from(*colour));
        (16 + ((66 * red + 129 * green + 25 * blue + 128) >> 8)) as u8
    }));
    let mut reds = Vec::with_capacity(size.chroma().pixels());
    for rows in pixels.chunks(2 * row_bytes) {
        let (upper, lower) = rows.split_at(row_bytes);
        // The last row of an odd number stands for two, and so does the last column.
        let lower = if lower.is_empty() { upper } else { lower };
        let (upper, last_above) = upper.as_chunks::<{ 2 * BYTES }>();
        let (lower, last_below) = lower.as_chunks::<{ 2 * BYTES }>();
        let twice = |last: &[u8]| <[u8; 2 * BYTES]>::try_from([last, last].concat()).ok();
        let last = twice(last_above).zip(twice(last_below));
        let last = last.as_ref().map(|(above, below)| (above, below));
        for (above, below) in upper.iter().zip(lower).chain(last) {
            let mean = |at: usize| {
                let all = [above[at], above[at + BYTES], below[at], below[at + BYTES]];
                all.into_iter().map(i32::from).sum::<i32>() / 4
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
    fn four_pixels_share_their_colour_and_keep_their_brightness() {
        let pixels = [[0, 0, 255, 0], [0, 0, 255, 0], [255, 0, 0, 0], [255, 0, 0, 0]].concat();
        let frame = in_video(&pixels, sized(2, 2), Taken::Media(0)).unwrap();
        assert_eq!(frame.data(), [82, 82, 41, 41, 165, 175]);
    }

    #[test]
    fn too_few_pixels_are_refused() {
        let short = in_video(&[0; 15], sized(2, 2), Taken::Media(0));
        assert_eq!(short.unwrap_err(), FrameError::Length { needed: 16, found: 15 });
    }

    #[test]
    fn what_lies_on_a_picture_is_drawn_where_it_is_and_never_beside_it() {
        let size = sized(4, 3);
        let drawn = |x, y| {
            let mut pixels = vec![100; size.pixels() * BYTES];
            draw(Overlay { pixels: &[0xff00_00ff; 4], width: 2, corner: (x, y) }, &mut pixels, size);
            let blue = pixels.chunks(BYTES).enumerate().filter(|(_, pixel)| pixel[..3] == [255, 0, 0]);
            blue.map(|(at, _)| at).collect::<Vec<_>>()
        };
        assert_eq!(drawn(0, 0), [0, 1, 4, 5]);
        assert_eq!(drawn(-1, -1), [0]);
        assert_eq!(drawn(3, 2), [11]);
        assert_eq!(drawn(-30, 2), [0; 0]);
        assert_eq!(drawn(9, 9), [0; 0]);
    }

    #[test]
    fn half_of_what_shines_through_is_seen() {
        let mut pixels = vec![200; BYTES];
        draw(Overlay { pixels: &[0x8000_0040], width: 1, corner: (0, 0) }, &mut pixels, sized(1, 1));
        assert_eq!(pixels[..3], [64 + 99, 99, 99]);
    }
}
