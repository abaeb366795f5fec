//! What can be found out about the network, and the words the command line has for it; the window has its own.

use super::super::helping;
use overlay::{NatKind, Role, outcome::Carrier, volunteer::Candidacy};
use std::net::{IpAddr, SocketAddr};

/// One thing found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// This computer is a supernode, and needs none.
    IsSupernode,
    /// It is rung through these.
    RungThrough(Vec<(SocketAddr, Carrier)>),
    /// Supernodes answer, but none of them rings it.
    NotTakenIn,
    /// No supernode is known.
    NobodyKnown,
    /// Some are known, and none answers.
    NobodyAnswers,
    /// Supernodes see it at these addresses.
    SeenAt(Vec<IpAddr>),
    /// How its router translates addresses.
    Nat(NatKind),
    /// UDP gets through.
    UdpWorks,
    /// Nobody answered yet, over whatever.
    UdpUnknown,
    /// UDP does not get through; relays are lent over TCP.
    CallsOverTcp,
    /// UDP does not get through, and no relay is lent over TCP.
    NoWayForSound,
    /// Whether IPv6 works.
    Ipv6(Ipv6),
    /// Strangers reach a port of it.
    PortOpen,
    /// They do not.
    PortFiltered(Role),
    /// Nobody tried.
    PortUntested,
    /// It serves because whoever started it said so.
    Serves,
    /// Nobody agreed that it helps.
    OffersNothing,
    /// How far it is on its way to help.
    Helping(Candidacy),
    /// Too few said what time it is.
    ClockUnknown,
    /// It is right.
    ClockRight,
    /// It is wrong, and corrected by what others say.
    ClockCorrected(ClockError),
    /// It is wrong beyond correction.
    ClockFarOff(ClockError),
}

/// What is known of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6 {
    /// No address that others could reach.
    None,
    /// An address, and no supernode reached over it.
    Unproven,
    /// A supernode was reached over it.
    Works,
}

/// By how many seconds a clock is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockError {
    /// It says an earlier time than it is.
    Behind(u64),
    /// It says a later one.
    Ahead(u64),
}

impl Fact {
    /// What was found, in a sentence.
    pub fn message(&self) -> String {
        let message = match self {
            Self::RungThrough(homes) => {
                let list: Vec<String> = homes
                    .iter()
                    .map(|(address, over)| format!("{address} over {}", carrier(*over)))
                    .collect();
                return format!("You are rung through {}.", list.join(", "));
            }
            Self::SeenAt(seen) => {
                let seen: Vec<String> = seen.iter().map(IpAddr::to_string).collect();
                return format!("From outside you are seen at {}.", seen.join(", "));
            }
            Self::ClockCorrected(error) => {
                return format!("The clock is {}; Silbo goes by the supernodes' time instead.", off(*error));
            }
            Self::ClockFarOff(error) => {
                return format!(
                    "The clock is {}: too far to be corrected, so that no record is valid here.",
                    off(*error)
                );
            }
            Self::IsSupernode => "This computer is a supernode itself.",
            Self::NotTakenIn => "Supernodes answer, but none of them took this computer in.",
            Self::NobodyKnown => "No supernode was found.",
            Self::NobodyAnswers => "Supernodes are known, and none of them answers.",
            Self::Nat(NatKind::Open) => "No router translates your address.",
            Self::Nat(NatKind::EndpointIndependent) => {
                "Your router keeps one public port for everybody: most calls are direct."
            }
            Self::Nat(NatKind::AddressDependent) => {
                "Your router takes another public port for everybody you talk to: many calls go through a relay."
            }
            Self::Nat(NatKind::Unknown) => {
                "How your router translates addresses is not known: it takes two supernodes that answer over UDP."
            }
            Self::UdpWorks => "UDP gets through.",
            Self::UdpUnknown => "Nobody answered yet, over UDP or TCP.",
            Self::CallsOverTcp => {
                "Your network blocks UDP: calls go through a relay over TCP, and the sound may stutter."
            }
            Self::NoWayForSound => {
                "Your network blocks UDP, and no supernode lends a relay over TCP right now."
            }
            Self::Ipv6(Ipv6::Works) => "IPv6 works: a supernode was reached over it.",
            Self::Ipv6(Ipv6::Unproven) => {
                "This computer has a public IPv6 address, but no supernode was reached over it."
            }
            Self::Ipv6(Ipv6::None) => "This computer has no public IPv6 address.",
            Self::PortOpen => "Strangers reach a port of this computer.",
            Self::PortFiltered(Role::Supernode) => {
                "Others do not reach the port of this supernode, so nobody new is sent to it."
            }
            Self::PortFiltered(Role::Leaf) => {
                "Strangers do not reach a port of this computer, so it cannot serve others; calls do not need that."
            }
            Self::PortUntested => {
                "Whether strangers reach a port of this computer was not tested: only who serves others needs that."
            }
            Self::Serves => "It serves others because its operator said so.",
            Self::OffersNothing => helping::in_words(Candidacy::None).1,
            Self::Helping(candidacy) => helping::in_words(*candidacy).1,
            Self::ClockUnknown => "Too few supernodes said what time it is to judge the clock.",
            Self::ClockRight => "The clock is right.",
        };
        message.to_owned()
    }

    /// What to change; nothing if nothing.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NotTakenIn => Some(
                "They may be full: try again in a minute, or name another one with --bootstrap HOST:PORT.",
            ),
            Self::NobodyKnown => Some(
                "Name one with --bootstrap HOST:PORT; if you did, check its address and your network connection.",
            ),
            Self::NobodyAnswers => Some(
                "Check your network connection; a firewall must let out UDP, or at least TCP to port 443.",
            ),
            Self::Nat(NatKind::AddressDependent) => Some(
                "For direct calls turn on \"full cone\" (endpoint-independent) translation or IPv6 in the router.",
            ),
            Self::CallsOverTcp => {
                Some("For better sound let UDP out in the firewall, or use another network.")
            }
            Self::NoWayForSound => {
                Some("Let UDP out in the firewall, use another network, or try again in a minute.")
            }
            Self::Ipv6(Ipv6::None) => Some("With IPv6 turned on in the router more calls are direct."),
            Self::PortFiltered(Role::Supernode) => {
                Some("Let its UDP port in through the firewall and forward it in the router, or stop it.")
            }
            Self::PortFiltered(Role::Leaf) => {
                Some("To lend it as a supernode, forward its UDP port in the router.")
            }
            Self::OffersNothing => Some(
                "To let it, whenever it is fit and needed: say so under Help in the window, or `silbo online --help-others`.",
            ),
            Self::Helping(candidacy) => helping::in_words(*candidacy).2,
            Self::ClockCorrected(_) | Self::ClockFarOff(_) => {
                Some("Let the system set the time from the network.")
            }
            Self::IsSupernode
            | Self::RungThrough(_)
            | Self::SeenAt(_)
            | Self::Nat(_)
            | Self::UdpWorks
            | Self::UdpUnknown
            | Self::Ipv6(_)
            | Self::PortOpen
            | Self::PortUntested
            | Self::Serves
            | Self::ClockUnknown
            | Self::ClockRight => None,
        }
    }
}

impl Fact {
    /// What to change, for who reads it in the window: no commands.
    pub fn advice_in_window(&self) -> Option<&'static str> {
        match self {
            Self::NotTakenIn => Some("They may be full: try again in a minute."),
            Self::NobodyKnown => Some("Ask a friend for an invite, and check your network connection."),
            Self::OffersNothing => Some("To let it, whenever it is fit and needed: say so under Helping."),
            Self::Helping(Candidacy::Unfit(why)) => Some(helping::advice_in_window(*why)),
            other => other.advice(),
        }
    }
}

/// What carries a link.
fn carrier(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Quic => "UDP (QUIC)",
        Carrier::Tcp => "TCP (TLS)",
    }
}

fn off(error: ClockError) -> String {
    match error {
        ClockError::Behind(seconds) => format!("{seconds} s behind"),
        ClockError::Ahead(seconds) => format!("{seconds} s ahead"),
    }
}
