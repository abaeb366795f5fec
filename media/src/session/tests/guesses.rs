//! Calls between a translator that takes another port for everybody and one that does not, in virtual time.

use std::time::Duration;

use relay::nat::Uplink;

use super::signal::likeness;
use super::translator::Ports;
use super::whole_call::{connect, end_of, last_path, logs};
use super::world::{MS, Plan, World};
use crate::session::PathPolicy;
use crate::session::description::CandidateKind;
use crate::session::line::LineEvent;

const SECOND: Duration = Duration::from_secs(1);
/// From the answer to a call that goes directly.
const BAR: Duration = Duration::from_secs(15);

fn hard_and_easy(hard: Uplink) -> [[Uplink; 2]; 2] {
    [[Uplink::PortRestricted, hard], [hard, Uplink::PortRestricted]]
}

fn plan(seed: u64, nat: [Uplink; 2]) -> Plan {
    Plan { seed, nat, relays: 2, jitter: 5 * MS, speech: 24, ..Plan::default() }
}

/// When an end last changed over to a direct way, if it is on one.
fn direct_since(world: &World, who: usize) -> Option<Duration> {
    let paths = world.ends[who].log.iter().filter_map(|(at, event)| match event {
        LineEvent::Path(report) => Some((*at, report.direct)),
        _ => None,
    });
    paths.fold(None, |since, (at, direct)| since.or(Some(at)).filter(|_| direct))
}

/// A whole call; when both ends were direct, counted from the answer.
fn play(plan: Plan) -> (World, Option<Duration>) {
    let mut world = connect(plan);
    // Nothing is measured before the jitter buffers have settled.
    world.run_for(SECOND);
    let before = [0, 1].map(|who| world.ends[who].voice.stats());
    let answered = world.plan.signalling;
    world.run_while_not(BAR + 3 * SECOND, |world| (0..2).all(|who| direct_since(world, who).is_some()));
    let direct = [0, 1].map(|who| direct_since(&world, who));
    world.run_for(3 * SECOND);
    for (who, before) in before.iter().enumerate() {
        let after = world.ends[who].voice.stats();
        let made_up = Duration::from_micros((after.concealed - before.concealed) * 1000 / 48);
        assert!(made_up <= 40 * MS, "end {who} made up {made_up:?}: {:?}", logs(&world));
        assert_eq!(after.lost, before.lost, "end {who}");
        assert!(world.ends[who].beside.len() <= 4, "end {who} has sockets left");
    }
    let [one, other] = direct;
    (world, one.zip(other).map(|(one, other)| one.max(other) - answered))
}

#[test]
fn a_port_restricted_and_a_random_symmetric_translator_are_guessed_through_without_being_heard() {
    let (mut times, calls) = (Vec::new(), 12);
    for seed in 1..=calls / 2 {
        for nat in hard_and_easy(Uplink::Symmetric) {
            let hard = nat.iter().position(|nat| *nat == Uplink::Symmetric).unwrap();
            let (world, direct) = play(plan(seed, nat));
            assert!(world.ends[hard].most_beside > 0 && world.ends[1 - hard].most_beside == 0);
            let Some(direct) = direct.filter(|direct| *direct <= BAR) else { continue };
            times.push(direct);
            assert_eq!(last_path(&world, hard).local, CandidateKind::ServerReflexive);
            assert_eq!(last_path(&world, 1 - hard).remote, CandidateKind::PeerReflexive);
            for who in 0..2 {
                let heard = likeness(&world.ends[1 - who].said, world.ends[who].voice.recorded());
                assert!(heard > 0.9, "end {who} heard {heard}");
            }
        }
    }
    times.sort();
    println!(
        "{} of {calls} direct within 15 s, median {:?}, last {:?}",
        times.len(),
        times[times.len() / 2],
        times.last()
    );
    assert!(times.len() as u64 * 100 >= calls * 95, "{times:?}");
}

#[test]
fn ports_that_are_counted_are_predicted_within_seconds() {
    for seed in 1..=3 {
        for nat in hard_and_easy(Uplink::Symmetric) {
            let (world, direct) = play(Plan { ports: Ports::Counted, ..plan(seed, nat) });
            assert!(direct.is_some_and(|direct| direct <= 5 * SECOND), "{direct:?}: {:?}", logs(&world));
        }
    }
}

#[test]
fn two_symmetric_translators_stay_on_the_relay_and_nothing_is_guessed() {
    let mut world = connect(plan(1, [Uplink::Symmetric; 2]));
    world.watch_wire();
    world.run_for(20 * SECOND);
    assert!((0..2).all(|who| !last_path(&world, who).direct && world.ends[who].most_beside == 0));
    assert!(end_of(&world, 0).is_none());
}

#[test]
fn who_shows_no_address_is_not_guessed_at_and_does_not_guess() {
    for relayed in 0..2 {
        for nat in hard_and_easy(Uplink::Symmetric) {
            let mut policy = [PathPolicy::Any; 2];
            policy[relayed] = PathPolicy::Relay;
            let mut world = connect(Plan { policy, ..plan(1, nat) });
            world.watch_wire();
            world.run_for(20 * SECOND);
            assert!((0..2).all(|who| world.ends[who].most_beside == 0));
            let wire = world.wire.take().unwrap_or_default();
            let relays: Vec<_> = world.relays.iter().map(|relay| relay.address.ip()).collect();
            let of_relays = |ip| relays.contains(&ip);
            let between = wire.iter().filter(|sent| !of_relays(sent.from.ip()) && !of_relays(sent.to.ip()));
            assert_eq!(between.count(), 0, "end {relayed} is relayed");
        }
    }
}

#[test]
fn an_end_that_points_at_somebody_else_has_a_bounded_number_of_probes_sent_there() {
    let nat = [Uplink::PortRestricted, Uplink::Symmetric];
    let mut world = connect(Plan { speech: 0, ..plan(1, nat) });
    world.watch_wire();
    // The hard side's address is a victim's, as far as the easy one can tell: nothing that is sent there comes to it.
    world.direct_dead = true;
    world.run_for(200 * SECOND);
    let wire = world.wire.take().unwrap_or_default();
    let [easy, hard] = ["90.0.113.101", "90.0.113.102"].map(|ip| ip.parse().unwrap());
    let sent = |from: std::net::IpAddr, to: std::net::IpAddr| {
        wire.iter().filter(|sent| sent.from.ip() == from && sent.to.ip() == to).collect::<Vec<_>>()
    };
    let (guesses, knocks) = (sent(easy, hard), sent(hard, easy));
    // Two rounds, and what ordinary punching sends to the addresses told: 87 probes for each of a few pairs.
    let punching = 4 * 87;
    assert!((2800..=3000 + punching).contains(&guesses.len()), "{}", guesses.len());
    assert!((1000..=1024 + punching).contains(&knocks.len()), "{}", knocks.len());
    for sent in guesses.iter().chain(&knocks) {
        assert!(sent.payload[..2] == [0, 1] && sent.payload.len() < 160, "{:?}", sent.payload);
        assert!(sent.to.port() >= 1024);
    }
    let last = guesses.iter().map(|sent| sent.at).max().unwrap();
    assert!(last < world.start + 110 * SECOND, "it goes on");
    assert!(world.ends.iter().all(|end| end.beside.is_empty() && end.most_beside <= 256));
}

#[test]
fn a_rough_network_is_guessed_through_as_well() {
    for (seed, nat) in (1..).zip(hard_and_easy(Uplink::Symmetric)) {
        let rough = Plan { loss: 0.05, jitter: 20 * MS, latency: 120 * MS, ..plan(seed, nat) };
        let mut world = connect(rough);
        let direct = |world: &World| (0..2).all(|who| direct_since(world, who).is_some());
        assert!(world.run_while_not(BAR + SECOND, direct), "{:?}", logs(&world));
        world.run_for(2 * SECOND);
        assert!(direct(&world), "the direct way was lost again: {:?}", logs(&world));
    }
}
