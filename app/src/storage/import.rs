//! Putting a backup into an empty profile, whole or not at all.
//!
//! ```text
//!   1. import.db      the database, filled and on the disk
//!   2. identity.key   appears by renaming: from here on the profile is the new one
//!   3. silbo.db       is what import.db is renamed to
//! ```
//! Whoever takes the profile after a crash finds no key, and forgets `import.db`; or a key, and does step 3.

use super::{
    Backup, DATABASE, Passphrase, Profile, Storage, StorageError, key, migrate,
    profile::{io_error, private_options, remove_if_there, sync_folder},
};
use relay::UnixTime;
use rusqlite::Connection;
use std::{fs, path::PathBuf};

/// The database's name until the key is there.
const STAGED: &str = "import.db";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

impl Profile {
    /// Makes this empty profile the one that was backed up; its key is sealed if there is a passphrase.
    pub fn import(&self, backup: &Backup, passphrase: Option<&Passphrase>) -> Result<(), StorageError> {
        passphrase.map_or(Ok(()), Passphrase::strong_enough)?;
        self.refuse_unless_empty()?;
        let imported = self.stage(backup).and_then(|()| self.write_key(backup.identity(), passphrase));
        if imported.is_err() {
            // Why comes first; what is left is forgotten at the next start at the latest.
            let _ = self.settle_import();
        }
        imported.and_then(|()| self.settle_import())
    }

    /// Makes this profile, in which nobody lives, the one that was backed up. What it held is set aside, named after `now`
    /// and never deleted; it comes back if the backup cannot take its place. A crash in between leaves an empty profile.
    pub fn replace_unused(&self, backup: &Backup, now: UnixTime) -> Result<(), StorageError> {
        let moved = self.set_aside_unused(now)?;
        let imported = self.import(backup, None);
        if imported.is_err() {
            put_back(&moved);
        }
        imported
    }

    /// The database goes first: a key without one is still the same profile.
    fn set_aside_unused(&self, now: UnixTime) -> Result<Vec<Moved>, StorageError> {
        let name = |name: &str| self.folder().join(name);
        let mut files: Vec<PathBuf> = BESIDE.iter().map(|end| name(&format!("{DATABASE}{end}"))).collect();
        files.extend([name(DATABASE), name(key::IDENTITY)]);
        files.retain(|path| path.exists());
        let aside = |path: &PathBuf, stamp: u64| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".unused-{stamp}"));
            PathBuf::from(name)
        };
        let mut stamp = now.as_secs();
        while files.iter().any(|path| aside(path, stamp).exists()) {
            stamp += 1;
        }
        let mut moved = Vec::new();
        for path in files {
            let to = aside(&path, stamp);
            if let Err(error) = fs::rename(&path, &to) {
                put_back(&moved);
                return Err(io_error(&path, &error));
            }
            moved.push(Moved { from: path, to });
        }
        Ok(moved)
    }

    /// What a crash left of an import is finished or forgotten.
    pub(super) fn settle_import(&self) -> Result<(), StorageError> {
        let (staged, database) = (self.folder().join(STAGED), self.folder().join(DATABASE));
        let begun = self.folder().join(key::IDENTITY).exists() && staged.exists() && !database.exists();
        let settled = if begun {
            fs::rename(&staged, &database).and_then(|()| sync_folder(self.folder()))
        } else {
            self.staged_files().iter().try_for_each(|path| remove_if_there(path))
        };
        settled.map_err(|error| io_error(&staged, &error))
    }

    fn refuse_unless_empty(&self) -> Result<(), StorageError> {
        let beside = BESIDE.map(|end| format!("{DATABASE}{end}"));
        let kept = [key::IDENTITY, DATABASE].into_iter().chain(beside.iter().map(String::as_str));
        match kept.map(|name| self.folder().join(name)).any(|path| path.exists()) {
            true => Err(StorageError::NotEmpty(self.folder().to_owned())),
            false => Ok(()),
        }
    }

    /// Step 1.
    fn stage(&self, backup: &Backup) -> Result<(), StorageError> {
        let path = self.folder().join(STAGED);
        let io = |error: &std::io::Error| io_error(&path, error);
        let file = private_options().create_new(true).open(&path).map_err(|error| io(&error))?;
        let mut db = Connection::open(&path)?;
        // One file is renamed later, so that nothing may lie beside it.
        db.pragma_update(None, "journal_mode", "DELETE")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        migrate(&mut db, &path)?;
        let mut storage = Storage { db };
        storage.restore(backup)?;
        drop(storage);
        file.sync_all().and_then(|()| sync_folder(self.folder())).map_err(|error| io(&error))
    }

    fn staged_files(&self) -> Vec<PathBuf> {
        let names = BESIDE.map(|end| format!("{STAGED}{end}")).into_iter().chain([STAGED.to_owned()]);
        names.map(|name| self.folder().join(name)).collect()
    }
}

/// A file that was set aside.
struct Moved {
    from: PathBuf,
    to: PathBuf,
}

/// As it was before; what cannot be put back stays aside.
fn put_back(moved: &[Moved]) {
    for Moved { from, to } in moved.iter().rev() {
        if let Err(error) = fs::rename(to, from) {
            tracing::warn!(%error, file = %from.display(), "a file that was set aside stays there");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::backup::sample, *};
    use crate::storage::{IdentityOrigin, Lock};
    use overlay::Identity;
    use tempfile::TempDir;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn bytes(folder: &TempDir, identity: &Identity) -> Vec<u8> {
        let storage = Storage::open(folder.path(), NOW).unwrap();
        storage.backup(identity).unwrap().encode().unwrap().to_vec()
    }

    /// The profile is empty, as it was before.
    fn is_the_old_one(folder: &TempDir) {
        let profile = Profile::take(folder.path()).unwrap();
        assert_eq!(Lock::of(folder.path()).unwrap(), None);
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["lock"]);
        profile.import(&sample(), None).unwrap();
    }

    /// The profile is what was backed up, to the last byte.
    fn is_the_new_one(folder: &TempDir) {
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, origin) = profile.identity([9; 32], None).unwrap();
        assert_eq!(origin, IdentityOrigin::Found);
        assert_eq!(bytes(folder, &identity), sample().encode().unwrap().to_vec());
        assert!(!folder.path().join(STAGED).exists());
    }

    #[test]
    fn what_was_backed_up_is_there_after_the_import() {
        let folder = TempDir::new().unwrap();
        Profile::take(folder.path()).unwrap().import(&sample(), None).unwrap();
        is_the_new_one(&folder);
    }

    #[test]
    fn a_stop_before_the_key_is_there_leaves_the_empty_profile() {
        let folder = TempDir::new().unwrap();
        Profile::take(folder.path()).unwrap().stage(&sample()).unwrap();
        is_the_old_one(&folder);
    }

    #[test]
    fn a_stop_amid_the_writing_leaves_the_empty_profile() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        profile.stage(&sample()).unwrap();
        drop(profile);
        let half = fs::read(folder.path().join(STAGED)).unwrap();
        fs::write(folder.path().join(STAGED), &half[..half.len() / 2]).unwrap();
        fs::write(folder.path().join("import.db-journal"), "half a journal").unwrap();
        fs::write(folder.path().join("identity.new"), "half a key").unwrap();
        is_the_old_one(&folder);
    }

    #[test]
    fn a_stop_once_the_key_is_there_leaves_the_new_profile() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        profile.stage(&sample()).unwrap();
        profile.write_key(sample().identity(), None).unwrap();
        drop(profile);
        is_the_new_one(&folder);
    }

    #[test]
    fn a_profile_with_a_key_or_a_database_is_not_overwritten() {
        for name in [key::IDENTITY, DATABASE, "silbo.db-wal"] {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join(name), "something").unwrap();
            let profile = Profile::take(folder.path()).unwrap();
            assert!(matches!(profile.import(&sample(), None), Err(StorageError::NotEmpty(_))), "{name}");
            assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "something");
        }
    }

    #[test]
    fn an_import_with_a_passphrase_is_sealed_and_a_weak_one_changes_nothing() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let weak = Passphrase::new("weak").unwrap();
        assert!(matches!(profile.import(&sample(), Some(&weak)), Err(StorageError::Passphrase(_))));
        let strong = Passphrase::new("a long passphrase").unwrap();
        profile.import(&sample(), Some(&strong)).unwrap();
        assert_eq!(Lock::of(folder.path()).unwrap(), Some(Lock::Sealed));
    }

    #[test]
    fn what_takes_the_place_of_nobody_leaves_all_of_it_aside() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        profile.identity([9; 32], None).unwrap();
        drop(Storage::open(folder.path(), NOW).unwrap());
        let key = fs::read(folder.path().join(key::IDENTITY)).unwrap();
        profile.replace_unused(&sample(), NOW).unwrap();
        let aside = |name: &str| folder.path().join(format!("{name}.unused-{}", NOW.as_secs()));
        assert_eq!(fs::read(aside(key::IDENTITY)).unwrap(), key);
        assert!(aside(DATABASE).exists());
        drop(profile);
        is_the_new_one(&folder);
    }

    #[test]
    fn what_cannot_take_the_place_of_nobody_leaves_them_there() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([9; 32], None).unwrap();
        drop(Storage::open(folder.path(), NOW).unwrap());
        // Two of one name cannot both be written.
        fs::create_dir(folder.path().join(STAGED)).unwrap();
        assert!(profile.replace_unused(&sample(), NOW).is_err());
        let (found, origin) = profile.identity([8; 32], None).unwrap();
        assert_eq!((found.public_key(), origin), (identity.public_key(), IdentityOrigin::Found));
        assert!(folder.path().join(DATABASE).exists());
    }
}
