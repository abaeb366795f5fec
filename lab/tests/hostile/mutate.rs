//! Bends bytes, always the same way for the same seed: what a fuzzer does first.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// Numbers at which lengths and integers go wrong.
const EDGES: [u8; 10] = [0x00, 0x01, 0x17, 0x18, 0x7f, 0x80, 0x9f, 0xbf, 0xfe, 0xff];

/// No input grows beyond this.
const LONGEST: usize = 8 * 1024;

/// An endless supply of bent inputs.
pub(crate) struct Mutations<'a> {
    inputs: &'a [Vec<u8>],
    rng: StdRng,
}

impl<'a> Mutations<'a> {
    pub(crate) fn of(inputs: &'a [Vec<u8>], seed: [u8; 32]) -> Self {
        Self { inputs, rng: StdRng::from_seed(seed) }
    }

    fn bend(&mut self, bytes: &mut Vec<u8>) {
        let rng = &mut self.rng;
        let at = rng.random_range(0..=bytes.len());
        let length = rng.random_range(0..=(bytes.len() - at).min(32));
        match rng.random_range(0..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = EDGES[rng.random_range(0..EDGES.len())],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let piece = bytes[at..at + length].to_vec();
                let to = rng.random_range(0..=bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => bytes.splice(at..at, (0..length).map(|_| rng.random())).for_each(drop),
            6 => {
                if let Some(other) = self.inputs.choose(rng) {
                    let from = rng.random_range(0..=other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
            }
            _ => bytes.splice(at..at, [EDGES[rng.random_range(0..EDGES.len())]; 9]).for_each(drop),
        }
        bytes.truncate(LONGEST);
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.inputs.choose(&mut self.rng)?.clone();
        for _ in 0..self.rng.random_range(1..=4) {
            self.bend(&mut bytes);
        }
        Some(bytes)
    }
}

#[test]
fn the_same_seed_bends_the_same_way() {
    let inputs = vec![b"hello".to_vec(), vec![7; 100]];
    let some = |seed| Mutations::of(&inputs, [seed; 32]).take(200).collect::<Vec<_>>();
    assert_eq!(some(1), some(1));
    assert_ne!(some(1), some(2));
}
