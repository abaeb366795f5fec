//! The sound of a session: at whom it rings no device is open before they have picked up.
//!
//! ```text
//!   Shut ── open ──▶ Opening ──▶ Open ── close ──▶ Shut
//! ```
//! Who has agreed to talk sees that their microphone works before anybody hears it: until sound flows it moves the meter,
//! and nothing else.

use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::device::{AudioSink, AudioSource, DeviceError};
use crate::level::Levels;
use crate::mix::Volume;
use crate::session::SessionError;
use crate::voice::driver::{Meters, ReceivedPacket, VoiceConfig, VoiceEngine, VoiceEvent, VoiceIo};
use crate::voice::{Mute, PlayoutStats, Reported, Supported, VoicePacket};

type Opened = Result<(VoiceEngine, VoiceIo), DeviceError>;

/// Microphone and loudspeaker of one session.
pub(in crate::session) struct Sound {
    state: State,
    started: bool,
    mute: Mute,
    volume: Volume,
    /// While others are being opened.
    chosen: (Option<AudioSource>, Option<AudioSink>),
    loudness: Loudness,
}

enum State {
    Shut(Option<VoiceConfig>),
    Opening(JoinHandle<Opened>),
    Open(VoiceEngine, VoiceIo),
}

/// Reads how loud both directions are, once there are any.
#[derive(Clone, Debug, Default)]
pub(in crate::session) struct Loudness(Arc<OnceLock<Meters>>);

/// What microphone and loudspeaker say.
pub(super) enum SoundNews {
    Packet(VoicePacket),
    Event(VoiceEvent),
    /// The devices could not be opened.
    Refused(DeviceError),
}

impl Sound {
    /// Nothing is open, until [`Self::open`].
    pub(in crate::session) fn shut(config: VoiceConfig) -> Self {
        let state = State::Shut(Some(config));
        Self {
            state,
            started: false,
            mute: Mute::Off,
            volume: Volume::AS_SENT,
            chosen: (None, None),
            loudness: Loudness::default(),
        }
    }

    /// Opens everything now. Sound systems can take their time: not on the runtime's threads.
    pub(in crate::session) async fn opened(config: VoiceConfig) -> Result<Self, SessionError> {
        let mut sound = Self::shut(config);
        sound.open();
        if let State::Opening(job) = &mut sound.state {
            let opened = joined(job).await?;
            sound.take(opened);
        }
        Ok(sound)
    }

    pub(in crate::session) fn loudness(&self) -> Loudness {
        self.loudness.clone()
    }

    /// Begins to open what is not open.
    pub(super) fn open(&mut self) {
        if let State::Shut(config) = &mut self.state
            && let Some(config) = config.take()
        {
            self.state = State::Opening(spawn_blocking(move || VoiceEngine::open(config)));
        }
    }

    /// Sound flows from now on, or from when everything is open.
    pub(super) fn start(&mut self) {
        self.started = true;
        if let Some(engine) = self.engine() {
            engine.start();
        }
    }

    pub(super) fn set_muted(&mut self, mute: Mute) {
        self.mute = mute;
        if let Some(engine) = self.engine() {
            engine.set_muted(mute);
        }
    }

    pub(super) fn set_volume(&mut self, volume: Volume) {
        self.volume = volume;
        if let Some(engine) = self.engine() {
            engine.set_volume(volume);
        }
    }

    pub(super) fn set_microphone(&mut self, source: AudioSource) {
        match &mut self.state {
            State::Shut(config) => config.iter_mut().for_each(|config| config.source = source.clone()),
            State::Opening(_) => self.chosen.0 = Some(source),
            State::Open(engine, _) => engine.choose_source(source),
        }
    }

    pub(super) fn set_loudspeaker(&mut self, sink: AudioSink) {
        match &mut self.state {
            State::Shut(config) => config.iter_mut().for_each(|config| config.sink = sink.clone()),
            State::Opening(_) => self.chosen.1 = Some(sink),
            State::Open(engine, _) => engine.choose_sink(sink),
        }
    }

    pub(super) fn handle_report(&self, supported: Supported, reported: Reported) {
        if let Some(engine) = self.engine() {
            engine.handle_report(supported, reported);
        }
    }

    pub(super) fn handle_round_trip(&self, latest: Duration) {
        if let Some(engine) = self.engine() {
            engine.handle_round_trip(latest);
        }
    }

    pub(super) fn handle_new_way(&self) {
        if let Some(engine) = self.engine() {
            engine.handle_new_way();
        }
    }

    /// A packet of the other end; nobody hears it while the loudspeaker is not open.
    pub(super) fn insert(&self, packet: ReceivedPacket) {
        if let Some(engine) = self.engine() {
            engine.insert(packet);
        }
    }

    pub(super) fn playout(&self) -> PlayoutStats {
        self.engine().map(|engine| engine.stats().playout).unwrap_or_default()
    }

    /// What comes next; events before the packets they precede. Cancel safe.
    pub(super) async fn next(&mut self) -> SoundNews {
        loop {
            match &mut self.state {
                State::Shut(_) => return pending().await,
                State::Opening(job) => match joined(job).await {
                    Ok(opened) => self.take(opened),
                    Err(error) => {
                        self.state = State::Shut(None);
                        return SoundNews::Refused(error);
                    }
                },
                State::Open(_, VoiceIo { packets, events }) => {
                    return tokio::select! {
                        biased;
                        Some(event) = events.recv() => SoundNews::Event(event),
                        Some(packet) = packets.recv() => SoundNews::Packet(packet),
                        else => pending().await,
                    };
                }
            }
        }
    }

    /// Finishes sound files and closes devices.
    pub(super) async fn close(self) {
        let engine = match self.state {
            State::Shut(_) => return,
            State::Opening(mut job) => joined(&mut job).await.map(|(engine, _)| engine),
            State::Open(engine, _) => Ok(engine),
        };
        let Ok(engine) = engine else { return };
        if spawn_blocking(move || engine.close()).await.is_err() {
            tracing::warn!("closing the sound devices was interrupted");
        }
    }

    fn take(&mut self, (engine, io): (VoiceEngine, VoiceIo)) {
        engine.set_muted(self.mute);
        engine.set_volume(self.volume);
        let (source, sink) = std::mem::take(&mut self.chosen);
        source.into_iter().for_each(|source| engine.choose_source(source));
        sink.into_iter().for_each(|sink| engine.choose_sink(sink));
        // A session opens its devices once.
        let _ = self.loudness.0.set(engine.meters());
        match self.started {
            true => engine.start(),
            false => engine.listen(),
        }
        self.state = State::Open(engine, io);
    }

    const fn engine(&self) -> Option<&VoiceEngine> {
        match &self.state {
            State::Open(engine, _) => Some(engine),
            State::Shut(_) | State::Opening(_) => None,
        }
    }
}

impl Loudness {
    pub(in crate::session) fn read(&self) -> Levels {
        self.0.get().map(Meters::read).unwrap_or_default()
    }
}

async fn joined(job: &mut JoinHandle<Opened>) -> Opened {
    let interrupted =
        |_| DeviceError::Internal { why: "opening the sound devices was interrupted".to_owned() };
    job.await.map_err(interrupted)?
}
