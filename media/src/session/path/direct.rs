//! A leg that is a socket on one interface: a host candidate, and the base of server-reflexive ones.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use relay::client::{BindingClient, BindingEvent, Handled};

use super::SocketId;
use super::guess::{Mapping, observed};

/// Answers kept; more servers are not asked at a time.
const MAX_ANSWERS: usize = 8;

/// How a socket came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// For an address of this machine.
    Interface,
    /// Beside this one, to guess with.
    Guess(SocketId),
}

/// One socket, and the questions it asks about how the world sees it.
pub(super) struct DirectLeg {
    local: SocketAddr,
    nth: usize,
    origin: Origin,
    questions: Vec<BindingClient>,
    reflexive: Vec<SocketAddr>,
    /// Who saw us where.
    answers: Vec<(SocketAddr, SocketAddr)>,
    found: VecDeque<SocketAddr>,
}

impl DirectLeg {
    pub(super) fn new(local: SocketAddr, nth: usize) -> Self {
        Self {
            local,
            nth,
            origin: Origin::Interface,
            questions: Vec::new(),
            reflexive: Vec::new(),
            answers: Vec::new(),
            found: VecDeque::new(),
        }
    }

    /// One that a guess got through to, opened beside that of an interface: it works for whoever guessed, and asks nobody.
    pub(super) fn guessed(&self, base: SocketId, local: SocketAddr) -> Self {
        Self { origin: Origin::Guess(base), ..Self::new(local, self.nth) }
    }

    /// Whose base it was opened beside, if it was opened to guess with.
    pub(super) const fn beside(&self) -> Option<SocketId> {
        match self.origin {
            Origin::Interface => None,
            Origin::Guess(base) => Some(base),
        }
    }

    /// Whether any server has seen it.
    pub(super) const fn is_seen(&self) -> bool {
        !self.answers.is_empty()
    }

    /// How what translates its address maps, as far as servers have shown.
    pub(super) fn mapping(&self) -> Option<Mapping> {
        observed(&self.answers)
    }

    /// Asks `server` for our address, where it can be reached from this interface at all.
    pub(super) fn ask(&mut self, now: Instant, server: SocketAddr, seed: [u8; 32]) {
        let (local, remote) = (self.local.ip(), server.ip());
        if self.origin == Origin::Interface
            && local.is_ipv4() == remote.is_ipv4()
            && local.is_loopback() == remote.is_loopback()
        {
            self.questions.push(BindingClient::new(server, seed, now));
        }
    }

    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) const fn nth(&self) -> usize {
        self.nth
    }

    /// Whether a translator sits between this socket and the world.
    pub(super) fn is_translated(&self) -> bool {
        !self.reflexive.is_empty() || self.beside().is_some()
    }

    /// Whether the datagram was an answer to one of our questions.
    pub(super) fn handle_answer(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> bool {
        let mut asked = self.questions.iter_mut();
        let taken =
            asked.any(|question| question.handle_datagram(now, source, datagram) == Handled::Consumed);
        self.settle();
        taken
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for question in &mut self.questions {
            question.handle_timeout(now);
        }
        self.settle();
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.questions.iter().filter_map(BindingClient::poll_timeout).min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.questions.iter_mut().find_map(|question| Some((question.server(), question.poll_transmit()?)))
    }

    /// The world sees this socket there, too.
    pub(super) fn add_reflexive(&mut self, mapped: SocketAddr) {
        if mapped != self.local && !self.reflexive.contains(&mapped) {
            self.reflexive.push(mapped);
            self.found.push_back(mapped);
        }
    }

    /// An address of ours that was not known yet.
    pub(super) fn poll_reflexive(&mut self) -> Option<SocketAddr> {
        self.found.pop_front()
    }

    fn settle(&mut self) {
        let mut mapped = Vec::new();
        self.questions.retain_mut(|question| match question.poll_event() {
            None => true,
            Some(BindingEvent::Mapped { server, reflexive }) => {
                mapped.push((server, reflexive));
                false
            }
            Some(BindingEvent::Failed { reason, .. }) => {
                tracing::debug!(%reason, "a STUN server gave no address");
                false
            }
        });
        for (server, reflexive) in mapped {
            if self.answers.len() < MAX_ANSWERS {
                self.answers.push((server, reflexive));
            }
            self.add_reflexive(reflexive);
        }
    }
}
