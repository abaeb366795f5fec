//! What the person chose for this profile. It counts at once, also in mid-call, and after the next start.

use super::actor::{Actor, Done};
use super::view::{Appearance, Language, Notifications, OnClose, Settings};
use crate::reason::Reason;
use crate::storage::{Setting, Storage, StorageError};
use media::device::{AudioSink, AudioSource, DeviceError, DeviceInfo, list};
use media::voice::driver::VoiceConfig;
use std::str::FromStr;

impl Settings {
    /// Reads what was chosen. Whoever named a device on the command line wants that one, and `default` means the one
    /// that was chosen.
    pub(super) fn read(storage: &Storage, voice: &VoiceConfig) -> Result<Self, StorageError> {
        let microphone = match &voice.source {
            AudioSource::Default => chosen(storage, Setting::Microphone)?.unwrap_or(AudioSource::Default),
            named => named.clone(),
        };
        let loudspeaker = match &voice.sink {
            AudioSink::Default => chosen(storage, Setting::Loudspeaker)?.unwrap_or(AudioSink::Default),
            named => named.clone(),
        };
        let appearance = chosen(storage, Setting::Appearance)?.unwrap_or_default();
        let language = chosen(storage, Setting::Language)?.unwrap_or_default();
        let notifications = chosen(storage, Setting::Notifications)?.unwrap_or_default();
        let on_close = chosen(storage, Setting::OnClose)?.unwrap_or_default();
        Ok(Self { microphone, loudspeaker, appearance, language, notifications, on_close, devices: None })
    }
}

/// A setting, as it is written; one that makes no sense is as none.
fn chosen<T: FromStr>(storage: &Storage, setting: Setting) -> Result<Option<T>, StorageError> {
    let written = storage.setting(setting)?.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(written.and_then(|text| {
        let read = text.parse().ok();
        if read.is_none() {
            tracing::warn!(?setting, text, "a setting makes no sense and is left out");
        }
        read
    }))
}

impl Actor {
    pub(super) fn set_microphone(&mut self, source: AudioSource) -> Result<(), Reason> {
        // Files and tones are for this run alone, and nobody is left without a microphone because one was unplugged.
        let kept = match &source {
            AudioSource::Device(id) => AudioSource::Preferred(id.clone()),
            other => other.clone(),
        };
        if kept.is_device() {
            self.storage.set(Setting::Microphone, kept.to_string().as_bytes())?;
        }
        self.config.voice.source = source.clone();
        self.picture.view.settings.microphone = source.clone();
        match &mut self.session {
            Some(running) => {
                running.microphone.restart();
                Ok(running.session.set_microphone(source)?)
            }
            None => Ok(()),
        }
    }

    pub(super) fn set_loudspeaker(&mut self, sink: AudioSink) -> Result<(), Reason> {
        let kept = match &sink {
            AudioSink::Device(id) => AudioSink::Preferred(id.clone()),
            other => other.clone(),
        };
        if kept.is_device() {
            self.storage.set(Setting::Loudspeaker, kept.to_string().as_bytes())?;
        }
        self.config.voice.sink = sink.clone();
        self.picture.view.settings.loudspeaker = sink.clone();
        match &self.session {
            Some(running) => Ok(running.session.set_loudspeaker(sink)?),
            None => Ok(()),
        }
    }

    pub(super) fn set_appearance(&mut self, appearance: Appearance) -> Result<(), Reason> {
        self.picture.view.settings.appearance = appearance;
        Ok(self.storage.set(Setting::Appearance, appearance.as_str().as_bytes())?)
    }

    pub(super) fn set_language(&mut self, language: Language) -> Result<(), Reason> {
        self.picture.view.settings.language = language;
        Ok(self.storage.set(Setting::Language, language.as_str().as_bytes())?)
    }

    pub(super) fn set_notifications(&mut self, notifications: Notifications) -> Result<(), Reason> {
        self.picture.view.settings.notifications = notifications;
        Ok(self.storage.set(Setting::Notifications, notifications.as_str().as_bytes())?)
    }

    pub(super) fn set_on_close(&mut self, on_close: OnClose) -> Result<(), Reason> {
        self.picture.view.settings.on_close = on_close;
        Ok(self.storage.set(Setting::OnClose, on_close.as_str().as_bytes())?)
    }

    /// Asks the sound system, which may take its time.
    pub(super) fn list_devices(&mut self) {
        self.jobs.spawn_blocking(|| Done::Devices(list()));
    }

    pub(super) fn devices_listed(&mut self, found: Result<Vec<DeviceInfo>, DeviceError>) {
        let settings = &mut self.picture.view.settings;
        match found {
            Ok(devices) => settings.devices = Some(devices),
            Err(error) => {
                settings.devices = Some(Vec::new());
                self.refuse(None, error.into());
            }
        }
    }
}

impl Appearance {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

impl FromStr for Appearance {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::System, Self::Dark, Self::Light].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

impl Language {
    /// As it is written: a BCP 47 tag, or `system`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::System, Self::English, Self::Spanish].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

impl Notifications {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl FromStr for Notifications {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::On, Self::Off].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

impl OnClose {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Hide => "hide",
        }
    }
}

impl FromStr for OnClose {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Quit, Self::Hide].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::process::Processing;
    use relay::UnixTime;

    fn voice(source: &str, sink: &str) -> VoiceConfig {
        VoiceConfig {
            source: source.parse().unwrap(),
            sink: sink.parse().unwrap(),
            processing: Processing::Off,
            trace: None,
        }
    }

    #[test]
    fn what_was_chosen_counts_unless_something_else_is_named_or_it_makes_no_sense() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = Storage::open(folder.path(), UnixTime::from_millis(1)).unwrap();
        let nothing = Settings::read(&storage, &voice("default", "default")).unwrap();
        assert_eq!(nothing, Settings::default());
        storage.set(Setting::Microphone, b"preferred:headset").unwrap();
        storage.set(Setting::Loudspeaker, b"preferred:headset").unwrap();
        storage.set(Setting::Appearance, b"light").unwrap();
        storage.set(Setting::Language, b"es").unwrap();
        storage.set(Setting::Notifications, b"off").unwrap();
        storage.set(Setting::OnClose, b"hide").unwrap();
        let read = Settings::read(&storage, &voice("default", "null")).unwrap();
        assert_eq!(read.microphone, AudioSource::Preferred("headset".to_owned()));
        assert_eq!((read.loudspeaker, read.appearance), (AudioSink::Null, Appearance::Light));
        assert_eq!(read.language, Language::Spanish);
        assert_eq!((read.notifications, read.on_close), (Notifications::Off, OnClose::Hide));
        for setting in [
            Setting::Microphone,
            Setting::Loudspeaker,
            Setting::Appearance,
            Setting::Language,
            Setting::Notifications,
            Setting::OnClose,
        ] {
            storage.set(setting, b"\xff nonsense").unwrap();
        }
        assert_eq!(Settings::read(&storage, &voice("default", "default")).unwrap(), nothing);
    }
}
