//! Motion JPEG: every picture is a baseline JPEG, 4:2:2 as a rule.
//!
//! ```text
//! SOI  APP0?  DQT  SOF0  DHT?  SOS  bits ..  EOI
//!                        └─ often left out: then those of the standard are meant, and put there
//! ```
//! Decoded as Y, Cb and Cr, never as RGB; what the decoder stretches to the size of the picture is shrunk again.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::PixelError;
use super::huffman::STANDARD_TABLES;
use super::raw::{NARROW_CHROMA, NARROW_LUMA, planes};
use crate::video::frame::{I420, Size, Taken};

const SOI: [u8; 2] = [0xff, 0xd8];
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;
/// Y, Cb and Cr of a pixel.
const SAMPLES: usize = 3;

/// Decodes pictures, and keeps its memory for the next one.
pub(super) struct Mjpeg {
    options: DecoderOptions,
    /// A picture and the tables it lacks.
    completed: Vec<u8>,
    pixels: Vec<u8>,
}

impl Mjpeg {
    /// For pictures of at most this size.
    pub(super) fn new(largest: Size) -> Self {
        let options = DecoderOptions::default()
            .set_max_width(largest.width() as usize)
            .set_max_height(largest.height() as usize)
            // A picture that lost bytes on its way is passed over, rather than half grey.
            .set_strict_mode(true)
            .jpeg_set_out_colorspace(ColorSpace::YCbCr);
        Self { options, completed: Vec::new(), pixels: Vec::new() }
    }

    pub(super) fn decode(&mut self, jpeg: &[u8], taken: Taken) -> Result<I420, PixelError> {
        let jpeg = match place_of_tables(jpeg) {
            Some(place) => {
                let (before, after) = jpeg.split_at(place);
                self.completed.clear();
                self.completed.extend_from_slice(before);
                self.completed.extend_from_slice(&STANDARD_TABLES);
                self.completed.extend_from_slice(after);
                &self.completed
            }
            None => jpeg,
        };
        let damaged = |error| PixelError::Jpeg(format!("{error:?}"));
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), self.options);
        decoder.decode_headers().map_err(damaged)?;
        if decoder.input_colorspace() != Some(ColorSpace::YCbCr) {
            return Err(PixelError::Colours);
        }
        let Some(info) = decoder.info() else { return Err(PixelError::Jpeg("it has no size".to_owned())) };
        let size = Size::new(info.width.into(), info.height.into())?;
        self.pixels.resize(size.pixels() * SAMPLES, 0);
        decoder.decode_into(&mut self.pixels).map_err(damaged)?;
        Ok(I420::packed(size, taken, shrunk(&self.pixels, size))?)
    }
}

/// Where the tables belong that a picture lacks; none if it has some, or is no JPEG.
fn place_of_tables(jpeg: &[u8]) -> Option<usize> {
    let mut at = jpeg.starts_with(&SOI).then_some(SOI.len())?;
    loop {
        let [mark, kind, high, low] = *jpeg.get(at..)?.first_chunk()?;
        match (mark, kind) {
            // Fill bytes.
            (0xff, 0xff) => at += 1,
            (0xff, DHT) => return None,
            (0xff, SOS) => return Some(at),
            (0xff, _) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
            _ => return None,
        }
    }
}

/// Planes in the range of video; the colours of four pixels become one.
fn shrunk(pixels: &[u8], size: Size) -> Vec<u8> {
    let (width, chroma) = (size.width() as usize, size.chroma().width() as usize);
    let row = width * SAMPLES;
    let mut data = vec![0; size.bytes()];
    let [luma, blues, reds] = planes(&mut data, size);
    for (luma, pixel) in luma.iter_mut().zip(pixels.chunks_exact(SAMPLES)) {
        *luma = NARROW_LUMA[usize::from(pixel[0])];
    }
    let colours = blues.chunks_exact_mut(chroma).zip(reds.chunks_exact_mut(chroma));
    for (rows, (blues, reds)) in pixels.chunks(2 * row).zip(colours) {
        let (above, below) = rows.split_at(row);
        // The last row and column of an odd number stand for two.
        let below = if below.is_empty() { above } else { below };
        let squares = above.chunks(2 * SAMPLES).zip(below.chunks(2 * SAMPLES));
        for ((blue, red), (above, below)) in blues.iter_mut().zip(reds).zip(squares) {
            let right = above.len() - SAMPLES;
            let mean = |at: usize| {
                let four = [above[at], above[right + at], below[at], below[right + at]];
                (four.into_iter().map(usize::from).sum::<usize>() + 2) / 4
            };
            (*blue, *red) = (NARROW_CHROMA[mean(1)], NARROW_CHROMA[mean(2)]);
        }
    }
    data
}
