//! What happens while it rings: a way is found and secured, and nothing is heard.

use std::time::Duration;

use relay::nat::Uplink;

use super::whole_call::{LIMIT, both_connected, connect, end_of, logs};
use super::world::{MS, Plan, World};
use crate::session::SessionEnd;
use crate::session::line::LineEvent;
use crate::voice::Mute;

const SECOND: Duration = Duration::from_secs(1);

/// Two routers that must be punched through, 25 ms each way on every link, and a person who needs a while.
fn ringing(rings: Duration) -> Plan {
    Plan {
        latency: 50 * MS,
        signalling: 60 * MS,
        rings,
        nat: [Uplink::PortRestricted; 2],
        relays: 1,
        speech: 2,
        ..Plan::default()
    }
}

/// A caller who speaks before anybody has picked up.
fn speak_early(world: &mut World) {
    let packet = (0..20).find_map(|_| world.ends[0].voice.tick(world.now)).expect("a packet of sound");
    assert!(!world.ends[0].line.send_voice(world.now, packet), "sent into a ringing telephone");
}

#[test]
fn who_picks_up_after_a_while_is_heard_as_soon_as_the_answer_has_travelled() {
    let world = connect(ringing(3 * SECOND));
    let [caller, callee] = [0, 1].map(|who| world.ends[who].connected().unwrap());
    // The offer took 60 ms.
    assert_eq!(callee, 3060 * MS, "{:?}", logs(&world));
    assert_eq!(caller, 3120 * MS, "{:?}", logs(&world));
}

#[test]
fn picking_up_at_once_takes_no_longer_than_without_ringing() {
    let prompt = connect(ringing(Duration::ZERO));
    let rung = connect(ringing(MS));
    for who in [0, 1] {
        let [prompt, rung] = [&prompt, &rung].map(|world| world.ends[who].connected().unwrap());
        assert!(rung <= prompt + 2 * MS, "{prompt:?} without ringing, {rung:?} with");
    }
}

#[test]
fn no_sound_passes_while_it_rings() {
    let mut world = World::new(ringing(4 * SECOND));
    world.dial();
    world.run_for(3 * SECOND);
    speak_early(&mut world);
    world.run_for(SECOND / 2);
    let heard = |who: usize| world.ends[who].when(|event| matches!(event, LineEvent::Voice { .. }));
    assert_eq!([heard(0), heard(1)], [None, None]);
    assert!(world.ends.iter().all(|end| end.connected().is_none()), "{:?}", logs(&world));
}

/// What an end heard of the other's microphone, and when.
fn told_of_microphone(world: &World, who: usize) -> Vec<(Duration, Mute)> {
    let told = world.ends[who].log.iter().filter_map(|(at, event)| match event {
        LineEvent::Mute(mute) => Some((*at, *mute)),
        _ => None,
    });
    told.collect()
}

#[test]
fn whether_a_microphone_is_muted_is_told_once_both_have_picked_up_and_not_before() {
    let mut world = World::new(ringing(4 * SECOND));
    world.dial();
    world.run_for(2 * SECOND);
    for mute in [Mute::On, Mute::Off, Mute::On] {
        world.ends[0].line.set_muted(world.now, mute);
        world.settle();
    }
    world.run_for(SECOND);
    assert_eq!([0, 1].map(|who| told_of_microphone(&world, who)), [[], []], "it rings");
    // Who picks up may be muted before the caller knows that they have.
    world.run_for(1200 * MS);
    assert!(both_connected(&world), "{:?}", logs(&world));
    world.ends[1].line.set_muted(world.now, Mute::On);
    world.settle();
    world.run_for(SECOND);
    for who in [0, 1] {
        let told = told_of_microphone(&world, who);
        assert!(matches!(told[..], [(at, Mute::On)] if Some(at) >= world.ends[who].connected()), "{told:?}");
    }
    for mute in [Mute::Off, Mute::Off, Mute::On, Mute::Off] {
        world.ends[1].line.set_muted(world.now, mute);
        world.settle();
        world.run_for(SECOND / 2);
    }
    let told: Vec<Mute> = told_of_microphone(&world, 0).into_iter().map(|(_, mute)| mute).collect();
    assert_eq!(told, [Mute::On, Mute::Off, Mute::On, Mute::Off], "what is no news is not said");
    assert_eq!(told_of_microphone(&world, 1).len(), 1);
}

#[test]
fn who_is_muted_in_the_moment_of_picking_up_is_known_to_be_by_a_caller_who_learns_of_it_later() {
    let mut world = World::new(ringing(3 * SECOND));
    world.dial();
    assert!(world.run_while_not(LIMIT, |world| world.ends[1].connected().is_some()));
    assert!(world.ends[0].connected().is_none());
    world.ends[1].line.set_muted(world.now, Mute::On);
    world.settle();
    world.run_for(SECOND);
    let told = told_of_microphone(&world, 0);
    assert!(matches!(told[..], [(at, Mute::On)] if Some(at) == world.ends[0].connected()), "{told:?}");
}

#[test]
fn a_caller_who_gives_up_is_heard_of_on_the_way_that_was_found() {
    let mut world = World::new(ringing(30 * SECOND));
    world.dial();
    world.run_for(3 * SECOND);
    world.ends[0].line.hang_up(world.now);
    world.settle();
    world.run_for(100 * MS);
    let Some((at, SessionEnd::PeerClosed)) = end_of(&world, 1) else { panic!("{:?}", logs(&world)) };
    assert!(at <= 3060 * MS, "{at:?}");
}

#[test]
fn it_may_ring_for_longer_than_a_way_is_sought_after_picking_up() {
    let mut world = World::new(Plan { nat: [Uplink::Open; 2], relays: 0, ..ringing(40 * SECOND) });
    world.dark = true;
    world.dial();
    world.run_for(39 * SECOND);
    assert!(
        world.ends.iter().all(|end| end.log.iter().all(|(_, event)| !matches!(event, LineEvent::Ended(_))))
    );
    world.dark = false;
    assert!(world.run_while_not(2 * SECOND, both_connected), "{:?}", logs(&world));
}

#[test]
fn after_picking_up_no_way_is_the_end_in_the_usual_time() {
    let mut world = World::new(Plan { relays: 0, ..ringing(20 * SECOND) });
    world.dark = true;
    world.dial();
    world.run_for(37 * SECOND);
    for who in [0, 1] {
        let Some((at, SessionEnd::NoPath)) = end_of(&world, who) else { panic!("{:?}", logs(&world)) };
        assert!((35 * SECOND..37 * SECOND).contains(&at), "{at:?}");
    }
}

#[test]
fn the_handshake_is_under_way_before_the_first_probe_has_come_back() {
    for nat in [Uplink::Open, Uplink::PortRestricted] {
        let plan = Plan { nat: [nat; 2], ..ringing(Duration::ZERO) };
        let world = connect(plan.clone());
        let [caller, callee] = [0, 1].map(|who| world.ends[who].connected().unwrap());
        // Offer and answer travel; behind a router each end learns of its address first, and says so afterwards.
        let described = match nat {
            Uplink::Open => plan.signalling * 2,
            _ => plan.latency * 2 + plan.signalling,
        };
        // HelloVerifyRequest, ClientHello, a flight each, and the last one.
        assert!(caller <= described + plan.latency * 4 + 2 * MS, "{caller:?}: {:?}", logs(&world));
        assert!(callee <= described + plan.latency * 5 + 2 * MS, "{callee:?}: {:?}", logs(&world));
    }
}

#[test]
fn half_of_all_packets_lost_still_makes_a_call_within_seconds() {
    for seed in 1..=20 {
        let mut world = World::new(Plan { seed, loss: 0.5, ..ringing(Duration::ZERO) });
        world.dial();
        assert!(world.run_while_not(LIMIT / 2, both_connected), "seed {seed}: {:?}", logs(&world));
    }
}

#[test]
fn a_description_that_promises_a_way_to_nobody_costs_a_few_packets() {
    let mut world = World::new(Plan { nat: [Uplink::Open; 2], relays: 0, ..ringing(60 * SECOND) });
    world.watch_wire();
    world.direct_dead = true;
    world.dial();
    world.run_for(50 * SECOND);
    let wire = world.wire.as_ref().unwrap();
    let handshake = wire.iter().filter(|sent| matches!(sent.payload.first(), Some(20..=63)));
    let bytes: usize = handshake.map(|sent| sent.payload.len()).sum();
    assert!((1..4000).contains(&bytes), "{bytes}");
}

#[test]
fn an_address_that_finishes_the_handshake_and_answers_no_probe_gets_no_sound() {
    let mut world = World::new(Plan { nat: [Uplink::Open; 2], relays: 0, ..ringing(Duration::ZERO) });
    world.watch_wire();
    world.unanswered = true;
    world.dial();
    assert!(world.run_while_not(LIMIT, both_connected), "{:?}", logs(&world));
    world.run_for(20 * SECOND);
    let wire = world.wire.take().unwrap_or_default();
    assert!(wire.iter().all(|sent| !matches!(sent.payload.first(), Some(128..=191))), "sound left");
    for who in [0, 1] {
        let Some((at, SessionEnd::Lost)) = end_of(&world, who) else { panic!("{:?}", logs(&world)) };
        assert!(at < 17 * SECOND, "{at:?}");
    }
}
