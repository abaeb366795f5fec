//! What the other side says, and what the line makes of it.

use super::{Call, Early, Line, Media, OfferSent, State};
use crate::{
    call::{
        CallEvent, CallId, CallKind, Direction, EARLY_CALLS, KEPT_CANDIDATES, OFFER_LIFETIME, Output, Side,
        Start, Welcome,
        message::{Body, HangUp, Signal},
    },
    engine::view::ContactId,
    reason::Reason,
};
use overlay::PublicKey;
use relay::{Now, UnixTime};
use std::{mem, time::Duration};

/// An offer as it arrived.
struct Offer {
    id: CallId,
    from: PublicKey,
    /// How long it is still good.
    left: Duration,
    welcome: Welcome,
    description: Vec<u8>,
    name: String,
    kind: CallKind,
}

impl Line {
    /// A signal message arrived, sealed by `from` at `sent`.
    pub fn handle_signal(
        &mut self,
        now: Now,
        from: PublicKey,
        sent: UnixTime,
        welcome: Welcome,
        signal: Signal,
    ) {
        let Signal { call: id, body } = signal;
        match body {
            Body::Offer { description, name, kind } => {
                let left = left_of_offer(now.unix, sent);
                self.handle_offer(now, Offer { id, from, left, welcome, description, name, kind });
            }
            Body::Ringing { description } => self.handle_ringing(from, id, description),
            Body::Answer { description } => self.handle_answer(now, from, id, description),
            Body::Candidates { candidates } => self.handle_candidates(from, id, welcome, candidates),
            Body::HangUp { why } => self.handle_hang_up(now, from, id, welcome, why),
            Body::Busy => self.handle_refusal(now, from, id, Reason::Busy),
            Body::Decline { reply } => self.handle_refusal(now, from, id, Reason::Declined(reply)),
        }
    }

    fn handle_offer(&mut self, now: Now, offer: Offer) {
        let Offer { id, from, left, .. } = offer;
        let with = ContactId::Person(from);
        if self.over.contains(&(with, id)) {
            return;
        }
        let Some(call) = self.call.as_ref().filter(|call| call.with == with) else {
            return self.receive(now, offer);
        };
        match &call.state {
            State::Calling { .. } | State::Ringing { .. } => {
                // Glare: both dialled. The lower id wins on both sides.
                if id < call.id && left > Duration::ZERO {
                    self.yield_to(now, offer);
                }
            }
            State::Incoming { .. } if call.id == id => self.say_ringing(),
            State::Incoming { .. } => {
                self.finish(now, Reason::Replaced, Side::Remote, None);
                self.receive(now, offer);
            }
            State::Connecting { .. } | State::Active { .. } if call.id == id => {}
            State::Connecting { .. } | State::Active { .. } => self.send(from, id, Body::Busy),
        }
    }

    /// A call from somebody we are not in a call with.
    fn receive(&mut self, now: Now, offer: Offer) {
        let Offer { id, from, left, welcome, description, name, kind } = offer;
        let with = ContactId::Person(from);
        let unanswerable = if welcome == Welcome::TurnAway {
            Some(CallEvent::TurnedAway { name: name.clone() })
        } else if left == Duration::ZERO || self.call.is_some() {
            Some(CallEvent::Missed)
        } else {
            None
        };
        if let Some(event) = unanswerable {
            if event == CallEvent::Missed && left > Duration::ZERO {
                self.send(from, id, Body::Busy);
            }
            self.remember(with, id);
            self.outputs.push_back(Output::Event { call: id, with, event });
            return;
        }
        let start = Start::Prepare { offer: description.clone() };
        let state = State::Incoming { offer: description, deadline: now.instant + left };
        let mut call = Call::new(now, id, with, Direction::Received, state, Media::Starting);
        call.kept = self.take_early(from, id);
        self.call = Some(call);
        self.tell(CallEvent::Incoming { name, kind });
        self.outputs.push_back(Output::Start { call: id, start });
        if welcome == Welcome::Answer {
            // Cannot fail: the call was put into Incoming above.
            let _ = self.answer(now);
        }
    }

    /// We lost a glare: our call becomes theirs, and is answered, because we wanted to talk.
    fn yield_to(&mut self, now: Now, offer: Offer) {
        let Offer { id, from, description, .. } = offer;
        let kept = self.take_early(from, id);
        let Some(call) = &mut self.call else { return };
        let lost = mem::replace(&mut call.id, id);
        call.connect(now);
        call.media = Media::Starting;
        call.kept = kept;
        call.fresh.clear();
        call.flush_at = None;
        self.remember(ContactId::Person(from), lost);
        self.outputs.push_back(Output::Stop);
        self.tell(CallEvent::Answered);
        self.outputs.push_back(Output::Start { call: id, start: Start::Prepare { offer: description } });
    }

    fn handle_ringing(&mut self, from: PublicKey, id: CallId, description: Option<Vec<u8>>) {
        let Some(call) = self.current_with(from, id) else { return };
        match call.state {
            State::Calling { offer: OfferSent::Yes, deadline } => {
                call.state = State::Ringing { deadline };
                self.tell(CallEvent::Ringing);
            }
            State::Ringing { .. } => {}
            State::Calling { offer: OfferSent::NotYet, .. }
            | State::Incoming { .. }
            | State::Connecting { .. }
            | State::Active { .. } => return,
        }
        self.outputs.extend(description.map(Output::PrepareAnswer));
    }

    fn handle_answer(&mut self, now: Now, from: PublicKey, id: CallId, description: Vec<u8>) {
        if self.over.contains(&(ContactId::Person(from), id)) {
            // Too late: the other side must not wait for us.
            self.send(from, id, Body::HangUp { why: HangUp::Person });
            return;
        }
        let Some(call) = self.current_with(from, id) else { return };
        let waits =
            matches!(call.state, State::Calling { offer: OfferSent::Yes, .. } | State::Ringing { .. });
        if !waits {
            return;
        }
        call.connect(now);
        self.tell(CallEvent::Answered);
        self.outputs.push_back(Output::AcceptAnswer(description));
    }

    fn handle_candidates(&mut self, from: PublicKey, id: CallId, welcome: Welcome, candidates: Vec<Vec<u8>>) {
        let Some(call) = self.current_with(from, id) else {
            if welcome != Welcome::TurnAway && !self.over.contains(&(ContactId::Person(from), id)) {
                self.keep_early(from, id, candidates);
            }
            return;
        };
        if call.media == Media::Up {
            self.outputs.push_back(Output::AddCandidates(candidates));
        } else {
            let room = KEPT_CANDIDATES.saturating_sub(call.kept.len());
            call.kept.extend(candidates.into_iter().take(room));
        }
    }

    fn handle_hang_up(&mut self, now: Now, from: PublicKey, id: CallId, welcome: Welcome, why: HangUp) {
        let Some(call) = self.current_with(from, id) else {
            // It may have overtaken its offer, which must then not ring.
            if welcome != Welcome::TurnAway {
                self.remember(ContactId::Person(from), id);
            }
            return;
        };
        let reason = match (&call.state, why) {
            (State::Incoming { .. }, _) => Reason::Missed,
            (State::Calling { .. } | State::Ringing { .. }, HangUp::Person) => Reason::Declined(None),
            (State::Calling { .. } | State::Ringing { .. } | State::Connecting { .. }, HangUp::TimedOut) => {
                Reason::NotAnswered
            }
            (State::Active { .. }, HangUp::NoPath) => Reason::ConnectionLost,
            (State::Connecting { .. } | State::Active { .. }, HangUp::Person)
            | (State::Active { .. }, HangUp::TimedOut) => Reason::HungUp,
            (_, HangUp::NoPath) => Reason::NoPath,
            (_, HangUp::Failed) => Reason::PeerFailed,
        };
        self.finish(now, reason, Side::Remote, None);
    }

    /// Busy or Decline; both only make sense before an answer.
    fn handle_refusal(&mut self, now: Now, from: PublicKey, id: CallId, reason: Reason) {
        let Some(call) = self.current_with(from, id) else { return };
        if matches!(call.state, State::Calling { .. } | State::Ringing { .. }) {
            self.finish(now, reason, Side::Remote, None);
        }
    }

    fn keep_early(&mut self, from: PublicKey, call: CallId, mut candidates: Vec<Vec<u8>>) {
        candidates.truncate(KEPT_CANDIDATES);
        if let Some(early) = self.early.iter_mut().find(|early| early.from == from && early.call == call) {
            let room = KEPT_CANDIDATES.saturating_sub(early.candidates.len());
            early.candidates.extend(candidates.into_iter().take(room));
            return;
        }
        if self.early.len() == EARLY_CALLS {
            self.early.pop_front();
        }
        self.early.push_back(Early { from, call, candidates });
    }

    fn take_early(&mut self, from: PublicKey, call: CallId) -> Vec<Vec<u8>> {
        let at = self.early.iter().position(|early| early.from == from && early.call == call);
        at.and_then(|at| self.early.remove(at)).map(|early| early.candidates).unwrap_or_default()
    }
}

/// How long an offer is still good; clocks that disagree never lengthen it.
fn left_of_offer(now: UnixTime, sent: UnixTime) -> Duration {
    let age = Duration::from_millis(now.as_millis().saturating_sub(sent.as_millis()));
    OFFER_LIFETIME.saturating_sub(age)
}
