//! `skype-2007`: seven of ten computers, supernodes among them, are restarted by an update within five minutes, as on
//! 16 August 2007.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rand::{RngExt as _, seq::SliceRandom as _};
use serde_json::json;

use super::{Bar, Distribution, Options, Report, Scenario, figures::percent, town::Town, world::HostId};

/// Homes a leaf keeps, and how many percent of all places are taken before.
const HOMES: usize = 3;
const UTILISED: usize = 50;

/// How many of ten computers restart, and in which time.
const RESTARTING_OF_TEN: usize = 7;
const UPDATE: Duration = Duration::from_secs(300);

/// How long a computer takes to restart.
const RESTART: std::ops::Range<u64> = 45..180;

/// Leaves have a home again within this time of being up.
const HOMED_WITHIN: Duration = Duration::from_secs(300);

/// Never fewer of the leaves that are up have a home than this, in percent, or the network has collapsed.
const COLLAPSE: f64 = 90.0;

const TICK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Off,
    On,
}

pub(super) fn play(options: Options) -> Report {
    let supernodes = Town::supernodes(options);
    let leaves = options.nodes - supernodes;
    let mut town = Town::found(options, (leaves * HOMES * 100).div_ceil(supernodes * UTILISED));
    let before = town.homed();
    let began = town.world.now();
    let mut changes = restarts(&mut town);
    let restarting = changes.len() / 2;

    let mut waiting: BTreeMap<HostId, Instant> = BTreeMap::new();
    let mut homed_after = Vec::new();
    let (mut fewest, mut fewest_supernodes, mut course) = (100.0_f64, town.supernodes.len(), Vec::new());
    let end = began + UPDATE + Duration::from_secs(RESTART.end) + HOMED_WITHIN;
    while town.world.now() < end {
        let until = town.world.now() + TICK;
        while let Some((&(at, _, _), ())) = changes.first_key_value().filter(|((at, ..), ())| *at <= until) {
            town.world.run_until(at);
            if let Some(((_, id, change), ())) = changes.pop_first() {
                turn(&mut town, id, change, &mut waiting);
            }
        }
        town.world.run_until(until);
        waiting.retain(|leaf, up| {
            let homed = town.world.homes(*leaf).is_some_and(|homes| homes > 0);
            if homed {
                homed_after.push(until - *up);
            }
            !homed
        });
        let (up, homed, with_three) = town.homed();
        let serving = town.supernodes.iter().filter(|id| town.world.is_up(**id)).count();
        fewest = fewest.min(percent(homed, up));
        fewest_supernodes = fewest_supernodes.min(serving);
        let since = (until - began).as_secs();
        if since.is_multiple_of(30) {
            course.push(json!([since, serving, percent(homed, up), percent(with_three, up)]));
        }
    }
    let in_time = homed_after.iter().filter(|took| **took <= HOMED_WITHIN).count();
    let (up, homed, _) = town.homed();
    let bars = vec![
        Bar::at_least("of the leaves that are up, with a home at the worst moment (%)", fewest, COLLAPSE),
        Bar::at_least(
            "restarted leaves with a home within 5 minutes of being up (%)",
            percent(in_time, homed_after.len() + waiting.len()),
            99.0,
        ),
        Bar::at_least("of all leaves, with a home in the end (%)", percent(homed, up), 99.0),
        Bar::at_least(
            "supernodes that serve in the end",
            town.supernodes.iter().filter(|id| town.world.is_up(**id)).count() as f64,
            town.supernodes.len() as f64,
        ),
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "fewest_supernodes": fewest_supernodes,
        "restarted": restarting,
        "before": { "leaves": before.0, "with_a_home": before.1, "with_three": before.2 },
        "homed_after_ms": Distribution::of(homed_after),
        "after_seconds_supernodes_homed_percent_three_homes_percent": course,
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Skype2007, options, &town.world, bars, figures)
}

/// Who goes off and on, and when.
fn restarts(town: &mut Town) -> BTreeMap<(Instant, HostId, Change), ()> {
    let mut order: Vec<HostId> = town.supernodes.iter().chain(&town.leaves).copied().collect();
    order.shuffle(town.world.rng());
    let began = town.world.now();
    let mut changes = BTreeMap::new();
    for id in &order[..order.len() * RESTARTING_OF_TEN / 10] {
        let off = began + UPDATE.mul_f64(town.world.rng().random::<f64>());
        let on = off + Duration::from_secs(town.world.rng().random_range(RESTART));
        changes.insert((off, *id, Change::Off), ());
        changes.insert((on, *id, Change::On), ());
    }
    changes
}

fn turn(town: &mut Town, id: HostId, change: Change, waiting: &mut BTreeMap<HostId, Instant>) {
    match change {
        Change::Off => town.world.crash(id),
        Change::On => {
            // Its cache leads it back; nobody tells it anything.
            town.world.switch_on(id, &[]);
            if !town.is_supernode(id) {
                waiting.insert(id, town.world.now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_network_survives_the_restart_of_seven_in_ten() {
        let report = play(Options { nodes: 300, seed: 3 });
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }
}
