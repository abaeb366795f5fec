//! How badly a leaf needs each of its homes, and what it gives up for who has none.
//!
//! ```text
//!   first home: Homeless ─another home is up, some seconds pass─▶ Spare ─make room─▶ given up
//!        ▲                                                          │ (no other home any more)
//!        └──────────────────────────────────────────────────────────┘
//! ```
//! A place is asked for as homeless by whoever has none, and is a spare as soon as another home rings the same leaf: a
//! home that was never told so would keep it from somebody whom nobody can ring.

use std::time::Duration;

use relay::Now;

use super::{LinkId, Node, Timer, ask::Purpose};
use crate::{
    record::MailboxId,
    wire::{Need, Request},
};

/// After another home is up, the ones before are told this much later, give or take: homes that come up together change
/// what is said once, and a crowd that joined together does not say it together.
const SAY_NEED: Duration = Duration::from_secs(10);

/// How long a supernode that asked us to make room is left alone, and up to half as long again.
const LEFT_ALONE: Duration = Duration::from_secs(60);

impl Node {
    /// Another home rings us.
    pub(super) fn say_needs_soon(&mut self, now: Now) {
        if self.homes_up() > 1 {
            let delay = self.jitter(SAY_NEED);
            self.timers.set_earlier(Timer::Needs, now.instant + delay);
        }
    }

    /// Tells the homes that took us as homeless that we are so no more.
    pub(super) fn say_needs(&mut self, now: Now) {
        if self.homes_up() < 2 {
            return;
        }
        let homeless = self.homes.values().filter(|home| home.is_up() && home.need == Need::Homeless);
        let links: Vec<LinkId> = homeless.map(|home| home.link).collect();
        for link in links {
            self.say_need(now, link, Need::Spare);
        }
    }

    /// A home needs our place for somebody who has none: we go if another home can ring us, and say so if not.
    pub(super) fn asked_to_make_room(&mut self, now: Now, link: LinkId, mailbox: MailboxId) {
        if !self.is_home_mailbox(link, mailbox) {
            self.stats.malformed += 1;
        } else if self.homes_up() > 1 {
            self.leave_home(now, link);
        } else {
            self.say_need(now, link, Need::Homeless);
        }
    }

    /// Gives a home up in good order; another one takes its place.
    pub(super) fn leave_home(&mut self, now: Now, link: LinkId) {
        let Some(node) = self.homes.iter().find(|(_, home)| home.link == link).map(|(node, _)| *node) else {
            return;
        };
        let pause = self.longer(LEFT_ALONE);
        self.table.busy(&node, now.instant + pause);
        self.release(now, link);
    }

    /// Another home rings us: those that stop serving are let go.
    pub(super) fn leave_leaving_homes(&mut self, now: Now) {
        let leaving: Vec<LinkId> = self.homes.values().filter(|h| !h.stays()).map(|h| h.link).collect();
        for link in leaving {
            self.leave_home(now, link);
        }
    }

    fn say_need(&mut self, now: Now, link: LinkId, need: Need) {
        let Some(home) = self.homes.values_mut().find(|home| home.link == link) else { return };
        home.need = need;
        let mailbox = home.mailbox;
        self.ask_over(now, link, Request::OpenMailbox { mailbox, need }, Purpose::OpenMailbox);
    }
}
