//! How a name passes from one key to another of the same person: by the old key at once, by the recovery key the old
//! one committed to after a delay in which the old one may object.
//!
//! ```text
//!   rotation:  A ─signed by A and B──────────────▶ B        at once; B goes on with A's age
//!   recovery:  A ─signed by A's recovery key and B▶ pending ─RECOVERY_DELAY──▶ B    receipts for B are counted from its
//!                                                    │                              first day; A is shown until then
//!                                                    └─A commits to another recovery key─▶ refused
//! recovery hash = SHA-256("silbo recovery 1" ‖ 0x00 ‖ recovery key)
//! succession    = [[1, network, name, claimed_at, from, to], null / recovery key, signature by from or the recovery
//!                  key, signature by to]
//! ```

use std::time::Duration;

use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use super::Claim;
use crate::{
    config::Network,
    identity::{Domain, Identity, PublicKey, Signature},
    username::Username,
    wire,
};

const VERSION: u8 = 1;

/// Successions one claim carries at most; who passed a name on as often begins anew.
pub const MAX_SUCCESSIONS: usize = 4;

/// How long the old key may object to a recovery.
pub const RECOVERY_DELAY: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a claim says of the key that may recover its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct RecoveryHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl RecoveryHash {
    /// Of a recovery key.
    pub fn of(key: &PublicKey) -> Self {
        let hash = Sha256::new_with_prefix("silbo recovery 1").chain_update([0]).chain_update(key.bytes());
        Self(hash.finalize().into())
    }
}

/// A name passes on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Succession {
    #[n(0)]
    body: SuccessionBody,
    /// Who says so in place of the old key.
    #[n(1)]
    recovery: Option<PublicKey>,
    #[n(2)]
    given: Signature,
    #[n(3)]
    taken: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct SuccessionBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    name: Username,
    #[cbor(n(3), with = "wire::unix_time")]
    claimed_at: UnixTime,
    #[n(4)]
    from: PublicKey,
    #[n(5)]
    to: PublicKey,
}

/// What the heir of a name needs to claim it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inheritance {
    pub(crate) claim: Claim,
    pub(crate) succession: Succession,
}

impl Inheritance {
    /// The old key passes the name of `claim` on.
    pub fn rotate(claim: Claim, from: &Identity, to: &Identity) -> Self {
        let succession = Succession::sign(&claim, from, None, to);
        Self { claim, succession }
    }

    /// The recovery key does.
    pub fn recover(claim: Claim, recovery: &Identity, to: &Identity) -> Self {
        let succession = Succession::sign(&claim, recovery, Some(recovery.public_key()), to);
        Self { claim, succession }
    }

    /// The name.
    pub fn name(&self) -> &Username {
        self.claim.name()
    }
}

impl Succession {
    fn sign(claim: &Claim, giver: &Identity, recovery: Option<PublicKey>, to: &Identity) -> Self {
        let body = SuccessionBody {
            version: VERSION,
            network: claim.network(),
            name: claim.name().clone(),
            claimed_at: claim.claimed_at(),
            from: claim.identity(),
            to: to.public_key(),
        };
        let bytes = wire::to_bytes(&body);
        let given = giver.sign(Domain::Succession, &bytes);
        Self { body, recovery, given, taken: to.sign(Domain::Succession, &bytes) }
    }

    /// Whether it passes on this name of this date, and both sides signed it.
    pub(super) fn passes_on(&self, network: Network, name: &Username, claimed_at: UnixTime) -> bool {
        let body = &self.body;
        let bytes = wire::to_bytes(body);
        let giver = self.recovery.unwrap_or(body.from);
        (body.version, body.network, body.claimed_at) == (VERSION, network, claimed_at)
            && body.name == *name
            && giver.verify(Domain::Succession, &bytes, &self.given).is_ok()
            && body.to.verify(Domain::Succession, &bytes, &self.taken).is_ok()
    }

    /// Whose it was.
    pub fn from(&self) -> PublicKey {
        self.body.from
    }

    /// Whose it is.
    pub fn to(&self) -> PublicKey {
        self.body.to
    }

    /// What the old key must have committed to, if the recovery key gave the name.
    pub fn by_recovery(&self) -> Option<RecoveryHash> {
        self.recovery.as_ref().map(RecoveryHash::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordError;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn person(secret: u8) -> Identity {
        Identity::from_secret([secret; 32])
    }

    fn of_ada() -> Claim {
        Claim::proven(&person(1), Username::parse("ada").unwrap(), NOW, 1, NOW)
    }

    fn pass_on(claim: &Claim, inheritance: Inheritance, to: u8) -> Option<Claim> {
        claim.inherited(&person(to), inheritance.succession, claim.seq() + 1, None, NOW)
    }

    fn rotated(claim: &Claim, from: u8, to: u8) -> Option<Claim> {
        pass_on(claim, Inheritance::rotate(claim.clone(), &person(from), &person(to)), to)
    }

    fn verdict(claim: &Claim) -> Result<(), RecordError> {
        claim.verify(Network::Lab, NOW).and_then(|()| claim.verify_work())
    }

    #[test]
    fn a_name_passes_through_the_hands_that_hold_it_with_its_proof_and_its_age() {
        let first = of_ada();
        let second = rotated(&first, 1, 2).unwrap();
        let third = rotated(&second, 2, 3).unwrap();
        for heir in [&second, &third] {
            assert_eq!((verdict(heir), heir.id(), heir.work_id()), (Ok(()), first.id(), first.work_id()));
            assert!(heir.is_heir_of(&first) && !first.is_heir_of(heir) && !heir.was_recovered());
        }
        // Whom it was not given to, by somebody who does not have it, and not more often than is allowed.
        let stolen = pass_on(&first, Inheritance::rotate(first.clone(), &person(1), &person(2)), 9).unwrap();
        assert_eq!(verdict(&stolen), Err(RecordError::Signature));
        assert_eq!(verdict(&rotated(&first, 9, 2).unwrap()), Err(RecordError::Signature));
        let fifth = rotated(&rotated(&third, 3, 4).unwrap(), 4, 5).unwrap();
        assert_eq!(verdict(&fifth), Ok(()));
        assert_eq!(rotated(&fifth, 5, 6), None);
    }

    #[test]
    fn what_was_recovered_once_stays_so_for_the_key_it_came_from_and_begins_its_age_anew() {
        let first = of_ada();
        let inheritance = Inheritance::recover(first.clone(), &person(77), &person(2));
        let second = pass_on(&first, inheritance, 2).unwrap();
        let third = rotated(&second, 2, 3).unwrap();
        let word = Some(RecoveryHash::of(&person(77).public_key()));
        for heir in [&second, &third] {
            assert_eq!(verdict(heir), Ok(()));
            assert_eq!(heir.recovered_from(&first).and_then(Succession::by_recovery), word);
            assert_ne!(heir.id(), first.id());
        }
        assert_eq!(third.id(), second.id());
        assert_eq!(third.recovered_from(&second), None);
    }

    #[test]
    fn no_bent_bit_is_believed() {
        let bytes = wire::to_bytes(&rotated(&of_ada(), 1, 2).unwrap());
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(claim) = wire::from_bytes::<Claim>(&bent) {
                assert!(claim.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
    }
}
