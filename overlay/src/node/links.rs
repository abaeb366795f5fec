//! The life of a link, from opening and greeting to its end.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::RngExt as _;
use relay::Now;

use super::{
    Effect, LinkId, Node, Timer, Transmit, Ways,
    ask::RoundTrips,
    bucket::Bucket,
    credit::Standing,
    dial::pause,
    dial_back::{Met, Stranger},
    load::{KEPT_LESS_FROM_HELPERS, kept_from},
};
use crate::{
    config::Role,
    identity::LinkKey,
    outcome::{Carrier, Ends},
    record::{MailboxId, SupernodeRecord},
    routing::Inserted,
    wire::{self, Hello, MAX_FRAME, Message, RefuseReason, Request, VersionRange},
};

/// One link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// Where we dialled, or where we see the other side.
    pub(super) address: SocketAddr,
    /// Whom we expect or whom we found.
    pub(super) peer: Option<LinkKey>,
    /// Of no meaning before the link is up.
    pub(super) carrier: Carrier,
    seed: Option<SocketAddr>,
    /// Requests written once the link is ready.
    pub(super) queued: Vec<u32>,
    pub(super) messages: Bucket,
    pub(super) envelopes: Bucket,
    malformed: u32,
    pub(super) last_used: Instant,
    pub(super) opened: Instant,
    pub(super) round_trips: RoundTrips,
    pub(super) mailboxes: Vec<MailboxId>,
    pub(super) standing: Standing,
}

/// See the drawing in [`super`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    Opening,
    Greeting,
    Ready(Role),
}

/// How long a link may take to open and greet.
const OPEN_TIMEOUT: Duration = Duration::from_secs(4);

/// Of a supernode whose record is not known, this TCP port is worth a try: it is what strict networks leave open.
const UNANNOUNCED_TCP: u16 = 443;

/// A link nobody needs is closed after this time without a request.
const IDLE: Duration = Duration::from_secs(20);

/// Idle links are looked for at most so often.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// Malformed messages after which a link is closed.
const MAX_MALFORMED: u32 = 16;

impl Node {
    /// Opens a link, if there is room.
    pub(super) fn dial(
        &mut self,
        now: Now,
        address: SocketAddr,
        expected: Option<LinkKey>,
        seed: Option<SocketAddr>,
    ) -> Option<LinkId> {
        if self.links.len() >= self.config.limits.links {
            self.stats.limited += 1;
            return None;
        }
        let id = LinkId::Outbound(self.next_link);
        self.next_link += 1;
        let mut link = Box::new(self.new_link(now, address, LinkState::Opening));
        link.peer = expected;
        link.seed = seed;
        if let Some(seed) = seed.and_then(|address| self.seeds.get_mut(&address)) {
            seed.link = Some(id);
        }
        if let Some(peer) = expected {
            self.link_of(peer, id);
        }
        self.links.insert(id, link);
        self.note_contact(now, address);
        self.timers.set(Timer::Opening(id), now.instant + OPEN_TIMEOUT);
        let tcp = match expected.and_then(|peer| self.table.get(&peer)) {
            Some(known) => known.record.tcp(),
            None => Some(UNANNOUNCED_TCP),
        };
        self.effects.push_back(Effect::OpenLink { link: id, address, ways: Ways::Any { tcp }, expected });
        Some(id)
    }

    fn new_link(&self, now: Now, address: SocketAddr, state: LinkState) -> Link {
        let limits = &self.config.limits;
        Link {
            state,
            address,
            peer: None,
            carrier: Carrier::Quic,
            seed: None,
            queued: Vec::new(),
            messages: Bucket::new(limits.messages_per_second, limits.message_burst, now.instant),
            envelopes: Bucket::new(limits.envelopes_per_second, limits.envelope_burst, now.instant),
            malformed: 0,
            last_used: now.instant,
            opened: now.instant,
            round_trips: RoundTrips::default(),
            mailboxes: Vec::new(),
            standing: Standing::default(),
        }
    }

    pub(super) fn link_up(&mut self, now: Now, id: LinkId, ends: Ends) {
        let Ends { peer, remote, carrier } = ends;
        if self.probe_up(id) {
            return;
        }
        match id {
            LinkId::Outbound(_) => {
                let Some(link) = self.links.get_mut(&id) else {
                    // Given up meanwhile.
                    self.effects.push_back(Effect::CloseLink { link: id });
                    return;
                };
                if link.state != LinkState::Opening || link.peer.is_some_and(|expected| expected != peer) {
                    self.end(now, id, None);
                    return;
                }
                link.peer = Some(peer);
                link.carrier = carrier;
                link.state = LinkState::Greeting;
                // The handshake was a round trip.
                link.round_trips.measured(now.instant.saturating_duration_since(link.opened));
            }
            LinkId::Inbound(_) => {
                if !self.is_supernode() && self.expect_nonce(now, id, peer, remote) {
                    return;
                }
                if !self.is_supernode() || self.links.contains_key(&id) {
                    self.effects.push_back(Effect::CloseLink { link: id });
                    return;
                }
                if self.links.len() >= self.config.limits.links {
                    self.stats.limited += 1;
                    self.refuse(id, RefuseReason::Busy);
                    self.effects.push_back(Effect::CloseLink { link: id });
                    return;
                }
                let mut link = Box::new(self.new_link(now, remote, LinkState::Greeting));
                link.peer = Some(peer);
                link.carrier = carrier;
                self.links.insert(id, link);
                self.note_visitor(now, id, remote);
                self.timers.set(Timer::Opening(id), now.instant + OPEN_TIMEOUT);
            }
        }
        self.link_of(peer, id);
        let hello = Hello {
            versions: VersionRange::OURS,
            network: self.config.network,
            role: self.role(),
            observed: remote,
            record: self.own_record.clone(),
            load: self.own_record.is_some().then(|| self.own_load()),
            time: self.is_supernode().then(|| now.unix.into()),
        };
        self.transmit(id, &Message::Hello(Box::new(hello)));
        // Whom we expected has proven its key: what waits need not wait for its greeting.
        self.flush_queued(now, id);
    }

    /// The driver says that a link is gone.
    pub(super) fn link_lost(&mut self, now: Now, id: LinkId) {
        self.stranger_lost(id);
        if self.links.contains_key(&id) {
            self.forget(now, id, Ended::Failed);
        }
    }

    pub(super) fn opening_timed_out(&mut self, now: Now, id: LinkId) {
        if self.links.get(&id).is_some_and(|link| !link.is_ready()) {
            self.effects.push_back(Effect::CloseLink { link: id });
            self.forget(now, id, Ended::Failed);
        }
    }

    /// Closes a link that does not answer any more.
    pub(super) fn give_up(&mut self, now: Now, id: LinkId) {
        if self.links.contains_key(&id) {
            self.effects.push_back(Effect::CloseLink { link: id });
            self.forget(now, id, Ended::Failed);
        }
    }

    /// Closes a link because of what the other side is or did, telling it why.
    fn end(&mut self, now: Now, id: LinkId, reason: Option<RefuseReason>) {
        if let Some(reason) = reason {
            self.refuse(id, reason);
        }
        self.effects.push_back(Effect::CloseLink { link: id });
        self.forget(now, id, Ended::Failed);
    }

    /// Closes a link that is not needed.
    pub(super) fn release(&mut self, now: Now, id: LinkId) {
        self.effects.push_back(Effect::CloseLink { link: id });
        self.forget(now, id, Ended::Released);
    }

    pub(super) fn refuse(&mut self, id: LinkId, reason: RefuseReason) {
        self.transmit(id, &Message::Refuse(reason));
    }

    pub(super) fn transmit(&mut self, link: LinkId, message: &Message) {
        self.transmits.push_back(Transmit { link, bytes: wire::to_bytes(message) });
    }

    /// The other side of a link is, or should be, this peer.
    fn link_of(&mut self, peer: LinkKey, id: LinkId) {
        let ids = self.by_peer.entry(peer).or_default();
        if let Err(rank) = ids.binary_search(&id) {
            // Links are many, two to one peer are few.
            ids.reserve_exact(1);
            ids.insert(rank, id);
        }
    }

    /// Everything that hung on a link is told that it is gone.
    fn forget(&mut self, now: Now, id: LinkId, ended: Ended) {
        let Some(link) = self.links.remove(&id) else { return };
        self.timers.cancel(Timer::Opening(id));
        self.timers.cancel(Timer::Ping(id));
        for mailbox in &link.mailboxes {
            self.mailboxes.remove(mailbox);
            self.close_door(mailbox);
            self.loads.mailbox_closed(mailbox);
        }
        if let Some(peer) = link.peer
            && let Some(ids) = self.by_peer.get_mut(&peer)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_peer.remove(&peer);
                self.loads.forget(&peer);
            }
        }
        let mut draw = self.rng.random_range(0.5..1.5);
        if let Some(seed) = link.seed.and_then(|address| self.seeds.get_mut(&address)) {
            seed.link = None;
            seed.retry_at = Some(now.instant + pause(seed.failures, draw));
            seed.failures = if link.is_ready() { 0 } else { seed.failures.saturating_add(1) };
            draw = self.rng.random_range(0.5..1.5);
        }
        if let Some(peer) = link.peer
            && ended == Ended::Failed
            && !self.by_peer.contains_key(&peer)
        {
            self.table.failed(&peer, |failures| now.instant + pause(failures, draw));
            if link.state == LinkState::Opening {
                self.table.silent(&peer);
            }
            if self.is_supernode() && link.state == LinkState::Ready(Role::Supernode) {
                self.replicate_soon(now, peer);
            }
        }
        self.home_lost(now, id);
        self.requests_lost(now, id);
        // Leaves that come to ask something and go are many, and nobody has to take their place.
        if link.state != LinkState::Ready(Role::Leaf) {
            self.fill_soon(now);
        }
    }

    pub(super) fn message(&mut self, now: Now, id: LinkId, bytes: &[u8]) {
        if self.stranger_spoke(now, id, bytes) {
            return;
        }
        let parsed = self.parse(bytes);
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut kept = parsed.as_ref().map_or(0, kept_from);
        if link.standing == Standing::Helper {
            kept /= KEPT_LESS_FROM_HELPERS;
        }
        if !link.messages.take(now.instant) || !self.total.take_above(now.instant, kept) {
            self.stats.limited += 1;
            // A request may be told so; everything else is dropped.
            if let Ok(Message::Request { id: request, .. }) = parsed {
                let body = self.too_many_messages();
                self.transmit(id, &Message::Response { id: request, body });
            }
            return;
        }
        let Ok(message) = parsed else {
            self.malformed(now, id);
            return;
        };
        let serving = self.is_supernode();
        let helps = serving || self.is_volunteer();
        let Some(link) = self.links.get_mut(&id) else { return };
        self.stats.messages += 1;
        match (link.state, message) {
            (LinkState::Greeting, Message::Hello(hello)) => self.greeted(now, id, *hello),
            (_, Message::Refuse(reason)) => self.refused(now, id, reason),
            (LinkState::Ready(Role::Supernode), Message::Supernodes(records)) => {
                self.heard(now, records.into_vec())
            }
            (LinkState::Ready(_), Message::Request { id: request, body }) if serving => {
                link.last_used = now.instant;
                self.serve(now, id, request, body);
            }
            (LinkState::Ready(_), Message::Response { id: request, body }) => {
                self.answered(now, id, request, body);
            }
            (LinkState::Ready(Role::Supernode), Message::Ring { mailbox, sealed }) => {
                self.rung(now, id, mailbox, &sealed);
            }
            (LinkState::Ready(Role::Supernode), Message::MakeRoom(mailbox)) => {
                self.asked_to_make_room(now, id, mailbox);
            }
            (LinkState::Ready(_), Message::Thanks(voucher)) if helps => {
                self.thanked(now, id, *voucher);
            }
            (LinkState::Ready(Role::Supernode), Message::Relayed(usage)) => {
                self.relayed_for_us(now, id, usage);
            }
            (LinkState::Ready(Role::Supernode), Message::Leaving) => self.home_leaves(now, id),
            (LinkState::Ready(Role::Leaf), Message::Serving(record)) if serving => {
                self.peer_serves(now, id, *record);
            }
            (LinkState::Greeting, Message::DialBack(nonce)) => {
                if let Some(key) = link.peer {
                    // Whether it is a stranger was noted when it came.
                    let from = Stranger { key, address: link.address, met: Met::Before };
                    self.dialled_back(now, from, nonce);
                }
            }
            // Out of place: before the greeting, a second greeting, or not ours to answer.
            _ => self.malformed(now, id),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Message, wire::Malformed> {
        if bytes.len() > MAX_FRAME { Err(wire::Malformed) } else { wire::from_bytes(bytes) }
    }

    fn malformed(&mut self, now: Now, id: LinkId) {
        self.stats.malformed += 1;
        if let Some(link) = self.links.get_mut(&id) {
            link.malformed += 1;
            if link.malformed >= MAX_MALFORMED || !link.is_ready() {
                self.end(now, id, Some(RefuseReason::Protocol));
            }
        }
    }

    fn greeted(&mut self, now: Now, id: LinkId, hello: Hello) {
        let Some(peer) = self.links.get(&id).and_then(|link| link.peer) else { return };
        if hello.network != self.config.network {
            self.stats.incompatible += 1;
            self.presence.incompatible = true;
            return self.end(now, id, Some(RefuseReason::Network));
        }
        if hello.versions.common(VersionRange::OURS).is_none() {
            self.stats.incompatible += 1;
            self.presence.incompatible = true;
            return self.end(now, id, Some(RefuseReason::Version));
        }
        let said = hello.time.filter(|_| hello.role == Role::Supernode && matches!(id, LinkId::Outbound(_)));
        let address = self.links.get(&id).map(|link| link.address);
        // Before the record is judged by our clock.
        let now = match (said, address) {
            (Some(said), Some(address)) => self.hear_time(now, address, said.into()),
            _ => now,
        };
        match (hello.role, hello.record) {
            (Role::Supernode, Some(record)) if record.node() == peer => {
                let known = self.table.get(&peer).is_some_and(|known| known.record == record);
                if !known && record.verify(self.config.network, now.unix).is_err() {
                    self.stats.refused_records += 1;
                    return self.end(now, id, Some(RefuseReason::Protocol));
                }
                self.loads.heard(peer, hello.load.unwrap_or_default(), None);
                self.supernode_ready(now, id, peer, record, Some(hello.observed));
            }
            // It may only want to ask something: room is a question once it wants a home.
            (Role::Leaf, None) if matches!(id, LinkId::Inbound(_)) => self.make_ready(id, Role::Leaf),
            // Ourselves found through a bootstrap address, a leaf where a supernode should be, or a lie.
            _ => self.end(now, id, Some(RefuseReason::Protocol)),
        }
    }

    pub(super) fn supernode_ready(
        &mut self,
        now: Now,
        id: LinkId,
        peer: LinkKey,
        record: SupernodeRecord,
        observed: Option<SocketAddr>,
    ) {
        if let Some(seed) =
            self.links.get(&id).and_then(|l| l.seed).and_then(|address| self.seeds.get_mut(&address))
        {
            seed.failures = 0;
            seed.found = Some(peer);
        }
        if peer == self.own_key() {
            return self.end(now, id, None);
        }
        self.make_ready(id, Role::Supernode);
        let inserted = self.learn(now, record);
        let confirmed = self.table.get(&peer).is_some_and(|k| k.confirmed);
        self.table.reached(&peer);
        if !confirmed || inserted != Inserted::Stale {
            self.gossip_soon(now, peer);
            self.timers.set_earlier(Timer::Cache, now.instant + Duration::from_secs(1));
        }
        if let Some(observed) = observed {
            self.presence.observations.insert(id, observed);
        }
        if self.close_duplicate(now, id, peer) {
            return;
        }
        if self.is_supernode() {
            self.reconcile_soon(now, id);
            self.replicate_soon(now, peer);
        } else if self.reconciled.is_empty() {
            self.reconcile_soon(now, id);
        }
        self.ask_load_later(now, id);
        self.flush_queued(now, id);
        if self.is_supernode() {
            // Whom else to link to is found out once for all that come up meanwhile: it takes a look at everybody known.
            self.adopt_ready_links(now);
            self.fill_soon(now);
        } else {
            self.fill(now);
        }
    }

    fn make_ready(&mut self, id: LinkId, role: Role) {
        self.timers.cancel(Timer::Opening(id));
        if let Some(link) = self.links.get_mut(&id) {
            link.state = LinkState::Ready(role);
            self.timers.set_earlier(Timer::Idle, link.last_used + IDLE + IDLE_CHECK);
        }
    }

    /// Two links to one supernode: both sides keep the one opened by the smaller key, or the older one.
    /// Whether the link `id` itself was closed.
    fn close_duplicate(&mut self, now: Now, id: LinkId, peer: LinkKey) -> bool {
        let twin = self.by_peer.get(&peer).and_then(|ids| {
            ids.iter()
                .copied()
                .find(|other| *other != id && self.links.get(other).is_some_and(|link| link.is_ready()))
        });
        let Some(twin) = twin else { return false };
        let opened_by_us = |link: LinkId| matches!(link, LinkId::Outbound(_));
        let loser = match (opened_by_us(id), opened_by_us(twin)) {
            (true, true) => id,
            // The side that opened both closes one.
            (false, false) => return false,
            (true, false) if self.own_key() < peer => twin,
            (false, true) if peer < self.own_key() => twin,
            (true, false) | (false, true) => id,
        };
        if loser == id {
            // What waited for this link goes over the twin.
            self.flush_queued(now, id);
        }
        self.release(now, loser);
        loser == id
    }

    fn refused(&mut self, now: Now, id: LinkId, reason: RefuseReason) {
        match reason {
            RefuseReason::Network | RefuseReason::Version => {
                self.stats.incompatible += 1;
                self.presence.incompatible = true;
            }
            RefuseReason::Busy => self.presence.full = true,
            RefuseReason::Protocol | RefuseReason::Closing => {}
        }
        self.end(now, id, None);
    }

    /// Asks whether the other side lives and, if it serves, how full it is.
    pub(super) fn ping(&mut self, now: Now, id: LinkId) {
        if self.links.get(&id).is_some_and(|link| link.is_ready()) {
            self.ask_over(now, id, Request::Ping, super::ask::Purpose::Ping(id));
        }
    }

    pub(super) fn close_idle_links(&mut self, now: Now) {
        self.forget_regions(now);
        let supernodes = self.links.values().filter(|l| l.state == LinkState::Ready(Role::Supernode)).count();
        // Both sides of a link want about as many of them: what was accepted beside that is left alone for a while.
        let mesh_full = supernodes > 2 * self.config.limits.mesh_links;
        let asked = self.links_with_requests();
        let (mut idle, mut next) = (Vec::new(), None);
        for (id, link) in &self.links {
            let needed = !link.is_ready()
                || !link.mailboxes.is_empty()
                || self.is_home(*id)
                || (self.is_mesh(link) && !mesh_full);
            if needed {
                continue;
            }
            let ends = link.last_used + IDLE;
            if ends <= now.instant && !asked.contains(id) {
                idle.push(*id);
            } else {
                next = next.into_iter().chain([ends]).min();
            }
        }
        if let Some(next) = next {
            self.timers.set_earlier(Timer::Idle, next.max(now.instant + IDLE_CHECK));
        }
        for id in idle {
            self.release(now, id);
        }
    }

    fn is_mesh(&self, link: &Link) -> bool {
        self.is_supernode() && link.state == LinkState::Ready(Role::Supernode)
    }

    /// A ready link to this peer.
    pub(super) fn ready_link(&self, peer: &LinkKey) -> Option<LinkId> {
        self.by_peer
            .get(peer)?
            .iter()
            .copied()
            .find(|id| self.links.get(id).is_some_and(|link| link.is_ready()))
    }
}

impl Link {
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, LinkState::Ready(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The other side is gone or not what we want: try it later.
    Failed,
    /// We did not need it.
    Released,
}
