//! What sits between an end and the world: nothing, a router, a router behind a carrier's, or a firewall.
//!
//! ```text
//!   socket ──▶ box ──▶ (carrier's box) ──▶ the world          each does as relay::nat::Behaviour says
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use relay::nat::{Behaviour, Filtering, Mapping, Uplink};

/// How a translator chooses the port of a new mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ports {
    ByLot,
    Counted,
}

pub(super) struct Translator {
    pub(super) kind: Uplink,
    /// From the end outwards.
    boxes: Vec<TranslatingBox>,
}

impl Translator {
    /// The address the world sees is `outside`; `who` tells carriers apart.
    pub(super) fn new(kind: Uplink, ports: Ports, who: usize, outside: IpAddr, seed: u64) -> Self {
        let behaviours = kind.translators();
        let boxes = behaviours.iter().enumerate().map(|(nth, behaviour)| {
            let last = nth + 1 == behaviours.len();
            let shared = IpAddr::from(Ipv4Addr::new(100, 64, who as u8 + 1, 2));
            let address = if last { outside } else { shared };
            let allocation = match ports {
                Ports::Counted => Allocation::Counting { last: 20_000 + 1000 * who as u16 },
                Ports::ByLot => Allocation::Random(Box::new(StdRng::seed_from_u64(
                    seed ^ (1 + 2 * who as u64 + nth as u64) << 32,
                ))),
            };
            TranslatingBox::new(*behaviour, address, allocation)
        });
        Self { kind, boxes: boxes.collect() }
    }

    /// Where the world sees a datagram come from; nothing if it does not leave.
    pub(super) fn outbound(&mut self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.kind == Uplink::UdpBlocked {
            return None;
        }
        Some(self.boxes.iter_mut().fold(from, |from, each| each.outbound(from, to)))
    }

    /// The socket at which a datagram arrives, if it does.
    pub(super) fn inbound(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.kind == Uplink::UdpBlocked {
            return None;
        }
        self.boxes.iter().rev().try_fold(to, |to, each| each.inbound(from, to))
    }

    /// The end has moved: what it is behind knows it by another address.
    pub(super) fn move_outside(&mut self, outside: IpAddr) {
        if let Some(last) = self.boxes.last_mut() {
            last.address = outside;
        }
    }
}

/// How the port of a new mapping is chosen.
enum Allocation {
    Random(Box<StdRng>),
    Counting { last: u16 },
}

impl Allocation {
    fn draw(&mut self) -> u16 {
        match self {
            Self::Random(random) => random.random_range(1024..=u16::MAX),
            Self::Counting { last } => {
                *last += 7;
                *last
            }
        }
    }
}

/// One translator (RFC 4787).
struct TranslatingBox {
    behaviour: Behaviour,
    address: IpAddr,
    allocation: Allocation,
    /// Outside port of an inside socket, towards what its mapping depends on.
    mappings: BTreeMap<(SocketAddr, Option<SocketAddr>), u16>,
    inside: BTreeMap<u16, SocketAddr>,
    written: BTreeSet<(u16, SocketAddr)>,
}

impl TranslatingBox {
    fn new(behaviour: Behaviour, address: IpAddr, allocation: Allocation) -> Self {
        let (mappings, inside, written) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { behaviour, address, allocation, mappings, inside, written }
    }

    fn outbound(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let towards = match self.behaviour.mapping {
            Mapping::EndpointIndependent => None,
            Mapping::AddressDependent => Some(SocketAddr::new(to.ip(), 0)),
            Mapping::AddressAndPortDependent => Some(to),
        };
        let port = match self.mappings.get(&(from, towards)) {
            Some(port) => *port,
            None => self.map(from, towards),
        };
        self.written.insert((port, to));
        SocketAddr::new(self.address, port)
    }

    fn map(&mut self, from: SocketAddr, towards: Option<SocketAddr>) -> u16 {
        loop {
            let port = self.allocation.draw();
            if !self.inside.contains_key(&port) {
                self.mappings.insert((from, towards), port);
                self.inside.insert(port, from);
                return port;
            }
        }
    }

    fn inbound(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if to.ip() != self.address {
            return None;
        }
        let mut written = self.written.iter().filter(|(port, _)| *port == to.port());
        let comes_in = match self.behaviour.filtering {
            Filtering::EndpointIndependent => true,
            Filtering::AddressDependent => written.any(|(_, written)| written.ip() == from.ip()),
            Filtering::AddressAndPortDependent => written.any(|(_, written)| *written == from),
        };
        comes_in.then(|| self.inside.get(&to.port()).copied()).flatten()
    }
}

#[test]
fn a_translator_of_this_world_does_what_theory_says_of_its_uplink() {
    let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
    let (inside, outside) = (at("10.0.1.5:5000"), "90.0.113.101".parse().unwrap());
    let (here, other_port, elsewhere) = (at("192.0.2.1:1"), at("192.0.2.1:2"), at("192.0.2.2:1"));
    for uplink in Uplink::ALL.into_iter().filter(|uplink| *uplink != Uplink::Open) {
        let mut translator = Translator::new(uplink, Ports::ByLot, 0, outside, 1);
        let seen = translator.outbound(inside, here);
        let Some(expected) = uplink.behaviour() else {
            assert_eq!(seen, None);
            continue;
        };
        let seen = seen.unwrap();
        assert_eq!((seen.ip(), translator.inbound(here, seen)), (outside, Some(inside)), "{uplink}");
        let comes_in = [other_port, elsewhere].map(|from| translator.inbound(from, seen).is_some());
        let filtering = match comes_in {
            [true, true] => Filtering::EndpointIndependent,
            [true, false] => Filtering::AddressDependent,
            [false, _] => Filtering::AddressAndPortDependent,
        };
        let same = [other_port, elsewhere].map(|to| translator.outbound(inside, to) == Some(seen));
        let mapping = match same {
            [true, true] => Mapping::EndpointIndependent,
            [true, false] => Mapping::AddressDependent,
            [false, _] => Mapping::AddressAndPortDependent,
        };
        assert_eq!(Behaviour { mapping, filtering }, expected, "{uplink}");
    }
}
