//! Whole calls between two lines in virtual time.

mod candidates;
mod ringing;
mod strangers;
mod waiting;

use super::{
    message::{Body, HangUp, Signal},
    *,
};
use crate::reason::{Fault, Word};
use relay::{Now, UnixTime};
use std::time::Instant;

/// Two lines and the post between them; nothing is delivered unless a test says so.
struct Pair {
    now: Now,
    ada: End,
    bob: End,
}

/// One line, with what it asked its driver to do.
struct End {
    key: PublicKey,
    line: Line,
    welcome: Welcome,
    post: Vec<Signal>,
    on_session: Vec<Signal>,
    starts: Vec<(CallId, Start)>,
    prepared: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    picked_up: usize,
    candidates: Vec<Vec<u8>>,
    stops: usize,
    events: Vec<CallEvent>,
}

impl End {
    fn new(seed: u8) -> Self {
        Self {
            key: PublicKey::from_bytes([seed; 32]),
            line: Line::new(),
            welcome: Welcome::Ring,
            post: Vec::new(),
            on_session: Vec::new(),
            starts: Vec::new(),
            prepared: Vec::new(),
            answers: Vec::new(),
            picked_up: 0,
            candidates: Vec::new(),
            stops: 0,
            events: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.line.poll_output() {
            match output {
                Output::Send { signal, .. } => self.post.push(signal),
                Output::SendOnSession(signal) => self.on_session.push(signal),
                Output::Start { call, start } => self.starts.push((call, start)),
                Output::PrepareAnswer(description) => self.prepared.push(description),
                Output::AcceptAnswer(description) => self.answers.push(description),
                Output::PickUp => self.picked_up += 1,
                Output::AddCandidates(more) => self.candidates.extend(more),
                Output::Stop => self.stops += 1,
                Output::Event { event, .. } => self.events.push(event),
            }
        }
    }

    fn take_bodies(&mut self) -> Vec<Body> {
        self.drain();
        self.post.drain(..).map(|signal| signal.body).collect()
    }

    fn ended(&mut self) -> Ended {
        self.drain();
        let ends = self.events.iter().filter_map(|event| match event {
            CallEvent::Ended(ended) => Some(ended.clone()),
            _ => None,
        });
        let mut ends: Vec<_> = ends.collect();
        assert_eq!(ends.len(), 1, "exactly one end: {:?}", self.events);
        ends.remove(0)
    }
}

impl Pair {
    fn new() -> Self {
        let now = Now { instant: Instant::now(), unix: UnixTime::from_secs(1_800_000_000) };
        Self { now, ada: End::new(1), bob: End::new(2) }
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.ada.line.handle_timeout(self.now);
        self.bob.line.handle_timeout(self.now);
    }

    fn ada_calls(&mut self, id: u8) {
        self.ada.line.place(self.now, CallId([id; 16]), self.bob(), RING_TIMEOUT).unwrap();
        self.ada.drain();
    }

    fn bob_calls(&mut self, id: u8) {
        let ada = ContactId::Person(self.ada.key);
        self.bob.line.place(self.now, CallId([id; 16]), ada, RING_TIMEOUT).unwrap();
        self.bob.drain();
    }

    fn bob(&self) -> ContactId {
        ContactId::Person(self.bob.key)
    }

    /// Reports every session asked for as started; the description is the call id and who made it.
    fn start_sessions(&mut self) {
        for (name, end) in [(b'a', &mut self.ada), (b'b', &mut self.bob)] {
            end.drain();
            for (call, start) in end.starts.clone() {
                let description = (start != Start::Echo).then(|| vec![call.0[0], name]);
                end.line.handle_started(self.now, call, description);
            }
            end.drain();
        }
    }

    /// Delivers all post, until there is none.
    fn deliver(&mut self) {
        loop {
            self.ada.drain();
            self.bob.drain();
            let (from_ada, from_bob) =
                (std::mem::take(&mut self.ada.post), std::mem::take(&mut self.bob.post));
            if from_ada.is_empty() && from_bob.is_empty() {
                return;
            }
            for signal in from_ada {
                self.bob.line.handle_signal(self.now, self.ada.key, self.now.unix, self.bob.welcome, signal);
            }
            for signal in from_bob {
                self.ada.line.handle_signal(self.now, self.bob.key, self.now.unix, self.ada.welcome, signal);
            }
        }
    }

    fn bob_gets(&mut self, id: u8, body: Body) {
        let signal = Signal { call: CallId([id; 16]), body };
        self.bob.line.handle_signal(self.now, self.ada.key, self.now.unix, self.bob.welcome, signal);
        self.bob.drain();
    }

    fn ada_gets(&mut self, id: u8, body: Body) {
        let signal = Signal { call: CallId([id; 16]), body };
        self.ada.line.handle_signal(self.now, self.bob.key, self.now.unix, self.ada.welcome, signal);
        self.ada.drain();
    }

    /// Ada called, Bob answered, sound flows.
    fn talking() -> Self {
        let mut pair = ringing();
        pair.bob.line.answer(pair.now).unwrap();
        pair.deliver();
        pair.ada.line.handle_flowing(pair.now, CallId([1; 16]));
        pair.bob.line.handle_flowing(pair.now, CallId([1; 16]));
        pair.ada.drain();
        pair.bob.drain();
        pair
    }
}

fn incoming() -> CallEvent {
    CallEvent::Incoming { name: String::new(), kind: CallKind::Voice }
}

fn offer() -> Body {
    Body::Offer { description: vec![7], name: String::new(), kind: CallKind::Voice }
}

#[test]
fn a_call_rings_is_answered_talks_and_ends_on_both_sides() {
    let mut pair = Pair::talking();
    pair.wait(Duration::from_secs(12));
    pair.ada.line.hang_up(pair.now).unwrap();
    pair.deliver();
    assert_eq!(pair.ada.answers, [vec![1, b'b']]);
    assert_eq!(pair.ada.on_session.len(), 1, "hang-up travels on the control channel too");
    let talked = Some(Duration::from_secs(12));
    let placed = Ended { reason: Reason::HungUp, by: Side::Local, direction: Direction::Placed, talked };
    assert_eq!(pair.ada.ended(), placed);
    let received = Ended { reason: Reason::HungUp, by: Side::Remote, direction: Direction::Received, talked };
    assert_eq!(pair.bob.ended(), received);
    assert_eq!((pair.ada.stops, pair.bob.stops), (1, 1));
    let story = |events: &[CallEvent]| events.iter().take(4).cloned().collect::<Vec<_>>();
    assert_eq!(
        story(&pair.ada.events),
        [CallEvent::Placed, CallEvent::Ringing, CallEvent::Answered, CallEvent::Active]
    );
    assert_eq!(story(&pair.bob.events)[..3], [incoming(), CallEvent::Answered, CallEvent::Active]);
    assert_eq!((pair.ada.line.current(), pair.bob.line.current()), (None, None));
}

/// Ada called, and it rings at Bob's.
fn ringing() -> Pair {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.start_sessions();
    pair.deliver();
    pair
}

#[test]
fn echo_connects_without_a_single_envelope() {
    let mut pair = Pair::new();
    pair.ada.line.place(pair.now, CallId([1; 16]), ContactId::Echo, RING_TIMEOUT).unwrap();
    pair.start_sessions();
    pair.ada.line.handle_flowing(pair.now, CallId([1; 16]));
    pair.ada.line.hang_up(pair.now).unwrap();
    assert_eq!(pair.ada.take_bodies(), []);
    assert_eq!(pair.ada.ended().reason, Reason::HungUp);
}

#[test]
fn the_lower_id_wins_a_glare_whoever_dialled_it_and_the_calls_merge() {
    for (ada_id, bob_id) in [(1, 2), (2, 1)] {
        let mut pair = Pair::new();
        pair.ada_calls(ada_id);
        pair.bob_calls(bob_id);
        pair.start_sessions();
        pair.deliver();
        pair.start_sessions();
        pair.deliver();
        assert_eq!(pair.ada.line.current(), Some((CallId([1; 16]), pair.bob())));
        assert_eq!(pair.bob.line.current(), Some((CallId([1; 16]), ContactId::Person(pair.ada.key))));
        pair.ada.line.handle_flowing(pair.now, CallId([1; 16]));
        pair.bob.line.handle_flowing(pair.now, CallId([1; 16]));
        for end in [&mut pair.ada, &mut pair.bob] {
            end.drain();
            assert!(end.events.contains(&CallEvent::Active));
            assert!(!end.events.contains(&incoming()), "nobody's bell rings");
        }
        let (won, lost) = if ada_id == 1 { (&pair.ada, &pair.bob) } else { (&pair.bob, &pair.ada) };
        assert_eq!((won.stops, won.answers.len()), (0, 1));
        assert_eq!((lost.stops, lost.answers.len()), (1, 0));
    }
}

#[test]
fn a_glare_offer_that_comes_after_the_merge_changes_nothing() {
    let mut pair = Pair::talking();
    pair.ada_gets(9, offer());
    assert_eq!(pair.ada.take_bodies(), [Body::Busy]);
    assert_eq!(pair.ada.line.current(), Some((CallId([1; 16]), pair.bob())));
    assert!(!pair.ada.events.contains(&CallEvent::Missed));
}

#[test]
fn dialling_who_rings_here_answers() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.bob_calls(2);
    pair.start_sessions();
    pair.deliver();
    assert_eq!(pair.ada.answers.len(), 1);
}

#[test]
fn a_second_caller_hears_busy_and_leaves_a_missed_entry() {
    let mut pair = Pair::talking();
    let eve = PublicKey::from_bytes([3; 32]);
    let signal = Signal { call: CallId([8; 16]), body: offer() };
    pair.bob.line.handle_signal(pair.now, eve, pair.now.unix, Welcome::Ring, signal);
    assert_eq!(pair.bob.take_bodies(), [Body::Busy]);
    assert_eq!(pair.bob.events.last(), Some(&CallEvent::Missed));
    assert_eq!(pair.bob.line.current(), Some((CallId([1; 16]), ContactId::Person(pair.ada.key))));
}

#[test]
fn busy_and_decline_end_the_call_of_the_caller() {
    for (body, reason) in
        [(Body::Busy, Reason::Busy), (Body::Decline { reply: None }, Reason::Declined(None))]
    {
        let mut pair = Pair::new();
        pair.ada_calls(1);
        pair.start_sessions();
        pair.ada_gets(1, body);
        let ended = pair.ada.ended();
        assert_eq!((ended.reason, ended.by, ended.talked), (reason, Side::Remote, None));
        assert_eq!(pair.ada.stops, 1);
    }
}

#[test]
fn declining_tells_the_caller_and_what_is_said_to_it() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    let reply = Reply::parse("I will call you back").ok();
    pair.bob.line.decline(pair.now, reply.clone()).unwrap();
    pair.deliver();
    assert_eq!(pair.ada.ended().reason, Reason::Declined(reply));
    let ended = pair.bob.ended();
    assert_eq!((ended.reason, ended.by), (Reason::Declined(None), Side::Local));
}

#[test]
fn a_stranger_neither_rings_nor_hears_anything() {
    let mut pair = Pair::new();
    pair.bob.welcome = Welcome::TurnAway;
    pair.ada.line.set_own_name("ada");
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    assert_eq!(pair.bob.events, [CallEvent::TurnedAway { name: "ada".into() }]);
    assert_eq!(pair.bob.line.current(), None);
    pair.wait(RING_TIMEOUT);
    assert_eq!(pair.ada.ended().reason, Reason::NoReaction);
}

#[test]
fn whoever_is_called_knows_whether_the_caller_wants_to_be_seen() {
    for kind in [CallKind::Voice, CallKind::Video] {
        let mut pair = Pair::new();
        pair.ada.line.set_kind(kind);
        pair.ada_calls(1);
        pair.start_sessions();
        pair.deliver();
        assert_eq!(pair.bob.events, [CallEvent::Incoming { name: String::new(), kind }]);
    }
}

#[test]
fn ringing_out_ends_not_answered_here_and_missed_there() {
    let mut pair = ringing();
    assert_eq!(pair.ada.line.poll_timeout().unwrap().1, "ring timeout");
    pair.wait(RING_TIMEOUT);
    pair.deliver();
    assert_eq!(pair.ada.ended().reason, Reason::NotAnswered);
    assert_eq!(pair.bob.ended().reason, Reason::Missed);
}

#[test]
fn an_answer_after_the_end_is_told_that_it_is_over() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.ada.line.hang_up(pair.now).unwrap();
    assert_eq!(pair.ada.ended().reason, Reason::Cancelled);
    pair.ada.take_bodies();
    pair.bob.line.answer(pair.now).unwrap();
    pair.start_sessions();
    pair.deliver();
    let ended = pair.bob.ended();
    assert_eq!((ended.reason, ended.by), (Reason::HungUp, Side::Remote));
    assert_eq!(pair.bob.stops, 1);
}

#[test]
fn duplicates_of_every_message_change_nothing() {
    let mut pair = Pair::talking();
    let before = (pair.ada.events.len(), pair.bob.events.len());
    pair.bob_gets(1, offer());
    pair.ada_gets(1, Body::Ringing { description: Some(vec![1]) });
    pair.ada_gets(1, Body::Answer { description: vec![1] });
    pair.ada_gets(1, Body::Busy);
    pair.ada_gets(1, Body::Decline { reply: None });
    pair.ada.drain();
    pair.bob.drain();
    assert_eq!((pair.ada.events.len(), pair.bob.events.len()), before);
    assert_eq!(pair.ada.answers.len(), 1);
}

#[test]
fn a_repeated_offer_while_ringing_is_answered_with_ringing_again() {
    let mut pair = Pair::new();
    pair.bob_gets(1, offer());
    pair.start_sessions();
    pair.bob_gets(1, offer());
    let ringing = Body::Ringing { description: Some(vec![1, b'b']) };
    assert_eq!(pair.bob.take_bodies(), [ringing.clone(), ringing]);
    assert_eq!(pair.bob.events, [incoming()]);
}

#[test]
fn an_offer_of_an_ended_call_does_not_ring_again() {
    let mut pair = Pair::new();
    pair.bob_gets(1, offer());
    pair.bob_gets(1, Body::HangUp { why: HangUp::Person });
    pair.bob_gets(1, offer());
    assert_eq!(pair.bob.ended().reason, Reason::Missed);
    assert_eq!(pair.bob.line.current(), None);
}

#[test]
fn a_hang_up_that_overtakes_its_offer_keeps_it_from_ringing() {
    let mut pair = Pair::new();
    pair.bob_gets(1, Body::HangUp { why: HangUp::Person });
    pair.bob_gets(1, offer());
    assert_eq!(pair.bob.events, []);
}

#[test]
fn an_expired_offer_is_a_missed_call() {
    let mut pair = Pair::new();
    let signal = Signal { call: CallId([1; 16]), body: offer() };
    let sent = pair.now.unix.saturating_sub(OFFER_LIFETIME);
    pair.bob.line.handle_signal(pair.now, pair.ada.key, sent, Welcome::Ring, signal);
    assert_eq!(pair.bob.take_bodies(), []);
    assert_eq!(pair.bob.events, [CallEvent::Missed]);
}

#[test]
fn it_rings_no_longer_than_the_offer_lasts() {
    let mut pair = Pair::new();
    let signal = Signal { call: CallId([1; 16]), body: offer() };
    let sent = pair.now.unix.saturating_sub(Duration::from_secs(40));
    pair.bob.line.handle_signal(pair.now, pair.ada.key, sent, Welcome::Ring, signal);
    pair.wait(Duration::from_secs(19));
    assert!(pair.bob.line.current().is_some());
    pair.wait(Duration::from_secs(1));
    assert_eq!(pair.bob.ended().reason, Reason::Missed);
}

#[test]
fn a_caller_who_dials_again_replaces_the_call_that_rings() {
    let mut pair = Pair::new();
    pair.bob_gets(1, offer());
    pair.bob_gets(2, offer());
    assert_eq!(pair.bob.ended().reason, Reason::Replaced);
    assert_eq!(pair.bob.line.current(), Some((CallId([2; 16]), ContactId::Person(pair.ada.key))));
}

#[test]
fn nobody_else_can_say_anything_about_a_call() {
    let eve = PublicKey::from_bytes([3; 32]);
    let bodies = [
        Body::Ringing { description: Some(vec![1]) },
        Body::Answer { description: vec![1] },
        Body::Candidates { candidates: vec![vec![1]] },
        Body::HangUp { why: HangUp::Person },
        Body::Busy,
        Body::Decline { reply: None },
    ];
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    for body in bodies {
        let signal = Signal { call: CallId([1; 16]), body };
        pair.ada.line.handle_signal(pair.now, eve, pair.now.unix, Welcome::Ring, signal);
    }
    pair.ada.drain();
    assert_eq!(pair.ada.events, [CallEvent::Placed]);
    assert!(pair.ada.answers.is_empty() && pair.ada.candidates.is_empty());
}

#[test]
fn an_undeliverable_offer_ends_the_call_at_once() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.ada.line.handle_undelivered(pair.now, CallId([1; 16]), Reason::NotOnline(Word::Lost));
    let ended = pair.ada.ended();
    assert_eq!((ended.reason, ended.by), (Reason::NotOnline(Word::Lost), Side::Network));
}

#[test]
fn no_path_within_the_time_ends_both_sides() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.bob.line.answer(pair.now).unwrap();
    pair.start_sessions();
    pair.deliver();
    pair.wait(CONNECT_TIMEOUT);
    assert_eq!(pair.ada.ended().reason, Reason::NoPath);
    assert_eq!(pair.bob.ended().reason, Reason::NoPath);
}

#[test]
fn a_session_that_cannot_start_ends_the_call_and_tells_the_caller() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.start_sessions();
    pair.deliver();
    pair.bob.line.answer(pair.now).unwrap();
    let device = Reason::Device { why: "gone".into(), fault: Fault::Other };
    pair.bob.line.handle_start_failed(pair.now, CallId([1; 16]), device.clone());
    pair.deliver();
    assert_eq!(pair.bob.ended().reason, device);
    assert_eq!(pair.ada.ended().reason, Reason::PeerFailed);
}

#[test]
fn hanging_up_before_the_offer_left_sends_nothing() {
    let mut pair = Pair::new();
    pair.ada_calls(1);
    pair.ada.line.hang_up(pair.now).unwrap();
    assert_eq!(pair.ada.take_bodies(), []);
    assert_eq!(pair.ada.stops, 1);
    // The session that was being started comes too late.
    pair.ada.line.handle_started(pair.now, CallId([1; 16]), Some(vec![1]));
    assert_eq!(pair.ada.take_bodies(), []);
}

#[test]
fn a_lost_connection_ends_the_call_and_says_so() {
    let mut pair = Pair::talking();
    pair.ada.line.handle_session_over(pair.now, CallId([1; 16]), Reason::ConnectionLost, Side::Network);
    pair.deliver();
    assert_eq!(pair.ada.ended().reason, Reason::ConnectionLost);
    assert_eq!(pair.bob.ended().reason, Reason::ConnectionLost);
}

#[test]
fn commands_without_a_call_say_that_there_is_none() {
    let mut pair = Pair::new();
    assert_eq!(pair.ada.line.answer(pair.now), Err(Reason::NoCall));
    assert_eq!(pair.ada.line.decline(pair.now, None), Err(Reason::NoCall));
    assert_eq!(pair.ada.line.hang_up(pair.now), Err(Reason::NoCall));
    let mut pair = Pair::talking();
    let busy = pair.ada.line.place(pair.now, CallId([5; 16]), ContactId::Echo, RING_TIMEOUT);
    assert_eq!(busy, Err(Reason::AlreadyInCall));
    assert_eq!(pair.ada.line.poll_timeout(), None);
}
