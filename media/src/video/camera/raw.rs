//! Pictures that are not compressed.
//!
//! ```text
//! YUYV   Y0 U0 Y1 V0  Y2 U1 Y3 V1 ..      every row has colours, half as many as pixels
//! NV12   Y0 Y1 Y2 ..  then  U0 V0 U1 V1 ..   every second row has
//! ```

use super::Range;
use crate::video::frame::{FrameError, Size};

const FULL: u32 = 255;
/// Values of brightness and of colour in the range of video.
const LUMA: u32 = 219;
const CHROMA: u32 = 224;
const BLACK: u32 = 16;

/// From the full range to that of video.
pub(super) const NARROW_LUMA: [u8; 256] = narrow(LUMA);
pub(super) const NARROW_CHROMA: [u8; 256] = narrow(CHROMA);

/// The planes of a picture, where the colours of two rows become one.
pub(super) fn yuyv(bytes: &[u8], size: Size, stride: usize) -> Result<Vec<u8>, FrameError> {
    let (width, height) = (size.width() as usize, size.height() as usize);
    let chroma = size.chroma().width() as usize;
    let row = 4 * chroma;
    check(bytes, row, stride, stride.saturating_mul(height - 1).saturating_add(row))?;
    let mut data = vec![0; size.bytes()];
    let [luma, blues, reds] = planes(&mut data, size);
    let colours = blues.chunks_exact_mut(chroma).zip(reds.chunks_exact_mut(chroma));
    for ((rows, luma), (blues, reds)) in bytes.chunks(2 * stride).zip(luma.chunks_mut(2 * width)).zip(colours)
    {
        let (first, second) = luma.split_at_mut(width);
        let above = &rows[..row];
        // The last row of an odd number stands for two.
        let below = if second.is_empty() { above } else { &rows[stride..stride + row] };
        for (luma, row) in [(first, above), (second, below)] {
            luma.iter_mut().zip(row.chunks_exact(2)).for_each(|(luma, pair)| *luma = pair[0]);
        }
        let pairs = above.chunks_exact(4).zip(below.chunks_exact(4));
        for ((blue, red), (above, below)) in blues.iter_mut().zip(reds).zip(pairs) {
            *blue = mean(above[1], below[1]);
            *red = mean(above[3], below[3]);
        }
    }
    Ok(data)
}

/// The planes of a picture, whose colours are told apart.
pub(super) fn nv12(bytes: &[u8], size: Size, stride: usize) -> Result<Vec<u8>, FrameError> {
    let (width, height) = (size.width() as usize, size.height() as usize);
    let (chroma, rows) = (size.chroma().width() as usize, size.chroma().height() as usize);
    let row = 2 * chroma;
    check(bytes, row, stride, stride.saturating_mul(height + rows - 1).saturating_add(row))?;
    let mut data = vec![0; size.bytes()];
    let [luma, blues, reds] = planes(&mut data, size);
    let (brightness, colours) = bytes.split_at(stride * height);
    for (luma, row) in luma.chunks_exact_mut(width).zip(brightness.chunks_exact(stride)) {
        luma.copy_from_slice(&row[..width]);
    }
    let planes = blues.chunks_exact_mut(chroma).zip(reds.chunks_exact_mut(chroma));
    for ((blues, reds), row) in planes.zip(colours.chunks(stride)) {
        for ((blue, red), pair) in blues.iter_mut().zip(reds).zip(row.chunks_exact(2)) {
            (*blue, *red) = (pair[0], pair[1]);
        }
    }
    Ok(data)
}

/// The same planes in the range of video.
pub(super) fn in_range(mut data: Vec<u8>, size: Size, from: Range) -> Vec<u8> {
    if from == Range::Full {
        let (luma, chroma) = data.split_at_mut(size.pixels());
        luma.iter_mut().for_each(|value| *value = NARROW_LUMA[usize::from(*value)]);
        chroma.iter_mut().for_each(|value| *value = NARROW_CHROMA[usize::from(*value)]);
    }
    data
}

/// Y, U and V in the memory of a picture.
pub(super) fn planes(data: &mut [u8], size: Size) -> [&mut [u8]; 3] {
    let (luma, chroma) = data.split_at_mut(size.pixels());
    let (blues, reds) = chroma.split_at_mut(size.chroma().pixels());
    [luma, blues, reds]
}

fn check(bytes: &[u8], width: usize, stride: usize, needed: usize) -> Result<(), FrameError> {
    if stride < width {
        return Err(FrameError::Stride { width, stride });
    }
    if bytes.len() < needed {
        return Err(FrameError::Length { needed, found: bytes.len() });
    }
    Ok(())
}

fn mean(one: u8, other: u8) -> u8 {
    (u16::from(one) + u16::from(other)).div_ceil(2) as u8
}

const fn narrow(values: u32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value <= FULL {
        table[value as usize] = (BLACK + (value * values + FULL / 2) / FULL) as u8;
        value += 1;
    }
    table
}
