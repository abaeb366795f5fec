//! Being reachable: a leaf's homes, the introduction record that names them, and the claims kept alive.
//!
//! ```text
//!   (no home) ─▶ Opening ─mailbox opened─▶ Up ─link lost─▶ (no home): another supernode is dialled at once
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use rand::RngExt as _;
use relay::Now;

use super::{
    LinkId, Node, NodeEvent, Timer,
    ask::{AskError, Peer, Purpose},
    query::Query,
    search::REST,
    serve::MailboxOwner,
};
use crate::{
    config::NatKind,
    envelope::Freshness,
    error::OfflineReason,
    identity::LinkKey,
    outcome::Carrier,
    record::{Introducer, Introduction, MailboxId, Offers},
    routing::{Key, Prefix},
    wire::{Need, Request, Response},
};

/// A supernode that rings us.
#[derive(Debug)]
pub(super) struct Home {
    link: LinkId,
    address: SocketAddr,
    mailbox: MailboxId,
    need: Need,
    state: HomeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HomeState {
    Opening,
    Up,
    /// It rings us until we have another one.
    Leaving,
}

impl Home {
    fn rings(&self) -> bool {
        self.state != HomeState::Opening
    }

    fn stays(&self) -> bool {
        self.state != HomeState::Leaving
    }
}

/// What we told the application and the directory about ourselves.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Some holder has our introduction record.
    announced: bool,
    /// The last `Online` told, while it is true.
    online: Option<(usize, NatKind)>,
    offline_told: bool,
    last_seq: u64,
    last_publish: Option<std::time::Instant>,
    /// The introduction record last published.
    record: Option<Introduction>,
    /// A supernode's own mailbox.
    own_mailbox: Option<MailboxId>,
    /// Our address as ready supernodes see it.
    pub(super) observations: BTreeMap<LinkId, SocketAddr>,
    /// Somebody answered but belongs to another network or version.
    pub(super) incompatible: bool,
    /// Somebody answered but has no room.
    pub(super) full: bool,
}

/// Homes a leaf wants, and the person of a supernode: their introduction record must not say where that supernode is.
const HOMES: usize = 3;

/// How long a node tries before it says that it is offline: at the start, and after its last home is gone.
const OFFLINE_AT_START: Duration = Duration::from_secs(5);
const OFFLINE_AFTER_LOSS: Duration = Duration::from_secs(2);

/// If no holder confirms our record in this time, we count as online all the same.
const ANNOUNCE_PATIENCE: Duration = Duration::from_secs(2);

/// An introduction record lasts this long, for who is away can be left letters by it, and is renewed this often, and at
/// once when homes change.
const INTRODUCTION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const INTRODUCTION_REFRESH: Duration = Duration::from_secs(2 * 3600);

/// How long a supernode without room is left alone, give or take a quarter.
const BUSY_PAUSE: Duration = Duration::from_secs(20);

/// How long a supernode that asked us to make room is left alone, and up to half as long again.
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// How long a supernode that said it stops serving is not asked again.
const LEAVING: Duration = Duration::from_secs(900);

/// Changes of homes or holders within this time are published together.
const PUBLISH_DELAY: Duration = Duration::from_millis(300);

/// Supernodes newly known are told what they should hold for us together, this long after the first.
const HOLDERS_DELAY: Duration = Duration::from_secs(1);

impl Node {
    pub(super) fn begin_presence(&mut self, now: Now) {
        self.timers.set(Timer::Offline, now.instant + OFFLINE_AT_START);
        if self.is_supernode() {
            let mailbox = MailboxId::from_bytes(self.rng.random());
            self.mailboxes.insert(mailbox, MailboxOwner::Own);
            self.open_door(mailbox);
            self.presence.own_mailbox = Some(mailbox);
            self.timers.set(Timer::Publish, now.instant);
        }
    }

    pub(super) fn homes_missing(&self) -> usize {
        HOMES.saturating_sub(self.homes.values().filter(|home| home.stays()).count())
    }

    /// How badly we need one more.
    pub(super) fn need(&self) -> Need {
        if self.homes.values().any(Home::stays) { Need::Spare } else { Need::Homeless }
    }

    pub(super) fn homes_up(&self) -> usize {
        // A supernode rings its own person.
        let own = usize::from(self.presence.own_mailbox.is_some());
        own + self.homes.values().filter(|home| home.rings()).count()
    }

    pub(super) fn homes_up_links(&self) -> impl Iterator<Item = LinkId> {
        self.homes.values().filter(|home| home.rings()).map(|home| home.link)
    }

    pub(super) fn home_peers(&self) -> impl Iterator<Item = Peer> {
        let up = self.homes.iter().filter(|(_, home)| home.state == HomeState::Up);
        up.map(|(node, home)| Peer { node: *node, address: home.address })
    }

    /// The links to homes that can be asked and are none of `nodes`.
    pub(super) fn homes_not_among(&self, nodes: &BTreeSet<LinkKey>) -> impl Iterator<Item = LinkId> {
        let up = self.homes.iter().filter(|(_, home)| home.state == HomeState::Up);
        up.filter(move |(node, _)| !nodes.contains(*node)).map(|(_, home)| home.link)
    }

    pub(super) fn home_prefixes(&self) -> BTreeSet<Prefix> {
        self.homes.values().map(|home| Prefix::of(self.config.network, home.address)).collect()
    }

    pub(super) fn is_home(&self, link: LinkId) -> bool {
        self.homes.values().any(|home| home.link == link)
    }

    /// Makes homes of supernodes we have a link to already.
    pub(super) fn adopt_ready_links(&mut self, now: Now) {
        if self.homes_missing() == 0 {
            return;
        }
        if let Some(until) = self.draw_at(now) {
            self.timers.set_earlier(Timer::Dial, until);
            return;
        }
        for (link, node) in self.ready_by_lot() {
            let Some(known) = self
                .table
                .get(&node)
                .filter(|k| k.may_have_room(now.instant, self.need()) && k.record.offers(Offers::INTRODUCER))
            else {
                continue;
            };
            let address = known.record.address();
            let taken = self.home_prefixes().contains(&Prefix::of(self.config.network, address));
            if self.homes_missing() == 0 || taken || self.homes.contains_key(&node) {
                continue;
            }
            let mailbox = MailboxId::from_bytes(self.rng.random());
            // The first asked is to be the home; the others are spares from the beginning.
            let need = self.need();
            self.homes.insert(node, Home { link, address, mailbox, need, state: HomeState::Opening });
            self.ask_over(now, link, Request::OpenMailbox { mailbox, need }, Purpose::OpenMailbox);
        }
    }

    pub(super) fn mailbox_answered(&mut self, now: Now, node: LinkKey, result: Result<Response, AskError>) {
        let Some(home) = self.homes.get_mut(&node) else { return };
        let (link, mailbox, need) = (home.link, home.mailbox, home.need);
        if result == Ok(Response::Done) {
            home.state = HomeState::Up;
            self.presence.offline_told = false;
            self.presence.incompatible = false;
            self.presence.full = false;
            self.search.found();
            self.timers.cancel(Timer::Offline);
            self.leave_leaving_homes(now);
            self.homes_changed(now);
            self.start_waiting(now);
            self.reconcile_soon(now, link);
        } else if matches!(result, Ok(Response::Busy | Response::Later(_)))
            && self.show_credit(now, link, &node)
        {
            self.ask_over(now, link, Request::OpenMailbox { mailbox, need }, Purpose::OpenMailbox);
        } else if let Some(pause) = self.pause_asked_for(node, &result) {
            // The link goes when it is idle; the supernode is there for everything else.
            let need = self.homes.remove(&node).map_or(need, |home| home.need);
            self.presence.full = true;
            self.table.busy(&node, need, now.instant + pause);
            let rest = self.longer(REST);
            self.search.refused(now.instant, need, rest);
            self.fill(now);
        } else {
            self.give_up(now, link);
        }
    }

    fn pause_asked_for(&mut self, node: LinkKey, result: &Result<Response, AskError>) -> Option<Duration> {
        match result {
            Ok(Response::Busy) => Some(self.jitter(BUSY_PAUSE)),
            Ok(Response::Later(later)) => {
                self.loads.heard(node, later.load, None);
                Some(self.longer(later.wait()))
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// A home stops serving soon: we go at once if another can ring us, and as soon as one can if not.
    pub(super) fn home_leaves(&mut self, now: Now, link: LinkId) {
        let Some(node) = self.homes.iter().find(|(_, home)| home.link == link).map(|(node, _)| *node) else {
            self.stats.malformed += 1;
            return;
        };
        self.thank_at_parting(now, node);
        if self.homes_up() > 1 {
            self.leave_home(now, link);
        } else if let Some(home) = self.homes.get_mut(&node) {
            home.state = HomeState::Leaving;
        }
        self.table.busy(&node, Need::Homeless, now.instant + LEAVING);
        self.fill(now);
    }

    fn leave_leaving_homes(&mut self, now: Now) {
        let leaving: Vec<LinkId> = self.homes.values().filter(|h| !h.stays()).map(|h| h.link).collect();
        for link in leaving {
            self.leave_home(now, link);
        }
    }

    /// We serve nobody any more.
    pub(super) fn end_own_mailbox(&mut self) {
        self.presence.own_mailbox = None;
    }

    pub(super) fn is_home_mailbox(&self, link: LinkId, mailbox: MailboxId) -> bool {
        self.homes.values().any(|home| home.link == link && home.mailbox == mailbox)
    }

    /// Gives a home up in good order; another one takes its place.
    pub(super) fn leave_home(&mut self, now: Now, link: LinkId) {
        let Some(node) = self.homes.iter().find(|(_, home)| home.link == link).map(|(node, _)| *node) else {
            return;
        };
        let pause = self.longer(LEFT_ALONE);
        self.table.busy(&node, Need::Spare, now.instant + pause);
        self.release(now, link);
    }

    pub(super) fn home_lost(&mut self, now: Now, link: LinkId) {
        self.presence.observations.remove(&link);
        let Some(node) = self.homes.iter().find(|(_, home)| home.link == link).map(|(node, _)| *node) else {
            return;
        };
        let rang = self.homes.remove(&node).is_some_and(|home| home.rings());
        if !rang {
            return;
        }
        if self.homes_up() == 0 {
            self.presence.online = None;
            self.presence.announced = false;
            self.timers.set_earlier(Timer::Offline, now.instant + OFFLINE_AFTER_LOSS);
        } else {
            self.homes_changed(now);
        }
    }

    pub(super) fn tell_offline(&mut self) {
        if self.homes_up() > 0 || self.presence.offline_told {
            return;
        }
        self.presence.offline_told = true;
        let reason = if self.table.is_empty() && self.seeds.is_empty() {
            OfflineReason::NobodyKnown
        } else if self.presence.incompatible {
            OfflineReason::Incompatible
        } else if self.presence.full {
            OfflineReason::Full
        } else {
            OfflineReason::NobodyAnswers
        };
        self.events.push_back(NodeEvent::Offline { reason });
    }

    /// The set of homes changed: the directory, our contacts and the application must know.
    fn homes_changed(&mut self, now: Now) {
        self.appear_soon(now);
        let recently = self.presence.last_publish.is_some_and(|at| now.instant < at + PUBLISH_DELAY);
        if recently || self.more_homes_may_come(now) {
            self.timers.set_earlier(Timer::Publish, now.instant + PUBLISH_DELAY);
        } else {
            self.publish(now);
        }
        if self.presence.announced {
            self.tell_online();
        } else {
            self.timers.set_earlier(Timer::Announced, now.instant + ANNOUNCE_PATIENCE);
        }
    }

    /// Whether one record may soon name more homes than now.
    fn more_homes_may_come(&self, now: Now) -> bool {
        let opening = self.homes.values().any(|home| !home.rings());
        opening || self.homes_missing() > 0 && self.is_dialling(now)
    }

    /// New supernodes: some of them may have to hold what is ours.
    pub(super) fn holders_changed(&mut self, now: Now) {
        let delay = self.jitter(HOLDERS_DELAY);
        self.timers.set_earlier(Timer::Holders, now.instant + delay);
    }

    /// Gives what is ours to those of its closest supernodes that were not told yet.
    pub(super) fn tell_new_holders(&mut self, now: Now) {
        if self.names_ourselves() {
            self.publish(now);
        } else if let Some(record) = self.presence.record.clone() {
            let key = Key::of_person(&self.identity.public_key());
            self.put_to_new(now, &key, Request::PutIntroduction(Box::new(record)), Purpose::Announce);
        } else {
            self.publish(now);
        }
        self.tell_claims_to_new_holders(now);
    }

    /// Whether the record last published tells where this supernode is.
    fn names_ourselves(&self) -> bool {
        let own = self.own_key();
        self.presence.record.as_ref().is_some_and(|r| r.introducers().iter().any(|i| i.node == own))
    }

    /// A supernode that was told of others looks for homes among them first.
    pub(super) fn publish_later(&mut self, now: Now) {
        if self.is_supernode() && self.presence.last_publish.is_none() {
            self.timers.set(Timer::Publish, now.instant + OFFLINE_AT_START);
        }
    }

    /// Some holder has our record: from now on others find us.
    pub(super) fn announced(&mut self, _: Now) {
        self.timers.cancel(Timer::Announced);
        if self.homes_up() > 0 {
            self.presence.announced = true;
            self.timers.cancel(Timer::Offline);
            self.tell_online();
        }
    }

    fn tell_online(&mut self) {
        let state = (self.homes_up(), self.nat());
        if self.presence.online != Some(state) {
            self.presence.online = Some(state);
            self.events.push_back(NodeEvent::Online { homes: state.0, nat: state.1 });
        }
    }

    /// Puts our introduction record where it belongs.
    pub(super) fn publish(&mut self, now: Now) {
        let introducers: Vec<Introducer> =
            self.mailboxes_of_homes(now).iter().map(Introducer::door).collect();
        if introducers.is_empty() {
            if self.is_supernode() {
                self.timers.set_earlier(Timer::Publish, now.instant + OFFLINE_AT_START);
            }
            return;
        }
        self.presence.last_publish = Some(now.instant);
        self.put_introduction(now, introducers, Purpose::Announce);
        if !self.presence.announced {
            self.timers.set_earlier(Timer::Announced, now.instant + ANNOUNCE_PATIENCE);
        }
        let refresh = self.jitter(INTRODUCTION_REFRESH);
        self.timers.set(Timer::Publish, now.instant + refresh);
    }

    /// Tells the holders that we are gone.
    pub(super) fn withdraw(&mut self, now: Now) {
        if self.presence.last_publish.is_some() {
            self.put_introduction(now, Vec::new(), Purpose::Background);
        }
    }

    fn put_introduction(&mut self, now: Now, introducers: Vec<Introducer>, purpose: Purpose) {
        let seq = now.unix.as_millis().max(self.presence.last_seq + 1);
        self.presence.last_seq = seq;
        let record = Introduction::sign(
            &self.identity,
            self.config.network,
            seq,
            self.sealer.keys(now.unix),
            introducers,
            now.unix,
            INTRODUCTION_LIFETIME,
        );
        self.presence.record = Some(record.clone());
        let key = Key::of_person(&self.identity.public_key());
        self.put(now, &key, Request::PutIntroduction(Box::new(record)), purpose);
    }

    /// The homes that can be asked to do something for us.
    pub(super) fn homes_to_ask(&self) -> Vec<Peer> {
        let homes = self.homes.iter().filter(|(_, home)| home.state == HomeState::Up);
        homes.map(|(node, home)| Peer { node: *node, address: home.address }).collect()
    }

    /// Who rings us. A supernode names itself only while it knows no other that lives: the record would tell everybody
    /// where its person is.
    pub(super) fn mailboxes_of_homes(&self, now: Now) -> Vec<Introducer> {
        let homes = self.homes.iter().filter(|(_, home)| home.rings());
        let homes: Vec<Introducer> = homes
            .map(|(node, home)| Introducer { node: *node, address: home.address, mailbox: home.mailbox })
            .collect();
        if !homes.is_empty() {
            return homes;
        }
        let own = self.own_record.as_ref().zip(self.presence.own_mailbox);
        let own = own.filter(|_| self.table.live(now.instant) == 0);
        own.map(|(record, mailbox)| Introducer { node: record.node(), address: record.address(), mailbox })
            .into_iter()
            .collect()
    }

    /// The mailboxes our homes opened.
    #[cfg(test)]
    pub(crate) fn mailboxes_for_test(&self, now: Now) -> Vec<MailboxId> {
        self.mailboxes_of_homes(now).iter().map(|introducer| introducer.mailbox).collect()
    }

    pub(super) fn nat(&self) -> NatKind {
        if self.is_supernode() {
            return NatKind::Open;
        }
        // A TCP connection has a port of its own wherever it goes, and IPv6 may be translated otherwise than IPv4.
        let over_udp = |id: &LinkId| self.links.get(id).is_some_and(|link| link.carrier == Carrier::Quic);
        let (v4, v6): (Vec<SocketAddr>, Vec<SocketAddr>) = self
            .presence
            .observations
            .iter()
            .filter(|(id, _)| over_udp(id))
            .map(|(_, seen)| *seen)
            .partition(|seen| seen.is_ipv4());
        let mut seen = if v4.is_empty() { v6.iter() } else { v4.iter() };
        let Some(first) = seen.next() else { return NatKind::Unknown };
        if self.config.local_addresses.contains(&first.ip().to_canonical()) {
            return NatKind::Open;
        }
        match (seen.len(), seen.all(|other| other == first)) {
            (0, _) => NatKind::Unknown,
            (_, true) => NatKind::EndpointIndependent,
            (_, false) => NatKind::AddressDependent,
        }
    }

    pub(super) fn observed(&self) -> Option<SocketAddr> {
        match &self.config.supernode {
            Some(supernode) => Some(supernode.address),
            None => self.presence.observations.values().next().copied(),
        }
    }

    /// A home pushed an envelope.
    pub(super) fn rung(&mut self, now: Now, link: LinkId, mailbox: MailboxId, sealed: &[u8]) {
        if self.is_home_mailbox(link, mailbox) {
            self.open_envelope(now, sealed);
        } else {
            self.stats.malformed += 1;
        }
    }

    pub(super) fn open_envelope(&mut self, now: Now, sealed: &[u8]) {
        let Ok(letter) = self.sealer.open(now.unix, sealed) else {
            self.stats.envelopes_bad += 1;
            return;
        };
        match self.replay.check(now.unix, letter.from, letter.sent, letter.id) {
            Freshness::Fresh => {
                self.stats.envelopes += 1;
                let (from, sent, payload) = (letter.from, letter.sent, letter.payload);
                letter.reply.into_iter().for_each(|reply| self.remember_reply(from, reply));
                self.events.push_back(NodeEvent::Envelope { from, sent, payload });
            }
            Freshness::Seen | Freshness::OutOfTime => self.stats.envelopes_replayed += 1,
            Freshness::Flood => self.stats.limited += 1,
        }
    }

    /// Commands that waited for a home start now.
    fn start_waiting(&mut self, now: Now) {
        let waiting: Vec<_> =
            self.queries.iter().filter(|(_, q)| matches!(q, Query::Waiting(_))).map(|(id, _)| *id).collect();
        for id in waiting {
            if let Some(Query::Waiting(command)) = self.queries.remove(&id) {
                self.start(now, id, command);
            }
        }
    }
}
