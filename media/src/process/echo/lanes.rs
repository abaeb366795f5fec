//! How the partitions of a filter lie in memory, and the instructions that work on them.
//!
//! What a block costs is mostly memory that has gone cold since the block before. So the numbers lie in the order in which they
//! are needed: [`LANES`] neighbouring bins of all partitions, then the next bins. Each of these groups stays in the fastest
//! cache while everything that is to be done with it is done. The arithmetic of [`Lanes`] is loops that a compiler turns into
//! one instruction each.
//!
//! ```text
//! Grid    bins 0…7: [ partition 0 | partition 1 | … | 39 ]   bins 8…15: [ partition 0 | … ]   …   bin 480: […]
//! ```

use std::ops::{Add, AddAssign, Mul, MulAssign, Sub};

use pulp::{Arch, NullaryFnOnce};

use super::filter::PARTITIONS;
use super::spectrum::{BINS, Spectrum};

/// Bins that are worked on together: as many as the widest registers hold.
pub(super) const LANES: usize = 8;

/// Groups of them; in the last one there is one bin beside padding.
pub(super) const GROUPS: usize = BINS.div_ceil(LANES);

/// A real number for each bin of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
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

    #[inline(always)]
    pub(super) fn max(self, other: Self) -> Self {
        self.with(other, f32::max)
    }

    #[inline(always)]
    pub(super) fn recip(self) -> Self {
        let mut lanes = self;
        for number in &mut lanes.0 {
            *number = 1.0 / *number;
        }
        lanes
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut lanes = self;
        for k in 0..LANES {
            lanes.0[k] = f(self.0[k], other.0[k]);
        }
        lanes
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl Mul for Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
}

impl Mul<Lanes> for f32 {
    type Output = Lanes;

    #[inline(always)]
    fn mul(self, lanes: Lanes) -> Lanes {
        Lanes::all(self) * lanes
    }
}

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for Lanes {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
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
    #[inline(always)]
    pub(super) fn power(&self) -> Lanes {
        self.re * self.re + self.im * self.im
    }
}

/// One value for each group of bins of each partition.
#[derive(Clone)]
pub(super) struct Grid<T>(Box<[[T; PARTITIONS]]>);

impl<T: Copy> Grid<T> {
    /// The same value everywhere.
    pub(super) fn filled(value: T) -> Self {
        Self(vec![[value; PARTITIONS]; GROUPS].into())
    }

    pub(super) fn fill(&mut self, value: T) {
        self.0.fill([value; PARTITIONS]);
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.0.copy_from_slice(&other.0);
    }

    /// All partitions become later ones; the last becomes the first.
    pub(super) fn rotate(&mut self) {
        self.0.iter_mut().for_each(|group| group.rotate_right(1));
    }

    /// All partitions of each group.
    #[inline(always)]
    pub(super) fn groups(&self) -> &[[T; PARTITIONS]] {
        &self.0
    }

    #[inline(always)]
    pub(super) fn groups_mut(&mut self) -> &mut [[T; PARTITIONS]] {
        &mut self.0
    }
}

impl Grid<Pairs> {
    pub(super) fn set(&mut self, partition: usize, spectrum: &Spectrum) {
        for (nth, group) in self.0.iter_mut().enumerate() {
            group[partition] = Pairs::of(spectrum, nth);
        }
    }

    pub(super) fn get(&self, partition: usize, into: &mut Spectrum) {
        for (nth, group) in self.0.iter().enumerate() {
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
    pub(super) fn run<W: NullaryFnOnce>(self, work: W) -> W::Output {
        self.0.dispatch(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_grid_comes_out_of_it() {
        let mut grid = Grid::filled(Pairs::ZERO);
        let spectrum =
            Spectrum { re: std::array::from_fn(|k| k as f32), im: std::array::from_fn(|k| -(k as f32)) };
        grid.set(3, &spectrum);
        let mut back = Spectrum::ZERO;
        grid.get(3, &mut back);
        assert_eq!((back.re, back.im), (spectrum.re, spectrum.im));
        grid.get(4, &mut back);
        assert_eq!(back.re, [0.0; BINS]);
        grid.rotate();
        grid.get(4, &mut back);
        assert_eq!(back.re, spectrum.re);
    }

    #[test]
    fn the_numbers_are_the_same_with_all_instructions() {
        struct Sum(Lanes);
        impl NullaryFnOnce for Sum {
            type Output = Lanes;

            #[inline(always)]
            fn call(self) -> Lanes {
                (0..1000).fold(self.0, |sum, n| sum + 0.1 * sum * sum * Lanes::all(1.0 / (n + 1) as f32))
            }
        }
        let some = Lanes::of(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        assert_eq!(Widest::new().run(Sum(some)), Sum(some).call());
    }
}
