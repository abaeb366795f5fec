use super::*;
use crate::session::fixture::origin;
use relay::wire::{self, Class};

const MS: Duration = Duration::from_millis(1);
const SOCKET: SocketId = SocketId(0);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn secret(name: &str) -> Secret {
    Secret { ufrag: name.into(), password: name.repeat(6) }
}

/// The other end's view of the secrets.
fn peer() -> Secrets {
    Secrets { own: Some(secret("bbbb")), peer: Some(secret("aaaa")) }
}

/// A host socket and two relays, and a peer that is known.
fn pairs(now: Instant) -> Pairs {
    let mut pairs = Pairs::new([1; 32]);
    pairs.set_own(secret("aaaa"));
    pairs.set_peer(now, secret("bbbb"));
    pairs.add_base(now, SOCKET, address("203.0.113.1:1").ip(), None, std::iter::empty());
    for (socket, relay) in [(1, "198.51.100.9:3478"), (2, "198.51.101.9:3478")] {
        let relay = address(relay);
        pairs.add_base(now, SocketId(socket), relay.ip(), Some((relay, Hop::Datagrams)), std::iter::empty());
    }
    pairs
}

/// Lets every probe that leaves within `time` be answered after `rtt`, where the other end is willing.
fn run(
    pairs: &mut Pairs,
    mut now: Instant,
    time: Duration,
    rtt: impl Fn(PairId) -> Option<Duration>,
) -> Instant {
    let mut answers = BTreeMap::new();
    let until = now + time;
    loop {
        while let Some((id, payload)) = pairs.poll_transmit() {
            let Ok(message) = wire::parse(&payload) else { continue };
            if message.class() == Class::Request
                && let Some(rtt) = rtt(id)
            {
                let answer = peer().answer(message.transaction(), address("203.0.113.1:1")).unwrap();
                answers.insert((now + rtt, id), answer);
            }
        }
        let answer = answers.keys().next().map(|(at, _)| *at);
        let timer = pairs.poll_timeout().map(|(at, _)| at);
        let Some(next) = [answer, timer].into_iter().flatten().min().filter(|next| *next < until) else {
            return until;
        };
        now = next.max(now);
        if answer == Some(next) {
            let ((_, id), answer) = answers.pop_first().unwrap();
            let probe = pairs.read(&wire::parse(&answer).unwrap()).unwrap();
            pairs.handle_probe(now, id, probe);
        } else {
            pairs.handle_timeout(now);
        }
    }
}

#[test]
fn nothing_but_probes_leaves_before_an_answer() {
    let start = origin();
    let mut pairs = pairs(start);
    pairs.add_remote(start, address("203.0.113.2:5000"), End::plain(CandidateKind::Host));
    assert!(!pairs.send(start, b"sound"));
    let now = run(&mut pairs, start, 500 * MS, |_| None);
    assert!(!pairs.send(now, b"sound") && pairs.poll_event().is_none());
    let now = run(&mut pairs, now, 500 * MS, |_| Some(40 * MS));
    assert!(pairs.send(now, b"sound"));
    assert_eq!(pairs.poll_event(), Some(PairsEvent::Proven));
}

#[test]
fn a_relayed_pair_is_probed_once_the_relay_lets_it_through() {
    let start = origin();
    let mut pairs = pairs(start);
    let id = PairId { socket: SocketId(1), remote: address("198.51.100.9:50001") };
    pairs.bases.remove(&SOCKET);
    pairs.add_remote(start, id.remote, End::plain(CandidateKind::Relay));
    assert_eq!(pairs.poll_timeout(), None);
    pairs.open(start, id);
    run(&mut pairs, start, 100 * MS, |_| Some(10 * MS));
    assert_eq!(pairs.in_use().map(|(id, _)| id), Some(id));
}

#[test]
fn the_first_standby_of_a_relayed_call_shares_no_relay_with_it() {
    let start = origin();
    let mut pairs = pairs(start);
    pairs.bases.remove(&SOCKET);
    for (socket, remote) in [(1, "198.51.100.9:50001"), (1, "198.51.101.9:50001"), (2, "198.51.101.9:50001")]
    {
        pairs.add_remote(start, address(remote), End::plain(CandidateKind::Relay));
        pairs.open(start, PairId { socket: SocketId(socket), remote: address(remote) });
    }
    let rtt = |id: PairId| Some(if id.socket == SocketId(1) { 20 * MS } else { 90 * MS });
    run(&mut pairs, start, 1000 * MS, rtt);
    let used = PairId { socket: SocketId(1), remote: address("198.51.100.9:50001") };
    assert_eq!(pairs.in_use().map(|(id, _)| id), Some(used));
    let first = PairId { socket: SocketId(2), remote: address("198.51.101.9:50001") };
    assert_eq!(pairs.standbys().first(), Some(&first), "slower, but safe");
}

#[test]
fn however_many_addresses_there_are_the_pairs_are_bounded_and_probes_paced() {
    let start = origin();
    let mut pairs = pairs(start);
    for port in 1..=500 {
        pairs.add_remote(
            start,
            SocketAddr::new(address("203.0.113.2:1").ip(), port),
            End::plain(CandidateKind::Host),
        );
    }
    assert_eq!(pairs.pairs.len(), MAX_PAIRS);
    let before = pairs.counter;
    run(&mut pairs, start, 1000 * MS, |_| None);
    assert!(pairs.counter - before <= 200, "{} probes a second", pairs.counter - before);
}

/// As many pairs as are kept, none of which ever answers.
fn crowded(start: Instant) -> Pairs {
    let mut pairs = pairs(start);
    for port in 1..=MAX_PAIRS as u16 {
        let remote = SocketAddr::new(address("203.0.113.2:1").ip(), port);
        pairs.add_remote(start, remote, End::plain(CandidateKind::Host));
    }
    assert_eq!(pairs.pairs.len(), MAX_PAIRS);
    pairs
}

#[test]
fn a_new_address_takes_the_place_of_one_that_was_probed_in_vain_for_a_second() {
    let start = origin();
    let mut pairs = crowded(start);
    let moved = PairId { socket: SOCKET, remote: address("203.0.113.3:6000") };
    pairs.add_remote(start + 500 * MS, moved.remote, End::plain(CandidateKind::Host));
    assert!(!pairs.pairs.contains_key(&moved), "none has had its time");
    pairs.add_remote(start + 1000 * MS, moved.remote, End::plain(CandidateKind::Host));
    assert_eq!(pairs.pairs.len(), MAX_PAIRS);
    run(&mut pairs, start + 1000 * MS, 500 * MS, |id| (id.remote == moved.remote).then_some(10 * MS));
    assert_eq!(pairs.in_use().map(|(id, _)| id), Some(moved));
}

#[test]
fn an_address_the_other_end_is_heard_from_always_has_a_place() {
    let start = origin();
    let mut pairs = crowded(start);
    let working = PairId { socket: SOCKET, remote: address("203.0.113.2:7") };
    let now = run(&mut pairs, start, 500 * MS, |id| (id == working).then_some(10 * MS));
    let end = End::plain(CandidateKind::PeerReflexive);
    for port in 1..=100 {
        let heard = PairId { socket: SOCKET, remote: SocketAddr::new(address("203.0.113.3:1").ip(), port) };
        pairs.admit(now, heard, end);
        let request = peer().request(pairs.transaction(), port.into(), end.kind, None, Mark::None).unwrap();
        let probe = pairs.read(&wire::parse(&request).unwrap()).unwrap();
        let taken = pairs.handle_probe(now, heard, probe);
        assert_eq!(
            taken,
            usize::from(port) < MAX_PAIRS,
            "{port}: only what was heard, too, is never pushed out"
        );
    }
    assert_eq!(pairs.pairs.len(), MAX_PAIRS);
    assert_eq!(pairs.in_use().map(|(id, _)| id), Some(working));
}

#[test]
fn a_base_that_goes_takes_its_pairs_and_the_call_goes_on_elsewhere() {
    let start = origin();
    let mut pairs = pairs(start);
    let relayed = PairId { socket: SocketId(1), remote: address("203.0.113.2:5000") };
    pairs.add_remote(start, relayed.remote, End::plain(CandidateKind::Host));
    pairs.open(start, relayed);
    let now = run(&mut pairs, start, 500 * MS, |_| Some(10 * MS));
    assert!(pairs.in_use().unwrap().1.ends.is_direct());
    pairs.drop_base(now, SOCKET);
    assert_eq!(pairs.in_use().map(|(id, _)| id), Some(relayed));
    pairs.drop_base(now, SocketId(1));
    assert!(pairs.in_use().is_none() && !pairs.send(now, b"sound"));
}
