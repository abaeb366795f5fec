//! Pictures between two whole calls: through pacing, SRTP, a network and feedback, in virtual time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::signal::likeness;
use super::whole_call::{LIMIT, both_connected, logs};
use super::world::{Bottleneck, End, MS, Plan, World};
use crate::bitrate::Bitrate;
use crate::jitter::Playing;
use crate::session::Camera;
use crate::session::call::MediaKind;
use crate::session::congestion::pacer::Room;
use crate::session::line::{Line, LineEvent};
use crate::video::frame::{Size, Taken};
use crate::video::ladder::{Ladder, Measured};
use crate::video::pattern;
use crate::video::receiver::{Shown, VideoReceiver};
use crate::video::sender::{VideoSender, VideoSenderConfig};
use crate::video::viewing::Viewing;
use crate::video::vpx::{Codec, Content};

const FRAME: Duration = Duration::from_micros(33_333);
/// How small a pattern is drawn: the codec is the one that ships, and pixels cost time.
const SOURCE: (u32, u32) = (320, 180);

/// Camera and picture of one end.
pub(super) struct VirtualVideo {
    camera: Camera,
    source: Size,
    ladder: Ladder,
    pub(super) next: Instant,
    number: u32,
    sender: VideoSender,
    receiver: VideoReceiver,
    /// What was seen, and when it was to be shown.
    pub(super) seen: Vec<(Instant, u32)>,
    /// When each that left was taken.
    pub(super) sent: BTreeMap<u32, Instant>,
    /// What was heard last.
    heard: Option<Playing>,
    /// How large the other end shows them, as it said.
    viewing: Option<Viewing>,
    /// How high the pictures are that came.
    heights: Vec<(Instant, u32)>,
}

impl VirtualVideo {
    pub(super) fn new(now: Instant) -> Self {
        let sender = VideoSender::new(VideoSenderConfig::default(), now).unwrap();
        let receiver = VideoReceiver::new(Codec::Vp8, now).unwrap();
        let source = Size::new(SOURCE.0, SOURCE.1).unwrap();
        Self {
            camera: Camera::Off,
            source,
            ladder: Ladder::new(Content::Camera, source, Bitrate::ZERO),
            next: now,
            number: 0,
            sender,
            receiver,
            seen: Vec::new(),
            sent: BTreeMap::new(),
            heard: None,
            viewing: None,
            heights: Vec::new(),
        }
    }

    /// The camera takes a picture, if it is time and there is room.
    pub(super) fn film(&mut self, now: Instant, line: &mut Line) {
        if now < self.next {
            return;
        }
        self.next += FRAME;
        self.number += 1;
        let budget = line.video_budget(now);
        if self.camera == Camera::Off {
            return;
        }
        if budget.room == Room::Skip {
            self.sender.hold_back();
            return;
        }
        self.ladder.set_source(self.source);
        let measured = Measured { target: budget.rate, encoding: Duration::ZERO, shown: self.viewing };
        let step = self.ladder.measured(now, measured);
        self.sender.set_size(step.size).unwrap();
        self.sender.set_bitrate(budget.rate).unwrap();
        let frame = pattern::draw(step.size, Taken::At(now), self.number);
        let packets = self.sender.capture(now, &frame).unwrap();
        if !packets.is_empty() {
            self.sent.insert(self.number, now);
            line.send_video(now, packets);
        }
    }

    pub(super) fn handle(&mut self, now: Instant, event: &LineEvent) {
        match event {
            LineEvent::Video { sequence, timestamp, marker, payload, .. } => {
                self.receiver.insert(now, *sequence, *timestamp, *marker, payload);
            }
            LineEvent::KeyframeWanted => self.sender.request_keyframe(),
            LineEvent::Camera(camera) => self.receiver.handle_camera(*camera),
            LineEvent::Viewing(viewing) => self.viewing = Some(*viewing),
            LineEvent::Clock { kind: MediaKind::Voice, ntp, rtp } => {
                self.receiver.handle_voice_report(*ntp, *rtp);
            }
            LineEvent::Clock { kind: MediaKind::Video, ntp, rtp } => {
                self.receiver.handle_video_report(*ntp, *rtp);
            }
            _ => {}
        }
    }

    pub(super) fn follow_voice(&mut self, playing: Option<Playing>) {
        self.heard = playing;
        if let Some(Playing { at, timestamp }) = playing {
            self.receiver.voice_playing(at, timestamp);
        }
    }

    /// Shows what can be shown, and asks for what is needed.
    pub(super) fn show(&mut self, now: Instant, line: &mut Line) {
        while let Some(Shown { frame, at }) = self.receiver.poll_frame(now) {
            self.heights.push((at, frame.size().height()));
            self.seen.extend(pattern::read_counter(&frame).map(|number| (at, number)));
        }
        if self.receiver.poll_request(now) {
            line.need_keyframe(now);
        }
    }
}

impl End {
    fn switch(&mut self, now: Instant, camera: Camera) {
        self.line.set_camera(now, camera);
        self.video.camera = camera;
        self.video.next = now;
    }

    pub(super) fn seen_since(&self, since: Instant) -> Vec<(Instant, u32)> {
        self.video.seen.iter().copied().filter(|(at, _)| *at >= since).collect()
    }
}

/// A call in which both cameras are on from the beginning.
pub(super) fn filmed(plan: Plan) -> World {
    let mut world = World::new(plan);
    world.dial();
    assert!(world.run_while_not(LIMIT, both_connected), "not connected: {:?}", logs(&world));
    let now = world.now;
    world.ends.iter_mut().for_each(|end| end.switch(now, Camera::On));
    world
}

/// The longest time between two pictures.
fn longest_standstill(seen: &[(Instant, u32)]) -> Duration {
    seen.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or(Duration::MAX)
}

#[test]
fn pictures_flow_both_ways_at_once_in_order_and_soon() {
    let mut world = filmed(Plan { speech: 4, ..Plan::default() });
    let begin = world.now;
    world.run_for(4000 * MS);
    for who in 0..2 {
        let seen = &world.ends[who].video.seen;
        assert!(seen.windows(2).all(|pair| pair[0].1 < pair[1].1), "out of order");
        assert!(seen.iter().all(|(_, number)| world.ends[1 - who].video.sent.contains_key(number)));
        let sent = world.ends[1 - who].video.sent.len();
        assert!(sent > 110 && seen.len() + 6 >= sent, "{} of {sent} pictures seen", seen.len());
        // One way, one picture, and what it takes to send a keyframe at the first rate.
        let first = seen[0].0 - begin;
        assert!(first < 300 * MS, "the first picture took {first:?}");
        assert!(likeness(&world.ends[1 - who].said, world.ends[who].voice.recorded()) > 0.9);
    }
}

#[test]
fn lost_packets_come_again_on_a_stream_of_their_own() {
    let mut world = filmed(Plan { loss: 0.05, latency: 25 * MS, speech: 10, ..Plan::default() });
    let begin = world.now;
    world.run_for(10_000 * MS);
    for who in 0..2 {
        let seen = world.ends[who].seen_since(begin + 1000 * MS);
        assert!(seen.len() > 220, "end {who} saw {} pictures", seen.len());
        assert!(longest_standstill(&seen) < 700 * MS, "{:?}", longest_standstill(&seen));
        // Without them a keyframe would have to mend one picture in three.
        let wanted =
            world.ends[1 - who].log.iter().filter(|(_, event)| matches!(event, LineEvent::KeyframeWanted));
        assert!(wanted.count() <= 3, "end {who} asked for keyframes instead");
    }
}

#[test]
fn lips_and_voice_agree() {
    let rough = Plan { jitter: 60 * MS, latency: 30 * MS, speech: 15, ..Plan::default() };
    let mut world = filmed(rough);
    world.run_for(12_000 * MS);
    for who in 0..2 {
        let (own, other) = (&world.ends[who], &world.ends[1 - who]);
        let spoke = world.start + other.connected().unwrap();
        let first = own.log.iter().find_map(|(_, event)| match event {
            LineEvent::Voice { timestamp, .. } => Some(*timestamp),
            _ => None,
        });
        let Playing { at, timestamp } = own.video.heard.unwrap();
        let sample = Duration::from_secs(1) * timestamp.wrapping_sub(first.unwrap()) / 48_000;
        let voice = at - (spoke + sample);
        let pictures = own.seen_since(world.now - 2000 * MS);
        let mut lags: Vec<Duration> =
            pictures.iter().map(|(at, number)| *at - other.video.sent[number]).collect();
        lags.sort_unstable();
        let picture = lags[lags.len() / 2];
        assert!(voice > 60 * MS, "the voice waits, or there is nothing to follow: {voice:?}");
        assert!(picture.abs_diff(voice) <= 40 * MS, "end {who}: pictures {picture:?}, voice {voice:?}");
    }
}

#[test]
fn a_narrow_way_is_filled_and_the_voice_does_not_wait() {
    let narrow = Bottleneck { rate: Bitrate::from_kbps(600), queue: 300 * MS };
    let mut world =
        filmed(Plan { latency: 25 * MS, bottleneck: Some(narrow), speech: 20, ..Plan::default() });
    let begin = world.now;
    world.run_for(20_000 * MS);
    for who in 0..2 {
        let seen = world.ends[who].seen_since(begin + 5000 * MS);
        assert!(seen.len() > 300, "end {who} saw {} pictures", seen.len());
        assert!(longest_standstill(&seen) < 1000 * MS, "{:?}", longest_standstill(&seen));
        let heard = likeness(&world.ends[1 - who].said, world.ends[who].voice.recorded());
        assert!(heard > 0.9, "end {who} heard {heard}");
        let queued = world.queued_p95(who, begin + 5000 * MS);
        assert!(queued < 100 * MS, "end {who}'s packets waited {queued:?}");
    }
}

#[test]
fn a_camera_goes_off_and_on_without_touching_the_voice() {
    let mut world = filmed(Plan { speech: 6, ..Plan::default() });
    world.run_for(1500 * MS);
    let now = world.now;
    world.ends[0].switch(now, Camera::Off);
    world.run_for(500 * MS);
    let dark = world.now;
    world.run_for(1000 * MS);
    assert_eq!(world.ends[1].seen_since(dark), []);
    assert!(world.ends[0].seen_since(dark).len() > 25, "the other camera stays on");
    let again = world.now;
    world.ends[0].switch(again, Camera::On);
    world.run_for(2500 * MS);
    let seen = world.ends[1].seen_since(again);
    assert!(seen.len() > 60 && seen[0].0 - again < 300 * MS, "{seen:?}");
    for who in 0..2 {
        assert_eq!(
            world.ends[who].video.receiver.stats().freezes,
            0,
            "end {who}: nobody's picture stood still"
        );
    }
    assert!(likeness(&world.ends[0].said, world.ends[1].voice.recorded()) > 0.9);
}

#[test]
fn the_end_of_pictures_is_told_with_the_last_one_on_any_way() {
    for loss in [0.0, 0.1] {
        let mut world = filmed(Plan { speech: 6, loss, latency: 25 * MS, ..Plan::default() });
        world.run_for(1500 * MS);
        let off = world.now;
        world.ends[0].switch(off, Camera::Off);
        world.run_for(3000 * MS);
        let log = &world.ends[1].log;
        let ends: Vec<u32> = log.iter().filter_map(|(_, event)| ended(event)).collect();
        let told = log.iter().find(|(_, event)| ended(event).is_some()).unwrap().0;
        let newest = log.iter().filter_map(|(_, event)| match event {
            LineEvent::Video { timestamp, .. } => Some(*timestamp),
            _ => None,
        });
        let beyond =
            |last: u32| newest.clone().map(move |timestamp| timestamp.wrapping_sub(last).cast_signed());
        assert_eq!(ends.len(), 1, "said once");
        assert_eq!(beyond(ends[0]).max(), Some(0), "the last of all that came, be it later");
        if loss == 0.0 {
            assert!(world.start + told < off + 50 * MS, "told {told:?} after the beginning");
        }
        let other = &world.ends[0].log;
        assert!(!other.iter().any(|(_, event)| ended(event).is_some()), "the other camera is on");
    }
}

fn ended(event: &LineEvent) -> Option<u32> {
    match event {
        LineEvent::PicturesEnd(last) => Some(*last),
        _ => None,
    }
}

#[test]
fn a_dead_link_for_a_second_costs_one_keyframe() {
    let mut world = filmed(Plan { speech: 6, ..Plan::default() });
    world.run_for(2000 * MS);
    world.dark = true;
    world.run_for(1000 * MS);
    world.dark = false;
    let back = world.now;
    world.run_for(3000 * MS);
    for who in 0..2 {
        let seen = world.ends[who].seen_since(back);
        assert!(seen.len() > 40, "end {who} saw {} pictures", seen.len());
        assert!(seen[0].0 - back < 1000 * MS, "{:?}", seen[0].0 - back);
        let stats = world.ends[who].video.receiver.stats();
        assert!(stats.freezes > 0 && stats.frozen > 1000 * MS, "{stats:?}");
    }
}

#[test]
fn what_is_sent_follows_the_size_it_is_shown_at() {
    let mut world = filmed(Plan { speech: 16, ..Plan::default() });
    world.ends[0].video.source = Size::NHD;
    // Long enough for the rate to be found.
    world.run_for(8000 * MS);
    let mut shown = |viewing: Option<Viewing>| {
        let now = world.now;
        if let Some(viewing) = viewing {
            world.ends[1].line.send_viewing(now, viewing);
        }
        world.run_for(1500 * MS);
        let settled = now + 900 * MS;
        let heights = world.ends[1].video.heights.iter().filter(|(at, _)| *at > settled);
        let mut heights: Vec<u32> = heights.map(|(_, height)| *height).collect();
        heights.dedup();
        heights
    };
    assert_eq!(shown(None), [360], "the rate allows all there is");
    assert_eq!(shown(Some(Viewing::of(400, 225))), [270]);
    assert_eq!(shown(Some(Viewing::Hidden)), [180]);
    assert_eq!(shown(Some(Viewing::of(640, 360))), [360], "at once, without climbing");
}
