//! A crowd that sends one supernode nothing but nonsense: malformed frames, forged and stale records, answers to no
//! question, greetings of nobody, supernodes that do not exist. In virtual time, as fast as the processor allows.

use std::{net::SocketAddr, time::Duration};

use overlay::{
    Identity, Network, Role,
    claim::Claim,
    config::{Limits, NodeConfig},
    identity::LinkSecret,
    node::{Effect, LinkId, Node},
    outcome::{Carrier, Ends, Stats},
    record::{EnvelopeKey, Introduction, MailboxId, SealingKeys, SupernodeRecord},
    wire::{self, Bounded, Hello, Message, Request, Response, VersionRange},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use relay::Now;

/// Links the crowd holds open at a time.
const LINKS: u64 = 64;

/// Between two messages; each link stays within what a link may send.
const STEP: Duration = Duration::from_millis(1);

/// Supernodes the node under flood remembers: few, so that its table is full soon.
const KNOWN: usize = 64;

const HOUR: Duration = Duration::from_secs(3600);

/// A supernode and the crowd around it.
pub struct Flood {
    node: Node,
    now: Now,
    rng: StdRng,
    /// The newest link of each place in the crowd.
    links: Vec<u64>,
    next_link: u64,
    good: Vec<Vec<u8>>,
}

impl Flood {
    /// Always the same for the same seed; it begins at `now`.
    pub fn new(seed: [u8; 32], now: Now) -> Self {
        let address = ([10, 0, 0, 1], 7600).into();
        let mut config = NodeConfig::supernode(Network::Lab, address);
        config.limits = Limits { known_by_supernode: KNOWN, ..Limits::default() };
        let node = Node::new(config, Identity::from_secret([1; 32]), secret(1), &[], seed, now);
        let mut flood = Self {
            node,
            now,
            rng: StdRng::from_seed(seed),
            links: vec![0; LINKS as usize],
            next_link: 1,
            good: Vec::new(),
        };
        flood.good = flood.good_messages();
        (0..LINKS).for_each(|place| flood.connect(place));
        flood
    }

    /// Sends so many messages.
    pub fn send(&mut self, messages: u64) {
        for number in 0..messages {
            self.now = self.now.after(STEP);
            let place = self.rng.random_range(0..LINKS);
            let bytes = self.nonsense();
            let link = LinkId::Inbound(self.links[place as usize]);
            self.node.handle_message(self.now, link, &bytes);
            if self.node.poll_timeout().is_some_and(|(at, _)| at <= self.now.instant) {
                self.node.handle_timeout(self.now);
            }
            self.settle();
            // Some come and go by themselves.
            if number.is_multiple_of(97) {
                self.node.handle_link_down(self.now, link);
                self.connect(place);
            }
        }
    }

    /// What the node counted.
    pub fn stats(&self) -> Stats {
        self.node.status().stats
    }

    /// Whether the node still does what it is there for: somebody new asks and is answered.
    pub fn is_answered(&mut self) -> bool {
        let place = 0;
        self.connect(place);
        let link = LinkId::Inbound(self.links[place as usize]);
        let ask = Message::Request { id: 7, body: Request::Ping };
        self.node.handle_message(self.now, link, &wire::to_bytes(&ask));
        let mut answered = false;
        while let Some(transmit) = self.node.poll_transmit() {
            let message = wire::from_bytes(&transmit.bytes);
            answered |= transmit.link == link && matches!(message, Ok(Message::Response { id: 7, .. }));
        }
        answered
    }

    fn connect(&mut self, place: u64) {
        let number = self.next_link;
        self.next_link += 1;
        self.links[place as usize] = number;
        let link = LinkId::Inbound(number);
        let address = SocketAddr::from(([10, 1, place as u8, 1], 7600));
        let supernode = place.is_multiple_of(4);
        let who = secret(100 + place as u8);
        let ends = Ends { peer: who.public_key(), remote: address, carrier: Carrier::Quic };
        self.node.handle_link_up(self.now, link, ends);
        let record = supernode
            .then(|| SupernodeRecord::sign(&who, Network::Lab, address, None, None, self.now.unix, HOUR));
        let role = if supernode { Role::Supernode } else { Role::Leaf };
        let hello = Hello {
            versions: VersionRange::OURS,
            network: Network::Lab,
            role,
            observed: address,
            record,
            load: None,
            time: None,
        };
        self.node.handle_message(self.now, link, &wire::to_bytes(&Message::Hello(Box::new(hello))));
        self.settle();
    }

    /// The driver's part, done at once: nobody whom the node dials is there, and whoever it closes comes back.
    fn settle(&mut self) {
        while self.node.poll_transmit().is_some() {}
        while self.node.poll_event().is_some() {}
        while let Some(effect) = self.node.poll_effect() {
            match effect {
                Effect::OpenLink { link, .. } => self.node.handle_link_down(self.now, link),
                Effect::Persist { id, .. } => self.node.handle_persisted(self.now, id),
                Effect::CloseLink { link: LinkId::Inbound(number) } => {
                    if let Some(place) = self.links.iter().position(|link| *link == number) {
                        return self.connect(place as u64);
                    }
                }
                _ => {}
            }
        }
        while self.node.poll_transmit().is_some() {}
    }

    fn nonsense(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..8) {
            0 => (0..self.rng.random_range(0..300)).map(|_| self.rng.random()).collect(),
            1 => {
                let mut bytes = self.good[self.rng.random_range(0..self.good.len())].clone();
                let at = self.rng.random_range(0..bytes.len());
                bytes[at] ^= 1 << self.rng.random_range(0..8);
                bytes
            }
            2 => {
                let bytes = &self.good[self.rng.random_range(0..self.good.len())];
                bytes[..self.rng.random_range(0..bytes.len())].to_vec()
            }
            3 => self.request(|flood| Request::PutClaim(Box::new(flood.forged_claim()))),
            4 => self.request(|flood| Request::PutIntroduction(Box::new(flood.old_introduction()))),
            5 => {
                let id = self.rng.random();
                wire::to_bytes(&Message::Response { id, body: Response::Done })
            }
            6 => self.request(|flood| {
                let mailbox = MailboxId::from_bytes(flood.rng.random());
                Request::Deliver { mailbox, sealed: vec![7; 1_200] }
            }),
            _ => {
                let who = LinkSecret::from_secret(self.rng.random());
                let address = (self.rng.random::<[u8; 4]>(), 7600).into();
                let record =
                    SupernodeRecord::sign(&who, Network::Lab, address, None, None, self.now.unix, HOUR);
                wire::to_bytes(&Message::Supernodes(Bounded::take([record])))
            }
        }
    }

    fn request(&mut self, body: impl FnOnce(&mut Self) -> Request) -> Vec<u8> {
        let body = body(self);
        wire::to_bytes(&Message::Request { id: self.rng.random(), body })
    }

    /// A new name each time, under another's signature.
    fn forged_claim(&mut self) -> Claim {
        let claim = self.claim();
        let mut bytes = wire::to_bytes(&claim);
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        wire::from_bytes(&bytes).unwrap_or(claim)
    }

    fn claim(&mut self) -> Claim {
        let name = format!("n{}", self.rng.random::<u64>());
        let name = name.parse().unwrap_or_else(|_| unreachable!("letters and digits are a name"));
        let who = Identity::from_secret(self.rng.random());
        Claim::sign(&who, Network::Lab, name, self.now.unix, None, 1, self.now.unix)
    }

    fn old_introduction(&mut self) -> Introduction {
        let who = Identity::from_secret(self.rng.random());
        let key = EnvelopeKey::from_bytes([7; 32]);
        let keys = SealingKeys { envelopes: key, letters: key };
        let yesterday = self.now.unix.saturating_sub(24 * HOUR);
        Introduction::sign(&who, Network::Lab, 1, keys, [], yesterday, HOUR)
    }

    /// To be bent and cut.
    fn good_messages(&mut self) -> Vec<Vec<u8>> {
        let mut good = vec![
            self.request(|_| Request::Ping),
            self.request(|_| Request::RelayCredentials),
            self.request(|flood| Request::PutIntroduction(Box::new(flood.old_introduction()))),
            wire::to_bytes(&Message::Ring {
                mailbox: MailboxId::from_bytes([1; 32]),
                sealed: vec![7; 1_200],
            }),
        ];
        good.extend((0..4).map(|_| self.request(|flood| Request::PutClaim(Box::new(flood.forged_claim())))));
        good
    }
}

fn secret(which: u8) -> LinkSecret {
    LinkSecret::from_secret([which; 32])
}
