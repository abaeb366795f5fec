//! Dial-back: do strangers reach us at the address others see? The three parts in it, each of which any supernode plays.
//!
//! ```text
//!   candidate: asks strangers in distinct prefixes ─▶ a link from somebody it never contacted brings the nonce: reached
//!   stranger:  checks that the address is the asker's own, and quotas ─▶ asks another supernode, drawn at random
//!   dialler:   opens a fresh link to the address, expecting the candidate's key ─up─▶ writes the nonce, closes
//! ```
//! A victim elsewhere is never dialled: the IP must be the one from which the asker's link, itself proven by a handshake,
//! comes. What is sent there is less than the asker sent ([`crate::wire::PROBE_BYTES`]), and little of it a minute.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::{RngExt as _, seq::SliceRandom as _};
use relay::Now;

use super::{
    Effect, LinkId, Node, Timer, Ways,
    ask::{AskError, Peer, Purpose},
    links::LinkState,
    serve::ReplyTo,
};
use crate::{
    Network,
    config::Role,
    identity::LinkKey,
    routing::{Prefix, is_public},
    wire::{self, DialBack, DialBackFor, Message, Nonce, Refusal, Request, Response},
};

/// What is under way in each of the parts.
#[derive(Debug, Default)]
pub(super) struct DialBacks {
    round: Option<Round>,
    /// Prefixes of strangers who reached us in a round that too few came to, and when it ended.
    reached_lately: Option<(BTreeSet<Prefix>, Instant)>,
    /// Whom we sent something, and when last.
    contacted: BTreeMap<SocketAddr, Instant>,
    /// Prefixes of strangers who came by themselves since the last round.
    visitors: BTreeSet<Prefix>,
    /// Links that may bring a nonce to somebody who serves nobody yet.
    strangers: BTreeMap<LinkId, Stranger>,
    /// Links we open for others.
    probes: BTreeMap<LinkId, Nonce>,
    asked: Quota,
    dialled: Quota,
}

/// Who opened a link to us, and whether we never contacted them before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stranger {
    pub(super) key: LinkKey,
    pub(super) address: SocketAddr,
    pub(super) met: Met,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Never,
    Before,
}

#[derive(Debug)]
struct Round {
    asks: BTreeMap<Nonce, Ask>,
    /// Who was asked how often.
    asked: BTreeMap<LinkKey, usize>,
    reached_by: BTreeSet<Prefix>,
    of: usize,
    /// Who said that somebody would be asked to dial.
    promised: usize,
    ends: Instant,
}

/// Somebody who was to have us dialled.
#[derive(Debug, Clone, Copy)]
struct Ask {
    peer: Peer,
    /// Until when nobody else is asked instead; none: somebody was.
    patience: Option<Instant>,
}

/// So many in a minute, so many of them for one prefix; further ones are refused.
#[derive(Debug, Default)]
struct Quota {
    since: Option<Instant>,
    total: u32,
    by_prefix: BTreeMap<Prefix, u32>,
}

const PER_MINUTE: u32 = 60;
const PER_MINUTE_AND_PREFIX: u32 = 4;

/// How long a round takes, and how often somebody is asked in it for each stranger wanted.
const ROUND: Duration = Duration::from_secs(15);
const ASKS_EACH: usize = 4;

/// Whoever was drawn to dial may know us and refuse, or be gone, and nobody says so: then somebody else is asked.
pub(super) const ASK_PATIENCE: Duration = Duration::from_secs(3);

/// How long a link for somebody else may take to open: the transport sends three datagrams in that time.
const PROBE: Duration = Duration::from_millis(2_500);

/// A filter forgets whom we contacted before that; we remember so many, the latest.
const CONTACT: Duration = Duration::from_secs(300);
const CONTACTS: usize = 1_024;

/// Links of strangers, and strangers who came by themselves, remembered; further ones are closed, or not counted.
const STRANGERS: usize = 16;

/// Ports below are somebody's service, not a node of ours.
const FIRST_PORT: u16 = 1_024;

impl DialBacks {
    /// When the round under way is over at the latest.
    pub(super) fn round_ends(&self) -> Option<Instant> {
        self.round.as_ref().map(|round| round.ends)
    }
}

impl Quota {
    fn take(&mut self, now: Instant, prefix: Prefix) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(60)) {
            *self = Self { since: Some(now), ..Self::default() };
        }
        let of_prefix = self.by_prefix.entry(prefix).or_default();
        let granted = self.total < PER_MINUTE && *of_prefix < PER_MINUTE_AND_PREFIX;
        if granted {
            self.total += 1;
            *of_prefix += 1;
        } else if *of_prefix == 0 {
            self.by_prefix.remove(&prefix);
        }
        granted
    }
}

/// The candidate.
impl Node {
    /// We are about to send something there, so its answer proves nothing about strangers.
    pub(super) fn note_contact(&mut self, now: Now, address: SocketAddr) {
        if !self.is_volunteer() {
            return;
        }
        let contacted = &mut self.roles.dial_backs.contacted;
        contacted.insert(machine(self.config.network, address), now.instant);
        if contacted.len() > CONTACTS
            && let Some(oldest) = contacted.iter().min_by_key(|(_, at)| **at).map(|(address, _)| *address)
        {
            contacted.remove(&oldest);
        }
    }

    pub(super) fn met(&self, now: Now, address: SocketAddr, link: LinkId) -> Met {
        let machine_of = |address| machine(self.config.network, address);
        let host = machine_of(address);
        let contacted = self.roles.dial_backs.contacted.get(&host);
        let never = contacted.is_none_or(|at| now.instant.saturating_duration_since(*at) > CONTACT)
            && self.links.iter().all(|(id, other)| *id == link || machine_of(other.address) != host);
        if never { Met::Never } else { Met::Before }
    }

    /// Supernodes that could still reach us as strangers, and those that lately did.
    pub(super) fn strangers_left(&self, now: Now) -> usize {
        let known = self.table.iter().filter(|known| known.is_live(now.instant));
        let mut spoken_to: BTreeSet<SocketAddr> =
            self.links.values().map(|link| machine(self.config.network, link.address)).collect();
        let contacted = self.roles.dial_backs.contacted.iter();
        let lately = contacted.filter(|(_, at)| now.instant.saturating_duration_since(**at) <= CONTACT);
        spoken_to.extend(lately.map(|(address, _)| *address));
        let fresh =
            known.filter(|known| !spoken_to.contains(&machine(self.config.network, known.record.address())));
        fresh.count() + self.reached_lately(now).len()
    }

    fn reached_lately(&self, now: Now) -> BTreeSet<Prefix> {
        let lately = self.roles.dial_backs.reached_lately.as_ref();
        let lately = lately.filter(|(_, at)| now.instant.saturating_duration_since(*at) <= CONTACT);
        lately.map(|(prefixes, _)| prefixes.clone()).unwrap_or_default()
    }

    pub(super) fn begin_dial_back(&mut self, now: Now, of: usize) {
        let reached_by = self.reached_lately(now);
        let missing = of.saturating_sub(reached_by.len());
        let round = Round {
            asks: BTreeMap::new(),
            asked: BTreeMap::new(),
            reached_by,
            of,
            promised: 0,
            ends: now.instant + ROUND,
        };
        self.roles.dial_backs.round = Some(round);
        for _ in 0..missing {
            self.ask_stranger(now);
        }
    }

    /// Asks one more: those we are linked to, so that the others stay strangers, and of them those asked least.
    fn ask_stranger(&mut self, now: Now) {
        let Some(address) = self.tried_address() else { return };
        let Some(round) = &self.roles.dial_backs.round else { return };
        if round.asked.values().sum::<usize>() >= ASKS_EACH * round.of {
            return;
        }
        let asked = |node| round.asked.get(&node).copied().unwrap_or(0);
        let mut known: Vec<Peer> = self
            .table
            .iter()
            .filter(|known| known.is_live(now.instant))
            .map(|known| Peer { node: known.record.node(), address: known.record.address() })
            .collect();
        known.shuffle(&mut self.rng);
        let unlinked = |node| self.ready_link(&node).is_none();
        // More often nobody answers us.
        let often = |node| asked(node) >= PER_MINUTE_AND_PREFIX as usize;
        let order = |peer: &&Peer| (often(peer.node), unlinked(peer.node), asked(peer.node));
        let Some(peer) = known.iter().min_by_key(order).copied() else { return };
        let nonce = Nonce::from_bytes(self.rng.random());
        if let Some(round) = &mut self.roles.dial_backs.round {
            *round.asked.entry(peer.node).or_default() += 1;
            round.asks.insert(nonce, Ask { peer, patience: Some(now.instant + ASK_PATIENCE) });
        }
        let request = Request::DialBack(Box::new(DialBack::new(address, nonce)));
        self.ask(now, peer, request, Purpose::DialBack(nonce));
    }

    pub(super) fn dial_back_answered(&mut self, now: Now, nonce: Nonce, result: &Result<Response, AskError>) {
        let round = self.roles.dial_backs.round.as_mut();
        if *result == Ok(Response::Done) {
            if let Some(round) = round {
                round.promised += 1;
            }
            return;
        }
        if round.is_some_and(|round| round.asks.remove(&nonce).is_some()) {
            self.ask_stranger(now);
        }
    }

    /// Somebody opened a link to us and showed a nonce.
    pub(super) fn dialled_back(&mut self, now: Now, from: Stranger, nonce: Nonce) {
        let network = self.config.network;
        let prefix = Prefix::of(network, from.address);
        let serves = self.is_supernode();
        let Some(round) = &mut self.roles.dial_backs.round else { return };
        let Some(Ask { peer: asked, patience }) = round.asks.remove(&nonce) else {
            self.stats.malformed += 1;
            return;
        };
        // A supernode has spoken to everybody: that a port never seen before gets through must do.
        let fresh = serves && asked.node != from.key;
        // Who passed it on, or anybody we ever spoke to, proves nothing.
        let passed_on = asked.node != from.key && Prefix::of(network, asked.address) != prefix;
        if fresh || passed_on && from.met == Met::Never {
            round.reached_by.insert(prefix);
        } else if patience.is_some() {
            self.ask_stranger(now);
        }
        self.conclude_dial_back(now);
    }

    /// Asks others instead of those from whom nobody came.
    pub(super) fn ask_other_strangers(&mut self, now: Now) {
        let Some(round) = &mut self.roles.dial_backs.round else { return };
        let late =
            round.asks.values_mut().filter_map(|ask| ask.patience.take_if(|until| *until <= now.instant));
        for _ in 0..late.count() {
            self.ask_stranger(now);
        }
    }

    /// Ends the round when all have answered or its time is over.
    pub(super) fn conclude_dial_back(&mut self, now: Now) {
        let backs = &mut self.roles.dial_backs;
        let over = |round: &mut Round| round.reached_by.len() >= round.of || now.instant >= round.ends;
        let Some(round) = backs.round.take_if(over) else { return };
        // Strangers that found us without being asked are as good.
        let reached_by = round.reached_by.len().max(backs.visitors.len()).min(round.of);
        backs.visitors.clear();
        backs.contacted.retain(|_, at| now.instant.saturating_duration_since(*at) <= CONTACT);
        match &mut self.roles.election {
            Some(election) => {
                let few = reached_by < round.of && !round.reached_by.is_empty();
                backs.reached_lately = few.then_some((round.reached_by, now.instant));
                election.round_done(now.instant, reached_by, round.of);
            }
            None => self.roles.self_tested(reached_by, round.promised),
        }
    }

    /// A link from somebody, while we serve nobody. Whether it may bring a nonce.
    pub(super) fn expect_nonce(&mut self, now: Now, link: LinkId, key: LinkKey, address: SocketAddr) -> bool {
        let met = self.met(now, address, link);
        let backs = &mut self.roles.dial_backs;
        let expected = backs.round.is_some() && backs.strangers.len() < STRANGERS;
        if expected {
            backs.strangers.insert(link, Stranger { key, address, met });
        }
        // Our end of the handshake has gone out.
        self.note_contact(now, address);
        expected
    }

    /// Somebody links to us while we serve: if we never contacted them, strangers reach us.
    pub(super) fn note_visitor(&mut self, now: Now, link: LinkId, remote: SocketAddr) {
        if self.is_volunteer()
            && self.roles.dial_backs.visitors.len() < STRANGERS
            && self.met(now, remote, link) == Met::Never
        {
            self.roles.dial_backs.visitors.insert(Prefix::of(self.config.network, remote));
        }
        self.note_contact(now, remote);
    }

    /// A frame over a link that may bring a nonce. Whether it was such a link.
    pub(super) fn stranger_spoke(&mut self, now: Now, link: LinkId, bytes: &[u8]) -> bool {
        let Some(from) = self.roles.dial_backs.strangers.remove(&link) else { return false };
        match wire::from_bytes(bytes) {
            Ok(Message::DialBack(nonce)) => self.dialled_back(now, from, nonce),
            Ok(_) | Err(_) => self.stats.malformed += 1,
        }
        self.effects.push_back(Effect::CloseLink { link });
        true
    }
}

/// The stranger and the dialler.
impl Node {
    pub(super) fn serve_dial_back(&mut self, now: Now, to: ReplyTo, request: &DialBack) -> Response {
        let ReplyTo::Link { link, .. } = to else { return Response::Refused(Refusal::NotOffered) };
        let Some((asker, remote)) = self.links.get(&link).and_then(|l| Some((l.peer?, l.address))) else {
            return Response::Busy;
        };
        let own_ip = request.address.ip().to_canonical() == remote.ip().to_canonical();
        if !own_ip || !request.has_paid() || !self.may_be_dialled(request.address) {
            self.stats.refused_records += 1;
            return Response::Refused(Refusal::Invalid);
        }
        let network = self.config.network;
        let theirs = Prefix::of(network, remote);
        if !self.roles.dial_backs.asked.take(now.instant, theirs) {
            self.stats.limited += 1;
            return Response::Busy;
        }
        let own = self.own_record.as_ref().map(|own| Prefix::of(network, own.address()));
        let mut diallers: Vec<Peer> = self
            .table
            .iter()
            .filter(|known| known.confirmed && known.is_live(now.instant) && known.record.node() != asker)
            .map(|known| Peer { node: known.record.node(), address: known.record.address() })
            .filter(|peer| {
                let prefix = Prefix::of(network, peer.address);
                prefix != theirs && Some(prefix) != own
            })
            .collect();
        diallers.shuffle(&mut self.rng);
        let Some(dialler) = diallers.first().copied() else {
            return Response::Refused(Refusal::NotOffered);
        };
        self.ask(now, dialler, Request::DialBackFor(Box::new(request.pass_on(asker))), Purpose::Background);
        Response::Done
    }

    pub(super) fn serve_dial_back_for(&mut self, now: Now, to: ReplyTo, request: &DialBackFor) -> Response {
        let ReplyTo::Link { link, .. } = to else { return Response::Refused(Refusal::NotOffered) };
        let from = self.links.get(&link).filter(|link| link.state == LinkState::Ready(Role::Supernode));
        let known = from.and_then(|link| self.table.get(&link.peer?)).is_some_and(|known| known.confirmed);
        if !known || !request.has_paid() || !self.may_be_dialled(request.address) {
            self.stats.refused_records += 1;
            return Response::Refused(Refusal::Invalid);
        }
        // Whoever has a link to us is no stranger to us; supernodes have, and test themselves.
        let serves = self.table.get(&request.key).is_some_and(|known| known.confirmed);
        if !serves && self.by_peer.contains_key(&request.key) {
            return Response::Refused(Refusal::NotOffered);
        }
        let prefix = Prefix::of(self.config.network, request.address);
        if !self.roles.dial_backs.dialled.take(now.instant, prefix) {
            self.stats.limited += 1;
            return Response::Busy;
        }
        let id = LinkId::Outbound(self.next_link);
        self.next_link += 1;
        self.roles.dial_backs.probes.insert(id, request.nonce);
        self.timers.set(Timer::Probe(id), now.instant + PROBE);
        let (address, expected) = (request.address, Some(request.key));
        self.effects.push_back(Effect::OpenLink { link: id, address, ways: Ways::FreshUdp, expected });
        self.stats.dialled_back += 1;
        Response::Done
    }

    fn may_be_dialled(&self, address: SocketAddr) -> bool {
        address.port() >= FIRST_PORT && (self.config.network == Network::Lab || is_public(address.ip()))
    }

    /// A link is up. Whether it was opened for somebody else: then the nonce goes over it, and it is closed.
    pub(super) fn probe_up(&mut self, link: LinkId) -> bool {
        let Some(nonce) = self.roles.dial_backs.probes.remove(&link) else { return false };
        self.timers.cancel(Timer::Probe(link));
        self.transmit(link, &Message::DialBack(nonce));
        self.effects.push_back(Effect::CloseLink { link });
        true
    }

    /// A link opened for somebody else did not come up in time.
    pub(super) fn probe_timed_out(&mut self, link: LinkId) {
        if self.roles.dial_backs.probes.remove(&link).is_some() {
            self.effects.push_back(Effect::CloseLink { link });
        }
    }

    /// A link is gone that was none of our own.
    pub(super) fn stranger_lost(&mut self, link: LinkId) {
        self.roles.dial_backs.strangers.remove(&link);
        if self.roles.dial_backs.probes.remove(&link).is_some() {
            self.timers.cancel(Timer::Probe(link));
        }
    }
}

/// What a packet filter of ours would remember of somebody: the IP, or in a lab, where many share one, IP and port.
fn machine(network: Network, address: SocketAddr) -> SocketAddr {
    let port = if network == Network::Lab { address.port() } else { 0 };
    SocketAddr::new(address.ip().to_canonical(), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_dialled_a_few_times_a_minute_and_all_together_some_dozens() {
        let (mut quota, start) = (Quota::default(), crate::sim::origin());
        let prefix = |n| Prefix::V4([9, n]);
        let of_one = (0..10).filter(|_| quota.take(start, prefix(1))).count();
        assert_eq!(of_one, PER_MINUTE_AND_PREFIX as usize);
        let of_many = (2..250).filter(|n| quota.take(start, prefix(*n))).count();
        assert_eq!(of_many + of_one, PER_MINUTE as usize);
        assert!(quota.by_prefix.len() <= PER_MINUTE as usize);
        assert!(quota.take(start + Duration::from_secs(60), prefix(1)));
    }
}
