//! Calls of ends whose network lets no UDP through, in virtual time: their relays are reached over TCP or TLS.

use std::time::Duration;

use relay::nat::Uplink;

use super::signal::likeness;
use super::whole_call::{LIMIT, both_connected, connect, end_of, last_path, logs};
use super::world::{MS, Plan, World};
use crate::session::path::streams::StreamEvent;
use crate::session::path::{SocketId, StreamKind};
use crate::session::{PathPolicy, PathProtocol};

const SECOND: Duration = Duration::from_secs(1);

fn blocked(nat: [Uplink; 2]) -> Plan {
    Plan { nat, relays: 1, speech: 8, latency: 25 * MS, ..Plan::default() }
}

fn heard(world: &World, who: usize) -> f32 {
    likeness(&world.ends[1 - who].said, world.ends[who].voice.recorded())
}

/// How often the end without UDP dialled; the other one, which cannot know who is cut off, may have, too.
fn dials(world: &World) -> usize {
    world.wires.dialled.iter().filter(|(who, _)| *who == 0).count()
}

#[test]
fn an_end_without_udp_talks_over_tcp_to_anybody_in_either_role() {
    for nat in [
        [Uplink::UdpBlocked, Uplink::Open],
        [Uplink::Symmetric, Uplink::UdpBlocked],
        [Uplink::UdpBlocked, Uplink::UdpBlocked],
    ] {
        let mut world = connect(blocked(nat));
        world.run_for(8 * SECOND);
        for who in 0..2 {
            let path = last_path(&world, who);
            let expected = if nat[who] == Uplink::UdpBlocked { PathProtocol::Tcp } else { PathProtocol::Udp };
            assert_eq!((path.protocol, path.direct), (expected, false), "{nat:?} {:?}", logs(&world));
            assert!(heard(&world, who) > 0.9, "{nat:?}: end {who} heard {}", heard(&world, who));
        }
        let slowest = world.ends.iter().filter_map(|end| end.connected()).max();
        println!("{nat:?}: connected after {slowest:?}");
        assert!(slowest < Some(1500 * MS), "{nat:?}: {slowest:?}");
        assert!(world.wires.dialled.iter().all(|(_, kind)| *kind == StreamKind::Tcp));
    }
}

#[test]
fn where_tcp_is_refused_tls_carries_the_call() {
    let mut world = World::new(blocked([Uplink::UdpBlocked, Uplink::Open]));
    world.wires.refused = Some(StreamKind::Tcp);
    world.dial();
    assert!(world.run_while_not(LIMIT, both_connected), "{:?}", logs(&world));
    world.run_for(8 * SECOND);
    assert_eq!(last_path(&world, 0).protocol, PathProtocol::Tls);
    assert!((0..2).all(|who| heard(&world, who) > 0.9));
}

#[test]
fn whoever_has_udp_opens_no_stream_and_direct_calls_open_none_either() {
    let direct =
        Plan { policy: [PathPolicy::Direct, PathPolicy::Any], ..blocked([Uplink::Open, Uplink::Open]) };
    for plan in [blocked([Uplink::Open, Uplink::PortRestricted]), direct] {
        let mut world = connect(plan);
        world.run_for(8 * SECOND);
        assert_eq!(world.wires.dialled, []);
    }
}

#[test]
fn udp_that_comes_alive_takes_over_without_being_heard() {
    let plan = Plan { policy: [PathPolicy::Relay; 2], ..blocked([Uplink::UdpBlocked, Uplink::Open]) };
    let mut world = connect(Plan { speech: 12, ..plan });
    world.run_for(2 * SECOND);
    assert_eq!(last_path(&world, 0).protocol, PathProtocol::Tcp);
    world.ends[0].translator.kind = Uplink::PortRestricted;
    let before = [0, 1].map(|who| world.ends[who].voice.stats());
    world.run_for(9 * SECOND);
    assert_eq!(last_path(&world, 0).protocol, PathProtocol::Udp, "{:?}", logs(&world));
    for (who, before) in before.iter().enumerate() {
        let stats = world.ends[who].voice.stats();
        let made_up = stats.concealed - before.concealed;
        assert!(made_up <= 40 * 48 && stats.lost == before.lost, "end {who}: {made_up} {stats:?}");
    }
}

#[test]
fn udp_that_is_blocked_in_mid_call_is_replaced_by_a_stream() {
    for nat in [Uplink::Open, Uplink::PortRestricted] {
        let mut world = connect(Plan { speech: 12, ..blocked([Uplink::PortRestricted, nat]) });
        world.run_for(3 * SECOND);
        assert_eq!((last_path(&world, 0).protocol, world.wires.dialled.len()), (PathProtocol::Udp, 0));
        world.ends[0].translator.kind = Uplink::UdpBlocked;
        world.run_for(SECOND);
        let before = [0, 1].map(|who| world.ends[who].voice.stats().received);
        world.run_for(2 * SECOND);
        for (who, before) in before.into_iter().enumerate() {
            let received = world.ends[who].voice.stats().received - before;
            assert!(received >= 98, "{nat:?}: end {who} got {received} of 100: {:?}", logs(&world));
        }
        assert_eq!(last_path(&world, 0).protocol, PathProtocol::Tcp);
    }
}

#[test]
fn relays_reached_over_streams_that_stop_one_after_the_other_are_replaced() {
    for seed in 1..=3 {
        let mut world = connect(Plan { seed, relays: 4, speech: 60, ..blocked([Uplink::UdpBlocked; 2]) });
        world.run_for(4 * SECOND);
        for stop in 1..=3 {
            let used = last_path(&world, 0).relay.unwrap();
            world.relays.iter_mut().find(|relay| relay.address == used).unwrap().dead = true;
            let before = [0, 1].map(|who| world.ends[who].voice.stats());
            world.run_for(12 * SECOND);
            for (who, before) in before.iter().enumerate() {
                let made_up = (world.ends[who].voice.stats().concealed - before.concealed) / 48;
                assert!(made_up <= 200, "seed {seed}, stop {stop}, end {who}: {made_up} ms");
                let left = world.ends[who].line.relays_heard(world.now);
                assert_eq!(left, if stop == 3 { 1 } else { 2 }, "{:?}", logs(&world)[who]);
            }
        }
    }
}

#[test]
fn a_stream_that_breaks_in_mid_call_is_dialled_anew_and_the_call_goes_on() {
    let mut world = connect(Plan { speech: 12, ..blocked([Uplink::UdpBlocked, Uplink::Open]) });
    world.run_for(3 * SECOND);
    world.cut_all(0);
    let before = world.ends[1].voice.stats();
    world.run_for(4 * SECOND);
    assert_eq!(dials(&world), 2);
    assert_eq!(last_path(&world, 0).protocol, PathProtocol::Tcp);
    assert!(end_of(&world, 0).is_none() && end_of(&world, 1).is_none(), "{:?}", logs(&world));
    let stats = world.ends[1].voice.stats();
    let received = stats.received - before.received;
    assert!(received >= 130, "{received} of 200 packets since the break");
}

#[test]
fn bytes_that_are_no_turn_end_their_stream_and_another_is_dialled() {
    let mut world = connect(Plan { speech: 12, ..blocked([Uplink::UdpBlocked, Uplink::Open]) });
    world.run_for(2 * SECOND);
    let socket = SocketId(world.ends[0].sockets.len() as u32 - 1);
    world.bring(0, socket, StreamEvent::Bytes(b"\xFFHTTP/1.1 400 Bad Request\r\n".to_vec()));
    world.settle();
    assert_eq!(world.relays[0].allocations(), 1, "only the other end's is left");
    world.run_for(4 * SECOND);
    assert_eq!(dials(&world), 2);
    assert!(end_of(&world, 0).is_none() && end_of(&world, 1).is_none(), "{:?}", logs(&world));
}

#[test]
fn a_stream_that_stalls_for_a_second_plays_nothing_stale_afterwards() {
    let mut world = connect(Plan { speech: 12, ..blocked([Uplink::UdpBlocked, Uplink::Open]) });
    world.run_for(3 * SECOND);
    let before = world.ends[1].voice.stats();
    world.wires.stalled[0] = true;
    world.run_for(SECOND);
    world.wires.stalled[0] = false;
    world.settle();
    world.run_for(4 * SECOND);
    let stats = world.ends[1].voice.stats();
    let received = stats.received - before.received;
    // Of fifty packets of the stalled second the last ten at most come.
    assert!((195..=212).contains(&received), "{received} of 250 packets");
    assert!(stats.playout_delay < 300 * MS, "{:?}", stats.playout_delay);
    assert_eq!(dials(&world), 1, "a second's stall is no reason to begin anew");
}

#[test]
fn a_stream_that_stalls_for_ever_is_replaced() {
    let mut world = connect(Plan { speech: 16, ..blocked([Uplink::UdpBlocked, Uplink::Open]) });
    world.run_for(2 * SECOND);
    world.wires.stalled[0] = true;
    world.run_for(3100 * MS);
    world.wires.stalled[0] = false;
    world.run_for(3 * SECOND);
    assert_eq!(dials(&world), 2, "{:?}", logs(&world));
    let before = world.ends[1].voice.stats().received;
    world.run_for(SECOND);
    assert!(world.ends[1].voice.stats().received - before >= 49);
}
