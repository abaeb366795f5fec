//! How fast to send: congestion control, pacing and retransmission, without sockets, clocks or RTP.
//!
//! ```text
//!            demand                                   target
//!   ladder ─────────▶ Controller ────────────────────────────────────────▶ encoders
//!                      ▲   ▲   │ probes, target
//!            feedback  │   │   ▼
//!   the way ───────────┘   │  pacer::Pacer ◀── audio, video, retransmissions
//!                          │   │
//!                          └───┴──▶ the way
//!                     what left
//! ```
//!
//! [`Controller`] is told of every packet that leaves and of what the other end says of it (transport-wide feedback,
//! draft-holmer-rmcat-transport-wide-cc-extensions-01), and says what the way carries. It is Google Congestion Control
//! (draft-ietf-rmcat-gcc-02; Carlucci et al., MMSys 2016) with a loss control that tells loss that is ours from loss of
//! the way. The parts, in the order a packet's news goes through them: `history`, `acknowledged`, `standing`, `groups`,
//! `trend`, `contention`, `rate`, `loss`, `probing`; `limited` watches what is sent.
//!
//! [`pacer`] lets packets go in time, [`nack`] asks for lost ones and answers such questions.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use media::session::congestion::pacer::{Departure, Pacer, Room};
//! use media::session::congestion::{Controller, PacketKind, PacketResult, PacketSent, Settings};
//!
//! # fn call(now: Instant) -> Result<(), media::session::congestion::pacer::Refused> {
//! let mut controller = Controller::new(now, Settings::default());
//! let mut pacer = Pacer::new(controller.target());
//! if pacer.room() == Room::Encode {
//!     // A frame for the target, less what the voice and retransmissions take.
//!     pacer.push(now, "a packet", 1200, PacketKind::Video)?;
//! }
//! while let Some(probe) = controller.poll_probe() {
//!     pacer.handle_probe(now, probe);
//! }
//! let mut number = 0;
//! while let Some(departure) = pacer.poll_transmit(now) {
//!     let (size, kind, probe) = match departure {
//!         Departure::Packet { size, kind, probe, .. } => (size, kind, probe),
//!         Departure::Padding { size, probe } => (size, PacketKind::Padding, Some(probe)),
//!     };
//!     controller.handle_sent(now, PacketSent { number, size, kind, probe });
//!     number += 1;
//! }
//! let later = now + Duration::from_millis(50);
//! controller.handle_feedback(later, &[PacketResult { number: 0, arrival: Some(Duration::from_millis(25)) }]);
//! pacer.handle_target(later, controller.target());
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//!             a packet leaves                 1 s + 2 round trips without news
//!   Quiet ───────────────────────▶ Awaiting ───────────────────────────────────▶ Silent ──┐ every 500 ms:
//!     ▲                              │                                           │  ▲      │ a fifth less
//!     └──────────────────────────────┴───────────────────────────────────────────┘  └──────┘
//!                               news of a packet that was sent
//! ```

mod acknowledged;
mod contention;
mod departures;
mod groups;
mod history;
mod limited;
mod loss;
pub mod nack;
pub mod pacer;
mod probing;
mod rate;
mod standing;
mod trend;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::acknowledged::Acknowledged;
use self::contention::{Contention, Finding};
use self::groups::{Groups, Step};
use self::history::{History, News, Said};
use self::limited::{Budget, Use};
use self::loss::{Fates, Loss, Verdict};
use self::probing::Probing;
use self::rate::{Change, Growth, Rate, Seen};
use self::standing::Standing;
use self::trend::{Trend, Usage};
use crate::bitrate::Bitrate;

/// Where the rate begins and what it stays between.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Before anything is known of the way.
    pub start: Bitrate,
    /// Below this nothing useful is sent.
    pub least: Bitrate,
    /// What all streams together could use, until [`Controller::handle_demand`] says otherwise.
    pub demand: Bitrate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start: Bitrate::from_kbps(300),
            least: Bitrate::from_kbps(50),
            demand: Bitrate::from_kbps(2_500),
        }
    }
}

/// A packet that left.
#[derive(Clone, Copy, Debug)]
pub struct PacketSent {
    /// Its transport-wide number, one more than that of the packet before, modulo 2^16.
    pub number: u16,
    /// Bytes on the wire, headers of IP and UDP too.
    pub size: usize,
    /// What it carries.
    pub kind: PacketKind,
    /// The probe it is part of.
    pub probe: Option<ProbeId>,
}

/// What a packet carries, in the order of who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// Sound.
    Audio,
    /// RTCP.
    Control,
    /// Video once more.
    Retransmission,
    /// Video.
    Video,
    /// Nothing: it fills a probe.
    Padding,
}

/// What the other end says of a packet. When it left and what it weighed is remembered from [`PacketSent`].
#[derive(Clone, Copy, Debug)]
pub struct PacketResult {
    /// Its transport-wide number.
    pub number: u16,
    /// When it arrived, by the clock of the other end since an epoch of its own; none: it has not.
    pub arrival: Option<Duration>,
}

/// A burst to be sent at a rate, to learn whether the way carries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Its packets say so in [`PacketSent::probe`].
    pub id: ProbeId,
    /// How fast to send.
    pub rate: Bitrate,
    /// How many bytes at least.
    pub bytes: usize,
    /// How many packets at least.
    pub packets: usize,
}

/// Names a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeId(u32);

/// What the controller makes of the way, for statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// [`Controller::target`].
    pub target: Bitrate,
    /// What gets through; nothing before enough was seen.
    pub acknowledged: Option<Bitrate>,
    /// The queue that stands on the way.
    pub queue: Duration,
    /// From sending to the news of it.
    pub round_trip: Duration,
    /// The share of the last packets that was lost.
    pub loss: f64,
}

/// Says how fast to send.
#[derive(Debug)]
pub struct Controller {
    origin: Instant,
    state: State,
    demand: Bitrate,
    round_trip: Duration,
    history: History,
    budget: Budget,
    acknowledged: Acknowledged,
    standing: Standing,
    contention: Contention,
    groups: Groups,
    trend: Trend,
    rate: Rate,
    loss: Loss,
    growth: Growth,
    probing: Probing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is under way that was sent after the last news.
    Quiet,
    Awaiting {
        since: Instant,
    },
    Silent {
        next: Instant,
        /// The rate before it became silent.
        before: Bitrate,
    },
}

/// A packet that arrived; sent and arrival in µs, each on its own clock.
#[derive(Clone, Copy, Debug)]
struct Arrived {
    sent: i64,
    arrival: i64,
    size: usize,
    probe: Option<ProbeId>,
}

/// News come every 50 to 100 ms; after this something is wrong.
const SILENCE: Duration = Duration::from_secs(1);
/// How often the rate falls in silence.
const SILENT_STEP: Duration = Duration::from_millis(500);
/// What it keeps each time.
const SILENT_SHARE: f64 = 0.8;
/// The round trip before it was measured.
const ROUND_TRIP: Duration = Duration::from_millis(200);
/// A clock beyond this, in µs, is no clock but an attempt to overflow.
const END_OF_TIME: i64 = 1 << 60;

impl Controller {
    /// Begins with probes.
    pub fn new(now: Instant, settings: Settings) -> Self {
        let Settings { start, least, demand } = settings;
        let mut probing = Probing::default();
        probing.start(now, start, demand);
        Self {
            origin: now,
            state: State::Quiet,
            demand,
            round_trip: ROUND_TRIP,
            history: History::default(),
            budget: Budget::default(),
            acknowledged: Acknowledged::default(),
            standing: Standing::default(),
            contention: Contention::default(),
            groups: Groups::default(),
            trend: Trend::default(),
            rate: Rate::new(start, least),
            loss: Loss::default(),
            growth: Growth::Allowed,
            probing,
        }
    }

    /// A packet left. Packets without a transport-wide number, as RTCP, are not told of.
    pub fn handle_sent(&mut self, now: Instant, packet: PacketSent) {
        let media = if packet.kind == PacketKind::Padding { 0 } else { packet.size };
        let before = self.budget.usage();
        self.budget.sent(now, self.target(), media);
        if (before, self.budget.usage()) == (Use::Limited, Use::Full) {
            // Of a pause and a burst together the mean says nothing of the way.
            self.acknowledged.restart();
        }
        self.history.remember(now, packet);
        if self.state == State::Quiet {
            self.state = State::Awaiting { since: now };
        }
    }

    /// The other end tells what became of packets. Of what was never sent, is long ago or was told before nothing is
    /// believed.
    pub fn handle_feedback(&mut self, now: Instant, results: &[PacketResult]) {
        let (mut arrived, mut fates) = (Vec::new(), Fates::default());
        let mut round_trip = None;
        for result in results {
            let Ok(arrival) = result.arrival.map(clock).transpose() else { continue };
            let said = if arrival.is_some() { Said::Arrived } else { Said::Lost };
            let (sent, fate) = match self.history.learn(result.number, said) {
                Some(News::Arrived(sent)) => (sent, &mut fates.arrived),
                Some(News::ArrivedLate(sent)) => (sent, &mut fates.late),
                Some(News::Lost(sent)) => (sent, &mut fates.lost),
                None => continue,
            };
            *fate += 1;
            let Some(arrival) = arrival else { continue };
            let took = now.saturating_duration_since(sent.at);
            round_trip = round_trip.min(Some(took)).or(Some(took));
            let left = sent.at.saturating_duration_since(self.origin).as_micros();
            let left = i64::try_from(left).unwrap_or(END_OF_TIME);
            arrived.push(Arrived { sent: left, arrival, size: sent.size, probe: sent.probe });
        }
        if arrived.is_empty() && fates.lost == 0 {
            return;
        }
        self.heard(now);
        if let Some(took) = round_trip {
            self.round_trip = (self.round_trip * 7 + took) / 8;
        }
        arrived.sort_by_key(|packet| packet.sent);
        self.control(now, &arrived, fates);
    }

    /// The streams together could use this much; what is beyond it is not probed for.
    pub fn handle_demand(&mut self, now: Instant, demand: Bitrate) {
        let proven = self.rate.target();
        let was_enough = proven >= self.demand || self.budget.usage() == Use::Limited;
        self.demand = demand;
        if was_enough && demand > proven {
            self.probing.reach(now, proven, demand);
        }
    }

    /// Packets go another way from now on: what was learnt of the old one's delay and capacity is forgotten, the rate is
    /// kept, and the new one is probed.
    pub fn handle_new_way(&mut self, now: Instant) {
        self.standing.restart();
        self.contention = Contention::default();
        self.groups = Groups::default();
        self.trend = Trend::default();
        self.loss = Loss::default();
        self.rate.forget_capacity();
        self.probing.reach(now, self.target(), self.demand);
    }

    /// Time passes: without news the rate falls.
    pub fn handle_timeout(&mut self, now: Instant) {
        let before = match (self.state, self.due()) {
            (State::Awaiting { .. }, Some(due)) if now >= due => self.target(),
            (State::Silent { before, .. }, Some(due)) if now >= due => before,
            _ => return,
        };
        self.probing.give_up();
        self.rate.brake(SILENT_SHARE);
        self.state = State::Silent { next: now + SILENT_STEP, before };
    }

    /// When [`Controller::handle_timeout`] is due, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Some((self.due()?, "no feedback"))
    }

    /// The next probe to send.
    pub fn poll_probe(&mut self) -> Option<Probe> {
        self.probing.poll()
    }

    /// What all streams together may send, with their headers.
    pub fn target(&self) -> Bitrate {
        self.rate.target().min(self.demand)
    }

    /// What the way looks like.
    pub fn outlook(&self) -> Outlook {
        Outlook {
            target: self.target(),
            acknowledged: self.acknowledged.rate(),
            queue: self.standing.delay(),
            round_trip: self.round_trip,
            loss: self.loss.recent(),
        }
    }

    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Quiet => None,
            State::Awaiting { since } => Some(since + SILENCE + 2 * self.round_trip),
            State::Silent { next, .. } => Some(next),
        }
    }

    fn heard(&mut self, now: Instant) {
        if let State::Silent { before, .. } = self.state {
            self.probing.reach(now, self.target(), before.min(self.demand));
        }
        self.state = State::Quiet;
    }

    fn control(&mut self, now: Instant, arrived: &[Arrived], fates: Fates) {
        let usage = arrived.iter().fold(Usage::Normal, |before, packet| match self.watch(*packet) {
            Some(usage) if before != Usage::Over => usage,
            _ => before,
        });
        self.judge_losses(now, fates);
        let (queue, none) = (self.standing.delay(), self.rate.unnoticed());
        let usage = match self.contention.update(now, queue, none, self.round_trip) {
            Finding::Nothing => usage,
            Finding::Stubborn => Usage::Over,
            Finding::Longer => {
                self.standing.restart();
                Usage::Normal
            }
        };
        let used = self.budget.usage();
        let enough = self.rate.target() >= self.demand;
        let seen = Seen {
            usage,
            standing: self.standing.delay(),
            acknowledged: self.acknowledged.rate().map(|rate| self.as_sent(rate)),
            recent: self.acknowledged.recent().map(|rate| self.as_sent(rate)),
            round_trip: self.round_trip,
            contention: self.contention,
            growth: if enough { Growth::Denied } else { self.growth },
            used,
        };
        match self.rate.update(now, seen) {
            Change::Usual => {}
            Change::Backed => {
                self.contention.backed(now, self.standing.delay());
                self.probing.give_up();
            }
            Change::Searching => self.probing.refresh(now, self.target(), self.demand),
            Change::Passed => self.probing.reach(now, self.target(), self.demand),
        }
        for found in self.probing.found(now, self.demand) {
            self.rate.probed(found);
        }
        // Into a queue nobody should send more, however little he sends.
        if used == Use::Limited && queue < none {
            self.probing.refresh(now, self.target(), self.demand);
        }
    }

    /// What was sent for so much to get through, where some is lost whatever is sent: else a tenth of loss would cost
    /// another tenth of the rate at each decrease.
    fn as_sent(&self, through: Bitrate) -> Bitrate {
        through.scaled(1.0 / (1.0 - self.loss.inherent()))
    }

    /// What one packet says of the queue.
    fn watch(&mut self, packet: Arrived) -> Option<Usage> {
        self.acknowledged.arrived(packet);
        self.standing.arrived(packet.arrival, packet.arrival - packet.sent);
        if let Some(id) = packet.probe {
            self.probing.arrived(id, packet);
        }
        match self.groups.arrived(packet) {
            Step::Open => None,
            Step::Complete(change) => Some(self.trend.update(change, self.contention)),
            Step::Restart => {
                self.trend = Trend::default();
                self.standing.restart();
                None
            }
        }
    }

    fn judge_losses(&mut self, now: Instant, fates: Fates) {
        self.growth = match self.loss.update(now, fates, self.standing.delay()) {
            None => return,
            Some(Verdict::Fine) => Growth::Allowed,
            Some(Verdict::Hold) => Growth::Denied,
            Some(Verdict::Brake(share)) => {
                let through = self.acknowledged.rate().map(|rate| self.as_sent(rate));
                self.rate.lossy(share, through);
                self.probing.give_up();
                Growth::Denied
            }
            Some(Verdict::InVain) => {
                self.rate.forget_capacity();
                self.probing.reach(now, self.target(), self.demand);
                Growth::Allowed
            }
        };
    }
}

/// Microseconds of the other end's clock.
fn clock(arrival: Duration) -> Result<i64, Nonsense> {
    i64::try_from(arrival.as_micros()).ok().filter(|micros| *micros < END_OF_TIME).ok_or(Nonsense)
}

/// A time that cannot be.
struct Nonsense;
