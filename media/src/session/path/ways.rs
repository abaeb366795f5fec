//! In which order the ways to one relay are tried.
//!
//! ```text
//!   UDP asked ── 300 ms without an allocation, or refused ──▶ TCP dialled ── 300 ms more, or it ended ──▶ TLS dialled
//!                                                              ▲                                              │
//!                                                              └── a pause, six times at most ◀── all streams ended
//! ```
//!
//! What was begun goes on beside what follows. An allocation over UDP ends the search, and so does the first over a
//! stream; a stream that has none by then is closed. A call that hears nothing any more begins with TCP again. UDP comes
//! first because a stream delivers late what a network has lost, and everything behind it; TCP before TLS because it takes
//! a round trip less; TLS at all because some networks let nothing else through.

use std::time::{Duration, Instant};

use super::stream::StreamKind;
use crate::session::{RelayHealth, RelayServer, RelayStreams};

/// How long one way is tried before the next is begun beside it. An allocation takes two round trips over UDP: where
/// these take longer than 150 ms a stream is opened for nothing, and where UDP is blocked the caller waits so long.
pub(super) const HEAD_START: Duration = Duration::from_millis(300);
/// The pause before streams that all ended are tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(250);
const MAX_ROUNDS: u32 = 6;
/// A relay that grants nothing for so long, by any way, is counted as failed; it is asked on all the same.
const HOPE: Duration = Duration::from_secs(5);
/// Credentials are renewed so long before they end, or halfway when they last less than twice that.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Datagrams {
    Asked,
    Served,
    Lost,
}

/// One relay, and what is tried next to reach it.
pub(super) struct Ways {
    relay: RelayServer,
    datagrams: Datagrams,
    next: Option<(Instant, StreamKind)>,
    rounds: u32,
    standing: Standing,
    /// When to ask for other credentials.
    renew_at: Option<Instant>,
}

/// Whether a relay is one of the two a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not granted anything yet, and has until then.
    Hoped { until: Instant },
    /// There is an allocation on it, and it is heard.
    Serves,
    /// There was or should have been.
    Failed,
}

impl Ways {
    /// An allocation was asked for over UDP.
    pub(super) fn new(now: Instant, relay: RelayServer) -> Self {
        let next = relay.streams.map(|_| (now + HEAD_START, StreamKind::Tcp));
        let (standing, renew_at) = (Standing::Hoped { until: now + HOPE }, renew_at(now, &relay));
        Self { relay, datagrams: Datagrams::Asked, next, rounds: 0, standing, renew_at }
    }

    /// What the relay is to be used with from now on; what it has granted stays as it is (RFC 8656 §7.1).
    pub(super) fn renew(&mut self, now: Instant, relay: RelayServer) {
        self.renew_at = renew_at(now, &relay);
        self.relay = relay;
    }

    /// Whether its credentials are to be renewed now.
    pub(super) fn ends_soon(&self, now: Instant) -> bool {
        self.counts() && self.renew_at.is_some_and(|at| at <= now)
    }

    /// Takes in whether there is an allocation on which something is heard; what the relay has become by that just now.
    pub(super) fn judge(&mut self, now: Instant, serves: bool) -> Option<RelayHealth> {
        let after = match self.standing {
            _ if serves => Standing::Serves,
            Standing::Hoped { until } if now < until => self.standing,
            Standing::Hoped { .. } | Standing::Serves | Standing::Failed => Standing::Failed,
        };
        let before = std::mem::replace(&mut self.standing, after);
        match after {
            _ if before == after => None,
            Standing::Hoped { .. } => None,
            Standing::Serves => Some(RelayHealth::Serves),
            Standing::Failed => Some(RelayHealth::Failed),
        }
    }

    /// Whether it is one of the two a call wants.
    pub(super) const fn counts(&self) -> bool {
        !matches!(self.standing, Standing::Failed)
    }

    /// When time alone changes what is to be done about it.
    pub(super) fn judged_at(&self) -> Option<Instant> {
        let hoped = match self.standing {
            Standing::Hoped { until } => Some(until),
            Standing::Serves | Standing::Failed => None,
        };
        let renewal = self.renew_at.filter(|_| self.counts());
        [hoped, renewal].into_iter().flatten().min()
    }

    /// The same relay, begun with again.
    pub(super) fn anew(&self, now: Instant) -> Self {
        Self { renew_at: self.renew_at, ..Self::new(now, self.relay.clone()) }
    }

    pub(super) const fn relay(&self) -> &RelayServer {
        &self.relay
    }

    /// There is an allocation over UDP.
    pub(super) const fn served_by_datagrams(&mut self) {
        self.datagrams = Datagrams::Served;
        self.next = None;
    }

    /// There is one over a stream.
    pub(super) const fn served_by_stream(&mut self) {
        self.next = None;
    }

    /// There is none over UDP, or no longer; `streams` of them are left.
    pub(super) fn lost_datagrams(&mut self, now: Instant, streams: usize) {
        let before = std::mem::replace(&mut self.datagrams, Datagrams::Lost);
        match self.next {
            Some((_, StreamKind::Tcp)) => self.next = Some((now, StreamKind::Tcp)),
            None if before == Datagrams::Served && streams == 0 => self.rest(now),
            Some((_, StreamKind::Tls)) | None => {}
        }
    }

    /// A stream ended; `streams` of them are left.
    pub(super) fn lost_stream(&mut self, now: Instant, streams: usize) {
        match self.next {
            Some((_, StreamKind::Tls)) => self.next = Some((now, StreamKind::Tls)),
            None if streams == 0 && self.datagrams != Datagrams::Served => self.rest(now),
            Some((_, StreamKind::Tcp)) | None => {}
        }
    }

    /// The call hears nothing any more, and there is no stream: UDP may have been blocked since it served.
    pub(super) fn cut_off(&mut self, now: Instant) {
        if self.next.is_none() && self.relay.streams.is_some() && self.rounds < MAX_ROUNDS {
            self.next = Some((now, StreamKind::Tcp));
            self.rounds += 1;
        }
    }

    /// Whether nothing is tried any more, with no stream left.
    pub(super) fn is_spent(&self) -> bool {
        self.datagrams == Datagrams::Lost && self.next.is_none()
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next.map(|(at, _)| (at, "next way to a relay"))
    }

    /// The stream to dial now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<(RelayStreams, StreamKind)> {
        let (_, kind) = self.next.filter(|(at, _)| *at <= now)?;
        self.next = match kind {
            StreamKind::Tcp => Some((now + HEAD_START, StreamKind::Tls)),
            StreamKind::Tls => None,
        };
        Some((self.relay.streams?, kind))
    }

    fn rest(&mut self, now: Instant) {
        if self.relay.streams.is_some() && self.rounds < MAX_ROUNDS {
            self.next = Some((now + PAUSE * (1 << self.rounds), StreamKind::Tcp));
            self.rounds += 1;
        }
    }
}

fn renew_at(now: Instant, relay: &RelayServer) -> Option<Instant> {
    let lasts = relay.until?.saturating_duration_since(now);
    Some(now + lasts.saturating_sub(RENEW_BEFORE).max(lasts / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::CertificateHash;
    use crate::session::fixture::origin;

    const MS: Duration = Duration::from_millis(1);

    fn ways(start: Instant, streams: bool) -> Ways {
        let address = "198.51.100.9:443".parse().unwrap();
        let streams = streams.then_some(RelayStreams { address, certificate: CertificateHash([1; 32]) });
        let udp = "198.51.100.9:3478".parse().unwrap();
        Ways::new(start, RelayServer { udp, streams, credentials: None, until: None })
    }

    fn dialled(ways: &mut Ways, now: Instant) -> Option<StreamKind> {
        ways.handle_timeout(now).map(|(_, kind)| kind)
    }

    #[test]
    fn tcp_is_dialled_when_udp_is_silent_and_tls_when_tcp_is_too() {
        let start = origin();
        let mut ways = ways(start, true);
        assert_eq!(dialled(&mut ways, start + 299 * MS), None);
        assert_eq!(dialled(&mut ways, start + 300 * MS), Some(StreamKind::Tcp));
        assert_eq!(dialled(&mut ways, start + 599 * MS), None);
        assert_eq!(dialled(&mut ways, start + 600 * MS), Some(StreamKind::Tls));
        assert_eq!(ways.poll_timeout(), None);
    }

    #[test]
    fn a_relay_that_serves_over_udp_or_has_no_streams_is_not_dialled() {
        let start = origin();
        let mut served = ways(start, true);
        served.served_by_datagrams();
        for ways in [&mut served, &mut ways(start, false)] {
            assert_eq!(dialled(ways, start + 9000 * MS), None);
            assert_eq!(ways.poll_timeout(), None);
        }
    }

    #[test]
    fn what_is_refused_makes_the_next_way_begin_at_once() {
        let start = origin();
        let mut ways = ways(start, true);
        ways.lost_datagrams(start + 10 * MS, 0);
        assert_eq!(dialled(&mut ways, start + 10 * MS), Some(StreamKind::Tcp));
        ways.lost_stream(start + 12 * MS, 0);
        assert_eq!(dialled(&mut ways, start + 12 * MS), Some(StreamKind::Tls));
        assert!(ways.is_spent(), "but for the stream just dialled");
    }

    #[test]
    fn a_call_that_is_cut_off_dials_though_udp_served_and_not_for_ever() {
        let start = origin();
        let (mut ways, mut dials) = (ways(start, true), 0);
        ways.served_by_datagrams();
        for tick in 0..100 {
            ways.cut_off(start + 100 * MS * tick);
            if dialled(&mut ways, start + 100 * MS * tick).is_some() {
                dials += 1;
                ways.lost_stream(start + 100 * MS * tick, 0);
            }
        }
        assert_eq!(dials, 2 * MAX_ROUNDS);
    }

    #[test]
    fn a_relay_fails_once_it_serves_no_more_or_never_did_and_counts_again_when_it_does() {
        let start = origin();
        let mut ways = ways(start, false);
        assert!(ways.judge(start + HOPE - MS, false).is_none() && ways.counts());
        assert!(ways.judge(start + HOPE, false) == Some(RelayHealth::Failed) && !ways.counts());
        assert_eq!(ways.judge(start + HOPE + MS, false), None, "said once");
        assert!(ways.judge(start + HOPE + MS, true) == Some(RelayHealth::Serves) && ways.counts());
        assert_eq!(ways.judge(start + HOPE + 2 * MS, true), None, "said once");
        assert_eq!(ways.judge(start + HOPE + 2 * MS, false), Some(RelayHealth::Failed));
    }

    #[test]
    fn credentials_are_renewed_a_minute_before_they_end_or_halfway() {
        let start = origin();
        let renewal = |secs| {
            let until = Some(start + Duration::from_secs(secs));
            renew_at(start, &RelayServer { until, ..ways(start, false).relay().clone() }).map(|at| at - start)
        };
        assert_eq!(renewal(600), Some(Duration::from_secs(540)));
        assert_eq!(renewal(20), Some(Duration::from_secs(10)));
    }

    #[test]
    fn streams_that_end_are_dialled_anew_less_and_less_often_and_then_no_more() {
        let start = origin();
        let (mut now, mut ways, mut dials) = (start, ways(start, true), 0);
        ways.lost_datagrams(now, 0);
        while let Some((at, _)) = ways.poll_timeout() {
            now = at;
            assert!(dialled(&mut ways, now).is_some());
            ways.lost_stream(now, 0);
            dials += 1;
        }
        assert_eq!(dials, 2 * (MAX_ROUNDS + 1));
        assert!(ways.is_spent() && now - start < Duration::from_secs(20));
    }
}
