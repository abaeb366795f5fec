//! The two ends of the media thread: where blocks come from, where they go, and how a lost device is
//! opened again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use super::Shared;
use crate::device::{
    AudioSink, AudioSource, ClockedSink, ClockedSource, DeviceError, Direction, Loudspeaker, Microphone,
};

/// How long to wait before each attempt to open a lost device.
const RETRY: Duration = Duration::from_millis(200);

/// Where blocks come from.
pub(super) enum SourceEnd {
    /// A microphone, at its own pace.
    Card(Box<Microphone>),
    /// Something that the media clock moves.
    Clocked(ClockedSource),
    /// A lost microphone: silence on the media clock, until it is open again.
    Lost(Receiver<Box<Microphone>>),
}

/// Where blocks go.
pub(super) enum SinkEnd {
    /// A loudspeaker, at its own pace.
    Card(Box<Loudspeaker>),
    /// Something that the media clock moves.
    Clocked(ClockedSink),
    /// A lost loudspeaker: nowhere on the media clock, until it is open again.
    Lost(Receiver<Box<Loudspeaker>>),
}

impl SourceEnd {
    pub(super) fn open(source: &AudioSource) -> Result<Self, DeviceError> {
        match ClockedSource::open(source)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => microphone(source).map(Self::Card),
        }
    }

    pub(super) fn reopen(source: AudioSource, shared: &Arc<Shared>) -> Self {
        Self::Lost(again(shared, move || {
            let microphone = microphone(&source)?;
            microphone.start()?;
            Ok(microphone)
        }))
    }
}

impl SinkEnd {
    pub(super) fn open(sink: &AudioSink) -> Result<Self, DeviceError> {
        match ClockedSink::open(sink)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => loudspeaker(sink).map(Self::Card),
        }
    }

    pub(super) fn reopen(sink: AudioSink, shared: &Arc<Shared>) -> Self {
        Self::Lost(again(shared, move || {
            let loudspeaker = loudspeaker(&sink)?;
            loudspeaker.start()?;
            Ok(loudspeaker)
        }))
    }
}

/// What a device that is opened on the side has come to.
pub(super) fn reopened<T>(pending: &Receiver<T>) -> Option<T> {
    pending.try_recv().ok()
}

/// Tries on a thread of its own, since a sound server may take its time; ends with the engine.
fn again<T: Send + 'static>(
    shared: &Arc<Shared>,
    open: impl Fn() -> Result<T, DeviceError> + Send + 'static,
) -> Receiver<T> {
    let (found, pending) = sync_channel(1);
    let shared = Arc::clone(shared);
    let attempt = move || {
        while !shared.closing.load(Ordering::Acquire) {
            thread::sleep(RETRY);
            match open() {
                Ok(device) => return drop(found.send(device)),
                Err(error) => tracing::debug!(%error, "a lost device is still gone"),
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("silbo-reopen".to_owned()).spawn(attempt) {
        tracing::warn!(%error, "no thread to open a lost device with");
    }
    pending
}

fn microphone(source: &AudioSource) -> Result<Box<Microphone>, DeviceError> {
    match source {
        AudioSource::Device(id) => Microphone::open(Some(id)).map(Box::new),
        _ => Microphone::open(None).map(Box::new),
    }
}

fn loudspeaker(sink: &AudioSink) -> Result<Box<Loudspeaker>, DeviceError> {
    match sink {
        AudioSink::Device(id) => Loudspeaker::open(Some(id)).map(Box::new),
        _ => Loudspeaker::open(None).map(Box::new),
    }
}

/// A device whose callbacks stand still for this long is dead.
pub(super) const SILENT_DEATH: Duration = Duration::from_secs(1);

/// Says that a device died.
pub(super) fn died(direction: Direction) -> DeviceError {
    DeviceError::Lost { direction, why: "the sound system stopped it".to_owned() }
}
