//! Whom this profile never wants to hear from: contacts and strangers alike, by key.

use super::{Setting, Storage, StorageError, key, millis, time};
use overlay::PublicKey;
use relay::UnixTime;
use rusqlite::{OptionalExtension, params};

/// Most people blocked; a further one is refused, for whoever gave way would ring again.
pub const MAX_BLOCKED: u32 = 10_000;

/// Somebody who is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Who.
    pub key: PublicKey,
    /// The name they were known by then, or say they have; empty if none.
    pub name: String,
    /// Since when.
    pub since: UnixTime,
}

impl Storage {
    /// All who are blocked, by name.
    pub fn blocked(&self) -> Result<Vec<Blocked>, StorageError> {
        let mut query = self.db.prepare("SELECT key, name, since FROM blocked ORDER BY lower(name), key")?;
        let rows = query.query_map([], |row| {
            Ok(Blocked { key: key(row, 0)?, name: row.get(1)?, since: time(row, 2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether somebody is.
    pub fn is_blocked(&self, who: PublicKey) -> Result<bool, StorageError> {
        let mut query = self.db.prepare("SELECT 1 FROM blocked WHERE key = ?1")?;
        Ok(query.exists([who.bytes().as_slice()])?)
    }

    /// Blocks somebody: their request is forgotten, and what a contact could see us by serves no more. Who is blocked
    /// already keeps their name and date.
    pub fn block(&mut self, who: PublicKey, name: &str, now: UnixTime) -> Result<(), StorageError> {
        let row = who.bytes().as_slice();
        let change = self.db.transaction()?;
        let known = change.query_row("SELECT 1 FROM blocked WHERE key = ?1", [row], |_| Ok(())).optional()?;
        let count: u32 = change.query_row("SELECT count(*) FROM blocked", [], |row| row.get(0))?;
        if known.is_none() && count >= MAX_BLOCKED {
            return Err(StorageError::Full(MAX_BLOCKED));
        }
        change.execute(
            "INSERT INTO blocked (key, name, since) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING",
            params![row, name, millis(now)],
        )?;
        change.execute("DELETE FROM requests WHERE key = ?1", [row])?;
        let a_contact =
            change.execute("UPDATE contacts SET told = NULL, here = 0 WHERE key = ?1", [row])? > 0;
        if known.is_none() && a_contact {
            let secret = Setting::PresenceSecret.word();
            change.execute("DELETE FROM settings WHERE name = ?1", [secret])?;
        }
        Ok(change.commit()?)
    }

    /// Hears from somebody again; says whether they were blocked.
    pub fn unblock(&mut self, who: PublicKey) -> Result<bool, StorageError> {
        Ok(self.db.execute("DELETE FROM blocked WHERE key = ?1", [who.bytes().as_slice()])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const LATER: UnixTime = UnixTime::from_secs(1_800_000_060);

    fn someone(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn open(folder: &TempDir) -> Storage {
        Storage::open(folder.path(), NOW).unwrap()
    }

    #[test]
    fn who_is_blocked_stays_so_until_unblocked() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        storage.block(someone(2), "zoe", NOW).unwrap();
        storage.block(someone(1), "Ada", NOW).unwrap();
        storage.block(someone(1), "mallory", LATER).unwrap();
        storage = open(&folder);
        let ada = Blocked { key: someone(1), name: "Ada".into(), since: NOW };
        assert_eq!(storage.blocked().unwrap()[0], ada, "the first name and date stay");
        assert_eq!(storage.blocked().unwrap().len(), 2);
        assert!(storage.unblock(someone(1)).unwrap());
        assert!(!storage.unblock(someone(1)).unwrap());
        assert!(!storage.is_blocked(someone(1)).unwrap() && storage.is_blocked(someone(2)).unwrap());
    }

    #[test]
    fn blocking_a_contact_changes_what_we_are_seen_by_and_blocking_a_stranger_does_not() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        let kept = |storage: &Storage| storage.setting(Setting::PresenceSecret).unwrap().is_some();
        storage.set(Setting::PresenceSecret, &[7; 32]).unwrap();
        storage.add_contact(someone(1), "ada", NOW).unwrap();
        storage.set_told(someone(1), overlay::PresenceSecret::from_bytes([7; 32])).unwrap();
        storage.set_seen(someone(1), Some(NOW)).unwrap();
        storage.block(someone(9), "", NOW).unwrap();
        assert!(kept(&storage));
        storage.block(someone(1), "ada", NOW).unwrap();
        assert!(!kept(&storage));
        let ada = storage.contacts().unwrap().remove(0);
        assert_eq!((ada.told, ada.here, ada.seen), (None, false, Some(NOW)));
        storage.set(Setting::PresenceSecret, &[8; 32]).unwrap();
        storage.block(someone(1), "ada", NOW).unwrap();
        assert!(kept(&storage), "who is blocked already never saw the new one");
    }

    #[test]
    fn a_blocked_strangers_request_is_forgotten() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        storage.add_request(someone(1), "ada", NOW).unwrap();
        storage.block(someone(1), "ada", NOW).unwrap();
        assert!(storage.requests().unwrap().is_empty());
    }

    #[test]
    fn nobody_gives_way_to_a_further_one() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                    INSERT INTO blocked SELECT CAST(printf('%032d', i) AS BLOB), '', 0 FROM n";
        storage.db.execute(fill, [MAX_BLOCKED]).unwrap();
        assert!(matches!(storage.block(someone(1), "ada", NOW), Err(StorageError::Full(MAX_BLOCKED))));
        assert_eq!(storage.blocked().unwrap().len(), MAX_BLOCKED as usize);
    }

    #[test]
    fn who_is_blocked_while_they_are_being_told_counts_as_not_told() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        let ours = overlay::PresenceSecret::from_bytes([2; 32]);
        storage.add_contact(someone(1), "ada", NOW).unwrap();
        storage.block(someone(1), "ada", LATER).unwrap();
        // The message was on its way.
        storage.set_told(someone(1), ours).unwrap();
        assert_eq!(storage.contacts().unwrap()[0].told, None);
        storage.unblock(someone(1)).unwrap();
        storage.set_told(someone(1), ours).unwrap();
        assert_eq!(storage.contacts().unwrap()[0].told, Some(ours));
    }
}
