//! Every way in which a sound device or file can fail, each with a sentence.

use std::fmt;
use std::path::PathBuf;

/// Which way sound flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From a microphone.
    Capture,
    /// To a loudspeaker.
    Playback,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Capture => "microphone",
            Direction::Playback => "loudspeaker",
        })
    }
}

/// Why sound cannot be captured or played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device has this id.
    #[error("there is no {direction} \"{id}\"{}", list(available))]
    NotFound {
        /// Microphone or loudspeaker.
        direction: Direction,
        /// What was asked for.
        id: String,
        /// The ids that exist.
        available: Vec<String>,
    },
    /// This machine has no device of this kind, or no sound system runs.
    #[error("this computer has no {direction}, or its sound system is not running")]
    None {
        /// Microphone or loudspeaker.
        direction: Direction,
    },
    /// Somebody else has it.
    #[error("the {direction} is used by another program")]
    Busy {
        /// Microphone or loudspeaker.
        direction: Direction,
    },
    /// The system does not let us.
    #[error("the system does not allow Silbo to use the {direction}")]
    Denied {
        /// Microphone or loudspeaker.
        direction: Direction,
    },
    /// PulseAudio lets nobody in who shows no cookie; there is none, and none can be made.
    #[error("the sound system lets in only who has the file {}, which cannot be made or read: {why}", path.display())]
    NoCookie {
        /// Microphone or loudspeaker.
        direction: Direction,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It cannot do what we need.
    #[error("the {direction} cannot be used: {why}")]
    Unsupported {
        /// Microphone or loudspeaker.
        direction: Direction,
        /// What it cannot do.
        why: String,
    },
    /// A sound file that cannot be read.
    #[error("cannot read the sound file {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A sound file that cannot be written.
    #[error("cannot write the sound file {}: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It is there, and has not worked yet.
    #[error("the {direction} does not start: {why}")]
    Dead {
        /// Microphone or loudspeaker.
        direction: Direction,
        /// What the sound system said.
        why: String,
    },
    /// It worked and stopped.
    #[error("the {direction} stopped working: {why}")]
    Lost {
        /// Microphone or loudspeaker.
        direction: Direction,
        /// What the sound system said.
        why: String,
    },
    /// The codec or a thread could not be started; we are to blame.
    #[error("sound cannot be started: {why}")]
    Internal {
        /// What failed.
        why: String,
    },
}

fn list(available: &[String]) -> String {
    match available.is_empty() {
        true => String::new(),
        false => format!("; there are: {}", available.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_names_those_that_exist() {
        let error = DeviceError::NotFound {
            direction: Direction::Capture,
            id: "usb".into(),
            available: vec!["a".into(), "b".into()],
        };
        assert_eq!(error.to_string(), "there is no microphone \"usb\"; there are: a, b");
    }
}
