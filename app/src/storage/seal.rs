//! Sealing with a passphrase: the identity's key in the profile, and a whole profile in a file.
//!
//! A sealed file, numbers big-endian:
//!
//! ```text
//!   offset  bytes
//!        0     12  "silbo sealed"
//!       12      1  version, 1
//!       13      1  what is sealed: 1 an identity's key, 2 a backup
//!       14      4  Argon2id: memory in KiB, 8 for each lane ..= 262,144
//!       18      4  Argon2id: passes, 1 ..= 16; memory times passes at most 1,048,576
//!       22      1  Argon2id: lanes, 1 ..= 4
//!       23     16  salt
//!       39     24  nonce
//!       63      n  the content, encrypted
//!     63+n     16  tag
//! ```
//! The key is Argon2id (RFC 9106, version 0x13) of the passphrase's UTF-8 bytes, 32 bytes long; the cipher is
//! XChaCha20-Poly1305, and all bytes before the content are its associated data. Salt and nonce are new each time. The
//! bounds are for files of strangers: opening one takes at most 256 MiB and about a second.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use std::{collections::BTreeSet, fmt};
use zeroize::Zeroizing;

/// Characters of a passphrase that something is sealed with, at least; and how many of them differ.
pub const LEAST_CHARACTERS: usize = 12;
const LEAST_DIFFERENT: usize = 6;
/// Bytes of a passphrase, at most.
pub const LONGEST_PASSPHRASE: usize = 1024;

/// Bytes beside the content.
pub const SEAL_OVERHEAD: usize = HEADER + TAG;

const MAGIC: &[u8; 12] = b"silbo sealed";
const VERSION: u8 = 1;
const SALT: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
const HEADER: usize = MAGIC.len() + 2 + 9 + SALT + NONCE;

const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u8 = 4;
/// Memory times passes: five times what we ask of ourselves.
const MOST_WORK: u64 = 1024 * 1024;

/// What somebody types, or keeps in a file, to open what is sealed. Wiped from memory when it is no longer needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

/// Why a text cannot be a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PassphraseError {
    /// There is nothing.
    #[error("the passphrase is empty")]
    Empty,
    /// It is too long.
    #[error("a passphrase has at most {LONGEST_PASSPHRASE} bytes")]
    TooLong,
    /// It would be guessed.
    #[error("it needs at least {LEAST_CHARACTERS} characters, of which {LEAST_DIFFERENT} differ")]
    Weak,
}

/// What a sealed file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The secret of an identity.
    IdentityKey,
    /// A whole profile.
    Backup,
}

/// What opening costs, whoever tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u8,
}

/// A sealed file, read and not yet opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<'a> {
    content: Content,
    cost: Cost,
    salt: &'a [u8],
    nonce: &'a [u8; NONCE],
    header: &'a [u8],
    ciphertext: &'a [u8],
}

/// Why something sealed was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SealError {
    /// It is no sealed file, one of something else, or cut off.
    #[error("it is not what it should be, or damaged")]
    Malformed,
    /// A later version wrote it.
    #[error("it was written by a later version")]
    Incompatible,
    /// Opening it would cost more than anything of ours does.
    #[error("opening it would cost too much memory or time; it was not made by Silbo, or is damaged")]
    TooCostly,
    /// The passphrase is another one, or the file was altered: nobody can tell which.
    #[error("the passphrase is wrong, or the file was altered")]
    Refused,
}

impl Passphrase {
    /// Takes a text for a passphrase.
    pub fn new(text: impl Into<String>) -> Result<Self, PassphraseError> {
        let text = Zeroizing::new(text.into());
        match text.len() {
            0 => Err(PassphraseError::Empty),
            1..=LONGEST_PASSPHRASE => Ok(Self(text)),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// Whether something may be sealed with it; whatever is sealed already is opened with any.
    pub fn strong_enough(&self) -> Result<(), PassphraseError> {
        let different: BTreeSet<char> = self.0.chars().collect();
        let strong = self.0.chars().count() >= LEAST_CHARACTERS && different.len() >= LEAST_DIFFERENT;
        if strong { Ok(()) } else { Err(PassphraseError::Weak) }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passphrase(..)")
    }
}

impl Cost {
    /// What we ask of ourselves: the second recommendation of RFC 9106 (section 4), a fifth of a second on a laptop.
    pub const OURS: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// As little as there is, for tests.
    #[cfg(any(test, feature = "fuzz"))]
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    fn read(memory_kib: u32, passes: u32, lanes: u8) -> Result<Self, SealError> {
        let least = 8 * u32::from(lanes);
        let sane = (1..=MOST_LANES).contains(&lanes)
            && (1..=MOST_PASSES).contains(&passes)
            && (least..=MOST_MEMORY_KIB).contains(&memory_kib)
            && u64::from(memory_kib) * u64::from(passes) <= MOST_WORK;
        if sane { Ok(Self { memory_kib, passes, lanes }) } else { Err(SealError::TooCostly) }
    }

    fn key(self, passphrase: &Passphrase, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let mut key = Zeroizing::new([0; 32]);
        // The bounds above lie within those of Argon2.
        let params = Params::new(self.memory_kib, self.passes, u32::from(self.lanes), Some(key.len()))
            .map_err(|_| SealError::TooCostly)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2
            .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut())
            .map_err(|_| SealError::TooCostly)?;
        Ok(key)
    }
}

/// Whether bytes say of themselves that they are sealed.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Seals; `fresh` is 40 bytes of system randomness that serve once.
pub fn seal(
    content: Content,
    plain: &[u8],
    passphrase: &Passphrase,
    cost: Cost,
    fresh: [u8; SALT + NONCE],
) -> Result<Vec<u8>, SealError> {
    let mut sealed = Vec::with_capacity(SEAL_OVERHEAD + plain.len());
    sealed.extend(MAGIC);
    sealed.extend([VERSION, content.byte()]);
    sealed.extend(cost.memory_kib.to_be_bytes());
    sealed.extend(cost.passes.to_be_bytes());
    sealed.push(cost.lanes);
    sealed.extend(fresh);
    let (salt, nonce) = fresh.split_at(SALT);
    let cipher = XChaCha20Poly1305::new(cost.key(passphrase, salt)?.as_ref().into());
    let payload = Payload { msg: plain, aad: &sealed };
    // Only a content of 256 GB is refused.
    let ciphertext = cipher.encrypt(XNonce::from_slice(nonce), payload).map_err(|_| SealError::Malformed)?;
    sealed.extend(ciphertext);
    Ok(sealed)
}

impl<'a> Sealed<'a> {
    /// Reads what [`seal`] wrote.
    pub fn read(bytes: &'a [u8]) -> Result<Self, SealError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(SealError::Malformed)?;
        let (version, rest) = rest.split_first().ok_or(SealError::Malformed)?;
        if *version != VERSION {
            return Err(SealError::Incompatible);
        }
        let [content, m0, m1, m2, m3, p0, p1, p2, p3, lanes, rest @ ..] = rest else {
            return Err(SealError::Malformed);
        };
        let content = Content::of(*content).ok_or(SealError::Malformed)?;
        let (memory, passes) = ([*m0, *m1, *m2, *m3], [*p0, *p1, *p2, *p3]);
        let cost = Cost::read(u32::from_be_bytes(memory), u32::from_be_bytes(passes), *lanes)?;
        let (salt, rest) = rest.split_at_checked(SALT).ok_or(SealError::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Malformed)?;
        if ciphertext.len() < TAG {
            return Err(SealError::Malformed);
        }
        let (header, _) = bytes.split_at(HEADER);
        Ok(Self { content, cost, salt, nonce, header, ciphertext })
    }

    /// What opening it costs.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) const fn cost(&self) -> Cost {
        self.cost
    }

    /// What is in it, if it is of this kind and the passphrase is the right one.
    pub fn open(&self, content: Content, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if self.content != content {
            return Err(SealError::Malformed);
        }
        let cipher = XChaCha20Poly1305::new(self.cost.key(passphrase, self.salt)?.as_ref().into());
        let payload = Payload { msg: self.ciphertext, aad: self.header };
        let plain = cipher.decrypt(XNonce::from_slice(self.nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }
}

impl Content {
    const fn byte(self) -> u8 {
        match self {
            Self::IdentityKey => 1,
            Self::Backup => 2,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::IdentityKey, Self::Backup].into_iter().find(|content| content.byte() == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        seal(Content::Backup, plain, &phrase("right"), Cost::LEAST, [7; 40]).unwrap()
    }

    fn open(bytes: &[u8], text: &str) -> Result<Vec<u8>, SealError> {
        Sealed::read(bytes)?.open(Content::Backup, &phrase(text)).map(|plain| plain.to_vec())
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_and_no_other() {
        let bytes = sealed(b"a secret");
        assert_eq!(bytes.len(), SEAL_OVERHEAD + 8);
        assert!(is_sealed(&bytes));
        assert_eq!(open(&bytes, "right"), Ok(b"a secret".to_vec()));
        assert_eq!(open(&bytes, "Right"), Err(SealError::Refused));
        let other = Sealed::read(&bytes).unwrap().open(Content::IdentityKey, &phrase("right"));
        assert_eq!(other, Err(SealError::Malformed), "a backup is no key");
    }

    #[test]
    fn what_we_ask_of_ourselves_is_within_what_we_grant_others() {
        let Cost { memory_kib, passes, lanes } = Cost::OURS;
        assert_eq!(Cost::read(memory_kib, passes, lanes), Ok(Cost::OURS));
        let bytes = seal(Content::Backup, b"x", &phrase("right"), Cost::OURS, [7; 40]).unwrap();
        assert_eq!(open(&bytes, "right"), Ok(b"x".to_vec()));
    }

    #[test]
    fn no_cut_and_no_altered_file_opens() {
        let bytes = sealed(b"a secret");
        for cut in 0..bytes.len() {
            assert!(open(&bytes[..cut], "right").is_err(), "{cut}");
        }
        assert!(open(&[&bytes[..], &[0]].concat(), "right").is_err());
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&altered, "right").is_err(), "bit {bit}");
        }
    }

    #[test]
    fn nothing_that_costs_too_much_is_even_tried() {
        let mut bytes = sealed(b"a secret");
        for (memory, passes, lanes) in [
            (u32::MAX, 1, 1),
            (MOST_MEMORY_KIB + 1, 1, 1),
            (8, MOST_PASSES + 1, 1),
            (8, u32::MAX, 1),
            (MOST_MEMORY_KIB, 5, 1),
            (1024, 1, MOST_LANES + 1),
            (8, 0, 1),
            (8, 1, 0),
            (7, 1, 1),
            (31, 1, 4),
        ] {
            bytes[14..18].copy_from_slice(&u32::to_be_bytes(memory));
            bytes[18..22].copy_from_slice(&u32::to_be_bytes(passes));
            bytes[22] = lanes;
            assert_eq!(Sealed::read(&bytes), Err(SealError::TooCostly), "{memory} {passes} {lanes}");
        }
    }

    #[test]
    fn a_later_version_is_said_to_be_one() {
        let mut bytes = sealed(b"a secret");
        bytes[12] = 2;
        assert_eq!(open(&bytes, "right"), Err(SealError::Incompatible));
    }

    #[test]
    fn a_passphrase_has_some_length_and_variety_to_seal_with_and_any_to_open_with() {
        for weak in ["short", "elevenchars", "aaaaaaaaaaaaaaaaaaaa", "ababababababab", "ÄÖÜäöüÄÖÜäö"]
        {
            assert_eq!(phrase(weak).strong_enough(), Err(PassphraseError::Weak), "{weak}");
        }
        for strong in ["correct horse battery", "ÄÖÜäöüÄÖÜäöü", "1a2b3c4d5e6f"] {
            assert_eq!(phrase(strong).strong_enough(), Ok(()), "{strong}");
        }
        assert_eq!(Passphrase::new(""), Err(PassphraseError::Empty));
        assert_eq!(Passphrase::new("x".repeat(1025)), Err(PassphraseError::TooLong));
        assert_eq!(format!("{:?}", phrase("right")), "Passphrase(..)");
    }
}
