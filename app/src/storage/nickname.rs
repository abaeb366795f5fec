//! Nicknames: what the person calls a contact, on this computer alone. The network knows usernames only.

use super::{Storage, StorageError};
use crate::plain::is_plain;
use overlay::PublicKey;
use rusqlite::params;
use std::fmt;

/// Most characters of a nickname.
pub const LONGEST_NICKNAME: usize = 40;

/// What the person calls a contact: 1 to [`LONGEST_NICKNAME`] characters on one line, none of which steers a terminal or
/// the direction of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nickname(String);

/// Why a text is no nickname.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NicknameError {
    /// Nothing but spaces.
    #[error("a nickname has at least one character")]
    Empty,
    /// Longer than one may be.
    #[error("a nickname has at most {LONGEST_NICKNAME} characters")]
    TooLong,
    /// Something in it is not seen, and changes how the rest is.
    #[error("a nickname has letters, digits, signs and spaces only")]
    Character,
}

impl Nickname {
    /// Reads one as it is typed; spaces around it do not count.
    pub fn parse(text: &str) -> Result<Self, NicknameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NicknameError::Empty);
        }
        if text.chars().count() > LONGEST_NICKNAME {
            return Err(NicknameError::TooLong);
        }
        if !is_plain(text) {
            return Err(NicknameError::Character);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nickname {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Storage {
    /// Calls a contact so from now on, or by their username again; says whether there is such a contact.
    pub fn set_nickname(
        &mut self,
        key: PublicKey,
        nickname: Option<&Nickname>,
    ) -> Result<bool, StorageError> {
        let row = params![key.bytes().as_slice(), nickname.map(Nickname::as_str)];
        Ok(self.db.execute("UPDATE contacts SET nickname = ?2 WHERE key = ?1", row)? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::UnixTime;
    use tempfile::TempDir;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn a_nickname_stays_with_its_contact_until_it_is_taken_away() {
        let folder = TempDir::new().unwrap();
        let ada = PublicKey::from_bytes([1; 32]);
        let mut storage = Storage::open(folder.path(), NOW).unwrap();
        let mum = Nickname::parse("  Mum ♥ ").unwrap();
        assert!(!storage.set_nickname(ada, Some(&mum)).unwrap(), "there is nobody");
        storage.add_contact(ada, "ada", NOW).unwrap();
        assert!(storage.set_nickname(ada, Some(&mum)).unwrap());
        storage = Storage::open(folder.path(), NOW).unwrap();
        let contact = storage.contacts().unwrap().remove(0);
        assert_eq!((contact.name.as_str(), contact.nickname.unwrap().as_str()), ("ada", "Mum ♥"));
        storage.set_nickname(ada, None).unwrap();
        assert_eq!(storage.contacts().unwrap()[0].nickname, None);
    }

    #[test]
    fn what_is_no_nickname_is_refused() {
        for (text, why) in [
            ("", NicknameError::Empty),
            (" \t\n", NicknameError::Empty),
            ("two\nlines", NicknameError::Character),
            ("\u{1b}[2J", NicknameError::Character),
            ("turned\u{202e}round", NicknameError::Character),
            ("marked\u{61c}", NicknameError::Character),
            (&"ü".repeat(41), NicknameError::TooLong),
        ] {
            assert_eq!(Nickname::parse(text), Err(why), "{text:?}");
        }
        assert!(Nickname::parse(&"ü".repeat(40)).is_ok());
    }
}
