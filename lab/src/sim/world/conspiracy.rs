//! Hosts that run no node but lie together, see [`super::super::hostile`].

use std::net::SocketAddr;

use overlay::{
    Network,
    config::NodeConfig,
    identity::LinkSecret,
    node::{Effect, LinkId, Ways},
    routing::Key,
};
use rand::RngExt as _;

use super::{HostId, Hostile, State, Step, World};

impl World {
    /// Adds a supernode that lies, at a place that suits it.
    pub(in crate::sim) fn add_hostile(
        &mut self,
        suits: &impl Fn(&Key) -> bool,
        seeds: &[SocketAddr],
    ) -> HostId {
        let secret = loop {
            let secret = LinkSecret::from_secret(self.rng.random());
            if suits(&Key::of_node(&secret.public_key())) {
                break secret;
            }
        };
        let id = self.new_host(NodeConfig::leaf(Network::Lab), secret);
        let host = &mut self.hosts[id];
        let liar = Hostile::new(host.identity.clone(), &host.secret, host.address, self.now);
        self.conspiracy.push(liar.record().clone());
        self.listening.insert(host.address, id);
        host.state = State::Hostile(Box::new(liar));
        for (nth, address) in seeds.iter().enumerate() {
            let link = LinkId::Outbound(nth as u64 + 1);
            self.effect(
                id,
                Effect::OpenLink { link, address: *address, ways: Ways::Any { tcp: None }, expected: None },
            );
        }
        id
    }

    pub(super) fn step_of_hostile(&mut self, id: HostId, step: Step) {
        match step {
            Step::Opened { link, server } => self.opened(id, link, server),
            Step::Up { link, peer } => self.greet_falsely(id, link, peer),
            Step::Down { link } => {
                self.hosts[id].opening.remove(&link);
                self.hosts[id].links.remove(&link);
            }
            Step::Message { link, bytes } => {
                let State::Hostile(liar) = &self.hosts[id].state else { return };
                if let Some(answer) = liar.answer(self.now, &bytes, &self.conspiracy) {
                    self.transmit(id, link, answer);
                }
            }
            Step::Wake | Step::Worked { .. } | Step::Persisted { .. } => {}
        }
    }

    pub(super) fn greet_falsely(&mut self, id: HostId, link: LinkId, peer: HostId) {
        if let State::Hostile(liar) = &self.hosts[id].state {
            let hello = liar.greet(self.hosts[peer].address);
            self.transmit(id, link, hello);
        }
    }
}
