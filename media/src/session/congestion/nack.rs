//! Asking for lost packets again (RFC 4585 §6.2.1), and answering who asks (RFC 4588).
//!
//! [`Asker`] sits where packets arrive. It asks for a missing packet at most [`MOST_TIMES`], a round trip apart, and gives
//! up when it would come too late; a picture that cannot become whole needs a keyframe (PLI, RFC 4585 §6.3.1).
//!
//! ```text
//!              after 10 ms        a round trip later, up to 8 times
//!  Missing ──────────────▶ Asked ──────────────────────────────────▶ Asked
//!     │ it came               │ it came            │ 600 ms old, or asked 8 times and a round trip ago
//!     ▼                       ▼                    ▼
//!  forgotten              forgotten            given up: a keyframe is asked for
//! ```
//!
//! [`Answerer`] sits where packets leave. It keeps the last ones and gives each out at most once a round trip, whatever
//! it is asked; how many bytes of these leave is bounded by the pacer's budget. Where more than a few are lost, and for who asks a
//! second time, a packet is sent twice: whoever waits for it waits a round trip less. Requests are lost, too: where feedback on
//! the whole transport says that no copy of a packet arrived, none is waited for.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::PacketResult;
use super::departures::Departures;

/// How often a packet is asked for.
pub const MOST_TIMES: u8 = 8;
/// Packets that may be missing at a time: more is an outage, and a keyframe is cheaper.
pub const MOST_MISSING: usize = 250;
/// Packets kept to be sent again: two seconds of 4 Mbit/s.
pub const KEPT: usize = 1024;

/// A packet this old is of no use: what shows it waited long enough.
const TOO_OLD: Duration = Duration::from_millis(600);
/// Packets that overtake others by less than this are not asked for.
const REORDERING: Duration = Duration::from_millis(10);
/// A round trip is never believed shorter: answers wait for their turn.
const LEAST_ROUND_TRIP: Duration = Duration::from_millis(20);
/// Time between two requests for a keyframe, and at least a round trip: one is five times a frame.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(500);
/// What of the last packets was lost from which on each is sent again twice, and three times. A packet that is lost with
/// its only repetition holds the picture up for 200 ms. Of 170 packets a second that happens to one in three seconds with
/// 5 % loss, and to more than one a second with 10 %.
const SEVERAL: [f64; 2] = [0.01, 0.07];
/// What of all that leaves such packets may be; they have to fit into the pacer's budget.
const MOST_AGAIN: f64 = 0.35;
/// Half of all sequence numbers: what is further ahead lies behind (RFC 1982).
const HALF: u16 = 0x8000;

/// What to ask the other end for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// These packets again, in their order (generic NACK).
    Again(Vec<u16>),
    /// A picture that needs nothing of the past (PLI).
    Keyframe,
}

/// Notices what is missing of one stream and asks for it.
#[derive(Debug)]
pub struct Asker {
    newest: Option<u64>,
    missing: BTreeMap<u64, Missing>,
    round_trip: Duration,
    keyframe: Keyframe,
    keyframe_asked: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    since: Instant,
    /// When to ask, or to give up.
    next: Instant,
    times: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyframe {
    NotNeeded,
    Needed,
}

impl Asker {
    /// For a way with this round trip.
    pub fn new(round_trip: Duration) -> Self {
        Self {
            newest: None,
            missing: BTreeMap::new(),
            round_trip: round_trip.max(LEAST_ROUND_TRIP),
            keyframe: Keyframe::NotNeeded,
            keyframe_asked: None,
        }
    }

    /// The round trip was measured.
    pub fn handle_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.max(LEAST_ROUND_TRIP);
    }

    /// A packet arrived, for the first time or as an answer.
    pub fn handle_packet(&mut self, now: Instant, sequence: u16) {
        let Some(newest) = self.newest else {
            // Room below, so that what overtook the first packet does not count as the future.
            self.newest = Some(u64::from(sequence) + u64::from(u16::MAX) + 1);
            return;
        };
        let ahead = sequence.wrapping_sub(newest as u16);
        if ahead >= HALF {
            let behind = u64::from(ahead.wrapping_neg());
            self.missing.remove(&(newest.saturating_sub(behind)));
            return;
        }
        self.newest = Some(newest + u64::from(ahead));
        let gap = usize::from(ahead.saturating_sub(1));
        if self.missing.len() + gap > MOST_MISSING {
            self.missing.clear();
            self.keyframe = Keyframe::Needed;
            return;
        }
        let missing = Missing { since: now, next: now + REORDERING, times: 0 };
        self.missing.extend((newest + 1..newest + u64::from(ahead)).map(|number| (number, missing)));
    }

    /// A keyframe that begins with this packet arrived whole: what is missing before it is of no use.
    pub fn handle_keyframe(&mut self, sequence: u16) {
        self.keyframe = Keyframe::NotNeeded;
        let Some(newest) = self.newest else { return };
        let behind = u64::from((newest as u16).wrapping_sub(sequence));
        self.missing = self.missing.split_off(&newest.saturating_sub(behind));
    }

    /// Nothing can be decoded without a keyframe.
    pub fn need_keyframe(&mut self) {
        self.keyframe = Keyframe::Needed;
    }

    /// What to ask for now, until nothing is.
    pub fn poll_request(&mut self, now: Instant) -> Option<Request> {
        let given_up = |missing: &Missing| {
            now.saturating_duration_since(missing.since) >= TOO_OLD
                || missing.times >= MOST_TIMES && now >= missing.next
        };
        let before = self.missing.len();
        self.missing.retain(|_, missing| !given_up(missing));
        if self.missing.len() < before {
            self.keyframe = Keyframe::Needed;
        }
        if self.keyframe == Keyframe::Needed && self.keyframe_due().is_none_or(|due| now >= due) {
            self.keyframe_asked = Some(now);
            // Until it comes it is asked for again: it is needed until it is here.
            return Some(Request::Keyframe);
        }
        let mut again = Vec::new();
        for (number, missing) in self.missing.iter_mut().filter(|(_, missing)| now >= missing.next) {
            missing.times += 1;
            missing.next = now + self.round_trip;
            again.push(*number as u16);
        }
        (!again.is_empty()).then_some(Request::Again(again))
    }

    /// When [`Asker::poll_request`] has something, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let packet = self.missing.values().map(|missing| missing.next.min(missing.since + TOO_OLD)).min();
        let packet = packet.map(|due| (due, "missing packet"));
        let keyframe = match self.keyframe {
            Keyframe::NotNeeded => None,
            Keyframe::Needed => self.keyframe_due().or(packet.map(|(due, _)| due)),
        };
        packet.into_iter().chain(keyframe.map(|due| (due, "keyframe"))).min_by_key(|(due, _)| *due)
    }

    fn keyframe_due(&self) -> Option<Instant> {
        self.keyframe_asked.map(|asked| asked + KEYFRAME_PAUSE.max(self.round_trip))
    }
}

/// Keeps the last packets of one stream and gives them out again. `P` is a packet; it is not looked into.
#[derive(Debug)]
pub struct Answerer<P> {
    kept: VecDeque<Kept<P>>,
    departures: Departures,
    round_trip: Duration,
}

#[derive(Debug)]
struct Kept<P> {
    sequence: u16,
    packet: P,
    size: usize,
    first_sent: Instant,
    sent: Instant,
    times: u8,
    /// Copies of which nobody has told yet.
    under_way: usize,
    arrived: bool,
}

impl<P: Clone> Answerer<P> {
    /// For a way with this round trip.
    pub fn new(round_trip: Duration) -> Self {
        let round_trip = round_trip.max(LEAST_ROUND_TRIP);
        Self { kept: VecDeque::new(), departures: Departures::default(), round_trip }
    }

    /// The round trip was measured.
    pub fn handle_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.max(LEAST_ROUND_TRIP);
    }

    /// A packet left for the first time; one whose number does not lie ahead of the last one's is not kept.
    pub fn handle_sent(&mut self, now: Instant, sequence: u16, packet: P, size: usize) {
        if let Some(last) = self.kept.back() {
            let ahead = sequence.wrapping_sub(last.sequence);
            if ahead == 0 || ahead >= HALF {
                return;
            }
        }
        // No two kept ones may have the same number.
        while self.kept.len() >= KEPT
            || self.kept.front().is_some_and(|first| sequence.wrapping_sub(first.sequence) >= HALF)
        {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept {
            sequence,
            packet,
            size,
            first_sent: now,
            sent: now,
            times: 0,
            under_way: 0,
            arrived: false,
        });
    }

    /// A packet, or what repeats it, has left under this number of the transport.
    pub fn handle_departure(&mut self, number: u16, sequence: u16) {
        if let Some(kept) = self.find(sequence).and_then(|place| self.kept.get_mut(place)) {
            kept.under_way += 1;
            self.departures.remember(number, sequence);
        }
    }

    /// The packets, with their sizes, that are sent again because none of their copies arrived, by what is told of numbers of
    /// the transport. Nothing where hardly any are lost: who asks knows better what is merely late.
    pub fn handle_results(&mut self, now: Instant, results: &[PacketResult], lost: f64) -> Vec<(P, usize)> {
        let mut missing = Vec::new();
        for PacketResult { number, arrival } in results {
            let Some(sequence) = self.departures.take(*number) else { continue };
            let Some(kept) = self.find(sequence).and_then(|place| self.kept.get_mut(place)) else { continue };
            kept.under_way = kept.under_way.saturating_sub(1);
            kept.arrived |= arrival.is_some();
            let useful = now.saturating_duration_since(kept.first_sent) < TOO_OLD;
            if !kept.arrived && kept.under_way == 0 && useful {
                missing.push(sequence);
            }
        }
        let [some, _] = SEVERAL;
        if lost > some { self.handle_request(now, &missing, lost) } else { Vec::new() }
    }

    /// The packets, with their sizes, that are sent again on this request: none that left within the last round trip, is known
    /// to have arrived or was asked for too often already. Some are in it several times, the
    /// further ones after all of the first.
    ///
    /// `lost` is the share of the last packets that was: what is asked for may be merely late.
    pub fn handle_request(&mut self, now: Instant, sequences: &[u16], lost: f64) -> Vec<(P, usize)> {
        let (mut answer, mut further) = (Vec::new(), Vec::new());
        for sequence in sequences {
            let Some(kept) = self.find(*sequence) else { continue };
            let round_trip = self.round_trip;
            let Some(kept) = self.kept.get_mut(kept) else { continue };
            // The request may have left just before the answer to the one before came.
            let under_way = now.saturating_duration_since(kept.sent) < round_trip / 2;
            if kept.arrived || kept.times >= MOST_TIMES || kept.times > 0 && under_way {
                continue;
            }
            let copies = copies(lost).max(if kept.times > 0 { 2 } else { 1 });
            further.extend((1..copies).map(|_| (kept.packet.clone(), kept.size)));
            kept.times += 1;
            kept.sent = now;
            answer.push((kept.packet.clone(), kept.size));
        }
        answer.append(&mut further);
        answer
    }

    /// The size of the packet that left last.
    pub fn latest_size(&self) -> Option<usize> {
        self.kept.back().map(|kept| kept.size)
    }

    /// The packet that left last, with its size.
    pub fn latest(&self) -> Option<(P, usize)> {
        self.kept.back().map(|kept| (kept.packet.clone(), kept.size))
    }

    fn find(&self, sequence: u16) -> Option<usize> {
        let first = self.kept.front()?.sequence;
        let ahead = sequence.wrapping_sub(first);
        self.kept.binary_search_by_key(&ahead, |kept| kept.sequence.wrapping_sub(first)).ok()
    }
}

/// How often a packet is sent at the first request, where this share is lost.
fn copies(lost: f64) -> usize {
    let wanted = 1 + SEVERAL.iter().filter(|share| lost > **share).count();
    let fit = (MOST_AGAIN / lost) as usize;
    wanted.min(fit).max(1)
}

#[cfg(test)]
mod tests;
