//! What of the sound of a call does not work at the moment.

use crate::reason::Reason;
use media::device::Direction;

/// Why the microphone and the loudspeaker of a call do not work, while they do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Broken {
    /// The microphone.
    pub microphone: Option<Reason>,
    /// The loudspeaker.
    pub loudspeaker: Option<Reason>,
}

impl Broken {
    /// What is known of one of them.
    pub(in crate::engine) fn set(&mut self, direction: Direction, why: Option<Reason>) {
        match direction {
            Direction::Capture => self.microphone = why,
            Direction::Playback => self.loudspeaker = why,
        }
    }
}
