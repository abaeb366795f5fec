//! Keeping the key: sealing it with a passphrase. These commands do not start the profile, so that a passphrase that is
//! given to them seals nothing by the way.

use super::{
    args::{Cli, Lock},
    folder, passphrase,
    print::Printer,
};
use crate::{
    engine::event::{CustodyEvent, EventBody},
    reason::Reason,
    storage::{self, Profile, identity_of},
};

/// `silbo lock`
pub(super) fn lock(cli: &Cli, lock: &Lock, printer: &Printer) -> Result<u8, Reason> {
    let folder = folder(&cli.global)?;
    let before = storage::Lock::of(&folder)?;
    let before = before.ok_or_else(|| storage::StorageError::NoProfile(folder.clone()))?;
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

fn tell(printer: &Printer, lock: storage::Lock) -> u8 {
    printer.body(EventBody::Custody(CustodyEvent::Lock(lock)));
    0
}
