//! What the ends tell each other on the control channel.
//!
//! Whether a microphone is muted is told from when both have picked up: before that nobody learns anything of the other's
//! devices.

use std::time::Instant;

use super::{Line, LineEvent, Phase};
use crate::video::viewing::Viewing;
use crate::voice::Mute;

/// How both microphones are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Microphones {
    ours: Mute,
    /// As the other end said last, which may have picked up before we know.
    theirs: Mute,
}

impl Line {
    pub(in crate::session) fn send_message(&mut self, now: Instant, message: Vec<u8>) {
        self.call.send_message(now, message);
        self.settle(now);
    }

    /// We show the other end's pictures so large.
    pub(in crate::session) fn send_viewing(&mut self, now: Instant, viewing: Viewing) {
        self.call.send_viewing(now, viewing);
        self.settle(now);
    }

    /// Our microphone is muted, or heard.
    pub(in crate::session) fn set_muted(&mut self, now: Instant, mute: Mute) {
        self.microphones.ours = mute;
        if self.phase == Phase::Talking {
            self.call.send_mute(now, mute);
            self.settle(now);
        }
    }

    /// The talk begins.
    pub(super) fn tell_of_microphones(&mut self, now: Instant) {
        self.call.send_mute(now, self.microphones.ours);
        if self.microphones.theirs == Mute::On {
            self.events.push_back(LineEvent::Mute(Mute::On));
        }
    }

    /// The other end says how its microphone is. What it says twice is no news.
    pub(super) fn hear_of_microphone(&mut self, mute: Mute) {
        let before = std::mem::replace(&mut self.microphones.theirs, mute);
        if before != mute && self.phase == Phase::Talking {
            self.events.push_back(LineEvent::Mute(mute));
        }
    }
}
