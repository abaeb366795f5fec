//! A call between two uplinks of every kind, from either side, against what theory says it can become.

use std::time::Duration;

use relay::nat::{Uplink, Way, way};

use super::signal::likeness;
use super::whole_call::{LIMIT, both_connected, last_path, logs};
use super::world::{MS, Plan, World};
use crate::session::PathProtocol;

/// Long enough to move to a better way, which is watched for two seconds first.
const TALK: Duration = Duration::from_secs(3);
/// Packets of 20 ms each end gets in that time, less what a way that changes costs.
const PACKETS: u64 = 130;

/// What a call became, and what is wrong with that.
struct Played {
    connected: Duration,
    direct: bool,
    faults: Vec<String>,
}

fn play(caller: Uplink, callee: Uplink, seed: u64) -> Played {
    let oracle = way(caller.behaviour(), callee.behaviour());
    let nat = [caller, callee];
    let mut world = World::new(Plan {
        seed,
        nat,
        relays: 2,
        latency: 25 * MS,
        jitter: 5 * MS,
        speech: 4,
        ..Plan::default()
    });
    world.dial();
    let mut faults = Vec::new();
    if !world.run_while_not(LIMIT, both_connected) {
        faults.push(format!("not connected: {:?}", logs(&world)));
        return Played { connected: LIMIT, direct: false, faults };
    }
    world.run_for(TALK);
    let paths = [0, 1].map(|who| last_path(&world, who));
    let direct = paths.iter().all(|path| path.direct);
    let is_right = match oracle {
        Way::Direct => direct,
        Way::DirectByGuessing => paths.iter().all(|path| path.protocol == PathProtocol::Udp),
        Way::RelayedUdp => paths.iter().all(|path| !path.direct && path.protocol == PathProtocol::Udp),
        Way::RelayedTcp => {
            paths.iter().all(|path| !path.direct)
                && paths.iter().any(|path| path.protocol != PathProtocol::Udp)
        }
    };
    if !is_right {
        faults.push(format!("{oracle:?} by theory, but it went {paths:?}"));
    }
    for end in &world.ends {
        let stats = end.voice.stats();
        if stats.received < PACKETS {
            faults.push(format!("one end heard little: {stats:?}"));
        }
    }
    // The other one is as good, and looking for sound in sound is slow.
    let heard = likeness(&world.ends[1].said, world.ends[0].voice.recorded());
    if heard < 0.9 {
        faults.push(format!("the caller heard {heard} of the callee"));
    }
    let connected = world.ends.iter().filter_map(|end| end.connected()).max().unwrap_or_default();
    Played { connected, direct, faults }
}

#[test]
fn every_pair_of_uplinks_talks_and_goes_directly_wherever_theory_says_it_can() {
    let mut faults = Vec::new();
    for (seed, (one, other)) in (1..).zip(Uplink::pairs()) {
        let mut slowest = Duration::ZERO;
        let mut direct = 0;
        for (caller, callee) in [(one, other), (other, one)] {
            let played = play(caller, callee, seed);
            slowest = slowest.max(played.connected);
            direct += u32::from(played.direct);
            let faulty = played.faults.into_iter();
            faults.extend(faulty.map(|fault| format!("{caller} calls {callee}: {fault}")));
        }
        println!("{one:<11}{other:<11}{direct} of 2 direct, connected within {slowest:?}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
