//! Ways in which a side can be reached, as they become known.

use super::*;

#[test]
fn candidates_before_the_offer_and_before_the_answer_are_kept_and_applied() {
    let mut pair = Pair::new();
    pair.bob_gets(1, Body::Candidates { candidates: vec![vec![1]] });
    pair.bob_gets(1, offer());
    pair.bob_gets(1, Body::Candidates { candidates: vec![vec![2]] });
    pair.bob.line.answer(pair.now).unwrap();
    pair.bob.drain();
    assert!(pair.bob.candidates.is_empty());
    pair.bob_gets(1, Body::Candidates { candidates: vec![vec![3]] });
    pair.start_sessions();
    pair.bob_gets(1, Body::Candidates { candidates: vec![vec![4]] });
    assert_eq!(pair.bob.candidates, [[1], [2], [3], [4]]);
}

#[test]
fn kept_candidates_are_bounded_per_call_and_in_calls() {
    let mut pair = Pair::new();
    for _ in 0..10 {
        pair.bob_gets(1, Body::Candidates { candidates: vec![vec![1]; 12] });
    }
    pair.bob_gets(1, offer());
    pair.bob.line.answer(pair.now).unwrap();
    pair.start_sessions();
    assert_eq!(pair.bob.candidates.len(), KEPT_CANDIDATES);
    let mut pair = Pair::new();
    for id in 0..=EARLY_CALLS as u8 {
        pair.bob_gets(id, Body::Candidates { candidates: vec![vec![id]] });
    }
    pair.bob_gets(0, offer());
    pair.bob.line.answer(pair.now).unwrap();
    pair.start_sessions();
    assert!(pair.bob.candidates.is_empty(), "the oldest gave way");
}

#[test]
fn own_candidates_share_an_envelope_and_wait_for_the_offer() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.ada.line.handle_candidate(pair.now, CallId([1; 16]), vec![1]);
    pair.start_sessions();
    pair.ada.line.handle_candidate(pair.now, CallId([1; 16]), vec![2]);
    assert_eq!(pair.ada.line.poll_timeout().unwrap().1, "candidates to send");
    pair.wait(CANDIDATE_BATCH);
    let sent = pair.ada.take_bodies();
    assert!(matches!(sent[0], Body::Offer { .. }));
    assert_eq!(sent[1], Body::Candidates { candidates: vec![vec![1], vec![2]] });
    assert_eq!(sent.len(), 2);
}

#[test]
fn the_first_candidate_for_a_while_leaves_at_once_and_those_after_it_together() {
    let mut pair = Pair::talking();
    let call = pair.ada.line.current().unwrap().0;
    pair.ada.take_bodies();
    let found = |pair: &mut Pair, candidate: u8| {
        pair.ada.line.handle_candidate(pair.now, call, vec![candidate]);
        pair.ada.line.handle_timeout(pair.now);
        pair.ada.take_bodies()
    };
    assert_eq!(found(&mut pair, 1), [Body::Candidates { candidates: vec![vec![1]] }]);
    assert_eq!(found(&mut pair, 2), []);
    assert_eq!(found(&mut pair, 3), []);
    pair.wait(CANDIDATE_BATCH);
    assert_eq!(pair.ada.take_bodies(), [Body::Candidates { candidates: vec![vec![2], vec![3]] }]);
}

#[test]
fn new_ways_found_during_a_call_are_told_through_the_call_itself_too() {
    let mut pair = Pair::talking();
    pair.ada.drain();
    let call = pair.ada.line.current().unwrap().0;
    pair.ada.line.handle_candidate(pair.now, call, vec![9]);
    pair.wait(CANDIDATE_BATCH);
    let body = Body::Candidates { candidates: vec![vec![9]] };
    assert!(pair.ada.take_bodies().contains(&body));
    assert_eq!(pair.ada.on_session, [Signal { call, body: body.clone() }]);
    let from = pair.ada.key;
    pair.bob.line.handle_signal(pair.now, from, pair.now.unix, Welcome::TurnAway, Signal { call, body });
    pair.bob.drain();
    assert!(pair.bob.candidates.contains(&vec![9]));
}
