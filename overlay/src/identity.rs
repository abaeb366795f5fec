//! Who somebody is: an Ed25519 key pair, and the keys derived from nothing but randomness beside it.
//!
//! * [`Identity`] / [`PublicKey`]: the person (or profile). A contact *is* a public key.
//! * [`LinkSecret`] / [`LinkKey`]: one end of a link. Fresh for every leaf process and unrelated to the identity,
//!   so that a home supernode does not learn whom it serves; kept on disk by supernodes, whose links are public.
//!
//! Every signature covers a *domain* string first, so that a signature made for one purpose never serves another:
//! `domain ‖ 0x00 ‖ message`.

use std::{cmp::Ordering, fmt, str::FromStr};

use data_encoding::{BASE32_NOPAD, Encoding, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::verdicts::{Digest, Verdicts};

pub mod safety;

/// The key pair of a person. Its secret never leaves this process except through [`Identity::secret`].
#[derive(Clone)]
pub struct Identity {
    signing: SigningKey,
}

impl Identity {
    /// The identity that belongs to `secret` (32 bytes of good randomness, kept by the application).
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self { signing: SigningKey::from_bytes(&secret) }
    }

    /// The secret half, for storing it.
    pub fn secret(&self) -> [u8; 32] {
        self.signing.to_bytes()
    }

    /// The public half: what contacts know.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.signing.verifying_key().to_bytes())
    }

    /// Signs `message` for one purpose.
    pub fn sign(&self, domain: Domain, message: &[u8]) -> Signature {
        Signature(self.signing.sign(&domain.prepend(message)).to_bytes())
    }

    /// Another secret, which nobody finds without this one: the same for the same purpose and `about`.
    pub(crate) fn derive(&self, purpose: &str, about: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mac) = <Hmac<Sha256>>::new_from_slice(&self.secret()) else { return [0; 32] };
        mac.chain_update(purpose).chain_update([0]).chain_update(about).finalize().into_bytes().into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.public_key().fingerprint()).finish()
    }
}

/// The public key of a person; ordered and compared by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct PublicKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        by_bytes(&self.0, &other.0)
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PublicKey {
    /// Takes 32 bytes for a public key. Bytes that are no curve point verify nothing.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` was made by this key for this purpose over `message`.
    pub fn verify(&self, domain: Domain, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        verify(&self.0, domain, message, signature)
    }

    /// Twenty digits and letters in groups of five, short enough to read aloud: `k7qpa-3xnzt-…`.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest([b"silbo fingerprint 1".as_slice(), &self.0].concat());
        let text = base32().encode(&hash[..13]);
        let groups: Vec<&str> = (0..4).map(|i| &text[i * 5..i * 5 + 5]).collect();
        groups.join("-")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}…)", &self.to_string()[..8])
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim().to_ascii_lowercase();
        if text.len() != PUBLIC_KEY_TEXT_LEN {
            return Err(PublicKeyError::Length(text.chars().count()));
        }
        let bytes = base32().decode(text.as_bytes()).map_err(|_| PublicKeyError::NotBase32)?;
        Ok(Self(bytes.try_into().map_err(|_| PublicKeyError::NotBase32)?))
    }
}

/// Characters of a public key written as text.
pub const PUBLIC_KEY_TEXT_LEN: usize = 52;

/// Why a text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Too short or too long.
    #[error("a public key has {PUBLIC_KEY_TEXT_LEN} letters and digits, this has {0}")]
    Length(usize),
    /// A character outside `a-z2-7`.
    #[error("a public key consists of the letters a-z and the digits 2-7")]
    NotBase32,
}

/// The key pair of one end of a link.
#[derive(Clone)]
pub struct LinkSecret {
    signing: SigningKey,
}

impl LinkSecret {
    /// The link key pair that belongs to `secret`.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self { signing: SigningKey::from_bytes(&secret) }
    }

    /// The secret half; the driver gives it to TLS.
    pub fn secret(&self) -> [u8; 32] {
        self.signing.to_bytes()
    }

    /// The public half.
    pub fn public_key(&self) -> LinkKey {
        LinkKey(self.signing.verifying_key().to_bytes())
    }

    /// Signs `message` for one purpose.
    pub fn sign(&self, domain: Domain, message: &[u8]) -> Signature {
        Signature(self.signing.sign(&domain.prepend(message)).to_bytes())
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkSecret").field(&self.public_key()).finish()
    }
}

/// The public key of one end of a link, proven by the TLS handshake. For a supernode: its node key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LinkKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Ord for LinkKey {
    fn cmp(&self, other: &Self) -> Ordering {
        by_bytes(&self.0, &other.0)
    }
}

impl PartialOrd for LinkKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl LinkKey {
    /// Takes 32 bytes for a link key.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` was made by this key for this purpose over `message`.
    pub fn verify(&self, domain: Domain, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        verify(&self.0, domain, message, signature)
    }
}

impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0[..6]))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKey({self})")
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", HEXLOWER.encode(&self.0[..4]))
    }
}

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A username claim.
    Claim,
    /// A supernode record.
    Supernode,
    /// An introduction record.
    Introduction,
    /// The certificate of an X25519 key.
    EnvelopeKey,
    /// A sealed presence record, by its blinded key.
    Presence,
    /// What is sealed in it, by the identity.
    PresenceLetter,
    /// An invite link.
    Invite,
    /// The list of supernodes that comes with a release.
    Roster,
    /// A holder's time receipt for a claim.
    Receipt,
    /// A name that passes from key to key.
    Succession,
    /// A person comes for the letters kept for them.
    Collection,
    /// The word of one who was helped.
    Voucher,
}

impl Domain {
    const fn text(self) -> &'static str {
        match self {
            Self::Claim => "silbo claim 1",
            Self::Supernode => "silbo supernode 1",
            Self::Introduction => "silbo introduction 1",
            Self::EnvelopeKey => "silbo envelope key 1",
            Self::Presence => "silbo presence 1",
            Self::PresenceLetter => "silbo presence letter 1",
            Self::Invite => "silbo invite 1",
            Self::Roster => "silbo roster 1",
            Self::Receipt => "silbo receipt 1",
            Self::Succession => "silbo succession 1",
            Self::Collection => "silbo collection 1",
            Self::Voucher => "silbo voucher 1",
        }
    }

    fn prepend(self, message: &[u8]) -> Vec<u8> {
        [self.text().as_bytes(), &[0], message].concat()
    }
}

/// The signature does not belong to this key, purpose and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is wrong")]
pub struct BadSignature;

static RIGHT: Verdicts = Verdicts::new(4_096);

/// This process remembers so many signatures it found right lately, or the few thousand of one node, whichever are more:
/// for whoever plays many nodes in one process. No answer depends on it, only its price.
pub fn remember_signatures(most: usize) {
    RIGHT.grow(most);
}

fn verify(key: &[u8; 32], domain: Domain, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    let check = || {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        let key = VerifyingKey::from_bytes(key);
        key.is_ok_and(|key| key.verify_strict(&domain.prepend(message), &signature).is_ok())
    };
    let right = match domain {
        // For one reader, once.
        Domain::Collection | Domain::Voucher => check(),
        _ => RIGHT.right(digest(key, domain, message, signature), check),
    };
    if right { Ok(()) } else { Err(BadSignature) }
}

/// Every part but the last has one length, or ends in a zero that it does not contain.
fn digest(key: &[u8; 32], domain: Domain, message: &[u8], signature: &Signature) -> Digest {
    Sha256::new_with_prefix(key)
        .chain_update(signature.0)
        .chain_update(domain.text())
        .chain_update([0])
        .chain_update(message)
        .finalize()
        .into()
}

fn base32() -> Encoding {
    let mut spec = BASE32_NOPAD.specification();
    spec.symbols.make_ascii_lowercase();
    // The lower-cased alphabet of a valid encoding is valid; the fallback keeps this free of panics.
    spec.encoding().unwrap_or(BASE32_NOPAD)
}

/// The order of keys and places: that of their bytes. They stand in many maps, and nearly always the first eight decide.
pub(crate) fn by_bytes(a: &[u8; 32], b: &[u8; 32]) -> Ordering {
    let first = |bytes: &[u8; 32]| bytes.first_chunk().map(|first| u64::from_be_bytes(*first));
    first(a).cmp(&first(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_survives_being_written_and_read() {
        let key = Identity::from_secret([7; 32]).public_key();
        let text = key.to_string();
        assert_eq!(text.len(), PUBLIC_KEY_TEXT_LEN);
        assert_eq!(text, text.to_lowercase());
        assert_eq!(text.parse::<PublicKey>().unwrap(), key);
        assert_eq!(text.to_uppercase().parse::<PublicKey>().unwrap(), key);
    }

    #[test]
    fn texts_that_are_no_keys_are_refused() {
        assert_eq!("abc".parse::<PublicKey>(), Err(PublicKeyError::Length(3)));
        assert_eq!("1".repeat(52).parse::<PublicKey>(), Err(PublicKeyError::NotBase32));
        assert!("é".repeat(26).parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_signature_serves_one_purpose_one_key_and_one_message() {
        let identity = Identity::from_secret([1; 32]);
        let signature = identity.sign(Domain::Claim, b"hello");
        let key = identity.public_key();
        assert_eq!(key.verify(Domain::Claim, b"hello", &signature), Ok(()));
        assert_eq!(key.verify(Domain::Introduction, b"hello", &signature), Err(BadSignature));
        assert_eq!(key.verify(Domain::Claim, b"hellp", &signature), Err(BadSignature));
        let other = Identity::from_secret([2; 32]).public_key();
        assert_eq!(other.verify(Domain::Claim, b"hello", &signature), Err(BadSignature));
    }

    #[test]
    fn fingerprints_are_short_and_differ() {
        let a = Identity::from_secret([1; 32]).public_key().fingerprint();
        let b = Identity::from_secret([2; 32]).public_key().fingerprint();
        assert_eq!(a.len(), 23);
        assert_ne!(a, b);
    }
}
