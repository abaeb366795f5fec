//! `directory`: everybody registers a name; random leaves look random names up, over links to be opened and, a moment
//! later, over links that are up.

use std::{mem::ManuallyDrop, time::Duration};

use overlay::config::DEFAULT_MAX_LEAVES;
use serde_json::json;

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Looked, Town},
};

/// Pairs of people of whom one looks the other up, twice, unless there are fewer leaves.
const PAIRS: usize = 2_500;

/// So many ask within this time, and then ask again while their links are still up.
const GROUP: usize = 500;
const GROUP_TIME: Duration = Duration::from_secs(5);

/// Answers from this many supernodes, each asked on its own, make a union of disjoint paths.
const PATHS: usize = 3;

pub(super) fn play(options: Options) -> Report {
    let mut town = Town::found(options, DEFAULT_MAX_LEAVES);
    let (homed, known) = (town.homed(), (town.known(&town.supernodes), town.known(&town.leaves)));
    let joined = town.world.traffic();
    let registered = town.register_everybody();
    let registering = town.world.traffic();
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    let pairs = town.pairs(PAIRS.min(town.leaves.len()));
    for group in pairs.chunks(GROUP) {
        cold.extend(town.look_up(group, GROUP_TIME));
        warm.extend(town.look_up(group, GROUP_TIME));
    }
    let all: Vec<Looked> = cold.iter().chain(&warm).copied().collect();
    let first = |looked: &[Looked]| Distribution::of(looked.iter().filter_map(|l| l.first).collect());
    let union = Distribution::of(all.iter().map(|l| l.union).collect());
    let (cold, warm) = (first(&cold), first(&warm));
    let right = all.iter().filter(|l| l.right && l.answered >= PATHS).count();
    let bars = vec![
        Bar::at_most("first verified answer over links that are up, p50 (ms)", warm.p50, 250.0),
        Bar::at_most("first verified answer over links to be opened, p50 (ms)", cold.p50, 350.0),
        Bar::at_most("union of at least 3 disjoint paths, p95 (ms)", union.p95, 1000.0),
        Bar::at_least("lookups that found the right claim (%)", percent(right, all.len()), 99.9),
        Bar::at_least("leaves whose name was registered (%)", percent(registered, town.leaves.len()), 99.9),
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "known_by_supernodes": { "fewest": known.0.0, "mean": known.0.1 },
        "known_by_leaves": { "fewest": known.1.0, "mean": known.1.1 },
        "homed": { "leaves": homed.0, "with_a_home": homed.1, "with_three": homed.2 },
        "lookups": all.len(),
        "first_answer_ms": { "links_to_open": cold, "links_up": warm },
        "union_ms": union,
        "traffic": { "joining": joined, "registered": registering, "all": town.world.traffic() },
    });
    // The process ends soon: to free a hundred thousand nodes one by one takes seconds.
    let town = ManuallyDrop::new(town);
    Report::new(Scenario::Directory, options, &town.world, bars, figures)
}
