//! Calls of strangers: they do not ring, and are kept while they last, so that whoever is let in meanwhile is heard.
//!
//! ```text
//!   Offer, welcome = TurnAway        admit: it rings, as if it had come just now
//!              │                  ┌────────────────────────────────────────────▶ Incoming
//!         ┌────▼────┐             │   (the line is not free: Busy, missed)
//!         │ waiting ├─────────────┤
//!         └─────────┘             └────────────────────────────────────────────▶ forgotten
//!                                     they hung up, it expired, send_away, or MAX_TURNED_AWAY newer ones
//! ```
//! Nothing is said to a stranger at any of this.

use super::{Call, Line, Media, State, signals::Offer};
use crate::{
    call::{
        CallEvent, CallId, Direction, KEPT_CANDIDATES, MAX_TURNED_AWAY, OFFER_LIFETIME, Output, Start,
        Welcome, message::Body,
    },
    engine::view::ContactId,
};
use overlay::PublicKey;
use relay::Now;
use std::{collections::VecDeque, time::Instant};

/// The calls kept, the oldest first; one of each stranger.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(VecDeque<Kept>);

#[derive(Debug)]
struct Kept {
    offer: Offer,
    candidates: Vec<Vec<u8>>,
    until: Instant,
}

impl TurnedAway {
    /// Gives a call that is kept some more candidates; says whether it is.
    pub(super) fn add_candidates(&mut self, from: PublicKey, id: CallId, candidates: &[Vec<u8>]) -> bool {
        let Some(kept) = self.0.iter_mut().find(|kept| kept.is(from, id)) else { return false };
        let room = KEPT_CANDIDATES.saturating_sub(kept.candidates.len());
        kept.candidates.extend(candidates.iter().take(room).cloned());
        true
    }

    pub(super) fn contains(&self, from: PublicKey, id: CallId) -> bool {
        self.0.iter().any(|kept| kept.is(from, id))
    }

    /// When the first of them expires.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.0.iter().map(|kept| kept.until).min()
    }

    fn take(&mut self, gone: impl Fn(&Kept) -> bool) -> Option<Kept> {
        let at = self.0.iter().position(gone)?;
        self.0.remove(at)
    }
}

impl Kept {
    fn is(&self, from: PublicKey, id: CallId) -> bool {
        self.offer.from == from && self.offer.id == id
    }
}

impl Line {
    /// Whether a stranger waits at this moment for somebody to let them in.
    pub fn is_waiting(&self, now: Now, from: PublicKey) -> bool {
        self.turned_away.0.iter().any(|kept| kept.offer.from == from && kept.until > now.instant)
    }

    /// Who waits.
    pub fn waiting(&self) -> impl Iterator<Item = PublicKey> {
        self.turned_away.0.iter().map(|kept| kept.offer.from)
    }

    /// Somebody is a stranger no more: if they are calling, it rings now.
    pub fn admit(&mut self, now: Now, from: PublicKey, welcome: Welcome) {
        let Some(kept) = self.turned_away.take(|kept| kept.offer.from == from) else { return };
        let Offer { id, description, name, kind, .. } = kept.offer;
        let with = ContactId::Person(from);
        if kept.until <= now.instant || welcome == Welcome::TurnAway {
            return self.remember(with, id);
        }
        if self.call.is_some() {
            self.send(from, id, Body::Busy);
            self.remember(with, id);
            return self.outputs.push_back(Output::Event { call: id, with, event: CallEvent::Missed });
        }
        let start = Start::Prepare { offer: description.clone() };
        // They have been calling for a while, and have heard nothing so far.
        let state = State::Incoming { offer: description, deadline: now.instant + OFFER_LIFETIME };
        let mut call = Call::new(now, id, with, Direction::Received, state, Media::Starting);
        call.kept = kept.candidates;
        self.begin_ringing(now, call, welcome, CallEvent::Incoming { name, kind }, start);
    }

    /// Somebody is not let in.
    pub fn send_away(&mut self, from: PublicKey) {
        if let Some(kept) = self.turned_away.take(|kept| kept.offer.from == from) {
            self.remember(ContactId::Person(from), kept.offer.id);
        }
    }

    /// A stranger calls.
    pub(super) fn turn_away(&mut self, now: Now, offer: Offer) {
        let (id, from, name) = (offer.id, offer.from, offer.name.clone());
        self.send_away(from);
        if self.turned_away.0.len() == MAX_TURNED_AWAY
            && let Some(oldest) = self.turned_away.0.front()
        {
            self.send_away(oldest.offer.from);
        }
        let until = now.instant + offer.left;
        self.turned_away.0.push_back(Kept { offer, candidates: Vec::new(), until });
        let with = ContactId::Person(from);
        self.outputs.push_back(Output::Event { call: id, with, event: CallEvent::TurnedAway { name } });
    }

    /// Forgets those who have waited for too long.
    pub(super) fn forget_expired(&mut self, now: Now) {
        while let Some(kept) = self.turned_away.take(|kept| kept.until <= now.instant) {
            self.remember(ContactId::Person(kept.offer.from), kept.offer.id);
        }
    }
}
