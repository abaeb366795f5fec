//! One call of a cell, and the next.

use super::{Callee, Caller, Cell, Outcome, Plan};
use crate::netns::{Home, Internet, PUBLIC_ALTERNATE};
use crate::process::Silbo;
use crate::script::{Answers, Cast, PATIENCE, Report, Stage, Way as Taken, fairly, unix_ms};
use anyhow::{Context as _, Result, bail};
use relay::nat::Way;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A call, judged.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// Whose home called.
    pub caller: &'static str,
    /// Which way it went at the end.
    pub became: Outcome,
    /// From the start of the caller's program to its `calling`: it could ring somebody.
    pub start_ms: Option<i64>,
    /// From the caller's `calling` to its first sound.
    pub setup_ms: Option<i64>,
    /// From the caller's `calling` to the callee's `incoming`.
    pub rings_ms: Option<i64>,
    /// From the callee's answer until both hear each other.
    pub both_hear_ms: Option<i64>,
    /// The caller's view of the way.
    pub alice: Option<Taken>,
    /// The callee's.
    pub bob: Option<Taken>,
    /// Why it failed.
    pub fault: Option<String>,
}

/// How long a caller who is online has been so: all a program does at its start is done.
const A_WHILE: Duration = Duration::from_secs(5);
/// Time a call has, once it sounds, to go directly from host to host where that takes no guessing.
pub(crate) const TO_BE_DIRECT: Duration = Duration::from_secs(8);
/// How long a call is watched that is not expected to change its way any more.
const WATCHED: Duration = Duration::from_millis(500);

/// Plays all calls of a cell that is laid: first those from home A, then those from home B.
pub(super) fn play(internet: &Internet, cell: Cell, plan: &Plan) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    let from_b = plan.runs / 2;
    for (caller, count) in [(Home::A, plan.runs - from_b), (Home::B, from_b)] {
        let mut table: Option<Table> = None;
        for left in (1..=count).rev() {
            let run = Table::ready(&mut table, internet, cell, caller, left, plan)
                .and_then(|table| table.call(cell.oracle(), plan.guessing));
            runs.push(run.unwrap_or_else(|error| {
                // Whoever is left of this call is no company for the next.
                table = None;
                Run::failed(caller, format!("{error:#}"))
            }));
        }
    }
    Ok(runs)
}

/// One long call, scored.
pub fn hear(internet: &Internet, cell: Cell, length: Duration) -> Result<Report> {
    cell.lay(internet)?;
    fairly(|| {
        let folder = crate::leavings(&format!("nat-heard-{}-{}", cell.one, cell.other))?;
        Stage::open(Cast::at_homes(internet, Home::A), &folder)?.play(length)
    })
}

/// Two supernodes, for one alone sees nothing of how a translator maps, bob who stays online for several calls, and alice
/// where she does too.
struct Table {
    caller: Home,
    stage: Stage,
    _second: Silbo,
    bob: Silbo,
    online: Option<Silbo>,
    /// What alice calls him.
    who: String,
    callee: Callee,
}

impl Table {
    /// The one there is, or a new one for this many calls.
    fn ready<'a>(
        table: &'a mut Option<Self>,
        internet: &Internet,
        cell: Cell,
        caller: Home,
        calls: usize,
        plan: &Plan,
    ) -> Result<&'a mut Self> {
        if table.is_none() {
            let Cell { one, other } = cell;
            let folder = crate::leavings(&format!("nat-{one}-{other}-{}-{calls}", name(caller)))?;
            let stage = Stage::open(Cast::at_homes(internet, caller), &folder)?;
            let second = stage.add_supernode("second", PUBLIC_ALTERNATE)?;
            stage.register_bob()?;
            let calls = u32::try_from(calls)?;
            let (who, answers) = match plan.callee {
                Callee::ByName => ("bob".to_owned(), Answers::AtOnce),
                Callee::Contact { answers_after: None } => (stage.befriend()?, Answers::AtOnce),
                Callee::Contact { answers_after: Some(_) } => (stage.befriend()?, Answers::WhenTold),
            };
            let bob = stage.bob_who(calls, answers)?;
            let online = match plan.caller {
                Caller::JustStarted => None,
                Caller::Online => {
                    let alice = stage.alice_online(calls)?;
                    std::thread::sleep(A_WHILE);
                    Some(alice)
                }
            };
            let callee = plan.callee;
            *table = Some(Self { caller, stage, _second: second, bob, online, who, callee });
        }
        table.as_mut().context("nobody sits at the table")
    }

    /// Alice calls, and hangs up once the call has become what it can.
    fn call(&mut self, oracle: Way, guessing: Duration) -> Result<Run> {
        let (mut alice, started_ms) = match self.online.take() {
            Some(online) => (online, None),
            None => {
                let started_ms = wall_clock_ms()?;
                (self.stage.alice_calls(&self.who, None)?, Some(started_ms))
            }
        };
        let run = self.call_by(&mut alice, started_ms, oracle, guessing);
        if started_ms.is_none() && run.is_ok() {
            self.online = Some(alice);
        }
        run
    }

    /// The same, by the alice there is.
    fn call_by(
        &mut self,
        alice: &mut Silbo,
        started_ms: Option<i64>,
        oracle: Way,
        guessing: Duration,
    ) -> Result<Run> {
        let before = Before { alice: 0, bob: self.bob.seen().len() };
        let before = match started_ms {
            Some(_) => before,
            None => {
                let before = Before { alice: alice.seen().len(), ..before };
                alice.command(&json!({ "do": "call", "who": self.who }))?;
                before
            }
        };
        let answered_ms = self.answer(before.bob)?;
        let allowed = match oracle {
            Way::Direct => TO_BE_DIRECT,
            Way::DirectByGuessing => guessing.max(WATCHED),
            Way::RelayedUdp | Way::RelayedTcp => WATCHED,
        };
        let settled = settle(alice, &mut self.bob, before, allowed);
        if let Err(error) = settled {
            // Its last words are in its log, and in the error.
            return Err(alice.complaint(&format!("{error:#}")));
        }
        alice.command(&json!({ "do": "hangup" }))?;
        if started_ms.is_some() {
            alice.succeed(PATIENCE)?;
        } else if named(&alice.seen()[before.alice..], "ended").is_none() {
            alice.expect("ended", PATIENCE)?;
        }
        if named(&self.bob.seen()[before.bob..], "ended").is_none() {
            self.bob.expect("ended", PATIENCE)?;
        }
        let caller = name(self.caller);
        let (alice, bob) = (&alice.seen()[before.alice..], &self.bob.seen()[before.bob..]);
        let (calling, sounds) = (named(alice, "calling"), sounding(alice));
        let time = |event: Option<&Value>| event.and_then(|event| event["t_ms"].as_i64());
        let setup_ms = time(sounds).zip(time(calling)).map(|(sounds, calling)| sounds - calling);
        let clock = |event: Option<&Value>| event.and_then(|event| unix_ms(event).ok());
        let start_ms = clock(calling).zip(started_ms).map(|(calling, started)| calling - started);
        let rings = clock(named(bob, "incoming"));
        let rings_ms = rings.zip(clock(calling)).map(|(rings, calling)| rings - calling);
        let both = clock(sounds).max(clock(sounding(bob)));
        let both_hear_ms = both.zip(answered_ms.or(rings)).map(|(both, answered)| both - answered);
        let (alice, bob) = (Taken::last_among(alice), Taken::last_among(bob));
        let became = outcome(alice.as_ref(), bob.as_ref());
        let fault = (became == Outcome::Failed).then(|| "one side never told which way it went".to_owned());
        Ok(Run { caller, became, start_ms, setup_ms, rings_ms, both_hear_ms, alice, bob, fault })
    }

    /// Bob is told to answer where he does not by himself; the wall clock then.
    fn answer(&mut self, before: usize) -> Result<Option<i64>> {
        let Callee::Contact { answers_after: Some(after) } = self.callee else { return Ok(None) };
        if named(&self.bob.seen()[before..], "incoming").is_none() {
            self.bob.expect("incoming", PATIENCE)?;
        }
        std::thread::sleep(after);
        self.bob.command(&json!({ "do": "answer" }))?;
        Ok(Some(wall_clock_ms()?))
    }
}

/// Waits until both hear each other and the call goes directly, or has had so much time to since then; `before` are
/// events of earlier calls.
pub(crate) fn settle(alice: &mut Silbo, bob: &mut Silbo, before: Before, allowed: Duration) -> Result<()> {
    let begun = Instant::now();
    let mut heard = None;
    let mut direct = None;
    loop {
        let now = Instant::now();
        let (alice, bob) = (&alice.seen()[before.alice..], &bob.seen()[before.bob..]);
        if let Some(ended) = named(alice, "ended").or_else(|| named(alice, "error")) {
            bail!("the call ended by itself: {ended}");
        }
        if sounding(alice).is_some() && sounding(bob).is_some() {
            heard.get_or_insert(now);
        }
        if let Some(heard) = heard {
            let ways = (Taken::last_among(alice), Taken::last_among(bob));
            if outcome(ways.0.as_ref(), ways.1.as_ref()) == Outcome::Direct {
                direct.get_or_insert(now);
            } else {
                direct = None;
            }
            if direct.is_some_and(|since| since + WATCHED <= now) || heard + allowed <= now {
                return Ok(());
            }
        } else if begun + PATIENCE <= now {
            let who = |events: &[Value]| if sounding(events).is_some() { "sound" } else { "no sound" };
            bail!("after {PATIENCE:?} alice hears {}, bob hears {}", who(alice), who(bob));
        }
        std::thread::sleep(LOOK);
    }
}

/// Events of earlier calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    alice: usize,
    bob: usize,
}

pub(crate) fn wall_clock_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

const LOOK: Duration = Duration::from_millis(10);

impl Run {
    fn failed(caller: Home, fault: String) -> Self {
        let caller = name(caller);
        let (start_ms, setup_ms, rings_ms, both_hear_ms) = (None, None, None, None);
        let (became, alice, bob, fault) = (Outcome::Failed, None, None, Some(fault));
        Self { caller, became, start_ms, setup_ms, rings_ms, both_hear_ms, alice, bob, fault }
    }
}

const fn name(home: Home) -> &'static str {
    match home {
        Home::A => "a",
        Home::B => "b",
    }
}

pub(crate) fn named<'a>(events: &'a [Value], name: &str) -> Option<&'a Value> {
    events.iter().find(|event| event["event"] == name)
}

/// The first sign of sound coming in.
pub(crate) fn sounding(events: &[Value]) -> Option<&Value> {
    events.iter().find(|event| event["event"] == "media_flowing" && event["direction"] != "send")
}

/// What both sides' views of the way amount to.
pub(crate) fn outcome(alice: Option<&Taken>, bob: Option<&Taken>) -> Outcome {
    let (Some(alice), Some(bob)) = (alice, bob) else { return Outcome::Failed };
    if alice.direct && bob.direct {
        Outcome::Direct
    } else if alice.protocol == "udp" && bob.protocol == "udp" {
        Outcome::RelayedUdp
    } else {
        Outcome::RelayedTcp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(direct: bool, protocol: &str) -> Option<Taken> {
        let [local, remote] = ["host", "relay"].map(str::to_owned);
        Some(Taken { local, remote, direct, protocol: protocol.to_owned(), rtt_ms: None })
    }

    fn of(alice: &Option<Taken>, bob: &Option<Taken>) -> Outcome {
        outcome(alice.as_ref(), bob.as_ref())
    }

    #[test]
    fn a_call_is_direct_when_both_say_so() {
        assert_eq!(of(&way(true, "udp"), &way(true, "udp")), Outcome::Direct);
        assert_eq!(of(&way(true, "udp"), &way(false, "udp")), Outcome::RelayedUdp);
    }

    #[test]
    fn one_side_by_tcp_makes_a_call_by_tcp() {
        assert_eq!(of(&way(false, "udp"), &way(false, "tls")), Outcome::RelayedTcp);
        assert_eq!(of(&way(false, "tcp"), &way(false, "udp")), Outcome::RelayedTcp);
    }

    #[test]
    fn a_side_that_never_tells_its_way_has_failed() {
        assert_eq!(of(&way(true, "udp"), &None), Outcome::Failed);
    }

    #[test]
    fn sound_that_only_leaves_is_none_yet() {
        let events = [json!({"event": "media_flowing", "direction": "send"})];
        assert!(sounding(&events).is_none());
        assert!(sounding(&[json!({"event": "media_flowing", "direction": "both"})]).is_some());
    }
}
