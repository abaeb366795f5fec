//! What address translators do to datagrams (RFC 4787), and which way two ends behind them can therefore have.
//!
//! ```text
//!   host ──▶ translator ──▶ (carrier's translator) ──▶ internet
//!            mapping:   which outside port a datagram leaves from
//!            filtering: whose datagrams come in to that port
//! ```
//!
//! This is theory alone, the oracle that networks in memory and in network namespaces are held against: it knows nothing
//! of what any code does. Both ends know the address at which a server saw the other one, and write to it.

use std::fmt;
use std::str::FromStr;

/// When a translator takes another outside port for the same socket (RFC 4787 §4.1), the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mapping {
    /// Never: one port for all destinations.
    EndpointIndependent,
    /// For every destination address.
    AddressDependent,
    /// For every destination address and port.
    AddressAndPortDependent,
}

/// Whose datagrams a translator lets in to a port (RFC 4787 §5), the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filtering {
    /// Everybody's.
    EndpointIndependent,
    /// Of addresses that were written to from there.
    AddressDependent,
    /// Of addresses and ports that were written to from there.
    AddressAndPortDependent,
}

/// What one translator does, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Which ports it gives.
    pub mapping: Mapping,
    /// Whom it lets in.
    pub filtering: Filtering,
}

impl Behaviour {
    /// No translator at all does what the mildest would.
    pub const OPEN: Self =
        Self { mapping: Mapping::EndpointIndependent, filtering: Filtering::EndpointIndependent };
    const FULL_CONE: Self = Self::OPEN;
    const ADDRESS_RESTRICTED: Self = Self { filtering: Filtering::AddressDependent, ..Self::OPEN };
    const PORT_RESTRICTED: Self = Self { filtering: Filtering::AddressAndPortDependent, ..Self::OPEN };
    const SYMMETRIC: Self =
        Self { mapping: Mapping::AddressAndPortDependent, filtering: Filtering::AddressAndPortDependent };

    /// This one with another one outside of it: a datagram keeps its port only where both keep it, and comes in only where
    /// both let it in.
    pub fn behind(self, outer: Self) -> Self {
        Self { mapping: self.mapping.max(outer.mapping), filtering: self.filtering.max(outer.filtering) }
    }

    const fn is_hard(self) -> bool {
        !matches!(self.mapping, Mapping::EndpointIndependent)
    }
}

/// The ways a computer is connected to the internet by which a matrix of calls is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uplink {
    /// Its own public address, and nothing in the way.
    Open,
    /// A router that lets everybody in.
    FullCone,
    /// A router that lets in the addresses written to.
    AddressRestricted,
    /// A router that lets in the addresses and ports written to.
    PortRestricted,
    /// A router with another port for every destination.
    Symmetric,
    /// A port-restricted router, behind a port-restricted one of the carrier's.
    CarrierPort,
    /// A port-restricted router, behind a symmetric one of the carrier's.
    CarrierSymmetric,
    /// A firewall that lets nothing out but TCP to port 443.
    UdpBlocked,
}

impl Uplink {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::CarrierPort,
        Self::CarrierSymmetric,
        Self::UdpBlocked,
    ];

    /// What a datagram passes on its way out, from the host on.
    pub const fn translators(self) -> &'static [Behaviour] {
        match self {
            Self::Open => &[],
            Self::FullCone => &[Behaviour::FULL_CONE],
            Self::AddressRestricted => &[Behaviour::ADDRESS_RESTRICTED],
            // What lies behind the firewall matters to no datagram.
            Self::PortRestricted | Self::UdpBlocked => &[Behaviour::PORT_RESTRICTED],
            Self::Symmetric => &[Behaviour::SYMMETRIC],
            Self::CarrierPort => &[Behaviour::PORT_RESTRICTED, Behaviour::PORT_RESTRICTED],
            Self::CarrierSymmetric => &[Behaviour::PORT_RESTRICTED, Behaviour::SYMMETRIC],
        }
    }

    /// Whether datagrams get out at all.
    pub const fn passes_datagrams(self) -> bool {
        !matches!(self, Self::UdpBlocked)
    }

    /// What it looks like from outside; nothing where no datagram passes.
    pub fn behaviour(self) -> Option<Behaviour> {
        let together = self.translators().iter().fold(Behaviour::OPEN, |inner, outer| inner.behind(*outer));
        self.passes_datagrams().then_some(together)
    }

    /// Every pair once, whoever calls.
    pub fn pairs() -> impl Iterator<Item = (Self, Self)> {
        Self::ALL.into_iter().flat_map(|one| {
            Self::ALL.into_iter().filter(move |other| one <= *other).map(move |other| (one, other))
        })
    }

    /// Its short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::FullCone => "fullcone",
            Self::AddressRestricted => "addr",
            Self::PortRestricted => "port",
            Self::Symmetric => "symmetric",
            Self::CarrierPort => "cgn-port",
            Self::CarrierSymmetric => "cgn-sym",
            Self::UdpBlocked => "udpblocked",
        }
    }
}

impl fmt::Display for Uplink {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// No uplink has this name.
#[derive(Debug, thiserror::Error)]
#[error("no uplink is called {0:?}")]
pub struct UnknownUplink(String);

impl FromStr for Uplink {
    type Err = UnknownUplink;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|uplink| uplink.name() == name);
        known.ok_or_else(|| UnknownUplink(name.to_owned()))
    }
}

/// The best way two ends can have between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From one to the other, for both know where to write.
    Direct,
    /// From one to the other, once one has guessed a port that nobody can tell it; else through a relay.
    DirectByGuessing,
    /// Through a relay that both reach by UDP.
    RelayedUdp,
    /// Through a relay that one of them reaches by TCP only.
    RelayedTcp,
}

/// What is possible between two ends behind different translators; `None` is one whom no datagram leaves.
pub fn way(one: Option<Behaviour>, other: Option<Behaviour>) -> Way {
    let (Some(one), Some(other)) = (one, other) else { return Way::RelayedTcp };
    if is_heard(one, other) || is_heard(other, one) {
        Way::Direct
    } else if one.is_hard() && other.is_hard() {
        // A pair of ports to guess: four thousand million.
        Way::RelayedUdp
    } else {
        Way::DirectByGuessing
    }
}

/// Whether `from` gets an answer of `to`, each writing to the address at which a server saw the other one.
fn is_heard(from: Behaviour, to: Behaviour) -> bool {
    let comes_in = match to.filtering {
        Filtering::EndpointIndependent => true,
        // It has written there: to another port perhaps, and from the port that was seen unless it is hard.
        Filtering::AddressDependent => !to.is_hard(),
        Filtering::AddressAndPortDependent => !to.is_hard() && !from.is_hard(),
    };
    // A hard end answers from a port that was never written to.
    let answer_comes_in = !to.is_hard() || from.filtering <= Filtering::AddressDependent;
    comes_in && answer_comes_in
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(one: Uplink, other: Uplink) -> Way {
        way(one.behaviour(), other.behaviour())
    }

    fn of(expected: Way) -> Vec<String> {
        let pairs = Uplink::pairs().filter(|(one, other)| between(*one, *other) == expected);
        pairs.map(|(one, other)| format!("{one}:{other}")).collect()
    }

    #[test]
    fn eight_uplinks_make_thirty_six_pairs_and_either_may_call() {
        assert_eq!(Uplink::pairs().count(), 36);
        for (one, other) in Uplink::pairs() {
            assert_eq!(between(one, other), between(other, one), "{one} and {other}");
        }
    }

    #[test]
    fn whoever_has_one_port_for_all_is_reached_directly_by_all_who_have_one_port_for_all() {
        let easy = [
            Uplink::Open,
            Uplink::FullCone,
            Uplink::AddressRestricted,
            Uplink::PortRestricted,
            Uplink::CarrierPort,
        ];
        for (one, other) in easy.into_iter().flat_map(|one| easy.map(|other| (one, other))) {
            assert_eq!(between(one, other), Way::Direct, "{one} and {other}");
        }
    }

    #[test]
    fn a_hard_end_is_direct_with_whoever_lets_any_port_of_its_address_in() {
        for hard in [Uplink::Symmetric, Uplink::CarrierSymmetric] {
            for mild in [Uplink::Open, Uplink::FullCone, Uplink::AddressRestricted] {
                assert_eq!(between(hard, mild), Way::Direct, "{hard} and {mild}");
            }
        }
        assert_eq!(of(Way::Direct).len(), 21);
    }

    #[test]
    fn a_hard_end_guesses_for_whoever_lets_in_only_the_port_it_wrote_to() {
        let guessed = ["port:symmetric", "port:cgn-sym", "symmetric:cgn-port", "cgn-port:cgn-sym"];
        assert_eq!(of(Way::DirectByGuessing), guessed);
    }

    #[test]
    fn two_hard_ends_need_a_relay_and_whoever_sends_no_datagram_needs_one_by_tcp() {
        assert_eq!(of(Way::RelayedUdp), ["symmetric:symmetric", "symmetric:cgn-sym", "cgn-sym:cgn-sym"]);
        let by_tcp = of(Way::RelayedTcp);
        assert!(by_tcp.len() == 8 && by_tcp.iter().all(|pair| pair.contains("udpblocked")), "{by_tcp:?}");
    }

    #[test]
    fn translators_in_a_row_do_the_worst_of_each() {
        let behaviour = |uplink: Uplink| uplink.behaviour();
        assert_eq!(behaviour(Uplink::CarrierPort), behaviour(Uplink::PortRestricted));
        assert_eq!(behaviour(Uplink::CarrierSymmetric), behaviour(Uplink::Symmetric));
        assert_eq!(behaviour(Uplink::Open), behaviour(Uplink::FullCone));
    }

    #[test]
    fn a_hard_end_that_lets_everybody_in_is_heard_where_its_other_ports_are() {
        let odd = Some(Behaviour { mapping: Mapping::AddressDependent, ..Behaviour::OPEN });
        assert_eq!(way(odd, Uplink::AddressRestricted.behaviour()), Way::Direct);
        assert_eq!(way(odd, Uplink::PortRestricted.behaviour()), Way::DirectByGuessing);
        assert_eq!(way(odd, Uplink::Symmetric.behaviour()), Way::RelayedUdp);
    }

    #[test]
    fn uplinks_are_found_by_their_names() {
        for uplink in Uplink::ALL {
            assert_eq!(uplink.name().parse::<Uplink>().unwrap(), uplink);
        }
        assert!("dial-up".parse::<Uplink>().is_err());
    }
}
