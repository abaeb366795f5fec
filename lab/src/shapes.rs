//! Shapes of network in which it is not two uplinks alone that decide what a call can be, and a call each way in each.
//!
//! | shape | what it is | the way |
//! |---|---|---|
//! | same-lan | both hosts at one router | direct, by private addresses |
//! | hairpin | two networks of one router, which reach each other by its outside only | direct |
//! | no-hairpin | the same, and its outside is not reached from inside | relayed |
//! | carrier-hairpin | two homes at one carrier, which reach each other by its outside only | direct |
//! | carrier-no-hairpin | the same, and its outside is not reached from inside | relayed |
//! | short-mappings | routers that forget a flow of 30 s of silence; the callee idles, the call falls silent | direct |
//! | ipv6 | no IPv4 at either end, and firewalls that let in answers only | direct |
//! | ipv6-and-ipv4 | no IPv4 at one end, no IPv6 at the other | relayed |
//! | broken-ipv6 | IPv6 addresses and a route, and nothing gets through; as quick as without | direct |
//! | changed-port | a translator that has one other port outside for each inside | direct |
//! | crowd | two calls at once between two hosts of one router and two of another | direct |
//!
//! ```text
//!   Shape ─ lay ─▶ Laid: hosts, supernode's addresses ─ reflect ─▶ is it one? ─▶ table: a calls b, b calls a ─▶ Verdict
//! ```

mod lay;
mod table;

use crate::grid::Outcome;
use crate::reflect;
use anyhow::{Context as _, Result, ensure};
pub use lay::Laid;
use relay::nat::{Behaviour, Filtering, Mapping};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
pub use table::Call;

/// What a network looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Both hosts at one router.
    SameLan,
    /// Two networks of one router that hairpins.
    Hairpin,
    /// Two networks of one router that does not.
    NoHairpin,
    /// Two homes at one carrier that hairpins.
    CarrierHairpin,
    /// Two homes at one carrier that does not.
    CarrierNoHairpin,
    /// Flows are forgotten soon.
    ShortMappings,
    /// IPv6 alone, firewalled.
    Ipv6,
    /// IPv6 alone at one end, IPv4 alone at the other.
    Ipv6AndIpv4,
    /// IPv6 that swallows everything.
    BrokenIpv6,
    /// Mapping is endpoint-independent, and the port another one.
    ChangedPort,
    /// Several hosts at each router.
    Crowd,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::SameLan,
        Self::Hairpin,
        Self::NoHairpin,
        Self::CarrierHairpin,
        Self::CarrierNoHairpin,
        Self::ShortMappings,
        Self::Ipv6,
        Self::Ipv6AndIpv4,
        Self::BrokenIpv6,
        Self::ChangedPort,
        Self::Crowd,
    ];

    /// Those that show most in little time.
    pub const QUICK: [Self; 3] = [Self::Hairpin, Self::Ipv6, Self::Ipv6AndIpv4];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameLan => "same-lan",
            Self::Hairpin => "hairpin",
            Self::NoHairpin => "no-hairpin",
            Self::CarrierHairpin => "carrier-hairpin",
            Self::CarrierNoHairpin => "carrier-no-hairpin",
            Self::ShortMappings => "short-mappings",
            Self::Ipv6 => "ipv6",
            Self::Ipv6AndIpv4 => "ipv6-and-ipv4",
            Self::BrokenIpv6 => "broken-ipv6",
            Self::ChangedPort => "changed-port",
            Self::Crowd => "crowd",
        }
    }

    /// What a call in it must become.
    const fn expected(self) -> Outcome {
        match self {
            Self::NoHairpin | Self::CarrierNoHairpin | Self::Ipv6AndIpv4 => Outcome::RelayedUdp,
            Self::SameLan
            | Self::Hairpin
            | Self::CarrierHairpin
            | Self::ShortMappings
            | Self::Ipv6
            | Self::BrokenIpv6
            | Self::ChangedPort
            | Self::Crowd => Outcome::Direct,
        }
    }

    /// Whether its translators bring a datagram to their own outside back in; nothing where there are none.
    const fn hairpins(self) -> Option<bool> {
        match self {
            Self::Hairpin | Self::CarrierHairpin => Some(true),
            Self::Ipv6 | Self::Ipv6AndIpv4 => None,
            _ => Some(false),
        }
    }

    /// Looks at each translator from inside, and insists that it does what the shape says.
    fn prove(self, laid: &Laid) -> Result<()> {
        let Some(hairpins) = self.hairpins() else { return Ok(()) };
        for host in laid.pairs.iter().flat_map(|[one, other]| [one, other]) {
            let seen = reflect::look_from(&laid.public, host)?;
            let expected = Behaviour {
                mapping: Mapping::EndpointIndependent,
                filtering: Filtering::AddressAndPortDependent,
            };
            ensure!(seen.behaviour() == Some(expected), "{host:?} is behind another translator: {seen:?}");
            ensure!(seen.hairpins == hairpins, "{host:?} is behind another hairpin: {seen:?}");
            let changes = seen.local_port != seen.mapped.first().map(std::net::SocketAddr::port);
            ensure!(changes == (self == Self::ChangedPort), "{host:?} has another port outside: {seen:?}");
        }
        Ok(())
    }

    /// What both do meanwhile.
    const fn course(self) -> Course {
        match self {
            Self::ShortMappings => Course { idle: IDLE, silent: SILENT },
            _ => Course { idle: Duration::ZERO, silent: Duration::ZERO },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|shape| shape.name() == text);
        found.with_context(|| format!("no shape is called {text:?}"))
    }
}

/// How a call goes.
#[derive(Debug, Clone, Copy)]
struct Course {
    /// How long the callee is online before.
    idle: Duration,
    /// How long both are muted in the middle.
    silent: Duration,
}

/// Seconds after which the routers of [`Shape::ShortMappings`] have forgotten a flow.
const FORGOTTEN_AFTER_S: u32 = 30;
/// Three lives of a mapping, and more than two.
const IDLE: Duration = Duration::from_secs(90);
const SILENT: Duration = Duration::from_secs(70);

/// What was played in a shape.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Which.
    pub shape: Shape,
    /// The calls that came about.
    pub calls: Vec<Call>,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

/// Calls each way to compare quickness by.
const COMPARED: usize = 3;

/// Plays all calls of a shape.
pub fn play(shape: Shape) -> Verdict {
    let (mut calls, mut faults) = (Vec::new(), Vec::new());
    if let Err(error) = try_play(shape, &mut calls, &mut faults) {
        faults.push(format!("{error:#}"));
    }
    Verdict { shape, calls, faults }
}

fn try_play(shape: Shape, calls: &mut Vec<Call>, faults: &mut Vec<String>) -> Result<()> {
    if shape == Shape::BrokenIpv6 {
        return compare(calls, faults);
    }
    let laid = lay::lay(shape)?;
    shape.prove(&laid)?;
    for way in [Side::First, Side::Second] {
        for call in table::play(shape, &laid, way) {
            judge(shape, call, calls, faults);
        }
    }
    if shape == Shape::ShortMappings {
        for router in lay::ROUTERS {
            laid.ground.forgets_within(router, FORGOTTEN_AFTER_S)?;
        }
    }
    Ok(())
}

fn judge(shape: Shape, call: Result<Call>, calls: &mut Vec<Call>, faults: &mut Vec<String>) {
    match call {
        Ok(call) => {
            if call.became != shape.expected() {
                faults.push(format!("a call became {}, not {}: {call}", call.became, shape.expected()));
            }
            calls.push(call);
        }
        Err(error) => faults.push(format!("{error:#}")),
    }
}

/// The same calls with and without IPv6 that swallows everything.
fn compare(calls: &mut Vec<Call>, faults: &mut Vec<String>) -> Result<()> {
    let mut medians = Vec::new();
    for broken in [false, true] {
        let laid = lay::two_homes(broken)?;
        Shape::BrokenIpv6.prove(&laid)?;
        let before = calls.len();
        for _ in 0..COMPARED {
            for way in [Side::First, Side::Second] {
                for call in table::play(Shape::BrokenIpv6, &laid, way) {
                    judge(Shape::BrokenIpv6, call, calls, faults);
                }
            }
        }
        let median = |what: fn(&Call) -> i64| {
            let mut all: Vec<i64> = calls[before..].iter().map(what).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied().context("no call came about")
        };
        medians.push([
            median(|call| call.online_ms)?,
            median(|call| call.start_ms)?,
            median(|call| call.setup_ms)?,
        ]);
    }
    let [without, with] = &medians[..] else { return Ok(()) };
    for ((what, without), with) in
        ["until online", "until calling", "from calling to sound"].iter().zip(without).zip(with)
    {
        if *with > without * 3 / 2 + 300 {
            faults
                .push(format!("{what}: {with} ms with IPv6 that swallows everything, {without} ms without"));
        }
    }
    Ok(())
}

/// Which of a pair calls the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first of a pair the second.
    First,
    /// The second the first.
    Second,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_found_by_its_name() {
        for shape in Shape::ALL {
            assert_eq!(shape.name().parse::<Shape>().unwrap(), shape);
        }
        assert!("round".parse::<Shape>().is_err());
    }
}
