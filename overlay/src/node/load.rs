//! Load: a supernode never leaves because of it. It says how full it is, asks those it has no room for to come back
//! later, and keeps what is scarce for what is urgent; leaves draw lots, and ask later whoever is fuller than most.
//!
//! ```text
//!   places    0 ........ most ........ 15/16 ...... 16/16
//!             anybody, by lot | asked after them | homeless only, and for each of them a spare is asked to make room
//!             who has helped us (see `credit`) waits less than others with the same need, never in place of more need
//!   messages  all ─▶ no puts ─▶ no reads ─▶ no new homes ─▶ ringing and answers only        (as its budget runs out)
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::{Duration, Instant},
};

use rand::{RngExt as _, seq::SliceRandom as _};
use relay::Now;

use super::{
    LinkId, Node, Timer,
    credit::Standing,
    links::{Link, LinkState},
};
use crate::{
    config::Role,
    identity::LinkKey,
    record::MailboxId,
    wire::{Alive, Later, Load, Message, Need, Request, Response},
};

/// What we know about how full supernodes are, and what we refused for being full ourselves.
#[derive(Debug, Default)]
pub(super) struct Loads {
    /// What supernodes said of themselves and of those around them, dropped with their last link.
    heard: BTreeMap<LinkKey, Heard>,
    /// Mailboxes here of leaves that have another home, and were not asked to make room yet.
    spares: BTreeSet<MailboxId>,
    /// The same of leaves that have helped us: asked last.
    spares_of_helpers: BTreeSet<MailboxId>,
    /// Helpers that wait for the next place.
    waiting: BTreeMap<LinkKey, Waiting>,
    refused: Refused,
}

/// A helper that was turned away and comes again soon.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    need: Need,
    until: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    load: Load,
    around: Option<Load>,
}

/// Leaves turned away lately.
#[derive(Debug, Default)]
struct Refused {
    since: Option<Instant>,
    count: u32,
}

/// One of so many places is kept for leaves without any home.
const KEPT_FOR_HOMELESS: usize = 16;

/// How long a leaf turned away is asked to wait when it was the only one.
const WAIT_HOMELESS: Duration = Duration::from_secs(4);
const WAIT_SPARE: Duration = Duration::from_secs(30);

/// A helper turned away is asked to wait this long, however many others are; for the time it may take to come again, the
/// next place is kept from those who need one no more than it does.
const WAIT_HELPER: Duration = Duration::from_secs(1);
const KEPT_FOR_HELPER: Duration = Duration::from_secs(4);

/// The budget of messages lets helpers go so much deeper into what is kept.
pub(super) const KEPT_LESS_FROM_HELPERS: u64 = 2;

/// Leaves turned away are counted over this time.
const REFUSED_WINDOW: Duration = Duration::from_secs(10);

/// In that time, asks of one in so many places are welcome; more make all of them wait longer.
const WELCOME_ASKS: usize = 50;

/// How long a request that exceeds the budget of messages is asked to wait.
const WAIT_MESSAGES: Duration = Duration::from_secs(2);

/// How long a leaf waits for those it is dialling before it draws one: whoever answers first may be whoever wants to be
/// asked.
const CHOICE_PATIENCE: Duration = Duration::from_secs(1);
const CHOICE_PATIENCE_HOMELESS: Duration = Duration::from_millis(400);

/// How long it waits for those it is dialling over IPv6 before anybody has answered over IPv6: many have addresses and a
/// route, and nothing gets through.
const CHOICE_PATIENCE_UNPROVEN: Duration = Duration::from_millis(100);

/// A supernode asks one of those it is linked to how full it is about so often, each of them in turn, but none more often
/// or more seldom than this. Whether they live it leaves to the transport's keep-alive, as a leaf does, and asks only
/// when an answer does not come.
const ASK_SOMEBODY: Duration = Duration::from_secs(5);
const ASK_SOONEST: Duration = Duration::from_secs(30);
const ASK_LATEST: Duration = Duration::from_secs(300);

/// Whoever is fuller than half, and than most of those heard, by so many percent, is asked after them.
const CROWDED: u8 = 10;

/// The share of the budget of messages, in percent, that is kept for what is more urgent than this.
pub(super) fn kept_from(message: &Message) -> u64 {
    let Message::Request { body, .. } = message else {
        return match message {
            // Gossip is told again by others.
            Message::Supernodes(_) => 50,
            _ => 0,
        };
    };
    match body {
        // Somebody's telephone rings, or somebody asks whether we live.
        Request::Deliver { .. } | Request::Introduce { .. } | Request::Ping => 0,
        Request::OpenMailbox { need: Need::Homeless, .. } | Request::ShowCredit(_) => 5,
        Request::OpenMailbox { need: Need::Spare, .. } => 25,
        // Whoever puts something tries again, and there are other holders.
        Request::PutClaim(_)
        | Request::PutIntroduction(_)
        | Request::Leave { .. }
        | Request::PutPresence(_)
        | Request::SpreadPresence(_)
        | Request::Reconcile(_) => 50,
        Request::DialBack(_) | Request::DialBackFor(_) => 50,
        _ => 25,
    }
}

impl Loads {
    /// A supernode told how full it is.
    pub(super) fn heard(&mut self, node: LinkKey, load: Load, around: Option<Load>) {
        let before = self.heard.get(&node).and_then(|heard| heard.around);
        self.heard.insert(node, Heard { load, around: around.or(before) });
    }

    /// The last link to it is gone.
    pub(super) fn forget(&mut self, node: &LinkKey) {
        self.heard.remove(node);
    }

    /// When to ask a supernode again.
    fn ask_after(&self) -> Duration {
        let known = u32::try_from(self.heard.len()).unwrap_or(u32::MAX);
        ASK_SOMEBODY.saturating_mul(known).clamp(ASK_SOONEST, ASK_LATEST)
    }

    /// How full it is; whoever said nothing counts as running as it is meant to.
    pub(super) fn of(&self, node: &LinkKey) -> Load {
        self.heard.get(node).map_or(Load::HALF, |heard| heard.load)
    }

    /// The mean of what supernodes say of themselves: a few that lie move it a little.
    pub(super) fn mean(&self) -> Option<Load> {
        let count = u32::try_from(self.heard.len()).ok().filter(|count| *count > 0)?;
        let sum: u32 = self.heard.values().map(|heard| u32::from(heard.load.as_percent())).sum();
        u8::try_from(sum / count).ok().map(Load::percent)
    }

    /// How full the supernodes of our region are: the median of what several say of those around them.
    pub(super) fn region(&self) -> Option<Load> {
        let mut said: Vec<Load> = self.heard.values().map(|h| h.around.unwrap_or(h.load)).collect();
        said.sort_unstable();
        said.get(said.len().checked_sub(1)? / 2).copied()
    }

    /// How crowded a supernode is: not at all, or by how much more than is usual. To be emptier than others is no
    /// merit: whoever lies about it is drawn no more often than chance draws.
    fn crowding(&self, node: &LinkKey) -> u8 {
        let mut said: Vec<Load> = self.heard.values().map(|heard| heard.load).collect();
        said.sort_unstable();
        let usual = said.get(said.len() / 2).copied().unwrap_or_default().max(Load::HALF);
        let more = self.of(node).as_percent().saturating_sub(usual.as_percent());
        if more >= CROWDED { more } else { 0 }
    }

    /// A mailbox is gone.
    pub(super) fn mailbox_closed(&mut self, mailbox: &MailboxId) {
        self.spares.remove(mailbox);
        self.spares_of_helpers.remove(mailbox);
    }

    /// A leaf keeps a mailbox here, and needs it so badly.
    fn keep(&mut self, mailbox: MailboxId, need: Need, standing: Standing) {
        self.mailbox_closed(&mailbox);
        match (need, standing) {
            (Need::Homeless, _) => false,
            (Need::Spare, Standing::Helper) => self.spares_of_helpers.insert(mailbox),
            (Need::Spare, Standing::Anybody | Standing::Shown) => self.spares.insert(mailbox),
        };
    }

    /// The spare at or after a random mailbox number; it is not asked twice. Those of helpers go for the homeless only,
    /// and last.
    fn take_spare(&mut self, from: MailboxId, need: Need) -> Option<MailboxId> {
        let spares = match need {
            Need::Homeless if self.spares.is_empty() => &mut self.spares_of_helpers,
            Need::Homeless | Need::Spare => &mut self.spares,
        };
        let after = spares.range((Bound::Included(from), Bound::Unbounded)).next();
        let spare = after.or_else(|| spares.first()).copied()?;
        spares.remove(&spare);
        Some(spare)
    }

    /// Helpers who wait and come before somebody with this need and standing.
    fn before(&mut self, now: Instant, need: Need, standing: Standing) -> usize {
        self.waiting.retain(|_, waiting| waiting.until > now);
        let comes_before = |waiting: &&Waiting| match (need, standing) {
            (Need::Homeless, Standing::Helper) => false,
            (Need::Homeless, _) | (Need::Spare, Standing::Helper) => waiting.need == Need::Homeless,
            (Need::Spare, _) => true,
        };
        self.waiting.values().filter(comes_before).count()
    }
}

impl Refused {
    /// Counts one more; the more there are, the longer each has to wait, so that asks stay below what is welcome.
    fn wait(&mut self, now: Instant, base: Duration, places: usize) -> Duration {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) > REFUSED_WINDOW) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        let welcome = u32::try_from(places / WELCOME_ASKS).unwrap_or(u32::MAX).max(2);
        base.saturating_mul(1 + self.count / welcome)
    }
}

impl Node {
    /// How full this supernode is: of places, or of messages it can handle.
    pub(super) fn own_load(&self) -> Load {
        let Some(supernode) = &self.config.supernode else { return Load::default() };
        // One of the mailboxes is our own.
        let places = Load::of(self.mailboxes.len().saturating_sub(1), supernode.max_leaves);
        places.max(Load::percent(self.total.used_percent()))
    }

    /// Whoever serves keeps asking how full its peers are.
    pub(super) fn ask_load_later(&mut self, now: Now, link: LinkId) {
        if self.is_supernode() {
            let wait = self.jitter(self.loads.ask_after());
            self.timers.set(Timer::Ping(link), now.instant + wait);
        }
    }

    /// The answer to a ping.
    pub(super) fn alive(&self) -> Response {
        Response::Alive(Alive { load: self.own_load(), around: self.loads.mean() })
    }

    /// Whether a leaf finds a place. The last places are kept for leaves that nobody else can ring: a crowd that
    /// refills its spares must not keep them out; and when one of them takes such a place, a spare is asked to go.
    pub(super) fn open_place(
        &mut self,
        now: Now,
        id: LinkId,
        mailbox: MailboxId,
        need: Need,
    ) -> Option<Response> {
        let places = self.config.supernode.as_ref().map_or(0, |s| s.max_leaves);
        let for_anybody = places - places / KEPT_FOR_HOMELESS;
        let most = match need {
            Need::Homeless => places,
            Need::Spare => for_anybody,
        };
        let taken = self.mailboxes.len().saturating_sub(1);
        let standing = self.standing(id);
        if (need == Need::Homeless || standing == Standing::Helper) && taken >= for_anybody {
            self.ask_spare_to_go(need);
        }
        let before = self.loads.before(now.instant, need, standing);
        if taken + before >= most || self.is_draining() {
            return Some(self.come_later(now, id, need));
        }
        self.loads.keep(mailbox, need, standing);
        if let Some(peer) = self.links.get(&id).and_then(|link| link.peer) {
            self.loads.waiting.remove(&peer);
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.mailboxes.push(mailbox);
        }
        None
    }

    /// A leaf that is here already says how badly it needs to be.
    pub(super) fn keep_place(&mut self, id: LinkId, mailbox: MailboxId, need: Need) {
        let standing = self.standing(id);
        self.loads.keep(mailbox, need, standing);
    }

    fn ask_spare_to_go(&mut self, need: Need) {
        let from = MailboxId::from_bytes(self.rng.random());
        if let Some(mailbox) = self.loads.take_spare(from, need)
            && let Some(super::serve::MailboxOwner::Link(link)) = self.mailboxes.get(&mailbox).copied()
        {
            self.stats.spares_shed += 1;
            self.transmit(link, &Message::MakeRoom(mailbox));
        }
    }

    fn come_later(&mut self, now: Now, id: LinkId, need: Need) -> Response {
        self.stats.limited += 1;
        let peer = self.links.get(&id).filter(|link| link.standing == Standing::Helper);
        if let Some(helper) = peer.and_then(|link| link.peer) {
            self.wait_for_next_place(now, helper, need);
            return Response::Later(Later::after(WAIT_HELPER, self.own_load()));
        }
        let places = self.config.supernode.as_ref().map_or(0, |s| s.max_leaves);
        let base = match need {
            Need::Homeless => WAIT_HOMELESS,
            Need::Spare => WAIT_SPARE,
        };
        let wait = self.loads.refused.wait(now.instant, base, places);
        Response::Later(Later::after(wait, self.own_load()))
    }

    /// As many helpers can wait as places are kept for the homeless; further ones just come again.
    fn wait_for_next_place(&mut self, now: Now, helper: LinkKey, need: Need) {
        let places = self.config.supernode.as_ref().map_or(0, |s| s.max_leaves);
        if self.loads.waiting.len() < places / KEPT_FOR_HOMELESS || self.loads.waiting.contains_key(&helper) {
            self.loads.waiting.insert(helper, Waiting { need, until: now.instant + KEPT_FOR_HELPER });
        }
    }

    /// The answer to a request for which the budget of messages does not suffice.
    pub(super) fn too_many_messages(&self) -> Response {
        Response::Later(Later::after(WAIT_MESSAGES, self.own_load()))
    }

    /// Ready supernodes that may become homes: by lot, the crowded ones last.
    pub(super) fn ready_by_lot(&mut self) -> Vec<(LinkId, LinkKey)> {
        let ready = self.links.iter().filter(|(_, link)| link.state == LinkState::Ready(Role::Supernode));
        let mut ready: Vec<(LinkId, LinkKey)> =
            ready.filter_map(|(id, link)| Some((*id, link.peer?))).collect();
        ready.shuffle(&mut self.rng);
        ready.sort_by_cached_key(|(_, node)| self.loads.crowding(node));
        ready
    }

    /// When homes are drawn: once nobody is being dialled any more, or those that are had their time since the first of
    /// the candidates was dialled.
    pub(super) fn draw_at(&self, now: Now) -> Option<Instant> {
        let mut opening = self.links.values().filter(|link| !link.is_ready()).peekable();
        opening.peek()?;
        let is_unproven = self.is_unproven();
        let all_unproven = opening.all(|link| is_unproven(link));
        let candidates = self.links.iter().filter(|(id, link)| link.is_ready() && !self.is_home(**id));
        let first = candidates.map(|(_, link)| link.opened).min()?;
        let patience = if self.homes_up() == 0 { CHOICE_PATIENCE_HOMELESS } else { CHOICE_PATIENCE };
        let patience = if all_unproven { patience.min(CHOICE_PATIENCE_UNPROVEN) } else { patience };
        Some(first + patience).filter(|until| *until > now.instant)
    }

    /// Whether somebody is being dialled who may well answer yet.
    pub(super) fn is_dialling(&self, now: Now) -> bool {
        let is_unproven = self.is_unproven();
        let mut opening = self.links.values().filter(|link| !link.is_ready());
        opening.any(|link| !is_unproven(link) || now.instant < link.opened + CHOICE_PATIENCE_UNPROVEN)
    }

    /// Whether a link goes over IPv6, and none that did is up.
    fn is_unproven(&self) -> impl Fn(&Link) -> bool {
        let is_v6 = |link: &Link| link.address.ip().to_canonical().is_ipv6();
        let proven = self.links.values().any(|link| link.is_ready() && is_v6(link));
        move |link| !proven && is_v6(link)
    }

    /// A home needs our place for somebody who has none: we go if another home can ring us, and say so if not.
    pub(super) fn asked_to_make_room(&mut self, now: Now, link: LinkId, mailbox: MailboxId) {
        if !self.is_home_mailbox(link, mailbox) {
            self.stats.malformed += 1;
        } else if self.homes_up() > 1 {
            self.leave_home(now, link);
        } else {
            let need = Need::Homeless;
            self.ask_over(
                now,
                link,
                Request::OpenMailbox { mailbox, need },
                super::ask::Purpose::OpenMailbox,
            );
        }
    }

    /// How long a leaf leaves a supernode alone that asked for it: never shorter, and not together with the others.
    pub(super) fn longer(&mut self, wait: Duration) -> Duration {
        wait.mul_f64(self.rng.random_range(1.0..1.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> LinkKey {
        crate::identity::LinkSecret::from_secret([n; 32]).public_key()
    }

    #[test]
    fn the_mean_of_many_hardly_moves_with_a_few_that_lie() {
        let mut loads = Loads::default();
        assert_eq!(loads.mean(), None);
        for n in 0..18 {
            loads.heard(key(n), Load::percent(50), None);
        }
        for n in 18..20 {
            loads.heard(key(n), Load::FULL, Some(Load::FULL));
        }
        assert_eq!(loads.mean(), Some(Load::percent(55)));
        loads.forget(&key(19));
        assert_eq!(loads.of(&key(19)), Load::HALF);
    }

    #[test]
    fn the_more_supernodes_there_are_the_more_seldom_each_is_asked_how_full_it_is() {
        let mut loads = Loads::default();
        let mut waits = Vec::new();
        for n in 0..100 {
            loads.heard(key(n), Load::HALF, None);
            waits.push(loads.ask_after().as_secs());
        }
        assert_eq!([0, 5, 9, 39, 59, 99].map(|n| waits[n]), [30, 30, 50, 200, 300, 300]);
    }

    #[test]
    fn whoever_says_that_it_is_empty_is_no_better_than_most_and_the_crowded_come_last() {
        let mut loads = Loads::default();
        for n in 0..9 {
            loads.heard(key(n), Load::percent(70 + n), None);
        }
        loads.heard(key(9), Load::percent(0), None);
        loads.heard(key(10), Load::percent(95), None);
        assert_eq!([0, 4, 8, 9].map(|n| loads.crowding(&key(n))), [0; 4]);
        assert!(loads.crowding(&key(10)) > 0);
        // Below half nobody is crowded, however empty the others are.
        let mut empty = Loads::default();
        (0..5).for_each(|n| empty.heard(key(n), Load::percent(n * 10), None));
        assert_eq!([0, 1, 2, 3, 4].map(|n| empty.crowding(&key(n))), [0; 5]);
    }

    #[test]
    fn the_more_are_turned_away_the_longer_they_wait_until_it_is_quiet_again() {
        let (mut refused, start) = (Refused::default(), crate::sim::origin());
        let waits: Vec<u64> =
            (0..7).map(|_| refused.wait(start, Duration::from_secs(4), 100).as_secs()).collect();
        assert_eq!(waits, [4, 8, 8, 12, 12, 16, 16]);
        let later = start + REFUSED_WINDOW * 2;
        assert_eq!(refused.wait(later, Duration::from_secs(4), 100).as_secs(), 4);
    }

    #[test]
    fn a_spare_is_asked_to_go_once_and_not_at_all_when_it_became_the_only_home() {
        let mut loads = Loads::default();
        let mailbox = |n| MailboxId::from_bytes([n; 32]);
        loads.keep(mailbox(1), Need::Spare, Standing::Anybody);
        loads.keep(mailbox(2), Need::Spare, Standing::Anybody);
        loads.keep(mailbox(2), Need::Homeless, Standing::Anybody);
        assert_eq!(loads.take_spare(mailbox(2), Need::Homeless), Some(mailbox(1)));
        assert_eq!(loads.take_spare(mailbox(0), Need::Homeless), None);
    }

    #[test]
    fn a_spare_of_a_helper_goes_last_and_only_for_somebody_without_a_home() {
        let mut loads = Loads::default();
        let mailbox = |n| MailboxId::from_bytes([n; 32]);
        loads.keep(mailbox(1), Need::Spare, Standing::Helper);
        loads.keep(mailbox(2), Need::Spare, Standing::Anybody);
        assert_eq!(loads.take_spare(mailbox(0), Need::Homeless), Some(mailbox(2)));
        assert_eq!(loads.take_spare(mailbox(0), Need::Spare), None);
        assert_eq!(loads.take_spare(mailbox(0), Need::Homeless), Some(mailbox(1)));
    }

    #[test]
    fn a_waiting_helper_comes_before_others_with_its_need_and_never_before_more_need() {
        let (mut loads, now) = (Loads::default(), crate::sim::origin());
        let until = now + KEPT_FOR_HELPER;
        loads.waiting.insert(key(1), Waiting { need: Need::Spare, until });
        loads.waiting.insert(key(2), Waiting { need: Need::Homeless, until });
        let mut before = |at, need, standing| loads.before(at, need, standing);
        assert_eq!(before(now, Need::Homeless, Standing::Anybody), 1);
        assert_eq!(before(now, Need::Spare, Standing::Anybody), 2);
        assert_eq!(before(now, Need::Homeless, Standing::Helper), 0);
        assert_eq!(before(now, Need::Spare, Standing::Helper), 1);
        assert_eq!(before(until, Need::Spare, Standing::Anybody), 0, "and not for long");
    }
}
