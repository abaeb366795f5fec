//! Trying the devices with Echo: whether it heard anybody.

use crate::engine::view::{CallPhase, CallView};
use std::time::{Duration, Instant};

/// What came of trying the devices with Echo, in the last call with it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::ui) struct EchoTest {
    /// How loud the microphone was at most, 0 to 1.
    loudest: f32,
    /// How long Echo has listened.
    listened: Duration,
}

/// What Echo heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum EchoVerdict {
    /// Somebody who spoke.
    Heard,
    /// Nobody.
    Silent,
}

impl EchoTest {
    /// Speech is louder than this at its peaks (-34 dB), and what is left of noise is not.
    const SPEECH: f32 = 0.02;

    /// Whoever hangs up sooner has not tried.
    const TRIED: Duration = Duration::from_secs(3);

    /// One look at a call with Echo.
    pub(in crate::ui) fn listen(&mut self, now: Instant, call: &CallView) {
        match call.phase {
            CallPhase::Active { since } => {
                self.loudest = self.loudest.max(call.mic_level);
                self.listened = now.saturating_duration_since(since);
            }
            _ => *self = Self::default(),
        }
    }

    /// What is known by now.
    pub(in crate::ui) fn verdict(self) -> Option<EchoVerdict> {
        if self.loudest >= Self::SPEECH {
            return Some(EchoVerdict::Heard);
        }
        (self.listened >= Self::TRIED).then_some(EchoVerdict::Silent)
    }
}
