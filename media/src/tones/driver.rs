//! Plays a [`Tone`] on a loudspeaker, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Loudness, Tone, Whistle};
use crate::device::{AudioSink, DeviceError, Loudspeaker};
use crate::frame::duration_of;

/// How often the loudspeaker is looked at.
const POLL: Duration = Duration::from_millis(5);

/// A tone that is heard until this is dropped, or it comes to its end.
#[derive(Debug)]
pub struct Player {
    stopped: Arc<AtomicBool>,
}

impl Player {
    /// Begins. Nothing is played where the sink is no loudspeaker, so that files hold the call alone; one that does not
    /// work is logged, since the call will say so itself. The loudspeaker is opened on the thread: a sound server may
    /// take its time.
    pub fn start(tone: Tone, sink: &AudioSink) -> Option<Self> {
        Self::start_at(tone, Loudness::Usual, sink)
    }

    /// Begins so loud; one that is silent opens no loudspeaker.
    pub fn start_at(tone: Tone, loudness: Loudness, sink: &AudioSink) -> Option<Self> {
        if !sink.is_device() || loudness == Loudness::Silent {
            return None;
        }
        let sink = sink.clone();
        let stopped = Arc::new(AtomicBool::new(false));
        let player = Self { stopped: Arc::clone(&stopped) };
        let run = move || {
            if let Err(error) = play(tone, loudness, &sink, &stopped) {
                tracing::warn!(%error, ?tone, "it is not heard");
            }
        };
        match thread::Builder::new().name("silbo-tone".to_owned()).spawn(run) {
            Ok(_) => Some(player),
            Err(error) => {
                tracing::warn!(%error, "no thread to play a tone on");
                None
            }
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

fn play(tone: Tone, loudness: Loudness, sink: &AudioSink, stopped: &AtomicBool) -> Result<(), DeviceError> {
    let mut speaker = Loudspeaker::of(sink)?;
    speaker.start()?;
    let mut whistle = Whistle::new(tone);
    while !stopped.load(Ordering::Acquire) && !speaker.pulse().is_broken() {
        while speaker.wants_more() {
            let Some(block) = whistle.next() else {
                thread::sleep(duration_of(speaker.waiting() as u64) + POLL);
                return Ok(());
            };
            speaker.write(&block.map(|sample| sample * loudness.factor()));
        }
        thread::sleep(POLL);
    }
    Ok(())
}
