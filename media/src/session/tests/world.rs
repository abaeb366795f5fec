//! Two ends of a call, translators, relays and a seeded network between them, in virtual time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use relay::nat::Uplink;
use relay::{Now, UnixTime};

use crate::bitrate::Bitrate;
use crate::session::call::PeerKind;
use crate::session::description::{Candidate, Description};
use crate::session::fixture::origin;
use crate::session::line::{Line, LineEvent};
use crate::session::path::SocketId;
use crate::session::path::streams::StreamEvent;
use crate::session::sdp::Role;
use crate::session::{AddressScope, PathPolicy, RelayServer, RelaysWanted};
use crate::voice::Transmission;
use crate::voice::virtual_clock::VirtualVoice;

use super::relays::TestRelay;
use super::signal::speech;
use super::translator::{Ports, Translator};
use super::video::VirtualVideo;
use super::wires::Wires;

pub(super) const MS: Duration = Duration::from_millis(1);
/// Relays offered to a call when it begins.
const OFFERED_FIRST: usize = 2;
const TICK: Duration = Duration::from_millis(10);

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) latency: Duration,
    /// How long descriptions and candidates travel.
    pub(super) signalling: Duration,
    /// How long it rings; without, the description of the other end is its answer.
    pub(super) rings: Duration,
    pub(super) jitter: Duration,
    pub(super) loss: f64,
    pub(super) policy: [PathPolicy; 2],
    pub(super) nat: [Uplink; 2],
    pub(super) ports: Ports,
    /// How many there are; two are offered at the start, the others when more are wanted.
    pub(super) relays: usize,
    /// How long their credentials last.
    pub(super) credentials: Duration,
    /// Whether the owner finds other credentials when they end.
    pub(super) renews: bool,
    /// Seconds each end speaks, once connected.
    pub(super) speech: usize,
    /// What all datagrams of an end pass.
    pub(super) bottleneck: Option<Bottleneck>,
}

/// A narrow way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bottleneck {
    pub(super) rate: Bitrate,
    /// What would wait longer is lost.
    pub(super) queue: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            latency: 40 * MS,
            signalling: 60 * MS,
            rings: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            policy: [PathPolicy::Any; 2],
            nat: [Uplink::Open; 2],
            ports: Ports::ByLot,
            relays: 0,
            credentials: Duration::from_secs(600),
            renews: true,
            speech: 0,
            bottleneck: None,
        }
    }
}

pub(super) struct End {
    pub(super) line: Line,
    pub(super) voice: VirtualVoice,
    pub(super) video: VirtualVideo,
    /// When the bottleneck has passed on all that is in it.
    passes: Instant,
    /// When datagrams came to it, and how long they waited.
    waited: Vec<(Instant, Duration)>,
    pub(super) said: Vec<f32>,
    pub(super) sockets: Vec<SocketAddr>,
    /// Those of them that are open beside others, to guess with; and how many at most there were.
    pub(super) beside: BTreeSet<SocketId>,
    pub(super) most_beside: usize,
    /// The address of the computer.
    pub(super) inside: IpAddr,
    /// Relays it has sockets towards.
    pub(super) towards: Vec<SocketAddr>,
    pub(super) translator: Translator,
    next_tick: Option<Instant>,
    /// Every event, with its time since the start.
    pub(super) log: Vec<(Duration, LineEvent)>,
}

/// A datagram seen on the wire.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) payload: Vec<u8>,
}

pub(super) enum Arrival {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        payload: Vec<u8>,
    },
    Offer(Description),
    /// What will be the answer, while it rings.
    Prepared(Description),
    /// Somebody picks up, and sends this.
    PickUp(Description),
    Answer(Description),
    Candidate(usize, Candidate),
    /// Relays for an end.
    Relays(usize, Vec<RelayServer>),
    /// News of a connection, for an end.
    FromWire(usize, SocketId, StreamEvent),
    /// Bytes of a connection, for its relay.
    ToWire(usize, SocketId, Vec<u8>),
}

pub(super) struct World {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) ends: [End; 2],
    pub(super) plan: Plan,
    random: StdRng,
    under_way: BTreeMap<(Instant, u64), Arrival>,
    counter: u64,
    pub(super) relays: Vec<TestRelay>,
    pub(super) wires: Wires,
    answered: bool,
    early: VecDeque<Candidate>,
    /// Changes descriptions under way.
    pub(super) tamper: Option<fn(&mut Description)>,
    /// Nothing arrives any more.
    pub(super) dark: bool,
    /// Everything sent, once it is watched: when, from, to, and what.
    pub(super) wire: Option<Vec<Sent>>,
    /// Nothing arrives any more but through a relay.
    pub(super) direct_dead: bool,
    /// No STUN arrives: whoever is asked does not answer.
    pub(super) unanswered: bool,
    /// Takes what arrives for an end while it stalls: until then it does nothing at all.
    pub(super) stalls: [Option<Instant>; 2],
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let start = origin();
        let mut random = StdRng::seed_from_u64(plan.seed);
        let relays: Vec<TestRelay> =
            (0..plan.relays).map(|nth| TestRelay::new(nth, random.random(), moment(start, start))).collect();
        let ends = [0, 1].map(|who| {
            let (inside, outside): (IpAddr, IpAddr) = match (plan.nat[who], who) {
                (Uplink::Open, 0) => (ip("90.0.113.1"), ip("90.0.113.1")),
                (Uplink::Open, _) => (ip("90.0.113.2"), ip("90.0.113.2")),
                (_, 0) => (ip("10.0.1.5"), ip("90.0.113.101")),
                (_, _) => (ip("10.0.2.5"), ip("90.0.113.102")),
            };
            let (role, policy) = ([Role::Offer, Role::Answer][who], plan.policy[who]);
            let mut line =
                Line::new(start, role, PeerKind::Silbo, policy, AddressScope::Public, random.random())
                    .unwrap();
            let mut sockets = Vec::new();
            if line.wants_interface(inside) {
                let local = SocketAddr::new(inside, 5000);
                line.add_interface(start, SocketId(sockets.len() as u32), local);
                sockets.push(local);
            }
            let offers = relays.iter().take(OFFERED_FIRST);
            let offers: Vec<_> =
                offers.map(|relay| relay.offer(moment(start, start), who, plan.credentials)).collect();
            line.offer_relays(start, &offers);
            let said = speech(who, plan.speech);
            let translator = Translator::new(plan.nat[who], plan.ports, who, outside, plan.seed);
            let voice = VirtualVoice::new(said.clone(), start).unwrap();
            End {
                line,
                voice,
                video: VirtualVideo::new(start),
                passes: start,
                waited: Vec::new(),
                said,
                sockets,
                beside: BTreeSet::new(),
                most_beside: 0,
                inside,
                towards: Vec::new(),
                translator,
                next_tick: None,
                log: Vec::new(),
            }
        });
        let mut world = Self {
            start,
            now: start,
            ends,
            plan,
            random,
            under_way: BTreeMap::new(),
            counter: 0,
            relays,
            wires: Wires::default(),
            answered: false,
            early: VecDeque::new(),
            tamper: None,
            dark: false,
            wire: None,
            direct_dead: false,
            unanswered: false,
            stalls: [None; 2],
        };
        world.settle();
        world
    }

    /// The caller offers; everything else follows.
    pub(super) fn dial(&mut self) {
        let offer = self.ends[0].line.offer(self.now).unwrap();
        self.signal(Arrival::Offer(offer));
        self.settle();
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        let until = self.now + time;
        self.run_until(until, |_| false);
        self.now = until;
    }

    /// Runs until `done`, for at most `limit`; whether it was.
    pub(super) fn run_while_not(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        self.run_until(self.now + limit, done)
    }

    fn run_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            let mut next = self.under_way.keys().next().map(|(at, _)| *at);
            for (end, stall) in self.ends.iter_mut().zip(self.stalls) {
                let films = end.next_tick.map(|_| end.video.next);
                let own = [end.line.poll_timeout().map(|(at, _)| at), end.next_tick, films];
                let own = own.into_iter().flatten().min().map(|at| stall.map_or(at, |until| until.max(at)));
                next = [next, own].into_iter().flatten().min();
            }
            let Some(next) = next.map(|next| next.max(self.now)).filter(|next| *next <= until) else {
                return false;
            };
            self.now = next;
            for stall in &mut self.stalls {
                *stall = stall.filter(|until| *until > next);
            }
            for (end, stall) in self.ends.iter_mut().zip(self.stalls) {
                if stall.is_some() {
                    continue;
                }
                if end.line.poll_timeout().is_some_and(|(due, _)| due <= next) {
                    end.line.handle_timeout(next);
                }
                if end.next_tick.is_some_and(|due| due <= next) {
                    end.next_tick = end.next_tick.map(|due| due + TICK);
                    // As the session's driver does, once a second.
                    if end.voice.recorded().len().is_multiple_of(48_000) {
                        let measured = end.line.measure(next);
                        end.voice.handle_report(measured.supported, measured.reported());
                    }
                    if let Some(latest) = end.line.poll_round_trip() {
                        end.voice.handle_round_trip(latest);
                    }
                    if let Some(packet) = end.voice.tick(next) {
                        end.line.send_voice(next, packet);
                    }
                    end.video.follow_voice(end.voice.stats().playing);
                }
                if end.next_tick.is_some() {
                    end.video.film(next, &mut end.line);
                }
                end.video.show(next, &mut end.line);
            }
            while let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= next) {
                let arrival = entry.remove();
                self.arrive(arrival);
                self.settle();
            }
            self.settle();
        }
        true
    }

    fn arrive(&mut self, arrival: Arrival) {
        let now = self.now;
        match arrival {
            Arrival::Offer(mut offer) => {
                self.tamper.iter().for_each(|tamper| tamper(&mut offer));
                let offer = Description::decode(&offer.encode()).unwrap();
                let answer = self.ends[1].line.answer(now, &offer).unwrap();
                self.answered = true;
                for candidate in std::mem::take(&mut self.early) {
                    self.ends[1].line.add_candidate(now, candidate);
                }
                if self.plan.rings.is_zero() {
                    self.arrive(Arrival::PickUp(answer));
                } else {
                    self.signal(Arrival::Prepared(answer.clone()));
                    self.schedule(self.plan.rings, Arrival::PickUp(answer));
                }
            }
            Arrival::Prepared(answer) => {
                let answer = Description::decode(&answer.encode()).unwrap();
                self.ends[0].line.prepare(now, &answer).unwrap();
            }
            Arrival::PickUp(answer) => {
                self.ends[1].line.pick_up(now);
                self.signal(Arrival::Answer(answer));
            }
            Arrival::Answer(answer) => {
                let answer = Description::decode(&answer.encode()).unwrap();
                self.ends[0].line.accept(now, &answer).unwrap();
            }
            Arrival::Candidate(1, candidate) if !self.answered => self.early.push_back(candidate),
            Arrival::Candidate(to, candidate) => {
                let candidate = Candidate::decode(&candidate.encode()).unwrap();
                self.ends[to].line.add_candidate(now, candidate);
            }
            Arrival::Relays(who, relays) => self.ends[who].line.offer_relays(now, &relays),
            Arrival::Datagram { from, to, payload } => self.deliver(from, to, &payload),
            Arrival::FromWire(who, socket, event) => self.bring(who, socket, event),
            Arrival::ToWire(who, socket, bytes) => self.take_bytes(who, socket, &bytes),
        }
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let now = moment(self.start, self.now);
        if let Some(relay) = self.relays.iter_mut().find(|relay| relay.is_at(to)) {
            relay.deliver(now, from, to, payload);
        } else {
            for (end, stall) in self.ends.iter_mut().zip(self.stalls) {
                if let Some(inside) = end.translator.inbound(from, to)
                    && let Some(socket) = end.sockets.iter().position(|local| *local == inside)
                {
                    if let Some(until) = stall {
                        // It waits in the socket.
                        self.counter += 1;
                        let payload = payload.to_vec();
                        let arrival = Arrival::Datagram { from, to, payload };
                        self.under_way.insert((until, self.counter), arrival);
                        continue;
                    }
                    end.line.handle_datagram(self.now, SocketId(socket as u32), from, payload);
                }
            }
        }
    }

    /// Moves what the ends and the relay have to say onto the network.
    pub(super) fn settle(&mut self) {
        for who in 0..2 {
            while let Some(transmit) = self.ends[who].line.poll_transmit() {
                let end = &mut self.ends[who];
                let from = end.sockets[transmit.socket.0 as usize];
                let Some(waits) = end.pass(self.plan.bottleneck, self.now, transmit.payload.len()) else {
                    continue;
                };
                if let Some(from) = end.translator.outbound(from, transmit.destination) {
                    self.launch_after(waits, from, transmit.destination, transmit.payload);
                }
            }
            self.settle_wires(who);
            while let Some(event) = self.ends[who].line.poll_event() {
                match &event {
                    LineEvent::Candidate(candidate) => self.signal(Arrival::Candidate(1 - who, *candidate)),
                    LineEvent::RelaysWanted(wanted) => {
                        let offers = self.offers(who, wanted);
                        self.signal(Arrival::Relays(who, offers));
                    }
                    LineEvent::Connected if self.plan.speech > 0 => self.ends[who].next_tick = Some(self.now),
                    LineEvent::Voice { number, timestamp, payload, copies, transmission } => {
                        let voice = &mut self.ends[who].voice;
                        match transmission {
                            Transmission::First => voice.insert(self.now, *number, *timestamp, payload),
                            Transmission::Repeat => {
                                voice.insert_repeat(self.now, *number, *timestamp, payload);
                            }
                        }
                        voice.insert_copies(self.now, *number, *timestamp, copies);
                    }
                    LineEvent::Path(_) => self.ends[who].voice.handle_new_way(),
                    event => self.ends[who].video.handle(self.now, event),
                }
                let since = self.now - self.start;
                self.ends[who].log.push((since, event));
            }
        }
        for nth in 0..self.relays.len() {
            for (from, to, payload) in self.relays[nth].take_transmits(moment(self.start, self.now)) {
                self.launch(from, to, payload);
            }
            self.settle_streamed(nth);
        }
    }

    /// What the owner of a call finds for it.
    fn offers(&self, who: usize, wanted: &RelaysWanted) -> Vec<RelayServer> {
        let now = moment(self.start, self.now);
        let offer = |relay: &TestRelay| relay.offer(now, who, self.plan.credentials);
        let renewed =
            self.relays.iter().filter(|relay| self.plan.renews && wanted.renew.contains(&relay.address));
        let others = self.relays.iter().filter(|relay| {
            !relay.dead && wanted.besides.as_ref().is_some_and(|besides| !besides.contains(&relay.address))
        });
        renewed.map(offer).chain(others.take(1).map(offer)).collect()
    }

    fn launch(&mut self, from: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        self.launch_after(Duration::ZERO, from, to, payload);
    }

    fn launch_after(&mut self, waits: Duration, from: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        let relayed = self.relays.iter().any(|relay| relay.is_at(from) || relay.is_at(to));
        let lost = self.random.random_bool(self.plan.loss) || self.dark || (self.direct_dead && !relayed);
        let lost = lost || (self.unanswered && matches!(payload.first(), Some(0..=3)));
        let at = self.now;
        self.wire.iter_mut().for_each(|wire| wire.push(Sent { at, from, to, payload: payload.clone() }));
        let extra = self.plan.jitter.mul_f64(self.random.random());
        if !lost {
            self.schedule(waits + self.plan.latency + extra, Arrival::Datagram { from, to, payload });
        }
    }

    fn signal(&mut self, arrival: Arrival) {
        self.schedule(self.plan.signalling, arrival);
    }

    pub(super) fn schedule(&mut self, after: Duration, arrival: Arrival) {
        self.counter += 1;
        self.under_way.insert((self.now + after, self.counter), arrival);
    }

    /// A datagram out of nowhere.
    pub(super) fn inject(&mut self, to: usize, payload: &[u8]) {
        self.inject_from("192.0.2.66:6666".parse().unwrap(), to, payload);
    }

    /// A datagram with any source.
    pub(super) fn inject_from(&mut self, from: SocketAddr, to: usize, payload: &[u8]) {
        self.ends[to].line.handle_datagram(self.now, SocketId(0), from, payload);
        self.settle();
    }

    /// The end loses its address, and gets another one: its driver closes and opens sockets.
    pub(super) fn move_uplink(&mut self, who: usize, address: &str) {
        let now = self.now;
        let end = &mut self.ends[who];
        let inside = ip(address);
        end.inside = inside;
        end.translator.move_outside(inside);
        let gone = end.sockets.len();
        for socket in 0..gone {
            end.sockets[socket].set_port(0);
            end.line.remove_interface(now, SocketId(socket as u32));
        }
        let local = SocketAddr::new(inside, 7000);
        if end.line.wants_interface(inside) {
            end.line.add_interface(now, SocketId(gone as u32), local);
            end.sockets.push(local);
        }
        for relay in end.towards.clone() {
            let socket = SocketId(end.sockets.len() as u32);
            end.sockets.push(SocketAddr::new(inside, 8000 + socket.0 as u16));
            end.line.replace_relay(now, socket, relay);
        }
        self.settle();
    }

    /// Every datagram on its way or sent from now on, for an observer.
    pub(super) fn watch_wire(&mut self) {
        self.wire = Some(Vec::new());
    }
}

impl World {
    /// How long 95 of 100 datagrams of that end waited at most, of those sent since then.
    pub(super) fn queued_p95(&self, who: usize, since: Instant) -> Duration {
        let waited = self.ends[who].waited.iter().filter(|(at, _)| *at >= since);
        let mut waited: Vec<Duration> = waited.map(|(_, waited)| *waited).collect();
        waited.sort_unstable();
        waited.get(waited.len() * 95 / 100).copied().unwrap_or_default()
    }
}

impl End {
    /// How long a datagram takes through the bottleneck; none: it is lost there.
    fn pass(&mut self, bottleneck: Option<Bottleneck>, now: Instant, payload: usize) -> Option<Duration> {
        let Some(Bottleneck { rate, queue }) = bottleneck else { return Some(Duration::ZERO) };
        let waits = self.passes.saturating_duration_since(now);
        self.waited.push((now, waits));
        if waits > queue {
            return None;
        }
        self.passes = now + waits + rate.time_for(payload + 28);
        Some(self.passes - now)
    }

    /// When it first said so.
    pub(super) fn when(&self, what: impl Fn(&LineEvent) -> bool) -> Option<Duration> {
        self.log.iter().find(|(_, event)| what(event)).map(|(at, _)| *at)
    }

    /// Neither speaks nor plays any more.
    pub(super) fn hold_ticks(&mut self) {
        self.next_tick = None;
    }

    pub(super) fn connected(&self) -> Option<Duration> {
        self.when(|event| matches!(event, LineEvent::Connected))
    }
}

pub(super) fn moment(start: Instant, now: Instant) -> Now {
    Now { instant: start, unix: UnixTime::from_secs(1_800_000_000) }.after(now - start)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
