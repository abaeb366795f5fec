use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::bulk::Transfer;
use super::flow::Piece;
use super::pipe::{Entry, Pipe};
use super::source::{Encoder, FRAME, Kind};
use super::viewer::Viewer;
use super::*;

const MS: Duration = Duration::from_millis(1);

fn trace(name: &str) -> Trace {
    *TRACES.iter().find(|trace| trace.name == name).unwrap()
}

fn holds(name: &str) {
    let outcome = judge(trace(name), &[1, 2, 3]);
    assert!(outcome.passed && !outcome.bars.is_empty(), "{outcome:#?}");
}

#[test]
fn a_megabit_is_used_without_a_queue_and_without_loss() {
    holds("constant-1m");
    holds("bursty-1m");
}

#[test]
fn the_rate_follows_the_link_down_and_up() {
    holds("steps-1m-500k-2m");
}

#[test]
fn the_voice_hardly_waits_for_video_on_three_megabits() {
    holds("constant-3m");
    holds("bursty-3m");
}

#[test]
fn random_loss_is_no_congestion() {
    holds("loss-5-2m");
    holds("loss-10-2m");
}

#[test]
fn video_lives_beside_a_bulk_transfer() {
    holds("reno-3m");
    holds("cubic-3m");
    holds("reno-ends-3m");
}

#[test]
fn two_calls_share_fairly() {
    holds("two-calls-2m");
}

#[test]
fn a_grown_demand_and_a_wide_link_are_found_by_probes() {
    holds("demand-grows-2m");
    holds("wide-50m");
}

#[test]
fn the_same_seed_plays_the_same_and_another_does_not() {
    let play =
        |seed| format!("{:?}", play(Trace { length: 10 * SECOND, ..trace("bursts-of-loss-2m") }, seed));
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

#[test]
fn a_bar_that_is_out_of_reach_is_missed() {
    const BARS: &[Bar] = &[Bar { measure: Measure::Used, limit: Limit::AtLeast(1.1) }];
    let outcome = judge(Trace { length: 10 * SECOND, bars: BARS, ..trace("constant-1m") }, &[1]);
    assert!(!outcome.passed && outcome.bars[0].seeds == 0);
}

#[test]
fn a_pipe_takes_its_time_and_drops_what_would_wait_too_long() {
    let origin = Instant::now();
    let mut pipe = Pipe::new(origin, trace("constant-1m").way, 1);
    let entries: Vec<Entry> = (0..50).map(|nth| pipe.enter(origin, nth, 1250)).collect();
    let queued = entries.iter().filter(|entry| **entry == Entry::Queued).count();
    assert_eq!((queued, entries[queued]), (31, Entry::Dropped));
    for nth in 0..queued as u32 {
        let due = pipe.due().unwrap();
        assert_eq!(due, origin + 10 * MS * (nth + 1));
        let left = pipe.leave(due).unwrap();
        assert_eq!((left.content, left.waited, left.arrives), (nth, 10 * MS * nth, due + 25 * MS));
    }
    assert_eq!(pipe.due(), None);
}

#[test]
fn a_pipe_loses_as_much_as_it_should_in_bursts_too() {
    for burst in [1.0, 5.0] {
        let way = Way { loss: 0.05, burst, ..trace("constant-1m").way };
        let mut pipe: Pipe<()> = Pipe::new(Instant::now(), way, 7);
        let lost: Vec<bool> = (0..100_000).map(|_| pipe.loses()).collect();
        let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        let length = share * lost.len() as f64 / bursts;
        assert!((0.045..0.055).contains(&share), "{share}");
        assert!((length / burst - 1.0).abs() < 0.15, "{length}");
    }
}

#[test]
fn an_encoder_keeps_its_rate_over_time() {
    for manner in [Manner::Even, Manner::Bursty] {
        let mut encoder = Encoder::new(manner, 3);
        let rate = Bitrate::from_kbps(1000);
        let bytes: usize = (0..3000).map(|_| encoder.frame(rate).1).sum();
        let mean = Bitrate::of(bytes, FRAME * 3000).unwrap();
        assert!((940..1060).contains(&(mean.bps() / 1000)), "{manner:?}: {mean}");
    }
}

#[test]
fn a_bulk_transfer_fills_a_link_and_gives_way_after_a_loss() {
    for bulk in [Bulk::Reno, Bulk::Cubic] {
        let origin = Instant::now();
        let mut pipe = Pipe::new(origin, trace("reno-3m").way, 1);
        let mut transfer = Transfer::new(bulk, origin);
        let (mut now, mut bytes, mut dropped) = (origin, 0, 0);
        let mut acknowledged = std::collections::VecDeque::new();
        while now < origin + 30 * SECOND {
            now += MS;
            while let Some(left) = pipe.leave(now) {
                bytes += left.size;
                acknowledged.push_back((left.arrives + 25 * MS, left.content));
            }
            while let Some((_, number)) = acknowledged.pop_front_if(|(at, _)| *at <= now) {
                transfer.acknowledged(now, number);
            }
            if now >= transfer.due() {
                transfer.timed_out(now);
            }
            while let Some(number) = transfer.poll(now) {
                dropped += usize::from(pipe.enter(now, number, bulk::PACKET) == Entry::Dropped);
            }
        }
        let used = bytes as f64 / Bitrate::from_kbps(3000).bytes_in(30 * SECOND);
        assert!(used > 0.95 && (1..500).contains(&dropped), "{bulk:?}: {used}, {dropped} dropped");
    }
}

#[test]
fn a_picture_that_waits_for_a_lost_packet_freezes_until_a_keyframe_comes() {
    let mut random = StdRng::seed_from_u64(1);
    let mut viewer = Viewer::default();
    let mut at = Duration::ZERO;
    for frame in 0..200_u64 {
        at += FRAME;
        let key = if frame == 0 || frame == 120 { Kind::Key } else { Kind::Delta };
        let taken = at.saturating_sub(MS * random.random_range(20..40));
        let piece = |nth: u16| {
            let first = frame as u16 * 2;
            Piece { sequence: first + nth, frame, pieces: 2, first, key, taken }
        };
        viewer.arrived(at, piece(0));
        if frame != 100 {
            let shown = viewer.arrived(at, piece(1));
            assert_eq!(shown.is_some(), key == Kind::Key);
        }
    }
    let (longest, all) = viewer.frozen(Duration::ZERO);
    assert_eq!((viewer.freezes.len(), longest), (1, all));
    assert!((600..800).contains(&longest.as_millis()), "{longest:?}");
    assert_eq!(viewer.shown, 180);
}
