//! Past calls: with whom, what came of them, what they were like; until the person forgets them.
//!
//! A missed call may be a letter that somebody left while we were away, and letters come again after a restart for as long
//! as they are kept for us. So a missed call that is forgotten leaves a mark, of which nobody can read whose call it was,
//! until no letter of it can come any more.

use super::{Storage, StorageError, millis, time};
use crate::{
    call::{Receipt, Reply},
    engine::view::{ContactId, HistoryOutcome},
};
use overlay::PublicKey;
use relay::UnixTime;
use rusqlite::{Connection, Params, params};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Most past calls kept; the oldest gives way.
pub const MAX_HISTORY: u32 = 10_000;
/// Marks are kept for so long: letters come for a week, and clocks may differ by a day.
const MARKS_LAST: Duration = Duration::from_secs(8 * 24 * 3600);
/// What the hash of a mark begins with.
const MARK: &[u8] = b"silbo forgotten call 1\0";

/// One past call.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCall {
    /// With whom.
    pub with: ContactId,
    /// The name at that time.
    pub name: String,
    /// What came of it.
    pub outcome: HistoryOutcome,
    /// When it began.
    pub began: UnixTime,
    /// How long sound flowed.
    pub lasted: Option<Duration>,
    /// What it was like.
    pub receipt: Option<Receipt>,
    /// What the other side said, which declined it.
    pub reply: Option<Reply>,
}

impl PastCall {
    /// One in which nothing was said or heard.
    pub const fn unmeasured(with: ContactId, name: String, outcome: HistoryOutcome, began: UnixTime) -> Self {
        Self { with, name, outcome, began, lasted: None, receipt: None, reply: None }
    }
}

impl Storage {
    /// The newest past calls, newest first.
    pub fn history(&self, most: u32) -> Result<Vec<PastCall>, StorageError> {
        let mut query = self.db.prepare(
            "SELECT key, name, outcome, began, lasted, receipt, reply FROM history ORDER BY began DESC, id DESC LIMIT ?1",
        )?;
        let rows = query.query_map([most], |row| {
            let who: Option<[u8; 32]> = row.get(0)?;
            Ok(PastCall {
                with: who.map_or(ContactId::Echo, |who| ContactId::Person(PublicKey::from_bytes(who))),
                name: row.get(1)?,
                outcome: HistoryOutcome::of_word(&row.get::<_, String>(2)?).unwrap_or(HistoryOutcome::Missed),
                began: time(row, 3)?,
                lasted: row.get::<_, Option<i64>>(4)?.map(|ms| Duration::from_millis(ms.unsigned_abs())),
                receipt: row.get::<_, Option<String>>(5)?.and_then(|json| Receipt::from_json(&json)),
                reply: row.get::<_, Option<String>>(6)?.and_then(|text| Reply::parse(&text).ok()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a call of somebody that began then is among those kept, or was until it was forgotten.
    pub fn has_call(&self, key: PublicKey, began: UnixTime) -> Result<bool, StorageError> {
        let mut kept = self.db.prepare("SELECT 1 FROM history WHERE key = ?1 AND began = ?2")?;
        let mut forgotten = self.db.prepare("SELECT 1 FROM forgotten WHERE mark = ?1")?;
        Ok(kept.exists(params![key.bytes().as_slice(), millis(began)])?
            || forgotten.exists([mark(key.bytes(), millis(began)).as_slice()])?)
    }

    /// Adds a past call, or says more of one with the same person that began then; the oldest beyond [`MAX_HISTORY`] give way.
    pub fn add_call(&mut self, call: &PastCall) -> Result<(), StorageError> {
        let change = self.db.transaction()?;
        let same = params![key_of(call.with), millis(call.began)];
        change.execute("DELETE FROM history WHERE key IS ?1 AND began = ?2", same)?;
        insert_call(&change, call)?;
        if call.outcome == HistoryOutcome::Missed {
            change.execute("UPDATE history SET unseen = 1 WHERE id = last_insert_rowid()", [])?;
        }
        change.execute(
            "DELETE FROM history WHERE id NOT IN (SELECT id FROM history ORDER BY began DESC, id DESC LIMIT ?1)",
            [MAX_HISTORY],
        )?;
        Ok(change.commit()?)
    }

    /// How many missed calls nobody has looked at yet; none of those that a backup brought.
    pub fn missed(&self) -> Result<u32, StorageError> {
        Ok(self.db.query_row("SELECT count(*) FROM history WHERE unseen", [], |row| row.get(0))?)
    }

    /// All of them were looked at.
    pub fn see_missed(&mut self) -> Result<(), StorageError> {
        self.db.execute("UPDATE history SET unseen = 0 WHERE unseen", [])?;
        Ok(())
    }

    /// Forgets the calls with somebody that began then; says whether there were any.
    pub fn forget_call(
        &mut self,
        with: ContactId,
        began: UnixTime,
        now: UnixTime,
    ) -> Result<bool, StorageError> {
        let who = key_of(with);
        self.forget("key IS ?1 AND began = ?2", params![who, millis(began)], now)
    }

    /// Forgets all past calls; says whether there were any.
    pub fn forget_calls(&mut self, now: UnixTime) -> Result<bool, StorageError> {
        self.forget("true", params![], now)
    }

    /// What is forgotten is overwritten in the file, not only taken off the list.
    fn forget(
        &mut self,
        which: &str,
        these: impl Params + Copy,
        now: UnixTime,
    ) -> Result<bool, StorageError> {
        let change = self.db.transaction()?;
        let oldest = millis(now.saturating_sub(MARKS_LAST));
        let missed: Vec<([u8; 32], i64)> = {
            let missed = format!(
                "SELECT key, began FROM history WHERE {which} AND outcome = 'missed' AND key IS NOT NULL"
            );
            let mut query = change.prepare(&missed)?;
            let rows = query.query_map(these, |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (key, began) in missed.into_iter().filter(|(_, began)| *began >= oldest) {
            let row = (mark(&key, began), began);
            change.execute("INSERT OR IGNORE INTO forgotten (mark, began) VALUES (?1, ?2)", row)?;
        }
        change.execute("DELETE FROM forgotten WHERE began < ?1", [oldest])?;
        let forgotten = change.execute(&format!("DELETE FROM history WHERE {which}"), these)? > 0;
        change.commit()?;
        // Somebody who reads the database beside us may hold it up; then the next change, or the end, does this.
        let emptied = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = emptied {
            tracing::debug!(%error, "the journal was not emptied");
        }
        Ok(forgotten)
    }
}

pub(super) fn insert_call(db: &Connection, call: &PastCall) -> Result<(), StorageError> {
    let who = key_of(call.with);
    let lasted = call.lasted.map(|lasted| i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX));
    let receipt = call.receipt.map(Receipt::to_json);
    let reply = call.reply.as_ref().map(Reply::as_str);
    db.execute(
        "INSERT INTO history (key, name, outcome, began, lasted, receipt, reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![who, call.name, call.outcome.word(), millis(call.began), lasted, receipt, reply],
    )?;
    Ok(())
}

/// As the table has it: nothing for Echo.
fn key_of(with: ContactId) -> Option<[u8; 32]> {
    match with {
        ContactId::Echo => None,
        ContactId::Person(key) => Some(*key.bytes()),
    }
}

fn mark(key: &[u8; 32], began: i64) -> [u8; 32] {
    Sha256::new().chain_update(MARK).chain_update(key).chain_update(began.to_be_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::DATABASE;
    use std::fs;
    use tempfile::TempDir;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const EARLIER: UnixTime = UnixTime::from_secs(1_799_999_000);

    fn key(seed: u8) -> PublicKey {
        PublicKey::from_bytes([seed; 32])
    }

    fn call(with: ContactId, outcome: HistoryOutcome, began: UnixTime) -> PastCall {
        let (name, reply) = ("marguerite".into(), Reply::parse("not now").ok());
        PastCall { with, name, outcome, began, lasted: None, receipt: None, reply }
    }

    fn open(folder: &TempDir) -> Storage {
        Storage::open(folder.path(), NOW).unwrap()
    }

    #[test]
    fn a_call_that_is_forgotten_is_gone_after_opening_again_and_the_others_stay() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        let ada = ContactId::Person(key(1));
        for (with, began) in [(ada, NOW), (ada, EARLIER), (ContactId::Echo, NOW)] {
            storage.add_call(&call(with, HistoryOutcome::Placed, began)).unwrap();
        }
        assert!(storage.forget_call(ada, NOW, NOW).unwrap());
        assert!(!storage.forget_call(ada, NOW, NOW).unwrap(), "there is none any more");
        storage = open(&folder);
        let left: Vec<_> = storage.history(9).unwrap().iter().map(|call| (call.with, call.began)).collect();
        assert_eq!(left, [(ContactId::Echo, NOW), (ada, EARLIER)]);
        assert!(storage.forget_call(ContactId::Echo, NOW, NOW).unwrap());
        assert_eq!(open(&folder).history(9).unwrap().len(), 1);
    }

    #[test]
    fn missed_calls_are_counted_until_they_are_looked_at() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        let outcomes = [HistoryOutcome::Missed, HistoryOutcome::Refused, HistoryOutcome::Placed];
        for (seed, outcome) in (1..).zip(outcomes) {
            storage.add_call(&call(ContactId::Person(key(seed)), outcome, NOW)).unwrap();
        }
        drop(storage);
        let mut storage = open(&folder);
        assert_eq!(storage.missed().unwrap(), 1);
        storage.see_missed().unwrap();
        assert_eq!(storage.missed().unwrap(), 0);
        // Whoever called while we were away may have done so before we looked.
        storage.add_call(&call(ContactId::Person(key(9)), HistoryOutcome::Missed, EARLIER)).unwrap();
        assert_eq!(storage.missed().unwrap(), 1);
        storage.forget_calls(NOW).unwrap();
        assert_eq!(storage.missed().unwrap(), 0);
    }

    #[test]
    fn all_calls_are_forgotten_and_nothing_of_them_is_left_in_the_files() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        assert!(!storage.forget_calls(NOW).unwrap());
        for seed in 0..50 {
            let began = NOW.saturating_sub(Duration::from_secs(u64::from(seed)));
            storage.add_call(&call(ContactId::Person(key(seed)), HistoryOutcome::Missed, began)).unwrap();
        }
        assert!(storage.forget_calls(NOW).unwrap());
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(10).any(|ten| ten == b"marguerite"), "{path:?}");
            assert!(!bytes.windows(7).any(|said| said == b"not now"), "{path:?}");
            assert!(!bytes.windows(32).any(|key| key == [7; 32]), "{path:?}");
        }
        assert!(folder.path().join(DATABASE).exists());
        assert!(open(&folder).history(9).unwrap().is_empty());
    }

    #[test]
    fn a_missed_call_that_was_forgotten_does_not_come_back_with_its_letter() {
        let folder = TempDir::new().unwrap();
        let mut storage = open(&folder);
        storage.add_call(&call(ContactId::Person(key(1)), HistoryOutcome::Missed, EARLIER)).unwrap();
        storage.forget_calls(NOW).unwrap();
        storage = open(&folder);
        assert!(storage.has_call(key(1), EARLIER).unwrap(), "it counts as known");
        assert!(!storage.has_call(key(1), NOW).unwrap() && !storage.has_call(key(2), EARLIER).unwrap());
        // Marks do not stay for ever.
        let later = UnixTime::from_secs(1_800_000_000 + 9 * 24 * 3600);
        storage.forget_calls(later).unwrap();
        assert!(!storage.has_call(key(1), EARLIER).unwrap());
    }
}
