//! How the microphone or the loudspeaker of a call stands, and what is said of it.
//!
//! ```text
//!   Fresh ── a sign of life ──▶ Works ◀── a sign of life: restored ──┐
//!     │                           │                                  │
//!     └── dies: it never worked ──┴── dies: it works no more ──▶ Lost ┘   dies once more: said already
//! ```
//! A device is opened again and again while it is lost; what counts is that it moves sound, not that it opens.

use super::VoiceEvent;
use crate::device::{DeviceError, Direction};

/// See the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Nothing has come of it yet in this call.
    #[default]
    Fresh,
    /// It moves sound.
    Works,
    /// It does not.
    Lost,
}

impl Standing {
    /// Sound was moved; whether that is news.
    pub(super) fn sign(&mut self, direction: Direction) -> Option<VoiceEvent> {
        let before = std::mem::replace(self, Self::Works);
        (before == Self::Lost).then_some(VoiceEvent::DeviceRestored(direction))
    }

    /// It does not work, for this reason; whether that is news.
    pub(super) fn die(&mut self, why: DeviceError) -> Option<VoiceEvent> {
        let before = std::mem::replace(self, Self::Lost);
        (before != Self::Lost).then_some(VoiceEvent::DeviceLost(why))
    }

    /// What to say of a device that gives no sign of life.
    pub(super) fn epitaph(self, direction: Direction) -> DeviceError {
        match self {
            Self::Fresh => DeviceError::Dead { direction, why: "the sound system moves nothing".to_owned() },
            Self::Works | Self::Lost => {
                DeviceError::Lost { direction, why: "the sound system stopped it".to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROPHONE: Direction = Direction::Capture;

    #[test]
    fn what_worked_is_lost_once_and_restored_once() {
        let mut standing = Standing::default();
        assert_eq!(standing.sign(MICROPHONE), None, "nobody was told otherwise");
        let lost = standing.epitaph(MICROPHONE);
        assert!(matches!(lost, DeviceError::Lost { .. }), "{lost:?}");
        assert_eq!(standing.die(lost.clone()), Some(VoiceEvent::DeviceLost(lost.clone())));
        assert_eq!(standing.die(lost), None, "it opened and gave nothing");
        assert_eq!(standing.sign(MICROPHONE), Some(VoiceEvent::DeviceRestored(MICROPHONE)));
        assert_eq!(standing.sign(MICROPHONE), None);
    }

    #[test]
    fn what_never_worked_is_not_said_to_work_no_more() {
        let mut standing = Standing::default();
        let dead = standing.epitaph(MICROPHONE);
        assert!(matches!(dead, DeviceError::Dead { .. }), "{dead:?}");
        assert!(standing.die(dead).is_some());
        assert_eq!(standing.sign(MICROPHONE), Some(VoiceEvent::DeviceRestored(MICROPHONE)));
        assert!(matches!(standing.epitaph(MICROPHONE), DeviceError::Lost { .. }));
    }
}
