//! Who does not do as the protocol says: somebody between a node and its links, and a wall through the network.

use overlay::{
    Identity, Username,
    identity::LinkSecret,
    wire::{self, Message},
};
use rand::RngExt as _;
use relay::UnixTime;

use super::{
    super::queue::{Over, Step},
    HostId, IDLE_TIMEOUT, KEEP_ALIVE, Shard, World,
};

/// Sits between a node and its links.
pub(in crate::sim) trait Liar: Send + Sync {
    /// What the node is told instead of what `from` said.
    fn hears(&mut self, now: UnixTime, from: HostId, message: Message) -> Option<Message>;

    /// What `to` is told instead of what the node says.
    fn says(&mut self, now: UnixTime, to: HostId, message: Message) -> Option<Message>;

    /// The time has come.
    fn urge(&mut self) {}
}

pub(super) enum Way {
    In,
    Out,
}

impl World {
    /// From now on somebody sits between a node and its links.
    pub(in crate::sim) fn corrupt(&mut self, id: HostId, liar: impl Liar + 'static) {
        self.shard(id).host_mut(id).liar = Some(Box::new(liar));
    }

    /// Tells a liar that the time has come.
    pub(in crate::sim) fn urge(&mut self, id: HostId) {
        if let Some(liar) = &mut self.shard(id).host_mut(id).liar {
            liar.urge();
        }
    }

    /// The newest claim of somebody to a name that any computer keeps on its disk.
    pub(in crate::sim) fn newest_seq(&self, owner: HostId, name: &Username) -> u64 {
        let owner = self.person(owner);
        let hosts = self.shards.iter().flat_map(|shard| &shard.hosts);
        hosts.filter_map(|host| Some(host.disk.read(name, &owner)?.seq())).max().unwrap_or(0)
    }

    /// Cuts the network in two, for longer than a transport waits; nothing else tells anybody.
    pub(in crate::sim) fn part(&mut self, side: fn(HostId) -> bool) {
        self.ground.wall = Some(side);
        for id in 0..self.hosts() {
            let across = self.host(id).links.iter().filter(|(_, (peer, _))| side(*peer) != side(id));
            let across: Vec<_> = across.map(|(link, (peer, far))| (*link, *peer, *far)).collect();
            for (link, peer, far) in across {
                let silent = KEEP_ALIVE.mul_f64(self.rng.random()) + IDLE_TIMEOUT;
                self.later(silent, id, peer, Step::Down(Over { link: far, peer: id, far: link }));
            }
        }
    }

    /// Joins what was cut.
    pub(in crate::sim) fn heal(&mut self) {
        self.ground.wall = None;
    }

    /// Somebody's keys: for liars only.
    pub(in crate::sim) fn identity(&self, id: HostId) -> &Identity {
        &self.host(id).identity
    }

    /// A supernode's keys: for liars only.
    pub(in crate::sim) fn link_secret(&self, id: HostId) -> &LinkSecret {
        &self.host(id).secret
    }
}

impl Shard {
    /// What a liar makes of a message.
    pub(super) fn distorted(
        &mut self,
        id: HostId,
        peer: HostId,
        bytes: Vec<u8>,
        way: Way,
    ) -> Option<Vec<u8>> {
        let now = self.unix();
        let Some(liar) = &mut self.host_mut(id).liar else { return Some(bytes) };
        let Ok(message) = wire::from_bytes::<Message>(&bytes) else { return Some(bytes) };
        let message = match way {
            Way::In => liar.hears(now, peer, message),
            Way::Out => liar.says(now, peer, message),
        };
        message.map(|message| wire::to_bytes(&message))
    }
}
