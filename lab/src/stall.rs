//! Whether this machine let anybody work: a call runs in real time, and a machine that stands still for a moment spoils
//! its sound through no fault of the program.

use crate::process::{Place, Silbo, Turn};
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A thread that sleeps and looks how much too late it is woken.
#[derive(Debug)]
pub struct StallWatch {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

/// A process that tells when this machine stood still, for measurements of single moments: as eager for the processor as
/// those it watches for, so that what it sees is the machine's doing and not theirs.
#[derive(Debug)]
pub struct StallLog(Silbo);

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "stall-watch";

/// Who stands still for longer is heard, perhaps.
pub const STALL: Duration = Duration::from_millis(20);

impl StallLog {
    /// Starts to watch; the program running must serve [`WORD`] by calling [`serve`].
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut command = Place::Here.command_at(Turn::First, std::env::current_exe()?);
        command.arg(WORD);
        let mut watch = Silbo::spawn("stalls", command, folder)?;
        watch.expect("watching", Duration::from_secs(10))?;
        Ok(Self(watch))
    }

    /// The longest time the machine stood still between two moments, in Unix milliseconds.
    pub fn longest(&mut self, from: i64, to: i64) -> i64 {
        let stalls = self.0.seen_named("stall").into_iter().filter_map(|stall| {
            let (until, ms) = (stall["unix_ms"].as_i64()?, stall["ms"].as_i64()?);
            (until >= from && until - ms <= to).then_some(ms)
        });
        stalls.max().unwrap_or(0)
    }
}

/// Tells every stall, until it is killed.
pub fn serve() -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "event": "watching" }))?;
    loop {
        let asleep = Instant::now();
        std::thread::sleep(STEP);
        let late = asleep.elapsed().saturating_sub(STEP);
        if late > STALL {
            writeln!(
                out,
                "{}",
                json!({ "event": "stall", "unix_ms": unix_ms(), "ms": late.as_millis() as u64 })
            )?;
        }
    }
}

/// The wall clock, as events tell it.
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
