//! `sybil`: a share of all supernodes belongs to one operator and lies ([`super::hostile`]). People register and look
//! each other up all the same.

use std::time::Duration;

use overlay::config::DEFAULT_MAX_LEAVES;
use serde_json::json;

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Founding, Town},
};

/// Lookups, and the time they are spread over.
const LOOKUPS: usize = 2_000;
const LOOKING: Duration = Duration::from_secs(30);

pub(super) fn play(options: Options, percent_hostile: usize) -> Report {
    let supernodes = Town::supernodes_among_liars(options);
    let hostile = supernodes * percent_hostile / 100;
    let founding = Founding { max_leaves: DEFAULT_MAX_LEAVES, supernodes: supernodes - hostile, hostile };
    let mut town = Town::found_by(options, founding);
    let registered = town.register_everybody();
    let pairs = town.pairs(LOOKUPS.min(2 * town.leaves.len()));
    let looked = town.look_up(&pairs, LOOKING);
    let found = looked.iter().filter(|l| l.found).count();
    let first = looked.iter().filter(|l| l.right).count();
    let bars = vec![
        Bar::at_least("lookups that returned the right claim (%)", percent(found, looked.len()), 99.0),
        Bar::at_least("lookups that showed it first (%)", percent(first, looked.len()), 99.0),
        Bar::at_least("leaves whose name was registered (%)", percent(registered, town.leaves.len()), 99.0),
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "hostile": hostile,
        "lookups": looked.len(),
        "first_right_answer_ms": Distribution::of(looked.iter().filter_map(|l| l.first).collect()),
        "union_ms": Distribution::of(looked.iter().map(|l| l.union).collect()),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Sybil { percent: percent_hostile }, options, &town.world, bars, figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_although_a_third_of_the_supernodes_lies() {
        // Seed 3 was the worst while a liar's short answer could pass for a whole network.
        let report = play(Options { nodes: 300, seed: 3 }, 33);
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }

    #[test]
    fn whoever_has_only_liars_for_homes_learns_of_the_others_from_those_it_had_heard_of_before() {
        let options = Options { nodes: 200, seed: 1 };
        let town =
            Town::found_by(options, Founding { max_leaves: DEFAULT_MAX_LEAVES, supernodes: 80, hostile: 40 });
        let (fewest, _) = town.known(&town.leaves.clone());
        // Its homes tell of the liars, forty; of the eight it had heard of, it had met each that is not among them.
        assert!(fewest > 60, "{fewest} of 120");
    }
}
