//! The union of what holders answered: every claim to a name or to one that looks like it, and who vouches for it.

use std::collections::BTreeMap;

use relay::UnixTime;

use super::{Claim, Contender, Evidence, Receipt, Standing, Subnet, Witnesses, rank};
use crate::{
    identity::{LinkKey, PublicKey},
    outcome::FoundClaim,
    username::Username,
};

/// What holders answered so far: per key and name the newest claim, how many hold one, and their receipts.
#[derive(Debug, Clone, Default)]
pub struct Union {
    claims: BTreeMap<(PublicKey, Username), Gathered>,
    /// Holders that answered over a link: nobody invented those.
    answered: BTreeMap<LinkKey, Subnet>,
}

#[derive(Debug, Clone)]
struct Gathered {
    newest: Claim,
    holders: usize,
    /// What the holders themselves said when they were asked.
    witnessed: BTreeMap<LinkKey, Receipt>,
}

impl Union {
    /// Adds one holder's verified claims; several of one key to one name count as one.
    pub fn add(&mut self, holder: LinkKey, subnet: Subnet, answer: impl IntoIterator<Item = Claim>) {
        self.answered.insert(holder, subnet);
        let mut newest: BTreeMap<(PublicKey, Username), Claim> = BTreeMap::new();
        for claim in answer {
            let of = (claim.identity(), claim.name().clone());
            if newest.get(&of).is_none_or(|held| held.seq() < claim.seq()) {
                newest.insert(of, claim);
            }
        }
        for (of, claim) in newest {
            let witness = claim.witness().filter(|witness| witness.holder() == holder).cloned();
            let gathered = self.claims.entry(of).or_insert_with(|| Gathered {
                newest: claim.clone(),
                holders: 0,
                witnessed: BTreeMap::new(),
            });
            gathered.holders += 1;
            gathered.witnessed.extend(witness.map(|witness| (holder, witness)));
            if claim.seq() > gathered.newest.seq() {
                gathered.newest = claim;
            }
        }
    }

    /// Whether somebody's claim to exactly this name was found.
    pub fn names(&self, name: &Username) -> bool {
        self.claims.keys().any(|(_, found)| found == name)
    }

    /// Whether nobody else's claim was found.
    pub fn is_only_of(&self, key: &PublicKey) -> bool {
        self.claims.keys().all(|(found, _)| found == key)
    }

    /// Whether this very claim was verified already.
    pub fn has(&self, claim: &Claim) -> bool {
        let known = self.claims.get(&(claim.identity(), claim.name().clone()));
        known.is_some_and(|known| known.newest.is_same(claim))
    }

    /// All claims found, ranked for somebody who knows `witnesses` beside those that answered.
    pub fn ranked(&self, now: UnixTime, witnesses: &Witnesses) -> Vec<FoundClaim> {
        let witnesses = witnesses.and(&self.answered);
        let weighed: Vec<(&Gathered, Evidence, Contender)> = self
            .claims
            .values()
            .map(|gathered| {
                let carried = gathered.newest.receipts();
                let carried = carried.iter().filter(|r| !gathered.witnessed.contains_key(&r.holder()));
                let receipts = gathered.witnessed.values().chain(carried);
                let evidence = Evidence::of(&gathered.newest, receipts, now, &witnesses);
                (gathered, evidence, Contender::new(&gathered.newest, &evidence))
            })
            .collect();
        // Who passed a name on has it no longer.
        let passed_on = |old: &Claim| {
            let heirs = weighed.iter().filter(|(_, _, heir)| heir.standing() > Standing::Pending);
            heirs.into_iter().any(|(heir, _, _)| heir.newest.is_heir_of(old))
        };
        let weighed: Vec<_> = weighed.iter().filter(|(old, _, _)| !passed_on(&old.newest)).collect();
        let contenders: Vec<Contender> = weighed.iter().map(|(_, _, contender)| contender.clone()).collect();
        let found = rank(&contenders).into_iter().filter_map(|(position, why)| {
            let (gathered, evidence, contender) = weighed.get(position)?;
            Some(FoundClaim {
                name: gathered.newest.name().clone(),
                key: gathered.newest.identity(),
                holders: gathered.holders,
                seq: gathered.newest.seq(),
                claimed_at: gathered.newest.claimed_at(),
                since: evidence.since,
                standing: contender.standing(),
                why,
            })
        });
        found.collect()
    }

    /// The newest claim of one key to a name, and the receipts for it.
    pub fn of(&self, key: &PublicKey, name: &Username) -> Option<(&Claim, &BTreeMap<LinkKey, Receipt>)> {
        self.claims.get(&(*key, name.clone())).map(|gathered| (&gathered.newest, &gathered.witnessed))
    }

    /// How many of those that answered hold a claim of a key to a name.
    pub fn holders(&self, key: &PublicKey, name: &Username) -> usize {
        self.claims.get(&(*key, name.clone())).map_or(0, |gathered| gathered.holders)
    }

    /// The newest claim of every key to every name.
    pub fn newest(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values().map(|gathered| &gathered.newest)
    }
}
