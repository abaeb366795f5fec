//! The thread of one session, with a runtime of its own.
//!
//! A call wakes for each packet that comes and goes, a hundred times a second. On a runtime of many threads each of these wakes
//! a second thread, to look whether there is more to do; and whatever else goes on there makes a voice wait.

use std::io;
use std::thread;

use tokio::runtime::{Builder, EnterGuard, Runtime};

/// A runtime that has not run yet. What belongs to the session is opened while it is entered.
pub(super) struct SessionThread(Option<Runtime>);

impl SessionThread {
    pub(super) fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    /// Sockets that are opened meanwhile are this thread's.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }

    /// Runs `task` to its end, which is the thread's.
    pub(super) fn run(mut self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Some(runtime) = self.0.take() else { return Ok(()) };
        let run = move || runtime.block_on(task);
        thread::Builder::new().name("silbo-call".to_owned()).spawn(run).map(drop)
    }
}

impl Drop for SessionThread {
    fn drop(&mut self) {
        // Whoever gives up a session may be on a runtime, which must not wait for another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
