//! Strangers: what is kept of their calls, and what becomes of it.

use super::*;

/// Ada, a stranger to bob, calls him, and what her session found has followed.
fn ada_waits() -> Pair {
    let mut pair = Pair::new();
    pair.bob.welcome = Welcome::TurnAway;
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.bob_gets(1, Body::Candidates { candidates: vec![vec![5]] });
    pair.bob.drain();
    pair
}

impl Pair {
    fn bob_lets_ada_in(&mut self) {
        self.bob.welcome = Welcome::Ring;
        self.bob.line.admit(self.now, self.ada.key, Welcome::Ring);
        self.bob.drain();
    }

    fn ada_waits_at_bobs(&self) -> bool {
        self.bob.line.is_waiting(self.now, self.ada.key)
    }
}

#[test]
fn a_strangers_call_neither_rings_nor_is_answered() {
    let mut pair = ada_waits();
    assert!(pair.ada_waits_at_bobs());
    assert_eq!(pair.bob.events, [CallEvent::TurnedAway { name: String::new() }]);
    assert_eq!((pair.bob.take_bodies(), pair.bob.starts.len()), (vec![], 0), "they learn nothing");
    pair.bob_gets(1, Body::Offer { description: vec![1, b'a'], name: String::new(), kind: CallKind::Voice });
    assert_eq!(pair.bob.events.len(), 1, "an offer that comes twice is one call");
}

#[test]
fn whoever_is_let_in_while_they_call_rings_then_and_talks() {
    let mut pair = ada_waits();
    pair.wait(RING_TIMEOUT - Duration::from_secs(5));
    pair.bob_lets_ada_in();
    assert_eq!(pair.bob.events[1..], [incoming()]);
    assert!(!pair.ada_waits_at_bobs());
    pair.start_sessions();
    assert_eq!(pair.bob.candidates, [vec![5]], "what came meanwhile was kept");
    pair.deliver();
    assert_eq!(pair.ada.events[pair.ada.events.len() - 1], CallEvent::Ringing);
    // Longer than was left of what ada had granted to a call without a ring.
    pair.wait(Duration::from_secs(30));
    pair.bob.line.answer(pair.now).unwrap();
    pair.deliver();
    assert_eq!(pair.ada.answers.len(), 1);
    pair.bob_gets(1, Body::Offer { description: vec![1, b'a'], name: String::new(), kind: CallKind::Voice });
    assert_eq!(pair.bob.starts.len(), 1);
}

#[test]
fn whoever_calls_back_somebody_they_have_just_let_in_answers_them() {
    let mut pair = ada_waits();
    pair.bob_lets_ada_in();
    pair.bob_calls(9);
    assert_eq!(pair.bob.events[1..], [incoming(), CallEvent::Answered]);
    assert_eq!(pair.bob.line.current().map(|(id, _)| id), Some(CallId([1; 16])));
}

#[test]
fn a_stranger_who_hung_up_does_not_ring_when_they_are_let_in() {
    let mut pair = ada_waits();
    pair.ada.line.hang_up(pair.now).unwrap();
    pair.deliver();
    assert!(!pair.ada_waits_at_bobs());
    pair.bob_lets_ada_in();
    assert_eq!(pair.bob.events.len(), 1);
}

#[test]
fn a_stranger_who_was_sent_away_does_not_ring_and_hears_nothing() {
    let mut pair = ada_waits();
    pair.bob.line.send_away(pair.ada.key);
    pair.bob_lets_ada_in();
    assert_eq!((pair.bob.events.len(), pair.bob.take_bodies()), (1, vec![]));
}

#[test]
fn a_strangers_call_is_forgotten_when_its_offer_expires() {
    let mut pair = ada_waits();
    let wakes = pair.bob.line.poll_timeout().map(|(at, _)| at);
    assert_eq!(wakes, Some(pair.now.instant + OFFER_LIFETIME));
    pair.wait(OFFER_LIFETIME);
    assert!(!pair.ada_waits_at_bobs());
    assert_eq!((pair.bob.line.waiting().count(), pair.bob.line.poll_timeout()), (0, None));
    pair.bob_lets_ada_in();
    assert_eq!(pair.bob.events.len(), 1);
}

#[test]
fn a_stranger_let_in_during_another_call_hears_busy() {
    let mut pair = ada_waits();
    pair.bob.line.place(pair.now, CallId([7; 16]), ContactId::Echo, RING_TIMEOUT).unwrap();
    pair.bob_lets_ada_in();
    assert!(pair.bob.events.contains(&CallEvent::Missed));
    pair.deliver();
    assert_eq!(pair.ada.ended().reason, Reason::Busy);
}

#[test]
fn many_strangers_are_kept_within_bounds_and_one_who_calls_again_takes_one_place() {
    let mut pair = ada_waits();
    let call = |id: u8| Signal { call: CallId([id; 16]), body: offer() };
    for id in 2..=9 {
        let welcome = Welcome::TurnAway;
        pair.bob.line.handle_signal(pair.now, pair.ada.key, pair.now.unix, welcome, call(id));
    }
    assert_eq!(pair.bob.line.waiting().count(), 1);
    for stranger in 20..60 {
        let from = PublicKey::from_bytes([stranger; 32]);
        let welcome = Welcome::TurnAway;
        pair.bob.line.handle_signal(pair.now, from, pair.now.unix, welcome, call(stranger));
        for _ in 0..KEPT_CANDIDATES {
            let candidates = vec![vec![0; 64]; 8];
            let more = Signal { call: CallId([stranger; 16]), body: Body::Candidates { candidates } };
            pair.bob.line.handle_signal(pair.now, from, pair.now.unix, welcome, more);
        }
    }
    assert_eq!(pair.bob.line.waiting().count(), MAX_TURNED_AWAY);
    let last = PublicKey::from_bytes([59; 32]);
    pair.bob.line.admit(pair.now, last, Welcome::Ring);
    pair.bob.line.handle_started(pair.now, CallId([59; 16]), Some(vec![1]));
    pair.bob.drain();
    assert_eq!(pair.bob.candidates.len(), KEPT_CANDIDATES);
}
