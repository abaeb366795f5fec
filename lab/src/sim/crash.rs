//! `skype-2010`: three of ten supernodes crash at once while seven tenths of all places are taken; and, in a second
//! network where half are, people go on ringing each other. Calls that run need no supernode: their media goes directly;
//! what still goes through homes, the hang-up, is sent in the moment of the crash. At last volunteers join the wounded
//! network and are called to help.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use overlay::{
    SendError,
    node::{Answer, QueryId},
};
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::Town,
    world::{HostId, Told},
};

/// Homes a leaf keeps.
const HOMES: usize = 3;

/// How many of ten supernodes crash.
const CRASHING_OF_TEN: usize = 3;

/// How long the network is watched afterwards.
const WATCHED: Duration = Duration::from_secs(150);
const TICK: Duration = Duration::from_secs(1);

/// Never fewer leaves homed than this, in percent, or the network has collapsed.
const COLLAPSE: f64 = 90.0;

/// Calls that run when the supernodes crash.
const RUNNING: usize = 500;

/// As many volunteers as half of the supernodes join afterwards, and the network is watched again.
const SUPERNODES_PER_VOLUNTEER: usize = 2;
const HELPED: Duration = Duration::from_secs(300);

/// People who ring somebody after the crash, one after the other, in this time; each tries again until this long after.
const CALLS: usize = 1_000;
const CALLING: Duration = Duration::from_secs(60);
const CALL_PATIENCE: Duration = Duration::from_secs(30);
const CALL_RETRY: Duration = Duration::from_secs(2);

pub(super) fn play(options: Options) -> Report {
    let mut loaded = utilised(options, 70);
    let before = loaded.homed();
    let mut running = running_calls(&mut loaded);
    let crashed = crash_some(&mut loaded);
    running.hang_up(&mut loaded);
    let crashed_at = loaded.world.now();
    let (mut fewest, mut homed_again, mut course) = (100.0_f64, f64::NAN, Vec::new());
    while loaded.world.now() < crashed_at + WATCHED {
        loaded.world.run(TICK);
        running.hear(&mut loaded);
        let (leaves, homed, with_three) = loaded.homed();
        let share = percent(homed, leaves);
        fewest = fewest.min(share);
        let since = loaded.world.now() - crashed_at;
        if share < 99.0 {
            homed_again = f64::NAN;
        } else if homed_again.is_nan() {
            homed_again = since.as_secs_f64();
        }
        if since.as_secs().is_multiple_of(15) {
            course.push(json!([since.as_secs(), share, percent(with_three, leaves)]));
        }
    }
    let overloaded = loaded.supernodes.iter().filter(|id| loaded.world.is_up(**id)).count();

    let with_three = loaded.homed().2;
    let helpers = call_helpers(&mut loaded);
    let called = helpers.iter().filter(|id| loaded.serves(**id)).count();
    let helped = loaded.homed();

    let mut calling = utilised(options, 50);
    crash_some(&mut calling);
    let calls = ring_each_other(&mut calling);
    let in_time = calls.iter().flatten().count();

    let bars = vec![
        Bar::at_least("leaves with a home, at the worst moment (%)", fewest, COLLAPSE),
        Bar::at_most("until 99 % of the leaves have a home again and keep it (s)", homed_again, 150.0),
        Bar::at_least(
            "supernodes that did not crash and still serve",
            overloaded as f64,
            (loaded.supernodes.len() - crashed) as f64,
        ),
        Bar::at_least(
            "running calls whose hang-up arrives by envelope within 30 s (%)",
            percent(running.reached.len(), running.pressed.len()),
            99.0,
        ),
        Bar::at_least("volunteers called to help while the load is high", called as f64, 1.0),
        Bar::at_least(
            "leaves with three homes, once volunteers help (%)",
            percent(helped.2, helped.0),
            percent(with_three, helped.0),
        ),
        Bar::at_least(
            "new calls that reach the callee within 30 s, at half load (%)",
            percent(in_time, calls.len()),
            99.0,
        ),
    ];
    let figures: Value = json!({
        "supernodes": loaded.supernodes.len(),
        "crashed": crashed,
        "before": { "leaves": before.0, "with_a_home": before.1, "with_three": before.2 },
        "after_seconds_homed_percent_three_homes_percent": course,
        "volunteers": { "joined": helpers.len(), "called": called, "three_homes_before": with_three,
            "three_homes_after": helped.2, "load_after_percent": loaded.load() },
        "hang_up_ms": Distribution::of(running.reached.values().copied().collect()),
        "ring_ms": Distribution::of(calls.iter().flatten().copied().collect()),
        "half_load_history": calling.world.history(),
        "traffic": loaded.world.traffic(),
    });
    Report::new(Scenario::Skype2010, options, &loaded.world, bars, figures)
}

/// A network in which leaves with three homes each take `percent` of all places.
fn utilised(options: Options, percent: usize) -> Town {
    let supernodes = Town::supernodes(options);
    let leaves = options.nodes - supernodes;
    Town::found(options, (leaves * HOMES * 100).div_ceil(supernodes * percent))
}

fn crash_some(town: &mut Town) -> usize {
    let mut order = town.supernodes.clone();
    order.shuffle(town.world.rng());
    let crashing = order.len() * CRASHING_OF_TEN / 10;
    for id in &order[..crashing] {
        town.world.crash(*id);
    }
    crashing
}

/// Pairs that rang each other before, and talk.
fn running_calls(town: &mut Town) -> Calls {
    let pairs = town.pairs(RUNNING.min(town.leaves.len()));
    let mut calls = Calls::default();
    for pair in pairs {
        calls.pressed.push((pair, town.world.now()));
        calls.ring(town, calls.pressed.len() - 1);
    }
    town.world.run(CALL_PATIENCE);
    calls.hear(town);
    calls
}

/// Volunteers join, are fit at once (this is a lab) and wait to be needed; it is.
fn call_helpers(town: &mut Town) -> Vec<HostId> {
    let helpers: Vec<HostId> =
        (0..town.supernodes.len() / SUPERNODES_PER_VOLUNTEER).map(|_| town.add_volunteer()).collect();
    town.world.run(HELPED);
    helpers
}

/// How long each call took to reach the callee, from the moment somebody pressed the button.
fn ring_each_other(town: &mut Town) -> Vec<Option<Duration>> {
    let pairs = town.pairs(CALLS.min(town.leaves.len()));
    let gap = CALLING / pairs.len() as u32;
    let mut calls = Calls::default();
    for pair in pairs {
        calls.pressed.push((pair, town.world.now()));
        calls.ring(town, calls.pressed.len() - 1);
        town.world.run(gap);
        calls.hear(town);
    }
    let until = town.world.now() + CALL_PATIENCE;
    while town.world.now() < until {
        town.world.run(TICK);
        calls.hear(town);
    }
    (0..calls.pressed.len()).map(|nth| calls.reached.get(&nth).copied()).collect()
}

#[derive(Default)]
struct Calls {
    pressed: Vec<((HostId, HostId), Instant)>,
    under_way: BTreeMap<(HostId, QueryId), usize>,
    /// By the number of the call.
    reached: BTreeMap<usize, Duration>,
}

impl Calls {
    /// Everybody who reached the other side presses the red button, now.
    fn hang_up(&mut self, town: &mut Town) {
        let running = std::mem::take(&mut self.reached).into_keys().map(|nth| self.pressed[nth].0);
        let pairs: Vec<(HostId, HostId)> = running.collect();
        (self.pressed, self.under_way) = (Vec::new(), BTreeMap::new());
        for pair in pairs {
            self.pressed.push((pair, town.world.now()));
            self.ring(town, self.pressed.len() - 1);
        }
    }

    fn ring(&mut self, town: &mut Town, nth: usize) {
        let ((caller, callee), _) = self.pressed[nth];
        let to = town.world.person(callee);
        let payload = (nth as u64).to_be_bytes().to_vec();
        if let Some(query) = town.world.with(caller, |node, now| node.send(now, to, payload)) {
            self.under_way.insert((caller, query), nth);
        }
    }

    fn hear(&mut self, town: &mut Town) {
        let mut again = Vec::new();
        for told in town.world.reports() {
            match told.report {
                Told::Envelope(_, payload) => {
                    let Ok(nth) = payload.try_into().map(u64::from_be_bytes) else { continue };
                    let nth = nth as usize;
                    let (_, pressed) = self.pressed[nth];
                    let took = told.at - pressed;
                    if took <= CALL_PATIENCE {
                        self.reached.entry(nth).or_insert(took);
                    }
                }
                Told::Answer(query, Answer::Sent(result)) => {
                    let Some(nth) = self.under_way.remove(&(told.host, query)) else { continue };
                    let (_, pressed) = self.pressed[nth];
                    if !matches!(result, Ok(()) | Err(SendError::TooLong))
                        && told.at + CALL_RETRY < pressed + CALL_PATIENCE
                    {
                        again.push(nth);
                    }
                }
                Told::First(..) | Told::Answer(..) | Told::Contested(..) => {}
            }
        }
        for nth in again {
            town.world.run(CALL_RETRY / 100);
            self.ring(town, nth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_network_survives_the_crash_of_three_in_ten_supernodes() {
        let report = play(Options { nodes: 400, seed: 2 });
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }
}
