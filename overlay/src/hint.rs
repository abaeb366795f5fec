//! Where a supernode may be, told by somebody other than itself: by a friend in an invite, or by whoever made this
//! release. A hint is an address and the node key that must answer there, so that whoever took over the address since
//! gets nothing; it needs no date, for a wrong one costs a dial.

mod invite;
mod roster;

use std::{collections::BTreeSet, net::SocketAddr};

use minicbor::{Decode, Encode};

pub use self::{
    invite::{INVITE_SCHEME, Invite, InviteError, MAX_HINTS, MAX_INVITE_TEXT},
    roster::{MAX_ROSTER, Roster, RosterError},
};
use crate::{
    config::Network,
    identity::LinkKey,
    node::cached_supernodes,
    routing::{Prefix, is_public},
};

/// A supernode and where it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Hint {
    /// The key that must answer.
    #[n(0)]
    pub node: LinkKey,
    /// Where.
    #[n(1)]
    pub address: SocketAddr,
}

impl Hint {
    /// Supernodes from the bytes of [`Node::cache`](crate::node::Node::cache), in different networks as far as there
    /// are some: what a friend may be told.
    pub fn from_cache(network: Network, cache: &[u8]) -> Vec<Self> {
        let records = cached_supernodes(cache).unwrap_or_default();
        let hints = records.iter().map(|record| Self { node: record.node(), address: record.address() });
        let mut prefixes = BTreeSet::new();
        let (apart, beside): (Vec<Self>, Vec<Self>) = hints
            .filter(|hint| hint.is_possible(network))
            .partition(|hint| prefixes.insert(Prefix::of(network, hint.address)));
        apart.into_iter().chain(beside).collect()
    }

    /// Whether somebody may be reached there.
    fn is_possible(&self, network: Network) -> bool {
        self.address.port() != 0 && (network == Network::Lab || is_public(self.address.ip()))
    }
}
