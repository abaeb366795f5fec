//! The two ends of the media thread: where blocks come from, where they go, and how a lost device is
//! opened again, or another one in its place.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::device::{
    AudioSink, AudioSource, ClockedSink, ClockedSource, DeviceError, Loudspeaker, Microphone,
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
    Lost(Pending<Box<Microphone>>),
}

/// Where blocks go.
pub(super) enum SinkEnd {
    /// A loudspeaker, at its own pace.
    Card(Box<Loudspeaker>),
    /// Something that the media clock moves.
    Clocked(ClockedSink),
    /// A lost loudspeaker: nowhere on the media clock, until it is open again.
    Lost(Pending<Box<Loudspeaker>>),
}

impl SourceEnd {
    pub(super) fn open(source: &AudioSource) -> Result<Self, DeviceError> {
        match ClockedSource::open(source)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => Microphone::of(source).map(|card| Self::Card(Box::new(card))),
        }
    }

    pub(super) fn reopen(source: AudioSource) -> Self {
        Self::Lost(Pending::again(move || started_microphone(&source)))
    }

    /// Opens another one, whose sound flows at once.
    pub(super) fn choose(source: AudioSource) -> Pending<Result<Self, DeviceError>> {
        Pending::once(move || match ClockedSource::open(&source)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => started_microphone(&source).map(Self::Card),
        })
    }
}

impl SinkEnd {
    pub(super) fn open(sink: &AudioSink) -> Result<Self, DeviceError> {
        match ClockedSink::open(sink)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => Loudspeaker::of(sink).map(|card| Self::Card(Box::new(card))),
        }
    }

    pub(super) fn reopen(sink: AudioSink) -> Self {
        Self::Lost(Pending::again(move || started_loudspeaker(&sink)))
    }

    /// Opens another one, which asks for sound at once.
    pub(super) fn choose(sink: AudioSink) -> Pending<Result<Self, DeviceError>> {
        Pending::once(move || match ClockedSink::open(&sink)? {
            Some(clocked) => Ok(Self::Clocked(clocked)),
            None => started_loudspeaker(&sink).map(Self::Card),
        })
    }
}

/// Something that is opened on a thread of its own, since a sound server may take its time.
pub(super) struct Pending<T> {
    opened: Receiver<T>,
    /// Nobody waits for it once this is gone.
    _wanted: Arc<()>,
}

impl<T: Send + 'static> Pending<T> {
    /// What it has come to.
    pub(super) fn take(&self) -> Option<T> {
        self.opened.try_recv().ok()
    }

    /// Tries until it succeeds, or nobody waits any more.
    fn again(open: impl Fn() -> Result<T, DeviceError> + Send + 'static) -> Self {
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        Self::on_the_side(wanted, move |opened| {
            while still.strong_count() > 0 {
                thread::sleep(RETRY);
                match open() {
                    Ok(device) => return drop(opened.send(device)),
                    Err(error) => tracing::debug!(%error, "a lost device is still gone"),
                }
            }
        })
    }

    fn on_the_side(wanted: Arc<()>, work: impl FnOnce(SyncSender<T>) + Send + 'static) -> Self {
        let (sender, opened) = sync_channel(1);
        let spawned = thread::Builder::new().name("silbo-open".to_owned()).spawn(move || work(sender));
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread to open a sound device with");
        }
        Self { opened, _wanted: wanted }
    }
}

impl<T: Send + 'static> Pending<Result<T, DeviceError>> {
    fn once(open: impl FnOnce() -> Result<T, DeviceError> + Send + 'static) -> Self {
        Self::on_the_side(Arc::new(()), move |opened| drop(opened.send(open())))
    }
}

fn started_microphone(source: &AudioSource) -> Result<Box<Microphone>, DeviceError> {
    let microphone = Box::new(Microphone::of(source)?);
    microphone.start()?;
    Ok(microphone)
}

fn started_loudspeaker(sink: &AudioSink) -> Result<Box<Loudspeaker>, DeviceError> {
    let loudspeaker = Box::new(Loudspeaker::of(sink)?);
    loudspeaker.start()?;
    Ok(loudspeaker)
}

/// A device whose callbacks stand still for this long is dead.
pub(super) const SILENT_DEATH: Duration = Duration::from_secs(1);
