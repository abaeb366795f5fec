//! Looks through a camera outside a call: to see whether it works, or to read what somebody holds before it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use super::capture::Source;
use super::{VideoError, VideoSource, Viewfinder, lock, spawn};
use crate::video::frame::I420;

/// A camera that is open while this lives.
#[derive(Debug)]
pub struct Preview {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    closing: AtomicBool,
    viewfinder: Viewfinder,
    /// The newest picture and its number, in full.
    newest: Mutex<Option<(u64, I420)>>,
    lost: Mutex<Option<VideoError>>,
}

impl Preview {
    /// Opens it on a thread of its own; what fails is told by [`Self::lost`].
    pub fn open(source: VideoSource) -> Result<Self, VideoError> {
        Self::open_into(source, Viewfinder::default())
    }

    /// The same for who looks already.
    pub fn open_into(source: VideoSource, viewfinder: Viewfinder) -> Result<Self, VideoError> {
        let shared = Arc::new(Shared { viewfinder, ..Shared::default() });
        let looking = Arc::clone(&shared);
        let thread = spawn("silbo-preview", move || looking.run(&source))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What it sees, small.
    pub fn viewfinder(&self) -> Viewfinder {
        self.shared.viewfinder.clone()
    }

    /// The newest picture as it was taken, and its number: the same number means the same picture.
    pub fn newest(&self) -> Option<(u64, I420)> {
        lock(&self.shared.newest).clone()
    }

    /// Why there are no more pictures; told once.
    pub fn lost(&self) -> Option<VideoError> {
        lock(&self.shared.lost).take()
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("the thread of a preview panicked");
        }
    }
}

impl Shared {
    fn run(&self, source: &VideoSource) {
        if let Err(error) = self.look(source) {
            tracing::warn!(%error, "no pictures come from there");
            *lock(&self.lost) = Some(error);
        }
        self.viewfinder.clear();
        *lock(&self.newest) = None;
    }

    fn look(&self, source: &VideoSource) -> Result<(), VideoError> {
        let Some(mut source) = Source::open(source)? else { return Ok(()) };
        let (mut next, mut number) = (Instant::now(), 0);
        while !self.closing.load(Ordering::Acquire) {
            if !source.is_due(next)? {
                continue;
            }
            let now = Instant::now();
            next = now + source.interval();
            if let Some(picture) = source.next(now, false)? {
                number += 1;
                self.viewfinder.offer(&picture);
                *lock(&self.newest) = Some((number, picture));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn until<T>(mut answer: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = answer() {
                return answer;
            }
            assert!(Instant::now() < deadline, "it never came");
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_a_camera_sees_is_there_in_full_and_small_until_nobody_looks_through_it() {
        let preview = Preview::open(VideoSource::Pattern).unwrap();
        let finder = preview.viewfinder();
        let (first, picture) = until(|| preview.newest());
        assert_eq!(picture.size().height(), 720);
        assert_eq!(until(|| finder.latest()).1.size().height(), 180);
        until(|| preview.newest().filter(|(number, _)| *number > first));
        drop(preview);
        assert!(finder.latest().is_none(), "it is closed");
    }

    #[test]
    fn a_camera_that_is_not_there_is_told_of() {
        let preview = Preview::open(VideoSource::Device("/nowhere/video".into())).unwrap();
        assert!(matches!(until(|| preview.lost()), VideoError::Camera(_)));
        assert!(preview.newest().is_none());
    }
}
