//! ICE begins anew with a stock end, whoever wants it (RFC 8445 §2.4, RFC 8839 §4.4.1.1.1): new credentials, the same
//! candidates. The core lets go of its pair at once, so that nothing flows for about a round trip.
//!
//! ```text
//!   Settled ── restart: our offer ──▶ Offered ── their answer ──▶ Settled
//!      └── their offer, our answer ──▶ Settled
//! ```

use std::time::Instant;

use super::setup::without_candidates;
use super::{Line, LineEvent, Phase};
use crate::session::SessionError;
use crate::session::call::PeerKind;
use crate::session::description::Candidate;

/// Who has the word in negotiation after the first offer and answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Restart {
    /// Nobody waits.
    #[default]
    Settled,
    /// Our offer waits for its answer.
    Offered,
}

impl Line {
    /// Our offer to begin ICE anew.
    pub(in crate::session) fn restart(&mut self, now: Instant) -> Result<String, SessionError> {
        if self.peer != PeerKind::Stock || !matches!(self.phase, Phase::Ready | Phase::Talking) {
            return Err(SessionError::Engine("there is no connection to a stock end to restart".to_owned()));
        }
        let sdp = self.call.restart(now)?;
        self.restart = Restart::Offered;
        self.tell_candidates_again();
        self.settle(now);
        Ok(sdp)
    }

    /// What we answer to a further offer of a stock end.
    pub(in crate::session) fn reanswer(&mut self, now: Instant, offer: &str) -> Result<String, SessionError> {
        if self.peer != PeerKind::Stock || matches!(self.phase, Phase::Setup | Phase::Over) {
            return Err(SessionError::Description("an offer that nobody waits for".to_owned()));
        }
        let (offer, candidates) = without_candidates(offer)?;
        let sdp = self.call.answer(now, offer)?;
        self.restart = Restart::Settled;
        self.take_candidates(now, &candidates);
        self.tell_candidates_again();
        self.settle(now);
        Ok(sdp)
    }

    /// A stock end's answer to [`Self::restart`].
    pub(super) fn accept_restart(&mut self, now: Instant, answer: &str) -> Result<(), SessionError> {
        if self.restart != Restart::Offered {
            return Err(SessionError::Description("an answer that nobody waits for".to_owned()));
        }
        let (answer, candidates) = without_candidates(answer)?;
        self.call.accept(now, answer)?;
        self.restart = Restart::Settled;
        self.take_candidates(now, &candidates);
        self.settle(now);
        Ok(())
    }

    /// New credentials know no candidates yet.
    fn tell_candidates_again(&mut self) {
        self.events.extend(self.told.iter().copied().map(LineEvent::Candidate));
    }

    fn take_candidates(&mut self, now: Instant, candidates: &[Candidate]) {
        for candidate in candidates {
            self.add_remote(now, candidate);
        }
    }
}
