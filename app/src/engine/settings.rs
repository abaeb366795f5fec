//! What the person chose for this profile. It counts at once, also in mid-call, and after the next start.

use super::actor::{Actor, Done};
use super::event::EventBody;
use super::view::{Appearance, Language, MuteAnywhere, Notifications, OnClose, Settings};
use crate::call::CallId;
use crate::reason::{Fault, Reason, direction_of};
use crate::storage::{Setting, Storage, StorageError};
use media::device::{AudioSink, AudioSource, DeviceError, DeviceInfo, Direction, list};
use media::tones::Loudness;
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
        let ringtone = chosen::<Ringtone>(storage, Setting::Ringtone)?.unwrap_or_default().0;
        let appearance = chosen(storage, Setting::Appearance)?.unwrap_or_default();
        let language = chosen(storage, Setting::Language)?.unwrap_or_default();
        let notifications = chosen(storage, Setting::Notifications)?.unwrap_or_default();
        let on_close = chosen(storage, Setting::OnClose)?.unwrap_or_default();
        let mute_key = chosen(storage, Setting::MuteKey)?.unwrap_or_default();
        Ok(Self {
            microphone,
            loudspeaker,
            ringtone,
            appearance,
            language,
            notifications,
            on_close,
            mute_key,
            devices: None,
        })
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

/// What a call was heard and spoke through, and what was written of it, before something else was chosen in it.
#[derive(Debug, Default)]
pub(super) struct Before {
    microphone: Option<(AudioSource, Option<Vec<u8>>)>,
    loudspeaker: Option<(AudioSink, Option<Vec<u8>>)>,
}

/// What is written where nothing was chosen.
const SYSTEM: &[u8] = b"default";

impl Actor {
    pub(super) fn set_microphone(&mut self, source: AudioSource) -> Result<(), Reason> {
        // Files and tones are for this run alone, and nobody is left without a microphone because one was unplugged.
        let kept = match &source {
            AudioSource::Device(id) => AudioSource::Preferred(id.clone()),
            other => other.clone(),
        };
        let written = self.storage.setting(Setting::Microphone)?;
        if kept.is_device() {
            self.storage.set(Setting::Microphone, kept.to_string().as_bytes())?;
        }
        let before = std::mem::replace(&mut self.config.voice.source, source.clone());
        self.picture.view.settings.microphone = source.clone();
        match &mut self.session {
            Some(running) => {
                running.microphone.restart();
                self.before.microphone = Some((before, written));
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
        let written = self.storage.setting(Setting::Loudspeaker)?;
        if kept.is_device() {
            self.storage.set(Setting::Loudspeaker, kept.to_string().as_bytes())?;
        }
        let before = std::mem::replace(&mut self.config.voice.sink, sink.clone());
        self.picture.view.settings.loudspeaker = sink.clone();
        match &self.session {
            Some(running) => {
                self.before.loudspeaker = Some((before, written));
                Ok(running.session.set_loudspeaker(sink)?)
            }
            None => Ok(()),
        }
    }

    /// The call goes on without it, and shows so until it works again.
    pub(super) fn device_lost(&mut self, call: CallId, error: DeviceError) {
        let direction = direction_of(&error);
        let reason = Reason::from(error);
        match (direction, &mut self.picture.view.call) {
            (Some(direction), Some(shown)) => shown.broken.set(direction, Some(reason.clone())),
            _ => self.picture.notice(&reason),
        }
        self.tell(Some(call), EventBody::DeviceLost(reason));
    }

    /// It works again, or another one in its place does.
    pub(super) fn device_restored(&mut self, call: CallId, direction: Direction) {
        if let Some(shown) = &mut self.picture.view.call {
            shown.broken.set(direction, None);
        }
        self.tell(Some(call), EventBody::DeviceRestored(direction));
    }

    /// What was chosen in mid-call does not work: the call goes on with what it had, and so do the settings.
    pub(super) fn device_refused(&mut self, call: CallId, error: &DeviceError) {
        let back = match direction_of(error) {
            Some(Direction::Capture) => self.before.microphone.take().map(|(source, written)| {
                self.picture.view.settings.microphone = source.clone();
                self.config.voice.source = source;
                (Setting::Microphone, written)
            }),
            Some(Direction::Playback) => self.before.loudspeaker.take().map(|(sink, written)| {
                self.picture.view.settings.loudspeaker = sink.clone();
                self.config.voice.sink = sink;
                (Setting::Loudspeaker, written)
            }),
            None => None,
        };
        if let Some((setting, written)) = back {
            let kept = self.storage.set(setting, written.as_deref().unwrap_or(SYSTEM));
            self.kept(kept);
        }
        self.refuse(Some(call), Reason::Device { why: error.to_string(), fault: Fault::refused(error) });
    }

    pub(super) fn set_ringtone(&mut self, loudness: Loudness) -> Result<(), Reason> {
        self.picture.view.settings.ringtone = loudness;
        Ok(self.storage.set(Setting::Ringtone, Ringtone(loudness).as_str().as_bytes())?)
    }

    pub(super) fn try_ringtone(&mut self) {
        let view = &self.picture.view;
        self.ringing.try_out(view.call.as_ref(), &self.config.voice.sink, view.settings.ringtone);
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

    pub(super) fn set_mute_key(&mut self, mute_key: MuteAnywhere) -> Result<(), Reason> {
        self.picture.view.settings.mute_key = mute_key;
        Ok(self.storage.set(Setting::MuteKey, mute_key.as_str().as_bytes())?)
    }

    /// Asks the sound system, which may take its time.
    pub(super) fn list_devices(&mut self) {
        self.jobs.spawn_blocking(|| Done::Devices(list()));
    }

    pub(super) fn devices_listed(&mut self, found: Result<Vec<DeviceInfo>, DeviceError>) {
        let settings = &mut self.picture.view.settings;
        match found {
            Ok(devices) => {
                settings.devices = Some(devices);
                self.picture.sound_works();
            }
            Err(error) => {
                settings.devices = Some(Vec::new());
                self.refuse(None, error.into());
            }
        }
    }
}

/// How loud it rings, as it is written.
#[derive(Debug, Clone, Copy, Default)]
struct Ringtone(Loudness);

impl Ringtone {
    const fn as_str(self) -> &'static str {
        match self.0 {
            Loudness::Silent => "silent",
            Loudness::Quiet => "quiet",
            Loudness::Usual => "usual",
            Loudness::Loud => "loud",
        }
    }
}

impl FromStr for Ringtone {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Loudness::Silent, Loudness::Quiet, Loudness::Usual, Loudness::Loud].map(Self);
        all.into_iter().find(|one| one.as_str() == text).ok_or(())
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

impl MuteAnywhere {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
        }
    }
}

impl FromStr for MuteAnywhere {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Off, Self::On].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        command::Command,
        custody::tests::{alone, seen},
        start,
        view::{CallPhase, ContactId, View},
    };
    use crate::storage::Profile;
    use media::process::Processing;
    use relay::UnixTime;

    fn voice(source: &str, sink: &str) -> VoiceConfig {
        VoiceConfig {
            source: source.parse().unwrap(),
            sink: sink.parse().unwrap(),
            processing: Processing::Off,
            frames: media::voice::Frames::default(),
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
        storage.set(Setting::Ringtone, b"quiet").unwrap();
        storage.set(Setting::Appearance, b"light").unwrap();
        storage.set(Setting::Language, b"es").unwrap();
        storage.set(Setting::Notifications, b"off").unwrap();
        storage.set(Setting::OnClose, b"hide").unwrap();
        storage.set(Setting::MuteKey, b"on").unwrap();
        let read = Settings::read(&storage, &voice("default", "null")).unwrap();
        assert_eq!(read.microphone, AudioSource::Preferred("headset".to_owned()));
        assert_eq!((read.loudspeaker, read.appearance), (AudioSink::Null, Appearance::Light));
        assert_eq!((read.language, read.ringtone), (Language::Spanish, Loudness::Quiet));
        assert_eq!((read.notifications, read.on_close), (Notifications::Off, OnClose::Hide));
        assert_eq!(read.mute_key, MuteAnywhere::On);
        for setting in [
            Setting::Microphone,
            Setting::Loudspeaker,
            Setting::Ringtone,
            Setting::Appearance,
            Setting::Language,
            Setting::Notifications,
            Setting::OnClose,
            Setting::MuteKey,
        ] {
            storage.set(setting, b"\xff nonsense").unwrap();
        }
        assert_eq!(Settings::read(&storage, &voice("default", "default")).unwrap(), nothing);
    }

    #[tokio::test]
    async fn a_device_that_is_refused_in_a_call_leaves_the_settings_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([7; 32], None).unwrap();
        let mut storage = Storage::open(profile.folder(), relay::driver::now().unix).unwrap();
        storage.set(Setting::Microphone, b"preferred:headset").unwrap();
        let (mut engine, _events, running) = start(alone(), profile, storage, identity).await.unwrap();
        let commands = engine.commands.clone();
        commands.send(Command::Call(ContactId::Echo)).await.unwrap();
        let active = |view: &View| {
            view.call.as_ref().is_some_and(|call| matches!(call.phase, CallPhase::Active { .. }))
        };
        seen(&mut engine, active).await;
        let nowhere = AudioSource::Device("nowhere".to_owned());
        commands.send(Command::SetMicrophone(nowhere)).await.unwrap();
        let sink = AudioSink::File("/nowhere/at/all.wav".into());
        commands.send(Command::SetLoudspeaker(sink)).await.unwrap();
        let refused = Reason::Device { why: String::new(), fault: Fault::Refused(Direction::Capture) };
        let told = |view: &View| {
            view.notices.iter().any(|notice| notice.why.sentence().next_step == refused.sentence().next_step)
        };
        let view = seen(&mut engine, |view| told(view) && view.notices.len() == 2).await;
        assert_eq!(view.settings.microphone, AudioSource::Silence);
        assert_eq!(view.settings.loudspeaker, AudioSink::Null);
        assert!(active(&view), "the call goes on");
        commands.send(Command::Quit).await.unwrap();
        running.finished().await;
        let storage = Storage::open(folder.path(), UnixTime::from_millis(1)).unwrap();
        assert_eq!(storage.setting(Setting::Microphone).unwrap().unwrap(), b"preferred:headset");
    }
}
