//! Relays lent to this person's calls: asked for, kept until they end, handed to the session.
//!
//! ```text
//!   a call is near ── none that last ──▶ asked (any) ──┐
//!   RelaysWanted of a session ──▶ asked (of, besides) ─┴─▶ offers ──▶ kept, and told to the session
//!   Relay(.., Failed) of a session ──▶ put last for ten minutes, and another asked for before the next call
//! ```

use super::actor::{Actor, Done};
use media::session::{CertificateHash, RelayHealth, RelayServer, RelayStreams, RelaysWanted};
use overlay::{LinkKey, RelayOffer, RelayWish, RelaysError};
use relay::{Now, UnixTime};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Credentials that end sooner than this are not worth starting a call with.
const RELAYS_LAST: Duration = Duration::from_secs(60);
/// How long a relay that failed in a call is the last to be used.
const SHUNNED: Duration = Duration::from_secs(600);
/// Relays remembered; what ended first is forgotten.
const MAX_LENT: usize = 32;
/// Questions under way at a time; a session that gets no answer asks again.
const MAX_ASKED: usize = 4;

/// Relays offered to us, until they end.
#[derive(Default)]
pub(super) struct Relays {
    /// By UDP address.
    lent: BTreeMap<SocketAddr, Lent>,
    /// Those that failed, by UDP address, and until when that is held against them.
    failed: BTreeMap<SocketAddr, Instant>,
    /// Questions under way.
    asked: usize,
}

struct Lent {
    server: RelayServer,
    /// Whose it is.
    node: LinkKey,
    until: UnixTime,
}

impl Relays {
    fn take(&mut self, now: Now, offers: Vec<RelayOffer>) -> Vec<RelayServer> {
        let mut servers = Vec::new();
        for offer in offers {
            let (udp, node, until) = (offer.udp, offer.node, offer.expires);
            let server = server(now, offer);
            servers.push(server.clone());
            if self.lent.len() == MAX_LENT && !self.lent.contains_key(&udp) {
                let first = self.lent.iter().min_by_key(|(_, lent)| lent.until).map(|(udp, _)| *udp);
                first.and_then(|first| self.lent.remove(&first));
            }
            self.lent.insert(udp, Lent { server, node, until });
        }
        servers
    }

    /// What a call may begin with, in the order of trust.
    fn fresh(&self, now: Now) -> Vec<RelayServer> {
        let lasts = now.unix.saturating_add(RELAYS_LAST);
        let fresh = self.lent.values().filter(|lent| lent.until > lasts).map(|lent| lent.server.clone());
        let (last, mut first): (Vec<_>, Vec<_>) = fresh.partition(|relay| self.has_failed(now, relay.udp));
        first.extend(last);
        first
    }

    fn has_failed(&self, now: Now, relay: SocketAddr) -> bool {
        self.failed.get(&relay).is_some_and(|until| *until > now.instant)
    }

    /// What to ask the network for before a call, if anything.
    fn wish(&self, now: Now) -> Option<RelayWish> {
        if self.asked > 0 || self.fresh(now).first().is_some_and(|relay| !self.has_failed(now, relay.udp)) {
            return None;
        }
        let failed: Vec<SocketAddr> =
            self.failed.keys().copied().filter(|r| self.has_failed(now, *r)).collect();
        let failed = self.nodes(&failed);
        Some(if failed.is_empty() { RelayWish::Any } else { RelayWish::Besides(failed) })
    }

    /// What a call found out about one.
    fn judge(&mut self, now: Now, relay: SocketAddr, health: RelayHealth) {
        self.failed.retain(|_, until| *until > now.instant);
        match health {
            RelayHealth::Serves => {
                self.failed.remove(&relay);
            }
            RelayHealth::Failed => {
                if self.failed.len() == MAX_LENT && !self.failed.contains_key(&relay) {
                    let first = self.failed.iter().min_by_key(|(_, until)| **until).map(|(udp, _)| *udp);
                    first.and_then(|first| self.failed.remove(&first));
                }
                self.failed.insert(relay, now.instant + SHUNNED);
            }
        }
    }

    /// Whose relays these are, as far as we know.
    fn nodes(&self, relays: &[SocketAddr]) -> Vec<LinkKey> {
        relays.iter().filter_map(|udp| self.lent.get(udp)).map(|lent| lent.node).collect()
    }

    /// Whose every relay is.
    pub(super) fn lenders(&self) -> BTreeMap<SocketAddr, LinkKey> {
        self.lent.iter().map(|(udp, lent)| (*udp, lent.node)).collect()
    }
}

impl Actor {
    /// Asks the network for relays, unless there are some that are good; they are wanted soon.
    pub(super) fn fetch_relays(&mut self) {
        if let Some(wish) = self.relays.wish(self.now()) {
            self.ask_relays(wish);
        }
    }

    /// A call has found a relay to be so.
    pub(super) fn relay_found(&mut self, relay: SocketAddr, health: RelayHealth) {
        let now = self.now();
        self.relays.judge(now, relay, health);
    }

    /// A call cannot do with the relays it has.
    pub(super) fn relays_wanted(&mut self, wanted: &RelaysWanted) {
        let renew = self.relays.nodes(&wanted.renew);
        if !renew.is_empty() {
            self.ask_relays(RelayWish::Of(renew));
        }
        if let Some(besides) = &wanted.besides {
            self.ask_relays(RelayWish::Besides(self.relays.nodes(besides)));
        }
    }

    pub(super) fn relays_offered(&mut self, result: Result<Vec<RelayOffer>, RelaysError>) {
        self.relays.asked = self.relays.asked.saturating_sub(1);
        match result {
            Ok(offers) => {
                let servers = self.relays.take(self.now(), offers);
                if let Some(running) = &self.session
                    && let Err(error) = running.session.add_relays(servers)
                {
                    tracing::debug!(%error, "relays were not taken");
                }
            }
            Err(error) => tracing::debug!(%error, "no relays"),
        }
    }

    pub(super) fn fresh_relays(&self) -> Vec<RelayServer> {
        self.relays.fresh(self.now())
    }

    fn ask_relays(&mut self, wish: RelayWish) {
        if self.relays.asked < MAX_ASKED {
            self.relays.asked += 1;
            let overlay = self.overlay.clone();
            self.jobs.spawn(async move { Done::Relays(overlay.relays(wish).await) });
        }
    }
}

/// A relay as the media session knows it.
fn server(now: Now, offer: RelayOffer) -> RelayServer {
    let streams = offer.streams.map(|(address, certificate)| RelayStreams {
        address,
        certificate: CertificateHash(certificate.bytes()),
    });
    let left = offer.expires.as_millis().saturating_sub(now.unix.as_millis());
    let until = now.instant.checked_add(Duration::from_millis(left));
    RelayServer { udp: offer.udp, streams, credentials: Some(offer.credentials), until }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::Credentials;

    fn now() -> Now {
        Now { instant: Instant::now(), unix: UnixTime::from_secs(1_800_000_000) }
    }

    fn offer(n: u8, now: Now, lasts: Duration) -> RelayOffer {
        RelayOffer {
            node: LinkKey::from_bytes([n; 32]),
            udp: SocketAddr::from(([198, 51, 100, n], 3478)),
            streams: None,
            credentials: Credentials { username: format!("u{n}"), password: "p".into() },
            expires: now.unix.saturating_add(lasts),
        }
    }

    #[test]
    fn offers_are_kept_beside_others_and_given_to_a_call_while_they_last() {
        let (now, mut relays) = (now(), Relays::default());
        relays.take(now, vec![offer(1, now, Duration::from_secs(600)), offer(2, now, RELAYS_LAST)]);
        let taken = relays.take(now, vec![offer(3, now, Duration::from_secs(600))]);
        assert_eq!(taken[0].until, Some(now.instant + Duration::from_secs(600)));
        let fresh = relays.fresh(now);
        let fresh: Vec<_> = fresh.iter().map(|relay| relay.udp.ip().to_string()).collect();
        assert_eq!(fresh, ["198.51.100.1", "198.51.100.3"]);
        let known = [offer(2, now, Duration::ZERO).udp, "203.0.113.9:1".parse().unwrap()];
        assert_eq!(relays.nodes(&known), [LinkKey::from_bytes([2; 32])]);
    }

    #[test]
    fn a_relay_that_failed_comes_last_for_the_next_call_and_others_are_asked_for_until_it_serves() {
        let (now, mut relays) = (now(), Relays::default());
        assert_eq!(relays.wish(now), Some(RelayWish::Any));
        let [one, two] = [offer(1, now, Duration::from_secs(900)), offer(2, now, Duration::from_secs(900))];
        let order =
            |relays: &Relays, now| -> Vec<_> { relays.fresh(now).iter().map(|relay| relay.udp).collect() };
        let (first, second) = (one.udp, two.udp);
        relays.take(now, vec![one, two]);
        relays.judge(now, first, RelayHealth::Failed);
        assert_eq!((order(&relays, now), relays.wish(now)), (vec![second, first], None));
        relays.judge(now, second, RelayHealth::Failed);
        let failed = [[1; 32], [2; 32]].map(LinkKey::from_bytes).to_vec();
        assert_eq!(relays.wish(now), Some(RelayWish::Besides(failed)));
        assert_eq!(order(&relays, now), [first, second], "better than none");
        relays.judge(now, second, RelayHealth::Serves);
        assert_eq!((order(&relays, now), relays.wish(now)), (vec![second, first], None));
        let later = Now { instant: now.instant + SHUNNED, ..now };
        assert_eq!(order(&relays, later), [first, second], "forgiven");
    }

    #[test]
    fn however_many_fail_few_are_remembered() {
        let (now, mut relays) = (now(), Relays::default());
        for n in 0..=255 {
            relays.judge(now, offer(n, now, Duration::ZERO).udp, RelayHealth::Failed);
        }
        assert_eq!(relays.failed.len(), MAX_LENT);
    }

    #[test]
    fn a_newer_offer_replaces_an_older_one_and_what_ends_first_makes_room() {
        let (now, mut relays) = (now(), Relays::default());
        for n in 0..=MAX_LENT as u8 {
            let lasts = Duration::from_secs(if n == 7 { 100 } else { 600 });
            relays.take(now, vec![offer(n, now, lasts), offer(n, now, lasts)]);
        }
        assert_eq!(relays.lent.len(), MAX_LENT);
        assert!(!relays.lent.contains_key(&offer(7, now, Duration::ZERO).udp));
    }
}
