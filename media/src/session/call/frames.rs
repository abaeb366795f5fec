//! Which frame a packet of the voice holds. A frame that is sent twice takes two sequence numbers, so those say nothing of that;
//! timestamps of our ends do, for they have no gaps. Frames are of several lengths: each has a number for every 10 ms it holds.

use crate::frame::BLOCK;
use crate::voice::FrameNumber;

/// Numbers the frames of one stream by their timestamps; both wrap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameNumbers {
    /// Timestamp and number.
    newest: Option<(u32, u16)>,
}

impl FrameNumbers {
    /// The number of the frame that begins at this timestamp: one more than that of what began 10 ms before it.
    pub(super) fn of(&mut self, timestamp: u32) -> FrameNumber {
        let (newest, number) = *self.newest.get_or_insert((timestamp, 0));
        let ahead = (timestamp.wrapping_sub(newest) as i32).div_euclid(BLOCK as i32);
        let of_this = number.wrapping_add(ahead as u16);
        if ahead > 0 {
            self.newest = Some((timestamp, of_this));
        }
        FrameNumber::OfTime(of_this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: u32 = BLOCK as u32;

    #[test]
    fn a_frame_has_one_number_however_often_it_comes_and_the_next_one_has_the_next() {
        let mut frames = FrameNumbers::default();
        let begin = u32::MAX - 2 * STEP;
        let at = |frame: u32| begin.wrapping_add(frame * STEP);
        let came = [0, 0, 1, 3, 3, 2, 4, 70_000].map(|frame| frames.of(at(frame)));
        assert_eq!(came, [0, 0, 1, 3, 3, 2, 4, 70_000u32 as u16].map(FrameNumber::OfTime));
    }

    proptest! {
        #[test]
        fn whatever_timestamps_come_10_ms_apart_is_one_number_apart(stamps: Vec<u32>, last: u32) {
            let mut frames = FrameNumbers::default();
            for timestamp in stamps {
                frames.of(timestamp);
            }
            let FrameNumber::OfTime(number) = frames.of(last) else { panic!("frames have times") };
            let next = FrameNumber::OfTime(number.wrapping_add(1));
            prop_assert_eq!(frames.of(last.wrapping_add(STEP)), next);
        }
    }
}
