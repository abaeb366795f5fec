//! Which frame of a stream a packet holds.

use crate::frame::BLOCK;

/// Orders the frames of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameNumber {
    /// They are numbered as their packets are: those of a stock end.
    OfPacket(u16),
    /// They are numbered by their time, one for every 10 ms that they hold: those of our ends, which may be sent twice.
    OfTime(u16),
}

impl From<u16> for FrameNumber {
    fn from(sequence: u16) -> Self {
        Self::OfPacket(sequence)
    }
}

impl FrameNumber {
    /// The number.
    pub(super) const fn get(self) -> u16 {
        match self {
            Self::OfPacket(number) | Self::OfTime(number) => number,
        }
    }

    /// That of a frame of so many samples which begins so much earlier; none where no such frame can be.
    pub(super) fn earlier(self, behind: u32, samples: usize) -> Option<u16> {
        if !behind.is_multiple_of(samples as u32) {
            return None;
        }
        let each = match self {
            Self::OfPacket(_) => samples,
            Self::OfTime(_) => BLOCK,
        };
        Some(self.get().wrapping_sub(u16::try_from(behind / each as u32).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_before_have_a_number_less_each_or_one_for_every_10_ms() {
        let [packet, time] = [FrameNumber::OfPacket(1), FrameNumber::OfTime(1)];
        assert_eq!([packet, time].map(|own| own.earlier(1920, 960)), [Some(u16::MAX), Some(u16::MAX - 2)]);
        assert_eq!([packet, time].map(|own| own.earlier(480, 480)), [Some(0), Some(0)]);
        assert_eq!([packet, time].map(|own| own.earlier(1000, 960)), [None, None]);
    }
}
