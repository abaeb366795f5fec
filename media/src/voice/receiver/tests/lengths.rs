//! Frames of several lengths in one stream.

use super::*;
use crate::codec::{Encoder, EncoderConfig};
use crate::voice::FrameNumber;

/// `sound` in frames whose lengths change: so many milliseconds from that second on.
fn cut(sound: &[f32], lengths: &[(usize, usize)]) -> Vec<(u32, Vec<u8>)> {
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let (mut at, mut frames) = (0, Vec::new());
    loop {
        let (_, ms) = *lengths.iter().rev().find(|(second, _)| second * 48_000 <= at).unwrap();
        let Some(frame) = sound.get(at..at + ms * 48) else { return frames };
        frames.push((at as u32, encoder.encode(frame).unwrap()));
        at += ms * 48;
    }
}

/// Sends each frame as soon as its last sample is spoken; says what is heard, and how long packets wait at the end of each second.
fn played(frames: &[(u32, Vec<u8>)], number: impl Fn(usize, u32) -> FrameNumber) -> Heard {
    let start = any_instant();
    let mut receiver = VoiceReceiver::new(VoiceReceiverConfig::default(), start).unwrap();
    let (mut sound, mut delays) = (Vec::new(), Vec::new());
    let mut waiting = frames.iter().enumerate().peekable();
    let end = frames.last().map_or(0, |(timestamp, _)| timestamp / BLOCK as u32);
    for tick in 0..end {
        let now = start + 10 * MS * tick;
        let ended = |(timestamp, payload): &(u32, Vec<u8>)| timestamp + samples_of(payload).unwrap() as u32;
        while let Some((nth, (timestamp, payload))) =
            waiting.next_if(|(_, frame)| ended(frame) <= tick * BLOCK as u32)
        {
            receiver.insert(now, number(nth, *timestamp), *timestamp, payload);
        }
        let mut block = [0.0; BLOCK];
        receiver.play(now, &mut block);
        sound.extend_from_slice(&block);
        delays.push(receiver.stats().playout_delay);
    }
    Heard { sound, stats: receiver.stats(), delays }
}

fn by_packet(nth: usize, _: u32) -> FrameNumber {
    FrameNumber::OfPacket(nth as u16)
}

fn by_time(_: usize, timestamp: u32) -> FrameNumber {
    FrameNumber::OfTime((timestamp / BLOCK as u32) as u16)
}

#[test]
fn short_and_usual_frames_follow_each_other_without_a_gap() {
    let source = speech(20);
    let frames = cut(&source, &[(0, 20), (5, 10), (10, 20), (15, 10)]);
    for number in [by_packet, by_time] {
        let Heard { sound, stats, .. } = played(&frames, number);
        assert_eq!((stats.lost, stats.duplicates, stats.discarded, stats.late), (0, 0, 0, 0), "{stats:?}");
        // A longer frame comes 10 ms later, once for each change.
        assert!(stats.concealed <= 2 * BLOCK as u64, "{stats:?}");
        assert!(intelligible(&source, &sound) > 0.95);
    }
}

#[test]
fn a_voice_of_short_frames_is_heard_10_ms_sooner() {
    let source = speech(20);
    let lag = |lengths| {
        let heard = played(&cut(&source, lengths), by_time);
        let last = 48_000 * 12..48_000 * 18;
        let (lag, likeness) = alike(&source[last.clone()], &heard.sound[last.start..last.end + 20_000]);
        assert!(likeness > 0.9, "{likeness}");
        lag
    };
    let (usual, short) = (lag(&[(0, 20)]), lag(&[(0, 20), (4, 10)]));
    assert!((336..720).contains(&(usual - short)), "{usual} {short}");
}

#[test]
fn frames_of_40_and_60_ms_in_mid_stream_are_played_whole() {
    let source = speech(25);
    let frames = cut(&source, &[(0, 20), (5, 60), (10, 10), (15, 40), (20, 20)]);
    let Heard { sound, stats, .. } = played(&frames, by_packet);
    assert_eq!((stats.lost, stats.discarded), (0, 0), "{stats:?}");
    assert!(stats.concealed_ratio() < 0.01, "{stats:?}");
    assert!(intelligible(&source, &sound) > 0.95);
}

#[test]
fn a_short_frame_that_is_lost_is_counted_and_invented_as_long_as_it_was() {
    let source = speech(10);
    let mut frames = cut(&source, &[(0, 10)]);
    frames.remove(500);
    for number in [by_time, |nth, timestamp| by_packet(nth + usize::from(nth >= 500), timestamp)] {
        let stats = played(&frames, number).stats;
        assert_eq!((stats.lost, stats.concealed), (1, BLOCK as u64), "{stats:?}");
    }
}
