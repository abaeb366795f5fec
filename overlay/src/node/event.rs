//! What a node tells its application.

use std::net::IpAddr;

use relay::UnixTime;

use super::QueryId;
use crate::{
    config::{NatKind, Role},
    error::{LookupError, OfflineReason, RegisterError, RelaysError, SendError},
    identity::PublicKey,
    outcome::{FoundClaim, Lookup, Registration, RelayOffer},
    username::Username,
};

/// What the node reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// Homes can ring us; again at every change.
    Online {
        /// How many.
        homes: usize,
        /// What they saw of our address translation.
        nat: NatKind,
    },
    /// This node serves others from now on, or no longer.
    Role(Role),
    /// A volunteer's public IP, and since when it is that; at every change. To be remembered for the next start.
    Address {
        /// Which.
        ip: IpAddr,
        /// Since when.
        since: UnixTime,
    },
    /// No home.
    Offline {
        /// Why.
        reason: OfflineReason,
    },
    /// An envelope, opened, its sender proven.
    Envelope {
        /// Who sent it.
        from: PublicKey,
        /// When, by the sender's clock.
        sent: UnixTime,
        /// What the application put in.
        payload: Vec<u8>,
    },
    /// A letter that was left while we were away, opened, its sender proven. Nobody waits for an answer.
    Letter {
        /// Who left it.
        from: PublicKey,
        /// When, by the sender's clock.
        sent: UnixTime,
        /// What the application put in.
        payload: Vec<u8>,
    },
    /// A name we registered provisionally is held now: the work is done, and enough holders have it.
    NameHeld(Registration),
    /// A name of ours went to somebody who proved the work for it first, or is shown as somebody else's alone.
    NameLost {
        /// The name.
        name: Username,
        /// Who has it.
        by: PublicKey,
    },
    /// What a contact that is watched last said.
    Presence {
        /// Whose.
        who: PublicKey,
        /// When they said that they are there; none: they have left, or said nothing for too long.
        seen: Option<UnixTime>,
    },
    /// Somebody else has a proven claim to a name of ours, or to one that looks like it: both are shown to whoever
    /// looks it up. Told once for each of them.
    NameContested {
        /// Our name.
        name: Username,
        /// Who else claims it.
        by: PublicKey,
    },
    /// [`Node::cache`](super::Node::cache) has something new to say.
    CacheChanged,
    /// A lookup under way has its first verified claim; its answer with the union of all follows.
    Found {
        /// Which lookup.
        query: QueryId,
        /// The claim.
        claim: FoundClaim,
    },
    /// A command is done.
    Answer {
        /// Which.
        query: QueryId,
        /// How it went.
        answer: Answer,
    },
}

/// How a command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Of [`Node::register`](super::Node::register).
    Registered(Result<Registration, RegisterError>),
    /// Of [`Node::lookup`](super::Node::lookup).
    LookedUp(Result<Lookup, LookupError>),
    /// Of [`Node::send`](super::Node::send) and [`Node::leave_word`](super::Node::leave_word).
    Sent(Result<(), SendError>),
    /// Of [`Node::reachable`](super::Node::reachable).
    Reachable(Result<bool, LookupError>),
    /// Of [`Node::relays`](super::Node::relays).
    Relays(Result<Vec<RelayOffer>, RelaysError>),
}
