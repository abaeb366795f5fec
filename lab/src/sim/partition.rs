//! `partition`: the network falls into two halves, both of which grant the same names; after a while it is whole again.

use std::{collections::BTreeSet, time::Duration};

use overlay::{
    PublicKey, Username,
    claim::{Difference, RankReason},
};
use serde_json::json;

use super::{
    Bar, Options, Report, Scenario,
    figures::percent,
    names::{Cast, Owners, Reading, alike, all_ask, named, pins_hold, read, register, some_leaves},
    world::{HostId, Reported, Told},
};

const NAMES: usize = 10;
const READERS: usize = 20;

/// Until each half has found out who is left.
const FALLEN_APART: Duration = Duration::from_secs(600);

/// How long both grant names, long enough for claims to carry their receipts.
const APART: Duration = Duration::from_secs(900);

/// Until both know each other again.
const HEALING: Duration = Duration::from_secs(3_600);

const WHILE: Duration = Duration::from_secs(30);

pub(super) fn play(options: Options) -> Report {
    let Cast { mut town, people, readers } = Cast::gather(options, 6 * NAMES, READERS);
    let (ours, theirs): (Vec<HostId>, Vec<HostId>) = people.iter().copied().partition(|id| side(*id));
    let pairs: Vec<(HostId, HostId)> = ours.into_iter().zip(theirs).take(NAMES).collect();
    // Before: somebody has a name in peace.
    let settled: Vec<HostId> = some_leaves(&mut town, NAMES, &[people.clone(), readers.clone()].concat());
    let peaceful = Owners::register(&mut town, &settled, WHILE);

    town.world.part(side);
    town.world.run(FALLEN_APART);
    let wishes: Vec<(HostId, Username)> = pairs
        .iter()
        .enumerate()
        .flat_map(|(nth, (a, b))| [*a, *b].map(|host| (host, named(&format!("both-{nth}")))))
        .collect();
    let granted = register(&mut town, &wishes, WHILE).iter().filter(|result| result.is_ok()).count();
    let contacts: Vec<(HostId, HostId)> = readers
        .iter()
        .enumerate()
        .map(|(nth, reader)| {
            let (a, b) = pairs[nth % pairs.len()];
            (*reader, if side(*reader) == side(a) { a } else { b })
        })
        .collect();
    town.world.run(APART);
    town.world.heal();
    town.world.reports();
    town.world.run(HEALING);
    let told: BTreeSet<HostId> = contested(&town.world.reports());

    let names: Vec<Username> = wishes.iter().step_by(2).map(|(_, name)| name.clone()).collect();
    let readings = read(&mut town, &all_ask(&readers, &names), WHILE);
    let claimants = |name: &Username| -> BTreeSet<PublicKey> {
        wishes.iter().filter(|(_, wished)| wished == name).map(|(host, _)| town.world.person(*host)).collect()
    };
    let both = |reading: &&Reading| {
        reading.claims.iter().map(|claim| claim.key).collect::<BTreeSet<_>>() == claimants(&reading.name)
    };
    let both = readings.iter().filter(both).count();
    let by_lot = |reading: &&Reading| {
        matches!(
            reading.claims.first().map(|c| c.why),
            Some(RankReason::Ahead(Difference::Proof | Difference::Key))
        )
    };
    let by_lot = readings.iter().filter(by_lot).count();
    let peace = read(&mut town, &all_ask(&readers, &peaceful.in_order()), WHILE);
    let alone = peace.iter().filter(|reading| reading.claims.len() == 1).count();
    let (first, whole) = alike(&readings);
    let pins = pins_hold(&mut town, &contacts);

    let bars = vec![
        peaceful.all_could(),
        Bar::at_least("names granted to one person in each half (%)", percent(granted, wishes.len()), 100.0),
        Bar::at_least(
            "readers that decide alike when it is whole again (%)",
            percent(first, readings.len()),
            100.0,
        ),
        Bar::at_least(
            "readers told the same claims in the same order (%)",
            percent(whole, readings.len()),
            100.0,
        ),
        Bar::at_least("readers shown both claims (%)", percent(both, readings.len()), 100.0),
        Bar::at_least(
            "readers of a name nobody fought for who are shown one (%)",
            percent(alone, peace.len()),
            100.0,
        ),
        pins,
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "supernodes_on_one_side": town.supernodes.iter().filter(|id| side(**id)).count(),
        "apart_s": (FALLEN_APART + APART).as_secs(),
        "order_drawn_by_lot_percent": percent(by_lot, readings.len()),
        "claimants_told_so_far": told.len(),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Partition, options, &town.world, bars, figures)
}

fn side(id: HostId) -> bool {
    id.is_multiple_of(2)
}

fn contested(reports: &[Reported]) -> BTreeSet<HostId> {
    reports.iter().filter(|r| matches!(r.report, Told::Contested(..))).map(|r| r.host).collect()
}
