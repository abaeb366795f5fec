//! Keeping who we are: sealing the key with a passphrase, backups and recovery words. These commands do not start the profile, so that a
//! passphrase that opens or seals a backup does not seal the profile by the way.

use super::{
    args::{Cli, Lock},
    folder, passphrase,
    print::{Printer, complaint},
};
use crate::{
    engine::{
        custody,
        event::{CustodyEvent, EventBody},
        words::{LONGEST_TEXT, RecoveryWords, TypedWords, WORDS},
    },
    reason::Reason,
    storage::{self, Overwrite, Passphrase, Profile, Storage, StorageError, identity_of},
};
use overlay::Identity;
use std::{
    io::{self, BufRead, IsTerminal as _},
    path::Path,
};
use zeroize::Zeroizing;

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

/// `silbo import FILE`, or without one the words on standard input.
pub(super) fn import(cli: &Cli, file: Option<&Path>, printer: &Printer) -> Result<u8, Reason> {
    let profile = Profile::take(&folder(&cli.global)?)?;
    let given = passphrase::given(&cli.global)?;
    let kept = match file {
        None => custody::import_words(&profile, &typed_words()?, given.as_ref())?,
        Some(file) => {
            let passphrase = match &given {
                Some(given) => given.clone(),
                None => passphrase::known(&cli.global, &file.display().to_string())?,
            };
            custody::import(&profile, file, &passphrase, given.as_ref())?
        }
    };
    let lock = given.map_or(storage::Lock::Open, |_| storage::Lock::Sealed);
    printer.body(EventBody::Custody(CustodyEvent::Imported { kept, lock }));
    Ok(0)
}

/// `silbo words`
pub(super) fn words(cli: &Cli, check: bool, printer: &Printer) -> Result<u8, Reason> {
    let (identity, _) = identity(cli, &folder(&cli.global)?)?;
    let told = if check {
        typed_words()?.check(&identity)?;
        CustodyEvent::WordsRight
    } else {
        CustodyEvent::Words(RecoveryWords::of(&identity))
    };
    printer.body(EventBody::Custody(told));
    Ok(0)
}

/// Words on standard input, until there are enough, or it ends.
fn typed_words() -> Result<TypedWords, Reason> {
    if io::stdin().is_terminal() {
        complaint("Type the 24 recovery words, in one line or in several; an empty line ends them.");
    }
    read_words(io::stdin().lock()).map_err(|error| Reason::Usage(format!("No words could be read: {error}.")))
}

fn read_words(input: impl BufRead) -> io::Result<TypedWords> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_TEXT));
    let mut input = input.take(LONGEST_TEXT as u64);
    loop {
        let began = text.len();
        let read = input.read_line(&mut text)?;
        let words = TypedWords::new(text.as_str());
        let empty = text[began..].trim().is_empty() && words.count() > 0;
        if read == 0 || empty || words.count() >= WORDS {
            return Ok(words);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_until_there_are_enough_or_an_empty_line_or_the_end() {
        let count = |text: &str| read_words(text.as_bytes()).unwrap().count();
        assert_eq!(count(&"zoo ".repeat(24)), 24);
        assert_eq!(count(&format!("\n{}\nand more", "zoo\n".repeat(24))), 24);
        assert_eq!(count("zoo zoo\n\nzoo"), 2);
        assert_eq!(count(""), 0);
        assert!(count(&"zoo\n".repeat(10)) == 10);
        assert!(read_words(&b"\xff\n"[..]).is_err());
    }
}
