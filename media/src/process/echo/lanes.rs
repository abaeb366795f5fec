//! How the partitions of a filter lie in memory, and the instructions that work on them.
//!
//! What a block costs is mostly memory that has gone cold since the block before. So the numbers lie in the order in which they
//! are needed: [`LANES`] neighbouring bins of all partitions, then the next bins. Each of these groups stays in the fastest
//! cache while everything that is to be done with it is done. The arithmetic is that of [`Wide`], one instruction each: what a
//! compiler makes of loops over [`LANES`] numbers depends on what it compiled before them, and may be eight times slower.
//!
//! ```text
//! Grid    bins 0…7: [ partition 0 | partition 1 | … | 39 ]   bins 8…15: [ partition 0 | … ]   …   the last of its band
//! ```

use std::ops::{Add, AddAssign, Mul, Range, Sub};

use pulp::{Arch, Simd, WithSimd};

use super::spectrum::{BINS, Spectrum};

/// Bins that are worked on together: as many as the widest registers hold.
pub(super) const LANES: usize = 8;

/// Groups of them; in the last one there is one bin beside padding.
pub(super) const GROUPS: usize = BINS.div_ceil(LANES);

/// A real number for each bin of a group; aligned, so that none lies across two lines of a cache.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(super) struct Lanes([f32; LANES]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0.0; LANES]);

    /// The same number for all.
    #[inline(always)]
    pub(super) const fn all(number: f32) -> Self {
        Self([number; LANES])
    }

    /// As many as there are, and zeros.
    #[inline(always)]
    pub(super) fn of(numbers: &[f32]) -> Self {
        let mut lanes = Self::ZERO;
        let count = numbers.len().min(LANES);
        lanes.0[..count].copy_from_slice(&numbers[..count]);
        lanes
    }

    /// As many as there is room for.
    #[inline(always)]
    pub(super) fn put(&self, into: &mut [f32]) {
        let count = into.len().min(LANES);
        into[..count].copy_from_slice(&self.0[..count]);
    }

    pub(super) fn sum(self) -> f32 {
        self.0.iter().sum()
    }

    /// Those that one instruction works on; there are [`parts`] of them.
    #[inline(always)]
    pub(super) fn wide<S: Simd>(&self, simd: S, part: usize) -> Wide<S> {
        Wide { simd, numbers: S::as_simd_f32s(&self.0).0[part] }
    }

    /// Puts them back.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, part: usize, wide: Wide<S>) {
        S::as_mut_simd_f32s(&mut self.0).0[part] = wide.numbers;
    }
}

impl AddAssign for Lanes {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, number)| *sum += number);
    }
}

impl Mul<Lanes> for f32 {
    type Output = Lanes;

    fn mul(self, lanes: Lanes) -> Lanes {
        Lanes(lanes.0.map(|number| self * number))
    }
}

/// How many instructions it takes to do something with all [`LANES`].
pub(super) const fn parts<S: Simd>() -> usize {
    LANES / S::F32_LANES
}

/// As many numbers as one instruction works on.
#[derive(Clone, Copy)]
pub(super) struct Wide<S: Simd> {
    simd: S,
    numbers: S::f32s,
}

impl<S: Simd> Wide<S> {
    /// The same number for all.
    #[inline(always)]
    pub(super) fn all(simd: S, number: f32) -> Self {
        Self { simd, numbers: simd.splat_f32s(number) }
    }

    #[inline(always)]
    pub(super) fn max(self, other: Self) -> Self {
        Self { numbers: self.simd.max_f32s(self.numbers, other.numbers), ..self }
    }

    #[inline(always)]
    pub(super) fn recip(self) -> Self {
        Self { numbers: self.simd.div_f32s(self.simd.splat_f32s(1.0), self.numbers), ..self }
    }
}

impl<S: Simd> Add for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { numbers: self.simd.add_f32s(self.numbers, other.numbers), ..self }
    }
}

impl<S: Simd> Sub for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { numbers: self.simd.sub_f32s(self.numbers, other.numbers), ..self }
    }
}

impl<S: Simd> Mul for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self { numbers: self.simd.mul_f32s(self.numbers, other.numbers), ..self }
    }
}

impl<S: Simd> AddAssign for Wide<S> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A complex number for each of them.
#[derive(Clone, Copy)]
pub(super) struct WidePairs<S: Simd> {
    /// The real parts.
    pub(super) re: Wide<S>,
    /// The imaginary parts.
    pub(super) im: Wide<S>,
}

impl<S: Simd> WidePairs<S> {
    #[inline(always)]
    pub(super) fn zero(simd: S) -> Self {
        Self { re: Wide::all(simd, 0.0), im: Wide::all(simd, 0.0) }
    }

    /// The power of each bin.
    #[inline(always)]
    pub(super) fn power(self) -> Wide<S> {
        self.re * self.re + self.im * self.im
    }
}

/// A complex number for each bin of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pairs {
    /// The real parts.
    pub(super) re: Lanes,
    /// The imaginary parts.
    pub(super) im: Lanes,
}

impl Pairs {
    pub(super) const ZERO: Self = Self { re: Lanes::ZERO, im: Lanes::ZERO };

    /// Of a whole spectrum.
    #[inline(always)]
    pub(super) fn of(spectrum: &Spectrum, group: usize) -> Self {
        let at = group * LANES;
        Self { re: Lanes::of(&spectrum.re[at..]), im: Lanes::of(&spectrum.im[at..]) }
    }

    /// Into a whole spectrum.
    #[inline(always)]
    pub(super) fn put(&self, into: &mut Spectrum, group: usize) {
        let at = group * LANES;
        self.re.put(&mut into.re[at..]);
        self.im.put(&mut into.im[at..]);
    }

    /// The power of each bin.
    pub(super) fn power(&self) -> Lanes {
        let (re, im) = (&self.re.0, &self.im.0);
        Lanes(std::array::from_fn(|k| re[k] * re[k] + im[k] * im[k]))
    }

    /// Those that one instruction works on.
    #[inline(always)]
    pub(super) fn wide<S: Simd>(&self, simd: S, part: usize) -> WidePairs<S> {
        WidePairs { re: self.re.wide(simd, part), im: self.im.wide(simd, part) }
    }

    /// Puts them back.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, part: usize, wide: WidePairs<S>) {
        self.re.set(part, wide.re);
        self.im.set(part, wide.im);
    }
}

/// Groups of bins that lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Band {
    first: usize,
    end: usize,
}

impl Band {
    /// All that there are.
    pub(super) const WHOLE: Self = Self { first: 0, end: GROUPS };

    /// What a voice is understood by: below 6.4 kHz.
    pub(super) const LOW: Self = Self { first: 0, end: 16 };

    /// What lies above.
    pub(super) const HIGH: Self = Self { first: Self::LOW.end, end: GROUPS };

    /// The numbers of its groups.
    pub(super) fn groups(self) -> Range<usize> {
        self.first..self.end
    }

    /// The numbers of its bins.
    pub(super) const fn bins(self) -> Range<usize> {
        let end = self.end * LANES;
        self.first * LANES..if end < BINS { end } else { BINS }
    }
}

/// One value for each group of bins of a band, for each of `P` partitions.
#[derive(Clone)]
pub(super) struct Grid<T, const P: usize> {
    band: Band,
    groups: Box<[[T; P]]>,
}

impl<T: Copy, const P: usize> Grid<T, P> {
    /// The same value everywhere.
    pub(super) fn filled(band: Band, value: T) -> Self {
        Self { band, groups: vec![[value; P]; band.groups().len()].into() }
    }

    pub(super) fn fill(&mut self, value: T) {
        self.groups.fill([value; P]);
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.groups.copy_from_slice(&other.groups);
    }

    /// All partitions become so many later ones; the last ones become the first.
    pub(super) fn rotate_later(&mut self, by: usize) {
        self.groups.iter_mut().for_each(|group| group.rotate_right(by));
    }

    /// All partitions become so many earlier ones; the first ones become the last.
    pub(super) fn rotate_earlier(&mut self, by: usize) {
        self.groups.iter_mut().for_each(|group| group.rotate_left(by));
    }

    /// The same value in some partitions.
    pub(super) fn fill_partitions(&mut self, partitions: Range<usize>, value: T) {
        self.groups.iter_mut().for_each(|group| group[partitions.clone()].fill(value));
    }

    pub(super) fn band(&self) -> Band {
        self.band
    }

    /// All partitions of each group.
    #[inline(always)]
    pub(super) fn groups(&self) -> &[[T; P]] {
        &self.groups
    }

    #[inline(always)]
    pub(super) fn groups_mut(&mut self) -> &mut [[T; P]] {
        &mut self.groups
    }
}

impl<const P: usize> Grid<Pairs, P> {
    /// Takes the bins of the band.
    pub(super) fn set(&mut self, partition: usize, spectrum: &Spectrum) {
        for (nth, group) in self.band.groups().zip(&mut self.groups) {
            group[partition] = Pairs::of(spectrum, nth);
        }
    }

    /// Gives the bins of the band; the others stay.
    pub(super) fn get(&self, partition: usize, into: &mut Spectrum) {
        for (nth, group) in self.band.groups().zip(&self.groups) {
            group[partition].put(into, nth);
        }
    }
}

/// The widest instructions that this processor has; with each of them the numbers are the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widest(Arch);

impl Widest {
    pub(super) fn new() -> Self {
        Self(Arch::new())
    }

    /// Runs `work`, which must be inlined with all that it calls.
    #[inline(always)]
    pub(super) fn run<W: WithSimd>(self, work: W) -> W::Output {
        self.0.dispatch(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_grid_comes_out_of_it() {
        let mut grid = Grid::<_, 5>::filled(Band::WHOLE, Pairs::ZERO);
        let spectrum =
            Spectrum { re: std::array::from_fn(|k| k as f32), im: std::array::from_fn(|k| -(k as f32)) };
        grid.set(3, &spectrum);
        let mut back = Spectrum::ZERO;
        grid.get(3, &mut back);
        assert_eq!((back.re, back.im), (spectrum.re, spectrum.im));
        grid.get(4, &mut back);
        assert_eq!(back.re, [0.0; BINS]);
        grid.rotate_later(1);
        grid.get(4, &mut back);
        assert_eq!(back.re, spectrum.re);
        grid.rotate_earlier(3);
        grid.get(1, &mut back);
        assert_eq!(back.re, spectrum.re);
        grid.fill_partitions(1..3, Pairs::ZERO);
        grid.get(1, &mut back);
        assert_eq!(back.re, [0.0; BINS]);
    }

    #[test]
    fn the_bands_hold_each_bin_once() {
        assert_eq!(
            Band::LOW.bins().chain(Band::HIGH.bins()).collect::<Vec<_>>(),
            (0..BINS).collect::<Vec<_>>()
        );
        let spectrum = Spectrum { re: [1.0; BINS], im: [2.0; BINS] };
        let (mut low, mut high) =
            (Grid::<_, 2>::filled(Band::LOW, Pairs::ZERO), Grid::<_, 2>::filled(Band::HIGH, Pairs::ZERO));
        low.set(1, &spectrum);
        high.set(1, &spectrum);
        let mut back = Spectrum::ZERO;
        low.get(1, &mut back);
        assert_eq!(back.re.iter().sum::<f32>(), Band::LOW.bins().len() as f32);
        high.get(1, &mut back);
        assert_eq!((back.re, back.im), (spectrum.re, spectrum.im));
    }

    #[test]
    fn the_numbers_are_the_same_with_all_instructions() {
        struct Sum(Lanes);
        impl WithSimd for Sum {
            type Output = Lanes;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Lanes {
                let mut sums = self.0;
                for part in 0..parts::<S>() {
                    let mut sum = sums.wide(simd, part);
                    for n in 0..1000 {
                        sum += Wide::all(simd, 0.1 / (n + 1) as f32) * sum * sum;
                    }
                    sums.set(part, sum);
                }
                sums
            }
        }
        let some = Lanes::of(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        assert_eq!(Widest::new().run(Sum(some)), Sum(some).with_simd(pulp::Scalar::new()));
    }
}
