//! The commands of the application, each a small state machine:
//!
//! ```text
//!   any:       Waiting (for a home) ─▶ ...
//!   register:  Reading ─nobody else has it─▶ Working ─proof, or soon─▶ Writing ─quorum─▶ done    (in `claims`)
//!   lookup:    LookingUp ─▶ done
//!   send:      Fetching ─▶ Delivering ─taken─▶ done                                              (in `deliver`)
//!   leave:     Fetching ─▶ Leaving ─one keeps it─▶ done                                          (in `letters`)
//!   relays:    AskingRelays ─▶ done
//! ```

use std::time::Duration;

use relay::{Credentials, Now};

use super::{
    Answer, Node, NodeEvent, QueryId, Timer, WorkId,
    ask::{AskError, Peer, Purpose, Round},
    claims::Writing,
    deliver::{Delivery, Route},
    inherit::Recovery,
};
use crate::{
    claim::{Inheritance, Union},
    envelope::MAX_PAYLOAD,
    error::{LookupError, RegisterError, RelaysError, SendError},
    identity::PublicKey,
    outcome::{Lookup, RelayOffer, RelayWish},
    record::{Introduction, SupernodeRecord},
    routing::Key,
    username::Username,
    wire::{Request, Response},
};

/// What the application asked for.
#[derive(Debug)]
pub(super) enum Command {
    Register(Username),
    Inherit(Box<Inheritance>),
    Recover(Box<Recovery>),
    Lookup(Username),
    Send(PublicKey, Vec<u8>),
    Leave(PublicKey, Vec<u8>),
    Reachable(PublicKey),
    Relays(RelayWish),
}

#[derive(Debug)]
pub(super) enum Query {
    Waiting(Command),
    Reading {
        name: Username,
        union: Union,
        round: Round,
    },
    Recovering {
        recovery: Box<Recovery>,
        union: Union,
        round: Round,
    },
    Working {
        work: WorkId,
    },
    Writing {
        writing: Box<Writing>,
        round: Round,
    },
    LookingUp {
        name: Username,
        union: Union,
        round: Round,
    },
    /// One of our own names.
    Watching {
        name: Username,
        union: Union,
        round: Round,
    },
    Fetching {
        to: PublicKey,
        best: Option<Box<Introduction>>,
        then: Then,
        round: Round,
    },
    Delivering(Delivery),
    /// Holders are left a letter.
    Leaving {
        waiting: usize,
        kept: usize,
    },
    AskingRelays {
        offers: Vec<RelayOffer>,
        waiting: usize,
    },
}

impl Query {
    /// The round under way.
    pub(super) fn round(&mut self) -> Option<&mut Round> {
        match self {
            Self::Reading { round, .. }
            | Self::Recovering { round, .. }
            | Self::Writing { round, .. }
            | Self::LookingUp { round, .. }
            | Self::Watching { round, .. }
            | Self::Fetching { round, .. } => Some(round),
            Self::Waiting(_)
            | Self::Working { .. }
            | Self::Delivering { .. }
            | Self::Leaving { .. }
            | Self::AskingRelays { .. } => None,
        }
    }
}

/// Why an introduction record is fetched.
#[derive(Debug)]
pub(super) enum Then {
    Tell,
    Deliver(Vec<u8>),
    Leave(Vec<u8>),
}

/// How long a command may take in all.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(9);

/// How long a command waits for a home.
const HOME_PATIENCE: Duration = Duration::from_secs(5);

/// Introduction records of others kept; when full, the one expiring first makes room.
const MAX_INTRODUCTIONS: usize = 256;

/// What happens to a query next.
pub(super) enum Next {
    Continue(Query),
    Done(Answer),
    /// What was done nobody asked for.
    Dropped,
}

impl Node {
    /// Claims a username and keeps the claim alive. Ends in [`Answer::Registered`].
    pub fn register(&mut self, now: Now, name: Username) -> QueryId {
        self.command(now, Command::Register(name))
    }

    /// Asks who has a username. Ends in [`Answer::LookedUp`].
    pub fn lookup(&mut self, now: Now, name: Username) -> QueryId {
        self.command(now, Command::Lookup(name))
    }

    /// Sends one envelope. Ends in [`Answer::Sent`].
    pub fn send(&mut self, now: Now, to: PublicKey, payload: Vec<u8>) -> QueryId {
        self.command(now, Command::Send(to, payload))
    }

    /// Fetches somebody's introduction record. Ends in [`Answer::Reachable`].
    pub fn reachable(&mut self, now: Now, to: PublicKey) -> QueryId {
        self.command(now, Command::Reachable(to))
    }

    /// Asks for relay credentials. Ends in [`Answer::Relays`].
    pub fn relays(&mut self, now: Now, wish: RelayWish) -> QueryId {
        self.command(now, Command::Relays(wish))
    }

    pub(super) fn command(&mut self, now: Now, command: Command) -> QueryId {
        let id = self.new_query();
        if self.queries.len() >= self.config.limits.queries {
            self.stats.limited += 1;
            self.tell(id, busy(&command));
        } else if matches!(&command, Command::Send(_, payload) | Command::Leave(_, payload) if payload.len() > MAX_PAYLOAD)
        {
            self.tell(id, Answer::Sent(Err(SendError::TooLong)));
        } else if self.homes_up() > 0 {
            self.start(now, id, command);
        } else {
            self.queries.insert(id, Query::Waiting(command));
            self.timers.set(Timer::Query(id), now.instant + HOME_PATIENCE);
        }
        self.settle(now);
        id
    }

    pub(super) fn new_query(&mut self) -> QueryId {
        self.next_query += 1;
        QueryId(self.next_query - 1)
    }

    pub(super) fn start(&mut self, now: Now, id: QueryId, command: Command) {
        self.timers.set(Timer::Query(id), now.instant + QUERY_TIMEOUT);
        let next = match command {
            Command::Register(name) => {
                let round = self.begin_round(now, id, key_of(&name), Request::GetClaims(name.clone()));
                Next::Continue(Query::Reading { name, union: Union::default(), round })
            }
            Command::Lookup(name) => {
                let round = self.begin_round(now, id, key_of(&name), Request::GetClaims(name.clone()));
                Next::Continue(Query::LookingUp { name, union: Union::default(), round })
            }
            Command::Send(to, payload) => {
                let record = self.introductions.get(&to).filter(|record| record.not_after() > now.unix);
                let known = || self.seen(now, &to).map(Route::from).or_else(|| record.map(Route::from));
                match self.reply_route(now, &to).or_else(known) {
                    Some(route) => self.begin_delivery(now, id, to, payload, &route),
                    None => self.fetch(now, id, to, Then::Deliver(payload)),
                }
            }
            Command::Leave(to, payload) => self.fetch(now, id, to, Then::Leave(payload)),
            Command::Inherit(inheritance) => self.begin_inheriting(now, id, *inheritance),
            Command::Recover(recovery) => self.begin_recovering(now, id, recovery),
            Command::Reachable(to) => self.fetch(now, id, to, Then::Tell),
            Command::Relays(wish) => self.ask_relays(now, id, &wish),
        };
        self.carry_on(id, next);
    }

    /// One of those asked answered, or did not.
    pub(super) fn advance(&mut self, now: Now, id: QueryId, peer: Peer, result: Result<Response, AskError>) {
        let Some(query) = self.queries.remove(&id) else { return };
        let next = match query {
            Query::Waiting(_) | Query::Working { .. } => Next::Continue(query),
            Query::Reading { name, mut union, mut round } => {
                let success = self.take_claims(now, &name, &mut union, peer, result);
                if self.count(now, id, &mut round, success) {
                    self.read(now, id, name, &union, &round)
                } else {
                    Next::Continue(Query::Reading { name, union, round })
                }
            }
            Query::LookingUp { name, mut union, mut round } => {
                let found = union.names(&name);
                let success = self.take_claims(now, &name, &mut union, peer, result);
                if !found && union.names(&name) {
                    let first = self.ranked(now, &name, &union).into_iter().find(|claim| claim.name == name);
                    self.events.extend(first.map(|claim| NodeEvent::Found { query: id, claim }));
                }
                if self.count(now, id, &mut round, success) {
                    Next::Done(self.looked_up(now, &name, &union, &round))
                } else {
                    Next::Continue(Query::LookingUp { name, union, round })
                }
            }
            Query::Recovering { recovery, mut union, mut round } => {
                let success = self.take_claims(now, &recovery.name, &mut union, peer, result);
                if self.count(now, id, &mut round, success) {
                    self.recovered(now, id, &recovery, &union)
                } else {
                    Next::Continue(Query::Recovering { recovery, union, round })
                }
            }
            Query::Watching { name, mut union, mut round } => {
                let success = self.take_claims(now, &name, &mut union, peer, result);
                if self.count(now, id, &mut round, success) {
                    self.watched(now, &name, &union, &round)
                } else {
                    Next::Continue(Query::Watching { name, union, round })
                }
            }
            Query::Writing { mut writing, mut round } => {
                let success = self.note_holder(now, &mut writing, peer, result);
                if self.count(now, id, &mut round, success) {
                    self.written(now, *writing, &round)
                } else {
                    Next::Continue(Query::Writing { writing, round })
                }
            }
            Query::Fetching { to, mut best, then, mut round } => {
                let success = match result {
                    Ok(Response::Introduction(record)) => {
                        self.take_introduction(now, &to, &mut best, record);
                        true
                    }
                    Ok(_) | Err(_) => false,
                };
                let complete = self.count(now, id, &mut round, success);
                // The first record will do at first; should nobody take the envelope, everybody's word counts.
                let will_do = !matches!(then, Then::Leave(_));
                if complete || will_do && best.as_ref().is_some_and(|record| !record.introducers().is_empty())
                {
                    self.fetched(now, id, to, best, then, &round)
                } else {
                    Next::Continue(Query::Fetching { to, best, then, round })
                }
            }
            Query::Delivering(delivery) => self.delivered(now, id, delivery, result),
            Query::Leaving { waiting, kept } => Self::left(waiting, kept, &result),
            Query::AskingRelays { mut offers, waiting } => {
                if let Ok(Response::Relay(grant)) = result {
                    let record = self.table.get(&peer.node).map(|known| &known.record);
                    offers.push(RelayOffer {
                        node: peer.node,
                        udp: grant.udp,
                        streams: record.and_then(SupernodeRecord::relay_streams),
                        credentials: Credentials { username: grant.username, password: grant.password },
                        expires: grant.expires,
                    });
                }
                if waiting > 1 {
                    Next::Continue(Query::AskingRelays { offers, waiting: waiting - 1 })
                } else {
                    Next::Done(relays(offers))
                }
            }
        };
        self.carry_on(id, next);
    }

    /// Enough have answered and the rest had its chance, or time is up: what is known must do.
    pub(super) fn conclude_query(&mut self, now: Now, id: QueryId) {
        let Some(query) = self.queries.remove(&id) else { return };
        let next = match query {
            Query::Waiting(command) => Next::Done(offline(&command)),
            Query::Reading { name, union, round } => self.read(now, id, name, &union, &round),
            Query::LookingUp { name, union, round } => Next::Done(self.looked_up(now, &name, &union, &round)),
            Query::Watching { name, union, round } => self.watched(now, &name, &union, &round),
            Query::Recovering { recovery, union, .. } => self.recovered(now, id, &recovery, &union),
            Query::Working { work } => self.write_provisionally(now, id, work),
            Query::Writing { writing, round } => self.written(now, *writing, &round),
            Query::Fetching { to, best, then, round } => self.fetched(now, id, to, best, then, &round),
            Query::Delivering(delivery) => self.delivery_due(now, id, delivery),
            Query::Leaving { kept, .. } => Self::left_at(kept),
            Query::AskingRelays { offers, .. } => Next::Done(relays(offers)),
        };
        self.carry_on(id, next);
    }

    pub(super) fn carry_on(&mut self, id: QueryId, next: Next) {
        match next {
            Next::Continue(query) => {
                self.queries.insert(id, query);
            }
            Next::Done(answer) => self.tell(id, answer),
            Next::Dropped => self.forget_timers(id),
        }
    }

    fn tell(&mut self, id: QueryId, answer: Answer) {
        self.forget_timers(id);
        self.events.push_back(NodeEvent::Answer { query: id, answer });
    }

    fn forget_timers(&mut self, id: QueryId) {
        self.timers.cancel(Timer::Query(id));
        self.timers.cancel(Timer::Grace(id));
    }

    /// A new stage of a query counts its answers anew.
    pub(super) fn next_stage(&mut self, now: Now, id: QueryId) {
        self.outstanding.values_mut().for_each(|o| {
            if o.purpose == Purpose::Query(id) {
                o.purpose = Purpose::Background;
            }
        });
        self.finished.iter_mut().for_each(|(o, _)| {
            if o.purpose == Purpose::Query(id) {
                o.purpose = Purpose::Background;
            }
        });
        self.timers.cancel(Timer::Grace(id));
        self.timers.set(Timer::Query(id), now.instant + QUERY_TIMEOUT);
    }

    fn fetch(&mut self, now: Now, id: QueryId, to: PublicKey, then: Then) -> Next {
        let round = self.begin_round(now, id, Key::of_person(&to), Request::GetIntroduction(to));
        Next::Continue(Query::Fetching { to, best: None, then, round })
    }

    pub(super) fn take_introduction(
        &mut self,
        now: Now,
        to: &PublicKey,
        best: &mut Option<Box<Introduction>>,
        record: Option<Box<Introduction>>,
    ) {
        let Some(record) = record else { return };
        if record.identity() != *to || record.verify(self.config.network, now.unix).is_err() {
            self.stats.refused_records += 1;
        } else if best.as_ref().is_none_or(|best| best.seq() < record.seq()) {
            *best = Some(record);
        }
    }

    fn fetched(
        &mut self,
        now: Now,
        id: QueryId,
        to: PublicKey,
        best: Option<Box<Introduction>>,
        then: Then,
        round: &Round,
    ) -> Next {
        if let Some(record) = &best {
            self.remember(to, (**record).clone());
        }
        let rings = |record: &Introduction| !record.introducers().is_empty();
        match (then, best) {
            (Then::Tell, _) if round.answered == 0 => {
                Next::Done(Answer::Reachable(Err(LookupError::Offline)))
            }
            (Then::Tell, best) => Next::Done(Answer::Reachable(Ok(best.as_deref().is_some_and(rings)))),
            (Then::Deliver(payload), Some(record)) if rings(&record) => {
                self.next_stage(now, id);
                self.begin_delivery(now, id, to, payload, &Route::from(&*record))
            }
            (Then::Leave(payload), Some(record)) => {
                self.next_stage(now, id);
                self.begin_leaving(now, id, &record, &payload)
            }
            (Then::Deliver(_) | Then::Leave(_), _) if round.answered == 0 => {
                Next::Done(Answer::Sent(Err(SendError::Offline)))
            }
            (Then::Deliver(_) | Then::Leave(_), _) => Next::Done(Answer::Sent(Err(SendError::NotReachable))),
        }
    }

    pub(super) fn remember(&mut self, to: PublicKey, record: Introduction) {
        if self.introductions.len() >= MAX_INTRODUCTIONS
            && !self.introductions.contains_key(&to)
            && let Some((first, _)) = self.introductions.iter().min_by_key(|(key, r)| (r.not_after(), **key))
        {
            let first = *first;
            self.introductions.remove(&first);
        }
        self.introductions.insert(to, record);
    }

    fn looked_up(&mut self, now: Now, name: &Username, union: &Union, round: &Round) -> Answer {
        if round.answered == 0 {
            return Answer::LookedUp(Err(LookupError::Offline));
        }
        self.remember_seen(now, union);
        let (claims, lookalikes) =
            self.ranked(now, name, union).into_iter().partition(|claim| claim.name == *name);
        Answer::LookedUp(Ok(Lookup { claims, lookalikes, asked: round.asked, answered: round.answered }))
    }
}

pub(super) fn key_of(name: &Username) -> Key {
    Key::of_name(name)
}

fn relays(offers: Vec<RelayOffer>) -> Answer {
    Answer::Relays(if offers.is_empty() { Err(RelaysError::NoRelay) } else { Ok(offers) })
}

fn busy(command: &Command) -> Answer {
    match command {
        Command::Register(_) | Command::Inherit(_) | Command::Recover(_) => {
            Answer::Registered(Err(RegisterError::Busy))
        }
        Command::Lookup(_) => Answer::LookedUp(Err(LookupError::Busy)),
        Command::Send(..) | Command::Leave(..) => Answer::Sent(Err(SendError::Busy)),
        Command::Reachable(_) => Answer::Reachable(Err(LookupError::Busy)),
        Command::Relays(_) => Answer::Relays(Err(RelaysError::Busy)),
    }
}

fn offline(command: &Command) -> Answer {
    match command {
        Command::Register(_) | Command::Inherit(_) | Command::Recover(_) => {
            Answer::Registered(Err(RegisterError::Offline))
        }
        Command::Lookup(_) => Answer::LookedUp(Err(LookupError::Offline)),
        Command::Send(..) | Command::Leave(..) => Answer::Sent(Err(SendError::Offline)),
        Command::Reachable(_) => Answer::Reachable(Err(LookupError::Offline)),
        Command::Relays(_) => Answer::Relays(Err(RelaysError::Offline)),
    }
}
