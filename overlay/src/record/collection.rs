//! A person comes for the letters that a supernode keeps for them.
//!
//! ```text
//! collection = [[1, network, identity, node key, at, [* 16 mark]], signature of the identity]
//! ```
//! It is for one supernode and some minutes: another one that sees it cannot use it. The marks name letters that were
//! taken and may go.

use minicbor::{Decode, Encode};
use relay::UnixTime;

use super::{CLOCK_TOLERANCE, RecordError};
use crate::{
    config::Network,
    directory::letters::{LetterMark, MAX_LETTERS},
    identity::{Domain, Identity, LinkKey, PublicKey, Signature},
    wire::{self, Bounded},
};

const VERSION: u8 = 1;

/// `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Collection {
    #[n(0)]
    body: CollectionBody,
    #[n(1)]
    signature: Signature,
}

/// The signed part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CollectionBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    identity: PublicKey,
    #[n(3)]
    keeper: LinkKey,
    #[cbor(n(4), with = "wire::unix_time")]
    at: UnixTime,
    #[n(5)]
    taken: Bounded<LetterMark, MAX_LETTERS>,
}

impl Collection {
    /// Asks `keeper` for what it keeps, and says what was taken.
    pub fn sign(
        identity: &Identity,
        network: Network,
        keeper: LinkKey,
        at: UnixTime,
        taken: impl IntoIterator<Item = LetterMark>,
    ) -> Self {
        let body = CollectionBody {
            version: VERSION,
            network,
            identity: identity.public_key(),
            keeper,
            at,
            taken: Bounded::take(taken),
        };
        let signature = identity.sign(Domain::Collection, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether the person says so, to this supernode, now.
    pub fn verify(&self, network: Network, keeper: &LinkKey, now: UnixTime) -> Result<(), RecordError> {
        if self.body.version != VERSION {
            return Err(RecordError::Version);
        }
        if self.body.network != network {
            return Err(RecordError::Network);
        }
        if self.body.at.saturating_add(CLOCK_TOLERANCE) <= now {
            return Err(RecordError::Expired);
        }
        if self.body.at > now.saturating_add(CLOCK_TOLERANCE) {
            return Err(RecordError::Dates);
        }
        if self.body.keeper != *keeper {
            return Err(RecordError::Address);
        }
        self.body
            .identity
            .verify(Domain::Collection, &wire::to_bytes(&self.body), &self.signature)
            .map_err(|_| RecordError::Signature)
    }

    /// Who comes.
    pub fn identity(&self) -> PublicKey {
        self.body.identity
    }

    /// What may go.
    pub fn taken(&self) -> &[LetterMark] {
        &self.body.taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::identity::LinkSecret;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn keeper(n: u8) -> LinkKey {
        LinkSecret::from_secret([n; 32]).public_key()
    }

    fn collection() -> Collection {
        Collection::sign(&Identity::from_secret([1; 32]), Network::Lab, keeper(1), NOW, [])
    }

    #[test]
    fn it_is_for_one_supernode_one_network_and_some_minutes() {
        let word = collection();
        assert_eq!(word.verify(Network::Lab, &keeper(1), NOW), Ok(()));
        assert_eq!(word.verify(Network::Lab, &keeper(2), NOW), Err(RecordError::Address));
        assert_eq!(word.verify(Network::Main, &keeper(1), NOW), Err(RecordError::Network));
        let off = CLOCK_TOLERANCE + Duration::from_secs(1);
        assert_eq!(word.verify(Network::Lab, &keeper(1), NOW.saturating_add(off)), Err(RecordError::Expired));
        assert_eq!(word.verify(Network::Lab, &keeper(1), NOW.saturating_sub(off)), Err(RecordError::Dates));
    }

    #[test]
    fn no_bent_bit_is_believed_and_no_cut_is_read() {
        let bytes = wire::to_bytes(&collection());
        for cut in 0..bytes.len() {
            assert!(wire::from_bytes::<Collection>(&bytes[..cut]).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(word) = wire::from_bytes::<Collection>(&bent) {
                assert!(word.verify(Network::Lab, &keeper(1), NOW).is_err(), "bit {bit}");
            }
        }
    }
}
