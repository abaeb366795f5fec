//! Hosts that run no node but lie together, see [`super::super::hostile`].

use std::net::SocketAddr;

use overlay::{
    Identity, Network,
    config::NodeConfig,
    identity::LinkSecret,
    node::{Effect, LinkId, Ways},
    routing::Key,
};
use rand::RngExt as _;

use super::{super::hostile::Hostile, HostId, State, World, address_of};

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
        let identity = Identity::from_secret(self.rng.random());
        let id = self.new_host(NodeConfig::leaf(Network::Lab), identity, secret);
        let now = self.ground.time(self.now);
        let host = self.shard(id).host_mut(id);
        let liar = Hostile::new(host.identity.clone(), &host.secret, address_of(id), now);
        let record = liar.record().clone();
        host.state = State::Hostile(Box::new(liar));
        self.ground.conspiracy.push(record);
        self.ground.listening.insert(address_of(id), id);
        let shards = self.shards.len();
        for (nth, address) in seeds.iter().enumerate() {
            let link = LinkId::Outbound(nth as u64 + 1);
            self.shards[id % shards].effect(
                &self.ground,
                id,
                Effect::OpenLink { link, address: *address, ways: Ways::Any { tcp: None }, expected: None },
            );
        }
        id
    }
}
