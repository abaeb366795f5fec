//! Keeping who we are: sealing the key with a passphrase, and backups. These commands do not start the profile, so that a
//! passphrase that opens or seals a backup does not seal the profile by the way.

use super::{
    args::{Cli, Lock},
    folder, passphrase,
    print::Printer,
};
use crate::{
    engine::{
        custody,
        event::{CustodyEvent, EventBody},
    },
    reason::Reason,
    storage::{self, Overwrite, Passphrase, Profile, Storage, StorageError, identity_of},
};
use overlay::Identity;
use std::path::Path;

/// `silbo lock`
pub(super) fn lock(cli: &Cli, lock: &Lock, printer: &Printer) -> Result<u8, Reason> {
    let folder = folder(&cli.global)?;
    let before = storage::Lock::of(&folder)?;
    let before = before.ok_or_else(|| StorageError::NoProfile(folder.clone()))?;
    if lock.state {
        return Ok(tell(printer, before));
    }
    let profile = Profile::take(&folder)?;
    let known = match before {
        storage::Lock::Sealed => Some(passphrase::known(&cli.global, "this profile")?),
        storage::Lock::Open => None,
    };
    let identity = identity_of(&folder, known.as_ref())?;
    let wanted = match (&lock.change, before) {
        _ if lock.off => None,
        (Some(file), _) => Some(passphrase::from_file(file)?),
        (None, storage::Lock::Sealed) => known.clone(),
        (None, storage::Lock::Open) => Some(passphrase::chosen(&cli.global)?),
    };
    if wanted != known {
        profile.write_key(&identity, wanted.as_ref())?;
    }
    Ok(tell(printer, if lock.off { storage::Lock::Open } else { storage::Lock::Sealed }))
}

/// `silbo export FILE`, also beside whoever owns the profile.
pub(super) fn export(cli: &Cli, file: &Path, overwrite: Overwrite, printer: &Printer) -> Result<u8, Reason> {
    let folder = folder(&cli.global)?;
    let (identity, known) = identity(cli, &folder)?;
    let passphrase = match known {
        Some(known) => known,
        None => passphrase::chosen(&cli.global)?,
    };
    let storage = match Profile::take(&folder) {
        Ok(_) => Storage::open(&folder, relay::driver::now().unix)?,
        Err(StorageError::Locked(_)) => Storage::beside(&folder)?,
        Err(error) => return Err(error.into()),
    };
    let kept = custody::export(&storage, &identity, file, &passphrase, overwrite)?;
    printer.body(EventBody::Custody(CustodyEvent::Exported { file: file.to_owned(), kept }));
    Ok(0)
}

/// `silbo import FILE`
pub(super) fn import(cli: &Cli, file: &Path, printer: &Printer) -> Result<u8, Reason> {
    let profile = Profile::take(&folder(&cli.global)?)?;
    let given = passphrase::given(&cli.global)?;
    let passphrase = match &given {
        Some(given) => given.clone(),
        None => passphrase::known(&cli.global, &file.display().to_string())?,
    };
    let kept = custody::import(&profile, file, &passphrase, given.as_ref())?;
    let lock = given.map_or(storage::Lock::Open, |_| storage::Lock::Sealed);
    printer.body(EventBody::Custody(CustodyEvent::Imported { kept, lock }));
    Ok(0)
}

/// The identity of a profile that is only read, and the passphrase that was needed for it.
fn identity(cli: &Cli, folder: &Path) -> Result<(Identity, Option<Passphrase>), Reason> {
    let known = match storage::Lock::of(folder)? {
        Some(storage::Lock::Sealed) => Some(passphrase::known(&cli.global, "this profile")?),
        Some(storage::Lock::Open) | None => None,
    };
    Ok((identity_of(folder, known.as_ref())?, known))
}

fn tell(printer: &Printer, lock: storage::Lock) -> u8 {
    printer.body(EventBody::Custody(CustodyEvent::Lock(lock)));
    0
}
