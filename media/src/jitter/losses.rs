//! How packets are lost: alone, or in bursts (RFC 3611 §4.7.2).
//!
//! ```text
//!   arrived  ···x·················xx·x···x··················x····
//!               ╰ alone: gap      ╰ burst ╯  GMIN in a row    ╰ alone: gap
//! ```
//!
//! A burst begins and ends with a loss, holds two or more, and in it [`GMIN`] packets never arrive in a row.

use std::time::Duration;

use crate::frame::{OPUS_FRAME, duration_of};

/// So many packets that arrive one after the other end a burst; the value the RFC recommends.
pub const GMIN: u32 = 16;

/// What bursts are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bursts {
    /// Share of the packets of a burst that is lost, 0 to 1.
    pub density: f32,
    /// How long one lasts on average.
    pub duration: Duration,
}

/// Watches sequence numbers as they arrive; a packet that is overtaken counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LossPattern {
    newest: Option<u16>,
    /// Packets that arrived since the last loss.
    arrived: u32,
    /// From the first of losses that are close to each other to the last: those lost, and all.
    run: Run,
    bursts: Run,
    count: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Run {
    lost: f32,
    all: f32,
}

impl LossPattern {
    /// Takes a packet of the voice into account.
    pub fn arrived(&mut self, sequence: u16) {
        let ahead = self.newest.map_or(1, |newest| sequence.wrapping_sub(newest));
        // Overtaken, or twice.
        if ahead == 0 || ahead.wrapping_neg() <= MOST_LOST {
            return;
        }
        self.newest = Some(sequence);
        if ahead <= MOST_LOST {
            (1..ahead).for_each(|_| self.lose());
        }
        self.arrived = self.arrived.saturating_add(1);
    }

    /// What bursts were like lately, to be asked once a second; none before enough was lost in them.
    pub fn report(&mut self) -> Option<Bursts> {
        let (mut bursts, mut count) = (self.bursts, self.count);
        if self.run.lost > 1.0 {
            bursts = bursts.with(self.run);
            count += 1.0;
        }
        self.bursts = Run { lost: self.bursts.lost * FADE, all: self.bursts.all * FADE };
        self.count *= FADE;
        (bursts.lost >= ENOUGH).then(|| Bursts {
            density: bursts.lost / bursts.all,
            duration: duration_of(OPUS_FRAME as u64).mul_f32(bursts.all / count),
        })
    }

    fn lose(&mut self) {
        if self.arrived >= GMIN {
            self.close();
        }
        let between = if self.run.lost > 0.0 { self.arrived } else { 0 };
        self.run = self.run.with(Run { lost: 1.0, all: between as f32 + 1.0 });
        self.arrived = 0;
    }

    fn close(&mut self) {
        if self.run.lost > 1.0 {
            self.bursts = self.bursts.with(self.run);
            self.count += 1.0;
        }
        self.run = Run::default();
    }
}

impl Run {
    fn with(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, all: self.all + other.all }
    }
}

/// More missing at once is no loss: the sender paused or began anew. 2 s of 20 ms packets.
const MOST_LOST: u16 = 100;
/// What is left of older bursts with each report.
const FADE: f32 = 0.9;
/// Packets lost in bursts before they are told of.
const ENOUGH: f32 = 6.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a minute in which the packets of these numbers are lost.
    fn told(lost: impl Fn(u16) -> bool) -> Option<Bursts> {
        let mut pattern = LossPattern::default();
        let mut told = None;
        for sequence in (0..3000).filter(|sequence| !lost(*sequence)) {
            pattern.arrived(sequence.wrapping_add(65_000));
            if sequence % 50 == 1 {
                told = pattern.report();
            }
        }
        told
    }

    #[test]
    fn losses_far_from_each_other_are_no_bursts() {
        assert_eq!(told(|_| false), None);
        assert_eq!(told(|sequence| sequence % 20 == 3), None);
    }

    #[test]
    fn losses_in_a_row_are_dense_bursts_of_their_length() {
        let bursts = told(|sequence| sequence % 60 < 4).unwrap();
        assert!(bursts.density > 0.99, "{bursts:?}");
        assert!((79..=81).contains(&bursts.duration.as_millis()), "{bursts:?}");
    }

    #[test]
    fn losses_near_each_other_are_thin_bursts() {
        let bursts = told(|sequence| sequence % 10 == 3).unwrap();
        assert!((0.08..0.12).contains(&bursts.density), "{bursts:?}");
    }

    #[test]
    fn a_sender_that_begins_anew_has_lost_nothing() {
        let mut pattern = LossPattern::default();
        for begin in [0u16, 30_000, 7] {
            (0..100).for_each(|nth| pattern.arrived(begin + nth));
        }
        assert_eq!(pattern.report(), None);
    }
}
