//! What people are found under: a short name in a small alphabet, so that two different names never look alike
//! because of letters from another script.

mod skeleton;

use std::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

pub use self::skeleton::Skeleton;

/// A well-formed username: 3 to 32 of `a-z 0-9 . _ -`, beginning with a letter, no two separators in a row,
/// none at the end; upper case is folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Fewest characters of a username.
pub const USERNAME_MIN: usize = 3;
/// Most characters of a username.
pub const USERNAME_MAX: usize = 32;

impl Username {
    /// Reads a username as typed by a person; white space around it is dropped, upper case is folded.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let name = text.trim().to_ascii_lowercase();
        if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
            return Err(UsernameError::Character(wrong));
        }
        // Only ASCII is left: bytes are characters.
        match name.len() {
            len if len < USERNAME_MIN => return Err(UsernameError::TooShort),
            len if len > USERNAME_MAX => return Err(UsernameError::TooLong),
            _ => {}
        }
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(UsernameError::Start);
        }
        if name.ends_with(is_separator) {
            return Err(UsernameError::End);
        }
        if name.as_bytes().windows(2).any(|pair| pair.iter().all(|b| is_separator(char::from(*b)))) {
            return Err(UsernameError::DoubleSeparator);
        }
        Ok(Self(name))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like at a glance.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(self)
    }

    /// How many letters and digits it has; separators make no name longer.
    pub fn letters(&self) -> usize {
        self.0.chars().filter(|c| !is_separator(*c)).count()
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '_' | '-')
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || is_separator(c)
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As text, in its one normal form.
impl<C> Encode<C> for Username {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

/// Only the normal form is accepted.
impl<'b, C> Decode<'b, C> for Username {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let text = d.str()?;
        match Self::parse(text) {
            Ok(name) if name.as_str() == text => Ok(name),
            Ok(_) | Err(_) => Err(decode::Error::message("no username in normal form")),
        }
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        Self::parse(text)
    }
}

/// Why a text is no username; each is a sentence for the person who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsernameError {
    /// Fewer than [`USERNAME_MIN`] characters.
    #[error("A username has at least {USERNAME_MIN} characters.")]
    TooShort,
    /// More than [`USERNAME_MAX`] characters.
    #[error("A username has at most {USERNAME_MAX} characters.")]
    TooLong,
    /// A character outside the alphabet.
    #[error(
        "A username consists of the letters a-z, digits, dots, hyphens and underscores; {0:?} is none of them."
    )]
    Character(char),
    /// Does not begin with a letter.
    #[error("A username begins with a letter.")]
    Start,
    /// Ends with a separator.
    #[error("A username ends with a letter or a digit.")]
    End,
    /// Two separators in a row.
    #[error("Two dots, hyphens or underscores must not follow each other in a username.")]
    DoubleSeparator,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_to_one_form() {
        assert_eq!(Username::parse(" Ada.Lovelace-1 ").unwrap().as_str(), "ada.lovelace-1");
        assert_eq!(Username::parse("BOB").unwrap(), Username::parse("bob").unwrap());
    }

    #[test]
    fn each_broken_rule_has_its_own_error() {
        let wrong = [
            ("ab", UsernameError::TooShort),
            ("", UsernameError::TooShort),
            (&"a".repeat(33), UsernameError::TooLong),
            ("adé", UsernameError::Character('é')),
            ("a b c", UsernameError::Character(' ')),
            ("1ada", UsernameError::Start),
            ("-ada", UsernameError::Start),
            ("ada.", UsernameError::End),
            ("a..da", UsernameError::DoubleSeparator),
            ("a._da", UsernameError::DoubleSeparator),
        ];
        for (text, error) in wrong {
            assert_eq!(Username::parse(text), Err(error), "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(32)).is_ok());
        assert!(Username::parse("abc").is_ok());
    }
}
