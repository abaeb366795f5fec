//! Packets waiting for their time: in order of media time, without duplicates, bounded.
//!
//! Sequence numbers (16 bit) and timestamps (32 bit) wrap; both are extended against the newest packet.
//! A packet far from all others is either a restarted sender or garbage: it counts only when the next one
//! confirms it (RFC 3550 appendix A.1).

use std::collections::BTreeMap;

/// Packets kept, 4 s of 20 ms packets; when full, the oldest is dropped.
pub const MAX_PACKETS: usize = 200;

/// A packet further than this from the newest one is not of the same run: 5 s of 48 kHz samples.
pub const MAX_JUMP: i64 = 240_000;

/// One packet that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Extended sequence number.
    pub sequence: i64,
    /// Extended media time of its first sample.
    pub timestamp: i64,
    /// How many samples it holds.
    pub samples: usize,
    /// One Opus packet.
    pub payload: Vec<u8>,
    /// Which packet brought it.
    pub origin: Origin,
}

/// Which packet brought a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Its own.
    Own,
    /// A later one, with a copy or as a repeat: its own has not come.
    Later,
}

/// What became of an inserted packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It waits; this is its extended media time.
    Waiting(i64),
    /// It waits, and the stream began anew: the media times before it mean nothing any more.
    Restarted(i64),
    /// It was there already.
    Duplicate,
    /// Its time to be played is over.
    Late(i64),
    /// It is far from all others; the next one decides.
    Doubtful,
}

/// Packets that wait, ordered by media time.
#[derive(Debug, Default)]
pub struct PacketBuffer {
    waiting: BTreeMap<i64, Packet>,
    newest: Option<(i64, i64)>,
    /// Sequence number of the first packet of the stream.
    oldest: i64,
    /// Which of the last 128 sequence numbers came; bit 0 is the newest.
    came: u128,
    doubtful: Option<(u16, u32)>,
    dropped: u64,
}

impl PacketBuffer {
    /// Takes a packet of `samples`; media times before `played` are over.
    pub fn insert(
        &mut self,
        (sequence, timestamp): (u16, u32),
        payload: &[u8],
        samples: usize,
        played: Option<i64>,
    ) -> Inserted {
        let Some((newest_sequence, newest_timestamp)) = self.newest else {
            return self.restart((sequence, timestamp), payload, samples);
        };
        let extended = newest_sequence + i64::from(sequence.wrapping_sub(newest_sequence as u16) as i16);
        let media = newest_timestamp + i64::from(timestamp.wrapping_sub(newest_timestamp as u32) as i32);
        let jumped = (media - newest_timestamp).abs() > MAX_JUMP;
        // Time and order must agree; a contiguous packet after a long pause is the same sender.
        let contradicts = (extended - newest_sequence).signum() != (media - newest_timestamp).signum();
        if jumped && extended == newest_sequence + 1 && media > newest_timestamp {
            return self.restart((sequence, timestamp), payload, samples);
        }
        if jumped || contradicts {
            if self.doubtful.is_some_and(|(before, _)| before.wrapping_add(1) == sequence) {
                return self.restart((sequence, timestamp), payload, samples);
            }
            self.doubtful = Some((sequence, timestamp));
            return Inserted::Doubtful;
        }
        self.doubtful = None;
        if extended > newest_sequence {
            let ahead = u32::try_from(extended - newest_sequence).unwrap_or(u32::MAX);
            self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = Some((extended, media));
        } else {
            let behind = u32::try_from(newest_sequence - extended).unwrap_or(u32::MAX);
            let bit = 1u128.checked_shl(behind).unwrap_or(0);
            if self.came & bit != 0 || self.waiting.contains_key(&media) {
                return Inserted::Duplicate;
            }
            self.came |= bit;
        }
        if played.is_some_and(|played| media < played) {
            return Inserted::Late(media);
        }
        self.put(Packet {
            sequence: extended,
            timestamp: media,
            samples,
            payload: payload.to_vec(),
            origin: Origin::Own,
        });
        Inserted::Waiting(media)
    }

    /// Takes a frame that a packet other than its own brought: a copy that came with a later one, or a repeat. Says its media
    /// time if nothing else has brought the frame, though its time to be played may be over.
    pub fn insert_copy(
        &mut self,
        (sequence, timestamp): (u16, u32),
        payload: &[u8],
        samples: usize,
        played: Option<i64>,
    ) -> Option<i64> {
        let (newest_sequence, newest_timestamp) = self.newest?;
        let ahead = i64::from(sequence.wrapping_sub(newest_sequence as u16) as i16);
        let later = i64::from(timestamp.wrapping_sub(newest_timestamp as u32) as i32);
        let (sequence, media) = (newest_sequence + ahead, newest_timestamp + later);
        // Of a frame before the first packet of a stream nobody has heard anything.
        if sequence < self.oldest
            || later.abs() > MAX_JUMP
            || ahead.signum() != later.signum()
            || self.waiting.contains_key(&media)
        {
            return None;
        }
        if let Ok(ahead @ 1..) = u32::try_from(ahead) {
            // A repeat overtakes nothing: its own packet was lost.
            self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = Some((sequence, media));
        } else {
            let behind = u32::try_from(-ahead).unwrap_or(u32::MAX);
            self.came |= 1u128.checked_shl(behind).filter(|bit| self.came & bit == 0)?;
        }
        if played.is_some_and(|played| media < played) {
            return Some(media);
        }
        self.put(Packet {
            sequence,
            timestamp: media,
            samples,
            payload: payload.to_vec(),
            origin: Origin::Later,
        });
        Some(media)
    }

    /// Whether the packet just before that of this sequence number has not come, nor a copy of its frame.
    pub fn misses_before(&self, sequence: u16) -> bool {
        let Some((newest, _)) = self.newest else { return false };
        let before = newest - i64::from((newest as u16).wrapping_sub(sequence)) - 1;
        let bit = u32::try_from(newest - before).ok().and_then(|behind| 1u128.checked_shl(behind));
        before >= self.oldest
            && bit.is_some_and(|bit| self.came & bit == 0)
            && !self.waiting.values().any(|packet| packet.sequence == before)
    }

    /// The packet that is to be played first.
    pub fn first(&self) -> Option<&Packet> {
        self.waiting.first_key_value().map(|(_, packet)| packet)
    }

    /// Takes the packet that is to be played first.
    pub fn take_first(&mut self) -> Option<Packet> {
        self.waiting.pop_first().map(|(_, packet)| packet)
    }

    /// How many packets wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many were dropped because the buffer was full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn restart(&mut self, (sequence, timestamp): (u16, u32), payload: &[u8], samples: usize) -> Inserted {
        self.waiting.clear();
        self.doubtful = None;
        let (sequence, timestamp) = (i64::from(sequence), i64::from(timestamp));
        self.newest = Some((sequence, timestamp));
        self.oldest = sequence;
        self.came = 1;
        self.put(Packet { sequence, timestamp, samples, payload: payload.to_vec(), origin: Origin::Own });
        Inserted::Restarted(timestamp)
    }

    fn put(&mut self, packet: Packet) {
        if self.waiting.len() >= MAX_PACKETS {
            self.waiting.pop_first();
            self.dropped += 1;
        }
        self.waiting.insert(packet.timestamp, packet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn insert(buffer: &mut PacketBuffer, sequence: u16, timestamp: u32) -> Inserted {
        buffer.insert((sequence, timestamp), b"x", 960, None)
    }

    #[test]
    fn reordered_packets_come_out_in_order() {
        let mut buffer = PacketBuffer::default();
        for step in [0, 2, 1, 4, 3] {
            insert(&mut buffer, step, u32::from(step) * 960);
        }
        let order: Vec<i64> =
            std::iter::from_fn(|| buffer.take_first()).map(|packet| packet.sequence).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn both_counters_wrap_without_notice() {
        let mut buffer = PacketBuffer::default();
        let (mut sequence, mut timestamp) = (65_530u16, u32::MAX - 5_000);
        let mut times = Vec::new();
        for step in 0..20 {
            match insert(&mut buffer, sequence, timestamp) {
                Inserted::Waiting(time) => times.push(time),
                Inserted::Restarted(time) if step == 0 => times.push(time),
                other => panic!("{other:?}"),
            }
            sequence = sequence.wrapping_add(1);
            timestamp = timestamp.wrapping_add(960);
        }
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 960));
    }

    #[test]
    fn the_second_copy_and_the_latecomer_are_told_apart() {
        let mut buffer = PacketBuffer::default();
        insert(&mut buffer, 1, 960);
        assert_eq!(insert(&mut buffer, 1, 960), Inserted::Duplicate);
        buffer.take_first();
        assert_eq!(buffer.insert((1, 960), b"x", 960, Some(1920)), Inserted::Duplicate);
        assert_eq!(buffer.insert((0, 0), b"x", 960, Some(960)), Inserted::Late(0));
    }

    #[test]
    fn a_stray_packet_is_ignored_and_a_restarted_sender_is_followed() {
        let mut buffer = PacketBuffer::default();
        insert(&mut buffer, 10, 9600);
        assert_eq!(insert(&mut buffer, 40_000, 3_000_000_000), Inserted::Doubtful);
        assert_eq!(insert(&mut buffer, 11, 10_560), Inserted::Waiting(10_560));
        assert_eq!(insert(&mut buffer, 500, 2_000_000_000), Inserted::Doubtful);
        assert_eq!(insert(&mut buffer, 501, 2_000_000_960), Inserted::Restarted(2_000_000_960));
        assert_eq!(buffer.len(), 1);
    }

    #[test]
    fn a_long_pause_of_the_same_sender_is_followed_at_once() {
        let mut buffer = PacketBuffer::default();
        insert(&mut buffer, 10, 0);
        assert_eq!(insert(&mut buffer, 11, 48_000 * 60), Inserted::Restarted(48_000 * 60));
    }

    #[test]
    fn a_copy_stands_in_for_a_packet_that_has_not_come_and_for_no_other() {
        let mut buffer = PacketBuffer::default();
        let copy = |buffer: &mut PacketBuffer, sequence: u16, played| {
            buffer.insert_copy((sequence, u32::from(sequence) * 960), b"y", 960, played)
        };
        insert(&mut buffer, 10, 9600);
        assert_eq!(copy(&mut buffer, 9, None), None, "before the first packet");
        insert(&mut buffer, 13, 13 * 960);
        assert!(buffer.misses_before(13) && !buffer.misses_before(10));
        assert_eq!(copy(&mut buffer, 12, None), Some(12 * 960));
        assert!(!buffer.misses_before(13));
        assert_eq!(copy(&mut buffer, 12, None), None, "twice");
        assert_eq!(copy(&mut buffer, 10, None), None, "it came itself");
        assert_eq!(copy(&mut buffer, 11, Some(12 * 960)), Some(11 * 960), "told of, though its time is over");
        assert_eq!(insert(&mut buffer, 12, 12 * 960), Inserted::Duplicate);
        let origins: Vec<Origin> =
            std::iter::from_fn(|| buffer.take_first()).map(|first| first.origin).collect();
        assert_eq!(origins, [Origin::Own, Origin::Later, Origin::Own]);
    }

    #[test]
    fn a_repeat_stands_in_for_its_own_packet_even_if_nothing_as_new_has_come() {
        let mut buffer = PacketBuffer::default();
        let repeat = |buffer: &mut PacketBuffer, sequence: u16, timestamp: u32| {
            buffer.insert_copy((sequence, timestamp), b"y", 960, None)
        };
        assert_eq!(repeat(&mut buffer, 10, 9600), None, "it begins no stream");
        insert(&mut buffer, 10, 9600);
        assert_eq!(repeat(&mut buffer, 10, 9600), None, "its first came");
        assert_eq!(repeat(&mut buffer, 11, 10_560), Some(10_560));
        assert_eq!(repeat(&mut buffer, 11, 10_560), None, "twice");
        assert_eq!(insert(&mut buffer, 11, 10_560), Inserted::Duplicate);
        assert_eq!(repeat(&mut buffer, 12, 9600), None, "time and order contradict each other");
        assert_eq!(repeat(&mut buffer, 500, 9600 + 300_000), None, "too far ahead");
        assert_eq!(insert(&mut buffer, 12, 11_520), Inserted::Waiting(11_520));
        let origins: Vec<Origin> =
            std::iter::from_fn(|| buffer.take_first()).map(|first| first.origin).collect();
        assert_eq!(origins, [Origin::Own, Origin::Later, Origin::Own]);
    }

    #[test]
    fn the_buffer_stays_bounded() {
        let mut buffer = PacketBuffer::default();
        for step in 0..1000 {
            insert(&mut buffer, step, u32::from(step) * 960);
        }
        assert_eq!(buffer.len(), MAX_PACKETS);
        assert_eq!(buffer.dropped(), (1000 - MAX_PACKETS) as u64);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Own(u16),
        /// A packet, and how far behind the copies with it are.
        WithCopies(u16, Vec<u16>),
        Repeat(u16),
        Take,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let number = 0u16..100;
        let step = prop_oneof![
            number.clone().prop_map(Step::Own),
            number.clone().prop_map(Step::Repeat),
            (number, proptest::collection::vec(0u16..6, 0..4))
                .prop_map(|(own, copies)| Step::WithCopies(own, copies)),
            Just(Step::Take),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn whatever_comes_in_whatever_order_nothing_is_taken_twice_or_backwards(steps in steps(), begin: u16) {
            let mut buffer = PacketBuffer::default();
            let first = u32::MAX - 40_000;
            let at = |number: u16| (begin.wrapping_add(number), first.wrapping_add(u32::from(number) * 960));
            let mut played = None;
            for step in steps {
                match step {
                    Step::Own(number) => {
                        buffer.insert(at(number), b"x", 960, played);
                    }
                    Step::Repeat(number) => {
                        buffer.insert_copy(at(number), b"x", 960, played);
                    }
                    Step::WithCopies(number, copies) => {
                        buffer.insert(at(number), b"x", 960, played);
                        for behind in copies.into_iter().filter(|behind| *behind <= number) {
                            buffer.insert_copy(at(number - behind), b"x", 960, played);
                        }
                    }
                    Step::Take => {
                        let Some(taken) = buffer.take_first() else { continue };
                        prop_assert!(played.is_none_or(|played| taken.timestamp >= played));
                        played = Some(taken.timestamp + 960);
                    }
                }
                prop_assert!(buffer.len() <= MAX_PACKETS);
                let mut waiting = buffer.waiting.values();
                prop_assert!(waiting.all(|packet| played.is_none_or(|played| packet.timestamp >= played)));
            }
        }
    }
}
