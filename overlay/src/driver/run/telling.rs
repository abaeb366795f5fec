//! What a node tells about itself when it is asked.

use super::{
    super::{local_addresses, quic::Pulse},
    Runner,
};
use crate::{
    node::LinkId,
    outcome::{Carrier, Report, Ring, Traffic},
};

impl Runner {
    pub(super) fn report_now(&self) -> Report {
        let over_tcp = self.carriers.values().filter(|carrier| **carrier == Carrier::Tcp).count();
        Report {
            status: self.node.status(),
            supernodes: self.node.links_to_supernodes(),
            udp: self.udp.state(),
            addresses: local_addresses(),
            clock_behind: self.node.clock_measured(),
            kept: self.node.kept(),
            traffic: Traffic {
                quic_links: self.carriers.len() - over_tcp,
                tcp_links: over_tcp,
                ..self.traffic
            },
            relay: self.relay.as_ref().map(|beside| beside.server.stats()),
        }
    }

    pub(super) fn ring_now(&self) -> Ring {
        let round_trip = |link: LinkId| self.pulses.get(&link).map(Pulse::round_trip);
        self.node.ring(self.now(), round_trip)
    }
}
