//! What somebody says who declines a call. It travels in the refusal itself, sealed like it, and only between contacts:
//! see `engine/declining`.

use crate::{plain::is_plain, reason::Reason};
use std::fmt;

/// Most bytes of a reply.
pub const LONGEST_REPLY: usize = 200;

/// 1 to [`LONGEST_REPLY`] bytes of text on one line, none of which steers a terminal or the direction of writing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reply(String);

/// Why a text is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Nothing but spaces.
    #[error("a reply has at least one character")]
    Empty,
    /// Longer than one may be.
    #[error("a reply has at most {LONGEST_REPLY} bytes")]
    TooLong,
    /// Something in it is not seen, and changes how the rest is.
    #[error("a reply has letters, digits, signs and spaces only")]
    Character,
}

impl Reply {
    /// Reads one as it is typed, or came; spaces around it do not count.
    pub fn parse(text: &str) -> Result<Self, ReplyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ReplyError::Empty);
        }
        if text.len() > LONGEST_REPLY {
            return Err(ReplyError::TooLong);
        }
        if !is_plain(text) {
            return Err(ReplyError::Character);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reason {
    /// What the other side said, if it declined and said something.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Declined(reply) => reply.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_line_that_hides_nothing() {
        assert_eq!(Reply::parse("  I will call you back ♥ ").unwrap().as_str(), "I will call you back ♥");
        assert!(Reply::parse(&"ñ".repeat(LONGEST_REPLY / 2)).is_ok());
        for (text, why) in [
            ("", ReplyError::Empty),
            (" \t\n", ReplyError::Empty),
            ("two\nlines", ReplyError::Character),
            ("\u{1b}[2J", ReplyError::Character),
            ("turned\u{202e}round", ReplyError::Character),
            ("isolated\u{2067}part", ReplyError::Character),
            ("marked\u{61c}", ReplyError::Character),
            (&"ñ".repeat(LONGEST_REPLY / 2 + 1), ReplyError::TooLong),
        ] {
            assert_eq!(Reply::parse(text), Err(why), "{text:?}");
        }
    }
}
