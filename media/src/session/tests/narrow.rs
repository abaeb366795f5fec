//! A link that becomes too narrow for the voice, and wide again.

use std::time::Duration;

use super::video::filmed;
use super::whole_call::connect;
use super::world::{Bottleneck, MS, Plan, World};
use crate::bitrate::Bitrate;
use crate::codec::duration_in;
use crate::session::line::LineEvent;

const SECOND: Duration = Duration::from_secs(1);
/// What a usual frame holds.
const USUAL: Duration = Duration::from_millis(20);
/// Until the voice has become thin, and what stood in the queue has passed.
const FOUND: Duration = Duration::from_secs(9);

/// 18 kbit/s of IP, and what would wait longer than that is lost.
const fn narrow(queue: Duration) -> Bottleneck {
    Bottleneck { rate: Bitrate::from_kbps(18), queue }
}

/// When frames came to an end since then, and what each held.
fn frames(world: &World, who: usize, since: Duration) -> Vec<(Duration, Duration)> {
    let frame = |(at, event): &(Duration, LineEvent)| match event {
        LineEvent::Voice { payload, .. } if *at >= since => Some((*at, duration_in(payload))),
        _ => None,
    };
    world.ends[who].log.iter().filter_map(frame).collect()
}

/// From when a word is spoken until it leaves for the loudspeaker.
fn delay(world: &World, who: usize) -> Duration {
    let end = &world.ends[who];
    let first = end.log.iter().find_map(|(_, event)| match event {
        LineEvent::Voice { timestamp, .. } => Some(*timestamp),
        _ => None,
    });
    let (playing, first) = (end.voice.stats().playing.unwrap(), first.unwrap());
    let spoken = f64::from(playing.timestamp.wrapping_sub(first)) / 48_000.0;
    let began = world.ends[1 - who].connected().unwrap();
    (playing.at - world.start).saturating_sub(began + Duration::from_secs_f64(spoken))
}

fn now(world: &World) -> Duration {
    world.now - world.start
}

/// A call that is narrow from the tenth second on, for twenty.
fn call(seed: u64, queue: Duration) -> World {
    let mut world = connect(Plan { seed, speech: 50, ..Plan::default() });
    world.run_for(10 * SECOND);
    world.plan.bottleneck = Some(narrow(queue));
    world.run_for(FOUND);
    let (since, before) = (now(&world), [0, 1].map(|who: usize| world.ends[who].voice.stats()));
    world.run_for(20 * SECOND - FOUND);
    for (who, before) in before.into_iter().enumerate() {
        let stats = world.ends[who].voice.stats();
        let invented = (stats.concealed - before.concealed) as f64 / (stats.played - before.played) as f64;
        let thin = frames(&world, who, since);
        let usual = thin.iter().filter(|(_, holds)| *holds == USUAL).count();
        assert!(
            invented < 0.05,
            "seed {seed}: {invented} of it is invented, {usual} usual frames, {stats:?}"
        );
        assert!(delay(&world, who) < 800 * MS, "seed {seed}: words come {:?} late", delay(&world, who));
    }
    world
}

#[test]
fn on_18_kbit_words_still_come_and_the_usual_voice_is_back_within_two_seconds_of_room() {
    for (seed, queue) in [(1, 300 * MS), (2, 1500 * MS)] {
        let mut world = call(seed, queue);
        world.plan.bottleneck = None;
        let wide = now(&world);
        world.run_for(10 * SECOND);
        for who in 0..2 {
            let frames = frames(&world, who, wide);
            let back = frames.iter().find(|(_, holds)| *holds == USUAL).map(|(at, _)| *at - wide);
            assert!(back.is_some_and(|back| back <= 2 * SECOND), "{queue:?}: {back:?}");
            let relapsed = frames.iter().filter(|(at, holds)| *holds != USUAL && *at > wide + 3 * SECOND);
            assert_eq!(relapsed.count(), 0, "{queue:?}");
        }
    }
}

#[test]
fn pictures_give_way_to_the_voice_and_come_back_when_there_is_room() {
    let mut world = filmed(Plan { seed: 1, speech: 45, ..Plan::default() });
    world.run_for(10 * SECOND);
    world.plan.bottleneck = Some(narrow(300 * MS));
    world.run_for(FOUND);
    let (begin, before) = (world.now, [0, 1].map(|who: usize| world.ends[who].voice.stats()));
    world.run_for(20 * SECOND - FOUND);
    for (who, before) in before.into_iter().enumerate() {
        let stats = world.ends[who].voice.stats();
        let invented = (stats.concealed - before.concealed) as f64 / (stats.played - before.played) as f64;
        assert!(
            invented < 0.1 && delay(&world, who) < 800 * MS,
            "{invented} {:?} {stats:?}",
            delay(&world, who)
        );
        assert!(world.ends[who].seen_since(begin).len() < 10, "end {who} sees pictures");
    }
    world.plan.bottleneck = None;
    let wide = now(&world);
    world.run_for(10 * SECOND);
    for who in 0..2 {
        let back = frames(&world, who, wide).into_iter().find(|(_, holds)| *holds == USUAL);
        assert!(back.is_some_and(|(at, _)| at - wide <= 2 * SECOND), "end {who}: {back:?}");
        let seen = world.ends[who].seen_since(world.now - 3 * SECOND);
        assert!(seen.len() > 60, "end {who} sees {} pictures", seen.len());
    }
}

#[test]
fn loss_that_no_queue_makes_does_not_thin_the_voice() {
    let mut world = connect(Plan { seed: 5, loss: 0.3, jitter: 20 * MS, speech: 20, ..Plan::default() });
    world.run_for(20 * SECOND);
    for who in 0..2 {
        assert!(frames(&world, who, Duration::ZERO).iter().all(|(_, holds)| *holds == USUAL));
    }
}
