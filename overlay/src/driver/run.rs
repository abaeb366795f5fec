//! The one task of a node. What it waits for, most urgent first:
//!
//! 1. commands of the application,
//! 2. the core's timers,
//! 3. links: up, down, frames,
//! 4. claims that reached the disk, or did not, and room for more of them,
//! 5. proofs of work found,
//! 6. addresses found by name, on the LAN or in the Mainline DHT,
//! 7. what the relay beside us carried,
//! 8. room for events in the application's queue,
//! 9. relays that opened, and that nobody is relayed any more by one that is to close.

mod relaying;
mod telling;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use quinn::{Endpoint, VarInt};
use relay::{Now, driver::now};
use tokio::{
    net::TcpListener,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    task::{AbortHandle, JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use self::relaying::{Leaving, Retiring};
use super::{
    Event, StartError,
    beside::{Beside, RelayDoor, Standby},
    bootstrap,
    handle::Command,
    lan::Lan,
    link::{LinkEvent, Opened},
    mainline::Rendezvous,
    quic::{self, Pulse},
    reach::{Reach, Target, UdpVerdict},
    storage::{Outcome, WRITE_QUEUE, Writer},
    tcp::{self, Doors, Numbers},
    tls::Tls,
    work::{self, Work},
};
use crate::{
    claim::Claim,
    config::Network,
    error::{LookupError, RegisterError, RelaysError, SendError},
    identity::LinkKey,
    node::{Answer, Effect, LinkId, Node, NodeEvent, PersistId, QueryId, WorkId},
    outcome::{Carrier, Lookup, Registration, RelayOffer, Status, Traffic},
    wire::RelayUsage,
    work::Proof,
};

/// What a runner is made of.
pub(super) struct Parts {
    pub(super) node: Node,
    pub(super) endpoint: Endpoint,
    pub(super) tls: Tls,
    pub(super) accepting: Accepting,
    pub(super) relay: Option<Beside>,
    /// How a volunteer's relay is opened.
    pub(super) standby: Option<Standby>,
    pub(super) store: Option<Writer>,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) backlog: Vec<Event>,
    pub(super) publish: watch::Sender<Status>,
}

/// Whose links are accepted; of who serves nobody, the core closes those of all but strangers who try whether they reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepting {
    Everybody,
    Nobody,
}

/// The task's state.
pub(super) struct Runner {
    node: Node,
    reach: Reach,
    udp: UdpVerdict,
    accepted: Numbers,
    relay: Option<Beside>,
    relay_door: watch::Sender<Option<RelayDoor>>,
    standby: Option<Standby>,
    opened: mpsc::Sender<Result<Beside, StartError>>,
    relays: mpsc::Receiver<Result<Beside, StartError>>,
    /// A relay that takes nobody new.
    retiring: Option<Retiring>,
    leaving: Option<Leaving>,
    inbox: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    backlog: VecDeque<Event>,
    publish: watch::Sender<Status>,
    links: BTreeMap<LinkId, Slot>,
    /// What carries each link whose task runs; those that say goodbye stand here and no longer in `links`.
    carriers: BTreeMap<LinkId, Carrier>,
    /// How those of them do that say so.
    pulses: BTreeMap<LinkId, Pulse>,
    /// Without the links that are up.
    traffic: Traffic,
    link_inbox: mpsc::Receiver<LinkEvent>,
    replies: BTreeMap<QueryId, Reply>,
    to_disk: VecDeque<(PersistId, Box<Claim>)>,
    disk: Option<mpsc::Sender<(PersistId, Box<Claim>)>>,
    /// Ends by itself when the sender is gone.
    writer: Option<JoinHandle<()>>,
    keeps: Keeps,
    written: mpsc::Receiver<Outcome>,
    found: mpsc::Sender<Vec<SocketAddr>>,
    addresses: mpsc::Receiver<Vec<SocketAddr>>,
    works: BTreeMap<WorkId, Work>,
    work_reports: mpsc::Sender<(WorkId, Proof)>,
    worked: mpsc::Receiver<(WorkId, Proof)>,
    /// Ends everything it owns when dropped.
    tasks: JoinSet<()>,
    lan: Option<Lan>,
}

/// A link as the driver sees it.
enum Slot {
    Opening(AbortHandle),
    Up(mpsc::Sender<Vec<u8>>),
}

/// What lasts of the claims held.
#[derive(Debug, Clone, Copy)]
enum Keeps {
    OnDisk,
    InMemory,
}

/// Who waits for a command.
enum Reply {
    Register(oneshot::Sender<Result<Registration, RegisterError>>),
    Lookup(oneshot::Sender<Result<Lookup, LookupError>>),
    Send(oneshot::Sender<Result<(), SendError>>),
    Reachable(oneshot::Sender<Result<bool, LookupError>>),
    Relays(oneshot::Sender<Result<Vec<RelayOffer>, RelaysError>>),
}

/// Link events waiting for the node; when full, links wait.
const LINK_EVENTS: usize = 1_024;

/// Found addresses waiting for the node; when full, finders wait.
const FOUND_ADDRESSES: usize = 16;

/// Proofs waiting for the node; when full, their finders wait.
const WORK_REPORTS: usize = 4;

/// Events kept for an application that does not take them; beyond it envelopes are dropped.
const BACKLOG: usize = 1_024;

/// How often the relay is asked which allocations have ended; it keeps what ends meanwhile, up to a bound of its own.
const RELAY_ROUND: Duration = Duration::from_secs(2);

/// How long links may take to say goodbye.
const GOODBYE: Duration = Duration::from_millis(800);

/// Whether a link was given up in the moment it came up. One that was accepted and is over already has said all it had to,
/// a nonce, say, before we got round to it; its end is told, too.
fn is_given_up(link: LinkId, outbox: &mpsc::Sender<Vec<u8>>) -> bool {
    matches!(link, LinkId::Outbound(_)) && outbox.is_closed()
}

impl Runner {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { node, endpoint, tls, accepting, relay, standby, store, inbox, events, backlog, publish } =
            parts;
        let (opened, relays) = mpsc::channel(1);
        let (link_events, link_inbox) = mpsc::channel(LINK_EVENTS);
        let (found, addresses) = mpsc::channel(FOUND_ADDRESSES);
        let (report, written) = mpsc::channel(WRITE_QUEUE);
        let (work_reports, worked) = mpsc::channel(WORK_REPORTS);
        let mut tasks = JoinSet::new();
        let accepted = Numbers::default();
        let (disk, writer) = store
            .map(|store| {
                let (disk, claims) = mpsc::channel(WRITE_QUEUE);
                (disk, tokio::task::spawn_blocking(move || store.run(claims, &report)))
            })
            .unzip();
        if accepting == Accepting::Everybody {
            tasks.spawn(quic::accept(endpoint.clone(), accepted.clone(), link_events.clone()));
        }
        Self {
            node,
            reach: Reach { endpoint, tls, events: link_events },
            udp: UdpVerdict::default(),
            accepted,
            relay_door: watch::Sender::new(relay.as_ref().map(|beside| beside.door.clone())),
            relay,
            standby,
            opened,
            relays,
            retiring: None,
            leaving: None,
            inbox,
            events,
            backlog: backlog.into(),
            publish,
            links: BTreeMap::new(),
            carriers: BTreeMap::new(),
            pulses: BTreeMap::new(),
            traffic: Traffic::default(),
            link_inbox,
            replies: BTreeMap::new(),
            to_disk: VecDeque::new(),
            disk,
            writer,
            keeps: Keeps::InMemory,
            written,
            found,
            addresses,
            works: BTreeMap::new(),
            work_reports,
            worked,
            tasks,
            lan: None,
        }
    }

    /// Accepts links and the relay's clients over TCP too.
    pub(super) fn accept_tcp(
        &mut self,
        listeners: Vec<TcpListener>,
        links: &Arc<rustls::ServerConfig>,
        network: Network,
    ) {
        for listener in listeners {
            let doors = Doors { network, links: links.clone(), relay: self.relay_door.subscribe() };
            let (numbers, events) = (self.accepted.clone(), self.reach.events.clone());
            self.tasks.spawn(tcp::accept(listener, doors, numbers, events));
        }
    }

    /// Keeps resolving names.
    pub(super) fn resolve(&mut self, bootstrap: &[String]) {
        for host in bootstrap.iter().filter(|text| text.parse::<SocketAddr>().is_err()) {
            self.tasks.spawn(bootstrap::resolve(host.clone(), self.found.clone()));
        }
    }

    /// Looks for supernodes on the LAN and announces ourselves.
    pub(super) fn look_around(&mut self, network: Network, announce: Option<(LinkKey, SocketAddr)>) {
        self.lan = Lan::start(network, announce);
    }

    /// Looks for supernodes in the Mainline DHT when there are none elsewhere, and announces ourselves there.
    pub(super) fn meet(&mut self, rendezvous: Option<Rendezvous>) {
        if let Some(rendezvous) = rendezvous {
            self.tasks.spawn(rendezvous.run(self.publish.subscribe(), self.found.clone()));
        }
    }

    pub(super) async fn run(mut self) {
        // Beside `self`, so that waiting for room does not borrow it.
        let (disk, events) = (self.disk.take(), self.events.clone());
        self.keeps = if disk.is_some() { Keeps::OnDisk } else { Keeps::InMemory };
        let mut rounds = interval(RELAY_ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let done = loop {
            self.drain();
            let due = self.node.poll_timeout().map(|(at, _)| Instant::from_std(at));
            let retire_at = self.retiring.as_ref().map(Retiring::look_at);
            let look_at = self.leaving.as_ref().map(Leaving::look_at);
            tokio::select! {
                biased;
                command = self.inbox.recv() => match command {
                    Some(Command::Shutdown(reply)) => break Some(reply),
                    Some(Command::Drain(within, reply)) => self.leave(within, reply),
                    Some(command) => self.command(command),
                    None => break None,
                },
                () = sleep_until(due.unwrap_or_else(far)), if due.is_some() => self.node.handle_timeout(self.now()),
                Some(event) = self.link_inbox.recv() => self.link(event),
                Some(outcome) = self.written.recv() => match outcome {
                    Outcome::Written(id) => self.node.handle_persisted(self.now(), id),
                    Outcome::Failed(id) => self.node.handle_persist_failed(self.now(), id),
                },
                Some(permit) = reserve(disk.as_ref()), if !self.to_disk.is_empty() => {
                    if let Some(claim) = self.to_disk.pop_front() {
                        permit.send(claim);
                    }
                }
                Some((id, proof)) = self.worked.recv() => {
                    self.works.remove(&id);
                    self.node.handle_work_done(self.now(), id, proof);
                }
                Some(found) = self.addresses.recv() => self.node.add_seeds(self.now(), found),
                _ = rounds.tick(), if self.relay.is_some() || self.retiring.is_some() => self.collect_receipts(),
                permit = events.reserve(), if !self.backlog.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.backlog.pop_front() {
                            permit.send(event);
                        }
                    }
                    // The application does not listen: the node serves on.
                    Err(_) => self.backlog.clear(),
                },
                Some(opened) = self.relays.recv() => self.relay_opened(opened),
                () = sleep_until(retire_at.unwrap_or_else(far)), if retire_at.is_some() => self.retire().await,
                () = sleep_until(look_at.unwrap_or_else(far)), if look_at.is_some() => {
                    if let Some(done) = self.left() {
                        break Some(done);
                    }
                }
                Some(_) = self.tasks.join_next() => {}
            }
        };
        drop((disk, events));
        self.finish().await;
        if let Some(done) = done {
            // The asker may be gone.
            let _ = done.send(());
        }
    }

    /// This machine's clocks, the wall clock set right by what supernodes say.
    fn now(&self) -> Now {
        let machine = now();
        Now { unix: self.node.clock_correction().added_to(machine.unix), ..machine }
    }

    /// Those who were relayed are asked to sign for it.
    fn collect_receipts(&mut self) {
        let retiring = self.retiring.as_ref().map(Retiring::beside);
        let serving = self.relay.iter().chain(retiring);
        let receipts: Vec<_> = serving.flat_map(|beside| beside.server.receipts()).collect();
        for receipt in receipts {
            let usage = RelayUsage {
                seconds: u32::try_from(receipt.lasted.as_secs()).unwrap_or(u32::MAX),
                bytes: receipt.bytes_to_peers.saturating_add(receipt.bytes_to_client),
            };
            self.node.handle_relayed(self.now(), &receipt.username, usage);
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        let (query, reply) = match command {
            Command::SetPresenceSecret(secret) => return self.node.set_presence_secret(now, secret),
            Command::Watch(contacts) => return self.node.watch(now, contacts),
            Command::Look(who) => return self.node.look(now, who),
            Command::SetRecovery(recovery) => return self.node.set_recovery(now, recovery),
            Command::Rotate(to, reply) => {
                // Whoever asked may be gone.
                let _ = reply.send(self.node.rotate(&to));
                return;
            }
            Command::Inherit(inheritance, reply) => {
                (self.node.inherit(now, *inheritance), Reply::Register(reply))
            }
            Command::Recover(name, from, key, reply) => {
                (self.node.recover(now, name, from, key), Reply::Register(reply))
            }
            Command::Register(name, reply) => (self.node.register(now, name), Reply::Register(reply)),
            Command::Lookup(name, reply) => (self.node.lookup(now, name), Reply::Lookup(reply)),
            Command::Send(to, payload, reply) => (self.node.send(now, to, payload), Reply::Send(reply)),
            Command::Leave(to, payload, reply) => {
                (self.node.leave_word(now, to, payload), Reply::Send(reply))
            }
            Command::Reachable(to, reply) => (self.node.reachable(now, to), Reply::Reachable(reply)),
            Command::Relays(wish, reply) => (self.node.relays(now, wish), Reply::Relays(reply)),
            Command::SetConditions(conditions) => return self.node.set_conditions(now, conditions),
            Command::Relayed { node, time, bytes } => {
                return self.node.count_relayed(now, node, time, bytes);
            }
            Command::Hints(hints) => return self.node.add_hints(now, hints),
            Command::Report(reply) => {
                // Whoever asked may be gone.
                let _ = reply.send(self.report_now());
                return;
            }
            Command::Ring(reply) => {
                let _ = reply.send(self.ring_now());
                return;
            }
            // Taken by the loop.
            Command::Drain(..) | Command::Shutdown(_) => return,
        };
        self.replies.insert(query, reply);
    }

    fn link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { link, outbox, .. } if is_given_up(link, &outbox) => {}
            LinkEvent::Up { link, opened: Opened { ends, udp, pulse }, outbox } => {
                let now = self.now();
                let over_quic = self.carriers.values().filter(|carrier| **carrier == Carrier::Quic).count();
                self.udp.learn(now.instant, ends.remote, udp, over_quic);
                self.traffic.opened += 1;
                self.carriers.insert(link, ends.carrier);
                self.pulses.extend(pulse.map(|pulse| (link, pulse)));
                self.links.insert(link, Slot::Up(outbox));
                self.node.handle_link_up(now, link, ends);
            }
            LinkEvent::Message { link, bytes } => {
                self.traffic.frames_in += 1;
                self.traffic.bytes_in += bytes.len() as u64;
                self.node.handle_message(self.now(), link, &bytes);
            }
            LinkEvent::Down { link } => {
                self.links.remove(&link);
                self.carriers.remove(&link);
                self.pulses.remove(&link);
                self.node.handle_link_down(self.now(), link);
            }
        }
    }

    /// Does what the core wants done: messages first, so that a last word precedes the closing.
    fn drain(&mut self) {
        loop {
            while let Some(transmit) = self.node.poll_transmit() {
                let Some(Slot::Up(outbox)) = self.links.get(&transmit.link) else { continue };
                self.traffic.frames_out += 1;
                self.traffic.bytes_out += transmit.bytes.len() as u64;
                // Of one that is gone its last frames and its end are still to be told, in this order.
                if let Err(TrySendError::Full(_)) = outbox.try_send(transmit.bytes) {
                    self.links.remove(&transmit.link);
                    self.node.handle_link_down(self.now(), transmit.link);
                }
            }
            let Some(effect) = self.node.poll_effect() else { break };
            self.effect(effect);
        }
        while let Some(event) = self.node.poll_event() {
            self.report(event);
        }
        let status = self.node.status();
        self.look_on_the_lan_while_needed(status);
        self.publish.send_if_modified(|old| std::mem::replace(old, status) != status);
    }

    fn look_on_the_lan_while_needed(&mut self, status: Status) {
        let Some(lan) = &mut self.lan else { return };
        if status.homes > 0 && status.supernodes_known > 0 {
            lan.rest();
        } else if let Some(browser) = lan.look() {
            self.tasks.spawn(browser.run(self.found.clone()));
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::OpenLink { link, address, ways, expected } => {
                let target = Target { link, address, ways, expected };
                let order = self.udp.order(self.now().instant);
                let task = self.tasks.spawn(self.reach.clone().open(target, order));
                self.links.insert(link, Slot::Opening(task));
            }
            Effect::CloseLink { link } => {
                // Dropping the outbox flushes and closes.
                if let Some(Slot::Opening(task)) = self.links.remove(&link) {
                    task.abort();
                }
            }
            Effect::Work { id, puzzle } => {
                let (work, job) = work::begin(id, puzzle, self.work_reports.clone());
                self.works.insert(id, work);
                self.tasks.spawn_blocking(job);
            }
            Effect::OpenRelay { public_ip } => self.open_relay(public_ip),
            Effect::CloseRelay => self.close_relay(),
            Effect::StopWork { id } => drop(self.works.remove(&id)),
            Effect::Persist { id, claim } => match self.keeps {
                Keeps::OnDisk => self.to_disk.push_back((id, claim)),
                Keeps::InMemory => self.node.handle_persisted(self.now(), id),
            },
        }
    }

    fn report(&mut self, event: NodeEvent) {
        let event = match event {
            NodeEvent::Online { homes, nat } => Event::Online { homes, nat },
            NodeEvent::Role(role) => Event::Role(role),
            NodeEvent::Address { ip, since } => Event::Address { ip, since },
            NodeEvent::Offline { reason } => Event::Offline { reason },
            NodeEvent::Envelope { from, sent, payload } => Event::Envelope { from, sent, payload },
            NodeEvent::Letter { from, sent, payload } => Event::Letter { from, sent, payload },
            NodeEvent::Presence { who, seen } => Event::Presence { who, seen },
            NodeEvent::NameHeld(registration) => Event::NameHeld(registration),
            NodeEvent::NameLost { name, by } => Event::NameLost { name, by },
            NodeEvent::NameContested { name, by } => Event::NameContested { name, by },
            // The handle's lookup returns the union.
            NodeEvent::Found { .. } => return,
            NodeEvent::CacheChanged => Event::Cache(self.node.cache()),
            NodeEvent::Answer { query, answer } => return self.answer(query, answer),
        };
        if self.backlog.len() < BACKLOG || !matches!(event, Event::Envelope { .. } | Event::Letter { .. }) {
            self.backlog.push_back(event);
        } else {
            tracing::warn!("the application does not take its events: envelope dropped");
        }
    }

    fn answer(&mut self, query: QueryId, answer: Answer) {
        let Some(reply) = self.replies.remove(&query) else { return };
        // Whoever asked may be gone.
        let _ = match (reply, answer) {
            (Reply::Register(reply), Answer::Registered(result)) => reply.send(result).is_ok(),
            (Reply::Lookup(reply), Answer::LookedUp(result)) => reply.send(result).is_ok(),
            (Reply::Send(reply), Answer::Sent(result)) => reply.send(result).is_ok(),
            (Reply::Reachable(reply), Answer::Reachable(result)) => reply.send(result).is_ok(),
            (Reply::Relays(reply), Answer::Relays(result)) => reply.send(result).is_ok(),
            _ => false,
        };
    }

    /// Says goodbye and ends everything.
    async fn finish(mut self) {
        self.node.shutdown(self.now());
        self.drain();
        self.lan = None;
        self.links.clear();
        self.pulses.clear();
        let Reach { endpoint, .. } = self.reach;
        let goodbye = async {
            while !self.carriers.is_empty() {
                match self.link_inbox.recv().await {
                    Some(LinkEvent::Down { link }) => drop(self.carriers.remove(&link)),
                    Some(LinkEvent::Up { .. } | LinkEvent::Message { .. }) => {}
                    None => break,
                }
            }
        };
        // A peer that does not answer is left alone.
        let _ = timeout(GOODBYE, goodbye).await;
        self.tasks.abort_all();
        endpoint.close(VarInt::from_u32(0), b"");
        let _ = timeout(GOODBYE, endpoint.wait_idle()).await;
        let retiring = self.retiring.map(Retiring::into_inner);
        for beside in self.relay.into_iter().chain(retiring) {
            beside.server.shutdown().await;
        }
        // Nobody takes its reports any more: it ends, and closes the database.
        drop(self.written);
        if let Some(writer) = self.writer {
            let _ = writer.await;
        }
    }
}

/// Room in the disk's queue; never, without a disk.
async fn reserve<T>(queue: Option<&mpsc::Sender<T>>) -> Option<mpsc::Permit<'_, T>> {
    match queue {
        Some(queue) => queue.reserve().await.ok(),
        None => std::future::pending().await,
    }
}

/// A time that is never waited for: the branch it stands in is switched off.
fn far() -> Instant {
    Instant::from_std(now().instant) + Duration::from_secs(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_link_that_is_over_at_once_is_still_told_of_and_one_given_up_is_not() {
        let (outbox, frames) = mpsc::channel(1);
        assert!(!is_given_up(LinkId::Outbound(1), &outbox));
        drop(frames);
        assert!(is_given_up(LinkId::Outbound(1), &outbox));
        assert!(!is_given_up(LinkId::Inbound(1), &outbox), "what came over it counts");
    }
}
