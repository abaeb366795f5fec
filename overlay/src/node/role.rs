//! Becoming a supernode and ceasing to be one, without a restart. Who does when is decided in [`super::election`].
//!
//! ```text
//!   leaf ─Promote─▶ (its relay opens) own record, own mailbox, "serving" over every link ─▶ supernode
//!   supernode ─Drain─▶ "leaving" to every leaf, no new ones, claims handed on ─Retire─▶ every link closed ─▶ leaf, which looks for homes
//! ```

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use relay::{Now, UnixTime};

use super::{
    Effect, LinkId, Node, NodeEvent, Timer,
    dial_back::{ASK_PATIENCE, DialBacks},
    election::{Decision, Election, Facts},
};
use crate::{
    config::{RelayConfig, Role, SupernodeConfig},
    record::{Offers, SupernodeRecord},
    volunteer::{Candidacy, Conditions, Filtering},
    wire::{Message, RefuseReason, Request},
};

/// What this node does for others, and on whose decision.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub(super) election: Option<Election>,
    pub(super) dial_backs: DialBacks,
    admission: Admission,
    /// Where it is to serve once its relay is open.
    promotion: Option<SocketAddr>,
    self_test: SelfTest,
    /// Told last.
    address: Option<(IpAddr, UnixTime)>,
}

/// What an operator's supernode knows of whether others reach it. Nobody asks it: it serves either way, and does not send
/// newcomers to an address where nobody answers.
#[derive(Debug, Default)]
struct SelfTest {
    next: Option<Instant>,
    filtering: Filtering,
    bad_rounds: u8,
}

/// Whether leaves find a place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Admission {
    #[default]
    Open,
    Draining,
}

/// How often a volunteer looks around.
const TICK: Duration = Duration::from_secs(5);

/// How often an operator's supernode has others try whether they reach it, and how many of them at a time.
const SELF_TEST: Duration = Duration::from_secs(15 * 60);
const SELF_TEST_FIRST: Duration = Duration::from_secs(60);
const SELF_TEST_ASKS: usize = 2;
/// Rounds in a row in which nobody did, before it is believed: whoever is asked may be gone, or lie.
const SELF_TEST_BAD: u8 = 2;

/// How often a volunteer asks its homes how full they are.
const LOAD_INTERVAL: Duration = Duration::from_secs(30);

impl Roles {
    pub(super) fn volunteered_address(&self) -> Option<SocketAddr> {
        self.election.as_ref().and_then(Election::address)
    }

    /// A round of an operator's own: so many reached us, of so many that were to try.
    pub(super) fn self_tested(&mut self, reached_by: usize, of: usize) {
        let test = &mut self.self_test;
        if reached_by > 0 {
            (test.filtering, test.bad_rounds) = (Filtering::EndpointIndependent, 0);
        } else if of > 0 {
            test.bad_rounds = test.bad_rounds.saturating_add(1);
            if test.bad_rounds >= SELF_TEST_BAD {
                test.filtering = Filtering::Filtered;
            }
        }
    }
}

impl Node {
    /// What the operating system or the owner says about this computer; it counts at once.
    pub fn set_conditions(&mut self, now: Now, conditions: Conditions) {
        if let Some(election) = &mut self.roles.election {
            election.set_conditions(conditions);
            self.review_role(now);
            self.settle(now);
        }
    }

    pub(super) fn begin_election(&mut self, now: Now) {
        let volunteer = self.config.volunteer.take().filter(|_| self.config.supernode.is_none());
        if let Some(volunteer) = volunteer {
            self.roles.election = Some(Election::new(volunteer, now));
            self.timers.set(Timer::Election, now.instant + TICK);
        } else if self.is_supernode() {
            self.timers.set(Timer::Election, now.instant + SELF_TEST_FIRST);
        }
    }

    /// Whether its owner agreed that this computer may help others. Then it matters whom we contacted: others try whether
    /// they reach us.
    pub(super) fn is_volunteer(&self) -> bool {
        self.roles.election.is_some()
    }

    /// Where others try whether they reach us.
    pub(super) fn tried_address(&self) -> Option<SocketAddr> {
        match &self.roles.election {
            Some(_) => self.roles.volunteered_address(),
            None => self.config.supernode.as_ref().map(|supernode| supernode.address),
        }
    }

    /// The relay that [`super::Effect::OpenRelay`] asked for; `None`: there is none, and the rest is served.
    pub fn handle_relay(&mut self, now: Now, relay: Option<RelayConfig>) {
        match self.roles.promotion.take() {
            Some(address) => self.serve_at(now, address, relay),
            // Something came in between.
            None => self.effects.push_back(Effect::CloseRelay),
        }
        self.settle(now);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.roles.admission == Admission::Draining
    }

    pub(super) fn candidacy(&self) -> Candidacy {
        self.roles.election.as_ref().map_or(Candidacy::None, Election::candidacy)
    }

    pub(super) fn filtering(&self) -> Filtering {
        self.roles.election.as_ref().map_or(self.roles.self_test.filtering, Election::filtering)
    }

    pub(super) fn review_role(&mut self, now: Now) {
        let spared = self.spares_strangers(now);
        self.conclude_dial_back(now);
        if self.roles.election.is_none() {
            return self.test_ourselves(now);
        }
        self.ask_other_strangers(now);
        self.timers.set(Timer::Election, now.instant + TICK);
        let facts = Facts {
            observed: self.seen_by_most(),
            nat: self.nat(),
            around: if self.is_supernode() { self.loads.mean() } else { self.loads.region() },
            leaves: self.links.values().filter(|link| !link.mailboxes.is_empty()).count(),
            supernodes: self.table.len(),
            strangers: self.strangers_left(now),
        };
        if !self.is_supernode() {
            self.ask_homes_for_load(now);
        }
        let Some(election) = &mut self.roles.election else { return };
        let decision = election.advance(now, facts, &mut self.rng);
        let address = election.address_since();
        if let Some((ip, since)) = address
            && std::mem::replace(&mut self.roles.address, address) != address
        {
            self.events.push_back(NodeEvent::Address { ip, since });
        }
        let Some(election) = &mut self.roles.election else { return };
        let of = election.round_due(now.instant, facts);
        match decision {
            Some(Decision::Promote(address, offers)) => self.promote(now, address, offers),
            Some(Decision::Drain) => self.drain(now),
            Some(Decision::Retire) => self.retire(now),
            None => {}
        }
        if let Some(of) = of {
            self.begin_dial_back(now, of);
            self.conclude_dial_back(now);
        }
        if let Some(ends) = self.roles.dial_backs.round_ends() {
            self.timers.set_earlier(Timer::Election, ends.min(now.instant + ASK_PATIENCE));
        }
        if spared && !self.spares_strangers(now) {
            self.publish(now);
            self.fill(now);
        }
    }

    /// Whether we leave alone whom we can, so that strangers are left who may try whether they reach us.
    pub(super) fn spares_strangers(&self, now: Now) -> bool {
        let election = self.roles.election.as_ref().filter(|_| !self.is_supernode());
        election.is_some_and(|election| election.spares_strangers(now.instant, self.table.len()))
    }

    /// An operator's supernode: begins a round when it is time.
    fn test_ourselves(&mut self, now: Now) {
        if self.roles.self_test.next.is_none_or(|next| now.instant >= next) {
            let next = now.instant + self.jitter(SELF_TEST);
            self.roles.self_test.next = Some(next);
            // One passes it on, another one dials.
            if self.is_supernode() && !self.is_draining() && self.table.len() >= 2 {
                self.begin_dial_back(now, SELF_TEST_ASKS);
            }
        }
        let next = self.roles.dial_backs.round_ends().or(self.roles.self_test.next);
        self.timers.set(Timer::Election, next.unwrap_or(now.instant + SELF_TEST));
    }

    /// Whoever would help must know how full those around are; other leaves need no ping and send none.
    fn ask_homes_for_load(&mut self, now: Now) {
        if self.roles.election.is_none() {
            return;
        }
        let homes: Vec<LinkId> = self.homes_up_links().collect();
        for link in homes {
            self.timers.set_earlier(Timer::Ping(link), now.instant + LOAD_INTERVAL);
        }
    }

    /// Our address as more than half of those see it who told us: one that lies alone moves nothing.
    fn seen_by_most(&self) -> Option<SocketAddr> {
        let seen = &self.presence.observations;
        let mut counts: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        for address in seen.values() {
            *counts.entry(*address).or_default() += 1;
        }
        counts.into_iter().find(|(_, count)| 2 * count > seen.len()).map(|(address, _)| address)
    }

    fn promote(&mut self, now: Now, address: SocketAddr, offers: Offers) {
        if offers.contains(Offers::RELAY) {
            self.roles.promotion = Some(address);
            self.effects.push_back(Effect::OpenRelay { public_ip: address.ip() });
        } else {
            self.serve_at(now, address, None);
        }
    }

    fn serve_at(&mut self, now: Now, address: SocketAddr, relay: Option<RelayConfig>) {
        let Some(election) = &self.roles.election else { return };
        let max_leaves = election.volunteer.max_leaves;
        let room = max_leaves + self.config.limits.mesh_links;
        self.config.limits.links = self.config.limits.links.max(room);
        self.config.supernode = Some(SupernodeConfig { address, tcp: None, relay, max_leaves });
        self.roles.admission = Admission::Open;
        self.begin_presence(now);
        self.begin_credit(now);
        let Some(record) = self.sign_own_record(now) else { return };
        for link in self.supernode_links() {
            self.transmit(link, &Message::Serving(Box::new(record.clone())));
            self.ask_load_later(now, link);
        }
        self.reissue(now);
        self.events.push_back(NodeEvent::Role(Role::Supernode));
        self.fill(now);
    }

    /// Takes no more leaves, tells those there are, and hands on what we hold for others. A leaf has nothing to leave.
    pub fn leave(&mut self, now: Now) {
        if self.is_supernode() && !self.is_draining() {
            self.drain(now);
        }
        self.settle(now);
    }

    fn drain(&mut self, now: Now) {
        self.roles.admission = Admission::Draining;
        self.roles.promotion = None;
        self.effects.push_back(Effect::CloseRelay);
        self.hand_claims_on(now);
        let leaves: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| !link.mailboxes.is_empty()).map(|(id, _)| *id).collect();
        for link in leaves {
            self.transmit(link, &Message::Leaving);
        }
    }

    fn retire(&mut self, now: Now) {
        self.config.supernode = None;
        self.own_record = None;
        self.roles.admission = Admission::Open;
        self.timers.cancel(Timer::Reissue);
        self.timers.cancel(Timer::Credit);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.refuse(link, RefuseReason::Closing);
            self.release(now, link);
        }
        self.mailboxes.clear();
        self.end_own_mailbox();
        self.events.push_back(NodeEvent::Role(Role::Leaf));
        self.fill(now);
    }

    /// What our record says we do: an operator's supernode does everything it can, a volunteer what it is fit for.
    pub(super) fn own_offers(&self, now: Now, supernode: &SupernodeConfig) -> Offers {
        match &self.roles.election {
            Some(election) if supernode.relay.is_none() => election.offers(now.unix).without(Offers::RELAY),
            Some(election) => election.offers(now.unix),
            None if supernode.relay.is_some() => Offers::ALL,
            None => Offers::DIRECTORY.and(Offers::INTRODUCER),
        }
    }

    /// Whether we said that we do what is asked.
    pub(super) fn offers(&self, request: &Request) -> bool {
        let needed = match request {
            Request::PutClaim(_)
            | Request::GetClaims(_)
            | Request::PutIntroduction(_)
            | Request::GetIntroduction(_)
            | Request::Leave { .. }
            | Request::Collect(_)
            | Request::PutPresence(_)
            | Request::GetPresences(_) => Offers::DIRECTORY,
            Request::OpenMailbox { .. } | Request::Deliver { .. } | Request::Introduce { .. } => {
                Offers::INTRODUCER
            }
            _ => return true,
        };
        self.own_record.as_ref().is_some_and(|own| own.offers(needed))
    }

    /// A leaf at the other end says that it serves from now on.
    pub(super) fn peer_serves(&mut self, now: Now, link: LinkId, record: SupernodeRecord) {
        let Some(peer) = self.links.get(&link).and_then(|link| link.peer) else { return };
        if record.node() != peer || record.verify(self.config.network, now.unix).is_err() {
            self.stats.refused_records += 1;
            return;
        }
        self.supernode_ready(now, link, peer, record, None);
    }
}
