//! Everything that is still to happen, in the order of time and, at one time, of who scheduled it and when.
//!
//! ```text
//!   current: what happens in this slot of about a millisecond, the first one last
//!   added:   a heap of what was scheduled for it since it began
//!   soon:    a wheel of SLOTS such slots, each in no order        (messages, handshakes: nearly everything)
//!   later:   a heap of what lies beyond the wheel                 (timers)
//! ```

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use overlay::{
    node::{LinkId, Node, PersistId, WorkId},
    work::Proof,
};
use relay::Now;

use super::world::HostId;

/// See the drawing above.
pub(super) struct Queue {
    began: Instant,
    /// The slot `current` is of, or of earlier ones: what is scheduled for a slot that has begun is `added`.
    slot: u64,
    current: Vec<Scheduled>,
    added: BinaryHeap<Reverse<Scheduled>>,
    soon: Vec<Vec<Scheduled>>,
    /// How many there are in the wheel.
    turning: usize,
    later: BinaryHeap<Reverse<Scheduled>>,
}

/// What happens to whom, in which of its lives.
pub(super) struct Scheduled {
    pub(super) at: Instant,
    /// Who scheduled it (upper 32 bits), and how many they had scheduled by then.
    pub(super) order: u64,
    pub(super) host: HostId,
    pub(super) life: u32,
    pub(super) step: Step,
}

/// What can happen to a host.
pub(super) enum Step {
    Wake,
    /// A client, in this of its lives, wants a link.
    Knock {
        client: HostId,
        life: u32,
        link: LinkId,
    },
    /// Our handshake with `server` is done.
    Opened {
        link: LinkId,
        server: HostId,
        far: LinkId,
    },
    Up(Over),
    Down(Over),
    Message {
        over: Over,
        bytes: Vec<u8>,
    },
    Worked {
        id: WorkId,
        proof: Proof,
    },
    Persisted {
        id: PersistId,
    },
    /// Its owner switches it on for the first time.
    SwitchOn {
        entropy: [u8; 32],
        seeds: Vec<SocketAddr>,
    },
    /// Its owner gives it a command.
    Command(Command),
}

/// What somebody has a node do.
pub(super) type Command = Box<dyn FnOnce(&mut Node, Now) + Send>;

/// A link as whoever something happens to calls it, who is at its other end, and what it is called there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    pub(super) link: LinkId,
    pub(super) peer: HostId,
    pub(super) far: LinkId,
}

/// How long a slot is.
const SLOT: Duration = Duration::from_millis(1);

/// Slots of the wheel.
const SLOTS: usize = 1_024;

impl Queue {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            slot: 0,
            current: Vec::new(),
            added: BinaryHeap::new(),
            soon: std::iter::repeat_with(Vec::new).take(SLOTS).collect(),
            turning: 0,
            later: BinaryHeap::new(),
        }
    }

    pub(super) fn place(&mut self, scheduled: Scheduled) {
        let slot = self.slot_of(scheduled.at);
        if slot <= self.slot {
            self.added.push(Reverse(scheduled));
        } else if slot - self.slot < SLOTS as u64 {
            self.turning += 1;
            self.soon[slot as usize % SLOTS].push(scheduled);
        } else {
            self.later.push(Reverse(scheduled));
        }
    }

    fn slot_of(&self, at: Instant) -> u64 {
        (at.saturating_duration_since(self.began).as_nanos() / SLOT.as_nanos()) as u64
    }

    /// The next step, unless it comes later than `until`.
    pub(super) fn due(&mut self, until: Instant) -> Option<Scheduled> {
        self.next(until)?;
        if self.added_comes_first() { self.added.pop().map(|Reverse(next)| next) } else { self.current.pop() }
    }

    /// When it comes.
    pub(super) fn next(&mut self, until: Instant) -> Option<Instant> {
        while self.current.is_empty() && self.added.is_empty() {
            if self.slot >= self.slot_of(until) {
                return None;
            }
            self.turn(until);
        }
        let first = match self.added.peek() {
            Some(Reverse(added)) if self.added_comes_first() => Some(added),
            _ => self.current.last(),
        };
        first.map(|next| next.at).filter(|at| *at <= until)
    }

    fn added_comes_first(&self) -> bool {
        let added = self.added.peek().map(|Reverse(added)| added);
        added.is_some_and(|added| self.current.last().is_none_or(|current| added < current))
    }

    /// On to the next slot, or over all empty ones.
    fn turn(&mut self, until: Instant) {
        let first_later = self.later.peek().map(|Reverse(first)| self.slot_of(first.at));
        self.slot = match first_later {
            _ if self.turning > 0 => self.slot + 1,
            Some(first) => first.min(self.slot_of(until)),
            None => self.slot_of(until),
        };
        // Nothing is left of the last slot but its room.
        std::mem::swap(&mut self.current, &mut self.soon[self.slot as usize % SLOTS]);
        self.turning -= self.current.len();
        self.current.sort_unstable_by(|one, other| other.cmp(one));
        let end = self.slot + SLOTS as u64;
        while self.later.peek().is_some_and(|Reverse(next)| self.slot_of(next.at) < end) {
            if let Some(Reverse(next)) = self.later.pop() {
                self.place(next);
            }
        }
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake(at: Instant, host: HostId) -> Scheduled {
        Scheduled { at, order: host as u64, host, life: 0, step: Step::Wake }
    }

    #[test]
    fn what_is_near_and_what_is_far_comes_in_the_order_of_time_and_of_scheduling() {
        let began = Instant::now();
        let mut queue = Queue::new(began);
        let delays = [5, 2_000_000, 70_000, 5, 0, 1_023_999, 1_024_000, 70_001, 9_000_000, 999, 1_000];
        for (host, delay) in delays.iter().enumerate() {
            queue.place(wake(began + Duration::from_micros(*delay), host));
        }
        let (mut order, mut last) = (Vec::new(), began);
        for until in [500, 1_000, 80_000, 1_500_000, 20_000_000] {
            let until = began + Duration::from_micros(until);
            while let Some(next) = queue.due(until) {
                assert!(next.at <= until && next.at >= last);
                last = next.at;
                if next.host == 2 {
                    // Scheduled meanwhile, for now.
                    queue.place(wake(next.at, 100));
                }
                order.push(next.host);
            }
        }
        assert_eq!(order, [4, 0, 3, 9, 10, 2, 100, 7, 5, 6, 1, 8]);
        // A quiet hour is passed over at once, and what is scheduled after it still comes.
        assert!(queue.due(began + Duration::from_secs(3600)).is_none());
        queue.place(wake(began + Duration::from_secs(3600), 7));
        assert_eq!(queue.due(began + Duration::from_secs(3600)).map(|next| next.host), Some(7));
    }
}
