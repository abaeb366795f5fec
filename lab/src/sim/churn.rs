//! `churn`: supernodes stay for hours (a heavy tail: the median is 3.5 h), leaves for half an hour; everybody comes
//! back. Names are looked up all the time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use overlay::config::DEFAULT_MAX_LEAVES;
use rand::RngExt as _;
use serde_json::json;

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Looked, Town},
    world::HostId,
};

/// Half of all sessions are shorter.
const SUPERNODE_SESSION: Duration = Duration::from_secs(12_600);
const LEAF_SESSION: Duration = Duration::from_secs(1_800);

/// The exponent of the Pareto distribution of supernode sessions: the smaller, the heavier the tail.
const TAIL: f64 = 1.2;

/// Supernodes are away a tenth of the time they stay, leaves half of it.
const SUPERNODE_AWAY: f64 = 0.1;
const LEAF_AWAY: f64 = 0.5;

/// How long it goes on, and how many names are looked up at the end of each round.
const ROUNDS: usize = 24;
const ROUND: Duration = Duration::from_secs(600);
const LOOKUPS: usize = 100;

pub(super) fn play(options: Options) -> Report {
    let mut town = Town::found(options, DEFAULT_MAX_LEAVES);
    let registered = town.register_everybody();
    let mut changes: BTreeMap<(Instant, HostId), ()> = BTreeMap::new();
    for id in town.supernodes.clone().into_iter().chain(town.leaves.clone()) {
        // We look at them somewhere in a session, not at its beginning.
        let left = session(&mut town, id).mul_f64(town.world.rng().random::<f64>());
        changes.insert((town.world.now() + left, id), ());
    }
    let (mut looked, mut came_and_went) = (Vec::<Looked>::new(), 0);
    for _ in 0..ROUNDS {
        let until = town.world.now() + ROUND;
        while let Some(((at, id), ())) = changes.pop_first() {
            if at > until {
                changes.insert((at, id), ());
                break;
            }
            town.world.run_until(at);
            let stays = change(&mut town, id);
            came_and_went += 1;
            changes.insert((town.world.now() + stays, id), ());
        }
        town.world.run_until(until);
        town.world.reports();
        let pairs = town.pairs(LOOKUPS.min(town.leaves.len()));
        looked.extend(town.look_up(&pairs, Duration::from_secs(10)));
    }
    let right = looked.iter().filter(|l| l.right).count();
    let found = looked.iter().filter(|l| l.found).count();
    let bars = vec![
        Bar::at_least("lookups that found the right claim (%)", percent(right, looked.len()), 99.5),
        Bar::at_least(
            "names looked up that some supernode still holds (%)",
            percent(found, looked.len()),
            99.9,
        ),
    ];
    let homed = town.homed();
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "registered": registered,
        "came_and_went": came_and_went,
        "lookups": looked.len(),
        "union_ms": Distribution::of(looked.iter().map(|l| l.union).collect()),
        "homed": { "leaves": homed.0, "with_a_home": homed.1, "with_three": homed.2 },
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Churn, options, &town.world, bars, figures)
}

/// Somebody comes or goes, half of those who go without a word; for how long.
fn change(town: &mut Town, id: HostId) -> Duration {
    if !town.world.is_up(id) {
        let seeds = town.some_supernodes();
        town.world.switch_on(id, &seeds);
        return session(town, id);
    }
    if town.world.rng().random() {
        town.world.crash(id);
    } else {
        town.world.switch_off(id);
    }
    let away = if town.is_supernode(id) { SUPERNODE_AWAY } else { LEAF_AWAY };
    session(town, id).mul_f64(away)
}

fn session(town: &mut Town, id: HostId) -> Duration {
    let draw: f64 = town.world.rng().random_range(0.001..1.0);
    if town.is_supernode(id) {
        // Pareto: the smallest value such that half of all are below the median.
        SUPERNODE_SESSION.mul_f64(0.5_f64.powf(1.0 / TAIL) * draw.powf(-1.0 / TAIL))
    } else {
        LEAF_SESSION.mul_f64(-draw.ln() / std::f64::consts::LN_2)
    }
}
