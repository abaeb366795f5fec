//! One computer and what it knows of its links.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use overlay::{
    Identity, LinkKey,
    config::NodeConfig,
    identity::LinkSecret,
    node::{LinkId, Node},
};

use super::{
    super::{
        history::History,
        hostile::Hostile,
        queue::{Over, Step},
    },
    HostId, Liar,
    disk::Disk,
};

pub(super) struct Host {
    pub(super) state: State,
    pub(super) config: NodeConfig,
    pub(super) identity: Identity,
    pub(super) secret: LinkSecret,
    pub(super) disk: Disk,
    /// Where its links lead: to whom, and what they are called there.
    pub(super) links: BTreeMap<LinkId, (HostId, LinkId)>,
    /// Opened, and neither up nor given up; with whom it wants to speak and nobody else.
    pub(super) opening: BTreeMap<LinkId, Option<LinkKey>>,
    pub(super) inbound: u64,
    /// The earliest wake-up scheduled.
    pub(super) wake: Option<Instant>,
    pub(super) liar: Option<Box<dyn Liar>>,
    /// Links of an earlier life that others still believe in, as they are called there, and when they next say that
    /// they are there.
    pub(super) ghosts: Vec<(HostId, Over, Instant)>,
    /// How much it has ever scheduled.
    pub(super) scheduled: u32,
    pub(super) history: History,
}

#[expect(clippy::large_enum_variant, reason = "nearly all are up")]
pub(super) enum State {
    Up(Node),
    Hostile(Box<Hostile>),
    /// Switched off, or crashed; what its disk keeps of where supernodes are.
    Down {
        cache: Vec<u8>,
    },
}

impl Host {
    pub(super) fn new(config: NodeConfig, identity: Identity, secret: LinkSecret) -> Self {
        Self {
            state: State::Down { cache: Vec::new() },
            config,
            identity,
            secret,
            disk: Disk::default(),
            links: BTreeMap::new(),
            opening: BTreeMap::new(),
            inbound: 0,
            wake: None,
            liar: None,
            ghosts: Vec::new(),
            scheduled: 0,
            history: History::default(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        !matches!(self.state, State::Down { .. })
    }

    /// Whether the other side means this link: it may have lost it, and use its name again in a later life.
    pub(super) fn means(&self, over: Over) -> bool {
        self.links.get(&over.link) == Some(&(over.peer, over.far))
    }

    /// Takes a step into its history; `since` the world began.
    pub(super) fn record(&mut self, since: Duration, step: &Step) {
        let link = |link: &LinkId| match link {
            LinkId::Outbound(n) => n << 1,
            LinkId::Inbound(n) => (n << 1) | 1,
        };
        let (kind, detail, bytes): (u64, u64, &[u8]) = match step {
            Step::Wake => (0, 0, &[]),
            Step::Knock { client, .. } => (1, *client as u64, &[]),
            Step::Opened { link: id, .. } => (2, link(id), &[]),
            Step::Up(over) => (3, link(&over.link), &[]),
            Step::Down(over) => (4, link(&over.link), &[]),
            Step::Message { over, bytes } => (5, link(&over.link), bytes),
            Step::Persisted { .. } => (6, 0, &[]),
            Step::Worked { .. } => (7, 0, &[]),
            // History is what follows from them.
            Step::SwitchOn { .. } | Step::Command(_) => return,
        };
        for part in [since.as_nanos() as u64, kind, detail] {
            self.history.mix(part);
        }
        self.history.mix_all(bytes);
    }
}
