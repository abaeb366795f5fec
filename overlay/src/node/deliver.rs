//! Delivering one envelope: to every introducer a record names, and again by newer records while nobody takes it, for
//! supernodes come and go and the callee may be finding new homes in this very moment. Whoever has just written is answered
//! by what the envelope says, without asking anybody; a contact whose presence is known is rung by that first, through homes
//! that the public record need not name.
//!
//! ```text
//!   Delivering ─one took it─────────────────────▶ done
//!        │ ▲
//!        │ └─a newer record: its introducers get the same letter
//!        └──every REFETCH without success: ask the holders for a newer record, REFETCHES times ─▶ not reachable
//! ```
//! Every copy carries the same message id, so that the callee opens one of them.

use std::time::Duration;

use rand::RngExt as _;
use relay::Now;

use super::{
    Answer, Node, QueryId, Timer,
    ask::{AskError, Peer, Purpose},
    query::{Next, Query},
};
use crate::{
    envelope::Stamp,
    error::SendError,
    identity::PublicKey,
    record::{EnvelopeKey, Introducer, Introduction, Seen},
    routing::Key,
    wire::{Refusal, Request, Response},
};

/// An envelope on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    to: PublicKey,
    payload: Vec<u8>,
    stamp: Stamp,
    /// Of the introduction record it goes by.
    seq: Option<u64>,
    /// Introducers that have not answered yet.
    waiting: usize,
    /// Holders that were asked for a newer record and have not answered yet.
    fetching: usize,
    fetches: u32,
    /// The person said that nobody introduces them any more.
    withdrawn: bool,
}

/// By whom somebody is rung.
#[derive(Debug)]
pub(super) struct Route {
    /// Of the introduction record; none: what a contact told us is tried before any.
    seq: Option<u64>,
    envelope_key: EnvelopeKey,
    introducers: Vec<Introducer>,
}

impl From<&Introduction> for Route {
    fn from(record: &Introduction) -> Self {
        let introducers = record.introducers().to_vec();
        Self { seq: Some(record.seq()), envelope_key: record.envelope_key(), introducers }
    }
}

impl From<&Seen> for Route {
    fn from(seen: &Seen) -> Self {
        Self { seq: None, envelope_key: seen.envelope_key, introducers: seen.introducers.clone() }
    }
}

/// How long introducers are waited for before the record counts as old, and how often that is thought.
const REFETCH: Duration = Duration::from_millis(900);
const REFETCHES: u32 = 4;

/// People whose envelopes say where they are answered; the oldest is forgotten.
const MAX_REPLIES: usize = 64;

impl Node {
    /// Where an answer to this person goes without asking anybody.
    pub(super) fn reply_route(&self, now: Now, to: &PublicKey) -> Option<Route> {
        self.replies.get(to).filter(|reply| reply.not_after > now.unix).map(Route::from)
    }

    /// Somebody wrote, and said where they are answered.
    pub(super) fn remember_reply(&mut self, from: PublicKey, reply: Seen) {
        if self.replies.get(&from).is_some_and(|known| known.at > reply.at) {
            return;
        }
        if self.replies.len() >= MAX_REPLIES && !self.replies.contains_key(&from) {
            let oldest = self.replies.iter().min_by_key(|(_, reply)| reply.at).map(|(from, _)| *from);
            oldest.map(|oldest| self.replies.remove(&oldest));
        }
        self.replies.insert(from, reply);
    }

    pub(super) fn begin_delivery(
        &mut self,
        now: Now,
        id: QueryId,
        to: PublicKey,
        payload: Vec<u8>,
        route: &Route,
    ) -> Next {
        let delivery = Delivery {
            to,
            payload,
            stamp: Stamp { id: self.rng.random(), sent: now.unix },
            seq: None,
            waiting: 0,
            fetching: 0,
            fetches: 0,
            withdrawn: false,
        };
        self.hand_over(now, id, delivery, route)
    }

    /// To every introducer of `route`.
    fn hand_over(&mut self, now: Now, id: QueryId, mut delivery: Delivery, route: &Route) -> Next {
        let (to, stamp) = (delivery.to, delivery.stamp);
        let reply = self.mailboxes_of_homes(now);
        let content = (delivery.payload.as_slice(), reply.as_slice());
        let sealed = self.sealer.seal(now.unix, stamp, &to, &route.envelope_key, content, &mut self.rng);
        let Some(sealed) = sealed else { return not_reachable() };
        delivery.seq = route.seq;
        for introducer in &route.introducers {
            let peer = Peer { node: introducer.node, address: introducer.address };
            let (mailbox, sealed) = (introducer.mailbox, sealed.clone());
            let request = match route.seq {
                None => Request::Deliver { mailbox, sealed },
                Some(_) => {
                    let token = self.token_for(now, mailbox);
                    Request::Introduce { door: mailbox, token, sealed }
                }
            };
            delivery.waiting += 1;
            self.ask(now, peer, request, Purpose::Query(id));
        }
        self.timers.set(Timer::Grace(id), now.instant + REFETCH);
        Next::Continue(Query::Delivering(delivery))
    }

    /// An introducer answered.
    pub(super) fn delivered(
        &mut self,
        now: Now,
        id: QueryId,
        mut delivery: Delivery,
        result: Result<Response, AskError>,
    ) -> Next {
        if result == Ok(Response::Done) {
            return Next::Done(Answer::Sent(Ok(())));
        }
        delivery.waiting = delivery.waiting.saturating_sub(1);
        let old = result == Ok(Response::Refused(Refusal::UnknownMailbox));
        if delivery.fetches == 0 && (old || delivery.waiting == 0) {
            self.fetch_newer(now, id, &mut delivery);
        }
        self.go_on(delivery)
    }

    /// Some time passed and nobody took it, or the whole time.
    pub(super) fn delivery_due(&mut self, now: Now, id: QueryId, mut delivery: Delivery) -> Next {
        if delivery.fetches >= REFETCHES {
            return self.undelivered(&delivery);
        }
        self.fetch_newer(now, id, &mut delivery);
        self.timers.set(Timer::Grace(id), now.instant + REFETCH);
        self.go_on(delivery)
    }

    fn fetch_newer(&mut self, now: Now, id: QueryId, delivery: &mut Delivery) {
        delivery.fetches += 1;
        for peer in self.holders_now(now, &Key::of_person(&delivery.to)) {
            delivery.fetching += 1;
            self.ask(now, peer, Request::GetIntroduction(delivery.to), Purpose::Newer(id));
        }
    }

    /// A holder answered, or did not.
    pub(super) fn newer_fetched(&mut self, now: Now, id: QueryId, result: Result<Response, AskError>) {
        let Some(query) = self.queries.remove(&id) else { return };
        let next = match query {
            Query::Delivering(mut delivery) => {
                delivery.fetching = delivery.fetching.saturating_sub(1);
                let mut newer = None;
                if let Ok(Response::Introduction(record)) = result {
                    self.take_introduction(now, &delivery.to, &mut newer, record);
                }
                match newer.filter(|record| delivery.seq.is_none_or(|seq| record.seq() > seq)) {
                    Some(record) => {
                        delivery.withdrawn = record.introducers().is_empty();
                        self.remember(delivery.to, (*record).clone());
                        match self.hand_over(now, id, delivery, &Route::from(&*record)) {
                            Next::Continue(Query::Delivering(delivery)) => self.go_on(delivery),
                            next => next,
                        }
                    }
                    None => self.go_on(delivery),
                }
            }
            query => Next::Continue(query),
        };
        self.carry_on(id, next);
    }

    /// Waits on, unless nothing can come any more.
    fn go_on(&mut self, delivery: Delivery) -> Next {
        let silent = delivery.waiting == 0 && delivery.fetching == 0;
        if silent && (delivery.withdrawn || delivery.fetches >= REFETCHES) {
            return self.undelivered(&delivery);
        }
        Next::Continue(Query::Delivering(delivery))
    }

    fn undelivered(&mut self, delivery: &Delivery) -> Next {
        self.introductions.remove(&delivery.to);
        self.replies.remove(&delivery.to);
        self.not_there(&delivery.to);
        not_reachable()
    }
}

fn not_reachable() -> Next {
    Next::Done(Answer::Sent(Err(SendError::NotReachable)))
}
