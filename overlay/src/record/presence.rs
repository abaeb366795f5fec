//! Sealed presence: who is there now and which mailboxes ring them, for contacts only.
//!
//! ```text
//! derived    = HKDF-SHA256(salt "silbo presence 1", presence secret, info network ‖ 0x00 ‖ epoch as u64), 64 bytes:
//!              | seed of the blinded Ed25519 key: 32 | sealing key: 32 |                        (RFC 5869)
//! epoch      = hours since 1970
//! record     = [[1, network, blinded key, seq, not_after, sealed (464 bytes)], signature of the blinded key]
//! sealed     = ChaCha20-Poly1305(sealing key, nonce seq, blinded key ‖ not_after as associated data; padded letter)
//! letter     = length: u16, big endian | [[1, identity, issued, envelope key, [* 3 introducer]], signature] | zeros
//! ```
//! Whoever holds the presence secret of a profile, which only its contacts do, finds and opens the record. A holder sees
//! a key that says nothing, is another one every hour, and can be written by nobody who does not know the secret. The
//! signature inside is the identity's: one contact cannot speak for another.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::Sha256;
use snow::{
    params::CipherChoice,
    resolvers::{CryptoResolver as _, DefaultResolver},
    types::Cipher,
};

use super::{EnvelopeKey, Introducer, MAX_INTRODUCERS, RecordError, check_dates};
use crate::{
    config::Network,
    identity::{Domain, Identity, LinkKey, LinkSecret, PublicKey, Signature},
    wire::{self, Bounded},
};

const VERSION: u8 = 1;

/// Longest time a record may be valid.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// A blinded key serves this long.
const EPOCH: Duration = Duration::from_secs(3600);

/// Every letter is padded to this.
const PLAIN: usize = 448;
const TAG: usize = 16;

/// Bytes of every sealed letter.
const SEALED: usize = PLAIN + TAG;

/// Handed to contacts, and made anew when one of them is blocked or removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresenceSecret([u8; 32]);

impl PresenceSecret {
    /// A secret of 32 random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for handing them to a contact.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a contact asks holders for in `epoch`.
    pub fn blinded_key(&self, network: Network, epoch: Epoch) -> BlindedKey {
        self.derive(network, epoch).key()
    }

    fn derive(&self, network: Network, epoch: Epoch) -> Derived {
        let secret = mac(b"silbo presence 1", &[&self.0]);
        let about = [network.as_str().as_bytes(), &[0], &epoch.0.to_be_bytes()].concat();
        let seed = mac(&secret, &[&about, &[1]]);
        let sealing = mac(&secret, &[&seed, &about, &[2]]);
        Derived { signing: LinkSecret::from_secret(seed), sealing }
    }
}

impl std::fmt::Debug for PresenceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresenceSecret(…)")
    }
}

/// An hour of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Epoch {
    /// The one `time` lies in.
    pub fn of(time: UnixTime) -> Self {
        Self(time.as_secs() / EPOCH.as_secs())
    }

    /// When the next one begins.
    pub fn end(self) -> UnixTime {
        UnixTime::from_secs((self.0 + 1) * EPOCH.as_secs())
    }
}

/// What a record is kept under: a public key that changes every hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct BlindedKey(#[n(0)] LinkKey);

impl BlindedKey {
    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}

struct Derived {
    signing: LinkSecret,
    sealing: [u8; 32],
}

impl Derived {
    fn key(&self) -> BlindedKey {
        BlindedKey(self.signing.public_key())
    }

    fn cipher(&self) -> Option<Box<dyn Cipher>> {
        let mut cipher = DefaultResolver.resolve_cipher(&CipherChoice::ChaChaPoly)?;
        cipher.set(&self.sealing);
        Some(cipher)
    }
}

/// What holders keep: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedPresence {
    #[n(0)]
    body: SealedBody,
    #[n(1)]
    signature: Signature,
}

/// The part the blinded key signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    key: BlindedKey,
    /// The highest counts; also the nonce of the seal, so it is never used twice.
    #[n(3)]
    seq: u64,
    #[cbor(n(4), with = "wire::unix_time")]
    not_after: UnixTime,
    #[cbor(n(5), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// What contacts read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When they said so.
    pub at: UnixTime,
    /// Until when it counts.
    pub not_after: UnixTime,
    /// What to seal envelopes to.
    pub envelope_key: EnvelopeKey,
    /// Who rings them; nobody: they have left.
    pub introducers: Vec<Introducer>,
}

#[derive(Encode, Decode)]
struct Letter {
    #[n(0)]
    body: LetterBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Encode, Decode)]
struct LetterBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    identity: PublicKey,
    #[cbor(n(2), with = "wire::unix_time")]
    issued: UnixTime,
    #[n(3)]
    envelope_key: EnvelopeKey,
    #[n(4)]
    introducers: Bounded<Introducer, MAX_INTRODUCERS>,
}

/// What is said, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Whose presence.
    pub identity: &'a Identity,
    /// Which network.
    pub network: Network,
    /// See [`SealedPresence::seq`].
    pub seq: u64,
    /// What to seal envelopes to.
    pub envelope_key: EnvelopeKey,
    /// Who rings them.
    pub introducers: &'a [Introducer],
}

impl SealedPresence {
    /// Seals what is said for the contacts, for one epoch and `lifetime` from `now`. Nothing, should the cipher refuse.
    pub fn seal(
        secret: &PresenceSecret,
        epoch: Epoch,
        saying: Saying<'_>,
        now: UnixTime,
        lifetime: Duration,
    ) -> Option<Self> {
        let Saying { identity, network, seq, envelope_key, introducers } = saying;
        let derived = secret.derive(network, epoch);
        let body = LetterBody {
            version: VERSION,
            identity: identity.public_key(),
            issued: now,
            envelope_key,
            introducers: Bounded::take(introducers.iter().copied()),
        };
        let signature = identity.sign(Domain::PresenceLetter, &wire::to_bytes(&body));
        let letter = wire::to_bytes(&Letter { body, signature });
        let mut plain = vec![0; PLAIN];
        plain.get_mut(..2)?.copy_from_slice(&u16::try_from(letter.len()).ok()?.to_be_bytes());
        plain.get_mut(2..2 + letter.len())?.copy_from_slice(&letter);

        let not_after = now.saturating_add(lifetime.min(MAX_LIFETIME));
        let key = derived.key();
        let mut sealed = vec![0; SEALED];
        derived.cipher()?.encrypt(seq, &beside(&key, not_after), &plain, &mut sealed);
        let body = SealedBody { version: VERSION, network, key, seq, not_after, sealed };
        let signature = derived.signing.sign(Domain::Presence, &wire::to_bytes(&body));
        Some(Self { body, signature })
    }

    /// Whether to hold it: all that somebody without the secret can tell.
    pub fn verify(&self, network: Network, now: UnixTime) -> Result<(), RecordError> {
        if self.body.version != VERSION {
            return Err(RecordError::Version);
        }
        if self.body.network != network {
            return Err(RecordError::Network);
        }
        // It does not say when it was issued: what matters is how far it reaches.
        check_dates(now, now, self.body.not_after, MAX_LIFETIME + super::CLOCK_TOLERANCE)?;
        if self.body.sealed.len() != SEALED {
            return Err(RecordError::Size);
        }
        let bytes = wire::to_bytes(&self.body);
        self.body.key.0.verify(Domain::Presence, &bytes, &self.signature).map_err(|_| RecordError::Signature)
    }

    /// Opens what `whose` contacts may read, after [`SealedPresence::verify`].
    pub fn open(
        &self,
        secret: &PresenceSecret,
        epoch: Epoch,
        whose: &PublicKey,
        now: UnixTime,
    ) -> Result<Seen, RecordError> {
        let SealedBody { network, key, seq, not_after, ref sealed, .. } = self.body;
        self.verify(network, now)?;
        let derived = secret.derive(network, epoch);
        if derived.key() != key {
            return Err(RecordError::Signature);
        }
        let cipher = derived.cipher().ok_or(RecordError::Sealed)?;
        let mut plain = vec![0; PLAIN];
        cipher.decrypt(seq, &beside(&key, not_after), sealed, &mut plain).map_err(|_| RecordError::Sealed)?;
        let letter = letter(&plain).ok_or(RecordError::Sealed)?;
        let LetterBody { version, identity, issued, envelope_key, ref introducers } = letter.body;
        if version != VERSION {
            return Err(RecordError::Version);
        }
        let bytes = wire::to_bytes(&letter.body);
        if identity != *whose || identity.verify(Domain::PresenceLetter, &bytes, &letter.signature).is_err() {
            return Err(RecordError::Signature);
        }
        check_dates(now, issued, not_after, MAX_LIFETIME)?;
        if !introducers.iter().all(|introducer| introducer.is_reachable(network)) {
            return Err(RecordError::Address);
        }
        Ok(Seen { at: issued, not_after, envelope_key, introducers: introducers.to_vec() })
    }

    /// What it is kept under.
    pub fn key(&self) -> BlindedKey {
        self.body.key
    }

    /// The highest sequence number counts.
    pub fn seq(&self) -> u64 {
        self.body.seq
    }

    /// Until when it counts.
    pub fn not_after(&self) -> UnixTime {
        self.body.not_after
    }
}

fn letter(plain: &[u8]) -> Option<Letter> {
    let (length, rest) = plain.split_first_chunk::<2>()?;
    wire::from_bytes(rest.get(..usize::from(u16::from_be_bytes(*length)))?).ok()
}

fn beside(key: &BlindedKey, not_after: UnixTime) -> Vec<u8> {
    [key.bytes().as_slice(), &not_after.as_millis().to_be_bytes()].concat()
}

fn mac(key: &[u8], about: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mac) = <Hmac<Sha256>>::new_from_slice(key) else { return [0; 32] };
    about.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::MailboxId, wire::MAX_FRAME};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const LIFETIME: Duration = Duration::from_secs(2_400);
    const SECRET: PresenceSecret = PresenceSecret::from_bytes([7; 32]);

    fn ada() -> Identity {
        Identity::from_secret([1; 32])
    }

    fn introducers() -> [Introducer; 3] {
        let introducer = |n| Introducer {
            node: LinkSecret::from_secret([n; 32]).public_key(),
            address: "[2001:db8:1111:2222:3333:4444:5555:6666]:65535".parse().unwrap(),
            mailbox: MailboxId::from_bytes([n; 32]),
        };
        [introducer(1), introducer(2), introducer(3)]
    }

    fn record(identity: &Identity, network: Network, introducers: &[Introducer]) -> SealedPresence {
        let envelope_key = EnvelopeKey::from_bytes([9; 32]);
        let saying = Saying { identity, network, seq: NOW.as_millis(), envelope_key, introducers };
        SealedPresence::seal(&SECRET, Epoch::of(NOW), saying, NOW, LIFETIME).unwrap()
    }

    #[test]
    fn a_contact_reads_what_was_said_and_nobody_else_does() {
        let record = record(&ada(), Network::Lab, &introducers());
        let (epoch, whose) = (Epoch::of(NOW), ada().public_key());
        let seen = record.open(&SECRET, epoch, &whose, NOW).unwrap();
        assert_eq!((seen.at, seen.introducers.as_slice()), (NOW, introducers().as_slice()));
        let other = PresenceSecret::from_bytes([8; 32]);
        assert_eq!(record.open(&other, epoch, &whose, NOW), Err(RecordError::Signature));
        let later = Epoch::of(epoch.end());
        assert_eq!(record.open(&SECRET, later, &whose, NOW), Err(RecordError::Signature));
        assert_ne!(SECRET.blinded_key(Network::Lab, epoch), SECRET.blinded_key(Network::Lab, later));
        assert_ne!(SECRET.blinded_key(Network::Lab, epoch), SECRET.blinded_key(Network::Main, epoch));
    }

    #[test]
    fn one_contact_does_not_speak_for_another() {
        let eve = Identity::from_secret([2; 32]);
        let forged = record(&eve, Network::Lab, &introducers());
        let whose = ada().public_key();
        assert_eq!(forged.verify(Network::Lab, NOW), Ok(()), "a holder cannot tell");
        assert_eq!(forged.open(&SECRET, Epoch::of(NOW), &whose, NOW), Err(RecordError::Signature));
    }

    #[test]
    fn all_records_are_of_one_size_and_a_full_answer_fits_a_frame() {
        let sizes: Vec<usize> = [&[][..], &introducers()[..1], &introducers()[..]]
            .map(|introducers| wire::to_bytes(&record(&ada(), Network::Lab, introducers)).len())
            .to_vec();
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
        assert!((sizes[0] + 8) * wire::MAX_PRESENCES < MAX_FRAME, "{sizes:?}");
    }

    #[test]
    fn a_record_is_held_in_its_network_and_time_only() {
        let record = record(&ada(), Network::Lab, &[]);
        assert_eq!(record.verify(Network::Lab, NOW), Ok(()));
        assert_eq!(record.verify(Network::Main, NOW), Err(RecordError::Network));
        assert_eq!(record.verify(Network::Lab, NOW.saturating_add(LIFETIME)), Err(RecordError::Expired));
        assert_eq!(
            record.verify(Network::Lab, NOW.saturating_sub(MAX_LIFETIME)),
            Err(RecordError::Dates),
            "from the future"
        );
        let private = Introducer { address: "10.0.0.1:9".parse().unwrap(), ..introducers()[0] };
        let local = self::record(&ada(), Network::Main, &[private]);
        assert_eq!(local.open(&SECRET, Epoch::of(NOW), &ada().public_key(), NOW), Err(RecordError::Address));
    }

    #[test]
    fn no_bent_bit_is_believed_and_no_cut_is_read() {
        let bytes = wire::to_bytes(&record(&ada(), Network::Lab, &introducers()));
        for cut in 0..bytes.len() {
            assert!(wire::from_bytes::<SealedPresence>(&bytes[..cut]).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(record) = wire::from_bytes::<SealedPresence>(&bent) {
                assert!(record.verify(Network::Lab, NOW).is_err(), "bit {bit}");
            }
        }
    }
}
