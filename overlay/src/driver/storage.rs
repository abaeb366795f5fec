//! What a supernode keeps on disk: its node key and the claims it holds.
//!
//! ```text
//! node.key     32 bytes, readable by its owner only
//! claims.cbor  a log:  | length: u32, big endian | claim (CBOR) | length | claim | ...
//! ```
//! The log is written anew (and renamed into place) at every start, appended to and synced afterwards. A damaged file
//! is moved aside with a warning; what could be read of it is kept.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tokio::sync::mpsc;

use crate::{
    claim::Claim,
    identity::LinkSecret,
    node::PersistId,
    wire::{self, MAX_FRAME},
};

const KEY_FILE: &str = "node.key";
const CLAIMS_FILE: &str = "claims.cbor";

/// Claims waiting to be written; when full, the node's task waits for the disk.
pub(super) const WRITE_QUEUE: usize = 1_024;

/// The node key kept in `folder`, made by `fresh` at the first start.
pub(super) fn load_key(folder: &Path, fresh: [u8; 32]) -> io::Result<LinkSecret> {
    fs::create_dir_all(folder)?;
    let path = folder.join(KEY_FILE);
    match fs::read(&path) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(secret) => return Ok(LinkSecret::from_secret(secret)),
            Err(_) => move_aside(&path)?,
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
    Ok(LinkSecret::from_secret(fresh))
}

/// The claims kept in `folder`, and the log to append to.
pub(super) fn load_claims(folder: &Path) -> io::Result<(Vec<Claim>, ClaimLog)> {
    fs::create_dir_all(folder)?;
    let path = folder.join(CLAIMS_FILE);
    let claims = match fs::read(&path) {
        Ok(bytes) => {
            let (claims, intact) = read_log(&bytes);
            if !intact {
                move_aside(&path)?;
            }
            claims
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let fresh = folder.join("claims.cbor.new");
    let mut file = File::create(&fresh)?;
    // A later claim to a name replaces an earlier one.
    let newest: std::collections::BTreeMap<_, _> = claims.iter().map(|claim| (claim.name(), claim)).collect();
    for claim in newest.values() {
        file.write_all(&entry(claim))?;
    }
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok((claims, ClaimLog { file: OpenOptions::new().append(true).open(&path)? }))
}

/// An open log of claims.
#[derive(Debug)]
pub(super) struct ClaimLog {
    file: File,
}

impl ClaimLog {
    /// Writes what comes until the sender is gone; every batch is synced once and then reported.
    /// Runs on a thread that may block.
    pub(super) fn run(
        mut self,
        mut claims: mpsc::Receiver<(PersistId, Box<Claim>)>,
        written: &mpsc::Sender<PersistId>,
    ) {
        while let Some(first) = claims.blocking_recv() {
            let mut batch = vec![first];
            while let Ok(next) = claims.try_recv() {
                batch.push(next);
            }
            let bytes: Vec<u8> = batch.iter().flat_map(|(_, claim)| entry(claim)).collect();
            if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
                // Not acknowledged: the claimants count on other holders.
                tracing::warn!(%error, "cannot write claims to disk");
                continue;
            }
            for (id, _) in batch {
                if written.blocking_send(id).is_err() {
                    return;
                }
            }
        }
    }
}

fn entry(claim: &Claim) -> Vec<u8> {
    let bytes = wire::to_bytes(claim);
    // A claim is a few hundred bytes.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), &bytes].concat()
}

/// The claims that can be read, and whether that was all of it.
fn read_log(mut bytes: &[u8]) -> (Vec<Claim>, bool) {
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

fn move_aside(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    let aside = PathBuf::from(name);
    tracing::warn!(from = %path.display(), to = %aside.display(), "damaged file moved aside");
    fs::rename(path, aside)
}

#[cfg(test)]
mod tests {
    use relay::UnixTime;

    use super::*;
    use crate::{identity::Identity, username::Username};

    #[test]
    fn a_log_cut_or_bent_anywhere_gives_what_precedes_the_damage() {
        let now = UnixTime::from_secs(1_800_000_000);
        let claim = |name: &str| {
            let name = Username::parse(name).unwrap();
            Claim::proven(&Identity::from_secret([1; 32]), name, now, 1, now)
        };
        let (first, second) = (entry(&claim("ada")), entry(&claim("bob")));
        let log = [first.clone(), second].concat();
        assert_eq!(read_log(&log), (vec![claim("ada"), claim("bob")], true));
        for cut in 0..log.len() {
            let (claims, intact) = read_log(&log[..cut]);
            assert_eq!(claims.len(), usize::from(cut >= first.len()), "cut at {cut}");
            assert_eq!(intact, cut == 0 || cut == first.len(), "cut at {cut}");
        }
        let mut bent = log;
        bent[first.len()] = 0xff;
        assert_eq!(read_log(&bent), (vec![claim("ada")], false));
    }
}
