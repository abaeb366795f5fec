//! Why a command failed; each names who is to blame and reads as a sentence.

use crate::{identity::PublicKey, username::Username};

/// Why a username could not be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Somebody else's claim came first.
    #[error("this name is taken (by {})", by.fingerprint())]
    Taken {
        /// Who has it.
        by: PublicKey,
    },
    /// Somebody else has a name that looks like it.
    #[error("this name looks like {name}, which is taken (by {})", by.fingerprint())]
    LooksLike {
        /// Their name.
        name: Username,
        /// Who has it.
        by: PublicKey,
    },
    /// It was not passed on to this key: the old key did not name that recovery key, or it changed hands too often.
    #[error("this name was not passed on to this key")]
    NotPassedOn,
    /// No supernode can be reached.
    #[error("no supernode can be reached")]
    Offline,
    /// Too few supernodes answered that they hold the claim.
    #[error("only {held_by} supernodes hold the name, {needed} are needed; try again later")]
    TooFewHolders {
        /// Supernodes that hold the claim.
        held_by: usize,
        /// Supernodes that would have to.
        needed: usize,
    },
    /// Too many commands are under way.
    #[error("too many requests are under way")]
    Busy,
    /// The node was shut down.
    #[error("the node was shut down")]
    Closed,
}

/// Why a lookup failed. "Nobody has the name" is no failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No supernode can be reached, or none answered.
    #[error("no supernode can be reached")]
    Offline,
    /// Too many commands are under way.
    #[error("too many requests are under way")]
    Busy,
    /// The node was shut down.
    #[error("the node was shut down")]
    Closed,
}

/// Why an envelope could not be handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// We reach no supernode.
    #[error("no supernode can be reached")]
    Offline,
    /// The other side is offline: no introduction record, or no introducer took the envelope.
    #[error("the other side is not reachable now")]
    NotReachable,
    /// The payload exceeds [`MAX_PAYLOAD`](crate::envelope::MAX_PAYLOAD).
    #[error("the message is too long for one envelope")]
    TooLong,
    /// Too many commands are under way.
    #[error("too many requests are under way")]
    Busy,
    /// The node was shut down.
    #[error("the node was shut down")]
    Closed,
}

/// Why no relay was offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelaysError {
    /// No supernode can be reached.
    #[error("no supernode can be reached")]
    Offline,
    /// None of the supernodes asked relays (for us).
    #[error("no supernode offers to relay")]
    NoRelay,
    /// Too many commands are under way.
    #[error("too many requests are under way")]
    Busy,
    /// The node was shut down.
    #[error("the node was shut down")]
    Closed,
}

/// Why a node is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineReason {
    /// Neither bootstrap, cache nor LAN gave an address to try.
    #[error("no supernode is known; give --bootstrap HOST:PORT")]
    NobodyKnown,
    /// Addresses are known, none answers.
    #[error("no known supernode answers")]
    NobodyAnswers,
    /// Those that answer belong to another network (`--lab` or not) or version.
    #[error("the supernodes that answer belong to another network or version")]
    Incompatible,
    /// Those that answer are full.
    #[error("the supernodes that answer have no room")]
    Full,
}
