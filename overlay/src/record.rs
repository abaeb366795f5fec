//! Signed records that gossip and the directory carry: where supernodes are, and who can ring a person.

mod collection;
mod introduction;
mod presence;
mod supernode;

use std::time::Duration;

use relay::UnixTime;

pub use self::{
    collection::{Collection, CollectionBody},
    introduction::{
        EnvelopeKey, Introducer, Introduction, IntroductionBody, MAX_INTRODUCERS, MailboxId, SealingKeys,
    },
    presence::{BlindedKey, Epoch, PresenceSecret, Saying, SealedBody, SealedPresence, Seen},
    supernode::{CertificateHash, Offers, SupernodeBody, SupernodeRecord},
};

/// Clocks may differ this much before a record counts as from the future.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);

/// Why a record or claim was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A version this code does not understand.
    #[error("a version not understood")]
    Version,
    /// It belongs to another network.
    #[error("from another network")]
    Network,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Issued in the future, or valid for longer than allowed.
    #[error("impossible dates")]
    Dates,
    /// An address nobody can reach.
    #[error("an address nobody can reach")]
    Address,
    /// A sealed part of another size than all have.
    #[error("the wrong size")]
    Size,
    /// A sealed part cannot be opened, or holds no letter.
    #[error("cannot be opened")]
    Sealed,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// The proof of work is wrong.
    #[error("the proof of work is wrong")]
    Work,
}

/// Whether `now` lies in a record's time, and that time is not longer than `most`.
pub(crate) fn check_dates(
    now: UnixTime,
    issued: UnixTime,
    not_after: UnixTime,
    most: Duration,
) -> Result<(), RecordError> {
    if not_after <= now {
        return Err(RecordError::Expired);
    }
    if issued > now.saturating_add(CLOCK_TOLERANCE)
        || not_after < issued
        || not_after.saturating_duration_since(issued) > most
    {
        return Err(RecordError::Dates);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    use crate::{
        config::Network,
        identity::{Identity, LinkSecret},
        wire,
    };

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn supernode(network: Network, address: &str) -> SupernodeRecord {
        let address = address.parse().unwrap();
        SupernodeRecord::sign(
            &LinkSecret::from_secret([1; 32]),
            network,
            address,
            Some(address),
            None,
            NOW,
            HOUR,
        )
    }

    fn introduction(network: Network, address: &str) -> Introduction {
        let introducer = Introducer {
            node: LinkSecret::from_secret([1; 32]).public_key(),
            address: address.parse().unwrap(),
            mailbox: MailboxId::from_bytes([2; 32]),
        };
        let keys = SealingKeys::both(EnvelopeKey::from_bytes([3; 32]));
        Introduction::sign(&Identity::from_secret([4; 32]), network, 1, keys, [introducer; 5], NOW, HOUR)
    }

    #[test]
    fn records_are_believed_in_their_network_and_time_only() {
        let (record, person) =
            (supernode(Network::Lab, "10.0.0.1:9"), introduction(Network::Lab, "10.0.0.1:9"));
        let both = |network, now| [record.verify(network, now), person.verify(network, now)];
        assert_eq!(both(Network::Lab, NOW), [Ok(()); 2]);
        assert_eq!(both(Network::Main, NOW), [Err(RecordError::Network); 2]);
        assert_eq!(both(Network::Lab, NOW.saturating_add(HOUR)), [Err(RecordError::Expired); 2]);
        assert_eq!(both(Network::Lab, NOW.saturating_sub(CLOCK_TOLERANCE * 2)), [Err(RecordError::Dates); 2]);
        assert_eq!(person.introducers().len(), MAX_INTRODUCERS);
    }

    #[test]
    fn private_addresses_and_port_zero_are_refused_in_the_real_network() {
        for (address, result) in [
            ("10.0.0.1:9", Err(RecordError::Address)),
            ("9.9.9.9:0", Err(RecordError::Address)),
            ("9.9.9.9:9", Ok(())),
        ] {
            assert_eq!(supernode(Network::Main, address).verify(Network::Main, NOW), result, "{address}");
            assert_eq!(introduction(Network::Main, address).verify(Network::Main, NOW), result, "{address}");
        }
    }

    fn certified() -> SupernodeRecord {
        let hash = CertificateHash::from_bytes(Sha256::digest(b"a certificate").into());
        supernode(Network::Lab, "10.0.0.1:9").certified(Some(hash), &LinkSecret::from_secret([1; 32]))
    }

    #[test]
    fn a_record_says_where_the_relay_serves_tls_and_as_whom() {
        assert_eq!(supernode(Network::Lab, "10.0.0.1:9").relay_streams(), None);
        let record = certified();
        assert_eq!(record.verify(Network::Lab, NOW), Ok(()));
        let (address, hash) = record.relay_streams().unwrap();
        assert_eq!(address, "10.0.0.1:9".parse().unwrap());
        assert!(hash.is_of(b"a certificate") && !hash.is_of(b"another one"));
        // One without a relay has none to serve.
        let without = record.offering(Offers::DIRECTORY, &LinkSecret::from_secret([1; 32]));
        assert_eq!(without.relay_streams(), None);
    }

    #[test]
    fn a_certificate_hash_of_another_length_is_malformed() {
        let bytes = wire::to_bytes(&certified());
        let hash = Sha256::digest(b"a certificate");
        let at = bytes.windows(32).position(|window| window == hash.as_slice()).unwrap();
        let mut short = bytes;
        // CBOR: a byte string of 32, its length in the byte before.
        assert_eq!(short[at - 2..at], [0x58, 32]);
        short[at - 1] = 31;
        short.remove(at);
        assert!(wire::from_bytes::<SupernodeRecord>(&short).is_err());
    }

    #[test]
    fn no_bent_bit_is_believed() {
        let bytes = wire::to_bytes(&certified());
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(record) = wire::from_bytes::<SupernodeRecord>(&bent) {
                assert!(record.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
        let bytes = wire::to_bytes(&introduction(Network::Lab, "[fd00::1]:9"));
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(record) = wire::from_bytes::<Introduction>(&bent) {
                assert!(record.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
    }
}
