//! Numbered pictures through sender, link and receiver, in virtual time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::bitrate::Bitrate;
use crate::session::congestion::nack::{Asker, Request};
use crate::video::fixture::origin;
use crate::video::frame::Size;
use crate::video::pattern;
use crate::video::sender::{VideoPacket, VideoSender, VideoSenderConfig};
use crate::video::vpx::{EncoderConfig, Layers};

const MS: Duration = Duration::from_millis(1);

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[derive(Clone, Copy)]
struct Link {
    /// Packets lost, in percent.
    loss: u64,
    /// Whether lost packets are sent again.
    resends: bool,
    /// Up to so many ms later than the others, at random.
    jitter: u64,
    /// A packet whose payload is spoiled.
    spoiled: Option<u16>,
}

const CLEAN: Link = Link { loss: 0, resends: true, jitter: 0, spoiled: None };

/// What came of a call.
struct Outcome {
    /// Numbers read, in order, and when.
    read: Vec<(u64, u32)>,
    unreadable: usize,
    sent: BTreeSet<u32>,
    stats: VideoReceiverStats,
    keyframes: u64,
    /// Packets asked for again, each time counted.
    asked: usize,
}

/// One way, in ms.
const TRAVEL: u64 = 25;

fn call(codec: Codec, layers: Layers, link: Link, seconds: u64) -> Outcome {
    let start = origin();
    let size = Size::new(320, 180).unwrap();
    let usual = VideoSenderConfig::default();
    let encoder = EncoderConfig { codec, size, layers, bitrate: Bitrate::from_kbps(400), ..usual.encoder };
    let config =
        VideoSenderConfig { encoder, first_picture: 0x7ff0, first_timestamp: u32::MAX - 9000, ..usual };
    let mut sender = VideoSender::new(config, start).unwrap();
    let mut receiver = VideoReceiver::new(codec, start).unwrap();
    receiver.set_round_trip(2 * TRAVEL as u32 * MS);
    let mut dice = Dice(7);
    let mut history: HashMap<u16, VideoPacket> = HashMap::new();
    let mut flying: BTreeMap<(u64, u64), (u16, VideoPacket)> = BTreeMap::new();
    let mut asker = Asker::new(2 * TRAVEL as u32 * MS);
    let mut requests: BTreeMap<(u64, u64), Request> = BTreeMap::new();
    let (mut next, mut serial, mut number) = (65_400u16, 0, 0);
    let mut outcome = Outcome {
        read: Vec::new(),
        unreadable: 0,
        sent: BTreeSet::new(),
        stats: receiver.stats(),
        keyframes: 0,
        asked: 0,
    };
    for ms in 0..seconds * 1000 {
        let now = start + Duration::from_millis(ms);
        let mut sends = Vec::new();
        if ms % 33 == 0 {
            let frame = pattern::draw(size, Taken::At(now), number);
            let packets = sender.capture(now, &frame).unwrap();
            if !packets.is_empty() {
                outcome.sent.insert(number);
            }
            number += 1;
            for mut packet in packets {
                if link.spoiled == Some(next) {
                    packet.payload.iter_mut().skip(6).for_each(|byte| *byte = 0x55);
                }
                history.insert(next, packet.clone());
                sends.push((next, packet));
                next = next.wrapping_add(1);
            }
        }
        while let Some(due) = requests.first_entry().filter(|due| due.key().0 <= ms) {
            match due.remove() {
                Request::Keyframe => sender.request_keyframe(),
                Request::Again(lost) if link.resends => {
                    sends.extend(
                        lost.into_iter().filter_map(|lost| Some((lost, history.get(&lost)?.clone()))),
                    );
                }
                Request::Again(_) => {}
            }
        }
        for (sequence, packet) in sends {
            serial += 1;
            if dice.below(100) >= link.loss {
                flying.insert((ms + TRAVEL + dice.below(link.jitter + 1), serial), (sequence, packet));
            }
        }
        while let Some(due) = flying.first_entry().filter(|due| due.key().0 <= ms) {
            let (sequence, packet) = due.remove();
            asker.handle_packet(now, sequence);
            receiver.insert(now, sequence, packet.timestamp, packet.marker, &packet.payload);
        }
        while let Some(shown) = receiver.poll_frame(now) {
            assert!(shown.at >= now && shown.at <= now + 500 * MS);
            match pattern::read_counter(&shown.frame) {
                Some(number) => outcome.read.push((ms, number)),
                None => outcome.unreadable += 1,
            }
        }
        if receiver.poll_request(now) {
            serial += 1;
            requests.insert((ms + TRAVEL, serial), Request::Keyframe);
        }
        while let Some(Request::Again(lost)) = asker.poll_request(now) {
            serial += 1;
            outcome.asked += lost.len();
            requests.insert((ms + TRAVEL, serial), Request::Again(lost));
        }
    }
    outcome.stats = receiver.stats();
    outcome.keyframes = sender.stats().keyframes;
    outcome
}

impl Outcome {
    /// Everything read was sent, in order, and all but the last few pictures sent were read.
    fn assert_whole(&self) {
        let read: Vec<u32> = self.read.iter().map(|(_, number)| *number).collect();
        let sent: Vec<u32> = self.sent.iter().copied().take(read.len()).collect();
        assert_eq!(read, sent);
        assert_eq!(self.unreadable, 0);
    }

    fn assert_in_order(&self) {
        assert!(self.read.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert!(self.read.iter().all(|(_, number)| self.sent.contains(number)));
    }
}

#[test]
fn every_picture_arrives_over_a_clean_link() {
    for (codec, layers) in [
        (Codec::Vp8, Layers::One),
        (Codec::Vp8, Layers::Two),
        (Codec::Vp8, Layers::Three),
        (Codec::Vp9, Layers::One),
    ] {
        let outcome = call(codec, layers, CLEAN, 5);
        outcome.assert_whole();
        assert!(outcome.read.len() + 2 >= outcome.sent.len() && outcome.sent.len() > 100);
        assert_eq!((outcome.keyframes, outcome.stats.requests, outcome.stats.freezes), (1, 0, 0));
        assert_eq!(outcome.asked, 0);
    }
}

#[test]
fn every_picture_arrives_when_lost_packets_are_sent_again() {
    let outcome = call(Codec::Vp8, Layers::One, Link { loss: 5, ..CLEAN }, 20);
    outcome.assert_whole();
    assert!(outcome.read.len() + 10 >= outcome.sent.len());
    assert!(outcome.asked > 20);
    assert!(outcome.keyframes <= 3, "{} keyframes", outcome.keyframes);
}

#[test]
fn every_picture_arrives_when_packets_come_out_of_order() {
    let outcome = call(Codec::Vp8, Layers::One, Link { jitter: 60, ..CLEAN }, 10);
    outcome.assert_whole();
    assert!(outcome.read.len() + 5 >= outcome.sent.len());
    assert_eq!(outcome.stats.requests, 0);
}

#[test]
fn a_picture_that_cannot_be_decoded_costs_a_keyframe() {
    let spoiled = Some(65_480);
    let outcome = call(Codec::Vp9, Layers::One, Link { spoiled, ..CLEAN }, 10);
    outcome.assert_in_order();
    assert!(outcome.stats.undecodable >= 1);
    assert_eq!(outcome.keyframes, 2);
    let widest = outcome.read.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
    assert!(widest <= Some(300), "the picture stood for {widest:?} ms");
    assert!(outcome.read.last().is_some_and(|(ms, _)| *ms > 9_900));
}

#[test]
fn loss_without_resending_asks_for_keyframes_at_a_bounded_rate() {
    for layers in [Layers::One, Layers::Three] {
        let outcome = call(Codec::Vp8, layers, Link { loss: 10, resends: false, ..CLEAN }, 20);
        outcome.assert_in_order();
        assert_eq!(outcome.unreadable, 0);
        assert!(
            outcome.stats.requests >= 1 && outcome.stats.requests <= 20_000 / 300 + 1,
            "{}",
            outcome.stats.requests
        );
        assert!(
            outcome.read.len() > 60,
            "{layers:?}: {} of {} pictures",
            outcome.read.len(),
            outcome.sent.len()
        );
    }
}

#[test]
fn nothing_is_encoded_faster_than_wished() {
    let start = origin();
    let mut sender = VideoSender::new(VideoSenderConfig::default(), start).unwrap();
    sender.set_frame_rate(15);
    let frame = pattern::draw(Size::new(640, 360).unwrap(), Taken::At(start), 1);
    for at in 0..30u32 {
        let now = start + 33 * MS * at;
        sender.capture(now, &frame.retaken(Taken::At(now))).unwrap();
    }
    let stats = sender.stats();
    assert_eq!((stats.too_fast, stats.sent + stats.left_out), (15, 15));
}

#[test]
fn after_pictures_that_were_held_back_the_next_one_is_no_larger_than_they_were() {
    let (start, mut dice) = (origin(), Dice(5));
    let size = Size::new(320, 180).unwrap();
    let mut sender = VideoSender::new(VideoSenderConfig::default(), start).unwrap();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for at in 0..300u32 {
        let now = start + 33 * MS * at;
        if at >= 200 && at % 20 < 6 {
            sender.hold_back();
            continue;
        }
        let grain = (0..size.bytes()).map(|_| 122 + dice.below(13) as u8).collect();
        let frame = I420::packed(size, Taken::At(now), grain).unwrap();
        let packets = sender.capture(now, &frame).unwrap();
        let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
        match at {
            100..200 => before.push(bytes),
            200.. if at % 20 == 6 => after.push(bytes),
            _ => {}
        }
    }
    assert_eq!(sender.stats().held_back, 30);
    let (usual, largest) = (before.iter().sum::<usize>() / before.len(), after.iter().max().unwrap());
    assert!(*largest < 3 * usual, "{largest} bytes after {usual}");
}

#[test]
fn keyframes_are_made_once_for_many_requests() {
    let start = origin();
    let mut sender = VideoSender::new(VideoSenderConfig::default(), start).unwrap();
    for at in 0..90u32 {
        let now = start + 33 * MS * at;
        let frame = pattern::draw(Size::new(320, 180).unwrap(), Taken::At(now), at);
        sender.request_keyframe();
        sender.capture(now, &frame).unwrap();
    }
    let keyframes = sender.stats().keyframes;
    assert!((2..=10).contains(&keyframes), "{keyframes} keyframes in 3 s");
}
