//! "Can people call me?", answered from what the node knows about itself: findings in plain sentences, each with what
//! to change, and one verdict.

use super::{helping, view::NetworkFound};
use overlay::{
    NatKind, Report, Role,
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
    /// It rings, and no sound gets through.
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
    pub message: String,
    /// What to change; nothing if nothing.
    pub advice: Option<&'static str>,
}

/// What is known of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ipv6 {
    /// No address that others could reach.
    None,
    /// An address, and no supernode reached over it.
    Unproven,
    /// A supernode was reached over it.
    Works,
}

/// A wrong clock below this is nobody's concern.
const CLOCK_TOLERATED_MS: i64 = 5_000;
/// More than this is corrected by nobody.
const CLOCK_CORRECTED_MS: i64 = 24 * 3600 * 1000;

impl Diagnosis {
    /// Draws the conclusions.
    pub fn of(report: Report) -> Self {
        let rung_by: Vec<_> = report.supernodes.iter().filter(|link| link.rings).collect();
        let homes = rung_by.iter().map(|link| {
            json!({
                "address": link.remote.to_string(), "carrier": carrier(link.carrier),
                "observed": link.observed.map(|seen| seen.to_string()),
            })
        });
        let homes = homes.collect();
        let verdict = match (report.status.homes, report.udp) {
            (0, _) => Verdict::Unreachable,
            (_, UdpState::Blocked) => Verdict::NoSound,
            (_, UdpState::Works | UdpState::Unknown) => Verdict::Callable,
        };
        let ipv6 = ipv6(&report);
        let findings = vec![
            homes_found(&report),
            address_found(&report),
            nat_found(&report),
            udp_found(report.udp),
            ipv6_found(ipv6),
            port_found(&report),
            helping_found(&report),
            clock_found(report.clock_behind),
        ];
        let findings = findings.into_iter().filter(|found| !found.message.is_empty()).collect();
        Self { verdict, findings, homes, ipv6, report }
    }

    /// What the window shows of it.
    pub(super) fn found(&self) -> NetworkFound {
        NetworkFound { verdict: self.verdict, findings: self.findings.clone(), lines: self.to_lines() }
    }

    /// Why people cannot call; nothing when they can.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.verdict {
            Verdict::Callable => None,
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
            json!({ "topic": found.topic, "bearing": bearing, "message": found.message, "advice": found.advice })
        });
        json!({
            "callable": self.verdict == Verdict::Callable,
            "verdict": match self.verdict {
                Verdict::Callable => "callable",
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

    /// For a person: the verdict, then one line for each finding.
    pub(super) fn to_lines(&self) -> String {
        let mut lines = vec![format!("{}.", self.obstacle().unwrap_or("People can call you"))];
        for found in &self.findings {
            let mark = match found.bearing {
                Bearing::Good => "+",
                Bearing::Note => "o",
                Bearing::Bad => "!",
            };
            let advice = found.advice.map(|advice| format!(" {advice}")).unwrap_or_default();
            lines.push(format!("  {mark} {}{advice}", found.message));
        }
        lines.join("\n")
    }
}

fn finding(
    topic: &'static str,
    bearing: Bearing,
    message: impl Into<String>,
    advice: Option<&'static str>,
) -> Finding {
    Finding { topic, bearing, message: message.into(), advice }
}

fn homes_found(report: &Report) -> Finding {
    let topic = "homes";
    if report.status.homes > 0 {
        let list: Vec<String> = report
            .supernodes
            .iter()
            .filter(|link| link.rings)
            .map(|link| format!("{} over {}", link.remote, carrier_in_words(link.carrier)))
            .collect();
        return match (report.status.role, list.is_empty()) {
            (Role::Supernode, true) => {
                finding(topic, Bearing::Good, "This computer is a supernode itself.", None)
            }
            _ => finding(topic, Bearing::Good, format!("You are rung through {}.", list.join(", ")), None),
        };
    }
    let (message, advice) = match (report.status.supernodes_known, report.supernodes.is_empty()) {
        (_, false) => (
            "Supernodes answer, but none of them took this computer in.",
            "They may be full: try again in a minute, or name another one with --bootstrap HOST:PORT.",
        ),
        (0, true) => (
            "No supernode was found.",
            "Name one with --bootstrap HOST:PORT; if you did, check its address and your network connection.",
        ),
        (_, true) => (
            "Supernodes are known, and none of them answers.",
            "Check your network connection; a firewall must let out UDP, or at least TCP to port 443.",
        ),
    };
    finding(topic, Bearing::Bad, message, Some(advice))
}

fn address_found(report: &Report) -> Finding {
    let seen: BTreeSet<IpAddr> = report
        .supernodes
        .iter()
        .filter_map(|link| link.observed)
        .map(|seen| seen.ip().to_canonical())
        .collect();
    let seen: Vec<String> = seen.iter().map(IpAddr::to_string).collect();
    match seen.is_empty() {
        // Said by the finding about homes already.
        true => finding("address", Bearing::Note, "", None),
        false => finding(
            "address",
            Bearing::Good,
            format!("From outside you are seen at {}.", seen.join(", ")),
            None,
        ),
    }
}

fn nat_found(report: &Report) -> Finding {
    let topic = "nat";
    match report.status.nat {
        NatKind::Open => finding(topic, Bearing::Good, "No router translates your address.", None),
        NatKind::EndpointIndependent => finding(
            topic,
            Bearing::Good,
            "Your router keeps one public port for everybody: most calls are direct.",
            None,
        ),
        NatKind::AddressDependent => finding(
            topic,
            Bearing::Note,
            "Your router takes another public port for everybody you talk to: many calls go through a relay.",
            Some(
                "For direct calls turn on \"full cone\" (endpoint-independent) translation or IPv6 in the router.",
            ),
        ),
        NatKind::Unknown => finding(
            topic,
            Bearing::Note,
            "How your router translates addresses is not known: it takes two supernodes that answer over UDP.",
            None,
        ),
    }
}

fn udp_found(udp: UdpState) -> Finding {
    let topic = "udp";
    match udp {
        UdpState::Works => finding(topic, Bearing::Good, "UDP gets through.", None),
        UdpState::Blocked => finding(
            topic,
            Bearing::Bad,
            "Your network blocks UDP: supernodes answer over TCP only, and this version sends sound over UDP.",
            Some("Let UDP out in the firewall, or use another network."),
        ),
        UdpState::Unknown => finding(topic, Bearing::Note, "Nobody answered yet, over UDP or TCP.", None),
    }
}

/// What volunteers and supernodes have tested; nobody needs an open port to be called.
fn port_found(report: &Report) -> Finding {
    let topic = "port";
    match (report.status.filtering, report.status.role) {
        (Filtering::EndpointIndependent, _) => {
            finding(topic, Bearing::Good, "Strangers reach a port of this computer.", None)
        }
        (Filtering::Filtered, Role::Supernode) => finding(
            topic,
            Bearing::Bad,
            "Others do not reach the port of this supernode, so nobody new is sent to it.",
            Some("Let its UDP port in through the firewall and forward it in the router, or stop it."),
        ),
        (Filtering::Filtered, Role::Leaf) => finding(
            topic,
            Bearing::Note,
            "Strangers do not reach a port of this computer, so it cannot serve others; calls do not need that.",
            Some("To lend it as a supernode, forward its UDP port in the router."),
        ),
        (Filtering::Unknown, _) => finding(
            topic,
            Bearing::Note,
            "Whether strangers reach a port of this computer was not tested: only who serves others needs that.",
            None,
        ),
    }
}

/// What this computer does for others; being called does not depend on it.
fn helping_found(report: &Report) -> Finding {
    let topic = "helping";
    let (_, message, advice) = helping::in_words(report.status.candidacy);
    match (report.status.candidacy, report.status.role) {
        (Candidacy::None, Role::Supernode) => {
            finding(topic, Bearing::Good, "It serves others because its operator said so.", None)
        }
        (Candidacy::None, Role::Leaf) => finding(
            topic,
            Bearing::Note,
            message,
            Some(
                "To let it, whenever it is fit and needed: say so under Help in the window, or `silbo online --help-others`.",
            ),
        ),
        (Candidacy::Unfit(_) | Candidacy::Draining | Candidacy::CoolingDown, _) => {
            finding(topic, Bearing::Note, message, advice)
        }
        (Candidacy::Proving | Candidacy::StandBy | Candidacy::Serving, _) => {
            finding(topic, Bearing::Good, message, advice)
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
    let topic = "ipv6";
    match ipv6 {
        Ipv6::Works => finding(topic, Bearing::Good, "IPv6 works: a supernode was reached over it.", None),
        Ipv6::Unproven => finding(
            topic,
            Bearing::Note,
            "This computer has a public IPv6 address, but no supernode was reached over it.",
            None,
        ),
        Ipv6::None => finding(
            topic,
            Bearing::Note,
            "This computer has no public IPv6 address.",
            Some("With IPv6 turned on in the router more calls are direct."),
        ),
    }
}

fn clock_found(behind: Option<Skew>) -> Finding {
    let topic = "clock";
    let Some(behind) = behind.map(Skew::as_millis) else {
        return finding(
            topic,
            Bearing::Note,
            "Too few supernodes said what time it is to judge the clock.",
            None,
        );
    };
    let seconds = behind.unsigned_abs() / 1000;
    let side = if behind < 0 { "ahead" } else { "behind" };
    let advice = Some("Let the system set the time from the network.");
    let off = behind.saturating_abs();
    if off < CLOCK_TOLERATED_MS {
        finding(topic, Bearing::Good, "The clock is right.", None)
    } else if off <= CLOCK_CORRECTED_MS {
        let message = format!("The clock is {seconds} s {side}; Silbo goes by the supernodes' time instead.");
        finding(topic, Bearing::Note, message, advice)
    } else {
        let message = format!(
            "The clock is {seconds} s {side}: too far to be corrected, so that no record is valid here."
        );
        finding(topic, Bearing::Bad, message, advice)
    }
}

fn carrier(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Quic => "quic",
        Carrier::Tcp => "tcp",
    }
}

fn carrier_in_words(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Quic => "UDP (QUIC)",
        Carrier::Tcp => "TCP (TLS)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overlay::{
        Status,
        outcome::{Kept, Stats, SupernodeLink, Traffic},
        wire::Load,
    };

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

    fn about<'a>(diagnosis: &'a Diagnosis, topic: &str) -> &'a Finding {
        diagnosis.findings.iter().find(|found| found.topic == topic).unwrap()
    }

    #[test]
    fn a_home_with_udp_can_be_called_and_is_told_how_it_is_reached() {
        let diagnosis = Diagnosis::of(report());
        assert_eq!((diagnosis.verdict, diagnosis.obstacle()), (Verdict::Callable, None));
        let homes = &about(&diagnosis, "homes").message;
        assert!(
            homes.contains("203.0.113.1:7600 over UDP") && homes.contains("203.0.113.2:7600 over TCP"),
            "{homes}"
        );
        assert!(about(&diagnosis, "address").message.contains("198.51.100.7"));
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
            let diagnosis = Diagnosis::of(report);
            assert_eq!(diagnosis.verdict, verdict);
            assert!(diagnosis.obstacle().is_some());
            let found = about(&diagnosis, topic);
            assert_eq!(found.bearing, Bearing::Bad);
            assert!(found.advice.is_some_and(|advice| advice.ends_with('.')), "{found:?}");
            assert!(told.insert(found.message.clone()), "{found:?} twice");
        }
    }

    #[test]
    fn address_translation_ipv6_and_the_clock_are_judged() {
        let mut seen = report();
        seen.status.nat = NatKind::AddressDependent;
        seen.addresses.push(Ipv6Addr::new(0x2a00, 1, 2, 3, 4, 5, 6, 7).into());
        seen.clock_behind = Some(Skew::from_millis(-90_000));
        let diagnosis = Diagnosis::of(seen);
        assert_eq!(diagnosis.verdict, Verdict::Callable);
        assert!(about(&diagnosis, "nat").advice.is_some());
        assert_eq!(diagnosis.fields()["ipv6"], "unproven");
        let clock = about(&diagnosis, "clock");
        assert!(clock.message.contains("90 s ahead") && clock.bearing == Bearing::Note, "{clock:?}");

        let mut seen = report();
        seen.clock_behind = Some(Skew::from_millis(i64::MAX));
        seen.supernodes[0].remote = (Ipv6Addr::LOCALHOST, 1).into();
        let diagnosis = Diagnosis::of(seen);
        assert_eq!(about(&diagnosis, "clock").bearing, Bearing::Bad);
        assert_eq!(diagnosis.fields()["ipv6"], "works");
        for (filtering, word) in [(Filtering::EndpointIndependent, "open"), (Filtering::Filtered, "filtered")]
        {
            let mut seen = report();
            seen.status.filtering = filtering;
            let diagnosis = Diagnosis::of(seen);
            assert_eq!((diagnosis.verdict, &diagnosis.fields()["port"]), (Verdict::Callable, &json!(word)));
        }
        let mut seen = report();
        seen.clock_behind = None;
        assert_eq!(about(&Diagnosis::of(seen), "clock").bearing, Bearing::Note);
    }
}
