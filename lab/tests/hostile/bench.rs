//! One node on a bench: a supernode of a test network with a leaf and a supernode linked to it, in virtual time.

use std::{net::SocketAddr, time::Duration};

use overlay::{
    Identity, Network, Role,
    claim::Claim,
    config::NodeConfig,
    identity::LinkSecret,
    node::{Effect, LinkId, Node},
    outcome::{Carrier, Ends, Stats},
    record::{
        EnvelopeKey, Epoch, Introducer, Introduction, MailboxId, PresenceSecret, Saying, SealedPresence,
        SealingKeys, SupernodeRecord,
    },
    wire::{self, Hello, Load, Message, Request, VersionRange},
    work::{Proof, Puzzle},
};
use relay::{Now, UnixTime, fuzz::origin};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// A leaf that has greeted.
pub(crate) const LEAF: LinkId = LinkId::Inbound(1);
/// A supernode that has greeted.
pub(crate) const SUPERNODE: LinkId = LinkId::Inbound(2);
/// Not there until a test brings it up.
pub(crate) const STRANGER: LinkId = LinkId::Inbound(3);

/// The key at the far end of [`STRANGER`].
pub(crate) const STRANGER_KEY: u8 = 103;

pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) now: Now,
    request: u32,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let now = origin();
        let config = NodeConfig::supernode(Network::Lab, address(1));
        let node = Node::new(config, person(50), link_secret(101), &[], [50; 32], now);
        let mut bench = Self { node, now, request: 1 };
        bench.up(LEAF, 104);
        bench.say(LEAF, &hello(Role::Leaf, None));
        bench.up(SUPERNODE, 102);
        bench.say(SUPERNODE, &hello(Role::Supernode, Some(supernode(102, now.unix))));
        bench
    }

    pub(crate) fn up(&mut self, link: LinkId, key: u8) {
        let ends = Ends { peer: link_secret(key).public_key(), remote: address(key), carrier: Carrier::Quic };
        self.node.handle_link_up(self.now, link, ends);
        self.settle();
    }

    pub(crate) fn down(&mut self, link: LinkId) {
        self.node.handle_link_down(self.now, link);
        self.settle();
    }

    pub(crate) fn say(&mut self, link: LinkId, message: &Message) -> Vec<Heard> {
        self.say_bytes(link, &wire::to_bytes(message))
    }

    /// What the node answers on that link.
    pub(crate) fn say_bytes(&mut self, link: LinkId, bytes: &[u8]) -> Vec<Heard> {
        self.node.handle_message(self.now, link, bytes);
        self.settle().into_iter().filter(|(at, _)| *at == link).map(|(_, heard)| heard).collect()
    }

    pub(crate) fn ask(&mut self, link: LinkId, body: Request) -> Vec<Heard> {
        self.request += 1;
        self.say(link, &Message::Request { id: self.request, body })
    }

    /// Time passes in steps, as it does between messages of a link that keeps to its limits.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.node.handle_timeout(self.now);
        self.settle();
    }

    pub(crate) fn stats(&self) -> Stats {
        self.node.status().stats
    }

    fn settle(&mut self) -> Vec<(LinkId, Heard)> {
        let mut heard = Vec::new();
        loop {
            while let Some(transmit) = self.node.poll_transmit() {
                match wire::from_bytes(&transmit.bytes) {
                    // It asks, too: whatever it asks of us has no answer.
                    Ok(Message::Request { .. } | Message::Hello(_)) => {}
                    Ok(message) => heard.push((transmit.link, Heard::Message(message))),
                    Err(error) => panic!("a node says what cannot be read: {error}"),
                }
            }
            match self.node.poll_effect() {
                Some(Effect::CloseLink { link }) => heard.push((link, Heard::Closed)),
                Some(Effect::Persist { id, .. }) => self.node.handle_persisted(self.now, id),
                Some(_) => {}
                None => break,
            }
        }
        while self.node.poll_event().is_some() {}
        heard
    }
}

/// What comes back over a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Message(Message),
    Closed,
}

pub(crate) fn address(which: u8) -> SocketAddr {
    ([10, 0, which, 1], 7600).into()
}

pub(crate) fn person(which: u8) -> Identity {
    Identity::from_secret([which; 32])
}

pub(crate) fn link_secret(which: u8) -> LinkSecret {
    LinkSecret::from_secret([which; 32])
}

pub(crate) fn mailbox(which: u8) -> MailboxId {
    MailboxId::from_bytes([which; 32])
}

pub(crate) fn hello(role: Role, record: Option<SupernodeRecord>) -> Message {
    Message::Hello(Box::new(Hello {
        versions: VersionRange::OURS,
        network: Network::Lab,
        role,
        observed: address(9),
        load: record.as_ref().map(|_| Load::HALF),
        record,
        time: None,
    }))
}

pub(crate) fn supernode(key: u8, issued: UnixTime) -> SupernodeRecord {
    SupernodeRecord::sign(&link_secret(key), Network::Lab, address(key), None, None, issued, HOUR)
}

pub(crate) fn introduction(who: u8, network: Network, seq: u64, issued: UnixTime) -> Introduction {
    let introducer =
        Introducer { node: link_secret(101).public_key(), address: address(1), mailbox: mailbox(who) };
    let key = EnvelopeKey::from_bytes([who; 32]);
    let keys = SealingKeys { envelopes: key, letters: key };
    Introduction::sign(&person(who), network, seq, keys, [introducer], issued, HOUR)
}

pub(crate) fn presence(network: Network, seq: u64, at: UnixTime) -> SealedPresence {
    let identity = person(1);
    let envelope_key = EnvelopeKey::from_bytes([1; 32]);
    let saying = Saying { identity: &identity, network, seq, envelope_key, introducers: &[] };
    SealedPresence::seal(&PresenceSecret::from_bytes([7; 32]), Epoch::of(at), saying, at, HOUR).unwrap()
}

pub(crate) fn proof(name: &str, who: u8, claimed_at: UnixTime) -> Proof {
    let name = name.parse().unwrap();
    let mut search = Puzzle::of(Network::Lab, &name, person(who).public_key(), claimed_at).begin();
    std::iter::repeat_with(|| search.step()).flatten().next().unwrap()
}

/// A claim proven at `at`, signed then.
pub(crate) fn claim(name: &str, who: u8, seq: u64, at: UnixTime) -> Claim {
    let proof = proof(name, who, at);
    Claim::sign(&person(who), Network::Lab, name.parse().unwrap(), at, Some(proof), seq, at)
}
