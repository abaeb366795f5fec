//! The profile's folder: who owns it, and how files get into it.

use super::StorageError;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The lock's name within the profile.
const LOCK: &str = "lock";
/// What the name of a file ends with while it is being written.
const UNFINISHED: &str = "new";

/// An owned profile folder; dropping it frees the profile.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

impl Profile {
    /// Takes the profile, and makes its folder (for the owner only) if there is none.
    pub fn take(folder: &Path) -> Result<Self, StorageError> {
        make_private_folder(folder).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                StorageError::Io { path: folder.to_owned(), why: "it is a file, not a folder".into() }
            }
            _ => io_error(folder, &error),
        })?;
        let path = folder.join(LOCK);
        let lock = private_options().truncate(false).open(&path).map_err(|error| io_error(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => {
                let profile = Self { folder: folder.to_owned(), _lock: lock };
                profile.forget_unfinished_key()?;
                profile.settle_import()?;
                Ok(profile)
            }
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(io_error(&path, &error)),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Writes a file whole or not at all: a neighbour is written, brought to the disk, and renamed.
pub(super) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let neighbour = unfinished(path);
    remove_if_there(&neighbour)?;
    let mut file = private_options().create_new(true).open(&neighbour)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&neighbour, path)?;
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Where a file is while it is being written: what a crash may leave behind.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(UNFINISHED)
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
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
pub(super) fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

#[cfg(not(unix))]
pub(super) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn io_error(path: &Path, error: &io::Error) -> StorageError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::DiskFull,
        _ => StorageError::Io { path: path.to_owned(), why: said(error) },
    }
}

/// What the system says, without its numbers.
pub(super) fn said(error: &io::Error) -> String {
    let said = error.to_string();
    said.split_once(" (os error").map_or(said.as_str(), |(said, _)| said).to_owned()
}
