//! The machine itself; its drawing and rules are in [the parent module](super).

mod signals;
mod turned_away;

use super::{
    CANDIDATE_BATCH, CONNECT_TIMEOUT, CallEvent, CallId, CallKind, Direction, Ended, KEPT_CANDIDATES, Output,
    REMEMBERED_CALLS, RING_TIMEOUT, Reply, Side, Start, WAITING_EVERY, Waiting,
    message::{Body, HangUp, MAX_CANDIDATE, MAX_CANDIDATES, Signal},
};
use crate::{engine::view::ContactId, reason::Reason};
use overlay::PublicKey;
use relay::Now;
use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};
use turned_away::TurnedAway;

/// One telephone line: at most one call at a time.
#[derive(Debug, Default)]
pub struct Line {
    call: Option<Call>,
    early: VecDeque<Early>,
    over: VecDeque<(ContactId, CallId)>,
    turned_away: TurnedAway,
    outputs: VecDeque<Output>,
    own_name: String,
    own_kind: CallKind,
}

#[derive(Debug)]
struct Call {
    id: CallId,
    with: ContactId,
    direction: Direction,
    state: State,
    /// How long it rings there, where we dialled.
    ring: Duration,
    media: Media,
    /// Where we are called: what our session answers with.
    described: Option<Vec<u8>>,
    /// Candidates of the other side, until the session can take them.
    kept: Vec<Vec<u8>>,
    /// Our own candidates, until they are sent.
    fresh: Vec<Vec<u8>>,
    /// When to send them, and when some were sent last.
    flush_at: Option<Instant>,
    flushed: Option<Instant>,
    /// When to say that we still wait, if we then do.
    say_at: Instant,
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

    /// Sets what offers say of the calls they begin from now on.
    pub fn set_kind(&mut self, kind: CallKind) {
        self.own_kind = kind;
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
        let mut call = Call::new(now, id, with, Direction::Placed, state, Media::Starting);
        call.ring = ring;
        self.call = Some(call);
        self.tell(CallEvent::Placed);
        self.outputs.push_back(Output::Start { call: id, start });
        Ok(())
    }

    /// Picks up the call that rings here.
    pub fn answer(&mut self, now: Now) -> Result<(), Reason> {
        let call = self.call.as_mut().ok_or(Reason::NoCall)?;
        let State::Incoming { offer, .. } = &mut call.state else { return Err(Reason::NoCall) };
        let offer = mem::take(offer);
        call.connect(now);
        let (id, media) = (call.id, call.media);
        if media == Media::None {
            call.media = Media::Starting;
        }
        self.tell(CallEvent::Answered);
        match media {
            Media::None => {
                self.outputs.push_back(Output::Start { call: id, start: Start::Prepare { offer } })
            }
            // Picked up as soon as it runs.
            Media::Starting => {}
            Media::Up => self.pick_up(),
        }
        Ok(())
    }

    /// Declines the call that rings here, and says this to it.
    pub fn decline(&mut self, now: Now, reply: Option<Reply>) -> Result<(), Reason> {
        match self.call.as_ref().map(|call| &call.state) {
            Some(State::Incoming { .. }) => {
                self.finish(now, Reason::Declined(None), Side::Local, Some(Body::Decline { reply }));
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
            State::Incoming { .. } => return self.decline(now, None),
            State::Connecting { .. } | State::Active { .. } => Reason::HungUp,
        };
        self.finish(now, reason, Side::Local, Some(Body::HangUp { why: HangUp::Person }));
        Ok(())
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
        let kept = mem::take(&mut call.kept);
        match &mut call.state {
            State::Calling { offer, .. } => {
                *offer = OfferSent::Yes;
                let name = self.own_name.clone();
                let kind = self.own_kind;
                self.send(to, id, Body::Offer { description, name, kind });
            }
            State::Incoming { .. } => {
                call.described = Some(description);
                self.say_ringing();
            }
            State::Connecting { .. } => {
                call.described = Some(description);
                self.pick_up();
            }
            State::Ringing { .. } | State::Active { .. } => {}
        }
        if !kept.is_empty() {
            self.outputs.push_back(Output::AddCandidates(kept));
        }
        self.schedule_flush(now);
    }

    /// The session asked for by [`Output::Start`] cannot run. While it rings here that is no reason not to: it is tried
    /// again when somebody picks up.
    pub fn handle_start_failed(&mut self, now: Now, id: CallId, reason: Reason) {
        let Some(call) = self.call.as_mut().filter(|call| call.id == id) else { return };
        if matches!(call.state, State::Incoming { .. }) {
            call.media = Media::None;
            self.say_ringing();
        } else {
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
        let Some(call) = self.call.as_ref().filter(|call| call.id == id) else { return };
        let why = match &reason {
            Reason::NoPath | Reason::ConnectionLost => HangUp::NoPath,
            Reason::Device { .. } | Reason::Camera { .. } | Reason::Internal(_) => HangUp::Failed,
            _ => HangUp::Person,
        };
        let reason = match (&call.state, by) {
            (State::Incoming { .. }, _) => Reason::Missed,
            // Whoever refuses says so first.
            (State::Calling { .. } | State::Ringing { .. }, Side::Remote) => Reason::PeerFailed,
            _ => reason,
        };
        self.finish(now, reason, by, Some(Body::HangUp { why }));
    }

    /// The time named by [`Line::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.forget_expired(now);
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
        } else {
            self.say_waiting(now);
        }
    }

    /// When [`Line::handle_timeout`] wants to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let expires = self.turned_away.expires().map(|at| (at, "a stranger's offer expires"));
        let Some(call) = &self.call else { return expires };
        let state = match &call.state {
            State::Calling { deadline, .. } | State::Ringing { deadline } => {
                Some((*deadline, "ring timeout"))
            }
            State::Incoming { deadline, .. } => Some((*deadline, "offer expires")),
            State::Connecting { deadline } => Some((*deadline, "connect timeout")),
            State::Active { .. } => None,
        };
        let flush = call.flush_at.map(|at| (at, "candidates to send"));
        let say = call.waits_for().map(|_| (call.say_at, "still waiting"));
        [state, flush, say, expires].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// What to do next; to be called until `None` after every `handle_*` and every command.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Ends the call, frees the line, and tells the other side on every way it may be listening.
    fn finish(&mut self, now: Now, reason: Reason, by: Side, tell: Option<Body>) {
        let Some(call) = self.call.take() else { return };
        let knows_of_us = !matches!(call.state, State::Calling { offer: OfferSent::NotYet, .. });
        if let (ContactId::Person(to), Some(body), true) = (call.with, tell, knows_of_us) {
            let signal = Signal { call: call.id, body };
            if call.media == Media::Up {
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

    fn say_waiting(&mut self, now: Now) {
        let Some(call) = self.call.as_mut().filter(|call| call.say_at <= now.instant) else { return };
        let Some(waiting) = call.waits_for() else { return };
        call.say_at = now.instant + WAITING_EVERY;
        self.tell(CallEvent::Waiting(waiting));
    }

    /// It rings here, and this is how we can be reached.
    fn say_ringing(&mut self) {
        let Some(Call { id, with: ContactId::Person(to), described, .. }) = &self.call else { return };
        let (id, to, description) = (*id, *to, described.clone());
        self.send(to, id, Body::Ringing { description });
    }

    /// Tells the running session and the caller that the call is answered, the latter on every way there is.
    fn pick_up(&mut self) {
        let Some(Call { id, with: ContactId::Person(to), described: Some(description), .. }) = &self.call
        else {
            return;
        };
        let (to, body) = (*to, Body::Answer { description: description.clone() });
        let signal = Signal { call: *id, body };
        self.outputs.push_back(Output::PickUp);
        self.outputs.push_back(Output::SendOnSession(signal.clone()));
        self.outputs.push_back(Output::Send { to, signal });
    }

    /// Our candidates leave once the other side knows of the call: the first at once, for a way may hang on it, and those that
    /// follow a moment later, so that several share an envelope.
    fn schedule_flush(&mut self, now: Now) {
        let Some(call) = &mut self.call else { return };
        if call.media == Media::Up && !call.fresh.is_empty() {
            let earliest = call.flushed.map_or(now.instant, |flushed| flushed + CANDIDATE_BATCH);
            call.flush_at.get_or_insert(earliest.max(now.instant));
        }
    }

    fn flush_candidates(&mut self, now: Now) {
        let Some(call) = self.call.as_mut().filter(|call| call.flush_at.is_some_and(|at| at <= now.instant))
        else {
            return;
        };
        (call.flush_at, call.flushed) = (None, Some(now.instant));
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

    fn remember(&mut self, with: ContactId, id: CallId) {
        if self.over.len() == REMEMBERED_CALLS {
            self.over.pop_front();
        }
        self.over.push_back((with, id));
    }

    fn current_with(&mut self, from: PublicKey, id: CallId) -> Option<&mut Call> {
        self.call.as_mut().filter(|call| call.id == id && call.with == ContactId::Person(from))
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
    fn new(now: Now, id: CallId, with: ContactId, direction: Direction, state: State, media: Media) -> Self {
        let (kept, fresh) = (Vec::new(), Vec::new());
        Self {
            say_at: now.instant + WAITING_EVERY,
            ring: RING_TIMEOUT,
            id,
            with,
            direction,
            state,
            media,
            described: None,
            kept,
            fresh,
            flush_at: None,
            flushed: None,
        }
    }

    /// Somebody has picked up.
    fn connect(&mut self, now: Now) {
        self.state = State::Connecting { deadline: now.instant + CONNECT_TIMEOUT };
        self.say_at = now.instant + WAITING_EVERY;
    }

    const fn waits_for(&self) -> Option<Waiting> {
        match self.state {
            State::Calling { .. } => Some(Waiting::Reply),
            State::Connecting { .. } => Some(Waiting::Path),
            // A person is waited for, and both know it; or nobody is.
            State::Ringing { .. } | State::Incoming { .. } | State::Active { .. } => None,
        }
    }
}
