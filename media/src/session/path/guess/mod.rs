//! Guessing a way between two translators of which one takes another public port for every destination.
//!
//! Between a translator with endpoint-independent mapping (the *easy* side: everybody sees it at one address) and one with
//! address and port-dependent mapping (the *hard* side, RFC 4787 §4.1) nothing punches: which port the hard side has
//! towards the easy one is seen by nobody else, and the easy side lets in only whom it has written to (RFC 4787 §5). So the
//! hard side opens many ports towards the easy one's address, and the easy side tries ports of the hard one's: first those
//! a translator that counts would take next (port prediction, RFC 5128 §3.5), then others by lot. 256 open ones among
//! 64,512, and 750 tried: 19 times of 20 one is both, the two birthdays of a paradox.
//!
//! ```text
//!   hard side:            1 s                                14 s                         30 s
//!   Idle ───▶ Patient ─────────▶ Knocking ───────────────────────────────────▶ Resting ────────▶ Idle
//!                                256 sockets, each writes at 0 s and 6 s;     all closed
//!                                says which round it is                       (two rounds a call)
//!
//!   easy side:  the other end's round is new          12 s, or 1,500 ports tried
//!   Idle ────────────────────────────────────▶ Probing ─────────────────────────▶ Idle
//!
//!   all: a direct pair is proven, the call ends, either mapping is another one ──▶ Idle, all sockets closed
//! ```
//!
//! Sans-I/O. What leaves are probes of [`super::probe`]; what a guess that gets through leads to is for [`super::pairs`].
//! Nothing leaves before both ends have said of themselves what they are, and nothing but to the address the other end
//! gave as its own.

mod mapping;
mod ports;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::SocketId;
pub(super) use mapping::{Behaviour, Claim, LocalPreference, Mapping, Round, observed, resolve};

/// Between two probes: 125 a second, some 150 kbit/s beside the 40 of the voice.
const PACE: Duration = Duration::from_millis(8);
/// Sockets of the hard side.
const MAX_SOCKETS: usize = 256;
/// Ports the easy side tries in a round.
const MAX_PROBES: usize = 1500;
/// Rounds of a call.
const MAX_ROUNDS: Round = Round(2);
/// Ordinary punching has this long before guessing begins beside it.
const PATIENCE: Duration = Duration::from_secs(1);
/// The hard side keeps its sockets for this long, for the easy one begins later.
const KNOCKING: Duration = Duration::from_secs(14);
/// What a network lost on the way to the translator is written again this long after the beginning.
const AGAIN: Duration = Duration::from_secs(6);
/// The easy side tries ports for this long.
const PROBING: Duration = Duration::from_secs(12);
/// Between two rounds.
const REST: Duration = Duration::from_secs(30);
/// Closed again when the system gives no more sockets: others of this process need some, too.
const SPARED: usize = 32;

/// Whether a call could do with a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It talks through relays only.
    Yes,
    /// It goes directly, does not talk, or may not go directly.
    No,
}

/// What a probe leaves from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Muzzle {
    /// The socket the mapping was observed on.
    Base,
    /// One that was opened for guessing.
    Beside(SocketId),
}

/// A probe to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    pub(super) from: Muzzle,
    pub(super) to: SocketAddr,
}

/// What a guess wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuessEvent {
    /// One more socket beside the base: [`Guess::add_socket`], or [`Guess::refuse_socket`].
    Open,
    /// This socket has had its time.
    Close(SocketId),
}

/// Which part an end has, and what it has to go by.
enum Side<'a> {
    Hard { towards: SocketAddr },
    Easy { seen: &'a [SocketAddr], round: Round },
}

#[derive(Debug)]
enum State {
    Idle,
    Patient { until: Instant },
    Knocking { towards: SocketAddr, knocks: Knocks, next: Option<Instant>, began: Instant },
    Probing { ip: IpAddr, ports: std::vec::IntoIter<u16>, next: Instant, until: Instant },
    Resting { until: Instant },
}

/// What the hard side is at.
#[derive(Debug)]
enum Knocks {
    Opening { left: usize },
    Pausing,
    Repeating(VecDeque<SocketId>),
}

/// The guesses of one call.
pub(super) struct Guess {
    random: StdRng,
    wanted: Wanted,
    own: Option<Mapping>,
    peer: Option<Mapping>,
    state: State,
    /// Rounds begun.
    round: Round,
    sockets: BTreeSet<SocketId>,
    transmits: VecDeque<Shot>,
    events: VecDeque<GuessEvent>,
}

impl Guess {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            random: StdRng::from_seed(seed),
            wanted: Wanted::No,
            own: None,
            peer: None,
            state: State::Idle,
            round: Round(0),
            sockets: BTreeSet::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What is known of both ends now, and whether there is use for a guess.
    pub(super) fn review(
        &mut self,
        now: Instant,
        wanted: Wanted,
        own: Option<Mapping>,
        peer: Option<Mapping>,
    ) {
        (self.wanted, self.own, self.peer) = (wanted, own, peer);
        self.settle(now);
    }

    /// A socket that was asked for.
    pub(super) fn add_socket(&mut self, socket: SocketId) {
        match self.state {
            State::Knocking { towards, .. } if self.sockets.len() < MAX_SOCKETS => {
                self.sockets.insert(socket);
                self.transmits.push_back(Shot { from: Muzzle::Beside(socket), to: towards });
            }
            _ => self.events.push_back(GuessEvent::Close(socket)),
        }
    }

    /// There are no more sockets to be had: those there are must do, and a few less.
    pub(super) fn refuse_socket(&mut self) {
        if let State::Knocking { knocks, next, began, .. } = &mut self.state
            && let Knocks::Opening { .. } = knocks
        {
            (*knocks, *next) = (Knocks::Pausing, Some(*began + AGAIN));
            for _ in 0..SPARED {
                self.events.extend(self.sockets.pop_last().map(GuessEvent::Close));
            }
        }
    }

    /// Something authentic came to one of the sockets: it is a leg from now on, and no longer ours.
    pub(super) fn take(&mut self, socket: SocketId) -> bool {
        self.sockets.remove(&socket)
    }

    pub(super) fn has(&self, socket: SocketId) -> bool {
        self.sockets.contains(&socket)
    }

    /// Whom our sockets are open to.
    pub(super) const fn towards(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Knocking { towards, .. } => Some(*towards),
            State::Idle | State::Patient { .. } | State::Probing { .. } | State::Resting { .. } => None,
        }
    }

    /// The round in which our sockets are open; zero while they are not.
    pub(super) const fn round(&self) -> Round {
        match self.towards() {
            Some(_) => self.round,
            None => Round(0),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Patient { until } if *until <= now => self.knock(now),
            State::Knocking { began, .. } if *began + KNOCKING <= now => {
                self.stop();
                self.state = State::Resting { until: now + REST };
            }
            State::Knocking { next: Some(due), .. } if *due <= now => self.knock_on(now),
            State::Probing { until, .. } if *until <= now => self.stop(),
            State::Probing { ip, ports, next, .. } if *next <= now => match ports.next() {
                Some(port) => {
                    *next = after(*next, now);
                    let to = SocketAddr::new(*ip, port);
                    self.transmits.push_back(Shot { from: Muzzle::Base, to });
                }
                None => self.stop(),
            },
            State::Resting { until } if *until <= now => self.stop(),
            State::Idle
            | State::Patient { .. }
            | State::Knocking { .. }
            | State::Probing { .. }
            | State::Resting { .. } => {}
        }
        self.settle(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Idle => None,
            State::Patient { until } | State::Resting { until } => Some((*until, "guess")),
            State::Knocking { next, began, .. } => {
                let end = *began + KNOCKING;
                Some((next.map_or(end, |next| next.min(end)), "knock"))
            }
            State::Probing { next, until, .. } => Some(((*next).min(*until), "guessed port")),
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Shot> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<GuessEvent> {
        self.events.pop_front()
    }

    fn side(&self) -> Option<Side<'_>> {
        match (self.wanted, self.own.as_ref()?, self.peer.as_ref()?) {
            (Wanted::Yes, Mapping::Dependent { .. }, Mapping::Independent { at }) => {
                Some(Side::Hard { towards: *at })
            }
            (Wanted::Yes, Mapping::Independent { .. }, Mapping::Dependent { seen, round }) => {
                Some(Side::Easy { seen, round: *round })
            }
            // Two easy ones need no guess, and two hard ones would have to guess both ports at once.
            (Wanted::Yes, Mapping::Independent { .. }, Mapping::Independent { .. })
            | (Wanted::Yes, Mapping::Dependent { .. }, Mapping::Dependent { .. })
            | (Wanted::No, _, _) => None,
        }
    }

    /// Begins what there is to begin, and ends what has lost its reason.
    fn settle(&mut self, now: Instant) {
        match (&self.state, self.side()) {
            (State::Idle, Some(Side::Hard { .. })) if self.round < MAX_ROUNDS => {
                self.state = State::Patient { until: now + PATIENCE };
            }
            (State::Idle, Some(Side::Easy { seen, round })) if self.round < round && round <= MAX_ROUNDS => {
                let Some(ip) = seen.first().map(SocketAddr::ip) else { return };
                let ports: Vec<u16> = seen.iter().map(SocketAddr::port).collect();
                let ports = ports::plan(&mut self.random, &ports, MAX_PROBES).into_iter();
                self.round = round;
                self.state = State::Probing { ip, ports, next: now, until: now + PROBING };
            }
            (State::Knocking { towards, .. }, Some(Side::Hard { towards: at })) if *towards == at => {}
            (State::Patient { .. } | State::Resting { .. }, Some(Side::Hard { .. })) => {}
            (State::Probing { ip, .. }, Some(Side::Easy { seen, .. }))
                if seen.first().map(SocketAddr::ip) == Some(*ip) => {}
            (State::Idle, _) => {}
            (
                State::Patient { .. }
                | State::Knocking { .. }
                | State::Probing { .. }
                | State::Resting { .. },
                _,
            ) => self.stop(),
        }
    }

    fn knock(&mut self, now: Instant) {
        let Some(Side::Hard { towards }) = self.side() else { return self.stop() };
        self.round = self.round.next();
        let knocks = Knocks::Opening { left: MAX_SOCKETS };
        self.state = State::Knocking { towards, knocks, next: Some(now), began: now };
        self.knock_on(now);
    }

    /// Opens one more socket, or writes once more from one.
    fn knock_on(&mut self, now: Instant) {
        let State::Knocking { towards, knocks, next, began } = &mut self.state else { return };
        let due = next.unwrap_or(now);
        *next = match knocks {
            Knocks::Opening { left: 0 } => {
                *knocks = Knocks::Pausing;
                Some((*began + AGAIN).max(now))
            }
            Knocks::Opening { left } => {
                *left -= 1;
                self.events.push_back(GuessEvent::Open);
                Some(after(due, now))
            }
            Knocks::Pausing => {
                *knocks = Knocks::Repeating(self.sockets.iter().copied().collect());
                Some(now)
            }
            Knocks::Repeating(waiting) => match waiting.pop_front() {
                Some(socket) => {
                    let shot = Shot { from: Muzzle::Beside(socket), to: *towards };
                    self.transmits.extend(self.sockets.contains(&socket).then_some(shot));
                    Some(after(due, now))
                }
                None => None,
            },
        };
    }

    /// Closes every socket and does nothing until there is a reason to.
    fn stop(&mut self) {
        self.state = State::Idle;
        self.transmits.clear();
        self.events.retain(|event| *event != GuessEvent::Open);
        self.events.extend(std::mem::take(&mut self.sockets).into_iter().map(GuessEvent::Close));
    }
}

/// When the next probe is due; who is late does not catch up, but for one.
fn after(due: Instant, now: Instant) -> Instant {
    (due + PACE).max(now)
}
