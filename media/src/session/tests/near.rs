//! Calls over ways where short frames pay, and over others.

use std::time::Duration;

use super::whole_call::connect;
use super::world::{MS, Plan, World};
use crate::codec::duration_in;
use crate::session::PathPolicy;
use crate::session::line::LineEvent;

const SECOND: Duration = Duration::from_secs(1);

/// How long the frames are that an end gets from now on for so long, from the shortest to the longest.
fn frames(world: &mut World, lasts: Duration) -> [Option<Duration>; 2] {
    let since = world.now - world.start;
    world.run_for(lasts);
    let held = world.ends.iter().flat_map(|end| &end.log).filter_map(|(at, event)| match event {
        LineEvent::Voice { payload, .. } if *at >= since => Some(duration_in(payload)),
        _ => None,
    });
    let held: Vec<Duration> = held.collect();
    [held.iter().min().copied(), held.iter().max().copied()]
}

fn near() -> Plan {
    Plan { seed: 3, latency: MS, jitter: Duration::ZERO, loss: 0.0, speech: 60, ..Plan::default() }
}

const SHORT: [Option<Duration>; 2] = [Some(Duration::from_millis(10)); 2];
const USUAL: [Option<Duration>; 2] = [Some(Duration::from_millis(20)); 2];

#[test]
fn frames_are_short_on_a_clean_lan_and_usual_from_the_first_report_of_loss_on() {
    let mut world = connect(near());
    assert_eq!(frames(&mut world, 3 * SECOND), USUAL);
    world.run_for(7 * SECOND);
    assert_eq!(frames(&mut world, 10 * SECOND), SHORT);
    for end in &world.ends {
        let stats = end.voice.stats();
        assert_eq!((stats.lost, stats.duplicates, stats.discarded), (0, 0, 0), "{stats:?}");
        assert!(stats.concealed_ratio() < 0.001, "{stats:?}");
    }
    world.plan.loss = 0.1;
    world.run_for(3 * SECOND);
    assert_eq!(frames(&mut world, 10 * SECOND), USUAL);
}

#[test]
fn frames_are_usual_over_far_and_uneven_ways_and_over_relays() {
    for plan in [
        Plan { latency: 30 * MS, ..near() },
        Plan { latency: 50 * MS, jitter: 40 * MS, loss: 0.02, ..near() },
        Plan { relays: 1, policy: [PathPolicy::Relay; 2], ..near() },
    ] {
        let mut world = connect(plan);
        assert_eq!(frames(&mut world, 30 * SECOND), USUAL);
    }
}
