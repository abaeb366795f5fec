//! Some of the computers, which one thread plays while other threads play the others.
//!
//! ```text
//!   Knock ─▶ server: a name for the link      Opened ─▶ client: link up ─Up─▶ server: link up
//!     after one way                             after two ways               after three
//! ```
//!
//! A step touches nobody but the computer it happens to; what that does to others is scheduled, one latency later. So a
//! computer's steps come in the order of time and, at one time, in the order of who scheduled them and when: the same
//! order, however many shards there are. Within a slice one computer after the other takes all its steps, for there are
//! far more of them than a processor's caches hold.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use overlay::{
    node::{Effect, LinkId, Node, NodeEvent},
    outcome::{Carrier, Ends},
};
use relay::{Now, UnixTime};

use super::{
    super::queue::{Over, Queue, Scheduled, Step},
    HostId, Reported, Told, Traffic,
    ground::{Ground, address_of},
    host::{Host, State},
    liars::Way,
};

pub(super) struct Shard {
    nth: usize,
    now: Now,
    pub(super) hosts: Vec<Host>,
    queue: Queue,
    /// Whose turn it is in the slice that ends then, and its steps within it.
    turn: Option<(HostId, Instant)>,
    own: BinaryHeap<Reverse<Scheduled>>,
    /// All steps of a slice; empty between slices.
    due: Vec<Scheduled>,
    /// For each shard, what is to happen there, and when the first of it.
    pub(super) outgoing: Vec<Vec<Scheduled>>,
    pub(super) first_outgoing: Option<Instant>,
    /// From each shard, what is to happen here; empty once it is taken in.
    pub(super) incoming: Vec<Vec<Scheduled>>,
    pub(super) reports: Vec<Reported>,
    pub(super) steps: u64,
    pub(super) traffic: Traffic,
}

const DISK: Duration = Duration::from_millis(5);

/// What the lab's small proof of work takes.
const WORK: Duration = Duration::from_millis(20);

/// Steps of a search before it is given up.
const WORK_ATTEMPTS: u32 = 1_000;

impl Shard {
    /// The `nth` of `shards`.
    pub(super) fn new(nth: usize, shards: usize, began: Now) -> Self {
        Self {
            nth,
            now: began,
            hosts: Vec::new(),
            queue: Queue::new(began.instant),
            turn: None,
            own: BinaryHeap::new(),
            due: Vec::new(),
            outgoing: std::iter::repeat_with(Vec::new).take(shards).collect(),
            first_outgoing: None,
            incoming: std::iter::repeat_with(Vec::new).take(shards).collect(),
            reports: Vec::new(),
            steps: 0,
            traffic: Traffic::default(),
        }
    }

    pub(super) fn host(&self, id: HostId) -> &Host {
        &self.hosts[id / self.outgoing.len()]
    }

    pub(super) fn host_mut(&mut self, id: HostId) -> &mut Host {
        let shards = self.outgoing.len();
        &mut self.hosts[id / shards]
    }

    /// What everybody's clock shows.
    pub(super) const fn unix(&self) -> UnixTime {
        self.now.unix
    }

    /// What others have scheduled here.
    pub(super) fn take_in(&mut self) {
        let Self { incoming, queue, .. } = self;
        incoming.iter_mut().flat_map(|scheduled| scheduled.drain(..)).for_each(|next| queue.place(next));
    }

    /// When the next step is due, if that is not later than `until`.
    pub(super) fn next(&mut self, until: Instant) -> Option<Instant> {
        self.queue.next(until)
    }

    /// Lets time pass, by no more than the shortest latency from the next step on.
    pub(super) fn run_until(&mut self, ground: &Ground, until: Instant) {
        let mut due = std::mem::take(&mut self.due);
        due.extend(std::iter::from_fn(|| self.queue.due(until)));
        due.sort_unstable_by_key(|next| next.host);
        let mut steps = due.drain(..).peekable();
        while let Some(first) = steps.next() {
            let host = first.host;
            self.turn = Some((host, until));
            self.own.push(Reverse(first));
            self.own.extend(std::iter::from_fn(|| steps.next_if(|next| next.host == host)).map(Reverse));
            while let Some(Reverse(next)) = self.own.pop() {
                self.step(ground, next);
            }
        }
        drop(steps);
        (self.turn, self.due) = (None, due);
        self.now = ground.time(until.max(self.now.instant));
    }

    fn step(&mut self, ground: &Ground, Scheduled { at, host: id, life, step, .. }: Scheduled) {
        self.now = ground.time(at);
        if ground.places[id].life != life {
            return;
        }
        if matches!(step, Step::Wake) && !self.wakes(ground, id, at) {
            return;
        }
        self.steps += u64::from(!matches!(step, Step::SwitchOn { .. } | Step::Command(_)));
        let since = at.duration_since(ground.began.instant);
        self.host_mut(id).record(since, &step);
        let now = self.now;
        if matches!(self.host(id).state, State::Hostile(_)) {
            return self.step_of_hostile(ground, id, step);
        }
        match step {
            Step::Wake => self.alive(ground, id, |node| node.handle_timeout(now)),
            Step::Knock { client, life, link } => self.knocked(ground, id, client, life, link),
            Step::Opened { link, server, far } => self.opened(ground, id, link, server, far),
            Step::Up(over) => {
                let ends = self.up(ground, id, over);
                self.alive(ground, id, |node| node.handle_link_up(now, over.link, ends));
            }
            Step::Down(over) => {
                if self.down(id, over) {
                    self.alive(ground, id, |node| node.handle_link_down(now, over.link));
                }
            }
            Step::Message { over, bytes } => {
                if self.host(id).means(over)
                    && let Some(bytes) = self.distorted(id, over.peer, bytes, Way::In)
                {
                    self.alive(ground, id, |node| node.handle_message(now, over.link, &bytes));
                }
            }
            Step::Worked { id: work, proof } => {
                self.alive(ground, id, |node| node.handle_work_done(now, work, proof));
            }
            Step::Persisted { id: persist } => {
                self.alive(ground, id, |node| node.handle_persisted(now, persist));
            }
            Step::SwitchOn { entropy, seeds } => {
                self.switch_on(id, entropy, &seeds);
                self.pump(ground, id);
            }
            Step::Command(act) => {
                self.with(ground, id, act);
            }
        }
    }

    /// From now on there is a node at a computer that is down.
    pub(super) fn switch_on(&mut self, id: HostId, entropy: [u8; 32], seeds: &[SocketAddr]) {
        let now = self.now;
        let host = self.host_mut(id);
        let State::Down { cache } = &host.state else { return };
        let identity = host.identity.clone();
        let mut node = Node::new(host.config.clone(), identity, host.secret.clone(), cache, entropy, now);
        node.restore_claims(now, host.disk.claims());
        node.add_seeds(now, seeds.iter().copied());
        host.state = State::Up(node);
    }

    fn step_of_hostile(&mut self, ground: &Ground, id: HostId, step: Step) {
        match step {
            Step::Knock { client, life, link } => self.knocked(ground, id, client, life, link),
            Step::Opened { link, server, far } => self.opened(ground, id, link, server, far),
            Step::Up(over) => {
                self.up(ground, id, over);
                self.greet_falsely(ground, id, over.link, over.peer);
            }
            Step::Down(over) => {
                self.down(id, over);
            }
            Step::Message { over, bytes } => {
                let State::Hostile(liar) = &self.host(id).state else { return };
                if self.host(id).means(over)
                    && let Some(answer) = liar.answer(self.now, &bytes, &ground.conspiracy)
                {
                    self.transmit(ground, id, over.link, answer);
                }
            }
            Step::Wake
            | Step::Worked { .. }
            | Step::Persisted { .. }
            | Step::SwitchOn { .. }
            | Step::Command(_) => {}
        }
    }

    fn greet_falsely(&mut self, ground: &Ground, id: HostId, link: LinkId, peer: HostId) {
        if let State::Hostile(liar) = &self.host(id).state {
            let hello = liar.greet(address_of(peer));
            self.transmit(ground, id, link, hello);
        }
    }

    /// Whether anything is due: what was scheduled may have been put off since.
    fn wakes(&mut self, ground: &Ground, id: HostId, at: Instant) -> bool {
        let host = self.host_mut(id);
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
                self.later(ground, due - at, id, id, Step::Wake);
                false
            }
            None => false,
        }
    }

    /// A crashed server does not answer.
    fn knocked(&mut self, ground: &Ground, server: HostId, client: HostId, life: u32, link: LinkId) {
        if ground.apart(client, server) || !self.host(server).is_up() || ground.places[client].life != life {
            return;
        }
        let host = self.host_mut(server);
        host.inbound += 1;
        let far = LinkId::Inbound(host.inbound);
        self.later(
            ground,
            ground.latency(client, server),
            server,
            client,
            Step::Opened { link, server, far },
        );
    }

    fn opened(&mut self, ground: &Ground, client: HostId, link: LinkId, server: HostId, far: LinkId) {
        let (now, key) = (self.now, ground.places[server].key);
        // It may have given up.
        let Some(expected) = self.host_mut(client).opening.remove(&link) else { return };
        if expected.is_some_and(|expected| expected != key) {
            return self.alive(ground, client, |node| node.handle_link_down(now, link));
        }
        self.traffic.links += 1;
        self.host_mut(client).links.insert(link, (server, far));
        let up = Step::Up(Over { link: far, peer: client, far: link });
        self.later(ground, ground.latency(client, server), client, server, up);
        self.greet_falsely(ground, client, link, server);
        let ends = Ends { peer: key, remote: address_of(server), carrier: Carrier::Quic };
        self.alive(ground, client, |node| node.handle_link_up(now, link, ends));
    }

    fn up(&mut self, ground: &Ground, server: HostId, over: Over) -> Ends {
        self.host_mut(server).links.insert(over.link, (over.peer, over.far));
        let peer = ground.places[over.peer].key;
        Ends { peer, remote: address_of(over.peer), carrier: Carrier::Quic }
    }

    /// Whether there was such a link.
    fn down(&mut self, id: HostId, over: Over) -> bool {
        let host = self.host_mut(id);
        let there = host.means(over);
        if there {
            host.links.remove(&over.link);
        }
        there
    }

    fn alive(&mut self, ground: &Ground, id: HostId, act: impl FnOnce(&mut Node)) {
        if let State::Up(node) = &mut self.host_mut(id).state {
            act(node);
            self.pump(ground, id);
        }
    }

    /// Gives a node that is on a command.
    pub(super) fn with<T>(
        &mut self,
        ground: &Ground,
        id: HostId,
        act: impl FnOnce(&mut Node, Now) -> T,
    ) -> Option<T> {
        let now = self.now;
        let State::Up(node) = &mut self.host_mut(id).state else { return None };
        let result = act(node, now);
        self.pump(ground, id);
        Some(result)
    }

    /// Does what a driver does.
    pub(super) fn pump(&mut self, ground: &Ground, id: HostId) {
        loop {
            let State::Up(node) = &mut self.host_mut(id).state else { return };
            if let Some(transmit) = node.poll_transmit() {
                self.transmit(ground, id, transmit.link, transmit.bytes);
            } else if let Some(effect) = node.poll_effect() {
                self.effect(ground, id, effect);
            } else if let Some(event) = node.poll_event() {
                self.event(id, event);
            } else {
                let due = node.poll_timeout().map(|(at, _)| at);
                let now = self.now.instant;
                let host = self.host_mut(id);
                let due = due.map(|at| at.max(now)).filter(|due| host.wake.is_none_or(|wake| *due < wake));
                if let Some(due) = due {
                    host.wake = Some(due);
                    self.later(ground, due - now, id, id, Step::Wake);
                }
                return;
            }
        }
    }

    fn transmit(&mut self, ground: &Ground, id: HostId, link: LinkId, bytes: Vec<u8>) {
        let Some((peer, far)) = self.host(id).links.get(&link).copied() else { return };
        self.traffic.messages += 1;
        self.traffic.bytes += bytes.len() as u64;
        if let Some(bytes) = self.distorted(id, peer, bytes, Way::Out)
            && !ground.apart(id, peer)
        {
            let over = Over { link: far, peer: id, far: link };
            self.later(ground, ground.latency(id, peer), id, peer, Step::Message { over, bytes });
        }
    }

    pub(super) fn effect(&mut self, ground: &Ground, id: HostId, effect: Effect) {
        match effect {
            Effect::OpenLink { link, address, expected, .. } => {
                self.host_mut(id).opening.insert(link, expected);
                // Nobody there: silence.
                let Some(server) = ground.listening.get(&address).copied() else { return };
                let knock = Step::Knock { client: id, life: ground.places[id].life, link };
                self.later(ground, ground.latency(id, server), id, server, knock);
            }
            Effect::CloseLink { link } => {
                let host = self.host_mut(id);
                host.opening.remove(&link);
                let Some((peer, far)) = host.links.remove(&link) else { return };
                if !ground.apart(id, peer) {
                    let down = Step::Down(Over { link: far, peer: id, far: link });
                    self.later(ground, ground.latency(id, peer), id, peer, down);
                }
            }
            Effect::Work { id: work, puzzle } => {
                // The lab's price is one attempt; should none fit, the claim stays provisional.
                let mut search = puzzle.begin();
                if let Some(proof) = (0..WORK_ATTEMPTS).find_map(|_| search.step()) {
                    self.later(ground, WORK, id, id, Step::Worked { id: work, proof });
                }
            }
            // The core ignores what it no longer waits for.
            Effect::StopWork { .. } | Effect::CloseRelay => {}
            // Nobody relays here.
            Effect::OpenRelay { .. } => {
                self.with(ground, id, |node, now| node.handle_relay(now, None));
            }
            Effect::Persist { id: persist, claim } => {
                self.host_mut(id).disk.write(&claim);
                self.later(ground, DISK, id, id, Step::Persisted { id: persist });
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

    /// `from` has this happen to `to`, here or on another shard.
    pub(super) fn later(&mut self, ground: &Ground, delay: Duration, from: HostId, to: HostId, step: Step) {
        let at = self.now.instant + delay;
        let host = self.host_mut(from);
        host.scheduled += 1;
        let order = ((from as u64) << 32) | u64::from(host.scheduled);
        let scheduled = Scheduled { at, order, host: to, life: ground.places[to].life, step };
        let shard = to % self.outgoing.len();
        if self.turn.is_some_and(|(host, until)| to == host && at <= until) {
            self.own.push(Reverse(scheduled));
        } else if shard == self.nth {
            self.queue.place(scheduled);
        } else {
            self.first_outgoing = Some(self.first_outgoing.map_or(at, |first| first.min(at)));
            self.outgoing[shard].push(scheduled);
        }
    }
}
