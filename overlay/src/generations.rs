//! What was found out lately, for as many keys as there is room for: two generations of a fixed size.
//!
//! ```text
//!   insert ─▶ young ─full─▶ old ─young is full again─▶ forgotten
//!               ▲────looked up────┘
//! ```

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hash, Hasher},
};

/// At most `size` values in each generation. Both have their size from the first one on, so that nobody makes them grow.
pub(crate) struct Generations<K, V> {
    size: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
}

type Generation<K, V> = HashMap<K, V, BuildHasherDefault<FirstBytes>>;

impl<K: Eq + Hash, V> Generations<K, V> {
    pub(crate) const fn new(size: usize) -> Self {
        let hasher = BuildHasherDefault::new;
        Self { size, young: HashMap::with_hasher(hasher()), old: HashMap::with_hasher(hasher()) }
    }

    /// Has room for so many from now on, if it has not yet.
    pub(crate) fn grow(&mut self, size: usize) {
        let more = size.saturating_sub(self.size);
        self.size += more;
        self.young.reserve(self.size - self.young.len());
        self.old.reserve(self.size - self.old.len());
    }

    /// What is looked up stays for another generation.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.insert(key, value);
        }
        self.young.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.capacity() == 0 {
            self.young.reserve(self.size);
            self.old.reserve(self.size);
        }
        if self.young.len() >= self.size {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, value);
    }
}

/// Digests and keys are spread evenly: eight of their bytes are a hash.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 100;

    #[test]
    fn the_latest_are_remembered_and_the_oldest_forgotten() {
        let mut seen = Generations::<[u8; 8], usize>::new(SIZE);
        for n in 0..=2 * SIZE {
            seen.insert(n.to_le_bytes(), n);
            assert_eq!(seen.get(&n.to_le_bytes()), Some(&n));
        }
        assert_eq!(seen.get(&0_usize.to_le_bytes()), None);
        assert!(seen.young.len() <= SIZE && seen.old.len() <= SIZE);
    }

    #[test]
    fn what_is_asked_for_again_and_again_stays() {
        let mut seen = Generations::<[u8; 8], ()>::new(SIZE);
        seen.insert([1; 8], ());
        for n in 0..10 * SIZE {
            seen.insert(n.to_le_bytes(), ());
            assert!(seen.get(&[1; 8]).is_some());
        }
    }
}
