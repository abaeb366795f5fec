//! One queue of everything that must happen at a time. Nearly all timers are cancelled or put off before they come due: of
//! these a word is left in the queue, which is passed over when its turn comes, or swept out with others.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::{BuildHasherDefault, Hasher},
    time::{Duration, Instant},
};

use super::{LinkId, QueryId};

/// What can come due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// What times count from: half the room of an [`Instant`], and there may be a hundred thousand queues.
    origin: Option<Instant>,
    at: HashMap<Timer, Due, BuildHasherDefault<Multiplied>>,
    /// The first is one that is set.
    order: BinaryHeap<Reverse<(Due, Timer)>>,
}

/// Nanoseconds since the origin, or before.
type Due = i64;

/// Words left behind are swept out when there are more of them than of every second timer that is set, and than this.
const LEFT_BEHIND: usize = 32;

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        let due = self.due(at);
        if self.at.insert(timer, due) == Some(due) {
            return;
        }
        self.order.push(Reverse((due, timer)));
        self.tidy();
    }

    /// Sets it unless it comes due earlier anyway.
    pub(super) fn set_earlier(&mut self, timer: Timer, at: Instant) {
        let new = self.due(at);
        if self.at.get(&timer).is_none_or(|due| *due > new) {
            self.set(timer, at);
        }
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        if self.at.remove(&timer).is_some() {
            self.tidy();
        }
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let Reverse((due, timer)) = *self.order.peek()?;
        if due > self.due(now) {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }

    pub(super) fn next(&self) -> Option<(Instant, &'static str)> {
        let Reverse((due, timer)) = self.order.peek()?;
        let after = Duration::from_nanos(due.unsigned_abs());
        let origin = self.origin?;
        let at = if *due < 0 { origin.checked_sub(after)? } else { origin + after };
        Some((at, timer.label()))
    }

    fn due(&mut self, at: Instant) -> Due {
        let origin = *self.origin.get_or_insert(at);
        let nanos = |time: Duration| Due::try_from(time.as_nanos()).unwrap_or(Due::MAX);
        match at.checked_duration_since(origin) {
            Some(after) => nanos(after),
            None => -nanos(origin - at),
        }
    }

    fn tidy(&mut self) {
        let Self { at, order, .. } = self;
        let is_set = |Reverse((due, timer)): &Reverse<(Due, Timer)>| at.get(timer) == Some(due);
        if order.len() > at.len() + (at.len() / 2).max(LEFT_BEHIND) {
            order.retain(is_set);
            order.shrink_to(at.len() + (at.len() / 2).max(LEFT_BEHIND));
        }
        while order.peek().is_some_and(|first| !is_set(first)) {
            order.pop();
        }
    }
}

/// Hashes timers: they are named by numbers of our own, which nobody chooses for us.
#[derive(Debug, Default)]
struct Multiplied(u64);

impl Hasher for Multiplied {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u32(&mut self, part: u32) {
        self.write_u64(part.into());
    }

    fn write_u64(&mut self, part: u64) {
        // An odd number without a pattern: the upper bits, of which the map looks at the uppermost, depend on all.
        self.0 = (self.0.rotate_left(26) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_isize(&mut self, part: isize) {
        self.write_u64(part as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::origin;

    #[test]
    fn they_come_due_in_their_order_however_often_they_are_put_off() {
        let (mut timers, now) = (Timers::default(), origin());
        let after = |ms| now + Duration::from_millis(ms);
        timers.set(Timer::Dial, after(5));
        timers.set(Timer::Sweep, after(7));
        timers.set(Timer::Dial, after(9));
        timers.set_earlier(Timer::Sweep, after(8));
        timers.set(Timer::Credit, after(6));
        timers.set(Timer::Dial, after(5));
        timers.set(Timer::Dial, after(8));
        timers.cancel(Timer::Credit);
        assert_eq!(timers.next(), Some((after(7), "sweep")));
        assert_eq!(timers.pop_due(after(6)), None);
        let due: Vec<Timer> = std::iter::from_fn(|| timers.pop_due(after(10))).collect();
        assert_eq!(due, [Timer::Sweep, Timer::Dial]);
        assert!(timers.next().is_none() && !timers.is_set(Timer::Dial));
    }

    #[test]
    fn times_before_the_first_one_come_first() {
        let (mut timers, now) = (Timers::default(), origin());
        timers.set(Timer::Sweep, now + Duration::from_secs(9));
        timers.set(Timer::Dial, now + Duration::from_secs(2));
        assert_eq!(timers.next(), Some((now + Duration::from_secs(2), "dial")));
        assert_eq!(timers.pop_due(now + Duration::from_secs(5)), Some(Timer::Dial));
        assert_eq!(timers.pop_due(now + Duration::from_secs(5)), None);
        assert_eq!(timers.next(), Some((now + Duration::from_secs(9), "sweep")));
    }

    #[test]
    fn what_is_cancelled_takes_no_room_for_long() {
        let (mut timers, now) = (Timers::default(), origin());
        timers.set(Timer::Dial, now);
        for nth in 0..100_000 {
            timers.set(Timer::Request(nth), now + Duration::from_secs(8));
            timers.cancel(Timer::Request(nth));
            timers.set(Timer::Sweep, now + Duration::from_millis(nth.into()));
        }
        assert!(timers.order.len() <= 2 + LEFT_BEHIND, "{}", timers.order.len());
        assert!(timers.order.capacity() <= 4 * LEFT_BEHIND, "{}", timers.order.capacity());
        assert_eq!(timers.next(), Some((now, "dial")));
    }
}
