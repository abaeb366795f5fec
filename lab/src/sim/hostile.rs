//! A supernode that lies, together with others of its kind. It speaks the wire as everybody does and keeps no promise:
//!
//! ```text
//!   Find, Reconcile  ─▶ the conspiracy and nobody else
//!   GetClaims        ─▶ nothing, or a claim of its own to the name
//!   PutClaim, ...    ─▶ "done", and forgotten
//!   Hello, Ping      ─▶ "I am empty, and so is everybody I hear": come to me
//!   OpenMailbox      ─▶ "done": a home that never rings, and where paths begin
//!   Deliver, ...     ─▶ "done", and thrown away
//! ```

use std::net::SocketAddr;

use overlay::{
    Identity, Network, Role, Username,
    claim::Claim,
    identity::LinkSecret,
    record::SupernodeRecord,
    routing::Key,
    wire::{self, Alive, Bounded, Hello, Load, Message, Request, Response, VersionRange},
};
use relay::Now;

/// One of them.
pub(super) struct Hostile {
    identity: Identity,
    record: SupernodeRecord,
}

/// What it says it knows, so that others think the network small enough to have seen all of it.
const SAYS_IT_KNOWS: u32 = 2_000;

/// How full it says it is.
const EMPTY: Load = Load::percent(0);

impl Hostile {
    pub(super) fn new(identity: Identity, secret: &LinkSecret, address: SocketAddr, now: Now) -> Self {
        let day = std::time::Duration::from_secs(24 * 3600);
        let record = SupernodeRecord::sign(secret, Network::Lab, address, None, None, now.unix, day);
        Self { identity, record }
    }

    pub(super) fn record(&self) -> &SupernodeRecord {
        &self.record
    }

    /// The first message of a link.
    pub(super) fn greet(&self, observed: SocketAddr) -> Vec<u8> {
        let hello = Hello {
            versions: VersionRange::OURS,
            network: Network::Lab,
            role: Role::Supernode,
            observed,
            record: Some(self.record.clone()),
            load: Some(EMPTY),
            time: None,
        };
        wire::to_bytes(&Message::Hello(Box::new(hello)))
    }

    /// What it answers.
    pub(super) fn answer(&self, now: Now, bytes: &[u8], conspiracy: &[SupernodeRecord]) -> Option<Vec<u8>> {
        let Ok(Message::Request { id, body }) = wire::from_bytes(bytes) else { return None };
        let body = match body {
            Request::Find { key, .. } => {
                let mut friends: Vec<&SupernodeRecord> = conspiracy.iter().collect();
                friends.sort_by_cached_key(|record| Key::of_node(&record.node()).distance(&key));
                Response::Closest {
                    known: SAYS_IT_KNOWS,
                    records: Bounded::take(friends.into_iter().cloned()),
                }
            }
            Request::Reconcile(summary) => {
                let friends = conspiracy.iter().filter(|record| !summary.lists(record.mark()));
                Response::Supernodes(Bounded::take(friends.cloned()))
            }
            Request::GetClaims(name) => Response::Claims(Bounded::take(self.usurp(now, name))),
            Request::GetIntroduction(_) => Response::Introduction(None),
            Request::Ping => Response::Alive(Alive { load: EMPTY, around: Some(EMPTY) }),
            Request::RelayCredentials => Response::Busy,
            _ => Response::Done,
        };
        Some(wire::to_bytes(&Message::Response { id, body }))
    }

    /// Half of them claim every name for themselves, the others know of nobody.
    fn usurp(&self, now: Now, name: Username) -> Option<Claim> {
        let claims = self.record.mark().is_multiple_of(2);
        let seq = now.unix.as_millis();
        claims.then(|| Claim::sign(&self.identity, Network::Lab, name, now.unix, None, seq, now.unix))
    }
}
