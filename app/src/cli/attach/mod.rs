//! One process owns a profile; errands of others are handed to it through a socket in the profile's folder.
//!
//! ```text
//!   silbo lookup bob                           silbo online (owns the profile)
//!     {"argv":["lookup","bob"],"t_ms":3}  ──▶  parses, runs the errand
//!     prints, ends with 0                 ◀──  {"out":".."}* {"err":".."}* {"exit":0}   or {"busy":true}
//! ```
//!
//! One connection carries one errand. The folder is the owner's alone, and so is the socket.

#[cfg(unix)]
mod client;
#[cfg(unix)]
mod server;
#[cfg(any(unix, test))]
mod wire;

use super::{Opened, args::Global, open, print::Printer};
use crate::{engine::errand::Desk, reason::Reason};
use overlay::Network;
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The socket's name within the profile.
#[cfg(unix)]
const SOCKET: &str = "control.sock";
/// How long an owner that does not listen, because it begins or ends, is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is tried meanwhile.
const EVERY: Duration = Duration::from_millis(50);

/// Who runs an errand.
pub(super) enum Turn {
    /// We do: the profile is ours.
    Ours(Box<Opened>),
    /// Its owner did, with this exit status.
    Answered(u8),
}

/// Takes the profile, or hands what is written on our command line to whoever has it.
pub(super) fn open_or_ask(global: &Global, printer: &Printer) -> Result<Turn, Reason> {
    let until = Instant::now() + PATIENCE;
    loop {
        let locked = match open(global) {
            Err(locked @ Reason::ProfileLocked(_)) => locked,
            opened => return opened.map(|opened| Turn::Ours(Box::new(opened))),
        };
        if let Some(status) = ask(&super::folder(global)?, printer)? {
            return Ok(Turn::Answered(status));
        }
        if Instant::now() >= until {
            return Err(locked);
        }
        thread::sleep(EVERY);
    }
}

/// Listens for errands until dropped.
#[cfg(unix)]
pub(super) fn listen(folder: &Path, network: Network, desk: Desk) -> Option<server::Listening> {
    server::Listening::start(&folder.join(SOCKET), network, desk)
        .inspect_err(|error| tracing::warn!(%error, "other commands cannot use this profile meanwhile"))
        .ok()
}

/// Nobody can attach on this system yet: they are told that the profile is in use.
#[cfg(not(unix))]
pub(super) fn listen(_: &Path, _: Network, _: Desk) {}

#[cfg(unix)]
fn ask(folder: &Path, printer: &Printer) -> Result<Option<u8>, Reason> {
    client::ask(&folder.join(SOCKET), printer)
}

#[cfg(not(unix))]
fn ask(_: &Path, _: &Printer) -> Result<Option<u8>, Reason> {
    Ok(None)
}
