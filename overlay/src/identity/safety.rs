//! The safety number of two people: sixty digits, the same at both ends, and other ones when somebody stands in between.
//!
//! ```text
//!   hash(0) = SHA-512("silbo safety number 1" ‖ key),  hash(n) = SHA-512(hash(n-1) ‖ key),  n up to 5200
//!   half    = six times five bytes of the last, big-endian, each modulo 100,000: six groups of five digits
//!   number  = the half of the smaller key, then that of the larger
//! ```
//!
//! A half has 99 bits. Who wants another key with the same must hash 2^99 times 5200; who hopes that people compare two groups
//! only, 2^33 times 5200.

use std::fmt;

use sha2::{Digest as _, Sha512};

use super::PublicKey;

/// Rounds of the hash.
const ROUNDS: u32 = 5200;
/// Groups of five digits of one key.
const GROUPS: usize = 6;

/// Sixty digits in groups of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafetyNumber([u32; 2 * GROUPS]);

impl SafetyNumber {
    /// That of two people, in whichever order. Takes some milliseconds.
    pub fn of(one: &PublicKey, other: &PublicKey) -> Self {
        let (smaller, larger) = (one.min(other), one.max(other));
        let mut groups = [0; 2 * GROUPS];
        let (first, second) = groups.split_at_mut(GROUPS);
        first.copy_from_slice(&half(smaller));
        second.copy_from_slice(&half(larger));
        Self(groups)
    }

    /// The groups, each of five digits.
    pub fn groups(&self) -> [String; 2 * GROUPS] {
        self.0.map(|group| format!("{group:05}"))
    }
}

/// The groups with a space between.
impl fmt::Display for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.groups().join(" "))
    }
}

fn half(key: &PublicKey) -> [u32; GROUPS] {
    let mut hash = Sha512::new().chain_update("silbo safety number 1").chain_update(key.bytes()).finalize();
    for _ in 1..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(key.bytes()).finalize();
    }
    std::array::from_fn(|group| {
        let bytes = &hash[5 * group..5 * group + 5];
        let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        (number % 100_000) as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    fn key(seed: u8) -> PublicKey {
        Identity::from_secret([seed; 32]).public_key()
    }

    #[test]
    fn both_ends_see_the_same_sixty_digits() {
        let number = SafetyNumber::of(&key(1), &key(2));
        assert_eq!(number, SafetyNumber::of(&key(2), &key(1)));
        let text = number.to_string();
        assert_eq!(text.len(), 60 + 11);
        assert!(
            text.split(' ')
                .all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit()))
        );
    }

    #[test]
    fn anybody_in_between_changes_one_half_at_each_end() {
        let (alice, bob, mallory) = (key(1), key(2), key(3));
        let honest = SafetyNumber::of(&alice, &bob).groups();
        let tapped = SafetyNumber::of(&alice, &mallory).groups();
        let same = honest.iter().filter(|group| tapped.contains(group)).count();
        assert_eq!(same, GROUPS, "only Alice's half is the same");
    }

    #[test]
    fn the_number_never_changes() {
        // Computed apart, with hashlib of Python.
        let number = SafetyNumber::of(&PublicKey::from_bytes([0; 32]), &PublicKey::from_bytes([255; 32]));
        assert_eq!(
            number.to_string(),
            "01149 12396 23456 26545 78093 48775 03356 21338 93265 59604 49362 93046"
        );
    }
}
