//! Where passphrases come from: a file, or whoever sits at the terminal.

use super::args::Global;
use crate::{
    reason::{Custody, Reason},
    storage::Passphrase,
};
use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Names the file when the command line does not.
const VARIABLE: &str = "SILBO_PASSPHRASE_FILE";
/// More than a passphrase may have: what is longer is refused as such.
const LONGEST: u64 = 4096;

/// The passphrase in the file that the command line or the environment names, if they name one.
pub(super) fn given(global: &Global) -> Result<Option<Passphrase>, Reason> {
    let named = || env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    let path = global.passphrase_file.clone().or_else(named);
    path.map(|path| from_file(&path)).transpose()
}

/// The first line of a file.
pub(super) fn from_file(path: &Path) -> Result<Passphrase, Reason> {
    let unreadable =
        |why: String| Reason::Custody(Custody::PassphraseFile { path: path.display().to_string(), why });
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut line = Zeroizing::new(String::with_capacity(LONGEST as usize));
    let read = BufReader::new(file.take(LONGEST)).read_line(&mut line);
    read.map_err(|error| unreadable(error.to_string()))?;
    take(&line)
}

/// The one that something is sealed with already: the one given, or what is typed now.
pub(super) fn known(global: &Global, what: &str) -> Result<Passphrase, Reason> {
    match given(global)? {
        Some(passphrase) => Ok(passphrase),
        None => typed(&format!("Passphrase of {what}: ")),
    }
}

/// A new one to seal with: the one given, or what is typed now, twice.
pub(super) fn chosen(global: &Global) -> Result<Passphrase, Reason> {
    if let Some(passphrase) = given(global)? {
        return Ok(passphrase);
    }
    let first = typed("New passphrase: ")?;
    first.strong_enough().map_err(|why| Reason::Custody(Custody::Passphrase(why)))?;
    if typed("Once more: ")? != first {
        return Err(Reason::Usage("The two passphrases differ. Nothing was changed.".into()));
    }
    Ok(first)
}

/// Asks at the terminal, without showing what is typed.
fn typed(prompt: &str) -> Result<Passphrase, Reason> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Reason::Custody(Custody::NoPassphrase));
    }
    let text = rpassword::prompt_password(prompt).map_err(|error| {
        tracing::debug!(%error, "the terminal cannot be asked");
        Reason::Custody(Custody::NoPassphrase)
    })?;
    take(&Zeroizing::new(text))
}

fn take(line: &str) -> Result<Passphrase, Reason> {
    let text = line.trim_end_matches(['\r', '\n']);
    Passphrase::new(text).map_err(|why| Reason::Custody(Custody::Passphrase(why)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(content: &[u8]) -> Result<Passphrase, Reason> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, content).unwrap();
        from_file(&path)
    }

    #[test]
    fn the_first_line_of_a_file_is_the_passphrase_however_it_ends() {
        let wanted = Ok(Passphrase::new(" two words ").unwrap());
        for content in [" two words ", " two words \n", " two words \r\n", " two words \nmore\n"] {
            assert_eq!(read(content.as_bytes()), wanted, "{content:?}");
        }
    }

    #[test]
    fn a_file_without_a_passphrase_is_told() {
        for content in [&b""[..], b"\n", b"\nsecond line", &[b'x'; 5000]] {
            assert!(matches!(read(content), Err(Reason::Custody(Custody::Passphrase(_)))));
        }
        assert!(matches!(read(b"\xff\xfe"), Err(Reason::Custody(Custody::PassphraseFile { .. }))));
        let missing = from_file(Path::new("no such folder/passphrase"));
        assert_eq!(missing.unwrap_err().exit_status(), 2);
    }
}
