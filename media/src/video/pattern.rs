//! A moving picture that carries its own number, so that a test can say which picture it sees after encoding, scaling
//! and loss.
//!
//! ```text
//!   ┌──┬──┬──┬──┬──┬──┬──┬──┐   upper half: 6 rows of 8 cells, black 0 or white 1, most significant bit first:
//!   │  32 bits of counter   │   4 rows of counter, 2 rows of its CRC-16
//!   ├───────────────────────┤
//!   │  moving bars, colours │   lower half: something for the encoder to do
//!   └───────────────────────┘
//! ```

use super::frame::{I420, Size, Taken};

const COLUMNS: usize = 8;
const ROWS: usize = 6;

const BLACK: u8 = 16;
const WHITE: u8 = 235;

/// A cell must be at least so far from grey to count.
const DISTANCE: i32 = 20;
const GREY: i32 = 126;

/// The pattern with this number.
pub fn draw(size: Size, taken: Taken, number: u32) -> I420 {
    let (width, height) = (size.width() as usize, size.height() as usize);
    let bits = u64::from(number) << 16 | u64::from(checksum(number));
    let half = height / 2;
    let mut data = Vec::with_capacity(size.bytes());
    let shift = number as usize;
    for row in 0..height {
        if row < half {
            let line = row * ROWS / half;
            data.extend((0..width).map(|column| {
                let cell = line * COLUMNS + column * COLUMNS / width;
                if bits >> (COLUMNS * ROWS - 1 - cell) & 1 == 1 { WHITE } else { BLACK }
            }));
        } else {
            data.extend((0..width).map(|column| {
                // Slanted ramps that move two pixels a picture.
                let ramp = (column + row + 2 * shift) % 128;
                40 + (if ramp < 64 { ramp } else { 127 - ramp }) as u8 * 2
            }));
        }
    }
    let chroma = size.chroma();
    for plane in [0, 64] {
        for row in 0..chroma.height() as usize {
            let value = if row < half / 2 { 128 } else { 96 + ((shift + plane) % 64) as u8 };
            data.resize(data.len() + chroma.width() as usize, value);
        }
    }
    I420::packed(size, taken, data).unwrap_or_else(|_| I420::plain(size, taken, [BLACK, 128, 128]))
}

/// The number in a picture; none when there is none or it cannot be read with certainty.
pub fn read_counter(frame: &I420) -> Option<u32> {
    let (width, height) = (frame.size().width() as usize, frame.size().height() as usize);
    let [luma, ..] = frame.planes();
    let bits = (0..COLUMNS * ROWS).try_fold(0u64, |bits, cell| {
        let columns = middle(cell % COLUMNS, COLUMNS, width);
        let rows = middle(cell / COLUMNS, ROWS, height / 2);
        let count = (columns.len() * rows.len()) as i32;
        let sum: i32 = rows
            .flat_map(|row| &luma.data[row * luma.stride..][columns.clone()])
            .map(|&pixel| i32::from(pixel))
            .sum();
        let mean = sum.checked_div(count)?;
        ((mean - GREY).abs() >= DISTANCE).then_some(bits << 1 | u64::from(mean > GREY))
    })?;
    let number = (bits >> 16) as u32;
    (checksum(number) == bits as u16).then_some(number)
}

/// The middle half of a cell: its edges are blurred.
fn middle(cell: usize, cells: usize, side: usize) -> std::ops::Range<usize> {
    let (from, to) = (cell * side / cells, (cell + 1) * side / cells);
    let margin = (to - from) / 4;
    from + margin..to - margin
}

/// CRC-16/CCITT-FALSE; begins with ones, so that neither black nor white is a number.
fn checksum(number: u32) -> u16 {
    number.to_be_bytes().iter().fold(0xffff, |crc: u16, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bitrate::Bitrate;
    use crate::video::vpx::{Codec, Content, Decoder, Encoder, EncoderConfig, Layers, Wish};

    const ANY: Taken = Taken::Media(0);

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn the_number_is_read_at_every_size() {
        for number in [0, 1, 77, 0x8000_0001, u32::MAX] {
            for size in [size(320, 180), size(1280, 720), size(161, 91), size(64, 48)] {
                assert_eq!(read_counter(&draw(size, ANY, number)), Some(number), "{size:?}");
            }
        }
    }

    #[test]
    fn other_pictures_have_no_number() {
        for shade in [0, 16, 126, 128, 235, 255] {
            assert_eq!(read_counter(&I420::plain(size(320, 180), ANY, [shade; 3])), None);
        }
        assert_eq!(read_counter(&I420::plain(size(1, 1), ANY, [0; 3])), None);
        let mut data = draw(size(320, 180), ANY, 5).data().to_vec();
        data[..40 * 320].fill(BLACK);
        data[..15 * 320].fill(WHITE);
        assert_eq!(read_counter(&I420::packed(size(320, 180), ANY, data).unwrap()), None);
    }

    /// Every number sent at 100 kbit/s is read, and again at half the size.
    #[test]
    fn the_number_survives_a_poor_link_and_scaling_by_half() {
        for codec in [Codec::Vp8, Codec::Vp9] {
            let whole = size(320, 180);
            let bitrate = Bitrate::from_kbps(100);
            let (layers, content) = (Layers::One, Content::Camera);
            let config = EncoderConfig { codec, size: whole, bitrate, layers, content };
            let (mut encoder, mut decoder) = (Encoder::new(config).unwrap(), Decoder::new(codec).unwrap());
            let mut read = 0;
            for number in 0..150u32 {
                let at = Duration::from_millis(67) * number;
                let frame = draw(whole, ANY, number * 7919);
                let Some(coded) = encoder.encode(&frame, at, Wish::Any).unwrap() else { continue };
                let shown = decoder.decode(&coded.data, ANY).unwrap().unwrap();
                assert_eq!(read_counter(&shown), Some(number * 7919), "{codec:?}");
                assert_eq!(read_counter(&shown.scaled(size(160, 90))), Some(number * 7919), "{codec:?}");
                read += 1;
            }
            assert!(read >= 75, "{codec:?} sent only {read} of 150");
        }
    }
}
