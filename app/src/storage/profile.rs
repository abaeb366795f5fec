//! The profile's folder: who owns it, and its key.

use super::StorageError;
use data_encoding::BASE32_NOPAD_NOCASE;
use overlay::Identity;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// File names within the profile.
const LOCK: &str = "lock";
const IDENTITY: &str = "identity.key";

/// An owned profile folder; dropping it frees the profile.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

/// Where the identity came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityOrigin {
    /// It was there.
    Found,
    /// It was made just now, and kept in an unsealed file.
    Made,
}

impl Profile {
    /// Takes the profile, and makes its folder (for the owner only) if there is none.
    pub fn take(folder: &Path) -> Result<Self, StorageError> {
        make_private_folder(folder).map_err(|error| io_error(folder, &error))?;
        let path = folder.join(LOCK);
        let lock = private_options().truncate(false).open(&path).map_err(|error| io_error(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(io_error(&path, &error)),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The identity of this profile, made from `fresh` (32 bytes of system randomness) if there is none yet.
    pub fn identity(&self, fresh: [u8; 32]) -> Result<(Identity, IdentityOrigin), StorageError> {
        let path = self.folder.join(IDENTITY);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let secret = BASE32_NOPAD_NOCASE.decode(text.trim().as_bytes()).ok();
                let secret =
                    secret.and_then(|secret| <[u8; 32]>::try_from(secret).ok()).ok_or_else(|| {
                        StorageError::Io {
                            path,
                            why: "it does not hold an identity key; put a backup in its place".into(),
                        }
                    })?;
                Ok((Identity::from_secret(secret), IdentityOrigin::Found))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = format!("{}\n", BASE32_NOPAD_NOCASE.encode(&fresh).to_lowercase());
                write_private(&path, text.as_bytes()).map_err(|error| io_error(&path, &error))?;
                Ok((Identity::from_secret(fresh), IdentityOrigin::Made))
            }
            Err(error) => Err(io_error(&path, &error)),
        }
    }
}

/// Writes a file whole or not at all: a neighbour is written, brought to the disk, and renamed.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let neighbour = path.with_extension("new");
    let mut file = private_options().truncate(true).open(&neighbour)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&neighbour, path)?;
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn io_error(path: &Path, error: &io::Error) -> StorageError {
    StorageError::Io { path: path.to_owned(), why: error.to_string() }
}
