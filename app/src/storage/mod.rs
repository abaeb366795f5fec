//! What lasts: one folder per profile.
//!
//! ```text
//!   lock            held while an instance owns the profile
//!   identity.key    the identity's secret, one line of base32 or sealed with a passphrase, readable by the owner only
//!   silbo.db        contacts, names that changed hands, the blocked, history, marks of forgotten calls, requests, settings (SQLite, write-ahead log, every change a transaction)
//!   import.db       what `silbo import` has not finished yet, see `import`
//!   *.unused-<unix time>   the key and the database of nobody, set aside for who came back, see `import`
//!   silbo.db.damaged-<unix time>   a damaged database, set aside and never deleted
//! ```

mod backup;
mod blocked;
mod error;
mod export;
mod history;
mod import;
mod key;
mod key_change;
mod nickname;
mod profile;
pub mod seal;
#[cfg(test)]
mod tests;
mod volume;
mod when;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use backup::sample;
pub use backup::{Backup, BackupError, MAX_BACKUP};
pub use blocked::{Blocked, MAX_BLOCKED};
pub use error::StorageError;
pub use export::Overwrite;
pub use history::{MAX_HISTORY, PastCall};
pub use key::{IdentityOrigin, Lock, identity_of, write_key};
pub use key_change::KeyChange;
pub use nickname::{LONGEST_NICKNAME, Nickname, NicknameError};
pub use profile::Profile;
pub use seal::{Passphrase, PassphraseError};
pub use when::When;

use overlay::{PresenceSecret, PublicKey};
use relay::UnixTime;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};
use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The database's file name within the profile.
pub const DATABASE: &str = "silbo.db";
/// Most contacts; a further one is refused.
pub const MAX_CONTACTS: u32 = 10_000;
/// Most calls from strangers kept; the oldest gives way.
pub const MAX_REQUESTS: u32 = 100;
/// How long another process may hold the database before a change fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Steps from an empty file to today's schema; `user_version` counts those done. Steps are only ever appended.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE contacts (
        key BLOB PRIMARY KEY CHECK (length(key) = 32),
        name TEXT NOT NULL,
        added INTEGER NOT NULL,
        verified INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        key BLOB CHECK (key IS NULL OR length(key) = 32),
        name TEXT NOT NULL,
        outcome TEXT NOT NULL,
        began INTEGER NOT NULL,
        lasted INTEGER
    ) STRICT;
    CREATE TABLE requests (
        key BLOB PRIMARY KEY CHECK (length(key) = 32),
        name TEXT NOT NULL,
        last INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
",
    "
    ALTER TABLE contacts ADD COLUMN presence BLOB CHECK (presence IS NULL OR length(presence) = 32);
    ALTER TABLE contacts ADD COLUMN told BLOB CHECK (told IS NULL OR length(told) = 32);
    ALTER TABLE contacts ADD COLUMN seen INTEGER;
    ALTER TABLE contacts ADD COLUMN here INTEGER NOT NULL DEFAULT 0;
",
    "
    CREATE TABLE blocked (
        key BLOB PRIMARY KEY CHECK (length(key) = 32),
        name TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT;
",
    "ALTER TABLE history ADD COLUMN receipt TEXT;",
    "
    CREATE TABLE key_changes (
        key BLOB PRIMARY KEY CHECK (length(key) = 32),
        found BLOB NOT NULL CHECK (length(found) = 32),
        kept INTEGER NOT NULL DEFAULT 0
    ) STRICT;
",
    "
    CREATE TABLE forgotten (
        mark BLOB PRIMARY KEY CHECK (length(mark) = 32),
        began INTEGER NOT NULL
    ) STRICT;
",
    "ALTER TABLE contacts ADD COLUMN nickname TEXT;",
    "ALTER TABLE contacts ADD COLUMN volume INTEGER NOT NULL DEFAULT 100 CHECK (volume BETWEEN 0 AND 200);",
    "ALTER TABLE history ADD COLUMN reply TEXT;",
    "ALTER TABLE history ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;",
];

/// Names of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The username claimed by this profile.
    Name,
    /// What the overlay remembers of the network.
    OverlayCache,
    /// Invites others gave us, newest first, one a line.
    Invites,
    /// What contacts are given to see that we are there; gone when one of them was removed.
    PresenceSecret,
    /// What the person agreed to do for others (JSON, see `engine/helping`).
    Helping,
    /// The microphone of calls.
    Microphone,
    /// The loudspeaker of calls.
    Loudspeaker,
    /// How loud it rings.
    Ringtone,
    /// Dark or light.
    Appearance,
    /// What the window speaks.
    Language,
    /// Whether the desktop says who calls.
    Notifications,
    /// What closing the window does.
    OnClose,
    /// Whether a key mutes from any window.
    MuteKey,
    /// How long this computer was on lately and where it is reached (JSON, see `engine/helping`).
    Past,
}

/// One contact, pinned to its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub key: PublicKey,
    /// The name it was added under.
    pub name: String,
    /// When.
    pub added: UnixTime,
    /// Whether the key was compared with its owner.
    pub verified: Verified,
    /// What it gave us to see it by.
    pub presence: Option<PresenceSecret>,
    /// Which secret of ours it was given.
    pub told: Option<PresenceSecret>,
    /// When it last said that it is there.
    pub seen: Option<UnixTime>,
    /// Whether that still counts.
    pub here: bool,
    /// What the person calls it.
    pub nickname: Option<Nickname>,
}

/// Whether a contact's key was compared with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It was, and is the same.
    Yes,
    /// Not yet.
    No,
}

impl Verified {
    /// Whether it was.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// One stranger who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub key: PublicKey,
    /// The username they say they have, or nothing.
    pub name: String,
    /// When they called last.
    pub last: UnixTime,
}

/// An open profile database.
#[derive(Debug)]
pub struct Storage {
    db: Connection,
}

impl Storage {
    /// Opens or creates the database of a profile. A damaged one is set aside (named after `now`) and reported:
    /// opening again then starts an empty one.
    pub fn open(profile: &Path, now: UnixTime) -> Result<Self, StorageError> {
        let path = profile.join(DATABASE);
        match Self::open_sound(&path) {
            Err(StorageError::Database(error)) if is_damage(&error) => Err(set_aside(&path, now)),
            Err(StorageError::Database(error)) if is_io(&error) => {
                Err(StorageError::Io { path, why: error.to_string() })
            }
            other => other,
        }
    }

    /// Opens the database of a profile to read it, beside the process that owns the profile.
    pub fn beside(profile: &Path) -> Result<Self, StorageError> {
        let path = profile.join(DATABASE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        let steps: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match (steps as usize).cmp(&MIGRATIONS.len()) {
            // Its owner is an older program, which has not done our steps.
            Ordering::Less => Err(StorageError::Locked(profile.to_owned())),
            Ordering::Equal => Ok(Self { db }),
            Ordering::Greater => Err(StorageError::TooNew(path)),
        }
    }

    /// All contacts, by name.
    pub fn contacts(&self) -> Result<Vec<Contact>, StorageError> {
        let mut query =
            self.db.prepare("SELECT key, name, added, verified, presence, told, seen, here, nickname FROM contacts ORDER BY lower(name), key")?;
        let rows = query.query_map([], |row| {
            let secret = |column: usize| -> rusqlite::Result<_> {
                Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(PresenceSecret::from_bytes))
            };
            let seen: Option<i64> = row.get(6)?;
            Ok(Contact {
                key: key(row, 0)?,
                name: row.get(1)?,
                added: time(row, 2)?,
                verified: if row.get(3)? { Verified::Yes } else { Verified::No },
                presence: secret(4)?,
                told: secret(5)?,
                seen: seen.map(|ms| UnixTime::from_millis(u64::try_from(ms).unwrap_or(0))),
                here: row.get(7)?,
                nickname: row.get::<_, Option<String>>(8)?.and_then(|text| Nickname::parse(&text).ok()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Adds a contact. One that is already there keeps its name and its date: a pin is never moved.
    pub fn add_contact(&mut self, key: PublicKey, name: &str, now: UnixTime) -> Result<(), StorageError> {
        let change = self.db.transaction()?;
        let count: u32 = change.query_row("SELECT count(*) FROM contacts", [], |row| row.get(0))?;
        let known = change
            .query_row("SELECT 1 FROM contacts WHERE key = ?1", [key.bytes().as_slice()], |_| Ok(()))
            .optional()?
            .is_some();
        if !known && count >= MAX_CONTACTS {
            return Err(StorageError::Full(MAX_CONTACTS));
        }
        change.execute(
            "INSERT INTO contacts (key, name, added) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING",
            params![key.bytes().as_slice(), name, millis(now)],
        )?;
        change.execute("DELETE FROM requests WHERE key = ?1", [key.bytes().as_slice()])?;
        Ok(change.commit()?)
    }

    /// Removes a contact; says whether there was one. What it could see us by serves no more.
    pub fn remove_contact(&mut self, key: PublicKey) -> Result<bool, StorageError> {
        let change = self.db.transaction()?;
        let removed = change.execute("DELETE FROM contacts WHERE key = ?1", [key.bytes().as_slice()])? > 0;
        if removed {
            change.execute("DELETE FROM key_changes WHERE key = ?1", [key.bytes().as_slice()])?;
            let secret = Setting::PresenceSecret.word();
            change.execute("DELETE FROM settings WHERE name = ?1", [secret])?;
        }
        change.commit()?;
        Ok(removed)
    }

    /// Notes whether a contact's key was compared with its owner; says whether there is such a contact.
    pub fn set_verified(&mut self, key: PublicKey, verified: Verified) -> Result<bool, StorageError> {
        let row = params![key.bytes().as_slice(), verified.is_yes()];
        Ok(self.db.execute("UPDATE contacts SET verified = ?2 WHERE key = ?1", row)? > 0)
    }

    /// Keeps what a contact gave us to see it by.
    pub fn set_presence_secret(
        &mut self,
        key: PublicKey,
        secret: PresenceSecret,
    ) -> Result<(), StorageError> {
        let row = params![key.bytes().as_slice(), secret.bytes().as_slice()];
        self.db.execute("UPDATE contacts SET presence = ?2 WHERE key = ?1", row)?;
        Ok(())
    }

    /// Notes which secret of ours a contact was given; whoever was blocked meanwhile has one that serves no more.
    pub fn set_told(&mut self, key: PublicKey, secret: PresenceSecret) -> Result<(), StorageError> {
        let row = params![key.bytes().as_slice(), secret.bytes().as_slice()];
        let not_blocked = "key NOT IN (SELECT key FROM blocked)";
        let told = format!("UPDATE contacts SET told = ?2 WHERE key = ?1 AND {not_blocked}");
        self.db.execute(&told, row)?;
        Ok(())
    }

    /// Notes that a contact does not know our secret.
    pub fn forget_told(&mut self, key: PublicKey) -> Result<(), StorageError> {
        self.db.execute("UPDATE contacts SET told = NULL WHERE key = ?1", [key.bytes().as_slice()])?;
        Ok(())
    }

    /// Notes when a contact said that it is there, or that it is gone.
    pub fn set_seen(&mut self, key: PublicKey, seen: Option<UnixTime>) -> Result<(), StorageError> {
        self.db.execute(
            "UPDATE contacts SET here = ?2, seen = coalesce(?3, seen) WHERE key = ?1",
            params![key.bytes().as_slice(), seen.is_some(), seen.map(millis)],
        )?;
        Ok(())
    }

    /// Nobody has been seen yet, since this start.
    pub fn forget_who_is_here(&mut self) -> Result<(), StorageError> {
        self.db.execute("UPDATE contacts SET here = 0", [])?;
        Ok(())
    }

    /// Calls from strangers, newest first.
    pub fn requests(&self) -> Result<Vec<Request>, StorageError> {
        let mut query = self.db.prepare("SELECT key, name, last FROM requests ORDER BY last DESC, key")?;
        let rows = query
            .query_map([], |row| Ok(Request { key: key(row, 0)?, name: row.get(1)?, last: time(row, 2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes a call from a stranger; the oldest beyond [`MAX_REQUESTS`] give way.
    pub fn add_request(&mut self, key: PublicKey, name: &str, now: UnixTime) -> Result<(), StorageError> {
        let change = self.db.transaction()?;
        change.execute(
            "INSERT INTO requests (key, name, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET name = excluded.name, last = excluded.last",
            params![key.bytes().as_slice(), name, millis(now)],
        )?;
        change.execute(
            "DELETE FROM requests WHERE key NOT IN (SELECT key FROM requests ORDER BY last DESC, key LIMIT ?1)",
            [MAX_REQUESTS],
        )?;
        Ok(change.commit()?)
    }

    /// Forgets a stranger; says whether there was one.
    pub fn remove_request(&mut self, key: PublicKey) -> Result<bool, StorageError> {
        Ok(self.db.execute("DELETE FROM requests WHERE key = ?1", [key.bytes().as_slice()])? > 0)
    }

    /// Whether somebody lives here: has a name, knows people, or blocked some.
    pub fn is_lived_in(&self) -> Result<bool, StorageError> {
        let nobody = self.setting(Setting::Name)?.is_none() && self.contacts()?.is_empty();
        Ok(!(nobody && self.blocked()?.is_empty()))
    }

    /// Reads a setting.
    pub fn setting(&self, setting: Setting) -> Result<Option<Vec<u8>>, StorageError> {
        let mut query = self.db.prepare("SELECT value FROM settings WHERE name = ?1")?;
        Ok(query.query_row([setting.word()], |row| row.get(0)).optional()?)
    }

    /// Writes a setting.
    pub fn set(&mut self, setting: Setting, value: &[u8]) -> Result<(), StorageError> {
        self.db.execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![setting.word(), value],
        )?;
        Ok(())
    }

    /// Opens a database that must be sound and of a version this build knows.
    fn open_sound(path: &Path) -> Result<Self, StorageError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        let journal: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        tracing::debug!(journal, "database opened");
        // Contacts and history are few: each change is on the disk before it is believed.
        db.pragma_update(None, "synchronous", "FULL")?;
        // Nothing of what somebody forgets is to be found in the file.
        db.pragma_update(None, "secure_delete", true)?;
        let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(sound)).into());
        }
        migrate(&mut db, path)?;
        Ok(Self { db })
    }
}

impl Setting {
    fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::OverlayCache => "overlay-cache",
            Self::Invites => "invites",
            Self::PresenceSecret => "presence-secret",
            Self::Helping => "helping",
            Self::Microphone => "microphone",
            Self::Loudspeaker => "loudspeaker",
            Self::Ringtone => "ringtone",
            Self::Appearance => "appearance",
            Self::Language => "language",
            Self::Notifications => "notifications",
            Self::OnClose => "on-close",
            Self::MuteKey => "mute-key",
            Self::Past => "past",
        }
    }
}

/// Does the steps that are still to do, all in one transaction.
fn migrate(db: &mut Connection, path: &Path) -> Result<(), StorageError> {
    let change = db.transaction()?;
    let done: u32 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(steps) = MIGRATIONS.get(done as usize..) else {
        return Err(StorageError::TooNew(path.to_owned()));
    };
    if steps.is_empty() {
        return Ok(());
    }
    for step in steps {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(change.commit()?)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn is_io(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
        )
    )
}

/// Moves a damaged database and its journals out of the way; never over anything that is there.
fn set_aside(path: &Path, now: UnixTime) -> StorageError {
    let mut stamp = now.as_secs();
    let target = |suffix: &str, stamp: u64| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{stamp}{suffix}"));
        PathBuf::from(name)
    };
    while target("", stamp).exists() {
        stamp += 1;
    }
    for suffix in ["-wal", "-shm", ""] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let from = PathBuf::from(from);
        if !from.exists() {
            continue;
        }
        if let Err(error) = fs::rename(&from, target(suffix, stamp)) {
            return profile::io_error(&from, &error);
        }
    }
    StorageError::Damaged { moved_to: target("", stamp) }
}

fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<PublicKey> {
    Ok(PublicKey::from_bytes(row.get(column)?))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixTime> {
    Ok(UnixTime::from_millis(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)))
}

fn millis(at: UnixTime) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

fn seconds(at: UnixTime) -> i64 {
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX)
}
