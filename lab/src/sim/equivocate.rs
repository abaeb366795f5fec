//! `equivocate`: owners tell every holder another claim; impostors collude with a fifth of the supernodes, which give
//! them receipts as old as they like and show readers now this, now that.

use std::{collections::BTreeMap, time::Duration};

use overlay::{
    Identity, Network, PublicKey, Username,
    claim::{Claim, Receipt},
    identity::LinkSecret,
    routing::Key,
    wire::{Bounded, Message, Request, Response},
};
use relay::UnixTime;
use serde_json::json;

use super::{
    Bar, Options, Report, Scenario,
    figures::percent,
    names::{Cast, Owners, Reading, alike, all_ask, forge, pins_hold, read, register},
    town::name_of,
    world::{HostId, Liar},
};

const OWNERS: usize = 10;
const READERS: usize = 20;

/// One of this many supernodes colludes.
const SUPERNODES_PER_COLLUDER: usize = 5;

const BACK: Duration = Duration::from_secs(300 * 24 * 3600);
const WHILE: Duration = Duration::from_secs(30);

pub(super) fn play(options: Options) -> Report {
    let Cast { mut town, people, readers } = Cast::gather(options, 3 * OWNERS, READERS);
    let (owners, others) = people.split_at(people.len() / 3);
    let (two_faced, impostors) = others.split_at(others.len() / 2);

    let colluders: Vec<HostId> =
        town.supernodes.iter().copied().filter(|id| id % SUPERNODES_PER_COLLUDER == 1).collect();
    let secrets: Vec<LinkSecret> = colluders.iter().map(|id| town.world.link_secret(*id).clone()).collect();
    let mut false_claims = BTreeMap::new();
    for (owner, impostor) in owners.iter().zip(impostors) {
        let identity = town.world.identity(*impostor).clone();
        false_claims.insert(name_of(*owner), identity);
    }
    for (id, secret) in colluders.iter().zip(&secrets) {
        let own = secret.clone();
        town.world.corrupt(*id, Colluder { own, all: secrets.clone(), impostors: false_claims.clone() });
    }
    for host in two_faced {
        let identity = town.world.identity(*host).clone();
        town.world.corrupt(*host, TwoFaced { identity, told: 0 });
    }
    let honest = Owners::register(&mut town, owners, WHILE);
    let faces = Owners::register(&mut town, two_faced, WHILE);
    // Impostors bring what the colluders gave them to everybody.
    for (owner, impostor) in owners.iter().zip(impostors) {
        let identity = town.world.identity(*impostor).clone();
        town.world.corrupt(*impostor, Impostor { identity, receipts_of: secrets.clone() });
        register(&mut town, &[(*impostor, name_of(*owner))], WHILE / 30);
    }
    town.world.run(Duration::from_secs(600));

    let readings = read(&mut town, &all_ask(&readers, &honest.in_order()), WHILE);
    let face_readings = read(&mut town, &all_ask(&readers, &faces.in_order()), WHILE);
    let pins = pins_hold(&mut town, &honest.pinned_by(&readers));

    let owner = |name: &Username| honest.key(&town, name);
    let shown = |reading: &&Reading| owner(&reading.name).is_some_and(|key| has(reading, key));
    let both = |reading: &&Reading| shown(reading) && reading.claims.len() > 1;
    let first = |reading: &&Reading| reading.claims.first().map(|claim| claim.key) == owner(&reading.name);
    let one_face = |reading: &&Reading| reading.claims.len() == 1;
    let (alike_first, alike_whole) = alike(&readings);
    let bars = vec![
        honest.all_could(),
        Bar::at_least("readers that decide alike (%)", percent(alike_first, readings.len()), 100.0),
        Bar::at_least(
            "readers shown both claims, to whomever colluders show theirs (%)",
            percent(readings.iter().filter(both).count(), readings.len()),
            100.0,
        ),
        Bar::at_least(
            "readers shown the owner's claim, whatever colluders show (%)",
            percent(readings.iter().filter(shown).count(), readings.len()),
            100.0,
        ),
        Bar::at_least(
            "readers shown one claim, the same, of an owner who told each holder another (%)",
            percent(
                face_readings.iter().filter(one_face).count().min(alike(&face_readings).1),
                face_readings.len(),
            ),
            100.0,
        ),
        pins,
    ];
    let figures = json!({
        "supernodes": town.supernodes.len(),
        "colluders": colluders.len(),
        "readers_shown_the_owner_first_percent": percent(readings.iter().filter(first).count(), readings.len()),
        "readers_shown_the_same_claims_in_the_same_order_percent": percent(alike_whole, readings.len()),
        "traffic": town.world.traffic(),
    });
    Report::new(Scenario::Equivocate, options, &town.world, bars, figures)
}

fn has(reading: &Reading, key: PublicKey) -> bool {
    reading.claims.iter().any(|claim| claim.key == key)
}

/// A claim of an impostor with a history that never was, told by those whose word counts most: the closest.
fn with_a_past(impostor: &Identity, name: &Username, witnesses: &[LinkSecret], now: UnixTime) -> Claim {
    let mut witnesses: Vec<&LinkSecret> = witnesses.iter().collect();
    witnesses.sort_by_cached_key(|w| Key::of_node(&w.public_key()).distance(&Key::of_name(name)));
    let since = now.saturating_sub(BACK);
    forge(impostor, name.clone(), since, now.as_millis(), now, |claim| {
        let receipts = witnesses.iter().map(|w| Receipt::sign(w, Network::Lab, claim.id(), since, now));
        receipts.collect()
    })
}

/// Shows half of those who ask the impostor's claim alone, the others nothing.
struct Colluder {
    own: LinkSecret,
    all: Vec<LinkSecret>,
    impostors: BTreeMap<Username, Identity>,
}

impl Liar for Colluder {
    fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(message)
    }

    fn says(&mut self, now: UnixTime, to: HostId, message: Message) -> Option<Message> {
        let Message::Response { id, body: Response::Claims(claims) } = &message else { return Some(message) };
        let Some(name) = claims.first().map(Claim::name) else { return Some(message) };
        let Some(impostor) = self.impostors.get(name) else { return Some(message) };
        let shown = to.is_multiple_of(2).then(|| {
            let witnesses =
                if to.is_multiple_of(4) { &self.all[..] } else { std::slice::from_ref(&self.own) };
            with_a_past(impostor, name, witnesses, now)
        });
        Some(Message::Response { id: *id, body: Response::Claims(Bounded::take(shown)) })
    }
}

/// Tells every holder another claim to the same name.
struct TwoFaced {
    identity: Identity,
    told: u64,
}

impl Liar for TwoFaced {
    fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(message)
    }

    fn says(&mut self, now: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Request { id, body: Request::PutClaim(claim) } if claim.proof().is_some() => {
                self.told += 1;
                let since = now.saturating_sub(Duration::from_secs(self.told));
                let (name, seq) = (claim.name().clone(), claim.seq() + self.told);
                let other = forge(&self.identity, name, since, seq, now, |_| Vec::new());
                Message::Request { id, body: Request::PutClaim(Box::new(other)) }
            }
            other => other,
        })
    }
}

/// Puts a claim with the colluders' receipts, whether the name is taken or not.
struct Impostor {
    identity: Identity,
    receipts_of: Vec<LinkSecret>,
}

impl Liar for Impostor {
    fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Response { id, body: Response::Claims(_) } => {
                Message::Response { id, body: Response::Claims(Bounded::take([])) }
            }
            other => other,
        })
    }

    fn says(&mut self, now: UnixTime, _: HostId, message: Message) -> Option<Message> {
        Some(match message {
            Message::Request { id, body: Request::PutClaim(claim) } if claim.proof().is_some() => {
                let claim = with_a_past(&self.identity, claim.name(), &self.receipts_of, now);
                Message::Request { id, body: Request::PutClaim(Box::new(claim)) }
            }
            other => other,
        })
    }
}
