//! "Can people call me?", answered from what the node knows about itself: findings in plain sentences, each with what
//! to change, and one verdict.

mod fact;

pub use fact::{ClockError, Fact, Ipv6};

use super::{helping, view::NetworkFound};
use overlay::{
    NatKind, RelayOffer, Report, Role,
    outcome::{Carrier, Skew, UdpState},
    volunteer::{Candidacy, Filtering},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
};

/// The answer.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// In one word.
    pub verdict: Verdict,
    /// In sentences.
    pub findings: Vec<Finding>,
    homes: Vec<Value>,
    ipv6: Ipv6,
    report: Report,
}

/// Whether people can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Callable,
    /// Yes; but UDP does not get through, so that every call goes over TCP, through a relay.
    OverTcp,
    /// It rings, and no sound gets through: UDP does not, and nobody lends a relay over TCP.
    NoSound,
    /// No supernode can ring this computer.
    Unreachable,
}

/// How a finding bears on being called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// As it should be.
    Good,
    /// Could be better, or was not found out.
    Note,
    /// In the way.
    Bad,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// About what: `homes`, `address`, `nat`, `udp`, `ipv6`, `port`, `helping` or `clock`.
    pub topic: &'static str,
    /// How it bears on being called.
    pub bearing: Bearing,
    /// What was found.
    pub fact: Fact,
}

/// A wrong clock below this is nobody's concern.
const CLOCK_TOLERATED_MS: i64 = 5_000;
/// More than this is corrected by nobody.
const CLOCK_CORRECTED_MS: i64 = 24 * 3600 * 1000;

impl Diagnosis {
    /// Draws the conclusions. `relays` are those that were lent when asked for, where UDP does not get through.
    pub fn of(report: Report, relays: &[RelayOffer]) -> Self {
        let rung_by: Vec<_> = report.supernodes.iter().filter(|link| link.rings).collect();
        let homes = rung_by.iter().map(|link| {
            json!({
                "address": link.remote.to_string(), "carrier": carrier(link.carrier),
                "observed": link.observed.map(|seen| seen.to_string()),
            })
        });
        let homes = homes.collect();
        let over_tcp = relays.iter().any(|relay| relay.streams.is_some());
        let verdict = match (report.status.homes, report.udp) {
            (0, _) => Verdict::Unreachable,
            (_, UdpState::Blocked) if over_tcp => Verdict::OverTcp,
            (_, UdpState::Blocked) => Verdict::NoSound,
            (_, UdpState::Works | UdpState::Unknown) => Verdict::Callable,
        };
        let ipv6 = ipv6(&report);
        let findings = [
            Some(homes_found(&report)),
            address_found(&report),
            Some(nat_found(&report)),
            Some(udp_found(report.udp, over_tcp)),
            Some(ipv6_found(ipv6)),
            Some(port_found(&report)),
            Some(helping_found(&report)),
            Some(clock_found(report.clock_behind)),
        ];
        let findings = findings.into_iter().flatten().collect();
        Self { verdict, findings, homes, ipv6, report }
    }

    /// What the window shows of it.
    pub(super) fn found(&self) -> NetworkFound {
        NetworkFound { verdict: self.verdict, findings: self.findings.clone(), lines: self.to_report() }
    }

    /// Why people cannot call; nothing when they can.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.verdict {
            Verdict::Callable | Verdict::OverTcp => None,
            Verdict::NoSound => Some("People can find and ring you, but no sound would get through"),
            Verdict::Unreachable => Some("Nobody can call you: no supernode can ring this computer"),
        }
    }

    /// The fields of the event.
    pub(super) fn fields(&self) -> Value {
        let findings = self.findings.iter().map(|found| {
            let bearing = match found.bearing {
                Bearing::Good => "good",
                Bearing::Note => "note",
                Bearing::Bad => "bad",
            };
            json!({ "topic": found.topic, "bearing": bearing, "message": found.fact.message(), "advice": found.fact.advice() })
        });
        json!({
            "callable": self.obstacle().is_none(),
            "verdict": match self.verdict {
                Verdict::Callable => "callable",
                Verdict::OverTcp => "over_tcp",
                Verdict::NoSound => "no_sound",
                Verdict::Unreachable => "unreachable",
            },
            "homes": self.homes, "nat": self.report.status.nat.as_str(),
            "udp": match self.report.udp {
                UdpState::Works => "works",
                UdpState::Blocked => "blocked",
                UdpState::Unknown => "unknown",
            },
            "ipv6": match self.ipv6 {
                Ipv6::None => "none",
                Ipv6::Unproven => "unproven",
                Ipv6::Works => "works",
            },
            "port": match self.report.status.filtering {
                Filtering::Unknown => "not_tested",
                Filtering::EndpointIndependent => "open",
                Filtering::Filtered => "filtered",
            },
            "helping": helping::in_words(self.report.status.candidacy).0,
            "helping_reason": helping::unfit_word(self.report.status.candidacy),
            "clock_behind_ms": self.report.clock_behind.map(Skew::as_millis),
            "supernodes_known": self.report.status.supernodes_known,
            "findings": findings.collect::<Vec<_>>(),
        })
    }

    /// The verdict, in a sentence.
    fn headline(&self) -> String {
        let callable = match self.verdict {
            Verdict::OverTcp => "People can call you; but calls go over TCP, and the sound may stutter",
            Verdict::Callable | Verdict::NoSound | Verdict::Unreachable => "People can call you",
        };
        format!("{}.", self.obstacle().unwrap_or(callable))
    }

    /// For a person at the window, and whoever they send it to: the same as [`Diagnosis::to_lines`], without commands.
    fn to_report(&self) -> String {
        let mut lines = vec![self.headline()];
        for found in &self.findings {
            let advice = found.fact.advice_in_window().map(|advice| format!(" {advice}")).unwrap_or_default();
            lines.push(format!("- {}{advice}", found.fact.message()));
        }
        lines.join("\n")
    }

    /// For a person at the command line: the verdict, then one line for each finding.
    pub(super) fn to_lines(&self) -> String {
        let mut lines = vec![self.headline()];
        for found in &self.findings {
            let mark = match found.bearing {
                Bearing::Good => "+",
                Bearing::Note => "o",
                Bearing::Bad => "!",
            };
            let advice = found.fact.advice().map(|advice| format!(" {advice}")).unwrap_or_default();
            lines.push(format!("  {mark} {}{advice}", found.fact.message()));
        }
        lines.join("\n")
    }
}

fn finding(topic: &'static str, bearing: Bearing, fact: Fact) -> Finding {
    Finding { topic, bearing, fact }
}

fn homes_found(report: &Report) -> Finding {
    let topic = "homes";
    if report.status.homes == 0 {
        let fact = match (report.status.supernodes_known, report.supernodes.is_empty()) {
            (_, false) => Fact::NotTakenIn,
            (0, true) => Fact::NobodyKnown,
            (_, true) => Fact::NobodyAnswers,
        };
        return finding(topic, Bearing::Bad, fact);
    }
    let rings = report.supernodes.iter().filter(|link| link.rings);
    let homes: Vec<_> = rings.map(|link| (link.remote, link.carrier)).collect();
    match (report.status.role, homes.is_empty()) {
        (Role::Supernode, true) => finding(topic, Bearing::Good, Fact::IsSupernode),
        _ => finding(topic, Bearing::Good, Fact::RungThrough(homes)),
    }
}

/// Nothing where the finding about homes says it already.
fn address_found(report: &Report) -> Option<Finding> {
    let seen = report.supernodes.iter().filter_map(|link| link.observed);
    let seen: BTreeSet<IpAddr> = seen.map(|seen| seen.ip().to_canonical()).collect();
    let fact = Fact::SeenAt(seen.into_iter().collect());
    (fact != Fact::SeenAt(Vec::new())).then(|| finding("address", Bearing::Good, fact))
}

fn nat_found(report: &Report) -> Finding {
    let bearing = match report.status.nat {
        NatKind::Open | NatKind::EndpointIndependent => Bearing::Good,
        NatKind::AddressDependent | NatKind::Unknown => Bearing::Note,
    };
    finding("nat", bearing, Fact::Nat(report.status.nat))
}

fn udp_found(udp: UdpState, over_tcp: bool) -> Finding {
    let (bearing, fact) = match udp {
        UdpState::Works => (Bearing::Good, Fact::UdpWorks),
        UdpState::Blocked if over_tcp => (Bearing::Note, Fact::CallsOverTcp),
        UdpState::Blocked => (Bearing::Bad, Fact::NoWayForSound),
        UdpState::Unknown => (Bearing::Note, Fact::UdpUnknown),
    };
    finding("udp", bearing, fact)
}

/// What volunteers and supernodes have tested; nobody needs an open port to be called.
fn port_found(report: &Report) -> Finding {
    let topic = "port";
    match (report.status.filtering, report.status.role) {
        (Filtering::EndpointIndependent, _) => finding(topic, Bearing::Good, Fact::PortOpen),
        (Filtering::Filtered, Role::Supernode) => {
            finding(topic, Bearing::Bad, Fact::PortFiltered(Role::Supernode))
        }
        (Filtering::Filtered, Role::Leaf) => finding(topic, Bearing::Note, Fact::PortFiltered(Role::Leaf)),
        (Filtering::Unknown, _) => finding(topic, Bearing::Note, Fact::PortUntested),
    }
}

/// What this computer does for others; being called does not depend on it.
fn helping_found(report: &Report) -> Finding {
    let topic = "helping";
    match (report.status.candidacy, report.status.role) {
        (Candidacy::None, Role::Supernode) => finding(topic, Bearing::Good, Fact::Serves),
        (Candidacy::None, Role::Leaf) => finding(topic, Bearing::Note, Fact::OffersNothing),
        (candidacy @ (Candidacy::Unfit(_) | Candidacy::Draining | Candidacy::CoolingDown), _) => {
            finding(topic, Bearing::Note, Fact::Helping(candidacy))
        }
        (candidacy @ (Candidacy::Proving | Candidacy::StandBy | Candidacy::Serving), _) => {
            finding(topic, Bearing::Good, Fact::Helping(candidacy))
        }
    }
}

fn ipv6(report: &Report) -> Ipv6 {
    if report.supernodes.iter().any(|link| link.remote.ip().to_canonical().is_ipv6()) {
        return Ipv6::Works;
    }
    let global = |ip: &Ipv6Addr| ip.segments()[0] & 0xe000 == 0x2000;
    let has_one = report.addresses.iter().any(|ip| matches!(ip, IpAddr::V6(ip) if global(ip)));
    if has_one { Ipv6::Unproven } else { Ipv6::None }
}

fn ipv6_found(ipv6: Ipv6) -> Finding {
    let bearing = if ipv6 == Ipv6::Works { Bearing::Good } else { Bearing::Note };
    finding("ipv6", bearing, Fact::Ipv6(ipv6))
}

fn clock_found(behind: Option<Skew>) -> Finding {
    let topic = "clock";
    let Some(behind) = behind.map(Skew::as_millis) else {
        return finding(topic, Bearing::Note, Fact::ClockUnknown);
    };
    let (off, seconds) = (behind.saturating_abs(), behind.unsigned_abs() / 1000);
    let error = if behind < 0 { ClockError::Ahead(seconds) } else { ClockError::Behind(seconds) };
    if off < CLOCK_TOLERATED_MS {
        finding(topic, Bearing::Good, Fact::ClockRight)
    } else if off <= CLOCK_CORRECTED_MS {
        finding(topic, Bearing::Note, Fact::ClockCorrected(error))
    } else {
        finding(topic, Bearing::Bad, Fact::ClockFarOff(error))
    }
}

fn carrier(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Quic => "quic",
        Carrier::Tcp => "tcp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overlay::{
        LinkKey, Status,
        outcome::{Kept, Stats, SupernodeLink, Traffic},
        record::CertificateHash,
        wire::Load,
    };
    use relay::{Credentials, UnixTime};

    fn report() -> Report {
        let link = |last: u8, carrier| SupernodeLink {
            remote: ([203, 0, 113, last], 7600).into(),
            carrier,
            rings: true,
            observed: Some(([198, 51, 100, 7], 5000).into()),
        };
        Report {
            status: Status {
                homes: 2,
                supernodes_known: 5,
                role: Role::Leaf,
                nat: NatKind::EndpointIndependent,
                observed: None,
                serves_at: None,
                candidacy: Candidacy::default(),
                filtering: Filtering::default(),
                load: Load::default(),
                clock: Skew::default(),
                stats: Stats::default(),
            },
            supernodes: vec![link(1, Carrier::Quic), link(2, Carrier::Tcp)],
            udp: UdpState::Works,
            addresses: vec![[192, 168, 1, 2].into()],
            clock_behind: Some(Skew::from_millis(300)),
            kept: Kept::default(),
            traffic: Traffic::default(),
            relay: None,
        }
    }

    /// A relay that somebody lends; over TCP as well where it says a port.
    fn relay(tcp: Option<u16>) -> RelayOffer {
        let ip = IpAddr::from([203, 0, 113, 1]);
        RelayOffer {
            node: LinkKey::from_bytes([1; 32]),
            udp: (ip, 3478).into(),
            streams: tcp.map(|port| ((ip, port).into(), CertificateHash::from_bytes([2; 32]))),
            credentials: Credentials { username: "u".into(), password: "p".into() },
            expires: UnixTime::from_secs(1),
        }
    }

    fn about<'a>(diagnosis: &'a Diagnosis, topic: &str) -> &'a Finding {
        diagnosis.findings.iter().find(|found| found.topic == topic).unwrap()
    }

    #[test]
    fn a_home_with_udp_can_be_called_and_is_told_how_it_is_reached() {
        let diagnosis = Diagnosis::of(report(), &[]);
        assert_eq!((diagnosis.verdict, diagnosis.obstacle()), (Verdict::Callable, None));
        let homes = about(&diagnosis, "homes").fact.message();
        assert!(
            homes.contains("203.0.113.1:7600 over UDP") && homes.contains("203.0.113.2:7600 over TCP"),
            "{homes}"
        );
        assert!(about(&diagnosis, "address").fact.message().contains("198.51.100.7"));
        assert!(diagnosis.findings.iter().all(|found| found.bearing != Bearing::Bad));
        let fields = diagnosis.fields();
        assert_eq!((&fields["callable"], &fields["homes"][1]["carrier"]), (&json!(true), &json!("tcp")));
        assert!(diagnosis.to_lines().starts_with("People can call you.\n"));
    }

    #[test]
    fn every_obstacle_has_words_of_its_own_and_an_advice() {
        let mut blocked = report();
        blocked.udp = UdpState::Blocked;
        let mut alone = report();
        (alone.status.homes, alone.supernodes) = (0, Vec::new());
        let mut lost = alone.clone();
        lost.status.supernodes_known = 0;
        let mut refused = report();
        refused.status.homes = 0;
        refused.supernodes.iter_mut().for_each(|link| link.rings = false);
        let cases = [
            (blocked, Verdict::NoSound, "udp"),
            (alone, Verdict::Unreachable, "homes"),
            (lost, Verdict::Unreachable, "homes"),
            (refused, Verdict::Unreachable, "homes"),
        ];
        let mut told = BTreeSet::new();
        for (report, verdict, topic) in cases {
            let diagnosis = Diagnosis::of(report, &[]);
            assert_eq!(diagnosis.verdict, verdict);
            assert!(diagnosis.obstacle().is_some());
            let found = about(&diagnosis, topic);
            assert_eq!(found.bearing, Bearing::Bad);
            assert!(found.fact.advice().is_some_and(|advice| advice.ends_with('.')), "{found:?}");
            assert!(told.insert(found.fact.message()), "{found:?} twice");
        }
    }

    #[test]
    fn where_udp_is_blocked_a_relay_over_tcp_makes_calls_possible() {
        let mut blocked = report();
        blocked.udp = UdpState::Blocked;
        let diagnosis = Diagnosis::of(blocked.clone(), &[relay(None), relay(Some(443))]);
        assert_eq!((diagnosis.verdict, diagnosis.obstacle()), (Verdict::OverTcp, None));
        let fields = diagnosis.fields();
        assert_eq!((&fields["callable"], &fields["verdict"]), (&json!(true), &json!("over_tcp")));
        let found = about(&diagnosis, "udp");
        assert_eq!(found.bearing, Bearing::Note, "it could be better, and it works");
        assert!(found.fact.message().contains("stutter") && found.fact.advice().is_some(), "{found:?}");
        assert!(diagnosis.to_lines().starts_with("People can call you; but calls go over TCP"));
        // A relay over UDP is of no use there; without a home nobody rings, whoever lends what.
        assert_eq!(Diagnosis::of(blocked.clone(), &[relay(None)]).verdict, Verdict::NoSound);
        (blocked.status.homes, blocked.supernodes) = (0, Vec::new());
        assert_eq!(Diagnosis::of(blocked, &[relay(Some(443))]).verdict, Verdict::Unreachable);
    }

    #[test]
    fn address_translation_ipv6_and_the_clock_are_judged() {
        let mut seen = report();
        seen.status.nat = NatKind::AddressDependent;
        seen.addresses.push(Ipv6Addr::new(0x2a00, 1, 2, 3, 4, 5, 6, 7).into());
        seen.clock_behind = Some(Skew::from_millis(-90_000));
        let diagnosis = Diagnosis::of(seen, &[]);
        assert_eq!(diagnosis.verdict, Verdict::Callable);
        assert!(about(&diagnosis, "nat").fact.advice().is_some());
        assert_eq!(diagnosis.fields()["ipv6"], "unproven");
        let clock = about(&diagnosis, "clock");
        assert!(clock.fact.message().contains("90 s ahead") && clock.bearing == Bearing::Note, "{clock:?}");

        let mut seen = report();
        seen.clock_behind = Some(Skew::from_millis(i64::MAX));
        seen.supernodes[0].remote = (Ipv6Addr::LOCALHOST, 1).into();
        let diagnosis = Diagnosis::of(seen, &[]);
        assert_eq!(about(&diagnosis, "clock").bearing, Bearing::Bad);
        assert_eq!(diagnosis.fields()["ipv6"], "works");
        for (filtering, word) in [(Filtering::EndpointIndependent, "open"), (Filtering::Filtered, "filtered")]
        {
            let mut seen = report();
            seen.status.filtering = filtering;
            let diagnosis = Diagnosis::of(seen, &[]);
            assert_eq!((diagnosis.verdict, &diagnosis.fields()["port"]), (Verdict::Callable, &json!(word)));
        }
        let mut seen = report();
        seen.clock_behind = None;
        assert_eq!(about(&Diagnosis::of(seen, &[]), "clock").bearing, Bearing::Note);
    }
}
