//! Which of all that a camera offers is taken.
//!
//! Not above 720p if it can be helped; then as fast as pictures seem to flow; then as large as can be; then 30 a second;
//! then what costs least to read. So a camera whose raw pictures of 720p come ten times a second is read as MJPEG.

use std::cmp::Reverse;

use super::PixelFormat;
use crate::video::frame::Size;

/// The largest pictures wanted, in pixels.
pub const WANTED: (u32, u32) = (1280, 720);
/// Pictures wanted in a second.
pub const WANTED_RATE: u32 = 30;
/// Pictures in a second that seem to flow; a larger picture is not worth fewer.
const FLUENT: u32 = 24;

/// One way in which a camera gives pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// How they are laid out.
    pub format: PixelFormat,
    /// In pixels.
    pub size: Size,
    /// Pictures per second at most.
    pub rate: u32,
}

/// Sides from `min` to `max` pixels, each so many `step`s from the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// The shortest.
    pub min: u32,
    /// The longest.
    pub max: u32,
    /// Between one and the next; 0 and 1 are the same.
    pub step: u32,
}

impl Sides {
    /// The longest that is at most `wanted`, or the shortest.
    pub fn nearest(self, wanted: u32) -> u32 {
        let steps = wanted.min(self.max).saturating_sub(self.min);
        self.min + (steps - steps % self.step.max(1))
    }
}

/// Seconds between two pictures, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Counter.
    pub numerator: u32,
    /// Denominator.
    pub denominator: u32,
}

impl Interval {
    /// Pictures per second, rounded, for 30000/1001 is 30; 0 of what is no fraction.
    pub fn rate(self) -> u32 {
        let (seconds, pictures) = (u64::from(self.numerator), u64::from(self.denominator));
        let rate = (pictures + seconds / 2).checked_div(seconds).unwrap_or(0);
        u32::try_from(rate).unwrap_or(u32::MAX)
    }
}

/// The best of these; none of none.
pub fn choose(modes: impl IntoIterator<Item = Mode>) -> Option<Mode> {
    modes.into_iter().min_by_key(|mode| {
        let (width, height) = (mode.size.width(), mode.size.height());
        let too_large = width > WANTED.0 || height > WANTED.1;
        let pixels = mode.size.pixels() as i64;
        // Of sizes that are all too large, the smallest.
        let size = if too_large { pixels } else { -pixels };
        let cost = match mode.format {
            PixelFormat::Nv12 => 0,
            PixelFormat::Yuyv => 1,
            PixelFormat::Mjpeg => 2,
        };
        (too_large, Reverse(mode.rate.min(FLUENT)), size, Reverse(mode.rate.min(WANTED_RATE)), cost)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use PixelFormat::{Mjpeg, Nv12, Yuyv};

    /// Format, width, height and rate.
    type Offer = (PixelFormat, u32, u32, u32);

    fn mode((format, width, height, rate): Offer) -> Mode {
        Mode { format, size: Size::new(width, height).unwrap(), rate }
    }

    #[test]
    fn the_best_of_what_is_offered_is_taken() {
        let table: &[(&str, &[Offer], usize)] = &[
            ("all that is wanted", &[(Yuyv, 640, 480, 30), (Mjpeg, 1280, 720, 30)], 1),
            ("raw pictures are too slow", &[(Yuyv, 1280, 720, 10), (Mjpeg, 1280, 720, 30)], 1),
            ("raw pictures cost less", &[(Mjpeg, 1280, 720, 30), (Yuyv, 1280, 720, 30)], 1),
            ("two planes cost least", &[(Yuyv, 1280, 720, 30), (Nv12, 1280, 720, 30)], 1),
            ("nothing above 720p", &[(Mjpeg, 1920, 1080, 30), (Mjpeg, 800, 600, 30)], 1),
            ("a wide one is above, too", &[(Mjpeg, 2560, 720, 30), (Yuyv, 320, 240, 30)], 1),
            ("flow before size", &[(Yuyv, 1280, 720, 10), (Yuyv, 640, 480, 30)], 1),
            ("size before more than flow", &[(Yuyv, 640, 480, 60), (Yuyv, 1280, 720, 25)], 1),
            ("no more than 30 are wanted", &[(Mjpeg, 1280, 720, 60), (Yuyv, 1280, 720, 30)], 1),
            ("30 rather than 25", &[(Yuyv, 1280, 720, 25), (Mjpeg, 1280, 720, 30)], 1),
            ("slow all of them", &[(Yuyv, 1280, 720, 5), (Yuyv, 640, 480, 15)], 1),
            ("large all of them", &[(Mjpeg, 3840, 2160, 30), (Mjpeg, 1920, 1080, 30)], 1),
            ("one alone", &[(Yuyv, 160, 120, 1)], 0),
        ];
        for (case, offers, wanted) in table {
            let modes: Vec<_> = offers.iter().copied().map(mode).collect();
            assert_eq!(choose(modes.iter().copied()), Some(modes[*wanted]), "{case}");
            assert_eq!(choose(modes.iter().rev().copied()), Some(modes[*wanted]), "{case}, backwards");
        }
        assert_eq!(choose([]), None);
    }

    #[test]
    fn sides_in_steps_come_as_near_as_they_can() {
        for (min, max, step, wanted, nearest) in [
            (16, 1920, 16, 1280, 1280),
            (16, 1920, 16, 720, 720),
            (10, 1000, 100, 720, 710),
            (48, 640, 0, 1280, 640),
            (1600, 1920, 2, 1280, 1600),
            (5, 3, 2, 4, 5),
        ] {
            assert_eq!(Sides { min, max, step }.nearest(wanted), nearest, "{min} to {max} by {step}");
        }
    }

    #[test]
    fn a_rate_is_rounded_and_never_divided_by_nothing() {
        for (numerator, denominator, rate) in
            [(1, 30, 30), (1001, 30_000, 30), (2, 15, 8), (1, 0, 0), (0, 30, 0), (0, 0, 0), (u32::MAX, 1, 0)]
        {
            assert_eq!(Interval { numerator, denominator }.rate(), rate, "{numerator}/{denominator}");
        }
    }
}
