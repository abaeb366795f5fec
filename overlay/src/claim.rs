//! A claim: "this name is mine", signed, with dates.
//!
//! The first valid claim a holder sees wins there; holders never arbitrate between keys. Readers verify every claim
//! themselves, take the union of all answers and show all of it. The claim's age is the claimant's word and orders
//! what is shown only among claims confirmed by equally many holders.

use std::{collections::BTreeMap, time::Duration};

use minicbor::{Decode, Encode};
use relay::UnixTime;

use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    outcome::FoundClaim,
    record::{CLOCK_TOLERANCE, RecordError},
    username::Username,
    wire,
};

const VERSION: u8 = 1;

/// How long a claim lasts unless renewed.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(35 * 24 * 3600);

/// A signed claim to a username: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    #[n(0)]
    body: ClaimBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct ClaimBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    name: Username,
    #[n(3)]
    identity: PublicKey,
    #[cbor(n(4), with = "wire::unix_time")]
    claimed_at: UnixTime,
    #[n(5)]
    seq: u64,
    #[cbor(n(6), with = "wire::unix_time")]
    not_after: UnixTime,
}

impl Claim {
    /// Claims `name` from `claimed_at` on; `seq` must exceed that of every earlier claim of this key to this name.
    pub fn sign(
        identity: &Identity,
        network: Network,
        name: Username,
        claimed_at: UnixTime,
        seq: u64,
        now: UnixTime,
    ) -> Self {
        let body = ClaimBody {
            version: VERSION,
            network,
            name,
            identity: identity.public_key(),
            claimed_at,
            seq,
            not_after: now.saturating_add(CLAIM_LIFETIME),
        };
        let signature = identity.sign(Domain::Claim, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether to believe it.
    pub fn verify(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        if self.body.version != VERSION {
            return Err(RecordError::Version);
        }
        if self.body.network != network {
            return Err(RecordError::Network);
        }
        if self.body.not_after <= now {
            return Err(RecordError::Expired);
        }
        let tomorrow = now.saturating_add(CLOCK_TOLERANCE);
        if self.body.claimed_at > tomorrow
            || self.body.not_after > tomorrow.saturating_add(CLAIM_LIFETIME)
            || self.body.not_after < self.body.claimed_at
        {
            return Err(RecordError::Dates);
        }
        self.body
            .identity
            .verify(Domain::Claim, &wire::to_bytes(&self.body), &self.signature)
            .map_err(|_| RecordError::Signature)
    }

    /// The name.
    pub fn name(&self) -> &Username {
        &self.body.name
    }

    /// Whose.
    pub fn identity(&self) -> PublicKey {
        self.body.identity
    }

    /// Since when, as the claimant says.
    pub fn claimed_at(&self) -> UnixTime {
        self.body.claimed_at
    }

    /// Grows with every renewal.
    pub fn seq(&self) -> u64 {
        self.body.seq
    }

    /// Until when it lasts.
    pub fn not_after(&self) -> UnixTime {
        self.body.not_after
    }
}

/// The union of what holders answered: per key the newest claim and how many hold one.
#[derive(Debug, Clone, Default)]
pub struct Union {
    by_key: BTreeMap<PublicKey, (Claim, usize)>,
}

impl Union {
    /// Adds one holder's verified claims; several of one key count as one.
    pub fn add(&mut self, answer: impl IntoIterator<Item = Claim>) {
        let mut newest: BTreeMap<PublicKey, Claim> = BTreeMap::new();
        for claim in answer {
            match newest.get(&claim.identity()) {
                Some(held) if held.seq() >= claim.seq() => {}
                Some(_) | None => {
                    newest.insert(claim.identity(), claim);
                }
            }
        }
        for (key, claim) in newest {
            let (held, holders) = self.by_key.entry(key).or_insert_with(|| (claim.clone(), 0));
            *holders += 1;
            if claim.seq() > held.seq() {
                *held = claim;
            }
        }
    }

    /// All claims found: most holders first, then the older claim, then the smaller key.
    pub fn ordered(&self) -> Vec<FoundClaim> {
        let mut found: Vec<FoundClaim> = self
            .by_key
            .iter()
            .map(|(key, (claim, holders))| FoundClaim {
                key: *key,
                holders: *holders,
                claimed_at: claim.claimed_at(),
            })
            .collect();
        found.sort_by_key(|claim| (std::cmp::Reverse(claim.holders), claim.claimed_at, claim.key));
        found
    }

    /// The newest claim of one key.
    pub fn of(&self, key: &PublicKey) -> Option<&Claim> {
        self.by_key.get(key).map(|(claim, _)| claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn ada() -> Username {
        Username::parse("ada").unwrap()
    }

    fn claim(secret: u8, claimed_at: UnixTime, seq: u64) -> Claim {
        Claim::sign(&Identity::from_secret([secret; 32]), Network::Lab, ada(), claimed_at, seq, NOW)
    }

    #[test]
    fn a_claim_is_believed_in_its_network_and_time_only() {
        let claim = claim(1, NOW, 1);
        assert_eq!(claim.verify(Network::Lab, NOW), Ok(()));
        assert_eq!(claim.verify(Network::Main, NOW), Err(RecordError::Network));
        assert_eq!(claim.verify(Network::Lab, NOW.saturating_add(CLAIM_LIFETIME)), Err(RecordError::Expired));
        assert_eq!(
            claim.verify(Network::Lab, NOW.saturating_sub(CLOCK_TOLERANCE * 2)),
            Err(RecordError::Dates)
        );
    }

    #[test]
    fn no_bent_bit_is_believed() {
        let bytes = wire::to_bytes(&claim(1, NOW, 1));
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(claim) = wire::from_bytes::<Claim>(&bent) {
                assert!(claim.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_name_in_another_form_is_no_claim() {
        let bytes = wire::to_bytes(&claim(1, NOW, 1));
        let at = bytes.windows(3).position(|window| window == b"ada").unwrap();
        let mut upper = bytes.clone();
        upper[at] = b'A';
        assert!(wire::from_bytes::<Claim>(&upper).is_err());
    }

    #[test]
    fn the_union_shows_everybody_most_holders_first_then_the_older_then_the_smaller_key() {
        let (early, late) = (NOW.saturating_sub(Duration::from_secs(9)), NOW);
        let mut union = Union::default();
        union.add([claim(1, late, 1), claim(2, early, 1)]);
        union.add([claim(3, late, 1), claim(1, late, 1), claim(1, late, 2)]);
        let found: Vec<_> = union.ordered().into_iter().map(|c| (c.key, c.holders)).collect();
        let key = |secret| Identity::from_secret([secret; 32]).public_key();
        assert_eq!(found, [(key(1), 2), (key(2), 1), (key(3), 1)]);
        assert_eq!(union.of(&key(1)).unwrap().seq(), 2);
    }
}
