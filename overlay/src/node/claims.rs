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
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use relay::{Now, UnixTime};

use super::{
    Answer, Effect, Node, NodeEvent, QueryId, Timer, WorkId,
    ask::{AskError, Purpose, Round},
    query::{Next, QUERY_TIMEOUT, Query, key_of},
};
use crate::{
    claim::{CLAIM_LIFETIME, Claim, Standing, Union},
    error::RegisterError,
    identity::PublicKey,
    outcome::{NameState, Registration},
    routing::quorum,
    username::Username,
    wire::{Request, Response},
    work::{Proof, Puzzle},
};

/// A name we hold, or work for.
#[derive(Debug)]
pub(super) struct OwnName {
    claim: Claim,
    /// A quorum confirmed the proven claim: so many of so many.
    held: Option<(usize, usize)>,
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
    taken: Option<(Standing, PublicKey)>,
    report: Report,
}

/// Who wants to know how the writing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// The command.
    Answer,
    /// Nobody asked: the application is told of changes.
    Event,
}

/// Proofs found right by us, so that the same claim from twenty holders is worked out once.
#[derive(Debug, Default)]
pub(super) struct CheckedWork {
    right: BTreeSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

/// How long a registration waits for the proof before it claims the name provisionally.
const WORK_PATIENCE: Duration = Duration::from_millis(300);

/// Our claims are put again this often.
const CLAIM_RENEWAL: Duration = Duration::from_secs(600);

/// A proven claim is signed anew when it is a day old.
const CLAIM_RESIGN: Duration = Duration::from_secs(24 * 3600);

/// Proofs remembered as right; when full, the one found first is forgotten.
const MAX_CHECKED: usize = 512;

/// Names worked for at a time; when full, the oldest work is left.
const MAX_WORKS: usize = 4;

impl CheckedWork {
    fn verify(&mut self, claim: &Claim) -> bool {
        let Some(id) = claim.work_id() else { return true };
        if self.right.contains(&id) {
            return true;
        }
        if claim.verify_work().is_err() {
            return false;
        }
        if self.order.len() >= MAX_CHECKED
            && let Some(first) = self.order.pop_front()
        {
            self.right.remove(&first);
        }
        self.right.insert(id);
        self.order.push_back(id);
        true
    }
}

impl Node {
    /// What one holder answered, as far as it is true and about this name.
    pub(super) fn take_claims(
        &mut self,
        now: Now,
        name: &Username,
        union: &mut Union,
        result: Result<Response, AskError>,
    ) -> bool {
        let Ok(Response::Claims(claims)) = result else { return false };
        let claims = claims.into_vec();
        let all = claims.len();
        let valid: Vec<Claim> = claims.into_iter().filter(|claim| self.believes(now, claim)).collect();
        self.stats.refused_records += (all - valid.len()) as u64;
        union.add(valid.into_iter().filter(|claim| claim.name() == name));
        true
    }

    fn believes(&mut self, now: Now, claim: &Claim) -> bool {
        claim.verify(self.config.network, now.unix).is_ok() && self.checked_work.verify(claim)
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
        let known = self.own_names.get(&name).map(|own| &own.claim);
        let mine = [union.of(&me), known].into_iter().flatten().max_by_key(|claim| claim.seq()).cloned();
        let first = union.ordered().into_iter().find(|claim| claim.standing == Standing::Proven);
        if let Some(first) = first.filter(|_| union.of(&me).is_none()) {
            return Next::Done(Answer::Registered(Err(RegisterError::Taken { by: first.key })));
        }
        let seq = mine.as_ref().map_or(0, |claim| claim.seq() + 1).max(now.unix.as_millis());
        let proof = mine.as_ref().and_then(Claim::proof);
        if let (Some(mine), Some(proof)) = (&mine, proof) {
            let claim = self.sign(name, mine.claimed_at(), Some(proof), seq, now);
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
    }

    fn begin_writing(&mut self, now: Now, id: QueryId, claim: Claim, report: Report) -> Next {
        self.next_stage(now, id);
        self.timers.set(Timer::Query(id), now.instant + QUERY_TIMEOUT);
        let put = Request::PutClaim(Box::new(claim.clone()));
        let round = self.begin_round(now, id, key_of(claim.name()), put);
        Next::Continue(Query::Writing { writing: Writing { claim, held_by: 0, taken: None, report }, round })
    }

    /// Counts what one holder answered; whether it answered at all.
    pub(super) fn note_holder(
        &mut self,
        now: Now,
        writing: &mut Writing,
        result: Result<Response, AskError>,
    ) -> bool {
        match result {
            Ok(Response::Done) => writing.held_by += 1,
            Ok(Response::Taken(other)) => {
                if other.name() == writing.claim.name() && self.believes(now, &other) {
                    writing.taken = writing.taken.max(Some((other.standing(), other.identity())));
                }
            }
            // It has no room; it answered.
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    /// Register, last part: enough must hold it.
    pub(super) fn written(&mut self, now: Now, writing: Writing, round: &Round) -> Next {
        let Writing { claim, held_by, taken, report } = writing;
        let (needed, of) = (quorum(round.asked), round.asked);
        let name = claim.name().clone();
        let proven = claim.standing() == Standing::Proven;
        if proven && report == Report::Event && taken.is_none() {
            self.keep_claim(now, claim.clone(), None);
        }
        // While the work goes on, only somebody who has done it takes the name away.
        let contested = matches!(taken, Some((Standing::Provisional, _)));
        let result = if held_by >= needed || (!proven && contested) {
            let held = proven.then_some((held_by, of));
            let (state, held_by, of) = match self.keep_claim(now, claim, held) {
                Some((held_by, of)) => (NameState::Held, held_by, of),
                None => (NameState::Provisional, held_by, of),
            };
            Ok(Registration { name: name.clone(), state, held_by, of })
        } else if let Some((_, by)) = taken {
            Err(RegisterError::Taken { by })
        } else if round.answered == 0 {
            Err(RegisterError::Offline)
        } else {
            Err(RegisterError::TooFewHolders { held_by, needed })
        };
        if report == Report::Answer {
            if result.is_err() {
                self.leave_work_for(&name);
            }
            return Next::Done(Answer::Registered(result));
        }
        match result {
            Ok(registration) => self.events.push_back(NodeEvent::NameHeld(registration)),
            Err(RegisterError::Taken { by }) => {
                self.own_names.remove(&name);
                self.events.push_back(NodeEvent::NameLost { name, by });
            }
            // Not enough holders for now: the next renewal tries again.
            Err(_) => {}
        }
        Next::Dropped
    }

    /// From now on this claim is kept alive. Who holds the proven one, as far as we know.
    fn keep_claim(&mut self, now: Now, claim: Claim, held: Option<(usize, usize)>) -> Option<(usize, usize)> {
        let own = self
            .own_names
            .entry(claim.name().clone())
            .or_insert_with(|| OwnName { claim: claim.clone(), held: None });
        if claim.seq() > own.claim.seq() {
            own.claim = claim;
        }
        own.held = held.or(own.held);
        let held = own.held;
        let renewal = self.jitter(CLAIM_RENEWAL);
        self.timers.set_earlier(Timer::Renew, now.instant + renewal);
        held
    }

    /// The name will not be ours.
    fn leave_work_for(&mut self, name: &Username) {
        let works: Vec<WorkId> =
            self.works.iter().filter(|(_, work)| work.name == *name).map(|(id, _)| *id).collect();
        for id in works {
            self.stop_work(id);
        }
    }

    /// Gives our claims to those of their closest supernodes that were not told yet.
    pub(super) fn tell_claims_to_new_holders(&mut self, now: Now) {
        let claims: Vec<Claim> = self.own_names.values().map(|own| own.claim.clone()).collect();
        for claim in claims {
            let key = key_of(claim.name());
            self.put_to_new(now, &key, &Request::PutClaim(Box::new(claim)), Purpose::Background);
        }
    }

    pub(super) fn renew_claims(&mut self, now: Now) {
        let names: Vec<Username> = self.own_names.keys().cloned().collect();
        for name in names {
            let Some(OwnName { claim, held }) = self.own_names.get(&name) else { continue };
            let (mut claim, held) = (claim.clone(), *held);
            let left = claim.not_after().saturating_duration_since(now.unix);
            if claim.standing() == Standing::Proven && left + CLAIM_RESIGN < CLAIM_LIFETIME {
                claim = self.sign(name.clone(), claim.claimed_at(), claim.proof(), claim.seq() + 1, now);
                self.own_names.insert(name.clone(), OwnName { claim: claim.clone(), held });
            }
            if claim.standing() == Standing::Proven && held.is_none() {
                let query = self.new_query();
                let next = self.begin_writing(now, query, claim, Report::Event);
                self.carry_on(query, next);
            } else {
                self.put(now, &key_of(&name), &Request::PutClaim(Box::new(claim)), Purpose::Background);
            }
        }
        if !self.own_names.is_empty() {
            let renewal = self.jitter(CLAIM_RENEWAL);
            self.timers.set(Timer::Renew, now.instant + renewal);
        }
    }
}
