//! Where things are kept: the key space, the distance in it, the supernodes known and address prefixes.

mod prefix;
mod table;

use std::cmp::Ordering;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

pub use self::{
    prefix::{Near, Prefix, is_public},
    table::{Bounds, Inserted, Known, PER_PREFIX, Table},
};
use crate::{
    identity::{LinkKey, PublicKey, by_bytes},
    record::BlindedKey,
    username::Username,
};

/// Supernodes that hold each claim and introduction record.
pub const REPLICATION: usize = 20;

/// A point of the key space: a SHA-256 hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Key(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        by_bytes(&self.0, &other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

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
        Distance::new(std::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }

    /// How many leading bits are the same.
    pub fn shared_bits(&self, other: &Self) -> u16 {
        let mut bits = 0;
        for part in self.distance(other).0 {
            bits += part.leading_zeros() as u16;
            if part != 0 {
                break;
            }
        }
        bits
    }

    /// Whether this bit is set; the first is bit 0.
    fn has_bit(&self, bit: u16) -> bool {
        self.0.get(usize::from(bit / 8)).is_some_and(|byte| byte << (bit % 8) & 0x80 != 0)
    }

    /// The first 32 bits, as a number.
    fn leading(&self) -> u32 {
        self.0.first_chunk().map_or(0, |first| u32::from_be_bytes(*first))
    }

    /// The first and the last of all points that share the leading `bits` with this one.
    fn around(&self, bits: u16) -> (Self, Self) {
        let (mut first, mut last) = (*self, *self);
        for (nth, (low, high)) in first.0.iter_mut().zip(&mut last.0).enumerate() {
            let kept = usize::from(bits).saturating_sub(nth * 8).min(8);
            let free = u8::try_from(0xff_u16 >> kept).unwrap_or(0);
            *low &= !free;
            *high |= free;
        }
        (first, last)
    }

    /// The first and the last of all points that share exactly `bits` leading bits with this one.
    fn beside(&self, bits: u16) -> (Self, Self) {
        let mut other = *self;
        if let Some(byte) = other.0.get_mut(usize::from(bits / 8)) {
            *byte ^= 0x80 >> (bits % 8);
        }
        other.around(bits + 1)
    }

    /// Where it lies on the circle of all points.
    pub fn on_circle(&self) -> Place {
        Place(self.leading())
    }

    /// The last 32 bits: as good as a draw among points, and always the same one.
    pub(crate) fn lot(&self) -> u32 {
        self.0.last_chunk().map_or(0, |last| u32::from_be_bytes(*last))
    }

    fn hash(domain: &str, bytes: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(domain).chain_update([0]).chain_update(bytes).finalize().into())
    }
}

/// A point of the key space drawn as a circle, on which those that share leading bits are neighbours: the first 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u32);

impl Place {
    /// Of these bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// How far around the circle: from 0 to less than 1.
    pub fn turns(self) -> f64 {
        f64::from(self.0) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The XOR of two keys, as a number of four parts, the first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distance([u64; 4]);

impl Distance {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        let mut parts = [0; 4];
        for (part, bytes) in parts.iter_mut().zip(bytes.as_chunks().0) {
            *part = u64::from_be_bytes(*bytes);
        }
        Self(parts)
    }

    /// The first 64 bits, as a number.
    pub fn leading(&self) -> u64 {
        self.0[0]
    }
}

/// How many holders must confirm before something counts as stored, when `live` supernodes are known to live:
/// the rule (a majority of [`REPLICATION`]), but never more than two thirds of them, and at least one.
pub fn quorum(live: usize) -> usize {
    (REPLICATION / 2 + 1).min((live * 2).div_ceil(3)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: u8) -> Key {
        Key::of_person(&PublicKey::from_bytes([n; 32]))
    }

    #[test]
    fn distance_is_symmetric_and_zero_only_to_oneself() {
        let (a, b) = (point(1), point(2));
        assert_eq!(a.distance(&b), b.distance(&a));
        assert_eq!(a.distance(&a), Distance([0; 4]));
        assert!(a.distance(&b) > a.distance(&a));
    }

    #[test]
    fn points_around_share_the_leading_bits_and_points_beside_no_more() {
        let key = point(1);
        for bits in [0, 1, 7, 8, 9, 200, 255] {
            let ((first, last), (low, high)) = (key.around(bits), key.beside(bits));
            assert!(first <= key && key <= last);
            assert!([first, last].iter().all(|end| key.shared_bits(end) >= bits));
            assert_eq!([low, high].map(|end| key.shared_bits(&end)), [bits; 2], "{bits}");
        }
        let bits: Vec<bool> = (0..256).map(|bit| key.has_bit(bit)).collect();
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte: u8, bit| byte << 1 | u8::from(*bit));
        assert_eq!(bits.chunks(8).map(byte).collect::<Vec<u8>>(), key.0);
        assert_eq!(key.shared_bits(&key), 256);
        assert_eq!(key.around(0), (Key([0; 32]), Key([0xff; 32])));
        assert_eq!(key.around(256), (key, key));
    }

    #[test]
    fn the_circle_begins_at_the_first_point_and_comes_back_to_it_after_the_last() {
        let turns = |first| {
            let mut key = Key::default();
            key.0[0] = first;
            key.on_circle().turns()
        };
        assert_eq!([0, 0x40, 0x80, 0xc0].map(turns), [0.0, 0.25, 0.5, 0.75]);
        let last = Key([0xff; 32]).on_circle().turns();
        assert!(last < 1.0 && last > 0.999_999, "{last}");
    }

    #[test]
    fn quorums_fit_small_networks() {
        assert_eq!([0, 1, 2, 3, 6, 20, 1000].map(quorum), [1, 1, 2, 2, 4, 11, 11]);
    }
}
