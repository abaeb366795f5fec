//! What somebody who measures a call wants: a microphone file that begins when they say so, and when each block was
//! handed over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::lock;

/// Blocks noted of each direction: an hour; later ones are not.
const MOST_BLOCKS: usize = 360_000;

/// Shared by whoever measures and the engine that is measured.
#[derive(Debug, Clone)]
pub struct Trace(Arc<Traced>);

/// Whether the microphone waits for its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It begins with the call.
    Off,
    /// There is silence until [`Trace::release`].
    On,
}

/// When blocks of 10 ms were handed over, in microseconds of the wall clock; block `n` begins with sample 480 `n`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandOvers {
    /// By the microphone, since it began: when the last sample of the block was there.
    pub captured: Vec<u64>,
    /// To the loudspeaker.
    pub played: Vec<u64>,
}

#[derive(Debug)]
struct Traced {
    held: AtomicBool,
    blocks: Mutex<HandOvers>,
}

impl Trace {
    /// Nothing noted yet.
    pub fn new(hold: Hold) -> Self {
        let held = AtomicBool::new(hold == Hold::On);
        Self(Arc::new(Traced { held, blocks: Mutex::default() }))
    }

    /// The microphone begins.
    pub fn release(&self) {
        self.0.held.store(false, Ordering::Release);
    }

    /// What was noted so far.
    pub fn hand_overs(&self) -> HandOvers {
        lock(&self.0.blocks).clone()
    }

    pub(super) fn holds(&self) -> bool {
        self.0.held.load(Ordering::Acquire)
    }

    pub(super) fn captured(&self, unix_us: u64) {
        note(&mut lock(&self.0.blocks).captured, unix_us);
    }

    pub(super) fn played(&self, unix_us: u64) {
        note(&mut lock(&self.0.blocks).played, unix_us);
    }
}

/// Two are the same when they belong to the same measurement.
impl PartialEq for Trace {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn note(blocks: &mut Vec<u64>, unix_us: u64) {
    if blocks.len() < MOST_BLOCKS {
        blocks.push(unix_us);
    }
}
