//! The beginning of a call: who describes itself when, and who has picked up.
//!
//! ```text
//!   caller                                callee
//!   offer ── description ──────────────▶ answer     it rings: ways are sought, proven and secured, no sound passes
//!   prepare ◀─────────── description ──
//!                                        pick_up    sound may flow
//!   accept ◀────────────── the answer ──
//! ```
//!
//! Our first flight of DTLS travels inside the description we answer with, so that the handshake is under way before the
//! first probe has come back. An answer that comes without its preparation does for both. A stock end does not ring: it has answered.

use std::time::Instant;

use super::{CONNECT_WITHIN, EarlyPacket, Line, LineEvent, Phase};
use crate::session::SessionError;
use crate::session::description::{Candidate, Description, MAX_CANDIDATES};
use crate::session::sdp::{self, MAX_SDP, Role};

impl Line {
    /// Our offer.
    pub(in crate::session) fn offer(&mut self, now: Instant) -> Result<Description, SessionError> {
        let sdp = self.call.offer(now)?;
        self.describe(now, &sdp)
    }

    /// What we answer to `offer` with; nobody has picked up yet.
    pub(in crate::session) fn answer(
        &mut self,
        now: Instant,
        offer: &Description,
    ) -> Result<Description, SessionError> {
        let sdp = self.call.answer(now, sdp::remote(offer, Role::Offer))?;
        let mut answer = self.describe(now, &sdp)?;
        self.path.set_peer(now, offer);
        self.begin(now, &offer.candidates);
        answer.add_hello(self.path.hello().unwrap_or_default());
        Ok(answer)
    }

    /// Somebody has picked up at our end.
    pub(in crate::session) fn pick_up(&mut self, now: Instant) {
        if std::mem::replace(&mut self.picked_up, true) {
            return;
        }
        match &mut self.phase {
            Phase::Connecting { until } => {
                *until = Some(now + CONNECT_WITHIN);
                self.path.hurry(now);
            }
            Phase::Ready => self.talk(now),
            Phase::Setup | Phase::Talking | Phase::Over => {}
        }
        self.settle(now);
    }

    /// What the other end will answer our offer with, while it rings there. Envelopes come more than once: a second one
    /// changes nothing.
    pub(in crate::session) fn prepare(
        &mut self,
        now: Instant,
        answer: &Description,
    ) -> Result<(), SessionError> {
        if self.waits_for_answer() {
            self.call.accept_description(now, answer)?;
            self.path.set_peer(now, answer);
            if let (Some(local), Some(peer)) = (self.path.ice_candidate(), self.path.ice_remote())
                && !answer.hello.is_empty()
            {
                self.path.take_hello(&answer.hello);
                let (local, peer, payload) = (local.address, peer.address, answer.hello.clone());
                self.early_packets.push(EarlyPacket { local, peer, payload });
            }
            self.begin(now, &answer.candidates);
        }
        Ok(())
    }

    /// The other end's answer to our offer: somebody has picked up there.
    pub(in crate::session) fn accept(
        &mut self,
        now: Instant,
        answer: &Description,
    ) -> Result<(), SessionError> {
        self.prepare(now, answer)?;
        self.pick_up(now);
        Ok(())
    }

    /// Our offer to a stock end.
    pub(in crate::session) fn offer_sdp(&mut self, now: Instant) -> Result<String, SessionError> {
        let sdp = self.call.offer(now)?;
        self.trickle_all(now);
        Ok(sdp)
    }

    /// Our answer to a stock end.
    pub(in crate::session) fn answer_sdp(
        &mut self,
        now: Instant,
        offer: &str,
    ) -> Result<String, SessionError> {
        let (offer, candidates) = without_candidates(offer)?;
        let sdp = self.call.answer(now, offer)?;
        self.trickle_all(now);
        self.picked_up = true;
        self.begin(now, &candidates);
        Ok(sdp)
    }

    /// A stock end's answer to our offer, the first or a later one.
    pub(in crate::session) fn accept_sdp(&mut self, now: Instant, answer: &str) -> Result<(), SessionError> {
        if self.waits_for_answer() {
            let (answer, candidates) = without_candidates(answer)?;
            self.call.accept(now, answer)?;
            self.picked_up = true;
            self.begin(now, &candidates);
            return Ok(());
        }
        self.accept_restart(now, answer)
    }

    fn waits_for_answer(&self) -> bool {
        self.call.role() == Role::Offer && self.phase == Phase::Setup && self.described
    }

    /// A stock end is told every address as a trickled candidate, whatever its SDP already has.
    fn trickle_all(&mut self, now: Instant) {
        self.settle(now);
        self.described = true;
        self.events.extend(std::mem::take(&mut self.first).into_iter().map(LineEvent::Candidate));
    }

    fn describe(&mut self, now: Instant, sdp: &str) -> Result<Description, SessionError> {
        self.settle(now);
        self.described = true;
        let mut description = sdp::local(sdp).map_err(|error| SessionError::Engine(error.to_string()))?;
        self.path.set_own(&description);
        let mut known = std::mem::take(&mut self.first);
        for candidate in known.split_off(known.len().min(MAX_CANDIDATES)) {
            self.events.push_back(LineEvent::Candidate(candidate));
        }
        description.candidates = known;
        Ok(description)
    }

    fn begin(&mut self, now: Instant, candidates: &[Candidate]) {
        let until = self.picked_up.then(|| now + CONNECT_WITHIN);
        self.phase = Phase::Connecting { until };
        for candidate in candidates.iter().copied().chain(std::mem::take(&mut self.early)) {
            self.add_remote(now, &candidate);
        }
        match self.path.ice_remote() {
            // ICE is answered by ourselves, and DTLS begins.
            Some(remote) => {
                self.call.add_remote(now, &remote);
                self.call.handle_timeout(now);
            }
            None => self.take_early_packets(now),
        }
        self.settle(now);
    }
}

/// A stock end's SDP, and the candidates it had: they go the way of trickled ones, so that the policy applies to them.
pub(super) fn without_candidates(sdp: &str) -> Result<(String, Vec<Candidate>), SessionError> {
    if sdp.len() > MAX_SDP {
        return Err(SessionError::Description("SDP too long".to_owned()));
    }
    let (told, kept): (Vec<&str>, Vec<&str>) = sdp.lines().partition(|line| line.starts_with("a=candidate:"));
    let mut candidates = Vec::new();
    for candidate in told.into_iter().filter_map(|line| Candidate::from_sdp(line).ok()) {
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    Ok((kept.join("\r\n") + "\r\n", candidates))
}
