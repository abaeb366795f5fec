//! Which relays a call has, and when it asks for others.
//!
//! ```text
//!   owner ── offers ──▶ spare ── fewer than two serve ──▶ in use ── silent, lost, mute, no answer ─▶ failed
//!     ▲                   ▲                                 │  ▲                                       │
//!     │                   └──── offered again, 10 s later ──┼──┼── heard again ────────────────────────┤
//!     └── RelaysWanted: fewer than two serve and no spare is left, or credentials end soon ◀───────────┘
//!         (again after 2, 4 .. 64 s, until neither is so)
//! ```
//!
//! A relay that fell silent is kept beside its successor while there is room: perhaps it is our own network that fell
//! silent, and everything comes back at once.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::streams::Wish;
use super::turn::TurnLeg;
use super::ways::Ways;
use super::{MAX_RELAYS, Path};
use crate::session::path::PathEvent;
use crate::session::{PathPolicy, RelayHealth, RelayServer, Relayed, RelaysWanted};

/// Relays kept, those that failed among them; the one that failed first makes room.
const MAX_KEPT: usize = 4;
/// Relays offered and not used; the oldest offer is forgotten when more come.
const MAX_SPARES: usize = 8;
/// Relays remembered as failed; the oldest is forgotten.
const MAX_FAILED: usize = 16;
/// One that failed is not tried again before.
const REST: Duration = Duration::from_secs(10);
/// How long the owner is given before it is asked again, at first; it doubles so often.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const DOUBLINGS: u32 = 5;
/// Bills of relays that are not used any more; when more come, the newest are not sent.
const MAX_BILLS: usize = 16;

#[derive(Default)]
pub(super) struct Supply {
    spares: VecDeque<RelayServer>,
    /// Since when.
    failed: VecDeque<(SocketAddr, Instant)>,
    /// Whether this call uses relays at all.
    any: bool,
    asked: u32,
    ask_at: Option<Instant>,
    /// When there is something to do though nothing comes.
    wake: Option<Instant>,
    /// For what went through legs that are gone.
    bills: Vec<Relayed>,
}

impl Supply {
    pub(super) const fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self.wake {
            Some(at) => Some((at, "supply of relays")),
            None => None,
        }
    }

    pub(super) fn bill(&mut self, relayed: Relayed) {
        if let Some(known) = self.bills.iter_mut().find(|bill| bill.relay == relayed.relay) {
            known.lasted += relayed.lasted;
            known.bytes += relayed.bytes;
        } else if self.bills.len() < MAX_BILLS {
            self.bills.push(relayed);
        }
    }

    pub(super) fn bills(&self) -> impl Iterator<Item = Relayed> {
        self.bills.iter().copied()
    }

    /// The call is over.
    pub(super) fn close(&mut self) {
        *self = Self { bills: std::mem::take(&mut self.bills), ..Self::default() };
    }

    fn offer(&mut self, relay: RelayServer) {
        self.any = true;
        self.spares.retain(|spare| spare.udp != relay.udp);
        if self.spares.len() == MAX_SPARES {
            self.spares.pop_front();
        }
        self.spares.push_back(relay);
    }

    pub(super) fn fail(&mut self, now: Instant, relay: SocketAddr) {
        self.failed.retain(|(failed, _)| *failed != relay);
        if self.failed.len() == MAX_FAILED {
            self.failed.pop_front();
        }
        self.failed.push_back((relay, now));
    }

    /// When this one may be tried (again).
    fn ready_at(&self, relay: SocketAddr) -> Option<Instant> {
        self.failed.iter().find(|(failed, _)| *failed == relay).map(|(_, since)| *since + REST)
    }

    /// The next relay to use: the first offered of those that never failed, else one that has rested.
    fn take(&mut self, now: Instant) -> Option<RelayServer> {
        self.spares.retain(|spare| spare.until.is_none_or(|until| until > now));
        let fresh = self.spares.iter().position(|spare| self.ready_at(spare.udp).is_none());
        let rested =
            || self.spares.iter().position(|spare| self.ready_at(spare.udp).is_some_and(|at| at <= now));
        fresh.or_else(rested).and_then(|nth| self.spares.remove(nth))
    }
}

impl Path {
    /// Relays of which some may be used, now or when one fails; and what to use known ones with from now on.
    pub(in crate::session) fn offer_relays(&mut self, now: Instant, offers: &[RelayServer]) {
        for offer in offers {
            self.add_stun_server(now, offer.udp);
            if self.policy == PathPolicy::Direct || offer.credentials.is_none() {
                continue;
            }
            match self.ways.get_mut(&offer.udp) {
                Some(ways) => ways.renew(now, offer.clone()),
                None => self.supply.offer(offer.clone()),
            }
        }
        self.collect(now);
    }

    /// Sees to it that two relays serve.
    pub(super) fn supply_relays(&mut self, now: Instant) {
        let servers: Vec<SocketAddr> = self.ways.keys().copied().collect();
        for server in servers {
            let serves = self.legs_of(server).any(|leg| self.is_of_use(now, leg));
            let Some(health) = self.ways.get_mut(&server).and_then(|ways| ways.judge(now, serves)) else {
                continue;
            };
            if health == RelayHealth::Failed {
                tracing::debug!("a relay of the call has failed");
                self.supply.fail(now, server);
            }
            self.events.push_back(PathEvent::Relay(server, health));
        }
        while self.serving() < MAX_RELAYS {
            let Some(relay) = self.supply.take(now) else { break };
            if self.ways.len() == MAX_KEPT {
                self.forget_first_failed(now);
            }
            self.wishes.push_back(Wish::Allocate(relay.udp));
            self.ways.insert(relay.udp, Ways::new(now, relay));
        }
        let more = self.supply.any && self.serving() < MAX_RELAYS;
        let renew = self.ways.iter().filter(|(_, ways)| ways.ends_soon(now)).map(|(server, _)| *server);
        let renew: Vec<SocketAddr> = renew.collect();
        if !more && renew.is_empty() {
            (self.supply.asked, self.supply.ask_at) = (0, None);
        } else if self.supply.ask_at.is_none_or(|at| at <= now) {
            self.supply.ask_at = Some(now + ASK_AGAIN * (1 << self.supply.asked.min(DOUBLINGS)));
            self.supply.asked += 1;
            let failed = self.supply.failed.iter().map(|(failed, _)| *failed);
            let besides = more.then(|| self.ways.keys().copied().chain(failed).collect());
            self.events.push_back(PathEvent::RelaysWanted(RelaysWanted { renew, besides }));
        }
        let ways = self.ways.values().filter_map(Ways::judged_at);
        let spares = self.supply.spares.iter().filter_map(|spare| self.supply.ready_at(spare.udp));
        let spares = spares.filter(|_| self.serving() < MAX_RELAYS);
        self.supply.wake = ways.chain(spares).chain(self.supply.ask_at).filter(|at| *at > now).min();
    }

    fn is_of_use(&self, now: Instant, leg: &TurnLeg) -> bool {
        let speaks = self.silbo.as_ref().is_some_and(|silbo| silbo.pairs.is_alive(now));
        leg.serves() && !(speaks && leg.is_mute(now))
    }

    /// Relays that serve.
    #[cfg(test)]
    pub(in crate::session) fn relays_heard(&self, now: Instant) -> usize {
        self.ways.keys().filter(|server| self.legs_of(**server).any(|leg| self.is_of_use(now, leg))).count()
    }

    fn serving(&self) -> usize {
        self.ways.values().filter(|ways| ways.counts()).count()
    }

    fn forget_first_failed(&mut self, now: Instant) {
        let failed = self.ways.iter().filter(|(_, ways)| !ways.counts()).map(|(server, _)| *server);
        if let Some(first) = failed.min_by_key(|server| self.supply.ready_at(*server)) {
            self.forget_relay(now, first);
            self.wishes.push_back(Wish::Release(first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;
    use relay::Credentials;

    const SECOND: Duration = Duration::from_secs(1);

    fn relay(n: u8) -> RelayServer {
        let credentials = Credentials { username: format!("u{n}"), password: "p".into() };
        let udp = SocketAddr::from(([198, 51, 100, n], 3478));
        RelayServer { udp, streams: None, credentials: Some(credentials), until: None }
    }

    #[test]
    fn who_failed_is_taken_last_and_after_a_rest() {
        let (start, mut supply) = (origin(), Supply::default());
        supply.fail(start, relay(1).udp);
        supply.offer(relay(1));
        supply.offer(relay(2));
        assert_eq!(supply.take(start).map(|relay| relay.udp), Some(relay(2).udp));
        assert!(supply.take(start + 9 * SECOND).is_none());
        assert_eq!(supply.take(start + 10 * SECOND).map(|relay| relay.udp), Some(relay(1).udp));
    }

    #[test]
    fn an_offer_that_has_ended_is_not_taken() {
        let (start, mut supply) = (origin(), Supply::default());
        supply.offer(RelayServer { until: Some(start + SECOND), ..relay(1) });
        assert!(supply.take(start + SECOND).is_none());
    }

    #[test]
    fn however_much_is_offered_fails_and_is_billed_what_is_kept_is_bounded() {
        let (start, mut supply) = (origin(), Supply::default());
        for n in 0..100 {
            supply.offer(relay(n));
            supply.fail(start, relay(n).udp);
            supply.bill(Relayed { relay: relay(n).udp, lasted: SECOND, bytes: 1 });
        }
        assert_eq!((supply.spares.len(), supply.failed.len()), (MAX_SPARES, MAX_FAILED));
        assert_eq!(supply.bills().count(), MAX_BILLS);
    }
}
