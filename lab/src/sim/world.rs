//! The network: hosts, links and virtual time.
//!
//! ```text
//!   time ─▶ |── shard 0 ──|── shard 0 ──|      many for each thread, which takes the next when it is done with one; a
//!           |── shard 1 ──|── shard 1 ──|      slice is as long as the shortest latency, so that nothing that happens
//!           └ hand over   └ hand over          in it is felt on another shard within it; commands come between slices
//! ```

mod conspiracy;
mod disk;
mod ground;
mod host;
mod liars;
mod shard;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use overlay::{
    FoundClaim, Identity, PublicKey, Status, Username,
    config::NodeConfig,
    identity::LinkSecret,
    node::{Answer, Node, QueryId},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, IntoParallelRefMutIterator as _,
    ParallelIterator as _,
};
use relay::Now;

use super::{
    history::History,
    queue::{Over, Step},
};

pub(super) use self::liars::Liar;
use self::{
    ground::{Ground, Place, address_of},
    host::{Host, State},
    shard::Shard,
};

/// The whole network.
pub struct World {
    now: Instant,
    rng: StdRng,
    ground: Ground,
    /// Computer `id` is on shard `id` modulo their number.
    shards: Vec<Shard>,
}

/// A computer that was drawn and is not there yet.
pub struct Newcomer {
    delay: Duration,
    seeds: Vec<SocketAddr>,
    secret: [u8; 32],
    identity: [u8; 32],
    entropy: [u8; 32],
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

/// Shards for each thread: what a few computers do takes a hundred times what others do, and nobody is to wait for them.
const SHARDS_EACH: usize = 16;

/// The transport says so often that it is there, and gives a peer up that was silent so long since.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

impl World {
    /// Nobody there yet. Whoever calls from a pool of threads has all of them play.
    pub fn new(seed: u64) -> Self {
        let ground = Ground::new(seed);
        let shards = rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads() * SHARDS_EACH);
        Self {
            now: ground.began.instant,
            rng: StdRng::seed_from_u64(seed),
            shards: (0..shards).map(|nth| Shard::new(nth, shards, ground.began)).collect(),
            ground,
        }
    }

    /// Adds a computer that knows these addresses and switches it on. `config` is told its address.
    pub fn add(&mut self, config: impl FnOnce(SocketAddr) -> NodeConfig, seeds: &[SocketAddr]) -> HostId {
        let secret = LinkSecret::from_secret(self.rng.random());
        let id = self.hosts();
        let config = config(address_of(id));
        if config.supernode.is_some() || config.volunteer.is_some() {
            self.ground.listening.insert(address_of(id), id);
        }
        let identity = Identity::from_secret(self.rng.random());
        self.new_host(config, identity, secret);
        self.switch_on(id, seeds);
        id
    }

    /// Draws a computer that nobody calls at first, to be added later.
    pub fn newcomer(&mut self, delay: Duration, seeds: Vec<SocketAddr>) -> Newcomer {
        let [secret, identity] = self.rng.random();
        // As many draws as for somebody switched on at once, so that it is the same history.
        let [entropy, _]: [[u8; 32]; 2] = self.rng.random();
        Newcomer { delay, seeds, secret, identity, entropy }
    }

    /// Adds computers, each to be switched on in a while. Where thousands come in, time then passes in slices as long as
    /// ever.
    pub fn add_later(&mut self, newcomers: Vec<Newcomer>, config: &NodeConfig) -> Vec<HostId> {
        let keys = newcomers.par_iter().map(|newcomer| {
            (Identity::from_secret(newcomer.identity), LinkSecret::from_secret(newcomer.secret))
        });
        let keys: Vec<_> = keys.collect();
        let add = |(newcomer, (identity, secret)): (Newcomer, _)| {
            let id = self.new_host(config.clone(), identity, secret);
            let Newcomer { delay, entropy, seeds, .. } = newcomer;
            self.later(delay, id, id, Step::SwitchOn { entropy, seeds });
            id
        };
        newcomers.into_iter().zip(keys).map(add).collect()
    }

    fn new_host(&mut self, config: NodeConfig, identity: Identity, secret: LinkSecret) -> HostId {
        let id = self.hosts();
        self.ground.places.push(Place { key: secret.public_key(), life: 0 });
        self.shard(id).hosts.push(Host::new(config, identity, secret));
        id
    }

    /// Switches a computer on (again): it has its keys, its claims and its cache.
    pub fn switch_on(&mut self, id: HostId, seeds: &[SocketAddr]) {
        let (entropy, fresh) = (self.rng.random(), self.rng.random());
        let shards = self.shards.len();
        let (host, place) = (self.shards[id % shards].host_mut(id), &mut self.ground.places[id]);
        if host.is_up() {
            return;
        }
        let keeps_key = host.config.supernode.is_some() || host.config.volunteer.is_some();
        if !keeps_key && place.life > 0 {
            // A leaf process has a new link key each time.
            host.secret = LinkSecret::from_secret(fresh);
            place.key = host.secret.public_key();
        }
        self.shard(id).switch_on(id, entropy, seeds);
        self.answer_ghosts(id);
        self.shards[id % shards].pump(&self.ground, id);
    }

    /// Whoever still believes in a link of an earlier life is told at its next keep-alive, by a stateless reset; leaves
    /// come back with another key, and their homes wait in vain.
    fn answer_ghosts(&mut self, id: HostId) {
        let listens = self.host(id).config.supernode.is_some();
        for (peer, over, mut asks) in std::mem::take(&mut self.shard(id).host_mut(id).ghosts) {
            while asks <= self.now {
                asks += KEEP_ALIVE;
            }
            if listens && self.host(peer).means(over) {
                let told = asks - self.now + self.ground.latency(id, peer) * 2;
                self.later(told, id, peer, Step::Down(over));
            }
        }
    }

    /// Power cut: it falls silent, and the others find out as they would.
    pub fn crash(&mut self, id: HostId) {
        let cache = match &self.host(id).state {
            State::Up(node) => node.cache(),
            State::Hostile(_) | State::Down { .. } => return,
        };
        self.vanish(id, cache);
    }

    /// Switched off by its owner: it says goodbye first.
    pub fn switch_off(&mut self, id: HostId) {
        self.with(id, |node, now| node.shutdown(now));
        self.crash(id);
    }

    fn vanish(&mut self, id: HostId, cache: Vec<u8>) {
        self.ground.places[id].life += 1;
        let host = self.shard(id).host_mut(id);
        host.state = State::Down { cache };
        host.wake = None;
        host.opening.clear();
        for (link, (peer, far)) in std::mem::take(&mut host.links) {
            // The first keep-alive without an answer starts the time that ends the link (RFC 9000 §10.1).
            let asks = KEEP_ALIVE.mul_f64(self.rng.random());
            let over = Over { link: far, peer: id, far: link };
            self.later(asks + IDLE_TIMEOUT, id, peer, Step::Down(over));
            let next = self.now + asks;
            self.shard(id).host_mut(id).ghosts.push((peer, over, next));
        }
    }

    /// How many computers there are; each is named by a number below.
    pub fn hosts(&self) -> usize {
        self.ground.places.len()
    }

    /// Whether a computer is on.
    pub fn is_up(&self, id: HostId) -> bool {
        self.host(id).is_up()
    }

    /// Where a computer is.
    pub fn address(&self, id: HostId) -> SocketAddr {
        address_of(id)
    }

    /// The person at a computer.
    pub fn person(&self, id: HostId) -> PublicKey {
        self.host(id).identity.public_key()
    }

    /// How a node is, if it is on.
    pub fn status(&self, id: HostId) -> Option<Status> {
        match &self.host(id).state {
            State::Up(node) => Some(node.status()),
            State::Hostile(_) | State::Down { .. } => None,
        }
    }

    /// The homes that can really ring a leaf, if it is on: what it believes, without those that crashed or dropped its
    /// link and of which it does not know yet.
    pub fn homes(&self, id: HostId) -> Option<usize> {
        let host = self.host(id);
        let State::Up(node) = &host.state else { return None };
        let rings = |link| {
            let there = host.links.get(&link);
            there.is_some_and(|(peer, far)| self.host(*peer).means(Over { link: *far, peer: id, far: link }))
        };
        Some(node.home_links().filter(|link| rings(*link)).count())
    }

    /// Gives a node that is on a command.
    pub fn with<T>(&mut self, id: HostId, act: impl FnOnce(&mut Node, Now) -> T) -> Option<T> {
        let shards = self.shards.len();
        self.shards[id % shards].with(&self.ground, id, act)
    }

    /// Gives a node a command in a while, if it is on then.
    pub fn with_later(
        &mut self,
        delay: Duration,
        id: HostId,
        act: impl FnOnce(&mut Node, Now) + Send + 'static,
    ) {
        self.later(delay, id, id, Step::Command(Box::new(act)));
    }

    /// What applications were told since the last time, in the order of time.
    pub fn reports(&mut self) -> Vec<Reported> {
        let mut reports: Vec<Reported> =
            self.shards.iter_mut().flat_map(|shard| std::mem::take(&mut shard.reports)).collect();
        // Stable: what one computer was told at one time stays in its order.
        reports.sort_by_key(|reported| (reported.at, reported.host));
        reports
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now - self.ground.began.instant
    }

    /// What went over links.
    pub fn traffic(&self) -> Traffic {
        self.shards.iter().fold(Traffic::default(), |sum, shard| Traffic {
            links: sum.links + shard.traffic.links,
            messages: sum.messages + shard.traffic.messages,
            bytes: sum.bytes + shard.traffic.bytes,
        })
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.shards.iter().map(|shard| shard.steps).sum()
    }

    /// A hash over everything that happened, to whom and when.
    pub fn history(&self) -> String {
        let mut all = History::default();
        (0..self.hosts()).for_each(|id| all.mix(self.host(id).history.value()));
        all.to_string()
    }

    /// Randomness of the scenario.
    pub fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets time pass.
    pub fn run_until(&mut self, until: Instant) {
        let ground = &self.ground;
        loop {
            let handed_over = hand_over(&mut self.shards).filter(|first| *first <= until);
            let next = self.shards.iter_mut().filter_map(|shard| shard.next(until)).chain(handed_over).min();
            let Some(next) = next else { break };
            let end = until.min(next + Ground::shortest_latency() - Duration::from_nanos(1));
            self.shards.par_iter_mut().with_max_len(1).for_each(|shard| {
                shard.take_in();
                shard.run_until(ground, end);
            });
        }
        self.now = self.now.max(until);
        self.shards.iter_mut().for_each(|shard| shard.run_until(ground, until));
    }

    fn later(&mut self, delay: Duration, from: HostId, to: HostId, step: Step) {
        let shards = self.shards.len();
        self.shards[from % shards].later(&self.ground, delay, from, to, step);
    }

    fn host(&self, id: HostId) -> &Host {
        self.shards[id % self.shards.len()].host(id)
    }

    fn shard(&mut self, id: HostId) -> &mut Shard {
        let shards = self.shards.len();
        &mut self.shards[id % shards]
    }
}

/// What each has scheduled on others goes there, to be taken in; when the first of it is to happen.
fn hand_over(shards: &mut [Shard]) -> Option<Instant> {
    shards.iter_mut().for_each(Shard::take_in);
    for to in 0..shards.len() {
        for from in 0..shards.len() {
            if !shards[from].outgoing[to].is_empty() {
                let scheduled = std::mem::take(&mut shards[from].outgoing[to]);
                shards[from].outgoing[to] = std::mem::replace(&mut shards[to].incoming[from], scheduled);
            }
        }
    }
    shards.iter_mut().filter_map(|shard| shard.first_outgoing.take()).min()
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Scenario, play};

    #[test]
    fn however_many_threads_play_the_history_is_the_same() {
        let options = Options { nodes: 120, seed: 9 };
        let played_by = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| play(Scenario::Directory, options))
        };
        let (one, three) = (played_by(1), played_by(3));
        assert_eq!((one.history, one.steps), (three.history, three.steps));
    }
}
