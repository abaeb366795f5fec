//! A backup in a file of its own, sealed with a passphrase.

use super::{
    Backup, BackupError, MAX_BACKUP, Passphrase, StorageError,
    profile::{private_options, said, sync_folder},
    seal::{self, Content, Cost, SEAL_OVERHEAD, Sealed},
};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and nothing is written.
    Never,
    /// It gives way, once the new one is whole.
    Yes,
}

impl Backup {
    /// Writes the file, for its owner alone, whole or not at all.
    pub fn save(
        &self,
        file: &Path,
        passphrase: &Passphrase,
        overwrite: Overwrite,
    ) -> Result<(), StorageError> {
        passphrase.strong_enough()?;
        let exists = || StorageError::FileExists(file.to_owned());
        if overwrite == Overwrite::Never && file.exists() {
            return Err(exists());
        }
        let plain = self.encode().map_err(|why| StorageError::Backup { path: file.to_owned(), why })?;
        let sealed = seal::seal(Content::Backup, &plain, passphrase, Cost::OURS, rand::random());
        let sealed = sealed.map_err(|why| StorageError::NotOpened { path: file.to_owned(), why })?;
        let written = match overwrite {
            Overwrite::Never => write_new(file, &sealed),
            Overwrite::Yes => {
                let beside = beside(file);
                write_new(&beside, &sealed).and_then(|()| fs::rename(&beside, file))
            }
        };
        written.and_then(|()| sync_folder(folder(file))).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => of_file(file, &error),
        })
    }

    /// Reads what [`Backup::save`] wrote. A file that asks too much is refused unread.
    pub fn load(file: &Path, passphrase: &Passphrase) -> Result<Self, StorageError> {
        let mut bytes = Vec::new();
        let most = MAX_BACKUP + SEAL_OVERHEAD;
        let opened = File::open(file).map_err(|error| of_file(file, &error))?;
        opened.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| of_file(file, &error))?;
        let unreadable = |why| StorageError::Backup { path: file.to_owned(), why };
        if bytes.len() > most {
            return Err(unreadable(BackupError::TooLarge));
        }
        let opened = Sealed::read(&bytes).and_then(|sealed| sealed.open(Content::Backup, passphrase));
        let plain = opened.map_err(|why| StorageError::NotOpened { path: file.to_owned(), why })?;
        Self::decode(&plain).map_err(unreadable)
    }
}

/// A file that was not there; gone again if it cannot be written whole.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = private_options().create_new(true).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Why it was not written matters more.
        let _ = fs::remove_file(path);
    }
    written
}

/// A name in the same folder that is nobody's.
fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(format!(".{:08x}.new", rand::random::<u32>()));
    name.into()
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn of_file(path: &Path, error: &io::Error) -> StorageError {
    StorageError::File { path: path.to_owned(), why: said(error) }
}

#[cfg(test)]
mod tests {
    use super::{super::backup::sample, *};
    use tempfile::TempDir;

    fn right() -> Passphrase {
        Passphrase::new("a long passphrase").unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded_with_its_passphrase_alone() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("backup");
        sample().save(&file, &right(), Overwrite::Never).unwrap();
        let loaded = Backup::load(&file, &right()).unwrap();
        assert_eq!(*loaded.encode().unwrap(), *sample().encode().unwrap());
        let wrong = Backup::load(&file, &Passphrase::new("another").unwrap());
        assert!(matches!(wrong, Err(StorageError::NotOpened { why: seal::SealError::Refused, .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_may_go() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("backup");
        fs::write(&file, "holiday pictures").unwrap();
        let refused = sample().save(&file, &right(), Overwrite::Never);
        assert!(matches!(refused, Err(StorageError::FileExists(_))));
        assert_eq!(fs::read_to_string(&file).unwrap(), "holiday pictures");
        sample().save(&file, &right(), Overwrite::Yes).unwrap();
        assert!(Backup::load(&file, &right()).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_weak_passphrase_and_a_folder_that_is_not_there_write_nothing() {
        let folder = TempDir::new().unwrap();
        let weak = Passphrase::new("weak").unwrap();
        let file = folder.path().join("backup");
        assert!(matches!(sample().save(&file, &weak, Overwrite::Never), Err(StorageError::Passphrase(_))));
        let nowhere = folder.path().join("none/backup");
        assert!(matches!(
            sample().save(&nowhere, &right(), Overwrite::Never),
            Err(StorageError::File { .. })
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_backup_is_refused() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("backup");
        let refused = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            Backup::load(&file, &right()).unwrap_err()
        };
        assert!(matches!(refused(b"holiday pictures"), StorageError::NotOpened { .. }));
        let large = vec![0; MAX_BACKUP + SEAL_OVERHEAD + 1];
        assert!(matches!(refused(&large), StorageError::Backup { why: BackupError::TooLarge, .. }));
        let sealed =
            |content, plain: &[u8]| seal::seal(content, plain, &right(), Cost::LEAST, [7; 40]).unwrap();
        let malformed = refused(&sealed(Content::Backup, b"\x80"));
        assert!(matches!(malformed, StorageError::Backup { why: BackupError::Malformed, .. }));
        let key = refused(&sealed(Content::IdentityKey, &[7; 32]));
        assert!(matches!(key, StorageError::NotOpened { why: seal::SealError::Malformed, .. }));
    }
}
