//! What the person chose, as the window shows it.

use media::{
    device::{AudioSink, AudioSource, DeviceInfo},
    tones::Loudness,
};

/// What the person chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The microphone of calls.
    pub microphone: AudioSource,
    /// The loudspeaker of calls.
    pub loudspeaker: AudioSink,
    /// How loud it rings.
    pub ringtone: Loudness,
    /// Dark or light.
    pub appearance: Appearance,
    /// What the window speaks.
    pub language: Language,
    /// Whether the desktop says who calls while nobody looks at the window.
    pub notifications: Notifications,
    /// What closing the window does.
    pub on_close: OnClose,
    /// Whether a key mutes from any window during a call.
    pub mute_key: MuteAnywhere,
    /// Those there are, once somebody asked.
    pub devices: Option<Vec<DeviceInfo>>,
}

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appearance {
    /// As the desktop has it.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What the window speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// As the desktop does, if the window can.
    #[default]
    System,
    /// English.
    English,
    /// Spanish.
    Spanish,
}

/// Whether the desktop says who calls while nobody looks at the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notifications {
    /// It does.
    #[default]
    On,
    /// It does not.
    Off,
}

/// What closing the window does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnClose {
    /// Silbo ends.
    #[default]
    Quit,
    /// Silbo goes on, where the desktop has a tray from which the window comes back.
    Hide,
}

/// Whether a key mutes from any window during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuteAnywhere {
    /// Only in our own.
    #[default]
    Off,
    /// From any, where the system lets it.
    On,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            microphone: AudioSource::Default,
            loudspeaker: AudioSink::Default,
            ringtone: Loudness::Usual,
            appearance: Appearance::System,
            language: Language::System,
            notifications: Notifications::On,
            on_close: OnClose::Quit,
            mute_key: MuteAnywhere::Off,
            devices: None,
        }
    }
}
