//! Packets in, whole pictures out, in an order in which each can be decoded.
//!
//! ```text
//!                    a whole keyframe                    what was dropped is missed
//!   AwaitingKey ─────────────────────────▶ Following ─────────────────────────────────▶ AwaitingKey
//! ```
//! While following, the next picture is the one whose first packet follows the last packet handed out. A gap is waited
//! for, since lost packets are asked for again ([`nack`](crate::session::congestion::nack)). Three things end the wait
//! early: a keyframe behind the gap; a picture whose PictureID says that nothing is missing; and, a round trip later, a
//! picture that needs only what was decoded, judged by TL0PICIDX, TID and the sync bit (RFC 7741 §4.2). Layers with a
//! hole stay out until they are synchronised.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{DescriptorError, Part, PictureId, parse};
use crate::video::vpx::{Codec, Layer};

/// Packets kept; when full, the oldest is dropped.
pub const MAX_PACKETS: usize = 2048;

/// Bytes kept; when full, the oldest packet is dropped.
pub const MAX_BYTES: usize = 4 << 20;

/// A packet that waited so long is dropped.
const MAX_AGE: Duration = Duration::from_secs(2);

/// A sequence number so far from the newest is another stream or garbage; the next packet decides.
const MAX_JUMP: u16 = 1000;

/// A packet is missing only after so long: it may come out of order.
const REORDERING: Duration = Duration::from_millis(10);

/// How long a gap is waited for before a keyframe is wished: three round trips, within these bounds.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(150), Duration::from_millis(500));

/// What the round trip is taken for until it is known.
const USUAL_ROUND_TRIP: Duration = Duration::from_millis(50);

/// A whole coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// As the decoder wants it.
    pub data: Vec<u8>,
    /// RTP timestamp, 90 kHz.
    pub timestamp: u32,
    /// Whether it stands alone.
    pub key: bool,
    /// When the last of its packets came.
    pub complete: Instant,
}

/// What became of packets and pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AssemblerStats {
    /// Pictures handed out.
    pub pictures: u64,
    /// Packets that were no payload of this codec.
    pub malformed: u64,
    /// Packets that came twice or too late.
    pub late: u64,
    /// Packets dropped unused: too old, too many, or of a picture that cannot be decoded.
    pub dropped: u64,
}

/// Puts the packets of one stream together.
#[derive(Debug)]
pub struct Assembler {
    codec: Codec,
    round_trip: Duration,
    state: State,
    packets: BTreeMap<i64, Packet>,
    bytes: usize,
    /// What is missing, and since when.
    gaps: BTreeMap<i64, Instant>,
    newest: Option<i64>,
    doubtful: Option<u16>,
    /// Everything up to this extended sequence number is over.
    floor: i64,
    stats: AssemblerStats,
}

#[derive(Debug, Clone, Copy)]
enum State {
    AwaitingKey,
    Following {
        picture: Option<PictureId>,
        base: Option<u8>,
        /// One bit for each layer with a hole.
        broken: u8,
    },
}

#[derive(Debug)]
struct Packet {
    /// None for padding.
    part: Option<Part>,
    data: Vec<u8>,
    timestamp: u32,
    last: bool,
    arrived: Instant,
}

impl Assembler {
    /// Nothing came yet.
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            round_trip: USUAL_ROUND_TRIP,
            state: State::AwaitingKey,
            packets: BTreeMap::new(),
            bytes: 0,
            gaps: BTreeMap::new(),
            newest: None,
            doubtful: None,
            floor: i64::MIN,
            stats: AssemblerStats::default(),
        }
    }

    /// Takes one RTP packet: its sequence number, timestamp, marker bit and payload. Fails when the payload is
    /// malformed, which changes nothing.
    pub fn insert(
        &mut self,
        now: Instant,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Result<(), DescriptorError> {
        let parsed = if payload.is_empty() { None } else { Some(parse(self.codec, payload)) };
        let parsed = parsed.transpose().inspect_err(|_| self.stats.malformed += 1)?;
        let Some(extended) = self.extend(sequence) else { return Ok(()) };
        if extended <= self.floor || self.packets.contains_key(&extended) {
            self.stats.late += 1;
            return Ok(());
        }
        self.note_gaps(now, extended);
        let (part, data) = parsed.map_or((None, Vec::new()), |(part, data)| (Some(part), data.to_vec()));
        self.bytes += data.len();
        self.packets.insert(extended, Packet { part, data, timestamp, last: marker, arrived: now });
        while self.packets.len() > MAX_PACKETS || self.bytes > MAX_BYTES {
            self.drop_oldest();
        }
        Ok(())
    }

    /// The next picture that can be decoded.
    pub fn poll(&mut self, now: Instant) -> Option<Assembled> {
        while self.packets.first_key_value().is_some_and(|(_, first)| now > first.arrived + MAX_AGE) {
            self.drop_oldest();
        }
        loop {
            self.pass_padding();
            let (begin, end, part) = self.in_sequence().or_else(|| self.behind_gap(now))?;
            let skipped = begin != self.floor.saturating_add(1) && !self.is_successor(&part);
            self.drop_until(begin - 1);
            if part.key || self.is_usable(&part) {
                return Some(self.hand_out(now, end, &part, skipped));
            }
            // Without its beginning, or of a layer with a hole.
            if !part.begins {
                self.state = State::AwaitingKey;
            }
            self.drop_until(end);
        }
    }

    /// Whether only a keyframe helps, as far as is known now. Stays so until one comes, or what was lost.
    pub fn needs_keyframe(&self, now: Instant) -> bool {
        match self.state {
            State::AwaitingKey => self.newest.is_some() && !self.is_key_coming(now),
            State::Following { .. } => self.waits_since().is_some_and(|since| now >= since + self.patience()),
        }
    }

    /// What was decoded is lost: goes on with the next keyframe.
    pub fn await_keyframe(&mut self) {
        self.state = State::AwaitingKey;
    }

    /// Tells the round trip to the sender.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// When next, after `now`, there is something to skip or to wish.
    pub fn timeout(&self, now: Instant) -> Option<Instant> {
        let since = self.waits_since()?;
        [since + self.skipping(), since + self.patience()].into_iter().filter(|due| *due > now).min()
    }

    /// What became of packets and pictures.
    pub fn stats(&self) -> AssemblerStats {
        self.stats
    }

    fn extend(&mut self, sequence: u16) -> Option<i64> {
        let Some(newest) = self.newest else {
            // Room below for what comes out of order.
            self.newest = Some(i64::from(sequence) + (1 << 16));
            return self.newest;
        };
        let ahead = sequence.wrapping_sub(newest as u16) as i16;
        if ahead.unsigned_abs() <= MAX_JUMP {
            self.doubtful = None;
            return Some(newest + i64::from(ahead));
        }
        if self.doubtful.is_some_and(|before| before.wrapping_add(1) == sequence) {
            *self = Self { round_trip: self.round_trip, stats: self.stats, ..Self::new(self.codec) };
            return self.extend(sequence);
        }
        self.doubtful = Some(sequence);
        self.stats.dropped += 1;
        None
    }

    fn note_gaps(&mut self, now: Instant, came: i64) {
        let newest = self.newest.unwrap_or(came);
        for lost in (newest + 1).max(self.floor.saturating_add(1))..came {
            self.gaps.insert(lost, now);
        }
        while self.gaps.len() > usize::from(MAX_JUMP) {
            self.gaps.pop_first();
        }
        self.newest = Some(newest.max(came));
        self.gaps.remove(&came);
    }

    fn pass_padding(&mut self) {
        while let Some((&first, packet)) = self.packets.first_key_value()
            && packet.part.is_none()
            && (first == self.floor.saturating_add(1) || matches!(self.state, State::AwaitingKey))
        {
            self.packets.remove(&first);
            self.floor = first;
        }
    }

    /// The picture that begins right after the floor, when it is whole.
    fn in_sequence(&self) -> Option<(i64, i64, Part)> {
        let State::Following { .. } = self.state else { return None };
        let begin = self.floor.saturating_add(1);
        let part = self.packets.get(&begin)?.part?;
        Some((begin, self.end_of(begin)?, part))
    }

    /// The first whole picture that may be handed out before what is missing.
    fn behind_gap(&self, now: Instant) -> Option<(i64, i64, Part)> {
        let patient = self.waits_since().is_none_or(|since| now < since + self.skipping());
        let begins = self
            .packets
            .iter()
            .filter_map(|(&begin, packet)| packet.part.filter(|part| part.begins).map(|part| (begin, part)));
        let mut may = begins.filter(|(_, part)| {
            part.key || self.is_successor(part) || (!patient && self.needs_only_decoded(part))
        });
        may.find_map(|(begin, part)| Some((begin, self.end_of(begin)?, part)))
    }

    /// The last packet of the picture that begins there, when all are there.
    fn end_of(&self, begin: i64) -> Option<i64> {
        let timestamp = self.packets.get(&begin)?.timestamp;
        let mut end = begin;
        for (&at, packet) in self.packets.range(begin..) {
            if packet.timestamp != timestamp && at == end + 1 {
                return Some(end);
            }
            if at > end + 1 {
                return None;
            }
            if packet.last {
                return Some(at);
            }
            end = at;
        }
        None
    }

    /// Whether its number follows that of the picture before.
    fn is_successor(&self, part: &Part) -> bool {
        match self.state {
            State::Following { picture: Some(before), .. } => part.picture == Some(before.next()),
            State::Following { .. } | State::AwaitingKey => false,
        }
    }

    /// Whether it needs nothing but the latest picture of layer 0, which was decoded.
    fn needs_only_decoded(&self, part: &Part) -> bool {
        let State::Following { base: Some(before), .. } = self.state else { return false };
        match (part.layer, part.base) {
            (Some(Layer { id: 0, .. }), Some(base)) => base == before.wrapping_add(1),
            (Some(Layer { sync: true, .. }), Some(base)) => base == before,
            _ => false,
        }
    }

    /// Whether the layers it may need have no hole.
    fn is_usable(&self, part: &Part) -> bool {
        let State::Following { broken, .. } = self.state else { return false };
        let whole = |layer: Layer| layer.id == 0 || layer.sync || broken & bits_to(layer.id) == 0;
        part.begins && part.layer.is_none_or(whole)
    }

    fn hand_out(&mut self, now: Instant, end: i64, part: &Part, skipped: bool) -> Assembled {
        let broken = match self.state {
            _ if part.key => 0,
            State::Following { broken, .. } if !skipped => broken,
            State::Following { .. } | State::AwaitingKey => u8::MAX,
        };
        let mended = part.layer.filter(|layer| layer.sync).map_or(0, |layer| 1 << (layer.id & 7));
        let later = self.packets.split_off(&(end + 1));
        let whole = std::mem::replace(&mut self.packets, later);
        let mut picture = Assembled { data: Vec::new(), timestamp: 0, key: part.key, complete: now };
        let arrived = whole.values().map(|packet| packet.arrived).max();
        picture.complete = arrived.unwrap_or(now);
        for packet in whole.into_values() {
            picture.timestamp = packet.timestamp;
            picture.data.extend_from_slice(&packet.data);
        }
        self.bytes -= picture.data.len();
        self.over(end);
        self.state = State::Following { picture: part.picture, base: part.base, broken: broken & !mended };
        self.stats.pictures += 1;
        picture
    }

    fn drop_until(&mut self, last: i64) {
        while let Some(entry) = self.packets.first_entry().filter(|entry| *entry.key() <= last) {
            self.bytes -= entry.remove().data.len();
            self.stats.dropped += 1;
        }
        self.over(last);
    }

    fn drop_oldest(&mut self) {
        if let Some((&oldest, _)) = self.packets.first_key_value() {
            self.drop_until(oldest);
            self.state = State::AwaitingKey;
        }
    }

    fn over(&mut self, last: i64) {
        self.floor = self.floor.max(last);
        self.gaps = self.gaps.split_off(&(self.floor.saturating_add(1)));
    }

    /// Since when something is missing before the first packet that waits.
    fn waits_since(&self) -> Option<Instant> {
        self.gaps.first_key_value().map(|(_, since)| *since)
    }

    /// Whether the beginning of a keyframe came a short while ago.
    fn is_key_coming(&self, now: Instant) -> bool {
        let mut begun = self.packets.values().filter(|packet| packet.part.is_some_and(|part| part.key));
        begun.any(|packet| now < packet.arrived + self.patience())
    }

    fn skipping(&self) -> Duration {
        REORDERING + self.round_trip
    }

    fn patience(&self) -> Duration {
        (3 * self.round_trip).clamp(PATIENCE.0, PATIENCE.1)
    }
}

/// One bit for each layer from 1 to `layer`.
fn bits_to(layer: u8) -> u8 {
    (0xffu8 >> (7 - (layer & 7))) & !1
}
