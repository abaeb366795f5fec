//! Where sound comes from and goes to: real devices, WAV files, a tone, silence, nowhere.
//!
//! ```text
//! AudioSource ─ default | device:ID | preferred:ID | file:PATH.wav | tone:HZ | silence
//! AudioSink   ─ default | device:ID | preferred:ID | file:PATH.wav | null
//! ```
//!
//! Real devices run callbacks on a thread of the sound system: those only copy between the device and a
//! lock-free ring (`ring`). The only place that names `cpal`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

mod card;
mod clocked;
mod cookie;
mod error;
mod host;
pub mod ring;
pub mod wav;

pub use card::list;
pub(crate) use card::{Loudspeaker, Microphone};
pub(crate) use clocked::{ClockedSink, ClockedSource, Progress};
pub use error::{DeviceError, Direction};

/// Where captured sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioSource {
    /// The system's default microphone, followed when it changes.
    Default,
    /// A microphone by the id that [`DeviceInfo::id`] tells.
    Device(String),
    /// The same while it is there, else the default one.
    Preferred(String),
    /// A PCM WAV file of any rate, played once from the moment media starts, then silence.
    File(PathBuf),
    /// A sine of this many Hz at a quarter of full scale.
    Tone(f32),
    /// Nothing but zeros.
    Silence,
}

/// Where played sound goes.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioSink {
    /// The system's default loudspeaker, followed when it changes.
    Default,
    /// A loudspeaker by the id that [`DeviceInfo::id`] tells.
    Device(String),
    /// The same while it is there, else the default one.
    Preferred(String),
    /// A 48 kHz mono 16-bit WAV file: what a loudspeaker would have played, on the real-time clock.
    File(PathBuf),
    /// Nowhere.
    Null,
}

impl AudioSource {
    /// Whether samples come from a sound card, at its pace.
    pub fn is_device(&self) -> bool {
        matches!(self, AudioSource::Default | AudioSource::Device(_) | AudioSource::Preferred(_))
    }
}

impl AudioSink {
    /// Whether samples go to a sound card, at its pace.
    pub fn is_device(&self) -> bool {
        matches!(self, AudioSink::Default | AudioSink::Device(_) | AudioSink::Preferred(_))
    }
}

/// One microphone or loudspeaker of this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceInfo {
    /// What `device:ID` takes; stable while the device stays plugged in.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// Microphone or loudspeaker.
    pub direction: Direction,
    /// Whether the system uses it when nothing else is chosen.
    pub is_default: bool,
}

/// A `--mic` or `--speaker` argument that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not one of the forms.
    #[error(
        "\"{0}\" is not a sound source: use default, device:ID, preferred:ID, file:PATH.wav, tone:HZ or silence"
    )]
    UnknownSource(String),
    /// Not one of the forms.
    #[error("\"{0}\" is not a sound sink: use default, device:ID, preferred:ID, file:PATH.wav or null")]
    UnknownSink(String),
    /// A form whose value is missing.
    #[error("\"{0}\" needs a value after the colon")]
    Empty(String),
    /// A tone outside what 48 kHz can carry.
    #[error("\"{0}\" is not a tone: use tone:HZ with 1 to 20000")]
    Tone(String),
}

impl FromStr for AudioSource {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match split(text)? {
            ("default", None) => Ok(AudioSource::Default),
            ("silence", None) => Ok(AudioSource::Silence),
            ("device", Some(id)) => Ok(AudioSource::Device(id.to_owned())),
            ("preferred", Some(id)) => Ok(AudioSource::Preferred(id.to_owned())),
            ("file", Some(path)) => Ok(AudioSource::File(PathBuf::from(path))),
            ("tone", Some(hertz)) => match hertz.parse::<f32>() {
                Ok(hertz) if (1.0..=20_000.0).contains(&hertz) => Ok(AudioSource::Tone(hertz)),
                _ => Err(EndpointError::Tone(text.to_owned())),
            },
            _ => Err(EndpointError::UnknownSource(text.to_owned())),
        }
    }
}

impl FromStr for AudioSink {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match split(text)? {
            ("default", None) => Ok(AudioSink::Default),
            ("null", None) => Ok(AudioSink::Null),
            ("device", Some(id)) => Ok(AudioSink::Device(id.to_owned())),
            ("preferred", Some(id)) => Ok(AudioSink::Preferred(id.to_owned())),
            ("file", Some(path)) => Ok(AudioSink::File(PathBuf::from(path))),
            _ => Err(EndpointError::UnknownSink(text.to_owned())),
        }
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), EndpointError> {
    match text.split_once(':') {
        Some((_, "")) => Err(EndpointError::Empty(text.to_owned())),
        Some((form, value)) => Ok((form, Some(value))),
        None => Ok((text, None)),
    }
}

impl fmt::Display for AudioSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AudioSource::Default => f.write_str("default"),
            AudioSource::Device(id) => write!(f, "device:{id}"),
            AudioSource::Preferred(id) => write!(f, "preferred:{id}"),
            AudioSource::File(path) => write!(f, "file:{}", path.display()),
            AudioSource::Tone(hertz) => write!(f, "tone:{hertz}"),
            AudioSource::Silence => f.write_str("silence"),
        }
    }
}

impl fmt::Display for AudioSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AudioSink::Default => f.write_str("default"),
            AudioSink::Device(id) => write!(f, "device:{id}"),
            AudioSink::Preferred(id) => write!(f, "preferred:{id}"),
            AudioSink::File(path) => write!(f, "file:{}", path.display()),
            AudioSink::Null => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_contract_is_understood_and_written_back() {
        for text in [
            "default",
            "device:alsa_input.pci:0",
            "preferred:usb",
            "file:/tmp/a b.wav",
            "tone:440",
            "silence",
        ] {
            let source: AudioSource = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
        }
        for text in ["default", "device:spk", "preferred:spk", "file:out.wav", "null"] {
            let sink: AudioSink = text.parse().unwrap();
            assert_eq!(sink.to_string(), text);
        }
    }

    #[test]
    fn anything_else_gets_a_sentence() {
        assert_eq!("null".parse::<AudioSource>(), Err(EndpointError::UnknownSource("null".into())));
        assert_eq!("silence".parse::<AudioSink>(), Err(EndpointError::UnknownSink("silence".into())));
        assert_eq!("".parse::<AudioSink>(), Err(EndpointError::UnknownSink(String::new())));
        assert_eq!("default:".parse::<AudioSource>(), Err(EndpointError::Empty("default:".into())));
        assert_eq!("file:".parse::<AudioSource>(), Err(EndpointError::Empty("file:".into())));
        for tone in ["tone:0", "tone:-3", "tone:NaN", "tone:inf", "tone:30000", "tone:a"] {
            assert_eq!(tone.parse::<AudioSource>(), Err(EndpointError::Tone(tone.into())));
        }
    }
}
