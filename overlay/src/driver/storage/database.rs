//! The claims a supernode holds, in SQLite: one row for each name and identity, replaced in place.
//!
//! ```text
//!   claims   name, identity (key) │ ends: Unix ms │ claim: CBOR
//! ```
//! Write-ahead log with `synchronous = FULL`: what is committed survives the process's and the machine's sudden end. A damaged
//! file is set aside with a warning; rows that can still be read from either end of it go into the new one. Damage
//! within a row is found out where every claim is verified again.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use relay::UnixTime;
use rusqlite::{Connection, ErrorCode, params};

use super::move_aside;
use crate::{claim::Claim, wire};

const FILE: &str = "claims.db";

/// Steps from an empty file to today's schema; `user_version` counts those done. Steps are only ever appended.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE claims (
        name TEXT NOT NULL,
        identity BLOB NOT NULL CHECK (length(identity) = 32),
        ends INTEGER NOT NULL,
        claim BLOB NOT NULL,
        PRIMARY KEY (name, identity)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX claims_by_end ON claims (ends);
"];

/// How long a claim stays after its end: the directory may still want to know whose the name was.
pub(super) const KEPT_AFTER_END: Duration = Duration::from_secs(100 * 24 * 3600);

/// How long another process (a back-up, a curious person) may hold the file before a write fails.
const PATIENCE: Duration = Duration::from_secs(5);

const KEEP: &str = "INSERT INTO claims (name, identity, ends, claim) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name, identity) DO UPDATE SET ends = excluded.ends, claim = excluded.claim";
const KEEP_MISSING: &str = "INSERT INTO claims (name, identity, ends, claim) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name, identity) DO NOTHING";

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    db: Connection,
}

impl Database {
    /// Opens or creates it; one that is damaged is set aside, and what can be read of it is kept.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match Self::open_sound(&path) {
            Err(Fault::Sqlite(error)) if is_damage(&error) => {
                let saved = salvage(&path);
                set_aside(&path)?;
                let mut fresh = Self::open_sound(&path)?;
                fresh.keep(saved.iter())?;
                tracing::warn!(path = %path.display(), kept = saved.len(), "the database of claims was damaged; a new one was begun");
                Ok(fresh)
            }
            opened => Ok(opened?),
        }
    }

    fn open_sound(path: &Path) -> Result<Self, Fault> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(PATIENCE)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(sound)).into());
        }
        let change = db.transaction()?;
        let done: u32 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let steps = MIGRATIONS.get(done as usize..).ok_or(Fault::TooNew)?;
        for step in steps {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
        change.commit()?;
        Ok(Self { db })
    }

    /// Writes claims, all of them or none, and returns when they are on the disk.
    pub(super) fn keep<'a>(&mut self, claims: impl IntoIterator<Item = &'a Claim>) -> io::Result<()> {
        self.insert(KEEP, claims)
    }

    /// Writes those of which there is none yet.
    pub(super) fn keep_missing<'a>(&mut self, claims: impl IntoIterator<Item = &'a Claim>) -> io::Result<()> {
        self.insert(KEEP_MISSING, claims)
    }

    fn insert<'a>(&mut self, how: &str, claims: impl IntoIterator<Item = &'a Claim>) -> io::Result<()> {
        let change = self.db.transaction().map_err(Fault::from)?;
        {
            let mut insert = change.prepare_cached(how).map_err(Fault::from)?;
            for claim in claims {
                let (identity, ends) = (claim.identity(), millis(claim.not_after()));
                let row = params![claim.name().as_str(), identity.bytes(), ends, wire::to_bytes(claim)];
                insert.execute(row).map_err(Fault::from)?;
            }
        }
        Ok(change.commit().map_err(Fault::from)?)
    }

    /// Every claim that can be read.
    pub(super) fn claims(&self) -> io::Result<Vec<Claim>> {
        let mut query =
            self.db.prepare("SELECT claim FROM claims ORDER BY name, identity").map_err(Fault::from)?;
        let rows = query.query_map([], |row| row.get(0)).map_err(Fault::from)?;
        let rows: Vec<Vec<u8>> = rows.collect::<Result<_, _>>().map_err(Fault::from)?;
        let claims: Vec<Claim> = rows.iter().filter_map(|claim| wire::from_bytes(claim).ok()).collect();
        if claims.len() < rows.len() {
            tracing::warn!(unreadable = rows.len() - claims.len(), "claims that this version cannot read");
        }
        Ok(claims)
    }

    /// Deletes what ended long ago.
    pub(super) fn forget_ended(&self, now: UnixTime) -> io::Result<usize> {
        let ended = millis(now.saturating_sub(KEPT_AFTER_END));
        Ok(self.db.execute("DELETE FROM claims WHERE ends < ?1", [ended]).map_err(Fault::from)?)
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{FILE} was written by a later version")]
    TooNew,
    #[error("{FILE}: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What can be read of a damaged file, from its beginning up to the damage and from its end back to it.
fn salvage(path: &Path) -> Vec<Claim> {
    let Ok(db) = Connection::open(path) else { return Vec::new() };
    let mut saved: Vec<Vec<u8>> = Vec::new();
    for order in ["ASC", "DESC"] {
        let query = format!("SELECT claim FROM claims ORDER BY name {order}, identity {order}");
        let Ok(mut query) = db.prepare(&query) else { continue };
        let Ok(rows) = query.query_map([], |row| row.get(0)) else { continue };
        saved.extend(rows.map_while(Result::ok));
    }
    saved.sort_unstable();
    saved.dedup();
    saved.iter().filter_map(|claim| wire::from_bytes(claim).ok()).collect()
}

fn set_aside(path: &Path) -> io::Result<()> {
    let aside = move_aside(path)?;
    for suffix in ["-wal", "-shm"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        if with(path).exists() {
            std::fs::rename(with(path), with(&aside))?;
        }
    }
    Ok(())
}

fn millis(time: UnixTime) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
