//! What can be the matter with sound, and what helps.

use super::capitalised;
use media::device::{DeviceError, Direction};

/// What is the matter with a microphone, a loudspeaker or a file of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// There is none, or no sound system.
    Missing(Direction),
    /// The one that was chosen is not there.
    Absent(Direction),
    /// It is there, and has not worked yet.
    Dead(Direction),
    /// It worked and is gone: unplugged, or its sound system has died.
    Gone(Direction),
    /// Another program has it.
    Busy(Direction),
    /// The system keeps it from us.
    Denied(Direction),
    /// The sound system lets nobody in without a file, which is not there.
    KeptOut,
    /// It was chosen in a call, and does not work; the call goes on with what it had.
    Refused(Direction),
    /// Something else, or it is a file.
    Other,
}

impl Fault {
    /// What is the matter, of what the devices tell.
    pub fn of(error: &DeviceError) -> Self {
        match error {
            DeviceError::None { direction } => Self::Missing(*direction),
            DeviceError::NotFound { direction, .. } => Self::Absent(*direction),
            DeviceError::Dead { direction, .. } => Self::Dead(*direction),
            DeviceError::Lost { direction, .. } => Self::Gone(*direction),
            DeviceError::Busy { direction } => Self::Busy(*direction),
            DeviceError::Denied { direction } => Self::Denied(*direction),
            DeviceError::NoCookie { .. } => Self::KeptOut,
            _ => Self::Other,
        }
    }

    /// What is the matter with one that was chosen in a call.
    pub fn refused(error: &DeviceError) -> Self {
        direction_of(error).map_or_else(|| Self::of(error), Self::Refused)
    }

    /// What happened, of which `why` is the reason, and what to do next.
    pub(super) fn texts(self, why: &str) -> (String, &'static str) {
        let next_step = match self {
            Self::Missing(Direction::Capture) => {
                "Plug one in and see that the sound system runs, or speak from a file with --mic file:PATH.wav."
            }
            Self::Missing(Direction::Playback) => {
                "Plug one in and see that the sound system runs, or hear nothing with --speaker null."
            }
            Self::Absent(Direction::Capture)
            | Self::Dead(Direction::Capture)
            | Self::Gone(Direction::Capture) => {
                "Plug it in again and see that the sound system runs, or choose another one with --mic."
            }
            Self::Absent(Direction::Playback)
            | Self::Dead(Direction::Playback)
            | Self::Gone(Direction::Playback) => {
                "Plug it in again and see that the sound system runs, or choose another one with --speaker."
            }
            Self::Busy(Direction::Capture) => "Close the other program, or choose another one with --mic.",
            Self::Busy(Direction::Playback) => {
                "Close the other program, or choose another one with --speaker."
            }
            Self::Refused(_) => {
                "The call goes on with the one before; choose it again once it works, or another one."
            }
            Self::Denied(_) => "Let it in the privacy settings of the system, then try again.",
            Self::KeptOut => {
                "See that the home folder can be written and the disk is not full, then try once more."
            }
            Self::Other => {
                "Check that it is connected or exists, or choose another one (--mic, --speaker, --camera, --display)."
            }
        };
        let message = match self {
            Self::Other => format!("The device or file cannot be used: {why}."),
            Self::Missing(_)
            | Self::Absent(_)
            | Self::Dead(_)
            | Self::Gone(_)
            | Self::Busy(_)
            | Self::Denied(_)
            | Self::KeptOut
            | Self::Refused(_) => capitalised(why),
        };
        (message, next_step)
    }
}

/// Microphone or loudspeaker, where it can be told.
pub(crate) fn direction_of(error: &DeviceError) -> Option<Direction> {
    match error {
        DeviceError::None { direction }
        | DeviceError::NotFound { direction, .. }
        | DeviceError::Busy { direction }
        | DeviceError::Denied { direction }
        | DeviceError::NoCookie { direction, .. }
        | DeviceError::Unsupported { direction, .. }
        | DeviceError::Dead { direction, .. }
        | DeviceError::Lost { direction, .. } => Some(*direction),
        DeviceError::Unreadable { .. } => Some(Direction::Capture),
        DeviceError::Unwritable { .. } => Some(Direction::Playback),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_device_names_the_device_and_what_helps() {
        for (direction, device, option) in
            [(Direction::Capture, "microphone", "--mic"), (Direction::Playback, "loudspeaker", "--speaker")]
        {
            let lost = DeviceError::Lost { direction, why: "the sound system stopped it".into() };
            let absent = DeviceError::NotFound { direction, id: "usb".into(), available: Vec::new() };
            let told = [
                (DeviceError::None { direction }, Fault::Missing(direction)),
                (lost, Fault::Gone(direction)),
                (absent, Fault::Absent(direction)),
                (DeviceError::Dead { direction, why: "it hung up".into() }, Fault::Dead(direction)),
                (DeviceError::Busy { direction }, Fault::Busy(direction)),
                (DeviceError::Denied { direction }, Fault::Denied(direction)),
            ];
            for (error, fault) in told {
                assert_eq!(Fault::of(&error), fault);
                let (message, next_step) = fault.texts(&error.to_string());
                assert!(message.contains(device) && message.ends_with('.'), "{message}");
                assert!(next_step.ends_with('.'), "{next_step}");
                assert!(next_step.contains(option) || fault == Fault::Denied(direction), "{next_step}");
            }
        }
        let file = DeviceError::Unwritable { path: "out.wav".into(), why: "it is a folder".into() };
        let (message, _) = Fault::of(&file).texts(&file.to_string());
        assert_eq!(
            message,
            "The device or file cannot be used: cannot write the sound file out.wav: it is a folder."
        );
    }
}
