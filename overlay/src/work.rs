//! Proof of work: what a claim to a username costs its claimant once, so that nobody takes all names.
//!
//! ```text
//! challenge = SHA-256("silbo claim work 1" ‖ 0x00 ‖ CBOR [network, name, identity, claimed_at])
//! tag       = Argon2id v1.3 (RFC 9106) of challenge ‖ nonce, salt "silbo claim work", t = 1, p = 1, 32 bytes
//!             whose first 64 bits, as a number, are at most (2^64 - 1) / attempts
//! seal      = a number with which SHA-256(challenge ‖ nonce ‖ tag ‖ seal) begins with `gate` zero bits
//! ```
//! A verifier sees from the seal, for the price of one hash, that somebody worked, before it spends memory on the tag
//! itself. The proof covers the date of the claim: an earlier date costs anew, a renewal nothing.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use crate::{
    config::Network,
    identity::PublicKey,
    username::{USERNAME_MIN, Username},
    wire,
};

/// What a proof costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Memory of one attempt, for the claimant and the verifier, in KiB.
    pub memory_kib: u32,
    /// Attempts one needs on average.
    pub attempts: u64,
    /// Leading zero bits of the seal.
    pub gate_bits: u32,
}

/// Most memory a verifier ever spends, in KiB.
pub const MAX_MEMORY_KIB: u32 = 8 * 1024;

impl Price {
    /// What `name` costs in `network`: the shorter, the dearer; separators do not count as length.
    pub fn of(network: Network, name: &Username) -> Self {
        match network {
            Network::Main => {
                let attempts = match name.letters() {
                    0..=USERNAME_MIN => 5_000,
                    4 => 4_000,
                    5 => 3_000,
                    6..=7 => 1_500,
                    _ => 800,
                };
                Self { memory_kib: MAX_MEMORY_KIB, attempts, gate_bits: 18 }
            }
            // The same steps, for nothing.
            Network::Lab => Self { memory_kib: Params::MIN_M_COST, attempts: 1, gate_bits: 0 },
        }
    }

    fn accepts(self, tag: &[u8; 32]) -> bool {
        let [a, b, c, d, e, f, g, h, ..] = *tag;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) <= u64::MAX / self.attempts.max(1)
    }
}

/// What is to be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puzzle {
    challenge: [u8; 32],
    price: Price,
}

impl Puzzle {
    /// The puzzle of one claim.
    pub fn of(network: Network, name: &Username, identity: PublicKey, claimed_at: UnixTime) -> Self {
        let about = wire::to_bytes(&(network, name.as_str(), identity, claimed_at.as_millis()));
        let challenge = Sha256::new_with_prefix("silbo claim work 1").chain_update([0]).chain_update(about);
        Self { challenge: challenge.finalize().into(), price: Price::of(network, name) }
    }

    /// Begins to solve it.
    pub fn begin(self) -> Search {
        Search { puzzle: self, nonce: 0, found: None, seal: 0, memory: Vec::new() }
    }

    /// Whether somebody worked, as far as one hash tells.
    pub fn is_sealed(&self, proof: &Proof) -> bool {
        self.price.accepts(&proof.tag) && self.sealed(proof)
    }

    /// Whether the work was done. Costs the price's memory; ask [`Puzzle::is_sealed`] first.
    pub fn is_solved(&self, proof: &Proof) -> bool {
        // A checker that panicked left nothing behind that matters.
        let _one_at_a_time = CHECKING.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_sealed(proof) && self.tag(proof.nonce, &mut Vec::new()) == Some(proof.tag)
    }

    /// A name for the pair of both: to remember what was found right.
    pub(crate) fn work_id(&self, proof: &Proof) -> [u8; 32] {
        self.hash(proof)
    }

    fn sealed(&self, proof: &Proof) -> bool {
        let hash = self.hash(proof);
        let leading = hash.iter().take_while(|byte| **byte == 0).count();
        let zeros = leading * 8 + hash.get(leading).map_or(0, |byte| byte.leading_zeros() as usize);
        zeros >= self.price.gate_bits as usize
    }

    fn hash(&self, proof: &Proof) -> [u8; 32] {
        Sha256::new_with_prefix(self.challenge)
            .chain_update(proof.nonce.to_be_bytes())
            .chain_update(proof.tag)
            .chain_update(proof.seal.to_be_bytes())
            .finalize()
            .into()
    }

    /// Nothing, should Argon2 refuse the price.
    fn tag(&self, nonce: u64, memory: &mut Vec<Block>) -> Option<[u8; 32]> {
        let params = Params::new(self.price.memory_kib, 1, 1, Some(32)).ok()?;
        if memory.capacity() == 0 && params.block_count() >= LARGE {
            memory.reserve_exact(MAPPED_ALONE);
        }
        memory.resize(params.block_count(), Block::default());
        let input = [self.challenge.as_slice(), &nonce.to_be_bytes()].concat();
        let mut tag = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(&input, SALT, &mut tag, memory)
            .ok()?;
        Some(tag)
    }
}

/// Proofs are checked one at a time in a process: it needs their memory once.
static CHECKING: Mutex<()> = Mutex::new(());

/// Blocks (of a KiB) from which on memory is asked for in a way that gives it back to the system when the work is done.
const LARGE: usize = 1024;

/// Room for so many blocks is more than any allocator keeps for itself: it is mapped alone, and unmapped when dropped.
/// Only the pages that are written count.
const MAPPED_ALONE: usize = 40 * 1024;

const SALT: &[u8; 16] = b"silbo claim work";

/// Seals tried in one step: about as long as one attempt.
const SEALS_PER_STEP: u64 = 16 * 1024;

/// A puzzle being solved, step by step, each of some milliseconds, so that it can be left at any time.
#[derive(Debug)]
pub struct Search {
    puzzle: Puzzle,
    nonce: u64,
    found: Option<[u8; 32]>,
    seal: u64,
    memory: Vec<Block>,
}

impl Search {
    /// One step; the proof when this was the last.
    pub fn step(&mut self) -> Option<Proof> {
        match self.found {
            None => {
                let tag = self.puzzle.tag(self.nonce, &mut self.memory)?;
                if self.puzzle.price.accepts(&tag) {
                    self.found = Some(tag);
                    self.memory = Vec::new();
                } else {
                    self.nonce += 1;
                }
                None
            }
            Some(tag) => {
                let from = self.seal;
                self.seal += SEALS_PER_STEP;
                let proofs = (from..self.seal).map(|seal| Proof { nonce: self.nonce, tag, seal });
                proofs.into_iter().find(|proof| self.puzzle.sealed(proof))
            }
        }
    }
}

/// What a claimant worked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Proof {
    #[n(0)]
    nonce: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    tag: [u8; 32],
    #[n(2)]
    seal: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn puzzle(secret: u8, name: &str, claimed_at: UnixTime, price: Price) -> Puzzle {
        let (name, identity) = (Username::parse(name).unwrap(), Identity::from_secret([secret; 32]));
        Puzzle { price, ..Puzzle::of(Network::Lab, &name, identity.public_key(), claimed_at) }
    }

    fn solve(puzzle: Puzzle) -> Proof {
        let mut search = puzzle.begin();
        (0..10_000).find_map(|_| search.step()).unwrap()
    }

    const CHEAP: Price = Price { memory_kib: 64, attempts: 8, gate_bits: 8 };

    #[test]
    fn a_solved_puzzle_proves_one_name_of_one_key_at_one_date_only() {
        let ada = puzzle(1, "ada", NOW, CHEAP);
        let proof = solve(ada);
        assert!(ada.is_solved(&proof));
        let earlier = UnixTime::from_secs(1_700_000_000);
        for other in [
            puzzle(2, "ada", NOW, CHEAP),
            puzzle(1, "bob", NOW, CHEAP),
            puzzle(1, "ada", earlier, CHEAP),
            puzzle(1, "ada", NOW, Price { gate_bits: 60, ..CHEAP }),
            puzzle(1, "ada", NOW, Price { attempts: u64::MAX, ..CHEAP }),
            puzzle(1, "ada", NOW, Price { memory_kib: 128, ..CHEAP }),
        ] {
            assert!(!other.is_solved(&proof), "{other:?}");
        }
    }

    #[test]
    fn a_bent_proof_proves_nothing_and_an_invented_tag_is_found_out_by_working_it_out() {
        let ada = puzzle(1, "ada", NOW, CHEAP);
        let proof = solve(ada);
        for bit in 0..256 {
            let mut bent = proof;
            bent.tag[bit / 8] ^= 1 << (bit % 8);
            assert!(!ada.is_solved(&bent), "bit {bit}");
        }
        assert!(!ada.is_solved(&Proof { nonce: proof.nonce + 1, ..proof }));
        // Whoever pays for the seal alone passes the gate, and only the gate.
        let invented = (0..).map(|seal| Proof { nonce: 0, tag: [0; 32], seal });
        let invented = invented.into_iter().find(|proof| ada.is_sealed(proof)).unwrap();
        assert!(!ada.is_solved(&invented));
    }

    #[test]
    fn short_names_are_dear_and_separators_make_no_name_longer() {
        let attempts = |name: &str| Price::of(Network::Main, &Username::parse(name).unwrap()).attempts;
        assert!(attempts("ada") > attempts("alan") && attempts("alan") > attempts("grace"));
        assert!(attempts("grace") > attempts("turing") && attempts("turing") > attempts("lovelace"));
        assert_eq!(attempts("a.d-a"), attempts("ada"));
        assert_eq!(attempts(&"a".repeat(32)), attempts("lovelace"));
    }

    #[test]
    fn the_real_price_fits_into_eight_mebibytes() {
        let name = Username::parse("ada").unwrap();
        let price = Price::of(Network::Main, &name);
        assert_eq!(price.memory_kib, 8 * 1024);
        // One attempt and a real gate; what remains of the price is more of the same.
        let proof = solve(puzzle(1, "ada", NOW, Price { attempts: 1, gate_bits: 8, ..price }));
        assert!(puzzle(1, "ada", NOW, Price { attempts: 1, gate_bits: 8, ..price }).is_solved(&proof));
    }
}
