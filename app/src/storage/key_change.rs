//! Names of contacts that other keys have now, until the person has decided whom they trust.

use super::{Setting, Storage, StorageError, key, millis};
use overlay::PublicKey;
use relay::UnixTime;
use rusqlite::params;

/// The name of a contact was found with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyChange {
    /// The contact.
    pub pinned: PublicKey,
    /// Who has the name now.
    pub found: PublicKey,
}

impl Storage {
    /// Those about which nobody has decided.
    pub fn key_changes(&self) -> Result<Vec<KeyChange>, StorageError> {
        let mut query = self.db.prepare("SELECT key, found FROM key_changes WHERE kept = 0 ORDER BY key")?;
        let rows = query.query_map([], |row| Ok(KeyChange { pinned: key(row, 0)?, found: key(row, 1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that a contact's name has another key; one that the person has decided against is not asked about again. Of
    /// somebody who is no contact nothing is noted.
    pub fn note_key_change(&mut self, change: KeyChange) -> Result<(), StorageError> {
        let KeyChange { pinned, found } = change;
        self.db.execute(
            "INSERT INTO key_changes (key, found) SELECT key, ?2 FROM contacts WHERE key = ?1
             ON CONFLICT (key) DO UPDATE SET kept = kept * (found = excluded.found), found = excluded.found",
            params![pinned.bytes().as_slice(), found.bytes().as_slice()],
        )?;
        Ok(())
    }

    /// A contact has its name again, or still.
    pub fn forget_key_change(&mut self, pinned: PublicKey) -> Result<(), StorageError> {
        self.db.execute("DELETE FROM key_changes WHERE key = ?1", [pinned.bytes().as_slice()])?;
        Ok(())
    }

    /// The person trusts the key they know.
    pub fn keep_key(&mut self, pinned: PublicKey) -> Result<(), StorageError> {
        self.db.execute("UPDATE key_changes SET kept = 1 WHERE key = ?1", [pinned.bytes().as_slice()])?;
        Ok(())
    }

    /// The person trusts the key that has the name now: the contact is pinned to it, as if just added. Says whether there
    /// was such a change. What the old key could see us by serves no more.
    pub fn trust_key(&mut self, trusted: KeyChange, now: UnixTime) -> Result<bool, StorageError> {
        let (old, new) = (trusted.pinned.bytes().as_slice(), trusted.found.bytes().as_slice());
        let change = self.db.transaction()?;
        let noted = change.execute("DELETE FROM key_changes WHERE key = ?1 AND found = ?2", [old, new])? > 0;
        if noted {
            // Whoever is a contact under another name goes by this one from now on.
            change.execute(
                "INSERT INTO contacts (key, name, added, nickname, volume) SELECT ?2, name, ?3, nickname, volume FROM contacts WHERE key = ?1
                 ON CONFLICT (key) DO UPDATE SET name = excluded.name, verified = 0,
                 nickname = coalesce(excluded.nickname, nickname)",
                params![old, new, millis(now)],
            )?;
            change.execute("DELETE FROM contacts WHERE key = ?1", [old])?;
            change.execute("DELETE FROM requests WHERE key = ?1", [new])?;
            change.execute("DELETE FROM settings WHERE name = ?1", [Setting::PresenceSecret.word()])?;
        }
        change.commit()?;
        Ok(noted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Verified;
    use tempfile::TempDir;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn change(pinned: u8, found: u8) -> KeyChange {
        KeyChange { pinned: key(pinned), found: key(found) }
    }

    fn storage(folder: &TempDir) -> Storage {
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        storage.add_contact(key(1), "bob", NOW).unwrap();
        storage.set_verified(key(1), Verified::Yes).unwrap();
        storage
    }

    #[test]
    fn a_change_stays_until_it_is_decided_and_is_not_asked_about_again() {
        let folder = TempDir::new().unwrap();
        let mut storage = storage(&folder);
        storage.note_key_change(change(1, 2)).unwrap();
        storage.note_key_change(change(9, 2)).unwrap();
        drop(storage);
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        assert_eq!(storage.key_changes().unwrap(), [change(1, 2)], "also after a restart");
        storage.keep_key(key(1)).unwrap();
        storage.note_key_change(change(1, 2)).unwrap();
        assert_eq!(storage.key_changes().unwrap(), []);
        storage.note_key_change(change(1, 3)).unwrap();
        assert_eq!(storage.key_changes().unwrap(), [change(1, 3)], "of a third key nothing was said");
        storage.forget_key_change(key(1)).unwrap();
        assert_eq!(storage.key_changes().unwrap(), []);
    }

    #[test]
    fn a_trusted_key_takes_the_place_of_the_old_one_and_is_not_verified() {
        let folder = TempDir::new().unwrap();
        let mut storage = storage(&folder);
        storage.set(Setting::PresenceSecret, &[6; 32]).unwrap();
        storage.note_key_change(change(1, 2)).unwrap();
        assert!(!storage.trust_key(change(1, 3), NOW).unwrap(), "another one was found");
        assert!(storage.trust_key(change(1, 2), NOW).unwrap());
        let contacts = storage.contacts().unwrap();
        let [bob] = contacts.as_slice() else { panic!("{contacts:?}") };
        assert_eq!((bob.key, bob.name.as_str(), bob.verified), (key(2), "bob", Verified::No));
        assert_eq!(storage.key_changes().unwrap(), []);
        assert_eq!(storage.setting(Setting::PresenceSecret).unwrap(), None, "the old key sees us no more");
    }

    #[test]
    fn a_trusted_key_that_was_a_contact_already_is_one_contact() {
        let folder = TempDir::new().unwrap();
        let mut storage = storage(&folder);
        storage.add_contact(key(2), "bobs-laptop", NOW).unwrap();
        storage.set_verified(key(2), Verified::Yes).unwrap();
        storage.note_key_change(change(1, 2)).unwrap();
        assert!(storage.trust_key(change(1, 2), NOW).unwrap());
        let contacts = storage.contacts().unwrap();
        let [bob] = contacts.as_slice() else { panic!("{contacts:?}") };
        assert_eq!((bob.key, bob.name.as_str(), bob.verified), (key(2), "bob", Verified::No));
    }

    #[test]
    fn who_is_removed_leaves_no_question_behind() {
        let folder = TempDir::new().unwrap();
        let mut storage = storage(&folder);
        storage.note_key_change(change(1, 2)).unwrap();
        storage.remove_contact(key(1)).unwrap();
        storage.add_contact(key(1), "bob", NOW).unwrap();
        assert_eq!(storage.key_changes().unwrap(), []);
    }
}
