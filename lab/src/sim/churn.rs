//! `churn`: supernodes stay for hours (a heavy tail: the median is 3.5 h), leaves for half an hour; everybody comes
//! back. Names are looked up all the time, and in the end every one of them.

use std::{
    collections::BTreeMap,
    io::Write as _,
    time::{Duration, Instant},
};

use overlay::config::DEFAULT_MAX_LEAVES;
use rand::RngExt as _;
use serde_json::json;

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Looked, Town, name_of},
    world::HostId,
};

/// Half of all sessions are shorter.
const SUPERNODE_SESSION: Duration = Duration::from_secs(12_600);
const LEAF_SESSION: Duration = Duration::from_secs(1_800);

/// The exponent of the Pareto distribution of supernode sessions: the smaller, the heavier the tail.
const TAIL: f64 = 1.2;

/// Supernodes are away a tenth of the time they stay; leaves three times as long as they stay, so that three of four
/// names belong to somebody who is not there to renew them.
const SUPERNODE_AWAY: f64 = 0.1;
const LEAF_AWAY: f64 = 3.0;

/// Somebody who comes back renews a name not renewed for this long.
const RENEWAL: Duration = Duration::from_secs(24 * 3600);

/// How often some names are looked up, how many, and how quickly.
const ROUND: Duration = Duration::from_secs(3600);
const LOOKUPS: usize = 30;
const LOOKING: Duration = Duration::from_secs(30);

/// Hours after which somebody who waits is told how far it is.
const DAY: u32 = 24;

/// A claim is lost when so many different people look for it in vain.
const LAST_LOOKUPS: usize = 3;
const LAST_LOOKING: Duration = Duration::from_secs(120);

pub(super) fn play(options: Options, hours: u32) -> Report {
    let mut churn = Churn::begin(options);
    let (mut looked, mut supernodes_up) = (Vec::<Looked>::new(), Vec::new());
    for hour in 0..hours {
        let until = churn.town.world.now() + ROUND;
        churn.run_until(until);
        let pairs = churn.town.pairs(LOOKUPS.min(churn.town.leaves.len()));
        looked.extend(churn.town.look_up(&pairs, LOOKING));
        let town = &churn.town;
        supernodes_up.push(town.supernodes.iter().filter(|id| town.world.is_up(**id)).count());
        if (hour + 1) % DAY == 0 {
            say_day((hour + 1) / DAY, &looked, churn.came_and_went);
        }
    }
    let lost = churn.lost();
    let Churn { town, registered, came_and_went, .. } = churn;
    let right = looked.iter().filter(|l| l.right).count();
    let bars = vec![
        Bar::at_least("lookups that found the right claim (%)", percent(right, looked.len()), 99.5),
        Bar::at_least("leaves with a name (%)", percent(registered, town.leaves.len()), 99.9),
        Bar::at_most("claims lost", lost as f64, 0.0),
    ];
    let homed = town.homed();
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "fewest_supernodes_up": supernodes_up.iter().min(),
        "days": f64::from(hours) / 24.0,
        "came_and_went": came_and_went,
        "lookups": looked.len(),
        "first_answer_ms": Distribution::of(looked.iter().filter_map(|l| l.first).collect()),
        "union_ms": Distribution::of(looked.iter().map(|l| l.union).collect()),
        "homed": { "leaves": homed.0, "with_a_home": homed.1, "with_three": homed.2 },
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Churn { hours }, options, &town.world, bars, figures)
}

/// A month of thousands takes hours; nobody should have to guess whether it goes on, or well.
fn say_day(day: u32, looked: &[Looked], came_and_went: usize) {
    let right = looked.iter().filter(|l| l.right).count();
    let total = looked.len();
    // Whoever closed the error stream does not want to know.
    let _ = writeln!(
        std::io::stderr(),
        "day {day}: {right} of {total} lookups right, {came_and_went} came or went"
    );
}

struct Churn {
    town: Town,
    /// Who comes or goes when.
    changes: BTreeMap<(Instant, HostId), ()>,
    renewed: BTreeMap<HostId, Instant>,
    registered: usize,
    came_and_went: usize,
}

impl Churn {
    fn begin(options: Options) -> Self {
        let mut town = Town::found(options, DEFAULT_MAX_LEAVES);
        let registered = town.register_everybody();
        let (mut changes, mut renewed) = (BTreeMap::new(), BTreeMap::new());
        for id in town.supernodes.clone().into_iter().chain(town.leaves.clone()) {
            // We look at them somewhere in a session, not at its beginning.
            let left = session(&mut town, id).mul_f64(town.world.rng().random::<f64>());
            changes.insert((town.world.now() + left, id), ());
            if !town.is_supernode(id) {
                renewed.insert(id, town.world.now());
            }
        }
        Self { town, changes, renewed, registered, came_and_went: 0 }
    }

    fn run_until(&mut self, until: Instant) {
        while let Some(((at, id), ())) = self.changes.pop_first() {
            if at > until {
                self.changes.insert((at, id), ());
                break;
            }
            self.town.world.run_until(at);
            let stays = self.change(id);
            self.came_and_went += 1;
            self.changes.insert((self.town.world.now() + stays, id), ());
        }
        self.town.world.run_until(until);
        self.town.world.reports();
    }

    /// Somebody comes or goes, half of those who go without a word; for how long.
    fn change(&mut self, id: HostId) -> Duration {
        let town = &mut self.town;
        if !town.world.is_up(id) {
            let seeds = town.some_supernodes();
            town.world.switch_on(id, &seeds);
            let now = town.world.now();
            if let Some(renewed) = self.renewed.get_mut(&id).filter(|renewed| now >= **renewed + RENEWAL) {
                *renewed = now;
                town.world.with(id, |node, now| node.register(now, name_of(id)));
            }
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

    /// Claims that nobody finds any more.
    fn lost(&mut self) -> usize {
        let mut missing: Vec<HostId> = self.renewed.keys().copied().collect();
        for _ in 0..LAST_LOOKUPS {
            let mut pairs = self.town.pairs(missing.len());
            pairs.iter_mut().zip(&missing).for_each(|(pair, wanted)| pair.1 = *wanted);
            let looked = self.town.look_up(&pairs, LAST_LOOKING);
            missing = looked.iter().filter(|l| !l.found).map(|l| l.wanted).collect();
            if missing.is_empty() {
                break;
            }
        }
        missing.len()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outlive_the_sessions_of_whoever_holds_them() {
        let report = play(Options { nodes: 250, seed: 4 }, 8);
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }
}
