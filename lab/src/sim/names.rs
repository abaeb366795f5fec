//! What scenarios about names have in common: how they begin, registering, reading by many, and whether they were all
//! told the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use overlay::{
    FoundClaim, Identity, Network, PublicKey, RegisterError, Registration, Username,
    claim::{Claim, Receipt},
    config::DEFAULT_MAX_LEAVES,
    node::{Answer, Node, QueryId},
    work::Puzzle,
};
use rand::seq::SliceRandom as _;
use relay::{Now, UnixTime};

use super::{
    Bar, Options,
    figures::percent,
    town::{Town, name_of},
    world::{HostId, Reported, Told},
};

/// How they begin: a town, people drawn by lot, and others who only read.
pub(super) struct Cast {
    pub(super) town: Town,
    pub(super) people: Vec<HostId>,
    pub(super) readers: Vec<HostId>,
}

/// People who have registered, each the name that is theirs.
pub(super) struct Owners {
    pub(super) names: Vec<(HostId, Username)>,
    registered: usize,
}

/// What one reader was told about a name.
pub(super) struct Reading {
    pub(super) name: Username,
    /// Claims to the name, and those to names that look like it.
    pub(super) claims: Vec<FoundClaim>,
    pub(super) lookalikes: Vec<FoundClaim>,
}

/// Answers of commands arrive within this time, or never.
const PATIENCE: Duration = Duration::from_secs(12);

/// Steps of a search before it is given up; the lab's price is one attempt.
const WORK_ATTEMPTS: u32 = 1_000;

impl Cast {
    pub(super) fn gather(options: Options, people: usize, readers: usize) -> Self {
        let mut town = Town::found(options, DEFAULT_MAX_LEAVES);
        let people = some_leaves(&mut town, people, &[]);
        let readers = some_leaves(&mut town, readers, &people);
        Self { town, people, readers }
    }
}

impl Owners {
    /// Those register their names, spread over `time`.
    pub(super) fn register(town: &mut Town, people: &[HostId], time: Duration) -> Self {
        let names: Vec<(HostId, Username)> = people.iter().map(|host| (*host, name_of(*host))).collect();
        let registered = register(town, &names, time).iter().filter(|result| result.is_ok()).count();
        Self { names, registered }
    }

    pub(super) fn all_could(&self) -> Bar {
        let registered = percent(self.registered, self.names.len());
        Bar::at_least("names registered by their owners (%)", registered, 100.0)
    }

    pub(super) fn in_order(&self) -> Vec<Username> {
        self.names.iter().map(|(_, name)| name.clone()).collect()
    }

    /// Whose key a name belongs to.
    pub(super) fn key(&self, town: &Town, name: &Username) -> Option<PublicKey> {
        self.names.iter().find(|(_, own)| own == name).map(|(host, _)| town.world.person(*host))
    }

    /// Each reader has one of them among its contacts.
    pub(super) fn pinned_by(&self, readers: &[HostId]) -> Vec<(HostId, HostId)> {
        readers.iter().copied().zip(self.names.iter().map(|(host, _)| *host)).collect()
    }
}

/// A name made of parts that are known to be in order.
pub(super) fn named(text: &str) -> Username {
    match Username::parse(text) {
        Ok(name) => name,
        Err(error) => unreachable!("{error}"),
    }
}

/// Everybody of `wishes` registers a name, spread over `time`.
pub(super) fn register(
    town: &mut Town,
    wishes: &[(HostId, Username)],
    time: Duration,
) -> Vec<Result<Registration, RegisterError>> {
    let asked = ask(town, wishes, time, Node::register);
    let mut results: Vec<_> = wishes.iter().map(|_| Err(RegisterError::Closed)).collect();
    for Reported { host, report, .. } in town.world.reports() {
        if let Told::Answer(query, Answer::Registered(result)) = report
            && let Some(nth) = asked.get(&(host, query))
        {
            results[*nth] = result;
        }
    }
    results
}

/// Everybody of `questions` looks up a name, spread over `time`. Whoever gets no answer reads nothing.
pub(super) fn read(town: &mut Town, questions: &[(HostId, Username)], time: Duration) -> Vec<Reading> {
    let asked = ask(town, questions, time, Node::lookup);
    let mut readings: Vec<Reading> = questions
        .iter()
        .map(|(_, name)| Reading { name: name.clone(), claims: Vec::new(), lookalikes: Vec::new() })
        .collect();
    for Reported { host, report, .. } in town.world.reports() {
        if let Told::Answer(query, Answer::LookedUp(Ok(found))) = report
            && let Some(nth) = asked.get(&(host, query))
        {
            (readings[*nth].claims, readings[*nth].lookalikes) = (found.claims, found.lookalikes);
        }
    }
    readings
}

/// Everybody asks its own node about a name, spread over `time`; whose question is which, when the answers are there.
fn ask(
    town: &mut Town,
    names: &[(HostId, Username)],
    time: Duration,
    question: impl Fn(&mut Node, Now, Username) -> QueryId,
) -> BTreeMap<(HostId, QueryId), usize> {
    let gap = time / (names.len() as u32).max(1);
    town.world.reports();
    let mut asked = BTreeMap::new();
    for (nth, (host, name)) in names.iter().enumerate() {
        if let Some(query) = town.world.with(*host, |node, now| question(node, now, name.clone())) {
            asked.insert((*host, query), nth);
        }
        town.world.run(gap);
    }
    town.world.run(PATIENCE);
    asked
}

/// Every one of `readers` asks for every name.
pub(super) fn all_ask(readers: &[HostId], names: &[Username]) -> Vec<(HostId, Username)> {
    let ask = |name: &Username| readers.iter().map(|reader| (*reader, name.clone())).collect::<Vec<_>>();
    names.iter().flat_map(ask).collect()
}

/// Some leaves, drawn by lot.
pub(super) fn some_leaves(town: &mut Town, count: usize, except: &[HostId]) -> Vec<HostId> {
    let mut leaves: Vec<HostId> = town
        .leaves
        .iter()
        .copied()
        .filter(|leaf| !except.contains(leaf) && town.world.is_up(*leaf))
        .collect();
    leaves.shuffle(town.world.rng());
    leaves.truncate(count);
    leaves
}

/// How many readers were told what most readers of the same name were told: the same first claim, and the same claims
/// in the same order.
pub(super) fn alike(readings: &[Reading]) -> (usize, usize) {
    let mut by_name: BTreeMap<&Username, Vec<Vec<(PublicKey, &Username)>>> = BTreeMap::new();
    for reading in readings {
        let order = reading.claims.iter().chain(&reading.lookalikes).map(|c| (c.key, &c.name)).collect();
        by_name.entry(&reading.name).or_default().push(order);
    }
    let (mut first, mut whole) = (0, 0);
    for told in by_name.values() {
        first += most_common(told.iter().map(|order| order.first()));
        whole += most_common(told.iter());
    }
    (first, whole)
}

fn most_common<T: Ord>(values: impl Iterator<Item = T>) -> usize {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// Of those contacts (who, and whose key they pinned) all still reach the person they pinned, and nobody else.
pub(super) fn pins_hold(town: &mut Town, contacts: &[(HostId, HostId)]) -> Bar {
    let reached = percent(reach(town, contacts), contacts.len());
    Bar::at_least("pinned contacts that reach whom they pinned (%)", reached, 100.0)
}

fn reach(town: &mut Town, contacts: &[(HostId, HostId)]) -> usize {
    town.world.run(PATIENCE);
    town.world.reports();
    for (nth, (from, to)) in contacts.iter().enumerate() {
        let pinned = town.world.person(*to);
        town.world.with(*from, |node, now| node.send(now, pinned, (nth as u64).to_be_bytes().to_vec()));
        town.world.run(Duration::from_millis(50));
    }
    town.world.run(PATIENCE);
    let mut reached: BTreeMap<usize, BTreeSet<HostId>> = BTreeMap::new();
    for Reported { host, report, .. } in town.world.reports() {
        if let Told::Envelope(_, payload) = report
            && let Ok(nth) = payload.try_into().map(u64::from_be_bytes)
        {
            reached.entry(nth as usize).or_default().insert(host);
        }
    }
    contacts
        .iter()
        .enumerate()
        .filter(|(nth, (_, to))| reached.get(nth) == Some(&BTreeSet::from([*to])))
        .count()
}

/// A claim as nobody's node would make it: any date, any number, any receipts. It has a proof.
pub(super) fn forge(
    identity: &Identity,
    name: Username,
    claimed_at: UnixTime,
    seq: u64,
    signed: UnixTime,
    receipts: impl FnOnce(&Claim) -> Vec<Receipt>,
) -> Claim {
    let mut search = Puzzle::of(Network::Lab, &name, identity.public_key(), claimed_at).begin();
    let proof = (0..WORK_ATTEMPTS).find_map(|_| search.step());
    let claim = Claim::sign(identity, Network::Lab, name, claimed_at, proof, seq, signed);
    let receipts = receipts(&claim);
    claim.with_receipts(identity, receipts)
}
