//! Our names: claiming them, working for them, keeping them.
//!
//! ```text
//!   register ─▶ Reading ─free, or ours─▶ Working ─proof within WORK_PATIENCE────────▶ Writing ─quorum─▶ held
//!                  │                        └─not yet─▶ Writing (provisional) ─▶ answer: provisional
//!                  │ ours, and proven             proof ─▶ Writing (nobody asked) ─▶ NameHeld | NameLost
//!                  └──────────────────────────────────────────────▲
//! ```
//! A provisional claim of somebody else stops nobody: whoever has done the work first has the name.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use relay::{Now, UnixTime};

use super::{
    Answer, Effect, Node, NodeEvent, QueryId, Timer, WorkId,
    ask::{AskError, Peer, Purpose, Round},
    query::{Next, QUERY_TIMEOUT, Query, key_of},
    watch::WATCH_SOON,
};
use crate::{
    claim::{
        CLAIM_LIFETIME, Claim, ESTABLISHED_AFTER, Evidence, Receipt, Standing, Subnet, Union, Witnesses,
        choose_receipts, receipts_needed,
    },
    error::RegisterError,
    identity::{LinkKey, PublicKey},
    outcome::{FoundClaim, NameState, Registration},
    record::SupernodeRecord,
    routing::{REPLICATION, quorum},
    username::Username,
    wire::{Request, Response},
    work::{Proof, Puzzle},
};

/// A name we hold, or work for.
#[derive(Debug)]
pub(super) struct OwnName {
    pub(super) claim: Claim,
    /// A quorum confirmed the proven claim: so many of so many.
    held: Option<(usize, usize)>,
    /// Receipts of holders, the newest of each; their signatures are looked at when the claim is to carry them.
    receipts: BTreeMap<LinkKey, Box<Receipt>>,
    /// When it is put again.
    pub(super) due: Instant,
    /// What the application knows.
    told: Option<NameState>,
}

/// A proof being searched for.
#[derive(Debug)]
pub(super) struct Work {
    name: Username,
    claimed_at: UnixTime,
    seq: u64,
    /// The command that may still wait for it.
    query: QueryId,
}

/// A claim on its way to its holders.
#[derive(Debug)]
pub(super) struct Writing {
    claim: Claim,
    held_by: usize,
    taken: Option<(Standing, PublicKey, Username)>,
    receipts: BTreeMap<LinkKey, Box<Receipt>>,
    /// Whom we passed the name on to.
    heir: Option<PublicKey>,
    report: Report,
}

/// Who wants to know how the writing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// The command.
    Answer,
    /// Nobody asked: the application is told of changes.
    Event,
}

/// How long a registration waits for the proof before it claims the name provisionally.
const WORK_PATIENCE: Duration = Duration::from_millis(300);

/// Our claims are put again this often: holders may have lost them, and say anew that they have not.
const PUT_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// And so soon while too few hold them.
const RETRY: Duration = Duration::from_secs(600);

/// So long after its first holders gave receipts a claim is put again with them: a name that is given up at once is
/// not written twice.
const RECEIPTS_DELAY: Duration = Duration::from_secs(300);

/// A proven claim is signed anew at this age.
const LEASE_RENEWAL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Receipts count when their holders are among so many supernodes closest to the name: holders come and go.
const WITNESSES: usize = 2 * REPLICATION;

/// Receipts kept for a name of ours; when full, the one given first goes.
const MAX_OWN_RECEIPTS: usize = 2 * REPLICATION;

/// What was seen is written to the cache so much later, together with what else is seen until then.
const SEEN_DELAY: Duration = Duration::from_secs(60);

/// Names worked for at a time; when full, the oldest work is left.
const MAX_WORKS: usize = 4;

impl Node {
    /// What one holder answered, as far as it is true, about this name or one like it, and not older than what we
    /// have seen.
    pub(super) fn take_claims(
        &mut self,
        now: Now,
        name: &Username,
        union: &mut Union,
        holder: Peer,
        result: Result<Response, AskError>,
    ) -> bool {
        let Ok(Response::Claims(claims)) = result else { return false };
        let skeleton = name.skeleton();
        let mut valid = Vec::new();
        for claim in claims.into_vec() {
            if !union.has(&claim) && !self.believes(now, &claim) || self.seen.is_rolled_back(&claim) {
                self.stats.refused_records += 1;
            } else if claim.name().skeleton() == skeleton {
                valid.push(claim);
            }
        }
        union.add(holder.node, Subnet::of(self.config.network, holder.address), valid);
        true
    }

    /// What was found is not to be shown in an older form later.
    pub(super) fn remember_seen(&mut self, now: Now, union: &Union) {
        let news = union.newest().filter(|claim| self.seen.note(claim)).count();
        if news > 0 {
            self.timers.set_earlier(Timer::Cache, now.instant + SEEN_DELAY);
        }
    }

    fn believes(&self, now: Now, claim: &Claim) -> bool {
        claim.verify(self.config.network, now.unix).and_then(|()| claim.verify_work()).is_ok()
    }

    /// All claims of a union in their order.
    pub(super) fn ranked(&self, now: Now, name: &Username, union: &Union) -> Vec<FoundClaim> {
        union.ranked(now.unix, &self.witnesses(now, name))
    }

    /// For weighing receipts: the supernodes we know around a name. What one far away says is worth nothing, or eight
    /// supernodes anywhere could vouch for every name.
    pub(super) fn witnesses(&self, now: Now, name: &Username) -> Witnesses {
        let key = key_of(name);
        let closest = self.closest(now, &key, WITNESSES, &BTreeSet::new());
        let around = closest.iter().map(|p| (p.node, Subnet::of(self.config.network, p.address)));
        Witnesses::new(key, around, self.live(now))
    }

    /// Supernodes believed to live, we among them if we are one.
    pub(super) fn live(&self, now: Now) -> usize {
        self.table.live(now.instant) + usize::from(self.is_supernode())
    }

    fn subnet_of(&self, node: &LinkKey) -> Option<Subnet> {
        let own = self.own_record.as_ref().filter(|own| own.node() == *node).map(SupernodeRecord::address);
        let address = own.or_else(|| Some(self.table.get(node)?.record.address()))?;
        Some(Subnet::of(self.config.network, address))
    }

    /// Register, first part: nobody else may have worked for the name.
    pub(super) fn read(
        &mut self,
        now: Now,
        id: QueryId,
        name: Username,
        union: &Union,
        round: &Round,
    ) -> Next {
        if round.answered == 0 {
            return Next::Done(Answer::Registered(Err(RegisterError::Offline)));
        }
        let me = self.identity.public_key();
        let found = union.of(&me, &name);
        let known = self.own_names.get(&name).map(|own| &own.claim);
        let mine = [found.map(|(claim, _)| claim), known].into_iter().flatten();
        let mine = mine.max_by_key(|claim| claim.seq()).cloned();
        let theirs = |claim: &FoundClaim| claim.key != me && claim.standing >= Standing::Proven;
        let first = self.ranked(now, &name, union).into_iter().find(theirs).filter(|_| found.is_none());
        if let Some(first) = first {
            return Next::Done(Answer::Registered(Err(taken(&name, first.name, first.key))));
        }
        let seq = mine.as_ref().map_or(0, |claim| claim.seq() + 1).max(now.unix.as_millis());
        if let Some(mine) = mine.as_ref().filter(|mine| mine.proof().is_some()) {
            let mut receipts: BTreeMap<LinkKey, Box<Receipt>> =
                mine.receipts().iter().map(|receipt| (receipt.holder(), Box::new(receipt.clone()))).collect();
            let found = found.into_iter().flat_map(|(_, witnessed)| witnessed);
            receipts.extend(found.map(|(holder, receipt)| (*holder, Box::new(receipt.clone()))));
            let receipts = receipts.values().map(Box::as_ref);
            let chosen = choose_receipts(receipts, &key_of(&name), |node| self.subnet_of(node));
            let claim = mine.renewed(&self.identity, seq, chosen, self.recovery, now.unix);
            return self.begin_writing(now, id, claim, Report::Answer);
        }
        let work = self.begin_work(now, id, name, seq);
        self.next_stage(now, id);
        self.timers.set(Timer::Query(id), now.instant + WORK_PATIENCE);
        Next::Continue(Query::Working { work })
    }

    /// The work for one name; that which goes on already, if any.
    fn begin_work(&mut self, now: Now, query: QueryId, name: Username, seq: u64) -> WorkId {
        if let Some((id, work)) = self.works.iter_mut().find(|(_, work)| work.name == name) {
            (work.query, work.seq) = (query, seq);
            return *id;
        }
        if self.works.len() >= MAX_WORKS
            && let Some(oldest) = self.works.keys().next().copied()
        {
            self.stop_work(oldest);
        }
        let id = WorkId(self.next_work);
        self.next_work += 1;
        let puzzle = Puzzle::of(self.config.network, &name, self.identity.public_key(), now.unix);
        self.effects.push_back(Effect::Work { id, puzzle });
        self.works.insert(id, Work { name, claimed_at: now.unix, seq, query });
        id
    }

    fn stop_work(&mut self, id: WorkId) {
        if self.works.remove(&id).is_some() {
            self.effects.push_back(Effect::StopWork { id });
        }
    }

    pub(super) fn stop_works(&mut self) {
        while let Some(id) = self.works.keys().next().copied() {
            self.stop_work(id);
        }
    }

    /// The proof is not there yet: the name works all the same.
    pub(super) fn write_provisionally(&mut self, now: Now, id: QueryId, work: WorkId) -> Next {
        let Some(work) = self.works.get(&work) else {
            return Next::Done(Answer::Registered(Err(RegisterError::Busy)));
        };
        let (name, claimed_at, seq) = (work.name.clone(), work.claimed_at, work.seq);
        let claim = self.sign(name, claimed_at, None, seq, now);
        self.begin_writing(now, id, claim, Report::Answer)
    }

    pub(super) fn work_done(&mut self, now: Now, id: WorkId, proof: Proof) {
        let Some(work) = self.works.remove(&id) else { return };
        let waits = matches!(self.queries.get(&work.query), Some(Query::Working { work }) if *work == id);
        let claim = self.sign(work.name, work.claimed_at, Some(proof), work.seq + 1, now);
        let (query, report) =
            if waits { (work.query, Report::Answer) } else { (self.new_query(), Report::Event) };
        let next = self.begin_writing(now, query, claim, report);
        self.carry_on(query, next);
    }

    fn sign(&self, name: Username, since: UnixTime, proof: Option<Proof>, seq: u64, now: Now) -> Claim {
        Claim::sign(&self.identity, self.config.network, name, since, proof, seq, now.unix)
            .with_recovery(&self.identity, self.recovery)
    }

    pub(super) fn begin_writing(&mut self, now: Now, id: QueryId, claim: Claim, report: Report) -> Next {
        self.next_stage(now, id);
        self.timers.set(Timer::Query(id), now.instant + QUERY_TIMEOUT);
        let put = Request::PutClaim(Box::new(claim.clone()));
        let round = self.begin_round(now, id, key_of(claim.name()), put);
        let writing =
            Writing { claim, held_by: 0, taken: None, receipts: BTreeMap::new(), heir: None, report };
        Next::Continue(Query::Writing { writing: Box::new(writing), round })
    }

    /// Counts what one holder answered; whether it answered at all.
    pub(super) fn note_holder(
        &mut self,
        now: Now,
        writing: &mut Writing,
        holder: Peer,
        result: Result<Response, AskError>,
    ) -> bool {
        match result {
            Ok(Response::Done) => writing.held_by += 1,
            Ok(Response::Receipt(receipt)) => {
                writing.held_by += 1;
                if receipt.answers(&writing.claim, &holder.node, now.unix) {
                    writing.receipts.insert(holder.node, receipt);
                } else {
                    self.stats.refused_records += 1;
                }
            }
            Ok(Response::Taken(other)) => {
                let name = other.name().clone();
                let about = name.skeleton() == writing.claim.name().skeleton()
                    && other.identity() != writing.claim.identity();
                if about && self.believes_kept(now, &other) {
                    if other.is_heir_of(&writing.claim) && other.recovered_from(&writing.claim).is_none() {
                        writing.heir = Some(other.identity());
                    }
                    let other = Some((other.standing(), other.identity(), name));
                    writing.taken = writing.taken.take().max(other);
                }
            }
            // It has no room; it answered.
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    /// A name is also taken while it is in quarantine.
    fn believes_kept(&self, now: Now, claim: &Claim) -> bool {
        claim.verify_kept(self.config.network, now.unix).and_then(|()| claim.verify_work()).is_ok()
    }

    /// Register, last part: enough must hold it.
    pub(super) fn written(&mut self, now: Now, writing: Writing, round: &Round) -> Next {
        let Writing { claim, held_by, taken: rival, receipts, heir, report } = writing;
        let of = round.asked;
        let needed = quorum(of.min(self.live(now)));
        let name = claim.name().clone();
        let proven = claim.standing() == Standing::Proven;
        // Of a young claim that nobody disputes, receipts say nothing new.
        let old = claim.claimed_at().saturating_add(ESTABLISHED_AFTER) <= now.unix;
        let vouched = (rival.is_some() || old || claim.was_recovered()).then(|| {
            let carried = claim.receipts().iter().filter(|r| !receipts.contains_key(&r.holder()));
            let given = receipts.values().map(Box::as_ref).chain(carried);
            Evidence::of(&claim, given, now.unix, &self.witnesses(now, &name))
        });
        let standing = vouched.map_or(claim.standing(), |vouched| vouched.standing(&claim));
        if proven && report == Report::Event && rival.is_none() {
            self.keep_claim(now, claim.clone(), None, BTreeMap::new());
        }
        // While the work goes on, only somebody who has done it takes the name away. Whoever has enough receipts keeps
        // a name that was granted twice.
        let contested = match &rival {
            Some((Standing::Provisional, ..)) => !proven,
            Some(_) => {
                let vouched = vouched.is_some_and(|vouched| vouched.suffices());
                proven && vouched && standing != Standing::Pending
            }
            None => false,
        };
        let result = if let Some(by) = heir {
            self.own_names.remove(&name);
            Err(RegisterError::Taken { by })
        } else if held_by >= needed || contested {
            let held = (proven && held_by >= needed).then_some((held_by, of));
            let (state, held_by, of) = match self.keep_claim(now, claim, held, receipts) {
                Some((held_by, of)) if standing == Standing::Pending => (NameState::Pending, held_by, of),
                Some((held_by, of)) if standing == Standing::Established => {
                    (NameState::Established, held_by, of)
                }
                Some((held_by, of)) => (NameState::Held, held_by, of),
                None if proven => (NameState::Held, held_by, of),
                None => (NameState::Provisional, held_by, of),
            };
            Ok(Registration { name: name.clone(), state, held_by, of })
        } else if let Some((_, by, theirs)) = rival.clone() {
            Err(taken(&name, theirs, by))
        } else if round.answered == 0 {
            Err(RegisterError::Offline)
        } else {
            Err(RegisterError::TooFewHolders { held_by, needed })
        };
        let known = self.tell_state(&name, result.as_ref().ok().map(|registration| registration.state));
        if report == Report::Answer {
            if result.is_err() {
                self.leave_work_for(&name);
            }
            return Next::Done(Answer::Registered(result));
        }
        if let Some((standing, by, _)) = rival.filter(|_| proven)
            && standing >= Standing::Proven
            && result.is_ok()
        {
            self.contested(&name, by);
        }
        match result {
            Ok(registration) if known != Some(registration.state) => {
                self.events.push_back(NodeEvent::NameHeld(registration));
            }
            Err(RegisterError::Taken { by } | RegisterError::LooksLike { by, .. }) => {
                self.own_names.remove(&name);
                self.events.push_back(NodeEvent::NameLost { name, by });
            }
            // Nothing new, or not enough holders for now: the next renewal tries again.
            Ok(_) | Err(_) => {}
        }
        Next::Dropped
    }

    /// What the application knew of a name so far.
    fn tell_state(&mut self, name: &Username, state: Option<NameState>) -> Option<NameState> {
        let own = self.own_names.get_mut(name)?;
        let known = own.told;
        own.told = state.or(known);
        known
    }

    /// From now on this claim is kept alive. Who holds the proven one, as far as we know.
    fn keep_claim(
        &mut self,
        now: Now,
        claim: Claim,
        held: Option<(usize, usize)>,
        receipts: BTreeMap<LinkKey, Box<Receipt>>,
    ) -> Option<(usize, usize)> {
        let (name, again, retry) = (claim.name().clone(), self.jitter(PUT_AGAIN), self.jitter(RETRY));
        let receipts_delay = self.jitter(RECEIPTS_DELAY);
        let watch = self.jitter(WATCH_SOON);
        let needed = receipts_needed(self.live(now));
        if !self.own_names.contains_key(&name) {
            self.timers.set_earlier(Timer::Watch, now.instant + watch);
        }
        let own = self.own_names.entry(name).or_insert_with(|| {
            Box::new(OwnName {
                claim: claim.clone(),
                held: None,
                receipts: BTreeMap::new(),
                due: now.instant,
                told: None,
            })
        });
        if claim.seq() > own.claim.seq() {
            own.claim = claim;
        }
        own.held = held.or(own.held);
        own.receipts.extend(receipts);
        while own.receipts.len() > MAX_OWN_RECEIPTS
            && let Some(oldest) =
                own.receipts.values().min_by_key(|r| (r.time(), r.holder())).map(|r| r.holder())
        {
            own.receipts.remove(&oldest);
        }
        let delay = match own.held {
            None => retry,
            Some(_) if own.lacks_receipts(needed) => receipts_delay,
            Some(_) => again,
        };
        own.due = now.instant + delay;
        self.timers.set_earlier(Timer::Renew, own.due);
        own.held
    }

    /// The name will not be ours.
    fn leave_work_for(&mut self, name: &Username) {
        let works: Vec<WorkId> =
            self.works.iter().filter(|(_, work)| work.name == *name).map(|(id, _)| *id).collect();
        for id in works {
            self.stop_work(id);
        }
    }

    /// Fewer show it than said that they hold it.
    pub(super) fn put_again(&mut self, now: Now, name: &Username) {
        if let Some(own) = self.own_names.get_mut(name) {
            (own.held, own.due) = (None, now.instant);
            self.timers.set_earlier(Timer::Renew, now.instant);
        }
    }

    /// Gives our claims to those of their closest supernodes that were not told yet.
    pub(super) fn tell_claims_to_new_holders(&mut self, now: Now) {
        let claims: Vec<Claim> = self.own_names.values().map(|own| own.claim.clone()).collect();
        for claim in claims {
            let key = key_of(claim.name());
            self.put_to_new(now, &key, Request::PutClaim(Box::new(claim)), Purpose::Background);
        }
    }

    /// Puts again what is due, signed anew when its lease is a week old or receipts are to be carried.
    pub(super) fn renew_claims(&mut self, now: Now) {
        let due = self.own_names.iter().filter(|(_, own)| own.due <= now.instant);
        let names: Vec<Username> = due.map(|(name, _)| name.clone()).collect();
        let needed = receipts_needed(self.live(now));
        for name in names {
            let Some(own) = self.own_names.get_mut(&name) else { continue };
            self.stats.refused_records += own.drop_unsigned();
            let Some(own) = self.own_names.get(&name) else { continue };
            let mut claim = own.claim.clone();
            let left = claim.not_after().saturating_duration_since(now.unix);
            let lapses = left + LEASE_RENEWAL < CLAIM_LIFETIME || claim.recovery() != self.recovery;
            if claim.standing() == Standing::Proven && (lapses || own.lacks_receipts(needed)) {
                let receipts = own.receipts.values().map(Box::as_ref);
                let chosen = choose_receipts(receipts, &key_of(&name), |node| self.subnet_of(node));
                claim = claim.renewed(&self.identity, claim.seq() + 1, chosen, self.recovery, now.unix);
            }
            let retry = self.jitter(RETRY);
            if let Some(own) = self.own_names.get_mut(&name) {
                own.claim = claim.clone();
                own.due = now.instant + retry;
            }
            let query = self.new_query();
            let next = self.begin_writing(now, query, claim, Report::Event);
            self.carry_on(query, next);
        }
        if let Some(next) = self.own_names.values().map(|own| own.due).min() {
            self.timers.set(Timer::Renew, next);
        }
    }
}

impl OwnName {
    /// Drops receipts their holders have not signed; how many.
    fn drop_unsigned(&mut self) -> u64 {
        let given = self.receipts.len();
        self.receipts.retain(|_, receipt| receipt.is_signed());
        (given - self.receipts.len()) as u64
    }

    /// Whether holders gave enough receipts, and the claim does not carry as many yet.
    fn lacks_receipts(&self, needed: usize) -> bool {
        self.receipts.len() >= needed && self.claim.receipts().len() < needed
    }
}

/// Why a name cannot be ours.
fn taken(name: &Username, theirs: Username, by: PublicKey) -> RegisterError {
    if *name == theirs { RegisterError::Taken { by } } else { RegisterError::LooksLike { name: theirs, by } }
}

#[cfg(test)]
mod tests;
