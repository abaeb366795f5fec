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
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) id: CallId,
    pub(super) from: PublicKey,
    /// How long it is still good.
    pub(super) left: Duration,
    welcome: Welcome,
    pub(super) description: Vec<u8>,
    pub(super) name: String,
    pub(super) kind: CallKind,
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
            Body::Ringing { description } => self.handle_ringing(now, from, id, description),
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
        if self.over.contains(&(with, id)) || self.turned_away.contains(from, id) {
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
        if offer.welcome == Welcome::TurnAway {
            return self.turn_away(now, offer);
        }
        let Offer { id, from, left, welcome, description, name, kind } = offer;
        let with = ContactId::Person(from);
        if left == Duration::ZERO || self.call.is_some() {
            if left > Duration::ZERO {
                self.send(from, id, Body::Busy);
            }
            self.remember(with, id);
            self.outputs.push_back(Output::Event { call: id, with, event: CallEvent::Missed });
            return;
        }
        let start = Start::Prepare { offer: description.clone() };
        let state = State::Incoming { offer: description, deadline: now.instant + left };
        let mut call = Call::new(now, id, with, Direction::Received, state, Media::Starting);
        call.kept = self.take_early(from, id);
        self.begin_ringing(now, call, welcome, CallEvent::Incoming { name, kind }, start);
    }

    /// A call rings here from now on, or is picked up at once.
    pub(super) fn begin_ringing(
        &mut self,
        now: Now,
        call: Call,
        welcome: Welcome,
        incoming: CallEvent,
        start: Start,
    ) {
        let id = call.id;
        self.call = Some(call);
        self.tell(incoming);
        self.outputs.push_back(Output::Start { call: id, start });
        if welcome == Welcome::Answer {
            // Cannot fail: the call is an incoming one.
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

    fn handle_ringing(&mut self, now: Now, from: PublicKey, id: CallId, description: Option<Vec<u8>>) {
        let Some(call) = self.current_with(from, id) else { return };
        match call.state {
            State::Calling { offer: OfferSent::Yes, .. } => {
                call.state = State::Ringing { deadline: now.instant + call.ring };
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
            let kept = self.turned_away.add_candidates(from, id, &candidates);
            if !kept && welcome != Welcome::TurnAway && !self.over.contains(&(ContactId::Person(from), id)) {
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
            if self.turned_away.contains(from, id) {
                self.send_away(from);
            } else if welcome != Welcome::TurnAway {
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
