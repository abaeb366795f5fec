//! What goes wrong in a profile's folder, and with files that go into it or come out of it.

use super::{BackupError, PassphraseError, seal::SealError};
use rusqlite::ffi;
use std::path::PathBuf;

/// Why the profile cannot be used, or a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another instance owns the profile.
    #[error("{} is in use by another instance", .0.display())]
    Locked(PathBuf),
    /// The folder or a file in it cannot be read or written.
    #[error("{}: {why}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is a profile already.
    #[error("{} holds a profile already", .0.display())]
    NotEmpty(PathBuf),
    /// There is no profile.
    #[error("{} holds no profile", .0.display())]
    NoProfile(PathBuf),
    /// The key is sealed, and no passphrase was given.
    #[error("{} is locked with a passphrase", .0.display())]
    Sealed(PathBuf),
    /// A key or what is sealed was not opened.
    #[error("{}: {why}", path.display())]
    NotOpened {
        /// What.
        path: PathBuf,
        /// Why.
        why: SealError,
    },
    /// A backup cannot be read.
    #[error("{}: {why}", path.display())]
    Backup {
        /// Where.
        path: PathBuf,
        /// Why.
        why: BackupError,
    },
    /// A file of the person's cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file is there already.
    #[error("{} is there already", .0.display())]
    FileExists(PathBuf),
    /// The passphrase does not serve.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The database was damaged; it has been set aside, nothing was deleted.
    #[error("the database was damaged and set aside as {}", moved_to.display())]
    Damaged {
        /// Where it is now.
        moved_to: PathBuf,
    },
    /// The database was written by a later version.
    #[error("{} was written by a later version", .0.display())]
    TooNew(PathBuf),
    /// A list is full.
    #[error("the list holds at most {0} entries")]
    Full(u32),
    /// There is no room for the database on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// The database refused a change.
    #[error("the database refused: {0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|error| error.extended_code) {
            // The second: the index of the journal cannot grow.
            Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_database_that_refuses() {
        let of = |code| StorageError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for full in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(of(full), StorageError::DiskFull), "{full}");
        }
        for other in [ffi::SQLITE_IOERR, ffi::SQLITE_CORRUPT, ffi::SQLITE_CONSTRAINT] {
            assert!(matches!(of(other), StorageError::Database(_)), "{other}");
        }
    }
}
