//! Which carrier a dial tries first, and what was learnt about UDP.
//!
//! ```text
//!  QUIC ────────────────────────────────▶ first to finish its handshake wins, the other is dropped
//!     └ 800 ms silence, or failed ─▶ TCP ▶          (200 ms where one was silent over UDP already; the other way round
//!                                                    where UDP is known to be blocked)
//!
//!  unknown ──somebody answered──▶ works ◀──somebody answered── blocked
//!     └──── silence, while TCP answers and no QUIC link is up ────▶ ┘ (believed for 5 minutes, then asked again)
//! ```

use std::{
    collections::BTreeSet,
    future::Future,
    io::{Error, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    pin::pin,
    time::{Duration, Instant},
};

use quinn::Endpoint;
use tokio::{sync::mpsc, time::timeout};

use super::{
    link::{FLUSH_TIMEOUT, HANDSHAKE_TIMEOUT, LinkEvent, Udp},
    quic, tcp,
    tls::Tls,
};
use crate::{
    identity::LinkKey,
    node::{LinkId, Ways},
    outcome::UdpState,
};

/// How long the carrier tried first is waited for before the other one is tried beside it. Two round trips around the
/// world, and less than QUIC's first retransmission of a lost packet.
const HEAD_START: Duration = Duration::from_millis(800);

/// The same once somebody was silent. TCP with TLS takes two round trips where QUIC takes one: when it wins, QUIC was
/// silent all the same.
const SHORT_HEAD_START: Duration = Duration::from_millis(200);

/// After so long silence is no proof any more.
const BELIEVED: Duration = Duration::from_secs(5 * 60);

/// Addresses whose silence proves that UDP is blocked everywhere, not only there.
const PROOF: usize = 2;

/// In which order the carriers are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    QuicFirst,
    /// TCP follows soon: perhaps UDP is blocked, perhaps one supernode only did not answer.
    QuicBriefly,
    TcpFirst,
}

/// Whom to dial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) link: LinkId,
    pub(super) address: SocketAddr,
    pub(super) ways: Ways,
    pub(super) expected: Option<LinkKey>,
}

/// What a dial needs of the node.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) endpoint: Endpoint,
    pub(super) tls: Tls,
    pub(super) events: mpsc::Sender<LinkEvent>,
}

/// A stream over either carrier.
#[derive(Debug)]
enum Opened {
    Quic(quic::Stream),
    Tcp(Box<tcp::Stream>),
}

impl Reach {
    /// Opens one link over whichever carrier is quicker and serves it to its end.
    pub(super) async fn open(self, target: Target, order: Order) {
        let Target { link, address, ways, expected } = target;
        let tcp = match ways {
            Ways::Any { tcp } => tcp,
            Ways::FreshUdp => return self.open_from_a_fresh_port(link, address, expected).await,
        };
        if !has_route(address) {
            // The node's task is gone when this fails.
            let _ = self.events.send(LinkEvent::Down { link }).await;
            return;
        }
        let mut silent = false;
        let quic = async {
            silent = true;
            match quic::dial(&self.endpoint, &self.tls, address, expected).await {
                quic::Dialled::Open(stream) => Some(Opened::Quic(stream)),
                quic::Dialled::Refused => {
                    silent = false;
                    None
                }
                quic::Dialled::NoAnswer => None,
            }
        };
        let at_port = |port| tcp::dial(&self.tls, SocketAddr::new(address.ip(), port), expected);
        let over_tcp = async {
            let same = at_port(address.port());
            let stream = match tcp.filter(|port| *port != address.port()) {
                Some(other) => either(same, at_port(other)).await,
                None => same.await,
            };
            stream.map(|stream| Opened::Tcp(Box::new(stream)))
        };
        let opened = timeout(HANDSHAKE_TIMEOUT, async {
            match order {
                Order::QuicFirst => race(quic, over_tcp, HEAD_START).await,
                Order::QuicBriefly => race(quic, over_tcp, SHORT_HEAD_START).await,
                Order::TcpFirst => race(over_tcp, quic, HEAD_START).await,
            }
        });
        match opened.await {
            Ok(Some(Opened::Quic(stream))) => stream.serve(link, self.events).await,
            Ok(Some(Opened::Tcp(stream))) => {
                let udp = if silent { Udp::Silent } else { Udp::Untried };
                stream.serve(link, udp, self.events).await;
            }
            Ok(None) | Err(_) => {
                // The node's task is gone when this fails.
                let _ = self.events.send(LinkEvent::Down { link }).await;
            }
        }
    }
}

impl Reach {
    /// Opens one link from a socket of its own, which lives as long as the link.
    async fn open_from_a_fresh_port(self, link: LinkId, address: SocketAddr, expected: Option<LinkKey>) {
        let bound = self.endpoint.local_addr().map(|bound| SocketAddr::new(bound.ip(), 0));
        let fresh = bound.ok().and_then(|bound| quic::dial_only(bound).ok());
        if let Some(endpoint) = fresh {
            let dialled =
                timeout(HANDSHAKE_TIMEOUT, quic::dial(&endpoint, &self.tls, address, expected)).await;
            if let Ok(quic::Dialled::Open(stream)) = dialled {
                stream.serve(link, self.events).await;
                // The last word is still on its way.
                let _ = timeout(FLUSH_TIMEOUT, endpoint.wait_idle()).await;
                return;
            }
        }
        let _ = self.events.send(LinkEvent::Down { link }).await;
    }
}

/// Whether packets for `address` leave this machine at all. Whoever has one family of addresses only has no way to the
/// other, and QUIC would wait for an answer to what was never sent.
fn has_route(address: SocketAddr) -> bool {
    let everywhere: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Nothing is sent by this.
    let connected = UdpSocket::bind((everywhere, 0)).and_then(|socket| socket.connect(address));
    !connected.is_err_and(|error| says_no_route(&error))
}

/// Any other failure may be of this one look alone.
fn says_no_route(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    )
}

/// The first of two attempts that comes to something; the second begins once the first has failed or had its head start.
async fn race<T>(
    first: impl Future<Output = Option<T>>,
    second: impl Future<Output = Option<T>>,
    head_start: Duration,
) -> Option<T> {
    let mut first = pin!(first);
    match timeout(head_start, &mut first).await {
        Ok(Some(won)) => Some(won),
        Ok(None) => second.await,
        Err(_) => either(first, second).await,
    }
}

/// The first of two attempts that comes to something.
async fn either<T>(
    one: impl Future<Output = Option<T>>,
    other: impl Future<Output = Option<T>>,
) -> Option<T> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    tokio::select! {
        done = &mut one => match done {
            Some(won) => Some(won),
            None => other.await,
        },
        done = &mut other => match done {
            Some(won) => Some(won),
            None => one.await,
        },
    }
}

/// What is known about UDP here.
#[derive(Debug, Default)]
pub(super) struct UdpVerdict {
    answered: bool,
    /// At most [`PROOF`].
    silent: BTreeSet<SocketAddr>,
    until: Option<Instant>,
}

impl UdpVerdict {
    /// A link came up; `quic_links` others run over QUIC.
    pub(super) fn learn(&mut self, now: Instant, remote: SocketAddr, udp: Udp, quic_links: usize) {
        match udp {
            Udp::Answered => *self = Self { answered: true, ..Self::default() },
            // Where others answer, it is that supernode's own network which blocks.
            Udp::Silent if quic_links == 0 => {
                self.forget_old(now);
                self.answered = false;
                if self.silent.len() < PROOF {
                    self.silent.insert(remote);
                }
                self.until = Some(now + BELIEVED);
            }
            Udp::Silent | Udp::Untried => {}
        }
    }

    /// What to try when.
    pub(super) fn order(&mut self, now: Instant) -> Order {
        self.forget_old(now);
        match self.silent.len() {
            0 => Order::QuicFirst,
            n if n < PROOF => Order::QuicBriefly,
            _ => Order::TcpFirst,
        }
    }

    pub(super) fn state(&self) -> UdpState {
        match (self.answered, self.silent.is_empty()) {
            (true, _) => UdpState::Works,
            (false, false) => UdpState::Blocked,
            (false, true) => UdpState::Unknown,
        }
    }

    fn forget_old(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            *self = Self { answered: self.answered, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::{Instant as Clock, sleep};

    use super::*;

    async fn after(delay: u64, result: Option<&'static str>) -> Option<&'static str> {
        sleep(Duration::from_millis(delay)).await;
        result
    }

    // The clock of these tests is tokio's paused one: it jumps to the next timer.

    #[tokio::test(start_paused = true)]
    async fn a_first_carrier_that_answers_in_time_is_alone() {
        let second = async { panic!("nobody needed it") };
        assert_eq!(race(after(799, Some("quic")), second, HEAD_START).await, Some("quic"));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_brings_the_second_carrier_in_after_the_head_start_and_the_quicker_one_wins() {
        let began = Clock::now();
        assert_eq!(race(pending(), after(100, Some("tcp")), HEAD_START).await, Some("tcp"));
        assert_eq!(began.elapsed(), HEAD_START + Duration::from_millis(100));
        assert_eq!(race(after(850, Some("quic")), after(100, Some("tcp")), HEAD_START).await, Some("quic"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_brings_the_second_carrier_in_at_once_and_two_failures_are_one() {
        let began = Clock::now();
        assert_eq!(race(ready(None), after(10, Some("tcp")), HEAD_START).await, Some("tcp"));
        assert_eq!(began.elapsed(), Duration::from_millis(10));
        assert_eq!(race(after(900, None), after(10, None), HEAD_START).await, None::<&str>);
        assert_eq!(race(after(900, Some("quic")), after(10, None), HEAD_START).await, Some("quic"));
    }

    #[test]
    fn only_a_system_that_says_so_has_no_route() {
        assert!(has_route(([127, 0, 0, 1], 9).into()));
        assert!(says_no_route(&ErrorKind::NetworkUnreachable.into()));
        assert!(!says_no_route(&ErrorKind::PermissionDenied.into()));
    }

    fn address(last: u8) -> SocketAddr {
        ([203, 0, 113, last], 7600).into()
    }

    #[test]
    fn udp_is_given_up_on_the_word_of_two_supernodes_and_tried_again_after_some_minutes() {
        let now = crate::sim::origin();
        let mut verdict = UdpVerdict::default();
        assert_eq!(verdict.state(), UdpState::Unknown);
        verdict.learn(now, address(1), Udp::Silent, 0);
        verdict.learn(now, address(1), Udp::Silent, 0);
        assert_eq!((verdict.state(), verdict.order(now)), (UdpState::Blocked, Order::QuicBriefly));
        verdict.learn(now, address(2), Udp::Silent, 0);
        assert_eq!(verdict.order(now), Order::TcpFirst);
        verdict.learn(now, address(3), Udp::Untried, 0);
        assert_eq!(verdict.order(now + BELIEVED - Duration::from_millis(1)), Order::TcpFirst);
        assert_eq!(verdict.order(now + BELIEVED), Order::QuicFirst);
        assert_eq!(verdict.state(), UdpState::Unknown);
    }

    #[test]
    fn one_answer_over_udp_outweighs_any_silence() {
        let now = crate::sim::origin();
        let mut verdict = UdpVerdict::default();
        verdict.learn(now, address(1), Udp::Silent, 0);
        verdict.learn(now, address(2), Udp::Silent, 0);
        verdict.learn(now, address(3), Udp::Answered, 0);
        assert_eq!((verdict.state(), verdict.order(now)), (UdpState::Works, Order::QuicFirst));
        // While that link lives, silence elsewhere is theirs.
        verdict.learn(now, address(1), Udp::Silent, 1);
        verdict.learn(now, address(2), Udp::Silent, 1);
        assert_eq!((verdict.state(), verdict.order(now)), (UdpState::Works, Order::QuicFirst));
        // Once it is gone we are in another network.
        verdict.learn(now, address(1), Udp::Silent, 0);
        assert_eq!(verdict.state(), UdpState::Blocked);
    }
}
