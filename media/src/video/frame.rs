//! One picture: I420, the layout every codec and camera agrees on.
//!
//! ```text
//!   data  ┌────────── Y ──────────┬─── U ───┬─── V ───┐   U and V have half the width and half the
//!         │ width × height bytes  │         │         │   height, rounded up; no row is padded
//!         └───────────────────────┴─────────┴─────────┘
//! ```

use std::sync::Arc;
use std::time::Instant;

/// The longest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 4096;

/// Why bytes are no picture; whoever supplied them is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A side is 0 or longer than [`MAX_SIDE`].
    #[error("a picture of {width}x{height} pixels is not possible here")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A row is longer than the distance between rows.
    #[error("rows of {width} bytes do not fit into a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        width: usize,
        /// Bytes from the start of one row to the next.
        stride: usize,
    },
    /// Bytes are missing, or there are too many.
    #[error("a plane holds {found} bytes instead of {needed}")]
    Length {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        found: usize,
    },
}

/// Width and height in pixels, each from 1 to [`MAX_SIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// 640x360.
    pub const NHD: Self = Self { width: 640, height: 360 };

    /// Checks both sides.
    pub const fn new(width: u32, height: u32) -> Result<Self, FrameError> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(FrameError::Size { width, height });
        }
        Ok(Self { width, height })
    }

    /// In pixels.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// In pixels.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// How many pixels there are.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// The size of the two planes of colour: half, rounded up.
    pub const fn chroma(self) -> Self {
        Self { width: self.width.div_ceil(2), height: self.height.div_ceil(2) }
    }

    /// Bytes of a whole picture of this size.
    pub const fn bytes(self) -> usize {
        self.pixels() + 2 * self.chroma().pixels()
    }

    /// Half as wide and half as high, and even.
    pub fn halved(self) -> Self {
        let half = |side: u32| (side / 4 * 2).max(2);
        Self { width: half(self.width), height: half(self.height) }
    }

    /// The largest size of the same shape, with even sides, that is at most `height` high; a picture is never enlarged.
    pub fn fitted(self, height: u32) -> Self {
        let height = height.min(self.height);
        let even = |side: u32| (side & !1).clamp(2, MAX_SIDE);
        let width = (u64::from(self.width) * u64::from(height)).div_ceil(u64::from(self.height));
        Self { width: even(u32::try_from(width).unwrap_or(MAX_SIDE)), height: even(height) }
    }
}

/// When a picture was taken, on the clock its holder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Captured here at this instant.
    At(Instant),
    /// At this RTP timestamp of the sender (90 kHz, wraps).
    Media(u32),
}

/// One plane, borrowed: rows of `width` bytes, `stride` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// From the first byte of the first row to at least the last byte of the last.
    pub data: &'a [u8],
    /// Bytes from the start of one row to the next.
    pub stride: usize,
}

impl Plane<'_> {
    fn copy_to(self, size: Size, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let (width, height) = (size.width as usize, size.height as usize);
        if self.stride < width {
            return Err(FrameError::Stride { width, stride: self.stride });
        }
        let needed = self.stride.saturating_mul(height - 1).saturating_add(width);
        if self.data.len() < needed {
            return Err(FrameError::Length { needed, found: self.data.len() });
        }
        self.data.chunks(self.stride).take(height).for_each(|row| out.extend_from_slice(&row[..width]));
        Ok(())
    }
}

/// One picture. Clones share the pixels.
#[derive(Debug, Clone)]
pub struct I420 {
    size: Size,
    taken: Taken,
    data: Arc<Vec<u8>>,
}

impl I420 {
    /// Takes pixels laid out as drawn above. Fails unless there are [`Size::bytes`] of them.
    pub fn packed(size: Size, taken: Taken, data: Vec<u8>) -> Result<Self, FrameError> {
        if data.len() != size.bytes() {
            return Err(FrameError::Length { needed: size.bytes(), found: data.len() });
        }
        Ok(Self { size, taken, data: Arc::new(data) })
    }

    /// Copies the planes Y, U and V, whose rows may be padded. Fails when one is too short.
    pub fn from_planes(size: Size, taken: Taken, planes: [Plane<'_>; 3]) -> Result<Self, FrameError> {
        let mut data = Vec::with_capacity(size.bytes());
        let sizes = [size, size.chroma(), size.chroma()];
        planes.into_iter().zip(sizes).try_for_each(|(plane, size)| plane.copy_to(size, &mut data))?;
        Ok(Self { size, taken, data: Arc::new(data) })
    }

    /// A picture of one colour, for where there is none yet.
    pub fn plain(size: Size, taken: Taken, [y, u, v]: [u8; 3]) -> Self {
        let chroma = size.chroma().pixels();
        let mut data = vec![y; size.pixels()];
        data.resize(data.len() + chroma, u);
        data.resize(data.len() + chroma, v);
        Self { size, taken, data: Arc::new(data) }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// When it was taken.
    pub fn taken(&self) -> Taken {
        self.taken
    }

    /// The same pixels, said to be taken at another time.
    pub fn retaken(&self, taken: Taken) -> Self {
        Self { taken, ..self.clone() }
    }

    /// Whether both have the very same pixels, without a look at them: one was made from the other by [`Self::retaken`].
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }

    /// All three planes, as drawn above.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The planes Y, U and V; their strides are their widths.
    pub fn planes(&self) -> [Plane<'_>; 3] {
        let chroma = self.size.chroma();
        let (y, rest) = self.data.split_at(self.size.pixels());
        let (u, v) = rest.split_at(chroma.pixels());
        let stride = chroma.width as usize;
        [
            Plane { data: y, stride: self.size.width as usize },
            Plane { data: u, stride },
            Plane { data: v, stride },
        ]
    }

    /// Halved or quartered in both directions, as small as it gets without being less than `height` high.
    pub fn shrunk(&self, height: u32) -> Self {
        let smaller =
            [4, 2].map(|times| Size { width: self.size.width / times, height: self.size.height / times });
        let fits = |size: &Size| size.width > 0 && size.height >= height.max(1);
        self.scaled(smaller.into_iter().find(fits).unwrap_or(self.size))
    }

    /// The same picture in another size: every new pixel is the mean of those it covers.
    pub fn scaled(&self, size: Size) -> Self {
        if size == self.size {
            return self.clone();
        }
        let mut data = Vec::with_capacity(size.bytes());
        let chroma = (self.size.chroma(), size.chroma());
        for (plane, (from, to)) in self.planes().iter().zip([(self.size, size), chroma, chroma]) {
            scale(plane, from, to, &mut data);
        }
        Self { size, taken: self.taken, data: Arc::new(data) }
    }
}

/// Halves and quarters, which most pictures are scaled to, are means of squares. Whatever else is halved until it is less
/// than twice as large, and mixed from there.
fn scale(plane: &Plane<'_>, from: Size, to: Size, out: &mut Vec<u8>) {
    let is = |times: u32| from.width == times * to.width && from.height == times * to.height;
    if is(2) {
        shrink::<2>(plane, from, out);
    } else if is(4) {
        shrink::<4>(plane, from, out);
    } else if from.width >= 2 * to.width && from.height >= 2 * to.height {
        let half = Size { width: from.width / 2, height: from.height / 2 };
        let mut halved = Vec::with_capacity(half.width as usize * half.height as usize);
        shrink::<2>(plane, from, &mut halved);
        scale(&Plane { data: &halved, stride: half.width as usize }, half, to, out);
    } else {
        mix(plane, from, to, out);
    }
}

/// Means of squares of `N` by `N`: of fixed length and without a division, so that the compiler makes vectors of them.
fn shrink<const N: usize>(plane: &Plane<'_>, from: Size, out: &mut Vec<u8>) {
    let width = from.width as usize;
    let area = (N * N) as u16;
    let mut sums = vec![0u16; width];
    for rows in plane.data.chunks(N * plane.stride).take(from.height as usize / N) {
        sums.fill(0);
        for row in rows.chunks(plane.stride) {
            sums.iter_mut().zip(&row[..width]).for_each(|(sum, pixel)| *sum += u16::from(*pixel));
        }
        let (squares, _) = sums.as_chunks::<N>();
        out.extend(squares.iter().map(|square| ((square.iter().sum::<u16>() + area / 2) / area) as u8));
    }
}

/// Each pixel from the four around where it lies, the nearer the more: first two rows into one, which the compiler makes
/// vectors of, then that row's neighbours.
fn mix(plane: &Plane<'_>, from: Size, to: Size, out: &mut Vec<u8>) {
    let width = from.width as usize;
    let columns: Vec<_> = places(from.width, to.width).collect();
    // The last pixel twice: it has no neighbour.
    let mut mixed = vec![0u8; width + 1];
    let row = |at: usize| &plane.data[at * plane.stride..][..width];
    for Place { first, second } in places(from.height, to.height) {
        let below = (first + 1).min(from.height as usize - 1);
        let rows = row(first).iter().zip(row(below));
        for (mixed, (above, below)) in mixed.iter_mut().zip(rows) {
            *mixed = between(*above, *below, second);
        }
        mixed[width] = mixed[width - 1];
        out.extend(columns.iter().map(|place| {
            let (left, right) = (mixed[place.first], mixed[place.first + 1]);
            between(left, right, place.second)
        }));
    }
}

/// Where a pixel lies between two.
#[derive(Clone, Copy)]
struct Place {
    first: usize,
    /// What the second of the two counts, of [`WHOLE`].
    second: u16,
}

const WHOLE: u16 = 256;

fn between(first: u8, second: u8, weight: u16) -> u8 {
    ((u16::from(first) * (WHOLE - weight) + u16::from(second) * weight + WHOLE / 2) / WHOLE) as u8
}

/// Where the middles of `to` pixels lie among those of `from`.
fn places(from: u32, to: u32) -> impl Iterator<Item = Place> {
    let (from, to, whole) = (u64::from(from), u64::from(to), u64::from(WHOLE));
    (0..to).map(move |at| {
        let middle = ((2 * at + 1) * from * whole / (2 * to)).saturating_sub(whole / 2);
        let last = (from - 1) * whole;
        let middle = middle.min(last);
        Place { first: (middle / whole) as usize, second: (middle % whole) as u16 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Taken = Taken::Media(0);

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn a_size_has_two_possible_sides() {
        assert_eq!(Size::new(0, 5), Err(FrameError::Size { width: 0, height: 5 }));
        assert!(Size::new(MAX_SIDE, MAX_SIDE).is_ok());
        assert!(Size::new(MAX_SIDE + 1, 1).is_err());
    }

    #[test]
    fn half_a_size_is_even() {
        let halved = |width, height| size(width, height).halved();
        assert_eq!(halved(1280, 720), size(640, 360));
        assert_eq!((halved(1366, 767), halved(1, 3)), (size(682, 382), size(2, 2)));
    }

    #[test]
    fn odd_sizes_round_their_colours_up() {
        let odd = size(5, 3);
        assert_eq!(odd.chroma(), size(3, 2));
        assert_eq!(odd.bytes(), 15 + 2 * 6);
        let frame = I420::packed(odd, ANY, (0..27).collect()).unwrap();
        assert_eq!(frame.planes()[1].data, (15..21).collect::<Vec<u8>>());
        assert_eq!(frame.planes()[2].stride, 3);
    }

    #[test]
    fn padding_is_left_behind() {
        let padded = |width: usize, rows: usize| [vec![7; width], vec![0; 3]].concat().repeat(rows);
        let (y, chroma) = (padded(4, 2), padded(2, 1));
        let planes = [(&y, 7), (&chroma, 5), (&chroma, 5)].map(|(data, stride)| Plane { data, stride });
        let frame = I420::from_planes(size(4, 2), ANY, planes).unwrap();
        assert_eq!(frame.data(), [7; 12]);
    }

    #[test]
    fn planes_that_are_too_short_are_refused() {
        let planes = |data, stride| [Plane { data, stride }; 3];
        let short = I420::from_planes(size(4, 4), ANY, planes(&[0; 15], 4)).unwrap_err();
        assert_eq!(short, FrameError::Length { needed: 16, found: 15 });
        let narrow = I420::from_planes(size(4, 4), ANY, planes(&[0; 64], 3)).unwrap_err();
        assert_eq!(narrow, FrameError::Stride { width: 4, stride: 3 });
        assert!(I420::packed(size(4, 4), ANY, vec![0; 25]).is_err());
    }

    #[test]
    fn clones_share_their_pixels() {
        let frame = I420::plain(size(64, 64), ANY, [1, 2, 3]);
        assert!(std::ptr::eq(frame.data(), frame.clone().data()));
    }

    #[test]
    fn scaling_keeps_the_mean_and_the_colours() {
        let mut data = vec![0; size(8, 8).bytes()];
        data[..64].iter_mut().enumerate().for_each(|(at, pixel)| *pixel = (at % 2 * 200) as u8);
        let frame = I420::packed(size(8, 8), ANY, data).unwrap().scaled(size(4, 4));
        assert_eq!(frame.planes()[0].data, [100; 16]);
        let plain = I420::plain(size(7, 5), ANY, [9, 8, 7]);
        for to in [size(1, 1), size(3, 2), size(20, 11)] {
            assert_eq!(plain.scaled(to).data(), I420::plain(to, ANY, [9, 8, 7]).data());
        }
    }

    #[test]
    fn halves_and_quarters_are_means_of_squares() {
        let noise = |at: u32| at.wrapping_mul(2_654_435_761) >> 24;
        for (times, to) in [(2, size(8, 4)), (4, size(6, 4)), (4, size(2, 2)), (2, size(10, 6))] {
            let from = size(times * to.width, times * to.height);
            let data = (0..from.bytes() as u32).map(|at| noise(at) as u8).collect();
            let scaled = I420::packed(from, ANY, data).unwrap().scaled(to);
            let means = (0..to.width * to.height).map(|at| {
                let (left, top) = (at % to.width * times, at / to.width * times);
                let square = (0..times * times).map(|at| (left + at % times, top + at / times));
                let sum: u32 = square.map(|(x, y)| noise(y * from.width + x)).sum();
                ((sum + times * times / 2) / (times * times)) as u8
            });
            assert_eq!(scaled.planes()[0].data, means.collect::<Vec<_>>(), "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_grows_evenly_grows_evenly_in_any_other_size() {
        let from = size(128, 96);
        let slope = |wide: u32, high: u32| {
            let pixels = (0..high).flat_map(|y| (0..wide).map(move |x| (x + y) as u8));
            pixels.chain(vec![128; wide as usize * high as usize / 2]).collect()
        };
        let frame = I420::packed(from, ANY, slope(128, 96)).unwrap();
        for to in [size(96, 68), size(50, 36), size(20, 12), size(160, 112), size(12, 80)] {
            let scaled = frame.scaled(to);
            let middle =
                |at: u32, to: u32, from: u32| (f64::from(at) + 0.5) * f64::from(from) / f64::from(to) - 0.5;
            for (at, pixel) in (0..).zip(scaled.planes()[0].data) {
                let (x, y) = (at % to.width, at / to.width);
                let expected =
                    middle(x, to.width, 128).clamp(0.0, 127.0) + middle(y, to.height, 96).clamp(0.0, 95.0);
                assert!(
                    (f64::from(*pixel) - expected).abs() <= 1.6,
                    "{to:?} at {x}, {y}: {pixel}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn a_shrunk_picture_is_never_smaller_than_asked_for() {
        let shrunk = |height| I420::plain(size(1280, 722), ANY, [9, 8, 7]).shrunk(height).size();
        assert_eq!(
            [0, 180, 181, 361, 362, 9999].map(shrunk).map(Size::height),
            [180, 180, 361, 361, 722, 722]
        );
        let plain = I420::plain(size(640, 360), ANY, [9, 8, 7]).shrunk(90);
        assert_eq!(plain.data(), I420::plain(size(160, 90), ANY, [9, 8, 7]).data());
        assert_eq!(I420::plain(size(1, 9), ANY, [9, 8, 7]).shrunk(1).size(), size(1, 9));
    }

    #[test]
    fn a_fitted_size_keeps_its_shape_and_is_even() {
        assert_eq!(size(1280, 720).fitted(360), size(640, 360));
        assert_eq!(size(640, 480).fitted(180), size(240, 180));
        assert_eq!(size(639, 361).fitted(1080), size(638, 360));
        assert_eq!(size(4096, 1).fitted(180), size(4096, 2));
    }
}
