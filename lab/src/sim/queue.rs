//! Everything that is still to happen, in the order of time and, at one time, in the order it was scheduled.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use overlay::{
    node::{LinkId, PersistId, WorkId},
    work::Proof,
};

use super::world::HostId;

#[derive(Default)]
pub(super) struct Queue {
    steps: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
}

/// What happens to whom, in which of its lives.
pub(super) struct Scheduled {
    pub(super) at: Instant,
    nth: u64,
    pub(super) host: HostId,
    pub(super) life: u32,
    pub(super) step: Step,
}

/// What can happen to a host.
pub(super) enum Step {
    Wake,
    /// Our handshake with `server` is done.
    Opened {
        link: LinkId,
        server: HostId,
    },
    Up {
        link: LinkId,
        peer: HostId,
    },
    Down {
        link: LinkId,
    },
    Message {
        link: LinkId,
        bytes: Vec<u8>,
    },
    Worked {
        id: WorkId,
        proof: Proof,
    },
    Persisted {
        id: PersistId,
    },
}

impl Queue {
    pub(super) fn push(&mut self, at: Instant, host: HostId, life: u32, step: Step) {
        self.scheduled += 1;
        self.steps.push(Reverse(Scheduled { at, nth: self.scheduled, host, life, step }));
    }

    /// The next step, unless it comes later than `until`.
    pub(super) fn due(&mut self, until: Instant) -> Option<Scheduled> {
        self.steps.peek().filter(|Reverse(next)| next.at <= until)?;
        self.steps.pop().map(|Reverse(next)| next)
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.nth == other.nth
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
        (self.at, self.nth).cmp(&(other.at, other.nth))
    }
}
