//! Requests we make: one goes to one supernode over whatever link there is, or one opened for it; a round goes to the
//! supernodes closest to a key, replacing those that do not answer by the next closest.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use relay::Now;

use super::{LinkId, Node, QueryId, Timer, links::PING_INTERVAL, serve::ReplyTo};
use crate::{
    identity::LinkKey,
    record::Offers,
    routing::{Key, REPLICATION},
    wire::{Message, Nonce, Request, Response},
};

/// A request under way.
#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) peer: Peer,
    link: Option<LinkId>,
    body: Request,
    pub(super) purpose: Purpose,
}

/// A supernode to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) node: LinkKey,
    pub(super) address: SocketAddr,
}

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nobody waits: renewals, replication, withdrawal.
    Background,
    /// Our introduction record.
    Announce,
    /// Is the link alive?
    Ping(LinkId),
    /// Supernodes we do not know.
    Reconcile(LinkId),
    /// A home's mailbox.
    OpenMailbox,
    /// A command of the application.
    Query(QueryId),
    /// Contacts we look for.
    Look,
    /// Presence records a leaf asked us for.
    Gather(u64),
    /// Do strangers reach us?
    DialBack(Nonce),
    /// A newer introduction record for an envelope that nobody takes.
    Newer(QueryId),
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskError {
    /// No link could be opened, or it broke.
    Unreachable,
    /// The link is up, the answer did not come.
    NoAnswer,
    /// Too many requests under way.
    Limit,
}

/// The same request to many.
#[derive(Debug)]
pub(super) struct Round {
    key: Key,
    request: Request,
    tried: BTreeSet<LinkKey>,
    pub(super) asked: usize,
    pub(super) answered: usize,
    waiting: usize,
}

/// How long an answer may take once the link is there; a link to be opened has its own time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the last third of a round is waited for once two thirds have answered.
const GRACE: Duration = Duration::from_millis(400);

impl Node {
    /// Asks one supernode; the answer arrives in [`Node::conclude`].
    pub(super) fn ask(&mut self, now: Now, peer: Peer, body: Request, purpose: Purpose) {
        let id = self.next_request;
        self.next_request = self.next_request.wrapping_add(1);
        let mut outstanding = Outstanding { peer, link: None, body, purpose };
        if self.outstanding.len() >= self.config.limits.outstanding {
            self.stats.limited += 1;
            self.finished.push_back((outstanding, Err(AskError::Limit)));
            return;
        }
        if self.is_supernode() && peer.node == self.own_key() {
            let body = outstanding.body.clone();
            self.outstanding.insert(id, outstanding);
            self.serve_to(now, ReplyTo::Own(id), body);
            return;
        }
        if let Some(link) = self.ready_link(&peer.node) {
            outstanding.link = Some(link);
            self.outstanding.insert(id, outstanding);
            self.write_request(now, link, id);
            return;
        }
        let opening = self.by_peer.get(&peer.node).and_then(|ids| ids.first().copied());
        match opening.or_else(|| self.dial(now, peer.address, Some(peer.node), None)) {
            Some(link) => {
                outstanding.link = Some(link);
                self.outstanding.insert(id, outstanding);
                if let Some(link) = self.links.get_mut(&link) {
                    link.queued.push(id);
                }
            }
            None => self.finished.push_back((outstanding, Err(AskError::Limit))),
        }
    }

    /// Asks over one particular link.
    pub(super) fn ask_over(&mut self, now: Now, link: LinkId, body: Request, purpose: Purpose) {
        let Some((node, address)) = self.links.get(&link).and_then(|l| Some((l.peer?, l.address))) else {
            return;
        };
        let id = self.next_request;
        self.next_request = self.next_request.wrapping_add(1);
        let peer = Peer { node, address };
        self.outstanding.insert(id, Outstanding { peer, link: Some(link), body, purpose });
        self.write_request(now, link, id);
    }

    fn write_request(&mut self, now: Now, link: LinkId, id: u32) {
        let Some(outstanding) = self.outstanding.get_mut(&id) else { return };
        outstanding.link = Some(link);
        let message = Message::Request { id, body: outstanding.body.clone() };
        self.transmit(link, &message);
        if let Some(link) = self.links.get_mut(&link) {
            link.last_used = now.instant;
        }
        self.timers.set(Timer::Request(id), now.instant + REQUEST_TIMEOUT);
    }

    /// A link became ready: what waited for it goes out.
    pub(super) fn flush_queued(&mut self, now: Now, link: LinkId) {
        let queued = self.links.get_mut(&link).map(|l| std::mem::take(&mut l.queued)).unwrap_or_default();
        for id in queued {
            self.write_request(now, link, id);
        }
    }

    /// A link is gone: its requests go over another link to the same peer, or fail.
    pub(super) fn requests_lost(&mut self, now: Now, link: LinkId) {
        let ids: Vec<u32> =
            self.outstanding.iter().filter(|(_, o)| o.link == Some(link)).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(outstanding) = self.outstanding.get(&id) else { continue };
            let bound_to_link = matches!(
                outstanding.purpose,
                Purpose::Ping(_) | Purpose::Reconcile(_) | Purpose::OpenMailbox
            );
            match self.ready_link(&outstanding.peer.node) {
                Some(other) if !bound_to_link => self.write_request(now, other, id),
                Some(_) | None => self.fail(id, AskError::Unreachable),
            }
        }
    }

    pub(super) fn request_timed_out(&mut self, now: Now, id: u32) {
        let link = self.outstanding.get(&id).and_then(|o| o.link);
        let pinged = self.outstanding.get(&id).is_some_and(|o| matches!(o.purpose, Purpose::Ping(_)));
        self.fail(id, AskError::NoAnswer);
        // Is it the request or the link? A ping tells.
        if let Some(link) = link.filter(|_| !pinged) {
            self.timers.set_earlier(Timer::Ping(link), now.instant);
        }
    }

    fn fail(&mut self, id: u32, error: AskError) {
        self.timers.cancel(Timer::Request(id));
        if let Some(outstanding) = self.outstanding.remove(&id) {
            self.finished.push_back((outstanding, Err(error)));
        }
    }

    /// A response came over a link; one that nobody waits for any more is dropped.
    pub(super) fn answered(&mut self, _: Now, link: LinkId, id: u32, body: Response) {
        if self.outstanding.get(&id).is_some_and(|o| o.link == Some(link))
            && let Some(outstanding) = self.outstanding.remove(&id)
        {
            self.timers.cancel(Timer::Request(id));
            self.finished.push_back((outstanding, Ok(body)));
        }
    }

    /// A response of our own directory.
    pub(super) fn answered_by_own(&mut self, id: u32, body: Response) {
        if let Some(outstanding) = self.outstanding.remove(&id) {
            self.finished.push_back((outstanding, Ok(body)));
        }
    }

    /// An answer goes to whom it is for.
    pub(super) fn conclude(&mut self, now: Now, done: Outstanding, result: Result<Response, AskError>) {
        match done.purpose {
            Purpose::Background => {}
            Purpose::Announce => {
                if result == Ok(Response::Done) {
                    self.announced(now);
                }
            }
            Purpose::Ping(link) => match result {
                Ok(answer) => {
                    if let Response::Alive(alive) = answer {
                        self.loads.heard(done.peer.node, alive.load, alive.around);
                    }
                    if self.is_supernode() {
                        self.timers.set(Timer::Ping(link), now.instant + PING_INTERVAL);
                    }
                }
                Err(_) => self.give_up(now, link),
            },
            Purpose::Reconcile(link) => self.reconciled(now, link, result),
            Purpose::OpenMailbox => self.mailbox_answered(now, done.peer.node, result),
            Purpose::Query(query) => self.advance(now, query, done.peer, result),
            Purpose::Look => self.looked(now, result),
            Purpose::Gather(id) => self.gathered(now, id, result),
            Purpose::DialBack(nonce) => self.dial_back_answered(now, nonce, &result),
            Purpose::Newer(query) => self.newer_fetched(now, query, result),
        }
    }

    pub(super) fn has_requests(&self, link: LinkId) -> bool {
        self.outstanding.values().any(|o| o.link == Some(link))
    }

    /// The live supernodes closest to a key, we among them if we are one.
    pub(super) fn closest(&self, now: Now, key: &Key, count: usize, except: &BTreeSet<LinkKey>) -> Vec<Peer> {
        let mut peers: Vec<Peer> = self
            .table
            .closest(key, count, now.instant, |node| except.contains(node))
            .into_iter()
            .map(|k| Peer { node: k.record.node(), address: k.record.address() })
            .collect();
        if let Some(own) = self
            .own_record
            .as_ref()
            .filter(|own| own.offers(Offers::DIRECTORY) && !except.contains(&own.node()))
        {
            peers.push(Peer { node: own.node(), address: own.address() });
            peers.sort_by_cached_key(|peer| Key::of_node(&peer.node).distance(key));
            peers.truncate(count);
        }
        peers
    }

    /// Asks the [`REPLICATION`] closest.
    pub(super) fn begin_round(&mut self, now: Now, query: QueryId, key: Key, request: Request) -> Round {
        let peers = self.closest(now, &key, REPLICATION, &BTreeSet::new());
        let asked = peers.len();
        let tried = peers.iter().map(|peer| peer.node).collect();
        let round = Round { key, request: request.clone(), tried, asked, answered: 0, waiting: asked };
        for peer in peers {
            self.ask(now, peer, request.clone(), Purpose::Query(query));
        }
        round
    }

    /// Counts one result of a round; a supernode that failed is replaced. Whether the round is complete.
    pub(super) fn count(&mut self, now: Now, query: QueryId, round: &mut Round, success: bool) -> bool {
        round.waiting = round.waiting.saturating_sub(1);
        if success {
            round.answered += 1;
            if round.answered * 3 >= round.asked * 2 {
                self.timers.set_earlier(Timer::Grace(query), now.instant + GRACE);
            }
        } else if round.tried.len() < 2 * REPLICATION
            && let Some(next) = self.closest(now, &round.key, 1, &round.tried).first().copied()
        {
            round.tried.insert(next.node);
            round.waiting += 1;
            self.ask(now, next, round.request.clone(), Purpose::Query(query));
        }
        round.waiting == 0
    }

    /// Puts something to the closest without waiting for answers.
    pub(super) fn put(&mut self, now: Now, key: &Key, request: &Request, purpose: Purpose) {
        self.held_at.remove(key);
        self.put_to_new(now, key, request, purpose);
    }

    /// Puts something to those of the closest that were not told since [`Node::put`].
    pub(super) fn put_to_new(&mut self, now: Now, key: &Key, request: &Request, purpose: Purpose) {
        let mut told = self.held_at.remove(key).unwrap_or_default();
        for peer in self.closest(now, key, REPLICATION, &BTreeSet::new()) {
            if told.insert(peer.node) {
                self.ask(now, peer, request.clone(), purpose);
            }
        }
        self.held_at.insert(*key, told);
    }
}
