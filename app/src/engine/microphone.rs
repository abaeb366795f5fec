//! Whether our microphone gives anything.
//!
//! ```text
//!   Awaited ── open for 5 s, and nothing ──▶ Silent
//!      └────────── something heard ──▶ Alive ◀──┘        another microphone: Awaited again
//! ```
//! One that has been heard is alive, however long its owner only listens. It is the sound before processing that
//! counts: what takes noise away leaves nothing of a quiet room.

use media::session::Mute;
use std::time::{Duration, Instant};

/// What is known of a microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MicrophoneSign {
    /// Nothing yet.
    #[default]
    Awaited,
    /// It has given nothing for as long as even a quiet room would not.
    Silent,
    /// It has been heard.
    Alive,
}

/// A microphone is waited for so long while it is open.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whatever reaches this (-60 dB) is more than what an amplifier alone makes; a quiet room does.
const AUDIBLE: f32 = 0.001;
/// Between two looks no more time is counted than this: whoever was kept from looking knows nothing of it.
const LONGEST_GLANCE: Duration = Duration::from_millis(500);

/// Follows one call's microphone.
#[derive(Debug)]
pub(super) struct MicrophoneWatch {
    sign: MicrophoneSign,
    /// How long it was open and silent.
    silent: Duration,
    looked: Instant,
}

impl MicrophoneWatch {
    pub(super) const fn new(now: Instant) -> Self {
        Self { sign: MicrophoneSign::Awaited, silent: Duration::ZERO, looked: now }
    }

    /// Another one was chosen.
    pub(super) const fn restart(&mut self) {
        (self.sign, self.silent) = (MicrophoneSign::Awaited, Duration::ZERO);
    }

    /// One look at a call that is on, whose microphone was at most so loud (0 to 1) since it is in use.
    pub(super) fn look(&mut self, now: Instant, loudest: f32, mute: Mute) -> MicrophoneSign {
        let passed = now.saturating_duration_since(self.looked).min(LONGEST_GLANCE);
        self.looked = now;
        if loudest >= AUDIBLE {
            (self.sign, self.silent) = (MicrophoneSign::Alive, Duration::ZERO);
            return self.sign;
        }
        if self.sign == MicrophoneSign::Alive {
            // Another one is in use, or the same again.
            self.restart();
        }
        if mute == Mute::Off {
            self.silent += passed;
        }
        if self.silent >= PATIENCE {
            self.sign = MicrophoneSign::Silent;
        }
        self.sign
    }

    /// The time until the call is on does not count.
    pub(super) const fn wait(&mut self, now: Instant) {
        self.looked = now;
    }
}

#[cfg(test)]
mod tests {
    use super::MicrophoneSign::{Alive, Awaited, Silent};
    use super::*;

    /// Looks ten times a second for so long.
    fn look_for(
        watch: &mut MicrophoneWatch,
        now: &mut Instant,
        seconds: u32,
        loudest: f32,
        mute: Mute,
    ) -> MicrophoneSign {
        (0..seconds * 10).fold(watch.sign, |_, _| {
            *now += Duration::from_millis(100);
            watch.look(*now, loudest, mute)
        })
    }

    fn watch() -> (MicrophoneWatch, Instant) {
        let now = Instant::now();
        (MicrophoneWatch::new(now), now)
    }

    #[test]
    fn one_that_gives_nothing_for_five_seconds_is_silent_until_it_is_heard() {
        let (mut watch, mut now) = watch();
        assert_eq!(look_for(&mut watch, &mut now, 4, 0.0, Mute::Off), Awaited);
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.0004, Mute::Off), Silent);
        assert_eq!(look_for(&mut watch, &mut now, 60, 0.0004, Mute::Off), Silent);
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.02, Mute::Off), Alive);
    }

    #[test]
    fn whoever_only_listens_in_a_quiet_room_hears_nothing_of_it_once_the_microphone_was_heard() {
        let (mut watch, mut now) = watch();
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.002, Mute::Off), Alive);
        // The loudest stays what it was.
        assert_eq!(look_for(&mut watch, &mut now, 600, 0.002, Mute::Off), Alive);
    }

    #[test]
    fn the_time_while_muted_does_not_count_and_being_heard_then_does() {
        let (mut watch, mut now) = watch();
        assert_eq!(look_for(&mut watch, &mut now, 60, 0.0, Mute::On), Awaited);
        assert_eq!(look_for(&mut watch, &mut now, 4, 0.0, Mute::Off), Awaited);
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.3, Mute::On), Alive);
    }

    #[test]
    fn another_microphone_is_waited_for_anew() {
        let (mut watch, mut now) = watch();
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.3, Mute::Off), Alive);
        assert_eq!(look_for(&mut watch, &mut now, 4, 0.0, Mute::Off), Awaited);
        assert_eq!(look_for(&mut watch, &mut now, 1, 0.0, Mute::Off), Silent);
        watch.restart();
        assert_eq!(look_for(&mut watch, &mut now, 4, 0.0, Mute::Off), Awaited);
    }

    #[test]
    fn time_in_which_nobody_looked_is_no_silence() {
        let (mut watch, now) = watch();
        assert_eq!(watch.look(now + Duration::from_secs(3600), 0.0, Mute::Off), Awaited);
        watch.wait(now + Duration::from_secs(7200));
        assert_eq!(watch.look(now + Duration::from_secs(7200), 0.0, Mute::Off), Awaited);
    }
}
