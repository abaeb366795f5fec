//! The sans-I/O core of a node: links and messages in, messages, effects and events out. It is told the time.
//!
//! ```text
//!            handle_link_up/down, handle_message         poll_transmit  -> Transmit { link, bytes }
//!  driver ─▶ handle_persisted, handle_work_done, Node ─▶ poll_effect    -> OpenLink, CloseLink, Persist, Work
//!            handle_timeout, register, lookup, ...       poll_event     -> Online, Envelope, Answer, ...
//! ```
//!
//! A link, as this core sees it:
//!
//! ```text
//!   OpenLink ─▶ Opening ─link up─▶ Greeting ─Hello─▶ Ready ─▶ gone (link down, refused, dead, idle)
//!   (inbound) ─────────link up───▶ Greeting
//! ```
//!
//! What is put where: `links` the life of a link; `dial` whom to link to; `gossip` what supernodes tell each other;
//! `ask` requests and their answers; `walk` who is around a key; `serve` what we answer others; `query` the commands of
//! the application; `letters` what waits for those who are away; `home` the leaf's homes and our introduction record, `search` how hard it looks for them; `claims` our names and `watch` who else claims
//! them.

mod ask;
mod bucket;
mod cache;
mod claims;
mod clock;
mod credit;
mod deliver;
mod dial;
mod dial_back;
mod election;
mod event;
mod gossip;
mod hand_over;
mod home;
mod inherit;
mod letters;
mod links;
mod load;
mod presence;
mod query;
mod relays;
mod report;
mod ring;
mod ringing;
mod role;
mod search;
mod serve;
mod sweep;
mod timers;
mod walk;
mod watch;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use relay::Now;

pub(crate) use self::cache::cached_supernodes;
pub use self::event::{Answer, NodeEvent};
use self::{
    ask::{AskError, Outstanding},
    bucket::Bucket,
    claims::{OwnName, Work},
    clock::Clock,
    credit::Credit,
    dial::Seed,
    home::{Home, Presence},
    letters::Post,
    links::Link,
    load::Loads,
    presence::Sight,
    query::Query,
    ringing::Ringing,
    role::Roles,
    search::Search,
    serve::{MailboxOwner, Replication},
    timers::{Timer, Timers},
    walk::Walks,
    watch::Watch,
    writes::Writes,
};
use crate::{
    claim::{Claim, RecoveryHash, Seen},
    config::{NodeConfig, Role},
    directory::Directory,
    envelope::{ReplaySet, Sealer},
    hint::Hint,
    identity::{Identity, LinkKey, LinkSecret, PublicKey},
    outcome::{Ends, Stats, Status},
    record::{Introduction, MailboxId, SupernodeRecord},
    routing::{Bounds, Key, Table},
    username::Username,
    wire::{self, Response},
    work::{Proof, Puzzle},
};

/// Names a link; the core numbers those it opens, the driver those it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkId {
    /// Opened by [`Effect::OpenLink`].
    Outbound(u64),
    /// Accepted by the driver.
    Inbound(u64),
}

/// Names a command under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(u64);

/// Names something being written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistId(u64);

/// Names a proof of work being searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(u64);

#[cfg(test)]
impl PersistId {
    pub(crate) const fn first() -> Self {
        Self(1)
    }
}

#[cfg(test)]
impl WorkId {
    pub(crate) const fn first() -> Self {
        Self(1)
    }
}

/// One message to be written to a link, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Which link.
    pub link: LinkId,
    /// One frame's content.
    pub bytes: Vec<u8>,
}

/// Something the driver must do. Transmits polled before an effect go out before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open a link; `expected` is the key the other side must prove, when it is known.
    OpenLink {
        /// Its name from now on.
        link: LinkId,
        /// Where.
        address: SocketAddr,
        /// How it may be opened.
        ways: Ways,
        /// Who must answer.
        expected: Option<LinkKey>,
    },
    /// Flush and close a link. No `handle_link_down` is needed for it.
    CloseLink {
        /// Which link.
        link: LinkId,
    },
    /// Write a claim to disk, then call [`Node::handle_persisted`], or [`Node::handle_persist_failed`].
    Persist {
        /// To be handed back.
        id: PersistId,
        /// What.
        claim: Box<Claim>,
    },
    /// Solve a puzzle, somewhere where it may take a minute, then call [`Node::handle_work_done`].
    Work {
        /// To be handed back.
        id: WorkId,
        /// What.
        puzzle: Puzzle,
    },
    /// Open a relay for others, then call [`Node::handle_relay`].
    OpenRelay {
        /// Where this computer is reached.
        public_ip: IpAddr,
    },
    /// Let nobody new on the relay, and close it once nobody is relayed any more.
    CloseRelay,
    /// Leave a puzzle.
    StopWork {
        /// Which.
        id: WorkId,
    },
}

/// How a link may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    /// Over QUIC, or TLS over TCP at the same port number.
    Any {
        /// Another TCP port worth trying there.
        tcp: Option<u16>,
    },
    /// Over QUIC only, from a port that never sent anything before: what proves that strangers get through.
    FreshUdp,
}

/// The core of a node.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    identity: Identity,
    link_secret: LinkSecret,
    own_record: Option<SupernodeRecord>,
    sealer: Sealer,
    replay: ReplaySet,
    rng: StdRng,
    timers: Timers,

    /// Where we stand.
    place: Key,
    table: Table,
    seeds: BTreeMap<SocketAddr, Seed>,
    /// Boxed, like others below: a map keeps room for eleven as long as there is one.
    links: BTreeMap<LinkId, Box<Link>>,
    /// In the order of their names; nearly always one.
    by_peer: BTreeMap<LinkKey, Vec<LinkId>>,
    next_link: u64,
    gossip: BTreeSet<LinkKey>,
    /// Who was asked for supernodes, while linked.
    reconciled: BTreeSet<LinkKey>,
    replication: Replication,
    held_at: BTreeMap<Key, BTreeSet<LinkKey>>,
    total: Bucket,

    outstanding: BTreeMap<u32, Outstanding>,
    next_request: u32,
    finished: VecDeque<(Outstanding, Result<Response, AskError>)>,
    queries: BTreeMap<QueryId, Query>,
    walks: Walks,
    next_query: u64,

    homes: BTreeMap<LinkKey, Home>,
    presence: Presence,
    sight: Sight,
    ringing: Ringing,
    post: Post,
    loads: Loads,
    search: Search,
    credit: Credit,
    clock: Clock,
    roles: Roles,
    introductions: BTreeMap<PublicKey, Introduction>,
    /// Where those are answered who have just written.
    replies: BTreeMap<PublicKey, crate::record::Seen>,
    own_names: BTreeMap<Username, Box<OwnName>>,
    works: BTreeMap<WorkId, Work>,
    next_work: u64,
    seen: Seen,
    watch: Watch,
    /// What our claims say of the key that may recover our names.
    recovery: Option<RecoveryHash>,

    directory: Directory,
    mailboxes: BTreeMap<MailboxId, MailboxOwner>,
    writes: Writes,

    transmits: VecDeque<Transmit>,
    effects: VecDeque<Effect>,
    events: VecDeque<NodeEvent>,
    stats: Stats,
}

/// A supernode's record lasts this long and is signed anew every third of it.
const RECORD_LIFETIME: Duration = Duration::from_secs(3 * 3600);

impl Node {
    /// A node that begins to look for supernodes at once. `cache` is what [`Node::cache`] gave last time; damaged
    /// bytes are ignored.
    pub fn new(
        config: NodeConfig,
        identity: Identity,
        link_secret: LinkSecret,
        cache: &[u8],
        seed: [u8; 32],
        now: Now,
    ) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let sealer = Sealer::new(config.network, identity.clone(), &mut rng);
        let limits = &config.limits;
        let bounds = if config.supernode.is_some() || config.volunteer.is_some() {
            Bounds { total: limits.known_by_supernode, bucket: limits.bucket_of_supernode }
        } else {
            Bounds { total: limits.known_by_leaf, bucket: limits.bucket_of_leaf }
        };
        let place = Key::of_node(&link_secret.public_key());
        let per_second = config.limits.total_messages_per_second;
        let mut node = Self {
            sealer,
            replay: ReplaySet::default(),
            rng,
            timers: Timers::default(),
            place,
            table: Table::new(config.network, place, bounds),
            seeds: BTreeMap::new(),
            links: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            next_link: 1,
            gossip: BTreeSet::new(),
            reconciled: BTreeSet::new(),
            replication: Replication::default(),
            held_at: BTreeMap::new(),
            total: Bucket::new(per_second, per_second, now.instant),
            outstanding: BTreeMap::new(),
            next_request: 1,
            finished: VecDeque::new(),
            queries: BTreeMap::new(),
            walks: Walks::default(),
            next_query: 1,
            homes: BTreeMap::new(),
            presence: Presence::default(),
            sight: Sight::default(),
            ringing: Ringing::default(),
            post: Post::default(),
            loads: Loads::default(),
            search: Search::default(),
            credit: Credit::new(now.instant),
            clock: Clock::default(),
            roles: Roles::default(),
            introductions: BTreeMap::new(),
            replies: BTreeMap::new(),
            own_names: BTreeMap::new(),
            works: BTreeMap::new(),
            next_work: 1,
            seen: Seen::default(),
            watch: Watch::default(),
            recovery: None,
            directory: Directory::new(config.network, link_secret.clone(), &config.limits),
            mailboxes: BTreeMap::new(),
            writes: Writes::default(),
            transmits: VecDeque::new(),
            effects: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            own_record: None,
            config,
            identity,
            link_secret,
        };
        node.take_cache(now, cache);
        node.sweep_later(now);
        node.begin_election(now);
        node.begin_presence(now);
        if node.is_supernode() {
            node.begin_credit(now);
        }
        node.reissue(now);
        node.fill(now);
        node.settle(now);
        node
    }

    /// Addresses that may be supernodes: bootstrap, LAN. Tried again and again until somebody answers.
    pub fn add_seeds(&mut self, now: Now, addresses: impl IntoIterator<Item = SocketAddr>) {
        let known = self.seeds.len();
        for address in addresses {
            self.add_seed(address);
        }
        if self.seeds.len() > known {
            self.publish_later(now);
        }
        self.fill(now);
        self.settle(now);
    }

    /// Supernodes a friend or a release told us of: dialled like any seed, and only who has the key is taken.
    pub fn add_hints(&mut self, now: Now, hints: impl IntoIterator<Item = Hint>) {
        for hint in hints {
            self.add_hint(hint);
        }
        self.fill(now);
        self.settle(now);
    }

    /// Claims this supernode held before it was restarted; those that do not verify are dropped.
    pub fn restore_claims(&mut self, now: Now, claims: impl IntoIterator<Item = Claim>) {
        for claim in claims {
            self.directory.restore_claim(now.unix, &claim);
        }
    }

    /// A link is up.
    pub fn handle_link_up(&mut self, now: Now, link: LinkId, ends: Ends) {
        self.link_up(now, link, ends);
        self.settle(now);
    }

    /// A link could not be opened, or is gone.
    pub fn handle_link_down(&mut self, now: Now, link: LinkId) {
        self.link_lost(now, link);
        self.settle(now);
    }

    /// One frame came over a link.
    pub fn handle_message(&mut self, now: Now, link: LinkId, bytes: &[u8]) {
        self.message(now, link, bytes);
        self.settle(now);
    }

    /// What [`Effect::Persist`] asked for is on disk.
    pub fn handle_persisted(&mut self, now: Now, id: PersistId) {
        self.persisted(now, id);
        self.settle(now);
    }

    /// What [`Effect::Persist`] asked for could not be written.
    pub fn handle_persist_failed(&mut self, now: Now, id: PersistId) {
        self.persist_failed(now, id);
        self.settle(now);
    }

    /// What [`Effect::Work`] asked for is found.
    pub fn handle_work_done(&mut self, now: Now, id: WorkId, proof: Proof) {
        self.work_done(now, id, proof);
        self.settle(now);
    }

    /// Does everything that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.timers.pop_due(now.instant) {
            match timer {
                Timer::Dial => self.fill(now),
                Timer::Offline => self.tell_offline(),
                Timer::Announced => self.announced(now),
                Timer::Publish => self.publish(now),
                Timer::Renew => self.renew_claims(now),
                Timer::Appear => self.appear(now),
                Timer::Look => self.look_around(now),
                Timer::Gather(id) => self.gather_done(now, id),
                Timer::Watch => self.watch_names(now),
                Timer::Replicate => self.replicate_some(now),
                Timer::Gossip => self.flush_gossip(now),
                Timer::Reconcile => self.reconcile(now),
                Timer::Holders => self.tell_new_holders(now),
                Timer::Reissue => self.reissue(now),
                Timer::Cache => self.events.push_back(NodeEvent::CacheChanged),
                Timer::Sweep => self.sweep(now),
                Timer::Election => self.review_role(now),
                Timer::Credit => self.settle_tabs(now),
                Timer::Probe(link) => self.probe_timed_out(link),
                Timer::Idle => self.close_idle_links(now),
                Timer::Opening(link) => self.opening_timed_out(now, link),
                Timer::Ping(link) => self.ping(now, link),
                Timer::Request(id) => self.request_timed_out(now, id),
                Timer::Grace(query) | Timer::Query(query) => self.conclude_query(now, query),
            }
            self.settle(now);
        }
    }

    /// Hands claims on, withdraws our introduction record where a link is up, says goodbye and closes every link.
    pub fn shutdown(&mut self, now: Now) {
        if !self.is_draining() {
            self.hand_claims_on(now);
        }
        self.withdraw(now);
        self.disappear(now);
        self.settle(now);
        self.stop_works();
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.refuse(link, wire::RefuseReason::Closing);
            self.effects.push_back(Effect::CloseLink { link });
        }
        self.links.clear();
        self.by_peer.clear();
        self.timers = Timers::default();
    }

    /// The next message to write.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to do; poll transmits first.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next report.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// When [`Node::handle_timeout`] wants to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.timers.next()
    }

    /// The links to homes that, as far as we know, can ring us.
    pub fn home_links(&self) -> impl Iterator<Item = LinkId> {
        self.homes_up_links()
    }

    /// How the node is.
    pub fn status(&self) -> Status {
        Status {
            homes: self.homes_up(),
            supernodes_known: self.table.len(),
            role: self.role(),
            nat: self.nat(),
            observed: self.observed(),
            serves_at: self.own_record.as_ref().map(SupernodeRecord::address),
            candidacy: self.candidacy(),
            filtering: self.filtering(),
            load: self.own_load(),
            clock: self.clock_correction(),
            stats: self.stats,
        }
    }

    fn role(&self) -> Role {
        if self.config.supernode.is_some() { Role::Supernode } else { Role::Leaf }
    }

    fn is_supernode(&self) -> bool {
        self.config.supernode.is_some()
    }

    fn own_key(&self) -> LinkKey {
        self.link_secret.public_key()
    }

    /// Hands finished requests to those who asked, until nothing is left to hand on.
    fn settle(&mut self, now: Now) {
        while let Some((outstanding, result)) = self.finished.pop_front() {
            self.conclude(now, outstanding, result);
        }
        // A map that was used once keeps the room of eleven.
        if self.queries.is_empty() {
            self.queries = BTreeMap::new();
        }
        if self.outstanding.is_empty() {
            self.outstanding = BTreeMap::new();
        }
    }

    /// `delay`, give or take a quarter.
    fn jitter(&mut self, delay: Duration) -> Duration {
        delay.mul_f64(self.rng.random_range(0.75..1.25))
    }
}
