//! What can go wrong with keeping a key: passphrases, backups and recovery words.

use crate::{engine::words::WordsError, storage::PassphraseError};

/// Why a key, a backup or words do not serve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Custody {
    /// The profile's key is sealed, and no passphrase was given.
    Sealed(String),
    /// What is sealed does not open with this passphrase.
    WrongPassphrase(String),
    /// Nothing may be sealed with this passphrase.
    Passphrase(PassphraseError),
    /// A passphrase is needed, and nobody is there to ask.
    NoPassphrase,
    /// The file that is to hold a passphrase cannot be read.
    PassphraseFile {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// What is sealed is damaged, or no such thing.
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// There is no profile in this folder.
    NoProfile(String),
    /// There is a profile in this folder already.
    NotEmpty(String),
    /// A file cannot be read or written.
    File {
        /// Where.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file is there already.
    FileExists(String),
    /// Recovery words do not serve.
    Words(WordsError),
}

impl Custody {
    /// The stable word for programs, and the exit status.
    pub(super) fn entry(&self) -> (&'static str, u8) {
        match self {
            Self::Sealed(_) => ("profile_sealed", 7),
            Self::WrongPassphrase(_) => ("wrong_passphrase", 7),
            Self::Passphrase(_) => ("passphrase", 2),
            Self::NoPassphrase => ("no_passphrase", 2),
            Self::PassphraseFile { .. } => ("passphrase_file", 2),
            Self::Unreadable { .. } => ("unreadable", 7),
            Self::NoProfile(_) => ("no_profile", 7),
            Self::NotEmpty(_) => ("profile_not_empty", 6),
            Self::File { .. } => ("file", 1),
            Self::FileExists(_) => ("file_exists", 6),
            Self::Words(_) => ("wrong_words", 1),
        }
    }

    /// What happened and what to do next.
    pub(super) fn texts(&self) -> (String, &'static str) {
        match self {
            Self::Sealed(path) => (
                format!("The profile {path} is locked with a passphrase."),
                "Give the passphrase: its file with --passphrase-file FILE, or in SILBO_PASSPHRASE_FILE.",
            ),
            Self::WrongPassphrase(path) => (
                format!("{path} does not open with this passphrase, or was altered."),
                "Try the passphrase it was sealed with; if that is the one, use another copy of the file.",
            ),
            Self::Passphrase(why) => (
                format!("This passphrase does not serve: {why}."),
                "Choose several words that do not belong together: they are hard to guess and easy to keep.",
            ),
            Self::NoPassphrase => (
                "A passphrase is needed.".into(),
                "Put it into a file, as its first line, and name the file with --passphrase-file FILE; or run this in a terminal.",
            ),
            Self::PassphraseFile { path, why } => (
                format!("The passphrase cannot be read from {path}: {why}."),
                "Check that this is the file, and that it is text.",
            ),
            Self::Unreadable { path, why } => {
                (format!("{path} cannot be read: {why}."), "Use another copy of the file.")
            }
            Self::NoProfile(path) => (
                format!("There is no profile in {path} yet."),
                "Check the folder that --profile names, or start Silbo once to make one.",
            ),
            Self::NotEmpty(path) => (
                format!("{path} holds somebody already; nothing is ever put in their place."),
                "Name an empty folder with --profile DIR.",
            ),
            Self::File { path, why } => (
                format!("The file {path} cannot be used: {why}."),
                "Check its name, and that there is room and the right to write.",
            ),
            Self::FileExists(path) => (
                format!("The file {path} is there already; nothing was written."),
                "Choose another name, or let it be replaced with --force.",
            ),
            Self::Words(why) => {
                (format!("The recovery words do not serve: {why}."), "Compare them with what you wrote down.")
            }
        }
    }

    /// One example of each.
    pub(super) fn every() -> Vec<Self> {
        let text = || String::from("..");
        vec![
            Self::Sealed(text()),
            Self::WrongPassphrase(text()),
            Self::Passphrase(PassphraseError::Weak),
            Self::NoPassphrase,
            Self::PassphraseFile { path: text(), why: text() },
            Self::Unreadable { path: text(), why: text() },
            Self::NoProfile(text()),
            Self::NotEmpty(text()),
            Self::File { path: text(), why: text() },
            Self::FileExists(text()),
            Self::Words(WordsError::Checksum),
        ]
    }
}
