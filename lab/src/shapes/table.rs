//! One call each of all pairs of a shape, at the same time.

use super::lay::{Laid, PUBLIC_V6};
use super::{Shape, Side};
use crate::grid::Outcome;
use crate::grid::call::{Before, TO_BE_DIRECT, named, outcome, settle, sounding, wall_clock_ms};
use crate::netns::{Family, PUBLIC};
use crate::outlive::{AUDIBLE, loudness_at_the_end};
use crate::process::{Place, Silbo, Turn};
use crate::script::{Cast, PATIENCE, Stage, Way, unix_ms};
use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// A call that came about.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Who called.
    pub caller: Side,
    /// What it became.
    pub became: Outcome,
    /// From the start of the callee's process to `online`.
    pub online_ms: i64,
    /// From the start of the caller's process to `calling`.
    pub start_ms: i64,
    /// From `calling` to sound.
    pub setup_ms: i64,
    /// The caller's last way.
    pub alice: Way,
    /// The callee's.
    pub bob: Way,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { online_ms, start_ms, setup_ms, .. } = self;
        write!(out, "{}, {} / {}", self.became, self.alice, self.bob)?;
        write!(out, "; online {online_ms} ms, calling {start_ms} ms, sound {setup_ms} ms")
    }
}

/// How long a call is listened to once it goes the way it should: more than is looked at of what is heard.
const HEARD: Duration = Duration::from_millis(3500);
/// What is said: nobody judges how well.
const MICROPHONE: &str = "tone:440";

/// All pairs call at the same time, each in a network of its own with a supernode of its own.
pub(super) fn play(shape: Shape, laid: &Laid, caller: Side) -> Vec<Result<Call>> {
    let words = format!("shape {shape}");
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..)
            .zip(&laid.pairs)
            .map(|(nth, pair)| scope.spawn(move || call(shape, laid, caller, nth, pair)))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap_or_else(|_| Err(anyhow!("{words} panicked"))))
            .collect()
    })
}

fn call(shape: Shape, laid: &Laid, who: Side, nth: u16, [one, other]: &[Place; 2]) -> Result<Call> {
    let (caller, callee) = match who {
        Side::First => (one, other),
        Side::Second => (other, one),
    };
    let folder = crate::leavings(&format!("shape-{shape}-{who:?}-{nth}"))?;
    let stage = open(laid, nth, caller, callee, &folder)?;
    stage.register_bob()?;
    let before = wall_clock_ms()?;
    let mut bob = stage.bob(1)?;
    let online = bob.seen_named("online").pop().context("no `online` event")?;
    let online_ms = unix_ms(&online)? - before;
    let course = shape.course();
    std::thread::sleep(course.idle);
    let before = wall_clock_ms()?;
    let mut alice = stage.alice(None)?;
    // A relayed call may become direct yet, which is to be seen.
    let settled = settle(&mut alice, &mut bob, Before::default(), TO_BE_DIRECT);
    settled.map_err(|error| alice.complaint(&bob.complaint(&format!("{error:#}")).to_string()))?;
    if !course.silent.is_zero() {
        hush(&mut alice, &mut bob, course.silent)?;
    }
    std::thread::sleep(HEARD);
    alice.command(&json!({ "do": "hangup" }))?;
    alice.succeed(PATIENCE)?;
    bob.succeed(PATIENCE)?;
    for name in ["alice", "bob"] {
        let loudness = loudness_at_the_end(&stage.recording(name))?;
        ensure!(loudness > AUDIBLE, "{name} heard nothing in the end ({loudness:.5})");
    }
    let calling = named(alice.seen(), "calling").cloned().context("no `calling` event")?;
    let sounds = sounding(alice.seen()).cloned().context("no sound")?;
    let ways = (Way::last_among(alice.seen()), Way::last_among(bob.seen()));
    let became = outcome(ways.0.as_ref(), ways.1.as_ref());
    let (alice, bob) = ways.0.zip(ways.1).context("a side never told which way it went")?;
    let (start_ms, setup_ms) = (unix_ms(&calling)? - before, unix_ms(&sounds)? - unix_ms(&calling)?);
    Ok(Call { caller: who, became, online_ms, start_ms, setup_ms, alice, bob })
}

/// Both say nothing for this long, and then speak again.
fn hush(alice: &mut Silbo, bob: &mut Silbo, silent: Duration) -> Result<()> {
    for what in ["mute", "unmute"] {
        for who in [&mut *alice, &mut *bob] {
            who.command(&json!({ "do": what }))?;
        }
        if what == "mute" {
            std::thread::sleep(silent);
        }
    }
    Ok(())
}

/// The supernode: on every address of its host where people have IPv6, else on the one that is known.
fn open(laid: &Laid, nth: u16, caller: &Place, callee: &Place, folder: &Path) -> Result<Stage> {
    let (links, relay) = (4433 + nth, 3478 + nth);
    let v4 = SocketAddr::from((PUBLIC, links));
    let (doors, listen, relay_listen) = match laid.family {
        Family::V4 => (vec![v4], v4, (PUBLIC, relay).into()),
        Family::V6 | Family::Dual => {
            let anywhere = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
            (vec![(PUBLIC_V6, links).into(), v4], anywhere(links), anywhere(relay))
        }
    };
    let [caller, callee] = [caller.clone(), callee.clone()];
    let supernode = laid.public.clone();
    let cast = Cast { supernode, listen, relay_listen, tcp_listen: None, caller, callee, turn: Turn::First };
    Ok(Stage::open(cast, folder)?.found_at(&doors).spoken_by(MICROPHONE))
}
