//! How a person is reached: which supernodes ring them, and the key envelopes are sealed to.

use std::{net::SocketAddr, time::Duration};

use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use super::{RecordError, check_dates};
use crate::{
    config::Network,
    identity::{Domain, Identity, LinkKey, PublicKey, Signature},
    routing::is_public,
    wire::{self, Bounded},
};

const VERSION: u8 = 2;

/// Longest time a record may be valid: as long as somebody who is away can be left a letter.
const MAX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// Introducers one record names.
pub const MAX_INTRODUCERS: usize = 3;

/// Where a home keeps a leaf's envelopes for the blink of passing them on; random, new for every home and process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct MailboxId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl MailboxId {
    /// A mailbox from 32 random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What strangers are told instead of it.
    pub fn door(&self) -> Self {
        Self(Sha256::new_with_prefix("silbo door 1").chain_update([0]).chain_update(self.0).finalize().into())
    }

    /// What tokens for leaving somebody a letter are worked for.
    pub fn of_letters(reader: &PublicKey) -> Self {
        let hash =
            Sha256::new_with_prefix("silbo letterbox 1").chain_update([0]).chain_update(reader.bytes());
        Self(hash.finalize().into())
    }
}

/// The X25519 key envelopes are sealed to; new for every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct EnvelopeKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl EnvelopeKey {
    /// Takes 32 bytes for an X25519 public key.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A person's signed word about how to ring them: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Introduction {
    #[n(0)]
    body: IntroductionBody,
    #[n(1)]
    signature: Signature,
}

/// The signed part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct IntroductionBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    identity: PublicKey,
    /// The highest counts.
    #[n(3)]
    seq: u64,
    #[cbor(n(4), with = "wire::unix_time")]
    issued: UnixTime,
    #[cbor(n(5), with = "wire::unix_time")]
    not_after: UnixTime,
    #[n(6)]
    envelope_key: EnvelopeKey,
    /// Nobody: the person went offline.
    #[n(7)]
    introducers: Bounded<Introducer, MAX_INTRODUCERS>,
    #[n(8)]
    letter_key: EnvelopeKey,
}

/// What others seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealingKeys {
    /// Envelopes, while the process lives.
    pub envelopes: EnvelopeKey,
    /// Letters that wait until the person is back; outlives the process.
    pub letters: EnvelopeKey,
}

impl SealingKeys {
    /// One key for both.
    #[cfg(any(test, feature = "fuzz"))]
    pub fn both(key: EnvelopeKey) -> Self {
        Self { envelopes: key, letters: key }
    }
}

/// A supernode that passes envelopes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Introducer {
    /// Its node key.
    #[n(0)]
    pub node: LinkKey,
    /// Where it accepts links.
    #[n(1)]
    pub address: SocketAddr,
    /// In the public record the door to the mailbox there; in presence the mailbox.
    #[n(2)]
    pub mailbox: MailboxId,
}

impl Introducer {
    /// Whether a node of this network may be told to go there.
    pub(crate) fn is_reachable(&self, network: Network) -> bool {
        self.address.port() != 0 && (network == Network::Lab || is_public(self.address.ip()))
    }
}

impl Introducer {
    /// For the public record: the door instead of the mailbox.
    pub fn door(&self) -> Self {
        Self { mailbox: self.mailbox.door(), ..*self }
    }
}

impl Introduction {
    /// Signs a record for `lifetime` from `now`.
    pub fn sign(
        identity: &Identity,
        network: Network,
        seq: u64,
        keys: SealingKeys,
        introducers: impl IntoIterator<Item = Introducer>,
        now: UnixTime,
        lifetime: Duration,
    ) -> Self {
        let body = IntroductionBody {
            version: VERSION,
            network,
            identity: identity.public_key(),
            seq,
            issued: now,
            not_after: now.saturating_add(lifetime.min(MAX_LIFETIME)),
            envelope_key: keys.envelopes,
            introducers: Bounded::take(introducers),
            letter_key: keys.letters,
        };
        let signature = identity.sign(Domain::Introduction, &wire::to_bytes(&body));
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
        check_dates(now, self.body.issued, self.body.not_after, MAX_LIFETIME)?;
        for introducer in self.body.introducers.iter() {
            let address = introducer.address;
            if address.port() == 0 || (network == Network::Main && !is_public(address.ip())) {
                return Err(RecordError::Address);
            }
        }
        self.body
            .identity
            .verify(Domain::Introduction, &wire::to_bytes(&self.body), &self.signature)
            .map_err(|_| RecordError::Signature)
    }

    /// Whose record.
    pub fn identity(&self) -> PublicKey {
        self.body.identity
    }

    /// The highest sequence number counts.
    pub fn seq(&self) -> u64 {
        self.body.seq
    }

    /// Until when it counts.
    pub fn not_after(&self) -> UnixTime {
        self.body.not_after
    }

    /// What to seal envelopes to.
    pub fn envelope_key(&self) -> EnvelopeKey {
        self.body.envelope_key
    }

    /// What to seal letters to that wait.
    pub fn letter_key(&self) -> EnvelopeKey {
        self.body.letter_key
    }

    /// Who passes envelopes on.
    pub fn introducers(&self) -> &[Introducer] {
        &self.body.introducers
    }
}
