//! Packets in, played blocks out: the adaptive play-out.
//!
//! ```text
//!            first packet             delay reached             nothing for GIVE_UP
//!  Idle ───────────────────▶ Filling ──────────────▶ Playing ───────────────────────▶ Idle
//!                               ▲ sender restarted      │
//!                               └───────────────────────┘
//! ```
//!
//! While playing, each pull makes sound of the first thing that applies: the frame whose time it is, from its own packet, as
//! the copy that came with a later one or as a repeat; the coarse copy inside the packet after it; an invented continuation. Inventing does
//! not move media time: a packet that comes after all is still played, and the delay has grown by what was invented. Where
//! that is longer than what is waited on purpose, and packets are late by chance, as much of the packet is left out instead: it
//! was heard as an invention. What waits too long is caught up by cutting pitch periods out, and the other way round
//! ([`stretch`]); after a queue that grew, later and in pauses ([`Haste`]).

use std::time::{Duration, Instant};

use super::{EarlierFrame, FrameNumber, Reported};
use crate::codec::{CodecError, Decoder, MAX_DECODED, has_coarse_copy, samples_of};
use crate::frame::{BLOCK, Block, OPUS_FRAME, duration_of, samples_in};
use crate::jitter::delay::{DelayEstimator, Haste};
use crate::jitter::packets::{Inserted, Origin, Packet, PacketBuffer};
use crate::jitter::stretch::{self, Joins, Likeness, PAUSE_NEEDS, Pauses, SQUEEZE_NEEDS, STRETCH_NEEDS};
use crate::jitter::{Playing, PlayoutStats};

/// Without a packet for this long, silence is played and nothing is invented any more.
const GIVE_UP: Duration = Duration::from_millis(600);

/// A backlog this much beyond the target is skipped instead of being played faster.
const MAX_BACKLOG: Duration = Duration::from_millis(600);

/// Whether the delay may be changed by stretching and squeezing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeStretch {
    /// As the network asks.
    #[default]
    On,
    /// Never: the delay only grows by what is invented. For measurements.
    Off,
}

/// How voice is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VoiceReceiverConfig {
    /// Whether the delay may be changed by stretching and squeezing.
    pub time_stretch: TimeStretch,
}

/// Makes played blocks of packets, whatever the network does to them.
pub struct VoiceReceiver {
    config: VoiceReceiverConfig,
    start: Instant,
    decoder: Decoder,
    packets: PacketBuffer,
    delay: DelayEstimator,
    state: State,
    /// Decoded and not yet played.
    ready: Vec<f32>,
    scratch: Box<[f32; MAX_DECODED]>,
    /// Sequence number of the packet decoded last, and the media time of its end.
    decoded: Option<(i64, i64)>,
    /// How long it was, in samples.
    length: usize,
    /// Where the last packet ended of which a part was left out, in media time.
    shortened: Option<i64>,
    /// How long packets waited at the last pulls, in samples.
    recent: [i64; RECENT],
    pulls: usize,
    pauses: Pauses,
    stats: PlayoutStats,
    shown_delay: f64,
}

/// Media times are extended RTP timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Filling,
    Playing {
        /// Media time of the next sample to decode.
        next: i64,
        /// Samples invented since the last packet, media time standing still.
        invented: usize,
    },
}

impl VoiceReceiver {
    /// A receiver that has heard nothing yet; it plays silence until the first packet.
    pub fn new(config: VoiceReceiverConfig, now: Instant) -> Result<Self, CodecError> {
        Ok(Self {
            config,
            start: now,
            decoder: Decoder::new()?,
            packets: PacketBuffer::default(),
            delay: DelayEstimator::default(),
            state: State::Idle,
            ready: Vec::with_capacity(2 * MAX_DECODED),
            scratch: Box::new([0.0; MAX_DECODED]),
            decoded: None,
            length: OPUS_FRAME,
            shortened: None,
            recent: [0; RECENT],
            pulls: 0,
            pauses: Pauses::default(),
            stats: PlayoutStats::default(),
            shown_delay: 0.0,
        })
    }

    /// Takes one packet that arrived at `now`; anything malformed is counted and dropped.
    pub fn insert(&mut self, now: Instant, number: impl Into<FrameNumber>, timestamp: u32, payload: &[u8]) {
        let number = number.into();
        let Ok(samples) = samples_of(payload) else {
            self.stats.discarded += 1;
            return;
        };
        let arrival = self.samples_at(now);
        match self.packets.insert((number.get(), timestamp), payload, samples, self.played()) {
            Inserted::Waiting(media) => {
                self.stats.received += 1;
                self.delay.arrived(arrival, media - shortness(samples));
                // Our ends send exact copies.
                if let FrameNumber::OfPacket(sequence) = number
                    && self.packets.misses_before(sequence)
                    && has_coarse_copy(payload)
                {
                    self.delay.recovered(arrival, media - OPUS_FRAME as i64);
                }
                if self.state == State::Idle {
                    self.state = State::Filling;
                }
            }
            Inserted::Restarted(media) => {
                self.stats.received += 1;
                self.delay.restart();
                self.delay.arrived(arrival, media - shortness(samples));
                self.state = State::Filling;
                self.decoded = None;
                self.shortened = None;
            }
            // A latecomer says how long one should have waited.
            Inserted::Late(media) => {
                self.stats.late += 1;
                self.delay.arrived(arrival, media - shortness(samples));
            }
            Inserted::Duplicate => self.stats.duplicates += 1,
            Inserted::Doubtful => self.stats.discarded += 1,
        }
    }

    /// Takes the copies that came with the packet that was inserted last, whose number and timestamp these are.
    pub fn insert_copies(
        &mut self,
        now: Instant,
        number: impl Into<FrameNumber>,
        timestamp: u32,
        copies: &[EarlierFrame],
    ) {
        let number = number.into();
        for EarlierFrame { behind, payload } in copies {
            let samples = samples_of(payload).ok();
            let earlier = samples.and_then(|samples| Some((number.earlier(*behind, samples)?, samples)));
            let Some((earlier, samples)) = earlier else {
                self.stats.discarded += 1;
                continue;
            };
            self.insert_copy(now, (earlier, timestamp.wrapping_sub(*behind)), payload, samples);
        }
    }

    /// Takes a frame that was sent once more, with the number and the timestamp of its own packet.
    pub fn insert_repeat(
        &mut self,
        now: Instant,
        number: impl Into<FrameNumber>,
        timestamp: u32,
        payload: &[u8],
    ) {
        match samples_of(payload) {
            Ok(samples) => self.insert_copy(now, (number.into().get(), timestamp), payload, samples),
            Err(_) => self.stats.discarded += 1,
        }
    }

    /// Tells what the other side says of the way: where it is long, less is waited for what is late.
    pub fn handle_report(&mut self, reported: Reported) {
        if let Some(rtt) = reported.round_trip {
            self.delay.set_way(rtt / 2);
        }
    }

    /// Fills the next 10 ms to play, to be called every 10 ms.
    pub fn play(&mut self, now: Instant, out: &mut Block) {
        let at = now;
        let now = self.samples_at(now);
        if self.state == State::Filling {
            self.begin_if_full(now);
        }
        if let State::Playing { next, .. } = self.state {
            self.note_delay(now, next);
            self.skip_backlog(now);
            self.change_delay(now);
        }
        while self.ready.len() < BLOCK && self.produce() {}
        if let State::Playing { next, .. } = self.state {
            // Extended timestamps keep their lower half.
            let timestamp = (next - self.ready.len() as i64) as u32;
            self.stats.playing = Some(Playing { at, timestamp });
        }
        let count = self.ready.len().min(BLOCK);
        out[..count].copy_from_slice(&self.ready[..count]);
        out[count..].fill(0.0);
        self.pauses.follow(out);
        self.ready.drain(..count);
        self.stats.played += count as u64;
    }

    /// What play-out did so far.
    pub fn stats(&self) -> PlayoutStats {
        PlayoutStats {
            playout_delay: duration_of(self.shown_delay.max(0.0) as u64),
            lateness: duration_of(self.delay.lateness()),
            target_delay: duration_of(self.delay.target() as u64),
            jitter: duration_of(self.delay.jitter()),
            frame: duration_of(self.length as u64),
            discarded: self.stats.discarded + self.packets.dropped(),
            ..self.stats
        }
    }

    /// Whether at least one packet was decoded, not concealed.
    pub fn has_decoded(&self) -> bool {
        self.decoded.is_some()
    }

    fn insert_copy(&mut self, now: Instant, own: (u16, u32), payload: &[u8], samples: usize) {
        // One that is late says how long one should have waited, too.
        if let Some(media) = self.packets.insert_copy(own, payload, samples, self.played()) {
            self.delay.recovered(self.samples_at(now), media - shortness(samples));
        }
    }

    /// Media times before this are over.
    fn played(&self) -> Option<i64> {
        match self.state {
            State::Playing { next, .. } => Some(next),
            State::Idle | State::Filling => None,
        }
    }

    fn samples_at(&self, now: Instant) -> i64 {
        samples_in(now.saturating_duration_since(self.start)) as i64
    }

    /// Starts to play when the first packet has waited long enough, from the packet whose time it is.
    fn begin_if_full(&mut self, now: i64) {
        let due = now - self.delay.base() - self.delay.target();
        while self.packets.len() > 1
            && self.packets.first().is_some_and(|first| reckoned(first) + MAX_STALE < due)
        {
            self.packets.take_first();
        }
        if let Some(first) = self.packets.first()
            && reckoned(first) <= due
        {
            self.length = first.samples;
            self.state = State::Playing { next: first.timestamp, invented: 0 };
            self.pulls = 0;
        }
    }

    /// What counts is how long a packet waits before it is decoded, and of that the least of the last pulls: a device may
    /// pull two blocks at once.
    fn note_delay(&mut self, now: i64, next: i64) {
        let began = next - self.ready.len() as i64 - shortness(self.length);
        let delay = now - self.delay.base() - began;
        self.recent[self.pulls % RECENT] = delay - (self.ready.len() % BLOCK) as i64;
        self.pulls += 1;
        let share = if self.pulls == 1 { 1.0 } else { 0.05 };
        self.shown_delay += (delay as f64 - self.shown_delay) * share;
    }

    fn least_wait(&self) -> i64 {
        self.recent[..self.pulls.min(RECENT)].iter().copied().min().unwrap_or(0)
    }

    /// After a long stall, old packets are worth less than a conversation in time.
    fn skip_backlog(&mut self, now: i64) {
        let State::Playing { next, .. } = self.state else { return };
        let target = self.delay.target();
        if self.least_wait() <= target + samples_in(MAX_BACKLOG) as i64 {
            return;
        }
        let due = now - self.delay.base() - target;
        let mut skipped = next;
        while self.packets.first().is_some_and(|first| reckoned(first) + (first.samples as i64) < due) {
            match self.packets.take_first() {
                Some(packet) => skipped = packet.timestamp + packet.samples as i64,
                None => break,
            }
        }
        self.state = State::Playing { next: skipped, invented: 0 };
        self.pulls = 0;
    }

    /// Cuts or repeats a pitch period when the delay is off by more than the play in the system.
    fn change_delay(&mut self, now: i64) {
        if self.config.time_stretch == TimeStretch::Off || self.pulls < RECENT / 2 {
            return;
        }
        let excess = self.least_wait() - self.delay.target();
        let quiet = self.pauses.quiet();
        let slack = if shortness(self.length) > 0 { SLACK_OF_SHORT } else { SLACK };
        if excess > slack {
            // The further behind, the less alike the joined periods need to be.
            let enough = Likeness((0.92 - (excess - slack) as f32 / 24_000.0).max(0.55));
            let words = match self.delay.haste(now) {
                Haste::Later if excess < BEARABLE => return,
                Haste::InPauses if excess < BEARABLE && !self.pauses.is_pause() => return,
                Haste::InPauses if excess < BEARABLE => None,
                Haste::Later | Haste::InPauses | Haste::Now => Some(enough),
            };
            while self.ready.len() < SQUEEZE_NEEDS && self.decode_next() {}
            let gone = stretch::squeeze(&mut self.ready, Joins { quiet, words }) as i64;
            self.stats.squeezed += gone as u64;
            self.shift_delay(-gone);
        } else if excess < -SHORT {
            while self.ready.len() < STRETCH_NEEDS && self.decode_next() {}
            let enough = Likeness((0.9 + (excess + SHORT) as f32 / 12_000.0).max(0.6));
            let added = stretch::stretch(&mut self.ready, Joins { quiet, words: Some(enough) }) as i64;
            self.stats.stretched += added as u64;
            self.shift_delay(added);
        } else if self.pauses.is_pause() && self.delay.is_felt() {
            self.align();
        }
    }

    /// Frames are decoded as a whole when a block is wanted, and what is left of the one before is heard first: so much longer
    /// the next one waits for nothing. In a pause that is cut out, where the way is so long that it is felt: elsewhere a cut costs
    /// more than it is worth.
    fn align(&mut self) {
        let left = self.ready.len() % BLOCK;
        if left < ALIGNED {
            return;
        }
        while self.ready.len() < left + PAUSE_NEEDS && self.decode_next() {}
        if stretch::shorten_pause(&mut self.ready, left, self.pauses.quiet()) {
            // Packets wait for being decoded as long as before: the delays that are compared with the target stay.
            self.stats.squeezed += left as u64;
        }
    }

    /// Makes more sound, by whatever applies first; says whether there is more.
    fn produce(&mut self) -> bool {
        let State::Playing { next, invented } = self.state else { return false };
        let Some(first) = self.packets.first() else { return self.invent(BLOCK, next, invented) };
        let missing = (first.timestamp - next).max(0) as usize;
        let frame = first.samples.min(OPUS_FRAME);
        if missing <= invented {
            // What was lost has been invented already.
            self.shift_delay(-(missing as i64));
            return self.decode_first();
        }
        if missing > frame {
            // Media time moves here: these frames are known to be lost.
            let step = (missing - frame).min(OPUS_FRAME);
            let paid = step.min(invented);
            self.state = State::Playing { next: next + step as i64, invented: invented - paid };
            self.shift_delay(-(paid as i64));
            return step == paid || self.conceal(step - paid);
        }
        self.recover(missing, invented)
    }

    /// Decodes the next packet if it is the one whose time it is.
    fn decode_next(&mut self) -> bool {
        match (self.state, self.packets.first()) {
            (State::Playing { next, .. }, Some(first)) if first.timestamp <= next => self.decode_first(),
            _ => false,
        }
    }

    fn decode_first(&mut self) -> bool {
        let left_out = self.too_late();
        // Fades into what is left of the packet, so that there is no step between them.
        let fading = (left_out > 0).then(|| self.continuation());
        let Some(packet) = self.packets.take_first() else { return false };
        // Frames of our ends are numbered by their time, whatever they hold: a long one has several numbers.
        let lost = self.decoded.map_or(0, |(before, ended)| {
            let frame = packet.samples.min(OPUS_FRAME) as i64;
            (packet.sequence - before - 1).min((packet.timestamp - ended) / frame).max(0)
        });
        self.stats.lost += lost as u64;
        if packet.origin == Origin::Later {
            self.stats.lost += 1;
            self.stats.recovered += 1;
        }
        let end = packet.timestamp + packet.samples as i64;
        self.decoded = Some((packet.sequence, end));
        // Of another length it arrived sooner or later after it began: so much longer or shorter it waits.
        self.shift_delay(shortness(packet.samples) - shortness(self.length));
        self.length = packet.samples;
        if left_out > 0 {
            self.shortened = Some(end);
            self.shift_delay(-(left_out as i64));
        }
        self.state = State::Playing { next: end, invented: 0 };
        match self.decoder.decode(&packet.payload, &mut self.scratch) {
            Ok(count) => {
                let rest = &mut self.scratch[left_out.min(count)..count];
                if let Some(fading) = &fading {
                    fade(fading, rest);
                }
                self.ready.extend_from_slice(rest);
                true
            }
            Err(_) => {
                self.stats.discarded += 1;
                self.conceal(packet.samples)
            }
        }
    }

    /// Of the packet that is to be played next, how many samples are left out because they were invented meanwhile.
    fn too_late(&self) -> usize {
        let (State::Playing { next, invented }, Some(first)) = (self.state, self.packets.first()) else {
            return 0;
        };
        let again = self.shortened.is_some_and(|before| next - before < SELDOM);
        if again || !self.delay.is_by_chance() || self.config.time_stretch == TimeStretch::Off {
            return 0;
        }
        let late = invented.saturating_sub((first.timestamp - next).max(0) as usize);
        let excess = (self.least_wait() - self.delay.target()).max(0) as usize;
        // Words are not left out.
        if late > MOST_LEFT_OUT { 0 } else { excess.min(late).min(first.samples) }
    }

    /// The next samples of what is invented, which are not played.
    fn continuation(&mut self) -> [f32; FADE] {
        let mut samples = [0.0; FADE];
        if self.decoder.conceal(FADE, &mut self.scratch).is_ok() {
            samples.copy_from_slice(&self.scratch[..FADE]);
        }
        samples
    }

    /// The lost frame, of which less was invented, may be inside the packet after it.
    fn recover(&mut self, missing: usize, invented: usize) -> bool {
        let (State::Playing { next, .. }, Some(first)) = (self.state, self.packets.first()) else {
            return false;
        };
        self.state = State::Playing { next: next + missing as i64, invented: 0 };
        if !has_coarse_copy(&first.payload) {
            // It is known to be lost, and a part of it is invented already.
            self.shift_delay(-(invented as i64));
            return self.conceal(missing - invented);
        }
        match self.decoder.decode_fec(&first.payload, missing, &mut self.scratch) {
            Ok(count) => {
                self.stats.recovered += 1;
                self.ready.extend_from_slice(&self.scratch[..count]);
                true
            }
            Err(_) => self.conceal(missing),
        }
    }

    /// Nothing is there: invent, but not for ever.
    fn invent(&mut self, samples: usize, next: i64, invented: usize) -> bool {
        if duration_of(invented as u64) >= GIVE_UP {
            self.state = State::Idle;
            return false;
        }
        self.state = State::Playing { next, invented: invented + samples };
        self.shift_delay(samples as i64);
        self.conceal(samples)
    }

    /// The delay was changed on purpose: so were the delays that are compared with the target.
    fn shift_delay(&mut self, by: i64) {
        self.recent.iter_mut().for_each(|delay| *delay += by);
    }

    fn conceal(&mut self, samples: usize) -> bool {
        self.stats.concealed += samples as u64;
        match self.decoder.conceal(samples, &mut self.scratch) {
            Ok(count) => self.ready.extend_from_slice(&self.scratch[..count]),
            Err(_) => self.ready.extend(std::iter::repeat_n(0.0, samples)),
        }
        true
    }
}

/// By how much a frame of so many samples is shorter than a usual one. The sooner after its first sample it leaves: what the way
/// takes is told by when frames *end*, so all count as if they had begun a usual one before that.
const fn shortness(samples: usize) -> i64 {
    OPUS_FRAME.saturating_sub(samples) as i64
}

/// When a packet counts as having begun.
const fn reckoned(packet: &Packet) -> i64 {
    packet.timestamp - shortness(packet.samples)
}

/// From one sound to another.
fn fade(from: &[f32; FADE], to: &mut [f32]) {
    for (nth, (to, from)) in to.iter_mut().zip(from).enumerate() {
        let share = nth as f32 / FADE as f32;
        *to = *to * share + from * (1.0 - share);
    }
}

/// 5 ms.
const FADE: usize = 240;
/// After so long a part of a packet may be left out again, 400 ms: where all are late, the delay must grow.
const SELDOM: i64 = 19_200;
/// A packet that is later than this is played as a whole: 40 ms.
const MOST_LEFT_OUT: usize = 1920;
/// Pulls over which the smallest delay counts: 100 ms.
const RECENT: usize = 10;
/// A delay this much above the target is left alone: 15 ms.
const SLACK: i64 = 720;
/// The same where frames are short, which are sent for what would be left alone else: 9 ms. Packets are decoded when a block is
/// wanted: less than that may be the time until then.
const SLACK_OF_SHORT: i64 = 432;
/// A delay this much above the target is caught up without delay, whatever it sounds like: 100 ms.
const BEARABLE: i64 = 4800;
/// A delay this much below the target is left alone: 6 ms.
const SHORT: i64 = 288;
/// Less of a block is left as it is: 1 ms.
const ALIGNED: usize = 48;
/// When play-out starts, packets older than this beyond the target are skipped: 60 ms.
const MAX_STALE: i64 = 2880;

#[cfg(test)]
mod tests;
