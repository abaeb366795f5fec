//! What both sides do while it rings.

use super::*;

#[test]
fn both_sessions_prepare_while_it_rings_and_the_answer_goes_every_way() {
    let mut pair = ringing();
    assert_eq!(pair.bob.starts, [(CallId([1; 16]), Start::Prepare { offer: vec![1, b'a'] })]);
    assert_eq!((pair.ada.prepared.len(), pair.ada.answers.len(), pair.bob.picked_up), (1, 0, 0));
    let candidate = Body::Candidates { candidates: vec![vec![5]] };
    pair.ada_gets(1, candidate.clone());
    pair.bob_gets(1, candidate);
    assert_eq!((pair.ada.candidates.len(), pair.bob.candidates.len()), (1, 1), "not kept for the answer");
    pair.bob.line.answer(pair.now).unwrap();
    pair.bob.drain();
    assert_eq!((pair.bob.starts.len(), pair.bob.picked_up), (1, 1));
    assert_eq!(pair.bob.on_session, pair.bob.post);
    pair.deliver();
    assert_eq!(
        (pair.ada.prepared.clone(), pair.ada.answers.clone()),
        (vec![vec![1, b'b']], vec![vec![1, b'b']])
    );
}

#[test]
fn picking_up_before_the_session_runs_answers_when_it_does() {
    let mut pair = Pair::new();
    pair.bob_gets(1, offer());
    pair.bob.line.answer(pair.now).unwrap();
    assert_eq!((pair.bob.take_bodies(), pair.bob.picked_up), (vec![], 0));
    pair.start_sessions();
    let answer = Body::Answer { description: vec![1, b'b'] };
    assert_eq!((pair.bob.take_bodies(), pair.bob.picked_up), (vec![answer], 1));
}

#[test]
fn a_session_that_cannot_prepare_rings_all_the_same_and_is_tried_again() {
    let mut pair = Pair::new();
    pair.bob_gets(1, offer());
    pair.bob.line.handle_start_failed(pair.now, CallId([1; 16]), Reason::Internal("no socket".into()));
    assert_eq!(pair.bob.take_bodies(), [Body::Ringing { description: None }]);
    pair.bob.line.answer(pair.now).unwrap();
    pair.bob.drain();
    assert_eq!(pair.bob.starts.len(), 2);
    pair.bob.line.handle_started(pair.now, CallId([1; 16]), Some(vec![6]));
    assert_eq!(pair.bob.take_bodies(), [Body::Answer { description: vec![6] }]);
}

#[test]
fn a_session_that_ends_while_it_rings_ends_the_call() {
    let mut pair = ringing();
    pair.bob.line.handle_session_over(pair.now, CallId([1; 16]), Reason::HungUp, Side::Remote);
    assert_eq!(pair.bob.ended().reason, Reason::Missed);
    pair.ada.line.handle_session_over(pair.now, CallId([1; 16]), Reason::HungUp, Side::Remote);
    assert_eq!(pair.ada.ended().reason, Reason::PeerFailed);
}

#[test]
fn whoever_declines_says_so_before_the_prepared_session_closes() {
    let mut pair = ringing();
    pair.bob.line.decline(pair.now, None).unwrap();
    let order = std::iter::from_fn(|| pair.bob.line.poll_output());
    let order: Vec<_> =
        order.filter(|output| !matches!(output, Output::Event { .. } | Output::Send { .. })).collect();
    let decline = Signal { call: CallId([1; 16]), body: Body::Decline { reply: None } };
    assert_eq!(order, [Output::SendOnSession(decline), Output::Stop]);
}
