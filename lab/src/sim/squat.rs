//! `squat`: squatters with all the hash power they want go for names and for names that look like them, before and
//! after their owners; their nodes ignore that a name is taken, date claims back and bring receipts of holders they
//! invented.

use std::time::Duration;

use overlay::{
    Identity, NameState, Network, PublicKey, RegisterError, Registration, Username,
    claim::Receipt,
    identity::LinkSecret,
    wire::{Bounded, Message, Request, Response},
};
use relay::UnixTime;
use serde_json::json;

use super::{
    Bar, Options, Report, Scenario,
    figures::percent,
    names::{Cast, Owners, alike, all_ask, forge, named, pins_hold, read, register},
    world::{HostId, Liar},
};

const VICTIMS: usize = 20;
const SQUATTERS: usize = 10;
const READERS: usize = 20;

/// Names both want at the same moment.
const RACES: usize = 10;

/// How far back squatters date their claims.
const BACK: Duration = Duration::from_secs(300 * 24 * 3600);

const WHILE: Duration = Duration::from_secs(30);

pub(super) fn play(options: Options) -> Report {
    let Cast { mut town, people, readers } = Cast::gather(options, VICTIMS + SQUATTERS + RACES, READERS);
    let (victims, others) = people.split_at(VICTIMS.min(people.len()));
    let (squatters, racers) = others.split_at(SQUATTERS.min(others.len()));
    let owners = Owners::register(&mut town, victims, WHILE);

    // After: the very names, and what looks like them.
    for squatter in squatters {
        let identity = town.world.identity(*squatter).clone();
        town.world.corrupt(*squatter, Squatter { identity });
    }
    let mut wanted = Vec::new();
    for (nth, victim) in victims.iter().enumerate() {
        let squatter = squatters[nth % squatters.len()];
        for shape in ["person-", "pers0n-", "per.son", "pe-rson_"] {
            wanted.push((squatter, named(&format!("{shape}{victim}"))));
        }
    }
    let grabbed = register(&mut town, &wanted, WHILE);
    let refused = grabbed.iter().filter(|result| !is_held(result)).count();

    // Before: whoever comes second is refused, whatever the second one is called.
    let shops: Vec<(HostId, Username)> =
        squatters.iter().map(|squatter| (*squatter, named(&format!("shop-{squatter}")))).collect();
    let first = register(&mut town, &shops, WHILE).iter().filter(|result| is_held(result)).count();
    let late: Vec<(HostId, Username)> = shops
        .iter()
        .zip(victims)
        .map(|((_, shop), victim)| (*victim, named(&shop.as_str().replace("shop-", "sh0p"))))
        .collect();
    let late = register(&mut town, &late, WHILE);
    let told = late.iter().filter(|result| matches!(result, Err(RegisterError::LooksLike { .. }))).count();

    // At the same moment.
    let races: Vec<(HostId, Username)> = racers
        .iter()
        .enumerate()
        .flat_map(|(nth, racer)| {
            let name = named(&format!("race-{racer}"));
            [(squatters[nth % squatters.len()], name.clone()), (*racer, name)]
        })
        .collect();
    let raced = register(&mut town, &races, Duration::from_millis(20));
    let both = raced.chunks(2).filter(|pair| pair.iter().all(is_held)).count();
    town.world.run(Duration::from_secs(600));

    let readings = read(&mut town, &all_ask(&readers, &owners.in_order()), WHILE);
    let owner = |name: &Username| owners.key(&town, name);
    let theirs: Vec<PublicKey> = squatters.iter().map(|squatter| town.world.person(*squatter)).collect();
    let right = readings.iter().filter(|r| r.claims.first().map(|claim| claim.key) == owner(&r.name)).count();
    let fooled = readings
        .iter()
        .filter(|r| r.claims.iter().chain(&r.lookalikes).any(|claim| theirs.contains(&claim.key)))
        .count();
    let raced_for: Vec<Username> = races.iter().skip(1).step_by(2).map(|(_, name)| name.clone()).collect();
    let race_readings = read(&mut town, &all_ask(&readers, &raced_for), WHILE);
    let ((first_alike, _), (race_alike, race_whole)) = (alike(&readings), alike(&race_readings));
    let pins = pins_hold(&mut town, &owners.pinned_by(&readers));

    let bars = vec![
        owners.all_could(),
        Bar::at_least(
            "taken names and lookalikes of them refused to squatters (%)",
            percent(refused, grabbed.len()),
            100.0,
        ),
        Bar::at_least("latecomers told whose name theirs looks like (%)", percent(told, first), 100.0),
        Bar::at_least("readers shown the owner first (%)", percent(right, readings.len()), 100.0),
        Bar::at_most(
            "readers shown a squatter's claim that nobody granted (%)",
            percent(fooled, readings.len()),
            0.0,
        ),
        Bar::at_least(
            "readers that decide alike, also of names wanted at the same moment (%)",
            percent(first_alike + race_alike, readings.len() + race_readings.len()),
            100.0,
        ),
        pins,
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "squatters_refused": refused,
        "names_squatters_had_first": first,
        "races": raced_for.len(),
        "races_both_sides_think_they_won": both,
        "race_readings_with_the_same_claims_in_the_same_order_percent": percent(race_whole, race_readings.len()),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Squat, options, &town.world, bars, figures)
}

fn is_held(result: &Result<Registration, RegisterError>) -> bool {
    matches!(result, Ok(Registration { state: NameState::Held | NameState::Established, .. }))
}

/// Its node never hears that a name is taken, and asks for more than it works for.
struct Squatter {
    identity: Identity,
}

impl Liar for Squatter {
    fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Response { id, body: Response::Claims(claims) } => {
                let mine =
                    claims.into_vec().into_iter().filter(|c| c.identity() == self.identity.public_key());
                Message::Response { id, body: Response::Claims(Bounded::take(mine)) }
            }
            other => other,
        })
    }

    fn says(&mut self, now: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Request { id, body: Request::PutClaim(claim) } if claim.proof().is_some() => {
                let long_ago = now.saturating_sub(BACK);
                let inventions = |claim: &overlay::claim::Claim| {
                    let invented = (0..12).map(|n| LinkSecret::from_secret([n; 32]));
                    invented.map(|h| Receipt::sign(&h, Network::Lab, claim.id(), long_ago, now)).collect()
                };
                let name = claim.name().clone();
                let forged = forge(&self.identity, name, long_ago, claim.seq(), now, inventions);
                Message::Request { id, body: Request::PutClaim(Box::new(forged)) }
            }
            other => other,
        })
    }
}
