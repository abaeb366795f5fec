//! Calls that find a direct way where nothing punches: between a home whose router takes one public port for everybody and
//! one whose router takes another for each (RFC 4787 §4.1), real `silbo` processes guess.
//!
//! ```text
//!   answered ──▶ sound, relayed ──▶ guesses beside it ──▶ direct ── 3 s ──▶ hang up
//!                                                          └ missing at each listener in the seconds that touch
//!                                                            [change − 0.1 s, change + 1.5 s]
//! ```
//!
//! The router that takes another port for each draws it by lot from all above 1023 (nftables' `masquerade fully-random`),
//! so that nothing can be predicted. Both are measured from outside before they count ([`reflect`]). What is missing is
//! counted as in [`crate::outlive`]; that both are heard all the time is judged by every second of the recordings.

use crate::netns::Home;
use crate::outlive::{AFTER_MS, AUDIBLE, BEFORE_MS, Missing, PATIENCE, Town, missed_by};
use crate::process::{Place, Silbo, run};
use crate::reflect;
use crate::script::unix_ms;
use anyhow::{Context as _, Result, ensure};
use relay::nat::Uplink;
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How long a call is given to become direct, from its answer, before it is hung up.
const GUESSED_WITHIN: Duration = Duration::from_secs(20);
/// Sound after the change.
const LAST: Duration = Duration::from_secs(3);

/// UDP sockets of a host whose call goes directly: its links', its relays' and its own.
const MAX_SOCKETS: usize = 24;

/// Who lives behind the router that takes another port for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hard {
    /// Who is called.
    Callee,
    /// Who calls.
    Caller,
}

impl Hard {
    /// Both orders.
    pub const ALL: [Self; 2] = [Self::Callee, Self::Caller];

    const fn uplinks(self) -> [(Home, Uplink); 2] {
        match self {
            Self::Callee => [(Home::A, Uplink::PortRestricted), (Home::B, Uplink::Symmetric)],
            Self::Caller => [(Home::A, Uplink::Symmetric), (Home::B, Uplink::PortRestricted)],
        }
    }
}

/// What became of one call.
#[derive(Debug, Clone, Serialize)]
pub struct Guessed {
    /// Who was hard.
    pub hard: Hard,
    /// From alice's `answered` until both ends said that they are direct.
    pub direct_ms: Option<i64>,
    /// What was missed around the change, if there was one.
    pub missing: Option<Missing>,
    /// Seconds after the first sound in which alice or bob heard nothing.
    pub silent_seconds: usize,
}

impl Town {
    /// Makes one call between routers that must guess.
    pub fn guess(&mut self, hard: Hard) -> Result<Guessed> {
        for (home, uplink) in hard.uplinks() {
            reflect::put(&self.internet, home, uplink)?;
        }
        let heard = self.recordings();
        let mut both = self.connect()?;
        let answered = both[0].seen_named("answered");
        let answered = unix_ms(answered.first().context("alice was never answered")?)?;
        let missing = match direct_at(&mut both)? {
            Some(changed) => {
                std::thread::sleep(LAST);
                Some((changed, self.missed_around(&mut both, changed)?))
            }
            None => None,
        };
        if missing.is_some() {
            for (home, _) in hard.uplinks() {
                let open = sockets(&home.host())?;
                ensure!(open <= MAX_SOCKETS, "{home:?} has {open} UDP sockets left");
            }
        }
        let [mut alice, mut bob] = both;
        for who in [&mut alice, &mut bob] {
            let ended = who.seen_named("ended");
            ensure!(ended.is_empty(), "the call ended by itself: {ended:?}");
            let back = who.seen_named("path").last().is_some_and(|way| way["direct"] != missing.is_some());
            ensure!(!back, "the direct way was lost again: {:?}", who.seen_named("path"));
        }
        alice.command(&json!({ "do": "hangup" }))?;
        alice.succeed(PATIENCE)?;
        bob.succeed(PATIENCE)?;
        let silent = heard.iter().map(|recording| silent_seconds(recording)).collect::<Result<Vec<_>>>()?;
        let (changed, missing) = missing.unzip();
        let direct_ms = changed.map(|changed| changed.into_iter().max().unwrap_or(answered) - answered);
        Ok(Guessed { hard, direct_ms, missing, silent_seconds: silent.into_iter().sum() })
    }

    /// Each end changes for itself.
    fn missed_around(&mut self, both: &mut [Silbo; 2], changed: [i64; 2]) -> Result<Missing> {
        let (from, to) = (changed[0].min(changed[1]) - BEFORE_MS, changed[0].max(changed[1]) + AFTER_MS);
        let [alice, bob] = both;
        let (alice_ms, bob_ms) = (missed_by(alice, from, to)?, missed_by(bob, from, to)?);
        Ok(Missing { alice_ms, bob_ms, machine_stalled_ms: self.stalls.longest(from, to) })
    }
}

/// When each end first said that its packets go directly, once both have.
fn direct_at(both: &mut [Silbo; 2]) -> Result<Option<[i64; 2]>> {
    let mut changed = [0; 2];
    for (who, changed) in both.iter_mut().zip(&mut changed) {
        let is_direct = |event: &serde_json::Value| event["event"] == "path" && event["direct"] == true;
        let seen = who.seen().iter().find(|event| is_direct(event)).cloned();
        let found = match seen {
            Some(event) => Some(event),
            // The other end's time runs at the same time; what it said meanwhile is seen above.
            None => who.expect_where("direct way", GUESSED_WITHIN, is_direct).ok(),
        };
        match found {
            Some(event) => *changed = unix_ms(&event)?,
            None => return Ok(None),
        }
    }
    Ok(Some(changed))
}

/// UDP sockets open at a host.
fn sockets(host: &Place) -> Result<usize> {
    Ok(run(host.command("cat").args(["/proc/net/udp"]))?.lines().skip(1).count())
}

/// Whole seconds without a voice, from the first with one; the last may be the farewell's.
fn silent_seconds(recording: &Path) -> Result<usize> {
    let reader = hound::WavReader::open(recording)?;
    let rate = reader.spec().sample_rate as usize;
    let samples = reader.into_samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let loudness = |second: &[i16]| {
        let energy: f64 = second.iter().map(|sample| (f64::from(*sample) / 32768.0).powi(2)).sum();
        (energy / second.len() as f64).sqrt()
    };
    let seconds: Vec<bool> = samples.chunks_exact(rate).map(|second| loudness(second) > AUDIBLE).collect();
    let heard = &seconds[..seconds.len().saturating_sub(1)];
    let first = heard.iter().position(|heard| *heard).context("nothing was heard at all")?;
    Ok(heard[first..].iter().filter(|heard| !**heard).count())
}
