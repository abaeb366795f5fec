//! Names that pass from key to key of the same person: see [`crate::claim::Succession`].
//!
//! ```text
//!   old node:  rotate(new keys) ─▶ one Inheritance for each name     ─the application takes it over─▶
//!   new node:  inherit(Inheritance) ─▶ Writing ─▶ held, or pending for RECOVERY_DELAY
//!   new node:  recover(name, old key, recovery key) ─▶ Recovering (the old claim) ─▶ Writing ─▶ pending
//! ```

use relay::Now;

use super::{
    Answer, Node, QueryId, Timer,
    claims::Report,
    query::{Command, Next, Query, key_of},
};
use crate::{
    claim::{Inheritance, RecoveryHash, Standing, Union},
    error::RegisterError,
    identity::{Identity, PublicKey},
    username::Username,
    wire::Request,
};

/// Whose name is to be recovered, and by what.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) name: Username,
    from: PublicKey,
    key: Identity,
}

impl Node {
    /// From now on our claims name this recovery key. To name another one is to object to what the one before has
    /// done in the last days.
    pub fn set_recovery(&mut self, now: Now, recovery: Option<RecoveryHash>) {
        self.recovery = recovery;
        for own in self.own_names.values_mut() {
            own.due = now.instant;
        }
        self.timers.set(Timer::Renew, now.instant);
    }

    /// Passes every proven name of ours on to another key; it is the new key's node that claims them.
    pub fn rotate(&self, to: &Identity) -> Vec<Inheritance> {
        let proven =
            self.own_names.values().map(|own| &own.claim).filter(|c| c.standing() == Standing::Proven);
        proven.map(|claim| Inheritance::rotate(claim.clone(), &self.identity, to)).collect()
    }

    /// Claims a name that was passed on to us, and keeps the claim alive. Ends in [`Answer::Registered`].
    pub fn inherit(&mut self, now: Now, inheritance: Inheritance) -> QueryId {
        self.command(now, Command::Inherit(Box::new(inheritance)))
    }

    /// Claims a name of a key that is lost, by the recovery key it named; the old key has
    /// [`RECOVERY_DELAY`](crate::claim::RECOVERY_DELAY) to object. Ends in [`Answer::Registered`].
    pub fn recover(&mut self, now: Now, name: Username, from: PublicKey, key: Identity) -> QueryId {
        self.command(now, Command::Recover(Box::new(Recovery { name, from, key })))
    }

    pub(super) fn begin_inheriting(&mut self, now: Now, id: QueryId, inheritance: Inheritance) -> Next {
        let Inheritance { claim, succession } = inheritance;
        let seq = (claim.seq() + 1).max(now.unix.as_millis());
        let ours = succession.to() == self.identity.public_key();
        match claim.inherited(&self.identity, succession, seq, self.recovery, now.unix).filter(|_| ours) {
            Some(claim) => self.begin_writing(now, id, claim, Report::Answer),
            None => Next::Done(Answer::Registered(Err(RegisterError::NotPassedOn))),
        }
    }

    pub(super) fn begin_recovering(&mut self, now: Now, id: QueryId, recovery: Box<Recovery>) -> Next {
        let request = Request::GetClaims(recovery.name.clone());
        let round = self.begin_round(now, id, key_of(&recovery.name), request);
        Next::Continue(Query::Recovering { recovery, union: Union::default(), round })
    }

    pub(super) fn recovered(&mut self, now: Now, id: QueryId, recovery: &Recovery, union: &Union) -> Next {
        let old = union.of(&recovery.from, &recovery.name).map(|(claim, _)| claim.clone());
        let committed = Some(RecoveryHash::of(&recovery.key.public_key()));
        match old.filter(|claim| claim.recovery() == committed) {
            Some(claim) => {
                let inheritance = Inheritance::recover(claim, &recovery.key, &self.identity);
                self.begin_inheriting(now, id, inheritance)
            }
            None => Next::Done(Answer::Registered(Err(RegisterError::NotPassedOn))),
        }
    }
}
