//! `eclipse`: identities are ground until they stand closer to one name than anybody else, and lie
//! ([`super::hostile`]). One name was registered before they came, another beside it when they were all there.

use std::time::Duration;

use overlay::{config::DEFAULT_MAX_LEAVES, routing::Key};
use serde_json::json;

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Founding, Looked, Town, name_of},
    world::HostId,
};

/// How many times closer to the name than chance they stand.
const GROUND: u64 = 8;

/// Lookups of each name, and the time they are spread over.
const LOOKUPS: usize = 1_000;
const LOOKING: Duration = Duration::from_secs(30);

/// How long the network has to get to know them.
const KNOWN_AFTER: Duration = Duration::from_secs(120);

pub(super) fn play(options: Options, ids: usize) -> Report {
    let supernodes = Town::supernodes_among_liars(options);
    let founding = Founding { max_leaves: DEFAULT_MAX_LEAVES, supernodes, hostile: 0 };
    let mut town = Town::found_by(options, founding);
    let target = town.leaves[0];
    let key = Key::of_name(&name_of(target));
    let crowd = |town: &mut Town| {
        for _ in 0..ids {
            town.add_hostile(|place| {
                place.distance(&key).leading() < u64::MAX / (supernodes as u64 * GROUND)
            });
        }
        town.world.run(KNOWN_AFTER);
    };
    let registered = town.register_everybody();
    crowd(&mut town);
    let before = looked_up(&mut town, target);
    // Its owner claims it again: now they are in the way of that, too.
    town.world.with(target, |node, now| node.register(now, name_of(target)));
    town.world.run(LOOKING);
    town.world.reports();
    let after = looked_up(&mut town, target);

    let mut empty = Town::found_by(options, founding);
    let target = empty.leaves[0];
    crowd(&mut empty);
    empty.register_everybody();
    let young = looked_up(&mut empty, target);

    let found = |looked: &[Looked]| percent(looked.iter().filter(|l| l.found).count(), looked.len());
    let bars = vec![
        Bar::at_least("of a name older than the attack, the claim is found (%)", found(&before), 99.0),
        Bar::at_least("of the same name claimed again, the claim is found (%)", found(&after), 99.0),
        Bar::at_least("of a name claimed under attack, the claim is found (%)", found(&young), 99.0),
    ];
    let all: Vec<Looked> = [before, after, young].concat();
    let figures = json!({
        "supernodes": supernodes,
        "ids": ids,
        "registered": registered,
        "lookups": all.len(),
        "shown_first_percent": percent(all.iter().filter(|l| l.right).count(), all.len()),
        "union_ms": Distribution::of(all.iter().map(|l| l.union).collect()),
        "second_history": empty.world.history(),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Eclipse { ids }, options, &town.world, bars, figures)
}

fn looked_up(town: &mut Town, target: HostId) -> Vec<Looked> {
    let askers = town.pairs(LOOKUPS.min(2 * town.leaves.len()));
    let pairs: Vec<_> =
        askers.into_iter().map(|(asker, _)| (asker, target)).filter(|(asker, _)| *asker != target).collect();
    town.look_up(&pairs, LOOKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_although_its_place_is_crowded_with_liars() {
        let report = play(Options { nodes: 200, seed: 6 }, 45);
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }
}
