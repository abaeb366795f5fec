//! Calls whose ways die, appear and change under them, in virtual time.

use std::time::Duration;

use relay::nat::Uplink;

use super::whole_call::{LIMIT, both_connected, connect, end_of, last_path, logs};
use super::world::{MS, Plan, Sent, World};
use crate::session::description::{Candidate, CandidateKind};
use crate::session::line::LineEvent;
use crate::session::{PathPolicy, RelayHealth};
use crate::voice::Mute;

const SECOND: Duration = Duration::from_secs(1);

fn talk(plan: Plan) -> World {
    let mut world = connect(Plan { speech: 12, ..plan });
    world.run_for(4 * SECOND);
    world
}

/// How much of what each end played within `time` was made up, and how many packets each lost.
fn missing(world: &mut World, time: Duration) -> [(Duration, u64); 2] {
    let before = [0, 1].map(|who| world.ends[who].voice.stats());
    world.run_for(time);
    [0, 1].map(|who| {
        let stats = world.ends[who].voice.stats();
        let made_up = stats.concealed - before[who].concealed;
        (Duration::from_micros(made_up * 1000 / 48), stats.lost - before[who].lost)
    })
}

/// How often an end has said which way the call takes.
fn path_events(world: &World, who: usize) -> usize {
    world.ends[who].log.iter().filter(|(_, event)| matches!(event, LineEvent::Path(_))).count()
}

/// The longest time without new sound since then.
fn longest_gap(world: &World, who: usize, since: Duration) -> Duration {
    let sounds = world.ends[who].log.iter().filter(|(_, event)| matches!(event, LineEvent::Voice { .. }));
    let mut arrivals: Vec<Duration> = sounds.map(|(at, _)| *at).filter(|at| *at >= since).collect();
    arrivals.push(world.now - world.start);
    arrivals.iter().fold((since, Duration::ZERO), |(last, gap), at| (*at, gap.max(*at - last))).1
}

fn relayed(seed: u64) -> Plan {
    Plan { seed, policy: [PathPolicy::Relay; 2], relays: 2, jitter: 5 * MS, ..Plan::default() }
}

#[test]
fn a_direct_way_that_dies_is_replaced_by_a_relay_within_half_a_second() {
    let mut worst = Duration::ZERO;
    for seed in 1..=20 {
        let mut world = talk(Plan { seed, relays: 1, jitter: 10 * MS, ..Plan::default() });
        assert!((0..2).all(|who| last_path(&world, who).direct));
        world.direct_dead = true;
        for (who, (made_up, _)) in missing(&mut world, 3 * SECOND).into_iter().enumerate() {
            assert!(made_up <= 500 * MS, "seed {seed}, end {who}: {made_up:?}");
            assert!(!last_path(&world, who).direct);
            worst = worst.max(made_up);
        }
    }
    println!("at most {worst:?} made up");
}

#[test]
fn a_relay_that_dies_under_a_call_is_replaced_by_the_other_within_a_fifth_of_a_second() {
    let mut worst = Duration::ZERO;
    for seed in 1..=20 {
        let mut world = talk(relayed(seed));
        let used = last_path(&world, 0).relay.unwrap();
        world.relays.iter_mut().find(|relay| relay.address == used).unwrap().dead = true;
        for (who, (made_up, _)) in missing(&mut world, 3 * SECOND).into_iter().enumerate() {
            assert!(made_up <= 200 * MS, "seed {seed}, end {who}: {made_up:?}");
            assert_ne!(last_path(&world, who).relay, Some(used));
            worst = worst.max(made_up);
        }
    }
    println!("at most {worst:?} made up");
}

/// Relays of an end's that grant something, hear the other end, and live.
fn serving(world: &World, who: usize) -> usize {
    world.ends[who].line.relays_heard(world.now)
}

#[test]
fn relays_that_die_one_after_the_other_are_replaced_while_there_are_any() {
    let mut gaps = Vec::new();
    for seed in 1..=4 {
        let mut world = talk(Plan { relays: 5, speech: 60, ..relayed(seed) });
        for death in 1..=3 {
            let used = last_path(&world, 0).relay.unwrap();
            world.relays.iter_mut().find(|relay| relay.address == used).unwrap().dead = true;
            gaps.extend(missing(&mut world, 12 * SECOND).map(|(made_up, _)| made_up));
            for who in 0..2 {
                assert_eq!(serving(&world, who), 2, "seed {seed}, death {death}: {:?}", logs(&world)[who]);
            }
        }
        // Two are left, and then one.
        let used = last_path(&world, 1).relay.unwrap();
        world.relays.iter_mut().find(|relay| relay.address == used).unwrap().dead = true;
        gaps.extend(missing(&mut world, 5 * SECOND).map(|(made_up, _)| made_up));
    }
    // Nineteen of twenty; the less a frame waits to be played, the more is heard of each gap.
    gaps.sort_unstable();
    assert!(gaps[gaps.len() * 19 / 20] <= 200 * MS && gaps[gaps.len() - 1] <= 240 * MS, "{gaps:?}");
}

#[test]
fn two_relays_that_die_at_once_are_replaced_before_the_call_is_given_up() {
    for seed in 1..=4 {
        let mut world = talk(Plan { relays: 4, speech: 30, ..relayed(seed) });
        world.relays[0].dead = true;
        world.relays[1].dead = true;
        world.run_for(6 * SECOND);
        let [first, second] = missing(&mut world, 4 * SECOND);
        assert!(first.0 <= 40 * MS && second.0 <= 40 * MS, "seed {seed}: {first:?}, {second:?}");
        assert!((0..2).all(|who| serving(&world, who) == 2), "{:?}", logs(&world));
    }
}

#[test]
fn relays_are_kept_through_a_blackout_of_our_own() {
    let mut world = talk(Plan { speech: 30, ..relayed(1) });
    world.dark = true;
    world.run_for(9 * SECOND);
    world.dark = false;
    world.run_for(1500 * MS);
    let [first, second] = missing(&mut world, 4 * SECOND);
    assert!(first.0 <= 40 * MS && second.0 <= 40 * MS, "{first:?}, {second:?}: {:?}", logs(&world));
    assert!((0..2).all(|who| serving(&world, who) == 2), "{:?}", logs(&world));
}

#[test]
fn a_relay_that_wakes_up_again_serves_again() {
    let mut world = talk(Plan { relays: 2, speech: 30, ..relayed(1) });
    let used = last_path(&world, 0).relay.unwrap();
    let stop = |world: &mut World, dead| {
        world.relays.iter_mut().find(|relay| relay.address == used).unwrap().dead = dead;
    };
    stop(&mut world, true);
    world.run_for(8 * SECOND);
    assert!((0..2).all(|who| serving(&world, who) == 1), "{:?}", logs(&world));
    stop(&mut world, false);
    world.run_for(8 * SECOND);
    assert!((0..2).all(|who| serving(&world, who) == 2), "{:?}", logs(&world));
}

#[test]
fn a_relay_that_answers_and_relays_nothing_is_replaced() {
    let mut world = talk(Plan { relays: 3, speech: 40, ..relayed(1) });
    let used = last_path(&world, 0).relay.unwrap();
    world.relays.iter_mut().find(|relay| relay.address == used).unwrap().mute = true;
    for (who, (made_up, _)) in missing(&mut world, 10 * SECOND).into_iter().enumerate() {
        assert!(made_up <= 200 * MS, "end {who}: {made_up:?}");
    }
    world.run_for(10 * SECOND);
    for who in 0..2 {
        assert_eq!(world.ends[who].towards.len(), 3, "another one is used: {:?}", logs(&world)[who]);
        assert_eq!(serving(&world, who), 2, "{:?}", logs(&world)[who]);
    }
}

#[test]
fn the_owner_of_a_call_is_told_which_relay_failed_and_that_it_serves_again() {
    let mut world = talk(Plan { relays: 3, speech: 60, ..relayed(1) });
    let used = last_path(&world, 0).relay.unwrap();
    let relay = world.relays.iter().position(|relay| relay.address == used).unwrap();
    let told = |world: &World| -> Vec<RelayHealth> {
        let of_it = |(_, event): &(Duration, LineEvent)| match event {
            LineEvent::Relay(address, health) if *address == used => Some(*health),
            _ => None,
        };
        world.ends[0].log.iter().filter_map(of_it).collect()
    };
    assert_eq!(told(&world), [RelayHealth::Serves]);
    world.relays[relay].dead = true;
    world.run_for(10 * SECOND);
    assert_eq!(told(&world), [RelayHealth::Serves, RelayHealth::Failed]);
    world.relays[relay].dead = false;
    world.run_for(15 * SECOND);
    assert_eq!(told(&world), [RelayHealth::Serves, RelayHealth::Failed, RelayHealth::Serves]);
}

#[test]
fn a_call_with_one_relay_asks_for_another_less_and_less_often() {
    let mut world = talk(Plan { relays: 1, ..relayed(1) });
    world.run_for(120 * SECOND);
    let wanted = |(_, event): &&(Duration, LineEvent)| matches!(event, LineEvent::RelaysWanted(_));
    let asked = world.ends[0].log.iter().filter(wanted).count();
    assert!((5..=8).contains(&asked), "{asked}");
}

#[test]
fn a_long_call_has_credentials_for_the_day_its_address_changes() {
    let credentials = 12 * SECOND;
    for seed in 1..=2 {
        let mut world = talk(Plan { credentials, speech: 40, ..relayed(seed) });
        world.run_for(25 * SECOND);
        // What the call began with is of no use any more; a relay sees a new client, and asks for its credentials.
        world.move_uplink(0, "90.0.113.77");
        world.run_for(3 * SECOND);
        assert!((0..2).all(|who| serving(&world, who) == 2), "{:?}", logs(&world));
        let [first, second] = missing(&mut world, 4 * SECOND);
        assert!(first.0 <= 40 * MS && second.0 <= 40 * MS, "seed {seed}: {first:?}, {second:?}");
    }
    let mut world = talk(Plan { credentials, renews: false, ..relayed(1) });
    world.run_for(25 * SECOND);
    world.move_uplink(0, "90.0.113.77");
    world.run_for(3 * SECOND);
    assert_eq!(serving(&world, 0), 0, "they were needed");
}

#[test]
fn an_uplink_that_changes_its_address_is_back_within_a_second() {
    for (seed, relays) in [(1, 0), (2, 1), (3, 2)] {
        for who in 0..2 {
            let mut world = talk(Plan { seed, relays, ..Plan::default() });
            let since = world.now - world.start;
            world.move_uplink(who, "90.0.113.77");
            world.run_for(4 * SECOND);
            for end in 0..2 {
                let gap = longest_gap(&world, end, since);
                println!("{relays} relays, end {who} moved: end {end} heard nothing for {gap:?}");
                assert!(gap <= SECOND, "{relays} relays, end {who} moved, end {end}: {gap:?}");
                assert!(last_path(&world, end).direct);
            }
        }
    }
}

#[test]
fn a_direct_way_that_appears_is_taken_without_being_heard() {
    for seed in 1..=10 {
        let mut world = World::new(Plan { seed, relays: 1, jitter: 5 * MS, speech: 12, ..Plan::default() });
        world.direct_dead = true;
        world.dial();
        assert!(world.run_while_not(LIMIT, both_connected), "{:?}", logs(&world));
        world.run_for(4 * SECOND);
        assert!((0..2).all(|who| !last_path(&world, who).direct));
        world.direct_dead = false;
        for (who, (made_up, lost)) in missing(&mut world, 5 * SECOND).into_iter().enumerate() {
            assert!(last_path(&world, who).direct, "{:?}", logs(&world));
            assert!(made_up <= 40 * MS && lost == 0, "seed {seed}, end {who}: {made_up:?}, {lost} lost");
        }
    }
}

#[test]
fn the_relay_carries_sound_at_once_and_the_direct_way_takes_over() {
    let mut world =
        connect(Plan { relays: 1, nat: [Uplink::PortRestricted; 2], speech: 6, ..Plan::default() });
    world.run_for(5 * SECOND);
    for who in 0..2 {
        assert!(last_path(&world, who).direct, "{:?}", logs(&world));
    }
}

#[test]
fn loss_and_jitter_do_not_make_a_call_move() {
    for plan in [
        Plan { loss: 0.1, jitter: 30 * MS, relays: 2, ..Plan::default() },
        Plan { loss: 0.1, jitter: 30 * MS, ..relayed(2) },
    ] {
        let mut world = talk(plan);
        let before = [0, 1].map(|who| path_events(&world, who));
        world.run_for(30 * SECOND);
        let after = [0, 1].map(|who| path_events(&world, who));
        assert_eq!(before, after, "{:?}", logs(&world));
    }
}

#[test]
fn our_own_stall_is_no_gap() {
    for stalled in 0..2 {
        let mut world = talk(Plan { relays: 2, ..Plan::default() });
        let before = [0, 1].map(|who| path_events(&world, who));
        world.watch_wire();
        world.stalls[stalled] = Some(world.now + 300 * MS);
        world.run_for(3 * SECOND);
        assert_eq!(before, [0, 1].map(|who| path_events(&world, who)), "{:?}", logs(&world));
        // Whoever misses sound asks for it elsewhere; the other end does, which hears nothing of the stalled one.
        let from = world.ends[stalled].sockets[0].ip();
        let sent = world.wire.unwrap_or_default();
        let asks = |payload: &[u8]| {
            payload.get(4..6) == Some(&[0, 1])
                && payload.windows(4).any(|attribute| attribute == [0, 0x25, 0, 0])
        };
        let (ours, theirs): (Vec<_>, Vec<_>) =
            sent.iter().filter(|sent| asks(&sent.payload)).partition(|sent| sent.from.ip() == from);
        assert!(ours.is_empty(), "end {stalled} took its own stall for a gap");
        assert!(!theirs.is_empty(), "the other end noticed nothing");
    }
}

#[test]
fn a_muted_call_and_one_without_any_sound_are_watched() {
    for silent in [false, true] {
        let mut world = talk(Plan { relays: 1, ..Plan::default() });
        for end in &mut world.ends {
            end.voice.sender().set_muted(Mute::On);
            if silent {
                end.hold_ticks();
            }
        }
        world.run_for(SECOND);
        assert!((0..2).all(|who| last_path(&world, who).direct));
        let events = path_events(&world, 0);
        world.run_for(10 * SECOND);
        assert_eq!(path_events(&world, 0), events, "quiet is not a gap");
        world.direct_dead = true;
        world.run_for(600 * MS);
        for who in 0..2 {
            assert!(!last_path(&world, who).direct, "{:?}", logs(&world));
        }
    }
}

#[test]
fn who_forges_sources_or_replays_what_was_sent_gets_nothing() {
    let mut world = World::new(Plan { relays: 1, speech: 6, ..Plan::default() });
    world.watch_wire();
    world.dial();
    assert!(world.run_while_not(LIMIT, both_connected), "{:?}", logs(&world));
    world.run_for(2 * SECOND);
    let (stranger, peer) = ("192.0.2.66:6666".parse().unwrap(), world.ends[1].sockets[0]);
    let sent = world.wire.take().unwrap_or_default();
    let to_first: Vec<_> = sent.into_iter().filter(|sent| sent.to == world.ends[0].sockets[0]).collect();
    assert!(to_first.iter().any(|sent| sent.payload[0] == 0), "probes were seen");
    let events = path_events(&world, 0);
    world.watch_wire();
    // Everything the other end ever said, from elsewhere and from its own address.
    for sent in to_first.iter().filter(|sent| sent.from == peer) {
        world.inject_from(stranger, 0, &sent.payload);
        world.inject_from(peer, 0, &sent.payload);
    }
    world.run_for(2 * SECOND);
    let wire = world.wire.take().unwrap_or_default();
    assert!(wire.iter().all(|sent| sent.to != stranger), "something was sent to a stranger");
    assert_eq!(path_events(&world, 0), events);
    // Replayed sound from the right address does not keep a dead way alive.
    world.direct_dead = true;
    for _ in 0..40 {
        for sent in to_first.iter().rev().filter(|sent| sent.from == peer).take(5) {
            world.inject_from(peer, 0, &sent.payload);
        }
        world.run_for(20 * MS);
    }
    assert!(!last_path(&world, 0).direct, "{:?}", logs(&world));
}

#[test]
fn an_address_somebody_wants_flooded_gets_a_few_probes_and_no_sound() {
    let mut world = World::new(Plan { speech: 6, ..Plan::default() });
    world.watch_wire();
    world.dial();
    let victim = "192.0.2.99:53535".parse().unwrap();
    for _ in 0..50 {
        let candidate = Candidate::new(CandidateKind::Host, victim, 0x7eff_ffff).unwrap();
        world.ends[0].line.add_candidate(world.now, candidate);
    }
    world.run_for(120 * SECOND);
    assert!(end_of(&world, 0).is_none());
    let wire = world.wire.take().unwrap_or_default();
    let got: Vec<_> = wire.iter().filter(|sent| sent.to == victim).collect();
    assert!((1..=100).contains(&got.len()), "{}", got.len());
    let last = got.iter().map(|sent| sent.at).max().unwrap();
    assert!(last < world.start + 80 * SECOND, "it goes on");
    // Among them at most a copy or two of a handshake's first flight.
    let (flights, probes): (Vec<&Sent>, Vec<&Sent>) = got.into_iter().partition(|sent| sent.payload[0] == 22);
    assert!(flights.len() <= 2 && flights.iter().all(|sent| sent.payload.len() < 200), "{}", flights.len());
    assert!(probes.iter().all(|sent| sent.payload[..2] == [0, 1] && sent.payload.len() < 160));
}
