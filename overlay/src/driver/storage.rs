//! What a supernode keeps on disk: its node key and the claims it holds.
//!
//! ```text
//! node.key      32 bytes, readable by its owner only
//! claims.db     SQLite, see `database`; *.damaged-N beside it: set aside, never deleted
//! claims.cbor   what versions before the database kept; taken over once and renamed to claims.cbor.imported
//!               | length: u32, big endian | claim (CBOR) | length | claim | ...
//! ```

mod database;
mod writer;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use relay::UnixTime;

use self::database::Database;
pub(super) use self::writer::{Outcome, WRITE_QUEUE, Writer};
use crate::{
    claim::Claim,
    identity::LinkSecret,
    wire::{self, MAX_FRAME},
};

const KEY_FILE: &str = "node.key";
const LOG_FILE: &str = "claims.cbor";

/// The node key kept in `folder`, made by `fresh` at the first start.
pub(super) fn load_key(folder: &Path, fresh: [u8; 32]) -> io::Result<LinkSecret> {
    fs::create_dir_all(folder)?;
    let path = folder.join(KEY_FILE);
    match fs::read(&path) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(secret) => return Ok(LinkSecret::from_secret(secret)),
            Err(_) => drop(move_aside(&path)?),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(&fresh)?;
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(LinkSecret::from_secret(fresh))
}

/// The claims kept in `folder`, and the writer that keeps further ones.
pub(super) fn load_claims(folder: &Path, now: UnixTime) -> io::Result<(Vec<Claim>, Writer)> {
    fs::create_dir_all(folder)?;
    let mut database = Database::open(folder)?;
    take_over_log(folder, &mut database)?;
    database.forget_ended(now)?;
    let claims = database.claims()?;
    sync_folder(folder)?;
    Ok((claims, Writer::new(database)))
}

/// Takes over what an earlier version kept. What the database has is newer.
fn take_over_log(folder: &Path, database: &mut Database) -> io::Result<()> {
    let path = folder.join(LOG_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let (claims, intact) = read_log(&bytes);
    if !intact {
        tracing::warn!(path = %path.display(), kept = claims.len(), "the old log of claims is damaged; what precedes the damage is kept");
    }
    // Later entries replaced earlier ones.
    database.keep_missing(claims.iter().rev())?;
    fs::rename(&path, folder.join("claims.cbor.imported"))
}

/// The claims before the first damage, and whether there is none.
pub(crate) fn read_log(mut bytes: &[u8]) -> (Vec<Claim>, bool) {
    let mut claims = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let claim = if length > MAX_FRAME { None } else { rest.get(..length) };
        let Some(Ok(claim)) = claim.map(wire::from_bytes) else { return (claims, false) };
        claims.push(claim);
        bytes = rest.get(length..).unwrap_or_default();
    }
    (claims, bytes.is_empty())
}

/// Renames a damaged file, never over anything that is there. Where it is now.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    let aside = (1..).map(named).find(|aside| !aside.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
    tracing::warn!(from = %path.display(), to = %aside.display(), "damaged file moved aside");
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// A new name in a folder survives a power cut once the folder is written too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
