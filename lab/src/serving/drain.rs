//! A supernode that is asked to end while a call is relayed.

use super::{PATIENCE, supernode};
use crate::process::Silbo;
use crate::turn::{Party, relay_of};
use anyhow::{Result, ensure};
use relay::client::TurnFailure;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the call goes on after that.
const AFTER: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(20);

/// How it went.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Packets sent to each other after the supernode was asked to end, and those of them that arrived.
    pub sent: u64,
    /// See `sent`.
    pub arrived: u64,
    /// From the request to end until the process was gone, in milliseconds.
    pub ended_after_ms: u128,
    /// Its exit status.
    pub status: i32,
}

/// How a supernode is told once more, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The call goes on until its time is up.
    Wait,
    /// A second signal.
    Insist,
}

/// Asks a supernode that relays a call to end within `within`.
pub fn play(within: Duration, then: Then, folder: &Path) -> Result<Outcome> {
    let (mut supernode, relay) = supernode(folder, &["--drain", &within.as_secs().to_string()])?;
    let (server, credentials) = relay_of(&relay)?;
    let mut pair = Party::pair(server, &credentials, 1)?;
    let asked = Instant::now();
    supernode.interrupt()?;
    let draining = supernode.expect("draining", PATIENCE)?;
    ensure!(draining["allocations"] == 2, "{draining}");
    // Nobody new.
    let refused = Party::new(server.ip(), server, credentials, 9)?.refused()?;
    ensure!(refused == TurnFailure::Full, "a newcomer was told: {refused}");
    let (sent, arrived) = talk(&mut pair, AFTER)?;
    if then == Then::Insist {
        supernode.interrupt()?;
    }
    let status = end(&mut supernode, &mut pair, within)?;
    Ok(Outcome { sent, arrived, ended_after_ms: asked.elapsed().as_millis(), status })
}

/// Both talk to each other.
fn talk(pair: &mut [Party; 2], length: Duration) -> Result<(u64, u64)> {
    let (mut sent, mut arrived) = (0, 0);
    let until = Instant::now() + length;
    while Instant::now() < until {
        for party in pair.iter_mut() {
            party.say(&[b'a'; 172])?;
            sent += 1;
        }
        std::thread::sleep(EVERY);
        for party in pair.iter_mut() {
            party.step(|_| arrived += 1)?;
        }
    }
    std::thread::sleep(EVERY);
    for party in pair.iter_mut() {
        party.step(|_| arrived += 1)?;
    }
    Ok((sent, arrived))
}

/// The call goes on until the supernode is gone.
fn end(supernode: &mut Silbo, pair: &mut [Party; 2], within: Duration) -> Result<i32> {
    let deadline = Instant::now() + within + PATIENCE;
    while Instant::now() < deadline {
        // Once the relay is gone, nothing is delivered.
        let _ = talk(pair, EVERY);
        if let Ok(status) = supernode.exit_status(EVERY) {
            return Ok(status);
        }
    }
    supernode.exit_status(PATIENCE)
}
