//! What all computers of the world see and nobody changes while time passes.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use overlay::{LinkKey, record::SupernodeRecord};
use relay::{Now, UnixTime};

use super::{super::history::finalise, HostId};

pub(super) struct Ground {
    pub(super) began: Now,
    pub(super) seed: u64,
    pub(super) places: Vec<Place>,
    pub(super) listening: BTreeMap<SocketAddr, HostId>,
    /// Computers for which it differs cannot reach each other.
    pub(super) wall: Option<fn(HostId) -> bool>,
    pub(super) conspiracy: Vec<SupernodeRecord>,
}

/// What others see of a computer.
pub(super) struct Place {
    pub(super) key: LinkKey,
    /// Counts lives, so that nothing of an earlier life reaches a later one.
    pub(super) life: u32,
}

/// One way; a round trip takes 50 to 150 ms.
const LATENCY: std::ops::Range<u64> = 25_000..75_000;

impl Ground {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            began: Now { instant: Instant::now(), unix: UnixTime::from_secs(1_800_000_000) },
            seed,
            places: Vec::new(),
            listening: BTreeMap::new(),
            wall: None,
            conspiracy: Vec::new(),
        }
    }

    /// The clock of everybody.
    pub(super) fn time(&self, at: Instant) -> Now {
        self.began.after(at.saturating_duration_since(self.began.instant))
    }

    /// One way between two computers, always the same.
    pub(super) fn latency(&self, a: HostId, b: HostId) -> Duration {
        let pair = ((a.min(b) as u64) << 32) | a.max(b) as u64;
        let mixed = finalise(pair ^ self.seed.rotate_left(17));
        Duration::from_micros(LATENCY.start + mixed % (LATENCY.end - LATENCY.start))
    }

    /// Nothing that somebody does is felt by another any sooner.
    pub(super) const fn shortest_latency() -> Duration {
        Duration::from_micros(LATENCY.start)
    }

    pub(super) fn apart(&self, a: HostId, b: HostId) -> bool {
        self.wall.is_some_and(|side| side(a) != side(b))
    }
}

/// One computer in each /24, so that caps for a prefix never decide anything here.
pub(super) fn address_of(id: HostId) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::from_bits(0x0b00_0001 + ((id as u32) << 8)).into(), 4433)
}
