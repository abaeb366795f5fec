//! The machine itself; its drawing and rules are in [the parent module](super).

use super::{
    CANDIDATE_BATCH, CONNECT_TIMEOUT, CallEvent, CallId, Direction, EARLY_CALLS, Ended, KEPT_CANDIDATES,
    OFFER_LIFETIME, Output, REMEMBERED_CALLS, Side, Start, Welcome,
    message::{Body, HangUp, MAX_CANDIDATE, MAX_CANDIDATES, Signal},
};
use crate::{engine::view::ContactId, reason::Reason};
use overlay::PublicKey;
use relay::{Now, UnixTime};
use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

/// One telephone line: at most one call at a time.
#[derive(Debug, Default)]
pub struct Line {
    call: Option<Call>,
    early: VecDeque<Early>,
    over: VecDeque<(ContactId, CallId)>,
    outputs: VecDeque<Output>,
    own_name: String,
}

#[derive(Debug)]
struct Call {
    id: CallId,
    with: ContactId,
    direction: Direction,
    state: State,
    media: Media,
    /// Candidates of the other side, until the session can take them.
    kept: Vec<Vec<u8>>,
    /// Our own candidates, until they are sent.
    fresh: Vec<Vec<u8>>,
    /// When to send them.
    flush_at: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Calling { offer: OfferSent, deadline: Instant },
    Ringing { deadline: Instant },
    Incoming { offer: Vec<u8>, deadline: Instant },
    Connecting { deadline: Instant },
    Active { since: Instant },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfferSent {
    Yes,
    NotYet,
}

/// How far our media session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    None,
    Starting,
    Up,
}

/// An offer as it arrived.
struct Offer {
    id: CallId,
    from: PublicKey,
    /// How long it is still good.
    left: Duration,
    welcome: Welcome,
    description: Vec<u8>,
    name: String,
}

/// Candidates that overtook their offer.
#[derive(Debug)]
struct Early {
    from: PublicKey,
    call: CallId,
    candidates: Vec<Vec<u8>>,
}

impl Line {
    /// A free line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the username that offers carry from now on; empty for none.
    pub fn set_own_name(&mut self, name: &str) {
        name.clone_into(&mut self.own_name);
    }

    /// The call of this moment and with whom it is.
    pub fn current(&self) -> Option<(CallId, ContactId)> {
        self.call.as_ref().map(|call| (call.id, call.with))
    }

    /// Dials. While the same person rings here, this answers instead; in any other call it is refused.
    pub fn place(&mut self, now: Now, id: CallId, with: ContactId, ring: Duration) -> Result<(), Reason> {
        if let Some(call) = &self.call {
            let rings_here = matches!(call.state, State::Incoming { .. });
            return if rings_here && call.with == with {
                self.answer(now)
            } else {
                Err(Reason::AlreadyInCall)
            };
        }
        let (state, start) = match with {
            ContactId::Echo => (State::Connecting { deadline: now.instant + CONNECT_TIMEOUT }, Start::Echo),
            ContactId::Person(_) => {
                (State::Calling { offer: OfferSent::NotYet, deadline: now.instant + ring }, Start::Offer)
            }
        };
        self.call = Some(Call::new(id, with, Direction::Placed, state, Media::Starting));
        self.tell(CallEvent::Placed);
        self.outputs.push_back(Output::Start { call: id, start });
        Ok(())
    }

    /// Picks up the call that rings here.
    pub fn answer(&mut self, now: Now) -> Result<(), Reason> {
        let call = self.call.as_mut().ok_or(Reason::NoCall)?;
        let State::Incoming { offer, .. } = &mut call.state else { return Err(Reason::NoCall) };
        let start = Start::Answer { offer: mem::take(offer) };
        call.state = State::Connecting { deadline: now.instant + CONNECT_TIMEOUT };
        call.media = Media::Starting;
        let id = call.id;
        self.tell(CallEvent::Answered);
        self.outputs.push_back(Output::Start { call: id, start });
        Ok(())
    }

    /// Declines the call that rings here.
    pub fn decline(&mut self, now: Now) -> Result<(), Reason> {
        match self.call.as_ref().map(|call| &call.state) {
            Some(State::Incoming { .. }) => {
                self.finish(now, Reason::Declined, Side::Local, Some(Body::Decline));
                Ok(())
            }
            Some(
                State::Calling { .. }
                | State::Ringing { .. }
                | State::Connecting { .. }
                | State::Active { .. },
            )
            | None => Err(Reason::NoCall),
        }
    }

    /// Ends the call, in whatever state it is.
    pub fn hang_up(&mut self, now: Now) -> Result<(), Reason> {
        let reason = match &self.call.as_ref().ok_or(Reason::NoCall)?.state {
            State::Calling { .. } | State::Ringing { .. } => Reason::Cancelled,
            State::Incoming { .. } => return self.decline(now),
            State::Connecting { .. } | State::Active { .. } => Reason::HungUp,
        };
        self.finish(now, reason, Side::Local, Some(Body::HangUp { why: HangUp::Person }));
        Ok(())
    }

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
            Body::Offer { description, name } => {
                let left = left_of_offer(now.unix, sent);
                self.handle_offer(now, Offer { id, from, left, welcome, description, name });
            }
            Body::Ringing => self.handle_ringing(from, id),
            Body::Answer { description } => self.handle_answer(now, from, id, description),
            Body::Candidates { candidates } => self.handle_candidates(from, id, welcome, candidates),
            Body::HangUp { why } => self.handle_hang_up(now, from, id, welcome, why),
            Body::Busy => self.handle_refusal(now, from, id, Reason::Busy),
            Body::Decline => self.handle_refusal(now, from, id, Reason::Declined),
        }
    }

    /// The session asked for by [`Output::Start`] runs; an echo has no description.
    pub fn handle_started(&mut self, now: Now, id: CallId, description: Option<Vec<u8>>) {
        let Some(call) = self.call.as_mut().filter(|call| call.id == id && call.media == Media::Starting)
        else {
            return;
        };
        call.media = Media::Up;
        let ContactId::Person(to) = call.with else { return };
        let Some(description) = description else { return };
        match &mut call.state {
            State::Calling { offer, .. } => {
                *offer = OfferSent::Yes;
                let name = self.own_name.clone();
                self.send(to, id, Body::Offer { description, name });
            }
            State::Connecting { .. } => {
                let kept = mem::take(&mut call.kept);
                self.send(to, id, Body::Answer { description });
                if !kept.is_empty() {
                    self.outputs.push_back(Output::AddCandidates(kept));
                }
            }
            State::Ringing { .. } | State::Incoming { .. } | State::Active { .. } => {}
        }
        self.schedule_flush(now);
    }

    /// The session asked for by [`Output::Start`] cannot run.
    pub fn handle_start_failed(&mut self, now: Now, id: CallId, reason: Reason) {
        if self.is_current(id) {
            self.finish(now, reason, Side::Local, Some(Body::HangUp { why: HangUp::Failed }));
        }
    }

    /// The offer could not be delivered.
    pub fn handle_undelivered(&mut self, now: Now, id: CallId, reason: Reason) {
        let calling = |call: &Call| call.id == id && matches!(call.state, State::Calling { .. });
        if self.call.as_ref().is_some_and(calling) {
            self.finish(now, reason, Side::Network, None);
        }
    }

    /// The session found one more way in which we can be reached.
    pub fn handle_candidate(&mut self, now: Now, id: CallId, candidate: Vec<u8>) {
        let Some(call) = self.call.as_mut().filter(|call| call.id == id) else { return };
        if call.fresh.len() < KEPT_CANDIDATES && candidate.len() <= MAX_CANDIDATE {
            call.fresh.push(candidate);
        }
        self.schedule_flush(now);
    }

    /// Sound flows, in at least one direction.
    pub fn handle_flowing(&mut self, now: Now, id: CallId) {
        let Some(call) = self.call.as_mut().filter(|call| call.id == id) else { return };
        if matches!(call.state, State::Connecting { .. }) {
            call.state = State::Active { since: now.instant };
            self.tell(CallEvent::Active);
        }
    }

    /// The session ended by itself.
    pub fn handle_session_over(&mut self, now: Now, id: CallId, reason: Reason, by: Side) {
        if !self.is_current(id) {
            return;
        }
        let why = match &reason {
            Reason::NoPath | Reason::ConnectionLost => HangUp::NoPath,
            Reason::Device(_) | Reason::Internal(_) => HangUp::Failed,
            _ => HangUp::Person,
        };
        self.finish(now, reason, by, Some(Body::HangUp { why }));
    }

    /// The time named by [`Line::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.flush_candidates(now);
        let Some(call) = &self.call else { return };
        let timed_out = Some(Body::HangUp { why: HangUp::TimedOut });
        let (deadline, reason, tell) = match &call.state {
            State::Calling { deadline, .. } => (*deadline, Reason::NoReaction, timed_out),
            State::Ringing { deadline } => (*deadline, Reason::NotAnswered, timed_out),
            State::Incoming { deadline, .. } => (*deadline, Reason::Missed, timed_out),
            State::Connecting { deadline } => {
                (*deadline, Reason::NoPath, Some(Body::HangUp { why: HangUp::NoPath }))
            }
            State::Active { .. } => return,
        };
        if deadline <= now.instant {
            self.finish(now, reason, Side::Network, tell);
        }
    }

    /// When [`Line::handle_timeout`] wants to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let call = self.call.as_ref()?;
        let state = match &call.state {
            State::Calling { deadline, .. } | State::Ringing { deadline } => {
                Some((*deadline, "ring timeout"))
            }
            State::Incoming { deadline, .. } => Some((*deadline, "offer expires")),
            State::Connecting { deadline } => Some((*deadline, "connect timeout")),
            State::Active { .. } => None,
        };
        let flush = call.flush_at.map(|at| (at, "candidates to send"));
        [state, flush].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// What to do next; to be called until `None` after every `handle_*` and every command.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
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
            State::Incoming { .. } if call.id == id => self.send(from, id, Body::Ringing),
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
        let Offer { id, from, left, welcome, description, name } = offer;
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
        let state = State::Incoming { offer: description, deadline: now.instant + left };
        let mut call = Call::new(id, with, Direction::Received, state, Media::None);
        call.kept = self.take_early(from, id);
        self.call = Some(call);
        self.tell(CallEvent::Incoming { name });
        if welcome == Welcome::Answer {
            // Cannot fail: the call was put into Incoming two lines above.
            let _ = self.answer(now);
        } else {
            self.send(from, id, Body::Ringing);
        }
    }

    /// We lost a glare: our call becomes theirs, and is answered, because we wanted to talk.
    fn yield_to(&mut self, now: Now, offer: Offer) {
        let Offer { id, from, description, .. } = offer;
        let kept = self.take_early(from, id);
        let Some(call) = &mut self.call else { return };
        let lost = mem::replace(&mut call.id, id);
        call.state = State::Connecting { deadline: now.instant + CONNECT_TIMEOUT };
        call.media = Media::Starting;
        call.kept = kept;
        call.fresh.clear();
        call.flush_at = None;
        self.remember(ContactId::Person(from), lost);
        self.outputs.push_back(Output::Stop);
        self.tell(CallEvent::Answered);
        self.outputs.push_back(Output::Start { call: id, start: Start::Answer { offer: description } });
    }

    fn handle_ringing(&mut self, from: PublicKey, id: CallId) {
        let Some(call) = self.current_with(from, id) else { return };
        if let State::Calling { offer: OfferSent::Yes, deadline } = call.state {
            call.state = State::Ringing { deadline };
            self.tell(CallEvent::Ringing);
        }
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
        call.state = State::Connecting { deadline: now.instant + CONNECT_TIMEOUT };
        let kept = mem::take(&mut call.kept);
        self.tell(CallEvent::Answered);
        self.outputs.push_back(Output::AcceptAnswer(description));
        if !kept.is_empty() {
            self.outputs.push_back(Output::AddCandidates(kept));
        }
    }

    fn handle_candidates(&mut self, from: PublicKey, id: CallId, welcome: Welcome, candidates: Vec<Vec<u8>>) {
        let Some(call) = self.current_with(from, id) else {
            if welcome != Welcome::TurnAway && !self.over.contains(&(ContactId::Person(from), id)) {
                self.keep_early(from, id, candidates);
            }
            return;
        };
        let applies = match call.state {
            State::Calling { .. } | State::Ringing { .. } | State::Incoming { .. } => false,
            State::Connecting { .. } | State::Active { .. } => call.media == Media::Up,
        };
        if applies {
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
            (State::Calling { .. } | State::Ringing { .. }, HangUp::Person) => Reason::Declined,
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

    /// Ends the call, frees the line, and tells the other side on every way it may be listening.
    fn finish(&mut self, now: Now, reason: Reason, by: Side, tell: Option<Body>) {
        let Some(call) = self.call.take() else { return };
        let knows_of_us = !matches!(call.state, State::Calling { offer: OfferSent::NotYet, .. });
        if let (ContactId::Person(to), Some(body), true) = (call.with, tell, knows_of_us) {
            let signal = Signal { call: call.id, body };
            if call.media == Media::Up && matches!(call.state, State::Active { .. }) {
                self.outputs.push_back(Output::SendOnSession(signal.clone()));
            }
            self.outputs.push_back(Output::Send { to, signal });
        }
        if call.media != Media::None {
            self.outputs.push_back(Output::Stop);
        }
        let talked = match call.state {
            State::Active { since } => Some(now.instant.saturating_duration_since(since)),
            State::Calling { .. }
            | State::Ringing { .. }
            | State::Incoming { .. }
            | State::Connecting { .. } => None,
        };
        self.remember(call.with, call.id);
        let event = CallEvent::Ended(Ended { reason, by, direction: call.direction, talked });
        self.outputs.push_back(Output::Event { call: call.id, with: call.with, event });
    }

    /// Our candidates leave once the other side knows of the call, a moment later, so that several share an envelope.
    fn schedule_flush(&mut self, now: Now) {
        let Some(call) = &mut self.call else { return };
        if call.media == Media::Up && !call.fresh.is_empty() {
            call.flush_at.get_or_insert(now.instant + CANDIDATE_BATCH);
        }
    }

    fn flush_candidates(&mut self, now: Now) {
        let Some(call) = self.call.as_mut().filter(|call| call.flush_at.is_some_and(|at| at <= now.instant))
        else {
            return;
        };
        call.flush_at = None;
        let (id, fresh) = (call.id, mem::take(&mut call.fresh));
        let ContactId::Person(to) = call.with else { return };
        // A call under way is a way to the other side that needs no supernode, and may lose the last one it has.
        let both = matches!(call.state, State::Active { .. });
        for candidates in fresh.chunks(MAX_CANDIDATES) {
            let body = Body::Candidates { candidates: candidates.to_vec() };
            if both {
                self.outputs.push_back(Output::SendOnSession(Signal { call: id, body: body.clone() }));
            }
            self.send(to, id, body);
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

    fn remember(&mut self, with: ContactId, id: CallId) {
        if self.over.len() == REMEMBERED_CALLS {
            self.over.pop_front();
        }
        self.over.push_back((with, id));
    }

    fn current_with(&mut self, from: PublicKey, id: CallId) -> Option<&mut Call> {
        self.call.as_mut().filter(|call| call.id == id && call.with == ContactId::Person(from))
    }

    fn is_current(&self, id: CallId) -> bool {
        self.call.as_ref().is_some_and(|call| call.id == id)
    }

    fn send(&mut self, to: PublicKey, call: CallId, body: Body) {
        self.outputs.push_back(Output::Send { to, signal: Signal { call, body } });
    }

    fn tell(&mut self, event: CallEvent) {
        if let Some(call) = &self.call {
            self.outputs.push_back(Output::Event { call: call.id, with: call.with, event });
        }
    }
}

impl Call {
    fn new(id: CallId, with: ContactId, direction: Direction, state: State, media: Media) -> Self {
        Self { id, with, direction, state, media, kept: Vec::new(), fresh: Vec::new(), flush_at: None }
    }
}

/// How long an offer is still good; clocks that disagree never lengthen it.
fn left_of_offer(now: UnixTime, sent: UnixTime) -> Duration {
    let age = Duration::from_millis(now.as_millis().saturating_sub(sent.as_millis()));
    OFFER_LIFETIME.saturating_sub(age)
}
