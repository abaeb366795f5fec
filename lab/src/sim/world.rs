//! The network: hosts, links and virtual time.

mod conspiracy;
mod disk;
mod liars;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use overlay::{
    FoundClaim, Identity, LinkKey, PublicKey, Status, Username,
    config::NodeConfig,
    identity::LinkSecret,
    node::{Answer, Effect, LinkId, Node, NodeEvent, QueryId},
    outcome::{Carrier, Ends},
    record::SupernodeRecord,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use relay::{Now, UnixTime};

use super::{
    history::{History, finalise},
    hostile::Hostile,
    queue::{Queue, Scheduled, Step},
};

pub(super) use self::liars::Liar;
use self::{disk::Disk, liars::Way};

/// The whole network.
pub struct World {
    now: Now,
    began: Instant,
    seed: u64,
    rng: StdRng,
    queue: Queue,
    hosts: Vec<Host>,
    listening: BTreeMap<SocketAddr, HostId>,
    reports: Vec<Reported>,
    history: History,
    steps: u64,
    traffic: Traffic,
    /// Computers for which it differs cannot reach each other.
    wall: Option<fn(HostId) -> bool>,
    conspiracy: Vec<SupernodeRecord>,
}

/// Names a computer of the world.
pub type HostId = usize;

/// What an application would have been told.
#[derive(Debug)]
pub struct Reported {
    /// On which computer.
    pub host: HostId,
    /// When.
    pub at: Instant,
    /// What.
    pub report: Told,
}

/// See [`Reported`].
#[derive(Debug)]
pub enum Told {
    /// A lookup has its first verified claim.
    First(QueryId, FoundClaim),
    /// A command is done.
    Answer(QueryId, Answer),
    /// An envelope came.
    Envelope(PublicKey, Vec<u8>),
    /// Somebody else has a claim to this name of ours.
    Contested(Username, PublicKey),
}

/// What went over all links so far.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Traffic {
    /// Links opened.
    pub links: u64,
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

struct Host {
    state: State,
    config: NodeConfig,
    identity: Identity,
    secret: LinkSecret,
    key: LinkKey,
    address: SocketAddr,
    disk: Disk,
    /// Counts lives, so that nothing of an earlier life reaches a later one.
    life: u32,
    links: BTreeMap<LinkId, (HostId, LinkId)>,
    /// Opened, and neither up nor given up.
    opening: BTreeSet<LinkId>,
    inbound: u64,
    /// The earliest wake-up scheduled.
    wake: Option<Instant>,
    liar: Option<Box<dyn Liar>>,
    /// Ends of links of an earlier life that others still believe in, and when they next say that they are there.
    ghosts: Vec<(HostId, LinkId, Instant)>,
}

#[expect(clippy::large_enum_variant, reason = "nearly all are up")]
enum State {
    Up(Node),
    Hostile(Box<Hostile>),
    /// Switched off, or crashed; what its disk keeps of where supernodes are.
    Down {
        cache: Vec<u8>,
    },
}

/// The transport says so often that it is there, and gives a peer up that was silent so long since.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

const DISK: Duration = Duration::from_millis(5);

/// What the lab's small proof of work takes.
const WORK: Duration = Duration::from_millis(20);

/// Steps of a search before it is given up.
const WORK_ATTEMPTS: u32 = 1_000;

/// One way; a round trip takes 50 to 150 ms.
const LATENCY: std::ops::Range<u64> = 25_000..75_000;

impl World {
    /// Nobody there yet.
    pub fn new(seed: u64) -> Self {
        let now = Now { instant: Instant::now(), unix: UnixTime::from_secs(1_800_000_000) };
        Self {
            now,
            began: now.instant,
            seed,
            rng: StdRng::seed_from_u64(seed),
            queue: Queue::new(now.instant),
            hosts: Vec::new(),
            listening: BTreeMap::new(),
            reports: Vec::new(),
            history: History::default(),
            steps: 0,
            traffic: Traffic::default(),
            wall: None,
            conspiracy: Vec::new(),
        }
    }

    /// Adds a computer that knows these addresses and switches it on. `config` is told its address.
    pub fn add(&mut self, config: impl FnOnce(SocketAddr) -> NodeConfig, seeds: &[SocketAddr]) -> HostId {
        let secret = LinkSecret::from_secret(self.rng.random());
        let config = config(address_of(self.hosts.len()));
        let serves = config.supernode.is_some() || config.volunteer.is_some();
        let id = self.new_host(config, secret);
        if serves {
            self.listening.insert(self.hosts[id].address, id);
        }
        self.switch_on(id, seeds);
        id
    }

    fn new_host(&mut self, config: NodeConfig, secret: LinkSecret) -> HostId {
        let id = self.hosts.len();
        let identity = Identity::from_secret(self.rng.random());
        self.hosts.push(Host {
            state: State::Down { cache: Vec::new() },
            config,
            identity,
            key: secret.public_key(),
            secret,
            address: address_of(id),
            disk: Disk::default(),
            life: 0,
            links: BTreeMap::new(),
            opening: BTreeSet::new(),
            inbound: 0,
            wake: None,
            liar: None,
            ghosts: Vec::new(),
        });
        id
    }

    /// Switches a computer on (again): it has its keys, its claims and its cache.
    pub fn switch_on(&mut self, id: HostId, seeds: &[SocketAddr]) {
        let entropy = self.rng.random();
        let now = self.now;
        let fresh = self.rng.random();
        let host = &mut self.hosts[id];
        let State::Down { cache } = &host.state else { return };
        let keeps_key = host.config.supernode.is_some() || host.config.volunteer.is_some();
        if !keeps_key && host.life > 0 {
            // A leaf process has a new link key each time.
            host.secret = LinkSecret::from_secret(fresh);
            host.key = host.secret.public_key();
        }
        let identity = host.identity.clone();
        let mut node = Node::new(host.config.clone(), identity, host.secret.clone(), cache, entropy, now);
        node.restore_claims(now, host.disk.claims());
        node.add_seeds(now, seeds.iter().copied());
        host.state = State::Up(node);
        self.answer_ghosts(id);
        self.pump(id);
    }

    /// Whoever still believes in a link of an earlier life is told at its next keep-alive, by a stateless reset; leaves
    /// come back with another key, and their homes wait in vain.
    fn answer_ghosts(&mut self, id: HostId) {
        let listens = self.hosts[id].config.supernode.is_some();
        for (peer, link, mut asks) in std::mem::take(&mut self.hosts[id].ghosts) {
            while asks <= self.now.instant {
                asks += KEEP_ALIVE;
            }
            if listens && self.hosts[peer].links.contains_key(&link) {
                let told = asks - self.now.instant + self.latency(id, peer) * 2;
                self.later(told, peer, Step::Down { link });
            }
        }
    }

    /// Power cut: it falls silent, and the others find out as they would.
    pub fn crash(&mut self, id: HostId) {
        let cache = match &self.hosts[id].state {
            State::Up(node) => node.cache(),
            State::Hostile(_) | State::Down { .. } => return,
        };
        self.vanish(id, cache);
    }

    /// Switched off by its owner: it says goodbye first.
    pub fn switch_off(&mut self, id: HostId) {
        let now = self.now;
        self.with(id, |node, _| node.shutdown(now));
        self.crash(id);
    }

    fn vanish(&mut self, id: HostId, cache: Vec<u8>) {
        let host = &mut self.hosts[id];
        host.state = State::Down { cache };
        host.life += 1;
        host.wake = None;
        host.opening.clear();
        for (peer, link) in std::mem::take(&mut host.links).into_values() {
            // The first keep-alive without an answer starts the time that ends the link (RFC 9000 §10.1).
            let asks = KEEP_ALIVE.mul_f64(self.rng.random());
            self.later(asks + IDLE_TIMEOUT, peer, Step::Down { link });
            self.hosts[id].ghosts.push((peer, link, self.now.instant + asks));
        }
    }

    /// How many computers there are; each is named by a number below.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Whether a computer is on.
    pub fn is_up(&self, id: HostId) -> bool {
        !matches!(self.hosts[id].state, State::Down { .. })
    }

    /// Where a computer is.
    pub fn address(&self, id: HostId) -> SocketAddr {
        self.hosts[id].address
    }

    /// The person at a computer.
    pub fn person(&self, id: HostId) -> PublicKey {
        self.hosts[id].identity.public_key()
    }

    /// How a node is, if it is on.
    pub fn status(&self, id: HostId) -> Option<Status> {
        match &self.hosts[id].state {
            State::Up(node) => Some(node.status()),
            State::Hostile(_) | State::Down { .. } => None,
        }
    }

    /// The homes that can really ring a leaf, if it is on: what it believes, without those that crashed or dropped its
    /// link and of which it does not know yet.
    pub fn homes(&self, id: HostId) -> Option<usize> {
        let State::Up(node) = &self.hosts[id].state else { return None };
        Some(node.home_links().filter(|link| self.far_end(id, *link).is_some()).count())
    }

    /// Gives a node that is on a command.
    pub fn with<T>(&mut self, id: HostId, act: impl FnOnce(&mut Node, Now) -> T) -> Option<T> {
        let now = self.now;
        let State::Up(node) = &mut self.hosts[id].state else { return None };
        let result = act(node, now);
        self.pump(id);
        Some(result)
    }

    /// What applications were told since the last time.
    pub fn reports(&mut self) -> Vec<Reported> {
        std::mem::take(&mut self.reports)
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.now.instant
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now.instant - self.began
    }

    /// What went over links.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A hash over everything that happened and when.
    pub fn history(&self) -> String {
        self.history.to_string()
    }

    /// Randomness of the scenario.
    pub fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        self.run_until(self.now.instant + time);
    }

    /// Lets time pass.
    pub fn run_until(&mut self, until: Instant) {
        while let Some(next) = self.queue.due(until) {
            self.step(next);
        }
        self.advance(until);
    }

    fn advance(&mut self, to: Instant) {
        self.now = self.now.after(to.saturating_duration_since(self.now.instant));
    }

    fn step(&mut self, Scheduled { at, host, life, step, .. }: Scheduled) {
        self.advance(at);
        if self.hosts[host].life != life {
            return;
        }
        if matches!(step, Step::Wake) && !self.wakes(host, at) {
            return;
        }
        self.record(at, host, &step);
        let now = self.now;
        if matches!(self.hosts[host].state, State::Hostile(_)) {
            return self.step_of_hostile(host, step);
        }
        match step {
            Step::Wake => self.alive(host, |node| node.handle_timeout(now)),
            Step::Opened { link, server } => self.opened(host, link, server),
            Step::Up { link, peer } => {
                let (key, address) = (self.hosts[peer].key, self.hosts[peer].address);
                self.alive(host, |node| {
                    node.handle_link_up(
                        now,
                        link,
                        Ends { peer: key, remote: address, carrier: Carrier::Quic },
                    )
                });
            }
            Step::Down { link } => {
                self.hosts[host].opening.remove(&link);
                self.hosts[host].links.remove(&link);
                self.alive(host, |node| node.handle_link_down(now, link));
            }
            Step::Message { link, bytes } => {
                if let Some((peer, _)) = self.hosts[host].links.get(&link).copied()
                    && let Some(bytes) = self.distorted(host, peer, bytes, Way::In)
                {
                    self.alive(host, |node| node.handle_message(now, link, &bytes));
                }
            }
            Step::Worked { id, proof } => self.alive(host, |node| node.handle_work_done(now, id, proof)),
            Step::Persisted { id } => self.alive(host, |node| node.handle_persisted(now, id)),
        }
    }

    fn transmit(&mut self, id: HostId, link: LinkId, bytes: Vec<u8>) {
        if let Some((peer, far)) = self.far_end(id, link) {
            self.traffic.messages += 1;
            self.traffic.bytes += bytes.len() as u64;
            let delay = self.latency(id, peer);
            if let Some(bytes) = self.distorted(id, peer, bytes, Way::Out)
                && !self.apart(id, peer)
            {
                self.later(delay, peer, Step::Message { link: far, bytes });
            }
        }
    }

    /// Whether anything is due: what was scheduled may have been put off since.
    fn wakes(&mut self, id: HostId, at: Instant) -> bool {
        let host = &mut self.hosts[id];
        if host.wake != Some(at) {
            return false;
        }
        host.wake = None;
        let due = match &host.state {
            State::Up(node) => node.poll_timeout().map(|(due, _)| due),
            State::Hostile(_) | State::Down { .. } => None,
        };
        match due {
            Some(due) if due <= at => true,
            Some(due) => {
                host.wake = Some(due);
                self.later(due - at, id, Step::Wake);
                false
            }
            None => false,
        }
    }

    fn record(&mut self, at: Instant, host: HostId, step: &Step) {
        self.steps += 1;
        let since = at.duration_since(self.began).as_nanos() as u64;
        let link = |link: &LinkId| match link {
            LinkId::Outbound(n) => n << 1,
            LinkId::Inbound(n) => (n << 1) | 1,
        };
        let (kind, detail, bytes): (u8, u64, &[u8]) = match step {
            Step::Wake => (0, 0, &[]),
            Step::Opened { link: id, .. } => (1, link(id), &[]),
            Step::Up { link: id, .. } => (2, link(id), &[]),
            Step::Down { link: id } => (3, link(id), &[]),
            Step::Message { link: id, bytes } => (4, link(id), bytes),
            Step::Persisted { .. } => (5, 0, &[]),
            Step::Worked { .. } => (6, 0, &[]),
        };
        for part in [since, host as u64, kind.into(), detail] {
            self.history.mix(part);
        }
        self.history.mix_all(bytes);
    }

    fn opened(&mut self, client: HostId, link: LinkId, server: HostId) {
        // A crashed server does not answer; a client may have given up.
        if self.apart(client, server) || !self.is_up(server) || !self.hosts[client].opening.remove(&link) {
            return;
        }
        self.traffic.links += 1;
        self.hosts[server].inbound += 1;
        let far = LinkId::Inbound(self.hosts[server].inbound);
        self.hosts[client].links.insert(link, (server, far));
        self.hosts[server].links.insert(far, (client, link));
        let delay = self.latency(client, server);
        self.later(delay, server, Step::Up { link: far, peer: client });
        self.greet_falsely(client, link, server);
        let (now, key, address) = (self.now, self.hosts[server].key, self.hosts[server].address);
        self.alive(client, |node| {
            node.handle_link_up(now, link, Ends { peer: key, remote: address, carrier: Carrier::Quic })
        });
    }

    fn alive(&mut self, id: HostId, act: impl FnOnce(&mut Node)) {
        if let State::Up(node) = &mut self.hosts[id].state {
            act(node);
            self.pump(id);
        }
    }

    /// Does what a driver does.
    fn pump(&mut self, id: HostId) {
        loop {
            let State::Up(node) = &mut self.hosts[id].state else { return };
            if let Some(transmit) = node.poll_transmit() {
                self.transmit(id, transmit.link, transmit.bytes);
            } else if let Some(effect) = node.poll_effect() {
                self.effect(id, effect);
            } else if let Some(event) = node.poll_event() {
                self.event(id, event);
            } else {
                let due = node.poll_timeout().map(|(at, _)| at.max(self.now.instant));
                if let Some(due) = due.filter(|due| self.hosts[id].wake.is_none_or(|wake| *due < wake)) {
                    self.hosts[id].wake = Some(due);
                    self.later(due - self.now.instant, id, Step::Wake);
                }
                return;
            }
        }
    }

    /// Where a link leads, unless the other side lost it (and perhaps uses its name again, in a later life).
    fn far_end(&self, id: HostId, link: LinkId) -> Option<(HostId, LinkId)> {
        let (peer, far) = *self.hosts[id].links.get(&link)?;
        (self.hosts[peer].links.get(&far) == Some(&(id, link))).then_some((peer, far))
    }

    fn effect(&mut self, id: HostId, effect: Effect) {
        match effect {
            Effect::OpenLink { link, address, expected, .. } => {
                self.hosts[id].opening.insert(link);
                // Nobody there: silence.
                let Some(server) = self.listening.get(&address).copied() else { return };
                let handshake = self.latency(id, server) * 2;
                if expected.is_some_and(|key| key != self.hosts[server].key) {
                    self.later(handshake, id, Step::Down { link });
                } else {
                    self.later(handshake, id, Step::Opened { link, server });
                }
            }
            Effect::CloseLink { link } => {
                self.hosts[id].opening.remove(&link);
                let far = self.far_end(id, link);
                self.hosts[id].links.remove(&link);
                if let Some((peer, far)) = far.filter(|(peer, _)| !self.apart(id, *peer)) {
                    let delay = self.latency(id, peer);
                    self.later(delay, peer, Step::Down { link: far });
                }
            }
            Effect::Work { id: work, puzzle } => {
                // The lab's price is one attempt; should none fit, the claim stays provisional.
                let mut search = puzzle.begin();
                if let Some(proof) = (0..WORK_ATTEMPTS).find_map(|_| search.step()) {
                    self.later(WORK, id, Step::Worked { id: work, proof });
                }
            }
            // The core ignores what it no longer waits for.
            Effect::StopWork { .. } | Effect::CloseRelay => {}
            // Nobody relays here.
            Effect::OpenRelay { .. } => {
                self.with(id, |node, now| node.handle_relay(now, None));
            }
            Effect::Persist { id: persist, claim } => {
                self.hosts[id].disk.write(&claim);
                self.later(DISK, id, Step::Persisted { id: persist });
            }
        }
    }

    fn event(&mut self, host: HostId, event: NodeEvent) {
        let report = match event {
            NodeEvent::Found { query, claim } => Told::First(query, claim),
            NodeEvent::Answer { query, answer } => Told::Answer(query, answer),
            NodeEvent::Envelope { from, payload, .. } => Told::Envelope(from, payload),
            NodeEvent::NameContested { name, by } => Told::Contested(name, by),
            NodeEvent::Online { .. }
            | NodeEvent::Offline { .. }
            | NodeEvent::Role(_)
            | NodeEvent::NameHeld(_)
            | NodeEvent::Presence { .. }
            | NodeEvent::NameLost { .. }
            | NodeEvent::Letter { .. }
            | NodeEvent::CacheChanged
            | NodeEvent::Address { .. } => return,
        };
        self.reports.push(Reported { host, at: self.now.instant, report });
    }

    fn later(&mut self, delay: Duration, host: HostId, step: Step) {
        self.queue.push(self.now.instant + delay, host, self.hosts[host].life, step);
    }

    /// One way between two computers, always the same.
    fn latency(&self, a: HostId, b: HostId) -> Duration {
        let pair = ((a.min(b) as u64) << 32) | a.max(b) as u64;
        let mixed = finalise(pair ^ self.seed.rotate_left(17));
        Duration::from_micros(LATENCY.start + mixed % (LATENCY.end - LATENCY.start))
    }
}

/// One computer in each /24, so that caps for a prefix never decide anything here.
fn address_of(id: HostId) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::from_bits(0x0b00_0001 + ((id as u32) << 8)).into(), 4433)
}
