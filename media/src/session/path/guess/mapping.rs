//! How an end's translator maps (RFC 4787 §4.1): as servers saw it, as it is told, and as it is believed.
//!
//! ```text
//!   answers of STUN servers ── observed ──▶ Mapping ──▶ Claim ── MAPPING of a request ──▶ the other end
//!   the other end's Claim + the candidates it told ── resolve ──▶ Mapping
//!
//!   MAPPING   0xC5B1   0      1       2                   4
//!                      │ kind │ round │ local preference  │      kind: 1 independent (round 0) / 2 dependent
//! ```
//!
//! A claim names no address, for relays read requests: it names candidates, by the local preference they share (RFC 8445
//! §5.1.2.1), which the other end was told under seal.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use relay::server::PeerPolicy;

use super::super::AddressScope;
use crate::session::description::{Candidate, CandidateKind};

/// Which time the hard side's sockets are open; zero: they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::session::path) struct Round(pub(in crate::session::path) u8);

/// The middle of a candidate's priority: one base of ours, and whatever was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session::path) struct LocalPreference(pub(in crate::session::path) u16);

/// A mapping, and where it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session::path) enum Mapping {
    /// One address for everybody.
    Independent { at: SocketAddr },
    /// Another port for every destination: those that were seen, all of one address.
    Dependent { seen: Vec<SocketAddr>, round: Round },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session::path) enum Behaviour {
    Independent,
    Dependent { round: Round },
}

/// What an end says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session::path) struct Claim {
    pub(in crate::session::path) behaviour: Behaviour,
    pub(in crate::session::path) base: LocalPreference,
}

const INDEPENDENT: u8 = 1;
const DEPENDENT: u8 = 2;

impl Round {
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Mapping {
    /// An address it shows.
    pub(in crate::session::path) fn shown_at(&self) -> Option<SocketAddr> {
        match self {
            Self::Independent { at } => Some(*at),
            Self::Dependent { seen, .. } => seen.first().copied(),
        }
    }
}

impl LocalPreference {
    pub(in crate::session::path) const fn of(candidate: &Candidate) -> Self {
        Self((candidate.priority >> 8 & 0xffff) as u16)
    }
}

impl Claim {
    /// The value of MAPPING.
    pub(in crate::session::path) const fn encode(self) -> [u8; 4] {
        let [high, low] = self.base.0.to_be_bytes();
        match self.behaviour {
            Behaviour::Independent => [INDEPENDENT, 0, high, low],
            Behaviour::Dependent { round } => [DEPENDENT, round.0, high, low],
        }
    }

    /// What a value of MAPPING says, if it is of a kind known today.
    pub(in crate::session::path) fn decode(value: &[u8]) -> Option<Self> {
        let [kind, round, high, low] = <[u8; 4]>::try_from(value).ok()?;
        let behaviour = match (kind, round) {
            (INDEPENDENT, 0) => Behaviour::Independent,
            (DEPENDENT, round) => Behaviour::Dependent { round: Round(round) },
            _ => return None,
        };
        Some(Self { behaviour, base: LocalPreference(u16::from_be_bytes([high, low])) })
    }
}

/// What servers say one socket looks like, if there are enough of them: one whose ports two servers of different addresses
/// see alike has one mapping for all.
pub(in crate::session::path) fn observed(answers: &[(SocketAddr, SocketAddr)]) -> Option<Mapping> {
    let asked: BTreeSet<IpAddr> = answers.iter().map(|(server, _)| server.ip()).collect();
    let seen: BTreeSet<SocketAddr> = answers.iter().map(|(_, mapped)| *mapped).collect();
    let at = seen.first().copied()?;
    match seen.len() {
        1 if asked.len() > 1 => Some(Mapping::Independent { at }),
        1 => None,
        _ => Some(Mapping::Dependent { seen: seen.into_iter().collect(), round: Round(0) }),
    }
}

/// What the other end's claim means, going by the candidates it told; `None` where these do not bear it out, or name
/// an address nothing is to be guessed at.
pub(in crate::session::path) fn resolve<'a>(
    claim: Claim,
    told: impl Iterator<Item = &'a Candidate> + Clone,
    scope: AddressScope,
) -> Option<Mapping> {
    let of = |kind| {
        let of_base = told.clone().filter(|told| LocalPreference::of(told) == claim.base);
        let addresses = of_base.filter(|told| told.kind == kind).map(|told| told.address);
        addresses.filter(|address| is_guessable(address.ip(), scope)).collect::<BTreeSet<_>>()
    };
    let seen = of(CandidateKind::ServerReflexive);
    match claim.behaviour {
        Behaviour::Independent => {
            // Who is not translated at all has no reflexive address beside its own.
            let seen = if seen.is_empty() { of(CandidateKind::Host) } else { seen };
            let at = seen.first().copied().filter(|_| seen.len() == 1)?;
            Some(Mapping::Independent { at })
        }
        Behaviour::Dependent { round } => {
            let ip = seen.first()?.ip();
            let of_one = seen.len() > 1 && seen.iter().all(|seen| seen.ip() == ip);
            of_one.then(|| Mapping::Dependent { seen: seen.into_iter().collect(), round })
        }
    }
}

/// Public addresses of the family that is translated; in a lab any.
fn is_guessable(ip: IpAddr, scope: AddressScope) -> bool {
    let policy = match scope {
        AddressScope::Public => PeerPolicy::Public,
        AddressScope::Lab => PeerPolicy::Lab,
    };
    ip.is_ipv4() && policy.allows_ip(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn told(kind: CandidateKind, text: &str, preference: u16) -> Candidate {
        Candidate::new(kind, address(text), 100 << 24 | u32::from(preference) << 8 | 255).unwrap()
    }

    fn reflexive(text: &str) -> Candidate {
        told(CandidateKind::ServerReflexive, text, 7)
    }

    fn meant(behaviour: Behaviour, told: &[Candidate]) -> Option<Mapping> {
        resolve(Claim { behaviour, base: LocalPreference(7) }, told.iter(), AddressScope::Public)
    }

    const HARD: Behaviour = Behaviour::Dependent { round: Round(1) };

    #[test]
    fn two_servers_that_agree_make_a_mapping_independent_and_two_that_do_not_dependent() {
        let [one, other] = ["198.51.100.9:3478", "198.51.101.9:3478"].map(address);
        let [at, elsewhere] = ["90.0.113.1:5", "90.0.113.1:6"].map(address);
        assert_eq!(observed(&[(one, at), (other, at)]), Some(Mapping::Independent { at }));
        let hard = Mapping::Dependent { seen: vec![at, elsewhere], round: Round(0) };
        assert_eq!(observed(&[(one, elsewhere), (other, at)]), Some(hard));
        // A translator whose mapping depends on the address alone shows itself only to another one.
        let same = address("198.51.100.9:3479");
        assert_eq!(observed(&[(one, at), (same, at)]), None);
        assert_eq!((observed(&[(one, at)]), observed(&[])), (None, None));
    }

    #[test]
    fn a_claim_means_the_candidates_of_its_base() {
        let easy = [reflexive("90.0.113.1:5"), told(CandidateKind::ServerReflexive, "90.0.113.9:5", 8)];
        let at = address("90.0.113.1:5");
        assert_eq!(meant(Behaviour::Independent, &easy), Some(Mapping::Independent { at }));
        let open = [told(CandidateKind::Host, "90.0.113.1:5", 7)];
        assert_eq!(meant(Behaviour::Independent, &open), Some(Mapping::Independent { at }));
        let hard = [reflexive("90.0.113.1:9"), reflexive("90.0.113.1:5")];
        let seen = vec![at, address("90.0.113.1:9")];
        assert_eq!(meant(HARD, &hard), Some(Mapping::Dependent { seen, round: Round(1) }));
    }

    #[test]
    fn a_claim_that_its_candidates_do_not_bear_out_means_nothing() {
        let hard = [reflexive("90.0.113.1:5"), reflexive("90.0.113.1:9")];
        assert_eq!(meant(Behaviour::Independent, &hard), None);
        assert_eq!(meant(HARD, &hard[..1]), None);
        assert_eq!(meant(HARD, &[hard[0], reflexive("90.0.113.2:9")]), None, "two victims");
        assert_eq!(meant(HARD, &[]), None);
        for private in ["10.1.2.3", "192.168.1.2", "127.0.0.1", "100.64.0.1", "169.254.1.1", "240.0.0.1"] {
            let told = [5, 9].map(|port| reflexive(&format!("{private}:{port}")));
            assert_eq!(meant(HARD, &told), None, "{private}");
            assert_eq!(meant(Behaviour::Independent, &told[..1]), None, "{private}");
        }
        let six = [reflexive("[2001:db8::1]:5"), reflexive("[2001:db8::1]:6")];
        assert_eq!(meant(HARD, &six), None);
    }

    #[test]
    fn a_claim_comes_back_and_one_of_tomorrow_is_skipped() {
        for behaviour in [Behaviour::Independent, HARD, Behaviour::Dependent { round: Round(0) }] {
            let claim = Claim { behaviour, base: LocalPreference(0xfffe) };
            assert_eq!(Claim::decode(&claim.encode()), Some(claim));
        }
        for malformed in [&[][..], &[1, 0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0], &[1, 1, 0, 0], &[3, 0, 0, 0]]
        {
            assert_eq!(Claim::decode(malformed), None, "{malformed:?}");
        }
    }
}
