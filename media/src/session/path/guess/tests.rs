use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::session::fixture::origin;

const MS: Duration = Duration::from_millis(1);
const LATENCY: Duration = Duration::from_millis(80);

/// How the hard side's translator takes its ports.
#[derive(Clone, Copy, Debug)]
enum Allocation {
    Random,
    Counting { by: u16 },
}

struct Translator {
    random: StdRng,
    allocation: Allocation,
    last: u16,
    taken: BTreeSet<u16>,
}

impl Translator {
    fn take(&mut self) -> u16 {
        loop {
            self.last = match self.allocation {
                Allocation::Random => self.random.random_range(1024..=u16::MAX),
                Allocation::Counting { by } => self.last + by,
            };
            if self.taken.insert(self.last) {
                return self.last;
            }
        }
    }
}

fn easy_address() -> SocketAddr {
    "203.0.113.1:5000".parse().unwrap()
}

fn easy() -> Mapping {
    Mapping::Independent { at: easy_address() }
}

fn hard(ports: &[u16], round: Round) -> Mapping {
    let seen = ports.iter().map(|port| SocketAddr::new([203, 0, 113, 2].into(), *port)).collect();
    Mapping::Dependent { seen, round }
}

/// What a round came to.
#[derive(Default)]
struct Played {
    /// When a probe of the easy side's came through an open port.
    hit: Option<Duration>,
    probes: usize,
    knocks: usize,
    sockets: usize,
    lasted: Duration,
}

/// One round between two ends, `lost` of everything on the way; it goes on after a hit.
fn play(seed: u64, allocation: Allocation, lost: f64) -> Played {
    let (start, mut random) = (origin(), StdRng::seed_from_u64(seed));
    let mut nat = Translator {
        random: StdRng::seed_from_u64(seed + 1_000_000),
        allocation,
        last: 20_000,
        taken: BTreeSet::new(),
    };
    let seen = [nat.take(), nat.take()];
    // Towards relays, and the other end's other addresses.
    for _ in 0..5 {
        nat.take();
    }
    let mut open = BTreeSet::from([nat.take()]);
    let [mut near, mut far] = [Guess::new([1; 32]), Guess::new(random.random())];
    near.review(start, Wanted::Yes, Some(hard(&seen, Round(0))), Some(easy()));
    far.review(start, Wanted::Yes, Some(easy()), Some(hard(&seen, Round(0))));
    let (mut told, mut played) = (None, Played::default());
    let mut under_way: BTreeMap<(Instant, usize), u16> = BTreeMap::new();
    let mut ports: BTreeMap<SocketId, u16> = BTreeMap::new();
    let mut now = start;
    while now < start + Duration::from_secs(20) {
        near.handle_timeout(now);
        while let Some(event) = near.poll_event() {
            match event {
                GuessEvent::Open => {
                    played.sockets += 1;
                    near.add_socket(SocketId(played.sockets as u32));
                }
                GuessEvent::Close(socket) => {
                    if let Some(port) = ports.remove(&socket) {
                        open.remove(&port);
                    }
                }
            }
        }
        while let Some(shot) = near.poll_transmit() {
            let Muzzle::Beside(socket) = shot.from else { panic!("{shot:?}") };
            assert_eq!(shot.to, easy_address());
            played.knocks += 1;
            if !random.random_bool(lost) && !ports.contains_key(&socket) {
                let port = nat.take();
                ports.insert(socket, port);
                open.insert(port);
            }
        }
        if near.round() != Round(0) && told.is_none() {
            told = Some(now + LATENCY);
        }
        if told.is_some_and(|at| at <= now) {
            far.review(now, Wanted::Yes, Some(easy()), Some(hard(&seen, Round(1))));
        }
        far.handle_timeout(now);
        while let Some(shot) = far.poll_transmit() {
            assert_eq!((shot.from, shot.to.ip()), (Muzzle::Base, IpAddr::from([203, 0, 113, 2])));
            played.probes += 1;
            played.lasted = now - start;
            if !random.random_bool(lost) {
                under_way.insert((now + LATENCY, played.probes), shot.to.port());
            }
        }
        while let Some(arrived) = under_way.first_entry().filter(|first| first.key().0 <= now) {
            if open.contains(&arrived.remove()) && played.hit.is_none() {
                played.hit = Some(now - start);
            }
        }
        now += MS;
    }
    assert!(open.len() <= 1, "sockets were left open");
    played
}

#[test]
fn of_two_hundred_calls_with_random_ports_nineteen_of_twenty_are_guessed_within_twelve_seconds() {
    let mut hits: Vec<Duration> =
        (0..200).filter_map(|seed| play(seed, Allocation::Random, 0.0).hit).collect();
    hits.sort();
    let in_time = hits.iter().filter(|hit| **hit <= Duration::from_secs(12)).count();
    println!("{in_time} of 200 within 12 s, median {:?}, last {:?}", hits.get(100), hits.last());
    assert!(in_time >= 190, "{in_time}");
}

#[test]
fn a_tenth_lost_on_the_way_costs_little() {
    let in_time = |seed| play(seed, Allocation::Random, 0.1).hit <= Some(Duration::from_secs(12));
    let hits = (0..100).filter(|seed| in_time(*seed) && play(*seed, Allocation::Random, 0.1).hit.is_some());
    let hits = hits.count();
    assert!(hits >= 95, "{hits}");
}

#[test]
fn ports_that_are_counted_are_guessed_within_a_second_and_a_half() {
    for by in [1, 2, 7, 16] {
        for seed in 0..20 {
            let played = play(seed, Allocation::Counting { by }, 0.0);
            let within = PATIENCE + 2 * LATENCY + 500 * MS;
            assert!(played.hit.is_some_and(|hit| hit <= within), "by {by}: {:?}", played.hit);
        }
    }
}

#[test]
fn a_round_that_finds_nothing_ends_in_time_and_within_its_bounds() {
    let played = play(3, Allocation::Random, 1.0);
    assert!(played.hit.is_none());
    assert!((1400..=MAX_PROBES).contains(&played.probes), "{}", played.probes);
    assert_eq!((played.sockets, played.knocks), (MAX_SOCKETS, 2 * MAX_SOCKETS));
    assert!(played.lasted <= Duration::from_secs(15), "{:?}", played.lasted);
}

#[test]
fn there_are_two_rounds_and_a_rest_between() {
    let (start, mut guess) = (origin(), Guess::new([1; 32]));
    guess.review(start, Wanted::Yes, Some(hard(&[5000, 9000], Round(0))), Some(easy()));
    let (mut begun, mut before) = (Vec::new(), Round(0));
    while let Some((at, _)) = guess.poll_timeout() {
        guess.handle_timeout(at);
        if guess.round() > before {
            begun.push(at - start);
        }
        before = guess.round();
    }
    assert_eq!(begun.len(), 2);
    assert!(begun[1] - begun[0] >= KNOCKING + REST, "{begun:?}");
}

#[test]
fn the_easy_side_waits_for_the_hard_one_and_answers_each_round_once() {
    let (start, mut guess) = (origin(), Guess::new([1; 32]));
    let begins = |guess: &mut Guess, round| {
        guess.review(start, Wanted::No, None, None);
        guess.review(start, Wanted::Yes, Some(easy()), Some(hard(&[5000, 9000], Round(round))));
        guess.poll_timeout().is_some()
    };
    assert!(!begins(&mut guess, 0));
    assert!(begins(&mut guess, 1));
    assert!(!begins(&mut guess, 1));
    assert!(begins(&mut guess, 2));
    for round in [0, 1, 2, 3, 255] {
        assert!(!begins(&mut guess, round), "round {round}");
    }
}

#[test]
fn two_of_a_kind_do_not_guess() {
    for kinds in [[easy(), easy()], [hard(&[5000, 9000], Round(1)), hard(&[5000, 9000], Round(1))]] {
        let (start, mut guess) = (origin(), Guess::new([1; 32]));
        let [own, peer] = kinds;
        guess.review(start, Wanted::Yes, Some(own), Some(peer));
        assert_eq!(guess.poll_timeout(), None);
    }
}

#[test]
fn a_system_without_sockets_is_left_some() {
    let (start, mut guess) = (origin(), Guess::new([1; 32]));
    guess.review(start, Wanted::Yes, Some(hard(&[5000, 9000], Round(0))), Some(easy()));
    let mut open = BTreeSet::new();
    while let Some((at, _)) = guess.poll_timeout().filter(|(at, _)| *at < start + 5000 * MS) {
        guess.handle_timeout(at);
        while let Some(event) = guess.poll_event() {
            match event {
                GuessEvent::Open if open.len() == 100 => guess.refuse_socket(),
                GuessEvent::Open => {
                    let socket = SocketId(open.len() as u32);
                    open.insert(socket);
                    guess.add_socket(socket);
                }
                GuessEvent::Close(socket) => assert!(open.remove(&socket)),
            }
        }
    }
    assert_eq!(open.len(), 100 - SPARED);
}

/// What may happen to a guess.
#[derive(Clone, Debug)]
enum Happens {
    Time(u64),
    Wanted(bool),
    Own(u8),
    Peer(u8),
    Refused,
    Hit(u32),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => (0u64..3000).prop_map(Happens::Time),
        1 => any::<bool>().prop_map(Happens::Wanted),
        1 => (0u8..5).prop_map(Happens::Own),
        1 => (0u8..8).prop_map(Happens::Peer),
        1 => Just(Happens::Refused),
        1 => (0u32..600).prop_map(Happens::Hit),
    ]
}

fn some_mapping(n: u8) -> Option<Mapping> {
    match n {
        0 => None,
        1 => Some(easy()),
        2 => Some(Mapping::Independent { at: "198.51.100.77:7".parse().unwrap() }),
        n => Some(hard(&[5000 + u16::from(n), 9000], Round(n - 3))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_what_leaves_is_bounded_and_paced(
        story in proptest::collection::vec(happens(), 1..120),
        seed: [u8; 32],
    ) {
        let (mut now, mut guess) = (origin(), Guess::new(seed));
        let (mut wanted, mut own, mut peer) = (Wanted::No, None, None);
        let (mut open, mut opened) = (BTreeSet::new(), 0u32);
        let mut left: Vec<Instant> = Vec::new();
        for event in story {
            let until = match event {
                Happens::Time(ms) => now + Duration::from_millis(ms),
                _ => now,
            };
            match event {
                Happens::Time(_) => {}
                Happens::Wanted(yes) => wanted = if yes { Wanted::Yes } else { Wanted::No },
                Happens::Own(n) => own = some_mapping(n),
                Happens::Peer(n) => peer = some_mapping(n),
                Happens::Refused => guess.refuse_socket(),
                Happens::Hit(n) => {
                    guess.take(SocketId(n));
                    open.remove(&SocketId(n));
                }
            }
            guess.review(now, wanted, own.clone(), peer.clone());
            loop {
                while let Some(event) = guess.poll_event() {
                    match event {
                        GuessEvent::Open => {
                            opened += 1;
                            open.insert(SocketId(opened));
                            guess.add_socket(SocketId(opened));
                        }
                        GuessEvent::Close(socket) => {
                            open.remove(&socket);
                        }
                    }
                }
                while guess.poll_transmit().is_some() {
                    left.push(now);
                }
                prop_assert!(open.len() <= MAX_SOCKETS);
                prop_assert!(wanted == Wanted::Yes || open.is_empty());
                match guess.poll_timeout().filter(|(at, _)| *at <= until) {
                    Some((at, _)) => {
                        now = at.max(now);
                        guess.handle_timeout(now);
                    }
                    None => break,
                }
            }
            now = until;
        }
        let rounds = usize::from(MAX_ROUNDS.0);
        prop_assert!(left.len() <= rounds * MAX_PROBES.max(2 * MAX_SOCKETS), "{} probes", left.len());
        // Never more in a second than the pace allows, and the one that was late.
        let in_a_second = |from: &Instant| left.iter().filter(|at| (*from..*from + 1000 * MS).contains(*at)).count();
        prop_assert!(left.iter().step_by(25).all(|from| in_a_second(from) <= 127));
    }
}
