//! What happened, as one number.

use std::fmt;

/// A hash over everything that happens: not against forgers, against chance.
#[derive(Debug, Default)]
pub(super) struct History(u64);

impl History {
    pub(super) fn mix(&mut self, part: u64) {
        self.0 = finalise(self.0.rotate_left(23) ^ part);
    }

    pub(super) const fn value(&self) -> u64 {
        self.0
    }

    pub(super) fn mix_all(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut sum = bytes.len() as u64;
        for word in words {
            sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        for byte in rest {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        self.mix(sum);
    }
}

/// The finaliser of SplitMix64: every bit that goes in moves every bit that comes out.
pub(super) fn finalise(bits: u64) -> u64 {
    let mut mixed = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
