//! What was played and is not yet compared with what was heard.
//!
//! A device may report two or three played blocks before it reports as many heard ones, so played blocks wait
//! here, and each heard block takes one. When blocks of sound were lost on the way in, the queue would stay
//! longer than it needs to be for ever, and what is compared would come later than its own echo; therefore the
//! queue knows how many blocks were never needed in the last second ([`Playback::surplus`]).

use std::collections::VecDeque;

use crate::frame::{BLOCK, Block};

/// Blocks that may wait; the oldest is forgotten when one more comes. More than any device plays at once.
const LONGEST: usize = 16;

/// Heard blocks after which a block that nobody needed is surplus: one second.
const WATCH: usize = 100;

/// A bounded queue of played blocks.
pub(in crate::process) struct Playback {
    blocks: VecDeque<Block>,
    /// The fewest blocks that were left over in this second.
    least: usize,
    watched: usize,
}

impl Playback {
    pub(in crate::process) fn new() -> Self {
        Self { blocks: VecDeque::with_capacity(LONGEST), least: LONGEST, watched: 0 }
    }

    /// Takes a block that is about to be played.
    pub(in crate::process) fn push(&mut self, played: &Block) {
        if self.blocks.len() == LONGEST {
            self.blocks.pop_front();
        }
        self.blocks.push_back(*played);
    }

    /// Gives the next played block, or silence if nothing was played.
    pub(in crate::process) fn pop(&mut self, into: &mut Block) {
        *into = self.blocks.pop_front().unwrap_or([0.0; BLOCK]);
        self.least = self.least.min(self.blocks.len());
        self.watched += 1;
    }

    /// Blocks that were left over all the time during the last second; asked before each heard block.
    pub(in crate::process) fn surplus(&mut self) -> usize {
        if self.watched < WATCH {
            return 0;
        }
        let surplus = self.least.min(self.blocks.len());
        (self.least, self.watched) = (LONGEST, 0);
        surplus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(playback: &mut Playback) -> f32 {
        let mut block = [9.0; BLOCK];
        playback.pop(&mut block);
        block[0]
    }

    #[test]
    fn a_burst_comes_out_in_order() {
        let mut playback = Playback::new();
        playback.push(&[1.0; BLOCK]);
        playback.push(&[2.0; BLOCK]);
        assert_eq!([popped(&mut playback), popped(&mut playback), popped(&mut playback)], [1.0, 2.0, 0.0]);
    }

    #[test]
    fn too_many_blocks_push_out_the_oldest() {
        let mut playback = Playback::new();
        for n in 0..LONGEST + 3 {
            playback.push(&[n as f32; BLOCK]);
        }
        assert_eq!(popped(&mut playback), 3.0);
    }

    #[test]
    fn bursts_are_no_surplus() {
        let mut playback = Playback::new();
        for _ in 0..WATCH {
            playback.push(&[1.0; BLOCK]);
            playback.push(&[1.0; BLOCK]);
            assert_eq!(playback.surplus(), 0);
            popped(&mut playback);
            assert_eq!(playback.surplus(), 0);
            popped(&mut playback);
        }
    }

    #[test]
    fn blocks_that_nobody_needs_become_surplus() {
        let mut playback = Playback::new();
        playback.push(&[1.0; BLOCK]);
        playback.push(&[1.0; BLOCK]);
        for _ in 0..WATCH {
            playback.push(&[1.0; BLOCK]);
            assert_eq!(playback.surplus(), 0);
            popped(&mut playback);
        }
        playback.push(&[1.0; BLOCK]);
        assert_eq!(playback.surplus(), 2);
    }
}
