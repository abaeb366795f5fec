//! Whether this machine let anybody work: a call runs in real time, and a machine that stands still for a moment spoils
//! its sound through no fault of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread that sleeps and looks how much too late it is woken.
#[derive(Debug)]
pub struct StallWatch {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

/// Lateness that everybody must live with.
const USUAL: Duration = Duration::from_millis(15);
const STEP: Duration = Duration::from_millis(5);

impl StallWatch {
    /// Starts to watch.
    pub fn start() -> std::io::Result<Self> {
        let done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&done);
        let thread = std::thread::Builder::new().name("stall watch".into()).spawn(move || {
            let mut stalled = Duration::ZERO;
            while !told.load(Ordering::Relaxed) {
                let asleep = Instant::now();
                std::thread::sleep(STEP);
                let late = asleep.elapsed().saturating_sub(STEP);
                if late > USUAL {
                    stalled += late;
                }
            }
            stalled
        })?;
        Ok(Self { done, thread })
    }

    /// Time lost in stalls longer than the usual, all together.
    pub fn stop(self) -> Duration {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
