//! Where things are kept: the key space, the distance in it, the supernodes known and address prefixes.

mod prefix;
mod table;

use sha2::{Digest as _, Sha256};

pub use self::{
    prefix::{Prefix, is_public},
    table::{Inserted, Known, Table},
};
use crate::{
    identity::{LinkKey, PublicKey},
    record::BlindedKey,
    username::Username,
};

/// Supernodes that hold each claim and introduction record.
pub const REPLICATION: usize = 20;

/// A point of the key space: a SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// Where claims to a name, and to all that look like it, are kept.
    pub fn of_name(name: &Username) -> Self {
        Self::hash("silbo name 1", name.skeleton().as_str().as_bytes())
    }

    /// Where a person's introduction record is kept.
    pub fn of_person(key: &PublicKey) -> Self {
        Self::hash("silbo person 1", key.bytes())
    }

    /// Where a presence record is kept.
    pub fn of_presence(key: &BlindedKey) -> Self {
        Self::hash("silbo presence 1", key.bytes())
    }

    /// Where a supernode stands.
    pub fn of_node(key: &LinkKey) -> Self {
        Self::hash("silbo node 1", key.bytes())
    }

    /// How far apart two points are: XOR, compared as a big-endian number.
    pub fn distance(&self, other: &Self) -> Distance {
        Distance(std::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }

    fn hash(domain: &str, bytes: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(domain).chain_update([0]).chain_update(bytes).finalize().into())
    }
}

/// The XOR of two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distance([u8; 32]);

/// How many holders must confirm before something counts as stored, when `live` supernodes are known to live:
/// the rule (a majority of [`REPLICATION`]), but never more than two thirds of them, and at least one.
pub fn quorum(live: usize) -> usize {
    (REPLICATION / 2 + 1).min((live * 2).div_ceil(3)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_symmetric_and_zero_only_to_oneself() {
        let (a, b) = (
            Key::of_person(&PublicKey::from_bytes([1; 32])),
            Key::of_person(&PublicKey::from_bytes([2; 32])),
        );
        assert_eq!(a.distance(&b), b.distance(&a));
        assert_eq!(a.distance(&a), Distance([0; 32]));
        assert!(a.distance(&b) > a.distance(&a));
    }

    #[test]
    fn quorums_fit_small_networks() {
        assert_eq!([0, 1, 2, 3, 6, 20, 1000].map(quorum), [1, 1, 2, 2, 4, 11, 11]);
    }
}
