//! How loud each contact is heard.

use super::{Storage, StorageError};
use media::mix::Volume;
use overlay::PublicKey;
use rusqlite::{OptionalExtension, params};

impl Storage {
    /// How loud somebody is heard; whoever is no contact, as loud as they come.
    pub fn volume(&self, key: PublicKey) -> Result<Volume, StorageError> {
        let mut query = self.db.prepare("SELECT volume FROM contacts WHERE key = ?1")?;
        let percent: Option<u8> = query.query_row([key.bytes().as_slice()], |row| row.get(0)).optional()?;
        Ok(percent.map(Volume::from_percent).unwrap_or_default())
    }

    /// Keeps how loud a contact is heard; says whether there is such a contact.
    pub fn set_volume(&mut self, key: PublicKey, volume: Volume) -> Result<bool, StorageError> {
        let row = params![key.bytes().as_slice(), volume.percent()];
        Ok(self.db.execute("UPDATE contacts SET volume = ?2 WHERE key = ?1", row)? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::UnixTime;

    #[test]
    fn how_loud_a_contact_is_heard_outlasts_the_process_and_goes_with_the_contact() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixTime::from_secs(1);
        let [ada, eve] = [1, 2].map(|seed| PublicKey::from_bytes([seed; 32]));
        let mut storage = Storage::open(folder.path(), now).unwrap();
        storage.add_contact(ada, "ada", now).unwrap();
        assert_eq!(storage.volume(ada).unwrap(), Volume::AS_SENT);
        assert!(storage.set_volume(ada, Volume::from_percent(150)).unwrap());
        assert!(!storage.set_volume(eve, Volume::MOST).unwrap(), "nobody by that key");
        drop(storage);
        let mut storage = Storage::open(folder.path(), now).unwrap();
        let heard = [ada, eve].map(|key| storage.volume(key).unwrap().percent());
        assert_eq!(heard, [150, 100]);
        storage.remove_contact(ada).unwrap();
        storage.add_contact(ada, "ada", now).unwrap();
        assert_eq!(storage.volume(ada).unwrap(), Volume::AS_SENT, "somebody new");
    }
}
