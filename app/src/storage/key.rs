//! The identity's key in the profile: open, or sealed with a passphrase.
//!
//! ```text
//!   identity.key   53 bytes: the secret as one line of base32 (open), or a sealed file, see `seal`
//! ```
//! It changes as a whole, by renaming: after a crash it is the old one or the new one.

use super::{
    Profile, StorageError,
    profile::{io_error, remove_if_there, unfinished, write_private},
    seal::{self, Content, Cost, Passphrase, SealError, Sealed},
};
use data_encoding::BASE32_NOPAD_NOCASE;
use overlay::Identity;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The key's file name within the profile.
pub(super) const IDENTITY: &str = "identity.key";
/// Longer than any key: a further byte is not read.
const LONGEST: u64 = 4096;

/// Where the identity came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityOrigin {
    /// It was there.
    Found,
    /// It was there, open, and has been sealed just now.
    Sealed,
    /// It was made just now.
    Made(Lock),
}

/// Whether reading a key takes a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Whoever reads the file has the key.
    Open,
    /// It does.
    Sealed,
}

impl Lock {
    /// That of the profile in a folder; nothing where there is no key.
    pub fn of(folder: &Path) -> Result<Option<Self>, StorageError> {
        let kept = read(&folder.join(IDENTITY))?;
        Ok(kept.map(|bytes| if seal::is_sealed(&bytes) { Self::Sealed } else { Self::Open }))
    }

    /// Whether it is sealed.
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::Sealed)
    }
}

impl Profile {
    /// The identity of this profile, made from `fresh` (32 bytes of system randomness) if there is none yet. With a
    /// passphrase, a key that was open is sealed, and so is a new one.
    pub fn identity(
        &self,
        fresh: [u8; 32],
        passphrase: Option<&Passphrase>,
    ) -> Result<(Identity, IdentityOrigin), StorageError> {
        let path = self.key_path();
        let lock = passphrase.map_or(Lock::Open, |_| Lock::Sealed);
        match read(&path)? {
            None => {
                let identity = Identity::from_secret(fresh);
                self.write_key(&identity, passphrase)?;
                Ok((identity, IdentityOrigin::Made(lock)))
            }
            Some(bytes) if lock.is_sealed() && !seal::is_sealed(&bytes) => {
                let identity = parse(&path, &bytes, None)?;
                self.write_key(&identity, passphrase)?;
                Ok((identity, IdentityOrigin::Sealed))
            }
            Some(bytes) => Ok((parse(&path, &bytes, passphrase)?, IdentityOrigin::Found)),
        }
    }

    /// Writes the key anew: sealed with a passphrase, which must be strong enough, or open without one.
    pub fn write_key(
        &self,
        identity: &Identity,
        passphrase: Option<&Passphrase>,
    ) -> Result<(), StorageError> {
        write_key(self.folder(), identity, passphrase)
    }

    /// A crash while a key was being opened or sealed leaves what nobody should find.
    pub(super) fn forget_unfinished_key(&self) -> Result<(), StorageError> {
        let path = unfinished(&self.key_path());
        remove_if_there(&path).map_err(|error| io_error(&path, &error))
    }

    fn key_path(&self) -> PathBuf {
        self.folder().join(IDENTITY)
    }
}

/// Writes the key of the profile in a folder anew, as [`Profile::write_key`] does, for a thread of its owner.
pub fn write_key(
    folder: &Path,
    identity: &Identity,
    passphrase: Option<&Passphrase>,
) -> Result<(), StorageError> {
    let path = folder.join(IDENTITY);
    let bytes = key_file(&path, identity, passphrase)?;
    write_private(&path, &bytes).map_err(|error| io_error(&path, &error))
}

/// The identity of the profile in a folder, for who only reads it, also beside its owner.
pub fn identity_of(folder: &Path, passphrase: Option<&Passphrase>) -> Result<Identity, StorageError> {
    let path = folder.join(IDENTITY);
    let bytes = read(&path)?.ok_or_else(|| StorageError::NoProfile(folder.to_owned()))?;
    parse(&path, &bytes, passphrase)
}

/// What stands in the file.
fn key_file(
    path: &Path,
    identity: &Identity,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let secret = Zeroizing::new(identity.secret());
    let Some(passphrase) = passphrase else {
        let text = BASE32_NOPAD_NOCASE.encode(secret.as_ref()).to_lowercase();
        return Ok(Zeroizing::new(format!("{text}\n").into_bytes()));
    };
    passphrase.strong_enough()?;
    let sealed = seal::seal(Content::IdentityKey, secret.as_ref(), passphrase, Cost::OURS, rand::random());
    sealed.map(Zeroizing::new).map_err(|why| StorageError::NotOpened { path: path.to_owned(), why })
}

/// The whole file; nothing where there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, &error)),
    };
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| io_error(path, &error))?;
    Ok(Some(bytes))
}

fn parse(path: &Path, bytes: &[u8], passphrase: Option<&Passphrase>) -> Result<Identity, StorageError> {
    let secret = if seal::is_sealed(bytes) {
        let folder = || path.parent().unwrap_or(path).to_owned();
        let passphrase = passphrase.ok_or_else(|| StorageError::Sealed(folder()))?;
        let opened = Sealed::read(bytes).and_then(|sealed| sealed.open(Content::IdentityKey, passphrase));
        let opened = opened.map_err(|why| StorageError::NotOpened { path: path.to_owned(), why })?;
        <[u8; 32]>::try_from(opened.as_slice()).ok()
    } else {
        let text = bytes.trim_ascii();
        let secret = BASE32_NOPAD_NOCASE.decode(text).ok().map(Zeroizing::new);
        secret.and_then(|secret| <[u8; 32]>::try_from(secret.as_slice()).ok())
    };
    let no_key = || StorageError::NotOpened { path: path.to_owned(), why: SealError::Malformed };
    secret.map(Identity::from_secret).ok_or_else(no_key)
}
