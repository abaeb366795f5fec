//! Service credit between this node and others: what it was helped with and vouches for, what it was given for helping,
//! and who among those that want a place has helped.
//!
//! ```text
//!   helped (it serves itself, so that its word can be honoured):
//!     home, answers ─▶ tab ─every TICK, or the home leaves─▶ Thanks ─▶ helper
//!   helper:   Thanks ─▶ ledger, over restarts
//!   relay:    allocation ended ─▶ Relayed ─▶ client: not more than it counted? ─▶ Thanks ─▶ relay
//!   overload: open mailbox ─▶ Later ─▶ ShowCredit, open mailbox ─▶ a place, or Later, but sooner than others
//! ```

use std::{collections::BTreeMap, time::Duration};

use data_encoding::HEXLOWER;
use relay::{Now, Priority};
use sha2::{Digest as _, Sha256};

use super::{
    LinkId, Node, Timer,
    ask::{AskError, Purpose},
    bucket::Bucket,
    serve::ReplyTo,
};
use crate::{
    credit::{Between, Ledger, Service, Shown, Tabs, Voucher, suffices},
    identity::LinkKey,
    wire::{Message, RelayUsage, Request, Response},
};

/// See the drawing above.
#[derive(Debug)]
pub(super) struct Credit {
    pub(super) ledger: Ledger,
    tabs: Tabs,
    /// Homes that were there at the last tick, and since when their time is not counted.
    homes: BTreeMap<LinkKey, std::time::Instant>,
    relays: BTreeMap<LinkKey, Relaying>,
    asked: BTreeMap<LinkKey, u64>,
    /// Signatures looked at.
    checks: Bucket,
}

/// What a client knows of a call through somebody's relay.
#[derive(Debug, Clone, Copy, Default)]
struct Relaying {
    /// By our own count, sent and received.
    counted: Option<Relayed>,
    /// What the relay says it carried.
    claimed: Option<Relayed>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Relayed {
    time: Duration,
    bytes: u64,
}

/// What the other end of a link has to do with credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    #[default]
    Anybody,
    /// We have shown it what it owes us.
    Shown,
    /// It has helped us, and has shown it.
    Helper,
}

/// How often a supernode counts what it had of others, and thanks those who did enough.
const TICK: Duration = Duration::from_secs(1_800);

/// Vouchers looked at per second, sustained and at once; helpers that show more wait like everybody, thanks are lost.
const CHECKS_PER_SECOND: u32 = 50;
const CHECKS_AT_ONCE: u32 = 200;

/// Relays of which bytes are compared at a time; what further ones say is not signed.
const MAX_RELAYS: usize = 16;

/// Clients that were asked to sign for their calls; the answers of further ones are not counted.
const MAX_ASKED: usize = 1_024;

/// What a relay may say beyond our own count: an eighth for packets that one side saw and the other did not, and some
/// for the first and last of them.
const SLACK_SHARE: u64 = 8;
const SLACK_BYTES: u64 = 64 * 1024;

/// What a way that stands by carries in checks alone, at the beginning and then each second: both ends probe it every
/// 1.2 s and answer. A voice is ten times as much.
const CHECKS_AT_FIRST: u64 = 32 * 1024;
const CHECKS_PER_SECOND_OF_CALL: u64 = 500;

impl Credit {
    pub(super) fn new(now: std::time::Instant) -> Self {
        Self {
            ledger: Ledger::default(),
            tabs: Tabs::default(),
            homes: BTreeMap::new(),
            relays: BTreeMap::new(),
            asked: BTreeMap::new(),
            checks: Bucket::new(CHECKS_PER_SECOND, CHECKS_AT_ONCE, now),
        }
    }
}

impl Node {
    /// From now on our word is worth something, as there are places it may get.
    pub(super) fn begin_credit(&mut self, now: Now) {
        self.timers.set(Timer::Credit, now.instant + TICK);
    }

    /// Counts what homes did, and thanks those who did enough.
    pub(super) fn settle_tabs(&mut self, now: Now) {
        if !self.is_supernode() {
            return;
        }
        self.count_homes(now);
        let due: Vec<LinkKey> = self.credit.tabs.due().collect();
        for helper in due {
            self.thank(now, helper);
        }
        self.timers.set(Timer::Credit, now.instant + TICK);
    }

    fn count_homes(&mut self, now: Now) {
        let up: Vec<LinkKey> = self.home_peers().map(|peer| peer.node).collect();
        self.credit.homes.retain(|node, _| up.contains(node));
        for node in up {
            if let Some(since) = self.credit.homes.insert(node, now.instant) {
                let home = now.instant.saturating_duration_since(since);
                self.credit.tabs.count(now.unix, node, Service { home, ..Service::default() });
            }
        }
    }

    /// Somebody answered what we asked for ourselves.
    pub(super) fn count_answer(
        &mut self,
        now: Now,
        node: LinkKey,
        purpose: Purpose,
        result: &Result<Response, AskError>,
    ) {
        let for_us =
            matches!(purpose, Purpose::Announce | Purpose::Query(_) | Purpose::Newer(_) | Purpose::Look);
        let served = matches!(
            result,
            Ok(Response::Done
                | Response::Claims(_)
                | Response::Introduction(_)
                | Response::Presences(_)
                | Response::Receipt(_))
        );
        if for_us && served && self.is_supernode() && node != self.own_key() {
            self.credit.tabs.count(now.unix, node, Service { answers: 1, ..Service::default() });
        }
    }

    /// A home that stops serving is told what it did for us while it can be.
    pub(super) fn thank_at_parting(&mut self, now: Now, helper: LinkKey) {
        if self.is_supernode() {
            self.count_homes(now);
            if self.credit.tabs.is_due(&helper) {
                self.thank(now, helper);
            }
        }
    }

    /// Says what somebody did for us, over a link that is there; if none is, the tab stays open.
    fn thank(&mut self, now: Now, helper: LinkKey) {
        let Some(link) = self.ready_link(&helper) else { return };
        if let Some(tab) = self.credit.tabs.close(&helper) {
            let period = (tab.since, now.unix);
            let voucher = Voucher::sign(&self.link_secret, self.config.network, helper, period, tab.service);
            self.transmit(link, &Message::Thanks(Box::new(voucher)));
        }
    }

    /// Somebody says that we helped. It is kept if its giver is a supernode we have met: no other has places.
    pub(super) fn thanked(&mut self, now: Now, link: LinkId, voucher: Voucher) {
        let Some(helped) = self.links.get(&link).and_then(|link| link.peer) else { return };
        if !self.credit.checks.take(now.instant) {
            self.stats.limited += 1;
            return;
        }
        let between = Between { helper: self.own_key(), helped };
        if voucher.verify(self.config.network, between, now.unix).is_err() {
            self.stats.refused_records += 1;
            return;
        }
        let relayed = voucher.service().relayed;
        if let Some(asked) = self.credit.asked.remove(&helped).filter(|_| relayed > 0) {
            self.stats.calls_vouched += 1;
            self.stats.bytes_vouched += relayed.min(asked);
        }
        if !self.table.get(&helped).is_some_and(|known| known.confirmed) {
            return;
        }
        match self.credit.ledger.take(voucher) {
            Ok(()) => self.timers.set_earlier(Timer::Cache, now.instant + Duration::from_secs(1)),
            Err(_) => self.stats.refused_records += 1,
        }
    }

    /// A supernode has no room for us: shows it that we helped it, if we did, once for each link. Whether we did.
    pub(super) fn show_credit(&mut self, now: Now, id: LinkId, node: &LinkKey) -> bool {
        let Some(shown) = self.credit.ledger.of(node) else { return false };
        let Some(link) = self.links.get_mut(&id).filter(|link| link.standing == Standing::Anybody) else {
            return false;
        };
        link.standing = Standing::Shown;
        self.ask_over(now, id, Request::ShowCredit(shown), Purpose::Background);
        true
    }

    /// Whether a supernode said that we helped it.
    pub(super) fn owes_us(&self, node: &LinkKey) -> bool {
        self.credit.ledger.knows(node)
    }

    /// Whether no supernode ever said so.
    pub(super) fn helped_nobody(&self) -> bool {
        self.credit.ledger.is_empty()
    }

    /// Somebody shows that it helped us: it waits less from now on, over this link and no other.
    pub(super) fn take_credit(&mut self, now: Now, to: ReplyTo, shown: &Shown) -> Response {
        let ReplyTo::Link { link: id, .. } = to else { return self.invalid() };
        let Some(helper) = self.links.get(&id).and_then(|link| link.peer) else { return Response::Busy };
        if !self.credit.checks.take(now.instant) {
            return self.busy();
        }
        let between = Between { helper, helped: self.own_key() };
        if suffices(shown, self.config.network, between, now.unix).is_err() {
            return self.invalid();
        }
        self.stats.credit_honoured += 1;
        for other in self.by_peer.get(&helper).into_iter().flatten() {
            if let Some(link) = self.links.get_mut(other) {
                link.standing = if *other == id { Standing::Helper } else { Standing::Anybody };
            }
        }
        Response::Done
    }

    /// Who is at the other end of a link, as far as credit goes.
    pub(super) fn standing(&self, id: LinkId) -> Standing {
        self.links.get(&id).map_or(Standing::Anybody, |link| link.standing)
    }

    /// What the relay is told about somebody who asks for credentials: our own calls and those of helpers come first.
    pub(super) fn priority(&self, to: ReplyTo) -> Priority {
        match to {
            ReplyTo::Link { link, .. } if self.standing(link) != Standing::Helper => Priority::Usual,
            ReplyTo::Link { .. } | ReplyTo::Own(_) => Priority::Helper,
        }
    }

    /// The relay beside this supernode carried so much for the holder of a credential: it is counted, and whoever that is,
    /// if it is still linked to us, is asked to sign for it.
    pub fn handle_relayed(&mut self, now: Now, ticket: &str, usage: RelayUsage) {
        // Our own calls go through our own relay, too.
        if !ticket.ends_with(&relay_name(&self.own_key())) {
            self.stats.passed_on += u64::from(carried_talk(usage));
            self.stats.bytes_passed_on = self.stats.bytes_passed_on.saturating_add(usage.bytes);
        }
        let holds = |peer: &LinkKey| ticket.ends_with(&relay_name(peer));
        let client = self.by_peer.keys().find(|peer| holds(peer)).copied();
        let Some((client, link)) = client.and_then(|peer| Some((peer, self.ready_link(&peer)?))) else {
            return;
        };
        if usage.bytes > 0 && (self.credit.asked.len() < MAX_ASKED || self.credit.asked.contains_key(&client))
        {
            self.credit.asked.insert(client, usage.bytes);
            self.transmit(link, &Message::Relayed(usage));
        }
        self.settle(now);
    }

    /// A supernode says what its relay carried for us.
    pub(super) fn relayed_for_us(&mut self, now: Now, link: LinkId, usage: RelayUsage) {
        if let Some(node) = self.links.get(&link).and_then(|link| link.peer) {
            let relayed = Relayed { time: Duration::from_secs(usage.seconds.into()), bytes: usage.bytes };
            self.compare_relayed(now, node, |relaying| relaying.claimed.get_or_insert_default().add(relayed));
        }
    }

    /// The application sent and received so many bytes through the relay of a supernode, in a call of this length that
    /// is over.
    pub fn count_relayed(&mut self, now: Now, node: LinkKey, time: Duration, bytes: u64) {
        let relayed = Relayed { time, bytes };
        self.compare_relayed(now, node, |relaying| relaying.counted.get_or_insert_default().add(relayed));
        self.settle(now);
    }

    /// Signs for what a relay claims once both counts are there, and only if they agree.
    fn compare_relayed(&mut self, now: Now, node: LinkKey, learn: impl FnOnce(&mut Relaying)) {
        let relays = &mut self.credit.relays;
        if relays.len() >= MAX_RELAYS && !relays.contains_key(&node) {
            self.stats.limited += 1;
            return;
        }
        let relaying = relays.entry(node).or_default();
        learn(relaying);
        let Relaying { counted: Some(counted), claimed: Some(claimed) } = *relaying else { return };
        relays.remove(&node);
        let most = counted.bytes.saturating_add(counted.bytes / SLACK_SHARE).saturating_add(SLACK_BYTES);
        if claimed.bytes > most {
            self.stats.refused_records += 1;
            return;
        }
        let (relay, relayed) = (claimed.time.min(counted.time), claimed.bytes);
        self.credit.tabs.count(now.unix, node, Service { relay, relayed, ..Service::default() });
        self.thank(now, node);
    }

    pub(super) fn expire_credit(&mut self, now: Now) {
        self.credit.ledger.expire(now.unix);
        // Whoever did not answer for so long does not.
        self.credit.asked.clear();
        self.credit.relays.clear();
    }
}

impl Relayed {
    fn add(&mut self, more: Self) {
        self.time = self.time.saturating_add(more.time);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// Whether something was said through it: most ways are opened for a call that finds a better one.
const fn carried_talk(usage: RelayUsage) -> bool {
    let checks = CHECKS_PER_SECOND_OF_CALL * usage.seconds as u64;
    usage.bytes > CHECKS_AT_FIRST.saturating_add(checks)
}

/// Whom the relay's logs and quotas see: a name that says nothing about the asker, yet is the same each time.
pub(super) fn relay_name(client: &LinkKey) -> String {
    let blinded = Sha256::new_with_prefix("silbo relay client 1").chain_update(client.bytes()).finalize();
    HEXLOWER.encode(&blinded[..10])
}
