//! One queue of everything that must happen at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{LinkId, QueryId};

/// What can come due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Look for supernodes to dial.
    Dial,
    /// Say that we are offline.
    Offline,
    /// Count as announced although nobody confirmed.
    Announced,
    /// Publish our introduction record.
    Publish,
    /// Renew our claims.
    Renew,
    /// Tell our contacts that we are there.
    Appear,
    /// Look for our contacts.
    Look,
    /// Holders of presence records had their time.
    Gather(u64),
    /// Look our own names up.
    Watch,
    /// Put the claims we hold where they belong now.
    Replicate,
    /// Tell linked peers about supernodes newly confirmed.
    Gossip,
    /// Ask somebody for supernodes we do not know.
    Reconcile,
    /// See whether supernodes newly known should hold what is ours.
    Holders,
    /// Sign our supernode record anew.
    Reissue,
    /// Tell the application that the cache changed.
    Cache,
    /// Drop what has expired.
    Sweep,
    /// A volunteer looks around.
    Election,
    /// Count what others did for us, and thank them.
    Credit,
    /// A link that was opened for somebody else takes too long.
    Probe(LinkId),
    /// Close links nobody needs.
    Idle,
    /// A link that is being opened takes too long.
    Opening(LinkId),
    /// See whether a link still lives.
    Ping(LinkId),
    /// A request was not answered.
    Request(u32),
    /// Enough have answered a query, and the rest had its chance.
    Grace(QueryId),
    /// A query takes too long.
    Query(QueryId),
}

impl Timer {
    const fn label(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::Offline => "offline",
            Self::Announced => "announced",
            Self::Publish => "publish",
            Self::Renew => "renew",
            Self::Appear => "appear",
            Self::Look => "look",
            Self::Gather(_) => "gather",
            Self::Watch => "watch",
            Self::Replicate => "replicate",
            Self::Gossip => "gossip",
            Self::Reconcile => "reconcile",
            Self::Holders => "holders",
            Self::Reissue => "reissue",
            Self::Cache => "cache",
            Self::Credit => "credit",
            Self::Sweep => "sweep",
            Self::Election => "election",
            Self::Probe(_) => "probe",
            Self::Idle => "idle",
            Self::Opening(_) => "opening",
            Self::Ping(_) => "ping",
            Self::Request(_) => "request",
            Self::Grace(_) => "grace",
            Self::Query(_) => "query",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    at: BTreeMap<Timer, Instant>,
    order: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        match self.at.insert(timer, at) {
            Some(due) if due == at => return,
            Some(due) => self.order.remove(&(due, timer)),
            None => false,
        };
        self.order.insert((at, timer));
    }

    /// Sets it unless it comes due earlier anyway.
    pub(super) fn set_earlier(&mut self, timer: Timer, at: Instant) {
        if self.at.get(&timer).is_none_or(|due| *due > at) {
            self.set(timer, at);
        }
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }

    pub(super) fn next(&self) -> Option<(Instant, &'static str)> {
        self.order.first().map(|(at, timer)| (*at, timer.label()))
    }
}
