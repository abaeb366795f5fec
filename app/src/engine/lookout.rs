//! The camera outside a call: looked through for a code, or by somebody who wants to see what others would see.
//!
//! ```text
//!   Closed ── wished ──▶ Open ── closed, left alone, a call ──▶ Closed
//!                          └── lost ──▶ Failed
//! ```
//! It is open for one of them at a time: whoever wants it next waits until it was let go.

use super::actor::{Actor, Done};
use super::reasons::of_pictures;
use crate::reason::Reason;
use media::video::driver::{Preview, VideoError, VideoSource, Viewfinder};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A camera that is left open is closed after so long.
pub(super) const LONGEST: Duration = Duration::from_secs(120);
/// How often whoever has it looks whether it is still wanted.
pub(super) const GLANCE: Duration = Duration::from_millis(100);

/// What somebody sees who tries the camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum CameraPreview {
    /// Nobody wants to.
    #[default]
    Closed,
    /// The camera is open.
    Open(Viewfinder),
    /// It gives no pictures.
    Failed(Reason),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Previewed {
    Lost(VideoError),
    /// It was left open.
    Forgotten,
    /// It is not wanted any more.
    Stopped,
}

/// Who has the camera.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    gate: Arc<Mutex<()>>,
    open: Option<Wanted>,
}

/// It is wanted while this lives.
#[derive(Debug)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The right to open the camera once nobody else has it.
#[derive(Debug)]
pub(super) struct Turn {
    gate: Arc<Mutex<()>>,
    stopped: Arc<AtomicBool>,
}

impl Lookout {
    /// Whoever has it lets it go.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// The same, and it is somebody else's.
    pub(super) fn next(&mut self) -> Turn {
        let stopped = Arc::new(AtomicBool::new(false));
        self.open = Some(Wanted(Arc::clone(&stopped)));
        Turn { gate: Arc::clone(&self.gate), stopped }
    }
}

impl Turn {
    /// Waits until the camera is free, opens it, and looks through it until there is an answer; nothing where it is not
    /// wanted any more. Blocks.
    pub(super) fn look<T>(
        &self,
        source: VideoSource,
        finder: Viewfinder,
        mut glance: impl FnMut(&Preview) -> Option<T>,
    ) -> Result<Option<T>, VideoError> {
        // Whoever panicked with it has let it go.
        let _alone = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped.load(Ordering::Acquire) {
            return Ok(None);
        }
        let preview = Preview::open_into(source, finder)?;
        while !self.stopped.load(Ordering::Acquire) {
            if let Some(error) = preview.lost() {
                return Err(error);
            }
            if let Some(answer) = glance(&preview) {
                return Ok(Some(answer));
            }
            thread::park_timeout(GLANCE);
        }
        Ok(None)
    }
}

impl Actor {
    /// The camera of this profile.
    pub(super) fn camera_source(&self) -> VideoSource {
        match &self.config.video.source {
            VideoSource::None => VideoSource::Default,
            chosen => chosen.clone(),
        }
    }

    /// Shows what others would see.
    pub(super) fn preview_camera(&mut self) {
        let (turn, finder, source) = (self.lookout.next(), Viewfinder::default(), self.camera_source());
        self.picture.view.preview = CameraPreview::Open(finder.clone());
        self.jobs.spawn_blocking(move || Done::Previewed(watch(&turn, source, finder)));
    }

    /// Closes it, if it is open for that.
    pub(super) fn stop_preview(&mut self) {
        if matches!(self.picture.view.preview, CameraPreview::Open(_)) {
            self.lookout.close();
        }
        self.picture.view.preview = CameraPreview::Closed;
    }

    pub(super) fn previewed(&mut self, came: Previewed) {
        if !matches!(self.picture.view.preview, CameraPreview::Open(_)) {
            return;
        }
        self.picture.view.preview = match came {
            Previewed::Lost(error) => CameraPreview::Failed(of_pictures(&error)),
            Previewed::Forgotten => CameraPreview::Closed,
            Previewed::Stopped => return,
        };
        self.lookout.close();
    }
}

fn watch(turn: &Turn, source: VideoSource, finder: Viewfinder) -> Previewed {
    let until = Instant::now() + LONGEST;
    match turn.look(source, finder, |_| (Instant::now() > until).then_some(())) {
        Ok(Some(())) => Previewed::Forgotten,
        Ok(None) => Previewed::Stopped,
        Err(error) => Previewed::Lost(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_camera_is_open_for_one_at_a_time_and_closes_for_the_next() {
        let mut lookout = Lookout::default();
        let (first, open) = (lookout.next(), Arc::new(AtomicBool::new(false)));
        let (told, heard) = mpsc::channel();
        let looks = {
            let open = Arc::clone(&open);
            thread::Builder::new().name("looks".to_owned()).spawn(move || {
                let looked = first.look::<()>(VideoSource::Pattern, Viewfinder::default(), |_| {
                    open.store(true, Ordering::Release);
                    // Nobody waits for it any more once it was told.
                    let _ = told.send(());
                    None
                });
                open.store(false, Ordering::Release);
                looked
            })
        };
        heard.recv().unwrap();
        let second = lookout.next();
        let finder = Viewfinder::default();
        let seen = second.look(VideoSource::Pattern, finder.clone(), |preview| {
            assert!(preview.lost().is_none());
            finder.latest()
        });
        assert!(seen.unwrap().is_some());
        assert!(!open.load(Ordering::Acquire), "the first one was let go before");
        assert!(looks.unwrap().join().unwrap().unwrap().is_none());
        assert!(finder.latest().is_none(), "and now it is closed");
    }

    #[test]
    fn a_turn_that_is_not_wanted_any_more_opens_nothing() {
        let mut lookout = Lookout::default();
        let turn = lookout.next();
        lookout.close();
        let nowhere = VideoSource::Device("/nowhere/video".into());
        assert!(turn.look::<()>(nowhere, Viewfinder::default(), |_| None).unwrap().is_none());
    }

    #[test]
    fn a_camera_that_is_not_there_is_told_of() {
        let mut lookout = Lookout::default();
        let nowhere = VideoSource::Device("/nowhere/video".into());
        assert!(matches!(watch(&lookout.next(), nowhere, Viewfinder::default()), Previewed::Lost(_)));
    }
}
