//! Requests we make: one goes to one supernode over whatever link there is, or one opened for it; a round goes to the
//! supernodes around a key. Whoever takes longer than it uses to is not given up, but the next candidate is asked
//! beside it.
//!
//! ```text
//!   ask ─▶ queued (link opening) ─▶ written ─answer─▶ done
//!              │ OPENING_IS_SLOW      │ its usual round trip and four deviations (RFC 6298 §2)
//!              └────────▶ slow ◀──────┘   the round asks the next, this answer still counts
//!                           │ REQUEST_TIMEOUT, or the link is gone
//!                           └─▶ failed; a ping tells whether it is the request or the link
//! ```

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use relay::Now;

use super::{
    LinkId, Node, QueryId, Timer, Transmit,
    serve::ReplyTo,
    walk::{For, WalkId},
};
use crate::{
    identity::LinkKey,
    routing::{Key, REPLICATION},
    wire::{self, Asked, Nonce, Request, Response},
};

/// A request under way.
#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) peer: Peer,
    link: Option<LinkId>,
    /// One in memory, however many are asked.
    body: Arc<Request>,
    pub(super) purpose: Purpose,
    written: Option<Instant>,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Usual,
    Slow,
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
    /// Letters kept for us.
    Collect,
    /// A newer introduction record for an envelope that nobody takes.
    Newer(QueryId),
    /// Supernodes around a key, for one path of a walk.
    Find(WalkId, usize),
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
    request: Arc<Request>,
    tried: BTreeSet<LinkKey>,
    pub(super) asked: usize,
    pub(super) answered: usize,
    waiting: usize,
    /// Asked in place of those that fail, nearest first.
    spares: Vec<Peer>,
    /// Still looks for more to ask.
    pub(super) walk: Option<WalkId>,
}

/// How round trips to one peer went (RFC 6298 §2).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoundTrips {
    /// Their smoothed length and variation.
    smoothed: Option<(Duration, Duration)>,
}

/// How long an answer may take at most once the link is there; a link to be opened has its own time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// A peer is never slow before, and always after: it may have to write to a disk first, and work out a proof.
const SOONEST_SLOW: Duration = Duration::from_millis(500);
const LATEST_SLOW: Duration = Duration::from_millis(2_000);

/// What an unknown peer is given: to open a link, to answer.
const OPENING_IS_SLOW: Duration = Duration::from_secs(1);

/// How long the last third of a round is waited for once two thirds have answered.
const GRACE: Duration = Duration::from_millis(400);

impl RoundTrips {
    pub(super) fn measured(&mut self, took: Duration) {
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2),
            Some((mean, variation)) => ((mean * 7 + took) / 8, (variation * 3 + mean.abs_diff(took)) / 4),
        });
    }

    fn slow_after(&self) -> Duration {
        let usual = self.smoothed.map_or(OPENING_IS_SLOW, |(mean, variation)| mean + variation * 4);
        usual.clamp(SOONEST_SLOW, LATEST_SLOW)
    }
}

impl Node {
    /// Asks one supernode; the answer arrives in [`Node::conclude`].
    pub(super) fn ask(&mut self, now: Now, peer: Peer, body: impl Into<Arc<Request>>, purpose: Purpose) {
        self.ask_this(now, peer, body.into(), purpose);
    }

    fn ask_this(&mut self, now: Now, peer: Peer, body: Arc<Request>, purpose: Purpose) {
        let id = self.next_request;
        self.next_request = self.next_request.wrapping_add(1);
        let mut outstanding =
            Outstanding { peer, link: None, body, purpose, written: None, pace: Pace::Usual };
        if self.outstanding.len() >= self.config.limits.outstanding {
            self.stats.limited += 1;
            self.finished.push_back((outstanding, Err(AskError::Limit)));
            return;
        }
        if self.is_supernode() && peer.node == self.own_key() {
            let body = Request::clone(&outstanding.body);
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
                self.timers.set(Timer::Request(id), now.instant + OPENING_IS_SLOW);
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
        let body = Arc::new(body);
        let outstanding =
            Outstanding { peer, link: Some(link), body, purpose, written: None, pace: Pace::Usual };
        self.outstanding.insert(id, outstanding);
        self.write_request(now, link, id);
    }

    fn write_request(&mut self, now: Now, link: LinkId, id: u32) {
        let Some(outstanding) = self.outstanding.get_mut(&id) else { return };
        outstanding.link = Some(link);
        outstanding.written = Some(now.instant);
        let pace = outstanding.pace;
        let bytes = wire::to_bytes(&Asked { id, body: &outstanding.body });
        self.transmits.push_back(Transmit { link, bytes });
        let mut patience = REQUEST_TIMEOUT;
        if let Some(link) = self.links.get_mut(&link) {
            link.last_used = now.instant;
            if pace == Pace::Usual {
                patience = link.round_trips.slow_after();
            }
        }
        self.timers.set(Timer::Request(id), now.instant + patience);
    }

    /// What waited for a link to be opened goes out.
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

    /// An answer takes longer than usual, or longer than anybody waits.
    pub(super) fn request_timed_out(&mut self, now: Now, id: u32) {
        let Some(outstanding) = self.outstanding.get_mut(&id) else { return };
        let (peer, purpose, link) = (outstanding.peer, outstanding.purpose, outstanding.link);
        if outstanding.pace == Pace::Usual {
            outstanding.pace = Pace::Slow;
            let since = outstanding.written.unwrap_or(now.instant);
            self.timers.set(Timer::Request(id), since + REQUEST_TIMEOUT);
            return self.slow(now, peer, purpose);
        }
        if outstanding.written.is_none() {
            // The opening of the link has its own time.
            self.timers.set(Timer::Request(id), now.instant + REQUEST_TIMEOUT);
            return;
        }
        self.fail(id, AskError::NoAnswer);
        // Is it the request or the link? A ping tells.
        if let Some(link) = link.filter(|_| !matches!(purpose, Purpose::Ping(_))) {
            self.timers.set_earlier(Timer::Ping(link), now.instant);
        }
    }

    /// Somebody else is asked beside a slow peer.
    fn slow(&mut self, now: Now, peer: Peer, purpose: Purpose) {
        match purpose {
            Purpose::Query(id) => {
                let Some(mut query) = self.queries.remove(&id) else { return };
                if let Some(round) = query.round() {
                    self.ask_next(now, id, round);
                }
                self.queries.insert(id, query);
            }
            Purpose::Find(walk, path) => self.walk_slow(now, walk, path, peer.node),
            // Nobody else could answer these, or nobody waits.
            _ => {}
        }
    }

    fn fail(&mut self, id: u32, error: AskError) {
        self.timers.cancel(Timer::Request(id));
        if let Some(outstanding) = self.outstanding.remove(&id) {
            self.finished.push_back((outstanding, Err(error)));
        }
    }

    /// A response came over a link; one that nobody waits for any more is dropped.
    pub(super) fn answered(&mut self, now: Now, link: LinkId, id: u32, body: Response) {
        if self.outstanding.get(&id).is_some_and(|o| o.link == Some(link))
            && let Some(outstanding) = self.outstanding.remove(&id)
        {
            self.timers.cancel(Timer::Request(id));
            if let (Some(written), Some(link)) = (outstanding.written, self.links.get_mut(&link)) {
                link.round_trips.measured(now.instant.saturating_duration_since(written));
            }
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
        self.count_answer(now, done.peer.node, done.purpose, &result);
        match done.purpose {
            Purpose::Background => {}
            Purpose::Announce => {
                if result == Ok(Response::Done) {
                    self.announced(now);
                    self.collect_from(now, done.peer);
                }
            }
            Purpose::Ping(link) => match result {
                Ok(answer) => {
                    if let Response::Alive(alive) = answer {
                        self.loads.heard(done.peer.node, alive.load, alive.around);
                    }
                    self.ask_load_later(now, link);
                }
                Err(_) => self.give_up(now, link),
            },
            Purpose::Reconcile(link) => self.reconciled(now, link, result),
            Purpose::OpenMailbox => self.mailbox_answered(now, done.peer.node, result),
            Purpose::Query(query) => self.advance(now, query, done.peer, result),
            Purpose::Look => self.looked(now, result),
            Purpose::Gather(id) => self.gathered(now, id, result),
            Purpose::DialBack(nonce) => self.dial_back_answered(now, nonce, &result),
            Purpose::Collect => self.collected(now, done.peer, result),
            Purpose::Newer(query) => self.newer_fetched(now, query, result),
            Purpose::Find(walk, path) => self.walked(now, walk, path, done.peer, result),
        }
    }

    /// Links that somebody owes us an answer over.
    pub(super) fn links_with_requests(&self) -> BTreeSet<LinkId> {
        self.outstanding.values().filter_map(|o| o.link).collect()
    }

    /// Asks everybody who should hold something at `key`, as soon as they are found.
    pub(super) fn begin_round(&mut self, now: Now, query: QueryId, key: Key, request: Request) -> Round {
        let mut round = Round {
            key,
            request: Arc::new(request),
            tried: BTreeSet::new(),
            asked: 0,
            answered: 0,
            waiting: 0,
            spares: Vec::new(),
            walk: None,
        };
        match self.region(now, &key) {
            Some(region) => self.ask_all(now, query, &mut round, region.holders, region.spares),
            None => round.walk = Some(self.begin_walk(now, key, For::Query(query))),
        }
        round
    }

    /// Asks those of `peers` that this round did not ask yet.
    pub(super) fn ask_all(
        &mut self,
        now: Now,
        query: QueryId,
        round: &mut Round,
        peers: Vec<Peer>,
        spares: Vec<Peer>,
    ) {
        round.spares = spares;
        for peer in peers {
            if round.tried.insert(peer.node) {
                round.asked += 1;
                round.waiting += 1;
                self.ask(now, peer, round.request.clone(), Purpose::Query(query));
            }
        }
    }

    /// Counts one result of a round; a supernode that failed is replaced. Whether the round is complete.
    pub(super) fn count(&mut self, now: Now, query: QueryId, round: &mut Round, success: bool) -> bool {
        round.waiting = round.waiting.saturating_sub(1);
        if success {
            round.answered += 1;
            self.hurry(now, query, round);
        } else {
            self.ask_next(now, query, round);
        }
        round.is_complete()
    }

    /// Most have answered: the rest has a little time left.
    pub(super) fn hurry(&mut self, now: Now, query: QueryId, round: &Round) {
        if round.walk.is_none() && round.answered * 3 >= round.asked * 2 {
            self.timers.set_earlier(Timer::Grace(query), now.instant + GRACE);
        }
    }

    fn ask_next(&mut self, now: Now, query: QueryId, round: &mut Round) {
        if round.walk.is_some() || round.tried.len() >= round.asked + REPLICATION {
            return;
        }
        let spare = round.spares.iter().position(|peer| !round.tried.contains(&peer.node));
        let next = match spare {
            Some(nth) => Some(round.spares.remove(nth)),
            None => self.closest(now, &round.key, 1, &round.tried).first().copied(),
        };
        if let Some(next) = next {
            round.tried.insert(next.node);
            round.waiting += 1;
            self.ask(now, next, round.request.clone(), Purpose::Query(query));
        }
    }

    /// Puts something where it belongs without waiting for answers.
    pub(super) fn put(&mut self, now: Now, key: &Key, request: Request, purpose: Purpose) {
        let request = Arc::new(request);
        self.held_at.remove(key);
        if self.spares_strangers(now) {
            // All of so few hold everything; the others are told once strangers have tried whether they reach us.
            return self.put_at(now, key, self.homes_to_ask(), &request, purpose);
        }
        match self.region(now, key) {
            Some(region) => self.put_at(now, key, region.holders, &request, purpose),
            None => {
                self.begin_walk(now, *key, For::Put(request, purpose));
            }
        }
    }

    /// Puts something to those of its holders that were not told since [`Node::put`].
    pub(super) fn put_to_new(&mut self, now: Now, key: &Key, request: Request, purpose: Purpose) {
        // Whoever must search for the holders would not learn of them by the way.
        if !self.must_walk() && !self.spares_strangers(now) {
            let holders = self.holders_known(now, key);
            self.put_at(now, key, holders, &Arc::new(request), purpose);
        }
    }

    pub(super) fn put_at(
        &mut self,
        now: Now,
        key: &Key,
        holders: Vec<Peer>,
        request: &Arc<Request>,
        purpose: Purpose,
    ) {
        let mut told = self.held_at.remove(key).unwrap_or_default();
        for peer in holders {
            if told.insert(peer.node) {
                self.ask(now, peer, request.clone(), purpose);
            }
        }
        self.held_at.insert(*key, told);
    }
}

impl Round {
    /// Nobody is left to wait for, or to find.
    pub(super) fn is_complete(&self) -> bool {
        self.waiting == 0 && self.walk.is_none()
    }

    /// Whether it changes nothing: then whoever may hold something is asked, not its true holders alone.
    pub(super) fn only_reads(&self) -> bool {
        matches!(*self.request, Request::GetClaims(_) | Request::GetIntroduction(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_what_a_peer_needs() {
        let ms = Duration::from_millis;
        let mut near = RoundTrips::default();
        assert_eq!(near.slow_after(), OPENING_IS_SLOW);
        near.measured(ms(20));
        assert_eq!(near.slow_after(), SOONEST_SLOW);
        let mut far = RoundTrips::default();
        for _ in 0..50 {
            far.measured(ms(600));
        }
        assert!(far.slow_after() > ms(600) && far.slow_after() < ms(700), "{far:?}");
        far.measured(ms(1_400));
        assert!(far.slow_after() > ms(1_000), "{far:?}");
        far.measured(ms(60_000));
        assert_eq!(far.slow_after(), LATEST_SLOW);
    }
}
