//! Contacts, those who want to be one, and what a search finds.

use super::ContactId;
use crate::{
    reason::Reason,
    storage::{Nickname, Verified, When},
};
use overlay::{InviteError, PublicKey};

/// One contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactRow {
    /// Who.
    pub id: ContactId,
    /// The username they were added under.
    pub name: String,
    /// What the person calls them.
    pub nickname: Option<Nickname>,
    /// Short form of the key, empty for Echo.
    pub fingerprint: String,
    /// When they were last in a call with us, if ever.
    pub last_call: Option<When>,
    /// Whether they are there.
    pub presence: Presence,
    /// Whether their key was compared with them.
    pub verified: Verified,
    /// Who has their name now, if another key does and nobody has decided about it.
    pub changed: Option<PublicKey>,
}

impl ContactRow {
    /// The name shown.
    pub fn shown(&self) -> &str {
        self.nickname.as_ref().map_or(self.name.as_str(), Nickname::as_str)
    }
}

/// Somebody who is never heard from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRow {
    /// Who.
    pub key: PublicKey,
    /// The name they were known by, or said they have; empty if none.
    pub name: String,
    /// Short form of the key.
    pub fingerprint: String,
}

/// Whether a contact is there, as it told us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It told us nothing.
    Unknown,
    /// It is.
    Here,
    /// It was, at that time.
    Gone(When),
}

/// The answer to a username search.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Nothing asked.
    Idle,
    /// Asked, no answer yet.
    Searching {
        /// The name asked for.
        name: String,
    },
    /// Those who claim the name, best first; empty when nobody does.
    Found {
        /// The name asked for.
        name: String,
        /// Those who claim it.
        claims: Vec<ClaimRow>,
    },
    /// A link that came from outside invites to somebody, who is not added yet.
    Offered {
        /// Who.
        key: PublicKey,
        /// The name they say they have.
        name: String,
        /// The link.
        link: String,
    },
    /// It was an invite, and whoever invites is a contact now.
    Invited {
        /// Who.
        key: PublicKey,
    },
    /// It was an invite that does not serve.
    NoInvite(NoInvite),
    /// The search itself failed.
    Failed {
        /// The name asked for.
        name: String,
        /// Why.
        why: Reason,
    },
}

/// Why an invite does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoInvite {
    /// It is none, or none for us.
    Unreadable(InviteError),
    /// Whoever invites cannot be added.
    Refused(Reason),
}

/// One claim of a searched name.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimRow {
    /// Who claims it.
    pub key: PublicKey,
    /// Short form of the key.
    pub fingerprint: String,
    /// Independent supernodes that returned this claim.
    pub holders: usize,
    /// Whether this key is already a contact.
    pub contact: bool,
}

/// A call from somebody who is not a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Who called.
    pub key: PublicKey,
    /// The username they say they have (not verified).
    pub name: String,
    /// Short form of the key.
    pub fingerprint: String,
    /// Whether they still call.
    pub attempt: Attempt,
}

/// A stranger's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is over.
    Past,
    /// It goes on, and rings as soon as they are let in.
    Now,
}
