//! One thread of the fast path: its listening socket, its share of the relayed ports, and a loop that neither allocates
//! nor copies for a payload.
//!
//! ```text
//!   recvmmsg(listener) ──► decide ──► to a peer: send from its relayed port, where it lies
//!                                ├──► to a client here: header in place ──► sendmmsg(listener)
//!                                └──► a request: write lock, Server::handle_client
//!   recvmmsg(relayed)  ──► decide ──► header in place ──► sendmmsg(listener)
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::batch::{Batch, SLOTS};
use super::hub::{Hub, LISTENER, WAKE, port_slot};
use super::now;
use crate::server::{AllocationId, Client, Lead, Onward, Stats};
use crate::wire::TransactionId;

/// Sockets reported ready at one time; the rest are reported next time.
const EVENTS: usize = 256;
/// Full batches read from the listening socket before relayed ports have their turn.
const ROUNDS: usize = 4;
/// Datagrams read from one relayed port before the others have their turn.
const FROM_ONE_PORT: usize = 8;
/// How often the thread that does so looks for what has expired, while there is anything.
const TICK: Duration = Duration::from_secs(1);
/// The same while there is nothing.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct Shard {
    hub: Arc<Hub>,
    index: usize,
    poll: Poll,
    batch: Batch,
    rng: StdRng,
    tally: Stats,
    listener: Readiness,
    /// Slots of relayed ports with something to read.
    ready: Vec<usize>,
    again: Vec<usize>,
    leads: Vec<Lead>,
    onward: Vec<(usize, Onward)>,
    control: Vec<usize>,
    checks: Vec<(AllocationId, usize)>,
    next_tick: Instant,
}

/// Readiness is told once: until a socket was read empty it stays ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Empty,
    Ready,
}

impl Shard {
    pub(super) fn new(hub: Arc<Hub>, index: usize, poll: Poll, seed: [u8; 32]) -> Self {
        Self {
            index,
            poll,
            batch: Batch::new(hub.family),
            rng: StdRng::from_seed(seed),
            tally: Stats::default(),
            listener: Readiness::Ready,
            ready: Vec::with_capacity(2 * EVENTS),
            again: Vec::with_capacity(2 * EVENTS),
            leads: Vec::with_capacity(SLOTS),
            onward: Vec::with_capacity(SLOTS),
            control: Vec::with_capacity(SLOTS),
            checks: Vec::with_capacity(SLOTS),
            next_tick: now().instant,
            hub,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = match (self.listener, self.ready.is_empty()) {
                (Readiness::Empty, true) => self.sleep(),
                _ => Some(Duration::ZERO),
            };
            // An interrupted wait is as good as one that found nothing.
            let waited = self.poll.poll(&mut events, timeout);
            if self.hub.is_stopped() {
                break;
            }
            if waited.is_ok() {
                for event in &events {
                    match event.token() {
                        LISTENER => self.listener = Readiness::Ready,
                        WAKE => {}
                        // When there is no room the next datagram tells again.
                        token if self.ready.len() < 2 * EVENTS => self.ready.extend(port_slot(token)),
                        _ => {}
                    }
                }
            }
            self.read_listener();
            self.read_ports();
            self.tick();
            self.publish();
        }
    }

    /// Only the first thread looks for what has expired; the others sleep until there is something to do.
    fn sleep(&self) -> Option<Duration> {
        (self.index == 0).then(|| self.next_tick.saturating_duration_since(now().instant))
    }

    fn tick(&mut self) {
        let at = now();
        if self.index != 0 || at.instant < self.next_tick {
            return;
        }
        let has_allocations = self.hub.control(0, |server| {
            server.handle_timeout(at);
            server.poll_timeout().is_some()
        });
        self.next_tick = at.instant + if has_allocations { TICK } else { IDLE };
    }

    fn publish(&mut self) {
        if self.tally != Stats::default() {
            self.hub.count(self.index, &self.tally);
            self.tally = Stats::default();
        }
    }

    fn read_listener(&mut self) {
        let hub = Arc::clone(&self.hub);
        let Some(thread) = hub.thread(self.index) else { return };
        for _ in 0..ROUNDS {
            if self.listener == Readiness::Empty {
                return;
            }
            self.batch.clear();
            let received = self.batch.receive(&thread.listener, SLOTS);
            if received.len() < SLOTS {
                self.listener = Readiness::Empty;
            }
            if received.is_empty() {
                return;
            }
            self.pass_on(&hub, received);
            self.batch.flush(&thread.listener);
            self.requests(&hub);
        }
    }

    /// All decisions of a batch are taken before the first packet leaves: no system call in between pushes what the next
    /// decision needs out of the cache.
    fn pass_on(&mut self, hub: &Hub, received: std::ops::Range<usize>) {
        let at = now().instant;
        let state = hub.read();
        self.leads.clear();
        self.leads.extend(received.clone().map(|slot| state.server.lead(Client::udp(self.batch.from(slot)))));
        state.server.follow(&self.leads).for_each(|slot| state.touch(slot));
        for (slot, lead) in received.zip(&self.leads) {
            let Some((from, datagram)) = self.batch.datagram(slot) else {
                self.tally.malformed += 1;
                continue;
            };
            let whose = (*lead, Client::udp(from));
            match state.server.forward_by_lead(at, whose, datagram, &mut self.tally) {
                Onward::Dropped => {}
                Onward::Control => self.control.push(slot),
                onward => self.onward.push((slot, onward)),
            }
        }
        for (slot, onward) in self.onward.drain(..) {
            match onward {
                Onward::Dropped | Onward::Control => {}
                Onward::ToPeer(id, peer, payload) => {
                    let Some((_, datagram)) = self.batch.datagram(slot) else { continue };
                    state.send_to_peer(id, peer, &datagram[payload]);
                }
                Onward::ToClient(client, header, payload) => {
                    let transaction = TransactionId(random(&mut self.rng, header));
                    let Some(whole) = self.batch.wrap(slot, payload, header, transaction) else { continue };
                    match client.stream {
                        None => self.batch.queue(whole, client.address),
                        Some(stream) => state.to_stream(stream, self.batch.bytes(whole).to_vec()),
                    }
                }
            }
        }
    }

    /// Requests change something: they wait for the write lock, all of a batch at once.
    fn requests(&mut self, hub: &Hub) {
        if self.control.is_empty() {
            return;
        }
        let at = now();
        for slot in self.control.drain(..) {
            let Some((from, datagram)) = self.batch.datagram(slot) else { continue };
            hub.control(self.index, |server| server.handle_client(at, from, datagram));
        }
    }

    fn read_ports(&mut self) {
        let hub = Arc::clone(&self.hub);
        let Some(thread) = hub.thread(self.index) else { return };
        while !self.ready.is_empty() {
            self.batch.clear();
            let at = now().instant;
            let state = hub.read();
            while self.batch.room() >= FROM_ONE_PORT {
                let Some(slot) = self.ready.pop() else { break };
                let Some((id, sockets)) = state.ports_in(slot) else { continue };
                let first = SLOTS - self.batch.room();
                let mut last = first;
                for socket in sockets.into_iter().flatten() {
                    let received = self.batch.receive(socket, FROM_ONE_PORT / 2);
                    if received.len() == FROM_ONE_PORT / 2 && self.again.len() < EVENTS {
                        self.again.push(slot);
                    }
                    last = received.end;
                }
                for entry in first..last {
                    let Some((from, payload)) = self.batch.datagram(entry) else {
                        self.tally.malformed += 1;
                        continue;
                    };
                    match state.server.forward_from_peer(at, id, from, payload, &mut self.tally) {
                        Onward::Dropped | Onward::ToPeer(..) => {}
                        Onward::Control => self.checks.push((id, entry)),
                        Onward::ToClient(client, header, payload) => {
                            let transaction = TransactionId(random(&mut self.rng, header));
                            let Some(whole) = self.batch.wrap(entry, payload, header, transaction) else {
                                continue;
                            };
                            match client.stream {
                                None => self.batch.queue(whole, client.address),
                                Some(stream) => state.to_stream(stream, self.batch.bytes(whole).to_vec()),
                            }
                        }
                    }
                }
            }
            drop(state);
            self.batch.flush(&thread.listener);
            let at = now();
            for (id, entry) in self.checks.drain(..) {
                let Some((from, payload)) = self.batch.datagram(entry) else { continue };
                hub.control(self.index, |server| server.handle_peer(at, id, from, payload));
            }
        }
        self.ready.append(&mut self.again);
    }
}

/// A Data indication needs a transaction id, ChannelData none.
fn random(rng: &mut StdRng, header: crate::wire::DataHeader) -> [u8; 12] {
    let mut transaction = [0; 12];
    if matches!(header, crate::wire::DataHeader::Indication(_)) {
        rng.fill_bytes(&mut transaction);
    }
    transaction
}
