//! `rollback`: a third of the supernodes, and at last all of them, answer with claims as they once were, and with
//! claims of former owners that have expired.

use std::{collections::BTreeMap, time::Duration};

use overlay::{
    Identity, PublicKey, Username,
    claim::{CLAIM_LIFETIME, Claim},
    wire::{Bounded, Message, Request, Response},
};
use relay::UnixTime;
use serde_json::json;

use super::{
    Bar, Options, Report, Scenario,
    figures::percent,
    names::{Cast, Owners, Reading, alike, all_ask, forge, pins_hold, read, register},
    world::{HostId, Liar},
};

const OWNERS: usize = 20;
const READERS: usize = 20;

/// One of this many supernodes lies at first.
const HONEST_PER_LIAR: usize = 3;

/// Renewals the liars leave out.
const RENEWALS: usize = 3;

const WHILE: Duration = Duration::from_secs(30);

pub(super) fn play(options: Options) -> Report {
    let Cast { mut town, people, readers } = Cast::gather(options, OWNERS, 2 * READERS);
    let (readers, newcomers) = readers.split_at(READERS.min(readers.len() / 2));
    let former = Identity::from_secret([0x0f; 32]);
    for id in town.supernodes.clone() {
        let lies = id % HONEST_PER_LIAR == 0;
        town.world.corrupt(id, Archivist { first: BTreeMap::new(), former: former.clone(), lies });
    }
    let owners = Owners::register(&mut town, &people, WHILE);
    for _ in 0..RENEWALS {
        register(&mut town, &owners.names, WHILE);
    }
    let newest: BTreeMap<Username, u64> = owners
        .names
        .iter()
        .map(|(owner, name)| (name.clone(), town.world.newest_seq(*owner, name)))
        .collect();
    let names: Vec<Username> = newest.keys().cloned().collect();
    let some_lie = read(&mut town, &all_ask(readers, &names), WHILE);

    // Now nobody is left who would say the truth.
    for id in town.supernodes.clone() {
        town.world.urge(id);
    }
    let all_lie = read(&mut town, &all_ask(readers, &names), WHILE);
    let strangers = read(&mut town, &all_ask(newcomers, &names), WHILE);
    let pins = pins_hold(&mut town, &owners.pinned_by(readers));

    let right = |reading: &&Reading| {
        let first = reading.claims.first();
        first.map(|claim| claim.key) == owners.key(&town, &reading.name)
            && first.map(|claim| claim.seq) == newest.get(&reading.name).copied()
    };
    let back = |reading: &&Reading| reading.claims.iter().any(|c| newest.get(&reading.name) > Some(&c.seq));
    let expired = |reading: &&Reading| reading.claims.iter().any(|claim| claim.key == former.public_key());
    let everybody = || some_lie.iter().chain(&all_lie).chain(&strangers);
    let bars = vec![
        owners.all_could(),
        Bar::at_least(
            "readers shown the newest claim while a third of the holders lie (%)",
            percent(some_lie.iter().filter(right).count(), some_lie.len()),
            100.0,
        ),
        Bar::at_least("readers that decide alike (%)", percent(alike(&some_lie).0, some_lie.len()), 100.0),
        Bar::at_most(
            "readers shown an older claim than they had seen, while all holders lie (%)",
            percent(all_lie.iter().filter(back).count(), all_lie.len()),
            0.0,
        ),
        Bar::at_most(
            "readers shown a claim that has expired (%)",
            percent(everybody().filter(expired).count(), everybody().count()),
            0.0,
        ),
        pins,
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "renewals_left_out": RENEWALS,
        "readers_who_never_saw_the_newest_and_believe_the_older_percent":
            percent(strangers.iter().filter(back).count(), strangers.len()),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Rollback, options, &town.world, bars, figures)
}

/// Keeps every claim as it first came, and answers with that.
struct Archivist {
    first: BTreeMap<(PublicKey, Username), Claim>,
    former: Identity,
    lies: bool,
}

impl Liar for Archivist {
    fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
        if let Message::Request { body: Request::PutClaim(claim), .. } = &message {
            let of = (claim.identity(), claim.name().clone());
            self.first.entry(of).or_insert_with(|| (**claim).clone());
        }
        Some(message)
    }

    fn says(&mut self, now: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Response { id, body: Response::Claims(claims) } if self.lies => {
                let mut old: Vec<Claim> = claims
                    .iter()
                    .filter_map(|claim| self.first.get(&(claim.identity(), claim.name().clone())).cloned())
                    .collect();
                let before = now.saturating_sub(CLAIM_LIFETIME + Duration::from_secs(24 * 3600));
                let name = claims.first().map(|claim| claim.name().clone());
                old.extend(
                    name.map(|name| forge(&self.former, name, before, u64::MAX, before, |_| Vec::new())),
                );
                Message::Response { id, body: Response::Claims(Bounded::take(old)) }
            }
            other => other,
        })
    }

    fn urge(&mut self) {
        self.lies = true;
    }
}
