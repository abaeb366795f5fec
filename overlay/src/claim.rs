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
