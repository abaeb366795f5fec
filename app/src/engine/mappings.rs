//! Ports of the router opened for this person: for the sockets of a call, and for what a volunteer serves.
//!
//! ```text
//!   a call's own addresses ── private ones ──▶ asked ──▶ told to the session, which tells the other end; closed with it
//!   a volunteer listens ────── the same port ─▶ asked ──▶ strangers who dial back get through; closed when we stop
//! ```

use super::actor::{Actor, Done};
use crate::{
    call::CallId,
    portmap::{Mapping, PortmapError, Transport, Wish},
};
use media::session::{Candidate, CandidateKind};
use std::net::{IpAddr, SocketAddr};

/// Whether routers are asked to open ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portmap {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// What a port is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Call(CallId),
    Service,
}

/// Of one call; further private addresses are left as they are.
const MOST_OF_CALL: usize = 2;

/// Of a volunteer: links over UDP and TCP, and the relay.
const MOST_OF_SERVICE: usize = 3;

/// Every port that is open.
#[derive(Default)]
pub(super) struct Mappings {
    /// Asked for, for the call of this moment.
    asked: Vec<SocketAddr>,
    of_call: Vec<Mapping>,
    /// Asked for, for good.
    services: usize,
    of_service: Vec<Mapping>,
}

impl Mappings {
    /// Whether to ask for one more address of the call.
    fn wants(&mut self, inside: SocketAddr) -> bool {
        let wants = self.asked.len() < MOST_OF_CALL && !self.asked.contains(&inside);
        if wants {
            self.asked.push(inside);
        }
        wants
    }
}

impl Actor {
    /// Addresses of ours in a call: a router may open a port for each that is private.
    pub(super) fn map_call(&mut self, call: CallId, candidates: &[Candidate]) {
        if self.config.portmap == Portmap::Off {
            return;
        }
        for inside in candidates.iter().filter_map(behind_router) {
            if self.mappings.wants(inside) {
                self.ask_router(For::Call(call), inside, Transport::Udp, Wish::AnyPort);
            }
        }
    }

    /// What strangers must reach, should this computer serve: known by the number of its own port.
    pub(super) fn map_service(&mut self, inside: SocketAddr, transports: &[Transport]) {
        let off = self.config.portmap == Portmap::Off || self.volunteer.is_none();
        for transport in transports {
            if !off && self.mappings.services < MOST_OF_SERVICE {
                self.mappings.services += 1;
                self.ask_router(For::Service, inside, *transport, Wish::SamePort);
            }
        }
    }

    fn ask_router(&mut self, reason: For, inside: SocketAddr, transport: Transport, wish: Wish) {
        self.jobs
            .spawn(async move { Done::Mapped(reason, inside, Mapping::open(inside, transport, wish).await) });
    }

    pub(super) fn mapped(&mut self, reason: For, inside: SocketAddr, result: Result<Mapping, PortmapError>) {
        let mapping = match result {
            Ok(mapping) => mapping,
            Err(error) => return tracing::debug!(%error, %inside, "no port was opened"),
        };
        tracing::debug!(external = %mapping.external(), %inside, "the router has opened a port");
        let running = self.session.as_ref();
        match (reason, running) {
            (For::Service, _) => self.mappings.of_service.push(mapping),
            (For::Call(call), Some(running)) if running.call == call => {
                let outside = SocketAddr::V4(mapping.external());
                if let Err(error) = running.session.add_mapping(inside, outside) {
                    tracing::debug!(%error, "a mapping was not taken");
                }
                self.mappings.of_call.push(mapping);
            }
            // Over meanwhile.
            (For::Call(_), _) => self.give_back(mapping),
        }
    }

    /// The call is over.
    pub(super) fn unmap_call(&mut self) {
        self.mappings.asked.clear();
        for mapping in std::mem::take(&mut self.mappings.of_call) {
            self.give_back(mapping);
        }
    }

    /// We stop.
    pub(super) fn unmap_everything(&mut self) {
        self.unmap_call();
        for mapping in std::mem::take(&mut self.mappings.of_service) {
            self.give_back(mapping);
        }
    }

    fn give_back(&mut self, mapping: Mapping) {
        self.farewells.spawn(async move {
            mapping.close().await;
            Done::Closed
        });
    }
}

/// Where packets come to, if that is an address of one home only.
fn behind_router(candidate: &Candidate) -> Option<SocketAddr> {
    let private = matches!(candidate.address().ip(), IpAddr::V4(ip) if ip.is_private());
    (candidate.kind() == CandidateKind::Host && private).then_some(candidate.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_is_asked_for_sockets_at_home_and_for_nothing_else() {
        for (address, asked) in [
            ("192.168.1.2 5000 typ host", true),
            ("203.0.113.7 5000 typ host", false),
            ("127.0.0.1 5000 typ host", false),
            ("fd00::1 5000 typ host", false),
            ("10.0.0.1 5000 typ srflx raddr 0.0.0.0 rport 0", false),
            ("10.0.0.1 5000 typ relay raddr 0.0.0.0 rport 0", false),
        ] {
            let candidate = Candidate::from_sdp(&format!("candidate:1 1 UDP 1 {address}")).unwrap();
            assert_eq!(behind_router(&candidate).is_some(), asked, "{address}");
        }
    }

    #[test]
    fn a_call_has_at_most_two_ports_opened_each_once() {
        let mut mappings = Mappings::default();
        let wants: Vec<bool> = ["10.0.0.1:1", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]
            .map(|address| mappings.wants(address.parse().unwrap()))
            .to_vec();
        assert_eq!(wants, [true, false, true, false]);
    }
}
