//! Keeping who we are: backups, for the window and the command line alike. What is done here takes a moment, for a
//! passphrase is made costly to guess: not on a thread that others wait for.
//!
//! Nothing here stops two computers from being the same person at once, and nothing supports it: each would take the
//! other's calls.

use crate::{
    reason::Reason,
    storage::{Backup, Overwrite, Passphrase, Profile, Storage},
};
use overlay::{Identity, PublicKey};
use std::path::Path;

/// How much of a person is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Who.
    pub key: PublicKey,
    /// The username claimed, if any.
    pub name: Option<String>,
    /// Contacts.
    pub contacts: usize,
    /// Past calls.
    pub calls: usize,
}

/// Writes everything into one file, sealed with a passphrase that must be strong enough.
pub fn export(
    storage: &Storage,
    identity: &Identity,
    file: &Path,
    passphrase: &Passphrase,
    overwrite: Overwrite,
) -> Result<Kept, Reason> {
    let backup = storage.backup(identity)?;
    backup.save(file, passphrase, overwrite)?;
    Ok(Kept::of(&backup))
}

/// Makes an empty profile the one in a file, whole or not at all. Its key is sealed if there is a passphrase for it.
pub fn import(
    profile: &Profile,
    file: &Path,
    passphrase: &Passphrase,
    seal_with: Option<&Passphrase>,
) -> Result<Kept, Reason> {
    let backup = Backup::load(file, passphrase)?;
    profile.import(&backup, seal_with)?;
    Ok(Kept::of(&backup))
}

impl Kept {
    fn of(backup: &Backup) -> Self {
        Self {
            key: backup.identity().public_key(),
            name: backup.name().map(str::to_owned),
            contacts: backup.contacts(),
            calls: backup.calls(),
        }
    }
}
