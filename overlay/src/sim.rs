//! A network in memory: many nodes, one virtual clock, one seed. Links cost a handshake and have a latency of
//! 10 to 100 ms each way that belongs to the pair; a killed node falls silent and is noticed as on a real network: by
//! requests without answer, and at last by the transport's idle timeout.

mod credit;
mod disk;
mod homes;
mod letters;
mod messages;
mod names;
mod presence;
mod ring;
mod roles;
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use relay::{CredentialIssuer, Now, UnixTime};
use sha2::{Digest as _, Sha256};

use crate::{
    claim::Claim,
    config::{Network, NodeConfig, RelayConfig},
    identity::{Identity, LinkKey, LinkSecret, PublicKey},
    node::{Answer, Effect, LinkId, Node, NodeEvent, PersistId, QueryId, WorkId},
    outcome::{Carrier, Ends, Status},
    wire::{self, Message},
    work::Proof,
};

/// The whole network.
pub(crate) struct World {
    now: Now,
    began: Instant,
    rng: StdRng,
    steps: BTreeMap<(Instant, u64), Step>,
    next_step: u64,
    hosts: Vec<Host>,
    trace: Sha256,
    /// What a proof of work takes.
    pub(crate) work_time: Duration,
    /// No disk takes anything.
    pub(crate) disks_full: bool,
    /// Behind a filter: nobody opens a link to them.
    pub(crate) filtered: BTreeSet<HostId>,
    /// Links anybody tried to open to this address.
    pub(crate) dialled: BTreeMap<SocketAddr, usize>,
    /// Every message written lately.
    pub(crate) said: VecDeque<Vec<u8>>,
    /// Envelopes pushed to leaves, to be replayed by a test.
    pub(crate) rings: Vec<(HostId, LinkId, Vec<u8>)>,
    /// Who is listened in on, and every message that came to them, unsealed by the transport.
    pub(crate) tapped: Option<(HostId, Vec<Vec<u8>>)>,
}

/// Names a node of the world.
pub(crate) type HostId = usize;

struct Host {
    /// Nothing: dead.
    node: Option<Node>,
    address: SocketAddr,
    key: LinkKey,
    identity: Identity,
    links: BTreeMap<LinkId, (HostId, LinkId)>,
    /// Opened, and neither up nor given up.
    opening: Vec<LinkId>,
    inbound: u64,
    wake: Option<Instant>,
    events: Vec<NodeEvent>,
    answers: BTreeMap<QueryId, Answer>,
    disk: Vec<Claim>,
}

#[derive(Debug)]
enum Step {
    Wake(HostId),
    /// The client's handshake is done.
    Opened {
        client: HostId,
        link: LinkId,
        server: HostId,
    },
    Up {
        host: HostId,
        link: LinkId,
        peer: HostId,
    },
    Down {
        host: HostId,
        link: LinkId,
    },
    Message {
        host: HostId,
        link: LinkId,
        bytes: Vec<u8>,
    },
    Persisted {
        host: HostId,
        id: PersistId,
    },
    PersistFailed {
        host: HostId,
        id: PersistId,
    },
    Worked {
        host: HostId,
        id: WorkId,
        proof: Proof,
    },
}

/// What the transport takes to notice a silent peer, its keep-alive included.
const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

const SAID: usize = 1_000;

const DISK: Duration = Duration::from_millis(5);

const WORK: Duration = Duration::from_millis(20);

impl World {
    pub(crate) fn new(seed: u8) -> Self {
        let now = start();
        Self {
            now,
            began: now.instant,
            rng: StdRng::from_seed([seed; 32]),
            steps: BTreeMap::new(),
            next_step: 0,
            hosts: Vec::new(),
            trace: Sha256::new(),
            work_time: WORK,
            disks_full: false,
            filtered: BTreeSet::new(),
            dialled: BTreeMap::new(),
            said: VecDeque::new(),
            rings: Vec::new(),
            tapped: None,
        }
    }

    /// A supernode with a relay that knows `bootstrap`.
    pub(crate) fn supernode(&mut self, bootstrap: &[HostId]) -> HostId {
        let address = self.free_address();
        let mut config = NodeConfig::supernode(Network::Lab, address);
        if let Some(supernode) = &mut config.supernode {
            let relay = SocketAddr::new(address.ip(), 3478);
            let issuer = CredentialIssuer::new([5; 32]);
            supernode.relay = Some(RelayConfig { address: relay, second: None, certificate: None, issuer });
        }
        self.host(config, bootstrap)
    }

    /// A leaf that knows `bootstrap`.
    pub(crate) fn leaf(&mut self, bootstrap: &[HostId]) -> HostId {
        self.host(NodeConfig::leaf(Network::Lab), bootstrap)
    }

    /// A leaf that was here before.
    pub(crate) fn leaf_with(&mut self, bootstrap: &[HostId], cache: &[u8]) -> HostId {
        self.host_with(NodeConfig::leaf(Network::Lab), bootstrap, cache)
    }

    pub(crate) fn host(&mut self, config: NodeConfig, bootstrap: &[HostId]) -> HostId {
        self.host_with(config, bootstrap, &[])
    }

    /// A leaf of somebody who was here before.
    pub(crate) fn leaf_of(&mut self, identity: Identity, bootstrap: &[HostId]) -> HostId {
        self.host_of(identity, NodeConfig::leaf(Network::Lab), bootstrap, &[])
    }

    fn host_with(&mut self, config: NodeConfig, bootstrap: &[HostId], cache: &[u8]) -> HostId {
        let identity = Identity::from_secret(self.rng.random());
        self.host_of(identity, config, bootstrap, cache)
    }

    fn host_of(
        &mut self,
        identity: Identity,
        config: NodeConfig,
        bootstrap: &[HostId],
        cache: &[u8],
    ) -> HostId {
        let address = config.supernode.as_ref().map_or_else(|| self.free_address(), |s| s.address);
        let secret = LinkSecret::from_secret(self.rng.random());
        let key = secret.public_key();
        let mut node = Node::new(config, identity.clone(), secret, cache, self.rng.random(), self.now);
        let seeds: Vec<SocketAddr> = bootstrap.iter().map(|host| self.hosts[*host].address).collect();
        node.add_seeds(self.now, seeds);
        let id = self.hosts.len();
        self.hosts.push(Host {
            node: Some(node),
            address,
            key,
            identity,
            links: BTreeMap::new(),
            opening: Vec::new(),
            inbound: 0,
            wake: None,
            events: Vec::new(),
            answers: BTreeMap::new(),
            disk: Vec::new(),
        });
        self.pump(id);
        id
    }

    pub(crate) fn free_address(&self) -> SocketAddr {
        let n = u32::try_from(self.hosts.len()).unwrap();
        SocketAddr::new(Ipv4Addr::from_bits(0x0a00_0001 + n).into(), 4000)
    }

    pub(crate) fn address(&self, host: HostId) -> SocketAddr {
        self.hosts[host].address
    }

    pub(crate) fn key(&self, host: HostId) -> PublicKey {
        self.hosts[host].identity.public_key()
    }

    pub(crate) fn identity(&self, host: HostId) -> &Identity {
        &self.hosts[host].identity
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    pub(crate) fn status(&self, host: HostId) -> Status {
        self.hosts[host].node.as_ref().unwrap().status()
    }

    /// How full a supernode is.
    pub(crate) fn load(&self, host: HostId) -> wire::Load {
        self.status(host).load
    }

    pub(crate) fn events(&mut self, host: HostId) -> Vec<NodeEvent> {
        std::mem::take(&mut self.hosts[host].events)
    }

    /// Everything a supernode keeps for others, encoded.
    pub(crate) fn kept(&self, host: HostId) -> Vec<Vec<u8>> {
        self.hosts[host].node.as_ref().unwrap().kept_for_test(self.now)
    }

    /// Letters a supernode keeps.
    pub(crate) fn letters(&self, host: HostId) -> usize {
        self.hosts[host].node.as_ref().map_or(0, |node| node.kept().letters)
    }

    /// Claims this host has on its disk.
    pub(crate) fn disk(&self, host: HostId) -> &[Claim] {
        &self.hosts[host].disk
    }

    /// Gives one node a command, or whatever else.
    pub(crate) fn with<T>(&mut self, host: HostId, act: impl FnOnce(&mut Node, Now) -> T) -> T {
        let now = self.now;
        let result = act(self.hosts[host].node.as_mut().unwrap(), now);
        self.pump(host);
        result
    }

    /// Frames reach a node over one of its links, whoever wrote them.
    pub(crate) fn inject(&mut self, host: HostId, link: LinkId, bytes: &[u8]) {
        self.with(host, |node, now| node.handle_message(now, link, bytes));
    }

    /// Whether there is a link between two hosts.
    pub(crate) fn is_linked(&self, one: HostId, other: HostId) -> bool {
        self.hosts[one].links.values().any(|(peer, _)| *peer == other)
    }

    /// The link of `host` to `peer`.
    pub(crate) fn link_between(&self, host: HostId, peer: HostId) -> LinkId {
        *self.hosts[host].links.iter().find(|(_, (far, _))| *far == peer).unwrap().0
    }

    pub(crate) fn link_key(&self, host: HostId) -> LinkKey {
        self.hosts[host].key
    }

    /// One of the links of a host.
    pub(crate) fn a_link(&self, host: HostId) -> LinkId {
        *self.hosts[host].links.keys().next().unwrap()
    }

    /// Falls silent for ever.
    pub(crate) fn kill(&mut self, host: HostId) {
        self.hosts[host].node = None;
        for (peer, link) in std::mem::take(&mut self.hosts[host].links).into_values() {
            self.later(IDLE_TIMEOUT, Step::Down { host: peer, link });
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now.instant + time;
        while let Some((&(at, _), _)) = self.steps.first_key_value() {
            if at > until {
                break;
            }
            self.step();
        }
        self.advance(until);
    }

    /// Runs until every query is answered.
    pub(crate) fn answers(&mut self, queries: &[(HostId, QueryId)]) -> Vec<Answer> {
        let limit = self.now.instant + Duration::from_secs(60);
        let waiting =
            |world: &Self| queries.iter().any(|(host, id)| !world.hosts[*host].answers.contains_key(id));
        while waiting(self) && self.now.instant < limit {
            self.step();
        }
        queries.iter().map(|(host, id)| self.hosts[*host].answers.remove(id).unwrap()).collect()
    }

    pub(crate) fn answer(&mut self, host: HostId, query: QueryId) -> Answer {
        self.answers(&[(host, query)]).remove(0)
    }

    /// A hash over everything that happened and when.
    pub(crate) fn trace(&self) -> [u8; 32] {
        self.trace.clone().finalize().into()
    }

    fn step(&mut self) {
        let Some(((at, _), step)) = self.steps.pop_first() else { return };
        self.advance(at);
        let since = at.duration_since(self.began).as_nanos();
        self.trace.update(since.to_be_bytes());
        self.trace.update(format!("{step:?}"));
        let now = self.now;
        match step {
            Step::Wake(host) => {
                if self.hosts[host].wake == Some(at) {
                    self.hosts[host].wake = None;
                    self.alive(host, |node| node.handle_timeout(now));
                }
            }
            Step::Opened { client, link, server } => self.opened(client, link, server),
            Step::Up { host, link, peer } => {
                let (key, address) = (self.hosts[peer].key, self.hosts[peer].address);
                self.alive(host, |node| {
                    node.handle_link_up(
                        now,
                        link,
                        Ends { peer: key, remote: address, carrier: Carrier::Quic },
                    )
                });
            }
            Step::Down { host, link } => {
                self.hosts[host].opening.retain(|opening| *opening != link);
                self.hosts[host].links.remove(&link);
                self.alive(host, |node| node.handle_link_down(now, link));
            }
            Step::Message { host, link, bytes } => {
                if self.hosts[host].links.contains_key(&link) {
                    if let Ok(Message::Ring { .. }) = wire::from_bytes(&bytes) {
                        self.rings.push((host, link, bytes.clone()));
                    }
                    if let Some((_, heard)) = self.tapped.as_mut().filter(|(tapped, _)| *tapped == host) {
                        heard.push(bytes.clone());
                    }
                    self.alive(host, |node| node.handle_message(now, link, &bytes));
                }
            }
            Step::Worked { host, id, proof } => {
                self.alive(host, |node| node.handle_work_done(now, id, proof));
            }
            Step::Persisted { host, id } => self.alive(host, |node| node.handle_persisted(now, id)),
            Step::PersistFailed { host, id } => self.alive(host, |node| node.handle_persist_failed(now, id)),
        }
    }

    fn advance(&mut self, to: Instant) {
        self.now = self.now.after(to.saturating_duration_since(self.now.instant));
    }

    fn opened(&mut self, client: HostId, link: LinkId, server: HostId) {
        if !self.hosts[client].opening.contains(&link)
            || self.hosts[server].node.is_none()
            || self.hosts[client].node.is_none()
        {
            return;
        }
        self.hosts[client].opening.retain(|opening| *opening != link);
        self.hosts[server].inbound += 1;
        let far = LinkId::Inbound(self.hosts[server].inbound);
        self.hosts[client].links.insert(link, (server, far));
        self.hosts[server].links.insert(far, (client, link));
        let delay = self.latency(client, server);
        self.later(delay, Step::Up { host: server, link: far, peer: client });
        let (now, key, address) = (self.now, self.hosts[server].key, self.hosts[server].address);
        self.alive(client, |node| {
            node.handle_link_up(now, link, Ends { peer: key, remote: address, carrier: Carrier::Quic })
        });
    }

    fn alive(&mut self, host: HostId, act: impl FnOnce(&mut Node)) {
        if let Some(node) = self.hosts[host].node.as_mut() {
            act(node);
            self.pump(host);
        }
    }

    /// Does what a driver does.
    fn pump(&mut self, id: HostId) {
        let Some(mut node) = self.hosts[id].node.take() else { return };
        loop {
            while let Some(transmit) = node.poll_transmit() {
                if let Some((peer, link)) = self.hosts[id].links.get(&transmit.link).copied() {
                    let delay = self.latency(id, peer);
                    self.said.push_back(transmit.bytes.clone());
                    if self.said.len() > SAID {
                        self.said.pop_front();
                    }
                    self.later(delay, Step::Message { host: peer, link, bytes: transmit.bytes });
                }
            }
            let Some(effect) = node.poll_effect() else { break };
            self.effect(id, effect);
        }
        while let Some(event) = node.poll_event() {
            match event {
                NodeEvent::Answer { query, answer } => {
                    self.hosts[id].answers.insert(query, answer);
                }
                event => self.hosts[id].events.push(event),
            }
        }
        let wake = node.poll_timeout().map(|(at, _)| at.max(self.now.instant));
        self.hosts[id].node = Some(node);
        if wake != self.hosts[id].wake {
            self.hosts[id].wake = wake;
            if let Some(at) = wake {
                self.later(at.saturating_duration_since(self.now.instant), Step::Wake(id));
            }
        }
    }

    fn effect(&mut self, id: HostId, effect: Effect) {
        match effect {
            Effect::OpenLink { link, address, expected, .. } => {
                self.hosts[id].opening.push(link);
                let server = self
                    .hosts
                    .iter()
                    .position(|h| h.address == address && h.node.is_some() || self.is_self(id, h, address));
                *self.dialled.entry(address).or_default() += 1;
                // Nobody there, or nobody to be seen: silence.
                let Some(server) = server.filter(|server| !self.filtered.contains(server)) else { return };
                let handshake = self.latency(id, server) * 2;
                if expected.is_some_and(|key| key != self.hosts[server].key) {
                    self.later(handshake, Step::Down { host: id, link });
                } else {
                    self.later(handshake, Step::Opened { client: id, link, server });
                }
            }
            Effect::CloseLink { link } => {
                self.hosts[id].opening.retain(|opening| *opening != link);
                if let Some((peer, far)) = self.hosts[id].links.remove(&link) {
                    let delay = self.latency(id, peer);
                    self.later(delay, Step::Down { host: peer, link: far });
                }
            }
            Effect::Work { id: work, puzzle } => {
                let mut search = puzzle.begin();
                let proof = std::iter::repeat_with(|| search.step()).flatten().next().unwrap();
                self.later(self.work_time, Step::Worked { host: id, id: work, proof });
            }
            // The core ignores what it no longer waits for.
            Effect::StopWork { .. } | Effect::CloseRelay => {}
            // Nobody relays here.
            Effect::OpenRelay { .. } => self.with(id, |node, now| node.handle_relay(now, None)),
            Effect::Persist { id: persist, .. } if self.disks_full => {
                self.later(DISK, Step::PersistFailed { host: id, id: persist });
            }
            Effect::Persist { id: persist, claim } => {
                self.hosts[id].disk.push(*claim);
                self.later(DISK, Step::Persisted { host: id, id: persist });
            }
        }
    }

    /// While a node is pumped its slot is empty, yet it lives.
    fn is_self(&self, id: HostId, host: &Host, address: SocketAddr) -> bool {
        host.address == address && self.hosts[id].address == address
    }

    fn later(&mut self, delay: Duration, step: Step) {
        self.next_step += 1;
        self.steps.insert((self.now.instant + delay, self.next_step), step);
    }

    fn latency(&self, a: HostId, b: HostId) -> Duration {
        let pair = format!("{}-{}", a.min(b), a.max(b));
        let hash = Sha256::digest(pair);
        Duration::from_millis(10 + u64::from(u16::from_be_bytes([hash[0], hash[1]])) % 91)
    }
}

/// Both clocks at the beginning.
pub(crate) fn start() -> Now {
    Now { instant: origin(), unix: UnixTime::from_secs(1_800_000_000) }
}

/// Virtual time has to begin somewhere; nothing depends on where.
#[expect(clippy::disallowed_methods, reason = "an Instant can only be made by reading the clock")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
