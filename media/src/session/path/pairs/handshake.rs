//! DTLS before, and while, pairs are being proven: no round trip is spent on probes alone, and what is lost is repeated
//! within a few round trips.
//!
//! ```text
//!   nothing heard       our flight goes to the few likeliest pairs, and to each that turns up
//!   a flight came       ours goes back by its pair: from there the other end has been heard
//!   a pair is proven    it goes there
//!   no answer           once more, exactly as it was; less and less often
//! ```
//!
//! A copy is new to whoever has not had the first, and else refused as a replay (RFC 6347 §4.1.2.6). The core's own clock,
//! a second for every network, is left alone meanwhile: a duplicate of the other end's flight stops it for good. Whom the
//! likeliest pairs may hit is told by the other end, whose description is sealed; it is little beside the probes that go
//! there.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Pairs;
use crate::session::description::CandidateKind;
use crate::session::path::pair::{Pair, PairId};

/// Pairs that get a flight at a time before anything was heard, how often, and how many copies there are in a call.
const LIKELIEST: usize = 4;
const BLIND_REPEATS: u32 = 5;
const MAX_BLIND: usize = 24;
/// Packets of our last flight; more are not kept, and take their chance.
const MAX_FLIGHT: usize = 8;
/// Records of the other end that are remembered.
const MAX_SEEN: usize = 32;
/// Time until a flight without an answer is repeated, if the round trip is not known; half as long again each time.
const FIRST_REPEAT: Duration = Duration::from_millis(200);
const SHORTEST_REPEAT: Duration = Duration::from_millis(60);
const LONGEST_REPEAT: Duration = Duration::from_secs(2);
/// Repeats of one flight: half a minute and more.
const MAX_REPEATS: u32 = 30;
/// A duplicate of the other end's causes one of ours at most this often.
const PROMPTED: Duration = Duration::from_millis(50);

/// RFC 6347 §4.1: content type, version, epoch and sequence number, length.
const RECORD_HEADER: usize = 13;

/// The handshake of one call, as packets.
#[derive(Default)]
pub(super) struct Handshake {
    /// Our last flight, until the next one of the other end comes.
    flight: Vec<Vec<u8>>,
    /// When it last left.
    left: Option<Instant>,
    repeats: u32,
    wait: Duration,
    /// Epoch and sequence number of records that came.
    seen: VecDeque<[u8; 8]>,
    /// Where the other end's last flight came from.
    from: Option<PairId>,
    /// Copies that left before anything was heard.
    blind: usize,
}

/// What a packet of DTLS holds first.
enum Content<'a> {
    /// Handshake or ChangeCipherSpec, with epoch and sequence number.
    Flight(&'a [u8; 8]),
    /// Only an end that has finished sends it.
    Data,
    Other,
}

impl Pairs {
    /// Our first flight, while nothing has come back.
    pub(in crate::session::path) fn hello(&self) -> Option<&[u8]> {
        self.handshake.flight.first().map(Vec::as_slice)
    }

    /// A packet of DTLS came by this pair; whether it is for the call. Before anything is proven it is taken from every
    /// address the other end has told: its probe may be a moment behind.
    pub(in crate::session::path) fn take_dtls(&mut self, now: Instant, id: PairId, packet: &[u8]) -> bool {
        if !(self.admits(id) || (!self.usable && self.pairs.contains_key(&id))) {
            return false;
        }
        self.handshake.from = Some(id);
        match content(packet) {
            Content::Flight(number) if !self.handshake.is_new(number) => {
                // They have not had ours.
                if self.handshake.left.is_some_and(|left| left + PROMPTED <= now) {
                    self.repeat_flight(now, &[id]);
                }
                return false;
            }
            Content::Flight(_) | Content::Data => self.handshake.flight.clear(),
            Content::Other => {}
        }
        true
    }

    /// What came inside a description is not to be taken twice.
    pub(in crate::session::path) fn take_hello(&mut self, hello: &[u8]) {
        if let Content::Flight(number) = content(hello) {
            self.handshake.is_new(number);
        }
    }

    /// The other end has finished: it sends sound.
    pub(super) fn finish_handshake(&mut self) {
        self.handshake.flight.clear();
    }

    /// Keeps a packet of ours until there is an answer.
    pub(super) fn keep_flight(&mut self, now: Instant, packet: &[u8]) {
        if !matches!(content(packet), Content::Flight(_)) {
            return;
        }
        let rtt = self.in_use().and_then(|(_, pair)| pair.rtt);
        let handshake = &mut self.handshake;
        if handshake.left != Some(now) {
            handshake.flight.clear();
            handshake.repeats = 0;
            handshake.wait = rtt.map_or(FIRST_REPEAT, |rtt| SHORTEST_REPEAT.max(rtt * 3 / 2));
        }
        handshake.left = Some(now);
        if handshake.flight.len() < MAX_FLIGHT {
            handshake.flight.push(packet.to_vec());
        }
    }

    /// Where a packet goes while no pair is proven: nowhere, unless it is of the handshake. Whoever points us at somebody else
    /// is not to have sound sent there.
    pub(super) fn unproven(&mut self, packet: &[u8]) -> Vec<PairId> {
        if !matches!(content(packet), Content::Flight(_)) {
            return Vec::new();
        }
        if let Some(from) = self.handshake.from.filter(|from| self.pairs.contains_key(from)) {
            return vec![from];
        }
        let left = MAX_BLIND.saturating_sub(self.handshake.blind);
        let likely = self.likeliest(left.min(LIKELIEST));
        self.handshake.blind += likely.len();
        likely
    }

    /// A pair can be probed now; nothing was heard yet, and what waits for an answer may reach them here.
    pub(super) fn introduce(&mut self, id: PairId) {
        let heard = self.usable || self.handshake.from.is_some();
        if !heard && self.handshake.blind < MAX_BLIND && !self.handshake.flight.is_empty() {
            self.handshake.blind += 1;
            for packet in self.handshake.flight.clone() {
                self.push(id, packet);
            }
        }
    }

    /// The first life on this pair: what was not answered may have been lost, or come too early for a translator.
    pub(super) fn hasten_flight(&mut self, now: Instant, id: PairId) {
        if self.handshake.left.is_some_and(|left| left < now) {
            self.repeat_flight(now, &[id]);
        }
    }

    /// When an unanswered flight is repeated.
    pub(super) fn repeat_at(&self) -> Option<Instant> {
        let Handshake { flight, left, repeats, wait, from, .. } = &self.handshake;
        let heard = self.usable || from.is_some();
        let most = if heard { MAX_REPEATS } else { BLIND_REPEATS };
        (!flight.is_empty() && *repeats < most).then_some((*left)? + *wait)
    }

    pub(super) fn repeat_if_due(&mut self, now: Instant) {
        if self.repeat_at().is_none_or(|at| at > now) {
            return;
        }
        self.handshake.repeats += 1;
        self.handshake.wait = (self.handshake.wait * 3 / 2).min(LONGEST_REPEAT);
        let [on, also] = self.flow.targets();
        let also = also.or_else(|| self.standbys().first().copied());
        let mut targets: Vec<PairId> = [on, also].into_iter().flatten().collect();
        if let Some(first) = self.handshake.flight.first().cloned().filter(|_| targets.is_empty()) {
            targets = self.unproven(&first);
        }
        self.repeat_flight(now, &targets);
    }

    fn repeat_flight(&mut self, now: Instant, targets: &[PairId]) {
        self.handshake.left = Some(now);
        for id in targets {
            for packet in self.handshake.flight.clone() {
                self.push(*id, packet);
            }
        }
    }

    /// Through no relay first, then to where a translator was seen: within one network probes are quick anyway.
    fn likeliest(&self, most: usize) -> Vec<PairId> {
        let open = self.pairs.iter().filter(|(_, pair)| pair.probe_at().is_some());
        let unlikely = |pair: &Pair| {
            let ends = &pair.ends;
            (!ends.is_direct(), ends.streams(), ends.remote.kind == CandidateKind::Host)
        };
        let mut likely: Vec<_> = open.map(|(id, pair)| (unlikely(pair), *id)).collect();
        likely.sort_unstable();
        likely.into_iter().take(most).map(|(_, id)| id).collect()
    }
}

impl Handshake {
    fn is_new(&mut self, number: &[u8; 8]) -> bool {
        if self.seen.contains(number) {
            return false;
        }
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(*number);
        true
    }
}

/// RFC 6347 §4.1 and RFC 5246 §6.2.1: 20 ChangeCipherSpec, 22 handshake, 23 application data.
fn content(packet: &[u8]) -> Content<'_> {
    match (packet.first(), packet.get(3..RECORD_HEADER - 2).and_then(|number| number.try_into().ok())) {
        (Some(20 | 22), Some(number)) => Content::Flight(number),
        (Some(23), Some(_)) => Content::Data,
        _ => Content::Other,
    }
}
