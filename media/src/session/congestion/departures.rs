//! Under which numbers packets of a stream, and what repeats them, have left.
//!
//! Feedback on the whole transport tells of numbers; what has to be sent again is a packet of a stream.

use std::collections::VecDeque;

/// Departures remembered: a second and a half of 8 Mbit/s. What is older was told of long ago, or never will be.
pub(super) const MOST: usize = 1024;
/// Half of all numbers: what is further ahead lies behind (RFC 1982).
const HALF: u16 = 0x8000;

/// Remembers the last departures, each until its fate is told.
#[derive(Debug, Default)]
pub(super) struct Departures(VecDeque<Departure>);

#[derive(Clone, Copy, Debug)]
struct Departure {
    /// Of the transport.
    number: u16,
    /// Of the stream; none: its fate is known.
    sequence: Option<u16>,
}

impl Departures {
    /// A packet has left under this number of the transport that is, or repeats, this one of the stream.
    pub(super) fn remember(&mut self, number: u16, sequence: u16) {
        let behind = |other: &Departure| number.wrapping_sub(other.number);
        if self.0.back().is_some_and(|last| behind(last) == 0 || behind(last) >= HALF) {
            return;
        }
        while self.0.len() >= MOST || self.0.front().is_some_and(|first| behind(first) >= HALF) {
            self.0.pop_front();
        }
        self.0.push_back(Departure { number, sequence: Some(sequence) });
    }

    /// Which packet of the stream left under this number; it is told once.
    pub(super) fn take(&mut self, number: u16) -> Option<u16> {
        let first = self.0.front()?.number;
        let ahead = number.wrapping_sub(first);
        let place = self.0.binary_search_by_key(&ahead, |departure| departure.number.wrapping_sub(first));
        self.0.get_mut(place.ok()?)?.sequence.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_of_its_packet_once() {
        let mut departures = Departures::default();
        for (number, sequence) in [(u16::MAX - 1, 7), (1, 8), (2, 7)] {
            departures.remember(number, sequence);
        }
        assert_eq!([u16::MAX - 1, 1, 2].map(|number| departures.take(number)), [Some(7), Some(8), Some(7)]);
        assert_eq!([1, 0, 3].map(|number| departures.take(number)), [None; 3]);
    }

    #[test]
    fn numbers_that_go_back_are_not_remembered_and_memory_is_bounded() {
        let mut departures = Departures::default();
        for number in 0..10_000u16 {
            departures.remember(number, number);
            departures.remember(number.wrapping_sub(3), 1);
        }
        assert_eq!(departures.0.len(), MOST);
        assert_eq!(departures.take(9_999), Some(9_999));
        assert_eq!(departures.take(9_999 - MOST as u16), None);
    }
}
